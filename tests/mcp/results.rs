//! What an agent gets to read: small enough, whole at the items' ends, with the way to the rest.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use valetkey_tests::World;
use valetkey_vendors::{Effect, Fault, Options, Side};

use crate::rig::{Message, Rig, last, legacy, messages, server, session, text};

#[tokio::test]
async fn a_long_list_is_cut_at_an_items_end_and_the_cursor_leads_to_every_item_once() {
    let world = World::start_with(|config| config.mcp.max_result_chars = 4_000, Options::default()).await;
    world.connect("hubspot", "ada").await;
    let host = &world.host;
    let all = server(host, "all", json!({})).await;
    let ada = session(host, &all, "ada", json!({})).await;
    let rest = host
        .call("hubspot_contacts_search", "ada", json!({"limit": 60}))
        .await
        .expect(200);
    let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
    let wanted: Vec<String> = rest["data"]["results"]
        .as_array()
        .expect("items")
        .iter()
        .map(id)
        .collect();
    assert!(wanted.len() > 30, "the vendor has enough");

    let (mut seen, mut arguments, mut rounds) = (Vec::new(), json!({"limit": 60}), 0);
    while seen.len() < wanted.len() {
        let result = Message::call("hubspot_contacts_search", arguments.clone())
            .result(host, &ada)
            .await;
        assert!(
            text(&result).chars().count() <= 4_600,
            "{} characters",
            text(&result).len()
        );
        let content = &result["structuredContent"];
        seen.extend(content["results"].as_array().expect("items").iter().map(id));
        rounds += 1;
        if let Some(cursor) = content["next_cursor"].as_str() {
            assert!(
                content["hint"]
                    .as_str()
                    .is_some_and(|hint| hint.contains("cursor")),
                "{content}"
            );
            arguments["cursor"] = json!(cursor);
        }
    }
    assert!(rounds > 2, "it was cut");
    assert_eq!(seen[..wanted.len()], wanted[..], "in order, none lost");
    assert_eq!(
        seen.iter().collect::<BTreeSet<_>>().len(),
        seen.len(),
        "none twice"
    );
}

#[tokio::test]
async fn a_long_answer_without_pages_is_cut_and_says_how_to_ask_for_less() {
    let world = World::start_with(|config| config.mcp.max_result_chars = 1_500, Options::default()).await;
    world.connect("hubspot", "ada").await;
    let host = &world.host;
    let all = server(host, "all", json!({})).await;
    let ada = session(host, &all, "ada", json!({})).await;
    let call = Message::call("hubspot_properties_list", json!({"object_type": "contacts"}));
    let result = call.result(host, &ada).await;
    assert_eq!(result["isError"], false, "{result}");
    assert!(text(&result).chars().count() <= 1_500);
    assert_eq!(result["structuredContent"]["truncated"], true);
    let twin: Value = serde_json::from_str(text(&result)).expect("JSON is never cut in a token");
    assert_eq!(twin, result["structuredContent"]);
}

#[tokio::test]
async fn wrong_arguments_and_the_vendors_refusals_are_results_that_say_what_to_change() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let wrong = Message::call("hubspot_contacts_search", json!({"limit": 0, "quiery": "x"}));
    let wrong = wrong.result(host, &rig.ada).await;
    assert_eq!(wrong["isError"], true);
    assert!(text(&wrong).contains("/limit"), "{wrong}");
    assert!(
        wrong["structuredContent"].is_null(),
        "a schema of the output need not fit an error"
    );

    let missing = Message::call("hubspot_contact_get", json!({"contact_id": "999999999"}));
    let missing = missing.result(host, &rig.ada).await;
    assert_eq!(missing["isError"], true);
    assert_eq!(
        missing["_meta"]["valetkey/error"]["error"]["kind"],
        "vendor_not_found"
    );
    let body = &missing["_meta"]["valetkey/error"]["error"];
    let execution = body["execution_id"].as_str().expect("an id");
    assert!(text(&missing).contains(execution), "{missing}");

    rig.world.vendors.fail(Fault::status(Side::Api, 3, 503));
    let down =
        legacy(host, &rig.ada, "tools/call", json!({"name": "hubspot_whoami"})).await["result"].clone();
    assert_eq!(down["isError"], true, "{down}");
    assert!(text(&down).contains("later"), "{down}");
}

#[tokio::test]
async fn progress_comes_to_who_gave_a_token_grows_and_ends_before_the_result() {
    let world = World::start_with(
        |config| config.mcp.max_result_chars = 1_000_000,
        Options::default(),
    )
    .await;
    world.connect("hubspot", "ada").await;
    let host = &world.host;
    let all = server(host, "all", json!({})).await;
    let ada = session(host, &all, "ada", json!({})).await;
    let call = Message::call("hubspot_contacts_search", json!({"limit": 250}));
    let quiet = messages(&call.send(host, &ada).await);
    assert_eq!(quiet.len(), 1, "no token, no progress");

    let told = call.param("_meta", json!({"progressToken": "t-1"}));
    let told = messages(&told.send(host, &ada).await);
    let (result, steps) = told.split_last().expect("messages");
    assert_eq!(result["result"]["isError"], false, "{result}");
    assert!(steps.len() > 1, "a step for each vendor page: {told:?}");
    let mut before = -1.0;
    for step in steps {
        assert_eq!(step["method"], "notifications/progress");
        assert_eq!(step["params"]["progressToken"], "t-1");
        let now = step["params"]["progress"].as_f64().expect("a number");
        assert!(now > before, "{steps:?}");
        before = now;
    }
}

#[tokio::test]
async fn no_answer_holds_a_token_of_anybody() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let echo = Effect::Patch {
        patch: json!({"echo": rig.ada.token}),
    };
    rig.world.vendors.fail(Fault::new(Side::Api, 1, echo));
    let answer = Message::call("hubspot_whoami", json!({}))
        .send(host, &rig.ada)
        .await;
    assert!(last(&answer)["result"].is_object());
    for entry in rig.world.vendors.log().entries() {
        assert!(
            !entry.headers.iter().any(|(_, value)| value.contains("vkm_")) && !entry.body.contains("vkm_"),
            "the session's token went to the vendor: {entry:?}"
        );
    }
    let listed = host
        .api(
            Method::GET,
            &format!("/api/v1/mcp_servers/{}/sessions", rig.server.id),
            Value::Null,
        )
        .await;
    assert!(!listed.text().contains("vkm_"), "no list shows a token again");
}
