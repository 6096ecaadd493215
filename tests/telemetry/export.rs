//! Exporting: flushed at the end, never in a call's way.

use std::time::Duration;

use http::Method;
use serde_json::json;
use tokio::net::TcpListener;

use valetkey_tests::http::Client;
use valetkey_tests::program::Place;

use crate::collector::Collector;
use crate::rig::{PARENT, Rig, TRACE, sampled};

const WARNING: &str = "traces cannot be exported";

#[tokio::test]
async fn end_of_the_host_sends_what_is_left() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rig.call("hubspot_whoami", "ada", json!({})).await.expect(200);
    assert!(rig.collector.spans().is_empty(), "a batch is not sent at once");
    let (_world, collector) = rig.end().await;
    collector.one("execute_tool hubspot_whoami");
}

#[tokio::test]
async fn collector_that_is_down_costs_no_call_and_one_warning_a_minute() {
    let nobody = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = nobody.local_addr().expect("an address");
    drop(nobody);
    let endpoint = format!("http://{address}");
    let rig = Rig::start_with(|config| config.telemetry.otlp_endpoint = Some(endpoint)).await;
    rig.world.connect("hubspot", "ada").await;
    let warnings = || rig.log.text().matches(WARNING).count();
    for _ in 0..2 {
        rig.call("hubspot_whoami", "ada", json!({})).await.expect(200);
        // Repeats the export a few times before it gives the batch up.
        rig.flush().await;
    }
    assert_eq!(warnings(), 1, "{}", rig.log.text());
    rig.clock.advance(Duration::from_secs(61));
    rig.call("hubspot_whoami", "ada", json!({})).await.expect(200);
    rig.flush().await;
    assert_eq!(warnings(), 2, "{}", rig.log.text());
    rig.end().await;
}

#[tokio::test]
async fn collector_that_refuses_is_reported_with_its_status() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rig.collector.answer(401);
    rig.call("hubspot_whoami", "ada", json!({})).await.expect(200);
    rig.flush().await;
    let log = rig.log.text();
    assert!(log.contains(WARNING) && log.contains("401"), "{log}");
    rig.end().await;
}

#[tokio::test]
async fn program_takes_the_standard_variables_and_exports_before_it_ends() {
    let collector = Collector::start().await;
    let place = Place::new();
    let made = place.run(&["init", "--data-dir", "data", "--json"]).await.json();
    let serving = place
        .serve_with(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=collector%20key"),
            ("OTEL_SERVICE_NAME", "keys"),
        ])
        .await;
    let http = Client::default();
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        text("client_id"),
        text("client_secret")
    );
    let token = http
        .post_form(&format!("{}/oauth/token", serving.base_url), &form)
        .await
        .expect(200);
    let bearer = format!("Bearer {}", token["access_token"].as_str().expect("a token"));
    let traceparent = sampled();
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("traceparent", traceparent.as_str()),
    ];
    let body = json!({"tool_name": "no_such_tool", "identifier": "ada"}).to_string();
    let url = format!("{}/api/v1/execute_tool", serving.base_url);
    http.send(Method::POST, &url, &headers, body).await.expect(404);
    serving.stop().await;

    let call = collector.one("execute_tool");
    assert_eq!((call.trace.as_str(), call.parent.as_str()), (TRACE, PARENT));
    assert_eq!(call.resource["service.name"], "keys");
    let key = collector.requests()[0].headers["x-api-key"].clone();
    assert_eq!(key, "collector key");

    // And it does not show the key.
    let checked = place
        .run_with(
            &["config", "check"],
            &[("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=collector%20key")],
        )
        .await;
    assert!(
        checked
            .out
            .contains("otlp_headers = \"(hidden)\"  # environment OTEL_EXPORTER_OTLP_HEADERS"),
        "{}",
        checked.out
    );
    assert!(!checked.out.contains("collector%20key"));
}
