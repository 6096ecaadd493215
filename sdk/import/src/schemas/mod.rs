//! Vendors' schemas made portable: what every model's tool interface takes (the host's
//! `manifest/check/schema.rs` and `manifest/profile` say what that is). References are written out, what
//! refers to itself is cut, alternatives become one, and what cannot be said at all is left out where it is
//! optional. Whatever a specification holds, this ends: every step counts against a limit.

mod flatten;
mod leaf;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::definitions::Definitions;
use crate::words;
use flatten::{Flat, Flattener};

/// Levels of a tool's input, the most generous first: the next is tried when an input has too many
/// parameters at the level before.
const DEPTHS: [usize; 6] = [8, 6, 5, 4, 3, 2];
/// Parameters of one tool at any depth. The portable subset allows four times as many, but no model keeps
/// them apart.
pub(crate) const MAX_PROPERTIES: usize = 120;
/// Schemas that are looked at for one tool and one depth.
const MAX_NODES: usize = 5_000;
/// Characters of a parameter's description. A page helps no model.
const MAX_DESCRIPTION: usize = 500;
/// Characters of a member's name.
const MAX_NAME: usize = 64;

/// Why a schema cannot be said in the portable subset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unsayable {
    /// An object of any members, which models' strict formats refuse.
    OpenObject,
    /// It refers to itself.
    Recursive,
    /// It is nested too deep.
    TooDeep,
    /// It has too many parameters.
    TooMany,
    /// A member has a name that models do not take.
    Name(String),
    /// A file or other bytes.
    Binary,
    /// Null and nothing else, which says nothing.
    Null,
    /// A reference leads nowhere.
    Broken(String),
}

impl Unsayable {
    /// What is the matter in this case, where `kind` says too little.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::OpenObject => "an object of any members, which models' strict formats refuse".to_owned(),
            Self::Name(name) => format!("a member with the name {name:?}, which models do not take"),
            Self::Broken(problem) => format!("a schema that {problem}"),
            Self::Recursive | Self::TooDeep | Self::TooMany | Self::Binary | Self::Null => {
                self.kind().to_owned()
            }
        }
    }

    /// The same for all of its kind, to count by.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::OpenObject => "an object of any members",
            Self::Recursive => "a structure that refers to itself",
            Self::TooDeep => "a structure that is nested too deep",
            Self::TooMany => "too many parameters",
            Self::Name(_) => "a member whose name models do not take",
            Self::Binary => "a file",
            Self::Null => "a value that is always null",
            Self::Broken(_) => "a broken reference",
        }
    }
}

/// Optional parts that were left out, by reason.
pub(crate) type Losses = BTreeMap<&'static str, usize>;

/// Makes the schemas of one tool's input portable, all with the same limits.
pub(crate) struct Portable<'d> {
    flattener: Flattener<'d>,
    max_depth: usize,
    /// Whether optional parameters beyond the limit are left out rather than all tried less deep.
    last_try: bool,
    properties: usize,
    nodes: usize,
    /// References that are being written out, to see when one comes again.
    open: Vec<String>,
    losses: Losses,
}

impl<'d> Portable<'d> {
    /// Calls `make` with ever tighter limits until it does not fail for having too many parameters.
    pub(crate) fn fit<T>(
        definitions: &'d Definitions,
        mut make: impl FnMut(&mut Self) -> Result<T, Unsayable>,
    ) -> Result<(T, Losses), Unsayable> {
        let mut result = Err(Unsayable::TooMany);
        for max_depth in DEPTHS {
            let mut portable = Self {
                flattener: Flattener::new(definitions),
                max_depth,
                last_try: Some(&max_depth) == DEPTHS.last(),
                properties: 0,
                nodes: 0,
                open: Vec::new(),
                losses: Losses::new(),
            };
            result = make(&mut portable).map(|made| (made, portable.losses));
            if !matches!(result, Err(Unsayable::TooMany)) {
                break;
            }
        }
        result
    }

