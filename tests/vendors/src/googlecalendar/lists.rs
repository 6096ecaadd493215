//! Calendars, the user's list of them, sharing, busy times, settings, colours.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Value, json};

use super::book::{Calendar, occurrences};
use super::events::{object, page};
use super::gate::{Needs, permit};
use super::problem::Problem;
use super::time::{bound, instant};
use crate::calendar::rfc3339;
use crate::faults::merge;
use crate::oauth::Session;
use crate::server::State;
use crate::text::{first, parse_form};

type Answer = Result<Json<Value>, Problem>;

pub(crate) async fn free_busy(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Answer {
    permit(&session, Needs::FreeBusy)?;
    let asked = Value::Object(object(&body)?);
    let from = bound("timeMin", asked["timeMin"].as_str())?;
    let until = bound("timeMax", asked["timeMax"].as_str())?;
    let (Some(from), Some(until)) = (from, until) else {
        return Err(Problem::invalid("timeMin and timeMax are needed."));
    };
    if from >= until {
        return Err(Problem::empty_range());
    }
    state.book(&session.user, |book| {
        let mut calendars = json!({});
        for item in asked["items"].as_array().into_iter().flatten() {
            let id = item["id"].as_str().unwrap_or_default();
            calendars[id] = match book.calendar(id) {
                Ok(calendar) => json!({ "busy": busy(calendar, from, until)? }),
                Err(_) => json!({ "errors": [{ "domain": "global", "reason": "notFound" }], "busy": [] }),
            };
        }
        Ok(Json(json!({
            "kind": "calendar#freeBusy", "timeMin": rfc3339(from), "timeMax": rfc3339(until),
            "calendars": calendars,
        })))
    })
}

/// Stretches of time that events take, joined where they touch.
fn busy(calendar: &Calendar, from: i64, until: i64) -> Result<Vec<Value>, Problem> {
    let mut taken = Vec::new();
    for event in calendar.events.values() {
        if event.json["recurringEventId"].is_string() {
            continue;
        }
        for (start, one) in occurrences(calendar, &event.json)? {
            let end = instant(&one["end"])?;
            if one["status"] != "cancelled"
                && one["transparency"] != "transparent"
                && start < until
                && end > from
            {
                taken.push((start.max(from), end.min(until)));
            }
        }
    }
    taken.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for (start, end) in taken {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    Ok(joined
        .into_iter()
        .map(|(start, end)| json!({ "start": rfc3339(start), "end": rfc3339(end) }))
        .collect())
}

fn described(calendar: &Calendar) -> Value {
    let mut about = calendar.about.clone();
    about["kind"] = json!("calendar#calendar");
    about["etag"] = json!("\"c1\"");
    about
}

fn entry(calendar: &Calendar, primary: bool) -> Value {
    let mut entry = calendar.about.clone();
    entry["kind"] = json!("calendar#calendarListEntry");
    entry["etag"] = json!("\"c1\"");
    entry["accessRole"] = json!(calendar.role);
    entry["selected"] = json!(true);
    entry["backgroundColor"] = json!("#9fe1e7");
    entry["foregroundColor"] = json!("#000000");
    entry["defaultReminders"] = json!([]);
    if primary {
        entry["primary"] = json!(true);
    }
    entry
}

pub(crate) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Answer {
    permit(&session, Needs::Calendars)?;
    state.book(&session.user, |book| Ok(Json(described(book.calendar(&id)?))))
}

pub(crate) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Answer {
    permit(&session, Needs::ChangeCalendars)?;
    let mut about = Value::Object(object(&body)?);
    if !about["summary"].as_str().is_some_and(|name| !name.is_empty()) {
        return Err(Problem::invalid("A calendar has a summary."));
    }
    if about["timeZone"].is_null() {
        about["timeZone"] = json!("UTC");
    }
    state.book(&session.user, |book| {
        let id = format!("{}@group.calendar.example", book.fresh_id());
        about["id"] = json!(id);
        book.add_calendar(&id, about, "owner");
        Ok(Json(described(book.calendar(&id)?)))
    })
}

pub(crate) async fn patch(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    permit(&session, Needs::ChangeCalendars)?;
    let change = Value::Object(object(&body)?);
    state.book(&session.user, |book| {
        let calendar = book.writable(&id)?;
        merge(&mut calendar.about, &change);
        Ok(Json(described(calendar)))
    })
}

pub(crate) async fn delete(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    permit(&session, Needs::ChangeCalendars)?;
    state.book(&session.user, |book| {
        book.writable(&id)?;
        if book.id_of(&id) == book.address {
            return Err(Problem::invalid("The primary calendar stays."));
        }
        book.calendars.remove(&id);
        Ok(StatusCode::NO_CONTENT)
    })
}

pub(crate) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Answer {
    permit(&session, Needs::List)?;
    let query = parse_form(&query.unwrap_or_default());
    let least = first(&query, "minAccessRole").unwrap_or_default().to_owned();
    state.book(&session.user, |book| {
        let found: Vec<Value> = book
            .calendars
            .iter()
            .filter(|(_, calendar)| calendar.listed)
            .filter(|(_, calendar)| {
                calendar.role == "owner" || !["owner", "writer"].contains(&least.as_str())
            })
            .map(|(id, calendar)| entry(calendar, *id == book.address))
            .collect();
        let (items, next) = page(&query, &found, 100, 250)?;
        let mut body = json!({ "kind": "calendar#calendarList", "etag": "\"l1\"", "items": items });
        if let Some(next) = next {
            body["nextPageToken"] = json!(next);
        }
        Ok(Json(body))
    })
}

pub(crate) async fn subscribe(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Answer {
    permit(&session, Needs::ChangeList)?;
    let asked = Value::Object(object(&body)?);
    state.book(&session.user, |book| {
        let id = asked["id"].as_str().unwrap_or_default();
        let calendar = book.calendars.get_mut(id).ok_or_else(Problem::not_found)?;
        calendar.listed = true;
        let mut answer = entry(calendar, false);
        merge(&mut answer, &asked);
        Ok(Json(answer))
    })
}

pub(crate) async fn unsubscribe(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    permit(&session, Needs::ChangeList)?;
    state.book(&session.user, |book| {
        let calendar = book.calendars.get_mut(&id).filter(|calendar| calendar.listed);
        calendar.ok_or_else(Problem::not_found)?.listed = false;
        Ok(StatusCode::NO_CONTENT)
    })
}

pub(crate) async fn rules(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    permit(&session, Needs::Rules)?;
    let query = parse_form(&query.unwrap_or_default());
    state.book(&session.user, |book| {
        let found: Vec<Value> = book.writable(&id)?.rules.values().cloned().collect();
        let (items, next) = page(&query, &found, 100, 250)?;
        let mut body = json!({ "kind": "calendar#acl", "etag": "\"a1\"", "items": items });
        if let Some(next) = next {
            body["nextPageToken"] = json!(next);
        }
        Ok(Json(body))
    })
}

pub(crate) async fn share(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    permit(&session, Needs::ChangeRules)?;
    let mut rule = Value::Object(object(&body)?);
    let kind = rule["scope"]["type"].as_str().unwrap_or_default();
    let name = match (kind, rule["scope"]["value"].as_str()) {
        ("default", _) => "default".to_owned(),
        ("user" | "group" | "domain", Some(value)) => format!("{kind}:{value}"),
        _ => return Err(Problem::invalid("The rule's scope is not valid.")),
    };
    if !rule["role"].is_string() {
        return Err(Problem::invalid("The rule has no role."));
    }
    rule["kind"] = json!("calendar#aclRule");
    rule["id"] = json!(name);
    state.book(&session.user, |book| {
        book.writable(&id)?.rules.insert(name, rule.clone());
        Ok(Json(rule))
    })
}

pub(crate) async fn unshare(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((id, rule)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    permit(&session, Needs::ChangeRules)?;
    state.book(&session.user, |book| {
        let removed = book.writable(&id)?.rules.remove(&rule);
        removed
            .map(|_| StatusCode::NO_CONTENT)
            .ok_or_else(Problem::not_found)
    })
}

pub(crate) async fn settings(Extension(session): Extension<Session>, RawQuery(query): RawQuery) -> Answer {
    permit(&session, Needs::Settings)?;
    let query = parse_form(&query.unwrap_or_default());
    let setting = |id: &str, value: &str| json!({ "kind": "calendar#setting", "etag": "\"s1\"", "id": id, "value": value });
    let found = [
        setting("timezone", "UTC"),
        setting("locale", "en"),
        setting("weekStart", "1"),
        setting("defaultEventLength", "60"),
        setting("format24HourTime", "true"),
    ];
    let (items, next) = page(&query, &found, 100, 250)?;
    let mut body = json!({ "kind": "calendar#settings", "etag": "\"s1\"", "items": items });
    if let Some(next) = next {
        body["nextPageToken"] = json!(next);
    }
    Ok(Json(body))
}

pub(crate) async fn colors(Extension(session): Extension<Session>) -> Answer {
    permit(&session, Needs::Calendars)?;
    let color = |background: &str| json!({ "background": background, "foreground": "#1d1d1d" });
    Ok(Json(json!({
        "kind": "calendar#colors",
        "updated": "2012-02-14T00:00:00.000Z",
        "calendar": { "1": color("#ac725e"), "14": color("#9fe1e7") },
        "event": { "1": color("#a4bdfc"), "5": color("#fbd75b"), "11": color("#dc2127") },
    })))
}
