//! Vendors that are slow or flood cost only their own calls.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use valetkey::config;
use valetkey::egress::Reach;

use crate::vendor::{Act, Vendor, ok};
use crate::world::{egress, get, reach, settings};

const RULES: [&str; 1] = ["GET api:/{*}"];

#[tokio::test]
async fn slow_and_flooding_vendors_cost_only_their_own_calls() {
    let stalled = Vendor::start(|_, _| Act::Stall(Vec::new())).await;
    let trickle =
        Vendor::start(|_, _| Act::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec())).await;
    let flood = Vendor::start(|_, _| {
        let chunk = [b"4000\r\n".as_slice(), &[b'x'; 0x4000], b"\r\n"].concat();
        Act::Endless(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(),
            chunk,
        )
    })
    .await;
    let healthy = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&config::Egress {
        max_response_bytes: 1024 * 1024,
        ..settings()
    });

    let mut bad = tokio::task::JoinSet::new();
    for vendor in [&stalled, &trickle, &flood] {
        for _ in 0..50 {
            let egress = egress.clone();
            let reach = Reach {
                deadline: Instant::now() + Duration::from_secs(3),
                ..reach(&vendor.url(), &RULES)
            };
            bad.spawn(async move { egress.send(&reach, get("/x")).await });
        }
    }
    stalled.arrived().await;
    let reach = reach(&healthy.url(), &RULES);
    for _ in 0..20 {
        for outcome in join_all((0..10).map(|_| egress.send(&reach, get("/x")))).await {
            assert_eq!(outcome.unwrap().status, 200);
        }
    }
    // The healthy calls went through while the others were still stuck.
    assert!(bad.len() >= 100);
    while let Some(outcome) = bad.join_next().await {
        assert!(outcome.unwrap().is_err());
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_closes_its_connection() {
    let vendor = Vendor::start(|_, _| Act::Stall(Vec::new())).await;
    let egress = egress(&settings());
    let reach = reach(&vendor.url(), &RULES);
    let call = tokio::spawn({
        let egress = egress.clone();
        async move { egress.send(&reach, get("/x")).await }
    });
    vendor.arrived().await;
    call.abort();
    vendor.ended().await;
}
