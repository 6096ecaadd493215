//! `valetkey call`: run one tool on a user's behalf.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use http::Method;
use serde_json::{Map, Value, json};

use super::client::{Client, Remote};
use super::output::Output;
use super::{Global, block_on};

/// Calls a tool with the account that the identifier has connected, and prints the result.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey call hubspot_contacts_search --identifier user_1 --params '{\"query\": \"ada\", \"limit\": 5}'
  valetkey call gmail_send_mail --identifier user_1 --params @mail.json --idempotency-key mail-17
  jq -n '{query: \"ada\"}' | valetkey call hubspot_contacts_search --identifier user_1 --params -")]
pub(super) struct Call {
    /// Tool name; `valetkey tool list` shows them
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
    /// Repeating the call with this key answers the first outcome
    #[arg(long, value_name = "TEXT")]
    idempotency_key: Option<String>,
    /// Your name for the agent's run, for the record
    #[arg(long, value_name = "TEXT")]
    agent_run_id: Option<String>,
    /// How long to wait, in milliseconds
    #[arg(long, value_name = "MS")]
    deadline_ms: Option<u64>,
    #[command(flatten)]
    remote: Remote,
}

impl Call {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let params: Value =
            serde_json::from_str(&text_or_file(&self.params)?).context("--params is not JSON")?;
        if !params.is_object() {
            bail!("--params is not a JSON object; a tool's input is one, like {{\"query\": \"ada\"}}");
        }
        block_on(self.call(global, output, params))
    }

    async fn call(&self, global: &Global, output: &Output, params: Value) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let mut body = Map::from_iter([
            ("tool_name".to_owned(), json!(self.tool)),
            ("params".to_owned(), params),
        ]);
        for (name, value) in [
            ("identifier", &self.identifier),
            ("connected_account_id", &self.account),
            ("connection_name", &self.connection),
            ("agent_run_id", &self.agent_run_id),
        ] {
            if let Some(value) = value {
                body.insert(name.to_owned(), json!(value));
            }
        }
        if let Some(deadline_ms) = self.deadline_ms {
            body.insert("deadline_ms".to_owned(), json!(deadline_ms));
        }
        let key = self
            .idempotency_key
            .as_deref()
            .map(|key| ("idempotency-key", key));
        let headers: Vec<(&str, &str)> = key.into_iter().collect();
        let answer = {
            let _shown = output.progress(format!("calling {}", self.tool));
            client
                .json_with(
                    Method::POST,
                    "/api/v1/execute_tool",
                    &headers,
                    &Value::Object(body),
                )
                .await?
        };

        if output.json {
            output.data(&answer);
            return Ok(ExitCode::SUCCESS);
        }
        output.data(&answer["data"]);
        if let Some(cursor) = answer["next_cursor"].as_str() {
            output.hint(&format!(
                "there is more: repeat with \"cursor\": \"{cursor}\" in the parameters"
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A text as it stands, the content of `@FILE`, or standard input for `-`.
pub(super) fn text_or_file(text: &str) -> anyhow::Result<String> {
    if text == "-" {
        let mut read = String::new();
        std::io::stdin()
            .read_to_string(&mut read)
            .context("standard input cannot be read")?;
        return Ok(read);
    }
    match text.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("{path} cannot be read")),
        None => Ok(text.to_owned()),
    }
}
