//! Vendors that speak OAuth in a way of their own: tokens elsewhere in the answer, JSON instead of
//! forms, hosts out of the token answer, a check by POST, refusals that are no 401.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use serde_json::{Value, json as value};
use valetkey::accounts::{AccountState, GivenCredential, Reason};
use valetkey::error::Kind;
use valetkey::secret::Secret;
use valetkey_manifest::Manifest;
use valetkey_manifest::auth::{ClientAuth, OAuth2};
use valetkey_tests::TestHost;
use valetkey_tests::http::Answer;

use crate::rig::{
    Rig, actor, begin, connect, environment, install, link_request, manifest, name, new_account, open, query,
};
use crate::vendor::{Seen, Vendor, json};

/// A rig whose connector is changed before its connection `main` is made.
async fn rig_with(change: impl FnOnce(&mut Manifest)) -> Rig {
    let vendor = Vendor::start().await;
    let host = TestHost::start_with(|_| {}).await;
    let mut manifest = manifest();
    change(&mut manifest);
    install(&host, &manifest).await;
    let rig = Rig { host, vendor };
    rig.connection("main", |new| new.proxy = true).await;
    rig
}

fn oauth2(manifest: &mut Manifest) -> &mut OAuth2 {
    manifest.auth[0].oauth2.as_mut().expect("OAuth")
}

fn from_json<T: serde::de::DeserializeOwned>(text: Value) -> T {
    serde_json::from_value(text).expect("a part of a manifest")
}

/// A raw request of `who` with the credential of their account.
async fn raw(rig: &Rig, who: &str, path: &str) -> Answer {
    let bearer = format!("Bearer {}", rig.host.token());
    let headers = [
        ("authorization", bearer.as_str()),
        ("connection_name", "main"),
        ("identifier", who),
    ];
    let url = format!("{}/proxy{path}", rig.host.base_url);
    rig.host
        .http
        .send(Method::GET, &url, &headers, String::new())
        .await
}

#[tokio::test]
async fn a_token_endpoint_that_reads_json_is_written_json_for_exchange_refresh_and_revocation() {
    for client_auth in [ClientAuth::Post, ClientAuth::Basic] {
        let rig = rig_with(|manifest| {
            let oauth2 = oauth2(manifest);
            oauth2.token_body = from_json(value!("json"));
            oauth2.client_auth = client_auth;
        })
        .await;
        let id = rig.connect("ada").await;
        rig.advance(3700);
        assert_eq!(rig.token("ada").await.unwrap(), "access-2");
        rig.accounts()
            .disconnect(&environment(), &id, &actor())
            .await
            .unwrap();

        let asked = rig.vendor.seen("/token");
        let revoked = rig.vendor.seen("/revoke");
        let all: Vec<&Seen> = asked.iter().chain(&revoked).collect();
        assert_eq!(all.len(), 3);
        for seen in &all {
            assert_eq!(seen.headers["content-type"], "application/json");
            let (body, basic) = (seen.json(), seen.authorization.starts_with("Basic "));
            let posted = body["client_secret"] == "client-secret-canary" && body["client_id"] == "client";
            assert_eq!(
                (posted, basic),
                (client_auth == ClientAuth::Post, client_auth == ClientAuth::Basic)
            );
        }
        let exchange = all[0].json();
        assert_eq!(exchange["grant_type"], "authorization_code");
        assert_eq!(exchange["code"], "good");
        assert!(
            exchange["code_verifier"]
                .as_str()
                .is_some_and(|text| text.len() >= 43)
        );
        let redirect = format!("{}/oauth/callback/dev/main", rig.host.base_url);
        assert_eq!(exchange["redirect_uri"], redirect);
        let refresh = all[1].json();
        assert_eq!(
            (&refresh["grant_type"], &refresh["refresh_token"]),
            (&value!("refresh_token"), &value!("refresh-1"))
        );
        assert_eq!(all[2].json()["token"], "refresh-2");
        assert_eq!(all[2].json().get("token_type_hint"), None);
    }
}

