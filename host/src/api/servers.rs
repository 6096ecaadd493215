//! `/api/v1/mcp_servers`: virtual MCP servers, the sessions of users on them, and how far a user
//! is with connecting. A connection has sessions of its own, for a server of that connection alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, json, no_content};
use super::ask::{Json, Query, Who, named, scope};
use super::list::{self, Page};
use super::time;
use crate::access::{Caller, Scope};
use crate::accounts::{AccountState, Reason};
use crate::error::Kind;
use crate::id::{ConnectorId, Identifier, ServerId, ServerName, SessionId};
use crate::runtime::Runtime;
use crate::servers::{
    AccessLevel, AuthState, Mapping, NewServer, NewSession, SearchMode, Server, ServerChange, ServerQuery,
    Servers, Session, SessionQuery, Target,
};

/// A virtual MCP server.
#[derive(Serialize, ToSchema)]
#[schema(as = McpServer)]
pub(super) struct View<'a> {
    /// Its id, `mcp_…`.
    id: &'a str,
    /// Its name, unique in the environment.
    name: &'a str,
    /// What it is for; agents read it.
    description: &'a str,
    /// Its connections and which of their tools; none for every connection of the environment.
    mappings: &'a [Mapping],
    /// Only tools with one of these tags; none for any.
    tags: &'a BTreeSet<String>,
    /// Only tools that change nothing (`true`), only the others (`false`), or both (null).
    read_only: Option<bool>,
    /// Whether a caller also sends an API access token, in the header `X-Valetkey-Api-Token`.
    require_api_token: bool,
    /// Whether agents see the tools, or four tools by which they find and call them.
    search: SearchMode,
    /// The URL that agents use, with a session's token.
    url: String,
    /// Creation, RFC 3339.
    created_at: String,
    /// Last change, RFC 3339.
    updated_at: String,
}

impl<'a> View<'a> {
    fn of(servers: &Servers, server: &'a Server) -> Self {
        Self {
            id: server.id.as_str(),
            name: server.name.as_str(),
            description: &server.description,
            mappings: &server.mappings,
            tags: &server.tags,
            read_only: server.read_only,
            require_api_token: server.require_api_token,
            search: server.search,
            url: servers.url(&Target::Server(server.id.clone())),
            created_at: time(server.created_at_ms),
            updated_at: time(server.updated_at_ms),
        }
    }
}

/// A page of servers, in order of creation.
#[derive(Serialize, ToSchema)]
#[schema(as = McpServerList)]
#[allow(dead_code, reason = "the shape of the document; lists render by `list`")]
pub(super) struct ViewList<'a> {
    items: Vec<View<'a>>,
    /// For the next page; absent on the last.
    next_cursor: Option<String>,
}

/// Which servers, and which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only the one of this name.
    #[param(value_type = Option<String>)]
    name: Option<ServerName>,
    /// Only those with a connection of this connector.
    #[param(value_type = Option<String>)]
    connector: Option<ConnectorId>,
    /// Only those whose name or description has this text.
    search: Option<String>,
    /// Items at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What a session is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMcpSession)]
pub(super) struct AskSession {
    /// The application's key for the user in whose name tools run.
    #[schema(value_type = String)]
    identifier: Identifier,
    /// Seconds until the session ends.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 86_400, default = 3_600)]
    ttl_seconds: Option<u64>,
    /// Whatever the server shows, or only tools that change nothing.
    #[serde(default)]
    access_level: AccessLevel,
    /// Only these tools of those that the server shows.
    #[serde(default)]
    tools: Option<BTreeSet<String>>,
}

/// One user's session, without its token.
#[derive(Serialize, ToSchema)]
#[schema(as = McpSession)]
pub(super) struct SessionView<'a> {
    /// Its id, `mses_…`.
    id: &'a str,
    /// The one URL that its token opens.
    url: String,
    /// The user in whose name tools run.
    identifier: &'a str,
    /// What it may do.
    access_level: AccessLevel,
    /// Only these tools; null for all that the server shows.
    tools: Option<&'a BTreeSet<String>>,
    /// Creation, RFC 3339.
    created_at: String,
    /// End, RFC 3339.
    expires_at: String,
}

