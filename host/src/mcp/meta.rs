//! The four tools of `call::finder` as MCP shows and answers them, over what one session is shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use rmcp::ErrorData;
use rmcp::model::{CallToolResult, JsonObject, Tool, ToolAnnotations};
use serde_json::Value;

use super::result::structured;
use super::tools::{object, render};
use crate::call::catalog::{self, Entry};
use crate::call::finder::{self, FinderTool};
use crate::servers::Exposed;

/// What a request for one of the four comes to.
pub(super) enum Meta {
    /// The answer.
    Answer(CallToolResult),
    /// A call of this tool with these arguments; with `reads` only of one that changes nothing.
    Call {
        name: String,
        arguments: JsonObject,
        reads: bool,
    },
}

/// The four, in the order of their names.
pub(super) fn tools() -> Vec<Tool> {
    finder::tools().iter().map(tool).collect()
}

fn tool(tool: &FinderTool) -> Tool {
    let mut annotations = ToolAnnotations::new()
        .read_only(tool.read_only)
        .destructive(!tool.read_only)
        .idempotent(tool.read_only)
        .open_world(tool.open_world);
    annotations.title = Some(tool.title.to_owned());
    Tool::new(tool.name, tool.description, object(&tool.input))
        .with_title(tool.title)
        .with_annotations(annotations)
}

/// Answers a call of one of the four; none when `name` is none of them.
pub(super) fn answer(
    name: &str,
    arguments: &JsonObject,
    shown: &BTreeMap<String, Exposed>,
) -> Option<Result<Meta, ErrorData>> {
    let schema = tools().into_iter().find(|tool| tool.name == name)?.input_schema;
    if let Err(refused) = check(&schema, arguments) {
        return Some(Ok(Meta::Answer(refused)));
    }
    let text = |member: &str| arguments.get(member).and_then(Value::as_str).unwrap_or_default();
    Some(match name {
        finder::SEARCH => {
            let limit = arguments.get("limit").and_then(Value::as_u64);
            let limit = limit
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(finder::FOUND);
            let connector = arguments.get("connector").and_then(Value::as_str);
            Ok(Meta::Answer(structured(find(
                shown,
                text("query"),
                connector,
                limit,
            ))))
        }
        finder::GET => match shown.get(text("name")) {
            Some(exposed) => serde_json::to_value(render(exposed))
                .map(|tool| Meta::Answer(structured(tool)))
                .map_err(|error| ErrorData::internal_error(error.to_string(), None)),
            None => Err(unknown(text("name"))),
        },
        other => Ok(Meta::Call {
            name: text("name").to_owned(),
            arguments: arguments
                .get("arguments")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            reads: other == finder::CALL_READ,
        }),
    })
}

/// The complaint about a tool that is not there, or hidden: the two look the same.
pub(super) fn unknown(name: &str) -> ErrorData {
    let shown: String = name.chars().take(64).flat_map(char::escape_default).collect();
    ErrorData::invalid_params(format!("Unknown tool: {shown}"), None)
}

fn check(schema: &JsonObject, arguments: &JsonObject) -> Result<(), CallToolResult> {
    let validator = jsonschema::validator_for(&Value::Object(schema.clone()));
    let validator = validator.expect("our own schemas can be used");
    let input = Value::Object(arguments.clone());
    let problems: Vec<String> = validator
        .iter_errors(&input)
        .map(|error| format!("- {}: {}", error.instance_path(), error.masked_with("the value")))
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(super::refusal::text(format!(
        "The arguments are not as the schema wants. Correct them and call again.\n{}",
        problems.join("\n")
    )))
}

fn find(shown: &BTreeMap<String, Exposed>, query: &str, connector: Option<&str>, limit: usize) -> Value {
    let pool: Vec<Entry> = shown
        .values()
        .filter(|exposed| connector.is_none_or(|wanted| exposed.connector.as_str() == wanted))
        .map(|exposed| Entry {
            version: Arc::clone(&exposed.version),
            tool: Arc::clone(&exposed.tool),
            places: Vec::new(),
        })
        .collect();
    let searched = pool.len();
    let best = catalog::search(pool, query);
    let best = best.iter().take(limit);
    finder::found(
        best.map(|(found, _)| (found.connector(), &found.tool.declared)),
        searched,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_four_are_in_order_and_say_what_they_do() {
        let tools = tools();
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
        assert_eq!(names, ["call_read_tool", "call_tool", "get_tool", "search_tools"]);
        for tool in &tools {
            let annotations = tool.annotations.as_ref().expect("annotations");
            assert_eq!(
                annotations.read_only_hint,
                Some(tool.name != "call_tool"),
                "{}",
                tool.name
            );
            assert!(annotations.destructive_hint.is_some() && annotations.idempotent_hint.is_some());
        }
    }

    #[test]
    fn arguments_are_checked_and_unknown_names_are_no_tools() {
        let shown = BTreeMap::new();
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        assert!(answer("other", &object(json!({})), &shown).is_none());
        let refused = answer("search_tools", &object(json!({"query": 1})), &shown);
        assert!(matches!(refused, Some(Ok(Meta::Answer(result))) if result.is_error == Some(true)));
        assert!(
            answer("get_tool", &object(json!({"name": "x"})), &shown).is_some_and(|answer| answer.is_err())
        );
        let call = answer(
            "call_read_tool",
            &object(json!({"name": "x", "arguments": {"a": 1}})),
            &shown,
        );
        assert!(matches!(call, Some(Ok(Meta::Call { reads: true, .. }))));
    }
}
