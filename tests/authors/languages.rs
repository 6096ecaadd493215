//! The same connector in Rust, JavaScript and Python does the same: the same requests on the wire,
//! the same answers, in the same host and the real sandbox.

use std::fs;
use std::os::unix::fs::symlink;

use http::Method;
use serde_json::{Value, json};

use valetkey_tests::artifacts::{self, repository, target_dir};
use valetkey_tests::{TestHost, snapshot};

use crate::vendor::Vendor;

const LANGUAGES: [&str; 3] = ["rust", "javascript", "python"];

/// The calls, by what they show.
fn calls() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        (
            "declared: defaults, types, what has no value is left out",
            "sample_note_add",
            json!({"text": "say \"é\" 😀\n", "tags": ["a", "b"], "weight": 1.5, "reference": 9_007_199_254_740_993_i64}),
        ),
        ("declared: the least", "sample_note_add", json!({"text": "t"})),
        (
            "declared: pages by offset, walked by the host",
            "sample_notes_list",
            json!({}),
        ),
        (
            "code around a declared form",
            "sample_note_label",
            json!({"note_id": "n1", "label": "  a b&c=é+!'()* "}),
        ),
        (
            "code refuses an input",
            "sample_note_label",
            json!({"note_id": "n1", "label": " "}),
        ),
        (
            "parts, and a segment that needs encoding",
            "sample_file_attach",
            json!({"note_id": "n 1", "name": "a\"b\r\n.txt", "content": "ü\n😀"}),
        ),
        (
            "a segment that cannot be one",
            "sample_file_attach",
            json!({"note_id": "..", "name": "a", "content": ""}),
        ),
        (
            "graphql, pages by a token",
            "sample_notes_search",
            json!({"word": "é"}),
        ),
        (
            "graphql: errors of a success",
            "sample_notes_search",
            json!({"word": "broken"}),
        ),
        (
            "an answer without a body",
            "sample_note_delete",
            json!({"note_id": "n1"}),
        ),
        (
            "a refusal that the manifest knows",
            "sample_note_delete",
            json!({"note_id": "n2"}),
        ),
        (
            "a refusal of the usual sort",
            "sample_note_delete",
            json!({"note_id": "n4"}),
        ),
        (
            "the function's own fault",
            "sample_note_delete",
            json!({"note_id": "x"}),
        ),
        (
            "several requests side by side",
            "sample_notes_compare",
            json!({"note_ids": ["n1", "n2", "n3"]}),
        ),
    ]
}

/// A host that keeps compiled code from one run to the next: a compiler without optimisation takes
/// its time over a language runtime.
async fn host() -> TestHost {
    let mut stopped = TestHost::start().await.stop().await;
    let code = target_dir().join("guests/languages/code");
    fs::create_dir_all(&code).expect("a folder for code");
    let place = stopped.data_dir().join("code");
    fs::remove_dir_all(&place).expect("the new host's own is empty");
    symlink(&code, &place).expect("a link");
    stopped.configure(|config| config.sandbox.compile_seconds = 600);
    stopped.start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_does_the_same_in_every_language() {
    let host = host().await;
    let vendor = Vendor::start().await;
    let mut transcripts = Vec::new();
    for language in LANGUAGES {
        let installed = host.install(artifacts::sample(language)).await;
        assert!(installed.status.is_success(), "{language}: {}", installed.text());
        if language == LANGUAGES[0] {
            connect(&host, &vendor.url).await;
        }
        let mut transcript = Vec::new();
        for (what, tool, params) in calls() {
            let answer = host.call(tool, "ada", params.clone()).await;
            let status = answer.status.as_u16();
            transcript.push(json!({
                "what": what, "call": { tool: params }, "wire": vendor.requests(),
                "status": status, "answer": without_chance(answer.json()),
            }));
        }
        assert_each_call_has_its_own_chance_and_the_hosts_time(&host, language).await;
        vendor.requests();
        assert_files_pass_by_the_code(&host, &vendor, language).await;
        transcripts.push(transcript);
        let removed = host
            .api(Method::DELETE, "/api/v1/connectors/sample", Value::Null)
            .await;
        assert!(removed.status.is_success(), "{language}: {}", removed.text());
    }
    for (language, transcript) in LANGUAGES.iter().zip(&transcripts).skip(1) {
        for (first, same) in transcripts[0].iter().zip(transcript) {
            assert_eq!(same, first, "{language}, {}", first["what"]);
        }
    }
    let shown = serde_json::to_string_pretty(&transcripts[0]).expect("JSON") + "\n";
    snapshot::assert_checked_in("tests/authors/samples/transcript.json", &shown);
}

async fn connect(host: &TestHost, vendor: &str) {
    let connection = json!({
        "connection_name": "sample", "connector": "sample", "development": true, "endpoints": { "api": vendor },
    });
    let made = host.api(Method::POST, "/api/v1/connections", connection).await;
    assert!(made.status.is_success(), "{}", made.text());
    let account = json!({ "connection_name": "sample", "identifier": "ada" });
    let made = host
        .api(Method::POST, "/api/v1/connected_accounts", account)
        .await;
    assert!(made.status.is_success(), "{}", made.text());
}

/// An interpreter begins every call as it was when the component was built. Its generator of random
/// numbers must not, and its clock is the host's.
async fn assert_each_call_has_its_own_chance_and_the_hosts_time(host: &TestHost, language: &str) {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let before = host.clock().now().as_millisecond();
        let answer = host
            .call("sample_notes_compare", "ada", json!({ "note_ids": ["n1"] }))
            .await
            .expect(200);
        let now = answer["data"]["now_ms"].as_i64().expect("a time");
        assert!(
            (before..=host.clock().now().as_millisecond()).contains(&now),
            "{language}: {now}"
        );
        seen.push(answer["data"]["die"].clone());
    }
    assert_ne!(seen[0], seen[1], "{language}");
}

