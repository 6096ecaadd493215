//! The database and its data source: columns and rows.

use std::cmp::Ordering;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::directory::{cursor_of, list};
use super::pages::{keep_only, member, read_body, text_of};
use super::problem::Problem;
use super::values::{column_named, empty, ordering, plain, rich, satisfies, type_of};
use super::workspace::{Workspace, normal};
use crate::calendar::{minutes_before_start, rfc3339};
use crate::oauth::Session;
use crate::server::State;
use crate::text::{all, parse_form};

pub(super) async fn database(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    state.workspace(&session.user, |workspace| {
        if normal(&id) != workspace.database {
            return Err(Problem::not_found("database", &id));
        }
        let created = rfc3339(minutes_before_start(90_000));
        Ok(Json(json!({
            "object": "database",
            "id": workspace.database,
            "title": rich(&workspace.title),
            "description": [],
            "parent": { "type": "workspace", "workspace": true },
            "is_inline": false,
            "in_trash": false,
            "is_locked": false,
            "created_time": created,
            "last_edited_time": created,
            "data_sources": [{ "id": workspace.data_source, "name": workspace.title }],
            "icon": null,
            "cover": null,
            "url": format!("https://www.notion.so/{}", workspace.database.replace('-', "")),
            "public_url": null,
        })))
    })
}

/// The workspace's one data source, when it is the one that is named.
fn known(workspace: &Workspace, id: &str) -> Result<(), Problem> {
    if normal(id) == workspace.data_source {
        Ok(())
    } else {
        Err(Problem::not_found("data_source", id))
    }
}

pub(super) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    state.workspace(&session.user, |workspace| {
        known(workspace, &id)?;
        Ok(Json(workspace.answer_data_source()))
    })
}

pub(super) async fn update(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let body = read_body(&body, &["title", "description", "icon", "properties", "in_trash"])?;
    state.workspace(&session.user, |workspace| {
        known(workspace, &id)?;
        if let Some(title) = body.get("title") {
            workspace.title = plain(&text_of(title, "body.title")?);
        }
        for (name, change) in member(&body, "properties").as_object().into_iter().flatten() {
            change_column(workspace, name, change)?;
        }
        Ok(Json(workspace.answer_data_source()))
    })
}

/// Adds, renames, retypes or removes a column, in every row too.
fn change_column(workspace: &mut Workspace, name: &str, change: &Value) -> Result<(), Problem> {
    let source = json!(workspace.data_source);
    let rows = workspace
        .pages
        .values_mut()
        .filter(|page| page.parent["data_source_id"] == source);
    let Some(columns) = workspace.columns.as_object_mut() else {
        return Ok(());
    };
    if change.is_null() {
        columns
            .remove(name)
            .ok_or_else(|| Problem::invalid(format!("{name} is not a property that exists.")))?;
        rows.for_each(|page| {
            page.properties.remove(name);
        });
        return Ok(());
    }
    let new_name = change["name"].as_str().unwrap_or(name).to_owned();
    let kind = change
        .as_object()
        .into_iter()
        .flatten()
        .map(|(member, _)| member.as_str())
        .find(|member| !["name", "description", "type"].contains(member));
    let mut column = match (columns.remove(name), kind) {
        (Some(column), None) => column,
        (before, Some(kind)) => {
            let id = before.map_or_else(|| json!(format!("c-{name}")), |before| before["id"].clone());
            json!({ "id": id, "type": kind, kind: change[kind] })
        }
        (None, None) => {
            return Err(Problem::invalid(format!("{name} is not a property that exists.")));
        }
    };
    column["name"] = json!(new_name);
    for page in rows {
        let value = page
            .properties
            .remove(name)
            .filter(|value| value["type"] == column["type"])
            .unwrap_or_else(|| empty(&column));
        page.properties.insert(new_name.clone(), value);
    }
    columns.insert(new_name, column);
    Ok(())
}

pub(super) async fn query(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let body = read_body(
        &body,
        &[
            "filter",
            "sorts",
            "start_cursor",
            "page_size",
            "in_trash",
            "result_type",
        ],
    )?;
    let query = parse_form(&query.unwrap_or_default());
    let named: Vec<&str> = all(&query, "filter_properties").collect();
    state.workspace(&session.user, |workspace| {
        known(workspace, &id)?;
        let in_trash = member(&body, "in_trash") == &json!(true);
        let mut rows = Vec::new();
        for (id, page) in &workspace.pages {
            if page.parent["data_source_id"] != workspace.data_source.as_str() || page.in_trash != in_trash {
                continue;
            }
            let row = workspace.answer(id, page);
            if match body.get("filter") {
                Some(filter) => satisfies(&row, filter, &workspace.columns)?,
                None => true,
            } {
                rows.push(row);
            }
        }
        for sort in member(&body, "sorts").as_array().into_iter().flatten().rev() {
            let descending = sort["direction"] == "descending";
            let key = sort_key(workspace, sort)?;
            rows.sort_by(|a, b| {
                let found = nulls_last(&key(a), &key(b));
                if descending { found.reverse() } else { found }
            });
        }
        for row in &mut rows {
            keep_only(row, &named);
        }
        let cursor = cursor_of(member(&body, "start_cursor"), member(&body, "page_size"))?;
        list("page_or_data_source", rows, &cursor).map(Json)
    })
}

type Key = Box<dyn Fn(&Value) -> Value>;

fn sort_key(workspace: &Workspace, sort: &Value) -> Result<Key, Problem> {
    if let Some(time) = sort["timestamp"].as_str() {
        let time = time.to_owned();
        return Ok(Box::new(move |row| row[&time].clone()));
    }
    let column = column_named(&workspace.columns, sort["property"].as_str().unwrap_or_default())?;
    let (name, kind) = (
        column["name"].as_str().unwrap_or_default().to_owned(),
        type_of(column).to_owned(),
    );
    Ok(Box::new(move |row| {
        let value = &row["properties"][&name][&kind];
        match kind.as_str() {
            "title" | "rich_text" => json!(plain(value)),
            "select" | "status" => value["name"].clone(),
            "date" => value["start"].clone(),
            _ => value.clone(),
        }
    }))
}

fn nulls_last(a: &Value, b: &Value) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => ordering(a, b, false).unwrap_or(Ordering::Equal),
    }
}

pub(super) async fn templates(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    state.workspace(&session.user, |workspace| {
        known(workspace, &id)?;
        let template = super::workspace::uuid(&workspace.user, 6);
        let templates =
            json!([{ "id": template, "name": format!("Task of {}", workspace.user), "is_default": true }]);
        Ok(Json(
            json!({ "templates": templates, "has_more": false, "next_cursor": null }),
        ))
    })
}
