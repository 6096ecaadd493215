//! `valetkey connector`: build and check on the author's machine; install and manage on a host.

mod check;
mod import;
mod new;
mod pack;
mod record;
mod schema;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::client::{Client, Remote, encoded};
use super::output::{Output, cell};
use super::{Global, block_on};
use crate::manifest::build::{self, Built, Step};

use check::Check;
use import::Import;
use new::New;
use pack::Pack;
use record::Record;
use schema::Schema;
use test::Test;

/// Where `build` puts components, and where the other commands of an author look for them.
pub(super) const OUT: &str = "target/connectors";

/// What to do with connectors.
#[derive(Debug, Subcommand)]
pub(super) enum Connector {
    /// Make a folder for a new connector
    New(New),
    /// Make a connector's folder of a vendor's own specification
    #[command(subcommand)]
    Import(Import),
    /// Compile a connector's folder to a component
    Build(Build),
    /// Make a component of a connector.toml without code, without a compiler
    Pack(Pack),
    /// Check a connector.toml: names, schemas, endpoints, templates, and that every model takes its tools
    Check(Check),
    /// Run a connector's cases offline, in the real sandbox
    Test(Test),
    /// Make a case of a live call
    Record(Record),
    /// Print the JSON Schema of connector.toml, for editors
    Schema(Schema),
    /// What is installed on the host
    #[command(visible_alias = "ls")]
    List(List),
    /// Install a component and make it the active version
    Install(Install),
    /// Make an installed version the active one
    Activate(Activate),
    /// Remove a connector or one version of it
    Remove(Remove),
}

/// Checks the manifest, makes a component of the code, puts the manifest into it, and writes
/// `OUT/ID.wasm`. What `runtime` in connector.toml says decides how: a Rust crate is compiled for
/// wasm32-wasip2 (adding the Rust target when it is missing); a connector.js, connector.ts or
/// connector.py becomes a component with its interpreter (npm or pip installs what the folder locks
/// when that is missing), and the types of the tools' inputs are kept beside it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connector build plugins/hubspot
  valetkey connector build . --out dist && valetkey connector install dist/acme.wasm")]
pub(super) struct Build {
    /// Folder with the connector.toml and the code
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Folder for the component
    #[arg(long, value_name = "DIR", default_value = OUT)]
    out: PathBuf,
}

/// Lists installed connectors and their versions.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connector list
  valetkey connector list --json | jq -r '.items[].active_version'")]
pub(super) struct List {
    #[command(flatten)]
    remote: Remote,
}

/// Installs a component on the running host. It is checked and compiled beside the running calls,
/// then swapped in; calls that run finish on the version that they began with. The version before
/// stays for roll-back. The same bytes again change nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connector install target/connectors/hubspot.wasm
  valetkey connector install hubspot.wasm --server https://keys.example.com")]
pub(super) struct Install {
    /// The component, as `connector build` wrote it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

/// Makes an installed version the active one; without a version, the one before.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connector activate hubspot            Roll back
  valetkey connector activate hubspot 1.2.0")]
pub(super) struct Activate {
    /// Connector id
    connector: String,
    /// Version [default: the one that was active before]
    version: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Removes a connector with all its versions, or one version that is not the active one. Calls
/// that run may finish within `sandbox.drain_ms`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connector remove hubspot
  valetkey connector remove hubspot 1.1.0")]
pub(super) struct Remove {
    /// Connector id
    connector: String,
    /// Only this version
    version: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

impl Connector {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::New(command) => command.run(output),
            Self::Import(command) => command.run(output),
            Self::Build(command) => command.run(output),
            Self::Pack(command) => command.run(output),
            Self::Check(command) => command.run(output),
            Self::Test(command) => command.run(output),
            Self::Record(command) => command.run(global, output),
            Self::Schema(command) => command.run(output),
            Self::List(command) => block_on(command.run(global, output)),
            Self::Install(command) => block_on(command.run(global, output)),
            Self::Activate(command) => block_on(command.run(global, output)),
            Self::Remove(command) => block_on(command.run(global, output)),
        }
    }
}

impl Build {
    fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let component = compiled(&self.dir, &self.out, output)?;
        built(output, &component)
    }
}

