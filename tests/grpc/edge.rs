//! What a gRPC request meets before it reaches a method is gRPC too. Sent by a plain client, over
//! the protocol version that it has.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::json;
use valetkey_tests::TestHost;

const METHOD: &str = "/scalekit.v1.tools.ToolService/ExecuteTool";

async fn send(host: &TestHost, path: &str, headers: &[(&str, &str)]) -> HeaderMap {
    let mut all = vec![("content-type", "application/grpc"), ("te", "trailers")];
    all.extend_from_slice(headers);
    // An empty message, uncompressed.
    let message = Bytes::from_static(&[0, 0, 0, 0, 0]);
    let url = format!("{}{path}", host.base_url);
    let answer = host.http.send(Method::POST, &url, &all, message).await;
    assert_eq!(
        answer.status.as_u16(),
        200,
        "never a bare HTTP status: {}",
        answer.text()
    );
    assert_eq!(answer.header("content-type"), "application/grpc");
    answer.headers
}

/// The token of an MCP session, which opens that session's URL alone.
async fn session_bearer(host: &TestHost) -> String {
    let made = host
        .api(Method::POST, "/api/v1/mcp_servers", json!({"name": "everything"}))
        .await
        .expect(201);
    let path = format!(
        "/api/v1/mcp_servers/{}/sessions",
        made["id"].as_str().expect("an id")
    );
    let minted = host
        .api(Method::POST, &path, json!({"identifier": "ada"}))
        .await
        .expect(201);
    format!("Bearer {}", minted["token"].as_str().expect("a token"))
}

#[tokio::test]
async fn every_refusal_before_a_method_is_a_grpc_status() {
    let host = TestHost::start().await;
    let bearer = format!("Bearer {}", host.token());
    let good = ("authorization", bearer.as_str());
    let session = session_bearer(&host).await;
    for (path, headers, status) in [
        (METHOD, vec![], "16"),
        (METHOD, vec![("authorization", "Bearer nonsense")], "16"),
        (METHOD, vec![("authorization", "Basic bm9uc2Vuc2U6")], "16"),
        (METHOD, vec![("authorization", session.as_str())], "16"),
        (METHOD, vec![good, ("host", "evil.example")], "7"),
        ("/scalekit.v1.tools.ToolService/DeleteTool", vec![good], "12"),
        ("/scalekit.v1.unknown.Service/Method", vec![], "12"),
        ("/scalekit.v1.tools.ToolService/%45xecuteTool", vec![good], "3"),
        // The method itself: no tool has no name.
        (METHOD, vec![good], "5"),
    ] {
        let answer = send(&host, path, &headers).await;
        assert_eq!(answer["grpc-status"], status, "{path} {headers:?}");
        assert!(
            answer.contains_key("grpc-status-details-bin"),
            "{path} {headers:?}"
        );
    }
}

#[tokio::test]
async fn any_good_one_of_several_authorization_fields_is_enough() {
    let host = TestHost::start().await;
    let bearer = format!("Bearer {}", host.token());
    let good = ("authorization", bearer.as_str());
    let stale = ("authorization", "Bearer stale");
    for headers in [[good, stale], [stale, good]] {
        let answer = send(&host, METHOD, &headers).await;
        assert_eq!(answer["grpc-status"], "5", "past the door");
    }
    let answer = send(&host, METHOD, &[stale, stale]).await;
    assert_eq!(answer["grpc-status"], "16");
}

#[tokio::test]
async fn a_client_without_the_scope_is_refused_by_name() {
    let host = TestHost::start().await;
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=tools:read",
        host.client_id, host.client_secret
    );
    // Twice the slash, as programs join it.
    let token = host
        .http
        .post_form(&format!("{}//oauth/token", host.base_url), &form)
        .await
        .expect(200);
    let bearer = format!("Bearer {}", token["access_token"].as_str().expect("a token"));
    let answer = send(&host, METHOD, &[("authorization", &bearer)]).await;
    assert_eq!(answer["grpc-status"], "7");
    let message = answer["grpc-message"].to_str().expect("text");
    assert!(message.contains("tools:execute"), "{message}");
}

#[tokio::test]
async fn a_message_that_is_none_is_refused_and_the_host_goes_on() {
    let host = TestHost::start().await;
    let bearer = format!("Bearer {}", host.token());
    let headers = [
        ("content-type", "application/grpc"),
        ("authorization", bearer.as_str()),
    ];
    let url = format!("{}{METHOD}", host.base_url);
    for bytes in [
        &[][..],
        &[0, 0, 0],
        &[0, 0, 0, 0, 9, 1],
        &[1, 0, 0, 0, 1, 7],
        &[0, 0xff, 0xff, 0xff, 0xff],
        &[0, 0, 0, 0, 3, 0xff, 0xff, 0xff],
    ] {
        let answer = host
            .http
            .send(Method::POST, &url, &headers, Bytes::copy_from_slice(bytes))
            .await;
        assert_eq!(answer.status.as_u16(), 200, "{bytes:?}");
        assert_ne!(answer.header("grpc-status"), "0", "{bytes:?}");
    }
    let answer = send(&host, METHOD, &[("authorization", &bearer)]).await;
    assert_eq!(answer["grpc-status"], "5");
}
