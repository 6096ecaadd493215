//! Google's discovery documents (<https://developers.google.com/discovery/v1/reference/apis>).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{flag, text, texts};
use crate::Error;
use crate::definitions::Definitions;
use crate::model::{Answer, Api, Body, ListStyle, Location, OAuth2, Operation, Parameter, Scheme, Server};

/// The name under which operations refer to the API's one way of authenticating.
const OAUTH2: &str = "oauth2";
/// Scope for telling whose account it is; a connection wants it whatever the tools are.
const MAX_NESTING: usize = 16;

/// Reads a discovery document.
///
/// # Errors
/// It is none.
pub(crate) fn read(document: Value) -> Result<Api, Error> {
    let is_discovery = document.get("discoveryVersion").is_some()
        || document.get("kind").and_then(Value::as_str) == Some("discovery#restDescription");
    if !is_discovery {
        return Err(Error::NotThisFormat {
            wanted: "a discovery document: it has no `discoveryVersion`",
            found: crate::guess(&document),
        });
    }
    let mut api = Api {
        title: text(&document, "title"),
        description: text(&document, "description"),
        id: document.get("name").and_then(Value::as_str).map(str::to_owned),
        docs_url: document
            .get("documentationLink")
            .and_then(Value::as_str)
            .map(str::to_owned),
        servers: vec![Server {
            url: format!("{}{}", text(&document, "rootUrl"), text(&document, "servicePath")),
            ..Server::default()
        }],
        schemes: BTreeMap::from([(OAUTH2.to_owned(), scheme(&document))]),
        ..Api::default()
    };
    methods(&document, "", 0, &mut api);
    api.definitions = Definitions::of_discovery(document);
    Ok(api)
}

/// The methods of a resource and of those below it, tagged with its name.
fn methods(resource: &Value, tag: &str, depth: usize, api: &mut Api) {
    for (_, method) in resource
        .get("methods")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        api.operations.push(operation(method, tag));
    }
    if depth > MAX_NESTING {
        api.notes.push(format!(
            "Resources below `{tag}` are nested too deep and are not read."
        ));
        return;
    }
    for (name, inner) in resource
        .get("resources")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        methods(inner, name, depth + 1, api);
    }
}

fn operation(method: &Value, tag: &str) -> Operation {
    // `{+name}` stands for several segments; `flatPath` says them one by one.
    let (path, flat) = (text(method, "path"), text(method, "flatPath"));
    let by_flat_path = path.contains("{+") && !flat.is_empty() && !flat.contains("{+");
    let mut parameters = Vec::new();
    for (name, declared) in method
        .get("parameters")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let location = match text(declared, "location").as_str() {
            "path" if by_flat_path && path.contains(&format!("{{+{name}}}")) => continue,
            "path" => Location::Path,
            _ => Location::Query,
        };
        parameters.push(parameter(name, declared, location));
    }
    let path = if by_flat_path { flat } else { path };
    Operation {
        id: method.get("id").and_then(Value::as_str).map(str::to_owned),
        method: text(method, "httpMethod"),
        path: format!("/{}", path.trim_start_matches('/')),
        tags: Some(tag)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .into_iter()
            .collect(),
        description: text(method, "description"),
        deprecated: flag(method, "deprecated"),
        parameters,
        body: match method.get("request") {
            Some(schema) => Body::Json {
                media_type: "application/json".to_owned(),
                schema: schema.clone(),
                required: false,
            },
            None => Body::None,
        },
        answer: Answer {
            schema: method.get("response").cloned(),
            other: (flag(method, "useMediaDownloadService") && method.get("response").is_none())
                .then(|| "a file".to_owned()),
            ..Answer::default()
        },
        // A method lists scopes any one of which it takes.
        security: texts(method, "scopes")
            .into_iter()
            .map(|scope| BTreeMap::from([(OAUTH2.to_owned(), vec![scope])]))
            .collect(),
        ..Operation::default()
    }
}

fn parameter(name: &str, declared: &Value, location: Location) -> Parameter {
    let mut schema = declared.clone();
    if let Some(members) = schema.as_object_mut() {
        members.remove("required");
    }
    if flag(declared, "repeated") {
        schema = json!({"type": "array", "items": schema});
    }
    Parameter {
        name: name.to_owned(),
        location,
        required: flag(declared, "required"),
        schema,
        description: text(declared, "description"),
        list: ListStyle::Repeated,
    }
}

fn scheme(document: &Value) -> Scheme {
    let scopes = document.pointer("/auth/oauth2/scopes").and_then(Value::as_object);
    let is_google = text(document, "rootUrl").ends_with(".googleapis.com/");
    match (scopes, is_google) {
        (Some(scopes), true) => Scheme::OAuth2(google(scopes)),
        _ => Scheme::Bearer,
    }
}

/// Google's authorization server (<https://developers.google.com/identity/protocols/oauth2/web-server>);
/// discovery documents leave it out.
fn google(scopes: &Map<String, Value>) -> OAuth2 {
    let params = [("access_type", "offline"), ("prompt", "consent")];
    OAuth2 {
        authorize_url: "https://accounts.google.com/o/oauth2/v2/auth".to_owned(),
        token_url: "https://oauth2.googleapis.com/token".to_owned(),
        scopes: scopes
            .iter()
            .map(|(scope, said)| (scope.clone(), text(said, "description")))
            .collect(),
        authorize_params: params
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    }
}
