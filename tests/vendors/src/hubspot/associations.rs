//! `/crm/v4/objects/{from}/{id}/associations/…`.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::{Extension, Json};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::kinds::{Kind, association_type_id};
use super::objects::{number, parse, permitted};
use super::portal::Portal;
use super::problem::Problem;
use crate::calendar::rfc3339;
use crate::oauth::Session;
use crate::server::State;
use crate::text::parse_form;

const MAX_PAGE: u64 = 500;

pub(crate) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((from, from_id, to)): Path<(String, u64, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let from = permitted(&session, &from, false)?;
    let to = permitted(&session, &to, false)?;
    let type_id = type_id(from, to)?;
    let query = parse_form(&query.unwrap_or_default());
    let limit = number(&query, "limit")?.unwrap_or(MAX_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Problem::invalid(format!(
            "The limit must be from 1 to {MAX_PAGE}."
        )));
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let after = number(&query, "after")?.unwrap_or(0);
    state.portal(&session.user, |portal| {
        portal
            .find(from, from_id)
            .ok_or_else(|| Problem::not_found(from.singular))?;
        let linked: Vec<u64> = portal
            .linked(from, from_id, to)
            .into_iter()
            .filter(|id| *id > after)
            .collect();
        let results: Vec<Value> = linked
            .iter()
            .take(limit)
            .map(|id| {
                json!({
                    "toObjectId": id,
                    "associationTypes": [{ "category": "HUBSPOT_DEFINED", "typeId": type_id, "label": null }],
                })
            })
            .collect();
        let mut answer = json!({ "results": results });
        if linked.len() > limit {
            answer["paging"] = json!({ "next": { "after": linked[limit - 1].to_string() } });
        }
        Ok(Json(answer))
    })
}

pub(crate) async fn put_default(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(path): Path<(String, u64, String, u64)>,
) -> Result<Json<Value>, Problem> {
    let ends = Ends::read(&session, path)?;
    let type_id = type_id(ends.from, ends.to)?;
    let now = rfc3339(state.calendar.now_ms());
    state.portal(&session.user, |portal| {
        ends.link(portal)?;
        Ok(Json(json!({
            "status": "COMPLETE",
            "results": [{
                "from": { "id": ends.from_id.to_string() },
                "to": { "id": ends.to_id.to_string() },
                "associationSpec": {
                    "associationCategory": "HUBSPOT_DEFINED",
                    "associationTypeId": type_id,
                },
            }],
            "startedAt": now,
            "completedAt": now,
        })))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    association_category: String,
    association_type_id: u32,
}

pub(crate) async fn put(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(path): Path<(String, u64, String, u64)>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let ends = Ends::read(&session, path)?;
    let specs: Vec<Spec> = parse(&body)?;
    let type_id = type_id(ends.from, ends.to)?;
    let valid = !specs.is_empty()
        && specs.iter().all(|spec| {
            spec.association_category == "HUBSPOT_DEFINED" && spec.association_type_id == type_id
        });
    if !valid {
        return Err(Problem::invalid(format!(
            "The association type must be HUBSPOT_DEFINED {type_id} for these object types."
        )));
    }
    state.portal(&session.user, |portal| {
        ends.link(portal)?;
        let answer = json!({
            "fromObjectTypeId": ends.from.type_id,
            "fromObjectId": ends.from_id,
            "toObjectTypeId": ends.to.type_id,
            "toObjectId": ends.to_id,
            "labels": [],
        });
        Ok((StatusCode::CREATED, Json(answer)))
    })
}

pub(crate) async fn delete(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(path): Path<(String, u64, String, u64)>,
) -> Result<StatusCode, Problem> {
    let ends = Ends::read(&session, path)?;
    state.portal(&session.user, |portal| {
        portal.unlink(ends.from, ends.from_id, ends.to, ends.to_id);
    });
    Ok(StatusCode::NO_CONTENT)
}

struct Ends {
    from: &'static Kind,
    from_id: u64,
    to: &'static Kind,
    to_id: u64,
}

impl Ends {
    fn read(
        session: &Session,
        (from, from_id, to, to_id): (String, u64, String, u64),
    ) -> Result<Self, Problem> {
        Ok(Self {
            from: permitted(session, &from, true)?,
            from_id,
            to: permitted(session, &to, true)?,
            to_id,
        })
    }

    fn link(&self, portal: &mut Portal) -> Result<(), Problem> {
        for (kind, id) in [(self.from, self.from_id), (self.to, self.to_id)] {
            portal
                .find(kind, id)
                .ok_or_else(|| Problem::not_found(kind.singular))?;
        }
        portal.link(self.from, self.from_id, self.to, self.to_id);
        Ok(())
    }
}

fn type_id(from: &Kind, to: &Kind) -> Result<u32, Problem> {
    association_type_id(from, to).ok_or_else(|| {
        Problem::invalid(format!(
            "{} cannot be associated with {}.",
            from.plural, to.plural
        ))
    })
}
