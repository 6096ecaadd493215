//! Virtual MCP servers: a choice of an environment's tools under a URL of its own, and sessions
//! by which one user's agent reaches them. Who is who, and which tools they see.
//!
//! Called by the edges (to configure, to make sessions, to authenticate an agent) and by `call`,
//! which asks [`Rules`] before a tool runs. It never runs a tool, and never answers a token that
//! was made before.

mod issuer;
mod model;
mod principal;
mod request;
mod session;
mod state;
mod ticket;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use crate::access::{Access, Caller};
use crate::accounts::Accounts;
use crate::accounts::sealed::{self, Spot};
use crate::clock::Clock;
use crate::config;
use crate::egress::Egress;
use crate::error::{Fault, Kind, Problem};
use crate::id::{EnvironmentId, ServerId, ServerName};
use crate::journal::{Actor, Change, Journal};
use crate::registry::Registry;
use crate::store::{Batch, Expect, Store, StoreError, Table};
use crate::vault::Vault;

use issuer::Issuers;

pub use issuer::SCOPES;
pub use model::{AccessLevel, Mapping, Rules, SearchMode, Server, Session, Target};
pub use principal::{Exposed, Principal};
pub use request::{
    AuthState, DEFAULT_SESSION_SECONDS, MAX_SESSION_SECONDS, MIN_SESSION_SECONDS, MintedSession, NewServer,
    NewSession, ServerChange, ServerQuery, SessionQuery,
};
pub use session::{TOKEN_PREFIX, unauthenticated};

/// Servers of one environment.
const MAX_SERVERS: usize = 1_000;
/// Connections of one server.
const MAX_MAPPINGS: usize = 100;
/// Names of tools in one list of a server or session.
const MAX_NAMES: usize = 500;
/// Characters of a description.
const MAX_DESCRIPTION: usize = 1_000;

/// Virtual servers and sessions of all environments.
pub struct Servers {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    journal: Arc<Journal>,
    registry: Arc<Registry>,
    access: Arc<Access>,
    accounts: Arc<Accounts>,
    issuers: Issuers,
    clock: Clock,
    public_url: String,
    state: Arc<RwLock<State>>,
    /// Changes of servers come one after the other.
    changing: Mutex<()>,
    /// Counts the changes of servers.
    changed: watch::Sender<u64>,
}

/// Everything in memory: servers are few, and sessions end within a day.
#[derive(Default)]
struct State {
    servers: BTreeMap<ServerId, Arc<Server>>,
    sessions: HashMap<[u8; 32], Live>,
    /// Sessions by environment and id, to the digests of their tokens.
    by_id: BTreeMap<(EnvironmentId, crate::id::SessionId), [u8; 32]>,
}

/// A session and the end of everything that runs in it.
#[derive(Clone)]
struct Live {
    session: Arc<Session>,
    ended: CancellationToken,
}

impl Servers {
    /// Reads what there is. A record that does not open is reported and left out.
    ///
    /// # Errors
    /// The store fails.
    #[allow(clippy::too_many_arguments, reason = "the parts of the host, each once")]
    pub async fn open(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        journal: Arc<Journal>,
        registry: Arc<Registry>,
        access: Arc<Access>,
        accounts: Arc<Accounts>,
        egress: Arc<Egress>,
        settings: &config::Mcp,
        clock: Clock,
        public_url: String,
    ) -> Result<Arc<Self>, Fault> {
        let mut state = State::default();
        for server in read_all::<Server>(&*store, &vault, Table::Servers, "mcp_server").await? {
            state.servers.insert(server.id.clone(), Arc::new(server));
        }
        for session in read_all::<Session>(&*store, &vault, Table::Sessions, "mcp_session").await? {
            state.admit(session);
        }
        Ok(Arc::new(Self {
            store,
            vault,
            journal,
            registry,
            access,
            accounts,
            issuers: Issuers::new(&settings.issuers, egress),
            clock,
            public_url,
            state: Arc::new(RwLock::new(state)),
            changing: Mutex::default(),
            changed: watch::Sender::default(),
        }))
    }

