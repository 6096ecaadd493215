//! The way in: links, callbacks, confirmation, forms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use valetkey::accounts::{AccountState, CallbackQuery, Reason, Step};
use valetkey::error::Kind;
use valetkey::secret::Secret;

use crate::rig::{
    Rig, actor, begin, browser, connect, environment, identifier, link_request, name, new_account, open,
    parameters, query, redirect, ticket,
};
use crate::vendor::json;

#[tokio::test]
async fn whole_flow_activates_the_account_and_keeps_what_the_vendor_says() {
    let rig = Rig::start().await;
    let id = rig.connect("ada").await;
    let account = rig.account(&id).await;
    assert_eq!(account.state, AccountState::Active);
    assert_eq!(account.subject.as_deref(), Some("acct-1"));
    assert_eq!(account.label.as_deref(), Some("Ada"));
    assert_eq!(&*account.scopes, ["read", "write"]);
    assert!(account.scopes_stated);
    assert_eq!(rig.token("ada").await.unwrap(), "access-1");
    assert_eq!(rig.vendor.seen("/whoami")[0].authorization, "Bearer access-1");
}

#[tokio::test]
async fn every_bad_callback_is_refused_alike_and_nothing_is_sent() {
    let rig = Rig::start().await;
    rig.connection("other", |_| {}).await;
    let accounts = rig.accounts();
    let (link, state) = begin(accounts, "main", "ada").await;
    let long = "x".repeat(100 * 1024);
    let bad: Vec<(&str, CallbackQuery)> = vec![
        ("main", query(&[])),
        ("main", query(&[("code", "c")])),
        ("main", query(&[("state", &state)])),
        ("main", query(&[("code", "c"), ("state", "unknown")])),
        ("main", query(&[("code", "c"), ("state", &state[..20])])),
        ("main", query(&[("code", ""), ("state", &state)])),
        ("main", query(&[("code", "c\n"), ("state", &state)])),
        ("main", query(&[("code", "c"), ("code", "c"), ("state", &state)])),
        (
            "main",
            query(&[("code", "c"), ("state", &state), ("state", &state)]),
        ),
        (
            "main",
            query(&[("code", "c"), ("error", "access_denied"), ("state", &state)]),
        ),
        ("main", query(&[("code", &long), ("state", &state)])),
        // A code for one connection delivered to the redirect URI of another.
        ("other", query(&[("code", "c"), ("state", &state)])),
        ("none", query(&[("code", "c"), ("state", &state)])),
    ];
    let mut answers = BTreeSet::new();
    for (connection, query) in bad {
        let fault = accounts
            .callback(&environment(), &name(connection), query, None)
            .await
            .unwrap_err();
        assert_eq!(fault.kind(), Kind::FlowInvalid);
        answers.insert(fault.public().to_owned());
    }
    let stranger = valetkey::id::EnvironmentId::new("stranger").unwrap();
    let good = query(&[("code", "good"), ("state", &state)]);
    assert_eq!(
        accounts
            .callback(&stranger, &name("main"), good.clone(), None)
            .await
            .unwrap_err()
            .kind(),
        Kind::FlowInvalid
    );
    assert_eq!(answers.len(), 1, "one answer for all: {answers:?}");
    assert!(rig.vendor.seen("/token").is_empty());

    // The attempt itself is still good, once.
    accounts
        .callback(&environment(), &name("main"), good.clone(), None)
        .await
        .unwrap();
    let again = accounts
        .callback(&environment(), &name("main"), good, None)
        .await
        .unwrap_err();
    assert_eq!(again.kind(), Kind::FlowInvalid);
    assert_eq!(
        accounts
            .open_link(&ticket(&link.authorization_link), None)
            .await
            .unwrap_err()
            .kind(),
        Kind::FlowInvalid
    );
    assert_eq!(rig.vendor.seen("/token").len(), 1);
}

