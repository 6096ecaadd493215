//! A vendor that is down is left alone for a moment, and found again by one request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::time::Instant;
use valetkey::clock::Clock;
use valetkey::config;
use valetkey::egress::{Egress, Reach};
use valetkey::error::{Fault, Kind, Retry};

use crate::vendor::{Act, Vendor, answer, ok};
use crate::world::{Account, Names, egress_on, get, post, reach, refused, settings};

const RULES: [&str; 2] = ["GET api:/{*}", "POST api:/{*}"];
const PAUSE: Duration = Duration::from_millis(4_001);

/// A vendor with a switch.
async fn flapping(down: fn() -> Act) -> (Vendor, Arc<AtomicBool>) {
    let up = Arc::new(AtomicBool::new(false));
    let switch = up.clone();
    let vendor = Vendor::start(move |_, _| {
        if switch.load(Ordering::SeqCst) {
            ok("{}")
        } else {
            down()
        }
    })
    .await;
    (vendor, up)
}

fn breaking(clock: &Clock) -> Arc<Egress> {
    let settings = config::Egress {
        attempts: 1,
        breaker_failures: 5,
        first_byte_ms: 60,
        ..settings()
    };
    egress_on(&settings, clock, Names::local())
}

fn assert_is_open(outcome: Result<valetkey::egress::GuestResponse, Fault>) {
    let fault = refused(outcome, Kind::VendorUnavailable, "breaker");
    let Retry::After(wait) = fault.retry_advice() else {
        panic!("{fault:?}")
    };
    assert!(wait <= Duration::from_secs(4), "{wait:?}");
    assert!(fault.public().contains("nothing was sent"), "{}", fault.public());
}

