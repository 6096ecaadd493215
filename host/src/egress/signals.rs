//! Reading what an answer says of more than its request: how long a vendor wants us to wait
//! (`Retry-After`, rate-limit headers in the units that vendors really use, instants inside messages,
//! throttles that a manifest declares), and that the credential is no longer good.
//!
//! Pure functions over an answer; [`super::limits`] keeps what they find.

use std::time::Duration;

use http::StatusCode;
use http::header::{DATE, HeaderMap, RETRY_AFTER};
use jiff::Timestamp;
use valetkey_manifest::{Refusal, Throttle};

use super::client::Answer;

/// No vendor is believed beyond this: a year-9999 date must not overflow anything.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Bodies beyond this are not searched for signals.
const MAX_SIGNAL_BODY: usize = 64 * 1024;

/// `Retry-After` as a duration: seconds (fractions and blanks tolerated), or any of the three HTTP
/// dates measured against the vendor's own `Date`, so that a skewed clock does not matter. Of
/// several, the longest. Negative and past are zero; none when there is nothing to understand.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    headers
        .get_all(RETRY_AFTER)
        .iter()
        .filter_map(|value| {
            let text = value.to_str().ok()?.trim();
            seconds(text).or_else(|| Some(until(http_date(text)?, headers, now)))
        })
        .max()
}

/// A pause that the rate-limit headers of a vendor ask for: nothing remains, and the window ends
/// then. Units seen: seconds left, epoch seconds, epoch milliseconds, ISO 8601, HTTP dates.
#[must_use]
pub fn exhausted(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    const FAMILIES: [(&str, &str); 4] = [
        ("x-ratelimit-remaining", "x-ratelimit-reset"),
        ("ratelimit-remaining", "ratelimit-reset"),
        ("x-ratelimit-requests-remaining", "x-ratelimit-requests-reset"),
        ("x-ratelimit-complexity-remaining", "x-ratelimit-complexity-reset"),
    ];
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let families = FAMILIES
        .iter()
        .filter(|(remaining, _)| text(remaining) == Some("0"))
        .filter_map(|(_, reset)| instant_or_seconds(text(reset)?, headers, now));
    // HubSpot's window rolls: a tenth of it frees room, and the next answer says more.
    let hubspot = (text("x-hubspot-ratelimit-remaining") == Some("0"))
        .then(|| {
            text("x-hubspot-ratelimit-interval-milliseconds")?
                .parse::<u64>()
                .ok()
        })
        .flatten()
        .map(|interval| Duration::from_millis(interval / 10).min(LONGEST));
    families.chain(hubspot).max()
}

/// Whether an answer says "slow down", and for how long if it says that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttled {
    /// It does not.
    No,
    /// Wait this long.
    For(Duration),
    /// It does not say how long.
    Unsaid,
}

/// Reads an answer for a throttle: 429, 503 with `Retry-After`, or one that the manifest declares.
#[must_use]
pub fn throttled(answer: &Answer, declared: &[Throttle], now: Timestamp) -> Throttled {
    let status = answer.status.as_u16();
    let told = || retry_after(&answer.headers, now);
    let rule = declared
        .iter()
        .filter(|rule| rule.status == status)
        .find(|rule| matches(rule, &answer.body));
    let is_throttle = rule.is_some() || status == 429 || (status == 503 && told().is_some());
    if !is_throttle {
        return Throttled::No;
    }
    told()
        .or_else(|| exhausted(&answer.headers, now))
        .or_else(|| in_message(&answer.body, now))
        .or_else(|| rule?.wait_ms.map(Duration::from_millis))
        .map_or(Throttled::Unsaid, Throttled::For)
}

/// Whether an answer refuses the credential: 401, or one that the manifest declares.
#[must_use]
pub fn refused(status: StatusCode, body: &[u8], declared: &[Refusal]) -> bool {
    status == StatusCode::UNAUTHORIZED
        || declared
            .iter()
            .filter(|rule| rule.status == status.as_u16())
            .any(|rule| says(body, &rule.pointer, &rule.values))
}

fn matches(rule: &Throttle, body: &[u8]) -> bool {
    match &rule.pointer {
        Some(pointer) => says(body, pointer, &rule.values),
        None => true,
    }
}

/// Whether a small JSON body has one of these values there; with none named, any but null.
fn says(body: &[u8], pointer: &str, values: &[String]) -> bool {
    if body.len() > MAX_SIGNAL_BODY {
        return false;
    }
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) else {
        return false;
    };
    match json.pointer(pointer) {
        None | Some(serde_json::Value::Null) => false,
        Some(_) if values.is_empty() => true,
        Some(serde_json::Value::String(found)) => values.iter().any(|value| value == found),
        Some(found) => values.contains(&found.to_string()),
    }
}

