//! `McpService`: virtual MCP servers (*configs*) and session tokens. One user on a server is in
//! [`super::instances`].

use tonic::Status;

use super::ask::{self, given};
use super::page::Page;
use super::status;
use super::unary::Call;
use super::wire::accounts::Empty;
use super::wire::mcp::{
    AccountsRequest, AuthState, AuthStateResponse, Config, ConfigMessage, ConfigRequest, ListConfigsRequest,
    ListConfigsResponse, Mapping, SessionTokenRequest, SessionTokenResponse, UpdateConfigRequest,
};
use super::wire::{connections, time};
use crate::access::Scope;
use crate::accounts::AccountState;
use crate::error::{Fault, Kind};
use crate::id::{Identifier, ServerId};
use crate::servers::{
    self, AccessLevel, NewServer, NewSession, SearchMode, Server, ServerChange, ServerQuery, Target,
};

/// `CreateMcpConfig`.
pub(super) async fn create(call: Call, request: ConfigMessage) -> Result<ConfigMessage, Status> {
    let made = async {
        let asked = request.config.unwrap_or_default();
        let new = NewServer {
            name: asked
                .name
                .parse()
                .map_err(|error: crate::id::InvalidId| ask::invalid("config.name", &error.to_string()))?,
            description: asked.description,
            mappings: mappings(asked.connection_tool_mappings)?,
            tags: std::collections::BTreeSet::new(),
            read_only: None,
            require_api_token: false,
            search: SearchMode::default(),
        };
        let server = call.host.servers.create(&call.caller, new).await?;
        answer(&call, &server).await
    };
    made.await.map_err(|fault: Fault| status::of(&fault))
}

/// `UpdateMcpConfig`. What is empty stays.
pub(super) async fn update(call: Call, request: UpdateConfigRequest) -> Result<ConfigMessage, Status> {
    let changed = async {
        let mapped = mappings(request.connection_tool_mappings)?;
        let change = ServerChange {
            description: given(Some(request.description)),
            mappings: (!mapped.is_empty()).then_some(mapped),
            ..ServerChange::default()
        };
        let id = server_id(&request.config_id)?;
        let server = call.host.servers.change(&call.caller, &id, change).await?;
        answer(&call, &server).await
    };
    changed.await.map_err(|fault: Fault| status::of(&fault))
}

/// `GetMcpConfig`.
pub(super) async fn get(call: Call, request: ConfigRequest) -> Result<ConfigMessage, Status> {
    let found = async {
        let id = server_id(&request.config_id)?;
        let server = call.host.servers.server(&call.caller.environment, &id)?;
        answer(&call, &server).await
    };
    found.await.map_err(|fault: Fault| status::of(&fault))
}

/// `DeleteMcpConfig`.
pub(super) async fn delete(call: Call, request: ConfigRequest) -> Result<Empty, Status> {
    let deleted = async {
        let id = server_id(&request.config_id)?;
        call.host.servers.delete(&call.caller, &id).await
    };
    deleted.await.map_err(|fault: Fault| status::of(&fault))?;
    Ok(Empty {})
}

/// `ListMcpConfigs`.
pub(super) async fn list(call: Call, request: ListConfigsRequest) -> Result<ListConfigsResponse, Status> {
    page(&call, request).await.map_err(|fault| status::of(&fault))
}

async fn page(call: &Call, request: ListConfigsRequest) -> Result<ListConfigsResponse, Fault> {
    let filter = request.filter.unwrap_or_default();
    let list = format!("grpc mcp configs {filter:?} {:?}", request.search);
    let page = Page::new(call, list, request.page_size, request.page_token)?;
    let none = ListConfigsResponse::default();
    let (id, name, connector) = (
        given(Some(filter.id)).map(|id| id.parse()).transpose(),
        given(Some(filter.name)).map(|name| name.parse()).transpose(),
        given(Some(filter.provider))
            .map(|provider| provider.to_ascii_lowercase().parse())
            .transpose(),
    );
    // What cannot be one names none.
    let (Ok(id), Ok(name), Ok(connector)) = (id, name, connector) else {
        return Ok(none);
    };
    let query = ServerQuery {
        id,
        name,
        connector,
        search: given(Some(request.search)),
        after: None,
        limit: usize::MAX,
    };
    let environment = &call.caller.environment;
    let mut found = call.host.servers.list(environment, &query).await?;
    if let Some(url) = given(Some(filter.mcp_server_url)) {
        found.retain(|server| url_of(call, server) == url);
    }
    let mut configs = Vec::with_capacity(found.len());
    for server in &found {
        configs.push(config(call, server).await?);
    }
    let (configs, total_size, next_page_token) =
        page.cut(call, configs, |config| config.id.as_str(), Config::clone)?;
    Ok(ListConfigsResponse {
        configs,
        next_page_token,
        total_size,
    })
}

/// `ListMcpConnectedAccounts`.
pub(super) async fn connected_accounts(
    call: Call,
    request: AccountsRequest,
) -> Result<AuthStateResponse, Status> {
    let states = async {
        let id = server_id(&request.config_id)?;
        let identifier = ask::identifier(request.identifier)?;
        auth_states(&call, id, &identifier, request.include_auth_link).await
    };
    states.await.map_err(|fault: Fault| status::of(&fault))
}

