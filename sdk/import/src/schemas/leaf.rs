//! Schemas that hold no others: texts, numbers, yes-or-no.

use serde_json::{Map, Value, json};

use super::Unsayable;
use crate::words;

/// Where sentences for the description are kept until there is one; no keyword of a schema.
pub(super) const FOLDED: &str = "x-sentences";
/// Values of an enumeration; longer ones are named by example.
const MAX_VALUES: usize = 100;
/// Characters of a value of an enumeration.
const MAX_VALUE: usize = 200;
/// Characters of a pattern or an example that are worth telling a model.
const MAX_SHOWN: usize = 80;

/// The types that a schema allows, null aside; all of them when it says nothing.
pub(super) fn kinds(schema: &Map<String, Value>) -> Vec<&str> {
    let known = |kind: &str| {
        matches!(
            kind,
            "object" | "array" | "string" | "number" | "integer" | "boolean" | "file"
        )
    };
    let said: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) if kind == "null" => return vec!["null"],
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let said: Vec<&str> = said.into_iter().filter(|kind| known(kind)).collect();
    if !said.is_empty() {
        return said;
    }
    let has = |keyword: &str| schema.contains_key(keyword);
    let value = schema
        .get("const")
        .or_else(|| schema.get("enum")?.as_array()?.first());
    if has("properties") || has("additionalProperties") {
        vec!["object"]
    } else if has("items") {
        vec!["array"]
    } else if let Some(value) = value {
        match value {
            Value::Bool(_) => vec!["boolean"],
            Value::Number(number) if number.is_f64() => vec!["number"],
            Value::Number(_) => vec!["integer"],
            _ => vec!["string"],
        }
    } else if has("format") || has("pattern") || has("minLength") || has("maxLength") {
        vec!["string"]
    } else {
        vec!["string", "number", "boolean"]
    }
}

/// A schema of nothing but a type.
pub(super) fn of_type(kind: &str) -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), json!(kind))])
}

/// A text, a number or a yes-or-no.
pub(super) fn scalar(kind: &str, schema: &Map<String, Value>) -> Result<Map<String, Value>, Unsayable> {
    let mut made = of_type(kind);
    let mut sentences = Vec::new();
    let fits = |value: &Value| match kind {
        "string" => value
            .as_str()
            .is_some_and(|text| !text.is_empty() && text.chars().count() <= MAX_VALUE),
        "integer" => value.is_i64(),
        "number" => value.is_i64() || value.is_f64(),
        "boolean" => value.is_boolean(),
        _ => false,
    };
    let constant = schema.get("const").map(|value| vec![value.clone()]);
    let listed = schema.get("enum").and_then(Value::as_array).cloned();
    let mut values: Vec<Value> = Vec::new();
    for value in constant.or(listed).unwrap_or_default() {
        if fits(&value) && !values.contains(&value) {
            values.push(value);
        }
    }
    if values.len() > MAX_VALUES {
        let some: Vec<String> = values.iter().take(5).map(Value::to_string).collect();
        sentences.push(format!(
            "One of {} values, such as {}.",
            values.len(),
            some.join(", ")
        ));
    } else if !values.is_empty() {
        made.insert("enum".to_owned(), Value::Array(values));
    }
    match kind {
        "string" => {
            if matches!(schema.get("format").and_then(Value::as_str), Some("binary")) {
                return Err(Unsayable::Binary);
            }
            keep_counts(schema, &["minLength", "maxLength"], &mut made);
            let format = schema.get("format").and_then(Value::as_str);
            if let Some(format) = format.filter(|format| is_format(format)) {
                made.insert("format".to_owned(), json!(format));
            }
            // As words: not every pattern that a vendor writes runs in linear time.
            let pattern = schema.get("pattern").and_then(Value::as_str);
            if let Some(pattern) = pattern.filter(|pattern| pattern.chars().count() <= MAX_SHOWN) {
                sentences.push(format!(
                    "Matches the regular expression {}.",
                    words::visible(pattern)
                ));
            }
        }
        "integer" | "number" => {
            keep_bounds(kind, schema, &mut made);
        }
        _ => {}
    }
    if let Some(default) = schema.get("default").filter(|value| fits(value)) {
        let known = made.get("enum").and_then(Value::as_array);
        if known.is_none_or(|known| known.contains(default)) {
            made.insert("default".to_owned(), default.clone());
        }
    }
    let example = schema
        .get("example")
        .or_else(|| schema.get("examples")?.as_array()?.first());
    if let Some(example) = example.filter(|value| fits(value) && !made.contains_key("enum"))
        && example.to_string().chars().count() <= MAX_SHOWN
    {
        sentences.push(format!("Example: {}.", words::visible(&example.to_string())));
    }
    if !sentences.is_empty() {
        made.insert(FOLDED.to_owned(), json!(sentences.join(" ")));
    }
    Ok(made)
}