#[tokio::test]
async fn the_users_token_is_taken_where_the_vendor_keeps_it_and_refreshed_where_it_answers_then() {
    let rig = rig_with(|manifest| {
        let oauth2 = oauth2(manifest);
        oauth2.scope_param = "user_scope".to_owned();
        oauth2.scope_separator = ",".to_owned();
        oauth2.token_response = Some(from_json(value!({
            "access_token": "/authed_user/access_token", "refresh_token": "/authed_user/refresh_token",
            "expires_in": "/authed_user/expires_in", "scope": "/authed_user/scope"
        })));
    })
    .await;
    rig.vendor.on_token(|seen, _| {
        if seen.field("grant_type") == "refresh_token" {
            return json(
                200,
                r#"{"ok":true,"access_token":"xoxe-2","refresh_token":"next-2","expires_in":43200,"scope":"read"}"#,
            );
        }
        json(
            200,
            r#"{"ok":true,"access_token":"xoxb-bot","token_type":"bot","scope":"chat:write","refresh_token":"bot-refresh",
               "authed_user":{"id":"U1","access_token":"xoxp-1","refresh_token":"next-1","token_type":"user",
                              "expires_in":43200,"scope":"read,write"}}"#,
        )
    });
    let link = rig
        .accounts()
        .create_link(&environment(), link_request("main", "ada"), &actor())
        .await
        .unwrap();
    let sent = open(rig.accounts(), &link.authorization_link).await;
    assert_eq!(sent["user_scope"], "read,write");
    assert!(!sent.contains_key("scope"), "{sent:?}");
    let back = query(&[("code", "good"), ("state", &sent["state"])]);
    rig.accounts()
        .callback(&environment(), &name("main"), back, None)
        .await
        .unwrap();
    assert_eq!(rig.token("ada").await.unwrap(), "xoxp-1");
    assert_eq!(rig.vendor.seen("/whoami")[0].authorization, "Bearer xoxp-1");
    let account = rig.account(&link.connected_account_id).await;
    assert_eq!(&*account.scopes, ["read", "write"], "the user's, not the bot's");

    rig.advance(43_300);
    assert_eq!(rig.token("ada").await.unwrap(), "xoxe-2");
    assert_eq!(rig.vendor.seen("/token")[1].field("refresh_token"), "next-1");
    rig.advance(43_300);
    rig.token("ada").await.unwrap();
    assert_eq!(rig.vendor.seen("/token")[2].field("refresh_token"), "next-2");
}

/// The connector whose accounts live on instances that the token answer names.
fn at_instances(manifest: &mut Manifest) {
    manifest.account_config = from_json(value!({"instance": {
        "title": "Instance", "description": "The host of your organisation.", "required": true,
        "pattern": "[a-z0-9-]+(\\.[a-z0-9-]+)*\\.force\\.example",
        "from_token_response": "/instance_url", "take": "host"
    }}));
    manifest.endpoints.get_mut("api").expect("an endpoint").url = "https://{config.instance}".to_owned();
}

fn at(number: usize, instance: &str) -> crate::vendor::Reply {
    json(
        200,
        format!(
            r#"{{"access_token":"access-{number}","refresh_token":"refresh-{number}","expires_in":3600,"instance_url":"{instance}"}}"#
        ),
    )
}

#[tokio::test]
async fn requests_follow_the_instance_that_the_last_token_answer_named() {
    let rig = rig_with(at_instances).await;
    let (one, two) = (Vendor::start().await, Vendor::start().await);
    for instance in [&one, &two] {
        instance.on("/data", |_, _| json(200, "{}"));
    }
    rig.connection("moving", |new| {
        let endpoints = [("api".to_owned(), "http://{config.instance}".to_owned())];
        new.endpoints = BTreeMap::from(endpoints);
        new.proxy = true;
    })
    .await;
    let (first, second) = (one.url.clone(), two.url.clone());
    rig.vendor
        .on_token(move |_, number| at(number, if number == 1 { &first } else { &second }));
    let id = connect(rig.accounts(), "moving", "ada").await;
    let authority = |vendor: &Vendor| vendor.url.trim_start_matches("http://").to_owned();
    let instance = |account: Arc<valetkey::accounts::Account>| account.account_config["instance"].clone();
    assert_eq!(instance(rig.account(&id).await), authority(&one));
    assert_eq!((one.seen("/whoami").len(), two.seen("/whoami").len()), (1, 0));

    rig.advance(3700);
    rig.token("ada").await.unwrap();
    assert_eq!(instance(rig.account(&id).await), authority(&two));
    rig.host.sign_in().await;
    let bearer = format!("Bearer {}", rig.host.token());
    let headers = [
        ("authorization", bearer.as_str()),
        ("connection_name", "moving"),
        ("identifier", "ada"),
    ];
    let url = format!("{}/proxy/data", rig.host.base_url);
    let answer = rig
        .host
        .http
        .send(Method::GET, &url, &headers, String::new())
        .await;
    answer.expect(200);
    assert_eq!((one.seen("/data").len(), two.seen("/data").len()), (0, 1));
    assert_eq!(two.seen("/data")[0].authorization, "Bearer access-2");
}

