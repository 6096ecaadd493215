//! A call over MCP hangs below the agent's span and belongs to its run, as a call over REST does: the
//! protocol works in tasks of its own, and none of them may lose either.

use http::Method;
use serde_json::{Value, json};

use valetkey_tests::http::Answer;

use crate::rig::{PARENT, Rig, TRACE, sampled};

const WHOAMI: &str = "execute_tool hubspot_whoami";
/// A trace that a request's headers tell of, beside or instead of its message.
const OF_HEADERS: &str = "cccccccccccccccccccccccccccccccc";

/// A session of `ada`: its URL and token.
struct Session {
    url: String,
    token: String,
}

impl Session {
    async fn of(rig: &Rig) -> Self {
        let path = "/api/v1/connections/hubspot/sessions";
        let minted = rig
            .world
            .host
            .api(Method::POST, path, json!({"identifier": "ada"}))
            .await
            .expect(201);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Self {
            url: text(&minted["session"]["url"]),
            token: text(&minted["token"]),
        }
    }

    /// Calls a tool in a revision, with more headers and members of `_meta`.
    async fn call(&self, rig: &Rig, revision: &str, more: &[(&str, &str)], meta: Value) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", revision),
            ("mcp-method", "tools/call"),
            ("mcp-name", "hubspot_whoami"),
            ("authorization", bearer.as_str()),
        ];
        headers.extend_from_slice(more);
        let mut said = json!({
            "io.modelcontextprotocol/protocolVersion": revision,
            "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        if let (Some(said), Value::Object(meta)) = (said.as_object_mut(), meta) {
            said.extend(meta);
        }
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                          "params": {"name": "hubspot_whoami", "arguments": {}, "_meta": said}});
        let host = &rig.world.host;
        host.http
            .send(Method::POST, &self.url, &headers, body.to_string())
            .await
    }
}

#[tokio::test]
async fn call_over_mcp_joins_the_trace_that_its_message_or_else_its_request_tells_of() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    let session = Session::of(&rig).await;
    let of_headers = format!("00-{OF_HEADERS}-{PARENT}-01");
    let headers = [("traceparent", of_headers.as_str())];
    for revision in ["2025-11-25", "2026-07-28"] {
        for (headers, meta, trace) in [
            (&[][..], json!({"traceparent": sampled()}), TRACE),
            (&headers[..], json!({}), OF_HEADERS),
            (&headers[..], json!({"traceparent": sampled()}), TRACE),
            (&headers[..], json!({"traceparent": "yesterday"}), OF_HEADERS),
        ] {
            let answer = session.call(&rig, revision, headers, meta.clone()).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            rig.flush().await;
            let call = rig.collector.one(WHOAMI);
            assert_eq!(
                (call.trace.as_str(), call.parent.as_str()),
                (trace, PARENT),
                "{revision} {meta}"
            );
            let spans = rig.collector.spans();
            assert!(spans.len() > 2, "the way down to the vendor: {spans:#?}");
            assert!(spans.iter().all(|span| span.trace == trace), "{spans:#?}");
            rig.collector.clear();
        }
        session.call(&rig, revision, &[], json!({})).await.expect(200);
        rig.flush().await;
        let call = rig.collector.one(WHOAMI);
        assert_eq!(call.parent, "", "none begins a trace");
        rig.collector.clear();
    }
    rig.end().await;
}

#[tokio::test]
async fn calls_over_mcp_are_recorded_under_the_run_that_their_headers_name() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    let session = Session::of(&rig).await;
    let named = [("x-valetkey-agent-run-id", "run-7")];
    session
        .call(&rig, "2025-11-25", &named, json!({}))
        .await
        .expect(200);
    rig.flush().await;
    assert_eq!(rig.collector.one(WHOAMI).get("valetkey.agent_run_id"), "run-7");
    let path = "/api/v1/executions?limit=1";
    let recorded = rig
        .world
        .host
        .api(Method::GET, path, Value::Null)
        .await
        .expect(200);
    assert_eq!(recorded["items"][0]["agent_run_id"], "run-7", "{recorded}");

    // Two names, or one that is none, are a mistake to be told of and not passed over.
    let long = "x".repeat(256);
    for wrong in [
        &[("x-valetkey-agent-run-id", "")][..],
        &[("x-valetkey-agent-run-id", long.as_str())],
        &[
            ("x-valetkey-agent-run-id", "one"),
            ("x-valetkey-agent-run-id", "two"),
        ],
    ] {
        let refused = session
            .call(&rig, "2025-11-25", wrong, json!({}))
            .await
            .expect(400);
        assert_eq!(refused["error"]["kind"], "invalid_input", "{refused}");
        assert_eq!(refused["error"]["fields"][0]["path"], "X-Valetkey-Agent-Run-Id");
    }
    rig.end().await;
}
