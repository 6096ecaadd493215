//! `scalekit.v1.connected_accounts`.

use std::fmt;

use prost_types::{Struct, Timestamp};
use valetkey_manifest::AuthKind;

use super::time;
use crate::accounts::AccountState;

/// One user's account, without its credential.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ConnectedAccount {
    /// The application's key for the user.
    #[prost(string, tag = "1")]
    pub identifier: String,
    /// The connector, in upper case.
    #[prost(string, tag = "2")]
    pub provider: String,
    /// Where it stands.
    #[prost(enumeration = "Status", tag = "3")]
    pub status: i32,
    /// Kind of credential.
    #[prost(enumeration = "CredentialType", tag = "4")]
    pub authorization_type: i32,
    /// When the access token expires.
    #[prost(message, optional, tag = "6")]
    pub token_expires_at: Option<Timestamp>,
    /// Last change.
    #[prost(message, optional, tag = "7")]
    pub updated_at: Option<Timestamp>,
    /// Its connection.
    #[prost(string, tag = "8")]
    pub connector: String,
    /// `ca_…`.
    #[prost(string, tag = "10")]
    pub id: String,
    /// Of its connection.
    #[prost(string, tag = "11")]
    pub connection_id: String,
    /// Configuration beside the credential; not in lists.
    #[prost(message, optional, tag = "12")]
    pub api_config: Option<Struct>,
}

/// The same in lists, where field 12 means something else.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListedAccount {
    /// The application's key for the user.
    #[prost(string, tag = "1")]
    pub identifier: String,
    /// The connector, in upper case.
    #[prost(string, tag = "2")]
    pub provider: String,
    /// Where it stands.
    #[prost(enumeration = "Status", tag = "3")]
    pub status: i32,
    /// Kind of credential.
    #[prost(enumeration = "CredentialType", tag = "4")]
    pub authorization_type: i32,
    /// When the access token expires.
    #[prost(message, optional, tag = "6")]
    pub token_expires_at: Option<Timestamp>,
    /// Last change.
    #[prost(message, optional, tag = "7")]
    pub updated_at: Option<Timestamp>,
    /// Its connection.
    #[prost(string, tag = "8")]
    pub connector: String,
    /// `ca_…`.
    #[prost(string, tag = "10")]
    pub id: String,
    /// Of its connection.
    #[prost(string, tag = "11")]
    pub connection_id: String,
}

/// Where an account stands. One of the packages stops at a number that it does not know, so there
/// are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub enum Status {
    /// Never sent.
    Unspecified = 0,
    /// Usable.
    Active = 1,
    /// The vendor refused the credential.
    Expired = 2,
    /// Nobody has consented yet.
    PendingAuth = 3,
    /// The application has not confirmed who consented.
    PendingVerification = 4,
    /// Ended by someone.
    Disconnected = 5,
}

impl From<AccountState> for Status {
    fn from(state: AccountState) -> Self {
        match state {
            AccountState::PendingAuth => Self::PendingAuth,
            AccountState::PendingVerification => Self::PendingVerification,
            AccountState::Active => Self::Active,
            AccountState::Expired => Self::Expired,
            AccountState::Disconnected => Self::Disconnected,
        }
    }
}

/// Kind of credential: those that this host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub enum CredentialType {
    /// Never sent.
    Unspecified = 0,
    /// OAuth 2.
    Oauth = 1,
    /// An API key.
    ApiKey = 2,
    /// A bearer token.
    Bearer = 4,
    /// User name and password.
    Basic = 6,
    /// None is needed.
    NoAuth = 12,
}

impl From<AuthKind> for CredentialType {
    fn from(kind: AuthKind) -> Self {
        match kind {
            AuthKind::Oauth2 => Self::Oauth,
            AuthKind::ApiKey => Self::ApiKey,
            AuthKind::Bearer => Self::Bearer,
            AuthKind::Basic => Self::Basic,
            AuthKind::None => Self::NoAuth,
            // The protocol has no words for these.
            AuthKind::Keys | AuthKind::JwtBearer | AuthKind::ClientCredentials => Self::Unspecified,
        }
    }
}

/// Names an account.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AccountRequest {
    /// Not known here.
    #[prost(string, optional, tag = "1")]
    pub organization_id: Option<String>,
    /// Not known here.
    #[prost(string, optional, tag = "2")]
    pub user_id: Option<String>,
    /// The connection.
    #[prost(string, optional, tag = "3")]
    pub connector: Option<String>,
    /// The application's key for the user.
    #[prost(string, optional, tag = "4")]
    pub identifier: Option<String>,
    /// Or the account itself.
    #[prost(string, optional, tag = "5")]
    pub id: Option<String>,
}

