//! Two environments with the same connector: what a guest or a caller of one tries, the other's
//! account, configuration, records, cursors and idempotency keys stay out of reach.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use valetkey::access::Scope;
use valetkey::id::EnvironmentId;
use valetkey::journal::Actor;
use valetkey::manifest;
use valetkey_manifest::tool::{Hints, Paging};
use valetkey_manifest::{AuthKind, ConfigInput};
use valetkey_tests::http::Answer;
use valetkey_tests::{TestHost, artifacts, guests};

/// One environment, its client, its vendor.
struct Tenant {
    host: Arc<TestHost>,
    mark: &'static str,
    access_token: String,
    account: String,
    url: String,
    /// The credentials that its vendor was sent.
    sent: Arc<Mutex<Vec<String>>>,
    vendor: JoinHandle<()>,
}

impl Drop for Tenant {
    fn drop(&mut self) {
        self.vendor.abort();
    }
}

impl Tenant {
    async fn start(host: &Arc<TestHost>, environment: &str, mark: &'static str) -> Self {
        let environment = EnvironmentId::new(environment).expect("a name");
        let access = &host.runtime.access;
        access
            .add_environment(&environment, &Actor::Operator)
            .await
            .expect("an environment");
        let client = access
            .add_client(
                &environment,
                "test",
                Scope::ALL.into_iter().collect(),
                &Actor::Operator,
            )
            .await
            .expect("a client");
        let token = access
            .issue(client.client_id.as_str(), &client.secret, None)
            .await
            .expect("a token");

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let sent = Arc::new(Mutex::new(Vec::new()));
        let router = axum::Router::new()
            .fallback(answer)
            .with_state((mark, Arc::clone(&sent)));
        let vendor = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        let mut tenant = Self {
            host: Arc::clone(host),
            mark,
            access_token: token.token.expose().to_owned(),
            account: String::new(),
            url,
            sent,
            vendor,
        };

        let connection = json!({
            "connection_name": "trespass", "connector": "trespass", "development": true,
            "endpoints": {"api": tenant.url},
        });
        drop(
            tenant
                .api(Method::POST, "/api/v1/connections", &[], connection)
                .await
                .expect(201),
        );
        let body = json!({
            "connection_name": "trespass", "identifier": "ada",
            "account_config": {"site": format!("{mark}-site")},
        });
        let link = tenant
            .api(Method::POST, "/api/v1/connected_accounts/magic_link", &[], body)
            .await
            .expect(200);
        let form = format!("token={}", tenant.token());
        let done = host
            .http
            .post_form(link["authorization_link"].as_str().expect("a link"), &form)
            .await;
        assert_eq!(done.status, 200, "{}", done.text());
        tenant.account = link["connected_account_id"].as_str().expect("an id").to_owned();
        tenant
    }

    fn token(&self) -> String {
        format!("{}-token-0123456789", self.mark)
    }

