//! What can be called: every tool that is loaded, the tools of one user, those that a user could
//! have, and the best for a purpose; each with the accounts that it would use.
//!
//! Called by every edge that lists tools, so that all of them show the same. It reads one snapshot
//! of the registry and the accounts' states; it calls nothing and changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use valetkey_manifest::{Identity, Tool};

use super::search;
use crate::accounts::{Account, AccountQuery, AccountState, Connection};
use crate::error::{Fault, Kind, Problem};
use crate::id::{AccountId, ConnectionName, ConnectorId, EnvironmentId, Identifier};
use crate::registry::{LoadedTool, Snapshot, Version};
use crate::runtime::Runtime;

/// Accounts of one user that are looked at.
const MAX_ACCOUNTS: usize = 1_000;

/// What a list can be narrowed by. An empty list takes everything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of these connectors, whatever the case of their letters.
    pub connectors: Vec<String>,
    /// Only what these connections of the environment serve.
    pub connection_names: Vec<String>,
    /// Only these, by name or alias.
    pub tool_names: Vec<String>,
    /// Only with one of these tags.
    pub tags: Vec<String>,
    /// Only those that change nothing (`true`), or only the others (`false`).
    pub read_only: Option<bool>,
}

/// A tool that can be called.
#[derive(Clone)]
pub struct Entry {
    /// The version of the connector that serves it.
    pub version: Arc<Version>,
    /// The tool.
    pub tool: Arc<LoadedTool>,
    /// For lists about a user: where they could call it, by connection.
    pub places: Vec<Place>,
}

/// A connection on which a user could call a tool.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ToolPlace)]
pub struct Place {
    /// The connection.
    #[schema(value_type = String)]
    pub connection_name: ConnectionName,
    /// The user's account on it, `ca_…`; absent when they have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub connected_account_id: Option<AccountId>,
    /// What is missing.
    pub readiness: Readiness,
}

/// Whether a user can call a tool on a connection now, and what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ToolReadiness)]
pub enum Readiness {
    /// It can be called.
    Ready,
    /// The account is active, and its owner did not grant a scope that the tool needs.
    ScopeMissing,
    /// The account is there, and its owner has to authorize it.
    AuthorizationNeeded,
    /// The user has no account on the connection yet.
    NotConnected,
}

impl Entry {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.tool.declared.name
    }

    /// Id of its connector.
    #[must_use]
    pub fn connector(&self) -> &str {
        &self.version.manifest.connector.id
    }
}

impl Filter {
    fn takes(&self, connector: &str, tool: &LoadedTool) -> bool {
        let declared = &tool.declared;
        let takes =
            |list: &[String], fits: &dyn Fn(&String) -> bool| list.is_empty() || list.iter().any(fits);
        takes(&self.connectors, &|wanted| wanted.eq_ignore_ascii_case(connector))
            && takes(&self.tool_names, &|wanted| {
                declared.name == *wanted || declared.aliases.contains(wanted)
            })
            && takes(&self.tags, &|wanted| declared.tags.contains(wanted))
            && self
                .read_only
                .is_none_or(|read_only| declared.hints.read_only == read_only)
    }

    fn check(&self, snapshot: &Snapshot, connections: &[Arc<Connection>]) -> Result<(), Fault> {
        let mut problems = Vec::new();
        for name in &self.connectors {
            if !snapshot
                .connectors
                .keys()
                .any(|id| id.as_str().eq_ignore_ascii_case(name))
            {
                let known = snapshot.connectors.keys().map(ConnectorId::as_str);
                problems.push(unknown("/connector", "connector", name, known));
            }
        }
        for name in &self.connection_names {
            if !connections
                .iter()
                .any(|connection| connection.name.as_str() == name)
            {
                let known = connections.iter().map(|connection| connection.name.as_str());
                problems.push(unknown("/connection_name", "connection", name, known));
            }
        }
        for name in &self.tool_names {
            if !snapshot.tools.contains_key(name) {
                let known = snapshot.tools.keys().map(String::as_str);
                let near = known.filter(|known| strsim::jaro_winkler(known, name) > 0.8);
                problems.push(unknown("/tool_name", "tool", name, near));
            }
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Fault::invalid(
            "The list is narrowed to what is not there; `fields` says what.",
            problems,
        ))
    }

