//! One record: read, create, change, upsert, delete.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use super::kinds::{Kind, Of};
use super::org::{Org, Record, derive};
use super::problem::Problem;
use super::run::{At, attributes, base, select, with_urls};
use super::soql;
use crate::oauth::Session;
use crate::server::State;
use crate::text::{first, parse_form};

pub(super) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let kind = kind(&at)?;
    let base = base(&state, &session, &at);
    let query = parse_form(&query.unwrap_or_default());
    state.org(&session.user, |org| {
        let record = present(org, kind, &at["id"])?;
        let fields = wanted(kind, first(&query, "fields"))?;
        Ok(Json(row(&base, kind, record, &fields)))
    })
}

/// What lies below a record: `{id}/{relationship}`, or a record by `{external id field}/{value}`.
pub(super) async fn related(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let kind = kind(&at)?;
    let base = base(&state, &session, &at);
    let query = parse_form(&query.unwrap_or_default());
    let fields = first(&query, "fields");
    let now_ms = state.calendar.now_ms();
    state.org(&session.user, |org| {
        if let Some(field) = kind.field(&at["id"]) {
            return match by_external_id(org, kind, field.name, &at["rest"])?.as_slice() {
                [] => Err(Problem::not_found()),
                [id] => {
                    let record = present(org, kind, id)?;
                    Ok(Json(row(&base, kind, record, &wanted(kind, fields)?)).into_response())
                }
                several => Ok(choices(&base, kind, several)),
            };
        }
        let record = present(org, kind, &at["id"])?;
        let (_, child, pointing) = kind.child(&at["rest"]).ok_or_else(Problem::not_found)?;
        let names: Vec<&str> = wanted(child, fields)?;
        let text = format!(
            "SELECT {} FROM {} WHERE {pointing} = '{}'",
            names.join(", "),
            child.name,
            record["Id"].as_str().unwrap_or_default()
        );
        let rows = with_urls(&base, select(org, &soql::parse(&text)?, now_ms)?);
        Ok(Json(json!({ "totalSize": rows.len(), "done": true, "records": rows })).into_response())
    })
}

pub(super) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let kind = kind(&at)?;
    let given = read(&body)?;
    let now_ms = state.calendar.now_ms();
    state.org(&session.user, |org| {
        let id = insert(org, kind, given, now_ms)?;
        Ok((
            StatusCode::CREATED,
            Json(json!({ "id": id, "success": true, "errors": [] })),
        ))
    })
}

pub(super) async fn update(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let kind = kind(&at)?;
    let given = read(&body)?;
    let now_ms = state.calendar.now_ms();
    state.org(&session.user, |org| {
        present(org, kind, &at["id"])?;
        change(org, kind, &at["id"], given, now_ms)?;
        Ok(StatusCode::NO_CONTENT)
    })
}

pub(super) async fn upsert(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Problem> {
    let kind = kind(&at)?;
    let mut given = read(&body)?;
    let (field, value) = (&at["id"], &at["rest"]);
    let base = base(&state, &session, &at);
    let query = parse_form(&query.unwrap_or_default());
    let now_ms = state.calendar.now_ms();
    state.org(&session.user, |org| {
        let known = by_external_id(org, kind, field, value)?;
        let (status, id, created) = match known.as_slice() {
            [] if first(&query, "updateOnly") == Some("true") => return Err(Problem::not_found()),
            [] => {
                given.insert(field.clone(), json!(value));
                (StatusCode::CREATED, insert(org, kind, given, now_ms)?, true)
            }
            [id] => {
                change(org, kind, id, given, now_ms)?;
                (StatusCode::OK, id.clone(), false)
            }
            several => return Ok(choices(&base, kind, several)),
        };
        let body = json!({ "id": id, "success": true, "errors": [], "created": created });
        Ok((status, Json(body)).into_response())
    })
}

pub(super) async fn delete(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
) -> Result<StatusCode, Problem> {
    let kind = kind(&at)?;
    state.org(&session.user, |org| {
        present(org, kind, &at["id"])?;
        if let Some(record) = org.find_mut(kind, &at["id"]) {
            record.insert("IsDeleted".to_owned(), json!(true));
        }
        Ok(StatusCode::NO_CONTENT)
    })
}

/// Several records where one was meant: their addresses.
fn choices(base: &str, kind: &Kind, ids: &[String]) -> Response {
    let urls: Vec<String> = ids
        .iter()
        .map(|id| format!("{base}/sobjects/{}/{id}", kind.name))
        .collect();
    (StatusCode::MULTIPLE_CHOICES, Json(urls)).into_response()
}

/// The object that a path names.
pub(super) fn kind(at: &At) -> Result<&'static Kind, Problem> {
    Kind::named(&at["object"]).ok_or_else(Problem::not_found)
}

fn read(body: &[u8]) -> Result<Record, Problem> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Problem::bad(
            "JSON_PARSER_ERROR",
            "The body is not an object of JSON.",
        )),
    }
}

/// A record that is there and not in the recycle bin.
fn present<'o>(org: &'o Org, kind: &Kind, id: &str) -> Result<&'o Record, Problem> {
    let record = org.find(kind, id).ok_or_else(Problem::not_found)?;
    if record["IsDeleted"] == true {
        return Err(Problem::new(StatusCode::NOT_FOUND, "ENTITY_IS_DELETED", "entity is deleted").about(&[]));
    }
    Ok(record)
}

