//! What a manifest says of its tools: names, hints, requests, schemas.

use serde_json::{Value, json};

use super::{assert_named, complaints, good};

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
fn what_short_answers_leave_out_may_be_missing() {
    assert_named(vec![
        (
            "/tools/1/response",
            json!({"concise": ["url", "url"]}),
            "/tools/1/response/concise/1",
            "there twice",
        ),
        (
            "/tools/1/response",
            json!({"concise": [""]}),
            "/tools/1/response/concise/0",
            "empty",
        ),
        (
            "/tools/1/response",
            json!({"concise": ["url"], "drop": ["url"]}),
            "/tools/1/response/concise/0",
            "dropped always",
        ),
        (
            "/tools/1/response",
            json!({"concise": ["tags"], "lists": ["tags"]}),
            "/tools/1/response/concise/0",
            "come back",
        ),
        (
            "/tools/0/response",
            json!({"concise": ["things"]}),
            "/tools/0/response/concise/0",
            "items of `paging`",
        ),
        (
            "/tools/1/response",
            json!({"concise": ["url"], "file": {}}),
            "/tools/1/response/concise",
            "as a file",
        ),
        (
            "/tools/2/response",
            json!({"concise": ["url"], "pointer": "/a"}),
            "/tools/2/response",
            "`concise` alone",
        ),
    ]);
    let mut manifest = good();
    manifest["tools"][2]["response"] = json!({"concise": ["url"]});
    manifest["tools"][1]["response"] = json!({"concise": ["url", "avatar"]});
    assert_eq!(complaints(&manifest), [], "declared, and in code");

    let mut own = manifest.clone();
    own["tools"][1]["input"]["properties"]["response_format"] =
        json!({"type": "string", "description": "Short or long."});
    let [(place, problem)] = complaints(&own).try_into().expect("one complaint");
    assert_eq!(place, "/tools/1/input/properties/response_format");
    assert!(problem.contains("added by the host"), "{problem}");
    own["tools"][1]["response"] = json!({});
    assert_eq!(
        complaints(&own),
        [],
        "a tool that leaves nothing out may have its own"
    );

    manifest["tools"][1]["output"] = json!({
        "type": "object", "properties": {"thing": {"type": "object", "required": ["url"],
            "properties": {"url": {"type": "string"}}}}
    });
    let [(place, problem)] = complaints(&manifest).try_into().expect("one complaint");
    assert_eq!(place, "/tools/1/response/concise/0");
    assert!(problem.contains("required by `output`"), "{problem}");

    let mut content = good();
    content["tools"][2]["response"] = json!({"concise": ["url"]});
    content["tools"][2]["result"] = json!("content");
    let [(place, problem)] = complaints(&content).try_into().expect("one complaint");
    assert_eq!(place, "/tools/2/response/concise");
    assert!(problem.contains("`content`"), "{problem}");
}

#[test]
fn a_declared_tool_may_name_the_paths_of_its_next_pages() {
    let mut manifest = good();
    manifest["paginators"]["after"] = json!({"kind": "next_url", "next": "/nextRecordsUrl"});
    manifest["tools"][0]["request"]["query"] = json!({"kind": "{kind}"});
    manifest["tools"][0]["allow"] = json!(["GET api:/things/{locator}"]);
    assert_eq!(complaints(&manifest), []);
    manifest["tools"][0]["allow"] = json!(["POST api:/things/{locator}"]);
    let [(place, problem)] = complaints(&manifest).try_into().expect("one complaint");
    assert_eq!(place, "/tools/0/hints/read_only");
    assert!(problem.contains("POST"), "{problem}");
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

#[test]
fn files_are_sent_and_kept_by_tools_that_say_so() {
    let file = json!({"type": "string", "format": "valetkey-file", "description": "The file."});
    let mut manifest = good();
    let tool = &mut manifest["tools"][1];
    tool["input"]["properties"]["file"] = file;
    tool["input"]["required"] = json!(["id", "file"]);
    tool["request"]["body"] = json!("{file}");
    tool["request"]["body_format"] = json!("file");
    tool["response"] = json!(null);
    assert_eq!(complaints(&manifest), []);
    let complained = |change: &dyn Fn(&mut Value)| {
        let mut manifest = manifest.clone();
        change(&mut manifest["tools"][1]);
        complaints(&manifest)
    };
    type Change<'a> = &'a dyn Fn(&mut Value);
    let cases: [(Change, &str, &str); 4] = [
        (
            &|tool| tool["request"]["body"] = json!({"file": "{file}"}),
            "/tools/1/request/body",
            "one placeholder",
        ),
        (
            &|tool| tool["request"]["body"] = json!("{name}"),
            "/tools/1/request/body",
            "valetkey-file",
        ),
        (
            &|tool| tool["input"]["required"] = json!(["id"]),
            "/tools/1/request/body",
            "may have no value",
        ),
        (
            &|tool| tool["response"] = json!({"file": {"name": "{other}"}}),
            "/tools/1/response/file/name",
            "no parameter",
        ),
    ];
    for (change, place, words) in cases {
        let found = complained(change);
        assert!(
            found
                .iter()
                .any(|(path, problem)| path == place && problem.contains(words)),
            "wanted {place}: …{words}…, got {found:#?}"
        );
    }
    let found = complained(&|tool| tool["response"] = json!({"file": {}}));
    assert!(
        found.iter().any(|(path, _)| path == "/tools/1/response/file"),
        "{found:#?}"
    );
}
