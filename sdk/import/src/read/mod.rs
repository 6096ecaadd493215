//! One module per format, each from a document to the same [`crate::model::Api`].

pub(crate) mod discovery;
pub(crate) mod graphql;
pub(crate) mod openapi;
mod security;

use serde_json::Value;

/// A member's text; empty when it has none.
fn text(value: &Value, member: &str) -> String {
    value
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// A member's texts, when it is a list of them.
fn texts(value: &Value, member: &str) -> Vec<String> {
    let items = value.get(member).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn flag(value: &Value, member: &str) -> bool {
    value.get(member).and_then(Value::as_bool).unwrap_or(false)
}
