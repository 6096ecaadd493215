//! Accounts of vendors whose token endpoint only code can speak to: `auth` in the sandbox, from the link to
//! the refresh, and what becomes of an account when that code misbehaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use valetkey::accounts::{Account, AccountState, GivenCredential, Reason, Selector, Step};
use valetkey::error::{Fault, Kind};
use valetkey::id::{AccountId, ConnectorId};
use valetkey::journal::Actor;
use valetkey::manifest as manifests;
use valetkey::secret::Secret;
use valetkey_manifest::{ConfigInput, Manifest};
use valetkey_tests::{TestHost, artifacts, guests};

use crate::rig::{
    Rig, actor, environment, link_request, manifest, name, new_account, open, query, soon, text,
};
use crate::vendor::{Reply, Seen, Vendor, json as answer};

const SECRET: &str = "CANARY-client-secret";

/// The manifest of a guest with `auth`; the account's site comes with its tokens.
fn coded(guest: &str) -> Manifest {
    let mut odd = guests::manifest(guest);
    odd.verify = manifest().verify;
    if let Some(api) = odd.endpoints.get_mut("api") {
        api.credential = true;
    }
    let config = |from: Option<&str>| ConfigInput {
        title: "Value".to_owned(),
        description: "A value.".to_owned(),
        pattern: Some(".*".to_owned()),
        example: None,
        required: false,
        from_token_response: from.map(str::to_owned),
        take: None,
    };
    odd.account_config = BTreeMap::from([
        ("mood".to_owned(), config(None)),
        ("site".to_owned(), config(Some("/site"))),
        ("loot".to_owned(), config(Some("/access_token"))),
        ("more_loot".to_owned(), config(Some("/echo"))),
    ]);
    odd
}

async fn install(host: &TestHost, guest: &str, manifest: &Manifest) -> Result<(), Fault> {
    let component = manifests::embed(&artifacts::guest(guest), manifest).expect("a component");
    let installed = host.runtime.registry.install(component, &Actor::Operator).await;
    installed.map(|_| ())
}

/// A host with the guest, and the connection `main` of its first scheme.
async fn rig(guest: &str) -> Rig {
    let vendor = Vendor::start().await;
    let host = TestHost::start_with(|_| {}).await;
    install(&host, guest, &coded(guest))
        .await
        .expect("it is installed");
    let rig = Rig { host, vendor };
    rig.connection("main", |new| {
        new.connector = ConnectorId::new(guest).expect("an id");
        if let Some(oauth) = &mut new.oauth {
            oauth.client_secret = Some(SECRET.to_owned());
        }
    })
    .await;
    rig
}

/// A vendor that speaks XML, gives a nonce for every request, and checks both signatures.
async fn odd() -> Rig {
    let rig = rig("odd").await;
    rig.vendor.on_elsewhere(|seen, number| {
        let expected = signed("nonce,client", |tag| {
            tag.iter().map(|byte| format!("{byte:02x}")).collect()
        });
        if seen.path == "/nonce" && seen.field("client") == "client" && seen.field("signature") == expected {
            xml(format!("<reply><nonce>n&amp;{number}</nonce></reply>"))
        } else {
            answer(403, "{}")
        }
    });
    rig.vendor.on_token(granted);
    rig
}

fn signed(text: &str, write: impl Fn(&[u8]) -> String) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    write(hmac::sign(&key, text.as_bytes()).as_ref())
}

fn xml(body: String) -> Reply {
    Reply::Answer {
        status: 200,
        content_type: "text/xml; charset=utf-8",
        body: format!("<?xml version=\"1.0\"?>{body}"),
    }
}

/// Tokens, when the request is signed over its nonce; the nonces count as the requests do.
fn granted(seen: &Seen, number: usize) -> Reply {
    let presented = presented(seen);
    let signature = signed(&format!("{presented},n&{number}"), |tag| STANDARD.encode(tag));
    if !seen.body.contains(&format!("<signature>{signature}</signature>")) {
        return answer(400, "{}");
    }
    xml(format!(
        "<r:reply xmlns:r='urn:odd' status='0'><access milliseconds='3600000'>access-{number}</access>\
         <refresh>refresh-{number}</refresh><scope>read</scope><scope>admin</scope>\
         <account><site>eu-{number}</site></account></r:reply>"
    ))
}

