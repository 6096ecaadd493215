//! Raw requests: the credential goes along, the vendor's answer comes back as it was, and nothing
//! of either gets where it does not belong.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use valetkey::access::Scope;
use valetkey_tests::http::Answer;
use valetkey_tests::{TestHost, World};
use valetkey_vendors::{Effect, Fault, Side};

use crate::edge::{Caller, Vendor, host_with, link};

const CONTACTS: &str = "/proxy/crm/v3/objects/contacts";

async fn switch(host: &TestHost, on: bool) {
    let path = "/api/v1/connections/hubspot";
    let changed = host
        .api(Method::PATCH, path, json!({"proxy": on}))
        .await
        .expect(200);
    assert_eq!(changed["proxy"], on);
}

async fn world() -> World {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    switch(&world.host, true).await;
    world.vendors.log().clear();
    world
}

/// A raw request of `ada` on the connection `hubspot`.
async fn raw(host: &TestHost, method: Method, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
    let bearer = format!("Bearer {}", host.token());
    let mut headers = vec![
        ("authorization", bearer.as_str()),
        ("connection_name", "hubspot"),
        ("identifier", "ada"),
    ];
    headers.extend_from_slice(more);
    let url = format!("{}{path}", host.base_url);
    host.http.send(method, &url, &headers, body.to_owned()).await
}

async fn get(host: &TestHost, path: &str) -> Answer {
    raw(host, Method::GET, path, &[], "").await
}

#[tokio::test]
async fn a_raw_request_goes_with_the_credential_and_the_answer_comes_back_as_it_was() {
    let world = world().await;
    let path = format!("{CONTACTS}?limit=2&properties=email&q=a%20b+c");
    let more = [
        ("accept", "application/json"),
        ("x-hubspot-trial", "1"),
        ("cookie", "session=1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("user-agent", "agent/1"),
    ];
    let answer = raw(&world.host, Method::GET, &path, &more, "").await;
    assert_eq!(
        answer.expect(200)["results"].as_array().expect("contacts").len(),
        2
    );
    assert_eq!(answer.header("x-vendor-status"), "200");
    assert!(answer.header("content-type").starts_with("application/json"));
    assert!(answer.header("content-security-policy").contains("sandbox"));

    let sent = world.vendors.log().of(Side::Api);
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].method.as_str(), sent[0].user.as_deref()),
        ("GET", Some("ada"))
    );
    assert_eq!(sent[0].path, "/hubspot/crm/v3/objects/contacts");
    assert_eq!(
        (sent[0].param("limit"), sent[0].param("q")),
        (Some("2"), Some("a b c"))
    );
    assert_eq!(
        (sent[0].header("accept"), sent[0].header("x-hubspot-trial")),
        (Some("application/json"), Some("1"))
    );
    for ours in ["cookie", "x-forwarded-for", "connection_name", "identifier"] {
        assert_eq!(sent[0].header(ours), None, "{ours}");
    }
    assert!(
        sent[0]
            .header("user-agent")
            .expect("one")
            .starts_with("valetkey/")
    );

    let id = answer.header("x-execution-id");
    let path = format!("/api/v1/executions/{id}");
    let record = world.host.api(Method::GET, &path, Value::Null).await.expect(200);
    assert_eq!(
        (&record["tool"], &record["outcome"]),
        (&json!("proxy GET"), &json!("ok"))
    );
    assert_eq!(
        (&record["vendor_status"], &record["requests"]),
        (&json!(200), &json!(1))
    );
    assert_eq!(record["connection"], "hubspot");
    assert!(
        !record.to_string().contains("contacts"),
        "a path may name people: {record}"
    );

    let body = r#"{"properties":{"email":"raw@example.com"}}"#;
    let json_type = [("content-type", "application/json")];
    let made = raw(&world.host, Method::POST, CONTACTS, &json_type, body)
        .await
        .expect(201);
    let id = made["id"].as_str().expect("an id");
    let gone = raw(&world.host, Method::DELETE, &format!("{CONTACTS}/{id}"), &[], "").await;
    assert_eq!((gone.status.as_u16(), gone.body.len()), (204, 0));
    let missing = get(&world.host, &format!("{CONTACTS}/{id}")).await;
    assert_eq!(missing.header("x-vendor-status"), "404");
    let words = missing.expect(404);
    assert!(
        words.get("error").is_none() && words["category"].is_string(),
        "the vendor's own: {words}"
    );
}

