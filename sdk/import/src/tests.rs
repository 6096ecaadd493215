//! Whole imports of small specifications: what becomes of every part, and that nothing a specification holds
//! does more harm than an error.

use serde_json::{Value, json};
use valetkey_manifest::Tool;
use valetkey_manifest::tool::{BodyFormat, Nested, Paginator};

use super::*;

fn nothing_beside(_: &str) -> Result<Vec<u8>, String> {
    Err("it is not there".to_owned())
}

fn import_as(format: Format, text: &str, options: &Options) -> Result<Imported, Error> {
    import(text.as_bytes(), format, options, &nothing_beside)
}

fn imported(document: &Value) -> Imported {
    import_as(Format::OpenApi, &document.to_string(), &Options::default()).expect("imported")
}

/// An OpenAPI document with these paths.
fn openapi(paths: Value) -> Value {
    json!({"openapi": "3.0.0", "info": {"title": "Acme API"}, "servers": [{"url": "https://api.acme.example"}], "paths": paths})
}

fn only_tool(paths: Value) -> Tool {
    let imported = imported(&openapi(paths));
    assert_eq!(imported.manifest.tools.len(), 1, "{}", imported.report.markdown());
    imported.manifest.tools[0].clone()
}

fn answers_json() -> Value {
    json!({"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}})
}

#[test]
fn an_operation_becomes_a_tool_with_every_kind_of_parameter() {
    let tool = only_tool(json!({"/things/{thing-id}": {
        "parameters": [{"name": "thing-id", "in": "path", "required": true, "schema": {"type": "integer"}}],
        "post": {
            "summary": "Changes a thing", "tags": ["Small Things"],
            "parameters": [
                {"name": "fields[]", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}, "explode": false, "style": "form"},
                {"name": "filter", "in": "query", "style": "deepObject", "schema": {"type": "object", "properties": {"gt": {"type": "integer"}}}},
                {"name": "X-Mode", "in": "header", "schema": {"type": "string", "enum": ["a", "b"]}},
                {"name": "Authorization", "in": "header", "required": true, "schema": {"type": "string"}},
                {"name": "page", "in": "query", "schema": {"type": "integer"}},
            ],
            "requestBody": {"required": true, "content": {"application/json": {"schema": {
                "type": "object", "required": ["name", "kind"], "properties": {
                    "name": {"type": "string", "maxLength": 10}, "kind": {"type": "string", "enum": ["thing"]},
                    "made": {"type": "string", "readOnly": true}, "x-mode": {"type": "boolean"}}}}}},
            "responses": answers_json()}}}));
    let request = tool.request.expect("a request");
    assert_eq!(
        (tool.name.as_str(), request.path.as_str()),
        ("acme_thing_update", "/things/{thing_id}")
    );
    assert_eq!(
        request.query,
        BTreeMap::from([
            ("fields[]".to_owned(), json!("{fields}")),
            ("filter".to_owned(), json!("{filter}")),
            ("page".to_owned(), json!("{by_page}")),
        ])
    );
    assert_eq!(
        (request.query_join.as_deref(), request.nested),
        (Some(","), Nested::Brackets)
    );
    assert_eq!(
        request.headers,
        BTreeMap::from([("X-Mode".to_owned(), "{X_Mode}".to_owned())])
    );
    assert_eq!(
        request.body,
        Some(json!({"name": "{name}", "kind": "thing", "x-mode": "{x_mode}"}))
    );
    assert_eq!(tool.input["required"], json!(["thing_id", "name"]));
    assert_eq!(tool.input["properties"]["name"]["maxLength"], 10);
    assert_eq!(tool.tags, ["small_things"]);
    assert!(tool.input["properties"].get("made").is_none());
}

#[test]
fn swagger_and_openapi_say_the_same() {
    let swagger = json!({"swagger": "2.0", "info": {"title": "Acme"}, "host": "api.acme.example", "basePath": "/v1", "schemes": ["https"],
        "consumes": ["application/x-www-form-urlencoded"],
        "securityDefinitions": {"o": {"type": "oauth2", "flow": "accessCode", "authorizationUrl": "https://acme.example/a", "tokenUrl": "https://acme.example/t", "scopes": {"things.write": "Change things"}}},
        "paths": {"/things": {"post": {"operationId": "createThing", "security": [{"o": ["things.write"]}], "parameters": [
            {"name": "name", "in": "formData", "type": "string", "required": true},
            {"name": "token", "in": "formData", "type": "string", "description": "Authentication token."},
            {"name": "file", "in": "query", "type": "array", "items": {"type": "string"}}],
            "responses": {"200": {"schema": {"type": "object"}}}}}}});
    let made = imported(&swagger).manifest;
    let tool = &made.tools[0];
    let request = tool.request.as_ref().expect("a request");
    assert_eq!(made.endpoints["api"].url, "https://api.acme.example/v1");
    assert_eq!(
        (tool.name.as_str(), request.body_format),
        ("acme_thing_create", BodyFormat::Form)
    );
    assert_eq!(
        request.body,
        Some(json!({"name": "{name}"})),
        "nobody is asked for a token"
    );
    assert_eq!(request.query_join.as_deref(), Some(","));
    assert_eq!(tool.scopes, ["things.write"]);
    let oauth2 = made.auth[0].oauth2.as_ref().expect("OAuth");
    assert_eq!(oauth2.scope_titles["things.write"], "Change things");
}

#[test]
fn what_cannot_be_carried_is_left_out_with_its_reason() {
    let body =
        |media_type: &str| json!({"required": true, "content": {media_type: {"schema": {"type": "object"}}}});
    let imported = imported(&openapi(json!({
        "/fine": {"get": {"responses": answers_json()}},
        "/upload": {"post": {"requestBody": body("multipart/form-data"), "responses": answers_json()}},
        "/raw": {"put": {"requestBody": body("application/octet-stream"), "responses": answers_json()}},
        "/open": {"post": {"requestBody": body("application/json"), "responses": answers_json()}},
        "/file": {"get": {"responses": {"200": {"content": {"application/pdf": {}}}}}},
        "/away": {"get": {"responses": {"302": {}}}},
        "/options": {"options": {"responses": answers_json()}},
        "/rest/{+path}": {"get": {"responses": answers_json()}},
        "/gone": {"$ref": "#/nowhere"},
        "/lost": {"get": {"parameters": [{"$ref": "#/nowhere"}], "responses": answers_json()}},
    })));
    let reasons: Vec<&str> = imported
        .report
        .left_out_by_reason
        .keys()
        .map(String::as_str)
        .collect();
    let wanted = [
        "a required parameter is an object of any members",
        "it answers no JSON",
        "it cannot be read",
        "its body is multipart (files)",
        "its body is raw bytes or text",
        "its method is not one that a tool may use",
        "its path cannot be declared",
    ];
    assert_eq!(reasons, wanted);
    assert_eq!(imported.manifest.tools.len(), 1);
    assert_eq!(imported.report.left_out.len(), 9);
    let page = imported.report.markdown();
    assert!(
        page.contains("- GET /away: it answers a redirect") && page.contains("- /gone:"),
        "{page}"
    );
}

#[test]
fn structures_that_refer_to_themselves_are_cut_and_alternatives_joined() {
    let mut document = openapi(
        json!({"/things": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}}, "responses": answers_json()}}}),
    );
    document["components"] = json!({"schemas": {
        "Node": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "required": ["kind"], "properties": {
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
            "kind": {"oneOf": [{"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["b"]}, {"type": "null"}]},
            "size": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            "either": {"oneOf": [{"type": "object", "required": ["x", "t"], "properties": {"x": {"type": "string"}, "t": {"const": "x"}}},
                                 {"type": "object", "required": ["y", "t"], "properties": {"y": {"type": "string"}, "t": {"const": "y"}}}]},
            "any": {"type": "object", "additionalProperties": true}}}]},
        "Base": {"type": "object", "properties": {"id": {"type": ["string", "null"]}}}}});
    let made = imported(&document);
    let properties = &made.manifest.tools[0].input["properties"];
    assert!(
        properties.get("children").is_none() && properties.get("any").is_none(),
        "{properties}"
    );
    assert_eq!(
        properties["id"]["type"], "string",
        "null for what is optional is leaving it out"
    );
    assert_eq!(
        (&properties["kind"]["type"], properties["kind"].get("enum")),
        (&json!(["string", "null"]), None)
    );
    assert_eq!(
        properties["size"]["anyOf"],
        json!([{"type": "integer"}, {"type": "string"}])
    );
    assert_eq!(properties["either"]["required"], json!(["t"]));
    assert_eq!(properties["either"]["properties"]["t"]["enum"], json!(["x", "y"]));
    let losses = &made.report.parameters_left_out;
    assert_eq!(
        losses.get("a structure that refers to itself"),
        Some(&1),
        "{losses:?}"
    );
    assert_eq!(losses.get("an object of any members"), Some(&1), "{losses:?}");
}

