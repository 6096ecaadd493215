//! From no account to a usable one, and what only looks like one.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use valetkey_tests::world::World;

use crate::rig::{BOTH, Sdk, account, connect_more};

/// Opens a link as a browser would, up to the first address that is `target`'s.
async fn follow_to(world: &World, link: &str, target: &str) -> String {
    let mut url = link.to_owned();
    for _ in 0..10 {
        if url.starts_with(target) {
            return url;
        }
        let answer = world.host.http.get(&url).await;
        assert!(answer.status.is_redirection(), "{url}: {}", answer.text());
        url = answer.header("location");
    }
    panic!("never came to {target}");
}

fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').expect("a query").1;
    let found = query
        .split('&')
        .find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    found.unwrap_or_else(|| panic!("no {name} in {url}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_from_no_account_to_a_result_in_both_languages() {
    let world = World::start().await;
    for language in BOTH {
        let who = format!("ada-{language:?}");
        let mut sdk = Sdk::start(language, &world.host);
        let owner = json!({"connection_name": "hubspot", "identifier": who});
        let made = sdk.get("get_or_create", owner.clone()).await;
        assert_eq!(sdk.status(account(&made[0])), "PENDING_AUTH");
        let id = account(&made[0])["id"].as_str().expect("an id").to_owned();

        let link = sdk.get("link", owner.clone()).await;
        world.vendors.set_user(&who);
        let page = world
            .host
            .http
            .follow(link["link"].as_str().expect("a link"))
            .await;
        assert!(page.status.is_success(), "{}", page.text());

        let now = sdk.get("get", owner.clone()).await;
        assert_eq!(sdk.status(account(&now)), "ACTIVE");
        assert_eq!(account(&now)["id"], json!(id));
        assert_eq!(account(&now)["provider"], "HUBSPOT");
        assert_eq!(account(&now)["connector"], "hubspot");
        let again = sdk.get("get_or_create", owner.clone()).await;
        assert_eq!(account(&again[0])["id"], json!(id));

        let call = json!({"tool_name": "hubspot_contacts_search", "identifier": who,
                          "connection_name": "hubspot", "params": {"limit": 3}});
        let answer = sdk.get("execute", call).await;
        assert_eq!(answer["data"]["results"].as_array().expect("contacts").len(), 3);
        assert!(
            answer["execution_id"]
                .as_str()
                .expect("an id")
                .starts_with("exe_"),
            "{answer}"
        );

        // An account that is active already can be authorized again.
        let again = sdk.get("link", json!({"connected_account_id": id})).await;
        assert!(
            again["link"]
                .as_str()
                .expect("a link")
                .starts_with(&world.host.base_url)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn racers_of_get_or_create_all_get_the_one_account() {
    let world = World::start().await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let racers = json!({"connection_name": "gmail", "identifier": format!("{language:?}"), "times": 12});
        let made = sdk.get("get_or_create", racers).await;
        let made = made.as_array().expect("answers");
        assert_eq!(made.len(), 12);
        for answer in made {
            assert_eq!(account(answer)["id"], account(&made[0])["id"], "{language:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_usable_only_after_the_program_confirmed_its_user() {
    let world = World::start().await;
    let verify_url = "http://127.0.0.1:9/app/verify";
    connect_more(&world, "verified", "hubspot", |body| {
        body["user_verify_urls"] = json!([verify_url]);
    })
    .await;
    for language in BOTH {
        let who = format!("ada-{language:?}");
        let mut sdk = Sdk::start(language, &world.host);
        let owner = json!({"connection_name": "verified", "identifier": who});
        let mut asked = owner.clone();
        asked["user_verify_url"] = json!(verify_url);
        asked["state"] = json!("state of the program");
        let call = json!({"tool_name": "hubspot_contacts_search", "identifier": who, "params": {"limit": 1}});
        world.vendors.set_user(&who);

        // Somebody else is signed in at the application: nothing of the consent is kept.
        let link = sdk.get("link", asked.clone()).await;
        let back = follow_to(&world, link["link"].as_str().expect("a link"), verify_url).await;
        assert_eq!(parameter(&back, "state"), "state+of+the+program");
        let attempt = parameter(&back, "auth_request_id");
        let waiting = sdk.get("get", owner.clone()).await;
        assert_eq!(sdk.status(account(&waiting)), "PENDING_VERIFICATION");
        let refused = sdk.refused("execute", call.clone()).await;
        assert_eq!(refused.error_code.as_deref(), Some("ACCOUNT_NOT_ACTIVE"));
        assert_eq!(refused.kind, "ScalekitBadRequestException");
        let other = json!({"auth_request_id": attempt, "identifier": "mallory"});
        assert_eq!(
            sdk.refused("verify", other).await.kind,
            "ScalekitNotFoundException"
        );
        let right = json!({"auth_request_id": attempt, "identifier": who});
        assert_eq!(
            sdk.refused("verify", right).await.kind,
            "ScalekitNotFoundException",
            "one attempt, one answer"
        );

        let link = sdk.get("link", asked).await;
        let back = follow_to(&world, link["link"].as_str().expect("a link"), verify_url).await;
        let right = json!({"auth_request_id": parameter(&back, "auth_request_id"), "identifier": who});
        sdk.get("verify", right.clone()).await;
        let active = sdk.get("get", owner).await;
        assert_eq!(sdk.status(account(&active)), "ACTIVE");
        sdk.get("execute", call).await;
        assert_eq!(
            sdk.refused("verify", right).await.kind,
            "ScalekitNotFoundException"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_the_operator_did_not_list_never_gets_a_browser() {
    let world = World::start().await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let asked = json!({"connection_name": "hubspot", "identifier": "ada",
                           "user_verify_url": "https://evil.example/verify"});
        let refused = sdk.refused("link", asked).await;
        assert_eq!(refused.kind, "ScalekitBadRequestException");
        let violations = &refused.detail["validation_error_info"]["field_violations"];
        assert_eq!(violations[0]["field"], "/user_verify_url", "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_account_tells_its_owners_link_and_the_link_mends_it() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    for language in BOTH {
        // A vendor's 401 causes no refresh so soon after another one.
        world.host.clock().advance(Duration::from_secs(60));
        world
            .vendors
            .revoke_grants(valetkey_vendors::Vendor::Hubspot, None);
        world.vendors.expire_access_tokens();
        let mut sdk = Sdk::start(language, &world.host);
        let call =
            json!({"tool_name": "hubspot_contacts_search", "identifier": "ada", "params": {"limit": 1}});
        let refused = sdk.refused("execute", call.clone()).await;
        assert_eq!(
            refused.error_code.as_deref(),
            Some("ACCOUNT_NOT_ACTIVE"),
            "{refused}"
        );
        let link = refused.detail["help_info"]["links"][0]["url"]
            .as_str()
            .expect("a link");
        assert!(refused.text.contains(link), "{refused}");
        let state = sdk
            .get("get", json!({"connection_name": "hubspot", "identifier": "ada"}))
            .await;
        assert_eq!(sdk.status(account(&state)), "EXPIRED");
        let page = world.host.http.follow(link).await;
        assert!(page.status.is_success(), "{}", page.text());
        sdk.get("execute", call).await;
    }
    let calls: Value = world
        .host
        .api(Method::GET, "/api/v1/executions", Value::Null)
        .await
        .expect(200);
    assert_eq!(calls["items"].as_array().expect("executions").len(), 4);
}
