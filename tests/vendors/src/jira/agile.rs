//! Boards and sprints: one board for the first project, with three sprints.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Value, json};

use super::directory::page;
use super::gate::Reached;
use super::issues::{answer, names, project_id, project_of};
use super::jql::Query;
use super::problem::Problem;
use super::search::parse;
use super::site::PROJECTS;
use crate::server::State;
use crate::text::{first, parse_form};

const BOARD: u64 = 84;
/// Sprints: id and state.
const SPRINTS: [(u64, &str); 3] = [(1, "closed"), (2, "active"), (3, "future")];
const MOST_AT_ONCE: usize = 50;

pub(crate) async fn boards(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    RawQuery(query): RawQuery,
) -> Json<Value> {
    let query = parse_form(&query.unwrap_or_default());
    state.site(&reached, |site| {
        let (key, name) = PROJECTS[0];
        let title = format!("{key} board of {}", site.user);
        let fits = first(&query, "projectKeyOrId").is_none_or(|wanted| project_of(wanted) == Some(0))
            && first(&query, "type").is_none_or(|wanted| wanted == "scrum")
            && first(&query, "name").is_none_or(|wanted| title.contains(wanted));
        let board = json!({
            "id": BOARD, "self": format!("{}/rest/agile/1.0/board/{BOARD}", site.url), "name": title, "type": "scrum",
            "location": { "projectId": project_id(0).parse::<u64>().ok(), "projectKey": key, "displayName": name },
        });
        let found: Vec<Value> = fits.then_some(board).into_iter().collect();
        Json(page(&query, "values", &found, 50))
    })
}

pub(crate) async fn sprints(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, board)): Path<(String, u64)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    if board != BOARD {
        return Err(Problem::not_found("board"));
    }
    let query = parse_form(&query.unwrap_or_default());
    let wanted = names(&query, "state");
    Ok(state.site(&reached, |site| {
        let found: Vec<Value> = SPRINTS
            .iter()
            .filter(|(_, state)| wanted.is_empty() || wanted.iter().any(|wanted| wanted == state))
            .map(|(id, state)| {
                json!({
                    "id": id, "self": format!("{}/rest/agile/1.0/sprint/{id}", site.url), "state": state,
                    "name": format!("Sprint {id} of {}", site.user), "originBoardId": BOARD, "goal": "",
                })
            })
            .collect();
        Json(page(&query, "values", &found, 50))
    }))
}

fn sprint_of(id: u64) -> Result<&'static str, Problem> {
    let found = SPRINTS.iter().find(|(known, _)| *known == id);
    found
        .map(|(_, state)| *state)
        .ok_or_else(|| Problem::not_found("sprint"))
}

pub(crate) async fn issues(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, sprint)): Path<(String, u64)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    sprint_of(sprint)?;
    let query = parse_form(&query.unwrap_or_default());
    let jql = Query::read(first(&query, "jql").unwrap_or_default(), false)?;
    let mut wanted = names(&query, "fields");
    if wanted.is_empty() {
        wanted.push("*all".to_owned());
    }
    Ok(state.site(&reached, |site| {
        let found = jql.run(site);
        let found = found.into_iter().filter(|issue| issue.sprint == Some(sprint));
        let found: Vec<Value> = found.map(|issue| answer(site, issue, &wanted)).collect();
        Json(page(&query, "issues", &found, 50))
    }))
}

/// Moves issues into a sprint that is not closed.
pub(crate) async fn take_in(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, sprint)): Path<(String, u64)>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let body = parse(&body)?;
    if sprint_of(sprint)? == "closed" {
        return Err(Problem::invalid(
            "You can only assign issues to open or future sprints.",
        ));
    }
    let keys: Vec<&str> = body["issues"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if keys.len() > MOST_AT_ONCE {
        return Err(Problem::invalid("At most 50 issues can be moved at once."));
    }
    state.site(&reached, |site| {
        let found: Option<Vec<u64>> = keys.iter().map(|key| site.find(key)).collect();
        for id in found.ok_or_else(Problem::no_issue)? {
            if let Some(issue) = site.issues.get_mut(&id) {
                issue.sprint = Some(sprint);
            }
        }
        Ok(StatusCode::NO_CONTENT)
    })
}
