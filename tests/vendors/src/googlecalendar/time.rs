//! Times as the API writes them: an instant with offset, a local time in a zone, or a day.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::problem::Problem;
use crate::calendar::timestamp;

/// The instant of `start` or `end` of an event, in milliseconds since 1970. Days begin in UTC, the
/// zone of every simulated calendar.
pub(crate) fn instant(time: &Value) -> Result<i64, Problem> {
    if let Some(day) = time["date"].as_str() {
        let date: Date = day
            .parse()
            .map_err(|_| Problem::invalid(format!("{day:?} is no day.")))?;
        return zoned(date.at(0, 0, 0, 0), &TimeZone::UTC);
    }
    let text = time["dateTime"]
        .as_str()
        .ok_or_else(|| Problem::invalid("A time has `dateTime` or `date`."))?;
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant.as_millisecond());
    }
    let zone = time["timeZone"]
        .as_str()
        .ok_or_else(|| Problem::invalid("A time without offset needs `timeZone`."))?;
    let zone = TimeZone::get(zone).map_err(|_| Problem::invalid(format!("There is no zone {zone:?}.")))?;
    let local: DateTime = text
        .parse()
        .map_err(|_| Problem::invalid(format!("{text:?} is no time.")))?;
    zoned(local, &zone)
}

fn zoned(local: DateTime, zone: &TimeZone) -> Result<i64, Problem> {
    let zoned = local
        .to_zoned(zone.clone())
        .map_err(|_| Problem::invalid("The time is out of range."))?;
    Ok(zoned.timestamp().as_millisecond())
}

/// A bound of a query: RFC 3339 with offset.
pub(crate) fn bound(name: &str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    text.map(|text| {
        text.parse::<Timestamp>()
            .map(Timestamp::as_millisecond)
            .map_err(|_| Problem::invalid(format!("{name} wants RFC 3339 with an offset.")))
    })
    .transpose()
}

/// The same kind of time as `like`, at another instant.
pub(crate) fn at(ms: i64, like: &Value) -> Value {
    let instant = timestamp(ms);
    if like["date"].is_string() {
        return json!({ "date": instant.to_zoned(TimeZone::UTC).date().to_string() });
    }
    let zone = like["timeZone"].as_str();
    let text = instant
        .to_zoned(zone_of(zone))
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string();
    match zone {
        Some(zone) => json!({ "dateTime": text, "timeZone": zone }),
        None => json!({ "dateTime": text, "timeZone": "UTC" }),
    }
}

/// `20260302T090000Z`, as ids of occurrences end.
pub(crate) fn compact(ms: i64) -> String {
    timestamp(ms)
        .to_zoned(TimeZone::UTC)
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

/// Local time of an instant in the zone of `like`.
pub(crate) fn local(ms: i64, like: &Value) -> DateTime {
    timestamp(ms)
        .to_zoned(zone_of(like["timeZone"].as_str()))
        .datetime()
}

/// The instant of a local time in the zone of `like`.
pub(crate) fn of_local(local: DateTime, like: &Value) -> Result<i64, Problem> {
    zoned(local, &zone_of(like["timeZone"].as_str()))
}

/// A zone by its name; UTC when there is none of it.
fn zone_of(name: Option<&str>) -> TimeZone {
    name.and_then(|name| TimeZone::get(name).ok())
        .unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_of_writing_a_time_is_an_instant() {
        let of = |time: Value| instant(&time).expect("a time");
        let nine = of(json!({"dateTime": "2026-03-02T09:00:00Z"}));
        assert_eq!(of(json!({"dateTime": "2026-03-02T10:00:00+01:00"})), nine);
        assert_eq!(
            of(json!({"dateTime": "2026-03-02T10:00:00", "timeZone": "Europe/Berlin"})),
            nine
        );
        assert_eq!(of(json!({"date": "2026-03-02"})), nine - 9 * 3_600_000);
        for wrong in [
            json!({}),
            json!({"dateTime": "2026-03-02T10:00:00"}),
            json!({"dateTime": "soon", "timeZone": "UTC"}),
            json!({"dateTime": "2026-03-02T10:00:00", "timeZone": "Mars/Base"}),
        ] {
            assert!(instant(&wrong).is_err(), "{wrong}");
        }
        assert_eq!(compact(nine), "20260302T090000Z");
        assert_eq!(
            at(nine, &json!({"dateTime": "x", "timeZone": "Europe/Berlin"})),
            json!({"dateTime": "2026-03-02T10:00:00+01:00", "timeZone": "Europe/Berlin"})
        );
    }
}
