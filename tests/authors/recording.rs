//! A live call made into a case: without the credential, for those who may, and right.

use std::collections::BTreeSet;
use std::path::Path;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Map, Value, json};
use valetkey::author::case::{Case, Expected};
use valetkey::author::record;
use valetkey::author::run::{self, Options};
use valetkey::author::suite::Suite;
use valetkey_tests::program::{Place, Ran};
use valetkey_tests::{TestHost, artifacts};
use valetkey_vendors::{Options as VendorOptions, Simulator};

/// A host connected to the simulated HubSpot as `ada`, with raw requests on or off.
async fn connected(proxy: bool) -> (TestHost, Simulator) {
    let options = VendorOptions::default();
    let simulator = Simulator::start(options).await.expect("a free port");
    let host = TestHost::start().await;
    host.install_bundled("hubspot").await;
    let base = format!("{}/hubspot", simulator.base_url);
    let options = VendorOptions::default();
    let connection = json!({
        "connection_name": "hubspot", "connector": "hubspot", "development": true, "endpoints": {"api": base},
        "proxy": proxy,
        "oauth": {"client_id": options.client_id, "client_secret": options.client_secret,
                  "authorize_url": format!("{base}/oauth/authorize"), "token_url": format!("{base}/oauth/v3/token")},
    });
    drop(
        host.api(Method::POST, "/api/v1/connections", connection)
            .await
            .expect(201),
    );
    host.connect("hubspot", "ada").await;
    (host, simulator)
}

fn call(params: &Value) -> Value {
    json!({"tool_name": "hubspot_contacts_search", "identifier": "ada", "params": params})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_holds_no_credential_and_becomes_a_case_that_passes() {
    let (host, simulator) = connected(true).await;
    let params = json!({"properties": ["email", "firstname"], "limit": 2});
    let recording = host
        .api(Method::POST, "/api/v1/recordings", call(&params))
        .await
        .expect(200);
    let text = recording.to_string();
    let sent: BTreeSet<String> = simulator
        .log()
        .entries()
        .into_iter()
        .filter_map(|entry| entry.authorization_sha256)
        .collect();
    assert!(!sent.is_empty(), "the vendor saw a token");
    for word in text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"-_.~".contains(letter)) {
        let digest = digest::digest(&digest::SHA256, format!("Bearer {word}").as_bytes());
        let is_token = sent.contains(&URL_SAFE_NO_PAD.encode(digest));
        assert!(!is_token, "the recording holds the access token");
    }
    assert!(!text.contains("authorization"), "{text}");
    let exchange = &recording["exchanges"][0];
    assert_eq!(
        exchange["url"], "https://api.hubapi.com/crm/v3/objects/contacts/search",
        "as the manifest declares it: {exchange}"
    );

    let first = recording["data"]["results"][0]["properties"]["firstname"]
        .as_str()
        .expect("a name")
        .to_owned();
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("tests/search.http");
    let params: Map<String, Value> = params.as_object().expect("an object").clone();
    let words = [format!("{first}=Person")];
    let (case, scrubbed) =
        record::case("hubspot_contacts_search", &params, recording, &words, &path).expect("a case");
    assert!(scrubbed.0["words of yours"] >= 2, "{scrubbed:?}");
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, case.to_text()).expect("a file");
    let text = case.to_text();
    assert!(!text.contains(&first) && text.contains("Person"), "{text}");
    assert!(!text.contains("127.0.0.1"), "{text}");

    passes(dir.path()).await;
}

