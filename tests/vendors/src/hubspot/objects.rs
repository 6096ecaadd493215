//! `/crm/v3/objects/{kind}`: list, get, create, update, archive, batch read.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::{Extension, Json};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::kinds::Kind;
use super::portal::{Object, Portal};
use super::problem::Problem;
use crate::calendar::rfc3339;
use crate::oauth::Session;
use crate::server::State;
use crate::text::{Pairs, all, first, parse_form};

const MAX_PAGE: usize = 100;

pub(crate) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(kind): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let kind = permitted(&session, &kind, false)?;
    let query = parse_form(&query.unwrap_or_default());
    let limit = page_size(&query, MAX_PAGE)?;
    let after = number(&query, "after")?.unwrap_or(0);
    let archived = first(&query, "archived") == Some("true");
    let wanted = names(&query, "properties");

    Ok(state.portal(&session.user, |portal| {
        let mut objects = portal.all(kind, archived).filter(|object| object.id > after);
        let page: Vec<&Object> = objects.by_ref().take(limit).collect();
        let results: Vec<Value> = page
            .iter()
            .map(|object| with_links(portal, kind, object, &wanted, &names(&query, "associations")))
            .collect();
        let mut answer = json!({ "results": results });
        if let (Some(last), Some(_)) = (page.last(), objects.next()) {
            let link = format!(
                "{}/hubspot/crm/v3/objects/{}?after={}",
                state.base_url, kind.plural, last.id
            );
            answer["paging"] = json!({ "next": { "after": last.id.to_string(), "link": link } });
        }
        Json(answer)
    }))
}

