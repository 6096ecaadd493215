//! Keeping a credential good: one refresh for all, what the vendor's answers mean, and crashes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use valetkey::accounts::{AccountState, Reason};
use valetkey::error::Kind;
use valetkey::store::{Batch, Expect, Table};

use crate::rig::{Rig, environment, soon, text};
use crate::vendor::{Reply, Seen, Vendor, json, tokens};

/// A vendor that takes each refresh token once, and tells what it is given.
fn rotates(vendor: &Vendor) {
    let latest = Mutex::new(1);
    vendor.on_token(move |seen, number| strict(&latest, seen, number));
}

fn strict(latest: &Mutex<usize>, seen: &Seen, number: usize) -> Reply {
    let mut latest = latest.lock().expect("not poisoned");
    if seen.field("grant_type") == "refresh_token"
        && seen.field("refresh_token") != format!("refresh-{latest}")
    {
        return json(400, r#"{"error":"invalid_grant"}"#);
    }
    *latest = number;
    tokens(number)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expired_token_is_refreshed_once_for_a_thousand_calls() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rotates(&rig.vendor);
    rig.advance(3600);
    let calls = (0..1_000).map(|_| {
        let accounts = Arc::clone(rig.accounts());
        tokio::spawn(async move {
            let usable = crate::rig::pick(&accounts, "ada").await?;
            usable
                .credentials
                .current(soon())
                .await
                .map(|credential| text(&credential))
        })
    });
    for token in futures_util::future::join_all(calls).await {
        assert_eq!(token.unwrap().unwrap(), "access-2");
    }
    assert_eq!(rig.vendor.seen("/token").len(), 2, "one exchange, one refresh");
}

#[tokio::test]
async fn each_account_is_refreshed_once_however_many_ask() {
    let rig = Rig::start().await;
    let users: Vec<String> = (0..20).map(|number| format!("user-{number}")).collect();
    for user in &users {
        rig.connect(user).await;
    }
    rig.advance(3600);
    let calls = users.iter().flat_map(|user| (0..50).map(|_| rig.token(user)));
    let tokens: Vec<String> = futures_util::future::join_all(calls)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(tokens.into_iter().collect::<BTreeSet<_>>().len(), 20);
    assert_eq!(rig.vendor.seen("/token").len(), 40);
}

#[tokio::test]
async fn tokens_are_refreshed_before_they_run_out() {
    let rig = Rig::start().await;
    let id = rig.connect("ada").await;
    rig.advance(3600 - 301);
    assert_eq!(rig.token("ada").await.unwrap(), "access-1");
    rig.advance(2);
    assert_eq!(rig.token("ada").await.unwrap(), "access-2");
    let account = rig.account(&id).await;
    assert_eq!(account.generation, 2);
}

#[tokio::test]
async fn a_caller_that_goes_away_loses_no_pair() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    let gate = Arc::new(Notify::new());
    let held = Arc::clone(&gate);
    rig.vendor
        .on_token(move |_, number| Reply::Hold(Arc::clone(&held), Box::new(tokens(number))));
    rig.advance(3600);
    let usable = rig.pick("ada").await.unwrap();
    let caller = tokio::spawn(async move { usable.credentials.current(soon()).await });
    rig.vendor.wait_for("/token", 2).await;
    caller.abort();
    gate.notify_one();
    assert_eq!(rig.token("ada").await.unwrap(), "access-2");
    assert_eq!(rig.vendor.seen("/token").len(), 2);
}

