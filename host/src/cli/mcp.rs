//! `valetkey mcp`: virtual MCP servers, and the sessions by which one user's agent reaches one.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use http::Method;
use serde_json::{Value, json};

use super::client::{Client, Remote, encoded};
use super::output::{Output, cell};
use super::{Global, block_on};

/// What to do with virtual MCP servers.
#[derive(Debug, Subcommand)]
pub(super) enum Mcp {
    /// Make a server: a choice of tools under a URL of its own
    Create(Create),
    /// What servers there are
    #[command(visible_alias = "ls")]
    List(List),
    /// Remove a server and end its sessions
    Remove(Remove),
    /// Make a session: a short-lived token for one user's agent
    Session(Session),
    /// End a session at once
    Revoke(Revoke),
}

/// Makes a virtual MCP server. Without `--connection` it has every connection of the environment.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey mcp create sales --connection hubspot --connection gmail=gmail_fetch_mails,gmail_send_mail
  valetkey mcp create research --tag search --read-only")]
pub(super) struct Create {
    /// Name of the server, unique in the environment
    name: String,
    /// What it is for; agents read it
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// Connection to show, with `=TOOL,TOOL` to show only these of its tools; repeatable
    #[arg(long, value_name = "NAME[=TOOLS]")]
    connection: Vec<String>,
    /// Only tools with this tag; repeatable
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only tools that change nothing
    #[arg(long)]
    read_only: bool,
    /// Also ask callers for an API access token
    #[arg(long)]
    require_api_token: bool,
    /// Show the tools, or four tools to find and call them by
    #[arg(long, value_name = "MODE", default_value = "auto")]
    search: Search,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Search {
    Auto,
    On,
    Off,
}

/// Lists the environment's virtual MCP servers.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    remote: Remote,
}

/// Removes a virtual MCP server.
#[derive(Debug, Args)]
pub(super) struct Remove {
    /// Name of the server
    name: String,
    #[command(flatten)]
    remote: Remote,
}

/// Makes a session on a server. The token is shown once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey mcp session sales --identifier user_1
  valetkey mcp session sales --identifier user_1 --ttl 900 --read-only --tool hubspot_contacts_search")]
pub(super) struct Session {
    /// Name of the server
    // `--server` is the host.
    #[arg(id = "mcp_server", value_name = "SERVER")]
    server: String,
    /// Your key for the user in whose name tools run
    #[arg(long, value_name = "ID")]
    identifier: String,
    /// Seconds until it ends, 60 to 86400 [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
    /// Only tools that change nothing
    #[arg(long)]
    read_only: bool,
    /// Only this tool; repeatable
    #[arg(long, value_name = "NAME")]
    tool: Vec<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Ends a session.
#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// Name of the server
    // `--server` is the host.
    #[arg(id = "mcp_server", value_name = "SERVER")]
    server: String,
    /// Session id (`mses_…`)
    session: String,
    #[command(flatten)]
    remote: Remote,
}

impl Mcp {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create(command) => block_on(command.run(global, output)),
            Self::List(command) => block_on(command.run(global, output)),
            Self::Remove(command) => block_on(command.run(global, output)),
            Self::Session(command) => block_on(command.run(global, output)),
            Self::Revoke(command) => block_on(command.run(global, output)),
        }
    }
}

impl Create {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let mut tools: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for connection in &self.connection {
            let (name, listed) = connection.split_once('=').unwrap_or((connection, ""));
            let listed = listed.split(',').filter(|tool| !tool.is_empty());
            tools.entry(name).or_default().extend(listed);
        }
        let mappings: Vec<Value> = tools
            .iter()
            .map(|(name, tools)| json!({"connection_name": name, "tools": tools}))
            .collect();
        let body = json!({
            "name": self.name,
            "description": self.description,
            "mappings": mappings,
            "tags": self.tag,
            "read_only": self.read_only.then_some(true),
            "require_api_token": self.require_api_token,
            "search": match self.search {
                Search::Auto => "auto",
                Search::On => "on",
                Search::Off => "off",
            },
        });
        let client = Client::connect(global, &self.remote).await?;
        let made = client.json(Method::POST, "/api/v1/mcp_servers", &body).await?;
        if output.json {
            output.data(&made);
        } else {
            output.line(&format!(
                "server  {} ({})",
                cell(&made, "name"),
                cell(&made, "id")
            ));
            output.line(&format!("url     {}", cell(&made, "url")));
            output.hint(&format!(
                "`valetkey mcp session {} --identifier USER` makes a token for one user's agent",
                self.name
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let items = client.list("/api/v1/mcp_servers").await?;
        if output.json {
            output.data(&json!({ "items": items }));
            return Ok(ExitCode::SUCCESS);
        }
        let rows: Vec<Vec<String>> = items
            .iter()
            .map(|item| {
                let connections: Vec<String> = item["mappings"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|mapping| cell(mapping, "connection_name"))
                    .collect();
                let connections = match connections.as_slice() {
                    [] => "(all)".to_owned(),
                    some => some.join(", "),
                };
                vec![
                    cell(item, "name"),
                    connections,
                    cell(item, "search"),
                    cell(item, "url"),
                ]
            })
            .collect();
        output.table(&["server", "connections", "search", "url"], &rows);
        if rows.is_empty() {
            output.hint("`valetkey mcp create NAME` makes one");
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Remove {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let path = path_of(&client, &self.name).await?;
        client.json(Method::DELETE, &path, &Value::Null).await?;
        if output.json {
            output.data(&json!({"server": self.name, "removed": true}));
        } else {
            output.say(&format!("removed {}", self.name));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Session {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let path = path_of(&client, &self.server).await?;
        let body = json!({
            "identifier": self.identifier,
            "ttl_seconds": self.ttl,
            "access_level": if self.read_only { "READ_ONLY" } else { "FULL" },
            "tools": (!self.tool.is_empty()).then_some(&self.tool),
        });
        let minted = client
            .json(Method::POST, &format!("{path}/sessions"), &body)
            .await?;
        if output.json {
            output.data(&minted);
            return Ok(ExitCode::SUCCESS);
        }
        let session = &minted["session"];
        output.line(&format!("url      {}", cell(session, "url")));
        output.line(&format!("token    {}", cell(&minted, "token")));
        output.line(&format!("session  {}", cell(session, "id")));
        output.line(&format!("until    {}", cell(session, "expires_at")));
        output.hint("the token is not shown again; agents send it as `Authorization: Bearer TOKEN`");
        Ok(ExitCode::SUCCESS)
    }
}

impl Revoke {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let path = path_of(&client, &self.server).await?;
        let path = format!("{path}/sessions/{}", encoded(&self.session));
        client.json(Method::DELETE, &path, &Value::Null).await?;
        if output.json {
            output.data(&json!({"session": self.session, "revoked": true}));
        } else {
            output.say(&format!("ended {}", self.session));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The REST path of a server by its name.
async fn path_of(client: &Client, name: &str) -> anyhow::Result<String> {
    let found = client
        .list(&format!("/api/v1/mcp_servers?name={}", encoded(name)))
        .await?;
    let id = found
        .first()
        .and_then(|server| server["id"].as_str())
        .with_context(|| {
            format!("there is no MCP server `{name}`; `valetkey mcp list` shows what there is")
        })?;
    Ok(format!("/api/v1/mcp_servers/{id}"))
}
