//! Hosts and their vendors as the scenarios need them, and an application that confirms its users.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::RawQuery;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use valetkey::config::Config;
use valetkey_manifest::{Auth, AuthKind, ConfigInput, Manifest};
use valetkey_tests::{TestHost, World, artifacts, world};
use valetkey_vendors::Options;

/// What operators call themselves here.
const OPERATOR: &str = "Example Works";

pub fn named(config: &mut Config) {
    config.pages.operator_name = Some(OPERATOR.to_owned());
}

/// A host and simulated vendors, with the connection `crm` of the application "Acme Notes".
pub async fn crm(application: Option<&Site>) -> World {
    let world = World::start_with(named, Options::default()).await;
    let mut body = world::connection("crm", "hubspot", &world.vendors.base_url);
    body["application_name"] = json!("Acme Notes");
    if let Some(application) = application {
        body["user_verify_urls"] = json!([application.verify_url()]);
    }
    connection(&world.host, body).await;
    world
}

/// A host with the HubSpot connector as it is bundled, and the connection `keys` by token.
pub async fn keys(vendor: &str, user_verify_urls: &[String]) -> TestHost {
    let host = TestHost::start_with(named).await;
    host.install_bundled("hubspot").await;
    let body = json!({
        "connection_name": "keys", "connector": "hubspot", "auth": "private_app", "development": true,
        "endpoints": {"api": vendor}, "application_name": "Acme Notes", "user_verify_urls": user_verify_urls,
    });
    connection(&host, body).await;
    host
}

/// The HubSpot connector with a way by password, and with configuration beside the credential.
pub fn with_configuration(manifest: &mut Manifest) {
    manifest.auth.push(Auth {
        id: "basic".to_owned(),
        kind: AuthKind::Basic,
        title: "User and password".to_owned(),
        oauth2: None,
        grant: None,
        inputs: BTreeMap::new(),
        placement: None,
    });
    let input = |title: &str, description: &str, required| ConfigInput {
        title: title.to_owned(),
        description: description.to_owned(),
        pattern: None,
        example: None,
        required,
        from_token_response: None,
        take: None,
    };
    let site = ConfigInput {
        pattern: Some("https://[a-z0-9.-]+".to_owned()),
        example: Some("https://acme.example".to_owned()),
        ..input("Site", "The address at which you sign in.", true)
    };
    let region = input("Region", "Where your data are, when you know it.", false);
    manifest.account_config = BTreeMap::from([("site".to_owned(), site), ("region".to_owned(), region)]);
}

/// The HubSpot connector with a site that is found with the credential.
pub fn with_sites(manifest: &mut Manifest) {
    let config = json!({"site_id": {
        "title": "Site id", "description": "The number of your site.", "pattern": "[0-9]+"
    }});
    manifest.account_config = serde_json::from_value(config).expect("configuration");
    let discover = json!({
        "endpoint": "api", "path": "/sites", "items": "/sites", "label": "/name", "set": {"site_id": "/id"}
    });
    manifest.discover = Some(serde_json::from_value(discover).expect("a search"));
}

pub async fn install(host: &TestHost, change: impl FnOnce(&mut Manifest)) {
    let answer = host.install(artifacts::connector_with("hubspot", change)).await;
    assert!(answer.status.is_success(), "{}", answer.text());
}

pub async fn connection(host: &TestHost, body: Value) {
    host.api(Method::POST, "/api/v1/connections", body)
        .await
        .expect(201);
}

/// So many links of a connection, each for a user of its own.
pub async fn links(host: &TestHost, connection: &str, count: usize, more: &Value) -> Vec<String> {
    let mut links = Vec::new();
    for number in 0..count {
        let mut body = json!({"connection_name": connection, "identifier": format!("user-{number}")});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let link = host
            .api(Method::POST, "/api/v1/connected_accounts/magic_link", body)
            .await
            .expect(200);
        links.push(link["authorization_link"].as_str().expect("a link").to_owned());
    }
    links
}

/// A small site on loopback; it ends with this.
pub struct Site {
    pub url: String,
    server: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Site {
    async fn start(router: Router) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the site serves");
        });
        Self { url, server }
    }

    /// The application, to which people go back.
    pub async fn application() -> Self {
        let page =
            || async { Html("<!doctype html><html lang=en><title>Acme Notes</title><h1>Welcome back</h1>") };
        Self::start(Router::new().route("/verify", get(page))).await
    }

    pub fn verify_url(&self) -> String {
        format!("{}/verify", self.url)
    }

    /// A vendor of tokens and passwords that knows `right` ones, calls each account by the label
    /// that its token ends with, and answers authorization requests in hostile words.
    pub async fn vendor(labels: Vec<String>) -> Self {
        let details = move |headers: HeaderMap| async move { details(&headers, &labels) };
        let router = Router::new()
            .route("/account-info/v3/details", get(details))
            .route("/sites", get(sites))
            .route("/deny/authorize", get(|query| authorize(query, true)))
            .route("/authorize", get(|query| authorize(query, false)))
            .route(
                "/token",
                post(|| async { (StatusCode::BAD_REQUEST, axum::Json(hostile_error())) }),
            );
        Self::start(router).await
    }
}

fn details(headers: &HeaderMap, labels: &[String]) -> Response {
    let credential = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let numbered = credential
        .strip_prefix("Bearer pat-na1-label-")
        .and_then(|number| number.parse::<usize>().ok());
    // `ada@example.com:right`.
    let right = ["Bearer pat-na1-right-token", "Basic YWRhQGV4YW1wbGUuY29tOnJpZ2h0"];
    match numbered.and_then(|number| labels.get(number)) {
        Some(label) => axum::Json(json!({"portalId": 1, "uiDomain": label})).into_response(),
        None if right.contains(&credential) => {
            axum::Json(json!({"portalId": 4711, "uiDomain": "app.acme.example"})).into_response()
        }
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// Sites of which two have one name, and one tries to be more than text.
async fn sites() -> Response {
    let names = [
        "Acme",
        "Acme",
        MARKUP,
        "A name that goes on and on, as those of large organisations do",
    ];
    let sites = (1..).zip(names);
    let sites: Vec<Value> = sites.map(|(id, name)| json!({"id": id, "name": name})).collect();
    axum::Json(json!({ "sites": sites })).into_response()
}

/// Markup that says so when it runs.
pub const MARKUP: &str = "<img src=x onerror=alert('canary')>";

fn hostile_error() -> Value {
    json!({"error": MARKUP, "error_description": format!("{MARKUP}<script>alert('canary')</script>")})
}

/// Sends the browser back at once.
async fn authorize(RawQuery(query): RawQuery, denies: bool) -> Redirect {
    let query = query.unwrap_or_default();
    let asked: BTreeMap<String, String> = serde_json::from_value(form(&query)).expect("texts");
    let answer = if denies {
        "error=%3Cimg%20src%3Dx%20onerror%3Dalert(%27canary%27)%3E&error_description=%3Cscript%3Ealert(%27canary%27)%3C/script%3E"
    } else {
        "code=good"
    };
    Redirect::to(&format!(
        "{}?{answer}&state={}",
        asked["redirect_uri"], asked["state"]
    ))
}

fn form(query: &str) -> Value {
    let pairs = axum::extract::Query::<BTreeMap<String, String>>::try_from_uri(
        &format!("/?{query}").parse().expect("a URI"),
    );
    json!(pairs.expect("a query").0)
}
