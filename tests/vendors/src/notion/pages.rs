//! Pages: reading, creating, changing, moving, and their text.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use super::problem::Problem;
use super::values::{completed, rich};
use super::workspace::{Workspace, normal, titled};
use crate::oauth::Session;
use crate::server::State;
use crate::text::{all, parse_form};

/// A body, with no other members than these: the vendor refuses unknown ones.
pub(super) fn read_body(body: &[u8], allowed: &[&str]) -> Result<Map<String, Value>, Problem> {
    let parsed: Value = serde_json::from_slice(body).map_err(|_| {
        Problem::new(
            axum::http::StatusCode::BAD_REQUEST,
            "invalid_json",
            "Error parsing JSON body.",
        )
    })?;
    let Value::Object(members) = parsed else {
        return Err(Problem::invalid(
            "body failed validation: body should be an object.",
        ));
    };
    match members.keys().find(|name| !allowed.contains(&name.as_str())) {
        None => Ok(members),
        Some(other) => Err(Problem::invalid(format!(
            "body failed validation: body.{other} should be not present."
        ))),
    }
}

pub(super) fn member<'m>(members: &'m Map<String, Value>, name: &str) -> &'m Value {
    members.get(name).unwrap_or(&Value::Null)
}

pub(super) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    state.workspace(&session.user, |workspace| {
        let page = workspace.page(&id)?;
        let mut answer = workspace.answer(&normal(&id), page);
        keep_only(&mut answer, &all(&query, "filter_properties").collect::<Vec<_>>());
        Ok(Json(answer))
    })
}

/// Leaves the named properties of a page, by id or name; all when none is named.
pub(super) fn keep_only(page: &mut Value, named: &[&str]) {
    if named.is_empty() {
        return;
    }
    if let Some(properties) = page["properties"].as_object_mut() {
        properties.retain(|name, value| {
            named
                .iter()
                .any(|wanted| *wanted == name || value["id"] == *wanted)
        });
    }
}

pub(super) async fn property(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((id, property)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    state.workspace(&session.user, |workspace| {
        let page = workspace.page(&id)?;
        let value = page
            .properties
            .iter()
            .find(|(name, value)| **name == property || value["id"] == property.as_str())
            .map(|(_, value)| value)
            .ok_or_else(|| Problem::not_found("property", &property))?;
        let kind = value["type"].as_str().unwrap_or_default();
        let item =
            |one: &Value| json!({ "object": "property_item", "id": value["id"], "type": kind, kind: one });
        Ok(Json(match &value[kind] {
            Value::Array(several) if kind != "multi_select" => {
                let results: Vec<Value> = several.iter().map(item).collect();
                json!({
                    "object": "list",
                    "results": results,
                    "next_cursor": null,
                    "has_more": false,
                    "type": "property_item",
                    "property_item": { "id": value["id"], "next_url": null, "type": kind, kind: {} },
                })
            }
            one => item(one),
        }))
    })
}

pub(super) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let body = read_body(
        &body,
        &[
            "parent",
            "properties",
            "icon",
            "cover",
            "children",
            "markdown",
            "template",
            "position",
        ],
    )?;
    if body.contains_key("markdown") && body.contains_key("children") {
        return Err(Problem::invalid(
            "body failed validation: body.markdown and body.children exclude each other.",
        ));
    }
    let now_ms = state.calendar.now_ms();
    state.workspace(&session.user, |workspace| {
        let parent = member(&body, "parent");
        let text = |name: &str| parent.get(name).and_then(Value::as_str).map(normal);
        let sent = member(&body, "properties");
        let is_row = |workspace: &Workspace| {
            text("database_id").is_some_and(|id| id == workspace.database)
                || text("data_source_id").is_some_and(|id| id == workspace.data_source)
        };
        let (parent, properties) = if let Some(page) = text("page_id") {
            workspace.page(&page)?;
            let title = sent.get("title").ok_or_else(|| {
                Problem::invalid("body failed validation: body.properties.title should be defined.")
            })?;
            let title = completed(title.get("title").unwrap_or(title), "body.properties.title")?;
            let mut properties = titled("");
            properties["title"]["title"] = title;
            (json!({ "type": "page_id", "page_id": page }), properties)
        } else if is_row(workspace) {
            (workspace.row_parent(), workspace.row_values(sent)?)
        } else {
            let id = text("database_id").or_else(|| text("data_source_id"));
            return Err(match id {
                Some(id) => Problem::not_found("database", &id),
                None => Problem::invalid("body failed validation: body.parent should be defined."),
            });
        };
        let id = workspace.add_page(parent, properties, now_ms);
        if let Some(markdown) = member(&body, "markdown").as_str() {
            workspace.write(&id, markdown, now_ms);
        }
        if let Some(children) = body.get("children") {
            let blocks = super::blocks::sent(children)?;
            workspace.put(&id, None, blocks, now_ms)?;
        }
        let page = workspace.page_mut(&id)?;
        page.icon = member(&body, "icon").clone();
        Ok(Json(workspace.answer(&id, workspace.page(&id)?)))
    })
}

