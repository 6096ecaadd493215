//! `ToolService`: which tools there are, and calling them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tonic::Status;

use super::ask::{self, Named, given};
use super::page::Page;
use super::unary::Call;
use super::wire::tools::{
    AvailableRequest, AvailableResponse, ConnectionReadiness, ExecuteRequest, ExecuteResponse, ListRequest,
    ListResponse, Readiness, ScopedRequest, ScopedResponse, ScopedTool, SearchRequest, SearchResponse,
    SearchedTool, Tool,
};
use super::{status, structure};
use crate::accounts::{AccountQuery, AccountState, Selector};
use crate::call::catalog::{self, Entry, Filter, Place};
use crate::call::{self, Extras, Outcome, Request};
use crate::config;
use crate::error::Fault;
use crate::id::{AccountId, ExecutionId, Identifier};

/// Answers of a search when the caller names no number.
const DEFAULT_FOUND: usize = 10;
/// Answers of a search at most.
const MAX_FOUND: usize = 100;
/// Accounts of one user that are looked at.
const MAX_ACCOUNTS: usize = 1_000;
/// Characters of a search.
const MAX_QUERY: usize = 400;
/// So long before the client gives up, the call ends by itself and says why.
const MARGIN: Duration = Duration::from_millis(250);

/// `ListTools`: every tool, narrowed.
pub(super) async fn list(call: Call, request: ListRequest) -> Result<ListResponse, Status> {
    all(&call, request).await.map_err(|fault| status::of(&fault))
}

async fn all(call: &Call, request: ListRequest) -> Result<ListResponse, Fault> {
    let filter = request.filter.unwrap_or_default();
    ask::no_organization(filter.organization_id.as_deref(), filter.user_id.as_deref())?;
    let list = format!("grpc tools {filter:?}");
    let page = Page::new(call, list, request.page_size, request.page_token)?;
    let environment = &call.caller.environment;

    let mut connectors: Vec<String> = given(Some(filter.provider)).into_iter().collect();
    let selector = Selector {
        identifier: given(Some(filter.identifier)).map(ask::identifier).transpose()?,
        connected_account_id: given(filter.connected_account_id)
            .map(|id| ask::account_id(&id))
            .transpose()?,
        connection_name: given(filter.connector)
            .map(|name| ask::connection_name(&name))
            .transpose()?,
    };
    if selector.connected_account_id.is_some() {
        let account = call.host.accounts.find_account(environment, &selector).await?;
        connectors.push(account.connector.to_string());
    } else if let Some(name) = &selector.connection_name {
        call.host.accounts.connection(environment, name).await?;
    }
    let wanted = Filter {
        connectors,
        connection_names: selector.connection_name.iter().map(ToString::to_string).collect(),
        tool_names: filter.tool_name,
        ..Filter::default()
    };
    catalog::expect_known(&call.host, environment, &wanted).await?;
    let mut found = match &selector.identifier {
        Some(identifier) if selector.connected_account_id.is_none() => {
            catalog::scoped(&call.host, environment, identifier, &wanted).await?
        }
        _ => catalog::all(&call.host, environment, &wanted).await?,
    };
    if let Some(query) = given(filter.query) {
        found = catalog::search(found, &query)
            .into_iter()
            .map(|(entry, _)| entry)
            .collect();
        found.sort_by(|one, other| one.name().cmp(other.name()));
    }
    let (tools, total_size, next_page_token) = page.cut(call, found, Entry::name, |entry| {
        view(entry, shown_name(entry, &wanted.tool_names))
    })?;
    Ok(ListResponse {
        next_page_token,
        total_size,
        tool_names: tools.iter().map(|tool| tool.id.clone()).collect(),
        tools: if filter.summary == Some(true) {
            Vec::new()
        } else {
            tools
        },
    })
}

/// `ListScopedTools`: what one user can call now, a tool once for each account that could serve it.
pub(super) async fn scoped(call: Call, request: ScopedRequest) -> Result<ScopedResponse, Status> {
    of_user(&call, request).await.map_err(|fault| status::of(&fault))
}

