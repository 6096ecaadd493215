//! What a caller is spared, and what it is told.

use http::Method;
use serde_json::{Value, json};

use valetkey_tests::world::connection;
use valetkey_tests::{World, artifacts};
use valetkey_vendors::{Effect, Fault, Options, Side};

#[tokio::test]
async fn expired_token_is_refreshed_once_for_a_thousand_calls() {
    let vendors_options = Options {
        access_token_seconds: 3_600,
        ..Options::default()
    };
    let world = World::start_with(|_| {}, vendors_options).await;
    // The vendor's published rate would stretch a thousand calls over a minute and a half.
    let unhurried = artifacts::connector_with("hubspot", |manifest| {
        manifest.connector.version = "9.0.0".to_owned();
        manifest.budgets.clear();
    });
    world.host.install(unhurried).await.expect(200);
    world.connect("hubspot", "ada").await;
    world.vendors.log().clear();
    world.vendors.expire_access_tokens();
    world.host.clock().advance(std::time::Duration::from_secs(4_000));
    world.host.sign_in().await;

    let calls = (0..1_000).map(|_| world.host.call("hubspot_whoami", "ada", json!({})));
    for answer in futures_util::future::join_all(calls).await {
        answer.expect(200);
    }
    assert_eq!(world.vendors.log().count(Side::Token), 1, "one token request");
    assert_eq!(
        world.vendors.log().count_where(|entry| entry.status == Some(401)),
        0,
        "no 401 at the vendor"
    );
}

#[tokio::test]
async fn token_that_the_vendor_refuses_is_renewed_and_the_call_answered() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world.vendors.log().clear();
    world.vendors.expire_access_tokens();
    let answer = world
        .host
        .call("hubspot_contacts_search", "ada", json!({"limit": 1}))
        .await
        .expect(200);
    let statuses: Vec<_> = world
        .vendors
        .log()
        .of(Side::Api)
        .into_iter()
        .map(|entry| entry.status)
        .collect();
    assert_eq!(
        statuses,
        [Some(401), Some(200)],
        "refused, then repeated with a new token"
    );
    let record = world
        .host
        .runtime
        .journal
        .find("dev", answer["execution_id"].as_str().expect("an id"));
    assert_eq!(record.expect("a record").renewals, 1);
}

#[tokio::test]
async fn vendors_429_is_waited_for_inside_the_deadline() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world.vendors.fail(Fault::throttle(Side::Api, 1, "1"));
    let answer = world
        .host
        .call("hubspot_contacts_search", "ada", json!({"limit": 1}))
        .await
        .expect(200);
    let record = world
        .host
        .runtime
        .journal
        .find("dev", answer["execution_id"].as_str().expect("an id"));
    let record = record.expect("a record");
    assert!(record.waits >= 1, "{record:?}");
    assert!(record.waited_ms >= 900, "{record:?}");
}

#[tokio::test]
async fn wait_that_does_not_fit_the_deadline_is_told_at_once() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world.vendors.fail(Fault::throttle(Side::Api, 1, "50"));
    let body = json!({
        "tool_name": "hubspot_contacts_search", "identifier": "ada", "params": {}, "deadline_ms": 5_000
    });
    let answer = world.host.api(Method::POST, "/api/v1/execute_tool", body).await;
    let error = answer.expect(429)["error"].clone();
    assert_eq!(error["kind"], "rate_limited");
    assert_eq!(error["retryable"], true);
    assert!(
        error["retry_after_ms"].as_u64().expect("a wait") > 40_000,
        "{error}"
    );
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test]
async fn tool_whose_scope_was_not_granted_is_refused_before_anything_is_sent() {
    let world = World::start().await;
    let mut narrow = connection("narrow", "hubspot", &world.vendors.base_url);
    narrow["scopes"] = json!(["oauth", "crm.objects.contacts.read"]);
    world
        .host
        .api(Method::POST, "/api/v1/connections", narrow)
        .await
        .expect(201);
    world.connect("narrow", "ada").await;
    world.vendors.log().clear();
    let answer = world
        .host
        .call(
            "hubspot_contact_create",
            "ada",
            json!({"properties": {"email": "x@example.com"}}),
        )
        .await
        .expect(403);
    assert_eq!(answer["error"]["kind"], "scope_missing");
    assert_eq!(answer["error"]["side"], "account");
    let link = answer["error"]["authorization_link"].as_str().expect("a link");
    assert!(link.starts_with(&world.host.base_url), "{link}");
    assert_eq!(world.vendors.log().count(Side::Api), 0, "nothing was sent");
    world
        .host
        .call("hubspot_contacts_search", "ada", json!({"limit": 1}))
        .await
        .expect(200);
}

#[tokio::test]
async fn wrong_parameters_are_all_named_before_anything_is_sent() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world.vendors.log().clear();
    let params = json!({"contact_id": 7, "colour": "red"});
    let error = world
        .host
        .call("hubspot_contact_get", "ada", params)
        .await
        .expect(400)["error"]
        .clone();
    assert_eq!(error["kind"], "invalid_input");
    let mut fields: Vec<&str> = error["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .filter_map(|field| field["path"].as_str())
        .collect();
    fields.sort_unstable();
    assert_eq!(fields, ["", "/contact_id"], "{error}");
    assert!(
        !error.to_string().contains("red"),
        "values are not echoed: {error}"
    );
    assert_eq!(world.vendors.log().count(Side::Api), 0);
}