#[tokio::test]
async fn two_instances_of_one_simulator_are_told_apart_by_their_names() {
    let rig = rig_with(at_instances).await;
    let base = rig.vendor.url.clone();
    rig.connection("sandbox", |new| {
        let endpoints = [("api".to_owned(), format!("{base}/{{config.instance}}"))];
        new.endpoints = BTreeMap::from(endpoints);
    })
    .await;
    for instance in ["ada", "bob"] {
        let whoami = format!(r#"{{"id":"{instance}","name":"{instance}"}}"#);
        rig.vendor
            .on(&format!("/{instance}.my.force.example/whoami"), move |_, _| {
                json(200, whoami.clone())
            });
    }
    rig.vendor.on_token(|_, number| {
        at(
            number,
            if number == 1 {
                "https://ADA.my.force.example/"
            } else {
                "https://bob.my.force.example"
            },
        )
    });
    for who in ["ada", "bob"] {
        let id = connect(rig.accounts(), "sandbox", who).await;
        assert_eq!(rig.account(&id).await.subject.as_deref(), Some(who));
    }
}

#[tokio::test]
async fn an_instance_that_is_not_the_vendors_is_never_asked() {
    let rig = rig_with(at_instances).await;
    let wrong = [
        "https://evil.example",
        "https://ada.my.force.example.evil.example",
        "http://ada.my.force.example",
        "https://ada.my.force.example:8443",
    ];
    for (number, instance) in wrong.into_iter().enumerate() {
        rig.vendor.on_token(move |_, number| at(number, instance));
        let (link, state) = begin(rig.accounts(), "main", &format!("user-{number}")).await;
        let back = query(&[("code", "good"), ("state", &state)]);
        let refused = rig
            .accounts()
            .callback(&environment(), &name("main"), back, None)
            .await
            .unwrap_err();
        assert_eq!(
            (refused.kind(), refused.reason_code()),
            (Kind::VendorRejected, Some("account_config")),
            "{instance}"
        );
        let account = rig.account(&link.connected_account_id).await;
        assert_eq!(account.state, AccountState::PendingAuth);
        rig.vendor.wait_for("/revoke", number + 1).await;
    }
    assert!(rig.vendor.seen("/whoami").is_empty());
}

#[tokio::test]
async fn a_check_by_post_sends_its_body_and_headers_and_names_the_account() {
    let rig = rig_with(|manifest| {
        manifest.verify = Some(from_json(value!({
            "endpoint": "api", "method": "POST", "path": "/graphql",
            "body": {"query": "{ viewer { id name } }"}, "headers": {"X-Client": "valetkey"},
            "subject": "/data/viewer/id", "label": "/data/viewer/name"
        })));
    })
    .await;
    rig.vendor.on("/graphql", |_, _| {
        json(200, r#"{"data":{"viewer":{"id":"u-7","name":"Ada"}}}"#)
    });
    let id = rig.connect("ada").await;
    let account = rig.account(&id).await;
    assert_eq!(
        (account.subject.as_deref(), account.label.as_deref()),
        (Some("u-7"), Some("Ada"))
    );
    let asked = rig.vendor.seen("/graphql");
    assert_eq!((asked.len(), asked[0].method.as_str()), (1, "POST"));
    assert_eq!(asked[0].json(), value!({"query": "{ viewer { id name } }"}));
    assert_eq!(asked[0].headers["content-type"], "application/json");
    assert_eq!(asked[0].headers["x-client"], "valetkey");
    assert_eq!(asked[0].authorization, "Bearer access-1");
}

/// The connector whose vendor says with a 200 that a token is no longer good.
fn with_refusals(manifest: &mut Manifest) {
    manifest.refusals = vec![from_json(value!({
        "status": 200, "pointer": "/error", "values": ["token_expired", "invalid_auth"]
    }))];
}

const EXPIRED: &str = r#"{"ok":false,"error":"token_expired"}"#;

#[tokio::test]
async fn a_refusal_that_is_no_401_is_refreshed_and_the_call_answered() {
    let rig = rig_with(with_refusals).await;
    rig.connect("ada").await;
    rig.vendor.on("/list", |seen, _| {
        if seen.authorization == "Bearer access-1" {
            json(200, EXPIRED)
        } else {
            json(200, r#"{"ok":true,"items":[1]}"#)
        }
    });
    let answer = raw(&rig, "ada", "/list").await;
    assert_eq!(answer.expect(200), value!({"ok": true, "items": [1]}));
    let sent: Vec<String> = rig
        .vendor
        .seen("/list")
        .into_iter()
        .map(|seen| seen.authorization)
        .collect();
    assert_eq!(sent, ["Bearer access-1", "Bearer access-2"]);
    let record = rig
        .host
        .runtime
        .journal
        .find("dev", &answer.header("x-execution-id"));
    assert_eq!(record.expect("a record").renewals, 1);
}

#[tokio::test]
async fn a_refusal_whose_refresh_is_refused_expires_the_account() {
    let rig = rig_with(with_refusals).await;
    let id = rig.connect("ada").await;
    rig.vendor.on("/list", |_, _| json(200, EXPIRED));
    rig.vendor
        .on_token(|_, _| json(400, r#"{"error":"invalid_grant"}"#));
    let answer = raw(&rig, "ada", "/list").await;
    assert!(!answer.status.is_success(), "{}", answer.text());
    let account = rig.account(&id).await;
    assert_eq!(
        (account.state, account.reason),
        (AccountState::Expired, Some(Reason::RefreshRejected))
    );
    assert_eq!(rig.vendor.seen("/list").len(), 1);
}

#[tokio::test]
async fn a_key_that_is_refused_without_a_401_is_checked_once_and_expires() {
    let rig = rig_with(with_refusals).await;
    rig.connection("keys", |new| {
        new.auth = Some("key".to_owned());
        new.oauth = None;
        new.proxy = true;
    })
    .await;
    let good = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&good);
    rig.vendor.on_whoami(move |_, _| {
        json(
            200,
            // A body that names the account would be an acceptance, were it not declared.
            if still.load(Ordering::SeqCst) {
                r#"{"id":"acct-1"}"#
            } else {
                r#"{"id":"acct-1","error":"invalid_auth"}"#
            },
        )
    });
    let inputs = BTreeMap::from([("api_key".to_owned(), Secret::new("key-abc".to_owned()))]);
    let account = rig
        .accounts()
        .create_account(
            &environment(),
            new_account("keys", "ada", Some(GivenCredential::Inputs(inputs))),
            &actor(),
        )
        .await
        .unwrap();
    good.store(false, Ordering::SeqCst);
    rig.vendor.on("/list", |_, _| json(200, EXPIRED));
    let bearer = format!("Bearer {}", rig.host.token());
    let headers = [
        ("authorization", bearer.as_str()),
        ("connection_name", "keys"),
        ("identifier", "ada"),
    ];
    let url = format!("{}/proxy/list", rig.host.base_url);
    let answer = rig
        .host
        .http
        .send(Method::GET, &url, &headers, String::new())
        .await;
    assert!(!answer.status.is_success(), "{}", answer.text());
    let account = rig.account(&account.id).await;
    assert_eq!(
        (account.state, account.reason),
        (AccountState::Expired, Some(Reason::CredentialCheckFailed))
    );
}

#[tokio::test]
async fn a_refresh_refused_by_a_code_that_the_manifest_declares_sends_the_owner_to_connect_again() {
    let refused = (AccountState::Expired, Some(Reason::RefreshRejected));
    for (declared, ends) in [(true, true), (false, false)] {
        let rig = rig_with(|manifest| {
            if declared {
                oauth2(manifest).grant_errors = vec!["refresh_token_gone".to_owned()];
            }
        })
        .await;
        let id = rig.connect("ada").await;
        rig.vendor
            .on_token(|_, _| json(403, r#"{"error":"refresh_token_gone"}"#));
        rig.advance(3700);
        rig.token("ada").await.unwrap_err();
        let account = rig.account(&id).await;
        assert_eq!(
            (account.state, account.reason) == refused,
            ends,
            "{:?}",
            account.state
        );
    }
}
