//! The tools' inputs as types of the languages that connectors are written in, so that an author's
//! editor and type checker know what the manifest's schemas say.
//!
//! Called by `build`, which keeps the file beside the code. Every schema gives a type: what a
//! language cannot say is a wider type, never a missing tool.

mod python;
mod typescript;

use serde_json::Value;

pub use python::{pascal, python};
pub use typescript::typescript;

/// What a type is made of.
enum Type<'a> {
    /// One of these constants.
    Choice(&'a [Value]),
    /// One of these schemas.
    Union(&'a [Value]),
    /// One of several simple types, by their names in JSON Schema.
    Simple(Vec<&'a str>),
    /// An array; the schema of its elements.
    List(Option<&'a Value>),
    /// An object with these members.
    Record(Vec<Member<'a>>),
    /// An object with any members of one type.
    Map(Option<&'a Value>),
}

/// A member of an object.
struct Member<'a> {
    name: &'a str,
    schema: &'a Value,
    /// It is always there: required, or the host fills its default in.
    is_there: bool,
}

fn read(schema: &Value) -> Type<'_> {
    if let Some(choice) = schema["enum"].as_array() {
        return Type::Choice(choice);
    }
    if let Some(constant) = schema.get("const") {
        return Type::Choice(std::slice::from_ref(constant));
    }
    if let Some(union) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        return Type::Union(union);
    }
    match schema["type"].as_str() {
        Some("array") => Type::List(schema.get("items")),
        Some("object") => match schema["properties"].as_object() {
            Some(properties) if !properties.is_empty() => Type::Record(members(schema, properties)),
            _ => Type::Map(schema.get("additionalProperties").filter(|rest| rest.is_object())),
        },
        Some(simple) => Type::Simple(vec![simple]),
        None => Type::Simple(
            schema["type"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect(),
        ),
    }
}

fn members<'a>(schema: &'a Value, properties: &'a serde_json::Map<String, Value>) -> Vec<Member<'a>> {
    let required = |name: &str| {
        schema["required"]
            .as_array()
            .is_some_and(|names| names.iter().any(|one| one == name))
    };
    let member = |(name, schema): (&'a String, &'a Value)| Member {
        name,
        schema,
        is_there: required(name) || schema.get("default").is_some(),
    };
    properties.iter().map(member).collect()
}

/// The members of a tool's input: its root is an object.
fn input(schema: &Value) -> Vec<Member<'_>> {
    match read(schema) {
        Type::Record(members) => members,
        _ => Vec::new(),
    }
}

fn description(schema: &Value) -> Option<&str> {
    schema["description"]
        .as_str()
        .filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        [connector]
        id = "acme"
        title = "Acme"
        version = "1.0.0"
        contract = "0.1"
        description = "One sentence."
        [endpoints.api]
        url = "https://api.acme.example"
        [[tools]]
        name = "acme_note_add"
        title = "Add"
        description = "Adds."
        hints = { read_only = false, destructive = false, idempotent = false }
        [tools.input]
        type = "object"
        required = ["text", "author"]
        [tools.input.properties]
        text = { type = "string", description = "What it says. */ \"\"\"" }
        kind = { enum = ["plain", "rich"], default = "plain" }
        author = { type = "object", required = ["class"], properties = { class = { type = ["string", "null"] }, born = { type = "integer" } } }
        tags = { type = "array", items = { type = "string" } }
        data = { type = "object", additionalProperties = { type = "number" } }
        any = { anyOf = [{ type = "boolean" }, { type = "array" }, { type = "object" }] }
        [[tools]]
        name = "acme_things_list"
        title = "List"
        description = "Lists."
        hints = { read_only = true, destructive = false, idempotent = true }
        input = { type = "object", properties = {} }
    "#;

    #[test]
    fn inputs_are_types_of_typescript() {
        let manifest = toml::from_str(MANIFEST).expect("a manifest");
        let expected = "\
// Made by `valetkey connector build` from connector.toml.

import type { Tools as ToolsOf } from \"@valetkey/guest\";

/** The inputs of the tools, as the host gives them. */
export interface Inputs {
  acme_note_add: {
    any?: boolean | Array<unknown> | Record<string, unknown>;
    author: {
      born?: number;
      class: string | null;
    };
    data?: Record<string, number>;
    kind: \"plain\" | \"rich\";
    tags?: Array<string>;
    /** What it says. * / \"\"\" */
    text: string;
  };
  acme_things_list: Record<string, never>;
}

/** The connector's functions. */
export type Tools = ToolsOf<Inputs>;
";
        assert_eq!(typescript(&manifest), expected);
    }

    #[test]
    fn inputs_are_types_of_python() {
        let manifest = toml::from_str(MANIFEST).expect("a manifest");
        let expected = "\
# Made by `valetkey connector build` from connector.toml.
\"\"\"The inputs of the tools, as the host gives them.\"\"\"

from typing import Any, Literal, NotRequired, TypedDict

AcmeNoteAddAuthor = TypedDict(
    \"AcmeNoteAddAuthor\",
    {
        \"born\": NotRequired[int],
        \"class\": str | None,
    },
)


class AcmeNoteAdd(TypedDict):
    any: NotRequired[bool | list[Any] | dict[str, Any]]
    author: AcmeNoteAddAuthor
    data: NotRequired[dict[str, float]]
    kind: Literal[\"plain\", \"rich\"]
    tags: NotRequired[list[str]]
    # What it says. */ \"\"\"
    text: str


class AcmeThingsList(TypedDict):
    pass
";
        assert_eq!(python(&manifest), expected);
    }
}
