//! Which site an account is for: found with the new credential, chosen by its owner where there are
//! several, never half-done.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;
use serde_json::{Value, json as value};
use tokio::sync::Notify;
use valetkey::accounts::{AccountState, ChoicePage, GivenCredential, LinkRequest, Step};
use valetkey::error::{Fault, Kind};
use valetkey::runtime::Runtime;
use valetkey::secret::Secret;
use valetkey_manifest::Manifest;
use valetkey_tests::TestHost;
use valetkey_tests::http::Answer;

use crate::rig::{
    Rig, actor, begin, browser, environment, identifier, install, link_request, manifest, name, new_account,
    parameters, query, redirect, ticket,
};
use crate::vendor::{Reply, Vendor, json, tokens};

const TWO: &str = r#"[{"id":"aa-1","name":"Ada <Works>"},{"id":"bb-2","name":"Bob & Co"}]"#;
const ONE: &str = r#"[{"id":"aa-1","name":"Ada <Works>"}]"#;

fn with_sites(manifest: &mut Manifest) {
    let part = |text: Value| serde_json::from_value(text).expect("a part of a manifest");
    manifest.account_config = serde_json::from_value(value!({"cloud": {
        "title": "Site id", "description": "The id of the site.", "required": true, "pattern": "[a-z0-9-]{1,40}"
    }}))
    .expect("configuration");
    manifest.discover = Some(part(value!({
        "endpoint": "sites", "path": "/accessible?expand=1", "items": "", "label": "/name", "set": {"cloud": "/id"}
    })));
    let api = manifest.endpoints["api"].clone();
    manifest.endpoints.insert("sites".to_owned(), api);
    manifest.endpoints.get_mut("api").expect("an endpoint").url =
        "https://vendor.example/ex/{config.cloud}".to_owned();
}

/// A vendor whose users have the sites of this answer, and a host with the connection `main` to it.
async fn rig(sites: &'static str) -> Rig {
    let vendor = Vendor::start().await;
    let host = TestHost::start_with(|_| {}).await;
    let mut manifest = manifest();
    with_sites(&mut manifest);
    install(&host, &manifest).await;
    let rig = Rig { host, vendor };
    rig.vendor.on("/accessible", move |_, _| json(200, sites));
    for site in ["aa-1", "bb-2"] {
        let whoami = format!(r#"{{"id":"user-at-{site}","name":"Ada"}}"#);
        rig.vendor.on(&format!("/ex/{site}/whoami"), move |_, _| {
            json(200, whoami.clone())
        });
    }
    for (connection, auth) in [("main", None), ("keys", Some("key"))] {
        let url = rig.vendor.url.clone();
        rig.connection(connection, |new| {
            new.auth = auth.map(str::to_owned);
            new.oauth = new.oauth.take().filter(|_| auth.is_none());
            new.endpoints = BTreeMap::from([
                ("api".to_owned(), format!("{url}/ex/{{config.cloud}}")),
                ("sites".to_owned(), url),
            ]);
        })
        .await;
    }
    rig
}

async fn back(rig: &Rig, state: &str, browser: Option<&Secret>) -> Result<Step, Fault> {
    let answer = query(&[("code", "good"), ("state", state)]);
    rig.accounts()
        .callback(&environment(), &name("main"), answer, browser)
        .await
}

/// A browser goes through a link to the vendor and back.
async fn consent(rig: &Rig, request: LinkRequest, who: &Secret) -> (String, Result<Step, Fault>) {
    let link = rig
        .accounts()
        .create_link(&environment(), request, &actor())
        .await
        .expect("a link");
    let ticket = ticket(&link.authorization_link);
    let step = go_on(rig, &ticket, who).await;
    (ticket, step)
}

async fn go_on(rig: &Rig, ticket: &str, who: &Secret) -> Result<Step, Fault> {
    let sent = rig
        .accounts()
        .submit_form(ticket, BTreeMap::new(), who)
        .await
        .expect("a redirect");
    back(rig, &parameters(&redirect(sent))["state"], Some(who)).await
}

fn choice(step: Step) -> ChoicePage {
    match step {
        Step::Choice(page) => page,
        other => panic!("not a choice: {other:?}"),
    }
}

fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    pairs
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Secret::new((*text).to_owned())))
        .collect()
}

