//! OData as far as the connector's agents write it: `$filter`, `$orderby`, `$search`, `$select`,
//! `$top` and the next page's address; and what `Prefer` asks for.

use axum::Json;
use axum::http::{HeaderMap, Uri};
use serde_json::{Map, Value, json};

use super::problem::Problem;
use crate::text::{Pairs, encode, first, parse_form};

/// What the headers of a request prefer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Prefers {
    /// Ids that stay when a mail is moved.
    pub(crate) immutable: bool,
    /// Bodies as plain text.
    pub(crate) text: bool,
}

impl Prefers {
    /// Reads `Prefer`; the zone has to be one that is known, and times stay in UTC.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut prefers = Self::default();
        let values = headers.get_all("prefer").iter();
        for part in values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
        {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim().trim_matches('"');
            match name.trim() {
                "IdType" => prefers.immutable = value == "ImmutableId",
                "outlook.body-content-type" => prefers.text = value == "text",
                "outlook.timezone" => expect_zone(value)?,
                _ => {}
            }
        }
        Ok(prefers)
    }
}

/// Refuses a zone that is neither a Windows name (which end in `Time`) nor one of the IANA.
pub(crate) fn expect_zone(zone: &str) -> Result<(), Problem> {
    let known = zone == "UTC" || zone.ends_with(" Time") || jiff::tz::TimeZone::get(zone).is_ok();
    if known {
        Ok(())
    } else {
        Err(Problem::unknown_zone(zone))
    }
}

/// A list as the vendor answers it: filtered, ordered, cut into pages, with the members selected.
/// `name` is the collection's for the context.
pub(crate) fn list(
    base: &str,
    uri: &Uri,
    name: &str,
    usual: usize,
    mut items: Vec<Value>,
) -> Result<Json<Value>, Problem> {
    let query = parse_form(uri.query().unwrap_or_default());
    let filter = first(&query, "$filter");
    let order = first(&query, "$orderby");
    let search = first(&query, "$search");
    if search.is_some() && (filter.is_some() || order.is_some()) {
        return Err(Problem::invalid_query(
            "$search goes with no $filter and no $orderby.",
        ));
    }
    if let Some(filter) = filter {
        let conditions: Vec<&str> = filter.split(" and ").map(str::trim).collect();
        let mut kept = Vec::new();
        for item in items {
            let mut all = true;
            for condition in &conditions {
                all &= holds(condition, &item)?;
            }
            if all {
                kept.push(item);
            }
        }
        items = kept;
    }
    if let Some(order) = order {
        let (path, descending) = match order.split_once(' ') {
            Some((path, "desc")) => (path, true),
            Some((path, "asc")) => (path, false),
            None => (order, false),
            Some(_) => return Err(Problem::invalid_query("The $orderby is not valid.")),
        };
        // Mail wants what is ordered by in front of the condition.
        if name == "messages" && filter.is_some_and(|filter| !filter.starts_with(path)) {
            return Err(Problem::inefficient());
        }
        items.sort_by_key(|item| plain(&member(item, path)));
        if descending {
            items.reverse();
        }
    }
    if let Some(search) = search {
        let words = search.trim_matches('"').to_lowercase();
        items.retain(|item| found(&words, item));
    }
    page(base, uri, name, usual, &query, items)
}

fn page(
    base: &str,
    uri: &Uri,
    name: &str,
    usual: usize,
    query: &Pairs,
    items: Vec<Value>,
) -> Result<Json<Value>, Problem> {
    let number = |name: &str, otherwise: usize| match first(query, name) {
        None => Ok(otherwise),
        Some(text) => text
            .parse::<usize>()
            .map_err(|_| Problem::invalid_query(format!("{name} is a number."))),
    };
    let (top, skip) = (number("$top", usual)?.clamp(1, 1000), number("$skip", 0)?);
    let more = skip + top < items.len();
    let value: Vec<Value> = items
        .into_iter()
        .skip(skip)
        .take(top)
        .map(|item| selected(query, item))
        .collect();
    let mut body = json!({
        "@odata.context": format!("https://graph.microsoft.com/v1.0/$metadata#users('me')/{name}"),
        "value": value,
    });
    if more {
        let others = query.iter().filter(|(name, _)| name != "$skip");
        let pairs: Vec<String> = others
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .chain([format!("%24skip={}", skip + top)])
            .collect();
        body["@odata.nextLink"] = json!(format!("{base}{}?{}", uri.path(), pairs.join("&")));
    }
    Ok(Json(body))
}

/// One thing as the vendor answers it.
pub(crate) fn one(uri: &Uri, name: &str, item: Value) -> Json<Value> {
    let query = parse_form(uri.query().unwrap_or_default());
    let mut item = selected(&query, item);
    item["@odata.context"] = json!(format!(
        "https://graph.microsoft.com/v1.0/$metadata#users('me')/{name}/$entity"
    ));
    Json(item)
}

