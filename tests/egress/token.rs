//! Requests to authorization servers: what is claimed about a failure is certain.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tokio::net::TcpListener;
use valetkey::egress::{TokenAnswer, TokenRequest, TokenTransportError};

use crate::vendor::{Act, Vendor, answer, ok};
use crate::world::{egress, settings};

async fn ask(url: &str, development: bool) -> Result<TokenAnswer, TokenTransportError> {
    let mut headers = HeaderMap::new();
    headers.insert(
        "content-type",
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    egress(&settings())
        .token_request(TokenRequest {
            url: url.to_owned(),
            headers,
            body: "grant_type=refresh_token".into(),
            development,
            max_response_bytes: 1_000,
            timeout: Duration::from_millis(500),
        })
        .await
}

#[tokio::test]
async fn an_answer_is_handed_on_whatever_its_status() {
    let vendor = Vendor::start(|_, _| {
        answer(
            "400 Bad Request",
            "Content-Type: Application/JSON\r\nretry-after: 3\r\n",
            "{\"error\":\"invalid_grant\"}",
        )
    })
    .await;
    let found = ask(&format!("{}/token?tenant=1", vendor.url()), true)
        .await
        .unwrap();
    assert_eq!(found.status, 400);
    assert_eq!(found.content_type.as_deref(), Some("application/json"));
    assert_eq!(found.retry_after, Some(Duration::from_secs(3)));
    assert_eq!(found.body, "{\"error\":\"invalid_grant\"}");
    assert!(!format!("{found:?}").contains("invalid_grant"));
    let seen = &vendor.seen()[0];
    assert!(seen.head.starts_with("POST /token?tenant=1 HTTP/1.1"));
    assert_eq!(seen.body, b"grant_type=refresh_token");
}

#[tokio::test]
async fn what_may_not_be_contacted_is_refused() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    for (url, development) in [
        (format!("{}/token", vendor.url()), false),
        (format!("https://localhost:{}/token", vendor.port), false),
        (format!("https://127.0.0.1:{}/token", vendor.port), false),
        (format!("http://user:pass@127.0.0.1:{}/token", vendor.port), true),
        (format!("http://127.0.0.1:{}/token#x", vendor.port), true),
        (format!("http://127.0.0.1:{}/a/../token", vendor.port), true),
        ("http://10.0.0.1/token".to_owned(), true),
        ("nonsense".to_owned(), true),
    ] {
        let outcome = ask(&url, development).await;
        assert!(matches!(outcome, Err(TokenTransportError::Refused(_))), "{url}");
    }
    assert_eq!(vendor.accepted(), 0);
}

#[tokio::test]
async fn a_request_is_not_sent_only_when_nobody_can_have_received_it() {
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let outcome = ask(&format!("http://127.0.0.1:{port}/token"), true).await;
    assert!(matches!(outcome, Err(TokenTransportError::NotSent(_))));

    let plain = Vendor::start(|_, _| ok("{}")).await;
    let outcome = ask(&format!("https://127.0.0.1:{}/token", plain.port), true).await;
    assert!(
        matches!(outcome, Err(TokenTransportError::NotSent(_))),
        "no TLS, no request"
    );
    assert_eq!(plain.count(), 0);
}

#[tokio::test]
async fn a_request_without_a_whole_answer_has_an_unknown_outcome() {
    for lose in [
        (|| Act::Last(Vec::new())) as fn() -> Act,
        || Act::Stall(Vec::new()),
        || Act::Last(b"garbage\r\n\r\n".to_vec()),
        || Act::Last(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}".to_vec()),
        || Act::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}".to_vec()),
        || answer("200 OK", "", "x".repeat(2_000)),
        || answer("200 OK", "content-encoding: gzip\r\n", "x"),
    ] {
        let vendor = Vendor::start(move |_, _| lose()).await;
        let outcome = ask(&format!("{}/token", vendor.url()), true).await;
        assert!(matches!(outcome, Err(TokenTransportError::OutcomeUnknown(_))));
        assert_eq!(vendor.count(), 1);
    }
}

#[tokio::test]
async fn every_token_request_has_a_connection_of_its_own() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&settings());
    for _ in 0..3 {
        let request = TokenRequest {
            url: format!("{}/token", vendor.url()),
            headers: HeaderMap::new(),
            body: "x=1".into(),
            development: true,
            max_response_bytes: 1_000,
            timeout: Duration::from_secs(5),
        };
        egress.token_request(request).await.unwrap();
    }
    assert_eq!((vendor.count(), vendor.accepted()), (3, 3));
}
