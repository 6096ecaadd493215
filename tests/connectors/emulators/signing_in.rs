//! Signing in at the emulators, staying connected, and being disconnected.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::rig::{Rig, Vendor};
use super::{google, linear};

/// The emulator has Microsoft's sign-in, and of Graph the profile alone.
const OUTLOOK: Vendor = Vendor {
    connector: "outlook",
    service: "microsoft",
    endpoints: &[("api", "/v1.0")],
    authorize: "/oauth2/v2.0/authorize",
    token: "/oauth2/v2.0/token",
    revoke: None,
    issued: "/access_token",
    applications: "oauth_clients",
};

fn microsoft() -> Value {
    json!({"users": [{"email": "ada@mail.example", "name": "Ada"}]})
}

/// The code comes back with another's verifier: the vendor refuses it, nobody is connected, and a new link heals it.
async fn another_verifier_is_refused(rig: &Rig, vendor: &Vendor, login: &str) {
    rig.gate.put_another_verifier(true);
    let (id, page) = rig.consent("main", "eve", login).await;
    let refused = rig.gate.last(vendor.token);
    assert_eq!(refused.json()["error"], "invalid_grant", "{}", refused.answer);
    assert!(!page.status.is_success(), "{}", page.text());
    assert_ne!(rig.account(&id).await["state"], "ACTIVE");
    rig.gate.put_another_verifier(false);
    assert_eq!(
        rig.connect("main", "eve", login).await,
        id,
        "a new link connects it"
    );
}

/// The refresh token of an answer of the token endpoint.
fn refresh_token(answer: &Value) -> String {
    answer["refresh_token"]
        .as_str()
        .expect("a refresh token")
        .to_owned()
}

/// The vendor refuses the access token twice; each time the call goes through with a new one. Answers the refresh
/// tokens that were sent, and the one that is held at the end.
async fn refused_twice(rig: &Rig, vendor: &Vendor, tool: &str) -> (Vec<String>, String) {
    let mut held = refresh_token(&rig.gate.last(vendor.token).json());
    let mut sent = Vec::new();
    for _ in 0..2 {
        // A token this young would not be renewed once more.
        rig.host.clock().advance(Duration::from_secs(31));
        let token = rig.issued();
        rig.gate.refuse(&token);
        let before = rig.gate.exchanges().len();
        rig.call(tool, "ada", json!({})).await;
        let since = rig.gate.exchanges().split_off(before);
        let said: Vec<_> = since.iter().map(|said| said.status).collect();
        assert_eq!(
            said,
            [StatusCode::UNAUTHORIZED, StatusCode::OK, StatusCode::OK],
            "refused, refreshed, repeated"
        );
        assert_eq!(since[1].field("grant_type").as_deref(), Some("refresh_token"));
        sent.push(since[1].field("refresh_token").expect("a refresh token"));
        let answer = since[1].json();
        assert_eq!(since[2].token, answer["access_token"], "the new one is used");
        assert_ne!(since[2].token, token);
        if answer["refresh_token"].is_string() {
            held = refresh_token(&answer);
        }
    }
    (sent, held)
}

/// The emulator itself takes a refresh token no more.
async fn is_dead(rig: &Rig, refresh_token: &str, why: &str) {
    let again = rig
        .token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
        .await;
    assert_eq!(again.expect(400)["error"], "invalid_grant", "{why}");
}

async fn disconnecting_revokes(rig: &Rig, id: &str, refresh_token: &str) {
    let path = format!("/api/v1/connected_accounts/{id}/disconnect");
    rig.host.api(Method::POST, &path, json!({})).await.expect(200);
    is_dead(rig, refresh_token, "revoked by the disconnection").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn linear_rotates_the_refresh_token_and_the_newest_is_the_one_that_is_kept() {
    let Some(rig) = Rig::start(&linear::LINEAR, linear::seed()).await else {
        return;
    };
    rig.a_wrong_secret_connects_nobody(linear::ADA, "invalid_client")
        .await;
    another_verifier_is_refused(&rig, &linear::LINEAR, linear::ADA).await;
    let id = rig.connect("main", "ada", linear::ADA).await;
    let (sent, held) = refused_twice(&rig, &linear::LINEAR, "linear_viewer_get").await;
    assert_ne!(sent[0], sent[1]);
    assert_ne!(sent[1], held);
    for old in &sent {
        is_dead(&rig, old, "it was used up").await;
    }
    disconnecting_revokes(&rig, &id, &held).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_keeps_its_refresh_token_until_the_account_is_disconnected() {
    let Some(rig) = Rig::start(&google::GMAIL, google::seed()).await else {
        return;
    };
    rig.a_wrong_secret_connects_nobody(google::ADA, "invalid_client")
        .await;
    another_verifier_is_refused(&rig, &google::GMAIL, google::ADA).await;
    let id = rig.connect("main", "ada", google::ADA).await;
    let (sent, held) = refused_twice(&rig, &google::GMAIL, "gmail_list_labels").await;
    assert_eq!(sent, [held.clone(), held.clone()], "named once, kept, used again");
    disconnecting_revokes(&rig, &id, &held).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn microsoft_rotates_the_refresh_token_when_the_access_token_has_ended() {
    let Some(rig) = Rig::start(&OUTLOOK, microsoft()).await else {
        return;
    };
    rig.a_wrong_secret_connects_nobody("ada@mail.example", "invalid_client")
        .await;
    another_verifier_is_refused(&rig, &OUTLOOK, "ada@mail.example").await;
    rig.connect("main", "ada", "ada@mail.example").await;
    let first = refresh_token(&rig.gate.last(OUTLOOK.token).json());
    rig.host.clock().advance(Duration::from_secs(3601));
    rig.host.sign_in().await;
    let whoami = rig.call("outlook_whoami", "ada", json!({})).await;
    assert_eq!(whoami["userPrincipalName"], "ada@mail.example");
    let refreshed = rig.gate.last(OUTLOOK.token);
    assert_eq!(refreshed.field("refresh_token").as_deref(), Some(&*first));
    assert_ne!(refresh_token(&refreshed.json()), first);
    is_dead(&rig, &first, "it was used up").await;
}
