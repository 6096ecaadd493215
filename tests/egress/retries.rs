//! What is repeated, how often, and what is never repeated.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::Instant;
use valetkey::config;
use valetkey::egress::{self, Reach};
use valetkey::error::Kind;
use valetkey_manifest::Refusal;

use crate::vendor::{Act, Vendor, answer, ok};
use crate::world::{Account, egress, get, post, reach, refused, request, settings};

const RULES: [&str; 5] = [
    "GET api:/{*}",
    "POST api:/{*}",
    "PUT api:/{*}",
    "PATCH api:/{*}",
    "DELETE api:/{*}",
];

fn patient() -> config::Egress {
    config::Egress {
        first_byte_ms: 60,
        attempts: 3,
        ..settings()
    }
}

#[tokio::test]
async fn a_rejected_credential_is_renewed_once_and_the_request_repeated() {
    let vendor = Vendor::start(|_, seen| {
        let fresh = seen.header("authorization")[0].ends_with("-2");
        if fresh {
            ok(&seen.body)
        } else {
            answer("401 Unauthorized", "", "")
        }
    })
    .await;
    let account = Account::bearer();
    let reach = Reach {
        credentials: account.clone(),
        ..reach(&vendor.url(), &RULES)
    };
    let egress = egress(&settings());
    // A 401 means that the request was not carried out: writes are repeated as well.
    let seen = egress.send(&reach, post("/x", "{\"a\":1}")).await.unwrap();
    assert_eq!(
        (seen.status.as_u16(), &seen.body[..]),
        (200, b"{\"a\":1}".as_slice())
    );
    assert_eq!((vendor.count(), account.renewals.load(Ordering::SeqCst)), (2, 1));
    assert_eq!(reach.meter.renewals.load(Ordering::SeqCst), 1);
    assert_eq!(egress.send(&reach, get("/x")).await.unwrap().status, 200);
    assert_eq!((vendor.count(), account.renewals.load(Ordering::SeqCst)), (3, 1));
}