#[tokio::test]
async fn raw_requests_are_off_until_the_operator_allows_them_and_want_their_own_scope() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world.vendors.log().clear();
    let error = get(&world.host, CONTACTS).await.expect(403)["error"].clone();
    assert_eq!(
        (&error["kind"], &error["reason"]),
        (&json!("policy_denied"), &json!("proxy_off"))
    );
    assert!(error["execution_id"].is_string(), "it is on record: {error}");

    switch(&world.host, true).await;
    get(&world.host, CONTACTS).await.expect(200);
    let tools_alone = Caller::new(&world.host, "dev", BTreeSet::from([Scope::ToolsExecute])).await;
    let bearer = format!("Bearer {}", tools_alone.token);
    let headers = [
        ("authorization", bearer.as_str()),
        ("connection_name", "hubspot"),
        ("identifier", "ada"),
    ];
    let url = format!("{}{CONTACTS}", world.host.base_url);
    let refused = world
        .host
        .http
        .send(Method::GET, &url, &headers, Bytes::new())
        .await
        .expect(403);
    assert!(
        refused["error"]["message"]
            .as_str()
            .expect("words")
            .contains("proxy:execute")
    );

    switch(&world.host, false).await;
    get(&world.host, CONTACTS).await.expect(403);
    assert_eq!(
        world.vendors.log().count(Side::Api),
        1,
        "only what was allowed was sent"
    );
}

#[tokio::test]
async fn a_vendors_401_is_renewed_once_and_never_looks_like_ours() {
    let world = world().await;
    world.vendors.fail(Fault::status(Side::Api, 1, 401));
    get(&world.host, CONTACTS).await.expect(200);
    assert_eq!(
        world.vendors.log().count(Side::Api),
        2,
        "refused, then repeated with a new token"
    );

    world.host.clock().advance(std::time::Duration::from_secs(300));
    world.vendors.log().clear();
    world.vendors.fail(Fault::status(Side::Api, 2, 401));
    let body = r#"{"properties":{"email":"once@example.com"}}"#;
    let json_type = [("content-type", "application/json")];
    let answer = raw(&world.host, Method::POST, CONTACTS, &json_type, body).await;
    assert_eq!(answer.status, 424, "{}", answer.text());
    assert_eq!(answer.header("x-vendor-status"), "401");
    assert_eq!(answer.header("www-authenticate"), "");
    assert_eq!(
        world.vendors.log().count(Side::Api),
        2,
        "a client has no reason to send it again"
    );

    world.host.clock().advance(std::time::Duration::from_secs(300));
    let proxy_auth = Effect::Answer {
        status: 407,
        headers: vec![("proxy-authenticate".to_owned(), "Basic".to_owned())],
        body: String::new(),
    };
    world.vendors.fail(Fault::new(Side::Api, 1, proxy_auth));
    let answer = get(&world.host, CONTACTS).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("x-vendor-status").as_str()),
        (424, "407")
    );
    assert_eq!(answer.header("proxy-authenticate"), "");
}

#[tokio::test]
async fn a_raw_request_is_refused_before_anything_is_sent_when_it_leads_elsewhere() {
    let world = world().await;
    for path in [
        "/proxy/../api/v1/tools",
        "/proxy/crm/../../oauth/token",
        "/proxy/%2e%2e/oauth/token",
        "/proxy/crm%2f..%2foauth",
        "/proxy//evil.example/",
        "/proxy/crm//v3",
        "/proxy/crm%00",
        "/proxy/crm/%c0%ae",
    ] {
        let answer = get(&world.host, path).await;
        let error = answer.expect(400)["error"].clone();
        assert_eq!(
            (&error["kind"], &error["side"]),
            (&json!("invalid_input"), &json!("caller")),
            "{path}: {error}"
        );
    }
    let more = [("endpoint", "elsewhere")];
    let error = raw(&world.host, Method::GET, CONTACTS, &more, "")
        .await
        .expect(400)["error"]
        .clone();
    assert!(
        error["message"].as_str().expect("words").contains("api"),
        "{error}"
    );
    let other = world.host.api(Method::OPTIONS, CONTACTS, Value::Null).await;
    assert_eq!(other.status, 405);
    assert_eq!(world.vendors.log().count(Side::Api), 0);
}

