//! Who may call this host: environments, API clients and their access tokens.
//!
//! Called by the edges before anything else. A client belongs to one environment; the
//! environment of a call comes from its token and from nowhere else. Clients are few and all in
//! memory, so that [`Access::authenticate`] waits for nothing. No function answers a secret that
//! was made before.

mod client;
mod token;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::error::{Fault, Kind, Problem};
use crate::id::{ClientId, EnvironmentId};
use crate::journal::{Actor, Change, Journal};
use crate::secret::{Secret, SecretBytes};
use crate::store::{Batch, Expect, Store, Table};
use crate::vault::{Place, Vault};

use token::{Signer, Verified};

pub use client::SECRET_PREFIX;
pub use token::LIFETIME_SECONDS;

/// Where the host seals what belongs to no environment; no environment may have this name.
const HOST_ENVIRONMENT: &str = "valetkey-host";
/// Key of the token signing key in [`Table::Meta`].
const SIGNING_KEY: &[u8] = b"token_signing_key";

/// What a client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// List and search tools.
    #[serde(rename = "tools:read")]
    ToolsRead,
    /// Call tools.
    #[serde(rename = "tools:execute")]
    ToolsExecute,
    /// Send raw requests on connections that allow them.
    #[serde(rename = "proxy:execute")]
    ProxyExecute,
    /// Read accounts and connections.
    #[serde(rename = "accounts:read")]
    AccountsRead,
    /// Make links, disconnect and delete accounts.
    #[serde(rename = "accounts:write")]
    AccountsWrite,
    /// Confirm who completed a link.
    #[serde(rename = "accounts:verify")]
    AccountsVerify,
    /// Configure connections.
    #[serde(rename = "connections:write")]
    ConnectionsWrite,
    /// Install, activate and remove connectors (host-wide).
    #[serde(rename = "connectors:write")]
    ConnectorsWrite,
    /// Read executions.
    #[serde(rename = "executions:read")]
    ExecutionsRead,
    /// Configure virtual MCP servers.
    #[serde(rename = "servers:write")]
    ServersWrite,
    /// Make, list and end session tokens of virtual MCP servers.
    #[serde(rename = "sessions:write")]
    SessionsWrite,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 11] = [
        Self::ToolsRead,
        Self::ToolsExecute,
        Self::ProxyExecute,
        Self::AccountsRead,
        Self::AccountsWrite,
        Self::AccountsVerify,
        Self::ConnectionsWrite,
        Self::ConnectorsWrite,
        Self::ExecutionsRead,
        Self::ServersWrite,
        Self::SessionsWrite,
    ];

    /// Its public text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToolsRead => "tools:read",
            Self::ToolsExecute => "tools:execute",
            Self::ProxyExecute => "proxy:execute",
            Self::AccountsRead => "accounts:read",
            Self::AccountsWrite => "accounts:write",
            Self::AccountsVerify => "accounts:verify",
            Self::ConnectionsWrite => "connections:write",
            Self::ConnectorsWrite => "connectors:write",
            Self::ExecutionsRead => "executions:read",
            Self::ServersWrite => "servers:write",
            Self::SessionsWrite => "sessions:write",
        }
    }

    /// What it allows, for the reference.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::ToolsRead => "List and search tools and connectors.",
            Self::ToolsExecute => "Call tools.",
            Self::ProxyExecute => "Send raw requests to vendors, on connections that allow them.",
            Self::AccountsRead => "Read connected accounts and connections.",
            Self::AccountsWrite => "Make links, disconnect and delete connected accounts.",
            Self::AccountsVerify => "Confirm who completed a link.",
            Self::ConnectionsWrite => "Configure connections.",
            Self::ConnectorsWrite => "Install, activate and remove connectors of the whole host.",
            Self::ExecutionsRead => "Read executions.",
            Self::ServersWrite => "Configure virtual MCP servers.",
            Self::SessionsWrite => "Make, list and end session tokens of virtual MCP servers.",
        }
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or(UnknownScope)
    }
}

/// There is no such scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such scope; scopes are {}", Scope::ALL.map(Scope::as_str).join(", "))]
pub struct UnknownScope;

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its client id.
    pub client: ClientId,
    /// Its environment.
    pub environment: EnvironmentId,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
}

impl Caller {
    /// Refuses a caller without `scope`.
    ///
    /// # Errors
    /// `policy_denied`, naming the scope.
    pub fn require(&self, scope: Scope) -> Result<(), Fault> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        Err(Fault::new(
            Kind::PolicyDenied,
            format!(
                "This access token lacks the scope `{0}`. Ask for a token with it, or ask the operator for a client that has it.",
                scope.as_str()
            ),
        )
        .reason("scope_not_granted_to_client"))
    }

    /// The caller as the journal names it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Client(self.client.to_string())
    }
}