pub(super) async fn update(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let body = read_body(&body, &["properties", "icon", "cover", "in_trash", "is_locked"])?;
    let now_ms = state.calendar.now_ms();
    state.workspace(&session.user, |workspace| {
        let page = workspace.page(&id)?;
        let restores = body.get("in_trash") == Some(&json!(false));
        if page.in_trash && !restores {
            return Err(Problem::invalid(
                "Can't edit page that is in the trash. You must restore it first.",
            ));
        }
        let is_row = page.parent["type"] == "data_source_id";
        let sent = member(&body, "properties");
        let values = if is_row {
            workspace.sent_values(sent)?
        } else {
            match sent.get("title") {
                Some(title) => {
                    let title = completed(title.get("title").unwrap_or(title), "body.properties.title")?;
                    let mut values = titled("");
                    values["title"]["title"] = title;
                    values
                }
                None if sent.as_object().is_some_and(|sent| !sent.is_empty()) => {
                    return Err(Problem::invalid("A page that is no row has a title alone."));
                }
                None => Map::new(),
            }
        };
        let page = workspace.page_mut(&id)?;
        page.properties.extend(values);
        if let Some(icon) = body.get("icon") {
            page.icon.clone_from(icon);
        }
        if let Some(Value::Bool(in_trash)) = body.get("in_trash") {
            page.in_trash = *in_trash;
        }
        page.edited_ms = now_ms;
        Ok(Json(workspace.answer(&normal(&id), workspace.page(&id)?)))
    })
}

pub(super) async fn move_below(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let body = read_body(&body, &["parent"])?;
    let now_ms = state.calendar.now_ms();
    state.workspace(&session.user, |workspace| {
        let parent = member(&body, "parent")["page_id"]
            .as_str()
            .map(normal)
            .ok_or_else(|| {
                Problem::invalid("body failed validation: body.parent.page_id should be defined.")
            })?;
        workspace.page(&parent)?;
        let page = workspace.page_mut(&id)?;
        if page.parent["type"] == "data_source_id" {
            // What it has as a row, a page cannot have.
            let title = page.properties.remove("Name").unwrap_or_default();
            page.properties = titled("");
            page.properties["title"]["title"] = title["title"].clone();
        }
        page.parent = json!({ "type": "page_id", "page_id": parent });
        page.edited_ms = now_ms;
        Ok(Json(workspace.answer(&normal(&id), workspace.page(&id)?)))
    })
}

pub(super) async fn read(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    state.workspace(&session.user, |workspace| as_markdown(workspace, &id).map(Json))
}

fn as_markdown(workspace: &Workspace, id: &str) -> Result<Value, Problem> {
    let page = workspace.page(id)?;
    Ok(json!({
        "object": "page_markdown",
        "id": normal(id),
        "markdown": workspace.text(page),
        "truncated": false,
        "unknown_block_ids": [],
    }))
}

/// One of three edits of a page's markdown.
pub(super) async fn write(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let body = read_body(
        &body,
        &["type", "insert_content", "update_content", "replace_content"],
    )?;
    let now_ms = state.calendar.now_ms();
    let kind = member(&body, "type").as_str().unwrap_or_default().to_owned();
    let edit = member(&body, &kind).clone();
    let missing = |at: &str| {
        Problem::invalid(format!(
            "body failed validation: body.{at} should be defined, instead was `undefined`."
        ))
    };
    state.workspace(&session.user, |workspace| {
        let before = workspace.text(workspace.page(&id)?);
        let after = match kind.as_str() {
            "replace_content" => edit["new_str"]
                .as_str()
                .ok_or_else(|| missing("replace_content.new_str"))?
                .to_owned(),
            "insert_content" => {
                let content = edit["content"]
                    .as_str()
                    .ok_or_else(|| missing("insert_content.content"))?;
                if edit["position"]["type"] == "start" {
                    format!("{content}\n{before}")
                } else {
                    format!("{before}\n{content}")
                }
            }
            "update_content" => {
                let edits = edit["content_updates"]
                    .as_array()
                    .ok_or_else(|| missing("update_content.content_updates"))?;
                edits.iter().try_fold(before, |text, edit| {
                    let old = edit["old_str"].as_str().ok_or_else(|| missing("old_str"))?;
                    let new = edit["new_str"].as_str().ok_or_else(|| missing("new_str"))?;
                    if old.is_empty() || !text.contains(old) {
                        return Err(Problem::invalid(format!(
                            "Could not find the text to replace: {old}"
                        )));
                    }
                    Ok(if edit["replace_all_matches"] == true {
                        text.replace(old, new)
                    } else {
                        text.replacen(old, new, 1)
                    })
                })?
            }
            _ => return Err(missing("type")),
        };
        workspace.write(&id, &after, now_ms);
        as_markdown(workspace, &id).map(Json)
    })
}

/// A comment or title as the vendor answers it, for other modules.
pub(super) fn text_of(rich_text: &Value, at: &str) -> Result<Value, Problem> {
    if rich_text.is_null() {
        return Ok(rich(""));
    }
    completed(rich_text, at)
}
