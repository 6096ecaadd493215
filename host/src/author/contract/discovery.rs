//! Google's discovery documents.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::placeholders;

/// Google's description of one API
/// (<https://developers.google.com/discovery/v1/reference/apis>).
#[derive(Debug, Clone)]
pub struct Discovery {
    document: Value,
}

/// A method that a request matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Its id, such as `gmail.users.messages.get`.
    pub id: String,
    /// The scopes any one of which it needs.
    pub scopes: Vec<String>,
    /// Name of the schema of its answer.
    pub answer: Option<String>,
}

impl Discovery {
    /// Takes a document that describes itself as Google's.
    #[must_use]
    pub fn new(document: Value) -> Self {
        Self { document }
    }

    /// The paths' beginning at the API's host, such as `https://gmail.googleapis.com/`.
    #[must_use]
    pub fn root(&self) -> &str {
        self.document["rootUrl"].as_str().unwrap_or_default()
    }

    /// The method that a request calls, every part of the request checked: method, path, query
    /// parameters, the body's members and their types.
    ///
    /// # Errors
    /// What the document does not know or wants otherwise.
    pub fn check_request(
        &self,
        method: &str,
        path: &str,
        query: &[(String, String)],
        body: Option<&[u8]>,
    ) -> Result<Method, Vec<String>> {
        let declared = self
            .declared(method, path)
            .ok_or_else(|| vec![format!("{method} {path} is no method of the API")])?;
        let (declared, is_upload) = declared;
        let mut problems = Vec::new();
        self.check_query(declared, query, &mut problems);
        match (declared["request"]["$ref"].as_str(), body) {
            // A file, or what describes it and the file in one.
            _ if is_upload => {}
            (Some(schema), Some(body)) => match serde_json::from_slice(body) {
                Ok(body) => self.check(schema, &body, "", &mut problems),
                Err(error) => problems.push(format!("the body is not JSON: {error}")),
            },
            (Some(schema), None) => problems.push(format!("the body is missing; it is a {schema}")),
            (None, Some(body)) if !body.is_empty() => problems.push("the method takes no body".to_owned()),
            (None, _) => {}
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let texts = |value: &Value| -> Vec<String> {
            let values = value.as_array().into_iter().flatten();
            values
                .filter_map(|text| text.as_str().map(str::to_owned))
                .collect()
        };
        Ok(Method {
            id: declared["id"].as_str().unwrap_or_default().to_owned(),
            scopes: texts(&declared["scopes"]),
            answer: declared["response"]["$ref"].as_str().map(str::to_owned),
        })
    }

    /// Checks a value against a schema of the document: unknown members and wrong types.
    #[must_use]
    pub fn check_value(&self, schema: &str, value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        self.check(schema, value, "", &mut problems);
        problems
    }

    /// Whether the document has a method for a request.
    #[must_use]
    pub fn knows(&self, method: &str, path: &str) -> bool {
        self.declared(method, path).is_some()
    }

    /// The method that a request calls, and whether at its path for uploads: of several, the one
    /// whose path says most itself.
    fn declared(&self, method: &str, path: &str) -> Option<(&Value, bool)> {
        let fits = |declared| {
            let own = placeholders(&self.path(declared), path).map(|count| (count, false));
            let uploads = declared["mediaUpload"]["protocols"]
                .as_object()
                .into_iter()
                .flatten();
            let mut uploads =
                uploads.filter_map(|(_, protocol)| placeholders(protocol["path"].as_str()?, path));
            own.or_else(|| uploads.next().map(|count| (count, true)))
        };
        self.methods()
            .into_iter()
            .filter(|declared| declared["httpMethod"] == method)
            .filter_map(|declared| fits(declared).map(|(count, is_upload)| (count, declared, is_upload)))
            .min_by_key(|(count, ..)| *count)
            .map(|(_, declared, is_upload)| (declared, is_upload))
    }

    /// A method's path at the API's host, each placeholder one segment: `flatPath` says what `path`
    /// has as `{+name}`.
    fn path(&self, method: &Value) -> String {
        let service = self.document["servicePath"].as_str().unwrap_or_default();
        let path = method["flatPath"].as_str().or(method["path"].as_str());
        format!("{service}{}", path.unwrap_or_default())
    }

    fn methods(&self) -> Vec<&Value> {
        fn collect<'d>(resource: &'d Value, found: &mut Vec<&'d Value>) {
            let members = |name: &str| resource[name].as_object().into_iter().flatten();
            found.extend(members("methods").map(|(_, method)| method));
            for (_, resource) in members("resources") {
                collect(resource, found);
            }
        }
        let mut found = Vec::new();
        collect(&self.document, &mut found);
        found
    }