/// A new client with its secret, shown once.
pub struct NewClient {
    /// Its id.
    pub client_id: ClientId,
    /// Its secret.
    pub secret: Secret,
}

/// An access token and its lifetime.
pub struct AccessToken {
    /// The bearer token.
    pub token: Secret,
    /// Seconds until it expires.
    pub expires_in: u64,
    /// What it allows.
    pub scopes: BTreeSet<Scope>,
}

/// Environments, clients and tokens.
pub struct Access {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    journal: Arc<Journal>,
    clock: Clock,
    signer: Signer,
    verified: Verified,
    environments: RwLock<HashSet<EnvironmentId>>,
    clients: RwLock<HashMap<ClientId, Client>>,
}

/// A client in memory. Its epoch stands apart, so that a remembered token sees it change.
#[derive(Clone)]
struct Client {
    record: Arc<client::Record>,
    epoch: Arc<AtomicU64>,
}

impl Client {
    fn new(record: client::Record) -> Self {
        let epoch = Arc::new(AtomicU64::new(record.epoch));
        Self {
            record: Arc::new(record),
            epoch,
        }
    }
}

impl Access {
    /// Opens it; makes the token signing key on first use (sealed in the store).
    ///
    /// # Errors
    /// The store or vault fails.
    pub async fn open(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        journal: Arc<Journal>,
        clock: Clock,
        issuer: String,
    ) -> Result<Self, Fault> {
        let signing_key = signing_key(&*store, &vault).await?;
        let mut environments = HashSet::new();
        for (key, _) in scan_all(&*store, Table::Environments).await? {
            environments.insert(name_of(key)?);
        }
        let mut clients = HashMap::new();
        for (key, value) in scan_all(&*store, Table::Clients).await? {
            let record = serde_json::from_slice(&value).map_err(Fault::internal)?;
            clients.insert(name_of(key)?, Client::new(record));
        }
        Ok(Self {
            signer: Signer::new(&signing_key, issuer)?,
            verified: Verified::default(),
            environments: RwLock::new(environments),
            clients: RwLock::new(clients),
            store,
            vault,
            journal,
            clock,
        })
    }

    /// Makes an environment with its key; does nothing when it exists.
    ///
    /// # Errors
    /// The store fails; `invalid_input` for the one name that the host keeps for itself.
    pub async fn add_environment(&self, environment: &EnvironmentId, actor: &Actor) -> Result<(), Fault> {
        if environment.as_str() == HOST_ENVIRONMENT {
            return Err(Fault::new(
                Kind::InvalidInput,
                format!("`{HOST_ENVIRONMENT}` is the host's own; choose another name for the environment."),
            ));
        }
        if read(&self.environments).contains(environment) {
            return Ok(());
        }
        self.vault.add_environment(environment).await?;
        let record = serde_json::json!({ "created_at_ms": self.clock.now().as_millisecond() });
        let batch = Batch::new().put(
            Table::Environments,
            environment.as_str(),
            Expect::Any,
            record.to_string().into_bytes(),
        );
        self.store.commit(batch).await?;
        self.changed(environment, actor, "environment.add", environment.as_str())
            .await?;
        write(&self.environments).insert(environment.clone());
        Ok(())
    }

    /// Makes a client of an environment.
    ///
    /// # Errors
    /// `not_found` for an unknown environment.
    pub async fn add_client(
        &self,
        environment: &EnvironmentId,
        label: &str,
        scopes: BTreeSet<Scope>,
        actor: &Actor,
    ) -> Result<NewClient, Fault> {
        if !read(&self.environments).contains(environment) {
            return Err(Fault::new(
                Kind::NotFound,
                format!("There is no environment `{environment}`."),
            ));
        }
        let client_id = ClientId::generate();
        let secret = client::new_secret();
        let record = client::Record {
            environment: environment.clone(),
            label: label.to_owned(),
            scopes,
            secret_sha256: client::hash(&secret),
            epoch: 0,
            created_at_ms: self.clock.now().as_millisecond(),
        };
        self.put_client(&client_id, &record, Expect::Absent).await?;
        self.changed(environment, actor, "client.add", client_id.as_str())
            .await?;
        write(&self.clients).insert(client_id.clone(), Client::new(record));
        Ok(NewClient { client_id, secret })
    }

