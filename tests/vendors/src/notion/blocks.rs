//! Blocks by themselves.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::directory::{cursor_of_query, list, whole};
use super::pages::{member, read_body};
use super::problem::Problem;
use super::values::completed;
use super::workspace::normal;
use crate::oauth::Session;
use crate::server::State;
use crate::text::parse_form;

/// The types that can be sent here.
const TYPES: [&str; 13] = [
    "paragraph",
    "heading_1",
    "heading_2",
    "heading_3",
    "bulleted_list_item",
    "numbered_list_item",
    "to_do",
    "toggle",
    "quote",
    "callout",
    "code",
    "divider",
    "bookmark",
];

/// The most blocks of one request.
const MOST: usize = 100;

/// Blocks of a body: type and content.
pub(super) fn sent(children: &Value) -> Result<Vec<(String, Value)>, Problem> {
    let children = children
        .as_array()
        .ok_or_else(|| Problem::invalid("body failed validation: body.children should be an array."))?;
    if children.len() > MOST {
        return Err(Problem::invalid(format!(
            "body failed validation: body.children.length should be ≤ `{MOST}`, instead was `{}`.",
            children.len()
        )));
    }
    children
        .iter()
        .map(|block| {
            let kind = TYPES
                .iter()
                .find(|kind| block.get(kind).is_some())
                .ok_or_else(|| {
                    Problem::invalid(
                        "body failed validation: body.children[0] should have one of the known types.",
                    )
                })?;
            Ok(((*kind).to_owned(), content(kind, &block[kind])?))
        })
        .collect()
}

fn content(kind: &str, sent: &Value) -> Result<Value, Problem> {
    let mut content = sent.clone();
    if let Some(text) = sent.get("rich_text") {
        content["rich_text"] = completed(text, &format!("body.children[0].{kind}.rich_text"))?;
    } else if !["divider", "bookmark"].contains(&kind) {
        return Err(Problem::invalid(format!(
            "body failed validation: body.children[0].{kind}.rich_text should be defined, instead was `undefined`."
        )));
    }
    if kind == "to_do" && content.get("checked").is_none() {
        content["checked"] = json!(false);
    }
    Ok(content)
}

pub(super) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    state.workspace(&session.user, |workspace| {
        let block = workspace.block(&id)?;
        Ok(Json(workspace.answer_block(&normal(&id), block)))
    })
}

pub(super) async fn children(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let cursor = cursor_of_query(&parse_form(&query.unwrap_or_default()))?;
    state.workspace(&session.user, |workspace| {
        let blocks = workspace
            .inside(&id)?
            .iter()
            .filter_map(|id| Some(workspace.answer_block(id, workspace.block(id).ok()?)))
            .collect();
        list("block", blocks, &cursor).map(Json)
    })
}

pub(super) async fn append(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let body = read_body(&body, &["children", "position"])?;
    let blocks = sent(member(&body, "children"))?;
    let position = member(&body, "position");
    let now_ms = state.calendar.now_ms();
    state.workspace(&session.user, |workspace| {
        let inside = workspace.inside(&id)?;
        let at = match position["type"].as_str() {
            None | Some("end") => None,
            Some("start") => Some(0),
            Some(_) => {
                let after = position["after_block"]["id"].as_str().unwrap_or_default();
                let found = inside.iter().position(|known| *known == normal(after));
                Some(found.ok_or_else(|| Problem::not_found("block", after))? + 1)
            }
        };
        let added = workspace.put(&id, at, blocks, now_ms)?;
        let blocks = added
            .iter()
            .filter_map(|id| Some(workspace.answer_block(id, workspace.block(id).ok()?)))
            .collect();
        Ok(Json(whole("block", blocks)))
    })
}

pub(super) async fn update(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let mut allowed = vec!["in_trash", "type"];
    allowed.extend(TYPES);
    let body = read_body(&body, &allowed)?;
    let now_ms = state.calendar.now_ms();
    state.workspace(&session.user, |workspace| {
        let kind = workspace.block(&id)?.kind.clone();
        let other = TYPES
            .iter()
            .find(|other| **other != kind && body.contains_key(**other));
        if let Some(other) = other {
            return Err(Problem::invalid(format!(
                "Block type cannot be changed: this is a {kind}, not a {other}."
            )));
        }
        let Some(block) = workspace.blocks.get_mut(&normal(&id)) else {
            return Err(Problem::not_found("block", &id));
        };
        for (name, value) in member(&body, &kind).as_object().into_iter().flatten() {
            block.content[name] = if name == "rich_text" {
                completed(value, &format!("body.{kind}.rich_text"))?
            } else {
                value.clone()
            };
        }
        block.in_trash = member(&body, "in_trash") == &json!(true);
        block.edited_ms = now_ms;
        let answer = block.clone();
        Ok(Json(workspace.answer_block(&normal(&id), &answer)))
    })
}

pub(super) async fn delete(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let now_ms = state.calendar.now_ms();
    state.workspace(&session.user, |workspace| {
        if let Ok(page) = workspace.page_mut(&id) {
            page.in_trash = true;
            page.edited_ms = now_ms;
            return Ok(Json(json!({
                "object": "block", "id": normal(&id), "type": "child_page", "in_trash": true,
                "child_page": { "title": "" },
            })));
        }
        let mut block = workspace.block(&id)?.clone();
        block.in_trash = true;
        block.edited_ms = now_ms;
        workspace.blocks.insert(normal(&id), block.clone());
        Ok(Json(workspace.answer_block(&normal(&id), &block)))
    })
}
