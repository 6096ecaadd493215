//! Which tools there are, which of them a user can call now, and which fit a few words.
//!
//! Called by every edge that lists tools, so that all of them show the same. It only reads: what a
//! call may do is decided by [`super::run`] again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::search;
use crate::accounts::{Account, AccountQuery, AccountState};
use crate::error::Fault;
use crate::id::{ConnectionName, ConnectorId, EnvironmentId, Identifier};
use crate::registry::{LoadedTool, Snapshot, Version};
use crate::runtime::Runtime;

/// Accounts of one user that are looked at.
const MAX_ACCOUNTS: usize = 1_000;

/// What a list of tools can be narrowed by. What is empty or none takes every tool.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of these connectors; in any case of letters.
    pub connectors: Vec<String>,
    /// Only tools of these names or aliases.
    pub names: Vec<String>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only those that change nothing (`true`), or only the others (`false`).
    pub read_only: Option<bool>,
}

impl Filter {
    fn takes(&self, tool: &Found<'_>) -> bool {
        let declared = &tool.tool.declared;
        let of = |connector: &String| connector.eq_ignore_ascii_case(tool.connector.as_str());
        let named = |name: &String| *name == declared.name || declared.aliases.contains(name);
        (self.connectors.is_empty() || self.connectors.iter().any(of))
            && (self.names.is_empty() || self.names.iter().any(named))
            && self.tag.as_ref().is_none_or(|tag| declared.tags.contains(tag))
            && self
                .read_only
                .is_none_or(|read_only| declared.hints.read_only == read_only)
    }
}

/// A tool within a snapshot.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    /// The connector that it belongs to.
    pub connector: &'a ConnectorId,
    /// The version of the connector that is active.
    pub version: &'a Version,
    /// The tool.
    pub tool: &'a LoadedTool,
}

impl<'a> Found<'a> {
    /// Its own name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        &self.tool.declared.name
    }
}

/// The active tools that a filter takes, by name.
#[must_use]
pub fn find<'a>(snapshot: &'a Snapshot, filter: &Filter) -> Vec<Found<'a>> {
    let mut found: Vec<Found<'a>> = snapshot
        .connectors
        .iter()
        .flat_map(|(connector, loaded)| {
            let version = &*loaded.active.version;
            version.tools.values().map(move |tool| Found {
                connector,
                version,
                tool,
            })
        })
        .filter(|tool| filter.takes(tool))
        .collect();
    found.sort_by(|one, other| one.name().cmp(other.name()));
    found
}

/// A user's active accounts by connector: whose tools they can call now.
pub type Reach = BTreeMap<ConnectorId, Vec<Arc<Account>>>;

/// What a user reaches, on `connections` alone where some are named.
///
/// # Errors
/// The store fails.
pub async fn reach(
    runtime: &Runtime,
    environment: &EnvironmentId,
    identifier: &Identifier,
    connections: &[ConnectionName],
) -> Result<Reach, Fault> {
    let query = AccountQuery {
        connection_names: connections.to_vec(),
        identifier: Some(identifier.clone()),
        state: Some(AccountState::Active),
        limit: MAX_ACCOUNTS,
        ..AccountQuery::default()
    };
    let mut reach = Reach::new();
    for account in runtime.accounts.accounts(environment, &query).await? {
        reach.entry(account.connector.clone()).or_default().push(account);
    }
    Ok(reach)
}

/// Of `found` the tools that share a word with `query`, best first, each with its score.
#[must_use]
pub fn search<'a>(query: &str, found: &[Found<'a>]) -> Vec<(Found<'a>, f64)> {
    let texts: Vec<search::Text<'_>> = found
        .iter()
        .map(|tool| {
            let declared = &tool.tool.declared;
            search::Text {
                names: std::iter::once(&declared.name)
                    .chain(&declared.aliases)
                    .map(String::as_str)
                    .collect(),
                title: &declared.title,
                tags: declared.tags.iter().map(String::as_str).collect(),
                description: &declared.description,
            }
        })
        .collect();
    search::rank(query, &texts)
        .into_iter()
        .map(|(index, score)| (found[index], score))
        .collect()
}

/// Whether a user can call the tools of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// Now.
    Now,
    /// After they have connected an account, or the application has confirmed them.
    AfterConnecting,
    /// After they have authorized their account again.
    AfterAuthorizingAgain,
}

/// A connection as one user stands to it.
pub struct Place {
    /// The connection.
    pub connection: ConnectionName,
    /// The user's account there.
    pub account: Option<Arc<Account>>,
    /// Whether it can be used.
    pub ready: Ready,
}

/// How a user stands to every connection, by connector.
///
/// # Errors
/// The store fails.
pub async fn ready(
    runtime: &Runtime,
    environment: &EnvironmentId,
    identifier: &Identifier,
) -> Result<BTreeMap<ConnectorId, Vec<Place>>, Fault> {
    let query = AccountQuery {
        identifier: Some(identifier.clone()),
        limit: MAX_ACCOUNTS,
        ..AccountQuery::default()
    };
    let accounts = runtime.accounts.accounts(environment, &query).await?;
    let mut places: BTreeMap<ConnectorId, Vec<Place>> = BTreeMap::new();
    for connection in runtime.accounts.connections(environment).await? {
        let account = accounts
            .iter()
            .find(|account| account.connection == connection.name)
            .cloned();
        let ready = match account.as_ref().map(|account| account.state) {
            Some(AccountState::Active) => Ready::Now,
            Some(AccountState::Expired | AccountState::Disconnected) => Ready::AfterAuthorizingAgain,
            Some(AccountState::PendingAuth | AccountState::PendingVerification) | None => {
                Ready::AfterConnecting
            }
        };
        places
            .entry(connection.connector.clone())
            .or_default()
            .push(Place {
                connection: connection.name.clone(),
                account,
                ready,
            });
    }
    Ok(places)
}
