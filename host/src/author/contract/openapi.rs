//! OpenAPI 3.0 and 3.1, as far as requests go: path, method, parameters of the query, JSON bodies, forms.
//!
//! A vendor's document may have 20 MB, all of it referring to all of it. So no schema is ever made whole:
//! what a value is held to is the part of its schema that the value reaches ([`OpenApi::narrowed`]).

use std::collections::BTreeSet;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::super::case::{self, Request};
use super::{host_of, path_of, placeholders, placeholders_and_rest};

/// A description of an API (<https://spec.openapis.org/oas/v3.1.1.html>).
#[derive(Debug, Clone)]
pub struct OpenApi {
    document: Value,
    /// Paths at which the API's own paths begin.
    bases: Vec<String>,
    /// Where the document says that the API is served.
    hosts: BTreeSet<String>,
    draft: Draft,
}

/// Keywords that say nothing of a value, or hold what is referred to.
const NO_CONSTRAINT: [&str; 13] = [
    "$defs",
    "$id",
    "$schema",
    "components",
    "default",
    "definitions",
    "description",
    "discriminator",
    "example",
    "examples",
    "externalDocs",
    "title",
    "xml",
];

impl OpenApi {
    /// Takes a document; none when it is not OpenAPI 3.
    #[must_use]
    pub fn new(document: Value) -> Option<Self> {
        let version = document["openapi"].as_str()?;
        let draft = if version.starts_with("3.0") {
            Draft::Draft4
        } else if version.starts_with("3.") {
            Draft::Draft202012
        } else {
            return None;
        };
        let servers = document["servers"].as_array().into_iter().flatten();
        let servers: Vec<&str> = servers.filter_map(|server| server["url"].as_str()).collect();
        let mut bases: Vec<String> = servers
            .iter()
            .map(|url| path_of(url).trim_end_matches('/').to_owned())
            .collect();
        let hosts = servers
            .iter()
            .filter_map(|url| host_of(url))
            .map(str::to_owned)
            .collect();
        bases.push(String::new());
        bases.sort_by_key(|base| std::cmp::Reverse(base.len()));
        bases.dedup();
        Some(Self {
            document,
            bases,
            hosts,
            draft,
        })
    }

    /// What is wrong with a request.
    #[must_use]
    pub fn check(&self, request: &Request) -> Vec<String> {
        let Some((item, operation)) = self.operation(request) else {
            return vec!["there is no such path and method".to_owned()];
        };
        let mut problems = Vec::new();
        let parameters = [&item["parameters"], &operation["parameters"]];
        let parameters: Vec<&Value> = parameters
            .into_iter()
            .filter_map(Value::as_array)
            .flatten()
            .map(|parameter| self.resolved(parameter))
            .filter(|parameter| parameter["in"] == "query")
            .collect();
        self.check_query(&parameters, &request.query, &mut problems);
        self.check_body(operation, request, &mut problems);
        problems
    }

    /// Whether the document has an operation for a request.
    #[must_use]
    pub fn knows(&self, request: &Request) -> bool {
        self.operation(request).is_some()
    }

    /// The operation of a request: of several paths that match, the one that says most itself.
    fn operation(&self, request: &Request) -> Option<(&Value, &Value)> {
        let method = request.method.to_ascii_lowercase();
        let whole = path_of(&request.url);
        let bases = self.bases.iter();
        let found = bases
            .filter_map(|base| whole.strip_prefix(base.as_str()))
            .filter_map(|path| self.closest(path, &method))
            .min_by_key(|(count, ..)| *count);
        let is_elsewhere = host_of(&request.url).is_none_or(|host| !self.hosts.contains(host));
        let found = match found {
            None if is_elsewhere => self.behind_a_gateway(whole, &method),
            found => found,
        };
        found.map(|(_, item, operation)| (item, operation))
    }

    /// The operation where the API is served below a path that its document does not know, as
    /// gateways for many customers do: `/ex/jira/{site}` before `/rest/api/3`.
    fn behind_a_gateway(&self, whole: &str, method: &str) -> Option<(usize, &Value, &Value)> {
        let starts = whole.match_indices('/').map(|(at, _)| at).skip(1);
        starts.take(6).find_map(|at| {
            let found = self.closest(&whole[at..], method);
            // A path that is all placeholders fits anything.
            found.filter(|(count, ..)| *count < whole[at..].split('/').count() - 1)
        })
    }

