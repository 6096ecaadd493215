//! `/api/v1/tools`: what can be called, in all, by one user, or for one purpose; in our own shape
//! or in the one that a model's API takes.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, json};
use super::ask::{Names, Query, Who, scope};
use super::list::{self, Page};
use crate::access::Caller;
use crate::call::catalog::{self, Entry, Filter, Place, Readiness};
use crate::error::{Fault, Problem};
use crate::id::Identifier;
use crate::manifest::profile::{self, Format, Shaped};
use crate::runtime::Runtime;

/// Answers of a search when the caller names no limit.
const DEFAULT_FOUND: usize = 10;
/// Characters of what is searched for.
const MAX_QUERY: usize = 400;

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
    /// The version of the connector that serves it.
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
    /// For lists about a user: the connections on which they have an active account.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_names: Option<Vec<&'a str>>,
    /// For lists about a user: where they can call it, or could, and what is missing.
    #[serde(skip_serializing_if = "<[Place]>::is_empty")]
    #[schema(required = false)]
    connections: &'a [Place],
    /// How well it fits what was searched for; only the order means something.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
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

/// A tool in the shape that was asked for.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ToolItem)]
pub(super) enum Item<'a> {
    /// Without `format`.
    Own(View<'a>),
    /// With `format`.
    Shaped(Shaped<'a>),
}

/// A page of tools.
#[derive(Serialize, ToSchema)]
#[schema(as = ToolList)]
pub(super) struct ItemList<'a> {
    items: Vec<Item<'a>>,
    /// For the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// Tools of this page that the asked-for format cannot hold, with the reasons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    left_out: Vec<LeftOut<'a>>,
}

/// A tool that a format cannot hold.
#[derive(Serialize, ToSchema)]
#[schema(as = ToolLeftOut)]
struct LeftOut<'a> {
    /// Its name.
    name: &'a str,
    /// Why, with the places in its declaration.
    problems: Vec<Problem>,
}

/// A query about tools: what it asks for itself, and what every list of tools can be narrowed by.
macro_rules! tool_query {
    ($(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$doc])*
        #[derive(Deserialize, IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub(super) struct $name {
            $($own)*
            /// Only of these connectors, separated by commas.
            #[serde(default)]
            #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
            connector: Names,
            /// Only what these connections serve, separated by commas.
            #[serde(default)]
            #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
            connection_name: Names,
            /// Only these, by name or alias, separated by commas.
            #[serde(default)]
            #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
            tool_name: Names,
            /// Only with one of these tags, separated by commas.
            #[serde(default)]
            #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
            tag: Names,
            /// Only those that change nothing (`true`), or only the others (`false`).
            read_only: Option<bool>,
            /// The shape of the tools; the host's own when absent.
            #[param(inline)]
            format: Option<Format>,
        }

        impl $name {
            fn filter(&mut self) -> Filter {
                Filter {
                    connectors: std::mem::take(&mut self.connector.0),
                    connection_names: std::mem::take(&mut self.connection_name.0),
                    tool_names: std::mem::take(&mut self.tool_name.0),
                    tags: std::mem::take(&mut self.tag.0),
                    read_only: self.read_only,
                }
            }
        }
    };
}

tool_query! {
    /// Which tools, and which page of them.
    ListQuery {
        /// Items at most.
        #[param(minimum = 1, maximum = 200, default = 50)]
        limit: Option<usize>,
        /// `next_cursor` of the page before.
        cursor: Option<String>,
    }
}

tool_query! {
    /// Whose tools, which of them, and which page.
    UserQuery {
        /// The application's key for the user.
        #[param(value_type = String, min_length = 1, max_length = 256)]
        identifier: Identifier,
        /// Items at most.
        #[param(minimum = 1, maximum = 200, default = 50)]
        limit: Option<usize>,
        /// `next_cursor` of the page before.
        cursor: Option<String>,
    }
}

