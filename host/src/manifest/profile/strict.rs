//! OpenAI's structured outputs (<https://platform.openai.com/docs/guides/structured-outputs>):
//! every property required, what is optional a union with null, no other members. Of the keywords
//! that constrain values it keeps those alone that every vendor of the format takes (`type`,
//! `enum`, `anyOf`); the others become sentences.
//!
//! Null for an optional property means that it is not given: `call` takes it so.

use serde_json::{Map, Value, json};

use super::{Misfits, branches, fold, is_open, is_required, kinds, properties};
use crate::manifest::absent::takes_null;
use crate::manifest::step;

/// Keywords that become sentences.
const FOLDED: [&str; 16] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "default",
    "examples",
];
/// Values of all enumerations of a schema together.
const MAX_ENUM_VALUES: usize = 1_000;
/// Characters of all names of properties and values of enumerations together.
const MAX_CHARACTERS: usize = 120_000;

/// The schema of a tool's input.
pub(super) fn schema(input: &Value, misfits: &mut Misfits) -> Value {
    let mut size = Size::default();
    let empty = Map::new();
    let root = node(input.as_object().unwrap_or(&empty), "/input", &mut size, misfits);
    if size.enum_values > MAX_ENUM_VALUES {
        misfits.add(
            "/input",
            format!(
                "its enumerations have {} values in all and OpenAI takes {MAX_ENUM_VALUES}; describe the longest one in words",
                size.enum_values
            ),
        );
    }
    if size.characters > MAX_CHARACTERS {
        misfits.add(
            "/input",
            format!(
                "names and enumerations have {} characters in all and OpenAI takes {MAX_CHARACTERS}; shorten them",
                size.characters
            ),
        );
    }
    Value::Object(root)
}

#[derive(Default)]
struct Size {
    enum_values: usize,
    characters: usize,
}

fn node(
    schema: &Map<String, Value>,
    path: &str,
    size: &mut Size,
    misfits: &mut Misfits,
) -> Map<String, Value> {
    let mut strict = Map::new();
    let mut sentences = Vec::new();
    if let Some(kind) = schema.get("type") {
        strict.insert("type".to_owned(), kind.clone());
    }
    let constant = schema.get("const").map(|value| vec![value.clone()]);
    let listed = schema.get("enum").and_then(Value::as_array).cloned();
    if let Some(values) = constant.or(listed) {
        size.enum_values += values.len();
        size.characters += values.iter().map(|value| value.to_string().len()).sum::<usize>();
        strict.insert("enum".to_owned(), Value::Array(values));
    }
    if let Some(items) = schema.get("items").and_then(Value::as_object) {
        let items = node(items, &format!("{path}/items"), size, misfits);
        strict.insert("items".to_owned(), Value::Object(items));
    }
    let alternatives: Vec<Value> = branches(schema)
        .filter_map(Value::as_object)
        .enumerate()
        .map(|(index, branch)| {
            let path = format!("{path}/anyOf/{index}");
            if properties(branch).any(|(name, _)| !is_required(branch, name)) {
                misfits.add(
                    &path,
                    "it is an alternative with an optional member, whose null could not be told from another alternative's value; make its members required, or take another parameter",
                );
            }
            Value::Object(node(branch, &path, size, misfits))
        })
        .collect();
    if !alternatives.is_empty() {
        strict.insert("anyOf".to_owned(), Value::Array(alternatives));
    }
    if kinds(schema).contains(&"object") {
        members(schema, path, &mut strict, size, misfits);
        if is_open(schema) {
            if properties(schema).next().is_none() {
                misfits.add(
                    path,
                    "members of any name cannot be given there; declare the usual ones, or take an array of names with values",
                );
            }
            sentences.push("No other members can be given here.".to_owned());
        }
    }
    if let Some(text) = fold::description(schema, &FOLDED, &sentences) {
        strict.insert("description".to_owned(), Value::String(text));
    }
    strict
}

