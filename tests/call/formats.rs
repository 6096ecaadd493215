//! Short answers and whole ones: what `response_format` gives, at every door the same.

use http::Method;
use serde_json::{Value, json};

use valetkey_tests::{World, artifacts};

const SEARCH: &str = "hubspot_contacts_search";

/// A world in which searches leave out what `concise` names.
async fn world() -> World {
    let world = World::start().await;
    let brief = artifacts::connector_with("hubspot", |manifest| {
        manifest.connector.version = "9.0.0".to_owned();
        let mut tools = manifest.tools.iter_mut();
        let search = tools.find(|tool| tool.name == SEARCH).expect("bundled");
        let response = search.response.get_or_insert_default();
        response.concise = ["createdAt", "updatedAt", "archived"].map(str::to_owned).into();
    });
    world.host.install(brief).await.expect(200);
    world.connect("hubspot", "ada").await;
    world
}

async fn first(world: &World, mut params: Value) -> Value {
    params["limit"] = json!(1);
    let answer = world.host.call(SEARCH, "ada", params).await.expect(200);
    answer["data"]["results"][0].clone()
}

#[tokio::test]
async fn a_call_that_asks_for_nothing_gets_the_short_answer() {
    let world = world().await;
    let whole = first(&world, json!({"response_format": "detailed"})).await;
    assert!(whole["createdAt"].is_string(), "{whole}");

    let mut short = whole.clone();
    for name in ["createdAt", "updatedAt", "archived"] {
        short.as_object_mut().expect("an object").remove(name);
    }
    assert_ne!(short, whole);
    for params in [
        json!({}),
        json!({"response_format": "concise"}),
        json!({"response_format": null}),
    ] {
        assert_eq!(first(&world, params.clone()).await, short, "{params}");
    }
}

#[tokio::test]
async fn every_list_shows_the_parameter_and_every_call_is_held_to_it() {
    let world = world().await;
    for (format, pointer) in [
        (None, "/input_schema/properties/response_format"),
        (Some("anthropic"), "/input_schema/properties/response_format"),
        (
            Some("openai-strict"),
            "/function/parameters/properties/response_format",
        ),
        (Some("gemini"), "/parameters/properties/response_format"),
        (Some("mcp"), "/inputSchema/properties/response_format"),
    ] {
        let query = format.map_or_else(String::new, |format| format!("?format={format}"));
        let path = format!("/api/v1/tools/{SEARCH}{query}");
        let tool = world.host.api(Method::GET, &path, Value::Null).await.expect(200);
        let shown = tool.pointer(pointer).unwrap_or_else(|| panic!("{path}: {tool}"));
        let description = shown["description"].as_str().expect("a description");
        assert!(
            description.contains("createdAt, updatedAt, archived"),
            "{description}"
        );
        assert!(shown["enum"].to_string().contains("detailed"), "{shown}");
    }
    let wrong = json!({"response_format": "short"});
    let refused = world.host.call(SEARCH, "ada", wrong).await.expect(400);
    assert_eq!(refused["error"]["fields"][0]["path"], "/response_format");
    // A tool that leaves nothing out has no such parameter.
    let unknown = json!({"contact_id": "1", "response_format": "detailed"});
    world
        .host
        .call("hubspot_contact_get", "ada", unknown)
        .await
        .expect(400);
}

#[tokio::test]
async fn a_cursor_goes_on_in_the_format_in_which_it_was_begun() {
    let world = world().await;
    let begun = world
        .host
        .call(SEARCH, "ada", json!({"limit": 1}))
        .await
        .expect(200);
    let cursor = begun["next_cursor"].clone();
    let named = json!({"limit": 1, "cursor": cursor, "response_format": "concise"});
    world.host.call(SEARCH, "ada", named).await.expect(200);
    let other = json!({"limit": 1, "cursor": cursor, "response_format": "detailed"});
    let refused = world.host.call(SEARCH, "ada", other).await.expect(400);
    assert_eq!(refused["error"]["fields"][0]["path"], "/cursor");
}
