//! A tool's outcome as an agent reads it: structured content and the same as text, small enough to
//! be read whole, with what to do for the rest.

use rmcp::model::{CallToolResult, ContentBlock, InputRequests, ResultType};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use valetkey_manifest::tool::Shape;

use super::tools::{HINT, NEXT_CURSOR, TRUNCATED};
use crate::call::Outcome;
use crate::error::{Fault, Kind};
use crate::registry::LoadedTool;

/// Rounds of making a result smaller, each by a good part of what is too much.
const MAX_CUTS: usize = 64;
/// Texts shorter than this are not worth cutting.
const SHORT: usize = 200;

/// What came of a call that succeeded.
pub(super) enum Finished {
    /// The result.
    Result(CallToolResult),
    /// The tool asks its user something before it goes on.
    Asks {
        requests: InputRequests,
        state: Option<String>,
    },
}

/// Renders an outcome. `limit` is how many items the caller asked for, where the tool pages.
pub(super) fn finish(
    tool: &LoadedTool,
    outcome: &Outcome,
    limit: Option<usize>,
    max_chars: usize,
) -> Result<Finished, Fault> {
    let data: Value = serde_json::from_str(&outcome.data).map_err(Fault::internal)?;
    if tool.declared.result == Shape::Content {
        return content(&tool.declared.name, data);
    }
    let items = tool
        .declared
        .paging
        .as_ref()
        .and_then(|paging| data.pointer(&paging.items))
        .and_then(Value::as_array)
        .map(Vec::len);
    let mut members = named(data);
    if let Some(cursor) = &outcome.next_cursor {
        members.insert(NEXT_CURSOR.to_owned(), json!(cursor));
        let hint = match (items, limit) {
            (Some(items), Some(limit)) if items < limit => {
                members.insert(TRUNCATED.to_owned(), json!(true));
                format!(
                    "{items} of the {limit} items asked for, to keep the answer short. For the next ones call again with the same arguments and `cursor`; or narrow the question."
                )
            }
            _ => "There are more items. For the next ones call again with the same arguments and `cursor`."
                .to_owned(),
        };
        members.insert(HINT.to_owned(), json!(hint));
    }
    let mut value = Value::Object(members);
    // The items of a page that leads to another were chosen to fit: one that went here would be lost.
    if items.is_none_or(|items| items <= 1) {
        shorten(&mut value, max_chars);
    }
    Ok(Finished::Result(structured(value)))
}

/// A result that is a value, and the same as text for clients that show models that.
pub(super) fn structured(value: Value) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(value.to_string())]);
    result.structured_content = Some(value);
    result
}

/// Structured content is an object in every revision.
fn named(data: Value) -> Map<String, Value> {
    match data {
        Value::Object(members) => members,
        Value::Array(items) => Map::from_iter([("items".to_owned(), Value::Array(items))]),
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

/// What a tool of the content shape answers ([`Shape::Content`]).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Content {
    content: Option<Vec<ContentBlock>>,
    structured_content: Option<Value>,
    #[serde(default)]
    is_error: bool,
    input_requests: Option<InputRequests>,
    request_state: Option<String>,
}

fn content(tool: &str, data: Value) -> Result<Finished, Fault> {
    let wrong = |why: &str| {
        Fault::new(
            Kind::ConnectorOutputInvalid,
            format!("The connector's answer is not a content result as `{tool}` promises: {why}. The connector's author must mend it."),
        )
        .reason("content")
    };
    let answered: Content =
        serde_json::from_value(data).map_err(|error| wrong("its shape is another").because(error))?;
    if let Some(requests) = answered.input_requests {
        if requests.is_empty() || answered.content.is_some() {
            return Err(wrong("it asks nothing, or answers and asks at once"));
        }
        return Ok(Finished::Asks {
            requests,
            state: answered.request_state,
        });
    }
    let blocks = answered.content.ok_or_else(|| wrong("it has no content"))?;
    if blocks.iter().any(is_active) {
        return Err(wrong("it holds a page that would run in the client"));
    }
    let mut result = CallToolResult::success(blocks);
    result.result_type = Some(ResultType::COMPLETE);
    result.is_error = Some(answered.is_error);
    result.structured_content = answered.structured_content;
    Ok(Finished::Result(result))
}

/// Whether a client would run what is in a block instead of showing it.
fn is_active(block: &ContentBlock) -> bool {
    let value = serde_json::to_value(block).unwrap_or_default();
    let place = match value["type"].as_str() {
        Some("resource") => &value["resource"],
        _ => &value,
    };
    let text = |member: &str| place[member].as_str().unwrap_or_default().to_ascii_lowercase();
    text("uri").starts_with("ui:") || text("mimeType").contains("html") || text("mimeType").contains("svg")
}

/// Cuts a value that is too long: the longest list at an item's end, or the longest text. Says what
/// was cut and how to get less.
fn shorten(value: &mut Value, max_chars: usize) {
    if chars(value) <= max_chars {
        return;
    }
    let mut said = String::new();
    for _ in 0..MAX_CUTS {
        let over = chars(value);
        if over <= max_chars {
            break;
        }
        let room = max_chars.saturating_sub(400);
        let Some(cut) = longest(value).and_then(|pointer| cut(value, &pointer, over, room)) else {
            break;
        };
        if said.is_empty() {
            said = cut;
        }
        if let Value::Object(members) = value {
            members.insert(TRUNCATED.to_owned(), json!(true));
            members.insert(
                HINT.to_owned(),
                json!(format!("The answer was too long for a model: {said}. Ask for less: fewer fields, a narrower question, or one thing by its id.")),
            );
        }
    }
}

fn chars(value: &Value) -> usize {
    value.to_string().chars().count()
}

/// The pointer to the list or text that is worth cutting most.
fn longest(value: &Value) -> Option<String> {
    fn walk(value: &Value, pointer: &mut String, best: &mut Option<(usize, String)>) {
        let size = match value {
            Value::Array(items) if items.len() > 1 => chars(value),
            Value::String(text) if text.len() > SHORT => text.chars().count(),
            _ => 0,
        };
        if size > best.as_ref().map_or(0, |(size, _)| *size) {
            *best = Some((size, pointer.clone()));
        }
        let length = pointer.len();
        let mut step = |name: &str, child: &Value| {
            pointer.push('/');
            pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            walk(child, pointer, best);
            pointer.truncate(length);
        };
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    step(&index.to_string(), item);
                }
            }
            Value::Object(members) => {
                for (name, member) in members
                    .iter()
                    .filter(|(name, _)| *name != HINT && *name != NEXT_CURSOR)
                {
                    step(name, member);
                }
            }
            _ => {}
        }
    }
    let mut best = None;
    walk(value, &mut String::new(), &mut best);
    best.map(|(_, pointer)| pointer)
}

