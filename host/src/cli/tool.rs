//! `valetkey tool`: what can be called.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Client, Remote, encoded, with_query};
use super::output::{Output, cell};
use super::{Global, block_on};

/// What to ask about tools.
#[derive(Debug, Subcommand)]
pub(super) enum Tool {
    /// Every tool of the installed connectors
    #[command(visible_alias = "ls")]
    List(List),
    /// One tool with its input schema
    Show(Show),
}

/// Lists tools.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey tool list
  valetkey tool list --connector hubspot --read-only
  valetkey tool list --identifier user_1        What this user's accounts allow")]
pub(super) struct List {
    /// Only of this connector
    #[arg(long, value_name = "ID")]
    connector: Option<String>,
    /// Only with this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Only those that change nothing
    #[arg(long)]
    read_only: bool,
    /// Only what this user's connected accounts can call
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["connector", "tag", "read_only"])]
    identifier: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Shows a tool: what it does and what it takes, as JSON.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey tool show hubspot_contacts_search
  valetkey tool show hubspot_contacts_search --format anthropic")]
pub(super) struct Show {
    /// Tool name or alias
    name: String,
    /// In the shape that a model's API takes: openai, openai-strict, anthropic, gemini, mcp, langchain
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

impl Tool {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List(command) => block_on(command.run(global, output)),
            Self::Show(command) => block_on(command.run(global, output)),
        }
    }
}

impl List {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let path = match &self.identifier {
            Some(identifier) => with_query(
                "/api/v1/tools/scoped",
                &[("identifier", Some(identifier.clone()))],
            ),
            None => with_query(
                "/api/v1/tools",
                &[
                    ("connector", self.connector.clone()),
                    ("tag", self.tag.clone()),
                    ("read_only", self.read_only.then(|| "true".to_owned())),
                ],
            ),
        };
        let items = client.list(&path).await?;
        if output.json {
            output.data(&json!({ "items": items }));
            return Ok(ExitCode::SUCCESS);
        }
        let rows: Vec<Vec<String>> = items
            .iter()
            .map(|item| vec![cell(item, "name"), effect(item), cell(item, "title")])
            .collect();
        output.table(&["tool", "effect", "title"], &rows);
        if rows.is_empty() {
            output.hint("`valetkey connector install FILE` brings tools");
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Show {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let path = format!("/api/v1/tools/{}", encoded(&self.name));
        let path = with_query(&path, &[("format", self.format.clone())]);
        output.data(&client.get(&path).await?);
        Ok(ExitCode::SUCCESS)
    }
}

/// What a call does to the vendor's data, in one word.
fn effect(tool: &Value) -> String {
    let hint = |name: &str| tool["hints"][name].as_bool().unwrap_or_default();
    if hint("read_only") {
        "reads".to_owned()
    } else if hint("destructive") {
        "destroys".to_owned()
    } else {
        "writes".to_owned()
    }
}
