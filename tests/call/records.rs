//! One record for each call, whatever became of it.

use bytes::Bytes;
use http::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use valetkey_tests::World;
use valetkey_vendors::{Effect, Fault, Side};

#[tokio::test]
async fn every_call_leaves_one_record_without_parameters_or_identifiers() {
    let world = World::start().await;
    world.connect("hubspot", "ada-lovelace-1815").await;
    let secret = "parameter-4711";
    world
        .host
        .call(
            "hubspot_contacts_search",
            "ada-lovelace-1815",
            json!({"query": secret, "limit": 1}),
        )
        .await
        .expect(200);
    world
        .host
        .call("hubspot_contact_get", "ada-lovelace-1815", json!({}))
        .await
        .expect(400);
    world
        .host
        .call("no_such_tool", "ada-lovelace-1815", json!({"query": secret}))
        .await
        .expect(404);
    let records = world.host.runtime.journal.recent("dev", 100);
    let outcomes: Vec<_> = records
        .iter()
        .rev()
        .map(|record| record.outcome.as_str())
        .collect();
    assert_eq!(outcomes, ["ok", "invalid_input", "unknown_tool"]);

    let stopped = world.host.stop().await;
    let mut journal = String::new();
    for file in std::fs::read_dir(stopped.data_dir().join("journal")).expect("the journal") {
        journal += &std::fs::read_to_string(file.expect("an entry").path()).expect("text");
    }
    assert_eq!(
        journal.matches("\"record\":\"execution\"").count(),
        3,
        "on the disk: {journal}"
    );
    assert!(
        !journal.contains(secret) && !journal.contains("ada-lovelace"),
        "{journal}"
    );
}

#[tokio::test]
async fn caller_that_goes_away_ends_the_vendor_call_and_leaves_a_record() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world.vendors.log().clear();
    world
        .vendors
        .fail(Fault::new(Side::Api, 1, Effect::Slow { delay_ms: 60_000 }));

    let token = world.host.token();
    let body = json!({"tool_name": "hubspot_whoami", "identifier": "ada", "params": {}}).to_string();
    let authority = world.host.base_url.trim_start_matches("http://");
    #[allow(clippy::disallowed_methods, reason = "the test is the caller that hangs up")]
    let mut caller = tokio::net::TcpStream::connect(authority)
        .await
        .expect("connected");
    let request = format!(
        "POST /api/v1/execute_tool HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    caller.write_all(&Bytes::from(request)).await.expect("sent");
    world
        .vendors
        .log()
        .wait_for_where(1, |entry| entry.side == Side::Api)
        .await;
    drop(caller);

    let record = loop {
        if let Some(record) = world.host.runtime.journal.recent("dev", 1).first() {
            break record.clone();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(record.outcome, "cancelled");
    assert_eq!(
        world.host.runtime.sandbox.live_instances(),
        0,
        "the guest is gone"
    );
    // The host is unharmed and serves on.
    world
        .host
        .api(Method::GET, "/api/v1/tools?limit=1", serde_json::Value::Null)
        .await
        .expect(200);
}