#[test]
fn references_that_multiply_end_within_the_limits() {
    // Every schema has two of the next: written out, that is 2^40 of them.
    let mut schemas = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({"$ref": format!("#/components/schemas/S{}", level + 1)});
        schemas.insert(
            format!("S{level}"),
            json!({"type": "object", "properties": {"a": next, "b": next, "n": {"type": "integer"}},
            "oneOf": [next, next], "allOf": [next]}),
        );
    }
    schemas.insert(
        "S40".to_owned(),
        json!({"type": "object", "properties": {"n": {"type": "integer"}}}),
    );
    let mut document = openapi(json!({
        "/deep": {"post": {"requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}, "responses": answers_json()}},
        "/fine": {"get": {"responses": answers_json()}}}));
    document["components"] = json!({"schemas": schemas});
    let made = imported(&document);
    assert!(
        made.manifest
            .tools
            .iter()
            .any(|tool| tool.name == "acme_fine_list"),
        "{}",
        made.report.markdown()
    );
}

#[test]
fn a_list_that_pages_names_its_paginator() {
    let tool = only_tool(json!({"/things": {"get": {
        "parameters": [
            {"name": "cursor", "in": "query", "schema": {"type": "string"}},
            {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 200}},
            {"name": "q", "in": "query", "schema": {"type": "string"}}],
        "responses": {"200": {"content": {"application/json": {"schema": {"type": "object", "properties": {
            "things": {"type": "array", "items": {"type": "object"}}, "next_cursor": {"type": "string"}, "ok": {"type": "boolean"}}}}}}}}}}));
    let paging = tool.paging.expect("paging");
    assert_eq!(
        (
            paging.items.as_str(),
            paging.max_page_size,
            paging.paginator.as_deref()
        ),
        ("/things", 200, Some("cursor"))
    );
    let request = tool.request.expect("a request");
    assert_eq!(request.query["cursor"], "{page.token}");
    assert_eq!(request.query["limit"], "{page.size}");
    assert!(tool.input["properties"].get("cursor").is_none());
    let response = tool.response.expect("a response");
    assert_eq!(
        (response.lists, response.failure.as_deref()),
        (vec!["things".to_owned()], Some("/error"))
    );
}

