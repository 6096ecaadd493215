//! Stretches of time: what is busy, what is working time in a place, and what is left.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// Minutes of a day by the clock.
const DAY: u16 = 24 * 60;

/// A stretch of time, its end not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins.
    pub start: Timestamp,
    /// Where it ends.
    pub end: Timestamp,
}

impl Stretch {
    /// Whole minutes.
    pub fn minutes(&self) -> i64 {
        self.end.duration_since(self.start).as_mins()
    }
}

/// When people work, by the clocks of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// From this minute of the day.
    pub start: u16,
    /// Until this one; 1,440 is midnight at the day's end.
    pub end: u16,
    /// On these days.
    pub days: Vec<Weekday>,
}

/// `HH:MM` as minutes of a day; `24:00` is its end.
pub fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two(hours) || !two(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let whole = hours * 60 + minutes;
    (minutes < 60 && whole <= DAY).then_some(whole)
}

/// The working time within a window, in order; what touches is one stretch. On a day when the clocks change, a
/// time that is skipped is the one after the change, and of a time that comes twice the first counts.
///
/// # Errors
/// The window reaches beyond the years of the calendar.
pub fn working(window: Stretch, hours: &Hours, zone: &TimeZone) -> Result<Vec<Stretch>, jiff::Error> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut day = zone.to_datetime(window.start).date();
    let last = zone.to_datetime(window.end).date();
    while day <= last {
        if hours.days.contains(&day.weekday()) {
            let start = at(day, hours.start, zone)?.max(window.start);
            let end = at(day, hours.end, zone)?.min(window.end);
            match found.last_mut() {
                Some(before) if before.end >= start => before.end = before.end.max(end),
                _ if start < end => found.push(Stretch { start, end }),
                _ => {}
            }
        }
        day = day.tomorrow()?;
    }
    Ok(found)
}

fn at(day: Date, minute: u16, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    if minute >= DAY {
        return Ok(day.tomorrow()?.to_zoned(zone.clone())?.timestamp());
    }
    let part = |number: u16| i8::try_from(number).unwrap_or_default();
    let clock = day.at(part(minute / 60), part(minute % 60), 0, 0);
    Ok(clock.to_zoned(zone.clone())?.timestamp())
}

