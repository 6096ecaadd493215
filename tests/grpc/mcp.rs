//! Virtual MCP servers as the Python SDK configures them, and the tokens that open them.

use http::Method;
use serde_json::{Value, json};
use valetkey_tests::world::World;

use crate::rig::{Language, Sdk};

async fn tools(world: &World, url: &str, token: Option<&str>) -> (u16, Value) {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", "2025-11-25"),
    ];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}).to_string();
    let answer = world.host.http.send(Method::POST, url, &headers, body).await;
    let text = answer.text();
    // An answer may come as the one event of a stream.
    let data = text
        .lines()
        .find_map(|line| line.strip_prefix("data: "))
        .unwrap_or(&text);
    (
        answer.status.as_u16(),
        serde_json::from_str(data).unwrap_or(Value::Null),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_the_sdk_makes_is_opened_by_the_users_token_alone() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    let mut sdk = Sdk::start(Language::Python, &world.host);
    let made = sdk
        .get(
            "mcp_create",
            json!({"name": "crm", "description": "The CRM of a user.",
                   "mappings": [{"connection_name": "HUBSPOT", "tools": ["hubspot_contacts_search"]}]}),
        )
        .await;
    let config = &made["config"];
    let (id, url) = (&config["id"], config["mcp_server_url"].as_str().expect("a URL"));
    let mapping = &config["connection_tool_mappings"][0];
    assert_eq!(mapping["provider"], "HUBSPOT", "{config}");
    assert_eq!(mapping["tools"], json!(["hubspot_contacts_search"]));

    let listed = sdk.get("mcp_list", json!({"filter_provider": "HUBSPOT"})).await;
    assert_eq!(listed["configs"][0]["id"], *id);
    let none = sdk.get("mcp_list", json!({"filter_name": "other"})).await;
    assert_eq!(none["configs"], json!([]));

    assert_eq!(tools(&world, url, None).await.0, 401);
    let minted = json!({"mcp_config_id": id, "identifier": "ada", "seconds": 60});
    let minted = sdk.get("mcp_token", minted).await;
    let (status, answer) = tools(&world, url, minted["token"].as_str()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["result"]["tools"][0]["name"], "hubspot_contacts_search");

    let refused = sdk
        .refused(
            "mcp_token",
            json!({"mcp_config_id": id, "identifier": "ada", "seconds": 59}),
        )
        .await;
    assert_eq!(refused.kind, "ScalekitBadRequestException");
    sdk.get("mcp_delete", json!({"config_id": id})).await;
    assert_ne!(tools(&world, url, minted["token"].as_str()).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_a_user_is_comes_with_the_links_that_were_asked_for() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    let mut sdk = Sdk::start(Language::Python, &world.host);
    let made = sdk
        .get(
            "mcp_create",
            json!({"name": "all", "mappings": [{"connection_name": "hubspot"}, {"connection_name": "gmail"}]}),
        )
        .await;
    let id = &made["config"]["id"];
    let asked = json!({"config_id": id, "identifier": "ada", "include_auth_link": true});
    let states = sdk.get("mcp_accounts", asked).await;
    let of = |name: &str| {
        let all = states["connected_accounts"].as_array().expect("states");
        let found = all.iter().find(|state| state["connection_name"] == name);
        found.expect("a state").clone()
    };
    assert_eq!(of("hubspot")["connected_account_status"], "active");
    assert_eq!(of("gmail")["connected_account_status"], "disconnected");
    let link = of("gmail")["authentication_link"]
        .as_str()
        .expect("a link")
        .to_owned();
    world.vendors.set_user("ada");
    assert!(world.host.http.follow(&link).await.status.is_success());

    let ensured = json!({"config_name": "all", "user_identifier": "ada"});
    let instance = sdk.get("mcp_ensure_instance", ensured).await["instance"].clone();
    assert_eq!(instance["config"]["id"], *id);
    let states = sdk
        .get("mcp_instance_state", json!({"instance_id": instance["id"]}))
        .await;
    for state in states["connections"].as_array().expect("states") {
        assert_eq!(state["connected_account_status"], "active", "{state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_are_the_users_of_servers_and_move_between_them() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world.connect("gmail", "bob").await;
    let mut sdk = Sdk::start(Language::Python, &world.host);
    for (name, connection) in [("crm", "hubspot"), ("mail", "gmail")] {
        let made = json!({"name": name, "mappings": [{"connection_name": connection}]});
        sdk.get("mcp_create", made).await;
    }
    let ensured = json!({"config_name": "crm", "user_identifier": "ada"});
    let instance = sdk.get("mcp_ensure_instance", ensured).await["instance"].clone();
    let read = sdk
        .get("mcp_instance", json!({"instance_id": instance["id"]}))
        .await;
    assert_eq!(read["instance"], instance);

    // Who is known where, by an account or by a session.
    let minted = json!({"mcp_config_id": instance["config"]["id"], "identifier": "carol"});
    let carol = sdk.get("mcp_token", minted).await;
    let listed = async |sdk: &mut Sdk, given: Value| {
        let listed = sdk.get("mcp_instances", given).await;
        let all = listed["instances"].as_array().expect("instances").clone();
        let mut all: Vec<String> = all
            .iter()
            .map(|it| format!("{} {}", it["name"], it["user_identifier"]).replace('"', ""))
            .collect();
        all.sort();
        all
    };
    for (given, expected) in [
        (json!({}), &["crm ada", "crm carol", "mail bob"][..]),
        (json!({"filter_config_name": "crm"}), &["crm ada", "crm carol"]),
        (json!({"filter_name": "mail"}), &["mail bob"]),
        (
            json!({"filter_user_identifier": "dora"}),
            &["crm dora", "mail dora"],
        ),
        (json!({"filter_id": instance["id"]}), &["crm ada"]),
        (json!({"filter_config_name": "crm", "filter_name": "mail"}), &[]),
        (json!({"filter_config_name": "No name"}), &[]),
    ] {
        assert_eq!(listed(&mut sdk, given.clone()).await, expected, "{given}");
    }
    let first = sdk.get("mcp_instances", json!({"page_size": 2})).await;
    let token = &first["next_page_token"];
    let rest = listed(&mut sdk, json!({"page_size": 2, "page_token": token})).await;
    assert_eq!(rest.len(), 1);
    let other = json!({"filter_config_name": "crm", "page_token": token});
    let refused = sdk.refused("mcp_instances", other).await;
    assert_eq!(refused.kind, "ScalekitBadRequestException");

    // A user who is moved comes in at the other server alone.
    let url = instance["url"].as_str().expect("a URL");
    let of_carol = json!({"config_name": "crm", "user_identifier": "carol"});
    let of_carol = sdk.get("mcp_ensure_instance", of_carol).await["instance"].clone();
    assert_eq!(tools(&world, url, carol["token"].as_str()).await.0, 200);
    let renamed = json!({"instance_id": of_carol["id"], "name": "another"});
    let refused = sdk.refused("mcp_update_instance", renamed).await;
    assert_eq!(refused.kind, "ScalekitBadRequestException");
    assert_eq!(
        tools(&world, url, carol["token"].as_str()).await.0,
        200,
        "a refused change changes nothing"
    );
    let moved = json!({"instance_id": of_carol["id"], "config_name": "mail", "name": "mail"});
    let moved = sdk.get("mcp_update_instance", moved).await["instance"].clone();
    assert_eq!(
        (&moved["name"], &moved["user_identifier"]),
        (&json!("mail"), &json!("carol"))
    );
    assert_ne!(moved["id"], of_carol["id"]);
    assert_eq!(tools(&world, url, carol["token"].as_str()).await.0, 401);
    let gone = json!({"instance_id": of_carol["id"], "config_name": "nothing"});
    let refused = sdk.refused("mcp_update_instance", gone).await;
    assert_eq!(refused.kind, "ScalekitNotFoundException");

    let ada = json!({"mcp_config_id": instance["config"]["id"], "identifier": "ada"});
    let ada = sdk.get("mcp_token", ada).await;
    sdk.get("mcp_delete_instance", json!({"instance_id": instance["id"]}))
        .await;
    assert_eq!(tools(&world, url, ada["token"].as_str()).await.0, 401);
}
