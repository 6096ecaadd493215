//! Null for what is left out: models that are made to give every parameter give null for those
//! that they do not want, and some do so unasked.
//!
//! Called by `call` when an input does not satisfy its schema as it came, and by the profiles. A
//! null that the schema takes is a value and stays.

use serde_json::{Map, Value};

/// Takes out of `input` every null that stands at an optional property whose schema does not take
/// null, at any depth of objects and arrays. Answers whether it took out any.
pub fn take_out_absent(schema: &Value, input: &mut Value) -> bool {
    match input {
        Value::Object(members) => {
            let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
                return false;
            };
            let before = members.len();
            members.retain(|name, value| {
                let left_out = value.is_null()
                    && !is_required(schema, name)
                    && properties.get(name).is_some_and(|property| !takes_null(property));
                !left_out
            });
            let mut taken = members.len() < before;
            for (name, value) in members {
                if let Some(property) = properties.get(name) {
                    taken |= take_out_absent(property, value);
                }
            }
            taken
        }
        Value::Array(elements) => {
            let Some(items) = schema.get("items") else {
                return false;
            };
            let taken = elements.iter_mut().map(|element| take_out_absent(items, element));
            taken.fold(false, |any, taken| any | taken)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether null satisfies a schema of the portable subset.
pub(super) fn takes_null(schema: &Value) -> bool {
    let Some(schema) = schema.as_object() else {
        return schema != &Value::Bool(false);
    };
    let by_type = match schema.get("type") {
        None => true,
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "null"),
        Some(kind) => kind == "null",
    };
    by_type && by_value(schema) && by_alternative(schema)
}

fn by_value(schema: &Map<String, Value>) -> bool {
    let listed = schema
        .get("enum")
        .and_then(Value::as_array)
        .is_none_or(|values| values.contains(&Value::Null));
    listed && schema.get("const").is_none_or(Value::is_null)
}

fn by_alternative(schema: &Map<String, Value>) -> bool {
    schema
        .get("anyOf")
        .and_then(Value::as_array)
        .is_none_or(|branches| branches.iter().any(takes_null))
}

fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.into_iter().flatten().any(|required| required == name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_left_out_where_it_is_no_value_and_stays_where_it_is_one() {
        let schema = json!({"type": "object", "required": ["id"], "properties": {
            "id": {"type": "string"},
            "name": {"type": ["string", "null"]},
            "kind": {"type": "string", "enum": ["a"]},
            "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "integer"}}}},
        }});
        let mut input = json!({"id": null, "name": null, "kind": null, "size": null, "other": null,
                               "rows": [{"x": null}, {"x": 1}, null]});
        assert!(take_out_absent(&schema, &mut input));
        let left =
            json!({"id": null, "name": null, "size": null, "other": null, "rows": [{}, {"x": 1}, null]});
        assert_eq!(input, left);
        assert!(!take_out_absent(&schema, &mut input));
    }
}
