//! Issues, their comments, labels and reactions; pull requests are among them.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Value, json};

use super::page::Page;
use super::problem::Problem;
use super::repos::{api, needed, parse, with};
use super::world::{Repo, labels, people, person};
use crate::calendar::rfc3339_seconds;
use crate::oauth::Session;
use crate::server::State;
use crate::text::{Pairs, first, parse_form};

type At = Path<(String, String)>;
type AtNumber = Path<(String, String, u64)>;

/// Issues as a list asks for them, the newest first.
pub(crate) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name)): At,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        let mut found: Vec<Value> = repo
            .issues
            .values()
            .rev()
            .filter(|issue| wanted(issue, &query))
            .cloned()
            .collect();
        order(&mut found, &query, "created");
        Ok(Page::of(&query).answer(&found, &format!("{api}/repositories/{}/issues", repo.id)))
    })
}

fn wanted(issue: &Value, query: &Pairs) -> bool {
    let state = first(query, "state").unwrap_or("open");
    let mut labels = first(query, "labels")
        .unwrap_or_default()
        .split(',')
        .filter(|name| !name.is_empty());
    let assignee = first(query, "assignee").unwrap_or("*any");
    let assignees = issue["assignees"]
        .as_array()
        .map_or(&[] as &[Value], Vec::as_slice);
    (state == "all" || issue["state"] == state)
        && labels.all(|name| has_label(issue, name))
        && match assignee {
            "*any" => true,
            "*" => !assignees.is_empty(),
            "none" => assignees.is_empty(),
            login => assignees.iter().any(|person| person["login"] == login),
        }
        && first(query, "creator").is_none_or(|creator| issue["user"]["login"] == creator)
        && first(query, "since").is_none_or(|since| issue["updated_at"].as_str().unwrap_or_default() >= since)
}

pub(crate) fn has_label(issue: &Value, name: &str) -> bool {
    let labels = issue["labels"].as_array().into_iter().flatten();
    labels
        .filter_map(|label| label["name"].as_str())
        .any(|label| label.eq_ignore_ascii_case(name))
}

/// Sorts by `created` or `updated`, the newest first unless asked otherwise.
pub(crate) fn order(found: &mut [Value], query: &Pairs, usual: &str) {
    let by = match first(query, "sort").unwrap_or(usual) {
        "updated" => "updated_at",
        "comments" => "comments",
        _ => "created_at",
    };
    let key = |issue: &Value| {
        (
            issue[by].as_u64(),
            issue[by].as_str().map(str::to_owned),
            issue["number"].as_u64(),
        )
    };
    found.sort_by_key(key);
    let direction = first(query, "direction").or_else(|| first(query, "order"));
    if direction != Some("asc") {
        found.reverse();
    }
}

pub(crate) fn find(repo: &mut Repo, number: u64) -> Result<&mut Value, Problem> {
    repo.issues.get_mut(&number).ok_or_else(Problem::not_found)
}

pub(crate) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, number)): AtNumber,
) -> Result<Json<Value>, Problem> {
    with(&state, &session, (&owner, &name), false, |_, repo| {
        Ok(Json(find(repo, number)?.clone()))
    })
}

pub(crate) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name)): At,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let api = api(&state);
    let now = state.calendar.now_ms();
    let body = parse(&body)?;
    with(&state, &session, (&owner, &name), true, |world, repo| {
        needed(&body, "Issue", "title")?;
        check(&body)?;
        let number = repo.next_number();
        let issue = world.issue(&api, repo, number, &body, now);
        repo.issues.insert(number, issue.clone());
        Ok((StatusCode::CREATED, Json(issue)))
    })
}

/// The repository has no milestones, so that naming one is an error of a field.
fn check(body: &Value) -> Result<(), Problem> {
    if body["milestone"].is_null() {
        Ok(())
    } else {
        Err(Problem::field("Issue", "milestone", "invalid"))
    }
}

