//! Swaps under running calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::stage::{activate, call, component, install, stage, stage_with, stamp, stamp_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_swaps_under_two_hundred_calls_a_second_lose_no_call() {
    const SWAPS: u32 = 50;
    let (host, _vendor) = stage().await;
    let host = Arc::new(host);
    let swapping = tokio::spawn({
        let host = Arc::clone(&host);
        async move {
            let mut pace = tokio::time::interval(Duration::from_millis(40));
            for swap in 1..=SWAPS {
                pace.tick().await;
                // Every fifth swap brings a new version, the others go back and forth.
                let answer = if swap % 5 == 1 {
                    host.install(component(&format!("1.0.{swap}"))).await
                } else {
                    activate(&host, None).await
                };
                assert!(answer.status.is_success(), "swap {swap}: {}", answer.text());
            }
        }
    });

    let mut calls = Vec::new();
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    while !swapping.is_finished() {
        pace.tick().await;
        let host = Arc::clone(&host);
        calls.push(tokio::spawn(async move {
            let answer = call(&host, "stamp", json!({})).await.expect(200);
            // Looked up at once: the host remembers only so many.
            let id = answer["execution_id"].as_str().expect("an execution id");
            let record = host.runtime.journal.find("dev", id).expect("a record");
            (stamp_of(&answer), record.connector_version.clone())
        }));
    }
    swapping.await.expect("every swap succeeds");

    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let made = calls.len();
    for answer in calls {
        let (stamp, recorded) = answer.await.expect("a call that ends well");
        // What ran is what the journal says that ran: one version from the front to the end.
        assert_eq!(recorded.as_deref(), Some(stamp.as_str()));
        *seen.entry(stamp).or_default() += 1;
    }
    assert_eq!(seen.values().sum::<u32>() as usize, made);
    assert!(seen.len() >= 8, "few versions were seen at all: {seen:?}");
    println!("{made} calls over {SWAPS} swaps, by version: {seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_call_finishes_on_the_version_that_it_began_with() {
    let (host, mut vendor) = stage().await;
    let host = Arc::new(host);
    let running = tokio::spawn({
        let host = Arc::clone(&host);
        async move { call(&host, "stamp", json!({"hold": true})).await }
    });
    assert_eq!(vendor.arrived.recv().await.as_deref(), Some("1.0.0"));

    install(&host, "1.1.0").await;
    assert_eq!(stamp(&host, "stamp").await, "1.1.0");
    vendor.let_go();
    let answer = running.await.expect("a call that ends").expect(200);
    assert_eq!(stamp_of(&answer), "1.0.0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_outlives_the_drain_is_cut_off() {
    let (host, mut vendor) = stage_with(|config| config.sandbox.drain_ms = 100).await;
    let host = Arc::new(host);
    let running = tokio::spawn({
        let host = Arc::clone(&host);
        async move { call(&host, "stamp", json!({"hold": true})).await }
    });
    vendor.arrived.recv().await.expect("a held request");

    install(&host, "1.1.0").await;
    let answer = running.await.expect("a call that ends");
    assert!(answer.status.is_server_error(), "{}", answer.text());
    let error = &answer.json()["error"];
    assert_eq!(
        (&error["kind"], &error["reason"]),
        (&json!("connector_trapped"), &json!("replaced"))
    );
    assert_eq!(stamp(&host, "stamp").await, "1.1.0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_connection_is_not_cut_off_by_an_upgrade() {
    let (host, mut vendor) = stage_with(|config| config.sandbox.drain_ms = 0).await;
    crate::stage::connect(&host, "pinned", &vendor.url).await;
    crate::lifecycle::pin(&host, "pinned", Some("1.0.0")).await;
    let host = Arc::new(host);
    let running = tokio::spawn({
        let host = Arc::clone(&host);
        async move { call(&host, "pinned", json!({"hold": true})).await }
    });
    vendor.arrived.recv().await.expect("a held request");

    install(&host, "1.1.0").await;
    install(&host, "1.2.0").await;
    assert_eq!(stamp(&host, "stamp").await, "1.2.0");
    vendor.let_go();
    let answer = running.await.expect("a call that ends").expect(200);
    assert_eq!(stamp_of(&answer), "1.0.0");
}
