//! Whether the functions of a connector take what their tools' schemas allow.
//!
//! The schema in connector.toml is what agents see and what the host checks; the type of a
//! function's input is what the code gets. This holds the two together, by what serde does with
//! inputs that are made from the schema: nothing has to be derived or said twice.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde_json::{Map, Value, json};
use valetkey_manifest::tool::{CONCISE, DETAILED, RESPONSE_FORMAT};

use crate::{Call, Fault, Output};

/// A tool that is code, as [`crate::connector!`] lists it.
pub struct Coded {
    tool: &'static str,
    takes: fn(Value) -> Result<(), serde_json::Error>,
    fields: fn() -> Option<&'static [&'static str]>,
}

/// A tool and its function.
pub fn coded<T: DeserializeOwned>(
    tool: &'static str,
    _: impl FnOnce(&Call, T) -> Result<Output, Fault>,
) -> Coded {
    Coded {
        tool,
        takes: |input| T::deserialize(input).map(|_| ()),
        fields: fields::<T>,
    }
}

/// Asserts that every function takes what its tool's schema allows, and nothing that it does not:
/// `folder` holds the connector.toml, `coded` is what [`crate::connector!`] defines.
///
/// # Panics
/// They do not agree; every disagreement is named.
pub fn assert_inputs_agree(folder: &str, coded: &[Coded]) {
    let problems: Vec<_> = coded
        .iter()
        .flat_map(|coded| match schema(Path::new(folder), coded.tool) {
            Some(schema) => disagreements(coded, &schema),
            None => vec![format!(
                "`{}` has a function and is not in connector.toml",
                coded.tool
            )],
        })
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn disagreements(coded: &Coded, schema: &Value) -> Vec<String> {
    let tool = coded.tool;
    let mut problems = Vec::new();
    if let Some(fields) = (coded.fields)() {
        let taken: BTreeSet<&str> = fields.iter().copied().collect();
        let declared: BTreeSet<&str> = properties(schema).map(|(name, _)| name.as_str()).collect();
        // What is left out of short answers is left out for the function as well: it need not ask.
        let untaken = declared.difference(&taken);
        for name in untaken.filter(|name| **name != RESPONSE_FORMAT) {
            problems.push(format!(
                "`{tool}`: `{name}` of the schema is never taken by the function"
            ));
        }
        for name in taken.difference(&declared) {
            problems.push(format!("`{tool}`: `{name}` of the function is not in the schema"));
        }
    }
    for sample in samples(schema) {
        if let Err(error) = (coded.takes)(sample.clone()) {
            problems.push(format!(
                "`{tool}`: the schema allows {sample}, which the function does not take: {error}"
            ));
        }
    }
    problems
}

/// The schema of a tool's input.
fn schema(folder: &Path, tool: &str) -> Option<Value> {
    let path = folder.join("connector.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let manifest: Value = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let tools = manifest["tools"].as_array()?;
    let declared = tools.iter().find(|declared| declared["name"] == tool)?;
    let mut schema = filled_in(folder, &declared["input"]);
    // What the host adds to such a tool's input, and the function gets as well.
    if declared["response"]["concise"].is_array() {
        schema["properties"][RESPONSE_FORMAT] = json!({ "enum": [CONCISE, DETAILED] });
    }
    Some(schema)
}

/// With the files in place that stand for schemas (`{ "$file" = "deal.json" }`).
fn filled_in(folder: &Path, value: &Value) -> Value {
    match value {
        Value::Object(members) => match members.get("$file").and_then(Value::as_str) {
            Some(file) => {
                let text =
                    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
            }
            None => members
                .iter()
                .map(|(name, value)| (name.clone(), filled_in(folder, value)))
                .collect(),
        },
        Value::Array(elements) => elements
            .iter()
            .map(|element| filled_in(folder, element))
            .collect(),
        other => other.clone(),
    }
}

/// Values that a schema allows, of each sort that it names.
fn samples(schema: &Value) -> Vec<Value> {
    if let Some(examples) = schema["examples"].as_array() {
        return examples.clone();
    }
    if let Some(choice) = schema["enum"].as_array() {
        return choice.clone();
    }
    if let Some(constant) = schema.get("const") {
        return vec![constant.clone()];
    }
    if let Some(union) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        return union.iter().flat_map(samples).collect();
    }
    match &schema["type"] {
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .flat_map(|name| of_type(name, schema))
            .collect(),
        Value::String(name) => of_type(name, schema),
        _ => vec![json!("any")],
    }
}

fn of_type(name: &str, schema: &Value) -> Vec<Value> {
    let bounds = ["minimum", "maximum"].map(|bound| schema.get(bound).filter(|value| value.is_i64()));
    match name {
        "integer" => match bounds.into_iter().flatten().cloned().collect::<Vec<_>>() {
            none if none.is_empty() => vec![json!(1)],
            bounds => bounds,
        },
        "number" => vec![json!(1.5), json!(1)],
        "boolean" => vec![json!(true), json!(false)],
        "null" => vec![Value::Null],
        "array" => {
            let elements = schema.get("items").map_or(vec![json!("any")], samples);
            elements
                .into_iter()
                .map(|element| json!([element]))
                .chain([json!([])])
                .collect()
        }
        "object" => objects(schema),
        _ => vec![json!("a text")],
    }
}

/// What has to be there and no more; everything; and everything with each other value of one member.
fn objects(schema: &Value) -> Vec<Value> {
    let is_there = |name: &str, schema_of: &Value| {
        let required = schema["required"]
            .as_array()
            .is_some_and(|names| names.iter().any(|one| one == name));
        required || schema_of.get("default").is_some()
    };
    let least: Map<_, _> = properties(schema)
        .filter(|(name, of)| is_there(name, of))
        .filter_map(|(name, of)| Some((name.clone(), samples(of).into_iter().next()?)))
        .collect();
    let all: Map<_, _> = properties(schema)
        .filter_map(|(name, of)| Some((name.clone(), samples(of).into_iter().next()?)))
        .collect();
    let others = properties(schema).flat_map(|(name, of)| {
        let all = &all;
        samples(of).into_iter().skip(1).map(move |other| {
            let mut changed = all.clone();
            changed.insert(name.clone(), other);
            Value::Object(changed)
        })
    });
    [Value::Object(least), Value::Object(all.clone())]
        .into_iter()
        .chain(others)
        .collect()
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// The names that a struct asks its deserializer for; none for other types, and for a struct that
/// takes what it is given (`#[serde(flatten)]`).
fn fields<T: DeserializeOwned>() -> Option<&'static [&'static str]> {
    let mut asked = Asked(None);
    // It fails as soon as the names are known.
    let _ = T::deserialize(&mut asked);
    asked.0
}

struct Asked(Option<&'static [&'static str]>);

