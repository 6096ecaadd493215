//! Texts and property values: from the form in which they are sent to the one in which they are
//! answered, and conditions on them.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::problem::Problem;

/// The most characters of one piece of text.
const LONGEST_TEXT: usize = 2_000;

/// A plain text as rich text.
pub(super) fn rich(text: &str) -> Value {
    if text.is_empty() {
        return json!([]);
    }
    json!([piece(text, &Value::Null, None)])
}

fn piece(text: &str, link: &Value, annotations: Option<&Value>) -> Value {
    let mut marks = json!({
        "bold": false, "italic": false, "strikethrough": false,
        "underline": false, "code": false, "color": "default",
    });
    for (name, value) in annotations.and_then(Value::as_object).into_iter().flatten() {
        marks[name] = value.clone();
    }
    json!({
        "type": "text",
        "text": { "content": text, "link": link },
        "annotations": marks,
        "plain_text": text,
        "href": link.get("url"),
    })
}

/// Rich text as it is answered.
pub(super) fn completed(sent: &Value, at: &str) -> Result<Value, Problem> {
    let pieces = sent
        .as_array()
        .ok_or_else(|| Problem::invalid(format!("body failed validation: {at} should be an array.")))?;
    pieces
        .iter()
        .map(|sent| {
            let content = sent
                .pointer("/text/content")
                .and_then(Value::as_str)
                .ok_or_else(|| {
                    Problem::invalid(format!(
                        "body failed validation: {at}[0].text should be defined, instead was `undefined`."
                    ))
                })?;
            if content.chars().count() > LONGEST_TEXT {
                return Err(Problem::invalid(format!(
                    "body failed validation: {at}[0].text.content.length should be ≤ `{LONGEST_TEXT}`."
                )));
            }
            let link = sent.pointer("/text/link").unwrap_or(&Value::Null);
            Ok(piece(content, link, sent.get("annotations")))
        })
        .collect()
}

/// The text of rich text.
pub(super) fn plain(rich: &Value) -> String {
    rich.as_array()
        .into_iter()
        .flatten()
        .filter_map(|piece| piece["plain_text"].as_str())
        .collect()
}

/// The type of a column.
pub(super) fn type_of(column: &Value) -> &str {
    column["type"].as_str().unwrap_or_default()
}

/// A value that a row has when none was given.
pub(super) fn empty(column: &Value) -> Value {
    let kind = type_of(column);
    let value = match kind {
        "title" | "rich_text" | "multi_select" | "people" | "relation" => json!([]),
        "checkbox" => json!(false),
        "status" => column["status"]["options"][0].clone(),
        _ => Value::Null,
    };
    json!({ "id": column["id"], "type": kind, kind: value })
}

/// A value as it is answered; the column says what it has to be.
pub(super) fn stored(name: &str, column: &Value, sent: &Value) -> Result<Value, Problem> {
    let kind = type_of(column);
    let Some(given) = sent.get(kind) else {
        return Err(Problem::invalid(format!("{name} is expected to be {kind}.")));
    };
    let at = format!("body.properties.{name}.{kind}");
    let wrong = || {
        Problem::invalid(format!(
            "body failed validation: {at} is not a value of this type."
        ))
    };
    let value = match kind {
        "title" | "rich_text" => completed(given, &at)?,
        "number" if given.is_number() || given.is_null() => given.clone(),
        "checkbox" if given.is_boolean() => given.clone(),
        "url" | "email" | "phone_number" if given.is_string() || given.is_null() => given.clone(),
        "select" | "status" if given.is_null() => Value::Null,
        "select" | "status" => option(name, column, given)?,
        "multi_select" => given
            .as_array()
            .ok_or_else(wrong)?
            .iter()
            .map(|one| option(name, column, one))
            .collect::<Result<_, Problem>>()?,
        "date" if given.is_null() => Value::Null,
        "date" => {
            let start = given["start"].as_str().ok_or_else(wrong)?;
            let is_date = start
                .get(..10)
                .is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok());
            if !is_date {
                return Err(wrong());
            }
            json!({ "start": start, "end": given.get("end"), "time_zone": given.get("time_zone") })
        }
        "people" | "relation" => {
            let object = if kind == "people" { Some("user") } else { None };
            given
                .as_array()
                .ok_or_else(wrong)?
                .iter()
                .map(|one| {
                    let mut out = Map::new();
                    if let Some(object) = object {
                        out.insert("object".to_owned(), json!(object));
                    }
                    out.insert("id".to_owned(), one["id"].clone());
                    Value::Object(out)
                })
                .collect()
        }
        _ => return Err(wrong()),
    };
    Ok(json!({ "id": column["id"], "type": kind, kind: value }))
}

/// One of a column's options, by name or id.
fn option(name: &str, column: &Value, given: &Value) -> Result<Value, Problem> {
    let kind = type_of(column);
    let options = column[kind]["options"].as_array();
    let found = options.into_iter().flatten().find(|option| {
        given.get("name").is_some_and(|name| *name == option["name"])
            || given.get("id").is_some_and(|id| *id == option["id"])
    });
    if let Some(found) = found {
        return Ok(found.clone());
    }
    let wanted = given["name"].as_str().unwrap_or_default();
    // Selections make new options as they go; a status does not.
    if kind == "status" || wanted.is_empty() {
        return Err(Problem::invalid(format!(
            "Invalid status option. Status option \"{wanted}\" does not exist in {name}."
        )));
    }
    Ok(json!({ "id": format!("new-{wanted}"), "name": wanted, "color": "default" }))
}