    /// Ends every token that a client has. It may ask for new ones.
    ///
    /// # Errors
    /// `not_found`; the store fails.
    pub async fn revoke_tokens(&self, client_id: &ClientId, actor: &Actor) -> Result<(), Fault> {
        let client = self.client(client_id)?;
        let epoch = client.epoch.load(Ordering::Acquire) + 1;
        let record = client::Record {
            epoch,
            ..(*client.record).clone()
        };
        self.put_client(client_id, &record, Expect::Any).await?;
        // Refused from here on, also where the token is remembered.
        client.epoch.store(epoch, Ordering::Release);
        self.changed(
            &record.environment,
            actor,
            "client.revoke_tokens",
            client_id.as_str(),
        )
        .await
    }

    /// Removes a client and ends its tokens.
    ///
    /// # Errors
    /// `not_found`; the store fails.
    pub async fn remove_client(&self, client_id: &ClientId, actor: &Actor) -> Result<(), Fault> {
        let client = self.client(client_id)?;
        let batch = Batch::new().delete(Table::Clients, client_id.as_str(), Expect::Any);
        self.store.commit(batch).await?;
        write(&self.clients).remove(client_id);
        client.epoch.store(u64::MAX, Ordering::Release);
        self.changed(
            &client.record.environment,
            actor,
            "client.remove",
            client_id.as_str(),
        )
        .await
    }

    /// The client credentials grant (RFC 6749 section 4.4). One answer for every wrong
    /// credential, in constant time.
    ///
    /// # Errors
    /// `unauthenticated`; `invalid_input` for a scope that the client does not have.
    pub async fn issue(
        &self,
        client_id: &str,
        secret: &Secret,
        scopes: Option<BTreeSet<Scope>>,
    ) -> Result<AccessToken, Fault> {
        let client = ClientId::new(client_id)
            .ok()
            .and_then(|id| Some((self.client(&id).ok()?, id)));
        let record = client.as_ref().map(|(client, _)| &*client.record);
        let right = client::matches(record, secret);
        let Some((client, id)) = client.filter(|_| right) else {
            return Err(Fault::new(
                Kind::Unauthenticated,
                "The client id or client secret is wrong. Use those that the operator gave you; a lost secret is replaced, not shown again.",
            )
            .reason("invalid_client"));
        };
        let scopes = match scopes {
            None => client.record.scopes.clone(),
            Some(asked) => within(asked, &client.record.scopes)?,
        };
        let caller = Caller {
            client: id,
            environment: client.record.environment.clone(),
            scopes: scopes.clone(),
        };
        let token = self
            .signer
            .sign(&caller, client.epoch.load(Ordering::Acquire), self.now_seconds())?;
        Ok(AccessToken {
            token,
            expires_in: LIFETIME_SECONDS,
            scopes,
        })
    }

    /// Who this bearer token is. A token that was seen before costs a digest and a look-up.
    ///
    /// # Errors
    /// `unauthenticated`, the same for every bad token.
    pub fn authenticate(&self, bearer: &str) -> Result<Arc<Caller>, Fault> {
        let key = Verified::key(bearer);
        let now = self.now_seconds();
        if let Some(caller) = self.verified.get(&key, now) {
            return Ok(caller);
        }
        self.verify(bearer, key, now).ok_or_else(unauthenticated)
    }

    /// Whether there is such a client. What a client made for others ends with it.
    #[must_use]
    pub fn knows(&self, client: &ClientId) -> bool {
        read(&self.clients).contains_key(client)
    }

    fn verify(&self, bearer: &str, key: [u8; 32], now: i64) -> Option<Arc<Caller>> {
        let claims = self.signer.check(bearer, now)?;
        let id = ClientId::new(claims.sub.as_str()).ok()?;
        let client = self.client(&id).ok()?;
        if client.record.environment.as_str() != claims.env
            || client.epoch.load(Ordering::Acquire) != claims.epoch
        {
            return None;
        }
        let caller = Arc::new(Caller {
            client: id,
            environment: client.record.environment.clone(),
            scopes: claims.scp.clone(),
        });
        self.verified
            .insert(key, caller.clone(), &claims, client.epoch, now);
        Some(caller)
    }

    /// Seals the place where a list goes on into a cursor for this caller's environment and for
    /// this `list` (its path and filters).
    ///
    /// # Errors
    /// The vault fails.
    pub fn seal_cursor(&self, caller: &Caller, list: &str, position: &str) -> Result<String, Fault> {
        Ok(self
            .vault
            .seal_text(cursor_place(caller, list), position.as_bytes())?)
    }

