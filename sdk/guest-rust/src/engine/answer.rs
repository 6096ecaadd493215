//! Reading answers without building them in memory: a page of a hundred records is looked through
//! once and handed on as it is.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Error, Value};
use valetkey_manifest::tool::{self, Declaration, Paginator};

use crate::Output;
use crate::fault::{Fault, quote};
use crate::http::Response;
use crate::page::Page;

/// The result and the next page's token of a successful answer with a body.
pub(super) fn read(
    declaration: &Declaration,
    declared: &tool::Response,
    page: &Page,
    response: Response,
) -> Result<Output, Fault> {
    let body =
        std::str::from_utf8(&response.body).map_err(|error| response.not_json(&Error::custom(error)))?;
    let not_json = |error: Error| response.not_json(&error);

    let at = |pointer: &str| find(body, pointer).map_err(not_json);
    let next = match &declaration.paginator {
        Some(Paginator::Cursor { next, more }) => {
            // Some vendors name a cursor on the last page too.
            let more = more.as_deref().map(at).transpose()?.flatten();
            let token = at(next)?.and_then(token);
            token.filter(|_| more.is_none_or(|more| more.get() != "false"))
        }
        Some(Paginator::NextUrl { next }) => at(next)?.and_then(token),
        _ => {
            serde_json::from_str::<IgnoredAny>(body).map_err(not_json)?;
            None
        }
    };
    let counted = |pointer: &Option<String>| {
        let found = pointer.as_deref().map(at).transpose()?.flatten();
        Ok::<_, Fault>(found.and_then(|found| found.get().parse::<u64>().ok()))
    };
    let result = match declared.pointer.as_deref() {
        None | Some("") => body,
        Some(pointer) => find(body, pointer)
            .map_err(not_json)?
            .map(RawValue::get)
            .ok_or_else(|| missing_part(pointer, &response))?,
    };
    let next = match &declaration.paginator {
        Some(Paginator::Offset { total }) => {
            let count = count(result, declaration).map_err(not_json)?;
            let after = page.offset() + count;
            let goes_on = match counted(total)? {
                Some(total) => count > 0 && after < total,
                None => page.is_full(count),
            };
            goes_on.then(|| after.to_string())
        }
        Some(Paginator::Page { first, pages, link }) => {
            let count = count(result, declaration).map_err(not_json)?;
            let first = u64::from(*first);
            let after = page.number(first) + 1;
            let goes_on = match counted(pages)? {
                _ if *link => response.header("link").and_then(next_link).is_some(),
                Some(pages) => count > 0 && after - first < pages,
                None => page.is_full(count),
            };
            goes_on.then(|| after.to_string())
        }
        Some(Paginator::LinkHeader) => response.header("link").and_then(next_link),
        Some(Paginator::Cursor { .. } | Paginator::NextUrl { .. }) | None => next,
    };
    let mut data = if !declared.drop.is_empty() {
        without(result, &declared.drop)
    } else if result.len() == body.len() {
        // The whole body as it came: checked above, so handed on without a copy.
        String::from_utf8(response.body).unwrap_or_default()
    } else {
        result.to_owned()
    };
    for list in &declared.lists {
        add_absent_list(list, &mut data);
    }
    Ok(Output {
        data,
        next_page_token: next,
    })
}

