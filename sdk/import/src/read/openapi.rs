//! OpenAPI 2.0 (Swagger), 3.0 and 3.1, read loosely: what is missing or wrong in one operation is that
//! operation's trouble and no one else's.

use serde_json::{Map, Value, json};

use super::{flag, security, text, texts};
use crate::Error;
use crate::definitions::Definitions;
use crate::model::{Answer, Api, Body, ListStyle, Location, Operation, Parameter, Server, Variable};

const METHODS: [&str; 8] = [
    "get", "head", "post", "put", "patch", "delete", "options", "trace",
];
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Reads a document of any of the versions.
///
/// # Errors
/// It is none of them.
pub(crate) fn read(definitions: Definitions) -> Result<Api, Error> {
    let root = definitions.root();
    let reader = Reader {
        definitions: &definitions,
        root,
        swagger: match root.get("openapi") {
            _ if is_swagger(root) => true,
            Some(version) if is_version(version, "3.") => false,
            _ => {
                return Err(Error::NotThisFormat {
                    wanted: "an OpenAPI document: it says neither `swagger: 2.0` nor `openapi: 3.x`",
                    found: crate::guess(root),
                });
            }
        },
    };
    let mut api = reader.api();
    api.notes.extend(
        definitions
            .missing()
            .map(|(file, reason)| format!("`{file}`, to which it refers, is not read: {reason}")),
    );
    api.definitions = definitions;
    Ok(api)
}

/// Whether a document says that it is Swagger 2.0.
pub(crate) fn is_swagger(root: &Value) -> bool {
    root.get("swagger")
        .is_some_and(|version| is_version(version, "2."))
}

/// The media types that a Swagger operation takes.
pub(crate) fn consumed(operation: &Value, root: &Value) -> Vec<String> {
    media_types(operation, root, "consumes")
}

fn media_types(operation: &Value, root: &Value, member: &str) -> Vec<String> {
    let own = operation.get(member).is_some();
    let listed = texts(if own { operation } else { root }, member);
    listed.iter().map(|media_type| bare(media_type)).collect()
}

/// YAML may make a number of a version.
fn is_version(version: &Value, begins: &str) -> bool {
    match version {
        Value::String(version) => version.starts_with(begins) || format!("{version}.") == begins,
        Value::Number(version) => format!("{version}.").starts_with(begins),
        _ => false,
    }
}

struct Reader<'d> {
    definitions: &'d Definitions,
    root: &'d Value,
    swagger: bool,
}

impl<'d> Reader<'d> {
    fn api(&self) -> Api {
        let info = self.root.get("info").unwrap_or(&Value::Null);
        let servers = if self.swagger {
            self.swagger_servers()
        } else {
            self.servers(self.root)
        };
        let mut api = Api {
            title: text(info, "title"),
            description: text(info, "description"),
            docs_url: self
                .root
                .pointer("/externalDocs/url")
                .and_then(Value::as_str)
                .map(str::to_owned),
            servers: if servers.is_empty() {
                vec![Server::default()]
            } else {
                servers
            },
            ..Api::default()
        };
        api.schemes = if self.swagger {
            security::swagger(self.root.get("securityDefinitions"), self.definitions)
        } else {
            security::schemes(self.root.pointer("/components/securitySchemes"), self.definitions)
        };
        let paths = self.definitions.members(self.root.get("paths"));
        for (path, item) in paths.into_iter().flatten() {
            if path.starts_with("x-") {
                continue;
            }
            match self.definitions.follow(item) {
                Ok(item) => self.path(path, item, &mut api),
                Err(problem) => api.unreadable.push((path.clone(), problem)),
            }
        }
        if self.root.get("webhooks").is_some() {
            api.notes
                .push("Its webhooks are not imported: a connector only calls.".to_owned());
        }
        api
    }

