//! `valetkey connector record`: a live call made into a case.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use http::Method;
use serde_json::{Map, Value, json};

use crate::author::case::EXTENSION;
use crate::author::record;
use crate::author::scrub::Scrubbed;
use crate::cli::call::text_or_file;
use crate::cli::client::{Client, Remote};
use crate::cli::output::Output;
use crate::cli::{Global, block_on};

/// Calls a tool with a live account and writes the call and its exchanges with the vendor as a
/// case. The host answers them without the credential; secrets of other sorts, e-mail addresses
/// and the words that --scrub names are taken out before anything is written.
///
/// Your client needs the scope `proxy:execute`, and the connection has to allow raw requests
/// (`proxy`), because a recording shows what they show. Record with a test account, and read what
/// was written before you share it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connector record hubspot_contact_get --identifier me --params '{\"contact_id\": \"151\"}' --out tests/contact_get.http
  valetkey connector record gmail_whoami --identifier me --scrub 'Ada Lovelace' --scrub corp=acme --out tests/whoami.http")]
pub(in crate::cli) struct Record {
    /// Tool name
    tool: String,
    /// Your application's key for the user
    #[arg(long, value_name = "TEXT", required_unless_present = "account")]
    identifier: Option<String>,
    /// Or the connected account itself (`ca_…`)
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Connection, when the user has accounts on several
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// The tool's input, a JSON object: the text, @FILE, or - for standard input
    #[arg(long, value_name = "JSON", default_value = "{}")]
    params: String,
    /// A text to take out wherever it stands, or TEXT=WORDS THAT STAND FOR IT; may be repeated
    #[arg(long, value_name = "TEXT")]
    scrub: Vec<String>,
    /// The case's file, `tests/NAME.http`
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Record {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        if self
            .out
            .extension()
            .is_none_or(|extension| extension != EXTENSION)
        {
            bail!("--out is a case's file and ends in .{EXTENSION}");
        }
        if self.out.exists() && !self.force {
            bail!("{} is there already; --force writes over it", self.out.display());
        }
        let params: Map<String, Value> =
            serde_json::from_str(&text_or_file(&self.params)?).context("--params is not a JSON object")?;
        let recording = block_on(self.call(global, output, &params))?;
        let (case, scrubbed) = record::case(&self.tool, &params, recording, &self.scrub, &self.out)?;
        if let Some(dir) = self.out.parent() {
            fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        }
        fs::write(&self.out, case.to_text())
            .with_context(|| format!("{} cannot be written", self.out.display()))?;
        if output.json {
            output.data(&json!({
                "file": self.out,
                "exchanges": case.exchanges.len(),
                "scrubbed": scrubbed,
            }));
        } else {
            output.line(&self.out.display().to_string());
            let exchanges = match case.exchanges.len() {
                1 => "1 exchange".to_owned(),
                count => format!("{count} exchanges"),
            };
            output.say(&format!("{exchanges}; {}", told(&scrubbed)));
            output.hint("read it through before you share it: names and other words of people are not recognised, --scrub names them");
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn call(
        &self,
        global: &Global,
        output: &Output,
        params: &Map<String, Value>,
    ) -> anyhow::Result<Value> {
        let client = Client::connect(global, &self.remote).await?;
        let mut body = json!({"tool_name": self.tool, "params": params});
        for (name, value) in [
            ("identifier", &self.identifier),
            ("connected_account_id", &self.account),
            ("connection_name", &self.connection),
        ] {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        let _shown = output.progress(format!("calling {}", self.tool));
        client.json(Method::POST, "/api/v1/recordings", &body).await
    }
}

fn told(scrubbed: &Scrubbed) -> String {
    if scrubbed.0.is_empty() {
        return "nothing was scrubbed".to_owned();
    }
    let sorts: Vec<String> = scrubbed
        .0
        .iter()
        .map(|(sort, count)| format!("{count} {sort}"))
        .collect();
    format!("scrubbed {}", sorts.join(", "))
}
