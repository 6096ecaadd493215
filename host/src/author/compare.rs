//! What was expected against what came, place by place.
//!
//! Pure functions, called by `replay` for requests and by `run` for answers. An expected text may
//! hold `{{any}}`, and an expected value may be `{"$base64": "text"}`; see [`super::case`].

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;
use serde_json::Value;

use super::case::{self, Request};

/// Stands for anything in a text that is expected.
pub const ANY: &str = "{{any}}";
/// The one member of an object that stands for a text in base64.
const BASE64: &str = "$base64";
/// Characters of a value that a difference shows.
const SHOWN: usize = 300;

/// One place where what came is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where: `method`, `path`, `query NAME`, `header NAME`, `body /pointer`, `answer /pointer`.
    pub place: String,
    /// What was expected; none for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What came; none for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

impl Difference {
    fn new(place: impl Into<String>, expected: Option<&str>, found: Option<&str>) -> Self {
        let shown = |text: &str| -> String {
            let mut shown: String = text.chars().take(SHOWN).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            shown
        };
        Self {
            place: place.into(),
            expected: expected.map(shown),
            found: found.map(shown),
        }
    }
}

/// Where a request that was sent is not the one that is recorded.
#[must_use]
pub fn requests(expected: &Request, sent: &Request) -> Vec<Difference> {
    let mut differences = Vec::new();
    if expected.method != sent.method {
        let (expected, sent) = (Some(expected.method.as_str()), Some(sent.method.as_str()));
        differences.push(Difference::new("method", expected, sent));
    }
    if !is_same_url(&expected.url, &sent.url) {
        let (expected, sent) = (Some(expected.url.as_str()), Some(sent.url.as_str()));
        differences.push(Difference::new("URL", expected, sent));
    }
    pairs("query", &expected.query, &sent.query, &mut differences);
    let boundaries = (boundary(expected), boundary(sent));
    for (name, value) in &expected.headers {
        let found = sent.header(name);
        let same = match (&boundaries, found) {
            ((Some(_), Some(_)), Some(found)) if name == "content-type" => {
                found.split(';').next() == value.split(';').next()
            }
            (_, Some(found)) => fits(value, found),
            (_, None) => false,
        };
        if !same {
            differences.push(Difference::new(format!("header {name}"), Some(value), found));
        }
    }
    bodies(expected, sent, &boundaries, &mut differences);
    differences
}

fn bodies(
    expected: &Request,
    sent: &Request,
    boundaries: &(Option<String>, Option<String>),
    differences: &mut Vec<Difference>,
) {
    let json = |body: &[u8]| serde_json::from_slice::<Value>(body).ok();
    if let (Some(expected), Some(sent)) = (json(&expected.body), json(&sent.body)) {
        values("body", &expected, &sent, differences);
        return;
    }
    let (wanted, found) = (text_of(&expected.body), text_of(&sent.body));
    let is_form = |request: &Request| {
        let kind = request.header("content-type");
        kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    };
    if is_form(sent) {
        pairs("body", &case::pairs(&wanted), &case::pairs(&found), differences);
        return;
    }
    let (wanted, found) = match boundaries {
        (Some(of_expected), Some(of_sent)) => (
            wanted.replace(of_expected.as_str(), "boundary"),
            found.replace(of_sent.as_str(), "boundary"),
        ),
        _ => (wanted, found),
    };
    texts("body", wanted.trim_end(), found.trim_end(), differences);
}

/// The boundary of a multipart body, by which no two are alike.
fn boundary(request: &Request) -> Option<String> {
    let kind = request.header("content-type")?;
    let (_, rest) = kind.strip_prefix("multipart/")?.split_once("boundary=")?;
    let boundary = rest
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .trim_matches('"');
    (!boundary.is_empty()).then(|| boundary.to_owned())
}

fn text_of(body: &[u8]) -> String {
    String::from_utf8_lossy(body).replace("\r\n", "\n")
}

/// Texts, the first line that differs as the place.
fn texts(place: &str, expected: &str, found: &str, differences: &mut Vec<Difference>) {
    if fits(expected, found) {
        return;
    }
    if expected.is_empty() || found.is_empty() {
        let some = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned());
        let (expected, found) = (some(expected), some(found));
        differences.push(Difference::new(place, expected.as_deref(), found.as_deref()));
        return;
    }
    let (mut wanted, mut given) = (expected.lines(), found.lines());
    for number in 1.. {
        let (expected, found) = (wanted.next(), given.next());
        let same = match (expected, found) {
            (None, None) => break,
            (Some(expected), Some(found)) => fits(expected, found),
            _ => false,
        };
        if !same {
            differences.push(Difference::new(format!("{place} line {number}"), expected, found));
            return;
        }
    }
    differences.push(Difference::new(place, Some(expected), Some(found)));
}

