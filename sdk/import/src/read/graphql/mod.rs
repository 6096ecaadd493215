//! GraphQL schemas, as SDL or as the answer to an introspection query: each query and mutation becomes an
//! operation with a document of its own, whose variables are the field's arguments.

mod introspection;
mod sdl;
mod selection;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::definitions::Definitions;
use crate::model::{Answer, Api, Body, ListStyle, Location, Operation, Parameter, Server};
use crate::{Error, source};

/// What every document calls the field that it asks for.
const RESULT: &str = "/data/result";
/// Where GraphQL says that a call failed; the status is 200 all the same.
const FAILURE: &str = "/errors/0";

/// The types of a schema.
#[derive(Debug, Default)]
struct Schema {
    /// Name of the type whose fields are the queries.
    query: String,
    /// Name of the type whose fields are the mutations.
    mutation: String,
    types: BTreeMap<String, Kind>,
}

/// What a type is.
#[derive(Debug)]
enum Kind {
    Scalar,
    Enum(Vec<String>),
    Input(Vec<Argument>),
    /// An object or an interface.
    Object(Vec<Field>),
    Union,
}

#[derive(Debug)]
struct Field {
    name: String,
    description: String,
    arguments: Vec<Argument>,
    kind: Type,
    deprecated: bool,
}

#[derive(Debug)]
struct Argument {
    name: String,
    description: String,
    kind: Type,
    has_default: bool,
    deprecated: bool,
}

/// A type as a field or an argument refers to it.
#[derive(Debug, Clone, PartialEq)]
enum Type {
    Named(String),
    List(Box<Type>),
    Required(Box<Type>),
}

impl Type {
    fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::List(inner) | Self::Required(inner) => inner.name(),
        }
    }

    /// As a document writes it.
    fn written(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::List(inner) => format!("[{}]", inner.written()),
            Self::Required(inner) => format!("{}!", inner.written()),
        }
    }
}

impl Argument {
    /// Whether a call must give it.
    fn is_required(&self) -> bool {
        matches!(self.kind, Type::Required(_)) && !self.has_default
    }
}

/// Reads a schema that is served at `url`.
///
/// # Errors
/// It is no schema, or has nothing to call.
pub(crate) fn read(text: &str, url: &str) -> Result<Api, Error> {
    let schema = if text.trim_start().starts_with('{') {
        introspection::read(&source::document(text)?)?
    } else {
        sdl::read(text)?
    };
    let (base, path) = split(url);
    let mut api = Api {
        servers: vec![Server {
            url: base.to_owned(),
            ..Server::default()
        }],
        ..Api::default()
    };
    for (word, root) in [("query", &schema.query), ("mutation", &schema.mutation)] {
        let Some(Kind::Object(fields)) = schema.types.get(root) else {
            continue;
        };
        for field in fields {
            api.operations.push(operation(&schema, word, field, path));
        }
    }
    if api.operations.is_empty() {
        return Err(Error::NothingToCall);
    }
    api.definitions = Definitions::new(Value::Object(inputs(&schema)), &|_| {
        Err("there are no files".to_owned())
    })?;
    Ok(api)
}

/// The origin of a URL, and its path.
fn split(url: &str) -> (&str, &str) {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    match url[after_scheme..].find('/') {
        Some(slash) => url.split_at(after_scheme + slash),
        None => (url, "/"),
    }
}

fn operation(schema: &Schema, word: &str, field: &Field, path: &str) -> Operation {
    let is_page = selection::is_connection(schema, &field.kind)
        && ["first", "after"]
            .iter()
            .all(|name| field.arguments.iter().any(|argument| argument.name == *name));
    // Pages are walked forwards; the arguments for walking backwards would only contradict that.
    let arguments: Vec<&Argument> = field
        .arguments
        .iter()
        .filter(|argument| !argument.deprecated || argument.is_required())
        .filter(|argument| !(is_page && matches!(argument.name.as_str(), "last" | "before")))
        .collect();
    Operation {
        id: Some(field.name.clone()),
        method: "POST".to_owned(),
        path: path.to_owned(),
        tags: vec![if word == "query" { "queries" } else { "mutations" }.to_owned()],
        description: field.description.clone(),
        deprecated: field.deprecated,
        parameters: arguments
            .iter()
            .map(|argument| Parameter {
                name: argument.name.clone(),
                location: Location::Variable,
                required: argument.is_required(),
                schema: reference(&argument.kind),
                description: argument.description.clone(),
                list: ListStyle::Repeated,
            })
            .collect(),
        body: Body::GraphQl {
            document: selection::document(schema, word, field, &arguments),
        },
        answer: Answer {
            pointer: Some(RESULT.to_owned()),
            failure: Some(FAILURE.to_owned()),
            connection: is_page,
            schema: is_page.then(|| selection::page_schema(schema, &field.kind)),
            ..Answer::default()
        },
        ..Operation::default()
    }
}

/// A type as a JSON Schema that refers to the named type.
fn reference(kind: &Type) -> Value {
    match kind {
        Type::Named(name) => json!({"$ref": format!("#/{name}")}),
        Type::List(inner) => json!({"type": "array", "items": reference(inner)}),
        Type::Required(inner) => reference(inner),
    }
}

/// Everything that an argument may be, by name.
fn inputs(schema: &Schema) -> Map<String, Value> {
    let mut inputs = Map::new();
    for (name, kind) in &schema.types {
        let value = match kind {
            Kind::Scalar => scalar(name),
            Kind::Enum(values) => json!({"type": "string", "enum": values}),
            Kind::Input(fields) => input(fields),
            Kind::Object(_) | Kind::Union => continue,
        };
        inputs.insert(name.clone(), value);
    }
    for name in ["ID", "String", "Int", "Float", "Boolean"] {
        inputs.insert(name.to_owned(), scalar(name));
    }
    inputs
}

fn input(fields: &[Argument]) -> Value {
    let mut properties = Map::new();
    for field in fields
        .iter()
        .filter(|field| !field.deprecated || field.is_required())
    {
        let mut value = reference(&field.kind);
        if !field.description.is_empty() {
            value["description"] = json!(field.description);
        }
        properties.insert(field.name.clone(), value);
    }
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.is_required())
        .map(|field| field.name.as_str())
        .collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// A scalar as JSON writes it; of custom ones only those are not texts whose names say so.
fn scalar(name: &str) -> Value {
    match name {
        "Int" => json!({"type": "integer"}),
        "Float" => json!({"type": "number"}),
        "Boolean" => json!({"type": "boolean"}),
        "DateTime" => json!({"type": "string", "format": "date-time"}),
        "Date" => json!({"type": "string", "format": "date"}),
        _ if name.contains("JSON") || name == "Map" => json!({"type": "object"}),
        _ => json!({"type": "string"}),
    }
}