    /// The operation of a path below a base, and how many placeholders it has.
    fn closest(&self, path: &str, method: &str) -> Option<(usize, &Value, &Value)> {
        let mut found: Option<(usize, &Value, &Value)> = None;
        for (template, item) in self.document["paths"].as_object()? {
            // Some vendors tell operations on one path apart behind a `#` or `?`.
            let template = template.split(['#', '?']).next().unwrap_or_default();
            let exact = placeholders(template, path);
            let Some(count) = exact.or_else(|| placeholders_and_rest(template, path)) else {
                continue;
            };
            let item = self.resolved(item);
            let Some(operation) = item.get(method) else {
                continue;
            };
            if exact.is_none() && !self.ends_in_segments(item, operation) {
                continue;
            }
            if found.is_none_or(|(least, ..)| count < least) {
                found = Some((count, item, operation));
            }
        }
        found
    }

    /// Whether the last parameter of the path takes several segments (`docs/plan.md`).
    fn ends_in_segments(&self, item: &Value, operation: &Value) -> bool {
        let lists = [&item["parameters"], &operation["parameters"]];
        let parameters = lists.into_iter().filter_map(Value::as_array).flatten();
        parameters
            .map(|parameter| self.resolved(parameter))
            .any(|parameter| parameter["in"] == "path" && parameter["x-multi-segment"] == true)
    }

    fn check_query(&self, known: &[&Value], query: &[(String, String)], problems: &mut Vec<String>) {
        for parameter in known.iter().filter(|parameter| parameter["required"] == true) {
            let name = parameter["name"].as_str().unwrap_or_default();
            if !query.iter().any(|(given, _)| is_of(name, given)) {
                problems.push(format!("the query lacks `{name}`"));
            }
        }
        for (name, text) in query {
            let parameter = known
                .iter()
                .find(|parameter| parameter["name"].as_str().is_some_and(|known| is_of(known, name)));
            let Some(parameter) = parameter else {
                problems.push(format!("there is no query parameter `{name}`"));
                continue;
            };
            let schema = self.resolved(&parameter["schema"]);
            let is_part = parameter["name"] != name.as_str();
            let schema = if is_part {
                self.part_of(schema, name)
            } else {
                Some(schema)
            };
            if !schema.is_none_or(|schema| self.fits_in_query(schema, text)) {
                problems.push(format!(
                    "query parameter `{name}` = {text:?} is not what its schema wants"
                ));
            }
        }
    }

    /// The schema of what a name with brackets stands for (`filter[state]`, `ids[]`); none when the
    /// schema does not say.
    fn part_of<'d>(&'d self, schema: &'d Value, name: &str) -> Option<&'d Value> {
        let mut schema = schema;
        for step in name.split('[').skip(1) {
            let step = step.trim_end_matches(']');
            let is_place = step.is_empty() || step.bytes().all(|byte| byte.is_ascii_digit());
            schema = match self.resolved(&schema["properties"]).get(step) {
                Some(part) => self.resolved(part),
                None if is_place && schema["items"].is_object() => self.resolved(&schema["items"]),
                None => return None,
            };
        }
        Some(schema)
    }

    /// Whether a text can be read as what a schema wants: a query says nothing of types.
    fn fits_in_query(&self, schema: &Value, text: &str) -> bool {
        let is_list = self.is_type(schema, "array");
        // One value of a list, or several joined by commas.
        let (schema, texts) = if is_list {
            (self.resolved(&schema["items"]), text.split(',').collect())
        } else {
            (schema, vec![text])
        };
        texts.into_iter().all(|text| {
            let readings = [
                Some(Value::from(text)),
                serde_json::from_str(text)
                    .ok()
                    .filter(|value: &Value| !value.is_string()),
            ];
            readings.into_iter().flatten().any(|value| {
                let validator = self.validator(schema, &value);
                validator.is_none_or(|validator| validator.is_valid(&value))
            })
        })
    }

    fn is_type(&self, schema: &Value, name: &str) -> bool {
        let of = |value: &Value| *value == name;
        of(&schema["type"])
            || schema["type"]
                .as_array()
                .is_some_and(|types| types.iter().any(of))
    }