/// Builds a connector's folder and says what goes on.
pub(super) fn compiled(dir: &Path, out: &Path, output: &Output) -> anyhow::Result<Built> {
    let shown = output.progress("checking the manifest");
    let built = build::build(dir, out, &mut |step| {
        shown.say(match step {
            Step::Checking => "checking the manifest".to_owned(),
            Step::AddingTarget => format!("adding the Rust target {}", build::TARGET),
            Step::Installing(program) => format!("{program} installs what the connector needs"),
            Step::Compiling(line) => line,
            Step::Embedding => "putting the manifest in".to_owned(),
        });
    })?;
    Ok(built)
}

impl List {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let items = client.list("/api/v1/connectors").await?;
        if output.json {
            output.data(&json!({ "items": items }));
            return Ok(ExitCode::SUCCESS);
        }
        let mut rows = Vec::new();
        for item in &items {
            for version in item["versions"].as_array().into_iter().flatten() {
                let active = version["version"] == item["active_version"];
                let state = match version["problem"].as_str() {
                    Some(problem) => format!("not loaded: {problem}"),
                    None if active => format!("active, {} tools", cell(item, "tools")),
                    None => String::new(),
                };
                let digest: String = cell(version, "digest").chars().take(12).collect();
                let installed_at = cell(version, "installed_at");
                rows.push(vec![
                    cell(item, "connector"),
                    cell(version, "version"),
                    digest,
                    installed_at,
                    state,
                ]);
            }
        }
        output.table(&["connector", "version", "digest", "installed", "state"], &rows);
        if rows.is_empty() {
            output.hint("`valetkey connector install FILE` installs one");
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Install {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let component =
            std::fs::read(&self.file).with_context(|| format!("{} cannot be read", self.file.display()))?;
        let client = Client::connect(global, &self.remote).await?;
        let installed = {
            let _shown = output.progress(format!("checking and compiling {}", self.file.display()));
            client.upload("/api/v1/connectors", component).await?
        };
        show(output, &installed);
        Ok(ExitCode::SUCCESS)
    }
}

impl Activate {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let path = format!("/api/v1/connectors/{}/activate", encoded(&self.connector));
        let body = match &self.version {
            Some(version) => json!({ "version": version }),
            None => json!({}),
        };
        show(output, &client.json(Method::POST, &path, &body).await?);
        Ok(ExitCode::SUCCESS)
    }
}

impl Remove {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let mut path = format!("/api/v1/connectors/{}", encoded(&self.connector));
        if let Some(version) = &self.version {
            path.push_str(&format!("/versions/{}", encoded(version)));
        }
        client.json(Method::DELETE, &path, &Value::Null).await?;
        if output.json {
            output.data(&json!({"connector": self.connector, "version": self.version, "removed": true}));
        } else {
            output.say(&format!("removed {}", self.connector));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Says what was made.
fn built(output: &Output, built: &Built) -> anyhow::Result<ExitCode> {
    let identity = &built.manifest.connector;
    if output.json {
        output.data(&json!({
            "connector": identity.id,
            "version": identity.version,
            "path": built.path,
            "bytes": built.bytes,
            "tools": built.manifest.tools.len(),
        }));
    } else {
        output.line(&built.path.display().to_string());
        output.say(&format!(
            "{} {}: {} tools, {} kB",
            identity.id,
            identity.version,
            built.manifest.tools.len(),
            built.bytes / 1000
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(output: &Output, installed: &Value) {
    if output.json {
        output.data(installed);
        return;
    }
    let versions = installed["versions"].as_array().map_or(0, Vec::len);
    output.line(&format!(
        "{} {} is active: {} tools, {versions} installed",
        cell(installed, "connector"),
        cell(installed, "active_version"),
        cell(installed, "tools"),
    ));
}
