//! The host's spans hang where they belong in the caller's trace.

use http::{HeaderMap, Method};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::{Value, json};

use valetkey::trace::{self, Parent};
use valetkey_vendors::{Fault, Side};

use crate::rig::{PARENT, Rig, TRACE, sampled};

const SEARCH: &str = "POST /hubspot/crm/v3/objects/contacts/search";

#[tokio::test]
async fn call_with_an_expired_token_shows_the_refresh_and_both_requests_in_the_callers_trace() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rig.world.vendors.expire_access_tokens();
    let answer = rig
        .call("hubspot_contacts_search", "ada", json!({"limit": 1}))
        .await
        .expect(200);
    rig.flush().await;

    let call = rig.collector.one("execute_tool hubspot_contacts_search");
    assert_eq!((call.trace.as_str(), call.parent.as_str()), (TRACE, PARENT));
    assert_eq!(call.kind, SpanKind::Server);
    assert!(!call.failed);
    for (attribute, value) in [
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", "hubspot_contacts_search"),
        ("gen_ai.tool.type", "extension"),
        ("valetkey.connector.id", "hubspot"),
        ("valetkey.connection.name", "hubspot"),
        ("valetkey.environment", "dev"),
        ("valetkey.agent_run_id", "run-7"),
        ("valetkey.outcome", "ok"),
        (
            "valetkey.execution.id",
            answer["execution_id"].as_str().expect("an id"),
        ),
    ] {
        assert_eq!(call.get(attribute), value, "{attribute}");
    }
    assert!(!call.get("valetkey.connector.version").is_empty());
    assert!(call.get("valetkey.account.id").starts_with("ca_"));
    assert_eq!(call.resource["service.name"], "valetkey");

    let walk = rig.collector.one("page walk");
    assert_eq!(walk.parent, call.id);
    assert_eq!(walk.get("valetkey.pages"), "1");
    let sandbox = rig.collector.one("sandbox call");
    assert_eq!(sandbox.parent, walk.id);

    let requests = rig.collector.named(SEARCH);
    let port = rig.world.vendors.base_url.rsplit(':').next().expect("a port");
    for (request, (status, resend_count)) in requests.iter().zip([("401", "0"), ("200", "1")]) {
        assert_eq!(request.parent, sandbox.id);
        assert_eq!(request.kind, SpanKind::Client);
        assert_eq!(request.get("http.response.status_code"), status);
        assert_eq!(request.get("http.request.resend_count"), resend_count);
        assert_eq!(request.get("http.request.method"), "POST");
        assert_eq!(request.get("server.address"), "127.0.0.1");
        assert_eq!(request.get("server.port"), port);
        assert_eq!(
            request.get("url.template"),
            "/hubspot/crm/v3/objects/contacts/search"
        );
        assert_eq!(request.failed, status == "401");
    }
    assert_eq!(requests.len(), 2);

    let refresh = rig.collector.one("refresh");
    assert_eq!(refresh.parent, sandbox.id);
    assert_eq!(refresh.get("valetkey.refresh.why"), "rejected");
    let token = rig.collector.one("token request");
    assert_eq!(token.parent, refresh.id);
    assert_eq!(token.get("http.response.status_code"), "200");

    let all = rig.collector.spans();
    assert_eq!(all.len(), 7, "{all:#?}");
    assert!(all.iter().all(|span| span.trace == TRACE), "{all:#?}");
    rig.end().await;
}

#[tokio::test]
async fn failed_call_says_its_kind_and_the_vendors_status() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rig.world.vendors.fail(Fault::status(Side::Api, 9, 403));
    let error = rig
        .call("hubspot_contacts_search", "ada", json!({"limit": 1}))
        .await;
    let error = error.json()["error"].clone();
    rig.flush().await;
    let call = rig.collector.one("execute_tool hubspot_contacts_search");
    assert!(call.failed);
    assert_eq!(
        call.get("valetkey.outcome"),
        error["kind"].as_str().expect("a kind")
    );
    assert_eq!(call.get("error.type"), call.get("valetkey.outcome"));
    assert_eq!(rig.collector.one(SEARCH).get("error.type"), "403");
    assert!(rig.collector.one("sandbox call").failed);
    rig.end().await;
}

#[tokio::test]
async fn callers_do_not_choose_the_names_of_spans() {
    let rig = Rig::start().await;
    let tool = "no_such_tool_4711";
    rig.call(tool, "ada", json!({})).await.expect(404);
    rig.flush().await;
    let call = rig.collector.one("execute_tool");
    assert_eq!(call.get("valetkey.outcome"), "unknown_tool");
    assert!(call.failed);
    rig.end().await;
}

