//! `/api/v1/tools`: what can be called, in all, by one user, or for one purpose.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, json};
use super::ask::{Query, Who, scope};
use super::list::{self, Page};
use crate::accounts::Account;
use crate::call::catalog::{self, Filter, Found};
use crate::error::{Fault, Kind};
use crate::id::Identifier;
use crate::runtime::Runtime;

/// Answers of a search when the caller names no limit.
const DEFAULT_FOUND: usize = 10;

/// A tool, with all that a model needs to call it.
#[derive(Serialize, ToSchema)]
#[schema(as = Tool)]
pub(super) struct View<'a> {
    /// `tool_name` of a call.
    name: &'a str,
    /// A few words.
    title: &'a str,
    /// What it does, when to use it, what comes back.
    description: &'a str,
    /// The connector that it belongs to.
    connector: &'a str,
    /// The version of the connector that is active.
    connector_version: &'a str,
    /// Other names of the same tool.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[schema(required = false)]
    aliases: &'a [String],
    /// Words to filter by.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[schema(required = false)]
    tags: &'a [String],
    /// What a call does to the vendor's data.
    hints: Hints,
    /// OAuth scopes that the account must have granted: all of them …
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[schema(required = false)]
    scopes: &'a [String],
    /// … or any one of these sets (scopes of a set separated by spaces).
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[schema(required = false)]
    any_scopes: &'a [String],
    /// JSON Schema of `params`.
    #[schema(value_type = Object)]
    input_schema: &'a Value,
    /// JSON Schema of `data`, where the tool promises one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    output_schema: Option<&'a Value>,
    /// For one user's tools: the connections on which they have an active account.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_names: Option<BTreeSet<&'a str>>,
}

/// What a call does to the vendor's data.
#[derive(Serialize, ToSchema)]
#[schema(as = ToolHints)]
struct Hints {
    /// Changes nothing.
    read_only: bool,
    /// May remove or overwrite something, or cannot be taken back.
    destructive: bool,
    /// Calling again with the same input changes nothing more.
    idempotent: bool,
}

/// A page of tools, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = ToolList)]
#[allow(dead_code, reason = "the shape of the document; lists render by `list`")]
pub(super) struct ViewList<'a> {
    items: Vec<View<'a>>,
    /// For the next page; absent on the last.
    next_cursor: Option<String>,
}

/// Which tools, and which page of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only of this connector.
    connector: Option<String>,
    /// Only with this tag.
    tag: Option<String>,
    /// Only those that change nothing (`true`), or only the others (`false`).
    read_only: Option<bool>,
    /// Items at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Whose tools, which of them, and which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ScopedQuery {
    /// The application's key for the user.
    #[param(value_type = String)]
    identifier: Identifier,
    /// Only of this connector.
    connector: Option<String>,
    /// Only with this tag.
    tag: Option<String>,
    /// Only those that change nothing (`true`), or only the others (`false`).
    read_only: Option<bool>,
    /// Items at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// A few words.
    #[param(min_length = 1, max_length = 400)]
    query: String,
    /// Only of this connector.
    connector: Option<String>,
    /// Only with this tag.
    tag: Option<String>,
    /// Only those that change nothing (`true`), or only the others (`false`).
    read_only: Option<bool>,
    /// Only tools that this user can call now.
    #[param(value_type = Option<String>)]
    identifier: Option<Identifier>,
    /// Items at most.
    #[param(minimum = 1, maximum = 200, default = 10)]
    limit: Option<usize>,
}

fn filter(connector: Option<String>, tag: Option<String>, read_only: Option<bool>) -> Filter {
    Filter {
        connectors: connector.into_iter().collect(),
        names: Vec::new(),
        tag,
        read_only,
    }
}

fn view<'a>(found: &Found<'a>, accounts: Option<&'a Vec<Arc<Account>>>) -> View<'a> {
    let declared = &found.tool.declared;
    View {
        name: &declared.name,
        title: &declared.title,
        description: &declared.description,
        connector: found.connector.as_str(),
        connector_version: &found.version.manifest.connector.version,
        aliases: &declared.aliases,
        tags: &declared.tags,
        hints: Hints {
            read_only: declared.hints.read_only,
            destructive: declared.hints.destructive,
            idempotent: declared.hints.idempotent,
        },
        scopes: &declared.scopes,
        any_scopes: &declared.any_scopes,
        input_schema: &found.tool.input_schema,
        output_schema: declared.output.as_ref(),
        connection_names: accounts.map(|accounts| accounts.iter().map(|it| it.connection.as_str()).collect()),
    }
}

