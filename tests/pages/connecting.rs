//! The whole way by OAuth.

use serde_json::json;
use valetkey::accounts::{AccountQuery, AccountState};
use valetkey_vendors::{Side, Vendor};

use crate::browser::Browser;
use crate::stage::{Site, crm, links};

#[tokio::test]
async fn an_account_is_connected_in_every_kind_of_window() {
    let Some(browser) = Browser::find() else { return };
    let world = crm(None).await;
    let links = links(&world.host, "crm", 8, &json!({})).await;
    browser.run("connect", &world.host, json!({"links": links})).await;
    assert_eq!(world.vendors.live_grants(Vendor::Hubspot), 8);
}

#[tokio::test]
async fn whoever_says_no_is_told_that_nothing_was_connected() {
    let Some(browser) = Browser::find() else { return };
    let world = crm(None).await;
    let links = links(&world.host, "crm", 4, &json!({})).await;
    browser.run("deny", &world.host, json!({"links": links})).await;
    assert_eq!(world.vendors.log().count(Side::Token), 0);
}

#[tokio::test]
async fn the_page_between_has_a_way_on_for_browsers_that_do_not_go_by_themselves() {
    let Some(browser) = Browser::find() else { return };
    let world = crm(None).await;
    let links = links(&world.host, "crm", 4, &json!({})).await;
    browser.run("goOn", &world.host, json!({"links": links})).await;
}

#[tokio::test]
async fn consent_given_in_another_browser_connects_nothing() {
    let Some(browser) = Browser::find() else { return };
    let world = crm(None).await;
    let links = links(&world.host, "crm", 1, &json!({})).await;
    browser
        .run("otherBrowser", &world.host, json!({"links": links}))
        .await;
    assert_eq!(
        world.vendors.log().count(Side::Token),
        1,
        "only the right browser's code was exchanged"
    );
}

#[tokio::test]
async fn the_application_is_asked_who_it_was_before_anything_is_connected() {
    let Some(browser) = Browser::find() else { return };
    let application = Site::application().await;
    let world = crm(Some(&application)).await;
    let more = json!({"user_verify_url": application.verify_url(), "state": "state-4711"});
    let links = links(&world.host, "crm", 4, &more).await;
    let input = json!({"links": links, "application": application.url});
    browser.run("confirm", &world.host, input).await;
    assert_eq!(world.vendors.log().count(Side::Token), 0);
    let environment = valetkey::id::EnvironmentId::new("dev").expect("a name");
    let query = AccountQuery {
        limit: 10,
        ..AccountQuery::default()
    };
    let accounts = world
        .host
        .runtime
        .accounts
        .accounts(&environment, &query)
        .await
        .expect("accounts");
    assert_eq!(accounts.len(), 4);
    assert!(
        accounts
            .iter()
            .all(|account| account.state == AccountState::PendingVerification)
    );
}
