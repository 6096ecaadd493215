//! Constraints as sentences: what a shape has no keyword for is said in the description, so that
//! the model knows it. The host checks every call against the whole schema in any case.

use serde_json::{Map, Value};

/// The description of a schema with a sentence for each of `keywords` that it has.
pub(super) fn description(schema: &Map<String, Value>, keywords: &[&str], more: &[String]) -> Option<String> {
    let own = schema
        .get("description")
        .and_then(Value::as_str)
        .map(|text| text.trim().to_owned());
    let folded = keywords
        .iter()
        .filter_map(|keyword| sentence(keyword, schema.get(*keyword)?));
    let parts: Vec<String> = own
        .into_iter()
        .filter(|text| !text.is_empty())
        .chain(folded)
        .chain(more.iter().cloned())
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn sentence(keyword: &str, value: &Value) -> Option<String> {
    Some(match keyword {
        "default" => format!("Default: {}.", shown(value)),
        "examples" => format!("Examples: {}.", listed(value)),
        "const" => format!("Always {}.", shown(value)),
        "enum" => format!("One of: {}.", listed(value)),
        "minimum" => format!("At least {value}."),
        "maximum" => format!("At most {value}."),
        "exclusiveMinimum" => format!("Greater than {value}."),
        "exclusiveMaximum" => format!("Less than {value}."),
        "multipleOf" => format!("A multiple of {value}."),
        "minLength" => format!("At least {}.", counted(value, "character")),
        "maxLength" => format!("At most {}.", counted(value, "character")),
        "pattern" => format!("Matches the regular expression {}.", shown(value)),
        "format" => format!("Format: {}.", value.as_str().unwrap_or_default()),
        "minItems" => format!("At least {}.", counted(value, "item")),
        "maxItems" => format!("At most {}.", counted(value, "item")),
        "uniqueItems" if *value == Value::Bool(true) => "No item twice.".to_owned(),
        "minProperties" => format!("At least {}.", counted(value, "member")),
        "maxProperties" => format!("At most {}.", counted(value, "member")),
        _ => return None,
    })
}

/// A value as a model reads it: texts with their quotes.
fn shown(value: &Value) -> String {
    value.to_string()
}

fn listed(values: &Value) -> String {
    let values = values.as_array().into_iter().flatten();
    values.map(shown).collect::<Vec<_>>().join(", ")
}

fn counted(number: &Value, noun: &str) -> String {
    match number.as_u64() {
        Some(1) => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
