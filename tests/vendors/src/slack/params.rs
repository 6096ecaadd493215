//! The arguments of a method: in the query, in a form, or in JSON.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::Refusal;
use crate::text::parse_form;

/// Arguments by name; those of a query and a form are texts.
pub(super) struct Params(Map<String, Value>);

impl Params {
    /// Reads the arguments of a request.
    pub(super) fn read(headers: &HeaderMap, query: &str, body: &[u8]) -> Result<Self, Refusal> {
        let mut all: Map<String, Value> = parse_form(query)
            .into_iter()
            .map(|(name, value)| (name, Value::String(value)))
            .collect();
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if body.is_empty() {
            return Ok(Self(all));
        }
        if kind.starts_with("application/json") {
            match serde_json::from_slice(body) {
                Ok(Value::Object(members)) => all.extend(members),
                Ok(_) => return Err("json_not_object".into()),
                Err(_) => return Err("invalid_json".into()),
            }
        } else if kind.starts_with("application/x-www-form-urlencoded") {
            let fields = parse_form(&String::from_utf8_lossy(body));
            all.extend(
                fields
                    .into_iter()
                    .map(|(name, value)| (name, Value::String(value))),
            );
        } else {
            return Err("invalid_post_type".into());
        }
        Ok(Self(all))
    }

    /// A text that is there and not empty; numbers and flags of JSON as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// A text that has to be there.
    pub(super) fn need(&self, name: &str) -> Result<String, Refusal> {
        self.text(name).ok_or_else(|| Refusal::argument(name))
    }

    /// A text that may be empty.
    pub(super) fn plain(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Whether a flag is set.
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.text(name).as_deref(), Some("true" | "1"))
    }

    /// A number of items, or of a page.
    pub(super) fn number(&self, name: &str, usual: usize) -> Result<usize, Refusal> {
        match self.text(name) {
            None => Ok(usual),
            Some(text) => text.parse().map_err(|_| Refusal::argument(name)),
        }
    }

    /// A value that a form holds as the text of JSON.
    pub(super) fn json(&self, name: &str) -> Result<Option<Value>, serde_json::Error> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some),
            Some(other) => Ok(Some(other.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_and_json_say_the_same() {
        let headers = |kind: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
            headers
        };
        let form = Params::read(
            &headers("application/x-www-form-urlencoded"),
            "",
            b"channel=C1&is_private=true&blocks=%5B%7B%7D%5D",
        )
        .unwrap();
        let json = Params::read(
            &headers("application/json; charset=utf-8"),
            "",
            br#"{"channel": "C1", "is_private": true, "blocks": [{}]}"#,
        )
        .unwrap();
        for params in [form, json] {
            assert_eq!(params.text("channel").as_deref(), Some("C1"));
            assert!(params.flag("is_private"));
            assert_eq!(params.json("blocks").unwrap(), Some(serde_json::json!([{}])));
            assert!(params.need("text").is_err());
        }
    }
}