#[tokio::test]
async fn malformed_context_is_ignored_and_the_call_begins_a_trace() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    for malformed in [
        "",
        "yesterday",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    ] {
        rig.call_within(malformed, "hubspot_whoami", "ada", json!({}))
            .await
            .expect(200);
        rig.flush().await;
        let call = rig.collector.one("execute_tool hubspot_whoami");
        assert_eq!(call.parent, "", "{malformed:?}");
        assert_ne!(call.trace, TRACE, "{malformed:?}");
        rig.collector.clear();
    }
    // Two are none: which is meant, nobody knows.
    let two = [("traceparent", sampled()), ("traceparent", sampled())];
    let two: Vec<(&str, &str)> = two.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = json!({"tool_name": "hubspot_whoami", "identifier": "ada"});
    rig.world
        .host
        .api_with(Method::POST, "/api/v1/execute_tool", &two, body)
        .await
        .expect(200);
    rig.flush().await;
    assert_ne!(rig.collector.one("execute_tool hubspot_whoami").trace, TRACE);
    rig.end().await;
}

#[tokio::test]
async fn nothing_is_exported_of_a_trace_that_the_caller_does_not_sample() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rig.world.vendors.expire_access_tokens();
    let unsampled = sampled().replace("-01", "-00");
    rig.call_within(&unsampled, "hubspot_whoami", "ada", json!({}))
        .await
        .expect(200);
    let (_world, collector) = rig.end().await;
    assert!(collector.spans().is_empty(), "{:#?}", collector.spans());
}

#[tokio::test]
async fn callers_sampling_goes_over_our_share() {
    let rig = Rig::start_with(|config| config.telemetry.sample_one_in = 1_000_000).await;
    rig.connect("ada").await;
    rig.world
        .host
        .call("hubspot_whoami", "ada", json!({}))
        .await
        .expect(200);
    rig.call("hubspot_whoami", "ada", json!({})).await.expect(200);
    rig.flush().await;
    // A millionth of the traces that begin here, and the one that the caller samples.
    assert_eq!(rig.collector.one("execute_tool hubspot_whoami").trace, TRACE);
    rig.end().await;
}

#[tokio::test]
async fn vendors_learn_the_trace_only_when_the_operator_says_so() {
    for (send_traceparent, expected) in [(false, false), (true, true)] {
        let rig = Rig::start_with(|config| config.egress.send_traceparent = send_traceparent).await;
        rig.connect("ada").await;
        rig.world.vendors.log().clear();
        rig.call("hubspot_whoami", "ada", json!({})).await.expect(200);
        rig.flush().await;
        let request = rig.collector.spans().into_iter();
        let request = request
            .rev()
            .find(|span| span.kind == SpanKind::Client)
            .expect("a request");
        let asked = rig.world.vendors.log().of(Side::Api).remove(0);
        let wanted = format!("00-{TRACE}-{}-01", request.id);
        assert_eq!(asked.header("traceparent"), expected.then_some(wanted.as_str()));
        assert_eq!(asked.header("tracestate"), None);
        rig.end().await;
    }
}

/// What the doors that do not keep a request's headers around their work do in one line.
#[tokio::test]
async fn parent_comes_from_headers_or_from_the_meta_of_mcp() {
    let rig = Rig::start().await;
    let meta = json!({"traceparent": sampled(), "progressToken": 1});
    let meta = meta.as_object().expect("an object");
    let mut headers = HeaderMap::new();
    headers.insert(
        "traceparent",
        format!("00-{}-{PARENT}-01", "c".repeat(32))
            .parse()
            .expect("a value"),
    );
    let work = async |execution_id: &str| {
        drop(trace::call(&trace::Call {
            tool: "x",
            is_known: true,
            execution_id,
            environment: "dev",
            agent_run_id: None,
        }));
    };
    Parent::of_headers(&headers).scope(work("headers")).await;
    Parent::of_meta(meta).scope(work("meta")).await;
    // The nearest goes first.
    let both = Parent::of_meta(meta).or(Parent::of_headers(&headers));
    both.scope(work("both")).await;
    let broken = json!({"traceparent": 7});
    let broken = Parent::of_meta(broken.as_object().expect("an object"));
    broken
        .or(Parent::of_headers(&headers))
        .scope(work("broken"))
        .await;
    rig.flush().await;
    let trace_of = |execution: &str| {
        let mut spans = rig.collector.named("execute_tool x").into_iter();
        let span = spans.find(|span| span.get("valetkey.execution.id") == execution);
        span.expect("a span").trace
    };
    assert_eq!(trace_of("headers"), "c".repeat(32));
    assert_eq!(trace_of("meta"), TRACE);
    assert_eq!(trace_of("both"), TRACE);
    assert_eq!(trace_of("broken"), "c".repeat(32));
    rig.end().await;
}

#[tokio::test]
async fn call_without_context_begins_a_trace_of_its_own() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rig.world
        .host
        .api(
            Method::POST,
            "/api/v1/execute_tool",
            json!({"tool_name": "hubspot_whoami", "identifier": "ada", "params": Value::Object(Default::default())}),
        )
        .await
        .expect(200);
    rig.flush().await;
    let call = rig.collector.one("execute_tool hubspot_whoami");
    assert_eq!(call.parent, "");
    assert_eq!(call.get("valetkey.agent_run_id"), "");
    let spans = rig.collector.spans();
    assert!(spans.iter().all(|span| span.trace == call.trace), "{spans:#?}");
    rig.end().await;
}