    fn path(&self, path: &str, item: &'d Value, api: &mut Api) {
        let Some(members) = item.as_object() else {
            return api
                .unreadable
                .push((path.to_owned(), "it is not an object".to_owned()));
        };
        for method in METHODS {
            let Some(operation) = members.get(method) else {
                continue;
            };
            let place = format!("{} {path}", method.to_uppercase());
            if !operation.is_object() {
                api.unreadable.push((place, "it is not an object".to_owned()));
                continue;
            }
            match self.operation(method, path, item, operation, &mut api.servers) {
                Ok(operation) => api.operations.push(operation),
                Err(problem) => api.unreadable.push((place, problem)),
            }
        }
    }

    fn operation(
        &self,
        method: &str,
        path: &str,
        item: &'d Value,
        operation: &'d Value,
        servers: &mut Vec<Server>,
    ) -> Result<Operation, String> {
        let mut read = Operation {
            id: operation
                .get("operationId")
                .and_then(Value::as_str)
                .map(str::to_owned),
            method: method.to_uppercase(),
            path: path.to_owned(),
            server: self.server_of(&[operation, item], servers),
            tags: texts(operation, "tags"),
            summary: text(operation, "summary"),
            description: text(operation, "description"),
            deprecated: flag(operation, "deprecated"),
            answer: self.answer(operation),
            security: security::requirements(operation.get("security").or_else(|| self.root.get("security"))),
            ..Operation::default()
        };
        // The operation's own parameters replace those of its path.
        let mut parameters: Vec<&Value> = Vec::new();
        for list in [item, operation] {
            let listed = list
                .get("parameters")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            for parameter in listed {
                let parameter = self
                    .definitions
                    .follow(parameter)
                    .map_err(|problem| format!("a parameter {problem}"))?;
                let same = |other: &&Value| {
                    other.get("name") == parameter.get("name") && other.get("in") == parameter.get("in")
                };
                parameters.retain(|other| !same(other));
                parameters.push(parameter);
            }
        }
        let mut form = Map::new();
        let mut form_required = Vec::new();
        for parameter in parameters {
            match parameter.get("in").and_then(Value::as_str) {
                Some("body") => {
                    read.body = self.swagger_body(operation, parameter);
                }
                Some("formData") => {
                    if flag(parameter, "required") {
                        form_required.push(parameter.get("name").cloned().unwrap_or_default());
                    }
                    form.insert(text(parameter, "name"), parameter_schema(parameter));
                }
                Some(place) => {
                    let location = match place {
                        "path" if flag(parameter, "x-multi-segment") => Location::PathRest,
                        "path" => Location::Path,
                        "query" => Location::Query,
                        "header" => Location::Header,
                        "cookie" => Location::Cookie,
                        _ => return Err(format!("a parameter is `in: {place}`, which is nowhere")),
                    };
                    read.parameters.push(self.parameter(parameter, location));
                }
                None => return Err("a parameter does not say where it goes (`in`)".to_owned()),
            }
        }
        if !form.is_empty() {
            read.body = self.swagger_form(operation, form, form_required);
        }
        if let Some(body) = operation.get("requestBody") {
            let body = self
                .definitions
                .follow(body)
                .map_err(|problem| format!("the body {problem}"))?;
            read.body = self.body(body);
        }
        Ok(read)
    }

    fn parameter(&self, parameter: &Value, location: Location) -> Parameter {
        let content = parameter.get("content").and_then(Value::as_object);
        let in_json = content
            .and_then(|content| content.values().next())
            .and_then(|media| media.get("schema"));
        let schema = match (self.swagger, in_json) {
            (true, _) => parameter_schema(parameter),
            (false, Some(schema)) => schema.clone(),
            (false, None) => parameter
                .get("schema")
                .cloned()
                .unwrap_or_else(|| json!({"type": "string"})),
        };
        let exploded = parameter.get("explode").and_then(Value::as_bool);
        let list = match (
            text(parameter, "style").as_str(),
            text(parameter, "collectionFormat").as_str(),
        ) {
            ("deepObject", _) => ListStyle::Brackets,
            ("spaceDelimited", _) | (_, "ssv") => ListStyle::Joined(" "),
            ("pipeDelimited", _) | (_, "pipes") => ListStyle::Joined("|"),
            (_, "multi") => ListStyle::Repeated,
            _ if self.swagger || exploded == Some(false) || location != Location::Query => {
                ListStyle::Joined(",")
            }
            _ => ListStyle::Repeated,
        };
        Parameter {
            name: text(parameter, "name"),
            location,
            required: flag(parameter, "required") || location == Location::Path,
            schema,
            description: text(parameter, "description"),
            list,
        }
    }

