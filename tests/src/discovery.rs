//! Google's discovery documents as a judge: whether a request is one that the API has, and
//! whether an answer has the shape that it promises. Unknown members count as wrong.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use crate::artifacts::repository;

/// One API's document.
pub struct Discovery {
    document: Value,
}

/// Bytes in JSON: base64url, padded or not.
const BYTES: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Discovery {
    /// The Gmail API's.
    ///
    /// # Panics
    /// The document is not in `tests/specs`.
    #[must_use]
    pub fn gmail() -> Self {
        let path = repository().join("tests/specs/google/gmail.v1.discovery.json");
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self {
            document: serde_json::from_slice(&bytes).expect("the document is JSON"),
        }
    }

    /// What is wrong with a request; empty when nothing is. `path` begins with a slash and has no
    /// query; `body` is `Null` when there is none.
    #[must_use]
    pub fn check_request(
        &self,
        method: &str,
        path: &str,
        query: &[(String, String)],
        body: &Value,
    ) -> Vec<String> {
        let Some(rule) = self.method(method, path) else {
            return vec![format!("there is no method {method} {path}")];
        };
        let mut problems = Vec::new();
        for (name, value) in query {
            let own = &rule["parameters"][name];
            let known = if own.is_null() {
                &self.document["parameters"][name]
            } else {
                own
            };
            if known.is_null() || known["location"] != "query" {
                problems.push(format!("there is no query parameter {name}"));
            } else if !is_text_of(known, value) {
                problems.push(format!("{name}={value} is not of its type"));
            }
        }
        for (name, parameter) in members(&rule["parameters"]) {
            let repeated = query.iter().filter(|(given, _)| given == name).count() > 1;
            if repeated && parameter["repeated"] != true {
                problems.push(format!("{name} is given twice"));
            }
        }
        match (&rule["request"], body) {
            (Value::Null, Value::Null) => {}
            (Value::Null, _) => problems.push("it takes no body".to_owned()),
            (schema, body) => self.check(schema, body, "", &mut problems),
        }
        problems
    }

    /// What is wrong with a successful answer; empty when nothing is.
    #[must_use]
    pub fn check_answer(&self, method: &str, path: &str, body: &Value) -> Vec<String> {
        let Some(rule) = self.method(method, path) else {
            return vec![format!("there is no method {method} {path}")];
        };
        let mut problems = Vec::new();
        match (&rule["response"], body) {
            (Value::Null, Value::Null) => {}
            (Value::Null, _) => problems.push("it answers no body".to_owned()),
            (schema, body) => self.check(schema, body, "", &mut problems),
        }
        problems
    }

    fn method(&self, method: &str, path: &str) -> Option<&Value> {
        let base = self.document["servicePath"].as_str().unwrap_or_default();
        let path = path.trim_start_matches('/').strip_prefix(base)?;
        let mut found = Vec::new();
        collect(&self.document["resources"], &mut found);
        // A literal path wins over one with a parameter in the same place.
        found
            .into_iter()
            .filter(|rule| rule["httpMethod"] == method)
            .filter(|rule| {
                fits(
                    rule["flatPath"].as_str().or(rule["path"].as_str()).unwrap_or(""),
                    path,
                )
            })
            .min_by_key(|rule| rule["path"].as_str().unwrap_or("").matches('{').count())
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
        if let Some(name) = schema["$ref"].as_str() {
            return self.check(&self.document["schemas"][name], value, at, problems);
        }
        let mut wrong = |what: &str| problems.push(format!("{at}: {what}, not {value}"));
        match schema["type"].as_str() {
            Some("object") => {
                let Some(object) = value.as_object() else {
                    return wrong("an object");
                };
                for (name, member) in object {
                    let own = &schema["properties"][name];
                    let schema = if own.is_null() {
                        &schema["additionalProperties"]
                    } else {
                        own
                    };
                    if schema.is_null() {
                        problems.push(format!("{at}/{name}: there is no such member"));
                    } else {
                        self.check(schema, member, &format!("{at}/{name}"), problems);
                    }
                }
            }
            Some("array") => {
                let Some(items) = value.as_array() else {
                    return wrong("an array");
                };
                for (n, item) in items.iter().enumerate() {
                    self.check(&schema["items"], item, &format!("{at}/{n}"), problems);
                }
            }
            Some("string") => {
                if !value.as_str().is_some_and(|text| is_text_of(schema, text)) {
                    wrong(&format!(
                        "a string {}",
                        schema["format"].as_str().unwrap_or_default()
                    ));
                }
            }
            Some("integer") => {
                if !(value.is_i64() || value.is_u64()) {
                    wrong("an integer");
                }
            }
            Some("number") => {
                if !value.is_number() {
                    wrong("a number");
                }
            }
            Some("boolean") => {
                if !value.is_boolean() {
                    wrong("a boolean");
                }
            }
            _ => {}
        }
    }
}

fn collect<'a>(resources: &'a Value, found: &mut Vec<&'a Value>) {
    for (_, resource) in members(resources) {
        found.extend(members(&resource["methods"]).map(|(_, method)| method));
        collect(&resource["resources"], found);
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(&path)
            .all(|(wanted, given)| wanted == given || (wanted.starts_with('{') && !given.is_empty()))
}

fn is_text_of(schema: &Value, text: &str) -> bool {
    let typed = match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("boolean"), _) => text == "true" || text == "false",
        (Some("integer"), _) => text.parse::<i64>().is_ok(),
        (_, Some("int64")) => text.parse::<i64>().is_ok(),
        (_, Some("uint64")) => text.parse::<u64>().is_ok(),
        (_, Some("byte")) => BYTES.decode(text).is_ok(),
        _ => true,
    };
    let listed = schema["enum"]
        .as_array()
        .is_none_or(|values| values.iter().any(|value| value == text));
    typed && listed
}
