//! The misbehaving guests of `tests/guests`: which there are, and the manifest that each gets.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use valetkey_manifest::{Auth, AuthKind, Endpoint, Identity, Manifest, Tool, tool::Hints};

/// The guests by name: the examples of `tests/guests`.
///
/// # Errors
/// The folder cannot be read.
pub fn names(repository: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(repository.join("tests/guests/examples"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The manifest of the guest in JavaScript: the tool `js_send`, an account that has a site.
#[must_use]
pub fn javascript() -> Manifest {
    let mut manifest = manifest("js");
    manifest.connector.runtime = valetkey_manifest::GuestRuntime::Javascript;
    manifest.tools[0].name = "js_send".to_owned();
    manifest.tools[0].input = json!({
        "type": "object",
        "properties": {"name": {"type": "string", "description": "What the thing is called."}},
        "additionalProperties": false,
    });
    manifest
}

/// A small manifest: one tool `<name>_run` that may send anything to one endpoint.
#[must_use]
pub fn manifest(name: &str) -> Manifest {
    Manifest {
        connector: Identity {
            id: name.to_owned(),
            title: name.to_owned(),
            version: "1.0.0".to_owned(),
            contract: "0.1".to_owned(),
            description: "A guest of the tests.".to_owned(),
            publisher: None,
            categories: Vec::new(),
            docs_url: None,
            runtime: valetkey_manifest::GuestRuntime::Rust,
        },
        endpoints: BTreeMap::from([(
            "api".to_owned(),
            Endpoint {
                url: "https://vendor.example".to_owned(),
                credential: false,
                headers: BTreeMap::new(),
            },
        )]),
        auth: vec![Auth {
            id: "none".to_owned(),
            kind: AuthKind::None,
            title: "None".to_owned(),
            oauth2: None,
            grant: None,
            inputs: BTreeMap::new(),
            placement: None,
        }],
        account_config: BTreeMap::new(),
        discover: None,
        verify: None,
        budgets: Vec::new(),
        throttles: Vec::new(),
        refusals: Vec::new(),
        errors: None,
        paginators: BTreeMap::new(),
        limits: None,
        tools: vec![Tool {
            name: format!("{name}_run"),
            aliases: Vec::new(),
            title: "Run".to_owned(),
            description: "Runs the guest of the tests with this name.".to_owned(),
            tags: Vec::new(),
            hints: Hints {
                read_only: false,
                destructive: true,
                idempotent: false,
            },
            scopes: Vec::new(),
            any_scopes: Vec::new(),
            input: json!({"type": "object", "properties": {}, "additionalProperties": false}),
            output: None,
            result: valetkey_manifest::tool::Shape::Data,
            portable: true,
            request: None,
            response: None,
            paging: None,
            allow: ["GET", "POST"]
                .map(|method| format!("{method} api:/{{*}}"))
                .to_vec(),
        }],
    }
}
