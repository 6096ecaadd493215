//! What does not change: owners, pipelines, properties, the account.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::kinds::OBJECT_ID;
use super::objects::{number, page_size, permitted};
use super::problem::Problem;
use crate::calendar::{minutes_before_start, rfc3339};
use crate::oauth::Session;
use crate::seed;
use crate::server::State;
use crate::text::{first, parse_form};

const OWNERS: usize = 3;
const OWNERS_SCOPE: &str = "crm.objects.owners.read";

pub(crate) async fn owners(
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    owners_permitted(&session)?;
    let query = parse_form(&query.unwrap_or_default());
    let limit = page_size(&query, 500)?.max(1);
    let after = usize::try_from(number(&query, "after")?.unwrap_or(0)).unwrap_or(OWNERS);
    let email = first(&query, "email");
    let all: Vec<Value> = (0..OWNERS)
        .map(|n| owner_of(&session.user, n))
        .filter(|owner| email.is_none_or(|email| owner["email"] == email))
        .collect();
    let results: Vec<&Value> = all.iter().skip(after).take(limit).collect();
    let mut answer = json!({ "results": results });
    if after + limit < all.len() {
        answer["paging"] = json!({ "next": { "after": (after + limit).to_string() } });
    }
    Ok(Json(answer))
}

pub(crate) async fn owner(
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    owners_permitted(&session)?;
    (0..OWNERS)
        .map(|n| owner_of(&session.user, n))
        .find(|owner| owner["id"] == id.as_str())
        .map(Json)
        .ok_or_else(|| Problem::not_found("owner"))
}

fn owners_permitted(session: &Session) -> Result<(), Problem> {
    if session.scopes.contains(OWNERS_SCOPE) {
        Ok(())
    } else {
        Err(Problem::missing_scope(OWNERS_SCOPE))
    }
}

fn owner_of(user: &str, n: usize) -> Value {
    let created = rfc3339(minutes_before_start(500_000));
    json!({
        "id": (101 + n).to_string(),
        "email": format!("{}@{user}.example", seed::first_name(n).to_lowercase()),
        "type": "PERSON",
        "firstName": seed::first_name(n),
        "lastName": seed::last_name(n),
        "userId": 5_001 + n,
        "createdAt": created,
        "updatedAt": created,
        "archived": false,
    })
}

pub(crate) async fn pipelines(
    Extension(session): Extension<Session>,
    Path(kind): Path<String>,
) -> Result<Json<Value>, Problem> {
    let kind = permitted(&session, &kind, false)?;
    let (id, label, stages): (&str, &str, &[(&str, &str)]) = match kind.plural {
        "deals" => (
            "default",
            "Sales Pipeline",
            &[
                ("appointmentscheduled", "Appointment Scheduled"),
                ("qualifiedtobuy", "Qualified To Buy"),
                ("contractsent", "Contract Sent"),
                ("closedwon", "Closed Won"),
                ("closedlost", "Closed Lost"),
            ],
        ),
        "tickets" => (
            "0",
            "Support Pipeline",
            &[
                ("1", "New"),
                ("2", "Waiting on contact"),
                ("3", "Waiting on us"),
                ("4", "Closed"),
            ],
        ),
        _ => return Ok(Json(json!({ "results": [] }))),
    };
    let created = rfc3339(minutes_before_start(500_000));
    let stages: Vec<Value> = stages
        .iter()
        .enumerate()
        .map(|(order, (id, label))| {
            json!({
                "id": id,
                "label": label,
                "displayOrder": order,
                "metadata": { "isClosed": label.starts_with("Closed").to_string() },
                "createdAt": created,
                "updatedAt": created,
                "archived": false,
            })
        })
        .collect();
    Ok(Json(json!({ "results": [{
        "id": id,
        "label": label,
        "displayOrder": 0,
        "stages": stages,
        "createdAt": created,
        "updatedAt": created,
        "archived": false,
    }] })))
}

pub(crate) async fn properties(
    Extension(session): Extension<Session>,
    Path(kind): Path<String>,
) -> Result<Json<Value>, Problem> {
    let kind = permitted(&session, &kind, false)?;
    let results: Vec<Value> = [OBJECT_ID]
        .iter()
        .chain(kind.defaults)
        .chain(kind.others)
        .map(|name| {
            let is_time = name.contains("date") || *name == "hs_timestamp";
            json!({
                "name": name,
                "label": name,
                "type": if is_time { "datetime" } else { "string" },
                "fieldType": if is_time { "date" } else { "text" },
                "description": "",
                "groupName": format!("{}information", kind.singular),
                "options": [],
                "displayOrder": -1,
                "calculated": false,
                "externalOptions": false,
                "hasUniqueValue": *name == "email" || *name == OBJECT_ID,
                "hidden": false,
                "hubspotDefined": true,
                "formField": false,
                "modificationMetadata": {
                    "archivable": false,
                    "readOnlyDefinition": true,
                    "readOnlyValue": kind.is_read_only(name),
                },
            })
        })
        .collect();
    Ok(Json(json!({ "results": results })))
}

pub(crate) async fn account(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
) -> Json<Value> {
    let portal_id = state.portal(&session.user, |portal| portal.id);
    Json(json!({
        "portalId": portal_id,
        "accountType": "DEVELOPER_TEST",
        "timeZone": "Europe/Lisbon",
        "companyCurrency": "EUR",
        "additionalCurrencies": [],
        "utcOffset": "+00:00",
        "utcOffsetMilliseconds": 0,
        "uiDomain": format!("app.{}.example", session.user),
        "dataHostingLocation": "eu1",
    }))
}
