//! `/calendars/{calendar}/events`: list, get, create, change, delete, move.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::book::{Book, Calendar, occurrences};
use super::gate::{Needs, permit};
use super::problem::Problem;
use super::time::{bound, instant};
use crate::calendar::{minutes_before_start, rfc3339};
use crate::faults::merge;
use crate::oauth::Session;
use crate::server::State;
use crate::text::{Pairs, all, first, parse_form};

const MAX_PAGE: usize = 2500;
/// What a guest cannot change for the others.
const SHARED: [&str; 6] = ["summary", "description", "location", "start", "end", "recurrence"];
/// Parameters that do not go with a sync token.
const NOT_WITH_SYNC: [&str; 6] = ["timeMin", "timeMax", "q", "orderBy", "updatedMin", "iCalUID"];

type Answer = Result<Json<Value>, Problem>;

pub(crate) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(calendar): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    permit(&session, Needs::Read)?;
    let query = parse_form(&query.unwrap_or_default());
    state.book(&session.user, |book| {
        let found = found(book, book.calendar(&calendar)?, &query)?;
        answer(book, book.calendar(&calendar)?, &query, &found)
    })
}

fn found(book: &Book, calendar: &Calendar, query: &Pairs) -> Result<Vec<Value>, Problem> {
    let is = |name| first(query, name) == Some("true");
    if let Some(token) = first(query, "syncToken") {
        if let Some(name) = NOT_WITH_SYNC.iter().find(|name| first(query, name).is_some()) {
            return Err(Problem::invalid(format!("{name} does not go with syncToken.")));
        }
        let since: u64 = token
            .strip_prefix("sync-")
            .and_then(|number| number.parse().ok())
            .filter(|since| *since <= book.changes)
            .ok_or_else(Problem::full_sync_required)?;
        let changed = calendar.events.values().filter(|event| event.change > since);
        return Ok(changed.map(|event| event.json.clone()).collect());
    }
    let single = is("singleEvents");
    let order = first(query, "orderBy");
    if order == Some("startTime") && !single {
        return Err(Problem::invalid("This order needs singleEvents."));
    }
    let from = bound("timeMin", first(query, "timeMin"))?;
    let until = bound("timeMax", first(query, "timeMax"))?;
    if let (Some(from), Some(until)) = (from, until)
        && from >= until
    {
        return Err(Problem::empty_range());
    }
    let updated = bound("updatedMin", first(query, "updatedMin"))?;
    if updated.is_some_and(|updated| updated < minutes_before_start(60 * 24 * 30)) {
        return Err(Problem::too_long_ago());
    }
    let words = first(query, "q").map(str::to_lowercase);
    let kinds: BTreeSet<&str> = all(query, "eventTypes").collect();

    let mut found: Vec<(i64, Value)> = Vec::new();
    for event in calendar.events.values() {
        let json = &event.json;
        if single && json["recurringEventId"].is_string() {
            // It comes with its series.
            continue;
        }
        let shown = if single {
            occurrences(calendar, json)?
        } else {
            vec![(instant(&json["start"])?, json.clone())]
        };
        for (start, one) in shown {
            let cancelled = one["status"] == "cancelled";
            let end = instant(&one["end"])?;
            let recent = updated.is_none_or(|updated| {
                one["updated"]
                    .as_str()
                    .is_some_and(|text| text >= rfc3339(updated).as_str())
            });
            let matches = (!cancelled || is("showDeleted") || updated.is_some())
                && recent
                && from.is_none_or(|from| end > from)
                && until.is_none_or(|until| start < until)
                && first(query, "iCalUID").is_none_or(|uid| one["iCalUID"] == uid)
                && (kinds.is_empty() || kinds.contains(one["eventType"].as_str().unwrap_or_default()))
                && words.as_deref().is_none_or(|words| says(&one, words));
            if matches {
                found.push((start, one));
            }
        }
    }
    match order {
        Some("startTime") => found.sort_by_key(|(start, _)| *start),
        Some("updated") => found.sort_by_key(|(_, event)| event["updated"].to_string()),
        Some(_) => return Err(Problem::invalid("orderBy is startTime or updated.")),
        None => {}
    }
    Ok(found.into_iter().map(|(_, event)| event).collect())
}