/// List tools
///
/// Every tool of every connector that is loaded, by name.
#[utoipa::path(get, path = "/api/v1/tools", tag = "tools", operation_id = "listTools",
    params(ListQuery), responses((status = 200, description = "A page of tools.", body = ViewList)),
    security(("client" = ["tools:read"])))]
pub(super) async fn list(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ToolsRead>,
    Query(query): Query<ListQuery>,
) -> Answer {
    let filter = filter(query.connector, query.tag, query.read_only);
    let list = format!("tools {filter:?}");
    let page = Page::new(&host.access, &caller, list, query.limit, query.cursor.as_deref())?;
    let snapshot = host.registry.snapshot();
    let mut found = catalog::find(&snapshot, &filter);
    if let Some(after) = &page.after {
        found.retain(|tool| tool.name() > after.as_str());
    }
    page.answer(
        &host.access,
        &caller,
        &found,
        |tool| tool.name(),
        |tool| view(tool, None),
    )
}

/// List the tools of a user
///
/// The tools that a user can call now: those of the connectors on which they have an active account.
#[utoipa::path(get, path = "/api/v1/tools/scoped", tag = "tools", operation_id = "listScopedTools",
    params(ScopedQuery), responses((status = 200, description = "A page of tools.", body = ViewList)),
    security(("client" = ["tools:read"])))]
pub(super) async fn scoped(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ToolsRead>,
    Query(query): Query<ScopedQuery>,
) -> Answer {
    let filter = filter(query.connector, query.tag, query.read_only);
    let list = format!("scoped tools {:?} {filter:?}", query.identifier);
    let page = Page::new(&host.access, &caller, list, query.limit, query.cursor.as_deref())?;
    let reach = catalog::reach(&host, &caller.environment, &query.identifier, &[]).await?;
    let snapshot = host.registry.snapshot();
    let mut found = catalog::find(&snapshot, &filter);
    found.retain(|tool| reach.contains_key(tool.connector));
    if let Some(after) = &page.after {
        found.retain(|tool| tool.name() > after.as_str());
    }
    page.answer(
        &host.access,
        &caller,
        &found,
        |tool| tool.name(),
        |tool| view(tool, reach.get(tool.connector)),
    )
}

/// Search tools
///
/// The tools whose name, title, description and tags fit a few words best, best first.
#[utoipa::path(get, path = "/api/v1/tools/search", tag = "tools", operation_id = "searchTools",
    params(SearchQuery), responses((status = 200, description = "The best tools.", body = ViewList)),
    security(("client" = ["tools:read"])))]
pub(super) async fn search(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ToolsRead>,
    Query(query): Query<SearchQuery>,
) -> Answer {
    let filter = filter(query.connector, query.tag, query.read_only);
    let limit = list::bounded(query.limit.unwrap_or(DEFAULT_FOUND))?;
    let reach = match query.identifier {
        None => None,
        Some(identifier) => Some(catalog::reach(&host, &caller.environment, &identifier, &[]).await?),
    };
    let snapshot = host.registry.snapshot();
    let mut found = catalog::find(&snapshot, &filter);
    if let Some(reach) = &reach {
        found.retain(|tool| reach.contains_key(tool.connector));
    }
    let best = catalog::search(&query.query, &found);
    list::whole(
        best.iter()
            .take(limit)
            .map(|(tool, _)| {
                let accounts = reach.as_ref().and_then(|reach| reach.get(tool.connector));
                view(tool, accounts)
            })
            .collect(),
    )
}

/// Read a tool
#[utoipa::path(get, path = "/api/v1/tools/{name}", tag = "tools", operation_id = "getTool",
    params(("name" = String, Path, description = "Its name or an alias.")),
    responses((status = 200, description = "The tool.", body = View)),
    security(("client" = ["tools:read"])))]
pub(super) async fn get(
    State(host): State<Arc<Runtime>>,
    _caller: Who<scope::ToolsRead>,
    Path(name): Path<String>,
) -> Answer {
    let snapshot = host.registry.snapshot();
    let found = snapshot
        .tools
        .get(&name)
        .and_then(|(connector, own_name)| {
            let (connector, loaded) = snapshot.connectors.get_key_value(connector)?;
            let version = &*loaded.active.version;
            let tool = version.tools.get(own_name)?;
            Some(Found {
                connector,
                version,
                tool,
            })
        })
        .ok_or_else(|| {
            Fault::new(
                Kind::UnknownTool,
                "No tool of this name is loaded. GET /api/v1/tools/search finds one by words.",
            )
        })?;
    Ok(json(StatusCode::OK, &view(&found, None)))
}