fn naming(request: LinkRequest, cloud: &str) -> LinkRequest {
    LinkRequest {
        account_config: BTreeMap::from([("cloud".to_owned(), cloud.to_owned())]),
        ..request
    }
}

/// The account of an identifier, as it is now.
async fn account_of(runtime: &Runtime, who: &str) -> Arc<valetkey::accounts::Account> {
    let query = valetkey::accounts::AccountQuery {
        identifier: Some(identifier(who)),
        limit: 1,
        ..Default::default()
    };
    let mut found = runtime
        .accounts
        .accounts(&environment(), &query)
        .await
        .expect("a list");
    found.pop().expect("an account")
}

async fn account(rig: &Rig, who: &str) -> Arc<valetkey::accounts::Account> {
    account_of(&rig.host.runtime, who).await
}

#[tokio::test]
async fn the_only_site_is_found_before_the_account_is_checked_and_nobody_is_asked() {
    let rig = rig(ONE).await;
    let (_, step) = consent(&rig, link_request("main", "ada"), &browser("ada")).await;
    assert!(matches!(step, Ok(Step::Connected(_))), "{step:?}");
    let asked = rig.vendor.seen("/accessible");
    assert_eq!(
        (asked.len(), asked[0].authorization.as_str()),
        (1, "Bearer access-1")
    );
    let account = account(&rig, "ada").await;
    assert_eq!(account.state, AccountState::Active);
    assert_eq!(account.account_config["cloud"], "aa-1");
    assert_eq!(account.subject.as_deref(), Some("user-at-aa-1"));
    assert_eq!(&*account.scopes, ["read", "write"]);
    assert!(account.token_expires_at_ms.is_some());
}

/// A browser that keeps the cookie, on real sockets.
struct Chrome<'r> {
    rig: &'r Rig,
    cookie: String,
}

impl Chrome<'_> {
    async fn send(&mut self, method: Method, url: &str, form: &str) -> Answer {
        let mut headers = vec![
            ("accept", "text/html"),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        if !self.cookie.is_empty() {
            headers.push(("cookie", &self.cookie));
        }
        let answer = self
            .rig
            .host
            .http
            .send(method, url, &headers, form.to_owned())
            .await;
        if let Some(cookie) = answer
            .header("set-cookie")
            .split(';')
            .next()
            .filter(|text| !text.is_empty())
        {
            self.cookie = cookie.to_owned();
        }
        answer
    }
}

#[tokio::test]
async fn of_several_sites_the_owner_chooses_one_on_a_page_without_script() {
    let rig = rig(TWO).await;
    let link = rig
        .accounts()
        .create_link(&environment(), link_request("main", "ada"), &actor())
        .await
        .unwrap();
    let mut chrome = Chrome {
        rig: &rig,
        cookie: String::new(),
    };
    let onward = chrome.send(Method::POST, &link.authorization_link, "").await;
    let page = onward.text();
    let state = page.split("state=").nth(1).expect("a state");
    let state = &state[..state.find(['&', '"', ';']).expect("its end")];
    let callback = format!(
        "{}/oauth/callback/dev/main?code=good&state={state}",
        rig.host.base_url
    );
    let sent = chrome.send(Method::GET, &callback, "").await;
    assert!(sent.status.is_redirection(), "{}", sent.text());
    let at = sent.header("location");
    assert!(at.starts_with(&format!("{}/connect/", rig.host.base_url)), "{at}");
    assert_eq!(account(&rig, "ada").await.state, AccountState::PendingAuth);
    assert!(rig.vendor.seen("/ex/aa-1/whoami").is_empty());

    let asked = chrome.send(Method::GET, &at, "").await;
    let page = asked.text();
    assert_eq!(asked.status, 200);
    assert!(
        page.contains("Ada &#60;Works&#62;") && page.contains("Bob &#38; Co"),
        "{page}"
    );
    assert!(!page.contains("<script") && !page.contains("access-1"), "{page}");
    assert!(
        asked
            .header("content-security-policy")
            .contains("default-src 'none'")
    );

    // A choice that is not there: the same page, with a word.
    for form in ["site=", "site=2", "site=aa-1"] {
        let again = chrome.send(Method::POST, &at, form).await;
        assert_eq!(again.status, 422);
        assert!(again.text().contains("Choose one of them."), "{}", again.text());
    }
    // A form of another site, and another browser, choose nothing.
    let cookie = chrome.cookie.clone();
    let foreign = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "cross-site"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let refused = rig
        .host
        .http
        .send(Method::POST, &at, &foreign, "site=0".to_owned())
        .await;
    assert!(refused.status.is_client_error(), "{}", refused.text());
    assert_eq!(account(&rig, "ada").await.state, AccountState::PendingAuth);

    let done = chrome.send(Method::POST, &at, "site=1").await;
    assert_eq!(done.status, 200, "{}", done.text());
    let connected = account(&rig, "ada").await;
    assert_eq!(connected.state, AccountState::Active);
    assert_eq!(connected.account_config["cloud"], "bb-2");
    assert_eq!(connected.subject.as_deref(), Some("user-at-bb-2"));
    assert_eq!(rig.token("ada").await.unwrap(), "access-1");
    assert_eq!(rig.vendor.seen("/token").len(), 1, "one exchange");
    // Both the link and the choice are used.
    for url in [&at, &link.authorization_link] {
        let used = chrome.send(Method::GET, url, "").await;
        assert!(used.status.is_client_error(), "{}", used.text());
    }
}

