//! JSON Schema in the portable subset: what every model's tool interface takes. An object at the
//! root, a description on every property, no references, no combinators at the root.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Complaints, step};

/// Keywords of the portable subset.
const KEYWORDS: [&str; 27] = [
    "type",
    "title",
    "description",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "default",
    "examples",
    "anyOf",
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
    MIRRORED,
];
/// Has MCP clients send a parameter as a header too, by which gateways route (SEP-2243).
const MIRRORED: &str = "x-mcp-header";
const MAX_DEPTH: usize = 10;
const MAX_PROPERTIES: usize = 500;
const MAX_ENUM: usize = 250;

/// Checks the schema of a tool's input that its author says is outside the portable subset: still
/// an object of named parameters.
pub(super) fn check_wide_input(schema: &Value, path: &str, complaints: &mut Complaints) {
    complaints.expect(
        schema.get("type") == Some(&Value::from("object"))
            && schema.get("properties").is_some_and(Value::is_object),
        path,
        "is an object with `properties` at the root: models give parameters by name",
    );
    expect_usable(schema, path, complaints);
}

/// Checks the schema of a tool's input.
pub(super) fn check_input(schema: &Value, path: &str, complaints: &mut Complaints) {
    let before = complaints.0.len();
    let Some(root) = schema.as_object() else {
        complaints.add(path, "is not a JSON Schema object");
        return;
    };
    complaints.expect(
        root.get("type") == Some(&Value::from("object")),
        format!("{path}/type"),
        "is `object` at the root: models give parameters by name",
    );
    complaints.expect(
        root.get("properties").is_some_and(Value::is_object),
        format!("{path}/properties"),
        "is missing; a tool without parameters says `properties = {}`",
    );
    complaints.expect(
        root.get("additionalProperties") == Some(&Value::Bool(false)),
        format!("{path}/additionalProperties"),
        "is `false` at the root, so that a misspelt parameter is an error and not lost",
    );
    complaints.expect(
        !root.contains_key("anyOf"),
        format!("{path}/anyOf"),
        "some models refuse combinators at the root; describe the alternatives in words",
    );
    let mut properties = 0;
    node(root, path, 1, &mut properties, complaints);
    complaints.expect(
        properties <= MAX_PROPERTIES,
        path,
        format!("has {properties} properties in all; {MAX_PROPERTIES} is the most that models take"),
    );
    if complaints.0.len() == before {
        expect_usable(schema, path, complaints);
    }
}

/// Checks the schema of a tool's output: any schema that can be checked and describes an object.
pub(super) fn check_output(schema: &Value, path: &str, complaints: &mut Complaints) {
    complaints.expect(
        schema.get("type") == Some(&Value::from("object")),
        format!("{path}/type"),
        "is `object` at the root: clients read structured results by name",
    );
    expect_usable(schema, path, complaints);
}

fn expect_usable(schema: &Value, path: &str, complaints: &mut Complaints) {
    if let Err(problem) = crate::manifest::validator(schema) {
        complaints.add(path, problem);
    }
}

fn node(
    schema: &Map<String, Value>,
    path: &str,
    depth: usize,
    properties: &mut usize,
    complaints: &mut Complaints,
) {
    if depth > MAX_DEPTH {
        complaints.add(
            path,
            format!("is nested more than {MAX_DEPTH} deep; flatten the parameters"),
        );
        return;
    }
    for keyword in schema.keys() {
        complaints.expect(
            KEYWORDS.contains(&keyword.as_str()),
            format!("{path}/{}", step(keyword)),
            format!(
                "`{keyword}` is outside the portable subset of JSON Schema; write the schema out without it"
            ),
        );
    }
    let kinds: Vec<_> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let real: Vec<_> = kinds.iter().filter(|kind| **kind != "null").collect();
    complaints.expect(
        real.len() == 1 || schema.contains_key("anyOf"),
        format!("{path}/type"),
        "names exactly one type (and `null` beside it, where clearing a value is meant)",
    );
    if let Some(name) = schema.get(MIRRORED) {
        let token = name.as_str().is_some_and(|name| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
        complaints.expect(
            token
                && real
                    .iter()
                    .all(|kind| matches!(**kind, "string" | "integer" | "boolean")),
            format!("{path}/{MIRRORED}"),
            "is a name of letters, digits and `-`, on a text, a whole number or a yes-or-no",
        );
    }
    if kinds.contains(&"object") {
        object(schema, path, depth, properties, complaints);
    }
    if kinds.contains(&"array") {
        match schema.get("items").and_then(Value::as_object) {
            Some(items) => node(items, &format!("{path}/items"), depth + 1, properties, complaints),
            None => complaints.add(format!("{path}/items"), "is missing; say what the array holds"),
        }
    }
    if let Some(values) = schema.get("enum") {
        let count = values.as_array().map_or(0, Vec::len);
        complaints.expect(
            (1..=MAX_ENUM).contains(&count),
            format!("{path}/enum"),
            format!("lists 1 to {MAX_ENUM} values"),
        );
    }
    let alternatives = schema.get("anyOf").and_then(Value::as_array);
    for (index, alternative) in alternatives.into_iter().flatten().enumerate() {
        let path = format!("{path}/anyOf/{index}");
        match alternative.as_object() {
            Some(alternative) => node(alternative, &path, depth + 1, properties, complaints),
            None => complaints.add(path, "is not a schema object"),
        }
    }
}

fn object(
    schema: &Map<String, Value>,
    path: &str,
    depth: usize,
    count: &mut usize,
    complaints: &mut Complaints,
) {
    let nothing = Map::new();
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&nothing);
    complaints.expect(
        schema.contains_key("additionalProperties"),
        format!("{path}/additionalProperties"),
        "is not said; write `false`, or `true` where any name is meant",
    );
    if let Some(others) = schema.get("additionalProperties").and_then(Value::as_object) {
        node(
            others,
            &format!("{path}/additionalProperties"),
            depth + 1,
            count,
            complaints,
        );
    }
    *count += properties.len();
    for (name, property) in properties {
        let path = format!("{path}/properties/{}", step(name));
        let Some(property) = property.as_object() else {
            complaints.add(path, "is not a schema object");
            continue;
        };
        let words = property.get("description").and_then(Value::as_str).unwrap_or("");
        complaints.expect_length(words, 3, 1_000, format!("{path}/description"));
        node(property, &path, depth + 1, count, complaints);
    }
    let mut seen = BTreeSet::new();
    let required = schema.get("required").and_then(Value::as_array);
    for (index, name) in required.into_iter().flatten().enumerate() {
        let known = name.as_str().is_some_and(|name| {
            let other = schema.get("additionalProperties") != Some(&Value::Bool(false));
            (properties.contains_key(name) || other) && seen.insert(name.to_owned())
        });
        complaints.expect(
            known,
            format!("{path}/required/{index}"),
            format!("{name} is not one of the properties, or is there twice"),
        );
    }
}