/// "Retry after 2026-01-02T03:04:05.678Z", as Google writes into `error.message`.
fn in_message(body: &[u8], now: Timestamp) -> Option<Duration> {
    let text = std::str::from_utf8(&body[..body.len().min(MAX_SIGNAL_BODY)]).ok()?;
    let at = text.find("Retry after ").or_else(|| text.find("retry after "))? + "Retry after ".len();
    let word: String = text[at..]
        .chars()
        .take(40)
        .take_while(|char| char.is_ascii_alphanumeric() || "-:.+".contains(*char))
        .collect();
    let instant: Timestamp = word.trim_end_matches('.').parse().ok()?;
    Some(between(now, instant))
}

/// Seconds as text, clamped to zero and a day.
fn seconds(text: &str) -> Option<Duration> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // Only digits, one point and one exponent: no "inf", no "nan", no words.
    if !digits.starts_with(|char: char| char.is_ascii_digit())
        || !digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".e+".contains(&byte))
    {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    Some(Duration::from_secs_f64(value.clamp(0.0, LONGEST.as_secs_f64())))
}

fn http_date(text: &str) -> Option<Timestamp> {
    let instant = httpdate::parse_http_date(text).ok()?;
    // Beyond what a time stamp can hold is still a date, and a late one.
    Some(Timestamp::try_from(instant).unwrap_or(Timestamp::MAX))
}

fn until(instant: Timestamp, headers: &HeaderMap, now: Timestamp) -> Duration {
    let theirs = headers
        .get(DATE)
        .and_then(|value| http_date(value.to_str().ok()?.trim()));
    between(theirs.unwrap_or(now), instant)
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    let milliseconds = to.as_millisecond().saturating_sub(from.as_millisecond());
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0)).min(LONGEST)
}

