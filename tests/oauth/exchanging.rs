//! Accounts whose owner gave keys that the host exchanges for access tokens: service accounts
//! (RFC 7523) and clients of their own (RFC 6749 section 4.4).

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json as value};
use valetkey::accounts::{AccountState, GivenCredential, Reason, Step};
use valetkey::error::Kind;
use valetkey::secret::Secret;
use valetkey_manifest::{Auth, ConfigInput, Manifest};
use valetkey_tests::{TestHost, keys};

use crate::rig::{
    Rig, actor, browser, decode, environment, install, link_request, manifest, new_account, soon, text,
    ticket,
};
use crate::vendor::{Reply, Seen, Vendor, json};

const ROBOT: &str = "robot@project.example";

/// The connector with a service account, a client with a secret and one with a key.
fn with_keys() -> Manifest {
    let scheme = |auth: Value| -> Auth { serde_json::from_value(auth).expect("a scheme") };
    let mut manifest = manifest();
    manifest.auth = vec![
        scheme(value!({
            "id": "service", "kind": "jwt_bearer", "title": "Service account",
            "inputs": {
                "client_email": {"title": "Address", "secret": false},
                "private_key": {"title": "Private key", "multiline": true}
            },
            "grant": {
                "token_url": "https://vendor.example/token", "scopes": ["read", "write"], "scope_in_form": false,
                "assertion": {
                    "algorithm": "RS256", "key": "private_key", "lifetime_seconds": 600,
                    "claims": {"iss": "{inputs.client_email}", "aud": "{token_url}", "scope": "{scopes}",
                        "sub": "{config.user}"}
                }
            }
        })),
        scheme(value!({
            "id": "machine", "kind": "client_credentials", "title": "Client",
            "inputs": {
                "client_id": {"title": "Client id", "secret": false},
                "client_secret": {"title": "Client secret"}
            },
            "grant": {"token_url": "https://vendor.example/token", "client_auth": "basic", "scopes": ["read"],
                "params": {"audience": "https://{config.user}.example"}}
        })),
        scheme(value!({
            "id": "signed", "kind": "client_credentials", "title": "Client with a key",
            "inputs": {
                "client_id": {"title": "Client id", "secret": false},
                "private_key": {"title": "Private key", "multiline": true}
            },
            "grant": {"token_url": "https://vendor.example/token", "assertion": {
                "algorithm": "ES256", "key": "private_key", "key_id": "k1", "lifetime_seconds": 60,
                "claims": {"iss": "{inputs.client_id}", "sub": "{inputs.client_id}", "aud": "{token_url}",
                    "jti": "{nonce}"}
            }}
        })),
    ];
    let config = |required, from: Option<&str>| ConfigInput {
        title: "Value".to_owned(),
        description: "A value.".to_owned(),
        pattern: Some("[a-z0-9.-]+".to_owned()),
        example: None,
        required,
        from_token_response: from.map(str::to_owned),
        take: None,
    };
    manifest.account_config = BTreeMap::from([
        ("user".to_owned(), config(true, None)),
        ("instance".to_owned(), config(false, Some("/instance"))),
    ]);
    manifest
}

async fn rig() -> Rig {
    let vendor = Vendor::start().await;
    vendor.on_token(|_, number| granted(number));
    let host = TestHost::start_with(|_| {}).await;
    install(&host, &with_keys()).await;
    let rig = Rig { host, vendor };
    for scheme in ["service", "machine", "signed"] {
        let url = format!("{}/token", rig.vendor.url);
        rig.connection(scheme, |new| {
            new.auth = Some(scheme.to_owned());
            new.oauth = None;
            new.token_url = Some(url);
        })
        .await;
    }
    rig
}

fn granted(number: usize) -> Reply {
    json(
        200,
        format!(r#"{{"access_token":"access-{number}","expires_in":3600,"instance":"eu-{number}"}}"#),
    )
}

fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    pairs
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Secret::new((*text).to_owned())))
        .collect()
}

fn service_inputs() -> BTreeMap<String, Secret> {
    values(&[("client_email", ROBOT), ("private_key", &keys::RSA.pem)])
}

/// Connects an identifier on a connection by what its application knows.
async fn connected(rig: &Rig, connection: &str, who: &str, inputs: BTreeMap<String, Secret>) -> Value {
    let mut new = new_account(connection, who, Some(GivenCredential::Inputs(inputs)));
    new.account_config = BTreeMap::from([("user".to_owned(), "ada".to_owned())]);
    let account = rig
        .accounts()
        .create_account(&environment(), new, &actor())
        .await
        .expect("an account");
    serde_json::to_value(&*account).expect("JSON")
}

