//! `/api/v1/executions`: what was called, lately.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, json};
use super::ask::{Query, Who, scope};
use super::list::Page;
use crate::error::{Fault, Kind};
use crate::journal::Execution;
use crate::runtime::Runtime;

/// The journal keeps fewer than this at hand.
const ALL: usize = 100_000;

/// A page of executions, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionList)]
#[allow(dead_code, reason = "the shape of the document; lists render by `list`")]
pub(super) struct ExecutionList {
    items: Vec<Execution>,
    /// For the next page; absent on the last.
    next_cursor: Option<String>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Items at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List recent executions
///
/// Newest first. Older ones are in the journal's files on the host.
#[utoipa::path(get, path = "/api/v1/executions", tag = "executions", operation_id = "listExecutions",
    params(ListQuery), responses((status = 200, description = "A page of executions.", body = ExecutionList)),
    security(("client" = ["executions:read"])))]
pub(super) async fn list(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ExecutionsRead>,
    Query(query): Query<ListQuery>,
) -> Answer {
    let page = Page::new(
        &host.access,
        &caller,
        "executions".to_owned(),
        query.limit,
        query.cursor.as_deref(),
    )?;
    let environment = caller.environment.as_str();
    let recent = match &page.after {
        None => host.journal.recent(environment, page.read_ahead()),
        Some(after) => host
            .journal
            .recent(environment, ALL)
            .into_iter()
            .skip_while(|execution| execution.execution_id != *after)
            .skip(1)
            .take(page.read_ahead())
            .collect(),
    };
    page.answer(&host.access, &caller, &recent, |it| &it.execution_id, Arc::clone)
}

/// Read a recent execution
#[utoipa::path(get, path = "/api/v1/executions/{id}", tag = "executions", operation_id = "getExecution",
    params(("id" = String, Path, description = "`exe_…`.")),
    responses((status = 200, description = "The execution.", body = Execution)),
    security(("client" = ["executions:read"])))]
pub(super) async fn get(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ExecutionsRead>,
    Path(id): Path<String>,
) -> Answer {
    let execution = host
        .journal
        .find(caller.environment.as_str(), &id)
        .ok_or_else(|| {
            Fault::new(
                Kind::NotFound,
                "There is no recent execution of this id. Older ones are in the journal's files on the host.",
            )
        })?;
    Ok(json(StatusCode::OK, &execution))
}