    /// Opens a cursor of [`Access::seal_cursor`].
    ///
    /// # Errors
    /// `invalid_input`, the same for a cursor of another environment, of another list or of nobody.
    pub fn open_cursor(&self, caller: &Caller, list: &str, cursor: &str) -> Result<String, Fault> {
        self.vault
            .open_text(cursor_place(caller, list), cursor)
            .and_then(|position| String::from_utf8(position.expose().to_vec()).ok())
            .ok_or_else(|| {
                Fault::invalid(
                    "The cursor is not of this list. Use `next_cursor` of an answer to the same request, or leave it out to begin anew.",
                    vec![Problem {
                        path: "/cursor".to_owned(),
                        problem: "not a cursor of this list with these filters".to_owned(),
                    }],
                )
                .reason("cursor")
            })
    }

    fn client(&self, id: &ClientId) -> Result<Client, Fault> {
        read(&self.clients)
            .get(id)
            .cloned()
            .ok_or_else(|| Fault::new(Kind::NotFound, format!("There is no client `{id}`.")))
    }

    async fn put_client(&self, id: &ClientId, record: &client::Record, expect: Expect) -> Result<(), Fault> {
        let value = serde_json::to_vec(record).map_err(Fault::internal)?;
        let batch = Batch::new().put(Table::Clients, id.as_str(), expect, value);
        Ok(self.store.commit(batch).await?)
    }

    async fn changed(
        &self,
        environment: &EnvironmentId,
        actor: &Actor,
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

    fn now_seconds(&self) -> i64 {
        self.clock.now().as_second()
    }
}

/// The one answer to every missing, malformed, expired, revoked or foreign token.
#[must_use]
pub fn unauthenticated() -> Fault {
    Fault::new(
        Kind::Unauthenticated,
        "There is no valid access token with this request. Get one from POST /oauth/token and send it as `Authorization: Bearer TOKEN`; a token is good for ten minutes.",
    )
    .reason("invalid_token")
}

fn within(asked: BTreeSet<Scope>, granted: &BTreeSet<Scope>) -> Result<BTreeSet<Scope>, Fault> {
    let missing: Vec<&str> = asked.difference(granted).map(|scope| scope.as_str()).collect();
    if missing.is_empty() {
        return Ok(asked);
    }
    Err(Fault::invalid(
        "This client does not have every scope that was asked for. Ask for fewer, or leave `scope` out for all that it has.",
        vec![Problem {
            path: "/scope".to_owned(),
            problem: format!("not granted to this client: {}", missing.join(" ")),
        }],
    )
    .reason("invalid_scope"))
}

fn cursor_place<'a>(caller: &'a Caller, list: &'a str) -> Place<'a> {
    Place {
        record: "cursor",
        environment: &caller.environment,
        connection: "",
        identifier: list,
        field: "position",
        generation: 0,
    }
}

/// The signing key of this store; made when there is none. When two hosts make one at the same
/// moment, the first one written is everybody's.
async fn signing_key(store: &dyn Store, vault: &Vault) -> Result<SecretBytes, Fault> {
    let host = EnvironmentId::new(HOST_ENVIRONMENT).map_err(Fault::internal)?;
    vault.add_environment(&host).await?;
    let place = Place {
        record: "token_signing_key",
        environment: &host,
        connection: "",
        identifier: "",
        field: "pkcs8",
        generation: 0,
    };
    if let Some(record) = store.get(Table::Meta, SIGNING_KEY).await? {
        return Ok(vault.open_sealed(place, &record.value)?);
    }
    let sealed = vault.seal(place, token::new_signing_key()?.expose())?;
    let batch = Batch::new().put(Table::Meta, SIGNING_KEY, Expect::Absent, sealed);
    match store.commit(batch).await {
        Ok(()) | Err(crate::store::StoreError::Conflict) => {}
        Err(error) => return Err(error.into()),
    }
    let record = store
        .get(Table::Meta, SIGNING_KEY)
        .await?
        .ok_or_else(|| Fault::internal("the token signing key vanished right after it was written"))?;
    Ok(vault.open_sealed(place, &record.value)?)
}

async fn scan_all(store: &dyn Store, table: Table) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Fault> {
    const PAGE: usize = 1_000;
    let mut all: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    loop {
        let after = all.last().map(|(key, _)| key.clone());
        let page = store.scan(table, b"", after.as_deref(), PAGE).await?;
        let last = page.len() < PAGE;
        all.extend(page.into_iter().map(|(key, record)| (key, record.value)));
        if last {
            return Ok(all);
        }
    }
}

/// The typed name of a record from its key.
fn name_of<T>(key: Vec<u8>) -> Result<T, Fault>
where
    T: TryFrom<String, Error = crate::id::InvalidId>,
{
    let text = String::from_utf8(key).map_err(Fault::internal)?;
    T::try_from(text).map_err(Fault::internal)
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
