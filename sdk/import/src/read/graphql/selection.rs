//! What a document asks for: the plain members of the result, and of what the result refers to only what
//! tells it from others. A reviewer adds what his agents need.

use serde_json::{Value, json};

use super::{Argument, Field, Kind, Schema, Type};

/// The most plain members that are asked of one object.
const MAX_MEMBERS: usize = 40;
/// The most objects beside them.
const MAX_OBJECTS: usize = 20;
/// By these people tell one object from another.
const TELLING: [&str; 12] = [
    "id",
    "identifier",
    "key",
    "name",
    "displayName",
    "title",
    "handle",
    "email",
    "url",
    "code",
    "message",
    "field",
];

/// The document that calls a field with its arguments as variables. Braces stand apart from names, because
/// templates take `{name}` for a placeholder.
pub(super) fn document(schema: &Schema, word: &str, field: &Field, arguments: &[&Argument]) -> String {
    let declared: Vec<String> = arguments
        .iter()
        .map(|argument| format!("${}: {}", argument.name, argument.kind.written()))
        .collect();
    let given: Vec<String> = arguments
        .iter()
        .map(|argument| format!("{0}: ${0}", argument.name))
        .collect();
    let round = |list: &[String]| match list {
        [] => String::new(),
        list => format!("({})", list.join(", ")),
    };
    let selected = match page_items(schema, &field.kind) {
        Some((items, node)) => {
            let node = members(schema, node, 1);
            let nodes = if items == "nodes" {
                format!("nodes {{ {node} }}")
            } else {
                format!("edges {{ node {{ {node} }} }}")
            };
            format!(" {{ {nodes} pageInfo {{ hasNextPage endCursor }} }}")
        }
        // A mutation answers an envelope: the object that it made is a member.
        None => braces(&members(
            schema,
            &field.kind,
            if word == "mutation" { 2 } else { 1 },
        )),
    };
    format!(
        "{word} {}{} {{ result: {}{}{selected} }}",
        capitalised(&field.name),
        round(&declared),
        field.name,
        round(&given),
    )
}

/// Whether a type is a connection: a page of nodes with the place to go on from.
pub(super) fn is_connection(schema: &Schema, kind: &Type) -> bool {
    page_items(schema, kind).is_some()
}

/// What a page looks like, as far as paging has to know.
pub(super) fn page_schema(schema: &Schema, kind: &Type) -> Value {
    let items = page_items(schema, kind).map_or("nodes", |(items, _)| items);
    json!({"type": "object", "required": [items], "properties": {items: {"type": "array", "items": {"type": "object"}}}})
}

/// The member of a connection that holds its items, and the type of an item's node.
fn page_items<'s>(schema: &'s Schema, kind: &Type) -> Option<(&'static str, &'s Type)> {
    let fields = fields(schema, kind)?;
    let member = |name: &str| fields.iter().find(|field| field.name == name);
    member("pageInfo")?;
    if let Some(nodes) = member("nodes") {
        return Some(("nodes", &nodes.kind));
    }
    let node = self::fields(schema, &member("edges")?.kind)?
        .iter()
        .find(|field| field.name == "node")?;
    Some(("edges", &node.kind))
}

fn fields<'s>(schema: &'s Schema, kind: &Type) -> Option<&'s [Field]> {
    match schema.types.get(kind.name())? {
        Kind::Object(fields) => Some(fields),
        _ => None,
    }
}

/// The members of a type: its plain ones, and for `depth` levels what tells the objects it refers to.
fn members(schema: &Schema, kind: &Type, depth: usize) -> String {
    let Some(fields) = fields(schema, kind) else {
        return match schema.types.get(kind.name()) {
            Some(Kind::Union) => "__typename".to_owned(),
            _ => String::new(),
        };
    };
    let callable = || {
        fields
            .iter()
            .filter(|field| !field.deprecated && !field.arguments.iter().any(Argument::is_required))
    };
    let mut selected: Vec<String> = callable()
        .filter(|field| is_plain(schema, &field.kind))
        .take(MAX_MEMBERS)
        .map(|field| field.name.clone())
        .collect();
    let objects = callable().filter(|field| depth > 0 && !is_plain(schema, &field.kind));
    let objects = objects.filter(|field| !is_connection(schema, &field.kind));
    let inner = objects.filter_map(|field| {
        let inner = if depth > 1 {
            members(schema, &field.kind, depth - 1)
        } else {
            telling(schema, &field.kind)
        };
        (!inner.is_empty()).then(|| format!("{}{}", field.name, braces(&inner)))
    });
    selected.extend(inner.take(MAX_OBJECTS));
    if selected.is_empty() {
        return "__typename".to_owned();
    }
    selected.join(" ")
}

/// The members by which an object is told from others of its type.
fn telling(schema: &Schema, kind: &Type) -> String {
    let fields = fields(schema, kind).unwrap_or_default();
    let found = TELLING.iter().filter(|name| {
        fields.iter().any(|field| {
            field.name == **name
                && !field.deprecated
                && field.arguments.is_empty()
                && is_plain(schema, &field.kind)
        })
    });
    found.copied().collect::<Vec<_>>().join(" ")
}

/// Whether a type has no members: a scalar, an enumeration, or a list of them.
fn is_plain(schema: &Schema, kind: &Type) -> bool {
    !matches!(schema.types.get(kind.name()), Some(Kind::Object(_) | Kind::Union))
}

fn braces(selected: &str) -> String {
    match selected {
        "" => String::new(),
        selected => format!(" {{ {selected} }}"),
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        .unwrap_or_default()
}
