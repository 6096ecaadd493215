//! Search, comments, people, and lists in pages.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::pages::{member, read_body, text_of};
use super::problem::Problem;
use super::values::{plain, type_of};
use super::workspace::{Workspace, bot_id, normal, person_id, uuid, workspace_id};
use crate::calendar::rfc3339;
use crate::oauth::Session;
use crate::seed;
use crate::server::State;
use crate::text::{Pairs, first, parse_form};

/// Which part of a list is asked for.
pub(super) struct Cursor {
    start: Option<String>,
    size: usize,
}

/// The cursor of a body.
pub(super) fn cursor_of(start: &Value, size: &Value) -> Result<Cursor, Problem> {
    let size = if size.is_null() { Some(100) } else { size.as_u64() };
    let size = size
        .and_then(|size| usize::try_from(size).ok())
        .filter(|size| (1..=100).contains(size))
        .ok_or_else(|| Problem::invalid("body failed validation: body.page_size should be from 1 to 100."))?;
    Ok(Cursor {
        start: start.as_str().map(normal),
        size,
    })
}

/// The cursor of a query.
pub(super) fn cursor_of_query(query: &Pairs) -> Result<Cursor, Problem> {
    let size = first(query, "page_size").map_or(Value::Null, |size| {
        size.parse::<u64>()
            .map_or_else(|_| json!("no number"), Value::from)
    });
    cursor_of(&json!(first(query, "start_cursor")), &size)
}

/// A part of a list; the cursor is the id of the first item of the next part.
pub(super) fn list(kind: &str, items: Vec<Value>, cursor: &Cursor) -> Result<Value, Problem> {
    let from = match &cursor.start {
        None => 0,
        Some(start) => items
            .iter()
            .position(|item| item["id"] == start.as_str())
            .ok_or_else(|| Problem::invalid(format!("The start_cursor provided is invalid: {start}")))?,
    };
    let end = (from + cursor.size).min(items.len());
    let next = items.get(end).map(|item| item["id"].clone());
    let mut answer = whole(kind, items.into_iter().skip(from).take(end - from).collect());
    answer["has_more"] = json!(next.is_some());
    answer["next_cursor"] = json!(next);
    Ok(answer)
}

/// A list in one part.
pub(super) fn whole(kind: &str, items: Vec<Value>) -> Value {
    json!({ "object": "list", "results": items, "next_cursor": null, "has_more": false, "type": kind, kind: {} })
}

pub(super) async fn search(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let body = read_body(&body, &["query", "filter", "sort", "start_cursor", "page_size"])?;
    let wanted = member(&body, "query").as_str().unwrap_or_default().to_lowercase();
    let filter = member(&body, "filter");
    if !filter.is_null() && filter["property"] != "object" {
        return Err(Problem::invalid(
            "body failed validation: body.filter.property should be `object`.",
        ));
    }
    let only = filter["value"].as_str().unwrap_or_default();
    let ascending = member(&body, "sort")["direction"] == "ascending";
    state.workspace(&session.user, |workspace| {
        let mut found: Vec<Value> = Vec::new();
        if only != "page" && workspace.title.to_lowercase().contains(&wanted) {
            found.push(workspace.answer_data_source());
        }
        if only != "data_source" {
            found.extend(
                workspace
                    .pages
                    .iter()
                    .filter(|(_, page)| !page.in_trash)
                    .map(|(id, page)| workspace.answer(id, page))
                    .filter(|page| title_of(page).to_lowercase().contains(&wanted)),
            );
        }
        found.sort_by(|a, b| {
            let order = a["last_edited_time"]
                .as_str()
                .cmp(&b["last_edited_time"].as_str());
            if ascending { order } else { order.reverse() }
        });
        let cursor = cursor_of(member(&body, "start_cursor"), member(&body, "page_size"))?;
        list("page_or_data_source", found, &cursor).map(Json)
    })
}

