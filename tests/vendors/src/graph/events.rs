//! `/events`, `/calendarView`, `/calendars`, meeting times and schedules. Times are kept in UTC; a
//! time that a client gives in another zone is turned into it.

use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use bytes::Bytes;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::gate::permit;
use super::mail::{full, object};
use super::outlook::{Outlook, local};
use super::problem::Problem;
use super::query::{Prefers, expect_zone, list as listed, one};
use crate::faults::merge;
use crate::oauth::Session;
use crate::server::State;
use crate::text::{first, parse_form};

const READ: [&str; 4] = [
    "Calendars.ReadWrite",
    "Calendars.Read",
    "Calendars.ReadWrite.Shared",
    "Calendars.Read.Shared",
];
const WRITE: [&str; 2] = ["Calendars.ReadWrite", "Calendars.ReadWrite.Shared"];
const MEET: [&str; 2] = ["Calendars.Read.Shared", "Calendars.ReadWrite.Shared"];
/// Occurrences of a series that are shown.
const MOST: usize = 100;

type Answer = Result<Json<Value>, Problem>;

/// The instant of a `dateTime` with `timeZone`, in milliseconds since 1970. Windows names of zones
/// are known, and taken for UTC: this vendor does not keep their table.
fn instant(time: &Value) -> Result<i64, Problem> {
    let text = time["dateTime"]
        .as_str()
        .ok_or_else(|| Problem::invalid("A time has `dateTime`."))?;
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant.as_millisecond());
    }
    let zone = time["timeZone"].as_str().unwrap_or("UTC");
    expect_zone(zone)?;
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let wrong = || Problem::invalid(format!("{text:?} is no time."));
    let local: DateTime = text.parse().map_err(|_| wrong())?;
    let zoned = local.to_zoned(zone).map_err(|_| wrong())?;
    Ok(zoned.timestamp().as_millisecond())
}

fn utc(ms: i64) -> Value {
    json!({ "dateTime": local(ms), "timeZone": "UTC" })
}

/// Occurrences of an event: itself, or those of a series (daily and weekly ones).
fn occurrences(event: &Value) -> Result<Vec<(i64, Value)>, Problem> {
    let start = instant(&event["start"])?;
    let length = instant(&event["end"])? - start;
    let recurrence = &event["recurrence"];
    if !recurrence.is_object() {
        return Ok(vec![(start, event.clone())]);
    }
    let pattern = &recurrence["pattern"];
    let step = match pattern["type"].as_str() {
        Some("daily") => 1,
        Some("weekly") => 7,
        _ => {
            return Err(Problem::invalid(
                "This simulator knows daily and weekly patterns.",
            ));
        }
    };
    let interval = pattern["interval"].as_i64().unwrap_or(1).max(1);
    let range = &recurrence["range"];
    let count = match range["type"].as_str() {
        Some("numbered") => range["numberOfOccurrences"]
            .as_u64()
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(1)
            .min(MOST),
        _ => MOST,
    };
    let until = match range["endDate"].as_str() {
        Some(day) if range["type"] == "endDate" => {
            instant(&json!({ "dateTime": format!("{day}T23:59:59"), "timeZone": "UTC" }))?
        }
        _ => i64::MAX,
    };
    let mut found = Vec::new();
    for n in 0..count {
        let days = i64::try_from(n).unwrap_or(i64::MAX) * step * interval;
        let at = start + days * 86_400_000;
        if at > until {
            break;
        }
        let mut one = event.clone();
        let series = event["id"].as_str().unwrap_or_default();
        one["id"] = json!(format!("{series}o{n}"));
        one["type"] = json!("occurrence");
        one["seriesMasterId"] = json!(series);
        one["recurrence"] = Value::Null;
        one["start"] = utc(at);
        one["end"] = utc(at + length);
        found.push((at, one));
    }
    Ok(found)
}

