//! One user on a virtual server: what the packages call an *instance*. None is kept: an instance is
//! its server and its user, and its id says both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tonic::Status;

use super::ask::{self, given};
use super::mcp::{auth_states, config, server_id};
use super::page::Page;
use super::status;
use super::unary::Call;
use super::wire::accounts::Empty;
use super::wire::mcp::{
    AuthStateRequest, AuthStateResponse, Config, EnsureInstanceRequest, Instance, InstanceFilter,
    InstanceRequest, InstanceResponse, ListInstancesRequest, ListInstancesResponse, UpdateInstanceRequest,
};
use super::wire::time;
use crate::accounts::AccountQuery;
use crate::error::{Fault, Kind};
use crate::id::{ConnectionName, Identifier, ServerId, ServerName};
use crate::servers::{Server, ServerQuery, SessionQuery, Target};

/// Before the id of an instance.
const INSTANCE: &str = "ins_";
/// Sessions of one user on one server that one deletion ends.
const MAX_SESSIONS: usize = 1_000;

/// `EnsureMcpInstance`.
pub(super) async fn ensure(call: Call, request: EnsureInstanceRequest) -> Result<InstanceResponse, Status> {
    let made = async {
        let server = named(&call, &request.config_name)?;
        let identifier = ask::identifier(request.user_identifier)?;
        answer(&call, &server, &identifier).await
    };
    made.await.map_err(|fault: Fault| status::of(&fault))
}

/// `GetMcpInstance`.
pub(super) async fn get(call: Call, request: InstanceRequest) -> Result<InstanceResponse, Status> {
    let found = async {
        let (server, identifier) = open(&call, &request.instance_id)?;
        answer(&call, &server, &identifier).await
    };
    found.await.map_err(|fault: Fault| status::of(&fault))
}

/// `ListMcpInstances`: the users of each server, who are those with an account or a session on it. A
/// user who is asked for is one of every server, as by `EnsureMcpInstance`.
pub(super) async fn list(call: Call, request: ListInstancesRequest) -> Result<ListInstancesResponse, Status> {
    page(&call, request).await.map_err(|fault| status::of(&fault))
}

async fn page(call: &Call, request: ListInstancesRequest) -> Result<ListInstancesResponse, Fault> {
    let filter = request.filter.unwrap_or_default();
    let list = format!("grpc mcp instances {filter:?} {:?}", request.search);
    let page = Page::new(call, list, request.page_size, request.page_token)?;
    let servers = chosen(call, &filter, request.search).await?;
    let users = match given(Some(filter.user_identifier)) {
        Some(user) => Users::One(ask::identifier(user)?),
        None => known(call).await?,
    };
    let mut configs: BTreeMap<&ServerId, Config> = BTreeMap::new();
    let mut found: Vec<(String, &Server, Identifier)> = Vec::new();
    for server in &servers {
        configs.insert(&server.id, config(call, server).await?);
        let of_server = users.of(server).into_iter();
        found.extend(of_server.map(|user| (instance_id(&server.id, &user), &**server, user)));
    }
    let wanted = given(Some(filter.id));
    found.retain(|(id, ..)| wanted.as_ref().is_none_or(|wanted| wanted == id));
    found.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let (instances, total_size, next_page_token) = page.cut(
        call,
        found,
        |(id, ..)| id.as_str(),
        |(_, server, user)| view(server, user, configs[&server.id].clone()),
    )?;
    Ok(ListInstancesResponse {
        instances,
        next_page_token,
        total_size,
    })
}

/// The servers that a filter names; an instance has its server's name.
async fn chosen(call: &Call, filter: &InstanceFilter, search: String) -> Result<Vec<Arc<Server>>, Fault> {
    let mut query = ServerQuery {
        search: given(Some(search)),
        limit: usize::MAX,
        ..ServerQuery::default()
    };
    for name in [&filter.name, &filter.config_name] {
        let Some(name) = given(Some(name.clone())) else {
            continue;
        };
        let name: Option<ServerName> = name.parse().ok();
        // What cannot be a name, or is another than the first, names none.
        if name.is_none() || (query.name.is_some() && query.name != name) {
            return Ok(Vec::new());
        }
        query.name = name;
    }
    call.host.servers.list(&call.caller.environment, &query).await
}

/// Who has an instance.
enum Users {
    /// Whoever was asked for, on every server.
    One(Identifier),
    /// Those with accounts, by connection, and those with sessions, by server.
    Known {
        accounts: BTreeMap<ConnectionName, BTreeSet<Identifier>>,
        sessions: BTreeMap<ServerId, BTreeSet<Identifier>>,
    },
}

impl Users {
    fn of(&self, server: &Server) -> BTreeSet<Identifier> {
        match self {
            Self::One(user) => BTreeSet::from([user.clone()]),
            Self::Known { accounts, sessions } => {
                let shows = |name: &ConnectionName| {
                    server.mappings.is_empty()
                        || server
                            .mappings
                            .iter()
                            .any(|mapping| mapping.connection_name == *name)
                };
                let connected = accounts.iter().filter(|(name, _)| shows(name));
                connected
                    .flat_map(|(_, users)| users)
                    .chain(sessions.get(&server.id).into_iter().flatten())
                    .cloned()
                    .collect()
            }
        }
    }
}

