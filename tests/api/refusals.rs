//! What the edge refuses before any of it reaches the core, each in the one shape.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use valetkey_tests::TestHost;
use valetkey_tests::http::Answer;

use crate::edge::Caller;

fn assert_shape(answer: &Answer, status: u16, kind: &str, reason: Option<&str>) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    let error = &answer.json()["error"];
    assert_eq!(error["kind"], kind, "{error}");
    assert_eq!(error["reason"].as_str(), reason, "{error}");
    assert!(!error["message"].as_str().expect("a message").is_empty());
    assert!(
        error["side"].is_string() && error["retryable"].is_boolean(),
        "{error}"
    );
    assert_guarded(answer);
}

/// The headers that every answer has.
pub fn assert_guarded(answer: &Answer) {
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(
        policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.headers.get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn what_is_not_there_or_not_ours_is_refused_in_the_one_shape() {
    let host = TestHost::start().await;
    let get = async |path: &str, headers: &[(&str, &str)]| {
        let url = format!("{}{path}", host.base_url);
        host.http.send(Method::GET, &url, headers, Bytes::new()).await
    };
    assert_shape(
        &get("/nowhere", &[]).await,
        404,
        "not_found",
        Some("no_such_route"),
    );
    assert_shape(
        &get("/API/v1/tools", &[]).await,
        404,
        "not_found",
        Some("no_such_route"),
    );
    for path in [
        "/api//v1/tools",
        "/api/v1/tools/",
        "/api/v1/%74ools",
        "/api/v1/tools/a%2fb",
        "/api/v1/;x/tools",
    ] {
        assert_shape(
            &get(path, &[]).await,
            400,
            "invalid_input",
            Some("path_not_canonical"),
        );
    }
    let other = host.api(Method::PUT, "/api/v1/tools", Value::Null).await;
    assert_shape(&other, 405, "invalid_input", Some("method_not_allowed"));
    assert!(other.header("allow").contains("GET"), "{:?}", other.headers);

    let rebound = get("/api/v1/tools", &[("host", "evil.example")]).await;
    assert_shape(&rebound, 421, "policy_denied", Some("host_not_allowed"));
    let rebound = get("/connect/ticket", &[("host", "evil.example:80")]).await;
    assert_shape(&rebound, 421, "policy_denied", Some("host_not_allowed"));
    assert_eq!(get("/healthz", &[("host", "10.0.0.7:8470")]).await.status, 200);
    assert_guarded(&get("/openapi.json", &[]).await);
}

#[tokio::test]
async fn hostile_and_misspelt_bodies_are_refused_with_the_place() {
    let host = TestHost::start_with(|config| config.server.max_component_bytes = 1000).await;
    let caller = Caller::superuser(&host, "dev").await;
    let bearer = format!("Bearer {}", caller.token);
    let post = async |path: &str, media: &str, body: String| {
        let headers = [("authorization", bearer.as_str()), ("content-type", media)];
        host.http
            .send(Method::POST, &format!("{}{path}", host.base_url), &headers, body)
            .await
    };
    let call = "/api/v1/execute_tool";
    let json_type = "application/json";
    let deep = format!(
        r#"{{"tool_name":"x","params":{{"a":{}{}}}}}"#,
        "[".repeat(70),
        "]".repeat(70)
    );
    assert_shape(
        &post(call, json_type, deep).await,
        400,
        "invalid_input",
        Some("json_too_complex"),
    );
    let wide = format!(
        r#"{{"tool_name":"x","params":{{"a":[{}1]}}}}"#,
        "1,".repeat(20_000)
    );
    assert_shape(
        &post(call, json_type, wide).await,
        400,
        "invalid_input",
        Some("json_too_complex"),
    );
    let large = format!(r#"{{"tool_name":"{}"}}"#, "x".repeat(1024 * 1024));
    assert_shape(
        &post(call, json_type, large).await,
        413,
        "invalid_input",
        Some("body_too_large"),
    );
    let upload = post("/api/v1/connectors", "application/wasm", "x".repeat(1001)).await;
    assert_shape(&upload, 413, "invalid_input", Some("body_too_large"));
    let text = post(call, "text/plain", "{}".to_owned()).await;
    assert_shape(&text, 415, "invalid_input", Some("media_type"));
    assert_shape(
        &post(call, json_type, "{".to_owned()).await,
        400,
        "invalid_input",
        None,
    );

    let field = |answer: &Answer| answer.json()["error"]["fields"][0].clone();
    let misspelt = post(call, json_type, json!({"tool_nam": "x"}).to_string()).await;
    assert_eq!(field(&misspelt)["path"], "/tool_nam");
    let problem = field(&misspelt)["problem"].to_string();
    assert!(problem.contains("did you mean `tool_name`?"), "{problem}");
    let wrong = post(
        call,
        json_type,
        json!({"tool_name": "x", "deadline_ms": 10_000_000}).to_string(),
    )
    .await;
    assert_eq!(field(&wrong)["path"], "/deadline_ms");
    let wrong = post(
        call,
        json_type,
        json!({"tool_name": "x", "identifier": ""}).to_string(),
    )
    .await;
    assert_eq!(field(&wrong)["path"], "/identifier");
    let query = caller.get("/api/v1/tools?limt=3").await;
    assert_eq!(field(&query)["path"], "/limt");
    assert!(
        field(&query)["problem"]
            .to_string()
            .contains("did you mean `limit`?")
    );
    for query in ["limit=0", "limit=201", "limit=x"] {
        let answer = caller.get(&format!("/api/v1/tools?{query}")).await;
        assert_eq!(field(&answer)["path"], "/limit", "{query}");
    }
    let patch = host.api(Method::PATCH, "/api/v1/connections/x", json!({})).await;
    assert_eq!(
        patch.status,
        400,
        "leaving pinned_version out does not unpin: {}",
        patch.text()
    );
}

#[tokio::test]
async fn a_head_larger_than_the_limit_ends_the_connection() {
    let host = TestHost::start().await;
    let address = host.base_url.strip_prefix("http://").expect("http");
    #[allow(clippy::disallowed_methods, reason = "the test writes its bytes itself")]
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n",
        "a".repeat(100 * 1024)
    );
    // The host may have closed before it was all sent.
    drop(stream.write_all(head.as_bytes()).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
}
