//! `googlecalendar_find_slots`: asks the vendor when calendars are busy, and answers when all of them are free in
//! working hours. A calendar that cannot be seen is named and never taken as free.
//! <https://developers.google.com/workspace/calendar/api/v3/reference/freebusy/query>

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json;
use valetkey_guest::{Call, Fault, Output};

use crate::time::{self, Hours, Stretch};

/// The longest window: the vendor takes less, and days are counted one by one.
const MAX_DAYS: i64 = 366;
/// Slots that are answered when the call does not say.
const USUAL_SLOTS: usize = 20;

#[derive(Deserialize)]
pub struct FindSlots {
    time_min: String,
    time_max: String,
    duration_minutes: i64,
    #[serde(default = "own_calendar")]
    attendees: Vec<String>,
    time_zone: Option<String>,
    #[serde(default)]
    working_hours: WorkingHours,
    #[serde(default = "usual_slots")]
    max_slots: usize,
}

#[derive(Deserialize)]
#[serde(default)]
struct WorkingHours {
    start: String,
    end: String,
    days: Vec<Day>,
}

impl Default for WorkingHours {
    fn default() -> Self {
        Self {
            start: "09:00".to_owned(),
            end: "17:00".to_owned(),
            days: vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri],
        }
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<Day> for Weekday {
    fn from(day: Day) -> Self {
        match day {
            Day::Mon => Self::Monday,
            Day::Tue => Self::Tuesday,
            Day::Wed => Self::Wednesday,
            Day::Thu => Self::Thursday,
            Day::Fri => Self::Friday,
            Day::Sat => Self::Saturday,
            Day::Sun => Self::Sunday,
        }
    }
}

fn own_calendar() -> Vec<String> {
    vec!["primary".to_owned()]
}

fn usual_slots() -> usize {
    USUAL_SLOTS
}

/// The vendor's answer.
#[derive(Deserialize)]
struct FreeBusy {
    #[serde(default)]
    calendars: BTreeMap<String, Calendar>,
    #[serde(default)]
    groups: BTreeMap<String, Group>,
}

#[derive(Deserialize)]
struct Calendar {
    #[serde(default)]
    busy: Vec<Busy>,
    #[serde(default)]
    errors: Vec<Problem>,
}

/// A group's calendars are in the list of calendars.
#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
struct Busy {
    start: String,
    end: String,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Zoned {
    time_zone: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Slots {
    time_zone: String,
    slots: Vec<Slot>,
    /// Whether there are more than were asked for.
    more: bool,
    /// Calendars whose times are not known.
    unknown: Vec<Unknown>,
}

#[derive(Serialize)]
struct Slot {
    start: String,
    end: String,
    minutes: i64,
}

#[derive(Serialize)]
struct Unknown {
    id: String,
    reason: String,
}

/// Finds the times at which everybody is free.
pub fn find_slots(call: &Call, input: FindSlots) -> Result<Output, Fault> {
    let window = window(&input)?;
    let hours = hours(&input.working_hours)?;
    let name = match &input.time_zone {
        Some(name) => name.clone(),
        None => own_zone(call)?,
    };
    let zone = TimeZone::get(&name).map_err(|_| {
        Fault::invalid(
            "/time_zone",
            format!("is {name:?}, which is no time zone; give an IANA name such as Europe/Berlin"),
        )
    })?;

    let items: Vec<_> = input.attendees.iter().map(|id| json!({ "id": id })).collect();
    let asked = json!({ "timeMin": input.time_min, "timeMax": input.time_max, "items": items });
    let answer: FreeBusy = call.post("api", "/freeBusy").json(&asked).send()?.json()?;

    let (busy, unknown) = read(&input.attendees, answer)?;
    let working =
        time::working(window, &hours, &zone).map_err(|_| Fault::invalid("/time_max", "is too far away"))?;
    let mut free = time::without(&working, busy);
    free.retain(|slot| slot.minutes() >= input.duration_minutes);
    let shown = free.iter().take(input.max_slots).map(|slot| Slot {
        start: local(slot.start, &zone),
        end: local(slot.end, &zone),
        minutes: slot.minutes(),
    });
    Output::json(&Slots {
        slots: shown.collect(),
        more: free.len() > input.max_slots,
        time_zone: name,
        unknown,
    })
}

fn window(input: &FindSlots) -> Result<Stretch, Fault> {
    let read = |name: &str, text: &str| {
        text.parse::<Timestamp>().map_err(|_| {
            Fault::invalid(
                name,
                "has to be a time of RFC 3339 with an offset, such as 2026-03-02T00:00:00+01:00",
            )
        })
    };
    let start = read("/time_min", &input.time_min)?;
    let end = read("/time_max", &input.time_max)?;
    if end <= start {
        return Err(Fault::invalid("/time_max", "has to be later than `time_min`"));
    }
    if end.duration_since(start).as_hours() > MAX_DAYS * 24 {
        return Err(Fault::invalid(
            "/time_max",
            "is more than a year after `time_min`",
        ));
    }
    Ok(Stretch { start, end })
}

fn hours(given: &WorkingHours) -> Result<Hours, Fault> {
    let read = |name: &str, text: &str| {
        time::minute_of_day(text).ok_or_else(|| {
            Fault::invalid(
                &format!("/working_hours/{name}"),
                "has to be a time such as 09:00",
            )
        })
    };
    let (start, end) = (read("start", &given.start)?, read("end", &given.end)?);
    if end <= start {
        return Err(Fault::invalid(
            "/working_hours/end",
            "has to be later than `start`; 24:00 is the end of the day",
        ));
    }
    let days = given.days.iter().map(|day| (*day).into()).collect();
    Ok(Hours { start, end, days })
}

/// The zone of the user's own calendar.
fn own_zone(call: &Call) -> Result<String, Fault> {
    let calendar: Zoned = call
        .get("api", "/calendars/primary")
        .query("fields", "timeZone")
        .send()
        .map_err(|mut fault| {
            fault
                .message
                .push_str(" Give `time_zone` to do without the user's own.");
            fault
        })?
        .json()?;
    // A calendar without a zone goes by UTC.
    Ok(calendar.time_zone.unwrap_or_else(|| "UTC".to_owned()))
}

/// Everything that is busy, and the calendars of which that is not known.
fn read(asked: &[String], answer: FreeBusy) -> Result<(Vec<Stretch>, Vec<Unknown>), Fault> {
    let mut busy = Vec::new();
    let mut unknown = Vec::new();
    let mut seen = 0;
    let mut fails = |id: &str, problem: &Problem| {
        unknown.push(Unknown {
            id: id.to_owned(),
            reason: problem.reason.clone(),
        });
    };
    for (id, calendar) in &answer.calendars {
        match calendar.errors.first() {
            Some(problem) => fails(id, problem),
            None => seen += 1,
        }
        for taken in &calendar.busy {
            busy.push(taken.read().ok_or_else(unreadable)?);
        }
    }
    for (id, group) in &answer.groups {
        if let Some(problem) = group.errors.first() {
            fails(id, problem);
        }
    }
    for id in asked {
        if !answer.calendars.contains_key(id) && !answer.groups.contains_key(id) {
            let unanswered = Problem {
                reason: "notAnswered".to_owned(),
            };
            fails(id, &unanswered);
        }
    }
    if seen == 0 {
        return Err(Fault::new(
            "vendor_not_found",
            "None of these calendars is there, or none is shared with the user: nothing is known of their times.",
        ));
    }
    Ok((busy, unknown))
}

impl Busy {
    fn read(&self) -> Option<Stretch> {
        Some(Stretch {
            start: self.start.parse().ok()?,
            end: self.end.parse().ok()?,
        })
    }
}

fn local(time: Timestamp, zone: &TimeZone) -> String {
    time.display_with_offset(zone.to_offset(time)).to_string()
}

fn unreadable() -> Fault {
    Fault::new(
        "vendor_unavailable",
        "The vendor answered times that cannot be read. The parameters are not the reason; try again later.",
    )
}
