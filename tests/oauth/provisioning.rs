//! Accounts that an application makes and changes itself, without a link.

use std::collections::BTreeMap;

use valetkey::accounts::{AccountChange, AccountQuery, AccountState, GivenCredential, Selector};
use valetkey::error::Kind;
use valetkey::secret::Secret;

use crate::rig::{Rig, actor, begin, environment, identifier, name, new_account};
use crate::vendor::json;

fn key(value: &str) -> GivenCredential {
    GivenCredential::Inputs(BTreeMap::from([(
        "api_key".to_owned(),
        Secret::new(value.to_owned()),
    )]))
}

fn tokens(access: &str, refresh: Option<&str>, expires_at_ms: Option<i64>) -> GivenCredential {
    let secret = |text: &str| Secret::new(text.to_owned());
    GivenCredential::Tokens {
        access: secret(access),
        refresh: refresh.map(secret),
        scopes: vec!["read".to_owned()],
        expires_at_ms,
    }
}

async fn rig_with_keys() -> Rig {
    let rig = Rig::start().await;
    rig.connection("keys", |new| {
        new.auth = Some("key".to_owned());
        new.oauth = None;
    })
    .await;
    rig
}

#[tokio::test]
async fn racers_for_one_new_account_get_the_same_one() {
    let rig = Rig::start().await;
    let racers = (0..16).map(|_| {
        let accounts = std::sync::Arc::clone(rig.accounts());
        tokio::spawn(async move {
            let new = new_account("main", "ada", None);
            accounts.create_account(&environment(), new, &actor()).await
        })
    });
    let mut ids = Vec::new();
    for racer in racers {
        let account = racer.await.unwrap().unwrap();
        assert_eq!(account.state, AccountState::PendingAuth);
        ids.push(account.id.clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn a_key_that_the_application_gives_is_tried_and_then_used() {
    let rig = rig_with_keys().await;
    let new = new_account("keys", "ada", Some(key("key-good")));
    let account = rig
        .accounts()
        .create_account(&environment(), new, &actor())
        .await
        .unwrap();
    assert_eq!(account.state, AccountState::Active);
    assert_eq!(account.label.as_deref(), Some("Ada"));
    assert_eq!(rig.vendor.seen("/whoami")[0].authorization, "Bearer key-good");
    assert_eq!(rig.token("ada").await.unwrap(), "key-good");
}

#[tokio::test]
async fn a_credential_that_the_vendor_does_not_accept_leaves_no_account() {
    let rig = rig_with_keys().await;
    rig.vendor.on_whoami(|_, _| json(401, "{}"));
    let new = new_account("keys", "ada", Some(key("key-bad")));
    let fault = rig
        .accounts()
        .create_account(&environment(), new, &actor())
        .await
        .unwrap_err();
    assert_eq!(fault.kind(), Kind::VendorRejected);
    assert!(!format!("{fault:?}").contains("key-bad"), "{fault:?}");
    let query = AccountQuery::default();
    assert_eq!(
        rig.accounts()
            .count_accounts(&environment(), &query)
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn every_complaint_about_a_given_credential_names_its_place_and_no_value() {
    let rig = rig_with_keys().await;
    let wrong = GivenCredential::Inputs(BTreeMap::from(
        ["api_key", "tenant"].map(|name| (name.to_owned(), Secret::new("canary".to_owned()))),
    ));
    for (connection, credential, places) in [
        ("keys", wrong, vec!["/credential/api_key", "/credential/tenant"]),
        ("keys", tokens("canary", None, None), vec!["/credential"]),
        ("main", key("canary"), vec!["/credential"]),
        (
            "main",
            tokens("", Some("canary\n"), None),
            vec!["/credential/access_token", "/credential/refresh_token"],
        ),
    ] {
        let new = new_account(connection, "ada", Some(credential));
        let fault = rig
            .accounts()
            .create_account(&environment(), new, &actor())
            .await
            .unwrap_err();
        assert_eq!(fault.kind(), Kind::InvalidInput);
        let named: Vec<&str> = fault.fields().iter().map(|field| field.path.as_str()).collect();
        assert_eq!(named, places);
        assert!(!format!("{:?}", fault.body(None)).contains("canary"));
    }
    assert!(rig.vendor.seen("/whoami").is_empty(), "nothing was sent");
}

#[tokio::test]
async fn tokens_of_an_earlier_system_are_taken_over_and_refreshed() {
    let rig = Rig::start().await;
    let expires = rig.host.clock().now().as_millisecond() + 600_000;
    let new = new_account(
        "main",
        "ada",
        Some(tokens("imported", Some("refresh-0"), Some(expires))),
    );
    let account = rig
        .accounts()
        .create_account(&environment(), new, &actor())
        .await
        .unwrap();
    assert_eq!(account.state, AccountState::Active);
    assert_eq!(&*account.scopes, ["read"]);
    assert_eq!(rig.token("ada").await.unwrap(), "imported");
    rig.advance(700);
    assert_eq!(rig.token("ada").await.unwrap(), "access-1");
    assert_eq!(rig.vendor.seen("/token")[0].field("refresh_token"), "refresh-0");
}

#[tokio::test]
async fn a_connected_account_is_updated_and_not_created_over() {
    let rig = rig_with_keys().await;
    let accounts = rig.accounts();
    let create = |value: &str| new_account("keys", "ada", Some(key(value)));
    let account = accounts
        .create_account(&environment(), create("key-one"), &actor())
        .await
        .unwrap();
    let fault = accounts
        .create_account(&environment(), create("key-two"), &actor())
        .await
        .unwrap_err();
    assert_eq!(fault.kind(), Kind::Conflict);
    assert_eq!(rig.token("ada").await.unwrap(), "key-one");

    let change = |value: &str| AccountChange {
        credential: Some(key(value)),
        ..AccountChange::default()
    };
    let updated = accounts
        .update_account(&environment(), &account.id, change("key-two"), &actor())
        .await
        .unwrap();
    assert!(updated.generation > account.generation);
    assert_eq!(rig.token("ada").await.unwrap(), "key-two");

    // The key of somebody else at the vendor would turn one user's account into another's.
    rig.vendor.on_whoami(|_, _| json(200, r#"{"id":"acct-2"}"#));
    let fault = accounts
        .update_account(&environment(), &account.id, change("key-three"), &actor())
        .await
        .unwrap_err();
    assert_eq!(fault.reason_code(), Some("subject_changed"));
    assert_eq!(rig.token("ada").await.unwrap(), "key-two");
}

#[tokio::test]
async fn a_given_credential_ends_the_links_that_would_replace_it() {
    let rig = Rig::start().await;
    let (link, _) = begin(rig.accounts(), "main", "ada").await;
    let new = new_account("main", "ada", Some(tokens("imported", None, None)));
    rig.accounts()
        .create_account(&environment(), new, &actor())
        .await
        .unwrap();
    let ticket = crate::rig::ticket(&link.authorization_link);
    let fault = rig.accounts().open_link(&ticket, None).await.unwrap_err();
    assert_eq!(fault.kind(), Kind::FlowInvalid);
    assert_eq!(rig.token("ada").await.unwrap(), "imported");
}

#[tokio::test]
async fn an_account_is_found_by_id_or_by_connection_and_identifier_and_never_by_less() {
    let rig = rig_with_keys().await;
    let id = rig.connect("ada").await;
    let selector = |id: Option<&valetkey::id::AccountId>, who: Option<&str>, on: Option<&str>| Selector {
        identifier: who.map(identifier),
        connected_account_id: id.cloned(),
        connection_name: on.map(name),
    };
    let find = async |selector| {
        let found = rig.accounts().find_account(&environment(), &selector).await;
        found
            .map(|account| account.id.clone())
            .map_err(|fault| fault.kind())
    };
    assert_eq!(find(selector(Some(&id), None, None)).await, Ok(id.clone()));
    assert_eq!(
        find(selector(None, Some("ada"), Some("main"))).await,
        Ok(id.clone())
    );
    for (wrong, kind) in [
        (selector(Some(&id), Some("bob"), None), Kind::AccountNotFound),
        (selector(Some(&id), None, Some("keys")), Kind::AccountNotFound),
        (selector(None, Some("bob"), Some("main")), Kind::AccountNotFound),
        (selector(None, Some("ada"), Some("keys")), Kind::AccountNotFound),
        (selector(None, Some("ada"), Some("none")), Kind::NotFound),
        (selector(None, Some("ada"), None), Kind::InvalidInput),
        (selector(None, None, Some("main")), Kind::InvalidInput),
    ] {
        assert_eq!(find(wrong).await, Err(kind));
    }
}

#[tokio::test]
async fn lists_are_narrowed_and_counted_over_all_pages() {
    let rig = rig_with_keys().await;
    let accounts = rig.accounts();
    for number in 0..5 {
        let who = format!("User-{number}@example.com");
        accounts
            .create_account(&environment(), new_account("main", &who, None), &actor())
            .await
            .unwrap();
    }
    let with_key = new_account("keys", "user-1@example.com", Some(key("key-good")));
    accounts
        .create_account(&environment(), with_key, &actor())
        .await
        .unwrap();
    let count = async |query: AccountQuery| accounts.count_accounts(&environment(), &query).await.unwrap();
    let all = AccountQuery::default;
    assert_eq!(count(all()).await, 6);
    let of = |names: &[&str]| AccountQuery {
        connection_names: names.iter().map(|it| name(it)).collect(),
        ..all()
    };
    assert_eq!(count(of(&["main"])).await, 5);
    assert_eq!(count(of(&["main", "keys"])).await, 6);
    assert_eq!(count(of(&["none"])).await, 0);
    let text = |text: &str| AccountQuery {
        text: Some(text.to_owned()),
        ..all()
    };
    assert_eq!(count(text("user-1@")).await, 2, "in any case of letters");
    assert_eq!(count(text("keys")).await, 1);
    let active = AccountQuery {
        state: Some(AccountState::Active),
        ..all()
    };
    assert_eq!(count(active).await, 1);

    let mut seen = Vec::new();
    let mut page = AccountQuery { limit: 4, ..all() };
    loop {
        let found = accounts.accounts(&environment(), &page).await.unwrap();
        let Some(last) = found.last() else { break };
        page.after = Some(last.id.clone());
        seen.extend(found.iter().map(|account| account.id.clone()));
    }
    let mut unique = seen.clone();
    unique.dedup();
    assert_eq!((seen.len(), unique.len()), (6, 6));
}
