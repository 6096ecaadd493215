//! The request that proves a new credential: an operation without parameters that answers who one is.

use std::collections::BTreeMap;

use serde_json::Value;
use valetkey_manifest::Verify;

use crate::endpoints::Place;
use crate::model::{Api, Operation};
use crate::schemas::{kind_of, outline};

/// Ends of paths that answer who one is, the surest first.
const WHO: [&str; 9] = [
    "/users/me",
    "/user/me",
    "/me",
    "/myself",
    "/userinfo",
    "/user",
    "/users/@me",
    "/self",
    "/whoami",
];
/// Members that say it for good, and members that a person recognises.
const SUBJECTS: [&str; 7] = ["id", "accountId", "account_id", "user_id", "sub", "gid", "uuid"];
const LABELS: [&str; 8] = [
    "email",
    "emailAddress",
    "login",
    "username",
    "displayName",
    "name",
    "handle",
    "mail",
];

/// Finds it, at the API's own endpoint.
pub(crate) fn find(api: &Api, endpoints: &BTreeMap<String, Place>) -> Option<Verify> {
    endpoints.get("api")?;
    WHO.iter().find_map(|end| {
        let candidates = api.operations.iter().filter(|operation| {
            operation.method == "GET"
                && operation.server == 0
                && operation.path.ends_with(end)
                && operation
                    .path
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"/-._@".contains(&byte))
                && !operation.parameters.iter().any(|parameter| parameter.required)
        });
        candidates
            .min_by_key(|operation| operation.path.len())
            .and_then(|operation| told_by(api, operation))
    })
}

fn told_by(api: &Api, operation: &Operation) -> Option<Verify> {
    let mut answer = outline(&api.definitions, operation.answer.schema.as_ref()?)?;
    let mut pointer = String::new();
    // Some vendors put everything into `data`.
    if let Some(data) = answer
        .get("properties")
        .and_then(|properties| properties.get("data"))
        && let Some(inner) = outline(&api.definitions, data).filter(|inner| inner.contains_key("properties"))
    {
        answer = inner;
        pointer = "/data".to_owned();
    }
    let properties = answer.get("properties")?.as_object()?;
    let plain = |schema: &Value| {
        outline(&api.definitions, schema)
            .is_some_and(|schema| matches!(kind_of(&schema), Some("string" | "integer" | "number")))
    };
    let member = |known: &[&str]| {
        let found = known
            .iter()
            .find(|name| properties.get(**name).is_some_and(plain));
        found.map(|name| format!("{pointer}/{name}"))
    };
    Some(Verify {
        endpoint: "api".to_owned(),
        method: "GET".to_owned(),
        path: operation.path.clone(),
        headers: Default::default(),
        body: None,
        subject: member(&SUBJECTS)?,
        label: member(&LABELS),
    })
}