#[tokio::test]
async fn another_browser_cannot_choose_and_begins_anew() {
    let rig = rig(TWO).await;
    let (link, step) = consent(&rig, link_request("main", "ada"), &browser("ada")).await;
    let page = ticket(&redirect(step.unwrap()));
    // The owner's browser finds the choice under the link, too.
    for at in [&link, &page] {
        let open = rig.accounts().open_link(at, Some(&browser("ada"))).await.unwrap();
        assert_eq!(choice(open).sites.len(), 2);
        let other = rig.accounts().open_link(at, Some(&browser("eve"))).await.unwrap();
        assert!(matches!(other, Step::Form(_)), "{other:?}");
    }
    let choose = values(&[("site", "0")]);
    let step = rig
        .accounts()
        .submit_form(&page, choose.clone(), &browser("eve"))
        .await
        .unwrap();
    let url = redirect(step);
    assert!(url.starts_with(&rig.vendor.url), "sent to the vendor: {url}");
    assert_eq!(account(&rig, "ada").await.state, AccountState::PendingAuth);
    // The choice that was open is gone with it; the link goes on where it was taken.
    let gone = rig
        .accounts()
        .submit_form(&page, choose, &browser("ada"))
        .await
        .unwrap_err();
    assert_eq!(gone.kind(), Kind::FlowInvalid);
    let step = back(&rig, &parameters(&url)["state"], Some(&browser("eve")))
        .await
        .unwrap();
    let page = ticket(&redirect(step));
    let step = rig
        .accounts()
        .submit_form(&page, values(&[("site", "0")]), &browser("eve"))
        .await
        .unwrap();
    assert!(matches!(step, Step::Connected(_)), "{step:?}");
    assert_eq!(rig.token("ada").await.unwrap(), "access-2");
}

#[tokio::test]
async fn of_two_choices_at_once_one_counts() {
    let rig = rig(TWO).await;
    let (_, step) = consent(&rig, link_request("main", "ada"), &browser("ada")).await;
    let page = ticket(&redirect(step.unwrap()));
    let owner = browser("ada");
    let tries = (0..10).map(|number| {
        let site = if number % 2 == 0 { "0" } else { "1" };
        rig.accounts()
            .submit_form(&page, values(&[("site", site)]), &owner)
    });
    let done = futures_util::future::join_all(tries).await;
    let won = done
        .iter()
        .filter(|step| matches!(step, Ok(Step::Connected(_))))
        .count();
    assert_eq!(won, 1, "{done:?}");
    let whoami = rig.vendor.seen("/ex/aa-1/whoami").len() + rig.vendor.seen("/ex/bb-2/whoami").len();
    assert_eq!(whoami, 1);
}

