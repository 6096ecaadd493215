//! Access tokens of an organization's own authorization server, its keys over HTTP or in a file.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use valetkey::config::Issuer;
use valetkey_tests::World;
use valetkey_vendors::{Options, Side};

use crate::rig::{Message, get as read, last, listed, server};

/// An authorization server's key, and tokens signed by it.
struct Idp {
    pair: Ed25519KeyPair,
}

impl Idp {
    fn new() -> Self {
        Self {
            pair: Ed25519KeyPair::generate().expect("a key"),
        }
    }

    fn keys(&self) -> Value {
        let public = URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "use": "sig", "alg": "EdDSA", "x": public}]})
    }

    fn token(&self, claims: &Value) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"k1","typ":"at+jwt"}"#);
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        let signed = format!("{header}.{payload}");
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }
}

fn trusted(issuer: &str, environment: &str) -> Issuer {
    Issuer {
        issuer: issuer.to_owned(),
        environments: vec![environment.to_owned()],
        identifier_claim: "email".to_owned(),
        development: true,
        ..Issuer::default()
    }
}

fn claims(world: &World, issuer: &str, audience: &str) -> Value {
    let now = world.host.clock().now().as_second();
    json!({"iss": issuer, "aud": audience, "sub": "u-17", "email": "ada", "exp": now + 300, "scope": "mcp:write"})
}

fn list() -> Message {
    Message::new("tools/list", json!({}))
}

#[tokio::test]
async fn a_trusted_issuers_token_acts_as_its_user_within_its_scopes() {
    let idp = Arc::new(Idp::new());
    let fetched = Arc::new(AtomicUsize::new(0));
    let (keys, counter) = (idp.keys(), Arc::clone(&fetched));
    let router = Router::new().route(
        "/keys",
        get(move || async move {
            counter.fetch_add(1, Ordering::SeqCst);
            axum::Json(keys)
        }),
    );
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let issuer = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let setting = Issuer {
        jwks_url: Some(format!("{issuer}/keys")),
        ..trusted(&issuer, "dev")
    };
    let world = World::start_with(|config| config.mcp.issuers = vec![setting], Options::default()).await;
    world.connect("hubspot", "ada").await;
    let host = &world.host;
    let all = server(host, "all", json!({})).await;

    let path = all.url.strip_prefix(&host.base_url).expect("our URL");
    let metadata = format!("{}/.well-known/oauth-protected-resource{path}", host.base_url);
    let metadata = read(host, &metadata, &[]).await.expect(200);
    assert_eq!(metadata["authorization_servers"], json!([issuer]));

    let good = idp.token(&claims(&world, &issuer, &all.url));
    let answer = Message::call("hubspot_whoami", json!({}))
        .send_as(host, &all.url, Some(&good))
        .await;
    assert_eq!(last(&answer)["result"]["isError"], false, "{}", answer.text());
    let entry = world.vendors.log().of(Side::Api).pop().expect("a request");
    assert_eq!(entry.user.as_deref(), Some("ada"), "the claim names the user");
    assert_eq!(fetched.load(Ordering::SeqCst), 1);

    let mut reads = claims(&world, &issuer, &all.url);
    reads["scope"] = json!("openid mcp:read");
    let session = crate::rig::Session {
        id: String::new(),
        url: all.url.clone(),
        token: idp.token(&reads),
    };
    let shown = listed(host, &session).await;
    assert!(
        shown.contains(&"hubspot_whoami".to_owned()) && !shown.contains(&"hubspot_contact_create".to_owned())
    );

    let mut none = claims(&world, &issuer, &all.url);
    none["scope"] = json!("openid");
    let answer = list().send_as(host, &all.url, Some(&idp.token(&none))).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    let challenge = answer.header("www-authenticate");
    assert!(
        challenge.contains("insufficient_scope") && challenge.contains("mcp:read mcp:write"),
        "{challenge}"
    );
    assert_eq!(
        fetched.load(Ordering::SeqCst),
        1,
        "the keys are not fetched for each request"
    );
}

#[tokio::test]
async fn every_other_token_is_refused_with_one_answer() {
    let idp = Idp::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.json");
    std::fs::write(&file, idp.keys().to_string()).expect("written");
    let of = |issuer: &str, environment: &str, file: &Path| Issuer {
        jwks_file: Some(file.to_owned()),
        ..trusted(issuer, environment)
    };
    let (issuer, foreign) = ("https://idp.example", "https://other.example");
    let settings = vec![of(issuer, "dev", &file), of(foreign, "prod", &file)];
    let world = World::start_with(|config| config.mcp.issuers = settings, Options::default()).await;
    let host = &world.host;
    let all = server(host, "all", json!({})).await;
    let other = server(host, "other", json!({})).await;
    let good = claims(&world, issuer, &all.url);
    let refused = async |token: String, what: &str| {
        let answer = list().send_as(host, &all.url, Some(&token)).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text());
        assert!(
            answer.header("www-authenticate").contains("invalid_token"),
            "{what}"
        );
        answer.text()
    };
    assert_eq!(
        list()
            .send_as(host, &all.url, Some(&idp.token(&good)))
            .await
            .status,
        200
    );
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        idp.token(&claims)
    };
    let mut answers = std::collections::BTreeSet::new();
    for (token, what) in [
        (with("aud", json!(other.url)), "another server"),
        (with("aud", json!(format!("{}/api", host.base_url))), "the API"),
        (with("aud", Value::Null), "no audience"),
        (with("iss", json!("https://idp.example/")), "almost the issuer"),
        (with("iss", json!("https://unknown.example")), "an unknown issuer"),
        (with("iss", json!(foreign)), "an issuer of another environment"),
        (with("exp", json!(1)), "expired"),
        (with("exp", Value::Null), "no end"),
        (with("email", Value::Null), "no user"),
        (Idp::new().token(&good), "another key"),
    ] {
        answers.insert(refused(token, what).await);
    }
    assert_eq!(answers.len(), 1);
    let connection = format!("{}/mcp/connections/hubspot", host.base_url);
    let token = with("aud", json!(connection));
    assert_eq!(list().send_as(host, &connection, Some(&token)).await.status, 401);
}
