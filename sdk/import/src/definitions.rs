//! What `$ref` refers to: parts of the specification, or of files that stand beside it. Nothing is ever
//! fetched from elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::Error;
use crate::source;

/// How many references may lead to one another.
const MAX_CHAIN: usize = 32;
/// How many files beside the specification are read.
const MAX_FILES: usize = 64;

/// The documents that references refer to.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    /// By file name; the specification itself is the empty name.
    documents: BTreeMap<String, Value>,
    /// Files that were wanted and not had, with the reason.
    missing: BTreeMap<String, String>,
    /// Whether a reference is the bare name of a schema, as Google's discovery writes them.
    bare_names: bool,
}

/// Gives the bytes of a file that stands beside the specification, or says why it does not.
pub type Beside<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, String>;

impl Definitions {
    /// A document on its own, whose references are bare names of schemas.
    pub(crate) fn of_discovery(document: Value) -> Self {
        Self {
            documents: BTreeMap::from([(String::new(), document)]),
            bare_names: true,
            ..Self::default()
        }
    }

    /// A document, and every file beside it that it or they refer to.
    pub(crate) fn new(document: Value, beside: Beside) -> Result<Self, Error> {
        let mut wanted = BTreeSet::new();
        files(&document, &mut wanted);
        let mut definitions = Self {
            documents: BTreeMap::from([(String::new(), document)]),
            ..Self::default()
        };
        while let Some(name) = wanted.pop_first() {
            let known = definitions.documents.contains_key(&name) || definitions.missing.contains_key(&name);
            if known {
                continue;
            }
            if definitions.documents.len() > MAX_FILES {
                return Err(Error::Unreadable(format!(
                    "it refers to more than {MAX_FILES} other files"
                )));
            }
            match definitions.load(&name, beside) {
                Ok(document) => {
                    files(&document, &mut wanted);
                    definitions.documents.insert(name, document);
                }
                Err(problem) => {
                    definitions.missing.insert(name, problem);
                }
            }
        }
        Ok(definitions)
    }

    fn load(&self, name: &str, beside: Beside) -> Result<Value, String> {
        let is_beside = !name.contains(['/', '\\', ':']) && !name.starts_with('.');
        if !is_beside {
            return Err("only files in the specification's own folder are read".to_owned());
        }
        let text = source::text(&beside(name)?).map_err(|error| error.to_string())?;
        let mut document = source::document(&text).map_err(|error| error.to_string())?;
        name_own_file(name, &mut document);
        Ok(document)
    }

    /// The specification itself.
    pub(crate) fn root(&self) -> &Value {
        self.documents.get("").unwrap_or(&Value::Null)
    }

    /// The files that are missing, with the reason.
    pub(crate) fn missing(&self) -> impl Iterator<Item = (&str, &str)> {
        self.missing
            .iter()
            .map(|(name, reason)| (name.as_str(), reason.as_str()))
    }

    /// What one reference refers to, which may be another reference.
    pub(crate) fn resolve(&self, reference: &str) -> Result<&Value, String> {
        if self.bare_names {
            let found = self
                .root()
                .get("schemas")
                .and_then(|schemas| schemas.get(reference));
            return found.ok_or_else(|| format!("refers to the schema `{reference}`, which is not there"));
        }
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let file = plain(file);
        if let Some(reason) = self.missing.get(file) {
            return Err(format!("refers to `{file}`, which cannot be had: {reason}"));
        }
        let pointer = percent_decoded(pointer);
        self.documents
            .get(file)
            .and_then(|document| document.pointer(&pointer))
            .ok_or_else(|| format!("refers to `{reference}`, which is not there"))
    }

    /// A value itself, or what its chain of references leads to.
    pub(crate) fn follow<'v>(&'v self, mut value: &'v Value) -> Result<&'v Value, String> {
        for _ in 0..MAX_CHAIN {
            match reference(value) {
                None => return Ok(value),
                Some(reference) => value = self.resolve(reference)?,
            }
        }
        Err("refers to itself".to_owned())
    }

    /// The members of an object, references followed; none where there is no object.
    pub(crate) fn members<'v>(&'v self, value: Option<&'v Value>) -> Option<&'v Map<String, Value>> {
        self.follow(value?).ok()?.as_object()
    }
}

/// The target of a reference; a property named `$ref` is none.
pub(crate) fn reference(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}

/// A file's name without the word for its own folder.
fn plain(file: &str) -> &str {
    file.strip_prefix("./").unwrap_or(file)
}

/// The files that a document refers to.
fn files(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(reference) = reference(value)
                && let Some(file) = reference.split('#').next().filter(|file| !file.is_empty())
            {
                found.insert(plain(file).to_owned());
            }
            members.values().for_each(|member| files(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| files(item, found)),
        _ => {}
    }
}

/// Makes the references of a file to itself say its name, so that they mean the same from everywhere.
fn name_own_file(name: &str, value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref")
                && reference.starts_with('#')
            {
                reference.insert_str(0, name);
            }
            members
                .values_mut()
                .for_each(|member| name_own_file(name, member));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| name_own_file(name, item)),
        _ => {}
    }
}

/// A reference's pointer is a URL's fragment, so it may be percent-encoded.
fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = text
            .get(at + 1..at + 3)
            .filter(|_| byte == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_lead_through_files_beside_the_specification_and_nowhere_else() {
        let document = json!({
            "a": {"$ref": "#/b~1c/%7Bx%7D"}, "b/c": {"{x}": {"$ref": "./common.yaml#/d"}},
            "up": {"$ref": "../secret.yaml#/x"}, "web": {"$ref": "https://vendor.example/x.json"},
            "gone": {"$ref": "#/nowhere"}, "loop": {"$ref": "#/loop"},
        });
        let beside = |name: &str| match name {
            "common.yaml" => Ok(b"d: {$ref: '#/e'}\ne: 7".to_vec()),
            _ => Err("it is not there".to_owned()),
        };
        let definitions = Definitions::new(document, &beside).expect("read");
        let follow = |name: &str| definitions.follow(&definitions.root()[name]);
        assert_eq!(follow("a"), Ok(&json!(7)));
        assert!(follow("up").expect_err("outside").contains("own folder"));
        assert!(follow("web").expect_err("remote").contains("own folder"));
        assert!(follow("gone").expect_err("nowhere").contains("not there"));
        assert!(follow("loop").expect_err("a circle").contains("itself"));
    }
}
