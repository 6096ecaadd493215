//! A token endpoint's answer as a tree that pointers lead through, whatever it is written in.

use serde_json::{Map, Value};

use super::super::TokenAnswer;
use super::xml;

/// Reads a body: JSON, a form or XML, else one text.
///
/// # Errors
/// A form with a field twice: readers disagree about which one counts.
pub(super) fn read(answer: &TokenAnswer) -> Result<Value, &'static str> {
    let body = answer.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&answer.body);
    let media_type = answer.content_type.as_deref().unwrap_or_default();
    if media_type.starts_with("application/x-www-form-urlencoded") {
        return form(body);
    }
    let text = String::from_utf8_lossy(body);
    let is_xml = media_type
        .split(';')
        .next()
        .is_some_and(|kind| kind.trim_end().ends_with("xml"));
    if is_xml && !media_type.contains("xhtml") || text.trim_start().starts_with("<?xml") {
        return Ok(xml::read(&text).unwrap_or_else(|| Value::from(text.into_owned())));
    }
    // Vendors call JSON many things (`text/plain`, `text/javascript`); only its form tells.
    Ok(serde_json::from_slice(body).unwrap_or_else(|_| Value::from(text.into_owned())))
}

fn form(body: &[u8]) -> Result<Value, &'static str> {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        let value = Value::from(value.into_owned());
        if fields.insert(name.into_owned(), value).is_some() {
            return Err("the token endpoint answered a form with a field twice");
        }
    }
    Ok(Value::Object(fields))
}

/// A text, number or truth as a text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::*;

    fn reading(content_type: &str, body: &'static str) -> Result<Value, &'static str> {
        read(&TokenAnswer {
            status: StatusCode::OK,
            content_type: Some(content_type.to_owned()),
            retry_after: None,
            body: body.into(),
        })
    }

    #[test]
    fn answers_are_read_by_what_they_are() {
        assert_eq!(reading("text/plain", "{\"a\":1}"), Ok(json!({"a": 1})));
        assert_eq!(
            reading("application/x-www-form-urlencoded; charset=utf-8", "a=1%202&b="),
            Ok(json!({"a": "1 2", "b": ""}))
        );
        assert!(reading("application/x-www-form-urlencoded", "a=1&a=2").is_err());
        assert_eq!(
            reading("application/soap+xml; charset=utf-8", "<t><a>1</a></t>"),
            Ok(json!({"t": {"a": "1"}}))
        );
        assert_eq!(reading("text/plain", "the-token"), Ok(json!("the-token")));
        assert_eq!(reading("text/xml", "<t>"), Ok(json!("<t>")));
        assert_eq!(reading("text/html", "<html></html>"), Ok(json!("<html></html>")));
    }
}
