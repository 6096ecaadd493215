//! Calling tools over REST.

use http::Method;
use serde_json::{Value, json};

use valetkey_tests::TestHost;
use valetkey_tests::http::Answer;

use crate::edge::{Vendor, host_with, link, operations};

const TOKEN: &str = "pat-na1-canary-canary-canary-0123456789";

async fn connected(vendor: &Vendor) -> TestHost {
    let host = host_with(vendor).await;
    let link = link(&host, "user-1").await;
    let done = host.http.post_form(&link, &format!("token={TOKEN}")).await;
    assert_eq!(done.status, 200, "{}", done.text());
    host
}

async fn create(host: &TestHost, key: &str, email: &str) -> Answer {
    let body = json!({
        "tool_name": "hubspot_contact_create", "identifier": "user-1",
        "params": {"properties": {"email": email}},
    });
    host.api_with(
        Method::POST,
        "/api/v1/execute_tool",
        &[("idempotency-key", key)],
        body,
    )
    .await
}

#[tokio::test]
async fn the_same_key_answers_the_first_outcome_and_calls_once() {
    let vendor = Vendor::start().await;
    let host = connected(&vendor).await;
    let first = create(&host, "key-1", "ada@example.com").await;
    let data = first.expect(200)["data"].clone();
    assert_eq!(
        first.header("x-execution-id"),
        first.json()["execution_id"].as_str().unwrap_or_default()
    );
    let again = create(&host, "key-1", "ada@example.com").await.expect(200);
    assert_eq!((vendor.creations(), &again["data"]), (1, &data));
    let other = create(&host, "key-1", "bob@example.com").await.expect(409);
    assert_eq!(other["error"]["kind"], "idempotency_conflict");
    assert_eq!(vendor.creations(), 1);
    drop(create(&host, "key-2", "ada@example.com").await.expect(200));
    assert_eq!(vendor.creations(), 2);
    for key in ["", "with space", &"k".repeat(256)] {
        let refused = create(&host, key, "ada@example.com").await.expect(400);
        assert_eq!(refused["error"]["fields"][0]["path"], "Idempotency-Key");
    }
}

#[tokio::test]
async fn an_error_of_a_call_names_its_execution_and_the_record_has_it() {
    let vendor = Vendor::start().await;
    let host = connected(&vendor).await;
    let answer = host.call("hubspot_contact_creat", "user-1", json!({})).await;
    assert_eq!(answer.status, 404);
    let error = answer.json()["error"].clone();
    assert_eq!(error["kind"], "unknown_tool");
    let id = error["execution_id"].as_str().expect("an id");
    assert_eq!(answer.header("x-execution-id"), id);
    let record = host
        .api(Method::GET, &format!("/api/v1/executions/{id}"), Value::Null)
        .await
        .expect(200);
    assert_eq!(record["outcome"], "unknown_tool");
    let invalid = host
        .call("hubspot_contact_create", "user-1", json!({"properties": 3}))
        .await;
    assert_eq!(invalid.status, 400);
    assert!(invalid.json()["error"]["fields"].is_array(), "{}", invalid.text());
    let stranger = host
        .call(
            "hubspot_contact_create",
            "user-2",
            json!({"properties": {"email": "a@b.c"}}),
        )
        .await;
    assert_eq!(
        (
            stranger.status.as_u16(),
            stranger.json()["error"]["kind"].as_str()
        ),
        (404, Some("account_not_found"))
    );
}

#[tokio::test]
async fn no_operation_answers_a_secret_to_the_superuser() {
    let vendor = Vendor::start().await;
    let host = connected(&vendor).await;
    let mut connection = vendor.connection("oauth");
    connection["auth"] = json!("oauth2");
    connection["oauth"] = json!({"client_id": "app", "client_secret": "canary-client-secret-0123456789"});
    connection["oauth"]["authorize_url"] = json!(format!("{}/authorize", vendor.base_url));
    connection["oauth"]["token_url"] = json!(format!("{}/token", vendor.base_url));
    let made = host.api(Method::POST, "/api/v1/connections", connection).await;
    assert_eq!(made.status, 201, "{}", made.text());
    // The vendor repeats the credential that it was sent in its answer.
    let called = create(&host, "key", "ada@example.com").await;
    assert_eq!(called.status, 200, "{}", called.text());
    let accounts = host
        .api(Method::GET, "/api/v1/connected_accounts", Value::Null)
        .await
        .expect(200);
    let id = accounts["items"][0]["id"].as_str().expect("an account");

    let mut answers = vec![made, called];
    for operation in operations() {
        if operation.method != Method::GET {
            continue;
        }
        for name in ["hubspot", "oauth", "hubspot_contact_create"] {
            let path = operation
                .path
                .replace("ca_00000000000000000000000000000000", id)
                .replace("nothing", name);
            answers.push(host.api(Method::GET, &path, Value::Null).await);
            let scoped = format!("{path}?identifier=user-1&query=contact");
            answers.push(host.api(Method::GET, &scoped, Value::Null).await);
        }
    }
    for answer in answers {
        let text = format!("{:?} {}", answer.headers, answer.text());
        for canary in [
            TOKEN,
            "canary-client-secret-0123456789",
            host.client_secret.as_str(),
        ] {
            assert!(!text.contains(canary), "{text}");
        }
    }
}
