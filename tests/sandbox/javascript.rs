//! A component that brings a language runtime runs on an engine of its own, within the same limits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use valetkey::capability::CallContext;
use valetkey::config;
use valetkey::error::Kind;

use valetkey_tests::artifacts;

use crate::bench::{self, Bench};
use crate::vendor::Vendor;

/// A compiler without optimisation takes its time over a language runtime, so that what it made
/// is kept for the next run.
fn bench(max_instances: u32) -> Bench {
    let mut bench = Bench::with(config::Sandbox {
        max_instances,
        compile_seconds: 300,
        ..config::Sandbox::default()
    });
    let code = artifacts::target_dir().join("guests/code");
    bench.sandbox = Arc::new(bench::sandbox(&bench.settings, &code));
    bench
}

/// Both ways in which the JavaScript tools make components: our contract alone, and with WASI.
const BUILDS: [&str; 2] = ["js", "js-wasi"];

#[tokio::test]
async fn a_connector_in_javascript_does_its_work() {
    let bench = bench(64);
    let vendor = Vendor::answering().await;
    for build in BUILDS {
        let component = bench.load(build).await;
        for _ in 0..2 {
            let mut grant = bench.reaching(&vendor.url);
            grant.scopes = Arc::new(["things.read".to_owned()]);
            grant.account_config = Arc::new(BTreeMap::from([("site".to_owned(), "acme".to_owned())]));
            let log = Arc::clone(&grant.log);
            let context = CallContext {
                execution_id: "exe_1".to_owned(),
                page_size: Some(50),
                ..CallContext::default()
            };
            let call = bench
                .sandbox
                .call(&component, grant, context, "js_send", "{}".to_owned());
            let answer: Value = serde_json::from_str(&call.await.expect("an answer").data).expect("JSON");
            let expected = json!({
                "status": 200, "echoed": "/things?q=%C3%A5%20b", "executionId": "exe_1", "pageSize": 50,
                "scopes": ["things.read"], "site": "acme",
                // The instance before this one is gone with all that it counted.
                "calls": 1,
            });
            assert_eq!(answer, expected, "{build}");
            let (lines, _) = log.take();
            assert_eq!(lines[0].message, "answered 200");
        }
        let found = bench.call(&component, bench.grant(), "snoop", "{}").await;
        assert_eq!(found.expect("an answer").data, "[]", "{build}");
    }
}

#[tokio::test]
async fn limits_hold_for_a_language_runtime_too() {
    let bench = bench(64);
    let honest = bench.load("echo").await;
    let component = bench.load("js-wasi").await;
    for (tool, kind, reason) in [
        ("spin", Kind::ConnectorLimit, Some("cpu")),
        ("hoard", Kind::ConnectorLimit, Some("memory")),
        ("flood", Kind::ConnectorLimit, Some("host_calls")),
        ("recurse", Kind::ConnectorLimit, Some("stack")),
        ("crash", Kind::ConnectorTrapped, Some("trap")),
        ("refuse", Kind::InvalidInput, None),
    ] {
        let mut grant = bench.grant();
        if tool == "spin" {
            grant.limits.cpu_ms = 100;
        }
        let (fault, served) = tokio::join!(
            bench.fault(&component, grant, tool, "{}"),
            bench.call(&honest, bench.grant(), "run", "{}")
        );
        assert_eq!(
            (fault.kind(), fault.reason_code()),
            (kind, reason),
            "{tool}: {fault:?}"
        );
        served.expect("the others are served");
    }
    let mut grant = bench.grant();
    grant.reach.deadline = Instant::now() + Duration::from_millis(100);
    let fault = bench.fault(&component, grant, "spin", "{}").await;
    assert_eq!(fault.reason_code(), Some("deadline"), "{fault:?}");
    assert_eq!(bench.sandbox.live_instances(), 0);
}

#[tokio::test]
async fn language_runtimes_have_places_of_their_own() {
    // A quarter of the instances: one place.
    let bench = Arc::new(bench(8));
    let (script, echo) = (bench.load("js").await, bench.load("echo").await);
    let vendor = Vendor::silent().await;
    let held = tokio::spawn({
        let (bench, script, grant) = (
            Arc::clone(&bench),
            Arc::clone(&script),
            bench.reaching(&vendor.url),
        );
        async move { bench.call(&script, grant, "send", "{}").await.is_ok() }
    });
    vendor.has_seen(1).await;
    let mut grant = bench.grant();
    grant.reach.deadline = Instant::now() + Duration::from_millis(50);
    let fault = bench.fault(&script, grant, "snoop", "{}").await;
    assert_eq!(fault.kind(), Kind::Overloaded, "{fault:?}");
    let served = bench.call(&echo, bench.grant(), "run", "{}").await;
    served.expect("small components have theirs");
    held.abort();
    assert!(held.await.is_err());
    let served = bench.call(&script, bench.grant(), "snoop", "{}").await;
    served.expect("the place is free again");
}
