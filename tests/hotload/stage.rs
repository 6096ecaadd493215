//! What the tests share: a host with a connection of the connector `stamp`, whose every version
//! answers its own number, and a vendor that holds requests until it is told to answer.

use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path as Segment, State};
use http::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use valetkey::config::Config;
use valetkey::manifest;
use valetkey_manifest::Manifest;
use valetkey_manifest::tool::{BodyFormat, Hints, Nested, Request};
use valetkey_tests::http::Answer;
use valetkey_tests::{TestHost, artifacts, guests};

/// What a version of `stamp` declares.
pub fn manifest(version: &str) -> Manifest {
    let mut manifest = guests::manifest("stamp");
    manifest.connector.version = version.to_owned();
    let tool = &mut manifest.tools[0];
    tool.hints = Hints {
        read_only: true,
        destructive: false,
        idempotent: true,
    };
    tool.input = json!({
        "type": "object",
        "properties": {"hold": {"type": "boolean", "description": "Wait for the vendor."}},
        "additionalProperties": false,
    });
    tool.allow = Vec::new();
    tool.request = Some(Request {
        endpoint: "api".to_owned(),
        method: "GET".to_owned(),
        path: format!("/v/{version}"),
        query: std::collections::BTreeMap::new(),
        query_join: None,
        nested: Nested::default(),
        headers: std::collections::BTreeMap::new(),
        body: None,
        body_format: BodyFormat::Json,
    });
    manifest
}

/// A version of `stamp`.
pub fn component(version: &str) -> Vec<u8> {
    component_of(&manifest(version))
}

pub fn component_of(manifest: &Manifest) -> Vec<u8> {
    manifest::embed(&artifacts::guest("stamp"), manifest).expect("a component")
}

/// A vendor that answers a held request only when it is let go.
pub struct Vendor {
    pub url: String,
    pub arrived: mpsc::UnboundedReceiver<String>,
    go: watch::Sender<bool>,
}

impl Vendor {
    async fn start() -> Self {
        let (arrive, arrived) = mpsc::unbounded_channel();
        let (go, wait) = watch::channel(false);
        let router = Router::new()
            .route("/v/{version}", axum::routing::get(hold))
            .with_state((arrive, wait));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, arrived, go }
    }

    /// Answers every held request.
    pub fn let_go(&self) {
        self.go.send_replace(true);
    }
}

async fn hold(
    Segment(version): Segment<String>,
    State((arrive, mut wait)): State<(mpsc::UnboundedSender<String>, watch::Receiver<bool>)>,
) -> &'static str {
    let _ = arrive.send(version);
    let _ = wait.wait_for(|go| *go).await;
    "{}"
}

/// A host with `stamp` 1.0.0, a connection and an account of `user_1` on it, and the vendor.
pub async fn stage() -> (TestHost, Vendor) {
    stage_with(|_| {}).await
}

pub async fn stage_with(change: impl FnOnce(&mut Config)) -> (TestHost, Vendor) {
    let vendor = Vendor::start().await;
    let host = TestHost::start_with(change).await;
    install(&host, "1.0.0").await;
    connect(&host, "stamp", &vendor.url).await;
    (host, vendor)
}

/// A connection of `stamp` with an account of `user_1`.
pub async fn connect(host: &TestHost, connection: &str, vendor_url: &str) {
    let body = json!({
        "connection_name": connection,
        "connector": "stamp",
        "development": true,
        "endpoints": {"api": vendor_url},
    });
    let made = host.api(Method::POST, "/api/v1/connections", body).await;
    assert!(made.status.is_success(), "{}", made.text());
    let body = json!({"connection_name": connection, "identifier": "user_1"});
    let made = host.api(Method::POST, "/api/v1/connected_accounts", body).await;
    assert!(made.status.is_success(), "{}", made.text());
}

pub async fn install(host: &TestHost, version: &str) -> Value {
    let installed = host.install(component(version)).await;
    installed.expect(200)
}

pub async fn activate(host: &TestHost, version: Option<&str>) -> Answer {
    let body = match version {
        Some(version) => json!({ "version": version }),
        None => json!({}),
    };
    host.api(Method::POST, "/api/v1/connectors/stamp/activate", body)
        .await
}

/// The version that answers a call on a connection.
pub async fn stamp(host: &TestHost, connection: &str) -> String {
    stamp_of(&call(host, connection, json!({})).await.expect(200))
}

pub async fn call(host: &TestHost, connection: &str, params: Value) -> Answer {
    let body = json!({
        "tool_name": "stamp_run",
        "identifier": "user_1",
        "connection_name": connection,
        "params": params,
    });
    host.api(Method::POST, "/api/v1/execute_tool", body).await
}

/// The version that an answer names.
pub fn stamp_of(answer: &Value) -> String {
    let path = answer["data"]["request"]["path"].as_str().expect("a stamp");
    path.trim_start_matches("/v/").to_owned()
}

/// Looks until something holds, for half a minute at most.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let mut look = tokio::time::interval(Duration::from_millis(20));
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !holds().await {
            look.tick().await;
        }
    });
    waited
        .await
        .unwrap_or_else(|_| panic!("in half a minute it did not come about that {what}"));
}

/// Whether the journal holds a line with all of `texts`.
pub fn journal_has(data_dir: &Path, texts: &[&str]) -> bool {
    std::fs::read_dir(data_dir.join("journal"))
        .expect("a journal")
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path()).ok())
        .any(|file| {
            file.lines()
                .any(|line| texts.iter().all(|text| line.contains(text)))
        })
}