    async fn api(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let bearer = format!("Bearer {}", self.access_token);
        let mut all = vec![
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        all.extend_from_slice(headers);
        let url = format!("{}{path}", self.host.base_url);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.host.http.send(method, &url, &all, body).await
    }

    /// Calls the guest, which tries what it is told of the other.
    async fn call(&self, other: &Self, headers: &[(&str, &str)], cursor: Option<&str>) -> Answer {
        let mut params = json!({"mark": self.mark, "tries": [other.url, other.account]});
        if let Some(cursor) = cursor {
            params["cursor"] = json!(cursor);
        }
        let body = json!({"tool_name": "trespass_run", "identifier": "ada", "params": params});
        self.api(Method::POST, "/api/v1/execute_tool", headers, body)
            .await
    }

    fn assert_own(&self, other: &Self, answer: &Value) {
        let text = answer.to_string();
        for own in ["data", "site"] {
            assert!(text.contains(&format!("{}-{own}", self.mark)), "{text}");
        }
        assert!(!text.contains(other.mark), "{text}");
        assert!(!text.contains(&self.token()), "{text}");
    }
}

/// The vendor answers data of its own and the credential that it was sent.
async fn answer(
    State((mark, sent)): State<(&'static str, Arc<Mutex<Vec<String>>>)>,
    headers: HeaderMap,
) -> Json<Value> {
    let credential = headers["authorization"].to_str().unwrap_or_default().to_owned();
    sent.lock()
        .expect("nobody panics with it")
        .push(credential.clone());
    Json(json!({"data": format!("{mark}-data"), "sent": credential}))
}

/// The guest `trespass` as a connector with a bearer token, a site and pages.
fn component() -> Vec<u8> {
    let mut declared = guests::manifest("trespass");
    declared.auth[0].id = "token".to_owned();
    declared.auth[0].kind = AuthKind::Bearer;
    if let Some(api) = declared.endpoints.get_mut("api") {
        api.credential = true;
    }
    let site = ConfigInput {
        title: "Site".to_owned(),
        description: "The name of the site.".to_owned(),
        pattern: None,
        example: None,
        required: true,
        from_token_response: None,
        take: None,
    };
    declared.account_config.insert("site".to_owned(), site);
    let tool = &mut declared.tools[0];
    tool.hints = Hints {
        read_only: true,
        destructive: false,
        idempotent: true,
    };
    tool.input = json!({
        "type": "object",
        "properties": {
            "mark": {"type": "string", "description": "What it leaves."},
            "tries": {"type": "array", "items": {"type": "string"}, "description": "What it tries."},
        },
        "additionalProperties": false,
    });
    tool.allow = vec!["GET api:/{*}".to_owned()];
    tool.paging = Some(Paging {
        items: "/items".to_owned(),
        max_page_size: 1,
        default_limit: 1,
        paginator: None,
    });
    manifest::embed(&artifacts::guest("trespass"), &declared).expect("a component")
}

async fn two() -> (Tenant, Tenant) {
    let host = Arc::new(TestHost::start().await);
    let installed = host.install(component()).await;
    assert!(installed.status.is_success(), "{}", installed.text());
    (
        Tenant::start(&host, "one", "mark-of-a").await,
        Tenant::start(&host, "two", "mark-of-b").await,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_finds_nothing_of_another_environment() {
    let (a, b) = two().await;
    for _ in 0..16 {
        let both = (&a, &b);
        let side_by_side = (0..16).map(|number| async move {
            let (own, other) = if number % 2 == 0 { both } else { (both.1, both.0) };
            let answer = own.call(other, &[], None).await.expect(200);
            assert!(
                answer["data"]["found"].to_string().contains("egress_denied"),
                "{answer}"
            );
            own.assert_own(other, &answer);
        });
        futures_util::future::join_all(side_by_side).await;
    }
    for tenant in [&a, &b] {
        let sent = tenant.sent.lock().expect("nobody panics with it");
        let expected = format!("Bearer {}", tenant.token());
        assert!(
            sent.iter().all(|credential| *credential == expected),
            "only its own account"
        );
        assert!(sent.len() >= 128, "{}", sent.len());
    }
}

#[tokio::test]
async fn cursors_keys_and_records_of_another_environment_are_of_no_use() {
    let (a, b) = two().await;
    let first = a.call(&b, &[("idempotency-key", "same")], None).await.expect(200);
    a.assert_own(&b, &first);

    // The same key is another key: its own outcome, not the other's, and not in conflict with it.
    let second = b.call(&a, &[("idempotency-key", "same")], None).await.expect(200);
    b.assert_own(&a, &second);
    let repeated = a.call(&b, &[("idempotency-key", "same")], None).await.expect(200);
    assert_eq!(repeated["data"], first["data"]);

    // A cursor opens for its environment alone, and the guest sees only its own page.
    let cursor = first["next_cursor"].as_str().expect("more");
    let refused = b.call(&a, &[], Some(cursor)).await.expect(400);
    assert_eq!(refused["error"]["fields"][0]["path"], "/cursor", "{refused}");
    let next = a.call(&b, &[], Some(cursor)).await.expect(200);
    assert!(
        next["data"]["found"].to_string().contains("mark-of-a-page"),
        "{next}"
    );

    // Records: the other's are not there.
    let execution = first["execution_id"].as_str().expect("an id");
    let path = format!("/api/v1/executions/{execution}");
    assert_eq!(a.api(Method::GET, &path, &[], Value::Null).await.status, 200);
    assert_eq!(b.api(Method::GET, &path, &[], Value::Null).await.status, 404);
    for path in [
        "/api/v1/executions",
        "/api/v1/connected_accounts",
        "/api/v1/connections",
    ] {
        let listed = b
            .api(Method::GET, path, &[], Value::Null)
            .await
            .expect(200)
            .to_string();
        for theirs in [a.mark, execution, &a.account, &a.url] {
            assert!(!listed.contains(theirs), "{path}: {listed}");
        }
    }
}