async fn of_user(call: &Call, request: ScopedRequest) -> Result<ScopedResponse, Fault> {
    struct Item<'a> {
        position: String,
        entry: &'a Entry,
        account: &'a AccountId,
    }
    let filter = request.filter.unwrap_or_default();
    let list = format!("grpc scoped tools {:?} {filter:?}", request.identifier);
    let page = Page::new(call, list, request.page_size, request.page_token)?;
    let identifier = ask::identifier(request.identifier)?;
    let mut connection_names = Vec::with_capacity(filter.connection_names.len());
    for name in &filter.connection_names {
        // A name that is nowhere is a mistake to be told of, not a user without tools.
        let name = ask::connection_name(name)?;
        call.host
            .accounts
            .connection(&call.caller.environment, &name)
            .await?;
        connection_names.push(name.to_string());
    }
    let wanted = Filter {
        connectors: filter.providers,
        connection_names,
        tool_names: filter.tool_names,
        ..Filter::default()
    };
    let environment = &call.caller.environment;
    catalog::expect_known(&call.host, environment, &wanted).await?;
    let found = catalog::scoped(&call.host, environment, &identifier, &wanted).await?;
    let mut items: Vec<Item<'_>> = found
        .iter()
        .flat_map(|entry| {
            let accounts = entry
                .places
                .iter()
                .filter_map(|place| place.connected_account_id.as_ref());
            accounts.map(move |account| Item {
                position: format!("{} {account}", entry.name()),
                entry,
                account,
            })
        })
        .collect();
    items.sort_by(|one, other| one.position.cmp(&other.position));
    let (tools, total_size, next_page_token) = page.cut(
        call,
        items,
        |item| item.position.as_str(),
        |item| ScopedTool {
            tool: Some(view(item.entry, shown_name(item.entry, &wanted.tool_names))),
            identifier: identifier.to_string(),
            connected_account_id: item.account.to_string(),
        },
    )?;
    Ok(ScopedResponse {
        next_page_token,
        total_size,
        tools,
    })
}

/// `ListAvailableTools`: what a user could call once they have connected their accounts.
pub(super) async fn available(call: Call, request: AvailableRequest) -> Result<AvailableResponse, Status> {
    connectable(&call, request)
        .await
        .map_err(|fault| status::of(&fault))
}

async fn connectable(call: &Call, request: AvailableRequest) -> Result<AvailableResponse, Fault> {
    let list = format!("grpc available tools {:?}", request.identifier);
    let page = Page::new(call, list, request.page_size, request.page_token)?;
    let identifier = ask::identifier(request.identifier)?;
    let environment = &call.caller.environment;
    let found = catalog::available(&call.host, environment, &identifier, &Filter::default()).await?;
    let (tools, total_size, next_page_token) =
        page.cut(call, found, Entry::name, |entry| view(entry, entry.name()))?;
    Ok(AvailableResponse {
        next_page_token,
        total_size,
        tools,
    })
}

/// `SearchTools`: the tools that fit a few words best, and where the user could call them.
pub(super) async fn search(call: Call, request: SearchRequest) -> Result<SearchResponse, Status> {
    best(&call, request).await.map_err(|fault| status::of(&fault))
}

async fn best(call: &Call, request: SearchRequest) -> Result<SearchResponse, Fault> {
    if request.query.is_empty() || request.query.chars().count() > MAX_QUERY {
        return Err(ask::invalid(
            "query",
            &format!("must have 1 to {MAX_QUERY} characters"),
        ));
    }
    let count = match usize::try_from(request.top_k).unwrap_or(usize::MAX) {
        0 => DEFAULT_FOUND,
        count => count.min(MAX_FOUND),
    };
    let (environment, everything) = (&call.caller.environment, Filter::default());
    let mut waiting = BTreeSet::new();
    let found = match given(request.identifier) {
        None => catalog::all(&call.host, environment, &everything).await?,
        Some(identifier) => {
            let identifier = ask::identifier(identifier)?;
            waiting = never_authorized(call, &identifier).await?;
            catalog::available(&call.host, environment, &identifier, &everything).await?
        }
    };
    let tools = catalog::search(found, &request.query)
        .into_iter()
        .take(count)
        .map(|(entry, score)| SearchedTool {
            name: entry.name().to_owned(),
            provider: entry.connector().to_uppercase(),
            description: entry.tool.declared.description.clone(),
            score,
            // No entry says that the user has no account there, ready or not.
            connections: entry
                .places
                .iter()
                .filter(|place| place.connected_account_id.is_some())
                .map(|place| readiness(place, &waiting))
                .collect(),
        })
        .collect();
    Ok(SearchResponse { tools })
}

/// The accounts of a user that nobody has authorized yet: the clients tell them from those that
/// have to be authorized again.
async fn never_authorized(call: &Call, identifier: &Identifier) -> Result<BTreeSet<AccountId>, Fault> {
    let mut waiting = BTreeSet::new();
    for state in [AccountState::PendingAuth, AccountState::PendingVerification] {
        let query = AccountQuery {
            identifier: Some(identifier.clone()),
            state: Some(state),
            limit: MAX_ACCOUNTS,
            ..AccountQuery::default()
        };
        let accounts = call
            .host
            .accounts
            .accounts(&call.caller.environment, &query)
            .await?;
        waiting.extend(accounts.iter().map(|account| account.id.clone()));
    }
    Ok(waiting)
}