/// A file of a caller goes to the vendor and one of the vendor's comes back: the code names both, and says
/// what the host knows of them.
async fn assert_files_pass_by_the_code(host: &TestHost, vendor: &Vendor, language: &str) {
    let file = host
        .upload("ada", "new.txt", "text/plain; charset=utf-8", "as it will be")
        .await;
    let params = json!({ "note_id": "n1", "file": file });
    let mut answer = host.call("sample_scan_replace", "ada", params).await.expect(200);

    let wire: Vec<Value> = vendor.requests();
    let shown: Vec<[&str; 4]> = wire
        .iter()
        .map(|request| {
            ["method", "target", "content_type", "body"].map(|part| request[part].as_str().unwrap_or(""))
        })
        .collect();
    assert_eq!(
        shown,
        [
            ["GET", "/notes/n1/scan", "", ""],
            [
                "PUT",
                "/notes/n1/scan",
                "text/plain; charset=utf-8",
                "as it will be"
            ],
        ],
        "{language}"
    );
    let kept = answer["data"]["kept"]["id"].take();
    assert_eq!(
        answer["data"],
        json!({
            "sent": { "name": "new.txt", "size": 13 },
            "kept": {
                "id": null, "name": "before.txt", "content_type": "text/plain", "size": 9,
                "sha256": "369b74f2003ce39f5829ec7a2f84852b72b610d0312c8951d5d8f7316c9902ba",
            },
        }),
        "{language}"
    );
    let path = format!("/api/v1/files/{}", kept.as_str().expect("an id"));
    let bytes = host.api(Method::GET, &path, Value::Null).await;
    assert_eq!(
        (bytes.status.as_u16(), bytes.text().as_str()),
        (200, "as it was"),
        "{language}"
    );
}

/// An answer without what differs from one call to the next.
fn without_chance(mut answer: Value) -> Value {
    for place in [
        "/execution_id",
        "/error/execution_id",
        "/data/now_ms",
        "/data/die",
    ] {
        if let Some(value) = answer.pointer_mut(place) {
            *value = json!("…");
        }
    }
    answer
}

#[test]
fn the_samples_declare_the_same() {
    let declared = |language: &str| {
        let path = repository().join(format!("tests/authors/samples/{language}/connector.toml"));
        let text = fs::read_to_string(path).expect("a manifest");
        text.replace(&format!("runtime = \"{language}\""), "runtime = …")
    };
    for language in LANGUAGES {
        assert_eq!(declared(language), declared("rust"), "{language}");
    }
}