#[tokio::test]
async fn unknown_tool_names_the_nearest() {
    let world = World::start().await;
    let error = world
        .host
        .call("hubspot_contact_search", "ada", json!({}))
        .await
        .expect(404)["error"]
        .clone();
    assert_eq!(error["kind"], "unknown_tool");
    assert!(
        error["message"]
            .as_str()
            .expect("text")
            .contains("`hubspot_contacts_search`"),
        "{error}"
    );
}

#[tokio::test]
async fn account_is_never_guessed() {
    let world = World::start().await;
    let second = connection("second", "hubspot", &world.vendors.base_url);
    world
        .host
        .api(Method::POST, "/api/v1/connections", second)
        .await
        .expect(201);
    world.connect("hubspot", "ada").await;
    world.connect("second", "ada").await;
    let error = world
        .host
        .call("hubspot_whoami", "ada", json!({}))
        .await
        .expect(409)["error"]
        .clone();
    assert_eq!(error["kind"], "account_ambiguous");
    let message = error["message"].as_str().expect("text");
    assert!(
        message.contains("hubspot") && message.contains("second"),
        "it names the choices: {message}"
    );

    let error = world
        .host
        .call("hubspot_whoami", "nobody", json!({}))
        .await
        .expect(404)["error"]
        .clone();
    assert_eq!(error["kind"], "account_not_found");

    let smuggled =
        json!({"tool_name": "hubspot_whoami", "identifier": "nobody", "params": {"identifier": "ada"}});
    let refused = world
        .host
        .api(Method::POST, "/api/v1/execute_tool", smuggled)
        .await;
    assert!(
        refused.status.is_client_error(),
        "a tool's parameters name nobody: {}",
        refused.text()
    );
}

#[tokio::test]
async fn write_whose_answer_was_lost_is_ambiguous_and_not_repeated() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world.vendors.log().clear();
    world.vendors.fail(Fault::new(Side::Api, 1, Effect::LoseAnswer));
    let params = json!({"properties": {"email": "once@example.com"}});
    let answer = world.host.call("hubspot_contact_create", "ada", params).await;
    assert_eq!(
        answer.json()["error"]["kind"],
        "ambiguous_outcome",
        "{}",
        answer.text()
    );
    let created =
        |entry: &valetkey_vendors::Entry| entry.method == "POST" && entry.path.ends_with("/contacts");
    assert_eq!(world.vendors.log().count_where(created), 1, "sent once");
}

#[tokio::test]
async fn vendors_refusal_keeps_the_vendors_words_apart_from_ours() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    let answer = world
        .host
        .call("hubspot_contact_get", "ada", json!({"contact_id": "999999999"}))
        .await;
    let error: Value = answer.expect(404)["error"].clone();
    assert_eq!(error["kind"], "vendor_not_found");
    assert_eq!(error["side"], "vendor");
    assert_eq!(error["vendor"]["status"], 404);
}

/// Slack says it with 200, Linear with 400: both manifests declare it, and no connector's word is taken. Slack's
/// token cannot be renewed, so its `[verify]` decides.
#[tokio::test]
async fn token_that_is_refused_without_a_401_ends_like_one_that_is_refused_with_it() {
    let world = World::start().await;
    use valetkey_vendors::Vendor;
    for (connector, vendor, tool, reason) in [
        (
            "slack",
            Vendor::Slack,
            "slack_list_channels",
            "credential_check_failed",
        ),
        ("linear", Vendor::Linear, "linear_viewer_get", "refresh_rejected"),
    ] {
        world.host.install_bundled(connector).await;
        let connection = connection(connector, connector, &world.vendors.base_url);
        world
            .host
            .api(Method::POST, "/api/v1/connections", connection)
            .await
            .expect(201);
        let account = world.connect(connector, "ada").await;
        world.host.call(tool, "ada", json!({})).await.expect(200);
        world.vendors.revoke_grants(vendor, None);
        let error = world.host.call(tool, "ada", json!({})).await.expect(409)["error"].clone();
        assert_eq!(error["kind"], "account_not_active", "{connector}: {error}");
        assert!(error["authorization_link"].is_string(), "{connector}: {error}");
        let path = format!("/api/v1/connected_accounts/{account}");
        let account = world.host.api(Method::GET, &path, Value::Null).await.expect(200);
        assert_eq!(
            (&account["state"], &account["reason"]),
            (&json!("EXPIRED"), &json!(reason)),
            "{connector}"
        );
    }
}

#[tokio::test]
async fn revoked_grant_expires_the_account_and_the_answer_carries_a_link() {
    let world = World::start().await;
    let account = world.connect("hubspot", "ada").await;
    world
        .vendors
        .revoke_grants(valetkey_vendors::Vendor::Hubspot, None);
    let error = world.host.call("hubspot_whoami", "ada", json!({})).await.json()["error"].clone();
    assert_eq!(error["kind"], "account_not_active", "{error}");
    assert!(error["authorization_link"].is_string(), "{error}");
    let path = format!("/api/v1/connected_accounts/{account}");
    let account = world.host.api(Method::GET, &path, Value::Null).await.expect(200);
    assert_eq!(account["state"], "EXPIRED");
    assert_eq!(account["reason"], "refresh_rejected");
}