#[tokio::test]
async fn whose_account_is_meant_is_said_once_and_nobody_reaches_anothers() {
    let world = world().await;
    let bearer = format!("Bearer {}", world.host.token());
    let send = async |headers: &[(&str, &str)]| {
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        let url = format!("{}{CONTACTS}", world.host.base_url);
        world.host.http.send(Method::GET, &url, &all, Bytes::new()).await
    };
    let field = |answer: Answer| answer.expect(400)["error"]["fields"][0]["path"].clone();
    assert_eq!(field(send(&[("identifier", "ada")]).await), "connection_name");
    assert_eq!(
        field(send(&[("connection_name", "Hub Spot"), ("identifier", "ada")]).await),
        "connection_name"
    );
    let twice = [
        ("connection_name", "hubspot"),
        ("identifier", "ada"),
        ("identifier", "bob"),
    ];
    assert_eq!(field(send(&twice).await), "identifier");
    let both_spellings = [
        ("connection_name", "hubspot"),
        ("connection-name", "gmail"),
        ("identifier", "ada"),
    ];
    assert_eq!(field(send(&both_spellings).await), "connection_name");
    send(&[("connection_name", "hubspot")]).await.expect(400);
    let nobody = send(&[("connection_name", "hubspot"), ("identifier", "bob")])
        .await
        .expect(404);
    assert_eq!(nobody["error"]["kind"], "account_not_found");
    assert_eq!(world.vendors.log().count(Side::Api), 0);
    send(&[("connection-name", "hubspot"), ("identifier", "ada")])
        .await
        .expect(200);

    let stranger = Caller::superuser(&world.host, "other").await;
    let bearer = format!("Bearer {}", stranger.token);
    let headers = [
        ("authorization", bearer.as_str()),
        ("connection_name", "hubspot"),
        ("identifier", "ada"),
    ];
    let url = format!("{}{CONTACTS}", world.host.base_url);
    let refused = world
        .host
        .http
        .send(Method::GET, &url, &headers, Bytes::new())
        .await;
    assert_eq!(refused.expect(404)["error"]["kind"], "not_found");
    assert_eq!(world.vendors.log().count(Side::Api), 1);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_ambiguous_and_a_slow_down_is_waited_for() {
    let world = world().await;
    world.vendors.fail(Fault::throttle(Side::Api, 1, "0"));
    get(&world.host, CONTACTS).await.expect(200);
    assert_eq!(world.vendors.log().count(Side::Api), 2);
    world.vendors.log().clear();
    world.vendors.fail(Fault::new(Side::Api, 1, Effect::LoseAnswer));
    let body = r#"{"properties":{"email":"lost@example.com"}}"#;
    let json_type = [("content-type", "application/json")];
    let answer = raw(&world.host, Method::POST, CONTACTS, &json_type, body).await;
    assert_eq!(answer.expect(500)["error"]["kind"], "ambiguous_outcome");
    assert_eq!(
        answer.header("x-vendor-status"),
        "",
        "it is the host's own answer"
    );
    assert_eq!(world.vendors.log().count(Side::Api), 1, "sent once");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_leads_below_the_proxy_or_nowhere() {
    let world = world().await;
    let base = &world.vendors.base_url;
    for (location, shown) in [
        (
            format!("{base}/hubspot/crm/v3/other?a=b"),
            "/proxy/crm/v3/other?a=b",
        ),
        ("/hubspot/crm/v3/other".to_owned(), "/proxy/crm/v3/other"),
        ("https://evil.example/hubspot/x".to_owned(), ""),
        (format!("{base}/google/token"), ""),
    ] {
        world.vendors.log().clear();
        let effect = Effect::Answer {
            status: 302,
            headers: vec![
                ("location".to_owned(), location),
                ("x-accel-redirect".to_owned(), "/x".to_owned()),
            ],
            body: String::new(),
        };
        world.vendors.fail(Fault::new(Side::Api, 1, effect));
        let answer = get(&world.host, CONTACTS).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location").as_str()),
            (302, shown)
        );
        assert_eq!(answer.header("x-accel-redirect"), "");
        assert_eq!(world.vendors.log().entries().len(), 1);
    }
}

#[tokio::test]
async fn a_credential_that_the_vendor_repeats_does_not_come_back() {
    let vendor = Vendor::start().await;
    let host = host_with(&vendor).await;
    let token = "pat-na1-canary-canary-canary-0123456789";
    let link = link(&host, "ada").await;
    let done = host.http.post_form(&link, &format!("token={token}")).await;
    assert_eq!(done.status, 200, "{}", done.text());
    switch(&host, true).await;
    let answer = raw(
        &host,
        Method::POST,
        CONTACTS,
        &[("content-type", "application/json")],
        "{}",
    )
    .await;
    assert_eq!(answer.header("x-vendor-status"), "201");
    let text = answer.text();
    assert!(text.contains("Bearer ") && !text.contains(token), "{text}");
}
