//! Typed dictionaries of Python.

use serde_json::Value;
use valetkey_manifest::Manifest;

use super::{Member, Type, description, input, read};
use crate::manifest::guest_input;

/// `inputs.py`.
#[must_use]
pub fn python(manifest: &Manifest) -> String {
    let mut classes = String::new();
    for tool in &manifest.tools {
        let schema = guest_input(tool);
        define(&pascal(&tool.name), &input(&schema), &mut classes);
    }
    let is_used = |name: &&str| {
        let code = classes.lines().filter(|line| !line.trim_start().starts_with('#'));
        code.flat_map(|line| line.split(|letter: char| !letter.is_ascii_alphanumeric()))
            .any(|word| word == *name)
    };
    let used: Vec<_> = ["Any", "Literal", "NotRequired", "TypedDict"]
        .into_iter()
        .filter(is_used)
        .collect();
    let imports = match used.as_slice() {
        [] => String::new(),
        used => format!("\nfrom typing import {}\n", used.join(", ")),
    };
    format!(
        "\
# Made by `valetkey connector build` from connector.toml.
\"\"\"The inputs of the tools, as the host gives them.\"\"\"
{imports}{classes}"
    )
}

/// Writes the type of an object after those of the objects in it.
fn define(name: &str, members: &[Member], out: &mut String) {
    let types: Vec<_> = members
        .iter()
        .map(|member| {
            let made = shape(member.schema, &format!("{name}{}", pascal(member.name)), out);
            if member.is_there {
                made
            } else {
                format!("NotRequired[{made}]")
            }
        })
        .collect();
    if members.iter().all(|member| is_name(member.name)) {
        out.push_str(&format!("\n\nclass {name}(TypedDict):\n"));
        if members.is_empty() {
            out.push_str("    pass\n");
        }
        for (member, made) in members.iter().zip(types) {
            if let Some(text) = description(member.schema) {
                let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
                out.push_str(&format!("    # {line}\n"));
            }
            out.push_str(&format!("    {}: {made}\n", member.name));
        }
        return;
    }
    out.push_str(&format!("\n{name} = TypedDict(\n    \"{name}\",\n    {{\n"));
    for (member, made) in members.iter().zip(types) {
        out.push_str(&format!("        {}: {made},\n", Value::from(member.name)));
    }
    out.push_str("    },\n)\n");
}

/// A type; what it needs defined is written to `out`, under names that begin with `name`.
fn shape(schema: &Value, name: &str, out: &mut String) -> String {
    match read(schema) {
        Type::Choice(constants) => {
            let constants: Vec<_> = constants.iter().map(constant).collect();
            format!("Literal[{}]", constants.join(", "))
        }
        Type::Union(schemas) => {
            let types: Vec<_> = (1..)
                .zip(schemas)
                .map(|(number, schema)| shape(schema, &format!("{name}{number}"), out))
                .collect();
            types.join(" | ")
        }
        Type::Simple(names) if names.is_empty() => "Any".to_owned(),
        Type::Simple(names) => names.into_iter().map(simple).collect::<Vec<_>>().join(" | "),
        Type::List(items) => {
            let items = items.map_or("Any".to_owned(), |items| {
                shape(items, &format!("{name}Item"), out)
            });
            format!("list[{items}]")
        }
        Type::Record(members) => {
            define(name, &members, out);
            name.to_owned()
        }
        Type::Map(values) => {
            let values = values.map_or("Any".to_owned(), |values| {
                shape(values, &format!("{name}Value"), out)
            });
            format!("dict[str, {values}]")
        }
    }
}

fn constant(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

fn simple(name: &str) -> &'static str {
    match name {
        "string" => "str",
        "integer" => "int",
        "number" => "float",
        "boolean" => "bool",
        "null" => "None",
        "array" => "list[Any]",
        "object" => "dict[str, Any]",
        _ => "Any",
    }
}

/// `acme_note_add` as `AcmeNoteAdd`: what a tool's input is called.
#[must_use]
pub fn pascal(name: &str) -> String {
    name.split(|letter: char| !letter.is_ascii_alphanumeric())
        .map(|word| word[..word.len().min(1)].to_ascii_uppercase() + word.get(1..).unwrap_or_default())
        .collect()
}

/// Whether a member's name can stand in a class.
fn is_name(name: &str) -> bool {
    const KEYWORDS: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
        "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in",
        "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !KEYWORDS.contains(&name)
}
