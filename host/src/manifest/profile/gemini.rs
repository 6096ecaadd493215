//! Gemini's function declarations (<https://ai.google.dev/api/caching#Schema>): a subset of
//! OpenAPI 3.0's schemas, where null is a flag, an enumeration holds texts alone, an object names
//! its members, and `anyOf` stands alone.

use serde_json::{Map, Value, json};

use super::{Misfits, branches, fold, is_open, kinds, properties};
use crate::manifest::step;

/// Keywords that are kept as they are.
const KEPT: [&str; 9] = [
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
];
/// Keywords that become sentences.
const FOLDED: [&str; 6] = [
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "uniqueItems",
    "default",
    "examples",
];
/// Formats that are known there; others make it refuse the request.
const FORMATS: [&str; 5] = ["float", "double", "int32", "int64", "date-time"];

/// The schema of a tool's input; none for a tool without parameters, since an object without
/// members is refused.
pub(super) fn schema(input: &Value, misfits: &mut Misfits) -> Option<Value> {
    let root = input.as_object()?;
    properties(root).next()?;
    Some(Value::Object(node(root, "/input", misfits)))
}

fn node(schema: &Map<String, Value>, path: &str, misfits: &mut Misfits) -> Map<String, Value> {
    let mut shaped = Map::new();
    let mut folded: Vec<&str> = FOLDED.to_vec();
    let mut sentences = Vec::new();

    let alternatives: Vec<(usize, &Map<String, Value>)> = branches(schema)
        .filter_map(Value::as_object)
        .enumerate()
        .filter(|(_, branch)| branch.get("type") != Some(&json!("null")))
        .collect();
    if !alternatives.is_empty() {
        return either(schema, &alternatives, path, misfits);
    }

    let kind = kinds(schema).first().copied();
    if let Some(kind) = kind {
        shaped.insert("type".to_owned(), json!(kind));
    }
    if takes_null(schema) {
        shaped.insert("nullable".to_owned(), json!(true));
    }
    match (values(schema), kind) {
        (Some(values), Some("string")) if values.iter().all(|value| is_text(value)) => {
            shaped.insert("enum".to_owned(), json!(values));
        }
        (Some(_), _) => folded.extend(["const", "enum"]),
        (None, _) => {}
    }
    match schema.get("format").and_then(Value::as_str) {
        Some(format) if FORMATS.contains(&format) => {
            shaped.insert("format".to_owned(), json!(format));
        }
        _ => folded.push("format"),
    }
    for keyword in KEPT {
        if let Some(value) = schema.get(keyword) {
            shaped.insert(keyword.to_owned(), value.clone());
        }
    }
    if let Some(items) = schema.get("items").and_then(Value::as_object) {
        let items = node(items, &format!("{path}/items"), misfits);
        shaped.insert("items".to_owned(), Value::Object(items));
    }
    if kind == Some("object") {
        let members: Map<String, Value> = properties(schema)
            .filter_map(|(name, property)| {
                let path = format!("{path}/properties/{}", step(name));
                let member = node(property.as_object()?, &path, misfits);
                Some((name.clone(), Value::Object(member)))
            })
            .collect();
        if members.is_empty() {
            misfits.add(
                path,
                "an object must name members there; declare the usual ones, or take an array of names with values",
            );
        } else if is_open(schema) {
            sentences.push("Other members may be given too.".to_owned());
        }
        shaped.insert("properties".to_owned(), Value::Object(members));
        let required = schema.get("required").and_then(Value::as_array);
        if let Some(required) = required.filter(|required| !required.is_empty()) {
            shaped.insert("required".to_owned(), json!(required));
        }
    }
    if let Some(text) = fold::description(schema, &folded, &sentences) {
        shaped.insert("description".to_owned(), Value::String(text));
    }
    shaped
}

