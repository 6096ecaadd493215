//! "Slow down", said and declared: kept by waiting within the deadline, else failed at once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use valetkey::config;
use valetkey::egress::Reach;
use valetkey::error::{Kind, Retry};
use valetkey_manifest::{Budget, BudgetScope, Throttle};

use crate::vendor::{Act, Vendor, answer, ok};
use crate::world::{egress, get, limited, post, reach, refused, settings};

const RULES: [&str; 2] = ["GET api:/{*}", "POST api:/{*}"];

fn budget(scope: BudgetScope, requests: u32, per_seconds: f64) -> Budget {
    Budget {
        scope,
        requests,
        per_seconds,
        path_prefix: None,
        path_suffix: None,
    }
}

fn within(reach: Reach, time: Duration) -> Reach {
    Reach {
        deadline: Instant::now() + time,
        ..reach
    }
}

/// Answers "slow down" with these headers `times` times, then well.
async fn slow(times: usize, status: &'static str, headers: &'static str, body: &'static str) -> Vendor {
    Vendor::start(move |number, _| {
        if number <= times {
            answer(status, headers, body)
        } else {
            ok("{}")
        }
    })
    .await
}

#[tokio::test]
async fn a_429_is_waited_out_even_for_a_write_and_repeated() {
    for (status, headers) in [
        ("429 Too Many", "retry-after: 0.05\r\n"),
        ("429 Too Many", "retry-after: 0\r\n"),
        ("429 Too Many", "retry-after: -5\r\n"),
        ("429 Too Many", "retry-after: Sat, 21 Nov 2020 12:00:30 GMT\r\n"),
        (
            "429 Too Many",
            "x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 0.05\r\n",
        ),
        ("503 Unavailable", "retry-after: 0.05\r\n"),
    ] {
        let vendor = slow(2, status, headers, "").await;
        let reach = reach(&vendor.url(), &RULES);
        let answer = egress(&settings()).send(&reach, post("/x", "{}")).await.unwrap();
        assert_eq!((answer.status.as_u16(), vendor.count()), (200, 3), "{headers}");
        assert_eq!(reach.meter.retries.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_or_the_cap_fails_at_once_and_says_when() {
    for (headers, seconds) in [
        ("retry-after: 30\r\n", 30),
        ("retry-after: 1e9\r\n", 86_400),
        ("retry-after: 18446744073709551616\r\n", 86_400),
        ("retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n", 86_400),
        ("retry-after: 5\r\nretry-after: 40\r\n", 40),
    ] {
        let vendor = slow(9, "429 Too Many", headers, "").await;
        let egress = egress(&settings());
        let reach = within(reach(&vendor.url(), &RULES), Duration::from_secs(10));
        let fault = refused(egress.send(&reach, get("/x")).await, Kind::RateLimited, "vendor");
        assert_eq!(
            fault.retry_advice(),
            Retry::After(Duration::from_secs(seconds)),
            "{headers}"
        );
        assert_eq!(fault.vendor_error().unwrap().status, Some(429));
        // The pause is remembered: the next call does not even ask.
        refused(egress.send(&reach, get("/x")).await, Kind::RateLimited, "vendor");
        assert_eq!(vendor.count(), 1);
        assert_eq!(reach.meter.waits.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn a_pause_is_kept_by_the_account_that_was_told_and_by_no_other() {
    let vendor = Vendor::start(|number, _| match number {
        1 => answer("429 Too Many", "retry-after: 30\r\n", ""),
        _ => ok("{}"),
    })
    .await;
    let egress = egress(&settings());
    let first = within(reach(&vendor.url(), &RULES), Duration::from_secs(5));
    let second = Reach {
        account_key: "ca_2".into(),
        ..first.clone()
    };
    refused(egress.send(&first, get("/x")).await, Kind::RateLimited, "vendor");
    assert_eq!(egress.send(&second, get("/x")).await.unwrap().status, 200);
    refused(egress.send(&first, get("/x")).await, Kind::RateLimited, "vendor");
    assert_eq!(vendor.count(), 2);
}

#[tokio::test]
async fn a_vendor_that_is_down_for_maintenance_pauses_the_whole_connection() {
    let vendor = slow(1, "503 Unavailable", "retry-after: 30\r\n", "").await;
    let egress = egress(&settings());
    let first = within(reach(&vendor.url(), &RULES), Duration::from_secs(5));
    let second = Reach {
        account_key: "ca_2".into(),
        ..first.clone()
    };
    refused(egress.send(&first, get("/x")).await, Kind::RateLimited, "vendor");
    refused(egress.send(&second, get("/x")).await, Kind::RateLimited, "vendor");
    assert_eq!(vendor.count(), 1);
}

#[tokio::test]
async fn a_declared_throttle_counts_although_its_status_is_an_ordinary_one() {
    let body = r#"{"error":{"errors":[{"reason":"userRateLimitExceeded"}]}}"#;
    let vendor = slow(1, "403 Forbidden", "", body).await;
    let throttle = Throttle {
        status: 403,
        pointer: Some("/error/errors/0/reason".into()),
        values: vec!["userRateLimitExceeded".into()],
        wait_ms: Some(30),
    };
    let reach = limited(reach(&vendor.url(), &RULES), &[], &[throttle]);
    assert_eq!(
        egress(&settings()).send(&reach, get("/x")).await.unwrap().status,
        200
    );
    assert_eq!((vendor.count(), reach.meter.waits.load(Ordering::SeqCst)), (2, 1));

    let other = slow(
        1,
        "403 Forbidden",
        "",
        r#"{"error":{"errors":[{"reason":"forbidden"}]}}"#,
    )
    .await;
    let reach = Reach {
        vendor: reach.vendor,
        ..crate::world::reach(&other.url(), &RULES)
    };
    assert_eq!(
        egress(&settings()).send(&reach, get("/x")).await.unwrap().status,
        403
    );
}

#[tokio::test]
async fn an_empty_window_in_the_headers_holds_back_the_next_request() {
    let vendor = Vendor::start(|number, _| match number {
        1 => answer(
            "200 OK",
            "x-hubspot-ratelimit-remaining: 0\r\nx-hubspot-ratelimit-interval-milliseconds: 500\r\n",
            "{}",
        ),
        _ => ok("{}"),
    })
    .await;
    let egress = egress(&settings());
    let reach = reach(&vendor.url(), &RULES);
    egress.send(&reach, get("/x")).await.unwrap();
    assert_eq!(reach.meter.waits.load(Ordering::SeqCst), 0);
    egress.send(&reach, get("/x")).await.unwrap();
    assert_eq!(reach.meter.waits.load(Ordering::SeqCst), 1);
    assert_eq!(vendor.count(), 2);
}

#[tokio::test]
async fn a_declared_budget_is_kept_by_waiting_and_no_call_fails() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&settings());
    let reach = limited(
        reach(&vendor.url(), &RULES),
        &[budget(BudgetScope::Account, 5, 0.1)],
        &[],
    );
    let began = Instant::now();
    for outcome in join_all((0..20).map(|_| egress.send(&reach, get("/x")))).await {
        assert_eq!(outcome.unwrap().status, 200);
    }
    // Twenty at five per tenth of a second: never within less than three tenths.
    assert!(
        began.elapsed() >= Duration::from_millis(290),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(vendor.count(), 20);
    assert_eq!(reach.meter.waits.load(Ordering::SeqCst), 15);
}

#[tokio::test]
async fn a_budget_without_room_before_the_deadline_says_when_to_come_back() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&settings());
    let reach = limited(
        reach(&vendor.url(), &RULES),
        &[budget(BudgetScope::Connection, 2, 60.0)],
        &[],
    );
    let reach = within(reach, Duration::from_secs(5));
    egress.send(&reach, get("/x")).await.unwrap();
    egress.send(&reach, get("/x")).await.unwrap();
    let other = Reach {
        account_key: "ca_2".into(),
        ..reach.clone()
    };
    let fault = refused(egress.send(&other, get("/x")).await, Kind::RateLimited, "budget");
    let Retry::After(wait) = fault.retry_advice() else {
        panic!("{fault:?}")
    };
    assert!(
        wait > Duration::from_secs(50) && wait <= Duration::from_secs(60),
        "{wait:?}"
    );
    assert_eq!(vendor.count(), 2);
}

#[tokio::test]
async fn one_accounts_flood_does_not_hold_back_another_account() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&settings());
    let busy = limited(
        reach(&vendor.url(), &RULES),
        &[budget(BudgetScope::Connection, 1, 0.01)],
        &[],
    );
    let quiet = Reach {
        account_key: "ca_2".into(),
        ..busy.clone()
    };
    egress.send(&busy, get("/busy")).await.unwrap();
    let flood = join_all((0..40).map(|_| egress.send(&busy, get("/busy"))));
    let one = egress.send(&quiet, get("/quiet"));
    // Polled in this order: the whole flood queues before the quiet account asks.
    let (flood, one) = tokio::join!(flood, one);
    assert!(one.is_ok() && flood.iter().all(Result::is_ok));
    let seen = vendor.seen();
    let place = seen.iter().position(|seen| seen.target() == "/quiet").unwrap();
    assert!(place <= 4, "the quiet account's request was number {place}");
}

#[tokio::test]
async fn a_budget_on_part_of_the_paths_leaves_the_others_alone() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&settings());
    let search = Budget {
        path_suffix: Some("/search".into()),
        ..budget(BudgetScope::Account, 1, 60.0)
    };
    let reach = within(
        limited(reach(&vendor.url(), &RULES), &[search], &[]),
        Duration::from_secs(5),
    );
    egress.send(&reach, post("/contacts/search", "{}")).await.unwrap();
    for _ in 0..5 {
        egress.send(&reach, get("/contacts/1")).await.unwrap();
    }
    refused(
        egress.send(&reach, post("/contacts/search", "{}")).await,
        Kind::RateLimited,
        "budget",
    );
}

#[tokio::test]
async fn a_vendor_that_always_says_slow_down_is_not_asked_for_ever() {
    let vendor = Vendor::start(|_, _| answer("429 Too Many", "retry-after: 0\r\n", "")).await;
    let reach = reach(&vendor.url(), &RULES);
    let egress = egress(&config::Egress {
        attempts: 3,
        ..settings()
    });
    refused(egress.send(&reach, get("/x")).await, Kind::RateLimited, "vendor");
    assert!(vendor.count() <= 8, "{}", vendor.count());
}

#[tokio::test]
async fn a_slow_vendor_is_left_at_the_deadline() {
    let vendor = Vendor::start(|_, _| Act::Stall(Vec::new())).await;
    let reach = within(reach(&vendor.url(), &RULES), Duration::from_millis(150));
    let began = Instant::now();
    refused(
        egress(&settings()).send(&reach, get("/x")).await,
        Kind::VendorTimeout,
        "timeout",
    );
    assert!(began.elapsed() >= Duration::from_millis(150));
    // The connection is closed, so that nothing goes on working for nobody.
    vendor.ended().await;
}
