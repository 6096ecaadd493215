//! The four tools by which an agent finds and calls the tools of a large server, in place of the
//! tools themselves: their descriptions together would fill a model's context. What they are, and
//! what a search answers; who may see what, and the calls, belong to the edges.
//!
//! Called by the edge for MCP and by `author::evaluation`, so that what is measured is what is served.

use serde_json::{Value, json};
use valetkey_manifest::Tool;

/// Finds tools by words.
pub const SEARCH: &str = "search_tools";
/// Answers the whole description of one tool.
pub const GET: &str = "get_tool";
/// Calls a tool that only reads.
pub const CALL_READ: &str = "call_read_tool";
/// Calls any tool.
pub const CALL: &str = "call_tool";

/// Tools that a search answers when it names no limit.
pub const FOUND: usize = 10;
/// Tools that a search answers at most.
const MOST_FOUND: usize = 50;

/// One of the four.
#[derive(Debug, Clone, PartialEq)]
pub struct FinderTool {
    /// Its name.
    pub name: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What it does and which of the four comes next.
    pub description: &'static str,
    /// JSON Schema of its arguments.
    pub input: Value,
    /// Changes nothing.
    pub read_only: bool,
    /// Whether it reaches a vendor.
    pub open_world: bool,
}

/// The four, in the order of their names.
#[must_use]
pub fn tools() -> [FinderTool; 4] {
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
    [
        FinderTool {
            name: CALL_READ,
            title: "Call a tool that only reads",
            description: "Calls a tool that changes nothing, by name, with its own arguments. Read its schema with get_tool first.",
            input: call.clone(),
            read_only: true,
            open_world: true,
        },
        FinderTool {
            name: CALL,
            title: "Call a tool",
            description: "Calls any tool by name, with its own arguments; it may change or delete things. Read its schema with get_tool first, and prefer call_read_tool for tools that only read.",
            input: call,
            read_only: false,
            open_world: true,
        },
        FinderTool {
            name: GET,
            title: "Read a tool's description",
            description: "The whole description of one tool: what it does, the schema of its arguments, whether it changes anything.",
            input: json!({
                "type": "object",
                "properties": {"name": name},
                "required": ["name"],
                "additionalProperties": false,
            }),
            read_only: true,
            open_world: false,
        },
        FinderTool {
            name: SEARCH,
            title: "Search tools",
            description: "Finds tools by a few words on what is to be done, best first: names and one line each. Then get_tool reads one's schema, and call_tool or call_read_tool calls it.",
            input: json!({
                "type": "object",
                "properties": {
                    "query": {"type": "string", "description": "A few words, for example \"create contact\"."},
                    "connector": {"type": "string", "description": "Only tools of this connector, for example \"hubspot\"."},
                    "limit": {"type": "integer", "minimum": 1, "maximum": MOST_FOUND, "default": FOUND, "description": "How many at most."},
                },
                "required": ["query"],
                "additionalProperties": false,
            }),
            read_only: true,
            open_world: false,
        },
    ]
}

/// Whether a tool of this name is one of the four.
#[must_use]
pub fn is_one(name: &str) -> bool {
    matches!(name, CALL_READ | CALL | GET | SEARCH)
}

/// What a search answers: each tool that was found with its connector, the best first. `searched` is
/// how many tools there were.
pub fn found<'a>(tools: impl IntoIterator<Item = (&'a str, &'a Tool)>, searched: usize) -> Value {
    let found: Vec<Value> = tools
        .into_iter()
        .map(|(connector, tool)| {
            json!({
                "name": tool.name,
                "summary": first_sentence(&tool.description),
                "connector": connector,
                "read_only": tool.hints.read_only,
            })
        })
        .collect();
    if found.is_empty() {
        return json!({
            "tools": [],
            "hint": format!("No tool fits these words. {searched} tools can be searched; try other words for the same thing."),
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
    fn the_four_are_in_order_and_only_one_of_them_changes_things() {
        let tools = tools();
        assert_eq!(
            tools.each_ref().map(|tool| tool.name),
            ["call_read_tool", "call_tool", "get_tool", "search_tools"]
        );
        for tool in &tools {
            assert!(is_one(tool.name), "{}", tool.name);
            assert_eq!(tool.read_only, tool.name != CALL, "{}", tool.name);
        }
        assert!(!is_one("hubspot_contact_get"));
    }

    #[test]
    fn a_search_without_a_find_says_so() {
        let nothing = found(std::iter::empty(), 12);
        assert!(
            nothing["hint"]
                .as_str()
                .is_some_and(|hint| hint.contains("12 tools"))
        );
    }
}