#[tokio::test]
async fn the_site_that_the_application_named_is_taken_without_asking_or_not_at_all() {
    let rig = rig(TWO).await;
    let request = naming(link_request("main", "ada"), "bb-2");
    let (_, step) = consent(&rig, request, &browser("ada")).await;
    assert!(matches!(step, Ok(Step::Connected(_))), "{step:?}");
    assert_eq!(account(&rig, "ada").await.account_config["cloud"], "bb-2");

    let request = naming(link_request("main", "bob"), "cc-3");
    let (link, step) = consent(&rig, request, &browser("bob")).await;
    let refused = step.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.reason_code()),
        (Kind::AccountNotActive, Some("other_site"))
    );
    let bob = account(&rig, "bob").await;
    assert_eq!(
        (bob.state, &*bob.account_config["cloud"]),
        (AccountState::PendingAuth, "cc-3")
    );
    rig.vendor.wait_for("/revoke", 1).await;
    // The site is allowed at the second try, under the same link.
    rig.vendor.on("/accessible", |_, _| {
        json(200, r#"[{"id":"aa-1","name":"A"},{"id":"cc-3","name":"C"}]"#)
    });
    rig.vendor
        .on("/ex/cc-3/whoami", |_, _| json(200, r#"{"id":"user-at-cc-3"}"#));
    let step = go_on(&rig, &link, &browser("bob")).await;
    assert!(matches!(step, Ok(Step::Connected(_))), "{step:?}");
    assert_eq!(account(&rig, "bob").await.account_config["cloud"], "cc-3");
}

#[tokio::test]
async fn an_account_that_is_authorized_again_keeps_its_site_where_it_may() {
    let rig = rig(TWO).await;
    let (_, step) = consent(&rig, link_request("main", "ada"), &browser("ada")).await;
    let page = ticket(&redirect(step.unwrap()));
    let chosen = values(&[("site", "1")]);
    rig.accounts()
        .submit_form(&page, chosen, &browser("ada"))
        .await
        .unwrap();
    let (_, step) = consent(&rig, link_request("main", "ada"), &browser("ada")).await;
    assert!(
        matches!(step, Ok(Step::Connected(_))),
        "not asked again: {step:?}"
    );
    assert_eq!(account(&rig, "ada").await.account_config["cloud"], "bb-2");
}

#[tokio::test]
async fn without_a_site_nothing_is_connected_and_the_link_can_be_opened_again() {
    let rig = rig("[]").await;
    let (link, step) = consent(&rig, link_request("main", "ada"), &browser("ada")).await;
    let refused = step.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.reason_code()),
        (Kind::AccountNotActive, Some("no_site"))
    );
    assert!(refused.public().contains("administrator"), "{}", refused.public());
    assert_eq!(account(&rig, "ada").await.state, AccountState::PendingAuth);
    rig.vendor.wait_for("/revoke", 1).await;
    for (status, body, reason) in [
        (503, "", "sites_unknown"),
        (200, "<html>", "sites_unknown"),
        (200, r#"{"error":"x"}"#, "sites_unknown"),
        (401, "", "credential_check_failed"),
        (403, "", "credential_check_failed"),
    ] {
        rig.vendor.on("/accessible", move |_, _| json(status, body));
        let refused = go_on(&rig, &link, &browser("ada")).await.unwrap_err();
        assert_eq!(refused.reason_code(), Some(reason), "{status} {body}");
    }
    rig.vendor.on("/accessible", |_, _| json(200, ONE));
    let step = go_on(&rig, &link, &browser("ada")).await;
    assert!(matches!(step, Ok(Step::Connected(_))), "{step:?}");
}

#[tokio::test]
async fn a_crash_before_the_choice_leaves_the_account_pending_and_the_link_good() {
    let rig = rig(TWO).await;
    // While the code is being exchanged.
    let gate = Arc::new(Notify::new());
    let held = Arc::clone(&gate);
    rig.vendor
        .on_token(move |_, number| Reply::Hold(Arc::clone(&held), Box::new(tokens(number))));
    let (link, state) = begin(rig.accounts(), "main", "ada").await;
    let accounts = Arc::clone(rig.accounts());
    let answer = query(&[("code", "good"), ("state", &state)]);
    let waiting = tokio::spawn(async move {
        accounts
            .callback(&environment(), &name("main"), answer, None)
            .await
    });
    rig.vendor.wait_for("/token", 1).await;
    let revived = rig.crash().await;
    let ticket_of_link = ticket(&link.authorization_link);
    let open = revived
        .runtime
        .accounts
        .open_link(&ticket_of_link, None)
        .await
        .unwrap();
    assert!(matches!(open, Step::Form(_)), "{open:?}");
    assert_eq!(
        account_of(&revived.runtime, "ada").await.state,
        AccountState::PendingAuth
    );

    // While the owner thinks about it.
    gate.notify_one();
    let page = ticket(&redirect(waiting.await.unwrap().unwrap()));
    let revived = rig.crash().await;
    assert_eq!(
        account_of(&revived.runtime, "ada").await.state,
        AccountState::PendingAuth
    );
    for at in [&ticket_of_link, &page] {
        let open = revived.runtime.accounts.open_link(at, None).await.unwrap();
        assert_eq!(choice(open).sites.len(), 2);
    }
    let chosen = values(&[("site", "0")]);
    let step = revived
        .runtime
        .accounts
        .submit_form(&page, chosen, &browser("ada"))
        .await
        .unwrap();
    assert!(matches!(step, Step::Connected(_)), "{step:?}");
    let account = account_of(&revived.runtime, "ada").await;
    assert_eq!(
        (account.state, &*account.account_config["cloud"]),
        (AccountState::Active, "aa-1")
    );
    assert_eq!(revived.token("ada").await.unwrap(), "access-1");
}

#[tokio::test]
async fn a_disconnection_meanwhile_leaves_nothing_to_choose() {
    let rig = rig(TWO).await;
    let (link, step) = consent(&rig, link_request("main", "ada"), &browser("ada")).await;
    let page = ticket(&redirect(step.unwrap()));
    let id = account(&rig, "ada").await.id.clone();
    rig.accounts()
        .disconnect(&environment(), &id, &actor())
        .await
        .unwrap();
    for at in [&link, &page] {
        let chosen = values(&[("site", "0")]);
        let gone = rig
            .accounts()
            .submit_form(at, chosen, &browser("ada"))
            .await
            .unwrap_err();
        assert_eq!(gone.kind(), Kind::FlowInvalid);
    }
    assert_eq!(account(&rig, "ada").await.state, AccountState::Disconnected);
}

#[tokio::test]
async fn the_application_confirms_after_the_choice_and_a_wrong_one_keeps_nothing() {
    let rig = rig(TWO).await;
    for (who, confirmed) in [("ada", "ada"), ("bob", "eve")] {
        let request = LinkRequest {
            user_verify_url: Some("https://app.example/verify".to_owned()),
            ..link_request("main", who)
        };
        let (_, step) = consent(&rig, request, &browser(who)).await;
        let page = ticket(&redirect(step.unwrap()));
        let chosen = values(&[("site", "1")]);
        let step = rig
            .accounts()
            .submit_form(&page, chosen, &browser(who))
            .await
            .unwrap();
        let url = redirect(step);
        assert!(
            url.starts_with("https://app.example/verify?auth_request_id="),
            "{url}"
        );
        assert_eq!(account(&rig, who).await.state, AccountState::PendingVerification);
        let attempt = parameters(&url)["auth_request_id"].parse().expect("an id");
        let outcome = rig
            .accounts()
            .verify_user(&environment(), &attempt, &identifier(confirmed), &actor())
            .await;
        let account = account(&rig, who).await;
        if who == confirmed {
            outcome.unwrap();
            assert_eq!(account.state, AccountState::Active);
            assert_eq!(account.account_config["cloud"], "bb-2");
            assert!(account.scopes_stated && account.token_expires_at_ms.is_some());
            assert_eq!(rig.token(who).await.unwrap(), "access-1");
        } else {
            assert_eq!(outcome.unwrap_err().kind(), Kind::FlowInvalid);
            assert_eq!(account.state, AccountState::PendingAuth);
            rig.vendor.wait_for("/revoke", 1).await;
            assert_eq!(rig.vendor.seen("/revoke")[0].field("token"), "refresh-2");
        }
    }
}

#[tokio::test]
async fn a_confirmed_attempt_that_names_its_site_is_exchanged_only_then() {
    let rig = rig(TWO).await;
    let request = LinkRequest {
        user_verify_url: Some("https://app.example/verify".to_owned()),
        ..naming(link_request("main", "ada"), "aa-1")
    };
    let (_, step) = consent(&rig, request, &browser("ada")).await;
    let url = redirect(step.unwrap());
    assert!(rig.vendor.seen("/token").is_empty());
    let attempt = parameters(&url)["auth_request_id"].parse().expect("an id");
    rig.accounts()
        .verify_user(&environment(), &attempt, &identifier("ada"), &actor())
        .await
        .unwrap();
    assert_eq!(account(&rig, "ada").await.account_config["cloud"], "aa-1");
}

#[tokio::test]
async fn a_form_asks_the_vendor_only_for_what_was_left_empty() {
    let rig = rig(TWO).await;
    let key = ("api_key", "key-abc");
    let link = |who: &'static str| {
        let accounts = Arc::clone(rig.accounts());
        async move {
            let link = accounts
                .create_link(&environment(), link_request("keys", who), &actor())
                .await
                .expect("a link");
            ticket(&link.authorization_link)
        }
    };
    let at = link("ada").await;
    let Step::Form(form) = rig.accounts().open_link(&at, None).await.unwrap() else {
        panic!("not a form")
    };
    let fields: Vec<_> = form
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.required))
        .collect();
    assert_eq!(fields, [("api_key", true), ("config.cloud", false)]);
    let filled = values(&[key, ("config.cloud", "bb-2")]);
    let step = rig
        .accounts()
        .submit_form(&at, filled, &browser("ada"))
        .await
        .unwrap();
    assert!(matches!(step, Step::Connected(_)), "{step:?}");
    assert!(rig.vendor.seen("/accessible").is_empty());

    let at = link("bob").await;
    let step = rig
        .accounts()
        .submit_form(&at, values(&[key]), &browser("bob"))
        .await
        .unwrap();
    assert_eq!(choice(step).ticket, at);
    assert_eq!(rig.vendor.seen("/accessible")[0].authorization, "Bearer key-abc");
    // Another credential after all: the form again, and then the choice.
    let step = rig
        .accounts()
        .submit_form(&at, BTreeMap::new(), &browser("bob"))
        .await
        .unwrap();
    assert!(matches!(&step, Step::Form(form) if form.fields.iter().all(|field| field.problem.is_none())));
    let step = rig
        .accounts()
        .submit_form(&at, values(&[key]), &browser("bob"))
        .await
        .unwrap();
    let labels: Vec<String> = choice(step).sites.into_iter().map(|site| site.label).collect();
    assert_eq!(labels, ["Ada <Works>", "Bob & Co"]);
    let chosen = values(&[("site", "0")]);
    let step = rig
        .accounts()
        .submit_form(&at, chosen, &browser("bob"))
        .await
        .unwrap();
    assert!(matches!(step, Step::Connected(_)), "{step:?}");
    let bob = account(&rig, "bob").await;
    assert_eq!(bob.account_config["cloud"], "aa-1");
    assert_eq!(bob.subject.as_deref(), Some("user-at-aa-1"));
}

