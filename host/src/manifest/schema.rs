//! Schemas of tools: as callers see them, and made into validators.

use std::borrow::Cow;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Value, json};
use valetkey_manifest::tool::FILE_FORMAT;

use valetkey_manifest::Tool;
use valetkey_manifest::tool::Paging;

/// The most items that one call answers, however many pages of the vendor that takes.
const MAX_LIMIT: u32 = 1_000;

/// The input schema that callers see: the declared one, with `limit` and `cursor` where the tool
/// pages.
#[must_use]
pub fn shown_input(tool: &Tool) -> Cow<'_, Value> {
    match &tool.paging {
        Some(paging) => Cow::Owned(with_paging(&tool.input, paging)),
        None => Cow::Borrowed(&tool.input),
    }
}

/// Adds `limit` and `cursor`, which the host takes out again before the guest sees the input.
fn with_paging(schema: &Value, paging: &Paging) -> Value {
    let mut schema = schema.clone();
    let Some(object) = schema.as_object_mut() else {
        return schema;
    };
    let properties = object.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties.insert(
            "limit".to_owned(),
            json!({
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_LIMIT,
                "default": paging.default_limit,
                "description": "How many items to return at most. More than one page of the vendor is fetched when needed.",
            }),
        );
        properties.insert(
            "cursor".to_owned(),
            json!({
                "type": "string",
                "maxLength": 8192,
                "description": "The next_cursor of the answer before, to go on where it ended; repeat the other parameters unchanged.",
            }),
        );
    }
    schema
}

/// A validator of a tool's schema (JSON Schema 2020-12) that looks nothing up elsewhere. `format`
/// is a hint to models and not a check.
/// Patterns run in linear time, so that neither a manifest nor an input can make one run long.
///
/// # Errors
/// The schema cannot be used, and why.
pub fn validator(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(false)
        .with_pattern_options(PatternOptions::regex())
        .offline()
        .build(schema)
        .map_err(|error| format!("the schema cannot be used: {error}"))
}

/// The parameters of a tool that are ids of files, which the host checks before a call.
pub fn file_parameters(input: &Value) -> impl Iterator<Item = &str> {
    let properties = input.get("properties").and_then(Value::as_object);
    let properties = properties.into_iter().flatten();
    properties
        .filter(|(_, schema)| schema.get("format").and_then(Value::as_str) == Some(FILE_FORMAT))
        .map(|(name, _)| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_that_points_elsewhere_is_refused() {
        let schema =
            json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/schema.json"}}});
        assert!(validator(&schema).is_err());
        let schema = json!({"$ref": "file:///etc/passwd"});
        assert!(validator(&schema).is_err());
    }

    #[test]
    fn a_pattern_that_needs_backtracking_is_refused() {
        assert!(validator(&json!({"type": "string", "pattern": "^(?=a)a+$"})).is_err());
        let linear = validator(&json!({"type": "string", "pattern": "^(a+)+$"})).unwrap();
        assert!(!linear.is_valid(&json!(format!("{}b", "a".repeat(100_000)))));
    }

    fn paging() -> Paging {
        Paging {
            items: "/results".to_owned(),
            max_page_size: 100,
            default_limit: 20,
            paginator: None,
        }
    }

    #[test]
    fn a_paged_tool_shows_limit_and_cursor() {
        let declared = json!({"type": "object", "properties": {"query": {"type": "string"}}, "additionalProperties": false});
        let schema = with_paging(&declared, &paging());
        let validator = validator(&schema).unwrap();
        assert!(validator.is_valid(&json!({"query": "a", "limit": 150, "cursor": "x"})));
        assert!(!validator.is_valid(&json!({"limit": 0})));
        assert!(!validator.is_valid(&json!({"limit": 1_001})));
        assert!(!validator.is_valid(&json!({"page": 2})));
    }
}