    /// The URL that agents use for `target`.
    #[must_use]
    pub fn url(&self, target: &Target) -> String {
        format!("{}{}", self.public_url, target.path())
    }

    /// Wakes whoever shows a list of tools: its value grows with each change of a server.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Makes a server.
    ///
    /// # Errors
    /// `invalid_input` with every complaint; `conflict` when the name is taken or there are too
    /// many.
    pub async fn create(&self, caller: &Caller, new: NewServer) -> Result<Arc<Server>, Fault> {
        let _turn = self.changing.lock().await;
        let now_ms = self.now_ms();
        let mut server = Server {
            id: ServerId::generate(),
            environment: caller.environment.clone(),
            name: new.name,
            description: new.description,
            mappings: new.mappings,
            tags: new.tags,
            read_only: new.read_only,
            require_api_token: new.require_api_token,
            search: new.search,
            client: caller.client.clone(),
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            generation: 1,
        };
        self.check(&mut server).await?;
        let others = self.of_environment(&caller.environment);
        if others.iter().any(|other| other.name == server.name) {
            return Err(Fault::new(
                Kind::Conflict,
                format!(
                    "There is a server `{}` already. Choose another name, or change that one.",
                    server.name
                ),
            ));
        }
        if others.len() >= MAX_SERVERS {
            return Err(Fault::new(
                Kind::Conflict,
                format!("This environment has {MAX_SERVERS} servers, which is the most. Delete one first."),
            ));
        }
        self.put(server, Expect::Absent, &caller.actor(), "server.create")
            .await
    }

    /// Changes a server; agents that are connected see the new list at once.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` with every complaint.
    pub async fn change(
        &self,
        caller: &Caller,
        id: &ServerId,
        change: ServerChange,
    ) -> Result<Arc<Server>, Fault> {
        let _turn = self.changing.lock().await;
        let mut server = Server::clone(&*self.server(&caller.environment, id)?);
        let ServerChange {
            description,
            mappings,
            tags,
            read_only,
            require_api_token,
            search,
        } = change;
        server.description = description.unwrap_or(server.description);
        server.mappings = mappings.unwrap_or(server.mappings);
        server.tags = tags.unwrap_or(server.tags);
        server.read_only = read_only.unwrap_or(server.read_only);
        server.require_api_token = require_api_token.unwrap_or(server.require_api_token);
        server.search = search.unwrap_or(server.search);
        server.updated_at_ms = self.now_ms();
        server.generation += 1;
        self.check(&mut server).await?;
        self.put(server, Expect::Any, &caller.actor(), "server.change")
            .await
    }