fn instant_or_seconds(text: &str, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if let Ok(number) = text.parse::<f64>() {
        // Told apart by size: seconds left, epoch seconds, epoch milliseconds.
        let now_seconds = now.as_millisecond() as f64 / 1000.0;
        let left = match number {
            number if number < 1e8 => number,
            number if number < 1e11 => number - now_seconds,
            number => number / 1000.0 - now_seconds,
        };
        return left
            .is_finite()
            .then(|| Duration::from_secs_f64(left.clamp(0.0, LONGEST.as_secs_f64())));
    }
    match text.parse::<Timestamp>() {
        Ok(instant) => Some(between(now, instant)),
        Err(_) => Some(until(http_date(text)?, headers, now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;
    use http::header::HeaderValue;

    const NOW: &str = "2026-11-21T12:00:00Z";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    fn after(values: &[&str]) -> Option<f64> {
        let pairs: Vec<_> = values.iter().map(|value| ("retry-after", *value)).collect();
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        retry_after(&map, NOW.parse().unwrap()).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn retry_after_is_read_in_every_form_and_never_negative() {
        const DAY: f64 = 86_400.0;
        for (value, expected) in [
            ("5", Some(5.0)),
            ("0", Some(0.0)),
            ("-5", Some(0.0)),
            ("1.5", Some(1.5)),
            (" 7 ", Some(7.0)),
            ("1e9", Some(DAY)),
            ("18446744073709551616", Some(DAY)),
            ("99999999999999999999999999999999", Some(DAY)),
            ("Sat, 21 Nov 2026 12:00:30 GMT", Some(30.0)),
            ("Saturday, 21-Nov-26 12:00:30 GMT", Some(30.0)),
            ("Sat Nov 21 12:00:30 2026", Some(30.0)),
            ("Sat, 21 Nov 2020 12:00:30 GMT", Some(0.0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(DAY)),
            ("soon", None),
            ("", None),
            ("inf", None),
            ("nan", None),
            ("0x10", None),
            ("5 apples", None),
        ] {
            assert_eq!(after(&[value]), expected, "{value:?}");
        }
        assert_eq!(after(&["5", "9"]), Some(9.0));
        assert_eq!(after(&["soon", "9"]), Some(9.0));
    }

    #[test]
    fn a_vendors_skewed_clock_does_not_lengthen_the_wait() {
        let found = headers(&[
            ("date", "Sat, 21 Nov 2026 13:00:00 GMT"),
            ("retry-after", "Sat, 21 Nov 2026 13:00:10 GMT"),
        ]);
        assert_eq!(
            retry_after(&found, NOW.parse().unwrap()),
            Some(Duration::from_secs(10))
        );
    }

    #[test]
    fn an_empty_window_is_read_in_every_vendors_unit() {
        let read = |pairs: &[(&'static str, &str)]| {
            exhausted(&headers(pairs), NOW.parse().unwrap()).map(|wait| wait.as_secs_f64())
        };
        let now: Timestamp = NOW.parse().unwrap();
        let seconds = (now.as_second() + 20).to_string();
        let milliseconds = (now.as_millisecond() + 20_000).to_string();
        for reset in [
            "20",
            seconds.as_str(),
            milliseconds.as_str(),
            "2026-11-21T12:00:20Z",
            "Sat, 21 Nov 2026 12:00:20 GMT",
        ] {
            assert_eq!(
                read(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset)]),
                Some(20.0),
                "{reset}"
            );
        }
        assert_eq!(
            read(&[
                ("x-hubspot-ratelimit-remaining", "0"),
                ("x-hubspot-ratelimit-interval-milliseconds", "10000")
            ]),
            Some(1.0)
        );
        assert_eq!(
            read(&[("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "20")]),
            None
        );
        assert_eq!(read(&[("x-ratelimit-remaining", "0")]), None);
        assert_eq!(
            read(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "-3")]),
            Some(0.0)
        );
    }

    #[test]
    fn declared_throttles_and_messages_count() {
        let answer = |status: u16, pairs: &[(&'static str, &str)], body: &'static str| Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers(pairs),
            body: body.into(),
            file: None,
        };
        let declared = [Throttle {
            status: 403,
            pointer: Some("/error/errors/0/reason".to_owned()),
            values: vec!["userRateLimitExceeded".to_owned()],
            wait_ms: Some(700),
        }];
        let read = |answer: Answer| throttled(&answer, &declared, NOW.parse().unwrap());
        let quota = r#"{"error":{"errors":[{"reason":"userRateLimitExceeded"}],"message":"no"}}"#;
        let timed = r#"{"error":{"errors":[{"reason":"userRateLimitExceeded"}],
            "message":"User-rate limit exceeded.  Retry after 2026-11-21T12:00:04.500Z"}}"#;
        let other = r#"{"error":{"errors":[{"reason":"insufficientPermissions"}]}}"#;
        assert_eq!(
            read(answer(403, &[], quota)),
            Throttled::For(Duration::from_millis(700))
        );
        assert_eq!(
            read(answer(403, &[], timed)),
            Throttled::For(Duration::from_millis(4500))
        );
        assert_eq!(read(answer(403, &[], other)), Throttled::No);
        assert_eq!(read(answer(403, &[], "not json")), Throttled::No);
        assert_eq!(read(answer(429, &[], "")), Throttled::Unsaid);
        assert_eq!(read(answer(503, &[], "")), Throttled::No);
        assert_eq!(
            read(answer(503, &[("retry-after", "2")], "")),
            Throttled::For(Duration::from_secs(2))
        );
        assert_eq!(read(answer(200, &[("retry-after", "2")], "")), Throttled::No);
    }

    #[test]
    fn a_credential_is_refused_by_401_and_by_what_is_declared_alone() {
        let declared = [Refusal {
            status: 200,
            pointer: "/error".to_owned(),
            values: vec!["token_expired".to_owned(), "invalid_auth".to_owned()],
        }];
        let read = |status: u16, body: &str| {
            refused(StatusCode::from_u16(status).unwrap(), body.as_bytes(), &declared)
        };
        assert!(read(401, ""));
        assert!(read(200, r#"{"ok":false,"error":"token_expired"}"#));
        let long = format!(
            r#"{{"error":"token_expired","more":"{}"}}"#,
            "x".repeat(MAX_SIGNAL_BODY)
        );
        for (status, body) in [
            (403, r#"{"ok":false,"error":"token_expired"}"#),
            (200, r#"{"ok":true,"text":"token_expired"}"#),
            (200, r#"{"ok":false,"error":"channel_not_found"}"#),
            (200, r#"{"messages":[{"error":"token_expired"}]}"#),
            (200, r#"{"error":"token_expired""#),
            (200, r#"{"error":["token_expired"]}"#),
            (200, "token_expired"),
            (200, long.as_str()),
        ] {
            assert!(!read(status, body), "{status} {}", &body[..body.len().min(60)]);
        }
    }
}