/// Whether an event has words in what the vendor looks into.
fn says(event: &Value, words: &str) -> bool {
    let guests = event["attendees"].as_array().into_iter().flatten();
    let texts = ["summary", "description", "location"]
        .map(|name| &event[name])
        .into_iter()
        .chain(guests.flat_map(|guest| [&guest["email"], &guest["displayName"]]))
        .filter_map(Value::as_str);
    let all: Vec<String> = texts.map(str::to_lowercase).collect();
    words
        .split_whitespace()
        .all(|word| all.iter().any(|text| text.contains(word)))
}

fn answer(book: &Book, calendar: &Calendar, query: &Pairs, found: &[Value]) -> Answer {
    let most: Option<usize> = first(query, "maxAttendees").and_then(|text| text.parse().ok());
    let (items, next) = page(query, found, 250, MAX_PAGE)?;
    let items: Vec<Value> = items
        .into_iter()
        .map(|mut event| {
            let guests = event.get_mut("attendees").and_then(Value::as_array_mut);
            if let (Some(most), Some(guests)) = (most, guests)
                && guests.len() > most
            {
                guests.retain(|guest| guest["self"] == true);
                event["attendeesOmitted"] = json!(true);
            }
            event
        })
        .collect();
    let mut body = json!({
        "kind": "calendar#events",
        "etag": format!("\"l{}\"", book.changes),
        "summary": calendar.about["summary"],
        "timeZone": calendar.about["timeZone"],
        "accessRole": calendar.role,
        "defaultReminders": [{ "method": "popup", "minutes": 10 }],
        "items": items,
    });
    match next {
        Some(next) => body["nextPageToken"] = json!(next),
        None => body["nextSyncToken"] = json!(format!("sync-{}", book.changes)),
    }
    Ok(Json(body))
}

/// One page of what was found, and the token of the next.
pub(crate) fn page(
    query: &Pairs,
    found: &[Value],
    usual: usize,
    most: usize,
) -> Result<(Vec<Value>, Option<String>), Problem> {
    let size: usize = match first(query, "maxResults") {
        None => usual,
        Some(text) => match text.parse::<usize>() {
            Ok(size) if size > 0 => size.min(most),
            _ => return Err(Problem::invalid("maxResults is a positive number.")),
        },
    };
    let begin: usize = match first(query, "pageToken").filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => token
            .strip_prefix("page-")
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Problem::invalid("The pageToken is not valid."))?,
    };
    let items = found.iter().skip(begin).take(size).cloned().collect();
    let next = (begin + size < found.len()).then(|| format!("page-{}", begin + size));
    Ok((items, next))
}

