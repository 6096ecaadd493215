//! The official conformance suite, the two versions of it, against a host whose fixture tools are a
//! connector like any other. Each scenario that a host of tools has to pass is named and checked;
//! each that does not apply is named, too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderValue, Method, StatusCode, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use valetkey_tests::{TestHost, artifacts};

use crate::programs::run_node;
use crate::rig::{server, session};

/// Of a host of tools, in every revision.
const TOOLS: [&str; 9] = [
    "tools-list",
    "tools-call-simple-text",
    "tools-call-image",
    "tools-call-audio",
    "tools-call-embedded-resource",
    "tools-call-mixed-content",
    "tools-call-error",
    "tools-call-with-progress",
    "json-schema-2020-12",
];
/// Of the handshake era.
const HANDSHAKE: [&str; 3] = ["server-initialize", "ping", "dns-rebinding-protection"];
/// Of the stateless revision.
const STATELESS: [&str; 15] = [
    "server-stateless",
    "dns-rebinding-protection",
    "http-header-validation",
    "http-custom-header-server-validation",
    "server-sse-multiple-streams",
    "input-required-result-basic-elicitation",
    "input-required-result-request-state",
    "input-required-result-multi-round",
    "input-required-result-missing-input-response",
    "input-required-result-result-type",
    "input-required-result-unsupported-methods",
    "input-required-result-tampered-state",
    "input-required-result-capability-check",
    "input-required-result-ignore-extra-params",
    "input-required-result-validate-input",
];

/// Why a scenario is not for a host of tools; none for one that is.
fn not_applicable(scenario: &str) -> Option<&'static str> {
    const WHY: [(&str, &str); 18] = [
        ("resources-", "no resources"),
        ("sep-2164-", "no resources"),
        ("prompts-", "no prompts"),
        ("input-required-result-non-tool-request", "no prompts"),
        ("caching", "asks for prompts and resources"),
        ("completion-", "no completions"),
        ("logging-", "no logging: the execution's record has the lines"),
        (
            "tools-call-with-logging",
            "no logging: the execution's record has the lines",
        ),
        (
            "tools-call-sampling",
            "asks within a session of the transport, and there is none",
        ),
        (
            "tools-call-elicitation",
            "asks within a session of the transport, and there is none",
        ),
        (
            "elicitation-",
            "asks within a session of the transport, and there is none",
        ),
        (
            "sse-polling",
            "resumes a session of the transport, and there is none",
        ),
        ("session-lifecycle", "no session of the transport"),
        (
            "input-required-result-basic-list-roots",
            "connectors may not ask for a client's folders",
        ),
        (
            "input-required-result-multiple-input-requests",
            "connectors may not ask for a client's folders",
        ),
        (
            "input-required-result-basic-sampling",
            "no fixture: asking the model is covered by the capability check",
        ),
        (
            "sse-multiple-streams",
            "in the handshake era it asks for a session of the transport, and there is none",
        ),
        ("tasks-", "an extension"),
    ];
    let found = WHY.iter().find(|(begins, _)| scenario.starts_with(begins));
    match found {
        Some((_, why)) => Some(why),
        None => scenario.starts_with("sep-2640-").then_some("an extension"),
    }
}

/// A host with the fixture tools, behind a proxy that adds the session's token, which the suite
/// cannot send.
struct Stage {
    _host: Arc<TestHost>,
    url: String,
}

impl Stage {
    async fn build() -> Self {
        let host = Arc::new(TestHost::start().await);
        let changes = change_endpoint(Arc::clone(&host)).await;
        host.install_bundled("test").await;
        // The list of tools changes by activating another version of the connector.
        let other = artifacts::connector_with("test", |manifest| {
            manifest.connector.version = "1.0.1".to_owned();
            manifest.tools[0]
                .description
                .push_str(" This is another version.");
        });
        host.install(other).await.expect(200);
        activate(&host, "1.0.0").await;
        // A schema that the portable subset cannot say, under the name that the suite wants.
        let wide = artifacts::connector_with("test", |manifest| {
            manifest.connector.id = "json".to_owned();
            let mut tool = manifest
                .tools
                .iter()
                .find(|tool| tool.name == "test_simple_text")
                .expect("the tool")
                .clone();
            tool.name = "json_schema_2020_12_tool".to_owned();
            tool.portable = false;
            tool.input = wide_schema();
            manifest.tools = vec![tool];
        });
        host.install(wide).await.expect(200);
        for connector in ["test", "json"] {
            let connection = json!({
                "connection_name": connector, "connector": connector, "development": true,
                "endpoints": {"api": changes},
            });
            host.api(Method::POST, "/api/v1/connections", connection)
                .await
                .expect(201);
        }
        let all = server(&host, "conformance", json!({})).await;
        let suite = session(&host, &all, "suite", json!({})).await;
        let proxy = proxy(&host.base_url, &suite.token).await;
        let path = suite.url.strip_prefix(&host.base_url).expect("our URL");
        Self {
            url: format!("{proxy}{path}"),
            _host: host,
        }
    }
}

fn wide_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {"address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }},
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false,
    })
}

async fn activate(host: &TestHost, version: &str) {
    let body = json!({"version": version});
    let answer = host
        .api(Method::POST, "/api/v1/connectors/test/activate", body)
        .await;
    answer.expect(200);
}

