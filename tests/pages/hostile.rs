//! Names, labels, answers and addresses that want to be more than text: each is shown as text, or
//! not at all.

use serde_json::json;
use valetkey_manifest::Manifest;
use valetkey_tests::TestHost;

use crate::browser::Browser;
use crate::stage::{MARKUP, Site, connection, install, keys, links, with_configuration};

/// Every word of a connector that a page shows.
fn rename(manifest: &mut Manifest, words: [&str; 6]) {
    with_configuration(manifest);
    let [vendor, title, description, example, scope, input] = words.map(str::to_owned);
    vendor.clone_into(&mut manifest.connector.title);
    if let Some(site) = manifest.account_config.get_mut("site") {
        (site.title, site.description, site.example) = (title, description, Some(example));
        site.pattern = None;
    }
    let oauth2 = manifest.auth[0].oauth2.as_mut().expect("OAuth first");
    oauth2.scope_titles.insert("tickets".to_owned(), scope);
    if let Some(token) = manifest.auth[1].inputs.get_mut("token") {
        token.title = input;
    }
}

#[tokio::test]
async fn names_with_markup_are_read_and_not_run() {
    let Some(browser) = Browser::find() else { return };
    let host = TestHost::start_with(|config| {
        config.pages.operator_name = Some("<i>Works</i> & Sons".to_owned());
    })
    .await;
    let honest = [
        "Vendor",
        "Site",
        "Where you sign in.",
        "example",
        "See tickets",
        "Token",
    ];
    let hostile = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(2)>",
        "{{7*7}} ${7*7} <b onmouseover=alert(3)>x</b>",
        "' autofocus onfocus=alert(4) x='",
        "<svg onload=alert(5)>",
        "</label><script>alert(6)</script>",
    ];
    let application = "</title><script>alert(7)</script>";
    let scope = "<iframe/src=javascript:alert(8)>";
    let mut way = Vec::new();
    for (version, words, application, scope) in [
        ("0.1.1", honest, "Application", "scope"),
        ("0.1.2", hostile, application, scope),
    ] {
        install(&host, |manifest| {
            version.clone_into(&mut manifest.connector.version);
            rename(manifest, words);
        })
        .await;
        let name = format!("crm-{}", version.replace('.', "-"));
        let body = json!({
            "connection_name": name, "connector": "hubspot", "auth": "oauth2", "pinned_version": version,
            "application_name": application, "scopes": ["tickets", scope],
            "oauth": {"client_id": "id", "client_secret": "secret"},
        });
        connection(&host, body).await;
        way.extend(links(&host, &name, 1, &json!({})).await);
    }
    let mut words: Vec<&str> = hostile[..5].to_vec();
    words.extend([application, scope, "<i>Works</i> & Sons"]);
    let input = json!({"honest": way[0], "hostile": way[1], "words": words});
    browser.run("names", &host, input).await;
}

#[tokio::test]
async fn what_was_entered_comes_back_as_text() {
    let Some(browser) = Browser::find() else { return };
    let vendor = Site::vendor(Vec::new()).await;
    let host = TestHost::start().await;
    install(&host, with_configuration).await;
    let body = json!({
        "connection_name": "basics", "connector": "hubspot", "auth": "basic", "development": true,
        "endpoints": {"api": vendor.url}, "application_name": "Acme Notes",
    });
    connection(&host, body).await;
    let same = [
        "\"><script>alert(1)</script>",
        "' onfocus=alert(2) autofocus x='",
        "</title></head><body onload=alert(3)>",
        "javascript:alert(4)",
        "&quot;&lt;&#60;",
        "שלום <b>",
    ];
    let mut values: Vec<_> = same
        .iter()
        .map(|text| json!({"entered": text, "shown": text}))
        .collect();
    values.push(json!({"entered": "safe\u{202e}gnp.exe", "shown": "safe\u{fffd}gnp.exe"}));
    values.push(json!({"entered": "zero\u{200b}width", "shown": "zero\u{fffd}width"}));
    let links = links(&host, "basics", 1, &json!({})).await;
    let input = json!({"links": links, "values": values});
    browser.run("echoed", &host, input).await;
}