async fn passes(dir: &Path) {
    let suite = Suite::read(dir).expect("a suite");
    let report = run::run(artifacts::connector("hubspot"), &suite, &Options::default())
        .await
        .expect("a host");
    assert!(report.passed(), "{report:#?}");
    assert_eq!(report.cases.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_recorded_where_raw_requests_are_off() {
    let (host, simulator) = connected(false).await;
    let before = simulator.log().entries().len();
    let refused = host
        .api(Method::POST, "/api/v1/recordings", call(&json!({})))
        .await
        .expect(403);
    assert_eq!(
        (&refused["error"]["kind"], &refused["error"]["reason"]),
        (&json!("policy_denied"), &json!("proxy_off")),
        "{refused}"
    );
    assert!(refused.get("exchanges").is_none(), "{refused}");
    assert_eq!(simulator.log().entries().len(), before, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_the_vendor_refuses_is_recorded_as_a_fault() {
    let (host, _simulator) = connected(true).await;
    let body = json!({"tool_name": "hubspot_contact_get", "identifier": "ada", "params": {"contact_id": "999999999"}});
    let recording = host
        .api(Method::POST, "/api/v1/recordings", body)
        .await
        .expect(200);
    assert_eq!(recording["error"]["kind"], "vendor_not_found", "{recording}");
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("tests/missing.http");
    let params = Map::from_iter([("contact_id".to_owned(), json!("999999999"))]);
    let (case, _) = record::case("hubspot_contact_get", &params, recording, &[], &path).expect("a case");
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, case.to_text()).expect("a file");
    passes(dir.path()).await;
}

/// Runs `connector record` for a search, with these arguments besides.
async fn record_by_command(place: &Place, host: &TestHost, further: &[&str]) -> Ran {
    let mut arguments = vec![
        "connector",
        "record",
        "hubspot_contacts_search",
        "--identifier",
        "ada",
        "--params",
        r#"{"properties": ["email", "firstname"], "limit": 1}"#,
        "--out",
        "tests/search.http",
    ];
    arguments.extend(further);
    let as_operator = [
        ("VALETKEY_SERVER", host.base_url.as_str()),
        ("VALETKEY_CLIENT_ID", &host.client_id),
        ("VALETKEY_CLIENT_SECRET", &host.client_secret),
    ];
    place.run_with(&arguments, &as_operator).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_writes_a_case_that_passes_and_never_over_one_unasked() {
    let (host, simulator) = connected(true).await;
    let place = Place::new();
    let recorded = record_by_command(&place, &host, &[]).await;
    assert_eq!(recorded.code, 0, "{}", recorded.talk);
    assert_eq!(recorded.out.trim(), "tests/search.http");
    assert!(recorded.talk.contains("1 exchange; "), "{}", recorded.talk);
    passes(place.path()).await;

    let file = place.path().join("tests/search.http");
    let first = std::fs::read_to_string(&file).expect("a case");
    let Expected::Answer(answer) = Case::read(&file).expect("a case").expected else {
        panic!("it answered: {first}");
    };
    let name = answer["results"][0]["properties"]["firstname"]
        .as_str()
        .expect("a name in it");
    let asked = simulator.log().entries().len();
    let refused = record_by_command(&place, &host, &[]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.talk.contains("--force"), "{}", refused.talk);
    assert_eq!(simulator.log().entries().len(), asked, "nothing was sent");
    assert_eq!(std::fs::read_to_string(&file).expect("a case"), first);

    let scrub = format!("{name}=Person");
    let again = record_by_command(&place, &host, &["--force", "--scrub", &scrub]).await;
    assert_eq!(again.code, 0, "{}", again.talk);
    assert!(again.talk.contains("words of yours"), "{}", again.talk);
    let second = std::fs::read_to_string(&file).expect("a case");
    assert!(!second.contains(name) && second.contains("Person"), "{second}");
    passes(place.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_how_the_operator_allows_it() {
    let (host, _simulator) = connected(false).await;
    let place = Place::new();
    let refused = record_by_command(&place, &host, &[]).await;
    assert_eq!(refused.code, 1);
    let told = "`valetkey connection proxy hubspot`";
    assert!(refused.talk.contains(told), "{}", refused.talk);
    assert!(!place.path().join("tests").exists(), "nothing was written");
}