/// Where the fixture's changing tool sends to: activates the version that is not active.
async fn change_endpoint(host: Arc<TestHost>) -> String {
    let router = Router::new()
        .route(
            "/change",
            post(|State(host): State<Arc<TestHost>>| async move {
                let installed = host.runtime.registry.list();
                let active = installed.iter().find(|installed| installed.connector == "test");
                let next = match active.map(|installed| installed.active_version.as_str()) {
                    Some("1.0.0") => "1.0.1",
                    _ => "1.0.0",
                };
                activate(&host, next).await;
                axum::Json(json!({}))
            }),
        )
        .with_state(host);
    serve(router).await
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[derive(Clone)]
struct Proxy {
    client: Client<HttpConnector, Body>,
    host: String,
    authorization: HeaderValue,
}

/// Passes everything on as it came, with the session's token added.
async fn proxy(host: &str, token: &str) -> String {
    let proxy = Proxy {
        client: Client::builder(TokioExecutor::new()).set_host(false).build_http(),
        host: host.to_owned(),
        authorization: HeaderValue::from_str(&format!("Bearer {token}")).expect("a header"),
    };
    serve(Router::new().fallback(pass).with_state(proxy)).await
}

async fn pass(State(proxy): State<Proxy>, mut request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let uri: Result<Uri, _> = format!("{}{path}", proxy.host).parse();
    *request.uri_mut() = uri.expect("a URL");
    *request.version_mut() = http::Version::HTTP_11;
    request.headers_mut().insert("authorization", proxy.authorization);
    match proxy.client.request(request).await {
        Ok(answer) => answer.map(Body::new),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

/// One scenario's checks, by their status.
struct Outcome {
    scenario: String,
    passed: usize,
    wrong: Vec<String>,
}

fn outcomes(folder: &Path) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the suite's output") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let Ok(checks) = std::fs::read(path.join("checks.json")) else {
            continue;
        };
        let checks: Vec<Value> = serde_json::from_slice(&checks).expect("JSON");
        let of = |statuses: &[&str]| {
            let found = checks
                .iter()
                .filter(|check| statuses.iter().any(|status| check["status"] == *status));
            found.cloned().collect::<Vec<_>>()
        };
        outcomes.push(Outcome {
            scenario: name,
            passed: of(&["SUCCESS"]).len(),
            wrong: of(&["FAILURE", "WARNING"])
                .iter()
                .map(|check| format!("{} {}: {}", check["status"], check["id"], check["errorMessage"]))
                .collect(),
        });
    }
    outcomes
}

/// The scenario that a folder of the suite's output is of: `[server-]NAME[-TIME]`.
fn is_of(folder: &str, scenario: &str) -> bool {
    let name = folder.strip_prefix("server-").unwrap_or(folder);
    [folder, name].iter().any(|name| {
        name.strip_prefix(scenario)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("-20"))
    })
}

async fn assert_passes(suite: &str, revision: &str, required: &[&str]) {
    let stage = Stage::build().await;
    let folder = tempfile::tempdir().expect("a folder");
    let output: PathBuf = folder.path().join("out");
    let program = format!("node_modules/{suite}/dist/index.js");
    let mut arguments = vec![program.as_str(), "server", "--url", &stage.url];
    // Only the newer suite knows which scenarios a revision requires.
    if suite == "conformance-2025" {
        arguments.extend(["--suite", "all", "--spec-version", revision]);
    } else {
        arguments.extend(["--requirements", revision]);
    }
    arguments.extend(["-o", output.to_str().expect("a path")]);
    let printed = run_node(&arguments).await;
    assert!(output.exists(), "{}\n{}", printed.out, printed.talk);

    let all = outcomes(&output);
    let mut failures = Vec::new();
    let mut named = BTreeSet::new();
    for scenario in required {
        let Some(outcome) = all.iter().find(|outcome| is_of(&outcome.scenario, scenario)) else {
            failures.push(format!("{scenario}: did not run"));
            continue;
        };
        named.insert(outcome.scenario.clone());
        println!(
            "{revision} {suite} passed {:>3} checks  {scenario}",
            outcome.passed
        );
        if outcome.passed == 0 {
            failures.push(format!("{scenario}: checked nothing"));
        }
        failures.extend(outcome.wrong.iter().map(|wrong| format!("{scenario}: {wrong}")));
    }
    for outcome in all.iter().filter(|outcome| !named.contains(&outcome.scenario)) {
        let name = outcome.scenario.trim_start_matches("server-");
        match not_applicable(name).or_else(|| not_applicable(&outcome.scenario)) {
            Some(why) => println!("{revision} {suite} not applicable     {name}: {why}"),
            None => failures.push(format!(
                "{name}: is it to pass, or not applicable? {:?}",
                outcome.wrong
            )),
        }
    }
    assert!(failures.is_empty(), "{}\n{}", failures.join("\n"), printed.talk);
}

#[tokio::test]
async fn every_scenario_for_a_host_of_tools_passes_in_the_handshake_era() {
    let required = [&HANDSHAKE[..], &TOOLS[..]].concat();
    assert_passes("conformance-2025", "2025-11-25", &required).await;
    assert_passes("conformance-2026", "2025-11-25", &required).await;
}

#[tokio::test]
async fn every_scenario_for_a_host_of_tools_passes_in_the_stateless_revision() {
    let required = [&STATELESS[..], &TOOLS[..]].concat();
    assert_passes("conformance-2026", "2026-07-28", &required).await;
}
