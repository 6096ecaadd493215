//! Who may call this host: environments, API clients and their access tokens.
//!
//! Called by the edges before anything else. A client belongs to one environment; the
//! environment of a call comes from its token and from nowhere else.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::error::Fault;
use crate::id::{ClientId, EnvironmentId};
use crate::journal::{Actor, Journal};
use crate::secret::Secret;
use crate::store::Store;
use crate::vault::Vault;

/// What a client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// List and search tools.
    #[serde(rename = "tools:read")]
    ToolsRead,
    /// Call tools.
    #[serde(rename = "tools:execute")]
    ToolsExecute,
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
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 8] = [
        Self::ToolsRead,
        Self::ToolsExecute,
        Self::AccountsRead,
        Self::AccountsWrite,
        Self::AccountsVerify,
        Self::ConnectionsWrite,
        Self::ConnectorsWrite,
        Self::ExecutionsRead,
    ];

    /// Its public text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToolsRead => "tools:read",
            Self::ToolsExecute => "tools:execute",
            Self::AccountsRead => "accounts:read",
            Self::AccountsWrite => "accounts:write",
            Self::AccountsVerify => "accounts:verify",
            Self::ConnectionsWrite => "connections:write",
            Self::ConnectorsWrite => "connectors:write",
            Self::ExecutionsRead => "executions:read",
        }
    }
}

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
    pub fn require(&self, _scope: Scope) -> Result<(), Fault> {
        todo!()
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
pub struct Access {}

impl Access {
    /// Opens it; makes the token signing key on first use (sealed in the store).
    ///
    /// # Errors
    /// The store or vault fails.
    pub async fn open(
        _store: Arc<dyn Store>,
        _vault: Arc<Vault>,
        _journal: Arc<Journal>,
        _clock: Clock,
        _issuer: String,
    ) -> Result<Self, Fault> {
        todo!()
    }

    /// Makes an environment with its key; does nothing when it exists.
    ///
    /// # Errors
    /// The store fails.
    pub async fn add_environment(&self, _environment: &EnvironmentId, _actor: &Actor) -> Result<(), Fault> {
        todo!()
    }

    /// Makes a client of an environment.
    ///
    /// # Errors
    /// `not_found` for an unknown environment.
    pub async fn add_client(
        &self,
        _environment: &EnvironmentId,
        _label: &str,
        _scopes: BTreeSet<Scope>,
        _actor: &Actor,
    ) -> Result<NewClient, Fault> {
        todo!()
    }

    /// The client credentials grant (RFC 6749 section 4.4). One answer for every wrong
    /// credential, in constant time.
    ///
    /// # Errors
    /// `unauthenticated`; `invalid_input` for a scope that the client does not have.
    pub async fn issue(
        &self,
        _client_id: &str,
        _secret: &Secret,
        _scopes: Option<BTreeSet<Scope>>,
    ) -> Result<AccessToken, Fault> {
        todo!()
    }

    /// Who this bearer token is.
    ///
    /// # Errors
    /// `unauthenticated`, the same for every bad token.
    pub fn authenticate(&self, _bearer: &str) -> Result<Arc<Caller>, Fault> {
        todo!()
    }
}
