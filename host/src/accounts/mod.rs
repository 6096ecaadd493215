//! Connections and connected accounts: how a user's account is connected, kept usable and
//! disconnected.
//!
//! Called by `call` (pick an account, lend its credential) and by the edges. No function here
//! answers a token: a credential leaves only as `egress::Credentials`.

pub mod model;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::config;
use crate::egress::{Credentials, Egress};
use crate::error::Fault;
use crate::id::{AccountId, AuthRequestId, ConnectionName, ConnectorId, EnvironmentId, Identifier};
use crate::journal::{Actor, Journal};
use crate::registry::Registry;
use crate::secret::Secret;
use crate::store::Store;
use crate::vault::Vault;

pub use model::{Account, AccountState, Connection, Reason};

/// What an operator gives for a new connection.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConnection {
    /// Its name, unique in the environment.
    #[schema(value_type = String)]
    pub connection_name: ConnectionName,
    /// The connector, which must be installed.
    #[schema(value_type = String)]
    pub connector: ConnectorId,
    /// Id of the manifest's auth scheme; none for its first.
    #[serde(default)]
    pub auth: Option<String>,
    /// For OAuth: the operator's application.
    #[serde(default)]
    pub oauth: Option<NewOAuthApp>,
    /// Scopes to ask for; none for the manifest's.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// Endpoint URLs instead of the manifest's, by name.
    #[serde(default)]
    pub endpoints: BTreeMap<String, String>,
    /// Allows plain http and loopback vendors, and nothing else. For development.
    #[serde(default)]
    pub development: bool,
    /// Serve calls by this version of the connector whatever is active.
    #[serde(default)]
    pub pinned_version: Option<String>,
    /// The URLs that a link may name as `user_verify_url`, compared exactly.
    #[serde(default)]
    pub user_verify_urls: Vec<String>,
    /// Name of the operator's application on hosted pages.
    #[serde(default)]
    pub application_name: Option<String>,
}

/// The operator's OAuth application at the vendor.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOAuthApp {
    /// Client id at the vendor.
    pub client_id: String,
    /// Client secret at the vendor; never answered again. None for a public client.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Authorization endpoint instead of the manifest's.
    #[serde(default)]
    pub authorize_url: Option<String>,
    /// Token endpoint instead of the manifest's.
    #[serde(default)]
    pub token_url: Option<String>,
    /// Revocation endpoint instead of the manifest's.
    #[serde(default)]
    pub revoke_url: Option<String>,
    /// Issuer instead of the manifest's.
    #[serde(default)]
    pub issuer: Option<String>,
}

/// Which account a caller means.
#[derive(Debug, Clone, Default)]
pub struct Selector {
    /// The application's key for the user.
    pub identifier: Option<Identifier>,
    /// Or the account itself; when both are given they must agree.
    pub connected_account_id: Option<AccountId>,
    /// Narrows to one connection.
    pub connection_name: Option<ConnectionName>,
}

/// What a link is asked for with.
#[derive(Debug, Clone)]
pub struct LinkRequest {
    /// The connection.
    pub connection_name: ConnectionName,
    /// The application's key for the user.
    pub identifier: Identifier,
    /// Where the browser goes after consent so that the application can tell who it is; one of
    /// the connection's `user_verify_urls`. Then the code is exchanged only after
    /// [`Accounts::verify_user`].
    pub user_verify_url: Option<String>,
    /// The application's own state, given back to `user_verify_url`. At most 1 KiB.
    pub state: Option<String>,
    /// Account configuration that the application knows already.
    pub account_config: BTreeMap<String, String>,
}

/// A link for the account's owner to open.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Link {
    /// The URL, on this host. Good once, for ten minutes.
    pub authorization_link: String,
    /// The attempt.
    #[schema(value_type = String)]
    pub auth_request_id: AuthRequestId,
    /// The account that it will activate.
    #[schema(value_type = String)]
    pub connected_account_id: AccountId,
    /// When it expires, RFC 3339.
    pub expires_at: String,
}

/// What a page of the connect flow shows next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Go to this URL (the vendor's consent page, or the application's `user_verify_url`).
    Redirect(String),
    /// Ask for the credential by a form.
    Form(FormPage),
    /// Done.
    Connected(ConnectedPage),
}

