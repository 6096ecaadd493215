//! The way out: disconnection, revocation, deletion, and the races with a refresh.

use std::sync::Arc;

use tokio::sync::Notify;
use valetkey::accounts::{AccountState, Revocation};
use valetkey::error::Kind;

use crate::rig::{Rig, actor, environment, soon};
use crate::vendor::{Reply, json, tokens};

#[tokio::test]
async fn disconnecting_revokes_at_the_vendor_and_destroys_the_credential() {
    let rig = Rig::start().await;
    let id = rig.connect("ada").await;
    let usable = rig.pick("ada").await.unwrap();
    let revocation = rig
        .accounts()
        .disconnect(&environment(), &id, &actor())
        .await
        .unwrap();
    assert_eq!(revocation, Revocation::Revoked);
    let sent = &rig.vendor.seen("/revoke")[0];
    assert_eq!(
        (sent.field("token"), sent.field("token_type_hint")),
        ("refresh-1", "refresh_token")
    );
    assert_eq!(rig.account(&id).await.state, AccountState::Disconnected);
    // A call that had picked the account before finds it gone, too.
    let fault = usable.credentials.current(soon()).await.err().unwrap();
    assert_eq!(fault.kind(), Kind::AccountNotActive);
    assert_eq!(
        rig.accounts()
            .disconnect(&environment(), &id, &actor())
            .await
            .unwrap(),
        Revocation::Revoked
    );
    assert_eq!(rig.vendor.seen("/revoke").len(), 1);
}

#[tokio::test]
async fn a_revocation_that_fails_is_pending_and_goes_on_after_a_restart() {
    let rig = Rig::start().await;
    let id = rig.connect("ada").await;
    rig.vendor.on_revoke(|_, _| json(503, ""));
    let revocation = rig
        .accounts()
        .disconnect(&environment(), &id, &actor())
        .await
        .unwrap();
    assert_eq!(revocation, Revocation::Pending);
    assert_eq!(rig.account(&id).await.state, AccountState::Disconnected);
    rig.vendor.on_revoke(|_, _| json(200, ""));
    let tried = rig.vendor.seen("/revoke").len();
    let revived = rig.crash().await;
    rig.vendor.wait_for("/revoke", tried + 1).await;
    assert!(
        rig.vendor
            .seen("/revoke")
            .iter()
            .all(|seen| seen.field("token") == "refresh-1")
    );
    assert!(revived.token("ada").await.is_err());
}

#[tokio::test]
async fn a_deleted_account_is_gone_and_its_identifier_free() {
    let rig = Rig::start().await;
    let id = rig.connect("ada").await;
    rig.accounts()
        .delete(&environment(), &id, &actor())
        .await
        .unwrap();
    assert_eq!(
        rig.accounts()
            .account(&environment(), &id)
            .await
            .unwrap_err()
            .kind(),
        Kind::AccountNotFound
    );
    assert_eq!(rig.pick("ada").await.err().unwrap().kind(), Kind::AccountNotFound);
    let again = rig.connect("ada").await;
    assert_ne!(again, id);
    assert!(rig.token("ada").await.is_ok());
}

#[tokio::test]
async fn a_refresh_that_returns_after_a_disconnect_is_discarded_and_revoked() {
    let rig = Rig::start().await;
    let id = rig.connect("ada").await;
    let gate = Arc::new(Notify::new());
    let held = Arc::clone(&gate);
    rig.vendor
        .on_token(move |_, number| Reply::Hold(Arc::clone(&held), Box::new(tokens(number))));
    rig.advance(3600);
    let usable = rig.pick("ada").await.unwrap();
    let waiting = tokio::spawn(async move { usable.credentials.current(soon()).await });
    rig.vendor.wait_for("/token", 2).await;
    rig.accounts()
        .disconnect(&environment(), &id, &actor())
        .await
        .unwrap();
    let generation = rig.account(&id).await.generation;
    gate.notify_one();
    assert_eq!(
        waiting.await.unwrap().err().unwrap().kind(),
        Kind::AccountNotActive
    );
    rig.vendor.wait_for("/revoke", 2).await;
    let revoked: Vec<String> = rig
        .vendor
        .seen("/revoke")
        .iter()
        .map(|seen| seen.field("token").to_owned())
        .collect();
    assert_eq!(revoked, ["refresh-1", "refresh-2"]);
    let account = rig.account(&id).await;
    assert_eq!(
        (account.state, account.generation),
        (AccountState::Disconnected, generation)
    );
}

#[tokio::test]
async fn a_refresh_that_returns_after_a_new_authorization_does_not_replace_it() {
    let rig = Rig::start().await;
    let id = rig.connect("ada").await;
    let first = rig.account(&id).await.generation;
    let gate = Arc::new(Notify::new());
    let held = Arc::clone(&gate);
    rig.vendor
        .on_token(move |seen, number| match seen.field("grant_type") {
            "refresh_token" => Reply::Hold(Arc::clone(&held), Box::new(tokens(100))),
            _ => tokens(number),
        });
    rig.advance(3600);
    let usable = rig.pick("ada").await.unwrap();
    let waiting = tokio::spawn(async move { usable.credentials.current(soon()).await });
    rig.vendor.wait_for("/token", 2).await;
    rig.connect("ada").await;
    let second = rig.account(&id).await.generation;
    assert!(second > first);
    gate.notify_one();
    assert_eq!(crate::rig::text(&waiting.await.unwrap().unwrap()), "access-3");
    rig.vendor.wait_for("/revoke", 1).await;
    assert_eq!(rig.vendor.seen("/revoke")[0].field("token"), "refresh-100");
    assert_eq!(rig.account(&id).await.generation, second);
    assert_eq!(rig.token("ada").await.unwrap(), "access-3");
}