tool_query! {
    /// What is looked for.
    SearchQuery {
        /// A few words.
        #[param(min_length = 1, max_length = 400)]
        query: String,
        /// Only tools of this environment's connections, each with what this user lacks to call it.
        #[param(value_type = Option<String>, min_length = 1, max_length = 256)]
        identifier: Option<Identifier>,
        /// With `identifier`: only those that the user can call now (`true`).
        ready: Option<bool>,
        /// Items at most.
        #[param(minimum = 1, maximum = 200, default = 10)]
        limit: Option<usize>,
    }
}

/// In which shape.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct GetQuery {
    /// The shape of the tool; the host's own when absent.
    #[param(inline)]
    format: Option<Format>,
}

fn item(entry: &Entry, score: Option<f64>, format: Option<Format>) -> Result<Item<'_>, Vec<Problem>> {
    let tool = &*entry.tool;
    let declared = &tool.declared;
    if let Some(format) = format {
        return profile::shape(format, declared, &tool.input_schema).map(Item::Shaped);
    }
    Ok(Item::Own(View {
        name: &declared.name,
        title: &declared.title,
        description: &declared.description,
        connector: entry.connector(),
        connector_version: &entry.version.manifest.connector.version,
        aliases: &declared.aliases,
        tags: &declared.tags,
        hints: Hints {
            read_only: declared.hints.read_only,
            destructive: declared.hints.destructive,
            idempotent: declared.hints.idempotent,
        },
        scopes: &declared.scopes,
        any_scopes: &declared.any_scopes,
        input_schema: &tool.input_schema,
        output_schema: declared.output.as_ref(),
        connection_names: (!entry.places.is_empty()).then(|| active(&entry.places)),
        connections: &entry.places,
        score,
    }))
}

fn active(places: &[Place]) -> Vec<&str> {
    let active = places
        .iter()
        .filter(|place| matches!(place.readiness, Readiness::Ready | Readiness::ScopeMissing));
    active.map(|place| place.connection_name.as_str()).collect()
}

fn render<'a>(
    entries: impl Iterator<Item = (&'a Entry, Option<f64>)>,
    format: Option<Format>,
    next_cursor: Option<String>,
) -> Answer {
    let (mut items, mut left_out) = (Vec::new(), Vec::new());
    for (entry, score) in entries {
        match item(entry, score, format) {
            Ok(item) => items.push(item),
            Err(problems) => left_out.push(LeftOut {
                name: entry.name(),
                problems,
            }),
        }
    }
    let list = ItemList {
        items,
        next_cursor,
        left_out,
    };
    Ok(json(StatusCode::OK, &list))
}

fn answer(
    host: &Runtime,
    caller: &Caller,
    page: Page,
    mut entries: Vec<Entry>,
    format: Option<Format>,
) -> Answer {
    if let Some(after) = &page.after {
        entries.retain(|entry| entry.name() > after.as_str());
    }
    let (shown, next_cursor) = page.cut(&host.access, caller, &entries, Entry::name)?;
    render(shown.iter().map(|entry| (entry, None)), format, next_cursor)
}

/// List tools
///
/// Every tool of every connector that is loaded, by name.
#[utoipa::path(get, path = "/api/v1/tools", tag = "tools", operation_id = "listTools",
    params(ListQuery), responses((status = 200, description = "A page of tools.", body = ItemList)),
    security(("client" = ["tools:read"])))]
pub(super) async fn list(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ToolsRead>,
    Query(mut query): Query<ListQuery>,
) -> Answer {
    let filter = query.filter();
    let list = format!("tools {filter:?}");
    let page = Page::new(&host.access, &caller, list, query.limit, query.cursor.as_deref())?;
    catalog::expect_known(&host, &caller.environment, &filter).await?;
    let found = catalog::all(&host, &caller.environment, &filter).await?;
    answer(&host, &caller, page, found, query.format)
}

/// List the tools of a user
///
/// The tools of the connections on which the user has an active account, by name.
#[utoipa::path(get, path = "/api/v1/tools/scoped", tag = "tools", operation_id = "listScopedTools",
    params(UserQuery), responses((status = 200, description = "A page of tools.", body = ItemList)),
    security(("client" = ["tools:read"])))]