#[test]
fn graphql_fields_become_documents_whose_variables_are_parameters() {
    let schema = r#"
        type Query { "All issues." issues(first: Int, after: String, last: Int, filter: Filter): IssueConnection! me: User }
        type Mutation { issueCreate(input: IssueInput!): Payload! }
        type IssueConnection { nodes: [Issue!]! pageInfo: PageInfo! }
        type PageInfo { hasNextPage: Boolean! endCursor: String }
        type Issue { id: ID! title: String owner: User comments(first: Int!): [String] old: String @deprecated }
        type User { id: ID! name: String issues: IssueConnection }
        type Payload { success: Boolean! issue: Issue }
        input Filter { and: [Filter!] title: String }
        input IssueInput { title: String! tags: [String!] meta: JSONObject }
        scalar JSONObject
        extend type Query { ping: String }
    "#;
    let options = Options {
        url: Some("https://api.acme.example/graphql".to_owned()),
        ..Options::default()
    };
    let made = import_as(Format::GraphQl, schema, &options)
        .expect("imported")
        .manifest;
    let tool = |name: &str| {
        made.tools
            .iter()
            .find(|tool| tool.name == name)
            .unwrap_or_else(|| panic!("{name} is not there"))
    };
    let body = |name: &str| {
        tool(name)
            .request
            .as_ref()
            .and_then(|request| request.body.clone())
            .expect("a body")
    };
    assert_eq!(
        body("acme_issues_list"),
        json!({
        "query": "query Issues($first: Int, $after: String, $filter: Filter) { result: issues(first: $first, after: $after, filter: $filter) { nodes { id title owner { id name } } pageInfo { hasNextPage endCursor } } }",
        "variables": {"first": "{page.size}", "after": "{page.token}", "filter": "{filter}"}})
    );
    assert_eq!(
        made.paginators["cursor"],
        Paginator::Cursor {
            next: "/data/result/pageInfo/endCursor".to_owned(),
            more: Some("/data/result/pageInfo/hasNextPage".to_owned()),
        }
    );
    assert_eq!(
        body("acme_issue_create"),
        json!({
        "query": "mutation IssueCreate($input: IssueInput!) { result: issueCreate(input: $input) { success issue { id title owner { id name } } } }",
        "variables": {"input": "{input}"}})
    );
    assert!(tool("acme_issues_list").hints.read_only && !tool("acme_issue_create").hints.read_only);
    assert_eq!(
        body("acme_ping_get"),
        json!({"query": "query Ping { result: ping }"})
    );
    assert!(
        import_as(Format::GraphQl, schema, &Options::default())
            .expect_err("nowhere")
            .to_string()
            .contains("--url")
    );
}