/// What a request in XML presents.
fn presented(seen: &Seen) -> String {
    let (_, rest) = seen.body.split_once("<presented>").expect("a request");
    let (inside, _) = rest.split_once("</presented>").expect("a request");
    inside
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
}

/// The whole flow for one identifier, which may have a mood.
async fn connect(rig: &Rig, who: &str, mood: Option<&str>) -> (AccountId, Result<Step, Fault>) {
    let mut request = link_request("main", who);
    request.account_config = mood
        .map(|mood| ("mood".to_owned(), mood.to_owned()))
        .into_iter()
        .collect();
    let link = rig
        .accounts()
        .create_link(&environment(), request, &actor())
        .await;
    let link = link.expect("a link");
    let state = open(rig.accounts(), &link.authorization_link).await["state"].clone();
    let back = query(&[("code", "CANARY-<code>&"), ("state", &state)]);
    let step = rig
        .accounts()
        .callback(&environment(), &name("main"), back, None)
        .await;
    (link.connected_account_id, step)
}

async fn token(rig: &Rig, guest: &str, who: &str) -> Result<String, Fault> {
    let selector = Selector {
        identifier: Some(crate::rig::identifier(who)),
        ..Selector::default()
    };
    let connector = ConnectorId::new(guest).expect("an id");
    let picked = rig.accounts().pick(&environment(), &connector, &selector).await?;
    let credential = picked.usable()?.credentials.current(soon()).await?;
    Ok(text(&credential))
}