/// `anyOf` stands alone: what is said of all alternatives is said of each.
fn either(
    schema: &Map<String, Value>,
    alternatives: &[(usize, &Map<String, Value>)],
    path: &str,
    misfits: &mut Misfits,
) -> Map<String, Value> {
    let shared = fold::description(schema, &FOLDED, &[]);
    let null = takes_null(schema);
    let mut shaped: Vec<Map<String, Value>> = alternatives
        .iter()
        .map(|(index, branch)| {
            let mut branch = node(branch, &format!("{path}/anyOf/{index}"), misfits);
            let own = branch.get("description").and_then(Value::as_str);
            let text: Vec<&str> = shared.as_deref().into_iter().chain(own).collect();
            if !text.is_empty() {
                branch.insert("description".to_owned(), json!(text.join(" ")));
            }
            if null {
                branch.insert("nullable".to_owned(), json!(true));
            }
            branch
        })
        .collect();
    if shaped.len() == 1 {
        return shaped.remove(0);
    }
    Map::from_iter([("anyOf".to_owned(), json!(shaped))])
}

/// The values of an enumeration or a constant, null aside.
fn values(schema: &Map<String, Value>) -> Option<Vec<&Value>> {
    let listed = schema.get("enum").and_then(Value::as_array);
    let values: Vec<&Value> = match listed {
        Some(values) => values.iter().collect(),
        None => vec![schema.get("const")?],
    };
    Some(values.into_iter().filter(|value| !value.is_null()).collect())
}

/// An empty text is no value of an enumeration there.
fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn takes_null(schema: &Map<String, Value>) -> bool {
    let null = json!("null");
    let in_types = schema
        .get("type")
        .and_then(Value::as_array)
        .is_some_and(|kinds| kinds.contains(&null));
    in_types || branches(schema).any(|branch| branch["type"] == null)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped(input: &Value) -> (Value, Vec<String>) {
        let mut misfits = Misfits::default();
        let schema = schema(input, &mut misfits).unwrap_or_default();
        let places = misfits.0.into_iter().map(|problem| problem.path).collect();
        (schema, places)
    }

    #[test]
    fn schemas_are_said_in_the_words_of_openapi_3_0() {
        let input = json!({"type": "object", "additionalProperties": false, "required": ["id"], "properties": {
            "id": {"type": "string", "format": "uuid", "title": "Id", "description": "Its id."},
            "when": {"type": ["string", "null"], "format": "date-time", "description": "When."},
            "level": {"type": "integer", "enum": [1, 2], "default": 1, "description": "How much."},
            "mood": {"type": "string", "enum": ["", "good"], "description": "How."},
            "size": {"anyOf": [{"type": "integer", "exclusiveMinimum": 3}, {"type": "string"}, {"type": "null"}],
                     "description": "Its size."},
            "rest": {"type": "object", "additionalProperties": true, "description": "More.",
                     "properties": {"x": {"const": "y", "type": "string", "description": "X."}}},
        }});
        let wanted = json!({"type": "object", "required": ["id"], "properties": {
            "id": {"type": "string", "description": "Its id. Format: uuid."},
            "when": {"type": "string", "nullable": true, "format": "date-time", "description": "When."},
            "level": {"type": "integer", "description": "How much. Default: 1. One of: 1, 2."},
            "mood": {"type": "string", "description": "How. One of: \"\", \"good\"."},
            "size": {"anyOf": [
                {"type": "integer", "nullable": true, "description": "Its size. Greater than 3."},
                {"type": "string", "nullable": true, "description": "Its size."}]},
            "rest": {"type": "object", "description": "More. Other members may be given too.",
                     "properties": {"x": {"type": "string", "enum": ["y"], "description": "X."}}},
        }});
        assert_eq!(shaped(&input), (wanted, Vec::new()));
    }

    #[test]
    fn an_object_that_names_no_members_is_a_misfit_but_at_the_root() {
        let nothing = json!({"type": "object", "additionalProperties": false, "properties": {}});
        assert_eq!(shaped(&nothing), (Value::Null, Vec::new()));
        let input = json!({"type": "object", "additionalProperties": false, "properties": {
            "map": {"type": "object", "additionalProperties": true, "description": "Any names."},
        }});
        assert_eq!(shaped(&input).1, ["/input/properties/map"]);
    }
}