/// What the window of a request shows, by its start.
fn shown(outlook: &Outlook, uri: &Uri, of: Option<&str>) -> Result<Vec<Value>, Problem> {
    let query = parse_form(uri.query().unwrap_or_default());
    let bound = |name: &str| {
        let text =
            first(&query, name).ok_or_else(|| Problem::invalid_query(format!("{name} is missing.")))?;
        instant(&json!({ "dateTime": text, "timeZone": "UTC" }))
    };
    let (from, until) = (bound("startDateTime")?, bound("endDateTime")?);
    let mut found = Vec::new();
    for event in outlook.events.values() {
        if of.is_some_and(|id| event["id"] != id) {
            continue;
        }
        for (start, one) in occurrences(event)? {
            if start < until && instant(&one["end"])? > from {
                found.push((start, one));
            }
        }
    }
    found.sort_by_key(|(start, _)| *start);
    Ok(found.into_iter().map(|(_, event)| bare(event)).collect())
}

/// An event with its body as the vendor writes it.
fn bare(mut event: Value) -> Value {
    let content = event["body"]["content"].as_str().unwrap_or_default().to_owned();
    event["bodyPreview"] = json!(content.chars().take(255).collect::<String>());
    event["webLink"] = json!("https://outlook.example/calendar");
    event["@odata.etag"] = json!("W/\"e\"");
    event
}

pub(crate) async fn view(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    permit(&session, &READ)?;
    Prefers::read(&headers)?;
    let found = state.outlook(&session.user, |outlook| shown(outlook, &uri, None))?;
    listed(&state.base_url, &full(&uri), "calendarView", 10, found)
}

pub(crate) async fn view_of(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(calendar): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    permit(&session, &READ)?;
    Prefers::read(&headers)?;
    let found = state.outlook(&session.user, |outlook| {
        if calendar_id(outlook) != calendar {
            return Err(Problem::not_found());
        }
        shown(outlook, &uri, None)
    })?;
    listed(&state.base_url, &full(&uri), "calendarView", 10, found)
}

fn calendar_id(outlook: &Outlook) -> String {
    format!("AAMkCalendar-{}", outlook.user)
}

pub(crate) async fn calendars(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    uri: Uri,
) -> Answer {
    permit(&session, &READ)?;
    let found = state.outlook(&session.user, |outlook| {
        vec![json!({
            "id": calendar_id(outlook), "name": "Calendar", "canEdit": true, "canShare": true,
            "isDefaultCalendar": true, "allowedOnlineMeetingProviders": ["teamsForBusiness"],
            "owner": { "name": outlook.user, "address": outlook.address },
        })]
    });
    listed(&state.base_url, &full(&uri), "calendars", 10, found)
}

pub(crate) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    permit(&session, &READ)?;
    Prefers::read(&headers)?;
    let found = state.outlook(&session.user, |outlook| {
        outlook.events.values().cloned().map(bare).collect()
    });
    listed(&state.base_url, &full(&uri), "events", 10, found)
}

pub(crate) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    permit(&session, &READ)?;
    Prefers::read(&headers)?;
    state.outlook(&session.user, |outlook| {
        let event = outlook.event(&id)?.clone();
        Ok(one(&uri, "events", bare(event)))
    })
}

pub(crate) async fn instances(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    permit(&session, &READ)?;
    Prefers::read(&headers)?;
    let found = state.outlook(&session.user, |outlook| {
        outlook.event(&id)?;
        shown(outlook, &uri, Some(&id))
    })?;
    listed(&state.base_url, &full(&uri), "events", 10, found)
}

/// What a client wrote, with its times in UTC.
fn checked(mut event: Value) -> Result<Value, Problem> {
    let (start, end) = (instant(&event["start"])?, instant(&event["end"])?);
    if end < start {
        return Err(Problem::invalid("The end lies before the start."));
    }
    event["start"] = utc(start);
    event["end"] = utc(end);
    if event["recurrence"].is_object() {
        event["type"] = json!("seriesMaster");
        occurrences(&event)?;
    }
    if event["isOnlineMeeting"] == true {
        let name = event["subject"].as_str().unwrap_or("meeting").replace(' ', "-");
        event["onlineMeeting"] = json!({ "joinUrl": format!("https://meet.example/{name}") });
    }
    let guests = event.get_mut("attendees").and_then(Value::as_array_mut);
    for guest in guests.into_iter().flatten() {
        if guest["status"].is_null() {
            guest["status"] = json!({ "response": "none", "time": "0001-01-01T00:00:00Z" });
        }
    }
    Ok(event)
}