/// One account.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AccountResponse {
    /// The account.
    #[prost(message, optional, tag = "1")]
    pub connected_account: Option<ConnectedAccount>,
}

/// Makes an account.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CreateRequest {
    /// Not known here.
    #[prost(string, optional, tag = "1")]
    pub organization_id: Option<String>,
    /// Not known here.
    #[prost(string, optional, tag = "2")]
    pub user_id: Option<String>,
    /// The connection.
    #[prost(string, optional, tag = "3")]
    pub connector: Option<String>,
    /// The application's key for the user.
    #[prost(string, optional, tag = "4")]
    pub identifier: Option<String>,
    /// What is known of it.
    #[prost(message, optional, tag = "5")]
    pub connected_account: Option<NewAccount>,
}

/// What is known of a new account.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NewAccount {
    /// Its credential.
    #[prost(message, optional, tag = "5")]
    pub authorization_details: Option<AuthorizationDetails>,
    /// Configuration beside it.
    #[prost(message, optional, tag = "11")]
    pub api_config: Option<Struct>,
}

/// Changes an account.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UpdateRequest {
    /// Not known here.
    #[prost(string, optional, tag = "1")]
    pub organization_id: Option<String>,
    /// Not known here.
    #[prost(string, optional, tag = "2")]
    pub user_id: Option<String>,
    /// The connection.
    #[prost(string, optional, tag = "3")]
    pub connector: Option<String>,
    /// The application's key for the user.
    #[prost(string, optional, tag = "4")]
    pub identifier: Option<String>,
    /// What becomes different.
    #[prost(message, optional, tag = "5")]
    pub connected_account: Option<Change>,
    /// Or the account itself.
    #[prost(string, optional, tag = "6")]
    pub id: Option<String>,
    /// Not known here.
    #[prost(message, optional, tag = "7")]
    pub scope_selection: Option<ScopeSelection>,
}

/// What becomes different.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Change {
    /// Its credential.
    #[prost(message, optional, tag = "5")]
    pub authorization_details: Option<AuthorizationDetails>,
    /// Configuration beside it.
    #[prost(message, optional, tag = "10")]
    pub api_config: Option<Struct>,
}

/// Scopes that one account asks for.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ScopeSelection {
    /// Those that it needs.
    #[prost(string, repeated, tag = "1")]
    pub scopes: Vec<String>,
    /// Those that it can do without.
    #[prost(string, repeated, tag = "2")]
    pub optional_scopes: Vec<String>,
}

/// A credential.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AuthorizationDetails {
    /// Of one kind.
    #[prost(oneof = "Credential", tags = "1, 2, 3, 4")]
    pub credential: Option<Credential>,
}

/// The kinds of credential.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Credential {
    /// OAuth tokens.
    #[prost(message, tag = "1")]
    Oauth(OauthToken),
    /// Inputs by name.
    #[prost(message, tag = "2")]
    Static(StaticAuth),
    /// Not known here.
    #[prost(message, tag = "3")]
    GoogleDomainWide(Unknown),
    /// Not known here.
    #[prost(message, tag = "4")]
    TrustedIdp(Unknown),
}

/// OAuth tokens. All empty means that there are none.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct OauthToken {
    /// The access token.
    #[prost(string, tag = "1")]
    pub access_token: String,
    /// The refresh token.
    #[prost(string, tag = "2")]
    pub refresh_token: String,
    /// What was granted.
    #[prost(string, repeated, tag = "3")]
    pub scopes: Vec<String>,
}

/// Inputs by name.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct StaticAuth {
    /// `api_key`; `token`; `username` and `password`; and configuration.
    #[prost(message, optional, tag = "1")]
    pub details: Option<Struct>,
}

impl fmt::Debug for OauthToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("OauthToken")
    }
}

impl fmt::Debug for StaticAuth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("StaticAuth")
    }
}

/// A message whose fields do not matter.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Unknown {}

/// Nothing to say.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Empty {}