pub(crate) async fn update(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, number)): AtNumber,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let api = api(&state);
    let now = rfc3339_seconds(state.calendar.now_ms());
    let body = parse(&body)?;
    check(&body)?;
    with(&state, &session, (&owner, &name), true, |_, repo| {
        let labels = body.get("labels").map(|names| labels(&api, repo, names));
        let issue = find(repo, number)?;
        for name in ["title", "body"] {
            if let Some(value) = body.get(name) {
                issue[name] = value.clone();
            }
        }
        if let Some(labels) = labels {
            issue["labels"] = json!(labels);
        }
        if let Some(logins) = body.get("assignees") {
            issue["assignees"] = json!(people(&api, logins));
        }
        match body["state"].as_str() {
            Some("closed") => {
                issue["state"] = json!("closed");
                issue["state_reason"] = body.get("state_reason").cloned().unwrap_or(json!("completed"));
                issue["closed_at"] = json!(now);
            }
            Some("open") => {
                issue["state"] = json!("open");
                issue["state_reason"] = json!("reopened");
                issue["closed_at"] = Value::Null;
            }
            Some(_) => return Err(Problem::field("Issue", "state", "invalid")),
            None => {}
        }
        issue["updated_at"] = json!(now);
        Ok(Json(issue.clone()))
    })
}

pub(crate) async fn comments(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, number)): AtNumber,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        find(repo, number)?;
        let all = repo.comments.get(&number).cloned().unwrap_or_default();
        let address = format!("{api}/repositories/{}/issues/{number}/comments", repo.id);
        Ok(Page::of(&query).answer(&all, &address))
    })
}

pub(crate) async fn comment(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, number)): AtNumber,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let api = api(&state);
    let now = rfc3339_seconds(state.calendar.now_ms());
    let body = parse(&body)?;
    with(&state, &session, (&owner, &name), true, |world, repo| {
        let words = needed(&body, "IssueComment", "body")?;
        let id = world.new_id();
        let at = format!("{api}/repos/{}/{}/issues", repo.owner, repo.name);
        let comment = json!({
            "id": id,
            "node_id": format!("IC_{id}"),
            "url": format!("{at}/comments/{id}"),
            "issue_url": format!("{at}/{number}"),
            "html_url": format!("https://github.example/{}/{}/issues/{number}#issuecomment-{id}", repo.owner, repo.name),
            "user": person(&api, &world.login),
            "body": words,
            "created_at": now,
            "updated_at": now,
        });
        let all = repo.comments.entry(number).or_default();
        all.push(comment.clone());
        let count = all.len();
        let issue = find(repo, number)?;
        issue["comments"] = json!(count);
        issue["updated_at"] = json!(now);
        Ok((StatusCode::CREATED, Json(comment)))
    })
}

pub(crate) async fn add_labels(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, number)): AtNumber,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let api = api(&state);
    let body = parse(&body)?;
    with(&state, &session, (&owner, &name), true, |_, repo| {
        let more = labels(&api, repo, &body["labels"]);
        let issue = find(repo, number)?;
        for label in more {
            if !has_label(issue, label["name"].as_str().unwrap_or_default())
                && let Some(all) = issue["labels"].as_array_mut()
            {
                all.push(label);
            }
        }
        Ok(Json(issue["labels"].clone()))
    })
}

/// The same reaction of the same person again is the one that is there: 200 and not 201.
pub(crate) async fn react(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, number)): AtNumber,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    const KINDS: [&str; 8] = [
        "+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes",
    ];
    let api = api(&state);
    let now = rfc3339_seconds(state.calendar.now_ms());
    let body = parse(&body)?;
    with(&state, &session, (&owner, &name), true, |world, repo| {
        let content = needed(&body, "Reaction", "content")?;
        if !KINDS.contains(&content) {
            return Err(Problem::field("Reaction", "content", "invalid"));
        }
        let issue = find(repo, number)?;
        let counted = issue["reactions"][content].as_u64().unwrap_or(0) > 0;
        issue["reactions"][content] = json!(1);
        let id = issue["id"].as_u64().unwrap_or(0)
            + KINDS.iter().position(|kind| *kind == content).unwrap_or(0) as u64;
        let reaction = json!({
            "id": id, "node_id": format!("REA_{id}"), "user": person(&api, &world.login),
            "content": content, "created_at": now,
        });
        let status = if counted {
            StatusCode::OK
        } else {
            StatusCode::CREATED
        };
        Ok((status, Json(reaction)))
    })
}