/// What the credential form shows.
#[derive(Debug, Clone)]
pub struct FormPage {
    /// The operator's application.
    pub application: String,
    /// The vendor.
    pub vendor: String,
    /// The attempt's one-time ticket, to be sent back with the form.
    pub ticket: String,
    /// Fields in order.
    pub fields: Vec<FormField>,
    /// What was wrong with the last try.
    pub problem: Option<String>,
}

/// One field of the credential form.
#[derive(Debug, Clone)]
pub struct FormField {
    /// Name of the input.
    pub name: String,
    /// Label.
    pub title: String,
    /// Where to find it.
    pub description: Option<String>,
    /// An example.
    pub example: Option<String>,
    /// Whether it is a secret (not shown while typed).
    pub secret: bool,
    /// Whether it must be filled in.
    pub required: bool,
}

/// What the last page shows.
#[derive(Debug, Clone)]
pub struct ConnectedPage {
    /// The operator's application.
    pub application: String,
    /// The vendor.
    pub vendor: String,
    /// What a person recognises of the account at the vendor.
    pub label: Option<String>,
}

/// The raw query of an OAuth callback, in order, decoded once.
pub type CallbackQuery = Vec<(String, String)>;

/// What became of a disconnection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// The vendor confirmed it.
    Revoked,
    /// The vendor has no revocation, or the credential is not of a kind that has one.
    NotSupported,
    /// The vendor could not be reached; the host tries again in the background.
    Pending,
}

/// An account that may be used now, with all that a call needs of it.
#[derive(Clone)]
pub struct Usable {
    /// The account.
    pub account: Arc<Account>,
    /// Its connection.
    pub connection: Arc<Connection>,
    /// Its credential, lent.
    pub credentials: Arc<dyn Credentials>,
}

/// Filter and page of an account list.
#[derive(Debug, Clone, Default)]
pub struct AccountQuery {
    /// Only this connection.
    pub connection_name: Option<ConnectionName>,
    /// Only this identifier.
    pub identifier: Option<Identifier>,
    /// Only this state.
    pub state: Option<AccountState>,
    /// After this account.
    pub after: Option<AccountId>,
    /// At most this many.
    pub limit: usize,
}

/// Connections and accounts of all environments.
pub struct Accounts {}

impl Accounts {
    /// Opens it: recovers unfinished refreshes, starts pending revocations.
    ///
    /// `public_url` begins links and redirect URIs (`https://host[:port]`, no trailing slash).
    ///
    /// # Errors
    /// The store fails.
    pub async fn open(
        _store: Arc<dyn Store>,
        _vault: Arc<Vault>,
        _egress: Arc<Egress>,
        _registry: Arc<Registry>,
        _journal: Arc<Journal>,
        _settings: config::OAuth,
        _clock: Clock,
        _public_url: String,
    ) -> Result<Arc<Self>, Fault> {
        todo!()
    }

    /// Configures a connection.
    ///
    /// # Errors
    /// `invalid_input` with every complaint; `conflict` when the name is taken.
    pub async fn create_connection(
        &self,
        _environment: &EnvironmentId,
        _new: NewConnection,
        _actor: &Actor,
    ) -> Result<Arc<Connection>, Fault> {
        todo!()
    }

    /// Connections of an environment by name.
    ///
    /// # Errors
    /// The store fails.
    pub async fn connections(&self, _environment: &EnvironmentId) -> Result<Vec<Arc<Connection>>, Fault> {
        todo!()
    }