    fn takes_connection(&self, connection: &Connection) -> bool {
        self.connection_names.is_empty()
            || self
                .connection_names
                .iter()
                .any(|name| name == connection.name.as_str())
    }
}

fn unknown<'a>(path: &str, what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Problem {
    let shown: String = name.chars().take(64).flat_map(char::escape_default).collect();
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    known.truncate(20);
    let hint = match known.as_slice() {
        [] => String::new(),
        known => format!("; there is `{}`", known.join("`, `")),
    };
    Problem {
        path: path.to_owned(),
        problem: format!("there is no {what} `{shown}`{hint}"),
    }
}

/// Refuses a filter that names what is not there: a misspelt name takes nothing, and an empty list
/// would not say so.
///
/// # Errors
/// `invalid_input` with every such name, and what there is.
pub async fn expect_known(
    runtime: &Runtime,
    environment: &EnvironmentId,
    filter: &Filter,
) -> Result<(), Fault> {
    let connections = runtime.accounts.connections(environment).await?;
    filter.check(&runtime.registry.snapshot(), &connections)
}

/// Every tool that is loaded, in the active version of its connector, by name.
///
/// # Errors
/// The store fails.
pub async fn all(
    runtime: &Runtime,
    environment: &EnvironmentId,
    filter: &Filter,
) -> Result<Vec<Entry>, Fault> {
    let snapshot = runtime.registry.snapshot();
    if !filter.connection_names.is_empty() {
        let connections = runtime.accounts.connections(environment).await?;
        let mut found = of_connections(&snapshot, &connections, filter, |_| Some(None));
        found.iter_mut().for_each(|entry| entry.places.clear());
        return Ok(found);
    }
    let mut found = Vec::new();
    for loaded in snapshot.connectors.values() {
        let version = &loaded.active.version;
        let id = &version.manifest.connector.id;
        let taken = version.tools.values().filter(|tool| filter.takes(id, tool));
        found.extend(taken.map(|tool| Entry {
            version: Arc::clone(version),
            tool: Arc::clone(tool),
            places: Vec::new(),
        }));
    }
    found.sort_by(|one, other| one.name().cmp(other.name()));
    Ok(found)
}

/// The tools of a user: those of the connections on which they have an active account, by name.
///
/// # Errors
/// The store fails.
pub async fn scoped(
    runtime: &Runtime,
    environment: &EnvironmentId,
    identifier: &Identifier,
    filter: &Filter,
) -> Result<Vec<Entry>, Fault> {
    for_user(runtime, environment, identifier, filter, true).await
}

/// The tools that a user has or could have: those of every connection of the environment, by name,
/// each place with what is missing.
///
/// # Errors
/// The store fails.
pub async fn available(
    runtime: &Runtime,
    environment: &EnvironmentId,
    identifier: &Identifier,
    filter: &Filter,
) -> Result<Vec<Entry>, Fault> {
    for_user(runtime, environment, identifier, filter, false).await
}

async fn for_user(
    runtime: &Runtime,
    environment: &EnvironmentId,
    identifier: &Identifier,
    filter: &Filter,
    only_active: bool,
) -> Result<Vec<Entry>, Fault> {
    let snapshot = runtime.registry.snapshot();
    let connections = runtime.accounts.connections(environment).await?;
    let query = AccountQuery {
        identifier: Some(identifier.clone()),
        limit: MAX_ACCOUNTS,
        ..AccountQuery::default()
    };
    let accounts: BTreeMap<ConnectionName, Arc<Account>> = runtime
        .accounts
        .accounts(environment, &query)
        .await?
        .into_iter()
        .map(|account| (account.connection.clone(), account))
        .collect();
    Ok(of_connections(&snapshot, &connections, filter, |connection| {
        let account = accounts.get(&connection.name);
        let active = account.is_some_and(|account| account.state == AccountState::Active);
        (active || !only_active).then_some(account)
    }))
}

