//! Every rule of the linter has a bad manifest that it names, at its place.

use serde_json::{Value, json};
use valetkey::manifest::check;

/// A manifest without fault.
fn good() -> Value {
    json!({
        "connector": {
            "id": "acme", "title": "Acme", "version": "1.0.0", "contract": "0.1",
            "description": "Reads and writes things.", "docs_url": "https://acme.example/docs"
        },
        "endpoints": {
            "api": { "url": "https://{config.site}.acme.example/v1", "headers": { "acme-version": "2" } }
        },
        "account_config": {
            "site": { "title": "Site", "description": "The first part of your address.", "pattern": "[a-z0-9-]{1,40}",
                      "example": "my-shop", "required": true },
            "team": { "title": "Team", "description": "Your team." }
        },
        "auth": [
            { "id": "oauth2", "kind": "oauth2", "title": "Acme account", "oauth2": {
                "authorize_url": "https://acme.example/authorize", "token_url": "https://acme.example/token",
                "scopes": ["things.read", "things.write"] } },
            { "id": "key", "kind": "api_key", "title": "API key",
              "inputs": { "api_key": { "title": "Key", "pattern": "ak-[a-z]+" } },
              "placement": { "in": "header", "name": "x-api-key", "format": "{secret}" } }
        ],
        "verify": { "endpoint": "api", "path": "/me", "subject": "/id" },
        "budgets": [{ "scope": "account", "requests": 10, "per_seconds": 1.0 }],
        "throttles": [{ "status": 403, "pointer": "/reason", "values": ["slow"] }],
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

#[test]
fn endpoints_lead_to_the_vendor_and_nowhere_else() {
    let url = "/endpoints/api/url";
    assert_named(vec![
        ("/endpoints", json!({}), "/endpoints", "is empty"),
        (url, json!("http://acme.example"), url, "https"),
        (url, json!("https://user@acme.example"), url, ""),
        (url, json!("https://acme.example/?a=b"), url, "no query"),
        (url, json!("https://acme.example:8443"), url, ""),
        (url, json!("https://10.0.0.1"), url, ""),
        (url, json!("https://{site}.acme.example"), url, "account_config"),
        (
            url,
            json!("https://{config.other}.acme.example"),
            url,
            "not declared",
        ),
        (
            url,
            json!("https://{config.team}.acme.example"),
            url,
            "no `pattern`",
        ),
        (
            "/account_config/site/required",
            json!(false),
            url,
            "required = true",
        ),
        ("/account_config/site/pattern", json!(".+"), url, "elsewhere"),
        (
            "/account_config/site/pattern",
            json!("[a-z0-9.-]*"),
            url,
            "elsewhere",
        ),
        ("/account_config/site/pattern", json!("[^/]+"), url, "elsewhere"),
        (
            "/account_config/site/pattern",
            json!("(a"),
            "/account_config/site/pattern",
            "regular expression",
        ),
        (
            "/account_config/site/example",
            json!("My Shop"),
            "/account_config/site/example",
            "does not match",
        ),
        (
            "/account_config/site/from_token_response",
            json!("id"),
            "/account_config/site/from_token_response",
            "JSON pointer",
        ),
        (
            "/account_config/Big",
            json!({"title": "B", "description": "B"}),
            "/account_config/Big",
            "lower-case",
        ),
        (
            "/endpoints/api/headers/authorization",
            json!("x"),
            "/endpoints/api/headers",
            "belongs to the host",
        ),
        (
            "/endpoints/Api",
            json!({"url": "https://acme.example"}),
            "/endpoints/Api",
            "lower-case",
        ),
        (
            "/verify/endpoint",
            json!("web"),
            "/verify/endpoint",
            "no endpoint",
        ),
        ("/verify/path", json!("me"), "/verify/path", "begin with"),
        ("/verify/subject", json!("id"), "/verify/subject", "JSON pointer"),
    ]);
}

#[test]
fn authentication_is_coherent() {
    assert_named(vec![
        ("/auth/0/oauth2", json!(null), "/auth/0/oauth2", "is missing"),
        (
            "/auth/0/kind",
            json!("basic"),
            "/auth/0/oauth2",
            "does not go with",
        ),
        ("/auth/1/id", json!("oauth2"), "/auth/1/id", "twice"),
        ("/auth/1/kind", json!("none"), "/auth/1/inputs", "no secrets"),
        (
            "/auth/1/kind",
            json!("none"),
            "/auth/1/placement",
            "no credential",
        ),
        ("/auth/1/title", json!(""), "/auth/1/title", "1 to 60"),
        (
            "/auth/1/inputs/api_key/pattern",
            json!("["),
            "/auth/1/inputs/api_key/pattern",
            "regular expression",
        ),
        (
            "/auth/1/placement",
            json!({"in": "header", "name": "cookie"}),
            "/auth/1/placement/name",
            "cannot carry",
        ),
        (
            "/auth/1/placement/format",
            json!("Bearer"),
            "/auth/1/placement/format",
            "{secret}",
        ),
        (
            "/auth/1/placement",
            json!({"in": "query", "name": ""}),
            "/auth/1/placement/name",
            "is empty",
        ),
        (
            "/auth/0/placement",
            json!({"in": "basic"}),
            "/auth/0/placement",
            "goes with",
        ),
        (
            "/auth/0/oauth2/token_url",
            json!("http://acme.example/token"),
            "/auth/0/oauth2/token_url",
            "https",
        ),
        (
            "/auth/0/oauth2/iss_required",
            json!(true),
            "/auth/0/oauth2/iss_required",
            "issuer",
        ),
        (
            "/auth/0/oauth2/scopes",
            json!(["things.read things.write"]),
            "/auth/0/oauth2/scopes/0",
            "one by one",
        ),
        (
            "/auth/0/oauth2/scope_separator",
            json!(""),
            "/auth/0/oauth2/scope_separator",
            "is empty",
        ),
        (
            "/auth/0/oauth2/authorize_params",
            json!({"state": "x"}),
            "/auth/0/oauth2/authorize_params/state",
            "by the host",
        ),
        (
            "/auth/0/oauth2/default_lifetime_seconds",
            json!(0),
            "/auth/0/oauth2/default_lifetime_seconds",
            "is 0",
        ),
    ]);
}

#[test]
fn budgets_errors_and_paginators_make_sense() {
    assert_named(vec![
        (
            "/budgets/0/requests",
            json!(0),
            "/budgets/0/requests",
            "nothing through",
        ),
        (
            "/budgets/0/per_seconds",
            json!(0.0),
            "/budgets/0/per_seconds",
            "more than 0",
        ),
        (
            "/throttles/0/status",
            json!(99),
            "/throttles/0/status",
            "HTTP status",
        ),
        ("/throttles/0/values", json!([]), "/throttles/0", "go together"),
        (
            "/throttles/0/pointer",
            json!("reason"),
            "/throttles/0/pointer",
            "JSON pointer",
        ),
        ("/errors/code", json!(["code"]), "/errors/code/0", "JSON pointer"),
        (
            "/errors/message",
            json!(["/a~2"]),
            "/errors/message/0",
            "JSON pointer",
        ),
        (
            "/errors/map/0/kind",
            json!("gone"),
            "/errors/map/0/kind",
            "not an error kind",
        ),
        (
            "/errors/map/0/kind",
            json!("internal"),
            "/errors/map/0/kind",
            "not an error kind",
        ),
        ("/errors/map/0/code", json!(null), "/errors/map/0", "every error"),
        ("/errors/map/0/hint", json!("x"), "/errors/map/0/hint", "10 to"),
        (
            "/paginators/after/next",
            json!(""),
            "/paginators/after/next",
            "is empty",
        ),
        (
            "/paginators/after/next",
            json!("next"),
            "/paginators/after/next",
            "JSON pointer",
        ),
        (
            "/tools/0/paging/paginator",
            json!("none"),
            "/tools/0/paging/paginator",
            "no paginator",
        ),
        (
            "/tools/0/paging/paginator",
            json!(null),
            "/tools/0/paging/paginator",
            "is missing",
        ),
        (
            "/tools/0/paging/items",
            json!("things"),
            "/tools/0/paging/items",
            "JSON pointer",
        ),
        (
            "/tools/0/paging/max_page_size",
            json!(0),
            "/tools/0/paging/max_page_size",
            "is 0",
        ),
        (
            "/tools/0/paging/default_limit",
            json!(5000),
            "/tools/0/paging/default_limit",
            "1 to 1000",
        ),
        (
            "/tools/0/request/query/after",
            json!(null),
            "/tools/0/request",
            "page.token",
        ),
        (
            "/tools/0/paging",
            json!(null),
            "/tools/0/request/query/after",
            "needs `paging`",
        ),
    ]);
}

#[test]
fn tool_names_words_and_scopes_are_checked() {
    assert_named(vec![
        ("/tools/0/name", json!("list"), "/tools/0/name", "acme_"),
        (
            "/tools/0/name",
            json!("acme_things.list"),
            "/tools/0/name",
            "not a tool name",
        ),
        (
            "/tools/0/name",
            json!(format!("acme_{}", "x".repeat(44))),
            "/tools/0/name",
            "at most 48",
        ),
        (
            "/tools/0/aliases/0",
            json!("acme_thing_update"),
            "/tools/1/name",
            "unique",
        ),
        (
            "/tools/0/aliases/0",
            json!("1st"),
            "/tools/0/aliases/0",
            "a letter first",
        ),
        (
            "/tools/0/aliases/0",
            json!("call_tool"),
            "/tools/0/aliases/0",
            "keeps for itself",
        ),
        (
            "/tools/0/aliases/0",
            json!("valetkey_x"),
            "/tools/0/aliases/0",
            "keeps for itself",
        ),
        ("/tools/0/title", json!(""), "/tools/0/title", "3 to 60"),
        (
            "/tools/0/description",
            json!("Lists."),
            "/tools/0/description",
            "40 to",
        ),
        (
            "/tools/0/description",
            json!("x".repeat(3000)),
            "/tools/0/description",
            "to 2000",
        ),
        (
            "/tools/1/tags/0",
            json!("Two words"),
            "/tools/1/tags/0",
            "lower-case word",
        ),
        (
            "/tools/0/scopes/0",
            json!("things.admin"),
            "/tools/0/scopes/0",
            "asked for by none",
        ),
        (
            "/tools/1/any_scopes",
            json!(["all"]),
            "/tools/1/any_scopes",
            "none of these",
        ),
    ]);
}

#[test]
fn hints_fit_the_methods() {
    let read_only = || json!({"read_only": true, "destructive": false, "idempotent": true});
    assert_named(vec![
        ("/tools/1/hints", read_only(), "/tools/1/hints/read_only", "PATCH"),
        ("/tools/2/hints", read_only(), "/tools/2/hints/read_only", "POST"),
        (
            "/tools/0/hints/read_only",
            json!(false),
            "/tools/0/hints/read_only",
            "only reads",
        ),
        (
            "/tools/0/hints/destructive",
            json!(true),
            "/tools/0/hints",
            "not destructive",
        ),
        (
            "/tools/0/hints/idempotent",
            json!(false),
            "/tools/0/hints",
            "idempotent",
        ),
        (
            "/tools/2/allow/0",
            json!("DELETE api:/things/{id}"),
            "/tools/2/hints/destructive",
            "DELETE",
        ),
    ]);
    let mut search = good();
    search["tools"][0]["request"]["method"] = json!("POST");
    assert!(
        !complaints(&search).is_empty(),
        "a POST that reads has to be tagged"
    );
    search["tools"][0]["tags"] = json!(["search"]);
    assert_eq!(complaints(&search), []);
}

#[test]
fn requests_refer_to_what_is_declared() {
    assert_named(vec![
        (
            "/tools/1/request/endpoint",
            json!("web"),
            "/tools/1/request/endpoint",
            "no endpoint",
        ),
        (
            "/tools/1/request/method",
            json!("patch"),
            "/tools/1/request/path",
            "method",
        ),
        (
            "/tools/1/request/path",
            json!("things"),
            "/tools/1/request/path",
            "form",
        ),
        (
            "/tools/1/request/path",
            json!("/things/../{id}"),
            "/tools/1/request/path",
            "dot segments",
        ),
        (
            "/tools/1/request/path",
            json!("/things?id={id}"),
            "/tools/1/request/path",
            "plain path text",
        ),
        (
            "/tools/1/request/path",
            json!("/things/{name}"),
            "/tools/1/request/path",
            "add `name` to `required`",
        ),
        (
            "/tools/1/request/path",
            json!("/things/{thing_id}"),
            "/tools/1/request/path",
            "no parameter",
        ),
        (
            "/tools/1/request/path",
            json!("/things/{config.team}"),
            "/tools/1/request/path",
            "may have no value",
        ),
        (
            "/tools/1/request/path",
            json!("/things/{config.x}"),
            "/tools/1/request/path",
            "not declared",
        ),
        (
            "/tools/1/request/body",
            json!({"a": {"b": "{nmae}"}}),
            "/tools/1/request/body/a/b",
            "no parameter",
        ),
        (
            "/tools/1/request/body",
            json!({"a": "{tags...}"}),
            "/tools/1/request/body/a",
            "inside an array",
        ),
        (
            "/tools/1/request/body",
            json!(["x{tags...}"]),
            "/tools/1/request/body/0",
            "stands alone",
        ),
        (
            "/tools/1/request/body",
            json!({"a": "{page.token}"}),
            "/tools/1/request/body/a",
            "needs `paging`",
        ),
        (
            "/tools/0/request/query/n",
            json!("{page.number}"),
            "/tools/0/request/query/n",
            "page.size",
        ),
        (
            "/tools/0/request/query/n",
            json!({"a": 1}),
            "/tools/0/request/query/n",
            "is a text",
        ),
        (
            "/tools/0/request/query/n",
            json!(["{kind}"]),
            "/tools/0/request/query/n/0",
            "a constant",
        ),
        (
            "/tools/0/request/body",
            json!({"a": 1}),
            "/tools/0/request/body",
            "no body",
        ),
        (
            "/tools/1/request/headers",
            json!({"cookie": "a"}),
            "/tools/1/request/headers",
            "belongs to the host",
        ),
        (
            "/tools/1/request/body_format",
            json!("form"),
            "/tools/1/request/body/tags/1",
            "a constant",
        ),
        (
            "/tools/1/response/pointer",
            json!("thing"),
            "/tools/1/response/pointer",
            "JSON pointer",
        ),
        ("/tools/2/allow", json!(null), "/tools/2/request", "is missing"),
        (
            "/tools/2/allow/0",
            json!("POST /things"),
            "/tools/2/allow/0",
            "form",
        ),
        (
            "/tools/2/allow/0",
            json!("POST web:/things"),
            "/tools/2/allow/0",
            "no endpoint",
        ),
        (
            "/tools/2/response",
            json!({"drop": ["a"]}),
            "/tools/2/response",
            "declared `request`",
        ),
    ]);
}

#[test]
fn schemas_stay_in_the_portable_subset() {
    let input = "/tools/1/input";
    let property = |schema: Value| {
        json!({"type": "object", "additionalProperties": false, "required": ["id"], "properties": {
            "id": {"type": "string", "description": "Id of the thing."},
            "name": {"type": "string", "description": "Name."}, "tags": schema }})
    };
    let nested = (0..12).fold(json!({"type": "string", "description": "Deep."}), |inner, _| {
        json!({"type": "object", "description": "Level.", "additionalProperties": false, "properties": {"x": inner}})
    });
    assert_named(vec![
        (input, json!([]), "/tools/1/input", "not a JSON Schema object"),
        (
            "/tools/1/input/type",
            json!("array"),
            "/tools/1/input/type",
            "`object`",
        ),
        (
            "/tools/1/input/properties",
            json!(null),
            "/tools/1/input/properties",
            "is missing",
        ),
        (
            "/tools/1/input/additionalProperties",
            json!(true),
            "/tools/1/input/additionalProperties",
            "misspelt",
        ),
        (
            "/tools/1/input/additionalProperties",
            json!(null),
            "/tools/1/input/additionalProperties",
            "is not said",
        ),
        (
            "/tools/1/input/oneOf",
            json!([{"type": "object"}]),
            "/tools/1/input/oneOf",
            "portable subset",
        ),
        (
            "/tools/1/input/anyOf",
            json!([{"required": ["id"]}]),
            "/tools/1/input/anyOf",
            "at the root",
        ),
        (
            "/tools/1/input/$ref",
            json!("#/$defs/x"),
            "/tools/1/input/$ref",
            "portable subset",
        ),
        (
            "/tools/1/input/required",
            json!(["id", "nmae"]),
            "/tools/1/input/required/1",
            "not one of",
        ),
        (
            "/tools/1/input/properties/name/description",
            json!(null),
            "/tools/1/input/properties/name/description",
            "3 to",
        ),
        (
            "/tools/1/input/properties/name/type",
            json!(["string", "integer"]),
            "/tools/1/input/properties/name/type",
            "exactly one",
        ),
        (
            "/tools/1/input/properties/name/enum",
            json!([]),
            "/tools/1/input/properties/name/enum",
            "1 to",
        ),
        (
            "/tools/1/input/properties/name/pattern",
            json!("("),
            "/tools/1/input",
            "cannot be used",
        ),
        (
            "/tools/1/input/properties/name/minLength",
            json!("x"),
            "/tools/1/input",
            "cannot be used",
        ),
        (
            "/tools/1/input/properties/tags/items",
            json!(null),
            "/tools/1/input/properties/tags/items",
            "what the array holds",
        ),
        (
            input,
            property(json!({"type": "object", "description": "Any.", "properties": {}})),
            "/tools/1/input/properties/tags/additionalProperties",
            "is not said",
        ),
        (
            input,
            property(nested),
            "/tools/1/input/properties/tags/properties/x/properties/x/properties/x/properties/x/properties/x/properties/x/properties/x/properties/x/properties/x",
            "deep",
        ),
        (
            "/tools/1/input/properties/page",
            json!({"type": "string", "description": "Page."}),
            "/tools/1/input/properties/page",
            "cannot name",
        ),
        (
            "/tools/1/input/properties/a-b",
            json!({"type": "string", "description": "Dashed."}),
            "/tools/1/input/properties/a-b",
            "cannot name",
        ),
        (
            "/tools/0/input/properties/limit",
            json!({"type": "integer", "description": "How many."}),
            "/tools/0/input/properties/limit",
            "added by the host",
        ),
        (
            "/tools/0/output",
            json!({"type": "array", "items": {}}),
            "/tools/0/output/type",
            "`object`",
        ),
        (
            "/tools/0/output",
            json!({"type": "object", "pattern": 1}),
            "/tools/0/output",
            "cannot be used",
        ),
    ]);
}