impl<'a> SessionView<'a> {
    fn of(servers: &Servers, session: &'a Session) -> Self {
        Self {
            id: session.id.as_str(),
            url: servers.url(&session.target),
            identifier: session.identifier.as_str(),
            access_level: session.access,
            tools: session.tools.as_ref(),
            created_at: time(session.created_at_ms),
            expires_at: time(session.expires_at_ms),
        }
    }
}

/// A new session with its token.
#[derive(Serialize, ToSchema)]
#[schema(as = MintedMcpSession)]
pub(super) struct MintedView<'a> {
    /// The bearer token for the session's URL. Shown here and never again.
    token: &'a str,
    /// The session.
    session: SessionView<'a>,
}

/// A page of sessions that have not ended, in order of creation.
#[derive(Serialize, ToSchema)]
#[schema(as = McpSessionList)]
#[allow(dead_code, reason = "the shape of the document; lists render by `list`")]
pub(super) struct SessionViewList<'a> {
    items: Vec<SessionView<'a>>,
    /// For the next page; absent on the last.
    next_cursor: Option<String>,
}

/// Which sessions, and which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SessionListQuery {
    /// Only of this user.
    #[param(value_type = Option<String>)]
    identifier: Option<Identifier>,
    /// Items at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Of whom, and whether with links.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuthStateQuery {
    /// The application's key for the user.
    #[param(value_type = String)]
    identifier: Identifier,
    /// Also make a link for each connection that is not usable yet. Needs `accounts:write` too.
    #[param(default = false)]
    include_links: Option<bool>,
}

/// How far a user is on one connection.
#[derive(Serialize, ToSchema)]
#[schema(as = McpAuthState)]
struct StateView<'a> {
    /// The connection.
    connection_name: &'a str,
    /// Its connector.
    connector: &'a str,
    /// The user's account there, if one was ever made.
    connected_account_id: Option<&'a str>,
    /// Where that account stands.
    state: Option<AccountState>,
    /// Why.
    reason: Option<Reason>,
    /// Where the user connects or mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    authorization_link: Option<&'a str>,
}

/// How far a user is on each connection.
#[derive(Serialize, ToSchema)]
#[schema(as = McpAuthStateList)]
#[allow(dead_code, reason = "the shape of the document; lists render by `list`")]
pub(super) struct StateViewList<'a> {
    items: Vec<StateView<'a>>,
}

impl<'a> StateView<'a> {
    fn of(state: &'a AuthState) -> Self {
        let account = state.account.as_ref();
        Self {
            connection_name: state.connection.as_str(),
            connector: state.connector.as_str(),
            connected_account_id: account.map(|account| account.id.as_str()),
            state: account.map(|account| account.state),
            reason: account.and_then(|account| account.reason),
            authorization_link: state.link.as_deref(),
        }
    }
}

/// List MCP servers
#[utoipa::path(get, path = "/api/v1/mcp_servers", tag = "mcp", operation_id = "listMcpServers",
    params(ListQuery), responses((status = 200, description = "A page of servers.", body = ViewList)),
    security(("client" = ["accounts:read"])))]
pub(super) async fn list(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsRead>,
    Query(query): Query<ListQuery>,
) -> Answer {
    let list = format!(
        "mcp servers {:?} {:?} {:?}",
        query.name, query.connector, query.search
    );
    let page = Page::new(&host.access, &caller, list, query.limit, query.cursor.as_deref())?;
    let wanted = ServerQuery {
        id: None,
        name: query.name,
        connector: query.connector,
        search: query.search,
        after: page.after.as_deref().and_then(|after| ServerId::new(after).ok()),
        limit: page.read_ahead(),
    };
    let found = host.servers.list(&caller.environment, &wanted).await?;
    page.answer(
        &host.access,
        &caller,
        &found,
        |server| server.id.as_str(),
        |server| View::of(&host.servers, server),
    )
}

/// Make an MCP server
///
/// A choice of the environment's tools under a URL of its own. Agents reach it with a session's token.
#[utoipa::path(post, path = "/api/v1/mcp_servers", tag = "mcp", operation_id = "createMcpServer",
    request_body = NewServer,
    responses((status = 201, description = "The server.", body = View)),
    security(("client" = ["servers:write"])))]
pub(super) async fn create(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ServersWrite>,
    Json(new): Json<NewServer>,
) -> Answer {
    let server = host.servers.create(&caller, new).await?;
    Ok(json(StatusCode::CREATED, &View::of(&host.servers, &server)))
}