#[tokio::test]
async fn a_second_401_is_the_answer() {
    let vendor = Vendor::start(|_, _| answer("401 Unauthorized", "", "{\"no\":1}")).await;
    let account = Account::bearer();
    let reach = Reach {
        credentials: account.clone(),
        ..reach(&vendor.url(), &RULES)
    };
    let seen = egress(&settings()).send(&reach, get("/x")).await.unwrap();
    assert_eq!((seen.status.as_u16(), vendor.count()), (401, 2));
    assert_eq!(account.renewals.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_declared_as_a_refusal_is_treated_as_a_401_and_others_are_not() {
    let expired = r#"{"ok":false,"error":"token_expired"}"#;
    let vendor = Vendor::start(move |_, seen| match seen.target() {
        "/later" => ok(r#"{"ok":false,"error":"channel_not_found"}"#),
        "/never" => ok(expired),
        _ if seen.header("authorization")[0].ends_with("-2") => ok(&seen.body),
        _ => ok(expired),
    })
    .await;
    let account = Account::bearer();
    let plain = reach(&vendor.url(), &RULES);
    let refusal = Refusal {
        status: 200,
        pointer: "/error".to_owned(),
        values: vec!["token_expired".to_owned()],
    };
    let reach = Reach {
        credentials: account.clone(),
        vendor: Arc::new(egress::Vendor {
            refusals: Arc::new([refusal]),
            ..(*plain.vendor).clone()
        }),
        ..plain.clone()
    };
    let egress = egress(&settings());
    // A write, too: the vendor did not carry it out.
    let seen = egress.send(&reach, post("/x", r#"{"a":1}"#)).await.unwrap();
    assert_eq!(&seen.body[..], br#"{"a":1}"#);
    assert_eq!((vendor.count(), account.renewals.load(Ordering::SeqCst)), (2, 1));
    // Another error of the same shape is the guest's to read.
    let seen = egress.send(&reach, get("/later")).await.unwrap();
    assert!(String::from_utf8_lossy(&seen.body).contains("channel_not_found"));
    assert_eq!((vendor.count(), account.renewals.load(Ordering::SeqCst)), (3, 1));
    // Refused again after the renewal, it is the answer.
    let seen = egress.send(&reach, get("/never")).await.unwrap();
    assert_eq!(&seen.body[..], expired.as_bytes());
    assert_eq!((vendor.count(), account.renewals.load(Ordering::SeqCst)), (5, 2));
    // Where nothing is declared, it is an answer like any other.
    egress.send(&plain, get("/never")).await.unwrap();
    assert_eq!(vendor.count(), 6);
}

#[tokio::test]
async fn an_endpoint_without_a_credential_gets_none_and_renews_none() {
    let vendor = Vendor::start(|_, _| answer("401 Unauthorized", "", "")).await;
    let account = Account::bearer();
    let mut reach = Reach {
        credentials: account.clone(),
        ..reach(&vendor.url(), &RULES)
    };
    let mut endpoints = (*reach.endpoints).clone();
    endpoints.get_mut("api").unwrap().credential = false;
    reach.endpoints = Arc::new(endpoints);
    assert_eq!(
        egress(&settings()).send(&reach, get("/x")).await.unwrap().status,
        401
    );
    assert!(vendor.seen()[0].header("authorization").is_empty());
    assert_eq!(
        account.asked.load(Ordering::SeqCst) + account.renewals.load(Ordering::SeqCst),
        0
    );
}

#[tokio::test]
async fn an_unanswered_write_is_ambiguous_and_never_repeated() {
    for lose in [
        (|| Act::Last(Vec::new())) as fn() -> Act,
        || Act::Stall(Vec::new()),
        || Act::Last(b"HTTP/1.1 200".to_vec()),
        || Act::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}".to_vec()),
    ] {
        for method in ["POST", "PATCH"] {
            let vendor = Vendor::start(move |_, _| lose()).await;
            let egress = egress(&config::Egress {
                idle_body_ms: 60,
                ..patient()
            });
            let reach = reach(&vendor.url(), &RULES);
            let outcome = egress.send(&reach, request(method, "/x")).await;
            let fault = outcome.unwrap_err();
            assert_eq!(fault.kind(), Kind::AmbiguousOutcome, "{fault:?}");
            assert!(fault.public().contains("may have taken effect"));
            assert_eq!(vendor.count(), 1);
            assert_eq!(reach.meter.writes_sent.load(Ordering::SeqCst), 1);
        }
    }
}

#[tokio::test]
async fn what_may_be_repeated_is_repeated() {
    let flaky = || {
        Vendor::start(|number, _| {
            if number < 3 {
                Act::Last(Vec::new())
            } else {
                ok("{}")
            }
        })
    };
    for method in ["GET", "PUT", "DELETE"] {
        let vendor = flaky().await;
        let reach = reach(&vendor.url(), &RULES);
        assert_eq!(
            egress(&patient())
                .send(&reach, request(method, "/x"))
                .await
                .unwrap()
                .status,
            200
        );
        assert_eq!(
            (vendor.count(), reach.meter.retries.load(Ordering::SeqCst)),
            (3, 2)
        );
    }
    for (read_only, idempotent) in [(true, false), (false, true)] {
        let vendor = flaky().await;
        let reach = Reach {
            read_only,
            idempotent,
            ..reach(&vendor.url(), &RULES)
        };
        assert_eq!(
            egress(&patient())
                .send(&reach, post("/x", "{}"))
                .await
                .unwrap()
                .status,
            200
        );
        assert_eq!(
            reach.meter.writes_sent.load(Ordering::SeqCst),
            if read_only { 0 } else { 3 }
        );
    }
}

#[tokio::test]
async fn a_request_that_was_never_sent_is_no_ambiguous_write() {
    // A port that nobody listens on.
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let reach = reach(&format!("http://127.0.0.1:{port}"), &RULES);
    let outcome = egress(&patient()).send(&reach, post("/x", "{}")).await;
    refused(outcome, Kind::VendorUnavailable, "unreachable");
    assert_eq!(reach.meter.writes_sent.load(Ordering::SeqCst), 0);
    assert_eq!(reach.meter.requests.load(Ordering::SeqCst), 0);
    assert_eq!(reach.meter.retries.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_write_on_a_connection_that_closed_meanwhile_is_sent_on_a_new_one() {
    let vendor = Vendor::start(|_, _| {
        // Promises to keep the connection and closes it.
        Act::Last(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec())
    })
    .await;
    let egress = egress(&settings());
    let reach = reach(&vendor.url(), &RULES);
    for sent in 1..=5 {
        assert_eq!(egress.send(&reach, post("/x", "{}")).await.unwrap().status, 200);
        vendor.ended().await;
        // Lets the close arrive before the next write.
        tokio::task::yield_now().await;
        assert_eq!(vendor.count(), sent);
    }
}

#[tokio::test]
async fn a_gateways_error_is_tried_again_for_reads_and_is_an_answer_for_writes() {
    for status in ["502 Bad Gateway", "503 Unavailable", "504 Timeout"] {
        let vendor = Vendor::start(move |number, _| {
            if number == 1 {
                answer(status, "", "")
            } else {
                ok("{}")
            }
        })
        .await;
        let egress = egress(&patient());
        assert_eq!(
            egress
                .send(&reach(&vendor.url(), &RULES), get("/x"))
                .await
                .unwrap()
                .status,
            200
        );
        let vendor = Vendor::start(move |_, _| answer(status, "", "")).await;
        let answer = egress
            .send(&reach(&vendor.url(), &RULES), post("/x", "{}"))
            .await
            .unwrap();
        assert_eq!((answer.status.as_str(), vendor.count()), (&status[..3], 1));
    }
    let vendor = Vendor::start(|_, _| answer("500 Oops", "", "{}")).await;
    assert_eq!(
        egress(&patient())
            .send(&reach(&vendor.url(), &RULES), get("/x"))
            .await
            .unwrap()
            .status,
        500
    );
    assert_eq!(vendor.count(), 1);
}

#[tokio::test]
async fn a_vendor_that_is_down_sees_few_repetitions() {
    let vendor = Vendor::start(|_, _| Act::Last(Vec::new())).await;
    let egress = egress(&config::Egress {
        attempts: 3,
        // The breaker would end it sooner.
        breaker_failures: 0,
        ..settings()
    });
    let reach = reach(&vendor.url(), &RULES);
    const CALLS: usize = 300;
    for _ in 0..CALLS / 50 {
        let calls = (0..50).map(|_| egress.send(&reach, get("/x")));
        for outcome in futures_util::future::join_all(calls).await {
            assert_eq!(outcome.unwrap_err().kind(), Kind::VendorUnavailable);
        }
    }
    // A tenth more, and the ten that a quiet connection has saved up.
    assert!(vendor.count() <= CALLS + CALLS / 10 + 10, "{}", vendor.count());
    assert!(vendor.count() > CALLS);
}

#[tokio::test]
async fn no_attempt_begins_after_the_deadline() {
    let vendor = Vendor::start(|_, _| Act::Last(Vec::new())).await;
    let reach = Reach {
        deadline: Instant::now() + Duration::from_millis(1),
        ..reach(&vendor.url(), &RULES)
    };
    assert!(egress(&patient()).send(&reach, get("/x")).await.is_err());
    assert!(vendor.count() <= 2);
}