#[test]
fn discovery_documents_are_read_with_their_flat_paths_and_any_scope() {
    let document = json!({"discoveryVersion": "v1", "name": "acme", "title": "Acme API", "rootUrl": "https://acme.googleapis.com/", "servicePath": "",
        "auth": {"oauth2": {"scopes": {"s.full": {"description": "All"}, "s.readonly": {"description": "Read"}}}},
        "schemas": {"Thing": {"id": "Thing", "type": "object", "properties": {"name": {"type": "string", "description": "Output only. Name."}, "size": {"type": "string", "format": "int64"}, "parts": {"type": "array", "items": {"$ref": "Thing"}}}}},
        "resources": {"projects": {"resources": {"things": {"methods": {
            "list": {"id": "acme.projects.things.list", "httpMethod": "GET", "path": "v1/{+parent}/things", "flatPath": "v1/projects/{projectsId}/things",
                "parameters": {"parent": {"location": "path", "required": true, "type": "string"}, "labels": {"location": "query", "type": "string", "repeated": true}},
                "scopes": ["s.full", "s.readonly"]},
            "patch": {"id": "acme.projects.things.patch", "httpMethod": "PATCH", "path": "v1/{+name}", "flatPath": "v1/projects/{projectsId}/things/{thingsId}",
                "request": {"$ref": "Thing"}, "scopes": ["s.full"]}}}}}}});
    let made = import_as(Format::Discovery, &document.to_string(), &Options::default())
        .expect("imported")
        .manifest;
    assert_eq!(made.connector.id, "acme");
    let list = &made.tools[0];
    assert_eq!(
        list.request.as_ref().map(|request| request.path.as_str()),
        Some("/v1/projects/{projectsId}/things")
    );
    assert_eq!(
        (&list.any_scopes, &list.input["properties"]["labels"]["type"]),
        (
            &vec!["s.full".to_owned(), "s.readonly".to_owned()],
            &json!("array")
        )
    );
    let oauth2 = made.auth[0].oauth2.as_ref().expect("OAuth");
    assert_eq!(oauth2.scopes, ["s.full", "s.readonly"]);
    assert_eq!(
        made.tools[1]
            .request
            .as_ref()
            .and_then(|request| request.body.clone()),
        Some(json!({"size": "{size}"}))
    );
}

#[test]
fn what_is_asked_for_is_taken_and_what_is_not_there_is_an_error_with_the_tags() {
    let document = openapi(json!({
        "/k": {"get": {"tags": ["one"], "responses": answers_json()}, "post": {"tags": ["one"], "operationId": "makeK", "responses": answers_json()}},
        "/k/b": {"get": {"tags": ["two"], "deprecated": true, "responses": answers_json()}},
        "/kb": {"get": {"tags": ["two"], "responses": answers_json()}}})).to_string();
    let names = |options: Options| -> Vec<String> {
        let made = import_as(Format::OpenApi, &document, &options).expect("imported");
        made.manifest.tools.into_iter().map(|tool| tool.name).collect()
    };
    let include = |wanted: &str| Options {
        include: vec![wanted.to_owned()],
        ..Options::default()
    };
    assert_eq!(
        names(Options::default()),
        ["acme_k_list", "acme_make_k", "acme_kb_list"].map(str::to_owned)
    );
    assert_eq!(names(include("/k")).len(), 3, "below the path, old ones too");
    assert_eq!(names(include("TWO")).len(), 2);
    assert_eq!(names(include("makek")), ["acme_make_k"]);
    assert_eq!(
        names(Options {
            tools: Tools::Read,
            ..include("one")
        }),
        ["acme_k_list"]
    );
    assert_eq!(
        names(Options {
            max_tools: Some(1),
            ..Options::default()
        })
        .len(),
        1
    );
    let error = import_as(Format::OpenApi, &document, &include("three"))
        .expect_err("nothing")
        .to_string();
    assert!(error.contains("one, two"), "{error}");
    let id = Options {
        id: Some("Bad-Id".to_owned()),
        ..Options::default()
    };
    assert!(matches!(
        import_as(Format::OpenApi, &document, &id),
        Err(Error::Id(_))
    ));
}

