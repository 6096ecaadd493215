//! A schema as GraphQL servers describe themselves (GraphQL, section 4.5), with or without the answer's
//! `data` around it.

use serde_json::Value;

use super::{Argument, Field, Kind, Schema, Type};
use crate::Error;
use crate::read::{flag, text};

/// Reads a schema.
///
/// # Errors
/// It is none.
pub(super) fn read(document: &Value) -> Result<Schema, Error> {
    let places = ["/data/__schema", "/__schema"];
    let Some(declared) = places.iter().find_map(|place| document.pointer(place)) else {
        return Err(Error::NotThisFormat {
            wanted: "a GraphQL schema: it is JSON without `__schema`, the answer to an introspection query",
            found: crate::guess(document),
        });
    };
    let root = |member: &str| {
        let name = declared.get(member).and_then(|kind| kind.get("name"));
        name.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let types = list(declared, "types");
    Ok(Schema {
        query: root("queryType"),
        mutation: root("mutationType"),
        types: types
            .filter_map(|kind| Some((text(kind, "name"), self::kind(kind)?)))
            .collect(),
    })
}

fn list<'v>(value: &'v Value, member: &str) -> impl Iterator<Item = &'v Value> {
    value.get(member).and_then(Value::as_array).into_iter().flatten()
}

fn kind(declared: &Value) -> Option<Kind> {
    Some(match declared.get("kind")?.as_str()? {
        "SCALAR" => Kind::Scalar,
        "ENUM" => {
            let values = list(declared, "enumValues").filter(|value| !flag(value, "isDeprecated"));
            Kind::Enum(values.map(|value| text(value, "name")).collect())
        }
        "INPUT_OBJECT" => Kind::Input(list(declared, "inputFields").filter_map(argument).collect()),
        "OBJECT" | "INTERFACE" => Kind::Object(list(declared, "fields").filter_map(field).collect()),
        "UNION" => Kind::Union,
        _ => return None,
    })
}

fn field(declared: &Value) -> Option<Field> {
    Some(Field {
        name: text(declared, "name"),
        description: text(declared, "description"),
        arguments: list(declared, "args").filter_map(argument).collect(),
        kind: reference(declared.get("type")?)?,
        deprecated: flag(declared, "isDeprecated"),
    })
}

fn argument(declared: &Value) -> Option<Argument> {
    Some(Argument {
        name: text(declared, "name"),
        description: text(declared, "description"),
        kind: reference(declared.get("type")?)?,
        has_default: declared.get("defaultValue").is_some_and(|value| !value.is_null()),
        deprecated: flag(declared, "isDeprecated"),
    })
}

fn reference(declared: &Value) -> Option<Type> {
    Some(match declared.get("kind")?.as_str()? {
        "NON_NULL" => Type::Required(Box::new(reference(declared.get("ofType")?)?)),
        "LIST" => Type::List(Box::new(reference(declared.get("ofType")?)?)),
        _ => Type::Named(declared.get("name")?.as_str()?.to_owned()),
    })
}