pub(crate) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((kind, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let kind = permitted(&session, &kind, false)?;
    let query = parse_form(&query.unwrap_or_default());
    state.portal(&session.user, |portal| {
        let object = identify(portal, kind, &id, first(&query, "idProperty"))?;
        Ok(Json(with_links(
            portal,
            kind,
            object,
            &names(&query, "properties"),
            &names(&query, "associations"),
        )))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Write {
    #[serde(default)]
    properties: BTreeMap<String, Value>,
    #[serde(default)]
    associations: Vec<NewAssociation>,
}

#[derive(Deserialize)]
struct NewAssociation {
    to: To,
    #[serde(default)]
    types: Vec<AssociationType>,
}

#[derive(Deserialize)]
struct To {
    id: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssociationType {
    association_type_id: u32,
}

pub(crate) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(kind): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let kind = permitted(&session, &kind, true)?;
    let write: Write = parse(&body)?;
    let properties = checked(kind, write.properties)?;
    if let Some(missing) = kind.required.iter().find(|name| !properties.contains_key(**name)) {
        return Err(Problem::property(
            "REQUIRED_FIELD",
            missing,
            "This property is required.",
        ));
    }
    let now = state.calendar.now_ms();
    state.portal(&session.user, |portal| {
        refuse_duplicate(portal, kind, &properties, None)?;
        let mut links = Vec::new();
        for association in &write.associations {
            links.push(link_target(portal, kind, association)?);
        }
        let id = portal.add(kind, properties, now);
        for (to, to_id) in links {
            portal.link(kind, id, to, to_id);
        }
        let object = portal
            .find(kind, id)
            .ok_or_else(|| Problem::not_found("object"))?;
        let sent: Vec<String> = object.properties.keys().cloned().collect();
        Ok((StatusCode::CREATED, Json(object.answer(kind, &sent))))
    })
}

pub(crate) async fn update(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((kind, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let kind = permitted(&session, &kind, true)?;
    let query = parse_form(&query.unwrap_or_default());
    let properties = checked(kind, parse::<Write>(&body)?.properties)?;
    if properties.is_empty() {
        return Err(Problem::invalid("No properties to update were given."));
    }
    let now = state.calendar.now_ms();
    state.portal(&session.user, |portal| {
        let id = identify(portal, kind, &id, first(&query, "idProperty"))?.id;
        refuse_duplicate(portal, kind, &properties, Some(id))?;
        let object = portal
            .find_mut(kind, id)
            .ok_or_else(|| Problem::not_found("object"))?;
        let sent: Vec<String> = properties.keys().cloned().collect();
        object.properties.extend(properties);
        object.updated_ms = now;
        Ok(Json(object.answer(kind, &sent)))
    })
}

pub(crate) async fn archive(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((kind, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let kind = permitted(&session, &kind, true)?;
    let now = state.calendar.now_ms();
    state.portal(&session.user, |portal| {
        // Archiving what is not there is a success, at the vendor too.
        if let Some(object) = id.parse().ok().and_then(|id| portal.find_mut(kind, id)) {
            object.archived = true;
            object.updated_ms = now;
        }
        Ok(StatusCode::NO_CONTENT)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchRead {
    inputs: Vec<To>,
    #[serde(default)]
    properties: Vec<String>,
    id_property: Option<String>,
}

pub(crate) async fn batch_read(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(kind): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let kind = permitted(&session, &kind, false)?;
    let batch: BatchRead = parse(&body)?;
    if batch.inputs.len() > MAX_PAGE {
        return Err(Problem::invalid(format!(
            "A batch has at most {MAX_PAGE} inputs."
        )));
    }
    let now = rfc3339(state.calendar.now_ms());
    Ok(state.portal(&session.user, |portal| {
        let results: Vec<Value> = batch
            .inputs
            .iter()
            .filter_map(|input| identify(portal, kind, &plain(&input.id), batch.id_property.as_deref()).ok())
            .map(|object| object.answer(kind, &batch.properties))
            .collect();
        Json(json!({ "status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now }))
    }))
}

/// The type, when the token's scopes reach it.
pub(crate) fn permitted(session: &Session, name: &str, write: bool) -> Result<&'static Kind, Problem> {
    let kind = Kind::named(name).ok_or_else(|| {
        Problem::invalid(format!(
            "There is no object type {name} here, or the name is not valid."
        ))
    })?;
    let scope = kind.scope(write);
    if session.scopes.contains(&scope) {
        Ok(kind)
    } else {
        Err(Problem::missing_scope(&scope))
    }
}

pub(crate) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::invalid(format!("The body is not valid: {error}")))
}

/// A string or number of JSON as text.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Repeated or comma-separated names of a query parameter.
pub(crate) fn names(query: &Pairs, name: &str) -> Vec<String> {
    all(query, name)
        .flat_map(|value| value.split(','))
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .collect()
}

/// The `limit` of a query, 10 unless given.
pub(crate) fn page_size(query: &Pairs, most: usize) -> Result<usize, Problem> {
    match number(query, "limit")? {
        None => Ok(10),
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=most).contains(limit))
            .ok_or_else(|| Problem::invalid(format!("The limit must be from 1 to {most}."))),
    }
}

pub(crate) fn number(query: &Pairs, name: &str) -> Result<Option<u64>, Problem> {
    first(query, name)
        .map(|text| {
            text.parse()
                .map_err(|_| Problem::invalid(format!("{name} must be a number.")))
        })
        .transpose()
}

fn identify<'a>(
    portal: &'a Portal,
    kind: &Kind,
    id: &str,
    id_property: Option<&str>,
) -> Result<&'a Object, Problem> {
    let found = match id_property {
        None | Some("hs_object_id") => id.parse().ok().and_then(|id| portal.find(kind, id)),
        Some(name) => portal.all(kind, false).find(|object| {
            object
                .property(kind, name)
                .is_some_and(|value| value.eq_ignore_ascii_case(id))
        }),
    };
    found.ok_or_else(|| Problem::not_found(kind.singular))
}

fn with_links(
    portal: &Portal,
    kind: &'static Kind,
    object: &Object,
    wanted: &[String],
    linked_kinds: &[String],
) -> Value {
    let mut answer = object.answer(kind, wanted);
    let mut associations = Map::new();
    for to in linked_kinds.iter().filter_map(|name| Kind::named(name)) {
        let results: Vec<Value> = portal
            .linked(kind, object.id, to)
            .into_iter()
            .map(
                |id| json!({ "id": id.to_string(), "type": format!("{}_to_{}", kind.singular, to.singular) }),
            )
            .collect();
        if !results.is_empty() {
            associations.insert(to.plural.to_owned(), json!({ "results": results }));
        }
    }
    if !associations.is_empty() {
        answer["associations"] = Value::Object(associations);
    }
    answer
}

/// Properties as stored, or the first complaint.
fn checked(kind: &Kind, properties: BTreeMap<String, Value>) -> Result<BTreeMap<String, String>, Problem> {
    let mut checked = BTreeMap::new();
    for (name, value) in properties {
        if !kind.has_property(&name) {
            let message = "This property does not exist.";
            return Err(Problem::property("PROPERTY_DOESNT_EXIST", &name, message));
        }
        if kind.is_read_only(&name) {
            return Err(Problem::property(
                "READ_ONLY_VALUE",
                &name,
                "This property is read only.",
            ));
        }
        let text = match value {
            Value::Null => String::new(),
            Value::Object(_) | Value::Array(_) => {
                return Err(Problem::invalid(format!("The value of {name} must be a string.")));
            }
            value => plain(&value),
        };
        if name == "email" && !text.is_empty() && !text.contains('@') {
            return Err(Problem::property(
                "INVALID_EMAIL",
                &name,
                "This is not an email address.",
            ));
        }
        checked.insert(name, text);
    }
    Ok(checked)
}

fn refuse_duplicate(
    portal: &Portal,
    kind: &Kind,
    properties: &BTreeMap<String, String>,
    except: Option<u64>,
) -> Result<(), Problem> {
    let Some(email) = properties
        .get("email")
        .filter(|email| kind.plural == "contacts" && !email.is_empty())
    else {
        return Ok(());
    };
    let taken = portal.all(kind, false).find(|other| {
        Some(other.id) != except
            && other
                .properties
                .get("email")
                .is_some_and(|taken| taken.eq_ignore_ascii_case(email))
    });
    taken.map_or(Ok(()), |other| Err(Problem::conflict(other.id)))
}

/// What a new object is to be associated with: the type follows from the association's type id.
fn link_target(
    portal: &Portal,
    from: &Kind,
    association: &NewAssociation,
) -> Result<(&'static Kind, u64), Problem> {
    let wanted = association.types.first().map(|kind| kind.association_type_id);
    let to = super::kinds::KINDS
        .iter()
        .find(|to| wanted.is_some() && super::kinds::association_type_id(from, to) == wanted)
        .ok_or_else(|| Problem::invalid("An association needs a type that begins at this object type."))?;
    let id: u64 = plain(&association.to.id)
        .parse()
        .map_err(|_| Problem::invalid("The id of an association must be a number."))?;
    portal
        .find(to, id)
        .ok_or_else(|| Problem::not_found(to.singular))?;
    Ok((to, id))
}
