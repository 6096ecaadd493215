//! Calls beside one another: cancelled ones leave nothing behind, greedy ones cost the others
//! little, more than fit wait or are told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use valetkey::config;
use valetkey::error::Kind;

use crate::bench::Bench;
use crate::vendor::Vendor;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_cancelled_calls_leave_nothing_behind() {
    let bench = Arc::new(Bench::new());
    let component = bench.load("send").await;
    let vendor = Vendor::silent().await;
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..50_u32 {
        let (bench, component, url) = (Arc::clone(&bench), Arc::clone(&component), vendor.url.clone());
        callers.spawn(async move {
            for turn in 0..100_u32 {
                // From "before the first poll" to "while the vendor keeps the request".
                let patience = Duration::from_micros(u64::from((caller * 7_919 + turn * 104_729) % 3_000));
                let call = bench.call(&component, bench.reaching(&url), "one_by_one", "1 GET /");
                let ended = tokio::time::timeout(patience, call).await;
                assert!(ended.is_err(), "a silent vendor gives no result");
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.expect("no cancelled call panics");
    }
    assert_eq!(bench.sandbox.live_instances(), 0);
    assert!(vendor.requests() > 0, "some calls got as far as the vendor");
    // The connections of cancelled requests end as the runtime comes round to them.
    let settled = async {
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > tasks + 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), settled)
        .await
        .expect("no task is left of the cancelled calls");
    let component = bench.load("echo").await;
    bench
        .call(&component, bench.grant(), "run", "{}")
        .await
        .expect("the sandbox still serves");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_computing_guests_leave_the_others_served() {
    let bench = Arc::new(Bench::new());
    let (spin, echo) = (bench.load("spin").await, bench.load("echo").await);
    let mut loopers = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (bench, spin) = (Arc::clone(&bench), Arc::clone(&spin));
        loopers.spawn(async move {
            let mut grant = bench.grant();
            grant.reach.deadline = Instant::now() + Duration::from_secs(4);
            bench.fault(&spin, grant, "call", "{}").await.kind()
        });
    }
    // Behind forty loopers, each with a slice of its own, a hundred calls would take 20 s.
    let short = tokio::spawn({
        let (bench, echo) = (Arc::clone(&bench), Arc::clone(&echo));
        async move {
            for _ in 0..100 {
                bench
                    .call(&echo, bench.grant(), "run", "{}")
                    .await
                    .expect("a short call is served");
            }
        }
    });
    short.await.expect("no panic");
    assert!(bench.sandbox.live_instances() > 0, "the loopers are still at it");
    while let Some(kind) = loopers.join_next().await {
        assert_eq!(kind.expect("no panic"), Kind::ConnectorLimit);
    }
}

#[tokio::test]
async fn more_calls_than_instances_wait_and_then_are_told() {
    let bench = Arc::new(Bench::with(config::Sandbox {
        max_instances: 4,
        ..config::Sandbox::default()
    }));
    let (send, echo) = (bench.load("send").await, bench.load("echo").await);
    let vendor = Vendor::silent().await;
    let mut held = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let (bench, send, grant) = (Arc::clone(&bench), Arc::clone(&send), bench.reaching(&vendor.url));
        held.spawn(async move { bench.call(&send, grant, "one_by_one", "1 GET /").await.is_ok() });
    }
    vendor.has_seen(3).await;
    assert_eq!(bench.sandbox.live_instances(), 3);
    let mut grant = bench.grant();
    grant.reach.deadline = Instant::now() + Duration::from_millis(50);
    let fault = bench.fault(&echo, grant, "run", "{}").await;
    assert_eq!(fault.kind(), Kind::Overloaded);

    let waiting = tokio::spawn({
        let (bench, echo) = (Arc::clone(&bench), Arc::clone(&echo));
        async move {
            bench
                .call(&echo, bench.grant(), "run", "{}")
                .await
                .map(|output| output.data)
        }
    });
    held.abort_all();
    assert_eq!(waiting.await.expect("no panic").expect("a place came free"), "{}");
}

/// What one environment's call leaves or holds, no other environment's call of the same component
/// finds: not in memory, not by any name that it may ask for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub async fn trespass() {
    let bench = Arc::new(Bench::with(config::Sandbox {
        max_instances: 8,
        ..config::Sandbox::default()
    }));
    let component = bench.load("trespass").await;
    let (ours, theirs) = (Vendor::answering().await, Vendor::answering().await);
    let urls = [ours.url.clone(), theirs.url.clone()];
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..16 {
        let (bench, component, urls) = (Arc::clone(&bench), Arc::clone(&component), urls.clone());
        callers.spawn(async move {
            for turn in 0..63 {
                let who = (caller + turn) % 2;
                let (own, other) = [("a", "b"), ("b", "a")][who];
                let mut grant = bench.reaching(&urls[who]);
                grant.reach.account_key = format!("{own}/account").into();
                grant.scopes = Arc::new([format!("mark-of-{own}-scope")]);
                grant.account_config = Arc::new(BTreeMap::from([(
                    "site".to_owned(),
                    format!("mark-of-{own}-site"),
                )]));
                let log = Arc::clone(&grant.log);
                let input = format!(
                    "{{\"mark\":\"mark-of-{own}\",\"tries\":[\"{}\",\"{other}/account\"]}}",
                    urls[1 - who]
                );
                let answer = bench
                    .call(&component, grant, "run", &input)
                    .await
                    .expect("an answer");
                assert!(
                    answer.data.contains(&format!("mark-of-{own}-site")),
                    "{}",
                    answer.data
                );
                assert!(answer.data.contains("egress_denied"), "{}", answer.data);
                assert!(
                    !answer.data.contains(&format!("mark-of-{other}")),
                    "{}",
                    answer.data
                );
                let (lines, _) = log.take();
                assert!(lines.iter().all(|line| line.message == format!("mark-of-{own}")));
                assert_eq!(lines.len(), 1);
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.expect("nobody found another's");
    }
    // What each was asked came from its own: `/mine`, the headers that are headers like any other, and a name that
    // is no URL, which is one relative to the own endpoint.
    assert_eq!(ours.requests() + theirs.requests(), 16 * 63 * 4);
}