    fn check_body(&self, operation: &Value, request: &Request, problems: &mut Vec<String>) {
        let declared = self.resolved(&operation["requestBody"]);
        let content = &declared["content"];
        if request.body.is_empty() {
            if declared["required"] == true {
                problems.push("the body is missing".to_owned());
            }
            return;
        }
        if !content.is_object() {
            problems.push("the operation takes no body".to_owned());
            return;
        }
        let kind = request.header("content-type").unwrap_or("application/json");
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let known: Vec<&str> = content
            .as_object()
            .into_iter()
            .flatten()
            .map(|(kind, _)| kind.as_str())
            .collect();
        let fitting = known.iter().find(|known| {
            known
                .split(';')
                .next()
                .is_some_and(|known| known == kind || known == "*/*")
        });
        let Some(fitting) = fitting else {
            problems.push(format!(
                "the body is {kind}; the operation takes {}",
                known.join(", ")
            ));
            return;
        };
        let schema = &content[*fitting]["schema"];
        if kind.ends_with("json") {
            match serde_json::from_slice(&request.body) {
                Ok(body) => self.check_value(schema, &body, problems),
                Err(error) => problems.push(format!("the body is not JSON: {error}")),
            }
        } else if kind == "application/x-www-form-urlencoded" {
            self.check_form(self.resolved(schema), &request.body, problems);
        }
    }