fn by_external_id(org: &Org, kind: &Kind, field: &str, value: &str) -> Result<Vec<String>, Problem> {
    let field = kind
        .field(field)
        .filter(|field| field.is_external_id())
        .ok_or_else(|| {
            Problem::new(
                StatusCode::NOT_FOUND,
                "NOT_FOUND",
                format!("Provided external ID field does not exist or is not accessible: {field}"),
            )
        })?;
    Ok(org
        .all(kind)
        .filter(|record| {
            record
                .get(field.name)
                .and_then(Value::as_str)
                .is_some_and(|found| found.eq_ignore_ascii_case(value))
        })
        .filter_map(|record| record["Id"].as_str().map(str::to_owned))
        .collect())
}

/// The fields that are named, or all.
fn wanted(kind: &'static Kind, named: Option<&str>) -> Result<Vec<&'static str>, Problem> {
    let Some(named) = named else {
        return Ok(kind.fields().map(|field| field.name).collect());
    };
    named
        .split(',')
        .map(|name| {
            let name = name.trim();
            kind.field(name)
                .map(|field| field.name)
                .ok_or_else(|| Problem::no_column(name, kind.name))
        })
        .collect()
}

fn row(base: &str, kind: &Kind, record: &Record, fields: &[&str]) -> Value {
    let mut row = Map::new();
    row.insert("attributes".to_owned(), attributes(kind, record));
    for name in fields.iter().copied().chain(["Id"]) {
        row.insert(name.to_owned(), record.get(name).cloned().unwrap_or(Value::Null));
    }
    with_urls(base, vec![Value::Object(row)])
        .pop()
        .unwrap_or_default()
}

fn insert(org: &mut Org, kind: &Kind, given: Record, now_ms: i64) -> Result<String, Problem> {
    let given = checked(org, kind, given, "insert")?;
    let missing: Vec<&str> = kind
        .fields()
        .filter(|field| field.required && given.get(field.name).is_none_or(Value::is_null))
        .map(|field| field.name)
        .collect();
    if !missing.is_empty() {
        return Err(Problem::bad(
            "REQUIRED_FIELD_MISSING",
            format!("Required fields are missing: [{}]", missing.join(", ")),
        )
        .about(&missing));
    }
    let email = given.get("Email").and_then(Value::as_str).map(str::to_lowercase);
    let is_known = |email: String| {
        org.all(kind).any(|record| {
            record
                .get("Email")
                .and_then(Value::as_str)
                .is_some_and(|known| known.to_lowercase() == email)
        })
    };
    if email.is_some_and(is_known) {
        return Err(Problem::bad(
            "DUPLICATES_DETECTED",
            "You're creating a duplicate record. We recommend you use an existing record instead.",
        ));
    }
    Ok(org.add(kind, given, now_ms))
}

fn change(org: &mut Org, kind: &Kind, id: &str, given: Record, now_ms: i64) -> Result<(), Problem> {
    let given = checked(org, kind, given, "update")?;
    let cleared: Vec<&str> = kind
        .fields()
        .filter(|field| field.required && given.get(field.name).is_some_and(Value::is_null))
        .map(|field| field.name)
        .collect();
    if !cleared.is_empty() {
        return Err(Problem::bad(
            "REQUIRED_FIELD_MISSING",
            format!("Required fields are missing: [{}]", cleared.join(", ")),
        )
        .about(&cleared));
    }
    let record = org.find_mut(kind, id).ok_or_else(Problem::not_found)?;
    record.extend(given);
    derive(kind, record, now_ms);
    Ok(())
}

/// The fields under their own names with values of their types, or the first complaint.
fn checked(org: &Org, kind: &Kind, given: Record, verb: &str) -> Result<Record, Problem> {
    let mut checked = Record::new();
    for (name, value) in given {
        if name == "attributes" {
            continue;
        }
        let field = kind.field(&name).ok_or_else(|| {
            Problem::bad(
                "INVALID_FIELD",
                format!("No such column '{name}' on sobject of type {}", kind.name),
            )
        })?;
        if !field.writable {
            return Err(Problem::bad(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                format!(
                    "Unable to {verb} field: {}. Its value is set by Salesforce.",
                    field.name
                ),
            )
            .about(&[field.name]));
        }
        let fits = value.is_null()
            || match field.of {
                Of::Bool => value.is_boolean(),
                Of::Whole => value.is_i64() || value.is_u64(),
                Of::Number | Of::Currency => value.is_number(),
                Of::Date => value
                    .as_str()
                    .is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok() && day.len() == 10),
                _ => value.is_string(),
            };
        if !fits {
            return Err(Problem::bad(
                "JSON_PARSER_ERROR",
                format!(
                    "Cannot deserialize instance of {} from {value}",
                    field.of.type_name()
                ),
            ));
        }
        if let (Of::Email, Some(email)) = (field.of, value.as_str())
            && !email.contains('@')
        {
            return Err(Problem::bad(
                "INVALID_EMAIL_ADDRESS",
                format!("{}: invalid email address: {email}", field.name),
            )
            .about(&[field.name]));
        }
        if let (Of::Ref { to, .. }, Some(id)) = (field.of, value.as_str()) {
            if id.len() != 15 && id.len() != 18 {
                return Err(Problem::bad(
                    "MALFORMED_ID",
                    format!("{}: id value of incorrect type: {id}", field.name),
                )
                .about(&[field.name]));
            }
            let is_there = org
                .resolve(id)
                .is_some_and(|(found, _)| to.is_empty() || found.name == to);
            if !is_there {
                return Err(
                    Problem::bad("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
                        .about(&[field.name]),
                );
            }
        }
        checked.insert(field.name.to_owned(), value);
    }
    Ok(checked)
}