    /// The schema of one parameter of the tool.
    pub(crate) fn parameter(&mut self, name: &str, schema: &Value, words: &str) -> Result<Value, Unsayable> {
        self.count_property()?;
        let mut made = self.node(schema, 2)?;
        describe(name, words, &mut made);
        Ok(Value::Object(made))
    }

    /// The schema of a body as the root of an input: its members may have any names.
    pub(crate) fn body(&mut self, schema: &Value) -> Result<Map<String, Value>, Unsayable> {
        self.node(schema, 1)
    }

    /// Notes that an optional part is left out.
    pub(crate) fn lose(&mut self, reason: &Unsayable) {
        *self.losses.entry(reason.kind()).or_default() += 1;
    }

    fn count_property(&mut self) -> Result<(), Unsayable> {
        self.properties += 1;
        if self.properties > MAX_PROPERTIES {
            return Err(Unsayable::TooMany);
        }
        Ok(())
    }

    /// A schema at a depth (the root of the input is 1).
    fn node(&mut self, schema: &Value, depth: usize) -> Result<Map<String, Value>, Unsayable> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Unsayable::TooMany);
        }
        if depth > self.max_depth {
            return Err(Unsayable::TooDeep);
        }
        let flat = self.flattener.flatten(schema, &self.open)?;
        let before = self.open.len();
        self.open.extend(flat.references.iter().cloned());
        let made = self.flat(&flat, depth);
        self.open.truncate(before);
        made
    }

    fn flat(&mut self, flat: &Flat, depth: usize) -> Result<Map<String, Value>, Unsayable> {
        let mut made = match flat.alternatives.as_slice() {
            [] => self.plain(&flat.schema, depth)?,
            alternatives => self.either(alternatives, depth)?,
        };
        if let Some(text) = flat.schema.get("description").and_then(Value::as_str) {
            made.insert("description".to_owned(), json!(text));
        }
        Ok(made)
    }

    /// A schema without alternatives.
    fn plain(&mut self, schema: &Map<String, Value>, depth: usize) -> Result<Map<String, Value>, Unsayable> {
        let kinds = leaf::kinds(schema);
        match kinds.as_slice() {
            ["object"] => self.object(schema, depth),
            ["array"] => self.array(schema, depth),
            ["file"] => Err(Unsayable::Binary),
            ["null"] => Err(Unsayable::Null),
            [kind] => leaf::scalar(kind, schema),
            kinds => {
                // Several types, or any value at all: the plain ones of them.
                let plain = ["string", "number", "integer", "boolean"];
                let mut branches: Vec<Value> = Vec::new();
                for kind in kinds.iter().filter(|kind| plain.contains(kind)) {
                    let mut branch = leaf::scalar(kind, schema)?;
                    branch.remove(leaf::FOLDED);
                    branches.push(Value::Object(branch));
                }
                if branches.is_empty() && kinds.contains(&"array") {
                    return self.array(schema, depth);
                }
                any_of(branches, depth, self.max_depth)
            }
        }
    }

    fn array(&mut self, schema: &Map<String, Value>, depth: usize) -> Result<Map<String, Value>, Unsayable> {
        let anything = Value::Bool(true);
        let mut items = self.node(schema.get("items").unwrap_or(&anything), depth + 1)?;
        settle(&mut items);
        let mut made = leaf::of_type("array");
        leaf::keep_counts(schema, &["minItems", "maxItems"], &mut made);
        made.insert("items".to_owned(), Value::Object(items));
        Ok(made)
    }

    fn object(&mut self, schema: &Map<String, Value>, depth: usize) -> Result<Map<String, Value>, Unsayable> {
        let required: BTreeSet<&str> = names(schema.get("required"));
        let nothing = Map::new();
        let declared = schema
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&nothing);
        let mut order: Vec<&String> = declared.keys().collect();
        order.sort_by_key(|name| (!required.contains(name.as_str()), name.as_str()));

        let mut properties = Map::new();
        for name in order {
            let property = &declared[name];
            if is_only_answered(property) {
                continue;
            }
            let is_required = required.contains(name.as_str()) && !is_annotation(name);
            match self.member(name, property, is_required, depth) {
                Ok(made) => {
                    properties.insert(name.clone(), Value::Object(made));
                }
                Err(reason) if is_required || (reason == Unsayable::TooMany && !self.last_try) => {
                    return Err(reason);
                }
                Err(reason) => self.lose(&reason),
            }
        }
        if properties.is_empty() {
            return Err(Unsayable::OpenObject);
        }
        let mut made = leaf::of_type("object");
        let required: Vec<&String> = properties
            .keys()
            .filter(|name| required.contains(name.as_str()))
            .collect();
        if !required.is_empty() {
            made.insert("required".to_owned(), json!(required));
        }
        let is_open = schema
            .get("additionalProperties")
            .is_some_and(|more| *more != Value::Bool(false));
        made.insert(
            "additionalProperties".to_owned(),
            Value::Bool(is_open && depth > 1),
        );
        made.insert("properties".to_owned(), Value::Object(properties));
        Ok(made)
    }

    /// A property of an object. Null, by which some vendors clear a value, is kept where a value has to be
    /// given; where it is optional, the strict formats could not tell it from leaving it out.
    fn member(
        &mut self,
        name: &str,
        schema: &Value,
        is_required: bool,
        depth: usize,
    ) -> Result<Map<String, Value>, Unsayable> {
        if depth > 1 && !is_name(name) {
            return Err(Unsayable::Name(name.to_owned()));
        }
        self.count_property()?;
        let mut made = self.node(schema, depth + 1)?;
        if is_required && self.flattener.takes_null(schema) {
            leaf::add_null(&mut made);
        }
        describe(name, "", &mut made);
        Ok(made)
    }

    /// Alternatives as one schema: objects are joined into one that has the members of all; of what is left,
    /// one of each kind.
    fn either(&mut self, alternatives: &[Flat], depth: usize) -> Result<Map<String, Value>, Unsayable> {
        let mut objects: Vec<&Flat> = Vec::new();
        let mut branches: Vec<Map<String, Value>> = Vec::new();
        let mut reason = Unsayable::OpenObject;
        for alternative in alternatives {
            let kinds = leaf::kinds(&alternative.schema);
            if kinds == ["null"] {
                continue;
            }
            if kinds == ["object"] {
                objects.push(alternative);
                continue;
            }
            let before = self.open.len();
            self.open.extend(alternative.references.iter().cloned());
            let made = self.plain(
                &alternative.schema,
                if alternatives.len() > 1 { depth + 1 } else { depth },
            );
            self.open.truncate(before);
            match made {
                Ok(made) => leaf::join(made, &mut branches),
                Err(Unsayable::TooMany) => return Err(Unsayable::TooMany),
                Err(why) => {
                    self.lose(&why);
                    reason = why;
                }
            }
        }
        if !objects.is_empty() {
            let joined = flatten::join_objects(&objects);
            let before = self.open.len();
            self.open.extend(
                objects
                    .iter()
                    .flat_map(|object| object.references.iter().cloned()),
            );
            let alone = branches.is_empty();
            let made = self.object(&joined, if alone { depth } else { depth + 1 });
            self.open.truncate(before);
            match made {
                Ok(made) if alone => return Ok(made),
                // As one alternative of several, an object's members must all be required.
                Ok(made) if leaf::requires_all(&made) => branches.push(made),
                Ok(_) => {
                    *self
                        .losses
                        .entry("an alternative with optional members")
                        .or_default() += 1
                }
                Err(Unsayable::TooMany) => return Err(Unsayable::TooMany),
                Err(why) => {
                    self.lose(&why);
                    reason = why;
                }
            }
        }
        match branches.len() {
            0 => Err(reason),
            1 => Ok(branches.remove(0)),
            _ => any_of(
                branches.into_iter().map(Value::Object).collect(),
                depth,
                self.max_depth,
            ),
        }
    }
}

