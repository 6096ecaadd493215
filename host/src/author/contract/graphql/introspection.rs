//! A schema as a GraphQL server describes itself (GraphQL, section 4), written in GraphQL's own language.
//! Texts for people and what is deprecated are left out: they say nothing about a request.

use std::fmt::Write as _;

use serde_json::Value;

/// Scalars that every schema has (GraphQL, section 3.5).
const SCALARS: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];
/// Directives that every schema has (GraphQL, section 3.13).
const DIRECTIVES: [&str; 5] = ["skip", "include", "deprecated", "specifiedBy", "oneOf"];

/// The schema in the answer to an introspection query, with or without `data` around it; none when the
/// document is no such answer.
#[must_use]
pub fn described(document: &Value) -> Option<&Value> {
    ["/data/__schema", "/__schema"]
        .iter()
        .find_map(|place| document.pointer(place))
}

/// Writes a schema that [`described`] found. What is not as the specification has it is left out, and
/// then missed where a request needs it.
#[must_use]
pub fn written(schema: &Value) -> String {
    let mut out = String::from("schema {\n");
    for (word, member) in [
        ("query", "queryType"),
        ("mutation", "mutationType"),
        ("subscription", "subscriptionType"),
    ] {
        if let Some(name) = schema[member]["name"].as_str() {
            let _ = writeln!(out, "  {word}: {name}");
        }
    }
    out.push_str("}\n");
    for declared in list(schema, "directives") {
        directive(declared, &mut out);
    }
    for declared in list(schema, "types") {
        define(declared, &mut out);
    }
    out
}

fn list<'v>(value: &'v Value, member: &str) -> impl Iterator<Item = &'v Value> {
    value[member].as_array().into_iter().flatten()
}

fn names<'v>(value: &'v Value, member: &str) -> Vec<&'v str> {
    list(value, member)
        .filter_map(|item| item["name"].as_str())
        .collect()
}

fn directive(declared: &Value, out: &mut String) {
    let Some(name) = declared["name"]
        .as_str()
        .filter(|name| !DIRECTIVES.contains(name))
    else {
        return;
    };
    let places: Vec<&str> = list(declared, "locations").filter_map(Value::as_str).collect();
    let repeatable = if declared["isRepeatable"] == true {
        " repeatable"
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "directive @{name}{}{repeatable} on {}",
        arguments(declared),
        places.join(" | ")
    );
}

fn define(declared: &Value, out: &mut String) {
    let name = declared["name"].as_str().unwrap_or_default();
    if name.is_empty() || name.starts_with("__") || SCALARS.contains(&name) {
        return;
    }
    let (head, lines): (String, Vec<String>) = match declared["kind"].as_str() {
        Some("SCALAR") => (format!("scalar {name}"), Vec::new()),
        Some("ENUM") => {
            let values = names(declared, "enumValues");
            (
                format!("enum {name}"),
                values.into_iter().map(str::to_owned).collect(),
            )
        }
        Some("INPUT_OBJECT") => (
            format!("input {name}"),
            list(declared, "inputFields").filter_map(input).collect(),
        ),
        Some(kind @ ("OBJECT" | "INTERFACE")) => {
            let word = if kind == "OBJECT" { "type" } else { "interface" };
            let interfaces = names(declared, "interfaces");
            let implements = if interfaces.is_empty() {
                String::new()
            } else {
                format!(" implements {}", interfaces.join(" & "))
            };
            (
                format!("{word} {name}{implements}"),
                list(declared, "fields").filter_map(field).collect(),
            )
        }
        Some("UNION") => (
            format!("union {name} = {}", names(declared, "possibleTypes").join(" | ")),
            Vec::new(),
        ),
        _ => return,
    };
    out.push_str(&head);
    if !lines.is_empty() {
        let _ = write!(out, " {{\n  {}\n}}", lines.join("\n  "));
    }
    out.push('\n');
}

fn field(declared: &Value) -> Option<String> {
    let name = declared["name"].as_str()?;
    Some(format!(
        "{name}{}: {}",
        arguments(declared),
        reference(&declared["type"])?
    ))
}

fn arguments(declared: &Value) -> String {
    let arguments: Vec<String> = list(declared, "args").filter_map(input).collect();
    if arguments.is_empty() {
        String::new()
    } else {
        format!("({})", arguments.join(", "))
    }
}

fn input(declared: &Value) -> Option<String> {
    let (name, kind) = (declared["name"].as_str()?, reference(&declared["type"])?);
    Some(match declared["defaultValue"].as_str() {
        // It is written in GraphQL's own language already.
        Some(value) => format!("{name}: {kind} = {value}"),
        None => format!("{name}: {kind}"),
    })
}

fn reference(declared: &Value) -> Option<String> {
    Some(match declared["kind"].as_str()? {
        "NON_NULL" => format!("{}!", reference(&declared["ofType"])?),
        "LIST" => format!("[{}]", reference(&declared["ofType"])?),
        _ => declared["name"].as_str()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_type_is_written() {
        let named = |kind: &str, name: &str| json!({"kind": kind, "name": name, "ofType": null});
        let required = |inner: Value| json!({"kind": "NON_NULL", "name": null, "ofType": inner});
        let first = json!({"name": "first", "type": named("SCALAR", "Int"), "defaultValue": "20"});
        let issues = json!({"kind": "LIST", "name": null, "ofType": required(named("OBJECT", "Issue"))});
        let document = json!({"data": {"__schema": {
            "queryType": {"name": "Query"}, "mutationType": null, "subscriptionType": null,
            "directives": [
                {"name": "skip", "args": [], "locations": ["FIELD"]},
                {"name": "cached", "args": [first], "locations": ["FIELD", "QUERY"], "isRepeatable": true},
            ],
            "types": [
                {"kind": "SCALAR", "name": "Int"}, {"kind": "SCALAR", "name": "Date"}, {"kind": "OBJECT", "name": "__Type"},
                {"kind": "ENUM", "name": "Kind", "enumValues": [{"name": "BUG"}, {"name": "TASK"}]},
                {"kind": "INPUT_OBJECT", "name": "Filter", "inputFields": [
                    {"name": "kind", "type": named("ENUM", "Kind"), "defaultValue": "BUG"}]},
                {"kind": "INTERFACE", "name": "Node", "fields": [
                    {"name": "id", "args": [], "type": required(named("SCALAR", "ID"))}], "interfaces": []},
                {"kind": "OBJECT", "name": "Issue", "interfaces": [named("INTERFACE", "Node")], "fields": [
                    {"name": "id", "args": [], "type": required(named("SCALAR", "ID"))}]},
                {"kind": "UNION", "name": "Found", "possibleTypes": [named("OBJECT", "Issue")]},
                {"kind": "OBJECT", "name": "Query", "fields": [
                    {"name": "issues", "type": issues, "args": [first,
                        {"name": "filter", "type": required(named("INPUT_OBJECT", "Filter")), "defaultValue": null}]}]},
            ],
        }}});
        let schema = described(&document).expect("a schema");
        assert_eq!(
            written(schema),
            "\
schema {
  query: Query
}
directive @cached(first: Int = 20) repeatable on FIELD | QUERY
scalar Date
enum Kind {
  BUG
  TASK
}
input Filter {
  kind: Kind = BUG
}
interface Node {
  id: ID!
}
type Issue implements Node {
  id: ID!
}
union Found = Issue
type Query {
  issues(first: Int = 20, filter: Filter!): [Issue!]
}
"
        );
        assert_eq!(described(&document["data"]), Some(schema), "without `data` too");
        assert_eq!(described(&json!({"openapi": "3.1.0"})), None);
    }
}
