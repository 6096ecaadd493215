//! `valetkey connection`: an operator's configuration of a connector in an environment.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Map, Value, json};

use super::call::text_or_file;
use super::client::{Client, Remote, encoded};
use super::output::{Output, cell};
use super::{Global, block_on};

/// What to do with connections.
#[derive(Debug, Subcommand)]
pub(super) enum Connection {
    /// Configure a connector
    Create(Box<Create>),
    /// What is configured
    #[command(visible_alias = "ls")]
    List(List),
    /// Serve a connection by one version of its connector, whatever is active
    Pin(Pin),
    /// Allow raw requests to the vendor on a connection, or no longer
    Proxy(Proxy),
    /// Remove a connection that has no accounts
    Remove(Remove),
}

/// Configures a connector: the vendor's OAuth application, scopes, endpoints. The answer names
/// the redirect URI to register at the vendor.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connection create hubspot --oauth-client-id 3f2a --oauth-client-secret @hubspot.secret
  valetkey connection create gmail-eu --connector gmail --from gmail-eu.json

Secrets: `@FILE` reads a file, `-` reads standard input; a secret in the arguments is seen by
every user of this machine.")]
pub(super) struct Create {
    /// Name of the connection, unique in the environment
    name: String,
    /// Connector id [default: the connection's name]
    #[arg(long, value_name = "ID")]
    connector: Option<String>,
    /// Which of the connector's ways to connect [default: its first]
    #[arg(long, value_name = "ID")]
    auth: Option<String>,
    /// Client id of your OAuth application at the vendor
    #[arg(long, value_name = "ID")]
    oauth_client_id: Option<String>,
    /// Its client secret: @FILE, - or the text
    #[arg(long, value_name = "SECRET", requires = "oauth_client_id")]
    oauth_client_secret: Option<String>,
    /// Authorization endpoint instead of the connector's
    #[arg(long, value_name = "URL", requires = "oauth_client_id")]
    authorize_url: Option<String>,
    /// Token endpoint instead of the connector's
    #[arg(long, value_name = "URL")]
    token_url: Option<String>,
    /// Revocation endpoint instead of the connector's
    #[arg(long, value_name = "URL", requires = "oauth_client_id")]
    revoke_url: Option<String>,
    /// Issuer instead of the connector's
    #[arg(long, value_name = "URL", requires = "oauth_client_id")]
    issuer: Option<String>,
    /// Scope to ask for, instead of the connector's; repeatable
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Endpoint URL instead of the connector's; repeatable
    #[arg(long, value_name = "NAME=URL", value_parser = pair)]
    endpoint: Vec<(String, String)>,
    /// Allow plain http and loopback vendors, and nothing else
    #[arg(long)]
    development: bool,
    /// Serve it by this version of the connector
    #[arg(long, value_name = "VERSION")]
    pin: Option<String>,
    /// Allow raw requests (`/proxy`) with the credentials of its accounts
    #[arg(long)]
    proxy: bool,
    /// URL that a link may name for user verification; repeatable
    #[arg(long, value_name = "URL")]
    user_verify_url: Vec<String>,
    /// Name of your application on the pages that users see
    #[arg(long, value_name = "NAME")]
    application_name: Option<String>,
    /// The whole request as JSON: FILE or -; options go over it
    #[arg(long, value_name = "FILE")]
    from: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Lists the environment's connections.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    remote: Remote,
}

/// Pins a connection to an installed version of its connector; without a version, unpins it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connection pin hubspot 1.2.0
  valetkey connection pin hubspot                Follow the active version again")]
pub(super) struct Pin {
    /// Connection name
    name: String,
    /// Version
    version: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Allows raw requests (`/proxy`) with the credentials of a connection's accounts, by clients that
/// have the scope `proxy:execute`. A raw request may do anything that the credential may do.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connection proxy hubspot
  valetkey connection proxy hubspot --off")]
pub(super) struct Proxy {
    /// Connection name
    name: String,
    /// No longer
    #[arg(long)]
    off: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Removes a connection. Remove its accounts first (`valetkey account remove`).
#[derive(Debug, Args)]
pub(super) struct Remove {
    /// Connection name
    name: String,
    #[command(flatten)]
    remote: Remote,
}

/// `NAME=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("give it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Connection {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create(command) => block_on(command.run(global, output)),
            Self::List(command) => block_on(command.run(global, output)),
            Self::Pin(command) => block_on(command.run(global, output)),
            Self::Proxy(command) => block_on(command.run(global, output)),
            Self::Remove(command) => block_on(command.run(global, output)),
        }
    }
}