fn any_of(mut branches: Vec<Value>, depth: usize, max_depth: usize) -> Result<Map<String, Value>, Unsayable> {
    if branches.len() == 1
        && let Some(Value::Object(only)) = branches.pop()
    {
        return Ok(only);
    }
    if depth + 1 > max_depth {
        return Err(Unsayable::TooDeep);
    }
    if branches.is_empty() {
        return Err(Unsayable::OpenObject);
    }
    Ok(Map::from_iter([("anyOf".to_owned(), Value::Array(branches))]))
}

/// Whether a member is in answers alone. Google says it in words.
fn is_only_answered(property: &Value) -> bool {
    let said = property
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    property.get("readOnly") == Some(&Value::Bool(true))
        || said
            .get(..11)
            .is_some_and(|begins| begins.eq_ignore_ascii_case("output only"))
}

/// OData's annotations (`@odata.type`) are never needed, whatever a specification says.
fn is_annotation(name: &str) -> bool {
    name.contains("@odata.")
}

/// Whether every model takes a member of this name.
fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn names(list: Option<&Value>) -> BTreeSet<&str> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

/// Makes the words of what is no parameter itself (the items of a list) plain.
fn settle(made: &mut Map<String, Value>) {
    let said = made.remove("description");
    let folded = made.remove(leaf::FOLDED);
    let text = words::plain(
        said.as_ref().and_then(Value::as_str).unwrap_or_default(),
        MAX_DESCRIPTION,
    );
    let folded = folded.as_ref().and_then(Value::as_str).unwrap_or_default();
    let text = format!("{} {folded}", words::ended(&text));
    if !text.trim().is_empty() {
        made.insert("description".to_owned(), json!(text.trim()));
    }
}

