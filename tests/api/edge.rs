//! What the tests of this theme share: clients of any scope, the operations of the document, and
//! a small vendor that counts what it is asked.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::{get, post};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use valetkey::access::Scope;
use valetkey::api::openapi;
use valetkey::id::EnvironmentId;
use valetkey::journal::Actor;
use valetkey_tests::TestHost;
use valetkey_tests::http::Answer;

/// A client of a host: its token, and requests with it.
pub struct Caller<'a> {
    host: &'a TestHost,
    /// The bearer token.
    pub token: String,
}

impl<'a> Caller<'a> {
    /// A new client of `environment` with `scopes`.
    pub async fn new(host: &'a TestHost, environment: &str, scopes: BTreeSet<Scope>) -> Self {
        let environment = EnvironmentId::new(environment).expect("a name");
        let access = &host.runtime.access;
        access
            .add_environment(&environment, &Actor::Operator)
            .await
            .expect("an environment");
        let client = access
            .add_client(&environment, "test", scopes, &Actor::Operator)
            .await
            .expect("a client");
        let token = access
            .issue(client.client_id.as_str(), &client.secret, None)
            .await
            .expect("a token");
        let token = token.token.expose().to_owned();
        Self { host, token }
    }

    /// A client with every scope.
    pub async fn superuser(host: &'a TestHost, environment: &str) -> Self {
        Self::new(host, environment, Scope::ALL.into_iter().collect()).await
    }

    /// A request with its token and a JSON body (none for `Null`).
    pub async fn api(&self, method: &Method, path: &str, body: Value) -> Answer {
        request(
            self.host,
            method,
            path,
            Some(&format!("Bearer {}", self.token)),
            body,
        )
        .await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.api(&Method::GET, path, Value::Null).await
    }
}

/// A request with any `Authorization`.
pub async fn request(
    host: &TestHost,
    method: &Method,
    path: &str,
    authorization: Option<&str>,
    body: Value,
) -> Answer {
    let mut headers: Vec<(&str, &str)> = authorization
        .map(|value| ("authorization", value))
        .into_iter()
        .collect();
    let body = if body.is_null() {
        Bytes::new()
    } else {
        headers.push(("content-type", "application/json"));
        body.to_string().into()
    };
    host.http
        .send(
            method.clone(),
            &format!("{}{path}", host.base_url),
            &headers,
            body,
        )
        .await
}

/// One operation of the document.
pub struct Operation {
    pub method: Method,
    /// With something in place of each parameter.
    pub path: String,
    /// The scope that it wants; none for public ones.
    pub scope: Option<Scope>,
}

/// Every operation of the document.
pub fn operations() -> Vec<Operation> {
    let document = openapi();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path item") {
            let scope = operation["security"][0]["client"][0]
                .as_str()
                .map(|scope| scope.parse().expect("a scope of ours"));
            operations.push(Operation {
                method: method.to_uppercase().parse().expect("a method"),
                path: path
                    .replace("{id}", "ca_00000000000000000000000000000000")
                    .replace("{name}", "nothing")
                    .replace("{version}", "1.0.0")
                    .replace("{session_id}", "mses_00000000000000000000000000000000")
                    .replace("{path}", "crm/v3/objects/contacts"),
                scope,
            });
        }
    }
    assert!(operations.len() > 20, "the document lost its operations");
    operations
}

/// A HubSpot-shaped vendor with two routes, which repeats the credential it was sent.
pub struct Vendor {
    pub base_url: String,
    creations: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Vendor {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let base_url = format!("http://{}", listener.local_addr().expect("an address"));
        let creations = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&creations);
        let router = Router::new()
            .route(
                "/account-info/v3/details",
                get(|| async { axum::Json(json!({"portalId": 4711, "uiDomain": "app.example"})) }),
            )
            .route(
                "/crm/v3/objects/contacts",
                post(move |headers: http::HeaderMap| async move {
                    let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
                    let sent = headers["authorization"].to_str().unwrap_or_default().to_owned();
                    let properties = json!({"email": "ada@example.com", "note": sent});
                    let contact = json!({
                        "id": number.to_string(), "properties": properties,
                        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "archived": false,
                    });
                    (http::StatusCode::CREATED, axum::Json(contact))
                }),
            );
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the vendor serves");
        });
        Self {
            base_url,
            creations,
            server,
        }
    }

    /// How many contacts were created.
    pub fn creations(&self) -> usize {
        self.creations.load(Ordering::SeqCst)
    }

    /// The connection of this vendor by private-app token.
    pub fn connection(&self, name: &str) -> Value {
        json!({
            "connection_name": name, "connector": "hubspot", "auth": "private_app", "development": true,
            "endpoints": {"api": self.base_url}, "application_name": "<b>Acme</b> & Sons",
        })
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A host with the HubSpot connector and a connection of `vendor`.
pub async fn host_with(vendor: &Vendor) -> TestHost {
    let host = TestHost::start().await;
    host.install_bundled("hubspot").await;
    let connection = vendor.connection("hubspot");
    drop(
        host.api(Method::POST, "/api/v1/connections", connection)
            .await
            .expect(201),
    );
    host
}

/// A virtual MCP server, and a session on it.
pub struct McpServer {
    pub id: String,
    pub session_id: String,
    pub session_token: String,
}

impl McpServer {
    /// One of every connection, with a session of `identifier`.
    pub async fn of(host: &TestHost, identifier: &str) -> Self {
        let made = host
            .api(Method::POST, "/api/v1/mcp_servers", json!({"name": "everything"}))
            .await
            .expect(201);
        let id = made["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/v1/mcp_servers/{id}/sessions");
        let minted = host
            .api(Method::POST, &path, json!({"identifier": identifier}))
            .await
            .expect(201);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Self {
            id,
            session_id: text(&minted["session"]["id"]),
            session_token: text(&minted["token"]),
        }
    }
}

/// A link for `identifier`.
pub async fn link(host: &TestHost, identifier: &str) -> String {
    let body = json!({"connection_name": "hubspot", "identifier": identifier});
    let link = host
        .api(Method::POST, "/api/v1/connected_accounts/magic_link", body)
        .await
        .expect(200);
    link["authorization_link"].as_str().expect("a link").to_owned()
}