/// The tools that connections serve, by name; `whose` says with which account, or leaves a
/// connection out.
fn of_connections<'a>(
    snapshot: &Snapshot,
    connections: &[Arc<Connection>],
    filter: &Filter,
    whose: impl Fn(&Connection) -> Option<Option<&'a Arc<Account>>>,
) -> Vec<Entry> {
    let mut found: BTreeMap<String, Entry> = BTreeMap::new();
    for connection in connections
        .iter()
        .filter(|connection| filter.takes_connection(connection))
    {
        let Some(version) = serving(snapshot, connection) else {
            continue;
        };
        let Some(account) = whose(connection) else {
            continue;
        };
        for (name, tool) in &version.tools {
            // A tool that only a pinned version has cannot be called: names go by what is active.
            let callable = snapshot
                .tools
                .get(name)
                .is_some_and(|(owner, _)| *owner == connection.connector);
            if !callable || !filter.takes(connection.connector.as_str(), tool) {
                continue;
            }
            let place = Place {
                connection_name: connection.name.clone(),
                connected_account_id: account.map(|account| account.id.clone()),
                readiness: readiness(tool, account),
            };
            let entry = found.entry(name.clone()).or_insert_with(|| Entry {
                version: Arc::clone(version),
                tool: Arc::clone(tool),
                places: Vec::new(),
            });
            entry.places.push(place);
        }
    }
    found.into_values().collect()
}

/// The version that serves a connection: the pinned one, or the active one.
fn serving<'s>(snapshot: &'s Snapshot, connection: &Connection) -> Option<&'s Arc<Version>> {
    let connector = snapshot.connectors.get(&connection.connector)?;
    let activation = match &connection.pinned_version {
        None => &connector.active,
        Some(pinned) => connector.versions.get(pinned)?,
    };
    Some(&activation.version)
}

fn readiness(tool: &LoadedTool, account: Option<&Arc<Account>>) -> Readiness {
    match account {
        None => Readiness::NotConnected,
        Some(account) if account.state != AccountState::Active => Readiness::AuthorizationNeeded,
        Some(account) if account.lacks(&tool.declared).is_empty() => Readiness::Ready,
        Some(_) => Readiness::ScopeMissing,
    }
}

/// One tool by name or alias, in the active version of its connector.
///
/// # Errors
/// `unknown_tool`.
pub fn one(runtime: &Runtime, name: &str) -> Result<Entry, Fault> {
    let snapshot = runtime.registry.snapshot();
    let found = snapshot.tools.get(name).and_then(|(connector, own_name)| {
        let version = &snapshot.connectors.get(connector)?.active.version;
        Some(Entry {
            version: Arc::clone(version),
            tool: Arc::clone(version.tools.get(own_name)?),
            places: Vec::new(),
        })
    });
    found.ok_or_else(|| {
        Fault::new(
            Kind::UnknownTool,
            "No tool of this name is loaded. GET /api/v1/tools/search finds one by words.",
        )
    })
}

/// Those of `entries` that share a word with `query` (or one that means the same), best first, each with its score (greater is
/// better; only the order means something). Equal ones stay in their order.
#[must_use]
pub fn search(entries: Vec<Entry>, query: &str) -> Vec<(Entry, f64)> {
    let declared = entries
        .iter()
        .map(|entry| (&entry.version.manifest.connector, &entry.tool.declared));
    let ranked = rank(declared, query);
    let mut entries: Vec<Option<Entry>> = entries.into_iter().map(Some).collect();
    ranked
        .into_iter()
        .filter_map(|(index, score)| Some((entries[index].take()?, score)))
        .collect()
}

/// The ranking of every search for tools: positions in `tools` of those that share a word with
/// `query`, best first, with their scores. It depends on nothing but the tools and the words.
pub fn rank<'a>(tools: impl IntoIterator<Item = (&'a Identity, &'a Tool)>, query: &str) -> Vec<(usize, f64)> {
    let texts: Vec<search::Text<'_>> = tools
        .into_iter()
        .map(|(connector, tool)| text(connector, tool))
        .collect();
    search::rank(query, &texts)
}

fn text<'a>(connector: &'a Identity, tool: &'a Tool) -> search::Text<'a> {
    let parameters = tool.input.get("properties").and_then(Value::as_object);
    search::Text {
        connector: &connector.id,
        connector_title: &connector.title,
        names: std::iter::once(&tool.name)
            .chain(&tool.aliases)
            .map(String::as_str)
            .collect(),
        title: &tool.title,
        tags: tool.tags.iter().map(String::as_str).collect(),
        description: &tool.description,
        parameters: parameters
            .map(|parameters| parameters.keys().map(String::as_str).collect())
            .unwrap_or_default(),
        read_only: tool.hints.read_only,
    }
}
