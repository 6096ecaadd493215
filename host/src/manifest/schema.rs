//! Schemas of tools: as callers see them, and made into validators.

use std::borrow::Cow;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Value, json};
use valetkey_manifest::Tool;
use valetkey_manifest::tool::{CONCISE, DETAILED, FILE_FORMAT, Paging, RESPONSE_FORMAT};

/// The most items that one call answers, however many pages of the vendor that takes.
const MAX_LIMIT: u32 = 1_000;

/// Parameters that the host adds to tools with pages.
pub(super) const PAGE_PARAMETERS: [&str; 2] = ["limit", "cursor"];
/// How many of the members that are left out the description of `response_format` names.
const NAMED_MEMBERS: usize = 4;

/// The input schema that callers see: the declared one, with `limit` and `cursor` where the tool
/// pages, and `response_format` where it leaves members out.
#[must_use]
pub fn shown_input(tool: &Tool) -> Cow<'_, Value> {
    let added = added_parameters(tool);
    if added.is_empty() {
        return Cow::Borrowed(&tool.input);
    }
    Cow::Owned(with_parameters(&tool.input, added))
}

/// The input schema as a tool's code sees it: the declared one, with `response_format` where the tool
/// leaves members out. `limit` and `cursor` stay with the host.
#[must_use]
pub fn guest_input(tool: &Tool) -> Cow<'_, Value> {
    match response_format(tool.concise()) {
        Some(format) => Cow::Owned(with_parameters(&tool.input, [(RESPONSE_FORMAT, format)])),
        None => Cow::Borrowed(&tool.input),
    }
}

fn with_parameters(input: &Value, added: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let mut schema = input.clone();
    if let Some(object) = schema.as_object_mut() {
        let properties = object.entry("properties").or_insert_with(|| json!({}));
        if let Some(properties) = properties.as_object_mut() {
            properties.extend(added.into_iter().map(|(name, schema)| (name.to_owned(), schema)));
        }
    }
    schema
}

fn added_parameters(tool: &Tool) -> Vec<(&'static str, Value)> {
    let paging = tool.paging.as_ref().map(paging).into_iter().flatten();
    let format = response_format(tool.concise()).map(|schema| (RESPONSE_FORMAT, schema));
    paging.chain(format).collect()
}

/// `limit` and `cursor`, which the host takes out again before the guest sees the input.
fn paging(paging: &Paging) -> [(&'static str, Value); 2] {
    let [limit, cursor] = PAGE_PARAMETERS;
    [
        (
            limit,
            json!({
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_LIMIT,
                "default": paging.default_limit,
                "description": "How many items to return at most. More than one page of the vendor is fetched when needed.",
            }),
        ),
        (
            cursor,
            json!({
                "type": "string",
                "maxLength": 8192,
                "description": "The next_cursor of the answer before, to go on where it ended; repeat the other parameters unchanged.",
            }),
        ),
    ]
}

/// `response_format`, which the guest sees too; none for a tool that leaves nothing out.
fn response_format(concise: &[String]) -> Option<Value> {
    if concise.is_empty() {
        return None;
    }
    let named = concise.get(..NAMED_MEMBERS).unwrap_or(concise).join(", ");
    let more = if concise.len() > NAMED_MEMBERS {
        " and more"
    } else {
        ""
    };
    Some(json!({
        "type": "string",
        "enum": [CONCISE, DETAILED],
        "default": CONCISE,
        "description": format!("`{DETAILED}` also returns what is rarely needed: {named}{more}"),
    }))
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

    fn tool(added: Value) -> Tool {
        let mut tool = json!({
            "name": "acme_things_list", "title": "List things", "description": "Lists things.",
            "hints": {"read_only": true, "destructive": false, "idempotent": true},
            "input": {"type": "object", "properties": {"query": {"type": "string"}}, "additionalProperties": false},
        });
        tool.as_object_mut()
            .expect("an object")
            .extend(added.as_object().expect("an object").clone());
        serde_json::from_value(tool).expect("a tool")
    }

    #[test]
    fn a_paged_tool_shows_limit_and_cursor() {
        let paged = tool(json!({"paging": {"items": "/results", "max_page_size": 100, "default_limit": 20}}));
        let validator = validator(&shown_input(&paged)).unwrap();
        assert!(validator.is_valid(&json!({"query": "a", "limit": 150, "cursor": "x"})));
        assert!(!validator.is_valid(&json!({"limit": 0})));
        assert!(!validator.is_valid(&json!({"limit": 1_001})));
        assert!(!validator.is_valid(&json!({"page": 2})));
        assert!(!validator.is_valid(&json!({"response_format": "detailed"})));
        assert_eq!(*guest_input(&paged), paged.input);
    }

    #[test]
    fn a_tool_that_leaves_members_out_shows_how_to_get_them() {
        let trimmed = tool(json!({"response": {"concise": ["a", "b", "c", "d", "e"]}}));
        let shown = shown_input(&trimmed);
        assert_eq!(*shown, *guest_input(&trimmed));
        let format = &shown["properties"]["response_format"];
        assert_eq!(format["default"], "concise");
        assert_eq!(
            format["description"],
            "`detailed` also returns what is rarely needed: a, b, c, d and more"
        );
        let validator = validator(&shown).unwrap();
        assert!(validator.is_valid(&json!({"query": "a", "response_format": "detailed"})));
        assert!(!validator.is_valid(&json!({"response_format": "short"})));
        assert!(!validator.is_valid(&json!({"limit": 1})));
    }

    #[test]
    fn a_plain_tool_shows_what_it_declares() {
        let plain = tool(json!({}));
        assert!(matches!(shown_input(&plain), Cow::Borrowed(_)));
        assert_eq!(*shown_input(&plain), plain.input);
    }
}