pub(super) async fn scoped(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ToolsRead>,
    Query(mut query): Query<UserQuery>,
) -> Answer {
    let filter = query.filter();
    let list = format!("scoped tools {:?} {filter:?}", query.identifier);
    let page = Page::new(&host.access, &caller, list, query.limit, query.cursor.as_deref())?;
    catalog::expect_known(&host, &caller.environment, &filter).await?;
    let found = catalog::scoped(&host, &caller.environment, &query.identifier, &filter).await?;
    answer(&host, &caller, page, found, query.format)
}

/// List the tools that a user could have
///
/// The tools of every connection of the environment, by name; `connections` says what the user
/// lacks to call each one.
#[utoipa::path(get, path = "/api/v1/tools/available", tag = "tools", operation_id = "listAvailableTools",
    params(UserQuery), responses((status = 200, description = "A page of tools.", body = ItemList)),
    security(("client" = ["tools:read"])))]
pub(super) async fn available(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ToolsRead>,
    Query(mut query): Query<UserQuery>,
) -> Answer {
    let filter = query.filter();
    let list = format!("available tools {:?} {filter:?}", query.identifier);
    let page = Page::new(&host.access, &caller, list, query.limit, query.cursor.as_deref())?;
    catalog::expect_known(&host, &caller.environment, &filter).await?;
    let found = catalog::available(&host, &caller.environment, &query.identifier, &filter).await?;
    answer(&host, &caller, page, found, query.format)
}

/// Search tools
///
/// The tools whose name, title, description and tags fit a few words best, best first. With an
/// `identifier`, `connections` says what the user lacks to call each one.
#[utoipa::path(get, path = "/api/v1/tools/search", tag = "tools", operation_id = "searchTools",
    params(SearchQuery), responses((status = 200, description = "The best tools.", body = ItemList)),
    security(("client" = ["tools:read"])))]
pub(super) async fn search(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ToolsRead>,
    Query(mut query): Query<SearchQuery>,
) -> Answer {
    let filter = query.filter();
    let limit = list::bounded(query.limit.unwrap_or(DEFAULT_FOUND))?;
    if !(1..=MAX_QUERY).contains(&query.query.chars().count()) {
        return Err(complaint("/query", format!("must have 1 to {MAX_QUERY} characters")).into());
    }
    if query.ready.is_some() && query.identifier.is_none() {
        return Err(complaint("/identifier", "is missing: `ready` is about a user".to_owned()).into());
    }
    catalog::expect_known(&host, &caller.environment, &filter).await?;
    let mut found = match &query.identifier {
        None => catalog::all(&host, &caller.environment, &filter).await?,
        Some(identifier) => catalog::available(&host, &caller.environment, identifier, &filter).await?,
    };
    if query.ready == Some(true) {
        found.retain(|entry| {
            entry
                .places
                .iter()
                .any(|place| place.readiness == Readiness::Ready)
        });
    }
    let mut best = catalog::search(found, &query.query);
    best.truncate(limit);
    let best = best.iter().map(|(entry, score)| (entry, Some(*score)));
    render(best, query.format, None)
}

fn complaint(path: &str, problem: String) -> Fault {
    let path = path.to_owned();
    Fault::invalid(
        "The query is not what this path takes; `fields` says where.",
        vec![Problem { path, problem }],
    )
}

/// Read a tool
#[utoipa::path(get, path = "/api/v1/tools/{name}", tag = "tools", operation_id = "getTool",
    params(("name" = String, Path, description = "Its name or an alias."), GetQuery),
    responses((status = 200, description = "The tool.", body = Item)),
    security(("client" = ["tools:read"])))]
pub(super) async fn get(
    State(host): State<Arc<Runtime>>,
    _caller: Who<scope::ToolsRead>,
    Path(name): Path<String>,
    Query(query): Query<GetQuery>,
) -> Answer {
    let entry = catalog::one(&host, &name)?;
    match item(&entry, None, query.format) {
        Ok(item) => Ok(json(StatusCode::OK, &item)),
        Err(problems) => Err(Fault::invalid(
            "This format cannot hold this tool; `fields` says why, with the places in its declaration. Ask for another format, or tell the connector's author.",
            problems,
        )
        .reason("format")
        .into()),
    }
}