    fn check_query(&self, method: &Value, query: &[(String, String)], problems: &mut Vec<String>) {
        for (name, value) in query {
            let own = &method["parameters"][name];
            let known = if own["location"] == "query" {
                own
            } else {
                &self.document["parameters"][name]
            };
            let fits = match known["type"].as_str() {
                None => {
                    problems.push(format!("{} has no query parameter `{name}`", method["id"]));
                    continue;
                }
                Some("integer") => value.parse::<i64>().is_ok(),
                Some("number") => value.parse::<f64>().is_ok(),
                Some("boolean") => matches!(value.as_str(), "true" | "false"),
                Some(_) => known["enum"]
                    .as_array()
                    .is_none_or(|values| values.iter().any(|allowed| allowed == value)),
            };
            if !fits {
                problems.push(format!("query parameter `{name}` = {value:?} is not {known}"));
            }
            if known["repeated"] != true && query.iter().filter(|(other, _)| other == name).count() > 1 {
                problems.push(format!("query parameter `{name}` is given more than once"));
            }
        }
        for (name, parameter) in method["parameters"].as_object().into_iter().flatten() {
            let required = parameter["location"] == "query" && parameter["required"] == true;
            if required && !query.iter().any(|(given, _)| given == name) {
                problems.push(format!("query parameter `{name}` is missing"));
            }
        }
    }

    fn check(&self, schema: &str, value: &Value, path: &str, problems: &mut Vec<String>) {
        let declared = &self.document["schemas"][schema];
        if declared.is_null() {
            problems.push(format!("{path}: there is no schema {schema}"));
        } else {
            self.check_against(declared, value, path, problems);
        }
    }

