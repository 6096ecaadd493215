//! Who may call what.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use valetkey::access::Scope;
use valetkey::id::ClientId;
use valetkey::journal::Actor;
use valetkey_tests::TestHost;

use crate::edge::{Caller, McpServer, Vendor, host_with, operations, request};

#[tokio::test]
async fn every_operation_of_the_document_refuses_every_bad_token_with_one_answer() {
    let host = TestHost::start().await;
    let good = Caller::superuser(&host, "dev").await.token;
    let parts: Vec<&str> = good.split('.').collect();
    let session = McpServer::of(&host, "ada").await.session_token;
    let bad = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer nonsense".to_owned()),
        Some(format!("Basic {}", STANDARD.encode("a:b"))),
        Some(format!("Bearer {}.{}.", parts[0], parts[1])),
        Some(format!("Bearer {}.{}.{}", parts[0], parts[2], parts[1])),
        Some(format!("Bearer {good} {good}")),
        Some(format!("Bearer {session}")),
    ];
    let mut public = Vec::new();
    let mut answers = BTreeSet::new();
    for operation in operations() {
        if operation.scope.is_none() {
            public.push(operation.path);
            continue;
        }
        for authorization in &bad {
            let answer = request(
                &host,
                &operation.method,
                &operation.path,
                authorization.as_deref(),
                Value::Null,
            )
            .await;
            assert_eq!(answer.status, 401, "{} {}", operation.method, operation.path);
            assert!(answer.header("www-authenticate").starts_with("Bearer "));
            answers.insert(answer.text());
        }
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(public, ["/healthz", "/oauth/token", "/openapi.json"]);
}

#[tokio::test]
async fn every_operation_wants_the_scope_of_the_document_and_no_other() {
    let host = TestHost::start().await;
    for scope in Scope::ALL {
        let alone = Caller::new(&host, "dev", BTreeSet::from([scope])).await;
        let others = Scope::ALL.into_iter().filter(|other| *other != scope).collect();
        let others = Caller::new(&host, "dev", others).await;
        for operation in operations() {
            if operation.scope != Some(scope) {
                continue;
            }
            let place = format!("{} {}", operation.method, operation.path);
            let answer = alone.api(&operation.method, &operation.path, Value::Null).await;
            assert!(
                ![401, 403].contains(&answer.status.as_u16()),
                "{place}: {}",
                answer.text()
            );
            assert!(!answer.status.is_server_error(), "{place}: {}", answer.text());
            let refused = others
                .api(&operation.method, &operation.path, Value::Null)
                .await
                .expect(403);
            assert_eq!(refused["error"]["kind"], "policy_denied", "{place}");
            let message = refused["error"]["message"].as_str().expect("a message");
            assert!(message.contains(scope.as_str()), "{place}: {message}");
        }
    }
}

#[tokio::test]
async fn a_link_is_made_only_for_callers_who_may_change_accounts_whichever_operation_it_comes_from() {
    let vendor = Vendor::start().await;
    let host = host_with(&vendor).await;
    let server = McpServer::of(&host, "ada").await;
    let reader = Caller::new(&host, "dev", BTreeSet::from([Scope::AccountsRead])).await;
    let path = format!("/api/v1/mcp_servers/{}/auth_state?identifier=ada", server.id);
    reader.get(&path).await.expect(200);
    let refused = reader
        .get(&format!("{path}&include_links=true"))
        .await
        .expect(403);
    let message = refused["error"]["message"].as_str().expect("a message");
    assert!(message.contains(Scope::AccountsWrite.as_str()), "{message}");
    let accounts = reader.get("/api/v1/connected_accounts").await.expect(200);
    assert_eq!(accounts["items"], json!([]), "no account was made for a link");
}

#[tokio::test]
async fn a_wrong_client_and_a_wrong_secret_get_the_same_answer() {
    let host = TestHost::start().await;
    let url = format!("{}/oauth/token", host.base_url);
    let unknown = ClientId::generate();
    let mut answers = BTreeSet::new();
    for (id, secret) in [
        (host.client_id.as_str(), "vks_wrong"),
        (unknown.as_str(), host.client_secret.as_str()),
        ("nobody", ""),
        ("", ""),
    ] {
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let answer = host.http.post_form(&url, &form).await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").starts_with("Basic "));
        answers.insert(answer.text());
    }
    assert_eq!(answers.len(), 1);
}

