//! `scalekit.v1.tools`.

use prost_types::Struct;

/// A tool.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Tool {
    /// Its own name.
    #[prost(string, tag = "1")]
    pub id: String,
    /// The connector, in upper case.
    #[prost(string, tag = "2")]
    pub provider: String,
    /// Name, description, `input_schema` and `annotations`.
    #[prost(message, optional, tag = "3")]
    pub definition: Option<Struct>,
    /// The version of the connector.
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Struct>,
    /// Words to filter by.
    #[prost(string, repeated, tag = "5")]
    pub tags: Vec<String>,
}

/// A tool with the account that it would use.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ScopedTool {
    /// The tool.
    #[prost(message, optional, tag = "1")]
    pub tool: Option<Tool>,
    /// The application's key for the user.
    #[prost(string, tag = "2")]
    pub identifier: String,
    /// `ca_…`.
    #[prost(string, tag = "3")]
    pub connected_account_id: String,
}

/// Which tools, and which page of them.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListRequest {
    /// Which.
    #[prost(message, optional, tag = "1")]
    pub filter: Option<Filter>,
    /// Items at most; zero for all.
    #[prost(uint32, tag = "2")]
    pub page_size: u32,
    /// `next_page_token` of the page before.
    #[prost(string, tag = "3")]
    pub page_token: String,
}

/// What a list of tools can be narrowed by.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Filter {
    /// Names alone.
    #[prost(message, optional, tag = "1")]
    pub summary: Option<bool>,
    /// Only of this connector.
    #[prost(string, tag = "2")]
    pub provider: String,
    /// Only those that this user can call now.
    #[prost(string, tag = "3")]
    pub identifier: String,
    /// Only of these names.
    #[prost(string, repeated, tag = "4")]
    pub tool_name: Vec<String>,
    /// Only with these words.
    #[prost(string, optional, tag = "5")]
    pub query: Option<String>,
    /// Only of the connector of this connection.
    #[prost(string, optional, tag = "6")]
    pub connector: Option<String>,
    /// Not known here.
    #[prost(string, optional, tag = "7")]
    pub organization_id: Option<String>,
    /// Not known here.
    #[prost(string, optional, tag = "8")]
    pub user_id: Option<String>,
    /// Only of the connector of this account.
    #[prost(string, optional, tag = "9")]
    pub connected_account_id: Option<String>,
}

/// A page of tools.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListResponse {
    /// For the next page; empty on the last.
    #[prost(string, tag = "1")]
    pub next_page_token: String,
    /// On all pages.
    #[prost(uint32, tag = "2")]
    pub total_size: u32,
    /// Names of the page.
    #[prost(string, repeated, tag = "4")]
    pub tool_names: Vec<String>,
    /// The page, unless names alone were asked for.
    #[prost(message, repeated, tag = "5")]
    pub tools: Vec<Tool>,
}

/// Whose tools, which of them, and which page.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ScopedRequest {
    /// The application's key for the user.
    #[prost(string, tag = "1")]
    pub identifier: String,
    /// Which.
    #[prost(message, optional, tag = "2")]
    pub filter: Option<ScopedFilter>,
    /// Items at most; zero for all.
    #[prost(uint32, tag = "3")]
    pub page_size: u32,
    /// `next_page_token` of the page before.
    #[prost(string, tag = "4")]
    pub page_token: String,
}

/// What a user's tools can be narrowed by.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ScopedFilter {
    /// Only of these connectors, in any case of letters.
    #[prost(string, repeated, tag = "1")]
    pub providers: Vec<String>,
    /// Only of these names.
    #[prost(string, repeated, tag = "2")]
    pub tool_names: Vec<String>,
    /// Only on these connections.
    #[prost(string, repeated, tag = "3")]
    pub connection_names: Vec<String>,
}