#[tokio::test]
async fn what_a_vendor_calls_an_account_is_shown_as_text() {
    let Some(browser) = Browser::find() else { return };
    let labels = [
        ("acme.example", "acme.example"),
        (MARKUP, MARKUP),
        ("safe\u{202e}gnp.exe", "safe\u{fffd}gnp.exe"),
        ("a\u{0}b\u{1b}[31mc", "ab[31mc"),
        ("&lt;b&gt;&#60;", "&lt;b&gt;&#60;"),
        ("שלום <b>", "שלום <b>"),
    ];
    let vendor = Site::vendor(labels.iter().map(|(said, _)| (*said).to_owned()).collect()).await;
    let host = keys(&vendor.url, &[]).await;
    let links = links(&host, "keys", labels.len(), &json!({})).await;
    let shown: Vec<_> = labels.iter().map(|(_, shown)| json!({"shown": shown})).collect();
    let input = json!({"links": links, "labels": shown});
    browser.run("labels", &host, input).await;
}

#[tokio::test]
async fn an_address_adds_nothing_to_a_page() {
    let Some(browser) = Browser::find() else { return };
    let vendor = Site::vendor(Vec::new()).await;
    let host = keys(&vendor.url, &[]).await;
    let base = &host.base_url;
    let markup = "%3Cimg%20src=x%20onerror=alert(%27canary%27)%3E";
    let urls = json!([
        {"url": format!("{base}/connect/canary-4711"), "status": 400},
        {"url": format!("{base}/oauth/callback/dev/keys?error=access_denied&error_description={markup}&state={markup}"), "status": 400},
        {"url": format!("{base}/oauth/callback/dev/keys?code={markup}&state=canary"), "status": 400},
        {"url": format!("{base}/oauth/callback/canary/canary?code=x&state={markup}"), "status": 400},
        {"url": format!("{base}/canary?q={markup}#{markup}"), "status": 404},
        {"url": format!("{base}/canary/{markup}"), "status": 400},
    ]);
    browser.run("addresses", &host, json!({"urls": urls})).await;
}

#[tokio::test]
async fn what_a_vendor_says_of_a_failure_stays_with_us() {
    let Some(browser) = Browser::find() else { return };
    let vendor = Site::vendor(Vec::new()).await;
    let host = keys(&vendor.url, &[]).await;
    let mut way = Vec::new();
    for (name, path) in [("denies", "/deny/authorize"), ("refuses", "/authorize")] {
        let body = json!({
            "connection_name": name, "connector": "hubspot", "auth": "oauth2", "development": true,
            "endpoints": {"api": vendor.url}, "application_name": "Acme Notes",
            "oauth": {
                "client_id": "id", "client_secret": "secret",
                "authorize_url": format!("{}{path}", vendor.url), "token_url": format!("{}/token", vendor.url),
            },
        });
        connection(&host, body).await;
        way.extend(links(&host, name, 1, &json!({})).await);
    }
    let input = json!({
        "denies": {"link": way[0], "status": 409, "title": "Access was not given"},
        "refuses": {"link": way[1], "status": 422, "title": "It was refused"},
    });
    browser.run("vendor", &host, input).await;
}

#[tokio::test]
async fn the_state_of_an_application_goes_through_unread() {
    let Some(browser) = Browser::find() else { return };
    let application = Site::application().await;
    let vendor = Site::vendor(Vec::new()).await;
    let host = keys(&vendor.url, &[application.verify_url()]).await;
    let state = "\"><script>alert('canary')</script>; url=javascript:alert(1)";
    let more = json!({"user_verify_url": application.verify_url(), "state": state});
    let links = links(&host, "keys", 1, &more).await;
    let input = json!({"links": links, "application": application.url, "state": state});
    browser.run("state", &host, input).await;
}
