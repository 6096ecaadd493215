//! Every rule of the linter has a bad manifest that it names, at its place.

mod connection;
mod signing;
mod tools;

use serde_json::{Value, json};
use valetkey::manifest::check;

/// A manifest without fault.
pub fn good() -> Value {
    json!({
        "connector": {
            "id": "acme", "title": "Acme", "version": "1.0.0", "contract": "0.1",
            "description": "Reads and writes things.", "docs_url": "https://acme.example/docs"
        },
        "endpoints": {
            "api": { "url": "https://{config.site}.acme.example/v1", "headers": { "acme-version": "2" } },
            "sites": { "url": "https://sites.acme.example" },
            "cloud": { "url": "https://acme.example/ex/{config.cloud}" }
        },
        "account_config": {
            "site": { "title": "Site", "description": "The first part of your address.", "pattern": "[a-z0-9-]{1,40}",
                      "example": "my-shop", "required": true },
            "instance": { "title": "Instance", "description": "Where the account lives.", "pattern": "[a-z.]{4,40}",
                          "from_token_response": "/instance_url", "take": "host" },
            "cloud": { "title": "Cloud", "description": "The id of the site.", "pattern": "[0-9a-f-]{1,40}" },
            "team": { "title": "Team", "description": "Your team." }
        },
        "auth": [
            { "id": "oauth2", "kind": "oauth2", "title": "Acme account", "oauth2": {
                "authorize_url": "https://acme.example/authorize", "token_url": "https://acme.example/token",
                "scopes": ["things.read", "things.write"], "scope_param": "user_scope", "token_body": "json",
                "token_response": { "access_token": "/authed_user/access_token" } } },
            { "id": "key", "kind": "api_key", "title": "API key",
              "inputs": { "api_key": { "title": "Key", "pattern": "ak-[a-z]+" } },
              "placement": { "in": "header", "name": "x-api-key", "format": "{secret}" } },
            { "id": "hashed", "kind": "keys", "title": "Signed requests",
              "inputs": { "id": { "title": "Id", "secret": false }, "secret": { "title": "Secret" } },
              "placement": { "in": "hmac", "algorithm": "sha256", "key": "secret",
                             "signed": "{timestamp}{method}{target}{header.content-type}{body_sha256}{inputs.id}{config.team}",
                             "headers": { "x-id": "{inputs.id}", "x-time": "{timestamp}", "x-sign": "v1={signature}" } } },
            { "id": "amazon", "kind": "keys", "title": "Access key",
              "inputs": { "access_key_id": { "title": "Id", "secret": false }, "secret_access_key": { "title": "Key" },
                          "session_token": { "title": "Token", "optional": true } },
              "placement": { "in": "sigv4", "service": "s3", "region": "{config.team}" } },
            { "id": "service", "kind": "jwt_bearer", "title": "Service account",
              "inputs": { "email": { "title": "Address", "secret": false },
                          "private_key": { "title": "Key", "multiline": true } },
              "grant": { "token_url": "https://{config.site}.acme.example/token", "scopes": ["a"], "scope_in_form": false,
                         "assertion": { "algorithm": "RS256", "key": "private_key", "lifetime_seconds": 300,
                                        "claims": { "iss": "{inputs.email}", "aud": ["{token_url}"], "scope": "{scopes}" } },
                         "params": { "account": "{config.team}" } } },
            { "id": "machine", "kind": "client_credentials", "title": "Client",
              "inputs": { "client_id": { "title": "Id", "secret": false }, "client_secret": { "title": "Secret" } },
              "grant": { "token_url": "https://acme.example/token" } },
            { "id": "ghost", "kind": "keys", "title": "Admin key",
              "inputs": { "key_id": { "title": "Id", "secret": false }, "key": { "title": "Key" } },
              "placement": { "in": "jwt", "format": "Ghost {secret}", "token": {
                  "algorithm": "HS256", "key": "key", "key_encoding": "hex", "key_id": "{inputs.key_id}",
                  "lifetime_seconds": 300, "claims": { "aud": "/admin/", "uri": "{method} {host}{path}" } } } },
            { "id": "pair", "kind": "keys", "title": "Two keys",
              "inputs": { "api": { "title": "Api key" }, "app": { "title": "Application key" } },
              "placement": { "in": "fields", "headers": { "x-api": "{inputs.api}" }, "query": { "app": "{inputs.app}" } } }
        ],
        "discover": { "endpoint": "sites", "path": "/accessible?all=1", "items": "", "label": "/name",
                      "set": { "cloud": "/id" } },
        "verify": { "endpoint": "api", "method": "POST", "path": "/graphql", "subject": "/data/viewer/id",
                    "body": { "query": "{ viewer { id } }" }, "headers": { "x-client": "valetkey" } },
        "budgets": [{ "scope": "account", "requests": 10, "per_seconds": 1.0 }],
        "throttles": [{ "status": 403, "pointer": "/reason", "values": ["slow"] }],
        "refusals": [{ "status": 200, "pointer": "/error", "values": ["token_expired", "invalid_auth"] }],
        "errors": { "code": ["/code"], "message": ["/message"],
                    "map": [{ "code": "GONE", "kind": "vendor_not_found", "hint": "Search for it again." }] },
        "paginators": { "after": { "kind": "cursor", "next": "/next" }, "link": { "kind": "link_header" } },
        "tools": [
            { "name": "acme_things_list", "title": "List things", "aliases": ["list_things"],
              "description": "Lists the things of the account, newest first, with id and name.",
              "hints": { "read_only": true, "destructive": false, "idempotent": true },
              "scopes": ["things.read"],
              "input": { "type": "object", "additionalProperties": false,
                         "properties": { "kind": { "type": "string", "description": "Only things of this kind." } } },
              "request": { "endpoint": "api", "method": "GET", "path": "/things",
                           "query": { "kind": "{kind}", "after": "{page.token}", "n": "{page.size}" } },
              "paging": { "items": "/things", "max_page_size": 100, "default_limit": 20, "paginator": "after" } },
            { "name": "acme_thing_update", "title": "Update a thing", "tags": ["things"],
              "description": "Changes the name or the tags of one thing and answers the thing as it is now.",
              "hints": { "read_only": false, "destructive": true, "idempotent": true },
              "any_scopes": ["things.write", "all"],
              "input": { "type": "object", "additionalProperties": false, "required": ["id"], "properties": {
                  "id": { "type": "string", "description": "Id of the thing." },
                  "name": { "type": ["string", "null"], "description": "Its new name." },
                  "tags": { "type": "array", "items": { "type": "string" }, "description": "Its new tags." } } },
              "request": { "endpoint": "api", "method": "PATCH", "path": "/things/{id}",
                           "body": { "name": "{name}", "tags": ["fixed", "{tags...}"] } },
              "response": { "pointer": "/thing" } },
            { "name": "acme_thing_import", "title": "Import a thing",
              "description": "Imports a thing from a text of several lines, which takes some code.",
              "hints": { "read_only": false, "destructive": false, "idempotent": false },
              "input": { "type": "object", "additionalProperties": false, "properties": {} },
              "allow": ["POST api:/things/{id}/import", "GET api:/things/{*}"] }
        ]
    })
}

