//! A caller's own mistakes do not come back: a secret in the wrong place of any operation is in no
//! answer.

use http::Method;
use serde_json::{Value, json};

use valetkey_tests::needles::Needles;

use crate::edge::{Vendor, host_with, operations, request};

const CANARY: &str = "canary-in-the-wrong-place-0123456789";

#[tokio::test]
async fn no_operation_repeats_a_secret_that_was_given_to_it_wrongly() {
    let vendor = Vendor::start().await;
    let host = host_with(&vendor).await;
    let mut secrets = Needles::default();
    secrets.add("the canary", CANARY.as_bytes());
    let bearer = format!("Bearer {}", host.token());
    let bodies = [
        json!({"client_secret": CANARY, "token": CANARY, "oauth": {"client_secret": CANARY}}),
        json!({"connection_name": "x", "connector": "hubspot", "auth": "oauth2", "development": true,
               "endpoints": {"api": vendor.base_url},
               "oauth": {"client_id": 7, "client_secret": [CANARY], "token_url": "https://a.example/t"}}),
        json!({"connection_name": "y", "connector": "hubspot", "auth": "oauth2", "development": true,
               "oauth": {"client_id": "app", "client_secret": CANARY, "authorize_url": "not a url",
                         "token_url": "https://a.example/t"}}),
        json!({"tool_name": "hubspot_contact_create", "identifier": "nobody",
               "params": {"access_token": CANARY, "properties": CANARY}}),
        json!({"identifier": {"token": CANARY}, "connection_name": [CANARY], "scopes": {"x": CANARY}}),
        json!(CANARY),
    ];
    let mut asked = 0;
    for operation in operations()
        .iter()
        .filter(|operation| operation.method != Method::GET)
    {
        let path = operation.path.replace("nothing", "hubspot");
        for body in &bodies {
            for path in [&operation.path, &path] {
                let answer = request(&host, &operation.method, path, Some(&bearer), body.clone()).await;
                let shown = format!("{:?} {}", answer.headers, answer.text());
                let found = secrets.found_in(shown.as_bytes());
                assert!(
                    found.is_empty(),
                    "{} {path} with {body}: {shown}",
                    operation.method
                );
                assert!(
                    answer.status.as_u16() < 500,
                    "{} {path} with {body}: {shown}",
                    operation.method
                );
                asked += 1;
            }
        }
    }
    assert!(asked > 100, "{asked} requests");

    // In the header, the query and a form, of any operation.
    for operation in operations() {
        let query = format!(
            "{}?client_secret={CANARY}&cursor={CANARY}&token={CANARY}",
            operation.path
        );
        let wrong = format!("Bearer {CANARY}");
        for (path, authorization) in [(&query, &bearer), (&operation.path, &wrong)] {
            let answer = request(&host, &operation.method, path, Some(authorization), Value::Null).await;
            let shown = format!("{:?} {}", answer.headers, answer.text());
            assert!(
                secrets.found_in(shown.as_bytes()).is_empty(),
                "{} {path}: {shown}",
                operation.method
            );
        }
    }
    for form in [
        format!(
            "grant_type=client_credentials&client_id={}&client_secret={CANARY}",
            host.client_id
        ),
        format!("grant_type={CANARY}&client_secret={CANARY}"),
        format!("client_secret={CANARY}&client_secret={CANARY}"),
    ] {
        let answer = host
            .http
            .post_form(&format!("{}/oauth/token", host.base_url), &form)
            .await;
        let shown = format!("{:?} {}", answer.headers, answer.text());
        assert!(
            !answer.status.is_success() && secrets.found_in(shown.as_bytes()).is_empty(),
            "{shown}"
        );
    }
}
