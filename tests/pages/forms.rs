//! Credentials that are typed in.

use serde_json::json;
use valetkey_tests::{TestHost, world};

use crate::browser::Browser;
use crate::stage::{Site, connection, install, keys, links, named, with_configuration, with_sites};

#[tokio::test]
async fn a_token_form_says_at_the_field_what_is_wrong_and_never_shows_the_token() {
    let Some(browser) = Browser::find() else { return };
    let vendor = Site::vendor(Vec::new()).await;
    let host = keys(&vendor.url, &[]).await;
    let links = links(&host, "keys", 8, &json!({})).await;
    browser.run("token", &host, json!({"links": links})).await;
}

#[tokio::test]
async fn a_password_form_keeps_what_is_no_secret() {
    let Some(browser) = Browser::find() else { return };
    let vendor = Site::vendor(Vec::new()).await;
    let host = TestHost::start_with(named).await;
    install(&host, with_configuration).await;
    let body = json!({
        "connection_name": "basics", "connector": "hubspot", "auth": "basic", "development": true,
        "endpoints": {"api": vendor.url}, "application_name": "Acme Notes",
    });
    connection(&host, body).await;
    let links = links(&host, "basics", 4, &json!({})).await;
    browser.run("basic", &host, json!({"links": links})).await;
}

#[tokio::test]
async fn configuration_that_is_missing_is_asked_for_on_the_way_to_the_vendor() {
    let Some(browser) = Browser::find() else { return };
    let vendors = valetkey_vendors::Simulator::start(valetkey_vendors::Options::default())
        .await
        .expect("a port");
    let host = TestHost::start_with(named).await;
    install(&host, with_configuration).await;
    let mut body = world::connection("crm", "hubspot", &vendors.base_url);
    body["application_name"] = json!("Acme Notes");
    connection(&host, body).await;
    let links = links(&host, "crm", 4, &json!({})).await;
    browser.run("configured", &host, json!({"links": links})).await;
}

#[tokio::test]
async fn of_several_sites_one_is_chosen_by_its_button() {
    let Some(browser) = Browser::find() else { return };
    let vendor = Site::vendor(Vec::new()).await;
    let host = TestHost::start_with(named).await;
    install(&host, with_sites).await;
    let body = json!({
        "connection_name": "keys", "connector": "hubspot", "auth": "private_app", "development": true,
        "endpoints": {"api": vendor.url}, "application_name": "Acme Notes",
    });
    connection(&host, body).await;
    let links = links(&host, "keys", 8, &json!({})).await;
    browser.run("choice", &host, json!({"links": links})).await;
}

#[tokio::test]
async fn a_form_can_end_at_the_application_that_confirms() {
    let Some(browser) = Browser::find() else { return };
    let application = Site::application().await;
    let vendor = Site::vendor(Vec::new()).await;
    let host = keys(&vendor.url, &[application.verify_url()]).await;
    let more = json!({"user_verify_url": application.verify_url()});
    let links = links(&host, "keys", 1, &more).await;
    let input = json!({"links": links, "application": application.url});
    browser.run("confirmForm", &host, input).await;
}

#[tokio::test]
async fn a_vendor_that_is_not_there_is_no_mistake_of_the_owner() {
    let Some(browser) = Browser::find() else { return };
    let closed = Site::vendor(Vec::new()).await.url.clone();
    let host = keys(&closed, &[]).await;
    let links = links(&host, "keys", 1, &json!({})).await;
    browser.run("unreachable", &host, json!({"links": links})).await;
}