#[tokio::test]
async fn links_and_states_expire_after_ten_minutes() {
    let rig = Rig::start().await;
    let accounts = rig.accounts();
    let (link, state) = begin(accounts, "main", "ada").await;
    rig.advance(601);
    let late = query(&[("code", "good"), ("state", &state)]);
    assert_eq!(
        accounts
            .callback(&environment(), &name("main"), late, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::FlowInvalid
    );
    assert_eq!(
        accounts
            .open_link(&ticket(&link.authorization_link), None)
            .await
            .unwrap_err()
            .kind(),
        Kind::FlowInvalid
    );
    assert!(rig.vendor.seen("/token").is_empty());
}

#[tokio::test]
async fn one_state_exchanged_by_many_at_once_sends_one_code() {
    let rig = Rig::start().await;
    let accounts = rig.accounts();
    let (_, state) = begin(accounts, "main", "ada").await;
    let back = query(&[("code", "good"), ("state", &state)]);
    let (environment, connection) = (environment(), name("main"));
    let tries = (0..20).map(|_| accounts.callback(&environment, &connection, back.clone(), None));
    let won = futures_util::future::join_all(tries)
        .await
        .into_iter()
        .filter(Result::is_ok)
        .count();
    assert_eq!(won, 1);
    assert_eq!(rig.vendor.seen("/token").len(), 1);
}

#[tokio::test]
async fn pkce_is_fresh_and_s256_in_every_flow() {
    let rig = Rig::start().await;
    let mut challenges = BTreeSet::new();
    for _ in 0..3 {
        let accounts = rig.accounts();
        let link = accounts
            .create_link(&environment(), link_request("main", "ada"), &actor())
            .await
            .unwrap();
        let sent = open(accounts, &link.authorization_link).await;
        assert_eq!(sent["code_challenge_method"], "S256");
        assert_eq!(sent["response_type"], "code");
        assert_eq!(sent["scope"], "read write");
        assert_eq!(sent["access_type"], "offline");
        assert_eq!(
            sent["redirect_uri"],
            format!("{}/oauth/callback/dev/main", rig.host.base_url)
        );
        assert_eq!(sent["code_challenge"].len(), 43);
        challenges.insert(sent["code_challenge"].clone());
        let back = query(&[("code", "good"), ("state", &sent["state"])]);
        accounts
            .callback(&environment(), &name("main"), back, None)
            .await
            .unwrap();
    }
    assert_eq!(challenges.len(), 3);
    for exchange in rig.vendor.seen("/token") {
        assert_eq!(exchange.form["code_verifier"].len(), 1, "exactly once");
        assert!(exchange.field("code_verifier").len() >= 43);
        assert_eq!(exchange.form["client_secret"].len(), 1);
    }
}

#[tokio::test]
async fn an_attackers_code_in_the_victims_browser_ends_in_the_attackers_account() {
    let rig = Rig::start().await;
    let victim = rig.connect("victim").await;
    let before = rig.account(&victim).await;
    let accounts = rig.accounts();
    let (link, state) = begin(accounts, "main", "attacker").await;
    // The victim's browser delivers it.
    let back = query(&[("code", "attackers"), ("state", &state)]);
    accounts
        .callback(&environment(), &name("main"), back, None)
        .await
        .unwrap();
    assert_eq!(*rig.account(&victim).await, *before);
    assert_eq!(
        rig.account(&link.connected_account_id).await.identifier,
        identifier("attacker")
    );
    assert_eq!(rig.token("victim").await.unwrap(), "access-1");
}

#[tokio::test]
async fn the_code_waits_until_the_application_confirms_the_person() {
    let rig = Rig::start().await;
    let accounts = rig.accounts();
    let mut request = link_request("main", "ada");
    request.user_verify_url = Some("https://app.example/verify".to_owned());
    request.state = Some("the application's & own".to_owned());
    let link = accounts
        .create_link(&environment(), request.clone(), &actor())
        .await
        .unwrap();
    let state = open(accounts, &link.authorization_link).await["state"].clone();
    let back = query(&[("code", "good"), ("state", &state)]);
    let url = redirect(
        accounts
            .callback(&environment(), &name("main"), back, None)
            .await
            .unwrap(),
    );
    let sent = crate::rig::parameters(&url);
    assert!(url.starts_with("https://app.example/verify?"));
    assert_eq!(sent["auth_request_id"], link.auth_request_id.as_str());
    assert_eq!(sent["state"], "the application's & own");
    assert!(
        rig.vendor.seen("/token").is_empty(),
        "no exchange before the confirmation"
    );
    let account = rig.account(&link.connected_account_id).await;
    assert_eq!(account.state, AccountState::PendingVerification);
    assert_eq!(
        rig.pick("ada").await.err().unwrap().kind(),
        Kind::AccountNotActive
    );

    let account = accounts
        .verify_user(
            &environment(),
            &link.auth_request_id,
            &identifier("ada"),
            &actor(),
        )
        .await
        .unwrap();
    assert_eq!(account.state, AccountState::Active);
    assert_eq!(rig.vendor.seen("/token").len(), 1);

    // Somebody else completed the next link: nothing is exchanged, and the attempt is over.
    request.identifier = identifier("grace");
    let link = accounts
        .create_link(&environment(), request, &actor())
        .await
        .unwrap();
    let state = open(accounts, &link.authorization_link).await["state"].clone();
    let back = query(&[("code", "good"), ("state", &state)]);
    accounts
        .callback(&environment(), &name("main"), back, None)
        .await
        .unwrap();
    for who in ["mallory", "grace"] {
        let fault = accounts
            .verify_user(&environment(), &link.auth_request_id, &identifier(who), &actor())
            .await
            .unwrap_err();
        assert_eq!(fault.kind(), Kind::FlowInvalid);
    }
    assert_eq!(rig.vendor.seen("/token").len(), 1);
    let account = rig.account(&link.connected_account_id).await;
    assert_eq!(
        (account.state, account.reason),
        (AccountState::PendingAuth, Some(Reason::VerificationFailed))
    );
}

#[tokio::test]
async fn a_foreign_verify_url_is_refused() {
    let rig = Rig::start().await;
    for url in [
        "https://app.example/verify/",
        "https://app.example/verify?x",
        "https://evil.example/verify",
    ] {
        let mut request = link_request("main", "ada");
        request.user_verify_url = Some(url.to_owned());
        let fault = rig
            .accounts()
            .create_link(&environment(), request, &actor())
            .await
            .unwrap_err();
        assert_eq!(fault.kind(), Kind::InvalidInput, "{url}");
    }
}

#[tokio::test]
async fn denied_consent_is_recorded_and_leaves_a_working_account_alone() {
    let rig = Rig::start().await;
    for connected in [false, true] {
        let who = if connected { "grace" } else { "ada" };
        if connected {
            rig.connect(who).await;
        }
        let accounts = rig.accounts();
        let (link, state) = begin(accounts, "main", who).await;
        let back = query(&[
            ("error", "access_denied"),
            ("error_description", "canary"),
            ("state", &state),
        ]);
        let fault = accounts
            .callback(&environment(), &name("main"), back, None)
            .await
            .unwrap_err();
        assert_eq!(fault.reason_code(), Some("consent_denied"));
        assert!(!fault.public().contains("canary"));
        let account = rig.account(&link.connected_account_id).await;
        let expected = if connected {
            (AccountState::Active, None)
        } else {
            (AccountState::PendingAuth, Some(Reason::ConsentDenied))
        };
        assert_eq!((account.state, account.reason), expected);
    }
}

#[tokio::test]
async fn the_issuer_is_compared_when_it_is_known() {
    let rig = Rig::start().await;
    rig.connection("issued", |new| {
        if let Some(app) = &mut new.oauth {
            app.issuer = Some("https://issuer.example".to_owned());
        }
    })
    .await;
    let accounts = rig.accounts();
    for (issuer, good) in [("https://evil.example", false), ("https://issuer.example", true)] {
        let (_, state) = begin(accounts, "issued", "ada").await;
        let back = query(&[("code", "good"), ("state", &state), ("iss", issuer)]);
        let result = accounts
            .callback(&environment(), &name("issued"), back, None)
            .await;
        assert_eq!(result.is_ok(), good, "{issuer}");
    }
    assert_eq!(
        rig.vendor.seen("/token").len(),
        1,
        "no code went out for the foreign issuer"
    );
}

#[tokio::test]
async fn scopes_are_kept_as_granted() {
    let rig = Rig::start().await;
    for (number, (scope, expected, stated)) in [
        (r#","scope":"read""#, vec!["read"], true),
        (
            r#","scope":"write,read,extra""#,
            vec!["write", "read", "extra"],
            true,
        ),
        // GitHub Apps have permissions instead of scopes, and say so by an empty text.
        (r#","scope":"""#, vec!["read", "write"], false),
        ("", vec!["read", "write"], false),
    ]
    .into_iter()
    .enumerate()
    {
        rig.vendor
            .on_token(move |_, _| json(200, format!(r#"{{"access_token":"t"{scope}}}"#)));
        let id = rig.connect(&format!("user-{number}")).await;
        let account = rig.account(&id).await;
        assert_eq!(
            account.scopes.iter().map(String::as_str).collect::<Vec<_>>(),
            expected
        );
        assert_eq!(account.scopes_stated, stated);
    }
}

#[tokio::test]
async fn consent_for_another_vendor_account_changes_nothing() {
    let rig = Rig::start().await;
    let id = rig.connect("ada").await;
    rig.vendor
        .on_whoami(|_, _| json(200, r#"{"id":"acct-2","name":"Eve"}"#));
    let accounts = rig.accounts();
    let (_, state) = begin(accounts, "main", "ada").await;
    let back = query(&[("code", "good"), ("state", &state)]);
    let fault = accounts
        .callback(&environment(), &name("main"), back, None)
        .await
        .unwrap_err();
    assert_eq!(fault.reason_code(), Some("subject_changed"));
    assert_eq!(rig.account(&id).await.subject.as_deref(), Some("acct-1"));
    assert_eq!(rig.token("ada").await.unwrap(), "access-1");
    rig.vendor.wait_for("/revoke", 1).await;
    assert_eq!(rig.vendor.seen("/revoke")[0].field("token"), "refresh-2");
}

#[tokio::test]
async fn abandoned_flows_are_bounded_and_the_oldest_go() {
    let rig = Rig::start_with(|config| config.oauth.max_open_flows = 10).await;
    let accounts = rig.accounts();
    let first = accounts
        .create_link(&environment(), link_request("main", "u-0"), &actor())
        .await
        .unwrap();
    for number in 1..40 {
        let request = link_request("main", &format!("u-{}", number % 5));
        accounts
            .create_link(&environment(), request, &actor())
            .await
            .unwrap();
        assert!(accounts.open_flows(&environment()) <= 10);
    }
    assert_eq!(
        accounts
            .open_link(&ticket(&first.authorization_link), None)
            .await
            .unwrap_err()
            .kind(),
        Kind::FlowInvalid
    );
    // Expired ones go with the next link.
    rig.advance(601);
    accounts
        .create_link(&environment(), link_request("main", "u-0"), &actor())
        .await
        .unwrap();
    assert_eq!(accounts.open_flows(&environment()), 1);
}

#[tokio::test]
async fn an_open_flow_survives_a_restart() {
    let rig = Rig::start().await;
    let accounts = rig.accounts();
    let (_, state) = begin(accounts, "main", "ada").await;
    let revived = rig.crash().await;
    let back = query(&[("code", "good"), ("state", &state)]);
    revived
        .runtime
        .accounts
        .callback(&environment(), &name("main"), back, None)
        .await
        .unwrap();
    assert_eq!(revived.token("ada").await.unwrap(), "access-1");
}

#[tokio::test]
async fn faults_of_an_unconnected_account_carry_one_link_however_often_they_come() {
    let rig = Rig::start().await;
    let accounts = rig.accounts();
    let account = accounts
        .create_account(&environment(), new_account("main", "ada", None), &actor())
        .await
        .unwrap();
    let mut links = BTreeSet::new();
    for _ in 0..20 {
        let fault = rig.pick("ada").await.err().unwrap();
        assert_eq!(fault.reason_code(), Some("never_authorized"));
        links.insert(accounts.mending_link(&account).await.expect("a link"));
    }
    assert_eq!(links.len(), 1);
    assert_eq!(accounts.open_flows(&environment()), 1);
}

#[tokio::test]
async fn an_ambiguous_identifier_is_told_the_choices() {
    let rig = Rig::start().await;
    rig.connection("second", |_| {}).await;
    rig.connect("ada").await;
    assert!(rig.pick("ada").await.is_ok());
    connect(rig.accounts(), "second", "ada").await;
    let fault = rig.pick("ada").await.err().unwrap();
    assert_eq!(fault.kind(), Kind::AccountAmbiguous);
    assert!(
        fault.public().contains("`main` (Ada)") && fault.public().contains("`second` (Ada)"),
        "{}",
        fault.public()
    );
    assert_eq!(
        rig.pick("nobody").await.err().unwrap().kind(),
        Kind::AccountNotFound
    );
}

#[tokio::test]
async fn a_key_is_checked_with_the_vendor_before_the_account_is_active() {
    let rig = Rig::start().await;
    for (connection, auth) in [("keys", "key"), ("basics", "basic")] {
        rig.connection(connection, |new| {
            new.auth = Some(auth.to_owned());
            new.oauth = None;
        })
        .await;
    }
    let wrong = std::sync::Arc::new(AtomicUsize::new(1));
    let counter = std::sync::Arc::clone(&wrong);
    rig.vendor.on_whoami(move |_, _| {
        match counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)) {
            Ok(_) => json(401, "{}"),
            Err(_) => json(200, r#"{"id":7}"#),
        }
    });
    let accounts = rig.accounts();
    let link = accounts
        .create_link(&environment(), link_request("keys", "ada"), &actor())
        .await
        .unwrap();
    let ticket_ = ticket(&link.authorization_link);
    let Step::Form(page) = accounts.open_link(&ticket_, None).await.unwrap() else {
        panic!("a form")
    };
    assert_eq!(page.fields[0].name, "api_key");
    assert!(page.fields[0].secret);
    let form = |value: &str| BTreeMap::from([("api_key".to_owned(), Secret::new(value.to_owned()))]);
    let Step::Form(page) = accounts
        .submit_form(&ticket_, form("not a key"), &browser("ada"))
        .await
        .unwrap()
    else {
        panic!("a form")
    };
    assert!(page.fields[0].problem.is_some());
    assert!(
        rig.vendor.seen("/whoami").is_empty(),
        "the pattern is checked here"
    );
    let Step::Form(page) = accounts
        .submit_form(&ticket_, form("key-wrong"), &browser("ada"))
        .await
        .unwrap()
    else {
        panic!("a form")
    };
    assert!(page.fields[0].problem.is_some());
    assert_eq!(
        rig.account(&link.connected_account_id).await.state,
        AccountState::PendingAuth
    );
    assert!(matches!(
        accounts
            .submit_form(&ticket_, form(" key-right "), &browser("ada"))
            .await
            .unwrap(),
        Step::Connected(_)
    ));
    let account = rig.account(&link.connected_account_id).await;
    assert_eq!(
        (account.state, account.subject.as_deref()),
        (AccountState::Active, Some("7"))
    );
    assert_eq!(rig.token("ada").await.unwrap(), "key-right");
    assert_eq!(
        accounts
            .submit_form(&ticket_, form("key-again"), &browser("ada"))
            .await
            .unwrap_err()
            .kind(),
        Kind::FlowInvalid
    );

    let link = accounts
        .create_link(&environment(), link_request("basics", "grace"), &actor())
        .await
        .unwrap();
    let pair = ["username", "password"].map(|field| (field.to_owned(), Secret::new(format!("{field}-1"))));
    accounts
        .submit_form(
            &ticket(&link.authorization_link),
            BTreeMap::from(pair),
            &browser("grace"),
        )
        .await
        .unwrap();
    assert_eq!(rig.token("grace").await.unwrap(), "username-1:password-1");
}

#[tokio::test]
async fn a_link_that_is_only_looked_at_stays_as_it_was() {
    let rig = Rig::start().await;
    let accounts = rig.accounts();
    let link = accounts
        .create_link(&environment(), link_request("main", "ada"), &actor())
        .await
        .unwrap();
    let ticket_ = ticket(&link.authorization_link);
    let ada = browser("ada");
    let sent = parameters(&redirect(
        accounts
            .submit_form(&ticket_, BTreeMap::new(), &ada)
            .await
            .unwrap(),
    ));
    // A mail scanner looks at the link while its owner is at the vendor.
    for _ in 0..3 {
        let Step::Form(page) = accounts.open_link(&ticket_, None).await.unwrap() else {
            panic!("a page")
        };
        let consent = page.consent.expect("what is asked for");
        assert_eq!(consent.host.as_deref(), Some("127.0.0.1"));
        let titles: Vec<_> = consent
            .permissions
            .iter()
            .map(|permission| permission.title.as_deref().unwrap_or(&permission.scope))
            .collect();
        assert_eq!(titles, ["Read everything", "write"]);
    }
    let back = query(&[("code", "good"), ("state", &sent["state"])]);
    let step = accounts
        .callback(&environment(), &name("main"), back, Some(&ada))
        .await
        .unwrap();
    assert!(matches!(step, Step::Connected(_)), "{step:?}");
}

#[tokio::test]
async fn only_the_browser_that_was_sent_to_the_vendor_comes_back_from_it() {
    let rig = Rig::start().await;
    let accounts = rig.accounts();
    let mut request = link_request("main", "ada");
    request.user_verify_url = Some("https://app.example/verify".to_owned());
    let link = accounts
        .create_link(&environment(), request, &actor())
        .await
        .unwrap();
    let ticket_ = ticket(&link.authorization_link);
    let (ada, mallory) = (browser("ada"), browser("mallory"));
    let sent = parameters(&redirect(
        accounts
            .submit_form(&ticket_, BTreeMap::new(), &ada)
            .await
            .unwrap(),
    ));
    let back = query(&[("code", "good"), ("state", &sent["state"])]);
    let denied = query(&[("error", "access_denied"), ("state", &sent["state"])]);
    for who in [None, Some(&mallory)] {
        for answer in [&back, &denied] {
            let fault = accounts
                .callback(&environment(), &name("main"), answer.clone(), who)
                .await
                .unwrap_err();
            assert_eq!(
                (fault.kind(), fault.reason_code()),
                (Kind::FlowInvalid, Some("other_browser"))
            );
        }
    }
    let state = rig.account(&link.connected_account_id).await.state;
    assert_eq!(state, AccountState::PendingAuth);
    assert!(rig.vendor.seen("/token").is_empty());

    let verify = redirect(
        accounts
            .callback(&environment(), &name("main"), back, Some(&ada))
            .await
            .unwrap(),
    );
    // Until the application confirms, the way to it is for that browser alone: whoever else has
    // the link must not learn the attempt's id.
    let Step::Waiting(page) = accounts.open_link(&ticket_, Some(&ada)).await.unwrap() else {
        panic!("a page")
    };
    assert_eq!(page.url, verify);
    for who in [None, Some(&mallory)] {
        let fault = accounts.open_link(&ticket_, who).await.unwrap_err();
        assert_eq!(fault.kind(), Kind::FlowInvalid);
    }
}

#[tokio::test]
async fn a_program_is_sent_on_only_to_a_vendor_on_this_machine() {
    let rig = Rig::start().await;
    rig.connection("real", |new| {
        if let Some(app) = &mut new.oauth {
            app.authorize_url = Some("https://vendor.example/authorize".to_owned());
        }
    })
    .await;
    let accounts = rig.accounts();
    let link = accounts
        .create_link(&environment(), link_request("real", "ada"), &actor())
        .await
        .unwrap();
    let step = accounts
        .follow_link(&ticket(&link.authorization_link))
        .await
        .unwrap();
    assert!(matches!(step, Step::Form(_)), "{step:?}");
}
