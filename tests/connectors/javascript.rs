//! A connector in JavaScript in a whole host: installed, configured and called like any other.

use axum::Json;
use axum::routing::post;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use valetkey_tests::{TestHost, artifacts};

#[tokio::test]
async fn a_connector_in_javascript_is_installed_and_called_over_rest() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let things = post(|headers: HeaderMap, Json(body): Json<Value>| async move {
        let agent = headers["user-agent"].to_str().unwrap_or_default().to_owned();
        (
            StatusCode::CREATED,
            Json(json!({"made": body["name"], "agent": agent})),
        )
    });
    let vendor = axum::Router::new().route("/things", things);
    let vendor = tokio::spawn(async move { axum::serve(listener, vendor).await });

    // A compiler without optimisation takes its time over a language runtime.
    let host = TestHost::start_with(|config| config.sandbox.compile_seconds = 300).await;
    let installed = host.install(artifacts::guest("js")).await;
    assert!(installed.status.is_success(), "{}", installed.text());
    let connection = json!({
        "connection_name": "things", "connector": "js", "development": true, "endpoints": {"api": url},
    });
    drop(
        host.api(Method::POST, "/api/v1/connections", connection)
            .await
            .expect(201),
    );
    let account = json!({"connection_name": "things", "identifier": "ada"});
    drop(
        host.api(Method::POST, "/api/v1/connected_accounts", account)
            .await
            .expect(200),
    );

    let answer = host
        .call("js_send", "ada", json!({"name": "lamp"}))
        .await
        .expect(200);
    assert_eq!(answer["data"]["status"], 201);
    let echoed: Value =
        serde_json::from_str(answer["data"]["echoed"].as_str().expect("a text")).expect("JSON");
    assert_eq!(echoed["made"], "lamp");
    assert!(
        echoed["agent"]
            .as_str()
            .is_some_and(|agent| agent.starts_with("valetkey/"))
    );
    let refused = host.call("js_send", "ada", json!({"name": 7})).await.expect(400);
    assert_eq!(refused["error"]["kind"], "invalid_input");
    vendor.abort();
}