#[tokio::test]
async fn a_vendor_that_is_down_is_left_alone_and_found_again_by_one_probe() {
    for down in [
        (|| Act::Last(Vec::new())) as fn() -> Act,
        || Act::Stall(Vec::new()),
        || answer("500 Oops", "", "{}"),
        || answer("503 Unavailable", "", "{}"),
    ] {
        let clock = Clock::system();
        let (vendor, up) = flapping(down).await;
        let egress = breaking(&clock);
        let account = Account::bearer();
        let reach = Reach {
            credentials: account.clone(),
            ..reach(&vendor.url(), &RULES)
        };
        for flap in 0..3 {
            let (before, asked) = (vendor.count(), account.asked.load(Ordering::SeqCst));
            for _ in 0..5 {
                let outcome = egress.send(&reach, get("/x")).await;
                assert!(outcome.is_err() || outcome.is_ok_and(|answer| answer.status.as_u16() >= 500));
            }
            for outcome in join_all((0..50).map(|_| egress.send(&reach, get("/x")))).await {
                assert_is_open(outcome);
            }
            assert_eq!(vendor.count() - before, 5, "flap {flap}: nothing is sent to it");
            assert_eq!(
                account.asked.load(Ordering::SeqCst) - asked,
                5,
                "and no credential asked for"
            );

            // Still down after the pause: one of many finds out.
            clock.advance(PAUSE);
            for outcome in join_all((0..20).map(|_| egress.send(&reach, get("/x")))).await {
                assert!(outcome.is_err() || outcome.is_ok_and(|answer| answer.status.as_u16() >= 500));
            }
            assert_eq!(vendor.count() - before, 6);

            up.store(true, Ordering::SeqCst);
            assert_is_open(egress.send(&reach, get("/x")).await);
            clock.advance(PAUSE);
            assert_eq!(egress.send(&reach, get("/x")).await.unwrap().status, 200);
            for outcome in join_all((0..20).map(|_| egress.send(&reach, get("/x")))).await {
                assert_eq!(outcome.unwrap().status, 200);
            }
            up.store(false, Ordering::SeqCst);
        }
        assert_eq!(account.renewals.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn a_vendor_that_nobody_reaches_opens_it_too() {
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let clock = Clock::system();
    let egress = breaking(&clock);
    let reach = reach(&format!("http://127.0.0.1:{port}"), &RULES);
    for _ in 0..5 {
        refused(
            egress.send(&reach, post("/x", "{}")).await,
            Kind::VendorUnavailable,
            "unreachable",
        );
    }
    assert_is_open(egress.send(&reach, post("/x", "{}")).await);
}

#[tokio::test]
async fn one_connections_trouble_is_no_others() {
    let clock = Clock::system();
    let (down, _) = flapping(|| Act::Last(Vec::new())).await;
    let (well, up) = flapping(|| Act::Last(Vec::new())).await;
    up.store(true, Ordering::SeqCst);
    let egress = breaking(&clock);
    let troubled = reach(&down.url(), &RULES);
    for _ in 0..5 {
        assert!(egress.send(&troubled, get("/x")).await.is_err());
    }
    assert_is_open(egress.send(&troubled, get("/x")).await);
    // The same connection's other origin, and the same origin in another environment.
    assert_eq!(
        egress
            .send(&reach(&well.url(), &RULES), get("/x"))
            .await
            .unwrap()
            .status,
        200
    );
    let mut elsewhere = reach(&down.url(), &RULES);
    elsewhere.vendor = Arc::new(valetkey::egress::Vendor {
        connection_key: "other/acme".into(),
        ..(*elsewhere.vendor).clone()
    });
    let before = down.count();
    assert!(egress.send(&elsewhere, get("/x")).await.is_err());
    assert_eq!(down.count(), before + 1, "it was asked");
}

#[tokio::test]
async fn refusals_and_requests_to_slow_down_never_open_it() {
    let clock = Clock::system();
    let egress = breaking(&clock);
    for status in [
        "400 Bad",
        "401 No",
        "403 No",
        "404 None",
        "409 Conflict",
        "422 No",
        "501 Never",
    ] {
        let vendor = Vendor::start(move |_, _| answer(status, "", "{}")).await;
        let reach = reach(&vendor.url(), &RULES);
        for _ in 0..20 {
            assert_eq!(
                egress.send(&reach, get("/x")).await.unwrap().status.as_str(),
                &status[..3]
            );
        }
    }
    let vendor = Vendor::start(|_, _| answer("503 Later", "retry-after: 0\r\n", "{}")).await;
    let reach = reach(&vendor.url(), &RULES);
    for _ in 0..3 {
        // Each asks until it is told that it was too often.
        refused(egress.send(&reach, get("/x")).await, Kind::RateLimited, "vendor");
    }
    assert!(vendor.count() > 5);
}

#[tokio::test]
async fn callers_who_are_in_a_hurry_do_not_open_it_for_the_others() {
    let clock = Clock::system();
    let vendor = Vendor::start(|_, seen| {
        if seen.target() == "/slow" {
            Act::Stall(Vec::new())
        } else {
            ok("{}")
        }
    })
    .await;
    let egress = breaking(&clock);
    for _ in 0..20 {
        let reach = Reach {
            deadline: Instant::now() + Duration::from_millis(5),
            ..reach(&vendor.url(), &RULES)
        };
        assert!(egress.send(&reach, get("/slow")).await.is_err());
    }
    assert_eq!(
        egress
            .send(&reach(&vendor.url(), &RULES), get("/x"))
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn a_call_that_is_dropped_as_the_probe_leaves_its_place_to_the_next() {
    let clock = Clock::system();
    let (vendor, up) = flapping(|| Act::Stall(Vec::new())).await;
    let egress = breaking(&clock);
    let reach = reach(&vendor.url(), &RULES);
    for _ in 0..5 {
        assert!(egress.send(&reach, get("/x")).await.is_err());
    }
    clock.advance(PAUSE);
    let before = vendor.count();
    let probe = tokio::spawn({
        let (egress, reach) = (egress.clone(), reach.clone());
        async move { egress.send(&reach, get("/x")).await }
    });
    while vendor.count() == before {
        vendor.arrived().await;
    }
    assert_is_open(egress.send(&reach, get("/x")).await);
    probe.abort();
    assert!(probe.await.is_err());
    up.store(true, Ordering::SeqCst);
    assert_eq!(egress.send(&reach, get("/x")).await.unwrap().status, 200);
}