/// Whether an answer has a value at a pointer that says something.
pub(super) fn is_there(response: &Response, pointer: &str) -> bool {
    let body = std::str::from_utf8(&response.body).unwrap_or_default();
    let found = find(body, pointer).ok().flatten().map(RawValue::get);
    found.is_some_and(|found| !matches!(found, "null" | "false" | r#""""#))
}

/// Puts an empty list into an object (checked already) that lacks it.
fn add_absent_list(name: &str, data: &mut String) {
    let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    let is_object = data.trim_start().starts_with('{');
    if let (true, Ok(None), Some(end)) = (is_object, find(data, &pointer), data.rfind('}')) {
        let separator = if data[..end].trim_end().ends_with('{') {
            ""
        } else {
            ","
        };
        data.replace_range(end.., &format!("{separator}{}:[]}}", Value::from(name)));
    }
}

fn missing_part(pointer: &str, response: &Response) -> Fault {
    let body = String::from_utf8_lossy(&response.body);
    Fault::new(
        "vendor_unavailable",
        format!(
            "The vendor answered {} without `{pointer}`, where its result should be: {}. \
             The parameters are not the reason; the connector's declaration may need an update.",
            response.status,
            quote(&body, 200),
        ),
    )
}

/// The number of items of a page.
fn count(result: &str, declaration: &Declaration) -> Result<u64, Error> {
    struct Count;
    impl<'de> Visitor<'de> for Count {
        type Value = u64;
        fn expecting(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
            out.write_str("an array of items")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<u64, A::Error> {
            let mut count = 0;
            while items.next_element::<IgnoredAny>()?.is_some() {
                count += 1;
            }
            Ok(count)
        }
    }
    match find(result, declaration.items.as_deref().unwrap_or(""))? {
        Some(items) => serde_json::Deserializer::from_str(items.get()).deserialize_seq(Count),
        None => Ok(0),
    }
}

/// A page token: a text or a number; empty texts and anything else mean that there is none.
fn token(next: &RawValue) -> Option<String> {
    match serde_json::from_str(next.get()) {
        Ok(Value::String(token)) if !token.is_empty() => Some(token),
        Ok(Value::Number(token)) => Some(token.to_string()),
        _ => None,
    }
}

/// The target of `rel="next"` in a `Link` header (RFC 8288 section 3).
fn next_link(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, from)) = rest.split_once('<') {
        let (target, after) = from.split_once('>')?;
        let (parameters, following) = match after.find('<') {
            Some(at) => after.split_at(at),
            None => (after, ""),
        };
        let is_next = parameters.split([';', ',']).any(|parameter| {
            parameter.trim().strip_prefix("rel=").is_some_and(|relations| {
                relations
                    .trim_matches('"')
                    .split(' ')
                    .any(|relation| relation.eq_ignore_ascii_case("next"))
            })
        });
        if is_next {
            return Some(target.to_owned());
        }
        rest = following;
    }
    None
}

/// The value at a JSON pointer (RFC 6901), unparsed. Reads all of `json`, so that anything that
/// is not JSON is an error wherever it stands.
fn find<'de>(json: &'de str, pointer: &str) -> Result<Option<&'de RawValue>, Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let found = Find { pointer }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(found)
}

