//! The four tools by which an agent finds and calls the tools of a large server, in place of the
//! tools themselves: their descriptions together would fill a model's context.

use std::collections::BTreeMap;
use std::sync::Arc;

use rmcp::ErrorData;
use rmcp::model::{CallToolResult, JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use super::result::structured;
use super::tools::{object, render};
use crate::call::catalog::{self, Entry};
use crate::servers::Exposed;

/// Tools that a search answers when it names no limit, and at most.
const FOUND: usize = 10;
const MOST_FOUND: usize = 50;

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
    let name = json!({"type": "string", "description": "Exact name of a tool, as search_tools gave it."});
    let arguments = json!({
        "type": "object",
        "description": "The tool's own arguments, by the input_schema that get_tool gave.",
        "additionalProperties": true,
    });
    let call = json!({
        "type": "object",
        "properties": {"name": name, "arguments": arguments},
        "required": ["name"],
        "additionalProperties": false,
    });
    vec![
        tool(
            "call_read_tool",
            "Call a tool that only reads",
            "Calls a tool that changes nothing, by name, with its own arguments. Read its schema with get_tool first.",
            &call,
            ToolAnnotations::new()
                .read_only(true)
                .destructive(false)
                .idempotent(true)
                .open_world(true),
        ),
        tool(
            "call_tool",
            "Call a tool",
            "Calls any tool by name, with its own arguments; it may change or delete things. Read its schema with get_tool first, and prefer call_read_tool for tools that only read.",
            &call,
            ToolAnnotations::new()
                .read_only(false)
                .destructive(true)
                .idempotent(false)
                .open_world(true),
        ),
        tool(
            "get_tool",
            "Read a tool's description",
            "The whole description of one tool: what it does, the schema of its arguments, whether it changes anything.",
            &json!({
                "type": "object",
                "properties": {"name": name},
                "required": ["name"],
                "additionalProperties": false,
            }),
            reads_only(),
        ),
        tool(
            "search_tools",
            "Search tools",
            "Finds tools by a few words on what is to be done, best first: names and one line each. Then get_tool reads one's schema, and call_tool or call_read_tool calls it.",
            &json!({
                "type": "object",
                "properties": {
                    "query": {"type": "string", "description": "A few words, for example \"create contact\"."},
                    "connector": {"type": "string", "description": "Only tools of this connector, for example \"hubspot\"."},
                    "limit": {"type": "integer", "minimum": 1, "maximum": MOST_FOUND, "default": FOUND, "description": "How many at most."},
                },
                "required": ["query"],
                "additionalProperties": false,
            }),
            reads_only(),
        ),
    ]
}

fn tool(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    schema: &Value,
    annotations: ToolAnnotations,
) -> Tool {
    let mut annotations = annotations;
    annotations.title = Some(title.to_owned());
    Tool::new(name, description, object(schema))
        .with_title(title)
        .with_annotations(annotations)
}

fn reads_only() -> ToolAnnotations {
    ToolAnnotations::new()
        .read_only(true)
        .destructive(false)
        .idempotent(true)
        .open_world(false)
}

/// Whether a tool of this name is one of the four.
pub(super) fn is_one(name: &str) -> bool {
    matches!(name, "call_read_tool" | "call_tool" | "get_tool" | "search_tools")
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
        "search_tools" => {
            let limit = arguments.get("limit").and_then(Value::as_u64);
            let limit = limit
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(FOUND);
            let connector = arguments.get("connector").and_then(Value::as_str);
            Ok(Meta::Answer(structured(find(
                shown,
                text("query"),
                connector,
                limit,
            ))))
        }
        "get_tool" => match shown.get(text("name")) {
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
            reads: other == "call_read_tool",
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
    let found: Vec<Value> = catalog::search(pool, query)
        .iter()
        .take(limit)
        .map(|(found, _)| {
            let declared = &found.tool.declared;
            json!({
                "name": declared.name,
                "summary": first_sentence(&declared.description),
                "connector": found.connector(),
                "read_only": declared.hints.read_only,
            })
        })
        .collect();
    if found.is_empty() {
        return json!({
            "tools": [],
            "hint": format!("No tool fits these words. {} tools can be searched; try other words for the same thing.", searched),
        });
    }
    json!({ "tools": found })
}

fn first_sentence(text: &str) -> &str {
    let end = text.find(". ").map_or(text.len(), |at| at + 1);
    &text[..end]
}

#[cfg(test)]
mod tests {
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