/// Pairs as sets: what a query or a form says does not depend on its order.
fn pairs(
    place: &str,
    expected: &[(String, String)],
    sent: &[(String, String)],
    differences: &mut Vec<Difference>,
) {
    let of = |pairs: &[(String, String)], name: &str| -> Vec<String> {
        let values = pairs.iter().filter(|(present, _)| present == name);
        values.map(|(_, value)| value.clone()).collect()
    };
    let names: BTreeSet<&str> = expected
        .iter()
        .chain(sent)
        .map(|(name, _)| name.as_str())
        .collect();
    for name in names {
        let (wanted, found) = (of(expected, name), of(sent, name));
        let mut left = found.clone();
        let all = wanted.iter().all(|value| {
            let at = left.iter().position(|candidate| fits(value, candidate));
            at.map(|at| left.swap_remove(at)).is_some()
        });
        if all && left.is_empty() {
            continue;
        }
        let text = |values: &[String]| (!values.is_empty()).then(|| values.join(" and "));
        let (wanted, found) = (text(&wanted), text(&found));
        differences.push(Difference::new(
            format!("{place} {name}"),
            wanted.as_deref(),
            found.as_deref(),
        ));
    }
}

/// JSON values, member by member.
pub fn values(place: &str, expected: &Value, found: &Value, differences: &mut Vec<Difference>) {
    match (expected, found) {
        (Value::String(expected), _) if expected == ANY => {}
        (Value::String(text), Value::String(given)) if fits(text, given) => {}
        (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => {}
        (Value::Array(wanted), Value::Array(given)) => {
            for index in 0..wanted.len().max(given.len()) {
                let (wanted, given) = (wanted.get(index), given.get(index));
                members(&below(place, &index.to_string()), wanted, given, differences);
            }
        }
        (Value::Object(wanted), Value::String(given)) if is_base64(wanted) => {
            let wanted = wanted[BASE64].as_str().unwrap_or_default();
            let Some(text) = decoded(given) else {
                differences.push(Difference::new(place, Some("a text in base64"), Some(given)));
                return;
            };
            let place = format!("{place} (decoded)");
            texts(&place, wanted.trim_end(), text.trim_end(), differences);
        }
        (Value::Object(wanted), Value::Object(given)) => {
            let names: BTreeSet<&String> = wanted.keys().chain(given.keys()).collect();
            for name in names {
                members(
                    &below(place, name),
                    wanted.get(name),
                    given.get(name),
                    differences,
                );
            }
        }
        _ if expected == found => {}
        _ => {
            let (expected, found) = (expected.to_string(), found.to_string());
            differences.push(Difference::new(place, Some(&expected), Some(&found)));
        }
    }
}

/// Two members of which one may be missing, which is not the same as null.
fn members(place: &str, expected: Option<&Value>, found: Option<&Value>, differences: &mut Vec<Difference>) {
    if let (Some(expected), Some(found)) = (expected, found) {
        values(place, expected, found, differences);
        return;
    }
    let (expected, found) = (expected.map(Value::to_string), found.map(Value::to_string));
    differences.push(Difference::new(place, expected.as_deref(), found.as_deref()));
}

/// `answer` and `id` are `answer /id`, and that and `name` are `answer /id/name`.
fn below(place: &str, step: &str) -> String {
    let step = step.replace('~', "~0").replace('/', "~1");
    match place.contains(" /") {
        true => format!("{place}/{step}"),
        false => format!("{place} /{step}"),
    }
}

fn is_base64(object: &serde_json::Map<String, Value>) -> bool {
    object.len() == 1 && object.get(BASE64).is_some_and(Value::is_string)
}

/// A text in either alphabet of base64, padded or not.
#[must_use]
pub fn decoded(text: &str) -> Option<String> {
    let settings = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabets = [&alphabet::URL_SAFE, &alphabet::STANDARD];
    let bytes = alphabets
        .into_iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, settings).decode(text).ok())?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.replace("\r\n", "\n"))
}