    fn check_form(&self, schema: &Value, body: &[u8], problems: &mut Vec<String>) {
        let fields = case::pairs(&String::from_utf8_lossy(body));
        let Some(known) = schema["properties"].as_object() else {
            return;
        };
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            if !fields.iter().any(|(given, _)| is_of(name, given)) {
                problems.push(format!("the form lacks `{name}`"));
            }
        }
        for (name, text) in &fields {
            let Some((declared, field)) = known.iter().find(|(known, _)| is_of(known, name)) else {
                problems.push(format!("there is no form field `{name}`"));
                continue;
            };
            let field = self.resolved(field);
            let field = if declared == name {
                Some(field)
            } else {
                self.part_of(field, name)
            };
            if !field.is_none_or(|field| self.fits_in_query(field, text)) {
                problems.push(format!(
                    "form field `{name}` = {text:?} is not what its schema wants"
                ));
            }
        }
    }

    fn check_value(&self, schema: &Value, value: &Value, problems: &mut Vec<String>) {
        let Some(validator) = self.validator(schema, value) else {
            return;
        };
        problems.extend(validator.iter_errors(value).take(10).map(|error| {
            let at = error.instance_path().to_string();
            let at = if at.is_empty() {
                "the body".to_owned()
            } else {
                format!("body {at}")
            };
            format!("{at}: {}", error.masked_with("the value"))
        }));
    }

    /// A validator of what a schema says of a value; none when the vendor's schema is broken, which
    /// is not the author's to mend.
    fn validator(&self, schema: &Value, value: &Value) -> Option<Validator> {
        jsonschema::options()
            .with_draft(self.draft)
            .should_validate_formats(false)
            .offline()
            .build(&self.narrowed(schema, &[value], None))
            .ok()
    }

    /// What a schema says of these values, in one piece: its references followed, and nothing of the
    /// members and elements that the values do not have. What is refused stays refused, what is
    /// allowed stays allowed.
    fn narrowed(&self, schema: &Value, values: &[&Value], trail: Option<&Trail>) -> Value {
        let Value::Object(members) = schema else {
            return schema.clone();
        };
        if values.is_empty() {
            return json!({});
        }
        if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
            return self.narrowed_reference(reference, members, values, trail);
        }
        let nullable = ["nullable", "x-nullable"];
        if nullable
            .iter()
            .any(|name| members.get(*name) == Some(&Value::Bool(true)))
            && values.iter().any(|value| value.is_null())
        {
            let others: Vec<&Value> = values.iter().filter(|value| !value.is_null()).copied().collect();
            if others.is_empty() {
                return json!({});
            }
            let mut plain = members.clone();
            nullable.iter().for_each(|name| drop(plain.remove(*name)));
            return json!({ "anyOf": [{ "type": "null" }, self.narrowed(&plain.into(), &others, trail)] });
        }
        let mut narrowed = Map::new();
        for (keyword, said) in members {
            if !NO_CONSTRAINT.contains(&keyword.as_str()) {
                let said = self.narrowed_keyword(members, keyword, said, values, trail);
                narrowed.insert(keyword.clone(), said);
            }
        }
        Value::Object(narrowed)
    }

    fn narrowed_reference(
        &self,
        reference: &str,
        members: &Map<String, Value>,
        values: &[&Value],
        trail: Option<&Trail>,
    ) -> Value {
        let here = Trail {
            reference,
            before: trail,
        };
        // A choice that is among its own parts says nothing more the second time.
        if here.turns_back() {
            return json!({});
        }
        let part = reference
            .strip_prefix('#')
            .and_then(|pointer| self.document.pointer(pointer));
        // What stands in another file is not there to be held to.
        let part = part.map_or_else(|| json!({}), |part| self.narrowed(part, values, Some(&here)));
        // Before 3.1, what stands beside a reference does not count.
        if self.draft == Draft::Draft4 || members.len() == 1 {
            return part;
        }
        let mut beside = members.clone();
        beside.remove("$ref");
        json!({ "allOf": [part, self.narrowed(&beside.into(), values, trail)] })
    }

    /// What one keyword of a schema says of these values.
    fn narrowed_keyword(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        said: &Value,
        values: &[&Value],
        trail: Option<&Trail>,
    ) -> Value {
        let objects = || values.iter().filter_map(|value| value.as_object());
        let elements = || -> Vec<&Value> {
            values
                .iter()
                .filter_map(|value| value.as_array())
                .flatten()
                .collect()
        };
        let inner = |said: &Value, values: &[&Value]| self.narrowed(said, values, None);
        let same = |said: &Value| self.narrowed(said, values, trail);
        match (keyword, said) {
            ("properties", Value::Object(properties)) => {
                let mut kept = Map::new();
                for (name, property) in properties {
                    let given: Vec<&Value> = objects().filter_map(|object| object.get(name)).collect();
                    if !given.is_empty() {
                        kept.insert(name.clone(), inner(property, &given));
                    }
                }
                Value::Object(kept)
            }
            ("patternProperties", Value::Object(patterns)) => {
                let given: Vec<&Value> = objects().flat_map(Map::values).collect();
                let patterns = patterns.iter();
                Value::Object(
                    patterns
                        .map(|(name, said)| (name.clone(), inner(said, &given)))
                        .collect(),
                )
            }
            ("additionalProperties" | "unevaluatedProperties", said) => {
                let given: Vec<&Value> = objects().flat_map(Map::values).collect();
                inner(said, &given)
            }
            ("items" | "prefixItems", Value::Array(items)) => {
                let given = elements();
                items.iter().map(|said| inner(said, &given)).collect()
            }
            ("items" | "additionalItems" | "unevaluatedItems" | "contains", said) => inner(said, &elements()),
            ("allOf" | "anyOf" | "oneOf", Value::Array(choices)) => choices.iter().map(same).collect(),
            ("not" | "if" | "then" | "else", said) => same(said),
            ("required", Value::Array(names)) => {
                // What only answers have is not missing from a request.
                let is_answered = |name: &&Value| {
                    let property = name.as_str().and_then(|name| schema.get("properties")?.get(name));
                    property.is_some_and(|property| self.resolved(property)["readOnly"] == true)
                };
                names.iter().filter(|name| !is_answered(name)).cloned().collect()
            }
            (_, said) => said.clone(),
        }
    }

    /// What a reference stands for.
    fn resolved<'d>(&'d self, value: &'d Value) -> &'d Value {
        let pointer = value["$ref"]
            .as_str()
            .and_then(|pointer| pointer.strip_prefix('#'));
        match pointer.and_then(|pointer| self.document.pointer(pointer)) {
            Some(part) => part,
            None => value,
        }
    }
}

/// The references that were followed for the same values.
struct Trail<'a> {
    reference: &'a str,
    before: Option<&'a Trail<'a>>,
}

impl Trail<'_> {
    /// Whether the last one was followed before.
    fn turns_back(&self) -> bool {
        let mut earlier = self.before;
        while let Some(one) = earlier {
            if one.reference == self.reference {
                return true;
            }
            earlier = one.before;
        }
        false
    }
}

/// Whether a parameter goes by a declared name: `filter[name]` belongs to the object `filter`,
/// `ids[]` to the list `ids`.
fn is_of(declared: &str, given: &str) -> bool {
    let name = |text: &str| text.split('[').next().unwrap_or_default().to_owned();
    declared == given || (given.contains('[') && name(declared) == name(given))
}

#[cfg(test)]
mod tests;