/// Formats are hints to a reader, so any plain word will do.
fn is_format(format: &str) -> bool {
    (1..=30).contains(&format.len())
        && format
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Keeps limits of length that are counts.
pub(super) fn keep_counts(schema: &Map<String, Value>, keywords: &[&str; 2], made: &mut Map<String, Value>) {
    let count = |keyword: &str| {
        let count = schema.get(keyword)?.as_u64()?;
        (count <= u64::from(u32::MAX)).then_some(count)
    };
    let (least, most) = (count(keywords[0]), count(keywords[1]));
    if least.zip(most).is_some_and(|(least, most)| least > most) {
        return;
    }
    for (keyword, count) in keywords.iter().zip([least.filter(|least| *least > 0), most]) {
        if let Some(count) = count {
            made.insert((*keyword).to_owned(), json!(count));
        }
    }
}

/// Keeps the bounds of a number. OpenAPI 3.0 says by a flag beside a bound that it is not a value itself.
fn keep_bounds(kind: &str, schema: &Map<String, Value>, made: &mut Map<String, Value>) {
    let fits = |value: &&Value| value.is_i64() || (kind == "number" && value.is_f64());
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        let own = schema.get(bound).filter(fits);
        match (own, schema.get(exclusive)) {
            (Some(value), Some(Value::Bool(true))) => {
                made.insert(exclusive.to_owned(), value.clone());
            }
            (_, Some(value)) if fits(&value) => {
                made.insert(exclusive.to_owned(), value.clone());
            }
            (Some(value), _) => {
                made.insert(bound.to_owned(), value.clone());
            }
            (None, _) => {}
        }
    }
}

/// Makes null a value of a schema.
pub(super) fn add_null(made: &mut Map<String, Value>) {
    // Of alternatives, one takes null as well.
    let holder = match made.get_mut("anyOf") {
        Some(Value::Array(branches)) => branches.first_mut().and_then(Value::as_object_mut),
        _ => Some(&mut *made),
    };
    if let Some(kind) = holder
        .and_then(|holder| holder.get_mut("type"))
        .filter(|kind| kind.is_string())
    {
        *kind = json!([kind.clone(), "null"]);
    }
    if let Some(Value::Array(values)) = made.get("enum") {
        // TOML has no null, so a list of values cannot hold it.
        let words = values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
        made.insert(FOLDED.to_owned(), json!(format!("One of {words}, or null.")));
        made.remove("enum");
    }
}

/// Adds an alternative to others: one of the same kind takes it in.
pub(super) fn join(mut made: Map<String, Value>, branches: &mut Vec<Map<String, Value>>) {
    made.remove("description");
    made.remove(FOLDED);
    let whole = |kind: Option<&Value>| kind == Some(&json!("integer")) || kind == Some(&json!("number"));
    let same = branches.iter_mut().find(|known| {
        known.get("type") == made.get("type") || (whole(known.get("type")) && whole(made.get("type")))
    });
    let Some(known) = same else {
        // An `anyOf` of its own is taken apart: alternatives stand side by side.
        if let Some(Value::Array(inner)) = made.remove("anyOf") {
            for branch in inner {
                if let Value::Object(branch) = branch {
                    join(branch, branches);
                }
            }
        } else {
            branches.push(made);
        }
        return;
    };
    if known.get("type") == Some(&json!("array")) {
        return;
    }
    let kind = if known.get("type") == made.get("type") {
        known.get("type").cloned()
    } else {
        Some(json!("number"))
    };
    let values = match (known.get("enum"), made.get("enum")) {
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            let mut all = one.clone();
            all.extend(other.iter().filter(|value| !one.contains(value)).cloned());
            (all.len() <= MAX_VALUES).then_some(all)
        }
        _ => None,
    };
    *known = Map::new();
    known.extend(kind.map(|kind| ("type".to_owned(), kind)));
    known.extend(values.map(|values| ("enum".to_owned(), Value::Array(values))));
}

/// Whether an object requires every member that it names.
pub(super) fn requires_all(object: &Map<String, Value>) -> bool {
    let members = object
        .get("properties")
        .and_then(Value::as_object)
        .map_or(0, Map::len);
    let required = object
        .get("required")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    members == required
}