/// Looks for the rest of a pointer in the value to come.
struct Find<'p> {
    pointer: &'p str,
}

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.pointer.is_empty() {
            <&RawValue>::deserialize(deserializer).map(Some)
        } else {
            deserializer.deserialize_any(self)
        }
    }
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        out.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (name, rest) = step(self.pointer);
        let mut found = None;
        while let Some(member) = members.next_key::<std::borrow::Cow<'de, str>>()? {
            if *member == *name {
                found = members.next_value_seed(Find { pointer: rest })?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let (name, rest) = step(self.pointer);
        let wanted: Option<usize> = name.parse().ok();
        let (mut found, mut index) = (None, 0);
        loop {
            if Some(index) == wanted {
                match elements.next_element_seed(Find { pointer: rest })? {
                    Some(element) => found = element,
                    None => return Ok(found),
                }
            } else if elements.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            index += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// The first member name of a pointer, unescaped, and the rest.
fn step(pointer: &str) -> (String, &str) {
    let pointer = pointer.strip_prefix('/').unwrap_or(pointer);
    let (name, rest) = match pointer.find('/') {
        Some(at) => pointer.split_at(at),
        None => (pointer, ""),
    };
    (name.replace("~1", "/").replace("~0", "~"), rest)
}

/// Copies JSON (already checked) without the members of these names, and without white space.
pub(crate) fn without(json: &str, names: &[String]) -> String {
    let bytes = json.as_bytes();
    let mut out = String::with_capacity(json.len());
    let mut in_object = Vec::new();
    let mut at_name = false;
    let mut at = 0;
    // What stands between here and `at` is kept and not copied yet.
    let mut kept_from = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'"' => {
                at = end_of_string(bytes, start);
                // What a function answers may be cut off: there may be no closing quote.
                let name = bytes.get(start + 1..at - 1);
                if at_name && names.iter().any(|known| Some(known.as_bytes()) == name) {
                    out.push_str(&json[kept_from..start]);
                    at = end_of_value(bytes, at);
                    if bytes.get(at) == Some(&b',') {
                        at += 1;
                    }
                    kept_from = at;
                    continue;
                }
                at_name = false;
            }
            b' ' | b'\t' | b'\r' | b'\n' => {
                out.push_str(&json[kept_from..start]);
                kept_from = at;
            }
            b'{' | b'[' => {
                in_object.push(byte == b'{');
                at_name = byte == b'{';
            }
            b'}' | b']' => {
                in_object.pop();
                at_name = false;
                out.push_str(&json[kept_from..start]);
                kept_from = start;
                // The last member was dropped.
                if out.ends_with(',') {
                    out.pop();
                }
            }
            b',' => at_name = in_object.last() == Some(&true),
            _ => {}
        }
    }
    out.push_str(&json[kept_from..]);
    out
}

/// The index after the string that begins at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The index of the `,` or closing bracket after the member whose name ended before `at`.
fn end_of_value(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0u32;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_dropped_at_any_depth_and_commas_stay_right() {
        let drop = ["x".to_owned(), "y".to_owned()];
        for (before, after) in [
            (r#"{"x":1}"#, r#"{}"#),
            (r#"{"x":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{"a":2,"x":{"q":[1,"}"]}}"#, r#"{"a":2}"#),
            (
                r#"{"a":2, "x":"\",", "y":[], "b":{"y":null}}"#,
                r#"{"a":2,"b":{}}"#,
            ),
            (
                r#"["x",{"a":"x","x":"a"},{"k":"x"}]"#,
                r#"["x",{"a":"x"},{"k":"x"}]"#,
            ),
            (r#"{"a":{"x":1},"é":"ü"}"#, r#"{"a":{},"é":"ü"}"#),
        ] {
            assert_eq!(without(before, &drop), after, "{before}");
        }
    }

    #[test]
    fn a_pointer_finds_what_serde_json_finds() {
        let json = r#"{"a":{"b":[10,{"c/d":"x"}]},"paging":{"next":{"after":"7"}},"n":null}"#;
        let value: Value = serde_json::from_str(json).expect("JSON");
        for pointer in [
            "",
            "/a",
            "/a/b/0",
            "/a/b/1/c~1d",
            "/a/b/2",
            "/a/b/x",
            "/paging/next/after",
            "/n",
            "/n/m",
            "/z",
        ] {
            let found = find(json, pointer)
                .expect("JSON")
                .map(|raw| serde_json::from_str::<Value>(raw.get()).expect("JSON"));
            assert_eq!(found.as_ref(), value.pointer(pointer), "{pointer}");
        }
        assert!(find(r#"{"a":1} x"#, "/a").is_err());
        assert!(find(r#"{"a":1,"b":}"#, "/a").is_err());
    }

    #[test]
    fn the_next_link_is_found_among_others() {
        let header = r#"<https://v.example/a?page=1>; rel="prev", <https://v.example/a?page=3,4>; rel="next"; title="x""#;
        assert_eq!(next_link(header).as_deref(), Some("https://v.example/a?page=3,4"));
        assert_eq!(next_link("<https://v.example/a>; rel=last"), None);
        assert_eq!(
            next_link("<https://v.example/a>; rel=next").as_deref(),
            Some("https://v.example/a")
        );
        assert_eq!(next_link(""), None);
    }
}