/// Whether a text is what is expected, with `{{any}}` for anything.
fn fits(expected: &str, found: &str) -> bool {
    let Some((first, others)) = expected.split_once(ANY) else {
        return expected == found;
    };
    let Some(mut rest) = found.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = others.rsplit_once(ANY).unwrap_or(("", others));
    for part in middle.split(ANY) {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// URLs without their query, percent-encoding aside: `%7E` is `~`.
fn is_same_url(expected: &str, sent: &str) -> bool {
    let segments = |url: &str| -> Vec<String> { url.split('/').map(percent_decoded).collect() };
    let (expected, sent) = (segments(expected), segments(sent));
    expected.len() == sent.len()
        && expected
            .iter()
            .zip(&sent)
            .all(|(expected, sent)| fits(expected, sent))
}

fn percent_decoded(text: &str) -> String {
    // A plus sign is a plus sign in a path.
    let escaped = text.replace('+', "%2B");
    let pair = form_urlencoded::parse(escaped.as_bytes()).next();
    pair.map_or_else(String::new, |(name, value)| match value.is_empty() {
        true => name.into_owned(),
        false => format!("{name}={value}"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(expected: &Value, found: &Value) -> Vec<String> {
        let mut differences = Vec::new();
        values("answer", expected, found, &mut differences);
        differences
            .into_iter()
            .map(|difference| difference.place)
            .collect()
    }

    #[test]
    fn the_same_in_another_order_is_no_difference() {
        let same = json!({"a": [1, 2.0], "b": null, "c": "x-17-y", "d": {"e": 5}});
        let written = json!({"d": "{{any}}", "c": "x-{{any}}-y", "b": null, "a": [1.0, 2]});
        assert_eq!(places(&written, &same), Vec::<String>::new());
    }

    #[test]
    fn every_difference_has_its_place() {
        let expected = json!({"a": [1, 2], "b": {"c~/d": 1}, "e": null, "f": 1, "h": "x{{any}}"});
        let found = json!({"a": [1], "b": {"c~/d": 2}, "f": "1", "g": null, "h": "yx"});
        assert_eq!(
            places(&expected, &found),
            [
                "answer /a/1",
                "answer /b/c~0~1d",
                "answer /e",
                "answer /f",
                "answer /g",
                "answer /h"
            ]
        );
    }

    #[test]
    fn what_is_missing_is_told_from_what_is_null() {
        let mut differences = Vec::new();
        values("answer", &json!({"a": null}), &json!({"b": 1}), &mut differences);
        let [missing, more] = differences.as_slice() else {
            panic!("{differences:?}")
        };
        assert_eq!(
            (missing.expected.as_deref(), missing.found.as_deref()),
            (Some("null"), None)
        );
        assert_eq!(
            (more.expected.as_deref(), more.found.as_deref()),
            (None, Some("1"))
        );
    }

    #[test]
    fn base64_is_compared_by_what_it_says() {
        let sent = json!({"raw": "VG86IGFAeC5leGFtcGxlDQoNCkhpIQ"});
        let fits = json!({"raw": {"$base64": "To: {{any}}\n\nHi!"}});
        assert_eq!(places(&fits, &sent), Vec::<String>::new());
        let differs = json!({"raw": {"$base64": "To: a@x.example\n\nHo!"}});
        assert_eq!(places(&differs, &sent), ["answer /raw (decoded) line 3"]);
    }

    fn request(query: &[(&str, &str)], headers: &[(&str, &str)], body: &str) -> Request {
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            pairs.collect()
        };
        Request {
            line: 1,
            method: "POST".to_owned(),
            url: "https://a.example/x/%7Ey".to_owned(),
            query: owned(query),
            headers: owned(headers),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn a_query_is_a_set_and_headers_count_when_they_are_written() {
        let expected = request(&[("a", "1"), ("b", "2"), ("b", "3")], &[("x", "1")], "");
        let mut sent = request(
            &[("b", "3"), ("a", "1"), ("b", "2")],
            &[("x", "1"), ("y", "2")],
            "",
        );
        sent.url = "https://a.example/x/~y".to_owned();
        assert_eq!(requests(&expected, &sent), []);
        sent.query.pop();
        sent.headers.clear();
        let places: Vec<_> = requests(&expected, &sent)
            .into_iter()
            .map(|found| found.place)
            .collect();
        assert_eq!(places, ["query b", "header x"]);
    }

    #[test]
    fn a_multipart_boundary_is_no_difference_and_its_parts_are() {
        let body = |boundary: &str, part: &str| format!("--{boundary}\r\n\r\n{part}\r\n--{boundary}--");
        let kind = |boundary: &str| format!("multipart/mixed; boundary=\"{boundary}\"");
        let expected = request(&[], &[("content-type", &kind("aaa"))], &body("aaa", "one"));
        let same = request(&[], &[("content-type", &kind("bbb"))], &body("bbb", "one"));
        assert_eq!(requests(&expected, &same), []);
        let other = request(&[], &[("content-type", &kind("bbb"))], &body("bbb", "two"));
        let [difference] = &requests(&expected, &other)[..] else {
            panic!("one")
        };
        assert_eq!(difference.place, "body line 3");
    }

    #[test]
    fn a_form_is_compared_as_pairs() {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let (expected, sent) = (
            request(&[], &form, "a=1&b=x%20y"),
            request(&[], &form, "b=x+y&a=1"),
        );
        assert_eq!(requests(&expected, &sent), []);
    }
}