fn scopes(account: &Account) -> Vec<&str> {
    account.scopes.iter().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendor_in_xml_with_signed_nonces_is_connected_used_and_refreshed() {
    let rig = odd().await;
    let (id, step) = connect(&rig, "ada", None).await;
    assert!(matches!(step, Ok(Step::Connected(_))), "{step:?}");
    let account = rig.account(&id).await;
    assert_eq!((account.state, account.reason), (AccountState::Active, None));
    assert_eq!(account.subject.as_deref(), Some("acct-1"));
    assert_eq!(
        account.account_config.get("site").map(String::as_str),
        Some("eu-1")
    );
    // `admin` is a word of the vendor's alone.
    assert_eq!((scopes(&account), account.scopes_stated), (vec!["read"], true));
    let now_ms = rig.host.clock().now().as_millisecond();
    let left_ms = account.token_expires_at_ms.expect("a lifetime") - now_ms;
    assert!((3_540_000..=3_600_000).contains(&left_ms), "{left_ms}");

    let asked = rig.vendor.seen("/token");
    assert_eq!(presented(&asked[0]), "CANARY-<code>&");
    assert!(
        asked[0]
            .body
            .contains("<presented>CANARY-&#60;code&#62;&#38;</presented>"),
        "{:?}",
        asked[0]
    );
    // The API is called with the token that the host found at the place.
    assert_eq!(rig.vendor.seen("/whoami")[0].authorization, "Bearer access-1");
    assert_eq!(token(&rig, "odd", "ada").await.expect("a token"), "access-1");

    rig.advance(3_600);
    let (first, second) = tokio::join!(token(&rig, "odd", "ada"), token(&rig, "odd", "ada"));
    assert_eq!(first.expect("a token"), "access-2");
    assert_eq!(second.expect("a token"), "access-2");
    let asked = rig.vendor.seen("/token");
    assert_eq!(asked.len(), 2, "one refresh for all who wait");
    assert_eq!(presented(&asked[1]), "refresh-1");
    let account = rig.account(&id).await;
    assert_eq!(
        account.account_config.get("site").map(String::as_str),
        Some("eu-2")
    );

    // The new refresh token is the one that is kept, also across a crash.
    let revived = rig.crash().await;
    rig.advance(3_600);
    let selector = Selector {
        identifier: Some(crate::rig::identifier("ada")),
        ..Selector::default()
    };
    let connector = ConnectorId::new("odd").expect("an id");
    let accounts = &revived.runtime.accounts;
    let picked = accounts
        .pick(&environment(), &connector, &selector)
        .await
        .expect("an account");
    let usable = picked.usable().expect("usable");
    let credential = usable.credentials.current(soon()).await.expect("a token");
    assert_eq!(text(&credential), "access-3");
    assert_eq!(presented(&rig.vendor.seen("/token")[2]), "refresh-2");
}

#[tokio::test]
async fn a_refused_code_leaves_no_account_half_made() {
    let rig = odd().await;
    rig.vendor
        .on_token(|_, _| xml("<reply status='601'/>".to_owned()));
    let (id, step) = connect(&rig, "ada", None).await;
    let fault = step.expect_err("refused");
    assert_eq!(
        (fault.kind(), fault.reason_code()),
        (Kind::VendorRejected, Some("invalid_grant"))
    );
    assert_not_connected(&rig, &id, "refused").await;
}

#[tokio::test]
async fn only_an_answered_refusal_of_a_refresh_expires_the_account() {
    let rig = odd().await;
    let (id, _) = connect(&rig, "ada", None).await;
    rig.advance(3_600);
    // The nonce is answered and the refresh is not: nobody knows what became of the token.
    rig.vendor.on_token(|_, _| Reply::HangUp);
    let fault = token(&rig, "odd", "ada").await.expect_err("no token");
    assert_eq!(fault.kind(), Kind::VendorUnavailable);
    let account = rig.account(&id).await;
    assert_eq!(
        (account.state, account.reason),
        (AccountState::Active, Some(Reason::RefreshOutcomeUnknown))
    );
    rig.advance(120);
    rig.vendor
        .on_token(|_, _| xml("<reply status='601'/>".to_owned()));
    let fault = token(&rig, "odd", "ada").await.expect_err("no token");
    assert_eq!(fault.kind(), Kind::AccountNotActive);
    assert_eq!(rig.account(&id).await.state, AccountState::Expired);
}

#[tokio::test]
async fn a_user_and_password_become_a_token_and_another_when_it_runs_out() {
    let rig = odd().await;
    rig.vendor.on_token(|_, number| {
        xml(format!(
            "<reply><access milliseconds='600000'>session-{number}</access></reply>"
        ))
    });
    let url = format!("{}/token", rig.vendor.url);
    rig.connection("people", |new| {
        new.connector = ConnectorId::new("odd").expect("an id");
        new.auth = Some("session".to_owned());
        new.oauth = None;
        new.token_url = Some(url);
    })
    .await;
    let inputs = [("user", "ada"), ("password", "CANARY-password")]
        .map(|(name, value)| (name.to_owned(), Secret::new(value.to_owned())));
    let new = new_account("people", "ada", Some(GivenCredential::Inputs(inputs.into())));
    let account = rig.accounts().create_account(&environment(), new, &actor()).await;
    assert_eq!(account.expect("an account").state, AccountState::Active);
    assert_eq!(token(&rig, "odd", "ada").await.expect("a token"), "session-1");
    rig.advance(600);
    assert_eq!(token(&rig, "odd", "ada").await.expect("a token"), "session-2");
    let basic = format!("Basic {}", STANDARD.encode("ada:CANARY-password"));
    for seen in rig.vendor.seen("/token") {
        assert_eq!(seen.authorization, basic);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_that_misbehaves_connects_nothing() {
    let rig = rig("usurp").await;
    rig.vendor.on_token(|_, _| tokens());
    for (mood, kind) in [
        ("path", Kind::EgressDenied),
        ("authority", Kind::EgressDenied),
        ("url", Kind::EgressDenied),
        ("host", Kind::EgressDenied),
        ("world", Kind::EgressDenied),
        ("forged", Kind::ConnectorOutputInvalid),
        ("forged_late", Kind::ConnectorOutputInvalid),
        ("given", Kind::ConnectorOutputInvalid),
        ("mixed", Kind::ConnectorOutputInvalid),
        ("own", Kind::ConnectorOutputInvalid),
        ("refuses", Kind::ConnectorOutputInvalid),
        ("nothing", Kind::ConnectorTrapped),
        ("spin", Kind::ConnectorLimit),
        ("hoard", Kind::ConnectorLimit),
        ("often", Kind::ConnectorLimit),
    ] {
        let (id, step) = connect(&rig, mood, Some(mood)).await;
        let fault = step.expect_err(mood);
        assert_eq!(fault.kind(), kind, "{mood}: {fault:?}");
        assert_not_connected(&rig, &id, mood).await;
    }
    let elsewhere: Vec<_> = rig
        .vendor
        .all()
        .into_iter()
        .filter(|seen| seen.path != "/token")
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

/// A connector that says that the vendor refused, and never asked, cannot end an account.
#[tokio::test]
async fn a_refusal_that_no_vendor_gave_expires_nothing() {
    let rig = rig("usurp").await;
    rig.vendor.on_token(|_, _| tokens());
    let (id, step) = connect(&rig, "ada", None).await;
    assert!(matches!(step, Ok(Step::Connected(_))), "{step:?}");
    rig.advance(3_600);
    let fault = token(&rig, "usurp", "ada").await.expect_err("no token");
    assert_eq!(fault.kind(), Kind::VendorUnavailable);
    assert_eq!(rig.account(&id).await.state, AccountState::Active);
}

/// The promise of all connectors holds for `auth`: it uses every secret in every way that it can, gets the
/// tokens, and has none of them anywhere in its memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_and_no_token_is_ever_in_the_memory_of_the_code() {
    let rig = rig("usurp").await;
    rig.vendor.on_token(|_, _| tokens());
    // The search finds what is there.
    let (_, step) = connect(&rig, "planted", Some("planted")).await;
    let fault = step.expect_err("found");
    assert_eq!(fault.kind(), Kind::VendorRejected, "{fault:?}");
    let (id, step) = connect(&rig, "ada", Some("search")).await;
    assert!(matches!(step, Ok(Step::Connected(_))), "{step:?}");
    assert_eq!(
        token(&rig, "usurp", "ada").await.expect("a token"),
        "CANARY-access"
    );
    let used = &rig.vendor.seen("/token").pop().expect("a request").body;
    assert!(
        used.contains("CANARY-client-secret") && used.contains(&"CANARY-%3Ccode%3E%26".to_owned()),
        "{used}"
    );
    let account = rig.account(&id).await;
    assert_eq!(scopes(&account), ["read"]);

    // Nor does it get one by way of what tools may read later.
    let (id, step) = connect(&rig, "publish", Some("publish")).await;
    assert!(matches!(step, Ok(Step::Connected(_))), "{step:?}");
    let account = rig.account(&id).await;
    assert!(scopes(&account).is_empty(), "{:?}", account.scopes);
    let told = BTreeMap::clone(&account.account_config);
    assert_eq!(
        told,
        BTreeMap::from([
            ("mood".to_owned(), "publish".to_owned()),
            ("site".to_owned(), "eu-1".to_owned())
        ])
    );

    // Nor by comparing and taking apart.
    let (_, step) = connect(&rig, "spell", Some("spell")).await;
    assert!(matches!(step, Ok(Step::Connected(_))), "{step:?}");
}

#[tokio::test]
async fn code_and_manifest_agree_or_nothing_is_loaded() {
    let host = TestHost::start_with(|_| {}).await;
    let mut talking = guests::manifest("echo");
    talking.auth = guests::coded();
    let fault = install(&host, "echo", &talking).await.expect_err("no code");
    assert_eq!(fault.kind(), Kind::InvalidInput);
    assert!(
        fault
            .public()
            .contains("does not export `valetkey:connector/auth"),
        "{fault:?}"
    );
    let mut silent = guests::manifest("odd");
    silent.auth = guests::manifest("echo").auth;
    let fault = install(&host, "odd", &silent).await.expect_err("no declaration");
    assert_eq!(fault.kind(), Kind::InvalidInput);
    assert!(fault.public().contains("coded"), "{fault:?}");
}

fn tokens() -> Reply {
    answer(
        200,
        json!({
            "access_token": "CANARY-access", "refresh_token": "CANARY-refresh", "session": "other-session",
            "expires_in": 3600, "scope": "read CANARY-scope", "site": "eu-1", "echo": "CANARY-access", "client": "client",
        })
        .to_string(),
    )
}

/// Nothing of an attempt is left but the account that waits.
async fn assert_not_connected(rig: &Rig, id: &AccountId, what: &str) {
    let account: Arc<Account> = rig.account(id).await;
    assert_eq!(account.state, AccountState::PendingAuth, "{what}");
    assert_eq!(account.reason, Some(Reason::CredentialCheckFailed), "{what}");
    assert_eq!(
        (account.generation, account.token_expires_at_ms),
        (0, None),
        "{what}"
    );
    assert!(account.subject.is_none() && !account.scopes_stated, "{what}");
}
