//! Keys, tokens and passwords that programs give for their users: used at the vendor as the connector
//! says, changed, and never shown.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use valetkey_manifest::{Auth, AuthKind, Manifest, Placement};
use valetkey_tests::{TestHost, artifacts};

use crate::rig::{BOTH, Language, Sdk, account};

/// A vendor that knows owners by the credential that a request carries.
struct Vendor {
    url: String,
    sent: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl Vendor {
    async fn start(owners: BTreeMap<String, &'static str>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let sent = Arc::new(Mutex::new(Vec::new()));
        let router = axum::Router::new()
            .fallback(answer)
            .with_state((Arc::new(owners), Arc::clone(&sent)));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, sent, server }
    }

    /// The credentials that it was sent since it was asked last.
    fn sent(&self) -> Vec<String> {
        std::mem::take(&mut self.sent.lock().expect("nobody panics with it"))
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Known = (Arc<BTreeMap<String, &'static str>>, Arc<Mutex<Vec<String>>>);

async fn answer(State((owners, sent)): State<Known>, headers: HeaderMap) -> Response {
    let shown = ["x-api-key", "authorization"]
        .iter()
        .find_map(|name| Some(format!("{name}: {}", headers.get(*name)?.to_str().ok()?)))
        .unwrap_or_default();
    let owner = owners.get(&shown).copied();
    sent.lock().expect("nobody panics with it").push(shown);
    match owner {
        Some(owner) => Json(json!({"portalId": 1, "owner": owner})).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// One way of connecting, what a program gives for it, and what the vendor gets.
struct Way {
    kind: AuthKind,
    id: &'static str,
    /// What is given for `ada` and then for `grace`.
    given: [Value; 2],
    /// What the vendor is sent for each.
    sent: [&'static str; 2],
    /// What no answer may hold.
    secrets: [&'static str; 2],
}

fn ways() -> [Way; 3] {
    [
        Way {
            kind: AuthKind::ApiKey,
            id: "key",
            given: [
                json!({"api_key": "key-canary-0001"}),
                json!({"api_key": "key-canary-0002"}),
            ],
            sent: ["x-api-key: key-canary-0001", "x-api-key: key-canary-0002"],
            secrets: ["key-canary-0001", "key-canary-0002"],
        },
        Way {
            kind: AuthKind::Bearer,
            id: "token",
            given: [
                json!({"token": "token-canary-0001"}),
                json!({"token": "token-canary-0002"}),
            ],
            sent: [
                "authorization: Bearer token-canary-0001",
                "authorization: Bearer token-canary-0002",
            ],
            secrets: ["token-canary-0001", "token-canary-0002"],
        },
        Way {
            kind: AuthKind::Basic,
            id: "login",
            given: [
                json!({"username": "login-one", "password": "word-canary-0001"}),
                json!({"username": "login-two", "password": "word-canary-0002"}),
            ],
            sent: [
                "authorization: Basic bG9naW4tb25lOndvcmQtY2FuYXJ5LTAwMDE=",
                "authorization: Basic bG9naW4tdHdvOndvcmQtY2FuYXJ5LTAwMDI=",
            ],
            secrets: ["word-canary-0001", "word-canary-0002"],
        },
    ]
}

/// A connector of one tool whose accounts are connected in any of the ways.
fn keyed(manifest: &mut Manifest) {
    manifest.connector.id = "keyed".to_owned();
    manifest.auth = ways()
        .iter()
        .map(|way| Auth {
            id: way.id.to_owned(),
            kind: way.kind,
            title: way.id.to_owned(),
            oauth2: None,
            grant: None,
            inputs: BTreeMap::new(),
            placement: (way.kind == AuthKind::ApiKey).then(|| Placement::Header {
                name: "x-api-key".to_owned(),
                format: "{secret}".to_owned(),
            }),
        })
        .collect();
    if let Some(verify) = &mut manifest.verify {
        verify.label = None;
    }
    manifest.tools.retain(|tool| tool.name == "hubspot_whoami");
    for tool in &mut manifest.tools {
        tool.name = "keyed_whoami".to_owned();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_a_program_gives_is_used_as_the_connector_says_until_it_gives_another() {
    let owners = ways().into_iter().flat_map(|way| {
        let [ada, grace] = way.sent;
        [(ada.to_owned(), "ada"), (grace.to_owned(), "grace")]
    });
    let vendor = Vendor::start(owners.collect()).await;
    let host = TestHost::start().await;
    host.install(artifacts::connector_with("hubspot", keyed))
        .await
        .expect(200);
    for way in ways() {
        let body = json!({"connection_name": way.id, "connector": "keyed", "auth": way.id,
                          "development": true, "endpoints": {"api": vendor.url}});
        host.api(Method::POST, "/api/v1/connections", body)
            .await
            .expect(201);
    }
    for language in BOTH {
        let mut sdk = Sdk::start(language, &host);
        for way in ways() {
            let owner = json!({"connection_name": way.id, "identifier": format!("{language:?}")});
            for (step, name) in ["create", "update"].into_iter().enumerate() {
                let mut given = owner.clone();
                given["authorization_details"] = match language {
                    Language::Python => json!({"static_auth": way.given[step]}),
                    Language::Node => {
                        json!({"details": {"case": "staticAuth", "value": {"details": way.given[step]}}})
                    }
                };
                let made = sdk.get(name, given).await;
                assert_eq!(
                    sdk.status(account(&made)),
                    "ACTIVE",
                    "{language:?} {name}: {made}"
                );
                assert_eq!(
                    vendor.sent(),
                    [way.sent[step]],
                    "{name}: it is tried before it is kept"
                );

                let mut call = owner.clone();
                call["tool_name"] = json!("keyed_whoami");
                call["params"] = json!({});
                let answer = sdk.get("execute", call).await;
                assert_eq!(
                    answer["data"]["owner"],
                    ["ada", "grace"][step],
                    "{language:?} {answer}"
                );
                assert_eq!(vendor.sent(), [way.sent[step]]);
                let shown = sdk.get("get", owner.clone()).await;
                for answer in [made, answer, shown] {
                    let text = answer.to_string();
                    assert!(
                        !way.secrets.iter().any(|secret| text.contains(secret)),
                        "{language:?} {name}: {text}"
                    );
                }
            }
        }
    }
}