fn selected(query: &Pairs, item: Value) -> Value {
    let (Some(names), Value::Object(members)) = (first(query, "$select"), &item) else {
        return item;
    };
    let wanted: Vec<&str> = names.split(',').map(str::trim).collect();
    let kept: Map<String, Value> = members
        .iter()
        .filter(|(name, _)| *name == "id" || name.starts_with('@') || wanted.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Value::Object(kept)
}

/// Whether one condition holds: `path op literal`, `contains(path,'x')`, `startswith(path,'x')`,
/// or one about any address of a contact.
fn holds(condition: &str, item: &Value) -> Result<bool, Problem> {
    let wrong = || Problem::invalid_query(format!("The condition {condition:?} is not understood."));
    let contains: fn(&str, &str) -> bool = |text, part| text.contains(part);
    let starts: fn(&str, &str) -> bool = |text, part| text.starts_with(part);
    for (function, test) in [("contains(", contains), ("startswith(", starts)] {
        if let Some(rest) = condition.strip_prefix(function) {
            let (path, part) = rest
                .strip_suffix(')')
                .and_then(|rest| rest.split_once(','))
                .ok_or_else(wrong)?;
            let text = plain(&member(item, path.trim())).to_lowercase();
            return Ok(test(&text, &literal(part.trim()).to_lowercase()));
        }
    }
    if let Some(rest) = condition.strip_prefix("emailAddresses/any(a:a/address eq ") {
        let wanted = literal(rest.strip_suffix(')').ok_or_else(wrong)?);
        let addresses = item["emailAddresses"].as_array().into_iter().flatten();
        return Ok(addresses.into_iter().any(|address| address["address"] == wanted));
    }
    let mut words = condition.splitn(3, ' ');
    let (Some(path), Some(operator), Some(wanted)) = (words.next(), words.next(), words.next()) else {
        return Err(wrong());
    };
    let (found, wanted) = (plain(&member(item, path)), literal(wanted));
    Ok(match operator {
        "eq" => found == wanted,
        "ne" => found != wanted,
        "ge" => found >= wanted,
        "gt" => found > wanted,
        "le" => found <= wanted,
        "lt" => found < wanted,
        _ => return Err(wrong()),
    })
}

/// Words, each in the text, the sender or a recipient; `from:` and `subject:` say where.
fn found(words: &str, item: &Value) -> bool {
    words
        .split_whitespace()
        .filter(|word| !["and", "or"].contains(word))
        .all(|word| {
            let text = |value: &Value| value.to_string().to_lowercase();
            match word.split_once(':') {
                Some(("from", who)) => text(&item["from"]).contains(who),
                Some(("to", who)) => text(&item["toRecipients"]).contains(who),
                Some(("subject", what)) => text(&item["subject"]).contains(what),
                _ => text(item).contains(word),
            }
        })
}

fn member(item: &Value, path: &str) -> Value {
    path.split('/').fold(item, |value, name| &value[name]).clone()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn literal(text: &str) -> String {
    text.trim_matches('\'').replace("''", "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> Vec<Value> {
        (0..5)
            .map(|n| json!({"id": format!("m{n}"), "subject": format!("Offer {n}"), "isRead": n % 2 == 0,
                "receivedDateTime": format!("2026-03-0{}T09:00:00Z", n + 1), "from": {"emailAddress": {"address": "bob@x.example"}}}))
            .collect()
    }

    fn asked(query: &str) -> Result<Value, Problem> {
        let uri: Uri = format!("/graph/v1.0/me/messages?{query}").parse().expect("a URI");
        list("http://here", &uri, "messages", 10, items()).map(|Json(body)| body)
    }

    fn ids(body: &Value) -> Vec<String> {
        let items = body["value"].as_array().expect("a list");
        items
            .iter()
            .map(|item| item["id"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn pages_go_on_at_a_whole_address_that_keeps_what_was_asked() {
        let body = asked("$filter=isRead%20eq%20true&$top=2&$select=subject").expect("a list");
        assert_eq!(ids(&body), ["m0", "m2"]);
        assert!(body["value"][0]["receivedDateTime"].is_null());
        let next = body["@odata.nextLink"].as_str().expect("an address");
        let query = next
            .strip_prefix("http://here/graph/v1.0/me/messages?")
            .expect("the same path");
        let body = asked(query).expect("a list");
        assert_eq!(ids(&body), ["m4"]);
        assert!(body["@odata.nextLink"].is_null());
    }

    #[test]
    fn conditions_orders_and_words_are_understood_or_refused() {
        let of = |query: &str| ids(&asked(query).expect(query));
        assert_eq!(
            of("$filter=receivedDateTime%20ge%202026-03-04T00:00:00Z&$orderby=receivedDateTime%20desc"),
            ["m4", "m3"]
        );
        assert_eq!(of("$filter=contains(subject,'offer%203')"), ["m3"]);
        assert_eq!(
            of("$filter=from/emailAddress/address%20eq%20'bob@x.example'%20and%20isRead%20eq%20false"),
            ["m1", "m3"]
        );
        assert_eq!(of("$search=%22from:bob%20subject:offer%20m2%22"), ["m2"]);
        for (query, code) in [
            (
                "$filter=isRead%20eq%20true&$orderby=receivedDateTime",
                "InefficientFilter",
            ),
            ("$filter=isRead", "ErrorInvalidUrlQueryFilter"),
            (
                "$search=%22x%22&$filter=isRead%20eq%20true",
                "ErrorInvalidUrlQueryFilter",
            ),
            ("$top=many", "ErrorInvalidUrlQueryFilter"),
        ] {
            assert_eq!(asked(query).expect_err(query).code(), code);
        }
    }

    #[test]
    fn several_preferences_stand_in_one_header() {
        let mut headers = HeaderMap::new();
        let value =
            "IdType=\"ImmutableId\", outlook.body-content-type=\"text\", outlook.timezone=\"Europe/Berlin\"";
        headers.insert("prefer", value.parse().expect("a value"));
        let both = Prefers {
            immutable: true,
            text: true,
        };
        assert_eq!(Prefers::read(&headers).expect("a zone"), both);
        headers.insert("prefer", "outlook.timezone=\"Mars\"".parse().expect("a value"));
        let refused = Prefers::read(&headers).expect_err("no such zone");
        assert_eq!(refused.code(), "TimeZoneNotSupportedException");
    }
}
