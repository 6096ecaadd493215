//! What is in a trace, byte by byte, and what is not.

use std::time::Duration;

use serde_json::{Value, json};

use valetkey_vendors::{Fault, Options, Side, Vendor};

use crate::rig::Rig;

const IDENTIFIER: &str = "ada-lovelace-1815";
const PARAMETER: &str = "parameter-4711";

/// Connects, calls, is refused, refreshes, fails to refresh; answers a result's text.
async fn everything_that_touches_a_secret(rig: &Rig) -> String {
    rig.world.connect("hubspot", IDENTIFIER).await;
    let found = rig
        .call("hubspot_contacts_search", IDENTIFIER, json!({"limit": 1}))
        .await
        .expect(200);
    rig.world.vendors.expire_access_tokens();
    rig.call(
        "hubspot_contacts_search",
        IDENTIFIER,
        json!({"query": PARAMETER, "limit": 1}),
    )
    .await
    .expect(200);
    rig.world.vendors.fail(Fault::status(Side::Token, 1, 500));
    rig.world.vendors.expire_access_tokens();
    rig.world.host.clock().advance(Duration::from_secs(3_000));
    rig.world.host.sign_in().await;
    rig.call("hubspot_whoami", IDENTIFIER, json!({})).await;
    rig.flush().await;
    let email = &found["data"]["results"][0]["properties"]["email"];
    email.as_str().expect("an address").to_owned()
}

fn secrets(rig: &Rig) -> Vec<String> {
    let mut secrets = rig.world.vendors.live_refresh_tokens(Vendor::Hubspot);
    assert_eq!(secrets.len(), 1);
    secrets.extend([
        Options::default().client_secret,
        rig.world.host.client_secret.clone(),
        rig.world.host.token(),
        "access-".to_owned(),
        "Bearer ".to_owned(),
        "code_verifier".to_owned(),
    ]);
    secrets
}

#[tokio::test]
async fn no_secret_no_parameter_no_result_and_no_identifier_is_in_any_exported_byte() {
    let rig = Rig::start().await;
    let result = everything_that_touches_a_secret(&rig).await;
    let exported = rig.collector.everything();
    assert!(exported.contains("execute_tool hubspot_contacts_search"));
    assert!(exported.contains("refresh"));
    for text in [result, PARAMETER.to_owned(), IDENTIFIER.to_owned()] {
        assert!(!exported.contains(&text), "{text} is exported");
    }
    for secret in secrets(&rig) {
        assert!(!exported.contains(&secret), "{secret:.12}… is exported");
    }
    rig.end().await;
}

#[tokio::test]
async fn content_is_recorded_when_the_operator_says_so_and_still_holds_no_secret() {
    let rig = Rig::start_with(|config| config.telemetry.record_content = true).await;
    let result = everything_that_touches_a_secret(&rig).await;
    let calls = rig.collector.named("execute_tool hubspot_contacts_search");
    let shown = calls[0].get("gen_ai.tool.call.result");
    assert!(shown.contains(&result), "{shown}");
    let arguments: Value = serde_json::from_str(calls[1].get("gen_ai.tool.call.arguments")).expect("JSON");
    assert_eq!(arguments, json!({"query": PARAMETER, "limit": 1}));
    let exported = rig.collector.everything();
    for secret in secrets(&rig) {
        assert!(!exported.contains(&secret), "{secret:.12}… is exported");
    }
    rig.end().await;
}