    fn body(&self, body: &Value) -> Body {
        let required = flag(body, "required");
        let nothing = Map::new();
        let content = body.get("content").and_then(Value::as_object).unwrap_or(&nothing);
        if let Some((media_type, media)) = json_media(content) {
            let schema = media.get("schema").cloned().unwrap_or(Value::Bool(true));
            return Body::Json {
                media_type,
                schema,
                required,
            };
        }
        for (media_type, media) in content {
            if bare(media_type) == FORM {
                let encodings = media
                    .get("encoding")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten();
                let brackets = encodings
                    .into_iter()
                    .any(|(_, encoding)| text(encoding, "style") == "deepObject");
                let schema = media.get("schema").cloned().unwrap_or(Value::Bool(true));
                return Body::Form {
                    schema,
                    required,
                    brackets,
                };
            }
        }
        match content.keys().next() {
            Some(media_type) => Body::Other {
                media_type: bare(media_type),
                required,
            },
            None => Body::None,
        }
    }

    /// The media types that a Swagger operation takes (`consumes`) or answers (`produces`).
    fn media_types(&self, operation: &Value, member: &str) -> Vec<String> {
        media_types(operation, self.root, member)
    }

    fn swagger_body(&self, operation: &Value, parameter: &Value) -> Body {
        let (schema, required) = (
            parameter.get("schema").cloned().unwrap_or(Value::Bool(true)),
            flag(parameter, "required"),
        );
        let types = self.media_types(operation, "consumes");
        match types.iter().find(|media_type| is_json(media_type)) {
            Some(media_type) => Body::Json {
                media_type: media_type.clone(),
                schema,
                required,
            },
            None if types.is_empty() => Body::Json {
                media_type: "application/json".to_owned(),
                schema,
                required,
            },
            None => Body::Other {
                media_type: types[0].clone(),
                required,
            },
        }
    }

    fn swagger_form(&self, operation: &Value, members: Map<String, Value>, required: Vec<Value>) -> Body {
        let types = self.media_types(operation, "consumes");
        let files = members.values().any(|member| text(member, "type") == "file");
        let only_multipart = !types.is_empty() && !types.iter().any(|media_type| media_type == FORM);
        let needed = !required.is_empty();
        if files || (only_multipart && !types.iter().any(|media_type| is_json(media_type))) {
            return Body::Other {
                media_type: "multipart/form-data".to_owned(),
                required: needed,
            };
        }
        let schema = json!({"type": "object", "properties": members, "required": required});
        Body::Form {
            schema,
            required: needed,
            brackets: false,
        }
    }

