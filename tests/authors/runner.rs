//! What `connector test` and `connector check` say.

use valetkey::author::Injected;
use valetkey::author::run::{Faults, Options};
use valetkey_tests::program::Place;
use valetkey_tests::snapshot::assert_checked_in;

use crate::acme;

#[tokio::test(flavor = "multi_thread")]
async fn a_right_connector_passes_and_keeps_every_promise_under_faults() {
    let place = Place::new();
    acme::write(place.path(), acme::MANIFEST, &acme::RIGHT);
    let options = Options {
        faults: Faults::All,
        ..Options::default()
    };
    let report = acme::run(place.path(), options).await;
    assert!(report.passed(), "{report:#?}");
    assert_eq!(report.cases.len(), acme::RIGHT.len());
    assert_eq!(report.tools_without_a_case, Vec::<String>::new());

    let injected = |name: &str| -> Vec<Injected> {
        let case = report
            .cases
            .iter()
            .find(|case| case.name == name)
            .expect("a case");
        case.faults.iter().map(|fault| fault.fault).collect()
    };
    use Injected::{ExpiredToken, Malformed, RefusedCredential, ServerError, Slow, Throttled};
    let with_a_token = [Throttled, ServerError, Slow, Malformed, ExpiredToken];
    assert_eq!(injected("list"), with_a_token);
    assert_eq!(injected("create"), with_a_token, "a write keeps its promises too");
    assert_eq!(
        injected("get_by_key"),
        [Throttled, ServerError, Slow, Malformed, RefusedCredential]
    );
    assert_eq!(
        injected("get_missing"),
        [],
        "nothing goes more wrong than it should"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_being_asked_faults_go_into_reading_tools_alone() {
    let place = Place::new();
    acme::write(place.path(), acme::MANIFEST, &[acme::RIGHT[1], acme::RIGHT[4]]);
    let report = acme::run(place.path(), Options::default()).await;
    assert!(report.passed(), "{report:#?}");
    let counts: Vec<_> = report
        .cases
        .iter()
        .map(|case| (case.name.as_str(), case.faults.len()))
        .collect();
    assert_eq!(counts, [("create", 0), ("get", 5)]);
    assert_eq!(report.tools_without_a_case, ["acme_things_list"]);
}

/// A case of `acme_thing_get` that answers `{"id": "7"}`.
fn get(answer: &str, exchanges: &[(&str, &str)]) -> String {
    let mut text = format!(
        "### case\ntool: acme_thing_get\nparams: {{\"thing_id\": \"7\", \"fields\": [\"id\"]}}\n{answer}\n"
    );
    for (request, response) in exchanges {
        text.push_str(&format!(
            "\n### request\n{request}\n\n### response 200\n\n{response}\n"
        ));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_place_by_place() {
    let place = Place::new();
    let (url, body) = (
        "GET https://demo.acme.example/v1/things/7?fields=id",
        "{\"id\": \"7\"}",
    );
    let create = "### case\ntool: acme_thing_create\nparams: {\"name\": \"Lamp\", \"kind\": \"x\"}\nanswer: {\"id\": \"9\"}\n";
    let cases = [
        ("a_answer", get("answer: {\"id\": \"8\", \"more\": [1]}", &[(url, body)])),
        (
            "b_query",
            get(
                "answer: {\"id\": \"7\"}",
                &[("GET https://demo.acme.example/v1/things/7?fields=id,name&deep=1", body)],
            ),
        ),
        (
            "c_path_and_header",
            get(
                "answer: {\"id\": \"7\"}",
                &[("GET https://demo.acme.example/v2/things/7?fields=id\nAcme-Version: 2027", body)],
            ),
        ),
        (
            "d_body",
            format!(
                "{create}\n### request\nPOST https://demo.acme.example/v1/things\n\n{{\"name\": \"Lump\", \"colour\": \"red\"}}\n\n### response 201\n\n{{\"id\": \"9\"}}\n"
            ),
        ),
        ("e_unused", get("answer: {\"id\": \"7\"}", &[(url, body), ("GET https://demo.acme.example/v1/me", "{}")])),
        ("f_not_recorded", get("answer: {\"id\": \"7\"}", &[])),
        ("g_output", get("answer: {\"name\": \"Lamp\"}", &[(url, "{\"name\": \"Lamp\"}")])),
        ("h_no_fault", get("fault: vendor_not_found", &[(url, body)])),
        (
            "i_input",
            "### case\ntool: acme_thing_get\nparams: {}\nfault: {\"kind\": \"vendor_rejected\"}\n".to_owned(),
        ),
        (
            "j_more",
            "### case\ntool: acme_things_list\nparams: {\"limit\": 1}\nanswer: {\"things\": [{\"id\": \"1\"}]}\nmore: false\n\n### request\nGET https://demo.acme.example/v1/things?size=1\n\n### response 200\n\n{\"things\": [{\"id\": \"1\"}], \"next\": \"https://demo.acme.example/v1/things?page=2\"}\n".to_owned(),
        ),
        ("k_tool", "### case\ntool: acme_thing_gett\nparams: {}\nanswer: {}\n".to_owned()),
    ];
    let cases: Vec<(&str, &str)> = cases.iter().map(|(name, text)| (*name, text.as_str())).collect();
    acme::write(place.path(), acme::MANIFEST, &cases);
    let ran = place.run(&["connector", "test", ".", "--faults", "none"]).await;
    assert_eq!(ran.code, 1, "{}", ran.talk);
    assert_checked_in("tests/authors/wrong.txt", &ran.out);

    let ran = place
        .run(&[
            "connector",
            "test",
            ".",
            "--faults",
            "none",
            "--filter",
            "h_no",
            "--json",
        ])
        .await;
    let report: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((&report["passed"], &report["failed"]), (&0.into(), &1.into()));
    assert_eq!(report["cases"][0]["name"], "h_no_fault");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_held_against_the_vendors_specification() {
    let place = Place::new();
    acme::write(place.path(), acme::MANIFEST, &[acme::RIGHT[1], acme::RIGHT[4]]);
    let spec = serde_json::json!({
        "openapi": "3.1.0",
        "servers": [{"url": "https://api.acme.example/v1"}],
        "paths": {
            "/things/{id}": {"get": {"parameters": [
                {"name": "fields", "in": "query", "schema": {"type": "array", "items": {"enum": ["id", "name"]}}}]}},
            "/things": {"post": {"requestBody": {"content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/Thing"}}}}}}
        },
        "components": {"schemas": {"Thing": {"type": "object", "properties": {"name": {"maxLength": 3}}}}}
    });
    std::fs::write(place.path().join("tests/openapi.json"), spec.to_string()).expect("a file");
    std::fs::write(place.path().join("tests/tests.toml"), "spec = \"openapi.json\"\n").expect("a file");
    let ran = place.run(&["connector", "test", ".", "--faults", "none"]).await;
    assert_eq!(ran.code, 1, "{}", ran.talk);
    let told = |part: &str| assert!(ran.out.contains(part), "{part} in {}", ran.out);
    told("query parameter `fields` = \"id,made\" is not what its schema wants");
    told("not as the specification says: body /name");
}

#[tokio::test]
async fn an_author_is_advised_with_the_place() {
    let place = Place::new();
    let weak = acme::MANIFEST
        .replace("docs_url = \"https://docs.acme.example\"\n", "")
        .replace(
            "Reads one thing by its id: `id`, `name` and `made`. Use acme_things_list to find the id.",
            "Calls the endpoint that reads a thing over HTTP.",
        )
        .replace(
            "tags = [\"things\"]\nhints = { read_only = false",
            "hints = { read_only = false",
        );
    acme::write(place.path(), &weak, &[acme::RIGHT[1]]);
    std::fs::remove_file(place.path().join("README.md")).expect("it was there");
    let ran = place.run(&["connector", "check", "."]).await;
    assert_checked_in("tests/authors/advice.txt", &ran.out);
    assert_eq!(ran.code, 0, "advice is no error: {}", ran.talk);
    assert_eq!(place.run(&["connector", "check", ".", "--strict"]).await.code, 1);

    let wrong = acme::MANIFEST.replace("read_only = false, destructive", "read_only = true, destructive");
    acme::write(place.path(), &wrong, &[]);
    let ran = place.run(&["connector", "check", ".", "--json"]).await;
    assert_eq!(ran.code, 1);
    let said: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let places = said["problems"].to_string();
    assert!(places.contains("/tools/2/hints"), "{said}");
}

/// Tools whose bytes the host holds.
const WITH_FILES: &str = r#"
[[tools]]
name = "acme_scan_store"
title = "Store a scan"
description = "Stores a scan of a thing and answers its new `id`; give the file by its id. Ask before a scan is stored twice."
tags = ["scans"]
hints = { read_only = false, destructive = false, idempotent = false }
scopes = ["things"]

[tools.input]
type = "object"
additionalProperties = false
required = ["scan"]
properties = { scan = { type = "string", format = "valetkey-file", description = "The scan, by its id." } }

[tools.request]
endpoint = "api"
method = "POST"
path = "/scans"
body = "{scan}"
body_format = "file"

[[tools]]
name = "acme_scan_fetch"
title = "Fetch a scan"
description = "Fetches a scan by its id and keeps it as a file; answers the file, which callers can download by its id."
tags = ["scans"]
hints = { read_only = true, destructive = false, idempotent = true }
scopes = ["things"]

[tools.input]
type = "object"
additionalProperties = false
required = ["scan_id"]
properties = { scan_id = { type = "string", description = "Id of the scan." } }

[tools.request]
endpoint = "api"
method = "GET"
path = "/scans/{scan_id}"

[tools.response.file]
name = "{scan_id}.txt"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_case_gives_files_and_says_which_bytes_go_to_the_vendor() {
    let store = |bytes: &str| {
        format!(
            "### case\ntool: acme_scan_store\nparams: {{\"scan\": \"{{{{file.scan}}}}\"}}\nfiles: {{\"scan\": {{\"name\": \"s.txt\", \
             \"content_type\": \"text/plain\", \"text\": \"{bytes}\"}}}}\nanswer: {{\"id\": \"s1\"}}\n\n### request\n\
             POST https://demo.acme.example/v1/scans\ncontent-type: text/plain\n\nas it is\n\n### response 201\n\n{{\"id\": \"s1\"}}\n"
        )
    };
    let fetch = "### case\ntool: acme_scan_fetch\nparams: {\"scan_id\": \"s1\"}\n\
                 answer: {\"file\": {\"id\": \"{{any}}\", \"name\": \"s1.txt\", \"content_type\": \"text/plain\", \"size\": 8, \"sha256\": \"{{any}}\"}}\n\n\
                 ### request\nGET https://demo.acme.example/v1/scans/s1\n\n### response 200\ncontent-type: text/plain\n\nas it is\n";
    let place = Place::new();
    let manifest = format!("{}{WITH_FILES}", acme::MANIFEST);
    let (right, wrong) = (store("as it is"), store("as it was"));
    acme::write(
        place.path(),
        &manifest,
        &[("fetch", fetch), ("right", &right), ("wrong", &wrong)],
    );
    let options = Options {
        faults: Faults::None,
        ..Options::default()
    };
    let report = acme::run(place.path(), options).await;
    let passed: Vec<(&str, bool)> = report
        .cases
        .iter()
        .map(|case| (case.name.as_str(), case.passed()))
        .collect();
    assert_eq!(
        passed,
        [("fetch", true), ("right", true), ("wrong", false)],
        "{report:#?}"
    );
    let told = format!("{:?}", report.cases[2].findings);
    assert!(told.contains("as it was"), "{told}");
}
