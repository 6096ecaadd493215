//! Whatever a call waits for has a span.

use std::time::Duration;

use serde_json::json;

use valetkey_manifest::{Budget, BudgetScope};
use valetkey_tests::artifacts;
use valetkey_vendors::{Effect, Fault, Side};

use crate::rig::Rig;

#[tokio::test]
async fn wait_that_the_vendor_asked_for_is_a_span_of_its_length() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rig.world.vendors.fail(Fault::throttle(Side::Api, 1, "1"));
    rig.call("hubspot_whoami", "ada", json!({})).await.expect(200);
    rig.flush().await;
    let wait = rig.collector.one("rate wait");
    assert_eq!(wait.get("valetkey.wait.reason"), "vendor");
    assert_eq!(wait.parent, rig.collector.one("sandbox call").id);
    assert!(wait.milliseconds >= 900, "{wait:?}");
    rig.end().await;
}

#[tokio::test]
async fn wait_for_a_published_rate_is_a_span() {
    let rig = Rig::start().await;
    let narrow = artifacts::connector_with("hubspot", |manifest| {
        manifest.connector.version = "9.0.0".to_owned();
        manifest.budgets = vec![Budget {
            scope: BudgetScope::Account,
            requests: 1,
            per_seconds: 0.2,
            path_prefix: None,
            path_suffix: None,
        }];
    });
    rig.world.host.install(narrow).await.expect(200);
    rig.connect("ada").await;
    let calls = [0, 1].map(|_| rig.call("hubspot_whoami", "ada", json!({})));
    for answer in futures_util::future::join_all(calls).await {
        answer.expect(200);
    }
    rig.flush().await;
    let waits = rig.collector.named("rate wait");
    assert!(!waits.is_empty());
    for wait in waits {
        assert_eq!(wait.get("valetkey.wait.reason"), "budget");
    }
    rig.end().await;
}

#[tokio::test]
async fn wait_for_a_slot_is_a_span_of_the_call_that_waits() {
    let rig = Rig::start_with(|config| config.admission.per_account = 1).await;
    rig.connect("ada").await;
    let slow = Effect::Slow { delay_ms: 100 };
    rig.world.vendors.fail(Fault::new(Side::Api, 1, slow));
    let calls = [0, 1].map(|_| rig.call("hubspot_whoami", "ada", json!({})));
    for answer in futures_util::future::join_all(calls).await {
        answer.expect(200);
    }
    rig.flush().await;
    let wait = rig.collector.one("admission wait");
    assert_eq!(wait.get("valetkey.wait.reason"), "account");
    let calls = rig.collector.named("execute_tool hubspot_whoami");
    assert!(calls.iter().any(|call| call.id == wait.parent), "{wait:?}");
    rig.end().await;
}

#[tokio::test]
async fn calls_that_share_a_refresh_show_it_once_and_link_to_it() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rig.world.host.clock().advance(Duration::from_secs(3_000));
    rig.world.host.sign_in().await;
    let slow = Effect::Slow { delay_ms: 200 };
    rig.world.vendors.fail(Fault::new(Side::Token, 1, slow));
    let calls = [0, 1].map(|_| rig.call("hubspot_whoami", "ada", json!({})));
    for answer in futures_util::future::join_all(calls).await {
        answer.expect(200);
    }
    rig.flush().await;
    let refresh = rig.collector.one("refresh");
    assert_eq!(refresh.get("valetkey.refresh.why"), "due");
    let wait = rig.collector.one("refresh wait");
    assert_eq!(wait.links, [refresh.id.as_str()]);
    assert_ne!(wait.parent, refresh.parent, "each in its own call");
    rig.end().await;
}

#[tokio::test]
async fn pause_before_a_repetition_is_a_span() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rig.world.vendors.fail(Fault::status(Side::Api, 1, 502));
    rig.call("hubspot_whoami", "ada", json!({})).await.expect(200);
    rig.flush().await;
    assert_eq!(
        rig.collector.one("retry wait").parent,
        rig.collector.one("sandbox call").id
    );
    rig.end().await;
}