/// Gives a parameter its description: the given words, its own, or its name in words; with what the format
/// has no keyword for.
fn describe(name: &str, given: &str, made: &mut Map<String, Value>) {
    let own = made.remove("description");
    let folded = made.remove(leaf::FOLDED);
    let own = if given.is_empty() {
        own.as_ref().and_then(Value::as_str).unwrap_or_default()
    } else {
        given
    };
    let mut text = words::plain(own, MAX_DESCRIPTION);
    if text.chars().count() < 3 {
        text = format!("{}.", words::sentence_of(name));
    }
    // The check wants three characters, and a name may be one letter.
    if text.chars().count() < 3 {
        text = format!("The value of {name}.");
    }
    if let Some(folded) = folded.as_ref().and_then(Value::as_str) {
        text = format!("{} {folded}", words::ended(&text));
    }
    made.insert("description".to_owned(), Value::String(text));
}

/// One level of an answer's schema, written out, to look for members in; none where it cannot be.
pub(crate) fn outline(definitions: &Definitions, schema: &Value) -> Option<Map<String, Value>> {
    let flat = Flattener::new(definitions).flatten(schema, &[]).ok()?;
    match flat.alternatives.as_slice() {
        [] => Some(flat.schema),
        alternatives => {
            let objects: Vec<&Flat> = alternatives
                .iter()
                .filter(|alternative| leaf::kinds(&alternative.schema) == ["object"])
                .collect();
            if objects.is_empty() {
                return alternatives.first().map(|first| first.schema.clone());
            }
            Some(flatten::join_objects(&objects))
        }
    }
}

/// The one type of a written-out schema.
pub(crate) fn kind_of(schema: &Map<String, Value>) -> Option<&str> {
    match leaf::kinds(schema).as_slice() {
        [kind] => Some(kind),
        _ => None,
    }
}