fn members(
    schema: &Map<String, Value>,
    path: &str,
    strict: &mut Map<String, Value>,
    size: &mut Size,
    misfits: &mut Misfits,
) {
    let mut all = Map::new();
    for (name, property) in properties(schema) {
        let Some(declared) = property.as_object() else {
            continue;
        };
        let path = format!("{path}/properties/{}", step(name));
        size.characters += name.len();
        let mut member = node(declared, &path, size, misfits);
        if !is_required(schema, name) {
            if takes_null(property) {
                misfits.add(
                    &path,
                    "it is optional and null is a value of it, so leaving it out could not be told from clearing it; make it required, or clear by another parameter",
                );
            }
            add_null(&mut member);
        }
        all.insert(name.clone(), Value::Object(member));
    }
    let names: Vec<&String> = all.keys().collect();
    strict.insert("required".to_owned(), json!(names));
    strict.insert("properties".to_owned(), Value::Object(all));
    strict.insert("additionalProperties".to_owned(), Value::Bool(false));
}

fn add_null(member: &mut Map<String, Value>) {
    match member.get_mut("type") {
        Some(Value::Array(kinds)) if kinds.contains(&json!("null")) => {}
        Some(Value::Array(kinds)) => kinds.push(json!("null")),
        Some(kind) => *kind = json!([kind.clone(), "null"]),
        None => {}
    }
    if let Some(Value::Array(values)) = member.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    if let Some(Value::Array(branches)) = member.get_mut("anyOf") {
        branches.push(json!({"type": "null"}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped(input: &Value) -> (Value, Vec<String>) {
        let mut misfits = Misfits::default();
        let schema = schema(input, &mut misfits);
        let places = misfits.0.into_iter().map(|problem| problem.path).collect();
        (schema, places)
    }

    #[test]
    fn what_is_optional_takes_null_and_constraints_become_sentences() {
        let input = json!({"type": "object", "additionalProperties": false, "required": ["id"], "properties": {
            "id": {"type": "string", "minLength": 1, "description": "Its id."},
            "kind": {"type": "string", "enum": ["a", "b"], "default": "a", "description": "Its kind."},
            "size": {"anyOf": [{"type": "integer", "maximum": 3}, {"type": "string"}], "description": "Its size."},
            "rest": {"type": "object", "additionalProperties": true, "description": "More.",
                     "properties": {"x": {"type": ["string"], "description": "X."}}},
        }});
        let wanted = json!({"type": "object", "additionalProperties": false, "required": ["id", "kind", "rest", "size"],
        "properties": {
            "id": {"type": "string", "description": "Its id. At least 1 character."},
            "kind": {"type": ["string", "null"], "enum": ["a", "b", null], "description": "Its kind. Default: \"a\"."},
            "size": {"anyOf": [{"type": "integer", "description": "At most 3."}, {"type": "string"}, {"type": "null"}],
                     "description": "Its size."},
            "rest": {"type": ["object", "null"], "additionalProperties": false, "required": ["x"],
                     "description": "More. No other members can be given here.",
                     "properties": {"x": {"type": ["string", "null"], "description": "X."}}},
        }});
        let (mut schema, places) = shaped(&input);
        let required = schema["required"].as_array_mut().expect("a list");
        required.sort_by_key(Value::to_string);
        assert_eq!(schema, wanted);
        assert!(places.is_empty(), "{places:?}");
    }

    #[test]
    fn what_cannot_be_said_is_a_misfit_at_its_place() {
        let input = json!({"type": "object", "additionalProperties": false, "properties": {
            "clear": {"type": ["string", "null"], "description": "Null clears it."},
            "either": {"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": false,
                       "properties": {"x": {"type": "string"}}}], "description": "A text or an x."},
            "map": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Any names."},
        }});
        let (_, places) = shaped(&input);
        let wanted = [
            "/input/properties/clear",
            "/input/properties/either/anyOf/1",
            "/input/properties/map",
        ];
        assert_eq!(places, wanted);
        let many: Vec<String> = (0..250).map(|number| format!("value-{number}")).collect();
        let property = json!({"type": "string", "enum": many, "description": "One of many."});
        let input = json!({"type": "object", "required": ["a", "b", "c", "d", "e"], "additionalProperties": false,
            "properties": {"a": property, "b": property, "c": property, "d": property, "e": property}});
        assert_eq!(shaped(&input).1, ["/input"]);
    }
}