#[test]
fn hostile_documents_are_errors_that_say_where_and_never_more() {
    let wide = |paths: Value| openapi(paths).to_string();
    let deep_path = format!("/{}", "{a}/".repeat(5_000));
    let long = "x".repeat(100_000);
    let documents = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "openapi: 3.0.0".to_owned(),
        "swagger: 2.0\npaths: 7".to_owned(),
        "openapi: 3.1.0\npaths: {/x: null, /y: 3, /z: {get: []}}".to_owned(),
        wide(json!({"/x": {"get": {"parameters": [7, null, {}], "responses": 3}}})),
        wide(json!({"/x": {"get": {"parameters": {"a": 1}, "responses": []}}})),
        wide(
            json!({"": {"get": {}}, "x": {"get": {}}, "/a//b": {"get": {}}, "/{": {"get": {}}, "/{}": {"get": {}}, "/..": {"get": {}}}),
        ),
        wide(json!({deep_path: {"get": {}}})),
        wide(
            json!({"/x": {"post": {"operationId": long, "summary": long, "tags": [long, "", "\u{202e}"],
            "requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {
                long.as_str(): {"type": "string"}, "": {"type": "string"}, "\u{202e}a": {"type": "string", "description": "\u{0}\u{202e}"},
                "$ref": {"type": "string"}, "e": {"type": "string", "enum": [null, "", 1, long]},
                "i": {"type": "integer", "minimum": 1e300, "maximum": -1, "enum": [18446744073709551615u64], "default": "x"},
                "p": {"type": "string", "pattern": "(?=a)(a+)+$", "minLength": -1, "maxLength": 1e99}}}}}}}}}),
        ),
        wide(json!({"/x": {"post": {"requestBody": {"$ref": "#/paths/~1x/post/requestBody"}}}})),
        json!({"openapi": "3.0.0", "servers": [{"url": "https://{a}{b}.{c"}], "paths": {"/x": {"get": {}}}})
            .to_string(),
        json!({"openapi": "3.0.0", "servers": [{"url": 7}], "paths": {"/x": {"get": {}}}}).to_string(),
    ];
    for document in &documents {
        let shown: String = document.chars().take(200).collect();
        match import_as(Format::OpenApi, document, &Options::default()) {
            Ok(imported) => assert!(!imported.manifest.tools.is_empty(), "{shown}"),
            Err(Error::Defect(defect)) => panic!("{shown}: {defect}"),
            Err(error) => assert!(error.to_string().len() > 20, "{shown}: {error}"),
        }
    }
    for schema in [
        "",
        "type",
        "type Query {",
        "type Query { a: [[[[Int",
        "{\"__schema\": 7}",
        "type Query { a(b: Missing!): Gone }",
    ] {
        let options = Options {
            url: Some("https://a.example".to_owned()),
            ..Options::default()
        };
        let _ =
            import_as(Format::GraphQl, schema, &options).map(|made| assert!(!made.manifest.tools.is_empty()));
    }
    let nested = format!(
        "type Query {{ a: {}Int{} }}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let options = Options {
        url: Some("https://a.example".to_owned()),
        ..Options::default()
    };
    assert!(import_as(Format::GraphQl, &nested, &options).is_err());
}

#[test]
fn the_same_specification_gives_the_same_bytes_and_names_do_not_depend_on_the_choice() {
    let document = openapi(json!({
        "/a": {"get": {"operationId": "same", "responses": answers_json()}},
        "/b": {"get": {"operationId": "same", "responses": answers_json()}},
        "/c": {"get": {"operationId": "same", "responses": answers_json()}}}))
    .to_string();
    let toml = || {
        import_as(Format::OpenApi, &document, &Options::default())
            .expect("imported")
            .toml
    };
    assert_eq!(toml(), toml());
    let options = Options {
        include: vec!["/c".to_owned()],
        ..Options::default()
    };
    let made = import_as(Format::OpenApi, &document, &options)
        .expect("imported")
        .manifest;
    assert_eq!(made.tools[0].name, "acme_same_3");
}