    /// What a success looks like: the first of the 2xx with a JSON body, or what else there is.
    fn answer(&self, operation: &Value) -> Answer {
        let mut answer = Answer::default();
        let Some(responses) = operation.get("responses").and_then(Value::as_object) else {
            return answer;
        };
        let mut statuses: Vec<&String> = responses
            .keys()
            .filter(|status| status.starts_with('2') || (*status == "default" && responses.len() == 1))
            .collect();
        statuses.sort();
        if statuses.is_empty() && responses.keys().any(|status| status.starts_with('3')) {
            answer.other = Some("a redirect".to_owned());
        }
        for status in statuses {
            let Ok(response) = self.definitions.follow(&responses[status]) else {
                continue;
            };
            let headers = response.get("headers").and_then(Value::as_object);
            answer.links |=
                headers.is_some_and(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case("link")));
            if answer.schema.is_some() {
                continue;
            }
            let (schema, other) = if self.swagger {
                let types = self.media_types(operation, "produces");
                let json = types.is_empty() || types.iter().any(|media_type| is_json(media_type));
                match response.get("schema") {
                    Some(schema) if text(schema, "type") == "file" => (None, Some("a file".to_owned())),
                    Some(schema) if json => (Some(schema.clone()), None),
                    Some(_) => (None, types.first().cloned()),
                    None => (None, None),
                }
            } else {
                match response
                    .get("content")
                    .and_then(Value::as_object)
                    .filter(|content| !content.is_empty())
                {
                    Some(content) => match json_media(content) {
                        Some((_, media)) => (
                            Some(media.get("schema").cloned().unwrap_or(Value::Bool(true))),
                            None,
                        ),
                        None => (None, content.keys().next().map(|media_type| bare(media_type))),
                    },
                    None => (None, None),
                }
            };
            if schema.is_some() {
                answer.other = None;
            } else if answer.other.is_none() {
                answer.other = other;
            }
            answer.schema = schema;
        }
        answer
    }

    fn servers(&self, holder: &Value) -> Vec<Server> {
        let listed = holder
            .get("servers")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        listed
            .filter(|server| server.get("url").is_some_and(Value::is_string))
            .map(|server| {
                let variables = server
                    .get("variables")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten();
                Server {
                    url: text(server, "url"),
                    variables: variables
                        .map(|(name, variable)| {
                            let read = Variable {
                                default: variable.get("default").and_then(Value::as_str).map(str::to_owned),
                                choices: texts(variable, "enum"),
                                description: variable
                                    .get("description")
                                    .and_then(Value::as_str)
                                    .map(str::to_owned),
                            };
                            (name.clone(), read)
                        })
                        .collect(),
                }
            })
            .collect()
    }

    fn swagger_servers(&self) -> Vec<Server> {
        let Some(host) = self.root.get("host").and_then(Value::as_str) else {
            return Vec::new();
        };
        let schemes = texts(self.root, "schemes");
        let scheme = if schemes.is_empty() || schemes.iter().any(|scheme| scheme == "https") {
            "https"
        } else {
            "http"
        };
        let url = format!("{scheme}://{host}{}", text(self.root, "basePath"));
        vec![Server {
            url,
            ..Server::default()
        }]
    }

    /// The first server that an operation or its path names for itself; the API's own otherwise.
    fn server_of(&self, holders: &[&Value], servers: &mut Vec<Server>) -> usize {
        let own = holders
            .iter()
            .find_map(|holder| self.servers(holder).into_iter().next());
        let Some(own) = own else { return 0 };
        servers
            .iter()
            .position(|server| *server == own)
            .unwrap_or_else(|| {
                servers.push(own);
                servers.len() - 1
            })
    }
}

/// A Swagger parameter says its type itself.
fn parameter_schema(parameter: &Value) -> Value {
    let own = ["name", "in", "required", "collectionFormat", "allowEmptyValue"];
    let members = parameter.as_object().cloned().unwrap_or_default();
    Value::Object(
        members
            .into_iter()
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .collect(),
    )
}

/// The media type without its parameters, in lower case.
fn bare(media_type: &str) -> String {
    media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

pub(crate) fn is_json(media_type: &str) -> bool {
    matches!(media_type, "application/json" | "text/json" | "*/*") || media_type.ends_with("+json")
}

/// The JSON among media types, the plain one first.
fn json_media(content: &Map<String, Value>) -> Option<(String, &Value)> {
    let mut found: Vec<(String, &Value)> = content
        .iter()
        .map(|(media_type, media)| (bare(media_type), media))
        .filter(|(media_type, _)| is_json(media_type))
        .collect();
    found.sort_by_key(|(media_type, _)| (media_type != "application/json", media_type.clone()));
    let (media_type, media) = found.into_iter().next()?;
    let media_type = if media_type == "*/*" {
        "application/json".to_owned()
    } else {
        media_type
    };
    Some((media_type, media))
}
