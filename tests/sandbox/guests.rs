//! One test per guest of `tests/guests`, under the guest's name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use valetkey::capability::CallContext;
use valetkey::config;
use valetkey::error::{Fault, Kind, Retry, Side};

use crate::bench::Bench;
use crate::vendor::Vendor;

pub use crate::auth::{odd, usurp};
pub use crate::isolation::trespass;
pub use crate::wasi::inert;

const CANARY: &str = "CANARY";

#[tokio::test]
pub async fn echo() {
    let bench = Bench::new();
    let component = bench.load("echo").await;
    let answer = bench.call(&component, bench.grant(), "run", r#"{"a":1}"#).await;
    assert_eq!(answer.expect("an answer").data, r#"{"a":1}"#);
    assert_eq!(bench.sandbox.live_instances(), 0);
}

/// A guest sees the declaration of its own tool as the host gives it, and a missing one as missing.
#[tokio::test]
pub async fn stamp() {
    let bench = Bench::new();
    let component = bench.load("stamp").await;
    let declaration = r#"{"request":{"path":"/v7"}}"#;
    let context = CallContext {
        declaration: Some(declaration.into()),
        ..CallContext::default()
    };
    let answer = bench
        .sandbox
        .call(&component, bench.grant(), context, "run", "{}".to_owned())
        .await;
    assert_eq!(answer.expect("an answer").data, declaration);
    let fault = bench.fault(&component, bench.grant(), "run", "{}").await;
    assert_is(&fault, Kind::ConnectorOutputInvalid, "json");
}

/// Wherever a guest computes for ever, the call ends with its deadline or its CPU time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub async fn spin() {
    let bench = Bench::new();
    let component = bench.load("spin").await;
    for tool in ["call", "post_return", "allocate"] {
        let mut grant = bench.grant();
        grant.reach.deadline = Instant::now() + Duration::from_millis(200);
        let before = Instant::now();
        let fault = bench.fault(&component, grant, tool, "{}").await;
        assert_is(&fault, Kind::ConnectorLimit, "deadline");
        assert!(
            before.elapsed() < Duration::from_secs(2),
            "{tool} took {:?}",
            before.elapsed()
        );

        let mut grant = bench.grant();
        grant.limits.cpu_ms = 60;
        assert_is(
            &bench.fault(&component, grant, tool, "{}").await,
            Kind::ConnectorLimit,
            "cpu",
        );
    }
    let mut grant = bench.grant();
    grant.reach.deadline = Instant::now() + Duration::from_millis(100);
    assert_is(
        &bench.fault(&component, grant, "sleep", "{}").await,
        Kind::ConnectorLimit,
        "deadline",
    );
    assert_is(
        &bench
            .fault(&component, bench.grant(), "wait_on_clock", "{}")
            .await,
        Kind::ConnectorLimit,
        "host_calls",
    );
    assert_eq!(bench.sandbox.live_instances(), 0);
}

/// Code that runs before the call is bounded like the call.
#[tokio::test]
pub async fn spin_at_start() {
    let bench = Bench::new();
    let component = bench.load("spin_at_start").await;
    let mut grant = bench.grant();
    grant.reach.deadline = Instant::now() + Duration::from_millis(100);
    assert_is(
        &bench.fault(&component, grant, "run", "{}").await,
        Kind::ConnectorLimit,
        "deadline",
    );
    let mut grant = bench.grant();
    grant.limits.cpu_ms = 50;
    assert_is(
        &bench.fault(&component, grant, "run", "{}").await,
        Kind::ConnectorLimit,
        "cpu",
    );
}

/// Growing beyond the limit answers −1; a guest that cannot do without is told which limit it was.
#[tokio::test]
pub async fn hoard() {
    let bench = Bench::new();
    let component = bench.load("hoard").await;
    let before = resident_bytes();
    let at_once = bench
        .call(&component, bench.grant(), "at_once", "{}")
        .await
        .expect("an answer");
    assert_eq!(at_once.data, r#"{"grown":false}"#);
    let by_page = bench
        .call(&component, bench.grant(), "page_by_page", "{}")
        .await
        .expect("an answer");
    let pages: Value = serde_json::from_str(&by_page.data).expect("JSON");
    assert_eq!(pages["size"], 1024, "64 MiB in all");
    assert_is(
        &bench.fault(&component, bench.grant(), "all", "{}").await,
        Kind::ConnectorLimit,
        "memory",
    );
    let kept = resident_bytes().saturating_sub(before);
    assert!(kept < 16 * 1024 * 1024, "{kept} bytes are still resident");

    let mut grant = bench.grant();
    grant.limits.memory_bytes = 4 * 1024 * 1024;
    assert_is(
        &bench.fault(&component, grant, "all", "{}").await,
        Kind::ConnectorLimit,
        "memory",
    );
}

/// What a guest holds of the host at once has an end; what it gives back does not count.
#[tokio::test]
pub async fn clutch() {
    let bench = Bench::new();
    let component = bench.load("clutch").await;
    for (tool, count, held) in [("hold", "200", 200), ("release", "2000", 0)] {
        let answer = bench.call(&component, bench.grant(), tool, count).await;
        assert_eq!(answer.expect("an answer").data, format!("{{\"held\":{held}}}"));
    }
    assert_is(
        &bench.fault(&component, bench.grant(), "hold", "300").await,
        Kind::ConnectorLimit,
        "handles",
    );
}

/// Whichever way a guest calls itself, it ends at its stack's end and the process goes on.
#[tokio::test]
pub async fn recurse() {
    let bench = Bench::new();
    let component = bench.load("recurse").await;
    for tool in ["direct", "mutual", "indirect"] {
        assert_is(
            &bench.fault(&component, bench.grant(), tool, "{}").await,
            Kind::ConnectorLimit,
            "stack",
        );
    }
}

/// What one call leaves in statics, on the heap or in fresh pages, no other call finds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub async fn remember() {
    // Few slots, so that each is used again and again.
    let bench = Arc::new(Bench::with(config::Sandbox {
        max_instances: 8,
        ..config::Sandbox::default()
    }));
    let component = bench.load("remember").await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..16 {
        let (bench, component) = (Arc::clone(&bench), Arc::clone(&component));
        callers.spawn(async move {
            for turn in 0..63 {
                let mine = format!("\"belongs-to-{}\"", (caller + turn) % 2);
                let answer = bench
                    .call(&component, bench.grant(), "run", &mine)
                    .await
                    .expect("an answer");
                let answer: Value = serde_json::from_str(&answer.data).expect("JSON");
                assert_eq!(answer["mine"], mine.trim_matches('"'));
                assert_eq!(answer["found"], "", "another call's data was there");
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.expect("no call saw another's data");
    }
}

/// Answers that are too much or not what they should be are told as such; logs have an end.
#[tokio::test]
pub async fn flood() {
    let bench = Bench::new();
    let component = bench.load("flood").await;
    for (tool, kind, reason) in [
        ("over_the_limit", Kind::ConnectorLimit, "output"),
        ("over_the_boundary", Kind::ConnectorLimit, "output"),
        ("empty_strings", Kind::ConnectorLimit, "output"),
        ("page_token", Kind::ConnectorLimit, "output"),
        ("deep", Kind::ConnectorOutputInvalid, "json"),
        ("not_json", Kind::ConnectorOutputInvalid, "json"),
        ("lone_surrogate", Kind::ConnectorOutputInvalid, "json"),
        ("not_utf8", Kind::ConnectorOutputInvalid, "encoding"),
        ("log", Kind::ConnectorLimit, "host_calls"),
        ("log_megabytes", Kind::ConnectorLimit, "host_calls"),
        ("print", Kind::ConnectorLimit, "host_calls"),
        ("random", Kind::ConnectorTrapped, "trap"),
    ] {
        let mut grant = bench.grant();
        grant.limits.log_lines = 50;
        let log = Arc::clone(&grant.log);
        let fault = bench.fault(&component, grant, tool, "{}").await;
        assert_is(&fault, kind, reason);
        let (lines, dropped) = log.take();
        assert!(lines.iter().all(|line| line.message.len() <= 2_048), "{tool}");
        if tool.starts_with("log") {
            assert_eq!((lines.len(), dropped), (50, 150), "{tool}");
        }
    }
    let fault = bench.fault(&component, bench.grant(), "fault", "{}").await;
    assert_eq!(fault.kind(), Kind::VendorRejected);
    assert!(fault.public().len() < 1_024, "{} bytes", fault.public().len());
}

/// Texts of a guest reach logs as one harmless line, and agents as a quotation; what a trap says
/// reaches no agent; a guest cannot speak for the host.
#[tokio::test]
pub async fn forge() {
    let bench = Bench::new();
    let component = bench.load("forge").await;

    let grant = bench.grant();
    let log = Arc::clone(&grant.log);
    let fault = bench.fault(&component, grant, "panic", "{}").await;
    assert_is(&fault, Kind::ConnectorTrapped, "trap");
    assert!(!body(&fault).contains(CANARY));
    let (lines, _) = log.take();
    assert!(
        lines
            .iter()
            .any(|line| line.level == "error" && line.message.starts_with("trap: "))
    );

    let grant = bench.grant();
    let log = Arc::clone(&grant.log);
    bench
        .call(&component, grant, "log", "{}")
        .await
        .expect("an answer");
    let (lines, dropped) = log.take();
    assert_eq!((lines.len(), dropped), (2, 0));
    assert_eq!(lines[0].level, "info");
    assert!(
        lines[0].message.contains("\\u{1b}[31m\\r\\n2026"),
        "{}",
        lines[0].message
    );
    assert_eq!(lines[1].level, "warn");
    for line in &lines {
        assert!(line.message.len() <= 2_048 && !line.message.chars().any(char::is_control));
    }

    for (tool, kind) in [
        ("host_code", Kind::VendorRejected),
        ("overloaded", Kind::VendorRejected),
        ("not_active", Kind::VendorRejected),
        ("unknown_code", Kind::VendorRejected),
        ("invalid_input", Kind::InvalidInput),
        ("vendor", Kind::VendorConflict),
    ] {
        let fault = bench.fault(&component, bench.grant(), tool, "{}").await;
        assert_eq!(fault.kind(), kind, "{tool}");
        let body = body(&fault);
        assert!(
            !body.contains("\\u001b") && !body.contains('\u{202e}'),
            "{tool}: {body:.300}"
        );
        assert!(fault.public().len() < 1_024, "{tool}");
        assert!(fault.fields().len() <= 50, "{tool}");
        assert!(fault.body(None).error.authorization_link.is_none());
        if tool == "vendor" {
            let vendor = fault.vendor_error().expect("the vendor's part");
            assert_eq!(vendor.status, Some(409));
            assert!(vendor.code.as_ref().is_some_and(|code| code.len() <= 128));
            assert!(
                vendor
                    .message
                    .as_ref()
                    .is_some_and(|message| message.len() <= 2_048)
            );
            assert_eq!(fault.retry_advice(), Retry::Never);
        }
    }
}

/// Requests are counted, also those side by side; a call that is cut off says what is known of
/// its writes; a fault of the host that a guest passes on stays the host's.
#[tokio::test]
pub async fn send() {
    let bench = Bench::new();
    let component = bench.load("send").await;
    let vendor = Vendor::answering().await;
    let reach = || bench.reaching(&vendor.url);

    let answer = bench
        .call(&component, reach(), "side_by_side", "12 GET /")
        .await
        .expect("an answer");
    let bodies: Vec<String> = serde_json::from_str(&answer.data).expect("JSON");
    assert_eq!(
        bodies,
        (0..12).map(|index| format!("/{index}")).collect::<Vec<_>>(),
        "in order"
    );
    assert_eq!(vendor.requests(), 12);

    for tool in ["one_by_one", "side_by_side", "ignore_faults"] {
        let grant = reach();
        let meter = Arc::clone(&grant.reach.meter);
        let fault = bench.fault(&component, grant, tool, "21 GET /").await;
        assert_is(&fault, Kind::ConnectorLimit, "http_requests");
        assert!(meter.requests.load(Ordering::Relaxed) <= 20);
    }

    let before = vendor.requests();
    // A call without a spool has no files, whatever a guest names.
    let id = "file_00000000000000000000000000000000";
    let answer = bench
        .call(&component, reach(), "files", &format!("1 POST /{id}"))
        .await
        .expect("an answer");
    assert_eq!(answer.data.matches("egress_denied").count(), 3, "{}", answer.data);
    let fault = bench.fault(&component, reach(), "extension", "1 GET /").await;
    assert_is(&fault, Kind::EgressDenied, "ext");
    assert!(
        fault.public().contains("`follow-redirects\\u{1b}`"),
        "{}",
        fault.public()
    );
    assert_eq!(
        bench
            .fault(&component, reach(), "many_headers", "20000 GET /")
            .await
            .side(),
        Side::Connector
    );
    assert_eq!(vendor.requests(), before, "nothing was sent");

    let mut grant = reach();
    grant.limits.cpu_ms = 60;
    let fault = bench.fault(&component, grant, "then_spin", "1 POST /").await;
    assert_is(&fault, Kind::ConnectorLimit, "cpu");
    assert!(
        fault.public().contains("already sent 1 change"),
        "{}",
        fault.public()
    );

    let silent = Vendor::silent().await;
    for (method, kind) in [("GET", Kind::VendorTimeout), ("POST", Kind::AmbiguousOutcome)] {
        for tool in ["one_by_one", "side_by_side"] {
            let mut grant = bench.reaching(&silent.url);
            grant.reach.deadline = Instant::now() + Duration::from_millis(150);
            let input = format!("1 {method} /");
            let result = bench.call(&component, grant, tool, &input).await;
            let fault = result
                .map(|output| output.data)
                .expect_err("no vendor, no result");
            assert_eq!(fault.kind(), kind, "{tool} {method}: {fault:?}");
        }
    }

    // Nothing listens there: the fault is the host's own, whatever the guest makes of it.
    let fault = bench
        .fault(&component, bench.grant(), "one_by_one", "1 GET /")
        .await;
    assert_eq!(fault.kind(), Kind::VendorUnavailable);
    assert!(
        !fault.public().starts_with("The vendor is not available:"),
        "{}",
        fault.public()
    );
    assert_eq!(bench.sandbox.live_instances(), 0);
}

/// A guest learns the kind of its credential, the scopes and the account's configuration, and
/// nothing of the host.
#[tokio::test]
pub async fn snoop() {
    let bench = Bench::new();
    let component = bench.load("snoop").await;
    let mut grant = bench.grant();
    grant.credential_kind = valetkey_manifest::AuthKind::Oauth2;
    grant.scopes = Arc::new(["contacts.read".to_owned()]);
    grant.account_config = Arc::new(BTreeMap::from([("subdomain".to_owned(), "acme".to_owned())]));
    let log = Arc::clone(&grant.log);
    let answer = bench
        .call(&component, grant, "run", "{}")
        .await
        .expect("an answer");
    let answer: Value = serde_json::from_str(&answer.data).expect("JSON");
    assert_eq!(answer["found"], serde_json::json!([]));
    assert_eq!(answer["kind"], "oauth2");
    assert_eq!(answer["scopes"], serde_json::json!(["contacts.read"]));
    assert_eq!(answer["subdomain"], "acme");
    assert_eq!(answer["ext"], 0);
    assert_eq!(answer["random"], true);
    assert!(answer["remaining_ms"].as_u64().is_some_and(|left| left <= 10_000));
    assert_eq!(log.take(), (Vec::new(), 0), "what it prints goes nowhere");
}

fn assert_is(fault: &Fault, kind: Kind, reason: &str) {
    assert_eq!(
        (fault.kind(), fault.reason_code()),
        (kind, Some(reason)),
        "{fault:?}"
    );
}

fn body(fault: &Fault) -> String {
    serde_json::to_string(&fault.body(None)).expect("JSON")
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: usize = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .expect("pages");
    pages * 4096
}
