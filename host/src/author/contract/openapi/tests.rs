//! What a description of an API says of requests.

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

fn of(document: Value) -> OpenApi {
    let mut whole = json!({"openapi": "3.0.3", "servers": [{"url": "https://api.v.example/v1"}]});
    let more = document.as_object().expect("an object").clone();
    whole.as_object_mut().expect("an object").extend(more);
    OpenApi::new(whole).expect("OpenAPI")
}

#[test]
fn schemas_that_refer_to_themselves_end() {
    let schema = json!({"$ref": "#/components/schemas/Pet"});
    let openapi = of(json!({
        "paths": {"/pets": {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}},
        "components": {"schemas": {
            "Pet": {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]},
            "Cat": {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"required": ["meow"]}],
                    "properties": {"meow": {"type": "string"}, "friend": {"$ref": "#/components/schemas/Pet"},
                                   "any": {"$ref": "#/components/schemas/Any"}}},
            "Dog": {"required": ["bark"], "properties": {"bark": {"type": "string"}}},
            "Any": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/Any"}},
                              {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Any"}}]}
        }}
    }));
    let check = |body: &str| openapi.check(&sent("POST", "/pets", "", body));
    assert_eq!(
        check(r#"{"meow":"m","friend":{"bark":"b"},"any":[["a"],{"b":[]}]}"#),
        Vec::<String>::new()
    );
    assert_ne!(check(r#"{"meow":1}"#), Vec::<String>::new());
    assert_ne!(check(r#"{"meow":"m","friend":{}}"#), Vec::<String>::new());
    assert_ne!(check(r#"{"meow":"m","any":[[1]]}"#), Vec::<String>::new());
}

#[test]
fn null_and_what_only_answers_have_are_understood() {
    let thing = json!({"required": ["id", "owner"], "properties": {
        "id": {"type": "string", "readOnly": true},
        "owner": {"nullable": true, "allOf": [{"$ref": "#/components/schemas/User"}]},
        "names": {"type": "array", "items": {"type": "string", "nullable": true, "minLength": 2}}}});
    let openapi = of(json!({
        "paths": {"/things": {"post": {"requestBody": {"content": {"application/json": {"schema": thing}}}}}},
        "components": {"schemas": {"User": {"type": "object"}}}
    }));
    let check = |body: &str| openapi.check(&sent("POST", "/things", "", body));
    assert_eq!(
        check(r#"{"owner":null,"names":["ab",null]}"#),
        Vec::<String>::new()
    );
    assert_eq!(check(r#"{"owner":{}}"#), Vec::<String>::new());
    for wrong in [r"{}", r#"{"owner":1}"#, r#"{"owner":null,"names":[null,"a"]}"#] {
        assert_ne!(check(wrong), Vec::<String>::new(), "{wrong}");
    }
}

#[test]
fn an_api_behind_a_gateway_is_known_by_its_own_paths() {
    let openapi = of(json!({"paths": {"/rest/api/3/issue/{id}": {"get": {}}, "/{any}": {"get": {}}}}));
    let mut request = sent("GET", "", "", "");
    request.url = "https://gateway.example/ex/jira/1-2/rest/api/3/issue/A-1".to_owned();
    assert_eq!(openapi.check(&request), Vec::<String>::new());
    request.url = "https://gateway.example/ex/jira/1-2/rest/api/3/issues/A-1".to_owned();
    assert_ne!(openapi.check(&request), Vec::<String>::new());
    request.url = "https://api.v.example/ex/rest/api/3/issue/A-1".to_owned();
    assert_ne!(
        openapi.check(&request),
        Vec::<String>::new(),
        "its own host has no gateway"
    );
}

#[test]
fn a_last_parameter_may_have_several_segments() {
    let operation = |several: bool| json!({"get": {"parameters": [{"name": "path", "in": "path", "x-multi-segment": several}]}});
    let openapi = of(json!({"paths": {"/files/{path}": operation(true), "/keys/{path}": operation(false)}}));
    let check = |path: &str| openapi.check(&sent("GET", path, "", ""));
    assert_eq!(check("/files/docs/my%20plan.md"), Vec::<String>::new());
    assert_eq!(check("/keys/docs"), Vec::<String>::new());
    assert_ne!(check("/keys/docs/plan.md"), Vec::<String>::new());
}

#[test]
fn forms_and_brackets_are_held_to_their_schemas() {
    let schema = json!({"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string"}, "count": {"type": "integer"},
        "address": {"type": "object", "properties": {"zip": {"type": "integer"}}},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "integer"}}}}}});
    let openapi = of(json!({"paths": {"/things": {
        "post": {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}},
        "get": {"parameters": [{"name": "filter", "in": "query", "style": "deepObject",
            "schema": {"type": "object", "properties": {"state": {"enum": ["open"]}}}}]}
    }}}));
    let check = |body: &str| {
        let mut request = sent("POST", "/things", "", body);
        request.headers = vec![(
            "content-type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        )];
        openapi.check(&request)
    };
    assert_eq!(
        check("name=a&count=3&address[zip]=1&lines[0][price]=5"),
        Vec::<String>::new()
    );
    for (wrong, part) in [
        ("count=3", "lacks `name`"),
        ("name=a&cuont=3", "`cuont`"),
        ("name=a&count=x", "`count`"),
        ("name=a&address[zip]=x", "address[zip]"),
        ("name=a&lines[0][price]=x", "lines[0][price]"),
    ] {
        let problems = check(wrong);
        assert!(
            problems.iter().any(|problem| problem.contains(part)),
            "{wrong}: {problems:?}"
        );
    }
    assert_eq!(
        openapi.check(&sent("GET", "/things", "filter[state]=open", "")),
        Vec::<String>::new()
    );
    assert_ne!(
        openapi.check(&sent("GET", "/things", "filter[state]=shut", "")),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_not_openapi_3_is_not_taken() {
    assert!(OpenApi::new(json!({"swagger": "2.0"})).is_none());
}
