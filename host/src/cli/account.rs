//! `valetkey account`: users' accounts on connections.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Map, Value, json};

use super::client::{Client, Remote, encoded, with_query};
use super::connection::pair;
use super::output::{Output, cell};
use super::{Global, block_on};

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub(super) enum Account {
    /// Who is connected
    #[command(visible_alias = "ls")]
    List(List),
    /// Make a link by which a user connects their account
    Link(Link),
    /// End an account: unusable at once, revoked at the vendor, its credential destroyed
    Disconnect(Disconnect),
    /// Remove an account and all that is known of it
    Remove(Remove),
}

/// Lists connected accounts.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey account list
  valetkey account list --connection hubspot --state EXPIRED")]
pub(super) struct List {
    /// Only of this connection
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// Only of this user
    #[arg(long, value_name = "TEXT")]
    identifier: Option<String>,
    /// Only in this state
    #[arg(
        long,
        value_name = "STATE",
        value_parser = ["PENDING_AUTH", "PENDING_VERIFICATION", "ACTIVE", "EXPIRED", "DISCONNECTED"]
    )]
    state: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Makes a link for the user to open. It is good once, for ten minutes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey account link hubspot --identifier user_1
  valetkey account link zendesk --identifier user_1 --set subdomain=acme")]
pub(super) struct Link {
    /// Connection name
    connection: String,
    /// Your application's key for the user
    #[arg(long, value_name = "TEXT")]
    identifier: String,
    /// A value that the connector asks for beside the credential; repeatable
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    account_config: Vec<(String, String)>,
    /// Where the browser goes after consent, for your application to confirm who it is
    #[arg(long, value_name = "URL")]
    user_verify_url: Option<String>,
    /// Given back to that URL
    #[arg(long, value_name = "TEXT", requires = "user_verify_url")]
    state: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Ends an account.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey account disconnect ca_0198c0ffee00700080000123456789ab")]
pub(super) struct Disconnect {
    /// Connected account id (`ca_…`)
    id: String,
    #[command(flatten)]
    remote: Remote,
}

/// Removes an account: disconnects it first where it still has a credential, then forgets it. A connection
/// can be removed when all its accounts are.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey account remove ca_0198c0ffee00700080000123456789ab")]
pub(super) struct Remove {
    /// Connected account id (`ca_…`)
    id: String,
    #[command(flatten)]
    remote: Remote,
}

impl Account {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List(command) => block_on(command.run(global, output)),
            Self::Link(command) => block_on(command.run(global, output)),
            Self::Disconnect(command) => block_on(command.run(global, output)),
            Self::Remove(command) => block_on(command.run(global, output)),
        }
    }
}

impl List {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let path = with_query(
            "/api/v1/connected_accounts",
            &[
                ("connection_name", self.connection.clone()),
                ("identifier", self.identifier.clone()),
                ("state", self.state.clone()),
            ],
        );
        let items = client.list(&path).await?;
        if output.json {
            output.data(&json!({ "items": items }));
            return Ok(ExitCode::SUCCESS);
        }
        let rows: Vec<Vec<String>> = items
            .iter()
            .map(|item| {
                let members = ["id", "connection_name", "identifier", "state", "reason", "label"];
                members.iter().map(|member| cell(item, member)).collect()
            })
            .collect();
        output.table(
            &["account", "connection", "identifier", "state", "reason", "label"],
            &rows,
        );
        if rows.is_empty() {
            output.hint("`valetkey account link CONNECTION --identifier USER` connects one");
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Link {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let mut body = Map::from_iter([
            ("connection_name".to_owned(), json!(self.connection)),
            ("identifier".to_owned(), json!(self.identifier)),
        ]);
        if let Some(url) = &self.user_verify_url {
            body.insert("user_verify_url".to_owned(), json!(url));
        }
        if let Some(state) = &self.state {
            body.insert("state".to_owned(), json!(state));
        }
        if !self.account_config.is_empty() {
            let values: BTreeMap<_, _> = self.account_config.iter().cloned().collect();
            body.insert("account_config".to_owned(), json!(values));
        }
        let path = "/api/v1/connected_accounts/magic_link";
        let link = client.json(Method::POST, path, &Value::Object(body)).await?;
        if output.json {
            output.data(&link);
        } else {
            output.line(&cell(&link, "authorization_link"));
            output.say(&format!(
                "For {} to open, once, before {}. Account {}.",
                self.identifier,
                cell(&link, "expires_at"),
                cell(&link, "connected_account_id")
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Disconnect {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let path = format!("/api/v1/connected_accounts/{}/disconnect", encoded(&self.id));
        let answer = client.json(Method::POST, &path, &Value::Null).await?;
        if output.json {
            output.data(&answer);
        } else {
            let revocation = cell(&answer, "revocation");
            output.say(&format!("disconnected {}; at the vendor: {revocation}", self.id));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Remove {
    async fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, &self.remote).await?;
        let path = format!("/api/v1/connected_accounts/{}", encoded(&self.id));
        let answer = client.json(Method::DELETE, &path, &Value::Null).await?;
        if output.json {
            output.data(&answer);
        } else {
            let revocation = cell(&answer, "revocation");
            output.say(&format!("removed {}; at the vendor: {revocation}", self.id));
        }
        Ok(ExitCode::SUCCESS)
    }
}