#[tokio::test]
async fn an_application_that_brings_a_credential_is_told_which_sites_it_may_name() {
    let rig = rig(TWO).await;
    let tokens = || GivenCredential::Tokens {
        access: Secret::new("given-access".to_owned()),
        refresh: None,
        scopes: Vec::new(),
        expires_at_ms: None,
    };
    let mut new = new_account("main", "ada", Some(tokens()));
    let unclear = rig
        .accounts()
        .create_account(&environment(), new.clone(), &actor())
        .await
        .unwrap_err();
    assert_eq!(
        (unclear.kind(), unclear.reason_code()),
        (Kind::InvalidInput, Some("site_needed"))
    );
    let fields = unclear.fields();
    assert_eq!(fields[0].path, "/account_config/cloud");
    assert!(fields[0].problem.contains("\"bb-2\""), "{}", fields[0].problem);

    new.account_config = BTreeMap::from([("cloud".to_owned(), "cc-3".to_owned())]);
    let refused = rig
        .accounts()
        .create_account(&environment(), new.clone(), &actor())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::VendorRejected);
    new.account_config = BTreeMap::from([("cloud".to_owned(), "bb-2".to_owned())]);
    let account = rig
        .accounts()
        .create_account(&environment(), new, &actor())
        .await
        .unwrap();
    assert_eq!(account.account_config["cloud"], "bb-2");
    assert_eq!(account.subject.as_deref(), Some("user-at-bb-2"));
}
