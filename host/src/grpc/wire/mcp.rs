//! `scalekit.v1.mcp`: a *config* is what this host calls a virtual MCP server, an *instance* one
//! user on it.

use prost_types::{Duration, Timestamp};

/// A virtual server.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Config {
    /// `mcp_…`.
    #[prost(string, tag = "1")]
    pub id: String,
    /// Its name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// What it is for.
    #[prost(string, tag = "3")]
    pub description: String,
    /// Its connections.
    #[prost(message, repeated, tag = "4")]
    pub connection_tool_mappings: Vec<Mapping>,
    /// Where agents reach it.
    #[prost(string, tag = "5")]
    pub mcp_server_url: String,
}

/// One connection of a server.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Mapping {
    /// `conn_…`.
    #[prost(string, tag = "1")]
    pub connection_id: String,
    /// Its name.
    #[prost(string, tag = "2")]
    pub connection_name: String,
    /// The connector, in upper case.
    #[prost(string, tag = "3")]
    pub provider: String,
    /// Names of its tools; none for all.
    #[prost(string, repeated, tag = "4")]
    pub tools: Vec<String>,
}

/// One user on a server.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Instance {
    /// Of server and user.
    #[prost(string, tag = "1")]
    pub id: String,
    /// The server's name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// The application's key for the user.
    #[prost(string, tag = "3")]
    pub user_identifier: String,
    /// The server.
    #[prost(message, optional, tag = "4")]
    pub config: Option<Config>,
    /// Last change of the server.
    #[prost(message, optional, tag = "6")]
    pub updated_at: Option<Timestamp>,
    /// Where agents reach it, with a session token.
    #[prost(string, tag = "7")]
    pub url: String,
}

/// How far a user is on one connection.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AuthState {
    /// `conn_…`.
    #[prost(string, tag = "1")]
    pub connection_id: String,
    /// Its name.
    #[prost(string, tag = "2")]
    pub connection_name: String,
    /// The connector, in upper case.
    #[prost(string, tag = "3")]
    pub provider: String,
    /// The user's account there.
    #[prost(string, optional, tag = "4")]
    pub connected_account_id: Option<String>,
    /// `active`, `expired`, `disconnected` …
    #[prost(string, optional, tag = "5")]
    pub connected_account_status: Option<String>,
    /// Where the user connects it.
    #[prost(string, tag = "6")]
    pub authentication_link: String,
}

/// A server to make, or one that was made or changed.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ConfigMessage {
    /// The server.
    #[prost(message, optional, tag = "1")]
    pub config: Option<Config>,
}

/// What becomes different on a server.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UpdateConfigRequest {
    /// `mcp_…`.
    #[prost(string, tag = "1")]
    pub config_id: String,
    /// Another description; empty leaves it.
    #[prost(string, tag = "2")]
    pub description: String,
    /// Other connections; none leaves them.
    #[prost(message, repeated, tag = "3")]
    pub connection_tool_mappings: Vec<Mapping>,
}

/// Names a server.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ConfigRequest {
    /// `mcp_…`.
    #[prost(string, tag = "1")]
    pub config_id: String,
}

/// Which servers, and which page of them.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListConfigsRequest {
    /// Which.
    #[prost(message, optional, tag = "1")]
    pub filter: Option<ConfigFilter>,
    /// Only with this text.
    #[prost(string, tag = "2")]
    pub search: String,
    /// Items at most; zero for all.
    #[prost(uint32, tag = "3")]
    pub page_size: u32,
    /// `next_page_token` of the page before.
    #[prost(string, tag = "4")]
    pub page_token: String,
}

/// What a list of servers can be narrowed by.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ConfigFilter {
    /// Only this one.
    #[prost(string, tag = "1")]
    pub id: String,
    /// Only of this name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Only with a connection of this connector.
    #[prost(string, tag = "3")]
    pub provider: String,
    /// Only at this URL.
    #[prost(string, tag = "4")]
    pub mcp_server_url: String,
}

/// A page of servers.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListConfigsResponse {
    /// The servers.
    #[prost(message, repeated, tag = "1")]
    pub configs: Vec<Config>,
    /// For the next page; empty on the last.
    #[prost(string, tag = "2")]
    pub next_page_token: String,
    /// On all pages.
    #[prost(uint32, tag = "4")]
    pub total_size: u32,
}