    /// Removes a server and ends its sessions, open streams included.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn delete(&self, caller: &Caller, id: &ServerId) -> Result<(), Fault> {
        let _turn = self.changing.lock().await;
        let server = self.server(&caller.environment, id)?;
        let target = Target::Server(id.clone());
        let sessions: Vec<Arc<Session>> = read(&self.state)
            .sessions
            .values()
            .filter(|live| live.session.target == target)
            .map(|live| Arc::clone(&live.session))
            .collect();
        let batch = Batch::new().delete(Table::Servers, server_key(&server), Expect::Any);
        let id = id.clone();
        self.commit(batch, move |state| {
            state.servers.remove(&id);
        })
        .await?;
        self.changed.send_modify(|count| *count += 1);
        self.drop_sessions(&sessions).await?;
        self.note(
            &caller.actor(),
            &server.environment,
            "server.delete",
            server.id.as_str(),
        )
        .await
    }

    /// One server.
    ///
    /// # Errors
    /// `not_found`, the same for another environment's and for none.
    pub fn server(&self, environment: &EnvironmentId, id: &ServerId) -> Result<Arc<Server>, Fault> {
        self.anywhere(id)
            .filter(|server| server.environment == *environment)
            .ok_or_else(|| {
                Fault::new(
                    Kind::NotFound,
                    "There is no such MCP server. GET /api/v1/mcp_servers lists them.",
                )
            })
    }

    /// One server by its name.
    ///
    /// # Errors
    /// `not_found`.
    pub fn server_named(&self, environment: &EnvironmentId, name: &ServerName) -> Result<Arc<Server>, Fault> {
        self.of_environment(environment)
            .into_iter()
            .find(|server| server.name == *name)
            .ok_or_else(|| {
                Fault::new(
                    Kind::NotFound,
                    format!("There is no MCP server `{name}`. GET /api/v1/mcp_servers lists them."),
                )
            })
    }

    /// Servers of an environment, by id.
    ///
    /// # Errors
    /// The store fails.
    pub async fn list(
        &self,
        environment: &EnvironmentId,
        query: &ServerQuery,
    ) -> Result<Vec<Arc<Server>>, Fault> {
        let mut wanted = BTreeSet::new();
        if let Some(connector) = &query.connector {
            for connection in self.accounts.connections(environment).await? {
                if connection.connector == *connector {
                    wanted.insert(connection.name.clone());
                }
            }
        }
        let text = query.search.as_ref().map(|text| text.to_lowercase());
        let fits = |server: &Server| {
            query.id.as_ref().is_none_or(|id| *id == server.id)
                && query.name.as_ref().is_none_or(|name| *name == server.name)
                && query.after.as_ref().is_none_or(|after| server.id > *after)
                && text.as_ref().is_none_or(|text| {
                    server.name.as_str().contains(text) || server.description.to_lowercase().contains(text)
                })
                && (query.connector.is_none()
                    || server
                        .mappings
                        .iter()
                        .any(|mapping| wanted.contains(&mapping.connection_name)))
        };
        let mut found = self.of_environment(environment);
        found.retain(|server| fits(server));
        found.truncate(query.limit);
        Ok(found)
    }

    fn of_environment(&self, environment: &EnvironmentId) -> Vec<Arc<Server>> {
        read(&self.state)
            .servers
            .values()
            .filter(|server| server.environment == *environment)
            .cloned()
            .collect()
    }

    fn anywhere(&self, id: &ServerId) -> Option<Arc<Server>> {
        read(&self.state).servers.get(id).cloned()
    }

    /// Everything that can be wrong with a server, at once. Aliases become the tools' own names.
    async fn check(&self, server: &mut Server) -> Result<(), Fault> {
        let mut problems = Vec::new();
        let mut complain = |path: String, what: String| problems.push(Problem { path, problem: what });
        if server.description.chars().count() > MAX_DESCRIPTION
            || server.description.chars().any(|c| c.is_control() && c != '\n')
        {
            complain(
                "/description".to_owned(),
                format!("must have at most {MAX_DESCRIPTION} characters and no control characters"),
            );
        }
        if server.mappings.len() > MAX_MAPPINGS {
            complain("/mappings".to_owned(), format!("must be at most {MAX_MAPPINGS}"));
        }
        if server.tags.len() > MAX_MAPPINGS || server.tags.iter().any(|tag| tag.is_empty() || tag.len() > 64)
        {
            complain(
                "/tags".to_owned(),
                format!("must be at most {MAX_MAPPINGS} of 1 to 64 bytes"),
            );
        }
        let snapshot = self.registry.snapshot();
        let mut seen = BTreeSet::new();
        for (index, mapping) in server.mappings.iter_mut().enumerate() {
            let path = format!("/mappings/{index}");
            if !seen.insert(mapping.connection_name.clone()) {
                complain(
                    format!("{path}/connection_name"),
                    "is there twice; put its tools together".to_owned(),
                );
            }
            if mapping.tools.len() > MAX_NAMES {
                complain(format!("{path}/tools"), format!("must be at most {MAX_NAMES}"));
                continue;
            }
            let connection = match self
                .accounts
                .connection(&server.environment, &mapping.connection_name)
                .await
            {
                Ok(connection) => connection,
                Err(fault) if fault.kind() == Kind::NotFound => {
                    complain(format!("{path}/connection_name"), fault.public().to_owned());
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            let Some(version) = principal::serving(&snapshot, &connection) else {
                continue;
            };
            let (known, unknown): (Vec<_>, Vec<_>) = mapping
                .tools
                .iter()
                .map(|name| (name, principal::own_name(&version, name)))
                .partition(|(_, own)| own.is_some());
            for (name, _) in unknown {
                let shown: String = name.chars().take(64).flat_map(char::escape_default).collect();
                complain(
                    format!("{path}/tools"),
                    format!("`{shown}` is no tool of connector `{}`", connection.connector),
                );
            }
            mapping.tools = known
                .into_iter()
                .filter_map(|(_, own)| own.map(str::to_owned))
                .collect();
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Fault::invalid(
            "The MCP server is not acceptable; `fields` says where.",
            problems,
        ))
    }

    async fn put(
        &self,
        server: Server,
        expect: Expect,
        actor: &Actor,
        action: &'static str,
    ) -> Result<Arc<Server>, Fault> {
        let spot = spot("mcp_server", &server.environment, server.id.as_str());
        let value = sealed::seal(&self.vault, spot, server.generation, &server)?;
        let batch = Batch::new().put(Table::Servers, server_key(&server), expect, value);
        let server = Arc::new(server);
        let kept = Arc::clone(&server);
        self.commit(batch, move |state| {
            state.servers.insert(kept.id.clone(), kept);
        })
        .await?;
        self.changed.send_modify(|count| *count += 1);
        self.note(actor, &server.environment, action, server.id.as_str())
            .await?;
        Ok(server)
    }

    /// Writes, then changes what is in memory; to the end, also when the caller goes away.
    async fn commit(
        &self,
        batch: Batch,
        then: impl FnOnce(&mut State) + Send + 'static,
    ) -> Result<(), Fault> {
        let (store, state) = (Arc::clone(&self.store), Arc::clone(&self.state));
        let task = tokio::spawn(async move {
            store.commit(batch).await?;
            then(&mut write(&state));
            Ok::<_, StoreError>(())
        });
        Ok(task.await.map_err(Fault::internal)??)
    }

    async fn note(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        action: &'static str,
        object: &str,
    ) -> Result<(), Fault> {
        self.journal
            .change(Change {
                actor: actor.clone(),
                environment: Some(environment.to_string()),
                action,
                object: object.to_owned(),
                outcome: "ok".to_owned(),
            })
            .await
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}

fn server_key(server: &Server) -> Vec<u8> {
    key(&server.environment, server.id.as_str())
}

fn key(environment: &EnvironmentId, id: &str) -> Vec<u8> {
    format!("{environment}\0{id}").into_bytes()
}

fn spot<'a>(record: &'a str, environment: &'a EnvironmentId, id: &'a str) -> Spot<'a> {
    Spot {
        record,
        environment,
        connection: "",
        identifier: id,
        field: "all",
    }
}

/// Every record of a table that opens.
async fn read_all<T: DeserializeOwned>(
    store: &dyn Store,
    vault: &Vault,
    table: Table,
    record: &'static str,
) -> Result<Vec<T>, Fault> {
    let mut found = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = store.scan(table, b"", after.as_deref(), 256).await?;
        let Some((last, _)) = page.last() else {
            return Ok(found);
        };
        after = Some(last.clone());
        for (key, stored) in &page {
            let Some((environment, id)) = std::str::from_utf8(key).ok().and_then(|key| key.split_once('\0'))
            else {
                continue;
            };
            let opened = EnvironmentId::new(environment)
                .map_err(Fault::internal)
                .and_then(|environment| {
                    sealed::open::<T>(vault, spot(record, &environment, id), &stored.value)
                });
            match opened {
                Ok(value) => found.push(value),
                Err(fault) => {
                    tracing::error!(environment, id, cause = fault.chain(), "a {record} does not open")
                }
            }
        }
    }
}

fn read(state: &RwLock<State>) -> RwLockReadGuard<'_, State> {
    state.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(state: &RwLock<State>) -> RwLockWriteGuard<'_, State> {
    state.write().unwrap_or_else(PoisonError::into_inner)
}