    /// One connection.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn connection(
        &self,
        _environment: &EnvironmentId,
        _name: &ConnectionName,
    ) -> Result<Arc<Connection>, Fault> {
        todo!()
    }

    /// Pins a connection to a connector version, or unpins it.
    ///
    /// # Errors
    /// `not_found` for an unknown connection or a version that is not loaded.
    pub async fn pin_connection(
        &self,
        _environment: &EnvironmentId,
        _name: &ConnectionName,
        _version: Option<String>,
        _actor: &Actor,
    ) -> Result<Arc<Connection>, Fault> {
        todo!()
    }

    /// Removes a connection that has no accounts.
    ///
    /// # Errors
    /// `not_found`; `conflict` while it has accounts.
    pub async fn delete_connection(
        &self,
        _environment: &EnvironmentId,
        _name: &ConnectionName,
        _actor: &Actor,
    ) -> Result<(), Fault> {
        todo!()
    }

    /// Makes (or finds) the account of an identifier on a connection, without a credential.
    ///
    /// # Errors
    /// `not_found` for the connection, `invalid_input` for the configuration.
    pub async fn create_account(
        &self,
        _environment: &EnvironmentId,
        _connection: &ConnectionName,
        _identifier: &Identifier,
        _account_config: BTreeMap<String, String>,
        _actor: &Actor,
    ) -> Result<Arc<Account>, Fault> {
        todo!()
    }

    /// Accounts of an environment, in order of creation.
    ///
    /// # Errors
    /// The store fails.
    pub async fn accounts(
        &self,
        _environment: &EnvironmentId,
        _query: &AccountQuery,
    ) -> Result<Vec<Arc<Account>>, Fault> {
        todo!()
    }

    /// One account.
    ///
    /// # Errors
    /// `account_not_found`.
    pub async fn account(
        &self,
        _environment: &EnvironmentId,
        _id: &AccountId,
    ) -> Result<Arc<Account>, Fault> {
        todo!()
    }

    /// Exactly one usable account of `connector`, or a fault that names the choices, or the link
    /// by which the owner can mend it.
    ///
    /// # Errors
    /// `account_not_found`, `account_ambiguous`, `account_not_active`, `invalid_input` when the
    /// selector names nothing.
    pub async fn pick(
        &self,
        _environment: &EnvironmentId,
        _connector: &ConnectorId,
        _selector: &Selector,
    ) -> Result<Usable, Fault> {
        todo!()
    }

    /// A new link for an account, for faults that want one; none when none can be made.
    pub async fn mending_link(&self, _usable: &Usable) -> Option<String> {
        todo!()
    }

    /// Makes a link for the account's owner.
    ///
    /// # Errors
    /// `not_found`, `invalid_input` (a `user_verify_url` that the connection does not list).
    pub async fn create_link(
        &self,
        _environment: &EnvironmentId,
        _request: LinkRequest,
        _actor: &Actor,
    ) -> Result<Link, Fault> {
        todo!()
    }

    /// The browser opened a link: the vendor's consent page, or the form.
    ///
    /// # Errors
    /// `flow_invalid`.
    pub async fn open_link(&self, _ticket: &str) -> Result<Step, Fault> {
        todo!()
    }

    /// The vendor sent the browser back to the redirect URI of one connection.
    ///
    /// # Errors
    /// `flow_invalid`; the account's own faults.
    pub async fn callback(
        &self,
        _environment: &EnvironmentId,
        _connection: &ConnectionName,
        _query: CallbackQuery,
    ) -> Result<Step, Fault> {
        todo!()
    }

    /// The browser sent the credential form.
    ///
    /// # Errors
    /// `flow_invalid`; a wrong credential is a [`Step::Form`] with its problem.
    pub async fn submit_form(&self, _ticket: &str, _values: BTreeMap<String, Secret>) -> Result<Step, Fault> {
        todo!()
    }

    /// The application confirms who completed a link; only now is the code exchanged.
    ///
    /// # Errors
    /// `flow_invalid` for an unknown, expired or used attempt or another identifier (the same
    /// answer), the vendor's refusal.
    pub async fn verify_user(
        &self,
        _environment: &EnvironmentId,
        _auth_request: &AuthRequestId,
        _identifier: &Identifier,
        _actor: &Actor,
    ) -> Result<Arc<Account>, Fault> {
        todo!()
    }

    /// Ends an account: unusable at once, revoked at the vendor, its credential destroyed.
    ///
    /// # Errors
    /// `account_not_found`, the store fails.
    pub async fn disconnect(
        &self,
        _environment: &EnvironmentId,
        _id: &AccountId,
        _actor: &Actor,
    ) -> Result<Revocation, Fault> {
        todo!()
    }

    /// Ends an account and removes its record.
    ///
    /// # Errors
    /// As [`Accounts::disconnect`].
    pub async fn delete(
        &self,
        _environment: &EnvironmentId,
        _id: &AccountId,
        _actor: &Actor,
    ) -> Result<Revocation, Fault> {
        todo!()
    }
}