/// `CreateMcpSessionToken`.
pub(super) async fn session_token(
    call: Call,
    request: SessionTokenRequest,
) -> Result<SessionTokenResponse, Status> {
    let minted = async {
        let target = match (given(Some(request.mcp_config_id)), given(Some(request.key_id))) {
            (Some(id), None) => Target::Server(server_id(&id)?),
            (None, Some(name)) => Target::Connection(ask::connection_name(&name)?),
            _ => {
                return Err(ask::invalid(
                    "mcp_config_id",
                    "name either an MCP server by it or a connection by `key_id`",
                ));
            }
        };
        let access = match request.access_level.as_str() {
            "" | "FULL" => AccessLevel::Full,
            "READ_ONLY" => AccessLevel::ReadOnly,
            _ => return Err(ask::invalid("access_level", "must be FULL or READ_ONLY")),
        };
        let ttl_seconds = match request.expiry {
            None => None,
            Some(life) => Some(
                u64::try_from(life.seconds).map_err(|_| ask::invalid("expiry", "must not be negative"))?,
            ),
        };
        let new = NewSession {
            target,
            identifier: ask::identifier(request.identifier)?,
            ttl_seconds,
            access,
            tools: None,
        };
        let minted = call.host.servers.create_session(&call.caller, new).await?;
        Ok(SessionTokenResponse {
            // To the client that asked for it: shown once.
            token: minted.token.expose().to_owned(),
            expires_at: Some(time(minted.session.expires_at_ms)),
        })
    };
    minted.await.map_err(|fault: Fault| status::of(&fault))
}

pub(super) fn server_id(text: &str) -> Result<ServerId, Fault> {
    text.parse().map_err(|error: crate::id::InvalidId| {
        Fault::new(Kind::NotFound, format!("There is no such MCP server: {error}."))
    })
}

fn mappings(asked: Vec<Mapping>) -> Result<Vec<servers::Mapping>, Fault> {
    asked
        .into_iter()
        .map(|mapping| {
            let name = given(Some(mapping.connection_name))
                .or_else(|| connections::name(&mapping.connection_id).map(str::to_owned))
                .ok_or_else(|| ask::invalid("connection_tool_mappings.connection_name", "is missing"))?;
            Ok(servers::Mapping {
                connection_name: ask::connection_name(&name)?,
                tools: mapping.tools.into_iter().collect(),
            })
        })
        .collect()
}

fn url_of(call: &Call, server: &Server) -> String {
    call.host.servers.url(&Target::Server(server.id.clone()))
}

async fn answer(call: &Call, server: &Server) -> Result<ConfigMessage, Fault> {
    Ok(ConfigMessage {
        config: Some(config(call, server).await?),
    })
}

pub(super) async fn config(call: &Call, server: &Server) -> Result<Config, Fault> {
    let accounts = &call.host.accounts;
    let mut shown = Vec::with_capacity(server.mappings.len());
    for mapping in &server.mappings {
        let name = &mapping.connection_name;
        // A connection that was removed meanwhile has no connector any more.
        let connection = accounts.connection(&call.caller.environment, name).await.ok();
        shown.push(Mapping {
            connection_id: connections::id(name),
            connection_name: name.to_string(),
            provider: connection
                .map(|connection| connection.connector.as_str().to_uppercase())
                .unwrap_or_default(),
            tools: mapping.tools.iter().cloned().collect(),
        });
    }
    Ok(Config {
        id: server.id.to_string(),
        name: server.name.to_string(),
        description: server.description.clone(),
        connection_tool_mappings: shown,
        mcp_server_url: url_of(call, server),
    })
}

pub(super) async fn auth_states(
    call: &Call,
    id: ServerId,
    identifier: &Identifier,
    links: bool,
) -> Result<AuthStateResponse, Fault> {
    if links {
        // A link is a change: whoever opens it may connect the account.
        call.caller.require(Scope::AccountsWrite)?;
    }
    let target = Target::Server(id);
    let states = call
        .host
        .servers
        .auth_state(&call.caller, &target, identifier, links)
        .await?;
    let connections = states.into_iter().map(|state| AuthState {
        connection_id: connections::id(&state.connection),
        provider: state.connector.as_str().to_uppercase(),
        connection_name: state.connection.to_string(),
        connected_account_id: state.account.as_ref().map(|account| account.id.to_string()),
        connected_account_status: Some(
            match state.account.map(|account| account.state) {
                Some(AccountState::Active) => "active",
                Some(AccountState::Expired) => "expired",
                Some(AccountState::PendingVerification) => "pending_verification",
                Some(AccountState::PendingAuth) => "pending_auth",
                Some(AccountState::Disconnected) | None => "disconnected",
            }
            .to_owned(),
        ),
        authentication_link: state.link.unwrap_or_default(),
    });
    Ok(AuthStateResponse {
        connections: connections.collect(),
    })
}
