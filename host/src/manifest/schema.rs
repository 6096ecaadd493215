//! Schemas of tools, made into validators.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

/// A validator of a tool's schema (JSON Schema 2020-12) that looks nothing up elsewhere. `format` is a hint to models and not a check.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

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
}
