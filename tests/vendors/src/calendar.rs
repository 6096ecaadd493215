//! The simulator's own time: it begins at the same moment in every run and goes on at the usual
//! pace, so that seeded data are always the same age.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// 2026-03-02T09:00:00Z, a Monday.
const START_SECOND: i64 = 1_772_442_000;

/// A calendar that began when the simulator started.
pub(crate) struct Calendar {
    started: Instant,
}

impl Calendar {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    /// Milliseconds since the epoch, in simulated time.
    pub(crate) fn now_ms(&self) -> i64 {
        let elapsed = i64::try_from(self.elapsed_ms()).unwrap_or(i64::MAX / 2);
        START_SECOND * 1_000 + elapsed
    }

    /// Milliseconds since the simulator started.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Milliseconds since the epoch of a moment `minutes` before the simulator starts.
pub(crate) fn minutes_before_start(minutes: usize) -> i64 {
    let minutes = i64::try_from(minutes).unwrap_or(0);
    (START_SECOND - minutes * 60) * 1_000
}

/// `2026-03-02T09:00:00.000Z`.
pub(crate) fn rfc3339(ms: i64) -> String {
    format!("{:.3}", timestamp(ms))
}

/// `2026-03-02T09:00:00Z`.
pub(crate) fn rfc3339_seconds(ms: i64) -> String {
    format!("{:.0}", timestamp(ms))
}

/// `Mon, 2 Mar 2026 09:00:00 +0000`.
pub(crate) fn rfc2822(ms: i64) -> String {
    timestamp(ms)
        .to_zoned(TimeZone::UTC)
        .strftime("%a, %-d %b %Y %H:%M:%S %z")
        .to_string()
}

/// The beginning of a day written `2026/03/02` or `2026-03-02`, or a number of seconds.
pub(crate) fn parse_day(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds * 1_000);
    }
    let date: jiff::civil::Date = text.replace('/', "-").parse().ok()?;
    let zoned = date.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// The instant so many milliseconds after 1970.
pub(crate) fn timestamp(ms: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH
        .checked_add(SignedDuration::from_millis(ms))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_vendors_write_them() {
        let start = minutes_before_start(0);
        assert_eq!(rfc3339(start), "2026-03-02T09:00:00.000Z");
        assert_eq!(rfc3339_seconds(start), "2026-03-02T09:00:00Z");
        assert_eq!(rfc2822(start), "Mon, 2 Mar 2026 09:00:00 +0000");
        assert_eq!(parse_day("2026/03/02"), Some(start - 9 * 3_600_000));
    }
}
