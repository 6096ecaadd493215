//! The vendor's filter objects: conditions on members, on what a record refers to, and on lists.

use jiff::{Span, Timestamp, tz::TimeZone};
use serde_json::{Map, Value};

use super::Problem;
use super::organization::Organization;
use super::query::member;

/// What a condition on a plain member may say.
const COMPARATORS: [&str; 15] = [
    "eq",
    "neq",
    "in",
    "nin",
    "lt",
    "lte",
    "gt",
    "gte",
    "contains",
    "notContains",
    "containsIgnoreCase",
    "eqIgnoreCase",
    "neqIgnoreCase",
    "startsWith",
    "endsWith",
];

/// Whether all conditions of a filter hold for a record.
pub(super) fn holds(organization: &Organization, record: &Value, filter: &Value) -> Result<bool, Problem> {
    let Value::Object(conditions) = filter else {
        return Ok(true);
    };
    for (name, condition) in conditions {
        let found = match name.as_str() {
            "and" | "or" => {
                let parts = condition.as_array().cloned().unwrap_or_default();
                let mut any = false;
                let mut all = true;
                for part in &parts {
                    let found = holds(organization, record, part)?;
                    any |= found;
                    all &= found;
                }
                if name == "and" {
                    all
                } else {
                    any || parts.is_empty()
                }
            }
            _ => {
                let value = member(organization, record, name, &Map::new())?;
                condition_holds(organization, &value, condition)?
            }
        };
        if !found {
            return Ok(false);
        }
    }
    Ok(true)
}

fn condition_holds(organization: &Organization, value: &Value, condition: &Value) -> Result<bool, Problem> {
    let Value::Object(parts) = condition else {
        return Ok(true);
    };
    // A list: some of it, or all of it.
    if let Some(nodes) = value.get("nodes").and_then(Value::as_array) {
        let (of_each, every) = match (parts.get("some"), parts.get("every")) {
            (_, Some(every)) => (every, true),
            (Some(some), _) => (some, false),
            (None, None) => (condition, false),
        };
        for node in nodes {
            if holds(organization, node, of_each)? != every {
                return Ok(!every);
            }
        }
        return Ok(every);
    }
    if let Some(Value::Bool(wants_none)) = parts.get("null")
        && value.is_null() != *wants_none
    {
        return Ok(false);
    }
    if parts.keys().all(|name| name == "null") {
        return Ok(true);
    }
    if parts.keys().any(|name| COMPARATORS.contains(&name.as_str())) {
        for (comparator, wanted) in parts.iter().filter(|(name, _)| *name != "null") {
            if !compares(organization, value, comparator, wanted)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if value.is_null() {
        return Ok(false);
    }
    let rest: Map<String, Value> = parts
        .iter()
        .filter(|(name, _)| *name != "null")
        .map(|(name, part)| (name.clone(), part.clone()))
        .collect();
    holds(organization, value, &Value::Object(rest))
}

fn compares(
    organization: &Organization,
    value: &Value,
    comparator: &str,
    wanted: &Value,
) -> Result<bool, Problem> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lower = |value: &Value| text(value).to_lowercase();
    let among = || wanted.as_array().is_some_and(|list| list.contains(value));
    let order = || {
        if let (Some(left), Some(right)) = (value.as_f64(), wanted.as_f64()) {
            return left.partial_cmp(&right);
        }
        let right = moment(organization, &text(wanted));
        (!value.is_null()).then(|| text(value).cmp(&right))
    };
    Ok(match comparator {
        "eq" => value == wanted,
        "neq" => value != wanted,
        "in" => among(),
        "nin" => !among(),
        "lt" => order().is_some_and(std::cmp::Ordering::is_lt),
        "lte" => order().is_some_and(std::cmp::Ordering::is_le),
        "gt" => order().is_some_and(std::cmp::Ordering::is_gt),
        "gte" => order().is_some_and(std::cmp::Ordering::is_ge),
        "contains" => text(value).contains(&text(wanted)),
        "notContains" => !text(value).contains(&text(wanted)),
        "containsIgnoreCase" => lower(value).contains(&lower(wanted)),
        "eqIgnoreCase" => lower(value) == lower(wanted),
        "neqIgnoreCase" => lower(value) != lower(wanted),
        "startsWith" => text(value).starts_with(&text(wanted)),
        "endsWith" => text(value).ends_with(&text(wanted)),
        other => {
            return Err(Problem::invalid(format!(
                "Field \"{other}\" is not defined by the filter."
            )));
        }
    })
}

/// A day or a moment as it is, a duration as the moment that far from now. All are written so that
/// texts in order are moments in order.
fn moment(organization: &Organization, text: &str) -> String {
    let now = Timestamp::from_millisecond(organization.now_ms()).ok();
    let is_duration = text.trim_start_matches('-').starts_with('P');
    let span = text.parse::<Span>().ok().filter(|_| is_duration);
    let then = now
        .zip(span)
        .and_then(|(now, span)| now.to_zoned(TimeZone::UTC).checked_add(span).ok());
    then.map_or_else(|| text.to_owned(), |then| format!("{:.3}", then.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_reach_through_what_a_record_refers_to() {
        let organization = Organization::seeded("ada");
        let issue = organization.all_of("Issue").swap_remove(0);
        let check = |filter: Value| holds(&organization, &issue, &filter);
        for (filter, expected) in [
            (json!({}), true),
            (json!({ "team": { "key": { "eq": "ENG" } } }), true),
            (json!({ "team": { "key": { "in": ["SUP"] } } }), false),
            (json!({ "labels": { "name": { "eq": "feature" } } }), true),
            (
                json!({ "labels": { "every": { "name": { "eq": "bug" } } } }),
                false,
            ),
            (json!({ "parent": { "null": true } }), true),
            (
                json!({ "title": { "containsIgnoreCase": "ADA" }, "number": { "lte": 1 } }),
                true,
            ),
            (
                json!({ "or": [{ "number": { "eq": 2 } }, { "number": { "eq": 1 } }] }),
                true,
            ),
            (json!({ "createdAt": { "gt": "-P2D" } }), false),
            (json!({ "createdAt": { "gt": "-P20W" } }), true),
        ] {
            assert_eq!(check(filter.clone()), Ok(expected), "{filter}");
        }
        assert!(check(json!({ "colour": { "eq": "red" } })).is_err());
    }
}