/// A page of a user's tools. There is no field 4.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ScopedResponse {
    /// For the next page; empty on the last.
    #[prost(string, tag = "1")]
    pub next_page_token: String,
    /// On all pages.
    #[prost(uint32, tag = "2")]
    pub total_size: u32,
    /// The page.
    #[prost(message, repeated, tag = "5")]
    pub tools: Vec<ScopedTool>,
}

/// Whose tools there could be, and which page of them.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AvailableRequest {
    /// The application's key for the user.
    #[prost(string, tag = "1")]
    pub identifier: String,
    /// Items at most; zero for all.
    #[prost(uint32, tag = "2")]
    pub page_size: u32,
    /// `next_page_token` of the page before.
    #[prost(string, tag = "3")]
    pub page_token: String,
}

/// A page of tools.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AvailableResponse {
    /// For the next page; empty on the last.
    #[prost(string, tag = "1")]
    pub next_page_token: String,
    /// On all pages.
    #[prost(uint32, tag = "2")]
    pub total_size: u32,
    /// The page.
    #[prost(message, repeated, tag = "4")]
    pub tools: Vec<Tool>,
}

/// What is looked for.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SearchRequest {
    /// A few words.
    #[prost(string, tag = "1")]
    pub query: String,
    /// Whose accounts decide what is ready.
    #[prost(string, optional, tag = "2")]
    pub identifier: Option<String>,
    /// Items at most; zero for the usual.
    #[prost(uint32, tag = "3")]
    pub top_k: u32,
}

/// The best tools.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SearchResponse {
    /// Best first.
    #[prost(message, repeated, tag = "1")]
    pub tools: Vec<SearchedTool>,
}

/// A tool that was found.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SearchedTool {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The connector, in upper case.
    #[prost(string, tag = "2")]
    pub provider: String,
    /// What it does.
    #[prost(string, tag = "3")]
    pub description: String,
    /// How well it fits.
    #[prost(double, tag = "4")]
    pub score: f64,
    /// Where the user could call it.
    #[prost(message, repeated, tag = "5")]
    pub connections: Vec<ConnectionReadiness>,
}

/// Whether a tool can be called on a connection.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ConnectionReadiness {
    /// The connection.
    #[prost(string, tag = "1")]
    pub connection_name: String,
    /// The user's account there.
    #[prost(string, tag = "2")]
    pub connected_account_id: String,
    /// Whether.
    #[prost(enumeration = "Readiness", tag = "3")]
    pub readiness_state: i32,
}

/// Whether a tool can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub enum Readiness {
    /// Never sent.
    Unspecified = 0,
    /// Now.
    Ready = 1,
    /// After the user has connected an account.
    NeedsConnection = 2,
    /// After the user has authorized their account again.
    NeedsReauth = 3,
}

/// A tool call.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ExecuteRequest {
    /// Name of the tool, or an alias.
    #[prost(string, tag = "1")]
    pub tool_name: String,
    /// The application's key for the user.
    #[prost(string, optional, tag = "2")]
    pub identifier: Option<String>,
    /// The tool's input; absent when it is empty.
    #[prost(message, optional, tag = "3")]
    pub params: Option<Struct>,
    /// Or the account itself.
    #[prost(string, optional, tag = "4")]
    pub connected_account_id: Option<String>,
    /// The connection.
    #[prost(string, optional, tag = "5")]
    pub connector: Option<String>,
    /// Not known here.
    #[prost(string, optional, tag = "6")]
    pub organization_id: Option<String>,
    /// Not known here.
    #[prost(string, optional, tag = "7")]
    pub user_id: Option<String>,
    /// The agent's own name for its run.
    #[prost(string, optional, tag = "8")]
    pub agent_run_id: Option<String>,
}

/// What a call answers.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ExecuteResponse {
    /// The result.
    #[prost(message, optional, tag = "1")]
    pub data: Option<Struct>,
    /// The execution.
    #[prost(string, tag = "2")]
    pub execution_id: String,
}