pub(crate) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    permit(&session, &WRITE)?;
    Prefers::read(&headers)?;
    let mut event = checked(Value::Object(object(&body)?))?;
    event["responseStatus"] = json!({ "response": "organizer", "time": "0001-01-01T00:00:00Z" });
    state.outlook(&session.user, |outlook| {
        // A repeated request with the same transactionId makes nothing more.
        let transaction = &event["transactionId"];
        let earlier = outlook
            .events
            .values()
            .find(|other| transaction.is_string() && other["transactionId"] == *transaction)
            .cloned();
        let made = match earlier {
            Some(earlier) => earlier,
            None => outlook.add_event(event),
        };
        Ok((StatusCode::CREATED, one(&uri, "events", bare(made))))
    })
}

pub(crate) async fn update(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Answer {
    permit(&session, &WRITE)?;
    Prefers::read(&headers)?;
    let change = Value::Object(object(&body)?);
    state.outlook(&session.user, |outlook| {
        let event = outlook.event(&id)?;
        let mut changed = event.clone();
        merge(&mut changed, &change);
        *event = checked(changed)?;
        Ok(one(&uri, "events", bare(event.clone())))
    })
}

pub(crate) async fn delete(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    permit(&session, &WRITE)?;
    state.outlook(&session.user, |outlook| {
        outlook.event(&id)?;
        outlook.events.remove(&id);
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `accept`, `tentativelyAccept`, `decline`, `cancel`.
pub(crate) async fn act(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((id, action)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    permit(&session, &WRITE)?;
    state.outlook(&session.user, |outlook| {
        let event = outlook.event(&id)?;
        let organizes = event["isOrganizer"] == true;
        let response = match action.as_str() {
            "accept" => "accepted",
            "tentativelyAccept" => "tentativelyAccepted",
            "decline" => "declined",
            "cancel" if organizes => {
                outlook.events.remove(&id);
                return Ok(StatusCode::ACCEPTED);
            }
            "cancel" => return Err(Problem::invalid("Only the organizer cancels a meeting.")),
            _ => return Err(Problem::not_found()),
        };
        if organizes {
            return Err(Problem::invalid(
                "The organizer does not answer the own invitation.",
            ));
        }
        if response == "declined" {
            outlook.events.remove(&id);
        } else {
            event["responseStatus"] = json!({ "response": response, "time": "2026-03-02T09:00:00Z" });
        }
        Ok(StatusCode::ACCEPTED)
    })
}

/// Stretches within a window that the user's events take.
fn busy(outlook: &Outlook, from: i64, until: i64) -> Result<Vec<(i64, i64)>, Problem> {
    let mut taken = Vec::new();
    for event in outlook.events.values().filter(|event| event["showAs"] != "free") {
        for (start, one) in occurrences(event)? {
            let end = instant(&one["end"])?;
            if start < until && end > from {
                taken.push((start, end));
            }
        }
    }
    taken.sort_unstable();
    Ok(taken)
}

/// Suggests times at which the user is free: the colleagues of this vendor always are.
pub(crate) async fn find_times(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Answer {
    permit(&session, &MEET)?;
    let asked = Value::Object(object(&body)?);
    let slot = &asked["timeConstraint"]["timeSlots"][0];
    let (from, until) = (instant(&slot["start"])?, instant(&slot["end"])?);
    let duration: SignedDuration = asked["meetingDuration"]
        .as_str()
        .unwrap_or("PT30M")
        .parse()
        .map_err(|_| Problem::invalid("The meetingDuration is not valid."))?;
    let length = i64::try_from(duration.as_millis())
        .unwrap_or(i64::MAX / 4)
        .max(60_000);
    let most = asked["maxCandidates"].as_u64().unwrap_or(5);
    state.outlook(&session.user, |outlook| {
        let taken = busy(outlook, from, until)?;
        let mut found = Vec::new();
        let mut at = from;
        while at + length <= until && (found.len() as u64) < most {
            match taken.iter().find(|(start, end)| *start < at + length && *end > at) {
                Some((_, end)) => at = *end,
                None => {
                    let guests = asked["attendees"].as_array().into_iter().flatten();
                    let availability: Vec<Value> = guests
                        .map(|guest| json!({ "availability": "free", "attendee": guest }))
                        .collect();
                    found.push(json!({
                        "confidence": 100.0, "order": found.len() + 1, "organizerAvailability": "free",
                        "attendeeAvailability": availability, "locations": [],
                        "suggestionReason": "It is one of the nearest times at which all are free.",
                        "meetingTimeSlot": { "start": utc(at), "end": utc(at + length) },
                    }));
                    at += length;
                }
            }
        }
        let reason = if found.is_empty() { "attendeesUnavailable" } else { "" };
        Ok(Json(json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.meetingTimeSuggestionsResult",
            "emptySuggestionsReason": reason, "meetingTimeSuggestions": found,
        })))
    })
}

/// Whom the user asks for: the user's own times are known, nobody else's.
pub(crate) async fn schedule(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Answer {
    permit(&session, &READ)?;
    let asked = Value::Object(object(&body)?);
    let (from, until) = (instant(&asked["startTime"])?, instant(&asked["endTime"])?);
    let step = asked["availabilityViewInterval"]
        .as_i64()
        .unwrap_or(30)
        .clamp(5, 1440)
        * 60_000;
    state.outlook(&session.user, |outlook| {
        let taken = busy(outlook, from, until)?;
        let names = asked["schedules"].as_array().into_iter().flatten();
        let value: Vec<Value> = names
            .map(|name| {
                if *name != outlook.address.as_str() {
                    return json!({ "scheduleId": name, "availabilityView": "", "error": {
                        "message": "There is no such address.", "responseCode": "ErrorMailRecipientNotFound" } });
                }
                let mut view = String::new();
                let mut at = from;
                while at < until {
                    let is_busy = taken.iter().any(|(start, end)| *start < at + step && *end > at);
                    view.push(if is_busy { '2' } else { '0' });
                    at += step;
                }
                let items: Vec<Value> = taken
                    .iter()
                    .map(|(start, end)| json!({ "status": "busy", "start": utc(*start), "end": utc(*end) }))
                    .collect();
                json!({ "scheduleId": name, "availabilityView": view, "scheduleItems": items,
                        "workingHours": outlook.settings["workingHours"] })
            })
            .collect();
        Ok(Json(json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Collection(microsoft.graph.scheduleInformation)",
            "value": value,
        })))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weekly_series_is_shown_as_its_occurrences_in_utc() {
        let event = json!({"id": "AAkE1", "subject": "Stand-up",
            "start": {"dateTime": "2026-03-02T10:00:00", "timeZone": "Europe/Berlin"},
            "end": {"dateTime": "2026-03-02T10:15:00", "timeZone": "Europe/Berlin"},
            "recurrence": {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
                "range": {"type": "endDate", "startDate": "2026-03-02", "endDate": "2026-03-16"}}});
        let event = checked(event).expect("an event");
        assert_eq!(event["type"], "seriesMaster");
        assert_eq!(event["start"]["dateTime"], "2026-03-02T09:00:00.0000000");
        let found = occurrences(&event).expect("a pattern");
        assert_eq!(found.len(), 3);
        assert_eq!(found[1].1["start"]["dateTime"], "2026-03-09T09:00:00.0000000");
        assert_eq!(found[1].1["seriesMasterId"], "AAkE1");
    }

    #[test]
    fn times_that_are_none_are_refused() {
        for wrong in [
            json!({}),
            json!({"dateTime": "soon", "timeZone": "UTC"}),
            json!({"dateTime": "2026-03-02T10:00:00", "timeZone": "Mars"}),
        ] {
            assert!(instant(&wrong).is_err(), "{wrong}");
        }
        let windows = json!({"dateTime": "2026-03-02T10:00:00", "timeZone": "W. Europe Standard Time"});
        assert!(instant(&windows).is_ok());
    }
}