/// The complaints about a manifest.
fn complaints(manifest: &Value) -> Vec<(String, String)> {
    let manifest = serde_json::from_value(manifest.clone()).expect("the shape of a manifest");
    let problems = check::manifest(&manifest);
    problems
        .into_iter()
        .map(|problem| (problem.path, problem.problem))
        .collect()
}

#[test]
fn a_good_manifest_has_no_complaint() {
    assert_eq!(complaints(&good()), []);
}

/// One change to the good manifest: where, to what (null removes), where the complaint is, and a
/// word of it.
type Bad = (&'static str, Value, &'static str, &'static str);

fn assert_named(cases: Vec<Bad>) {
    for (pointer, value, place, words) in cases {
        let mut manifest = good();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        match manifest
            .pointer_mut(parent)
            .unwrap_or_else(|| panic!("{parent} exists"))
        {
            Value::Object(members) if value.is_null() => drop(members.remove(name)),
            Value::Object(members) => drop(members.insert(name.replace("~1", "/"), value)),
            Value::Array(elements) => elements[name.parse::<usize>().expect("an index")] = value,
            _ => panic!("{parent} is no container"),
        }
        let found = complaints(&manifest);
        assert!(
            found
                .iter()
                .any(|(path, problem)| path == place && problem.contains(words)),
            "{pointer}: wanted {place}: …{words}…, got {found:#?}"
        );
    }
}

#[test]
fn identities_are_checked() {
    assert_named(vec![
        ("/connector/id", json!("Acme"), "/connector/id", "lower-case"),
        ("/connector/id", json!("a"), "/connector/id", "2 to 32"),
        ("/connector/id", json!("other"), "/tools/0/name", "other_"),
        ("/connector/title", json!(" "), "/connector/title", "1 to 60"),
        (
            "/connector/version",
            json!("1.0"),
            "/connector/version",
            "semantic version",
        ),
        (
            "/connector/version",
            json!("01.0.0"),
            "/connector/version",
            "semantic version",
        ),
        (
            "/connector/version",
            json!("1.0.0-"),
            "/connector/version",
            "semantic version",
        ),
        ("/connector/contract", json!("0.2"), "/connector/contract", "0.1"),
        (
            "/connector/description",
            json!("x"),
            "/connector/description",
            "10 to",
        ),
        (
            "/connector/docs_url",
            json!("http://acme.example"),
            "/connector/docs_url",
            "https",
        ),
        (
            "/connector/categories",
            json!(["CRM tools"]),
            "/connector/categories/0",
            "lower-case word",
        ),
        (
            "/limits",
            json!({"http_requests": 0}),
            "/limits/http_requests",
            "is 0",
        ),
        ("/tools", json!([]), "/tools", "at least one"),
    ]);
}