fn title_of(page: &Value) -> String {
    page["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, value)| value)
        .find(|value| type_of(value) == "title")
        .map(|value| plain(&value["title"]))
        .unwrap_or_default()
}

pub(super) async fn comments(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let id = first(&query, "block_id")
        .map(normal)
        .ok_or_else(|| Problem::invalid("query failed validation: query.block_id should be defined."))?;
    let cursor = cursor_of_query(&query)?;
    state.workspace(&session.user, |workspace| {
        workspace.inside(&id)?;
        let found = workspace
            .comments
            .iter()
            .filter(|comment| {
                comment["parent"]["page_id"] == id.as_str() || comment["parent"]["block_id"] == id.as_str()
            })
            .cloned()
            .collect();
        list("comment", found, &cursor).map(Json)
    })
}

pub(super) async fn create_comment(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let body = read_body(&body, &["parent", "discussion_id", "rich_text"])?;
    let now_ms = state.calendar.now_ms();
    state.workspace(&session.user, |workspace| {
        let text = text_of(member(&body, "rich_text"), "body.rich_text")?;
        let (parent, discussion) = match member(&body, "discussion_id").as_str() {
            Some(discussion) => {
                let known = workspace
                    .comments
                    .iter()
                    .find(|comment| comment["discussion_id"] == discussion)
                    .ok_or_else(|| Problem::not_found("discussion", discussion))?;
                (known["parent"].clone(), discussion.to_owned())
            }
            None => {
                let page = member(&body, "parent")["page_id"].as_str().ok_or_else(|| {
                    Problem::invalid("body failed validation: body.parent should be defined.")
                })?;
                workspace.page(page)?;
                let parent = json!({ "type": "page_id", "page_id": normal(page) });
                (parent, workspace.next_id())
            }
        };
        let time = rfc3339(now_ms);
        let comment = json!({
            "object": "comment",
            "id": workspace.next_id(),
            "parent": parent,
            "discussion_id": discussion,
            "created_time": time,
            "last_edited_time": time,
            "created_by": { "object": "user", "id": bot_id(&workspace.user) },
            "rich_text": text,
        });
        workspace.comments.push(comment.clone());
        Ok(Json(comment))
    })
}

fn people(workspace: &Workspace) -> Vec<Value> {
    let user = &workspace.user;
    let person = |id: String, name: String, email: String| json!({ "object": "user", "id": id, "type": "person", "name": name, "avatar_url": null, "person": { "email": email } });
    let mut all = vec![person(
        person_id(user),
        user.clone(),
        format!("{user}@{user}.example"),
    )];
    all.extend((0..3_u8).map(|n| {
        let (id, n) = (uuid(user, 10 + u64::from(n)), usize::from(n));
        let name = format!("{} {}", seed::first_name(n), seed::last_name(n));
        person(id, name, seed::address(user, n))
    }));
    all.push(bot(user));
    all
}

fn bot(user: &str) -> Value {
    json!({
        "object": "user",
        "id": bot_id(user),
        "type": "bot",
        "name": "Simulated integration",
        "avatar_url": null,
        "bot": {
            "owner": { "type": "user", "user": { "object": "user", "id": person_id(user), "type": "person", "name": user } },
            "workspace_id": workspace_id(user),
            "workspace_name": format!("Workspace of {user}"),
        },
    })
}

pub(super) async fn users(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let cursor = cursor_of_query(&parse_form(&query.unwrap_or_default()))?;
    state.workspace(&session.user, |workspace| {
        list("user", people(workspace), &cursor).map(Json)
    })
}

pub(super) async fn me(Extension(session): Extension<Session>) -> Json<Value> {
    Json(bot(&session.user))
}

pub(super) async fn user(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    state.workspace(&session.user, |workspace| {
        people(workspace)
            .into_iter()
            .find(|user| user["id"] == normal(&id))
            .map(Json)
            .ok_or_else(|| Problem::not_found("user", &id))
    })
}
