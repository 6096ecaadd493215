//! Security schemes of OpenAPI and Swagger, and what operations require of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::text;
use crate::definitions::Definitions;
use crate::model::{OAuth2, Scheme};

/// `components.securitySchemes` of OpenAPI 3.
pub(super) fn schemes(declared: Option<&Value>, definitions: &Definitions) -> BTreeMap<String, Scheme> {
    each(declared, definitions, |scheme| {
        match text(scheme, "type").as_str() {
            "apiKey" => key(scheme),
            "http" => match text(scheme, "scheme").to_ascii_lowercase().as_str() {
                "basic" => Scheme::Basic,
                "bearer" => Scheme::Bearer,
                other => Scheme::Unsupported(format!("HTTP authentication `{other}`")),
            },
            "oauth2" => {
                let flows = scheme.get("flows").unwrap_or(&Value::Null);
                match flows.get("authorizationCode") {
                    Some(flow) => oauth2(flow),
                    None => {
                        let names: Vec<&String> = flows
                            .as_object()
                            .into_iter()
                            .flatten()
                            .map(|(name, _)| name)
                            .collect();
                        no_code_flow(&names.iter().map(|name| name.as_str()).collect::<Vec<_>>())
                    }
                }
            }
            other => Scheme::Unsupported(format!("the security scheme `{other}`")),
        }
    })
}

/// `securityDefinitions` of Swagger.
pub(super) fn swagger(declared: Option<&Value>, definitions: &Definitions) -> BTreeMap<String, Scheme> {
    each(declared, definitions, |scheme| {
        match text(scheme, "type").as_str() {
            "apiKey" => key(scheme),
            "basic" => Scheme::Basic,
            "oauth2" => match text(scheme, "flow").as_str() {
                "accessCode" => oauth2(scheme),
                other => no_code_flow(&[other]),
            },
            other => Scheme::Unsupported(format!("the security scheme `{other}`")),
        }
    })
}

fn each(
    declared: Option<&Value>,
    definitions: &Definitions,
    read: impl Fn(&Value) -> Scheme,
) -> BTreeMap<String, Scheme> {
    let declared = definitions.members(declared).into_iter().flatten();
    declared
        .map(|(name, scheme)| {
            let scheme = match definitions.follow(scheme) {
                Ok(scheme) => read(scheme),
                Err(problem) => Scheme::Unsupported(format!("a security scheme that {problem}")),
            };
            (name.clone(), scheme)
        })
        .collect()
}

fn key(scheme: &Value) -> Scheme {
    let name = text(scheme, "name");
    match text(scheme, "in").as_str() {
        "header" => Scheme::Header(name),
        "query" => Scheme::Query(name),
        other => Scheme::Unsupported(format!("an API key in a {other}")),
    }
}

fn oauth2(flow: &Value) -> Scheme {
    let scopes = flow
        .get("scopes")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    Scheme::OAuth2(OAuth2 {
        authorize_url: text(flow, "authorizationUrl"),
        token_url: text(flow, "tokenUrl"),
        scopes: scopes
            .map(|(scope, words)| (scope.clone(), words.as_str().unwrap_or_default().to_owned()))
            .collect(),
        ..OAuth2::default()
    })
}

fn no_code_flow(flows: &[&str]) -> Scheme {
    Scheme::Unsupported(format!(
        "OAuth 2 without the authorization-code grant (it has: {})",
        flows.join(", ")
    ))
}

/// `security`: any one of the sets.
pub(super) fn requirements(declared: Option<&Value>) -> Vec<BTreeMap<String, Vec<String>>> {
    let sets = declared.and_then(Value::as_array).into_iter().flatten();
    sets.filter_map(Value::as_object)
        .map(|set| {
            let schemes = set.iter().map(|(scheme, scopes)| {
                let scopes = scopes.as_array().into_iter().flatten();
                let scopes = scopes.filter_map(Value::as_str).map(str::to_owned).collect();
                (scheme.clone(), scopes)
            });
            schemes.collect()
        })
        .collect()
}