#[tokio::test]
async fn only_an_explicit_refusal_expires_an_account() {
    for (reply, refused) in [
        (
            (
                400,
                r#"{"error":"invalid_grant","error_description":"refresh-1 canary"}"#,
            ),
            true,
        ),
        ((401, r#"{"error":"invalid_client"}"#), true),
        ((500, r#"{"error":"invalid_grant"}"#), false),
        ((503, ""), false),
        ((429, ""), false),
        ((400, r#"{"error":"invalid_request"}"#), false),
        ((403, "<html>"), false),
        ((200, "<html>"), false),
        ((302, ""), false),
    ] {
        let rig = Rig::start().await;
        let id = rig.connect("ada").await;
        let (status, body) = reply;
        rig.vendor.on_token(move |_, _| json(status, body));

        // While the token is good it is lent, whatever the token endpoint says.
        rig.advance(3600 - 200);
        let early = rig.token("ada").await;
        assert_eq!(early.is_ok(), !refused, "{status} {body}");
        rig.advance(300);
        let late = rig.token("ada").await.unwrap_err();
        let account = rig.account(&id).await;
        assert!(!late.public().contains("canary") && !late.chain().contains("canary"));
        if refused {
            assert_eq!(
                (account.state, account.reason),
                (AccountState::Expired, Some(Reason::RefreshRejected))
            );
            assert_eq!(late.kind(), Kind::AccountNotActive);
            assert!(rig.accounts().mending_link(&account).await.is_some());
        } else {
            assert_eq!(account.state, AccountState::Active, "{status} {body}");
            assert_eq!(late.kind(), Kind::VendorUnavailable);
            // It recovers by itself, after the pause.
            rig.vendor.on_token(|_, number| tokens(number));
            rig.advance(61);
            assert!(rig.token("ada").await.is_ok(), "{status} {body}");
        }
    }
}

#[tokio::test]
async fn callers_do_not_storm_a_failing_token_endpoint() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rig.vendor.on_token(|_, _| json(503, ""));
    rig.advance(3600);
    for _ in 0..100 {
        assert_eq!(
            rig.token("ada").await.unwrap_err().kind(),
            Kind::VendorUnavailable
        );
    }
    assert_eq!(
        rig.vendor.seen("/token").len(),
        2,
        "one exchange, one failed refresh"
    );
}

#[tokio::test]
async fn a_vendor_that_always_answers_401_causes_one_refresh_in_thirty_seconds() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    let mut refreshes = Vec::new();
    for _ in 0..4 {
        for _ in 0..50 {
            let usable = rig.pick("ada").await.unwrap();
            let rejected = usable.credentials.current(soon()).await.unwrap();
            usable
                .credentials
                .renew(rejected.generation, soon())
                .await
                .unwrap();
        }
        refreshes.push(rig.vendor.seen("/token").len() - 1);
        rig.advance(31);
    }
    assert_eq!(refreshes, [1, 2, 3, 4]);
}

#[tokio::test]
async fn many_rejections_of_one_token_share_one_refresh() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rotates(&rig.vendor);
    let usable = rig.pick("ada").await.unwrap();
    let rejected = usable.credentials.current(soon()).await.unwrap().generation;
    let renewals = (0..200).map(|_| usable.credentials.renew(rejected, soon()));
    for credential in futures_util::future::join_all(renewals).await {
        assert_eq!(text(&credential.unwrap()), "access-2");
    }
    assert_eq!(rig.vendor.seen("/token").len(), 2);
}

#[tokio::test]
async fn a_key_that_the_vendor_refuses_expires_the_account_only_after_a_check() {
    let rig = Rig::start().await;
    rig.connection("keys", |new| {
        new.auth = Some("key".to_owned());
        new.oauth = None;
    })
    .await;
    let accounts = rig.accounts();
    let request = crate::rig::link_request("keys", "ada");
    let link = accounts
        .create_link(&environment(), request, &crate::rig::actor())
        .await
        .unwrap();
    let form = std::collections::BTreeMap::from([(
        "api_key".to_owned(),
        valetkey::secret::Secret::new("key-a".to_owned()),
    )]);
    accounts
        .submit_form(
            &crate::rig::ticket(&link.authorization_link),
            form,
            &crate::rig::browser("ada"),
        )
        .await
        .unwrap();
    let usable = rig.pick("ada").await.unwrap();
    let generation = usable.credentials.current(soon()).await.unwrap().generation;
    // One request was refused, and the check is not: the account stays.
    assert!(usable.credentials.renew(generation, soon()).await.is_ok());
    rig.advance(31);
    rig.vendor.on_whoami(|_, _| json(401, "{}"));
    assert_eq!(
        usable
            .credentials
            .renew(generation, soon())
            .await
            .err()
            .unwrap()
            .kind(),
        Kind::AccountNotActive
    );
    let account = rig.account(&link.connected_account_id).await;
    assert_eq!(
        (account.state, account.reason),
        (AccountState::Expired, Some(Reason::CredentialCheckFailed))
    );
}

#[tokio::test]
async fn a_vendor_that_does_not_rotate_keeps_its_refresh_token() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rig.vendor.on_token(|_, number| {
        json(
            200,
            format!(r#"{{"access_token":"access-{number}","expires_in":"3600"}}"#),
        )
    });
    for number in 2..5 {
        rig.advance(3600);
        assert_eq!(rig.token("ada").await.unwrap(), format!("access-{number}"));
    }
    assert!(
        rig.vendor.seen("/token")[1..]
            .iter()
            .all(|seen| seen.field("refresh_token") == "refresh-1")
    );
}

// The points of a refresh at which the host may die: before the intent (1), with the intent
// written (2), with the request sent (3) or answered (4), with the pair written (5) or in use (6).

#[tokio::test]
async fn a_crash_before_anything_was_sent_ends_in_a_working_account() {
    let rig = Rig::start().await;
    let id = rig.connect("ada").await;
    rotates(&rig.vendor);
    rig.advance(3600);
    let before = rig.crash().await;
    assert_eq!(before.token("ada").await.unwrap(), "access-2");

    let rig = Rig::start().await;
    let id = {
        drop(id);
        rig.connect("ada").await
    };
    rotates(&rig.vendor);
    let key = format!("refresh\0{}\0{id}", environment());
    let intent = br#"{"generation":1,"at_ms":0}"#.to_vec();
    rig.host
        .runtime
        .store
        .commit(Batch::new().put(Table::Intents, key.clone(), Expect::Absent, intent))
        .await
        .unwrap();
    let with_intent = rig.crash().await;
    // Recovery presents the old token by itself, once.
    let usable = crate::rig::pick(&with_intent.runtime.accounts, "ada")
        .await
        .unwrap();
    assert_eq!(
        text(&usable.credentials.renew(1, soon()).await.unwrap()),
        "access-2"
    );
    assert_eq!(rig.vendor.seen("/token").len(), 2);
    assert_eq!(
        with_intent
            .runtime
            .store
            .get(Table::Intents, key.as_bytes())
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_crash_after_the_vendor_rotated_ends_in_a_visible_authorization() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    let latest = Mutex::new(1);
    let gate = Arc::new(Notify::new());
    let held = Arc::clone(&gate);
    // The vendor has rotated; its first answer never arrives.
    rig.vendor.on_token(move |seen, number| match number {
        2 => {
            let rotated = strict(&latest, seen, number);
            Reply::Hold(Arc::clone(&held), Box::new(rotated))
        }
        _ => strict(&latest, seen, number),
    });
    rig.advance(3600);
    let usable = rig.pick("ada").await.unwrap();
    let waiting = tokio::spawn(async move { usable.credentials.current(soon()).await });
    rig.vendor.wait_for("/token", 2).await;
    let crashed = rig.crash().await;
    let fault = crashed.token("ada").await.unwrap_err();
    assert_eq!(fault.kind(), Kind::AccountNotActive);
    assert_eq!(fault.reason_code(), Some("refresh_outcome_unknown"));
    let fault = crashed.token("ada").await.unwrap_err();
    assert_eq!(
        fault.reason_code(),
        Some("refresh_outcome_unknown"),
        "it stays so"
    );
    assert_eq!(
        rig.vendor.seen("/token").len(),
        3,
        "the old token was presented once more"
    );

    // The host that did not die gets its answer and goes on.
    gate.notify_one();
    assert_eq!(text(&waiting.await.unwrap().unwrap()), "access-2");
}

#[tokio::test]
async fn a_crash_while_a_vendor_with_grace_rotated_ends_in_a_working_account() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rig.vendor.on_token(|_, number| match number {
        2 => Reply::Hold(Arc::new(Notify::new()), Box::new(Reply::HangUp)),
        _ => tokens(number),
    });
    rig.advance(3600);
    let usable = rig.pick("ada").await.unwrap();
    let waiting = tokio::spawn(async move { usable.credentials.current(soon()).await });
    rig.vendor.wait_for("/token", 2).await;
    let crashed = rig.crash().await;
    assert_eq!(crashed.token("ada").await.unwrap(), "access-3");
    waiting.abort();
}

#[tokio::test]
async fn a_crash_after_the_pair_was_written_loses_nothing() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    rotates(&rig.vendor);
    rig.advance(3600);
    assert_eq!(rig.token("ada").await.unwrap(), "access-2");
    let crashed = rig.crash().await;
    assert_eq!(crashed.token("ada").await.unwrap(), "access-2");
    assert_eq!(rig.vendor.seen("/token").len(), 2, "nothing was presented again");
    rig.advance(3600);
    assert_eq!(crashed.token("ada").await.unwrap(), "access-3");
}

#[tokio::test]
async fn a_cut_connection_keeps_the_account_and_the_good_token() {
    let rig = Rig::start().await;
    let id = rig.connect("ada").await;
    rig.vendor.on_token(|_, _| Reply::HangUp);
    rig.advance(3600 - 200);
    assert_eq!(rig.token("ada").await.unwrap(), "access-1");
    rig.advance(300);
    assert_eq!(
        rig.token("ada").await.unwrap_err().kind(),
        Kind::VendorUnavailable
    );
    let account = rig.account(&id).await;
    assert_eq!(
        (account.state, account.reason),
        (AccountState::Active, Some(Reason::RefreshOutcomeUnknown))
    );
    rig.vendor.on_token(|_, number| tokens(number));
    rig.advance(61);
    assert!(rig.token("ada").await.is_ok());
    assert_eq!(rig.account(&id).await.reason, None);
}
