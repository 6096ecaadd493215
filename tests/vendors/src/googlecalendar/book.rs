//! One user's calendars.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::problem::Problem;
use super::recur;
use super::time::{at, compact, instant};
use crate::calendar::{minutes_before_start, rfc3339};
use crate::hubspot::Window;
use crate::seed;
use crate::text::number_of;

/// The user's address, which is the id of the primary calendar too.
pub(crate) fn address_of(user: &str) -> String {
    format!("{user}@mail.example")
}

/// One calendar.
pub(crate) struct Calendar {
    /// As the vendor describes it.
    pub(crate) about: Value,
    /// What the user may do on it.
    pub(crate) role: &'static str,
    /// Whether it is on the user's list.
    pub(crate) listed: bool,
    /// Events by id, deleted ones too.
    pub(crate) events: BTreeMap<String, Event>,
    /// Who it is shared with, by the rule's id.
    pub(crate) rules: BTreeMap<String, Value>,
}

/// One event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// As the vendor writes it.
    pub(crate) json: Value,
    /// When it was changed, in the count of the book's changes.
    pub(crate) change: u64,
}

/// All of a user's calendars.
pub(crate) struct Book {
    pub(crate) user: String,
    pub(crate) address: String,
    pub(crate) requests: Window,
    pub(crate) calendars: BTreeMap<String, Calendar>,
    /// Counts changes, for sync tokens and etags.
    pub(crate) changes: u64,
    next: u64,
}

impl Book {
    /// The calendars that a user begins with: an own one with single events, invitations of others
    /// and a weekly series, and one of a team.
    pub(crate) fn seeded(user: &str, events: usize) -> Self {
        let address = address_of(user);
        let mut book = Self {
            user: user.to_owned(),
            address: address.clone(),
            requests: Window::default(),
            calendars: BTreeMap::new(),
            changes: 0,
            next: 1,
        };
        book.add_calendar(
            &address,
            json!({ "id": address, "summary": address, "timeZone": "UTC" }),
            "owner",
        );
        let team = format!("{user}-team@group.calendar.example");
        let about = json!({ "id": team, "summary": format!("Team of {user}"), "timeZone": "UTC" });
        book.add_calendar(&team, about, "owner");
        let holidays = "holidays@group.v.calendar.example";
        let about = json!({ "id": holidays, "summary": "Holidays", "timeZone": "UTC" });
        book.add_calendar(holidays, about, "reader");
        if let Some(calendar) = book.calendars.get_mut(holidays) {
            calendar.listed = false;
        }
        for n in 0..events {
            // One every seven hours, a third of them past.
            let hours = i64::try_from(n).unwrap_or(0) - i64::try_from(events / 3).unwrap_or(0);
            let start = minutes_before_start(0) + hours * 7 * 3_600_000;
            let person = seed::address(user, n % 40);
            let invited = n % 8 == 3;
            let organizer = if invited { &person } else { &address };
            let mut guests = vec![
                json!({ "email": organizer, "organizer": true, "responseStatus": "accepted", "self": !invited }),
            ];
            if invited {
                guests.push(json!({ "email": address, "self": true, "responseStatus": "needsAction" }));
            }
            let mut event = json!({
                "summary": format!("{} of {user}", seed::subject(n)),
                "start": { "dateTime": rfc3339(start), "timeZone": "UTC" },
                "end": { "dateTime": rfc3339(start + 3_600_000), "timeZone": "UTC" },
                "organizer": { "email": organizer, "self": !invited },
            });
            if invited || n % 5 == 0 {
                event["attendees"] = json!(guests);
            }
            book.add(&address, event, minutes_before_start(60 * 24 * 3));
        }
        let start = minutes_before_start(60);
        let series = json!({
            "summary": format!("Stand-up of {user}"),
            "start": { "dateTime": rfc3339(start), "timeZone": "UTC" },
            "end": { "dateTime": rfc3339(start + 900_000), "timeZone": "UTC" },
            "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=8"],
        });
        book.add(&address, series, minutes_before_start(60 * 24 * 3));
        book
    }

    /// The id that `primary` stands for.
    pub(crate) fn id_of<'a>(&'a self, calendar: &'a str) -> &'a str {
        if calendar == "primary" {
            &self.address
        } else {
            calendar
        }
    }

    pub(crate) fn calendar(&self, id: &str) -> Result<&Calendar, Problem> {
        self.calendars.get(self.id_of(id)).ok_or_else(Problem::not_found)
    }

    /// A calendar on which the user may change events.
    pub(crate) fn writable(&mut self, id: &str) -> Result<&mut Calendar, Problem> {
        let id = self.id_of(id).to_owned();
        let calendar = self.calendars.get_mut(&id).ok_or_else(Problem::not_found)?;
        if calendar.role == "owner" {
            Ok(calendar)
        } else {
            Err(Problem::access_too_low())
        }
    }

    pub(crate) fn add_calendar(&mut self, id: &str, about: Value, role: &'static str) {
        let owner = format!("user:{}", self.address);
        let rule = json!({
            "kind": "calendar#aclRule", "id": owner, "role": "owner",
            "scope": { "type": "user", "value": self.address },
        });
        self.calendars.insert(
            id.to_owned(),
            Calendar {
                about,
                role,
                listed: true,
                events: BTreeMap::new(),
                rules: [(owner, rule)].into(),
            },
        );
    }

    /// A text that no other user's things have.
    pub(crate) fn fresh_id(&mut self) -> String {
        self.next += 1;
        format!("{:06x}v{:05}", number_of(&self.user) % 0xff_ffff, self.next)
    }

    /// Adds an event and answers it; what the vendor fills in is filled in.
    pub(crate) fn add(&mut self, calendar: &str, mut event: Value, now_ms: i64) -> Value {
        let id = self.fresh_id();
        let calendar = self.id_of(calendar).to_owned();
        let own = self.address.clone();
        event["kind"] = json!("calendar#event");
        event["id"] = json!(id);
        event["iCalUID"] = json!(format!("{id}@mail.example"));
        event["htmlLink"] = json!(format!("https://calendar.example/event?eid={id}"));
        event["created"] = json!(rfc3339(now_ms));
        event["creator"] = json!({ "email": own, "self": true });
        for (name, value) in [
            ("status", json!("confirmed")),
            ("eventType", json!("default")),
            ("organizer", json!({ "email": calendar, "self": true })),
            ("reminders", json!({ "useDefault": true })),
        ] {
            if event[name].is_null() {
                event[name] = value;
            }
        }
        self.store(&calendar, &id, event, now_ms)
    }

    /// Keeps an event as it is now and answers it.
    pub(crate) fn store(&mut self, calendar: &str, id: &str, mut event: Value, now_ms: i64) -> Value {
        self.changes += 1;
        event["etag"] = json!(format!("\"{}\"", self.changes));
        event["updated"] = json!(rfc3339(now_ms));
        let change = self.changes;
        let calendar = self.id_of(calendar).to_owned();
        if let Some(calendar) = self.calendars.get_mut(&calendar) {
            let json = event.clone();
            calendar.events.insert(id.to_owned(), Event { json, change });
        }
        event
    }

    /// An event by its id: its own, or an occurrence of a series.
    pub(crate) fn event(&self, calendar: &str, id: &str) -> Result<Value, Problem> {
        let calendar = self.calendar(calendar)?;
        if let Some(event) = calendar.events.get(id) {
            return Ok(event.json.clone());
        }
        let (series, _) = id.rsplit_once('_').ok_or_else(Problem::not_found)?;
        let series = calendar.events.get(series).ok_or_else(Problem::not_found)?;
        occurrences(calendar, &series.json)?
            .into_iter()
            .map(|(_, occurrence)| occurrence)
            .find(|occurrence| occurrence["id"] == id)
            .ok_or_else(Problem::not_found)
    }
}

