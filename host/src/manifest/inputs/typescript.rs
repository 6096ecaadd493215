//! Declarations of TypeScript, which JavaScript's editors read as well.

use serde_json::Value;
use valetkey_manifest::Manifest;

use super::{Member, Type, description, input, read};
use crate::manifest::guest_input;

/// `inputs.d.ts`.
#[must_use]
pub fn typescript(manifest: &Manifest) -> String {
    let mut out = "\
// Made by `valetkey connector build` from connector.toml.

import type { Tools as ToolsOf } from \"@valetkey/guest\";

/** The inputs of the tools, as the host gives them. */
export interface Inputs {
"
    .to_owned();
    for tool in &manifest.tools {
        let schema = guest_input(tool);
        let shape = record(&input(&schema), 1);
        out.push_str(&format!("  {}: {shape};\n", key(&tool.name)));
    }
    out.push_str("}\n\n/** The connector's functions. */\nexport type Tools = ToolsOf<Inputs>;\n");
    out
}

fn record(members: &[Member], depth: usize) -> String {
    if members.is_empty() {
        return "Record<string, never>".to_owned();
    }
    let indent = "  ".repeat(depth);
    let mut out = "{\n".to_owned();
    for member in members {
        if let Some(text) = description(member.schema) {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            out.push_str(&format!("{indent}  /** {} */\n", line.replace("*/", "* /")));
        }
        let optional = if member.is_there { "" } else { "?" };
        let shape = shape(member.schema, depth + 1);
        out.push_str(&format!("{indent}  {}{optional}: {shape};\n", key(member.name)));
    }
    out + &indent + "}"
}

fn shape(schema: &Value, depth: usize) -> String {
    match read(schema) {
        Type::Choice(constants) => join(constants.iter().map(Value::to_string)),
        Type::Union(schemas) => join(schemas.iter().map(|schema| shape(schema, depth))),
        Type::Simple(names) => join(names.into_iter().map(|name| simple(name).to_owned())),
        Type::List(items) => format!(
            "Array<{}>",
            items.map_or("unknown".to_owned(), |items| shape(items, depth))
        ),
        Type::Record(members) => record(&members, depth),
        Type::Map(values) => {
            let values = values.map_or("unknown".to_owned(), |values| shape(values, depth));
            format!("Record<string, {values}>")
        }
    }
}

fn join(types: impl Iterator<Item = String>) -> String {
    let types: Vec<_> = types.collect();
    if types.is_empty() {
        "unknown".to_owned()
    } else {
        types.join(" | ")
    }
}

fn simple(name: &str) -> &'static str {
    match name {
        "string" => "string",
        "integer" | "number" => "number",
        "boolean" => "boolean",
        "null" => "null",
        "array" => "Array<unknown>",
        "object" => "Record<string, unknown>",
        _ => "unknown",
    }
}

/// A member's name as TypeScript writes it.
fn key(name: &str) -> String {
    let is_word = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_word {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}