/// Cuts the list or text at `pointer` by what is too much, and says what is left of it.
fn cut(value: &mut Value, pointer: &str, over: usize, room: usize) -> Option<String> {
    let shown: String = pointer.trim_start_matches('/').chars().take(80).collect();
    let excess = over - room.min(over);
    match value.pointer_mut(pointer)? {
        Value::Array(items) => {
            let before = items.len();
            let mut gone = 0;
            while items.len() > 1 && gone < excess {
                gone += items.pop().map_or(0, |item| chars(&item) + 1);
            }
            Some(format!(
                "`{shown}` shows the first {} of {before} items",
                items.len()
            ))
        }
        Value::String(text) => {
            let before = text.chars().count();
            // Escapes make a text longer than its characters; the next round cuts what is left over.
            let keep = before.saturating_sub(excess.max(1)).max(SHORT / 2);
            let end = text.char_indices().nth(keep).map_or(text.len(), |(at, _)| at);
            text.truncate(end);
            text.push('…');
            Some(format!("`{shown}` shows the first {keep} of {before} characters"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shortened(mut value: Value, max: usize) -> Value {
        shorten(&mut value, max);
        assert!(chars(&value) <= max, "{} characters", chars(&value));
        value
    }

    #[test]
    fn what_fits_is_not_touched() {
        let value = json!({"a": [1, 2, 3], "b": "x"});
        assert_eq!(shortened(value.clone(), 1_000), value);
    }

    #[test]
    fn lists_are_cut_at_an_items_end_and_it_is_said() {
        let items: Vec<Value> = (0..1_000)
            .map(|number| json!({"id": number, "name": "somebody"}))
            .collect();
        let value = shortened(json!({"total": 1_000, "results": items}), 5_000);
        let left = value["results"].as_array().expect("a list");
        assert!(left.len() > 100 && left.len() < 1_000, "{}", left.len());
        assert!(left.iter().all(|item| item["name"] == "somebody"));
        assert_eq!(
            (&value["truncated"], &value["total"]),
            (&json!(true), &json!(1_000))
        );
        let hint = value["hint"].as_str().expect("a hint");
        assert!(
            hint.contains(&format!("`results` shows the first {} of 1000 items", left.len())),
            "{hint}"
        );
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let value = shortened(json!({"body": "é\"".repeat(20_000)}), 5_000);
        assert!(value["body"].as_str().expect("a text").ends_with('…'));
        let deep = json!({"a": {"b": [{"c": "x".repeat(9_000)}, {"c": "y".repeat(9_000)}]}});
        assert_eq!(shortened(deep, 3_000)["truncated"], true);
    }

    #[test]
    fn content_is_taken_as_declared_and_pages_that_run_are_not() {
        let result = content(
            "x",
            json!({"content": [{"type": "text", "text": "hello"}], "isError": true}),
        );
        assert!(matches!(result, Ok(Finished::Result(result)) if result.is_error == Some(true)));
        let asks = json!({"inputRequests": {"k": {"method": "elicitation/create", "params": {"message": "m", "requestedSchema": {"type": "object", "properties": {}}}}}, "requestState": "s"});
        assert!(matches!(content("x", asks), Ok(Finished::Asks { state: Some(state), .. }) if state == "s"));
        for wrong in [
            json!({}),
            json!([]),
            json!({"inputRequests": {}}),
            json!({"content": [], "other": 1}),
            json!({"content": [{"type": "resource", "resource": {"uri": "ui://x", "text": "<b>"}}]}),
            json!({"content": [{"type": "resource", "resource": {"uri": "a://x", "mimeType": "text/html", "text": "<b>"}}]}),
        ] {
            assert!(content("x", wrong.clone()).is_err(), "{wrong}");
        }
    }
}