/// The claims of an assertion that the key of this run signed.
fn claims(assertion: &str, algorithm: &str) -> (Value, Value) {
    let (signed, signature) = assertion.rsplit_once('.').expect("three parts");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    assert!(keys::is_signed(algorithm, signed.as_bytes(), &signature));
    let (head, claims) = signed.split_once('.').expect("three parts");
    let part =
        |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64")).expect("JSON");
    (part(head), part(claims))
}

fn field(seen: &Seen, name: &str) -> String {
    decode(seen.field(name))
}

#[tokio::test]
async fn a_service_account_is_connected_by_its_form_and_asks_with_a_signed_assertion() {
    let rig = rig().await;
    let link = rig
        .accounts()
        .create_link(&environment(), link_request("service", "ada"), &actor())
        .await
        .unwrap();
    let ticket = ticket(&link.authorization_link);
    let opened = rig.accounts().open_link(&ticket, None).await.unwrap();
    let Step::Form(page) = opened else {
        panic!("not a form: {opened:?}")
    };
    let asked: Vec<_> = page
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.secret, field.multiline))
        .collect();
    assert_eq!(
        asked[..2],
        [("client_email", false, false), ("private_key", true, true)]
    );

    // As it stands in the vendor's JSON file: one line, its breaks escaped.
    let escaped = keys::RSA.pem.trim().replace('\n', "\\n");
    let entered = values(&[
        ("client_email", ROBOT),
        ("private_key", &escaped),
        ("config.user", "ada"),
    ]);
    let step = rig
        .accounts()
        .submit_form(&ticket, entered, &browser("ada"))
        .await
        .unwrap();
    assert!(matches!(step, Step::Connected(_)), "{step:?}");
    let asked = &rig.vendor.seen("/token")[0];
    assert_eq!(
        field(asked, "grant_type"),
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    assert_eq!(asked.form.len(), 2, "grant type and assertion alone: {asked:?}");
    let (head, claims) = claims(&field(asked, "assertion"), "RS256");
    assert_eq!(head, value!({"typ": "JWT", "alg": "RS256"}));
    assert_eq!(claims["iss"], ROBOT);
    assert_eq!(claims["sub"], "ada");
    assert_eq!(claims["scope"], "read write");
    assert_eq!(claims["aud"], format!("{}/token", rig.vendor.url));
    assert_eq!(claims["iat"], rig.host.clock().now().as_second());
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        600
    );
    assert_eq!(rig.vendor.seen("/whoami")[0].authorization, "Bearer access-1");
    let account = rig.account(&link.connected_account_id).await;
    assert_eq!(account.state, AccountState::Active);
    assert_eq!(
        account.account_config["instance"], "eu-1",
        "what the vendor said of it"
    );
    assert_eq!(rig.token("ada").await.unwrap(), "access-1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_runs_out_is_replaced_by_one_new_assertion_for_all() {
    let rig = rig().await;
    connected(&rig, "service", "ada", service_inputs()).await;
    rig.advance(3600 - 301);
    assert_eq!(rig.token("ada").await.unwrap(), "access-1");
    rig.advance(400);
    let calls = (0..100).map(|_| rig.token("ada"));
    for token in futures_util::future::join_all(calls).await {
        assert_eq!(token.unwrap(), "access-2");
    }
    let asked = rig.vendor.seen("/token");
    assert_eq!(asked.len(), 2, "one to connect, one for all callers");
    let issued = |seen: &Seen| claims(&field(seen, "assertion"), "RS256").1["iat"].as_i64();
    let between = issued(&asked[1]).unwrap() - issued(&asked[0]).unwrap();
    assert!(between >= 3600 + 99, "{between}");
    // A 401 before its time brings another one, too.
    let usable = rig.pick("ada").await.unwrap();
    let credential = usable.credentials.current(soon()).await.unwrap();
    rig.advance(120);
    let renewed = usable
        .credentials
        .renew(credential.generation, soon())
        .await
        .unwrap();
    assert_eq!(text(&renewed), "access-3");
}

