//! The request that a tool's inputs fill in.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use valetkey_manifest::tool::{BodyFormat, Nested, Request};

use super::LeftOut;
use super::inputs::{Input, Place};
use crate::model::{Body, ListStyle, Operation};

/// The names in a path's placeholders; a path that no rule could permit is refused.
pub(super) fn placeholders(path: &str) -> Result<Vec<String>, LeftOut> {
    let refused = |why: &str| {
        Err(LeftOut::new(
            "its path cannot be declared",
            format!("its path {path:?} {why}"),
        ))
    };
    let Some(rest) = path.strip_prefix('/') else {
        return refused("does not begin with `/`");
    };
    let mut found = Vec::new();
    let segments: Vec<&str> = rest.split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        if segment.is_empty() && index + 1 < segments.len() {
            return refused("contains `//`");
        }
        let mut text = *segment;
        let mut fixed = String::new();
        while let Some(open) = text.find('{') {
            let Some(close) = text[open..].find('}').map(|at| at + open) else {
                return refused("has a brace that is not closed");
            };
            fixed.push_str(&text[..open]);
            let name = &text[open + 1..close];
            if name.is_empty()
                || name.starts_with(['+', '*', '?', '/', '.', ';', '&'])
                || name.contains(['{', '*'])
            {
                return refused("has a placeholder for more than one segment");
            }
            found.push(name.to_owned());
            text = &text[close + 1..];
        }
        fixed.push_str(text);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()+,;=:@".contains(&byte);
        if !fixed.bytes().all(plain) || matches!(*segment, "." | "..") {
            return refused("has characters that no path holds as they are");
        }
    }
    Ok(found)
}

/// The request that the inputs fill in.
pub(super) fn request(operation: &Operation, endpoint: &str, inputs: &[Input]) -> Request {
    let sent = |place: Place| {
        inputs
            .iter()
            .filter(move |input| input.place == place && !input.value.is_empty())
    };
    let path = filled_path(&operation.path, |name| {
        let is_it =
            |input: &&Input| matches!(input.place, Place::Path | Place::PathRest) && input.name == name;
        inputs
            .iter()
            .find(is_it)
            .map_or_else(String::new, |input| input.value.clone())
    });
    let mut query = BTreeMap::new();
    for input in sent(Place::Query) {
        query.insert(input.name.clone(), json!(input.value));
    }
    let headers: BTreeMap<String, String> = sent(Place::Header)
        .map(|input| (input.name.clone(), input.value.clone()))
        .collect();
    let members: Map<String, Value> = sent(Place::Member)
        .map(|input| (input.name.clone(), json!(input.value)))
        .collect();
    let whole = sent(Place::Body).next().map(|input| json!(input.value));

    let mut request = Request {
        endpoint: endpoint.to_owned(),
        method: operation.method.clone(),
        path,
        query,
        query_join: None,
        nested: Nested::default(),
        headers,
        body: None,
        body_format: BodyFormat::Json,
    };
    request.query_join = inputs
        .iter()
        .filter(|input| {
            input.place == Place::Query
                && input
                    .schema
                    .as_ref()
                    .is_some_and(|schema| schema["type"] == "array")
        })
        .find_map(|input| match input.list {
            ListStyle::Joined(join) => Some(join.to_owned()),
            ListStyle::Repeated | ListStyle::Brackets => None,
        });
    if inputs
        .iter()
        .any(|input| input.place == Place::Query && input.list == ListStyle::Brackets)
    {
        request.nested = Nested::Brackets;
    }
    match &operation.body {
        Body::Json { media_type, .. } if whole.is_some() || !members.is_empty() => {
            request.body = whole.or(Some(Value::Object(members)));
            if media_type != "application/json" {
                request
                    .headers
                    .insert("Content-Type".to_owned(), media_type.clone());
            }
        }
        Body::Form { brackets, .. } if !members.is_empty() => {
            request.body = Some(Value::Object(members));
            request.body_format = BodyFormat::Form;
            if *brackets {
                request.nested = Nested::Brackets;
            }
        }
        Body::GraphQl { document } => {
            let variables: Map<String, Value> = sent(Place::Variable)
                .map(|input| (input.name.clone(), json!(input.value)))
                .collect();
            let mut body = json!({"query": document});
            if !variables.is_empty() {
                body["variables"] = Value::Object(variables);
            }
            request.body = Some(body);
        }
        _ => {}
    }
    request
}

/// A path with something else in place of every placeholder; all at once, so that one that is put in is not
/// taken for one of the path's own.
fn filled_path(path: &str, value: impl Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        filled.push_str(before);
        filled.push_str(&value(name));
        rest = after;
    }
    filled.push_str(rest);
    filled
}