fn readiness(place: &Place, waiting: &BTreeSet<AccountId>) -> ConnectionReadiness {
    let account = place.connected_account_id.as_ref();
    ConnectionReadiness {
        connection_name: place.connection_name.to_string(),
        connected_account_id: account.map(ToString::to_string).unwrap_or_default(),
        readiness_state: match place.readiness {
            catalog::Readiness::Ready => Readiness::Ready,
            _ if account.is_some_and(|id| waiting.contains(id)) => Readiness::NeedsConnection,
            catalog::Readiness::NotConnected => Readiness::NeedsConnection,
            catalog::Readiness::AuthorizationNeeded | catalog::Readiness::ScopeMissing => {
                Readiness::NeedsReauth
            }
        }
        .into(),
    }
}

/// `ExecuteTool`.
pub(super) async fn execute(call: Call, request: ExecuteRequest) -> Result<ExecuteResponse, Status> {
    let request = read(&call, request).map_err(|fault| status::of(&fault))?;
    let Call { host, caller, .. } = &call;
    match call::run(host, caller, request).await {
        (execution, Ok(outcome)) => {
            render(&execution, &outcome).map_err(|fault| status::of_execution(&fault, &execution))
        }
        (execution, Err(fault)) => Err(status::of_execution(&fault, &execution)),
    }
}

fn read(call: &Call, request: ExecuteRequest) -> Result<Request, Fault> {
    let named = Named {
        organization_id: request.organization_id,
        user_id: request.user_id,
        connector: request.connector,
        identifier: request.identifier,
        id: request.connected_account_id,
    };
    Ok(Request {
        tool_name: request.tool_name,
        selector: named.selector()?,
        params: structure::to_json(request.params.unwrap_or_default())?,
        agent_run_id: given(request.agent_run_id)
            .map(|id| call::visible("/agent_run_id", id))
            .transpose()?,
        idempotency_key: None,
        deadline: call
            .timeout
            .map(|timeout| deadline(timeout, &call.host.config.server)),
        extras: Extras::default(),
    })
}

fn deadline(timeout: Duration, settings: &config::Server) -> Duration {
    const SHORTEST: Duration = Duration::from_millis(1);
    let longest = Duration::from_millis(settings.max_deadline_ms).max(SHORTEST);
    timeout
        .saturating_sub(MARGIN.min(timeout / 10))
        .clamp(SHORTEST, longest)
}

fn render(execution: &ExecutionId, outcome: &Outcome) -> Result<ExecuteResponse, Fault> {
    let value: Value = serde_json::from_str(&outcome.data).map_err(Fault::internal)?;
    let mut data = structure::from_json(value);
    if let Some(cursor) = &outcome.next_cursor {
        data.fields
            .insert("next_cursor".to_owned(), cursor.clone().into());
    }
    let answer = ExecuteResponse {
        data: Some(data),
        execution_id: execution.to_string(),
    };
    // Here, where the execution is known that the client has to be told of.
    status::check_size(&answer)?;
    Ok(answer)
}

/// The name under which a tool is shown: one that was asked for by an alias has that, since the
/// program looks for it by that.
fn shown_name<'a>(entry: &'a Entry, asked: &'a [String]) -> &'a str {
    let declared = &entry.tool.declared;
    if asked.is_empty() || asked.contains(&declared.name) {
        return &declared.name;
    }
    asked
        .iter()
        .find(|name| declared.aliases.contains(name))
        .map_or(declared.name.as_str(), String::as_str)
}

fn view(entry: &Entry, name: &str) -> Tool {
    let declared = &entry.tool.declared;
    let mut definition = json!({
        "name": name,
        "description": declared.description,
        "input_schema": entry.tool.input_schema,
        "annotations": {
            "title": declared.title,
            "read_only_hint": declared.hints.read_only,
            "destructive_hint": declared.hints.destructive,
            "idempotent_hint": declared.hints.idempotent,
            "open_world_hint": true,
        },
    });
    if let Some(output) = &declared.output {
        definition["output_schema"] = output.clone();
    }
    let metadata = json!({"connector_version": entry.version.manifest.connector.version});
    Tool {
        id: name.to_owned(),
        provider: entry.connector().to_uppercase(),
        definition: Some(structure::from_json(definition)),
        metadata: Some(structure::from_json(metadata)),
        tags: declared.tags.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_ends_before_its_client_gives_up_and_within_the_hosts_limit() {
        let settings = config::Server::default();
        let of = |timeout: Duration| deadline(timeout, &settings);
        assert_eq!(of(Duration::from_secs(60)), Duration::from_millis(59_750));
        assert_eq!(of(Duration::from_millis(100)), Duration::from_millis(90));
        assert_eq!(of(Duration::ZERO), Duration::from_millis(1));
        let longest = Duration::from_millis(settings.max_deadline_ms);
        assert_eq!(of(Duration::from_secs(3600)), longest);
    }
}