/// A user on a server.
#[derive(Clone, PartialEq, prost::Message)]
pub struct EnsureInstanceRequest {
    /// Not kept here.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The server's name.
    #[prost(string, tag = "2")]
    pub config_name: String,
    /// The application's key for the user.
    #[prost(string, tag = "3")]
    pub user_identifier: String,
}

/// Names an instance.
#[derive(Clone, PartialEq, prost::Message)]
pub struct InstanceRequest {
    /// As [`Instance`] has it.
    #[prost(string, tag = "1")]
    pub instance_id: String,
}

/// What becomes different on an instance.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UpdateInstanceRequest {
    /// As [`Instance`] has it.
    #[prost(string, tag = "1")]
    pub instance_id: String,
    /// Its server's, or empty.
    #[prost(string, tag = "2")]
    pub name: String,
    /// The name of another server; empty leaves it.
    #[prost(string, tag = "3")]
    pub config_name: String,
}

/// Which instances, and which page of them.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListInstancesRequest {
    /// Which.
    #[prost(message, optional, tag = "1")]
    pub filter: Option<InstanceFilter>,
    /// Only of servers with this text.
    #[prost(string, tag = "2")]
    pub search: String,
    /// Items at most; zero for all.
    #[prost(uint32, tag = "3")]
    pub page_size: u32,
    /// `next_page_token` of the page before.
    #[prost(string, tag = "4")]
    pub page_token: String,
}

/// What a list of instances can be narrowed by.
#[derive(Clone, PartialEq, prost::Message)]
pub struct InstanceFilter {
    /// Only this one.
    #[prost(string, tag = "1")]
    pub id: String,
    /// Only of this name, which is the server's.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Only on the server of this name.
    #[prost(string, tag = "3")]
    pub config_name: String,
    /// Only of this user.
    #[prost(string, tag = "4")]
    pub user_identifier: String,
}

/// A page of instances.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListInstancesResponse {
    /// The instances.
    #[prost(message, repeated, tag = "1")]
    pub instances: Vec<Instance>,
    /// For the next page; empty on the last.
    #[prost(string, tag = "2")]
    pub next_page_token: String,
    /// On all pages.
    #[prost(uint32, tag = "4")]
    pub total_size: u32,
}

/// One instance.
#[derive(Clone, PartialEq, prost::Message)]
pub struct InstanceResponse {
    /// The instance.
    #[prost(message, optional, tag = "1")]
    pub instance: Option<Instance>,
}

/// How far an instance's user is.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AuthStateRequest {
    /// As [`Instance`] has it.
    #[prost(string, tag = "1")]
    pub instance_id: String,
    /// Whether to make links.
    #[prost(bool, tag = "2")]
    pub include_auth_links: bool,
}

/// How far a user is on a server.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AccountsRequest {
    /// `mcp_…`.
    #[prost(string, tag = "1")]
    pub config_id: String,
    /// The application's key for the user.
    #[prost(string, tag = "2")]
    pub identifier: String,
    /// Whether to make links.
    #[prost(bool, tag = "3")]
    pub include_auth_link: bool,
}

/// How far a user is, connection by connection.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AuthStateResponse {
    /// The connections.
    #[prost(message, repeated, tag = "1")]
    pub connections: Vec<AuthState>,
}

/// What a session is asked for with.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SessionTokenRequest {
    /// The server.
    #[prost(string, tag = "1")]
    pub mcp_config_id: String,
    /// The application's key for the user.
    #[prost(string, tag = "2")]
    pub identifier: String,
    /// Its life.
    #[prost(message, optional, tag = "3")]
    pub expiry: Option<Duration>,
    /// Or the connection, by name.
    #[prost(string, tag = "4")]
    pub key_id: String,
    /// Empty, `FULL` or `READ_ONLY`.
    #[prost(string, tag = "5")]
    pub access_level: String,
}

/// A session token, shown once.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SessionTokenResponse {
    /// The bearer token.
    #[prost(string, tag = "1")]
    pub token: String,
    /// Its end.
    #[prost(message, optional, tag = "2")]
    pub expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for SessionTokenResponse {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SessionTokenResponse")
    }
}
