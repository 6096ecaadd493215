//! Accounts are apart: side by side each call is its own account's, and what ends one leaves another.
//!
//! `VALETKEY_ISOLATION_CALLS` says how many calls there are to be at least, of 64 environments with 16
//! users each; some hundreds of 8 with 8 when it is not set. The callers' tokens are good for ten minutes.

use http::Method;
use serde_json::{Value, json};

use valetkey_tests::{TestHost, World};

use crate::edge::Caller;

/// The account `number` of a vendor that answers whose credential a request carries.
struct StampingVendor {
    url: String,
    server: tokio::task::JoinHandle<()>,
}

impl StampingVendor {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let whose = |headers: http::HeaderMap| async move {
            let sent = headers["authorization"].to_str().unwrap_or_default().to_owned();
            let number: u64 = sent
                .rsplit('-')
                .next()
                .and_then(|text| text.parse().ok())
                .unwrap_or(0);
            axum::Json(json!({"portalId": number, "uiDomain": "app.example"}))
        };
        let router = axum::Router::new().route("/account-info/v3/details", axum::routing::get(whose));
        let server =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("the vendor serves") });
        Self { url, server }
    }
}

impl Drop for StampingVendor {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Environments with the same connection and the same identifiers in each, called side by side
/// while accounts come and go: an answer always carries the stamp of the caller's own account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn side_by_side_every_answer_carries_its_own_accounts_stamp() {
    #[allow(clippy::disallowed_methods, reason = "the tests' own setting")]
    let wanted = std::env::var("VALETKEY_ISOLATION_CALLS").ok();
    let wanted: Option<u64> = wanted.map(|text| text.parse().expect("a number"));
    let (environments, identifiers) = wanted.map_or((8, 8), |_| (64, 16));
    let rounds = wanted.map_or(12, |calls: u64| calls.div_ceil(environments * identifiers));
    let vendor = StampingVendor::start().await;
    let host = TestHost::start().await;
    host.install_bundled("hubspot").await;
    let mut callers = Vec::new();
    for number in 0..environments {
        let caller = Caller::superuser(&host, &format!("tenant-{number}")).await;
        let connection = json!({
            "connection_name": "hubspot", "connector": "hubspot", "auth": "private_app", "development": true,
            "endpoints": {"api": vendor.url},
        });
        caller
            .api(&Method::POST, "/api/v1/connections", connection)
            .await
            .expect(201);
        callers.push(caller);
    }
    let user = async |caller: &Caller<'_>, environment: u64, identifier: u64| {
        let stamp = 1_000 + environment * 100 + identifier;
        let name = format!("user-{identifier}");
        let token = format!("pat-na1-000000-{stamp}");
        let credential = json!({"inputs": {"token": token}});
        let account = json!({"connection_name": "hubspot", "identifier": name, "credential": credential});
        let made = caller
            .api(&Method::POST, "/api/v1/connected_accounts", account)
            .await
            .expect(200);
        let id = made["id"].as_str().expect("an id").to_owned();
        for round in 0..rounds {
            let call = json!({"tool_name": "hubspot_whoami", "identifier": name});
            let answer = caller
                .api(&Method::POST, "/api/v1/execute_tool", call)
                .await
                .expect(200);
            assert_eq!(answer["data"]["portalId"], stamp, "{answer}");
            if (round + identifier).is_multiple_of(5) {
                let path = format!("/api/v1/connected_accounts/{id}");
                caller
                    .api(&Method::POST, &format!("{path}/disconnect"), json!({}))
                    .await
                    .expect(200);
                let call = json!({"tool_name": "hubspot_whoami", "identifier": name});
                let refused = caller
                    .api(&Method::POST, "/api/v1/execute_tool", call)
                    .await
                    .expect(409);
                assert_eq!(refused["error"]["kind"], "account_not_active");
                let change = json!({"credential": credential});
                caller.api(&Method::PATCH, &path, change).await.expect(200);
            }
        }
    };
    let all = (0..environments)
        .flat_map(|environment| (0..identifiers).map(move |identifier| (environment, identifier)))
        .map(|(environment, identifier)| {
            user(
                &callers[usize::try_from(environment).expect("small")],
                environment,
                identifier,
            )
        });
    futures_util::future::join_all(all).await;
    for caller in &callers {
        let list = caller
            .get("/api/v1/connected_accounts?limit=200")
            .await
            .expect(200);
        assert_eq!(
            list["items"].as_array().map(Vec::len),
            usize::try_from(identifiers).ok()
        );
    }
}

#[tokio::test]
async fn two_users_of_one_vendor_account_end_apart() {
    let world = World::start().await;
    world.vendors.set_user("shared");
    let (one, two) = (
        world.host.connect("hubspot", "one").await,
        world.host.connect("hubspot", "two").await,
    );
    let whoami = async |identifier: &str| world.host.call("hubspot_whoami", identifier, json!({})).await;
    assert_eq!(
        whoami("one").await.expect(200)["data"],
        whoami("two").await.expect(200)["data"]
    );
    let path = format!("/api/v1/connected_accounts/{one}/disconnect");
    world.host.api(Method::POST, &path, json!({})).await.expect(200);
    whoami("one").await.expect(409);
    whoami("two").await.expect(200);
    let state = async |id: &str| {
        let path = format!("/api/v1/connected_accounts/{id}");
        let account = world.host.api(Method::GET, &path, Value::Null).await.expect(200);
        (account["state"].clone(), account["reason"].clone())
    };
    assert_eq!(state(&one).await.0, "DISCONNECTED");
    assert_eq!(state(&two).await.0, "ACTIVE");
    world
        .vendors
        .revoke_grants(valetkey_vendors::Vendor::Hubspot, Some("shared"));
    whoami("two").await.expect(409);
    assert_eq!(state(&two).await, (json!("EXPIRED"), json!("refresh_rejected")));
    assert_eq!(state(&one).await.0, "DISCONNECTED", "it says what happened to it");
}