/// Occurrences of an event with their starts: itself, or those of a series, changed ones as they
/// were changed.
pub(crate) fn occurrences(calendar: &Calendar, event: &Value) -> Result<Vec<(i64, Value)>, Problem> {
    let first = instant(&event["start"])?;
    if !event["recurrence"].is_array() {
        return Ok(vec![(first, event.clone())]);
    }
    let length = instant(&event["end"])? - first;
    let series = event["id"].as_str().unwrap_or_default();
    let mut found = Vec::new();
    for start in recur::starts(event)? {
        let id = format!("{series}_{}", compact(start));
        if let Some(changed) = calendar.events.get(&id) {
            found.push((instant(&changed.json["start"])?, changed.json.clone()));
            continue;
        }
        let mut occurrence = event.clone();
        if let Some(members) = occurrence.as_object_mut() {
            members.remove("recurrence");
        }
        occurrence["id"] = json!(id);
        occurrence["recurringEventId"] = json!(series);
        occurrence["start"] = at(start, &event["start"]);
        occurrence["originalStartTime"] = at(start, &event["start"]);
        occurrence["end"] = at(start + length, &event["end"]);
        found.push((start, occurrence));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_shown_as_its_occurrences_and_one_can_be_changed_alone() {
        let mut book = Book::seeded("ada", 0);
        let (id, series) = {
            let calendar = book.calendar("primary").expect("here");
            let (id, event) = calendar.events.iter().next().expect("the series");
            (id.clone(), event.json.clone())
        };
        let second = format!("{id}_20260309T080000Z");
        let mut changed = book.event("primary", &second).expect("an occurrence");
        assert_eq!(changed["recurringEventId"], id.as_str());
        changed["summary"] = json!("Later");
        book.store("primary", &second, changed, 0);
        let calendar = book.calendar("primary").expect("here");
        let titles: Vec<_> = occurrences(calendar, &series)
            .expect("a rule")
            .into_iter()
            .map(|(_, event)| event["summary"].as_str().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(titles.len(), 8);
        assert_eq!(titles[0], "Stand-up of ada");
        assert_eq!(titles[1], "Later");
        assert_eq!(
            book.event("primary", "nothing").expect_err("not here").reason(),
            "notFound"
        );
    }

    #[test]
    fn no_two_users_share_an_id() {
        let (mut ada, mut bob) = (Book::seeded("ada", 3), Book::seeded("bob", 3));
        assert_ne!(ada.fresh_id(), bob.fresh_id());
        let primary = |book: &Book| book.calendar("primary").expect("here").about["id"].clone();
        assert_eq!(primary(&ada), "ada@mail.example");
        assert_eq!(primary(&bob), "bob@mail.example");
    }
}