pub(crate) async fn instances(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((calendar, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Answer {
    permit(&session, Needs::Read)?;
    let query = parse_form(&query.unwrap_or_default());
    let from = bound("timeMin", first(&query, "timeMin"))?;
    let until = bound("timeMax", first(&query, "timeMax"))?;
    let deleted = first(&query, "showDeleted") == Some("true");
    state.book(&session.user, |book| {
        let series = book.event(&calendar, &id)?;
        let calendar = book.calendar(&calendar)?;
        let mut found = Vec::new();
        for (start, one) in occurrences(calendar, &series)? {
            let end = instant(&one["end"])?;
            if from.is_none_or(|from| end > from)
                && until.is_none_or(|until| start < until)
                && (deleted || one["status"] != "cancelled")
            {
                found.push(one);
            }
        }
        answer(book, calendar, &query, &found)
    })
}

pub(crate) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((calendar, id)): Path<(String, String)>,
) -> Answer {
    permit(&session, Needs::Read)?;
    state.book(&session.user, |book| Ok(Json(book.event(&calendar, &id)?)))
}

pub(crate) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(calendar): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Answer {
    permit(&session, Needs::Write)?;
    let query = parse_form(&query.unwrap_or_default());
    let event = checked(object(&body)?, &query)?;
    let now = state.calendar.now_ms();
    state.book(&session.user, |book| {
        book.writable(&calendar)?;
        Ok(Json(book.add(&calendar, event, now)))
    })
}

/// An hour from now on, called as the whole sentence: this vendor understands no English.
pub(crate) async fn quick_add(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(calendar): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    permit(&session, Needs::Write)?;
    let query = parse_form(&query.unwrap_or_default());
    let text = first(&query, "text").ok_or_else(|| Problem::invalid("The text is missing."))?;
    let now = state.calendar.now_ms();
    let event = json!({
        "summary": text,
        "start": { "dateTime": rfc3339(now), "timeZone": "UTC" },
        "end": { "dateTime": rfc3339(now + 3_600_000), "timeZone": "UTC" },
    });
    state.book(&session.user, |book| {
        book.writable(&calendar)?;
        Ok(Json(book.add(&calendar, event, now)))
    })
}

pub(crate) async fn patch(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((calendar, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    permit(&session, Needs::Write)?;
    let query = parse_form(&query.unwrap_or_default());
    let change = Value::Object(object(&body)?);
    let now = state.calendar.now_ms();
    state.book(&session.user, |book| {
        book.writable(&calendar)?;
        let mut event = book.event(&calendar, &id)?;
        expect_unchanged(&headers, &event)?;
        if event["status"] == "cancelled" && change["status"].is_null() {
            return Err(Problem::not_found());
        }
        let organizes = event["organizer"]["self"] == true;
        if !organizes && SHARED.iter().any(|name| !change[*name].is_null()) {
            return Err(Problem::not_the_organizer());
        }
        if change["attendeesOmitted"] == true {
            answer_of_guests(&mut event, &change)?;
        } else {
            merge(&mut event, &change);
        }
        let Value::Object(members) = event else {
            return Err(Problem::invalid("An event is an object."));
        };
        let event = checked(members, &query)?;
        Ok(Json(book.store(&calendar, &id, event, now)))
    })
}

/// With `attendeesOmitted` only the guests named are changed.
fn answer_of_guests(event: &mut Value, change: &Value) -> Result<(), Problem> {
    for answer in change["attendees"].as_array().into_iter().flatten() {
        let guests = event.get_mut("attendees").and_then(Value::as_array_mut);
        let guest = guests
            .into_iter()
            .flatten()
            .find(|guest| guest["email"] == answer["email"])
            .ok_or_else(|| Problem::invalid("There is no such guest."))?;
        merge(guest, answer);
    }
    Ok(())
}

pub(crate) async fn delete(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((calendar, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    permit(&session, Needs::Write)?;
    let now = state.calendar.now_ms();
    state.book(&session.user, |book| {
        book.writable(&calendar)?;
        let mut event = book.event(&calendar, &id)?;
        expect_unchanged(&headers, &event)?;
        if event["status"] == "cancelled" {
            return Err(Problem::deleted());
        }
        event["status"] = json!("cancelled");
        book.store(&calendar, &id, event, now);
        Ok(StatusCode::NO_CONTENT)
    })
}

pub(crate) async fn move_to(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((calendar, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Answer {
    permit(&session, Needs::Write)?;
    let query = parse_form(&query.unwrap_or_default());
    let to = first(&query, "destination").ok_or_else(|| Problem::invalid("The destination is missing."))?;
    let now = state.calendar.now_ms();
    state.book(&session.user, |book| {
        book.writable(&calendar)?;
        book.writable(to)?;
        let mut event = book.event(&calendar, &id)?;
        if event["status"] == "cancelled" {
            return Err(Problem::not_found());
        }
        let mut left = event.clone();
        left["status"] = json!("cancelled");
        book.store(&calendar, &id, left, now);
        event["organizer"] = json!({ "email": book.id_of(to), "self": true });
        let to = to.to_owned();
        Ok(Json(book.store(&to, &id, event, now)))
    })
}

/// What a client wrote, complete and with a conference made where one was asked for.
fn checked(event: Map<String, Value>, query: &Pairs) -> Result<Value, Problem> {
    let mut event = Value::Object(event);
    if instant(&event["start"])? > instant(&event["end"])? {
        return Err(Problem::empty_range());
    }
    if event["start"]["date"].is_string() && event["start"]["dateTime"].is_string() {
        return Err(Problem::invalid("A time has a day or an hour."));
    }
    super::recur::starts(&event)?;
    let guests = event.get_mut("attendees").and_then(Value::as_array_mut);
    for guest in guests.into_iter().flatten() {
        if !guest["email"].as_str().is_some_and(|email| email.contains('@')) {
            return Err(Problem::invalid("A guest has an address."));
        }
        if guest["responseStatus"].is_null() {
            guest["responseStatus"] = json!("needsAction");
        }
    }
    let asked = event["conferenceData"]["createRequest"]["requestId"]
        .as_str()
        .map(str::to_owned);
    match asked {
        Some(_) if first(query, "conferenceDataVersion") != Some("1") => {
            if let Some(members) = event.as_object_mut() {
                members.remove("conferenceData");
            }
        }
        Some(request) => {
            let link = format!("https://meet.example/{request}");
            event["conferenceData"]["createRequest"]["status"] = json!({ "statusCode": "success" });
            event["conferenceData"]["entryPoints"] = json!([{ "entryPointType": "video", "uri": link }]);
            event["hangoutLink"] = json!(link);
        }
        None => {}
    }
    Ok(event)
}

fn expect_unchanged(headers: &HeaderMap, event: &Value) -> Result<(), Problem> {
    let wanted = headers
        .get(header::IF_MATCH)
        .and_then(|value| value.to_str().ok());
    match wanted {
        Some(etag) if etag != "*" && event["etag"] != etag => Err(Problem::changed_meanwhile()),
        _ => Ok(()),
    }
}

pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::invalid(format!("The body is not valid: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Pairs {
        parse_form(text)
    }

    fn listed(book: &Book, text: &str) -> Result<Vec<Value>, Problem> {
        found(book, book.calendar("primary")?, &query(text))
    }

    #[test]
    fn changes_since_a_token_are_those_since_then() {
        let mut book = Book::seeded("ada", 4);
        let token = format!("syncToken=sync-{}", book.changes);
        assert!(listed(&book, &token).expect("a token").is_empty());
        let one = json!({"summary": "New", "start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}});
        book.add("primary", one, 0);
        let changed = listed(&book, &token).expect("a token");
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0]["summary"], "New");
        for (wrong, reason) in [
            ("syncToken=old", "fullSyncRequired"),
            ("syncToken=sync-99999", "fullSyncRequired"),
            ("syncToken=sync-1&q=x", "invalid"),
            ("orderBy=startTime", "invalid"),
            (
                "timeMin=2026-03-03T00:00:00Z&timeMax=2026-03-02T00:00:00Z",
                "timeRangeEmpty",
            ),
            ("updatedMin=2020-01-01T00:00:00Z", "updatedMinTooLongAgo"),
        ] {
            assert_eq!(listed(&book, wrong).expect_err(wrong).reason(), reason, "{wrong}");
        }
    }

    #[test]
    fn single_occurrences_come_by_their_start() {
        let book = Book::seeded("ada", 9);
        let week = "singleEvents=true&orderBy=startTime&q=stand-up&timeMin=2026-03-02T00:00:00Z&timeMax=2026-03-17T00:00:00Z";
        let found = listed(&book, week).expect("a list");
        assert_eq!(found.len(), 3, "three Mondays");
        assert!(found.iter().all(|event| event["recurringEventId"].is_string()));
        let series = listed(&book, "q=stand-up").expect("a list");
        assert_eq!(series.len(), 1);
        assert!(series[0]["recurrence"].is_array());
    }

    #[test]
    fn a_conference_is_made_only_for_clients_that_know_of_it() {
        let asked = || {
            let event = json!({"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"},
                "conferenceData": {"createRequest": {"requestId": "r1"}}});
            object(event.to_string().as_bytes()).expect("an object")
        };
        let made = checked(asked(), &query("conferenceDataVersion=1")).expect("an event");
        assert_eq!(made["hangoutLink"], "https://meet.example/r1");
        let none = checked(asked(), &query("")).expect("an event");
        assert!(none["conferenceData"].is_null());
    }
}