/// Read an MCP server
#[utoipa::path(get, path = "/api/v1/mcp_servers/{id}", tag = "mcp", operation_id = "getMcpServer",
    params(("id" = String, Path, description = "Its id.")),
    responses((status = 200, description = "The server.", body = View)),
    security(("client" = ["accounts:read"])))]
pub(super) async fn get(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsRead>,
    Path(id): Path<String>,
) -> Answer {
    let id = named(Kind::NotFound, &id)?;
    let server = host.servers.server(&caller.environment, &id)?;
    Ok(json(StatusCode::OK, &View::of(&host.servers, &server)))
}

/// Change an MCP server
///
/// What is absent stays. Connected agents see the new list of tools at once.
#[utoipa::path(patch, path = "/api/v1/mcp_servers/{id}", tag = "mcp", operation_id = "changeMcpServer",
    params(("id" = String, Path, description = "Its id.")),
    request_body = ServerChange,
    responses((status = 200, description = "The server.", body = View)),
    security(("client" = ["servers:write"])))]
pub(super) async fn change(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ServersWrite>,
    Path(id): Path<String>,
    Json(change): Json<ServerChange>,
) -> Answer {
    let id = named(Kind::NotFound, &id)?;
    let server = host.servers.change(&caller, &id, change).await?;
    Ok(json(StatusCode::OK, &View::of(&host.servers, &server)))
}

/// Remove an MCP server
///
/// Ends its sessions.
#[utoipa::path(delete, path = "/api/v1/mcp_servers/{id}", tag = "mcp", operation_id = "deleteMcpServer",
    params(("id" = String, Path, description = "Its id.")),
    responses((status = 204, description = "It is gone.")),
    security(("client" = ["servers:write"])))]
pub(super) async fn delete(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ServersWrite>,
    Path(id): Path<String>,
) -> Answer {
    let id = named(Kind::NotFound, &id)?;
    host.servers.delete(&caller, &id).await?;
    Ok(no_content())
}

/// Show how far a user is with connecting
///
/// The user's account on each connection of the server, and on request the link to connect it.
#[utoipa::path(get, path = "/api/v1/mcp_servers/{id}/auth_state", tag = "mcp", operation_id = "getMcpAuthState",
    params(("id" = String, Path, description = "The server's id."), AuthStateQuery),
    responses((status = 200, description = "A state per connection.", body = StateViewList)),
    security(("client" = ["accounts:read"])))]
pub(super) async fn auth_state(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsRead>,
    Path(id): Path<String>,
    Query(query): Query<AuthStateQuery>,
) -> Answer {
    let target = Target::Server(named(Kind::NotFound, &id)?);
    let links = query.include_links.unwrap_or(false);
    if links {
        caller.require(Scope::AccountsWrite)?;
    }
    let states = host
        .servers
        .auth_state(&caller, &target, &query.identifier, links)
        .await?;
    list::whole(states.iter().map(StateView::of).collect())
}

/// Make a session on an MCP server
///
/// A short-lived token by which one user's agent reaches this server and nothing else.
#[utoipa::path(post, path = "/api/v1/mcp_servers/{id}/sessions", tag = "mcp", operation_id = "createMcpSession",
    params(("id" = String, Path, description = "The server's id.")),
    request_body = AskSession,
    responses((status = 201, description = "The session and its token.", body = MintedView)),
    security(("client" = ["sessions:write"])))]
pub(super) async fn create_session(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::SessionsWrite>,
    Path(id): Path<String>,
    Json(asked): Json<AskSession>,
) -> Answer {
    mint(&host, &caller, Target::Server(named(Kind::NotFound, &id)?), asked).await
}

/// List the sessions on an MCP server
#[utoipa::path(get, path = "/api/v1/mcp_servers/{id}/sessions", tag = "mcp", operation_id = "listMcpSessions",
    params(("id" = String, Path, description = "The server's id."), SessionListQuery),
    responses((status = 200, description = "A page of sessions.", body = SessionViewList)),
    security(("client" = ["sessions:write"])))]
pub(super) async fn list_sessions(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::SessionsWrite>,
    Path(id): Path<String>,
    Query(query): Query<SessionListQuery>,
) -> Answer {
    let id = named(Kind::NotFound, &id)?;
    host.servers.server(&caller.environment, &id)?;
    sessions(&host, &caller, Target::Server(id), query)
}