    fn check_against(&self, schema: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
        if let Some(name) = schema["$ref"].as_str() {
            return self.check(name, value, path, problems);
        }
        let fits = match (schema["type"].as_str(), schema["format"].as_str(), value) {
            (Some("string"), Some("byte"), Value::String(text)) => {
                URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).is_ok()
            }
            (Some("string"), Some("int64" | "uint64"), Value::String(text)) => text.parse::<i128>().is_ok(),
            (Some("string"), _, Value::String(text)) => schema["enum"]
                .as_array()
                .is_none_or(|values| values.iter().any(|allowed| allowed == text)),
            (Some("integer"), _, value) => value.is_i64() || value.is_u64(),
            (Some("number"), _, value) => value.is_number(),
            (Some("boolean"), _, value) => value.is_boolean(),
            (Some("any"), ..) => true,
            (Some("array"), _, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.check_against(&schema["items"], item, &format!("{path}/{index}"), problems);
                }
                true
            }
            (Some("object"), _, Value::Object(members)) => {
                for (name, member) in members {
                    let path = format!("{path}/{name}");
                    let known = schema["properties"].get(name);
                    match known.or_else(|| schema.get("additionalProperties")) {
                        Some(schema) => self.check_against(schema, member, &path, problems),
                        None => problems.push(format!("{path}: {} has no such member", schema["id"])),
                    }
                }
                true
            }
            _ => false,
        };
        if !fits {
            let wanted = (&schema["type"], &schema["format"]);
            problems.push(format!("{path}: {value} is not {} {}", wanted.0, wanted.1));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn small() -> Discovery {
        Discovery {
            document: json!({
                "parameters": {"fields": {"type": "string", "location": "query"}},
                "schemas": {"Thing": {"id": "Thing", "type": "object", "properties": {
                    "raw": {"type": "string", "format": "byte"}, "size": {"type": "integer"},
                    "parts": {"type": "array", "items": {"$ref": "Thing"}}}}},
                "resources": {"things": {"methods": {
                    "get": {"id": "x.things.get", "httpMethod": "GET", "path": "v1/things/{id}", "parameters": {
                        "id": {"location": "path", "required": true}, "n": {"type": "integer", "location": "query"}}},
                    "send": {"id": "x.things.send", "httpMethod": "POST", "path": "v1/things/send", "request": {"$ref": "Thing"}},
                    "set": {"id": "x.things.set", "httpMethod": "POST", "path": "v1/things/{id}"}}}}
            }),
        }
    }

    #[test]
    fn right_requests_are_known_and_the_more_exact_path_wins() {
        let body = br#"{"raw":"-_8","parts":[{"size":1}]}"#;
        let found = small().check_request("POST", "/v1/things/send", &[], Some(body));
        assert_eq!(found.map(|method| method.id), Ok("x.things.send".to_owned()));
        let query = [
            ("n".to_owned(), "2".to_owned()),
            ("fields".to_owned(), "id".to_owned()),
        ];
        assert!(small().check_request("GET", "/v1/things/7", &query, None).is_ok());
    }

    #[test]
    fn paths_begin_with_the_services_and_uploads_have_their_own() {
        let method = json!({"id": "x.notes.insert", "httpMethod": "POST", "path": "{+parent}/notes",
            "flatPath": "boxes/{boxesId}/notes", "request": {"$ref": "Note"},
            "mediaUpload": {"protocols": {"simple": {"path": "/upload/x/v1/{+parent}/notes"}}}});
        let discovery = Discovery::new(json!({
            "servicePath": "x/v1/", "schemas": {"Note": {"type": "object", "properties": {}}},
            "resources": {"notes": {"methods": {"insert": method}}}
        }));
        assert!(discovery.knows("POST", "/x/v1/boxes/7/notes"));
        assert!(!discovery.knows("POST", "/boxes/7/notes"));
        assert!(
            discovery
                .check_request("POST", "/x/v1/boxes/7/notes", &[], Some(b"{}"))
                .is_ok()
        );
        assert!(
            discovery
                .check_request("POST", "/x/v1/boxes/7/notes", &[], Some(b"PNG"))
                .is_err()
        );
    }

    #[test]
    fn wrong_requests_are_named() {
        let query = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
        let discovery = small();
        assert!(
            discovery
                .check_request("DELETE", "/v1/things/7", &[], None)
                .is_err()
        );
        assert!(discovery.check_request("GET", "/v1/things", &[], None).is_err());
        assert!(
            discovery
                .check_request("GET", "/v1/things/7", &query("n", "x"), None)
                .is_err()
        );
        assert!(
            discovery
                .check_request("GET", "/v1/things/7", &query("m", "1"), None)
                .is_err()
        );
        assert!(
            discovery
                .check_request("POST", "/v1/things/7", &[], Some(b"{}"))
                .is_err()
        );
        assert!(
            discovery
                .check_request("POST", "/v1/things/send", &[], None)
                .is_err()
        );
        for body in [
            r#"{"row":""}"#,
            r#"{"raw":"+/8="}"#,
            r#"{"parts":[{"size":"1"}]}"#,
            "[]",
            "x",
        ] {
            let found = discovery.check_request("POST", "/v1/things/send", &[], Some(body.as_bytes()));
            assert!(found.is_err(), "{body}");
        }
    }
}