impl<'de> Deserializer<'de> for &mut Asked {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("only the names are wanted"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0 = Some(fields);
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "it is only made")]
    struct Note {
        text: String,
        #[serde(default)]
        kind: Option<Kind>,
        stars: u8,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Plain,
    }

    fn add(_: &Call, _: Note) -> Result<Output, Fault> {
        Output::json(&())
    }

    fn schema_of(change: impl FnOnce(&mut Value)) -> Value {
        let mut schema = json!({
            "type": "object",
            "required": ["text"],
            "properties": {
                "text": {"type": "string"},
                "kind": {"enum": ["plain"]},
                "stars": {"type": "integer", "minimum": 0, "maximum": 5, "default": 0},
            },
        });
        change(&mut schema);
        schema
    }

    fn problems(change: impl FnOnce(&mut Value)) -> String {
        disagreements(&coded("acme_note_add", add), &schema_of(change)).join("\n")
    }

    #[test]
    fn a_struct_that_takes_what_the_schema_allows_agrees() {
        assert_eq!(problems(|_| ()), "");
    }

    #[test]
    fn every_disagreement_is_named() {
        let more = problems(|schema| schema["properties"]["color"] = json!({"type": "string"}));
        assert!(more.contains("`color` of the schema is never taken"), "{more}");
        let less = problems(|schema| {
            drop(
                schema["properties"]
                    .as_object_mut()
                    .expect("members")
                    .remove("kind"),
            )
        });
        assert!(
            less.contains("`kind` of the function is not in the schema"),
            "{less}"
        );
        let kind = problems(|schema| schema["properties"]["kind"] = json!({"enum": ["plain", "rich"]}));
        assert!(kind.contains("rich") && kind.contains("does not take"), "{kind}");
        let optional = problems(|schema| schema["required"] = json!([]));
        assert!(optional.contains("missing field `text`"), "{optional}");
        let range = problems(|schema| schema["properties"]["stars"]["maximum"] = json!(300));
        assert!(range.contains("300"), "{range}");
        let null = problems(|schema| schema["properties"]["text"] = json!({"type": ["string", "null"]}));
        assert!(null.contains("null"), "{null}");
    }
}