/// End a session on an MCP server
///
/// At once, open streams included.
#[utoipa::path(delete, path = "/api/v1/mcp_servers/{id}/sessions/{session_id}", tag = "mcp", operation_id = "revokeMcpSession",
    params(("id" = String, Path, description = "The server's id."), ("session_id" = String, Path, description = "The session's id.")),
    responses((status = 204, description = "It has ended.")),
    security(("client" = ["sessions:write"])))]
pub(super) async fn revoke_session(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::SessionsWrite>,
    Path((id, session)): Path<(String, String)>,
) -> Answer {
    end(
        &host,
        &caller,
        &Target::Server(named(Kind::NotFound, &id)?),
        &session,
    )
    .await
}

/// Make a session on one connection
///
/// A short-lived token by which one user's agent reaches the tools of this connection over MCP.
#[utoipa::path(post, path = "/api/v1/connections/{name}/sessions", tag = "mcp", operation_id = "createConnectionSession",
    params(("name" = String, Path, description = "The connection's name.")),
    request_body = AskSession,
    responses((status = 201, description = "The session and its token.", body = MintedView)),
    security(("client" = ["sessions:write"])))]
pub(super) async fn create_connection_session(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::SessionsWrite>,
    Path(name): Path<String>,
    Json(asked): Json<AskSession>,
) -> Answer {
    mint(
        &host,
        &caller,
        Target::Connection(named(Kind::NotFound, &name)?),
        asked,
    )
    .await
}

/// List the sessions on one connection
#[utoipa::path(get, path = "/api/v1/connections/{name}/sessions", tag = "mcp", operation_id = "listConnectionSessions",
    params(("name" = String, Path, description = "The connection's name."), SessionListQuery),
    responses((status = 200, description = "A page of sessions.", body = SessionViewList)),
    security(("client" = ["sessions:write"])))]
pub(super) async fn list_connection_sessions(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::SessionsWrite>,
    Path(name): Path<String>,
    Query(query): Query<SessionListQuery>,
) -> Answer {
    let name = named(Kind::NotFound, &name)?;
    host.accounts.connection(&caller.environment, &name).await?;
    sessions(&host, &caller, Target::Connection(name), query)
}

/// End a session on one connection
///
/// At once, open streams included.
#[utoipa::path(delete, path = "/api/v1/connections/{name}/sessions/{session_id}", tag = "mcp", operation_id = "revokeConnectionSession",
    params(("name" = String, Path, description = "The connection's name."), ("session_id" = String, Path, description = "The session's id.")),
    responses((status = 204, description = "It has ended.")),
    security(("client" = ["sessions:write"])))]
pub(super) async fn revoke_connection_session(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::SessionsWrite>,
    Path((name, session)): Path<(String, String)>,
) -> Answer {
    end(
        &host,
        &caller,
        &Target::Connection(named(Kind::NotFound, &name)?),
        &session,
    )
    .await
}

async fn mint(host: &Runtime, caller: &Caller, target: Target, asked: AskSession) -> Answer {
    let new = NewSession {
        target,
        identifier: asked.identifier,
        ttl_seconds: asked.ttl_seconds,
        access: asked.access_level,
        tools: asked.tools,
    };
    let minted = host.servers.create_session(caller, new).await?;
    let view = MintedView {
        // This answer is where the token is shown.
        token: minted.token.expose(),
        session: SessionView::of(&host.servers, &minted.session),
    };
    Ok(json(StatusCode::CREATED, &view))
}

fn sessions(host: &Runtime, caller: &Caller, target: Target, query: SessionListQuery) -> Answer {
    let list = format!("mcp sessions {} {:?}", target.path(), query.identifier);
    let page = Page::new(&host.access, caller, list, query.limit, query.cursor.as_deref())?;
    let wanted = SessionQuery {
        target: Some(target),
        identifier: query.identifier,
        after: page.after.as_deref().and_then(|after| SessionId::new(after).ok()),
        limit: page.read_ahead(),
    };
    let found = host.servers.sessions(&caller.environment, &wanted);
    page.answer(
        &host.access,
        caller,
        &found,
        |session| session.id.as_str(),
        |session| SessionView::of(&host.servers, session),
    )
}

async fn end(host: &Runtime, caller: &Caller, target: &Target, session: &str) -> Answer {
    let id = named(Kind::NotFound, session)?;
    host.servers.revoke_session(caller, target, &id).await?;
    Ok(no_content())
}