async fn known(call: &Call) -> Result<Users, Fault> {
    let (host, environment) = (&call.host, &call.caller.environment);
    let (mut accounts, mut sessions) = (BTreeMap::new(), BTreeMap::new());
    let everybody = AccountQuery {
        limit: usize::MAX,
        ..AccountQuery::default()
    };
    for account in host.accounts.accounts(environment, &everybody).await? {
        let users: &mut BTreeSet<_> = accounts.entry(account.connection.clone()).or_default();
        users.insert(account.identifier.clone());
    }
    let every_session = SessionQuery {
        limit: usize::MAX,
        ..SessionQuery::default()
    };
    for session in host.servers.sessions(environment, &every_session) {
        if let Target::Server(id) = &session.target {
            let users: &mut BTreeSet<_> = sessions.entry(id.clone()).or_default();
            users.insert(session.identifier.clone());
        }
    }
    Ok(Users::Known { accounts, sessions })
}

/// `UpdateMcpInstance`: moves a user to another server, whose instance it answers. The user's sessions
/// on the one before end.
pub(super) async fn update(call: Call, request: UpdateInstanceRequest) -> Result<InstanceResponse, Status> {
    let changed = async {
        let (server, identifier) = open(&call, &request.instance_id)?;
        let next = match given(Some(request.config_name)) {
            Some(name) => named(&call, &name)?,
            None => Arc::clone(&server),
        };
        if given(Some(request.name)).is_some_and(|name| name != next.name.as_str()) {
            return Err(ask::invalid(
                "name",
                "an instance has the name of its server here: leave it out, and choose the server by `config_name`",
            ));
        }
        if next.id != server.id {
            end_sessions(&call, &server, identifier.clone()).await?;
        }
        answer(&call, &next, &identifier).await
    };
    changed.await.map_err(|fault: Fault| status::of(&fault))
}

/// `DeleteMcpInstance`: ends the user's sessions on the server.
pub(super) async fn delete(call: Call, request: InstanceRequest) -> Result<Empty, Status> {
    let ended = async {
        let (server, identifier) = open(&call, &request.instance_id)?;
        end_sessions(&call, &server, identifier).await
    };
    ended.await.map_err(|fault: Fault| status::of(&fault))?;
    Ok(Empty {})
}

async fn end_sessions(call: &Call, server: &Server, identifier: Identifier) -> Result<(), Fault> {
    let target = Target::Server(server.id.clone());
    let query = SessionQuery {
        target: Some(target.clone()),
        identifier: Some(identifier),
        after: None,
        limit: MAX_SESSIONS,
    };
    let servers = &call.host.servers;
    for session in servers.sessions(&call.caller.environment, &query) {
        match servers.revoke_session(&call.caller, &target, &session.id).await {
            // It may have ended in this moment.
            Err(fault) if fault.kind() != Kind::NotFound => return Err(fault),
            _ => {}
        }
    }
    Ok(())
}

/// `GetMcpInstanceAuthState`.
pub(super) async fn auth_state(call: Call, request: AuthStateRequest) -> Result<AuthStateResponse, Status> {
    let states = async {
        let (server, identifier) = open(&call, &request.instance_id)?;
        auth_states(&call, server.id.clone(), &identifier, request.include_auth_links).await
    };
    states.await.map_err(|fault: Fault| status::of(&fault))
}

fn named(call: &Call, name: &str) -> Result<Arc<Server>, Fault> {
    let name = name.parse().map_err(|error: crate::id::InvalidId| {
        Fault::new(Kind::NotFound, format!("There is no such MCP server: {error}."))
    })?;
    call.host.servers.server_named(&call.caller.environment, &name)
}

fn instance_id(server: &ServerId, identifier: &Identifier) -> String {
    let who = URL_SAFE_NO_PAD.encode(format!("{server} {identifier}"));
    format!("{INSTANCE}{who}")
}

/// The server and the user of an instance's id.
fn open(call: &Call, id: &str) -> Result<(Arc<Server>, Identifier), Fault> {
    let parts = id
        .strip_prefix(INSTANCE)
        .and_then(|who| URL_SAFE_NO_PAD.decode(who).ok())
        .and_then(|who| String::from_utf8(who).ok());
    let parts = parts.as_deref().and_then(|who| who.split_once(' '));
    let (server, identifier) = parts.ok_or_else(|| {
        Fault::new(
            Kind::NotFound,
            "There is no such MCP instance. Use the id of an instance that this host answered.",
        )
    })?;
    let server = call
        .host
        .servers
        .server(&call.caller.environment, &server_id(server)?)?;
    Ok((server, ask::identifier(identifier.to_owned())?))
}

async fn answer(call: &Call, server: &Server, identifier: &Identifier) -> Result<InstanceResponse, Fault> {
    let config = config(call, server).await?;
    Ok(InstanceResponse {
        instance: Some(view(server, identifier, config)),
    })
}

fn view(server: &Server, identifier: &Identifier, config: Config) -> Instance {
    Instance {
        id: instance_id(&server.id, identifier),
        name: server.name.to_string(),
        user_identifier: identifier.to_string(),
        updated_at: Some(time(server.updated_at_ms)),
        url: config.mcp_server_url.clone(),
        config: Some(config),
    }
}
