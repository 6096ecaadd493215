//! A tool as MCP describes one: everything from the reviewed manifest, nothing from the component
//! at run time.

use std::sync::Arc;

use rmcp::model::{JsonObject, MetaObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use crate::servers::Exposed;

/// Members that the host adds to an answer that is not whole.
pub(super) const NEXT_CURSOR: &str = "next_cursor";
pub(super) const TRUNCATED: &str = "truncated";
pub(super) const HINT: &str = "hint";

/// A tool for `tools/list`.
pub(super) fn render(exposed: &Exposed) -> Tool {
    let tool = &exposed.tool;
    let declared = &tool.declared;
    let annotations = ToolAnnotations::from_raw(
        Some(declared.title.clone()),
        Some(declared.hints.read_only),
        Some(declared.hints.destructive),
        Some(declared.hints.idempotent),
        // Every tool reaches a vendor's data, which others write too.
        Some(true),
    );
    let mut meta = MetaObject::new();
    meta.0.insert(
        "valetkey/tool".to_owned(),
        json!({
            // Not its version: a list whose tools did not change stays the same.
            "connector": exposed.connector.as_str(),
            "tags": declared.tags,
        }),
    );
    let rendered = Tool::new(
        declared.name.clone(),
        declared.description.clone(),
        object(&tool.input_schema),
    )
    .with_title(declared.title.clone())
    .with_annotations(annotations)
    .with_meta(meta);
    match &declared.output {
        None => rendered,
        Some(schema) => rendered.with_raw_output_schema(object(&with_continuation(schema))),
    }
}

/// An output schema with the members that the host may add.
fn with_continuation(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(properties) = schema
        .as_object_mut()
        .map(|object| object.entry("properties").or_insert_with(|| json!({})))
        .and_then(Value::as_object_mut)
    {
        for (name, added) in [
            (
                NEXT_CURSOR,
                json!({"type": "string", "description": "For the next page: call again with this as `cursor`."}),
            ),
            (
                TRUNCATED,
                json!({"type": "boolean", "description": "Whether the answer was shortened."}),
            ),
            (
                HINT,
                json!({"type": "string", "description": "How to get the rest."}),
            ),
        ] {
            properties.insert(name.to_owned(), added);
        }
    }
    schema
}

pub(super) fn object(schema: &Value) -> Arc<JsonObject> {
    Arc::new(schema.as_object().cloned().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_adds_to_an_answer_is_in_its_schema() {
        let declared = json!({"type": "object", "properties": {"results": {"type": "array"}}, "additionalProperties": false});
        let schema = with_continuation(&declared);
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        assert!(
            validator.is_valid(&json!({"results": [], "next_cursor": "c", "truncated": true, "hint": "h"}))
        );
        assert!(!validator.is_valid(&json!({"results": [], "other": 1})));
    }
}
