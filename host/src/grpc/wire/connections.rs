//! `scalekit.v1.connections`.

use prost_types::Timestamp;
use valetkey_manifest::AuthKind;

use crate::id::ConnectionName;

/// Before the name of a connection in its id.
const PREFIX: &str = "conn_";

/// The id of a connection: connections here are known by name, the packages want an id.
pub fn id(name: &ConnectionName) -> String {
    format!("{PREFIX}{name}")
}

/// The name in an id of [`id`].
pub fn name(id: &str) -> Option<&str> {
    id.strip_prefix(PREFIX)
}

/// Which connections, and which page of them.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListRequest {
    /// Items at most; zero for all.
    #[prost(uint32, tag = "1")]
    pub page_size: u32,
    /// `next_page_token` of the page before.
    #[prost(string, tag = "2")]
    pub page_token: String,
    /// Only of this connector.
    #[prost(string, optional, tag = "3")]
    pub provider: Option<String>,
    /// Only with this text in the name.
    #[prost(string, optional, tag = "4")]
    pub query: Option<String>,
}

/// A page of connections.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListResponse {
    /// The connections.
    #[prost(message, repeated, tag = "1")]
    pub connections: Vec<Connection>,
    /// For the next page; empty on the last.
    #[prost(string, tag = "2")]
    pub next_page_token: String,
    /// On all pages.
    #[prost(uint32, tag = "4")]
    pub total_size: u32,
}

/// A connection.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Connection {
    /// `conn_…`.
    #[prost(string, tag = "1")]
    pub id: String,
    /// Kind of credential.
    #[prost(enumeration = "ConnectionType", tag = "3")]
    pub r#type: i32,
    /// Always ready.
    #[prost(enumeration = "ConnectionStatus", tag = "4")]
    pub status: i32,
    /// Always.
    #[prost(bool, tag = "5")]
    pub enabled: bool,
    /// The connector, in upper case.
    #[prost(string, tag = "10")]
    pub provider_key: String,
    /// Its name.
    #[prost(string, tag = "11")]
    pub key_id: String,
    /// Creation.
    #[prost(message, optional, tag = "12")]
    pub created_at: Option<Timestamp>,
}

/// Kind of credential: those that this host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub enum ConnectionType {
    /// Never sent.
    Invalid = 0,
    /// OAuth 2.
    Oauth = 4,
    /// User name and password.
    Basic = 6,
    /// A bearer token.
    Bearer = 7,
    /// An API key.
    ApiKey = 8,
    /// None is needed.
    NoAuth = 15,
}

impl From<AuthKind> for ConnectionType {
    fn from(kind: AuthKind) -> Self {
        match kind {
            AuthKind::Oauth2 => Self::Oauth,
            AuthKind::ApiKey => Self::ApiKey,
            AuthKind::Bearer => Self::Bearer,
            AuthKind::Basic => Self::Basic,
            AuthKind::None => Self::NoAuth,
            // The protocol has no words for these.
            AuthKind::Keys | AuthKind::JwtBearer | AuthKind::ClientCredentials => Self::Invalid,
        }
    }
}

/// Whether a connection can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub enum ConnectionStatus {
    /// Never sent.
    Unspecified = 0,
    /// It can.
    Completed = 3,
}
