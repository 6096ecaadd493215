//! What callers give: new connections, selectors, link requests, list filters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::AccountState;
use crate::id::{AccountId, ConnectionName, ConnectorId, Identifier};
use crate::secret::Secret;

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
    /// For the kinds `jwt_bearer` and `client_credentials`: the token endpoint instead of the
    /// manifest's.
    #[serde(default)]
    pub token_url: Option<String>,
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
    /// Allows raw requests (`/proxy`) with the credentials of its accounts. A raw request may be
    /// anything that the credential may do; tools are narrower.
    #[serde(default)]
    pub proxy: bool,
    /// The URLs that a link may name as `user_verify_url`, compared exactly.
    #[serde(default)]
    pub user_verify_urls: Vec<String>,
    /// Name of the operator's application on hosted pages.
    #[serde(default)]
    pub application_name: Option<String>,
}

/// What an operator changes about a connection.
#[derive(Debug, Clone, Default)]
pub struct ConnectionChange {
    /// Serve calls by this version of the connector, or (`Some(None)`) by whichever is active.
    pub pinned_version: Option<Option<String>>,
    /// Allow raw requests, or no longer.
    pub proxy: Option<bool>,
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
    /// [`super::Accounts::verify_user`], unless the owner may have to choose a site before.
    pub user_verify_url: Option<String>,
    /// The application's own state, given back to `user_verify_url`. At most 1 KiB.
    pub state: Option<String>,
    /// Account configuration that the application knows already.
    pub account_config: BTreeMap<String, String>,
}

/// What an application gives for an account: its user, and what it knows of the account already.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The connection.
    pub connection_name: ConnectionName,
    /// The application's key for the user.
    pub identifier: Identifier,
    /// Configuration beside the credential, by the manifest's names.
    pub account_config: BTreeMap<String, String>,
    /// The credential, where the application has it and no link is needed.
    pub credential: Option<GivenCredential>,
}

/// What becomes different on an account; what is not named stays.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// Configuration that is new or has another value.
    pub account_config: BTreeMap<String, String>,
    /// The credential from now on.
    pub credential: Option<GivenCredential>,
}

/// A credential that an application brings itself. It is tried at the vendor before it is kept.
#[derive(Debug, Clone)]
pub enum GivenCredential {
    /// The inputs of the connection's kind by name: `api_key`; `token`; `username` and `password`;
    /// for other kinds those that the connector declares.
    Inputs(BTreeMap<String, Secret>),
    /// Tokens that the vendor issued to the OAuth application of the connection.
    Tokens {
        /// The access token.
        access: Secret,
        /// The refresh token, without which the account expires with the access token.
        refresh: Option<Secret>,
        /// What was granted; empty when it is not known.
        scopes: Vec<String>,
        /// When the access token expires, milliseconds since 1970; none when it is not known.
        expires_at_ms: Option<i64>,
    },
}

/// Filter and page of an account list.
#[derive(Debug, Clone, Default)]
pub struct AccountQuery {
    /// Only these connections; all when empty.
    pub connection_names: Vec<ConnectionName>,
    /// Only connections of this connector.
    pub connector: Option<ConnectorId>,
    /// Only this identifier.
    pub identifier: Option<Identifier>,
    /// Only this state.
    pub state: Option<AccountState>,
    /// Only accounts with this text in their identifier, label or connection, whatever its case.
    pub text: Option<String>,
    /// After this account.
    pub after: Option<AccountId>,
    /// At most this many.
    pub limit: usize,
}