#[tokio::test]
async fn a_client_gets_a_token_by_basic_or_by_form_with_no_more_than_its_scopes() {
    let host = TestHost::start().await;
    let url = format!("{}/oauth/token", host.base_url);
    let basic = STANDARD.encode(format!("{}:{}", host.client_id, host.client_secret));
    let headers = [
        ("authorization", format!("Basic {basic}")),
        ("content-type", "application/x-www-form-urlencoded".to_owned()),
    ];
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let form = "grant_type=client_credentials&scope=tools:read%20tools:execute&resource=ignored";
    let token = host
        .http
        .send(Method::POST, &url, &headers, form)
        .await
        .expect(200);
    assert_eq!(token["scope"], "tools:read tools:execute");
    assert_eq!(
        (&token["token_type"], &token["expires_in"]),
        (&"Bearer".into(), &600.into())
    );

    let credentials = format!(
        "client_id={}&client_secret={}",
        host.client_id, host.client_secret
    );
    for (form, field) in [
        (format!("grant_type=password&{credentials}"), "/grant_type"),
        (credentials.clone(), "/grant_type"),
        (
            format!("grant_type=client_credentials&scope=root&{credentials}"),
            "/scope",
        ),
        (
            format!("grant_type=client_credentials&{credentials}&client_id=x"),
            "/client_id",
        ),
    ] {
        let refused = host.http.post_form(&url, &form).await.expect(400);
        assert_eq!(refused["error"]["fields"][0]["path"], field, "{refused}");
    }
    let narrow = Caller::new(&host, "dev", BTreeSet::from([Scope::ToolsRead])).await;
    assert_eq!(narrow.get("/api/v1/tools").await.status, 200);
}

#[tokio::test]
async fn a_token_ends_with_its_time_and_with_its_clients_tokens() {
    let host = TestHost::start().await;
    let access = &host.runtime.access;
    let id = ClientId::new(host.client_id.as_str()).expect("an id");
    let path = "/api/v1/tools";
    assert_eq!(host.api(Method::GET, path, Value::Null).await.status, 200);
    access
        .revoke_tokens(&id, &Actor::Operator)
        .await
        .expect("revoked");
    assert_eq!(host.api(Method::GET, path, Value::Null).await.status, 401);

    let fresh = Caller::superuser(&host, "dev").await;
    assert_eq!(fresh.get(path).await.status, 200);
    host.clock().advance(Duration::from_secs(600 + 61));
    assert_eq!(fresh.get(path).await.status, 401);
}

#[tokio::test]
async fn a_removed_client_gets_no_more_tokens_and_others_keep_theirs() {
    let host = TestHost::start().await;
    let id = ClientId::new(host.client_id.as_str()).expect("an id");
    host.runtime
        .access
        .remove_client(&id, &Actor::Operator)
        .await
        .expect("removed");
    let (id, secret) = (host.client_id.clone(), host.client_secret.clone());
    let other = Caller::superuser(&host, "dev").await;
    assert_eq!(other.get("/api/v1/tools").await.status, 200);
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let url = format!("{}/oauth/token", host.base_url);
    assert_eq!(host.http.post_form(&url, &form).await.status, 401);
}

#[tokio::test]
async fn a_token_counts_only_where_it_belongs() {
    let host = TestHost::start().await;
    let token = host.token();
    let url = format!("{}/api/v1/tools", host.base_url);
    for query in [format!("access_token={token}"), format!("token={token}")] {
        let answer = host.http.get(&format!("{url}?{query}")).await;
        assert_eq!(answer.status, 401, "never in a query: {}", answer.text());
    }
    let cookie = format!("access_token={token}");
    let answer = host
        .http
        .send(Method::GET, &url, &[("cookie", &cookie)], "")
        .await;
    assert_eq!(answer.status, 401, "never in a cookie");

    let other = TestHost::start().await;
    let answer = request(
        &other,
        &Method::GET,
        "/api/v1/tools",
        Some(&format!("Bearer {token}")),
        Value::Null,
    )
    .await;
    assert_eq!(answer.status, 401, "another host's token");
}

#[tokio::test]
async fn no_other_site_may_use_the_api_from_a_browser() {
    let host = TestHost::start().await;
    let bearer = format!("Bearer {}", host.token());
    let preflight = [
        ("origin", "https://evil.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    ];
    for path in [
        "/api/v1/execute_tool",
        "/oauth/token",
        "/proxy/crm/v3/objects/contacts",
        "/api/v1/tools",
    ] {
        let url = format!("{}{path}", host.base_url);
        let answer = host.http.send(Method::OPTIONS, &url, &preflight, "").await;
        assert!(!answer.status.is_success(), "{path}");
        let headers = [
            ("origin", "https://evil.example"),
            ("authorization", bearer.as_str()),
        ];
        let asked = host.http.send(Method::GET, &url, &headers, "").await;
        for answer in [answer, asked] {
            let leaks = answer
                .headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control-"));
            assert!(!leaks, "{path}: {:?}", answer.headers);
        }
    }
}