#[tokio::test]
async fn a_refused_assertion_expires_the_account_and_an_outage_does_not() {
    let rig = rig().await;
    let account = connected(&rig, "service", "ada", service_inputs()).await;
    let id = serde_json::from_value(account["id"].clone()).unwrap();
    rig.vendor.on_token(|_, _| json(503, ""));
    rig.advance(3700);
    assert_eq!(
        rig.token("ada").await.unwrap_err().kind(),
        Kind::VendorUnavailable
    );
    assert_eq!(rig.account(&id).await.state, AccountState::Active);
    rig.vendor
        .on_token(|_, _| json(400, r#"{"error":"invalid_grant"}"#));
    rig.advance(120);
    assert_eq!(rig.token("ada").await.unwrap_err().kind(), Kind::AccountNotActive);
    assert_eq!(rig.account(&id).await.state, AccountState::Expired);
}

#[tokio::test]
async fn a_crash_while_the_vendor_is_asked_loses_nothing() {
    let rig = rig().await;
    connected(&rig, "service", "ada", service_inputs()).await;
    rig.advance(3700);
    let gate = Arc::new(tokio::sync::Notify::new());
    let held = Arc::clone(&gate);
    rig.vendor
        .on_token(move |_, number| Reply::Hold(Arc::clone(&held), Box::new(granted(number))));
    let usable = rig.pick("ada").await.unwrap();
    let caller = tokio::spawn(async move { usable.credentials.current(soon()).await });
    rig.vendor.wait_for("/token", 2).await;
    rig.vendor.on_token(|_, number| granted(number));
    let revived = rig.crash().await;
    assert_eq!(revived.token("ada").await.unwrap(), "access-3");
    caller.abort();
    gate.notify_one();
}

#[tokio::test]
async fn a_client_of_the_accounts_own_proves_itself_as_the_vendor_wants() {
    let rig = rig().await;
    let secret = values(&[("client_id", "client-7"), ("client_secret", "s3cret/canary")]);
    connected(&rig, "machine", "ada", secret).await;
    let asked = &rig.vendor.seen("/token")[0];
    let expected = STANDARD.encode("client-7:s3cret%2Fcanary");
    assert_eq!(asked.authorization, format!("Basic {expected}"));
    assert_eq!(field(asked, "grant_type"), "client_credentials");
    assert_eq!(field(asked, "scope"), "read");
    assert_eq!(field(asked, "audience"), "https://ada.example");

    let key = values(&[("client_id", "client-8"), ("private_key", &keys::EC.pem)]);
    connected(&rig, "signed", "bob", key).await;
    let asked = &rig.vendor.seen("/token")[1];
    assert_eq!(asked.authorization, "");
    assert_eq!(field(asked, "client_id"), "client-8");
    assert_eq!(
        field(asked, "client_assertion_type"),
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    let (head, claims) = claims(&field(asked, "client_assertion"), "ES256");
    assert_eq!(head["kid"], "k1");
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&value!("client-8"), &value!("client-8"))
    );
    assert!(claims["jti"].as_str().is_some_and(|nonce| nonce.len() >= 20));
    assert_eq!(rig.token("bob").await.unwrap(), "access-2");
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_at_once_and_nothing_is_asked() {
    let rig = rig().await;
    let framed = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----";
    for key in ["canary", framed, &keys::EC.pem] {
        let inputs = values(&[("client_email", ROBOT), ("private_key", key)]);
        let mut new = new_account("service", "ada", Some(GivenCredential::Inputs(inputs)));
        new.account_config = BTreeMap::from([("user".to_owned(), "ada".to_owned())]);
        let fault = rig
            .accounts()
            .create_account(&environment(), new, &actor())
            .await
            .unwrap_err();
        assert_eq!(fault.kind(), Kind::InvalidInput);
        assert!(fault.public().contains("PEM") && !fault.public().contains("canary"));
    }
    assert!(rig.vendor.seen("/token").is_empty());
}

#[tokio::test]
async fn what_a_token_endpoint_refuses_is_not_kept() {
    let rig = rig().await;
    rig.vendor
        .on_token(|_, _| json(401, r#"{"error":"invalid_client"}"#));
    let secret = values(&[("client_id", "client-7"), ("client_secret", "wrong-canary")]);
    let mut new = new_account("machine", "ada", Some(GivenCredential::Inputs(secret)));
    new.account_config = BTreeMap::from([("user".to_owned(), "ada".to_owned())]);
    let fault = rig
        .accounts()
        .create_account(&environment(), new, &actor())
        .await
        .unwrap_err();
    assert_eq!(
        (fault.kind(), fault.reason_code()),
        (Kind::VendorRejected, Some(Reason::CredentialCheckFailed.as_str()))
    );
    assert_eq!(
        rig.pick("ada").await.err().map(|fault| fault.kind()),
        Some(Kind::AccountNotFound)
    );
    assert!(rig.vendor.seen("/whoami").is_empty());
}
