//! Documents: what is one, and its words.

use serde_json::{Value, json};

/// A text as a document of one paragraph.
pub(crate) fn document(text: &str) -> Value {
    json!({
        "type": "doc",
        "version": 1,
        "content": [{ "type": "paragraph", "content": [{ "type": "text", "text": text }] }],
    })
}

/// Whether a value is a document: `doc` of version 1 with blocks, and no text in it empty.
pub(crate) fn is_document(value: &Value) -> bool {
    value["type"] == "doc" && value["version"] == 1 && value["content"].is_array() && is_node(value)
}

fn is_node(node: &Value) -> bool {
    let texts = node["type"] != "text" || node["text"].as_str().is_some_and(|text| !text.is_empty());
    let mut below = node["content"].as_array().into_iter().flatten();
    node["type"].is_string() && texts && below.all(is_node)
}

/// The words of a document.
pub(crate) fn words(node: &Value) -> String {
    let own = node["text"].as_str().unwrap_or_default().to_owned();
    let below = node["content"].as_array().into_iter().flatten().map(words);
    below.fold(own, |all, more| format!("{all} {more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_told_from_what_only_looks_like_one() {
        assert!(is_document(&document("Fixed.")));
        for wrong in [
            json!("Fixed."),
            json!({ "type": "doc", "content": [] }),
            json!({ "type": "paragraph", "version": 1, "content": [] }),
            document(""),
            json!({ "type": "doc", "version": 1, "content": [{ "text": "no type" }] }),
        ] {
            assert!(!is_document(&wrong), "{wrong}");
        }
        assert_eq!(words(&document("Fixed.")).trim(), "Fixed.");
    }
}