/// Which accounts, and which page of them.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListRequest {
    /// Not known here.
    #[prost(string, optional, tag = "1")]
    pub organization_id: Option<String>,
    /// Not known here.
    #[prost(string, optional, tag = "2")]
    pub user_id: Option<String>,
    /// Only of this connection.
    #[prost(string, optional, tag = "3")]
    pub connector: Option<String>,
    /// Only of this user.
    #[prost(string, optional, tag = "4")]
    pub identifier: Option<String>,
    /// Only of this connector.
    #[prost(string, tag = "5")]
    pub provider: String,
    /// Items at most; zero for the usual.
    #[prost(uint32, tag = "6")]
    pub page_size: u32,
    /// `next_page_token` of the page before.
    #[prost(string, tag = "7")]
    pub page_token: String,
    /// Only with this text.
    #[prost(string, tag = "8")]
    pub query: String,
    /// Only of these connections.
    #[prost(string, repeated, tag = "9")]
    pub connection_names: Vec<String>,
    /// Only credentials of a whole organization, of which there are none here.
    #[prost(bool, optional, tag = "10")]
    pub is_org_wide_credential: Option<bool>,
}

/// Which accounts by their words, and which page of them.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SearchRequest {
    /// Only with this text.
    #[prost(string, tag = "1")]
    pub query: String,
    /// Items at most; zero for the usual.
    #[prost(uint32, tag = "2")]
    pub page_size: u32,
    /// `next_page_token` of the page before.
    #[prost(string, tag = "3")]
    pub page_token: String,
    /// Only of this connection, `conn_…`.
    #[prost(string, tag = "4")]
    pub connection_id: String,
}

/// A page of accounts.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListResponse {
    /// The accounts.
    #[prost(message, repeated, tag = "1")]
    pub connected_accounts: Vec<ListedAccount>,
    /// On all pages.
    #[prost(uint32, tag = "2")]
    pub total_size: u32,
    /// For the next page; empty on the last.
    #[prost(string, tag = "3")]
    pub next_page_token: String,
}

/// What a link is asked for with. There is no field 6.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MagicLinkRequest {
    /// Not known here.
    #[prost(string, optional, tag = "1")]
    pub organization_id: Option<String>,
    /// Not known here.
    #[prost(string, optional, tag = "2")]
    pub user_id: Option<String>,
    /// The connection.
    #[prost(string, optional, tag = "3")]
    pub connector: Option<String>,
    /// The application's key for the user.
    #[prost(string, optional, tag = "4")]
    pub identifier: Option<String>,
    /// Or the account itself.
    #[prost(string, optional, tag = "5")]
    pub id: Option<String>,
    /// The application's own state.
    #[prost(string, optional, tag = "7")]
    pub state: Option<String>,
    /// Where the browser goes after consent.
    #[prost(string, optional, tag = "8")]
    pub user_verify_url: Option<String>,
}

/// A link.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MagicLinkResponse {
    /// The URL.
    #[prost(string, tag = "1")]
    pub link: String,
    /// When it expires.
    #[prost(message, optional, tag = "2")]
    pub expiry: Option<Timestamp>,
}

/// Who completed a link.
#[derive(Clone, PartialEq, prost::Message)]
pub struct VerifyRequest {
    /// The attempt.
    #[prost(string, tag = "1")]
    pub auth_request_id: String,
    /// The user who is signed in at the application.
    #[prost(string, tag = "2")]
    pub identifier: String,
}

/// It is confirmed.
#[derive(Clone, PartialEq, prost::Message)]
pub struct VerifyResponse {
    /// Where the application may send the browser.
    #[prost(string, tag = "1")]
    pub post_user_verify_redirect_url: String,
}

impl ConnectedAccount {
    /// As single answers show an account.
    pub fn of(account: &crate::accounts::Account) -> Self {
        let config = account.account_config.iter();
        Self {
            identifier: account.identifier.to_string(),
            provider: account.connector.as_str().to_uppercase(),
            status: Status::from(account.state).into(),
            authorization_type: CredentialType::from(account.credential_kind).into(),
            token_expires_at: account.token_expires_at_ms.map(time),
            updated_at: Some(time(account.updated_at_ms)),
            connector: account.connection.to_string(),
            id: account.id.to_string(),
            connection_id: super::connections::id(&account.connection),
            api_config: (!account.account_config.is_empty()).then(|| Struct {
                fields: config
                    .map(|(name, value)| (name.clone(), value.clone().into()))
                    .collect(),
            }),
        }
    }
}

impl ListedAccount {
    /// As lists show an account.
    pub fn of(account: &crate::accounts::Account) -> Self {
        let whole = ConnectedAccount::of(account);
        Self {
            identifier: whole.identifier,
            provider: whole.provider,
            status: whole.status,
            authorization_type: whole.authorization_type,
            token_expires_at: whole.token_expires_at,
            updated_at: whole.updated_at,
            connector: whole.connector,
            id: whole.id,
            connection_id: whole.connection_id,
        }
    }
}
