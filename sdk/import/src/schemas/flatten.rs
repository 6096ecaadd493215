//! One level of a schema without references and `allOf`, its alternatives side by side.

use serde_json::{Map, Value, json};

use super::{Unsayable, names};
use crate::definitions::{Definitions, reference};

/// How many references, `allOf` and alternatives may stand inside one another at one level.
const MAX_LEVELS: usize = 24;
/// How many alternatives one level may have.
const MAX_ALTERNATIVES: usize = 64;

/// A schema of which one level is written out.
#[derive(Debug, Default, Clone)]
pub(super) struct Flat {
    /// Its keywords, those of `allOf` joined in.
    pub(super) schema: Map<String, Value>,
    /// Any one of these holds beside that; joined with it already.
    pub(super) alternatives: Vec<Flat>,
    /// The references that were written out.
    pub(super) references: Vec<String>,
}

pub(super) struct Flattener<'d> {
    definitions: &'d Definitions,
}

impl<'d> Flattener<'d> {
    pub(super) fn new(definitions: &'d Definitions) -> Self {
        Self { definitions }
    }

    /// Writes one level of a schema out. `open` are the references inside which it stands.
    pub(super) fn flatten(&self, schema: &Value, open: &[String]) -> Result<Flat, Unsayable> {
        let mut flat = self.level(schema, open, 0)?;
        // What is said of all alternatives is said of each.
        let shared = flat.schema.clone();
        for alternative in &mut flat.alternatives {
            let mut joined = shared.clone();
            joined.remove("description");
            join(std::mem::take(&mut alternative.schema), &mut joined);
            alternative.schema = joined;
        }
        Ok(flat)
    }

    fn level(&self, schema: &Value, open: &[String], level: usize) -> Result<Flat, Unsayable> {
        if level > MAX_LEVELS {
            return Err(Unsayable::TooDeep);
        }
        let Some(members) = schema.as_object() else {
            // `true`, or what is no schema: any value.
            return Ok(Flat::default());
        };
        let mut flat = Flat::default();
        if let Some(target) = reference(schema) {
            if open.iter().any(|open| open == target) {
                return Err(Unsayable::Recursive);
            }
            let found = self.definitions.resolve(target).map_err(Unsayable::Broken)?;
            let mut inside = open.to_vec();
            inside.push(target.to_owned());
            flat = self.level(found, &inside, level + 1)?;
            flat.references.push(target.to_owned());
        }
        let mut own = members.clone();
        for keyword in ["$ref", "allOf", "oneOf", "anyOf"] {
            own.remove(keyword);
        }
        join(own, &mut flat.schema);
        for part in list(members, "allOf") {
            let part = self.level(part, open, level + 1)?;
            join(part.schema, &mut flat.schema);
            flat.references.extend(part.references);
            add(part.alternatives, &mut flat);
        }
        // The words of the outside say more than those of a shared part.
        if let Some(text) = members.get("description") {
            flat.schema.insert("description".to_owned(), text.clone());
        }
        for keyword in ["oneOf", "anyOf"] {
            let mut alternatives = Vec::new();
            let mut reason = None;
            for alternative in list(members, keyword) {
                match self.level(alternative, open, level + 1) {
                    Ok(alternative) if alternative.alternatives.is_empty() => alternatives.push(alternative),
                    Ok(mut outer) => {
                        for mut inner in std::mem::take(&mut outer.alternatives) {
                            let mut joined = outer.schema.clone();
                            join(inner.schema, &mut joined);
                            inner.schema = joined;
                            inner.references.extend(outer.references.iter().cloned());
                            alternatives.push(inner);
                        }
                    }
                    Err(why) => reason = Some(why),
                }
                if alternatives.len() > MAX_ALTERNATIVES {
                    return Err(Unsayable::TooMany);
                }
            }
            match reason {
                Some(reason) if alternatives.is_empty() => return Err(reason),
                _ => add(alternatives, &mut flat),
            }
        }
        Ok(flat)
    }

    /// Whether null is a value of a schema.
    pub(super) fn takes_null(&self, schema: &Value) -> bool {
        let Ok(flat) = self.level(schema, &[], 0) else {
            return false;
        };
        let null = |schema: &Map<String, Value>| {
            let kinds = schema.get("type");
            kinds == Some(&json!("null"))
                || kinds
                    .and_then(Value::as_array)
                    .is_some_and(|kinds| kinds.contains(&json!("null")))
        };
        flat.schema.get("nullable") == Some(&Value::Bool(true))
            || null(&flat.schema)
            || flat
                .alternatives
                .iter()
                .any(|alternative| null(&alternative.schema))
    }
}

/// Adds alternatives to those that are there. Where two sets of them hold at once, the first decides and the
/// second is only joined when it is objects: their members are all optional then.
fn add(alternatives: Vec<Flat>, flat: &mut Flat) {
    if flat.alternatives.is_empty() {
        flat.alternatives = alternatives;
    } else if !alternatives.is_empty() {
        let joined = join_objects(&alternatives.iter().collect::<Vec<_>>());
        flat.references.extend(
            alternatives
                .into_iter()
                .flat_map(|alternative| alternative.references),
        );
        join(joined, &mut flat.schema);
    }
}

/// Joins keywords into those of a schema: members and requirements add up, of others the later counts.
fn join(from: Map<String, Value>, into: &mut Map<String, Value>) {
    for (keyword, value) in from {
        match (keyword.as_str(), into.get_mut(&keyword), value) {
            ("properties", Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            ("required", Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
            (_, _, value) => {
                into.insert(keyword, value);
            }
        }
    }
}

/// One object that has the members of all, and requires what all of them require.
pub(super) fn join_objects<F: std::borrow::Borrow<Flat>>(objects: &[F]) -> Map<String, Value> {
    let mut joined = Map::new();
    let mut properties = Map::new();
    let mut required: Option<Vec<&str>> = None;
    for object in objects {
        let object = &object.borrow().schema;
        for (name, property) in object
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            match properties.get_mut(name) {
                None => {
                    properties.insert(name.clone(), property.clone());
                }
                Some(known) => one_of_values(known, property),
            }
        }
        let own = names(object.get("required"));
        required = Some(match required {
            None => own.into_iter().collect(),
            Some(known) => known.into_iter().filter(|name| own.contains(name)).collect(),
        });
        if let Some(more) = object.get("additionalProperties") {
            joined.insert("additionalProperties".to_owned(), more.clone());
        }
    }
    joined.insert("type".to_owned(), json!("object"));
    joined.insert("required".to_owned(), json!(required.unwrap_or_default()));
    joined.insert("properties".to_owned(), Value::Object(properties));
    joined
}

/// Where two objects have a member of the same name with certain values each (the word that tells the
/// alternatives apart, as a rule), either set of values will do.
fn one_of_values(known: &mut Value, other: &Value) {
    let values = |schema: &Value| match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(values)), _) => Some(values.clone()),
        (_, Some(value)) => Some(vec![value.clone()]),
        _ => None,
    };
    let (Some(mut all), Some(more)) = (values(known), values(other)) else {
        return;
    };
    for value in more {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    if let Some(known) = known.as_object_mut() {
        known.remove("const");
        known.insert("enum".to_owned(), Value::Array(all));
    }
}

fn list<'v>(members: &'v Map<String, Value>, keyword: &str) -> impl Iterator<Item = &'v Value> {
    members
        .get(keyword)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