/// What of these stretches is not busy, in order. Busy ones may overlap and stand in any order.
pub fn without(stretches: &[Stretch], mut busy: Vec<Stretch>) -> Vec<Stretch> {
    busy.sort_by_key(|one| one.start);
    let mut free = Vec::new();
    for stretch in stretches {
        let mut from = stretch.start;
        for taken in busy
            .iter()
            .filter(|taken| taken.end > stretch.start && taken.start < stretch.end)
        {
            if taken.start > from {
                free.push(Stretch {
                    start: from,
                    end: taken.start,
                });
            }
            from = from.max(taken.end);
        }
        if from < stretch.end {
            free.push(Stretch {
                start: from,
                end: stretch.end,
            });
        }
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(text: &str) -> Stretch {
        let (start, end) = text.split_once(' ').expect("two times");
        let time = |text: &str| text.parse::<Timestamp>().expect("a time");
        Stretch {
            start: time(start),
            end: time(end),
        }
    }

    fn hours(start: &str, end: &str, days: &[Weekday]) -> Hours {
        Hours {
            start: minute_of_day(start).expect("a time of day"),
            end: minute_of_day(end).expect("a time of day"),
            days: days.to_vec(),
        }
    }

    const WEEK: [Weekday; 5] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
    ];
    const EVERY_DAY: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    fn shown(found: &[Stretch]) -> Vec<String> {
        let show = |one: &Stretch| format!("{} {}", one.start, one.end);
        found.iter().map(show).collect()
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone of the bundled tables")
    }

    #[test]
    fn a_time_of_day_is_two_digits_and_two() {
        assert_eq!(minute_of_day("09:30"), Some(570));
        assert_eq!(minute_of_day("24:00"), Some(1440));
        for wrong in ["9:30", "09:60", "24:01", "25:00", "0930", "+9:30", ""] {
            assert_eq!(minute_of_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn working_time_is_that_of_the_place_on_its_days_within_the_window() {
        // Friday noon until Tuesday ten in Berlin.
        let window = stretch("2026-03-06T11:00:00Z 2026-03-10T09:00:00Z");
        let found = working(window, &hours("09:00", "17:00", &WEEK), &zone("Europe/Berlin")).expect("years");
        assert_eq!(
            shown(&found),
            [
                "2026-03-06T11:00:00Z 2026-03-06T16:00:00Z",
                "2026-03-09T08:00:00Z 2026-03-09T16:00:00Z",
                "2026-03-10T08:00:00Z 2026-03-10T09:00:00Z",
            ]
        );
        // The same window is already Saturday in Auckland.
        let found =
            working(window, &hours("09:00", "17:00", &WEEK), &zone("Pacific/Auckland")).expect("years");
        assert_eq!(
            shown(&found),
            [
                "2026-03-08T20:00:00Z 2026-03-09T04:00:00Z",
                "2026-03-09T20:00:00Z 2026-03-10T04:00:00Z"
            ]
        );
    }

    #[test]
    fn working_time_goes_by_the_clock_when_the_clocks_change() {
        // In Berlin the clocks go forward on 29 March 2026 at two, and back on 25 October at three.
        let hours = hours("09:00", "10:00", &EVERY_DAY);
        let berlin = zone("Europe/Berlin");
        let forward = stretch("2026-03-28T00:00:00Z 2026-03-30T00:00:00Z");
        assert_eq!(
            shown(&working(forward, &hours, &berlin).expect("years")),
            [
                "2026-03-28T08:00:00Z 2026-03-28T09:00:00Z",
                "2026-03-29T07:00:00Z 2026-03-29T08:00:00Z"
            ]
        );
        let night = super::tests::hours("02:30", "04:00", &EVERY_DAY);
        let skipped = stretch("2026-03-29T00:00:00Z 2026-03-29T12:00:00Z");
        assert_eq!(
            shown(&working(skipped, &night, &berlin).expect("years")),
            ["2026-03-29T01:30:00Z 2026-03-29T02:00:00Z"],
            "half past two is not there: it is half past three, until four"
        );
        let back = stretch("2026-10-24T22:00:00Z 2026-10-25T23:00:00Z");
        let day = super::tests::hours("00:00", "24:00", &[Weekday::Sunday]);
        assert_eq!(
            working(back, &day, &berlin).expect("years")[0].minutes(),
            25 * 60,
            "this Sunday has 25 hours"
        );
    }

    #[test]
    fn whole_days_are_one_stretch() {
        let window = stretch("2026-03-06T11:00:00Z 2026-03-10T09:00:00Z");
        let found = working(
            window,
            &hours("00:00", "24:00", &EVERY_DAY),
            &zone("Asia/Kolkata"),
        )
        .expect("years");
        assert_eq!(found, [window]);
    }

    #[test]
    fn what_is_busy_is_taken_out_however_it_overlaps() {
        let day = [
            stretch("2026-03-02T09:00:00Z 2026-03-02T12:00:00Z"),
            stretch("2026-03-02T13:00:00Z 2026-03-02T17:00:00Z"),
        ];
        let busy = [
            // Over the noon pause, within another, and one after the other.
            "2026-03-02T11:30:00Z 2026-03-02T13:30:00Z",
            "2026-03-02T09:30:00Z 2026-03-02T10:30:00Z",
            "2026-03-02T10:00:00Z 2026-03-02T10:15:00Z",
            "2026-03-02T10:30:00Z 2026-03-02T10:45:00Z",
            "2026-03-02T17:00:00Z 2026-03-02T18:00:00Z",
            "2026-03-01T09:00:00Z 2026-03-01T12:00:00Z",
        ];
        let free = without(&day, busy.map(stretch).to_vec());
        assert_eq!(
            shown(&free),
            [
                "2026-03-02T09:00:00Z 2026-03-02T09:30:00Z",
                "2026-03-02T10:45:00Z 2026-03-02T11:30:00Z",
                "2026-03-02T13:30:00Z 2026-03-02T17:00:00Z",
            ]
        );
        assert!(without(&day, vec![stretch("2026-03-02T00:00:00Z 2026-03-03T00:00:00Z")]).is_empty());
        assert_eq!(without(&day, Vec::new()), day);
    }
}
