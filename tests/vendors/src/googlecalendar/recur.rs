//! Occurrences of recurring events: `RRULE` with `FREQ` DAILY or WEEKLY, `INTERVAL`, `COUNT`,
//! `UNTIL` and `BYDAY` (RFC 5545 section 3.3.10), which is what the tests' agents write.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde_json::Value;

use super::problem::Problem;
use super::time::{instant, local, of_local};

/// The most occurrences that are ever looked at: rules without an end have one here.
const MOST: usize = 400;

/// Starts of the occurrences of a series, in milliseconds since 1970, in order.
pub(crate) fn starts(series: &Value) -> Result<Vec<i64>, Problem> {
    let start = &series["start"];
    let first = instant(start)?;
    let rules = series["recurrence"].as_array().into_iter().flatten();
    let Some(rule) = rules
        .filter_map(Value::as_str)
        .find_map(|line| line.strip_prefix("RRULE:"))
    else {
        return Ok(vec![first]);
    };
    let rule = Rule::read(rule)?;
    let begin = local(first, start);
    let mut found = Vec::new();
    let mut day = begin.date();
    while found.len() < rule.count.unwrap_or(MOST).min(MOST) {
        if rule.falls_on(begin.date(), day) {
            let at = of_local(day.to_datetime(begin.time()), start)?;
            if rule.until.is_some_and(|until| day > until) {
                break;
            }
            found.push(at);
        }
        day = match day.checked_add(1.day()) {
            Ok(next) if next.year() <= begin.year() + 5 => next,
            _ => break,
        };
    }
    Ok(found)
}

struct Rule {
    weekly: bool,
    interval: i32,
    count: Option<usize>,
    until: Option<Date>,
    days: Vec<Weekday>,
}

impl Rule {
    fn read(text: &str) -> Result<Self, Problem> {
        let wrong = || Problem::invalid(format!("The recurrence {text:?} is not valid here."));
        let mut rule = Self {
            weekly: false,
            interval: 1,
            count: None,
            until: None,
            days: Vec::new(),
        };
        let mut frequent = false;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            match part.split_once('=').ok_or_else(wrong)? {
                ("FREQ", "DAILY") => frequent = true,
                ("FREQ", "WEEKLY") => {
                    frequent = true;
                    rule.weekly = true;
                }
                ("INTERVAL", number) => rule.interval = number.parse().map_err(|_| wrong())?,
                ("COUNT", number) => rule.count = Some(number.parse().map_err(|_| wrong())?),
                ("UNTIL", until) => {
                    let day = until.get(..8).ok_or_else(wrong)?;
                    rule.until = Some(Date::strptime("%Y%m%d", day).map_err(|_| wrong())?);
                }
                ("BYDAY", days) => {
                    for day in days.split(',') {
                        rule.days.push(weekday(day).ok_or_else(wrong)?);
                    }
                }
                ("WKST", _) => {}
                _ => return Err(wrong()),
            }
        }
        if frequent && rule.interval > 0 {
            Ok(rule)
        } else {
            Err(wrong())
        }
    }

    fn falls_on(&self, first: Date, day: Date) -> bool {
        let days = first.until(day).map_or(0, |span| span.get_days());
        if self.weekly {
            // Weeks are counted from the Monday of the first one.
            let into_week = i32::from(first.weekday().to_monday_zero_offset());
            let right_day = if self.days.is_empty() {
                day.weekday() == first.weekday()
            } else {
                self.days.contains(&day.weekday())
            };
            right_day && ((days + into_week) / 7) % self.interval == 0
        } else {
            (self.days.is_empty() || self.days.contains(&day.weekday())) && days % self.interval == 0
        }
    }
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::time::compact;
    use super::*;

    fn of(rule: &str) -> Vec<String> {
        let series = json!({
            "start": {"dateTime": "2026-03-23T10:00:00", "timeZone": "Europe/Berlin"},
            "recurrence": [format!("RRULE:{rule}")],
        });
        starts(&series)
            .expect("a rule")
            .into_iter()
            .map(compact)
            .collect()
    }

    #[test]
    fn occurrences_keep_their_local_time_over_the_change_of_the_clock() {
        assert_eq!(
            of("FREQ=WEEKLY;COUNT=3"),
            ["20260323T090000Z", "20260330T080000Z", "20260406T080000Z"]
        );
        assert_eq!(
            of("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=3"),
            ["20260323T090000Z", "20260325T090000Z", "20260406T080000Z"]
        );
        assert_eq!(
            of("FREQ=DAILY;INTERVAL=2;UNTIL=20260326T235959Z"),
            ["20260323T090000Z", "20260325T090000Z"]
        );
        assert_eq!(of("FREQ=DAILY").len(), MOST);
    }

    #[test]
    fn rules_that_are_not_understood_are_refused() {
        for rule in [
            "",
            "COUNT=3",
            "FREQ=HOURLY",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=WEEKLY;BYDAY=XX",
        ] {
            let series = json!({"start": {"date": "2026-03-02"}, "recurrence": [format!("RRULE:{rule}")]});
            assert!(starts(&series).is_err(), "{rule}");
        }
    }
}
