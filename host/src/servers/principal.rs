//! Who is at the door of a virtual server, and which tools they see there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Rules, SearchMode, Server, Servers, Target};
use crate::access::{Caller, Scope};
use crate::accounts::{Connection, Selector};
use crate::error::Fault;
use crate::id::{ClientId, ConnectionName, ConnectorId, EnvironmentId, Identifier, SessionId};
use crate::registry::{LoadedTool, Snapshot, Version};

/// An authenticated agent: in whose name it acts, on which server, within which rules.
#[derive(Clone)]
pub struct Principal {
    /// The API client that answers for it. Its only scope is to call tools.
    pub caller: Caller,
    /// The user in whose name tools run: from the token, never from anything that an agent says.
    pub identifier: Identifier,
    /// The URL that it is at.
    pub target: Target,
    /// The server of that URL; none for a connection's own URL.
    pub server: Option<Arc<Server>>,
    /// Which tools it sees.
    pub rules: Rules,
    /// Its session; none for a token of another issuer.
    pub session: Option<SessionId>,
    /// When its token ends, milliseconds since 1970.
    pub expires_at_ms: i64,
    /// Cancelled when its session is ended before its time.
    pub ended: CancellationToken,
}

impl Principal {
    /// How its server shows tools.
    #[must_use]
    pub fn search(&self) -> SearchMode {
        self.server
            .as_ref()
            .map_or(SearchMode::Auto, |server| server.search)
    }

    /// Whether an API access token has to come with its requests.
    #[must_use]
    pub fn wants_api_token(&self) -> bool {
        self.server
            .as_ref()
            .is_some_and(|server| server.require_api_token)
    }
}

/// The caller that a session's calls are made as.
pub(super) fn caller(client: &ClientId, environment: &EnvironmentId) -> Caller {
    Caller {
        client: client.clone(),
        environment: environment.clone(),
        scopes: BTreeSet::from([Scope::ToolsExecute]),
    }
}

/// A tool that somebody sees, and the connections by which it can be called.
#[derive(Clone)]
pub struct Exposed {
    /// The tool.
    pub tool: Arc<LoadedTool>,
    /// Its connector.
    pub connector: ConnectorId,
    /// The version that it is of.
    pub version: Arc<Version>,
    /// Connections that show it, by name; at least one.
    pub connections: Vec<ConnectionName>,
}

/// The version that serves a connection: the pinned one, or the active one.
pub(super) fn serving(snapshot: &Snapshot, connection: &Connection) -> Option<Arc<Version>> {
    let connector = snapshot.connectors.get(&connection.connector)?;
    let activation = match &connection.pinned_version {
        None => &connector.active,
        Some(pinned) => connector.versions.get(pinned)?,
    };
    Some(Arc::clone(&activation.version))
}

/// A tool's own name from that or an alias, compared byte for byte.
pub(super) fn own_name<'a>(version: &'a Version, name: &str) -> Option<&'a str> {
    if let Some((own, _)) = version.tools.get_key_value(name) {
        return Some(own);
    }
    let aliased = version
        .tools
        .values()
        .find(|tool| tool.declared.aliases.iter().any(|alias| alias == name))?;
    Some(&aliased.declared.name)
}

impl Servers {
    /// The tools that a principal sees, by name: the same order every time.
    ///
    /// # Errors
    /// The store fails.
    pub async fn tools(&self, who: &Principal) -> Result<BTreeMap<String, Exposed>, Fault> {
        self.exposed(&who.caller.environment, &who.rules).await
    }

    /// One tool that a principal sees, by its name or an alias; none when there is none or it is
    /// hidden from them.
    ///
    /// # Errors
    /// The store fails.
    pub async fn tool(&self, who: &Principal, name: &str) -> Result<Option<Exposed>, Fault> {
        let snapshot = self.registry.snapshot();
        let mut found: Option<Exposed> = None;
        for connection in self.accounts.connections(&who.caller.environment).await? {
            let Some(version) = serving(&snapshot, &connection) else {
                continue;
            };
            let Some(tool) = own_name(&version, name).and_then(|own| version.tools.get(own)) else {
                continue;
            };
            if !who.rules.allow(&connection.name, &tool.declared) {
                continue;
            }
            match &mut found {
                Some(exposed) if exposed.connector == connection.connector => {
                    exposed.connections.push(connection.name.clone());
                }
                Some(_) => {}
                None => {
                    found = Some(Exposed {
                        tool: Arc::clone(tool),
                        connector: connection.connector.clone(),
                        version,
                        connections: vec![connection.name.clone()],
                    });
                }
            }
        }
        Ok(found)
    }

    /// Which account a call of a tool means: the principal's own, on a connection that shows the
    /// tool. With several such connections it is the one on which they have an account; `call`
    /// names the choices when there is more than one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn selector(&self, who: &Principal, exposed: &Exposed) -> Result<Selector, Fault> {
        let selector = |connection: &ConnectionName| Selector {
            identifier: Some(who.identifier.clone()),
            connected_account_id: None,
            connection_name: Some(connection.clone()),
        };
        let [first, rest @ ..] = exposed.connections.as_slice() else {
            return Err(Fault::internal("a tool is shown by no connection"));
        };
        if rest.is_empty() {
            return Ok(selector(first));
        }
        let environment = &who.caller.environment;
        let states = self
            .states_on(environment, &exposed.connections, &who.identifier)
            .await?;
        let active: Vec<&ConnectionName> = states
            .iter()
            .filter(|state| state.is_active())
            .map(|state| &state.connection)
            .collect();
        match active.as_slice() {
            [one] => Ok(selector(one)),
            [] => {
                let known = states.iter().find(|state| state.account.is_some());
                Ok(selector(known.map_or(first, |state| &state.connection)))
            }
            several => Err(super::state::ambiguous(&exposed.connector, several)),
        }
    }

    pub(super) async fn exposed(
        &self,
        environment: &EnvironmentId,
        rules: &Rules,
    ) -> Result<BTreeMap<String, Exposed>, Fault> {
        let snapshot = self.registry.snapshot();
        let mut shown: BTreeMap<String, Exposed> = BTreeMap::new();
        for connection in self.accounts.connections(environment).await? {
            let Some(version) = serving(&snapshot, &connection) else {
                continue;
            };
            for tool in version.tools.values() {
                if !rules.allow(&connection.name, &tool.declared) {
                    continue;
                }
                let known = shown
                    .entry(tool.declared.name.clone())
                    .or_insert_with(|| Exposed {
                        tool: Arc::clone(tool),
                        connector: connection.connector.clone(),
                        version: Arc::clone(&version),
                        connections: Vec::new(),
                    });
                if known.connector == connection.connector {
                    known.connections.push(connection.name.clone());
                }
            }
        }
        Ok(shown)
    }
}