impl Create {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let body = self.body()?;
        let client = Client::connect(global, &self.remote).await?;
        let made = client.json(Method::POST, "/api/v1/connections", &body).await?;
        show(output, &made);
        Ok(ExitCode::SUCCESS)
    }

    fn body(&self) -> anyhow::Result<Value> {
        let mut body = match &self.from {
            None => Map::new(),
            Some(file) if file == "-" => serde_json::from_str(&text_or_file("-")?)?,
            Some(file) => serde_json::from_str(&text_or_file(&format!("@{file}"))?)?,
        };
        let mut set = |name: &str, value: Value| {
            body.insert(name.to_owned(), value);
        };
        set("connection_name", json!(self.name));
        if self.connector.is_some() || self.from.is_none() {
            set("connector", json!(self.connector.as_ref().unwrap_or(&self.name)));
        }
        for (name, value) in [
            ("auth", &self.auth),
            // With an OAuth application it is the application's.
            (
                "token_url",
                if self.oauth_client_id.is_some() {
                    &None
                } else {
                    &self.token_url
                },
            ),
            ("pinned_version", &self.pin),
            ("application_name", &self.application_name),
        ] {
            if let Some(value) = value {
                set(name, json!(value));
            }
        }
        if !self.scope.is_empty() {
            set("scopes", json!(self.scope));
        }
        if !self.endpoint.is_empty() {
            set(
                "endpoints",
                json!(self.endpoint.iter().cloned().collect::<BTreeMap<_, _>>()),
            );
        }
        if !self.user_verify_url.is_empty() {
            set("user_verify_urls", json!(self.user_verify_url));
        }
        for (name, given) in [("development", self.development), ("proxy", self.proxy)] {
            if given {
                set(name, json!(true));
            }
        }
        if let Some(client_id) = &self.oauth_client_id {
            let mut oauth = Map::from_iter([("client_id".to_owned(), json!(client_id))]);
            if let Some(secret) = &self.oauth_client_secret {
                let secret = text_or_file(secret)?;
                if secret.trim().is_empty() {
                    bail!("the OAuth client secret is empty");
                }
                oauth.insert("client_secret".to_owned(), json!(secret.trim()));
            }
            for (name, url) in [
                ("authorize_url", &self.authorize_url),
                ("token_url", &self.token_url),
                ("revoke_url", &self.revoke_url),
                ("issuer", &self.issuer),
            ] {
                if let Some(url) = url {
                    oauth.insert(name.to_owned(), json!(url));
                }
            }
            set("oauth", Value::Object(oauth));
        }
        Ok(Value::Object(body))
    }
}

impl List {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let items = client.list("/api/v1/connections").await?;
        if output.json {
            output.data(&json!({ "items": items }));
            return Ok(ExitCode::SUCCESS);
        }
        let rows: Vec<Vec<String>> = items
            .iter()
            .map(|item| {
                vec![
                    cell(item, "connection_name"),
                    cell(item, "connector"),
                    cell(item, "credential_kind"),
                    cell(item, "pinned_version"),
                    cell(&item["oauth"], "redirect_uri"),
                ]
            })
            .collect();
        output.table(
            &["connection", "connector", "kind", "pinned", "redirect uri"],
            &rows,
        );
        if rows.is_empty() {
            output.hint("`valetkey connection create NAME` makes one");
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Pin {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let path = format!("/api/v1/connections/{}", encoded(&self.name));
        let body = json!({"pinned_version": self.version});
        show(output, &client.json(Method::PATCH, &path, &body).await?);
        Ok(ExitCode::SUCCESS)
    }
}

impl Proxy {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let path = format!("/api/v1/connections/{}", encoded(&self.name));
        let body = json!({"proxy": !self.off});
        show(output, &client.json(Method::PATCH, &path, &body).await?);
        Ok(ExitCode::SUCCESS)
    }
}

impl Remove {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let path = format!("/api/v1/connections/{}", encoded(&self.name));
        client.json(Method::DELETE, &path, &Value::Null).await?;
        if output.json {
            output.data(&json!({"connection": self.name, "removed": true}));
        } else {
            output.say(&format!("removed {}", self.name));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn show(output: &Output, connection: &Value) {
    if output.json {
        output.data(connection);
        return;
    }
    output.line(&format!(
        "connection     {} ({})",
        cell(connection, "connection_name"),
        cell(connection, "connector")
    ));
    if let Some(version) = connection["pinned_version"].as_str() {
        output.line(&format!("pinned to      {version}"));
    }
    if connection["proxy"] == true {
        output.line("raw requests   allowed");
    }
    if let Some(uri) = connection["oauth"]["redirect_uri"].as_str() {
        output.line(&format!("redirect URI   {uri}"));
        output.hint("register this redirect URI with your OAuth application at the vendor");
    }
}