/// Whether a row satisfies a filter.
pub(super) fn satisfies(row: &Value, filter: &Value, columns: &Value) -> Result<bool, Problem> {
    let each = |conditions: &Value| {
        conditions
            .as_array()
            .ok_or_else(|| Problem::invalid("body failed validation: body.filter is not a filter."))?
            .iter()
            .map(|condition| satisfies(row, condition, columns))
            .collect::<Result<Vec<_>, Problem>>()
    };
    if let Some(all) = filter.get("and") {
        return Ok(each(all)?.into_iter().all(|one| one));
    }
    if let Some(any) = filter.get("or") {
        return Ok(each(any)?.into_iter().any(|one| one));
    }
    if let Some(kind) = filter.get("timestamp").and_then(Value::as_str) {
        return Ok(met(&row[kind], &filter[kind], true));
    }
    let name = filter["property"]
        .as_str()
        .ok_or_else(|| Problem::invalid("body failed validation: body.filter is not a filter."))?;
    let column = column_named(columns, name)?;
    let kind = type_of(column);
    let condition = filter.get(kind).ok_or_else(|| {
        Problem::invalid(format!(
            "database property {kind} does not match filter for {name}"
        ))
    })?;
    let title = column["name"].as_str().unwrap_or(name);
    let value = &row["properties"][title][kind];
    let value = match kind {
        "title" | "rich_text" => json!(plain(value)),
        "select" | "status" => value.get("name").cloned().unwrap_or(Value::Null),
        "date" => value.get("start").cloned().unwrap_or(Value::Null),
        "multi_select" => named(value, "name"),
        "people" | "relation" => named(value, "id"),
        _ => value.clone(),
    };
    Ok(met(&value, condition, kind == "date"))
}

fn named(list: &Value, member: &str) -> Value {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|one| one[member].clone())
        .collect()
}

/// A column by its name or id.
pub(super) fn column_named<'c>(columns: &'c Value, name: &str) -> Result<&'c Value, Problem> {
    columns
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, column)| column)
        .find(|column| column["name"] == name || column["id"] == name)
        .ok_or_else(|| Problem::invalid(format!("Could not find property with name or id: {name}")))
}

fn met(value: &Value, condition: &Value, is_date: bool) -> bool {
    let is_empty = match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    condition
        .as_object()
        .into_iter()
        .flatten()
        .all(|(operator, wanted)| {
            let order = || ordering(value, wanted, is_date);
            let holds = || match (value, wanted) {
                (Value::Array(items), wanted) => items.contains(wanted),
                (Value::String(text), Value::String(part)) => {
                    text.to_lowercase().contains(&part.to_lowercase())
                }
                _ => false,
            };
            match operator.as_str() {
                "equals" => !is_empty && order().is_some_and(Ordering::is_eq),
                "does_not_equal" => is_empty || !order().is_some_and(Ordering::is_eq),
                "contains" => holds(),
                "does_not_contain" => !holds(),
                "starts_with" => starts(value, wanted),
                "is_empty" => is_empty,
                "is_not_empty" => !is_empty,
                "greater_than" | "after" => order().is_some_and(Ordering::is_gt),
                "less_than" | "before" => order().is_some_and(Ordering::is_lt),
                "greater_than_or_equal_to" | "on_or_after" => order().is_some_and(Ordering::is_ge),
                "less_than_or_equal_to" | "on_or_before" => order().is_some_and(Ordering::is_le),
                _ => false,
            }
        })
}

fn starts(value: &Value, wanted: &Value) -> bool {
    match (value.as_str(), wanted.as_str()) {
        (Some(text), Some(part)) => text.to_lowercase().starts_with(&part.to_lowercase()),
        _ => false,
    }
}

/// How two plain values compare; dates by the day when the wanted one is a day.
pub(super) fn ordering(value: &Value, wanted: &Value, is_date: bool) -> Option<Ordering> {
    match (value, wanted) {
        (Value::String(text), Value::String(wanted)) if is_date => {
            let length = text.len().min(wanted.len());
            Some(text.get(..length)?.cmp(wanted.get(..length)?))
        }
        (Value::String(text), Value::String(wanted)) => Some(text.cmp(wanted)),
        (Value::Bool(flag), Value::Bool(wanted)) => Some(flag.cmp(wanted)),
        _ => value.as_f64()?.partial_cmp(&wanted.as_f64()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_mean_what_the_vendor_says() {
        let columns = json!({
            "Name": { "id": "title", "name": "Name", "type": "title" },
            "Due": { "id": "d", "name": "Due", "type": "date" },
            "Points": { "id": "p", "name": "Points", "type": "number" },
        });
        let row = json!({ "properties": {
            "Name": { "type": "title", "title": rich("Call Ada") },
            "Due": { "type": "date", "date": { "start": "2026-03-05" } },
            "Points": { "type": "number", "number": null },
        } });
        let asked = |filter: Value| satisfies(&row, &filter, &columns).unwrap();
        assert!(asked(
            json!({ "property": "Name", "title": { "contains": "ada" } })
        ));
        assert!(asked(
            json!({ "property": "d", "date": { "on_or_before": "2026-03-05" } })
        ));
        assert!(!asked(
            json!({ "property": "Due", "date": { "before": "2026-03-05" } })
        ));
        assert!(asked(json!({ "or": [
            { "property": "Points", "number": { "greater_than": 1 } },
            { "property": "Points", "number": { "is_empty": true } },
        ] })));
        assert!(satisfies(&row, &json!({ "property": "Nope", "title": {} }), &columns).is_err());
        assert!(satisfies(&row, &json!({ "property": "Due", "title": {} }), &columns).is_err());
    }
}
