//! OpenAPI 3.0 and 3.1, as far as requests go: path, method, parameters of the query, JSON bodies.

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::super::case::{self, Request};
use super::{path_of, placeholders};

/// A description of an API (<https://spec.openapis.org/oas/v3.1.1.html>).
#[derive(Debug, Clone)]
pub struct OpenApi {
    document: Value,
    /// Paths at which the API's own paths begin.
    bases: Vec<String>,
    draft: Draft,
}

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
        let mut bases: Vec<String> = servers
            .filter_map(|server| server["url"].as_str())
            .map(|url| path_of(url).trim_end_matches('/').to_owned())
            .collect();
        bases.push(String::new());
        bases.sort_by_key(|base| std::cmp::Reverse(base.len()));
        bases.dedup();
        Some(Self {
            document,
            bases,
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

    /// The operation of a request: of several paths that match, the one that says most itself.
    fn operation(&self, request: &Request) -> Option<(&Value, &Value)> {
        let method = request.method.to_ascii_lowercase();
        let whole = path_of(&request.url);
        let paths = self.document["paths"].as_object()?;
        let mut found: Option<(usize, &Value, &Value)> = None;
        for path in self
            .bases
            .iter()
            .filter_map(|base| whole.strip_prefix(base.as_str()))
        {
            for (template, item) in paths {
                let item = self.resolved(item);
                // Some vendors tell operations on one path apart behind a `#` or `?`.
                let template = template.split(['#', '?']).next().unwrap_or_default();
                let (Some(count), Some(operation)) = (placeholders(template, path), item.get(&method)) else {
                    continue;
                };
                if found.is_none_or(|(least, ..)| count < least) {
                    found = Some((count, item, operation));
                }
            }
        }
        found.map(|(_, item, operation)| (item, operation))
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
            if !self.fits_in_query(self.resolved(&parameter["schema"]), text) {
                problems.push(format!(
                    "query parameter `{name}` = {text:?} is not what its schema wants"
                ));
            }
        }
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
        let Some(validator) = self.validator(schema) else {
            return true;
        };
        texts.into_iter().all(|text| {
            let readings = [
                Some(Value::from(text)),
                serde_json::from_str(text)
                    .ok()
                    .filter(|value: &Value| !value.is_string()),
            ];
            readings
                .into_iter()
                .flatten()
                .any(|value| validator.is_valid(&value))
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
            let text = String::from_utf8_lossy(&request.body);
            let properties = &self.resolved(schema)["properties"];
            for (name, _) in case::pairs(&text) {
                let known = properties.as_object();
                if known.is_some_and(|known| !known.keys().any(|known| is_of(known, &name))) {
                    problems.push(format!("there is no form field `{name}`"));
                }
            }
        }
    }

    fn check_value(&self, schema: &Value, value: &Value, problems: &mut Vec<String>) {
        let Some(validator) = self.validator(schema) else {
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

    /// A validator of a schema with what it refers to; none when the vendor's schema is broken,
    /// which is not the author's to mend.
    fn validator(&self, schema: &Value) -> Option<Validator> {
        let mut parts = Map::new();
        self.gather(schema, &mut parts);
        let mut whole = json!({ "allOf": [schema] });
        for (pointer, part) in parts {
            put(&mut whole, &pointer, part);
        }
        if self.draft == Draft::Draft4 {
            allow_null(&mut whole);
        }
        jsonschema::options()
            .with_draft(self.draft)
            .should_validate_formats(false)
            .offline()
            .build(&whole)
            .ok()
    }

    /// Every part of the document that a schema refers to, by its pointer, and what that refers to.
    fn gather(&self, schema: &Value, parts: &mut Map<String, Value>) {
        match schema {
            Value::Object(members) => {
                let pointer = members.get("$ref").and_then(Value::as_str);
                if let Some(pointer) = pointer.and_then(|pointer| pointer.strip_prefix('#'))
                    && !parts.contains_key(pointer)
                    && let Some(part) = self.document.pointer(pointer)
                {
                    parts.insert(pointer.to_owned(), part.clone());
                    self.gather(part, parts);
                }
                members.values().for_each(|member| self.gather(member, parts));
            }
            Value::Array(items) => items.iter().for_each(|item| self.gather(item, parts)),
            _ => {}
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

/// Whether a parameter goes by a declared name: `filter[name]` belongs to the object `filter`,
/// `ids[]` to the list `ids`.
fn is_of(declared: &str, given: &str) -> bool {
    let name = |text: &str| text.split('[').next().unwrap_or_default().to_owned();
    declared == given || (given.contains('[') && name(declared) == name(given))
}

/// Puts a part back where a pointer finds it.
fn put(whole: &mut Value, pointer: &str, part: Value) {
    let mut here = whole;
    for step in pointer.split('/').skip(1) {
        if !here.is_object() {
            *here = json!({});
        }
        here = &mut here[step.replace("~1", "/").replace("~0", "~").as_str()];
    }
    match (here, part) {
        // A part within another part: what is there already stays.
        (Value::Object(there), Value::Object(more)) => there.extend(more),
        (here, part) => *here = part,
    }
}

/// OpenAPI 3.0 writes `nullable`, which JSON Schema does not know.
fn allow_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("nullable") == Some(&Value::Bool(true))
                && let Some(Value::String(kind)) = members.get("type").cloned()
            {
                members.insert("type".to_owned(), json!([kind, "null"]));
                if let Some(Value::Array(values)) = members.get_mut("enum") {
                    values.push(Value::Null);
                }
            }
            members.values_mut().for_each(allow_null);
        }
        Value::Array(items) => items.iter_mut().for_each(allow_null),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(version: &str) -> OpenApi {
        let document = json!({
            "openapi": version,
            "servers": [{"url": "https://api.v.example/v1"}],
            "paths": {
                "/things": {
                    "get": {"parameters": [
                        {"name": "limit", "in": "query", "schema": {"type": "integer"}},
                        {"name": "ids", "in": "query", "required": true,
                         "schema": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}}]},
                    "post": {"requestBody": {"required": true, "content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/Thing"}}}}}
                },
                "/things/{id}": {"get": {}},
                "/things/special": {"get": {"parameters": [{"name": "x", "in": "query", "schema": {}}]}}
            },
            "components": {"schemas": {
                "Thing": {"type": "object", "additionalProperties": false, "required": ["name"], "properties": {
                    "name": {"type": "string"}, "note": {"type": "string", "nullable": true},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}}
            }}
        });
        OpenApi::new(document).expect("OpenAPI")
    }

    fn sent(method: &str, path: &str, query: &str, body: &str) -> Request {
        Request {
            method: method.to_owned(),
            url: format!("https://api.v.example/v1{path}"),
            query: case::pairs(query),
            body: body.as_bytes().to_vec(),
            ..Request::default()
        }
    }

    #[test]
    fn right_requests_pass_in_both_versions() {
        for version in ["3.0.3", "3.1.0"] {
            let openapi = small(version);
            for request in [
                sent("GET", "/things", "ids=a&ids=b&limit=3", ""),
                sent("GET", "/things", "ids=a,b", ""),
                sent("GET", "/things/7", "", ""),
                sent("GET", "/things/special", "x=1", ""),
                sent("POST", "/things", "", r#"{"name":"n","parts":[{"name":"p"}]}"#),
            ] {
                assert_eq!(
                    openapi.check(&request),
                    Vec::<String>::new(),
                    "{version} {request:?}"
                );
            }
        }
        let with_null = sent("POST", "/things", "", r#"{"name":"n","note":null}"#);
        assert_eq!(small("3.0.3").check(&with_null), Vec::<String>::new());
    }

    #[test]
    fn wrong_requests_are_named() {
        for version in ["3.0.3", "3.1.0"] {
            let openapi = small(version);
            for (request, part) in [
                (sent("DELETE", "/things/7", "", ""), "no such path"),
                (sent("GET", "/thing", "", ""), "no such path"),
                (sent("GET", "/things", "limit=3", ""), "lacks `ids`"),
                (sent("GET", "/things", "ids=c", ""), "`ids`"),
                (sent("GET", "/things", "ids=a&limit=x", ""), "`limit`"),
                (sent("GET", "/things/7", "x=1", ""), "no query parameter `x`"),
                (sent("GET", "/things/7", "", "{}"), "takes no body"),
                (sent("POST", "/things", "", ""), "missing"),
                (sent("POST", "/things", "", r#"{"nme":"n"}"#), "the body"),
                (
                    sent("POST", "/things", "", r#"{"name":"n","parts":[{"name":1}]}"#),
                    "/parts/0/name",
                ),
            ] {
                let problems = openapi.check(&request);
                let told = problems.iter().any(|problem| problem.contains(part));
                assert!(told, "{version} {request:?}: {problems:?}");
            }
        }
    }

    #[test]
    fn what_is_not_openapi_3_is_not_taken() {
        assert!(OpenApi::new(json!({"swagger": "2.0"})).is_none());
    }
}
