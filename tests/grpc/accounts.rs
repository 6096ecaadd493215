//! Accounts as programs read, make, change, list and delete them.

use serde_json::{Value, json};
use valetkey_tests::world::World;

use crate::rig::{BOTH, Language, Sdk, account, connect_more};

fn items(answer: &Value) -> &[Value] {
    answer["connected_accounts"].as_array().map_or(&[], Vec::as_slice)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_in_upper_case_is_the_same_connection() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let found = sdk
            .get("get", json!({"connection_name": "HUBSPOT", "identifier": "ada"}))
            .await;
        assert_eq!(account(&found)["connector"], "hubspot");
        let call = json!({"tool_name": "hubspot_contacts_search", "identifier": "ada",
                          "connection_name": "HubSpot", "params": {"limit": 1}});
        sdk.get("execute", call).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found_and_what_is_wrong_is_named() {
    let world = World::start().await;
    let id = world.connect("hubspot", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        for (given, kind) in [
            (
                json!({"connection_name": "hubspot", "identifier": "bob"}),
                "ScalekitNotFoundException",
            ),
            (
                json!({"connection_name": "salesforce-b1fqL2Dr", "identifier": "ada"}),
                "ScalekitNotFoundException",
            ),
            (
                json!({"connected_account_id": "ca_0123"}),
                "ScalekitNotFoundException",
            ),
        ] {
            let refused = sdk.refused("get", given.clone()).await;
            assert_eq!(refused.kind, kind, "{language:?} {given}: {refused}");
        }
        // Python's SDK leaves the organization out of this request, so that the host cannot object.
        if language == Language::Node {
            let given =
                json!({"connection_name": "hubspot", "identifier": "ada", "organization_id": "org_1"});
            let refused = sdk.refused("get", given).await;
            assert_eq!(refused.kind, "ScalekitBadRequestException", "{refused}");
        }
        // Account and tool of different vendors: refused before anything is sent.
        let sent = world.vendors.log().entries().len();
        let mixed = json!({"tool_name": "gmail_list_labels", "connected_account_id": id, "params": {}});
        let refused = sdk.refused("execute", mixed).await;
        assert_eq!(refused.kind, "ScalekitBadRequestException", "{refused}");
        assert_eq!(world.vendors.log().entries().len(), sent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_a_program_gives_is_tried_kept_changed_and_never_shown() {
    let world = World::start().await;
    connect_more(&world, "private", "hubspot", |body| {
        body["auth"] = json!("private_app");
        body.as_object_mut().expect("a body").remove("oauth");
    })
    .await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let details = |token: &str| match language {
            Language::Python => json!({"static_auth": {"token": token}}),
            Language::Node => {
                json!({"details": {"case": "staticAuth", "value": {"details": {"token": token}}}})
            }
        };
        let owner = json!({"connection_name": "private", "identifier": format!("{language:?}")});
        let mut wrong = owner.clone();
        wrong["authorization_details"] = details("not a token");
        let refused = sdk.refused("create", wrong).await;
        assert_eq!(refused.kind, "ScalekitBadRequestException");
        assert!(!refused.text.contains("not a token"), "{refused}");
        // Of the right form, and unknown to the vendor: its refusal, not ours.
        let mut unknown = owner.clone();
        unknown["authorization_details"] = details("pat-na1-0123456789-canary");
        let refused = sdk.refused("create", unknown).await;
        assert_eq!(refused.error_code.as_deref(), Some("TOOL_ERROR"), "{refused}");
        assert!(!refused.text.contains("canary"), "{refused}");
        let none = sdk.refused("get", owner).await;
        assert_eq!(none.kind, "ScalekitNotFoundException");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_found_by_their_words_on_one_connection_and_page_by_page() {
    let world = World::start().await;
    for (connection, identifier) in [
        ("hubspot", "ada@acme.example"),
        ("hubspot", "bob@acme.example"),
        ("gmail", "ada@acme.example"),
        ("hubspot", "carol@other.example"),
    ] {
        let new = json!({"connection_name": connection, "identifier": identifier});
        world
            .host
            .api(http::Method::POST, "/api/v1/connected_accounts", new)
            .await
            .expect(200);
    }
    let mut sdk = Sdk::start(Language::Python, &world.host);
    let found = sdk.get("search_accounts", json!({"query": "acme"})).await;
    assert_eq!((items(&found).len(), &found["total_size"]), (3, &json!(3)));
    let one = json!({"query": "acme", "connection_id": "conn_hubspot"});
    let found = sdk.get("search_accounts", one).await;
    let mut who: Vec<&str> = items(&found)
        .iter()
        .filter_map(|it| it["identifier"].as_str())
        .collect();
    who.sort_unstable();
    assert_eq!(who, ["ada@acme.example", "bob@acme.example"]);

    let first = sdk
        .get("search_accounts", json!({"query": "acme", "page_size": 2}))
        .await;
    assert_eq!(items(&first).len(), 2);
    let next = json!({"query": "acme", "page_size": 2, "page_token": first["next_page_token"]});
    let rest = sdk.get("search_accounts", next).await;
    assert_eq!(items(&rest).len(), 1);
    assert!(!items(&first).contains(&items(&rest)[0]));
    let other = json!({"query": "other", "page_token": first["next_page_token"]});
    for wrong in [
        other,
        json!({}),
        json!({"query": "acme", "connection_id": "hubspot"}),
    ] {
        let refused = sdk.refused("search_accounts", wrong.clone()).await;
        assert_eq!(refused.kind, "ScalekitBadRequestException", "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_narrowed_as_asked() {
    let world = World::start().await;
    for number in 0..5 {
        for connection in ["hubspot", "gmail"] {
            let new = json!({"connection_name": connection, "identifier": format!("user-{number}")});
            world
                .host
                .api(http::Method::POST, "/api/v1/connected_accounts", new)
                .await
                .expect(200);
        }
    }
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let mut ids = Vec::new();
        let mut token = String::new();
        loop {
            let page = sdk
                .get("list", json!({"page_size": 4, "page_token": token}))
                .await;
            assert_eq!(page["total_size"], json!(10));
            assert!(items(&page).len() <= 4);
            ids.extend(items(&page).iter().map(|it| it["id"].to_string()));
            token = page["next_page_token"].as_str().unwrap_or_default().to_owned();
            if token.is_empty() {
                break;
            }
        }
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((all, ids.len()), (10, 10), "{language:?}");

        let one = sdk.get("list", json!({"identifier": "user-3"})).await;
        assert_eq!(items(&one).len(), 2);
        let vendor = sdk.get("list", json!({"provider": "GMAIL"})).await;
        assert_eq!(items(&vendor).len(), 5);
        let names = sdk.get("list", json!({"connection_names": ["Hubspot"]})).await;
        assert_eq!(items(&names).len(), 5);
        let nobody = sdk.get("list", json!({"provider": "SALESFORCE"})).await;
        assert!(items(&nobody).is_empty());
        let stolen = json!({"page_token": "bm90IGEgdG9rZW4", "page_size": 4});
        assert_eq!(
            sdk.refused("list", stolen).await.kind,
            "ScalekitBadRequestException"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_account_is_gone_and_can_be_made_again() {
    let world = World::start().await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let owner = json!({"connection_name": "hubspot", "identifier": "ada"});
        let id = world.connect("hubspot", "ada").await;
        sdk.get("delete", owner.clone()).await;
        assert_eq!(
            sdk.refused("get", owner.clone()).await.kind,
            "ScalekitNotFoundException"
        );
        let made = sdk.get("get_or_create", owner.clone()).await;
        assert_ne!(account(&made[0])["id"], json!(id));
        sdk.get("delete", json!({"connected_account_id": account(&made[0])["id"]}))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_listed_for_programs_that_offer_them() {
    let world = World::start().await;
    let mut sdk = Sdk::start(Language::Node, &world.host);
    let listed = sdk.get("connections", json!({})).await;
    let of = |listed: &Value| -> Vec<(String, String, String)> {
        let connections = listed["connections"].as_array().expect("connections").iter();
        connections
            .map(|it| {
                let text = |name: &str| it[name].as_str().expect("text").to_owned();
                (text("connection_name"), text("provider"), text("type"))
            })
            .collect()
    };
    let row = |name: &str| (name.to_owned(), name.to_uppercase(), "OAUTH".to_owned());
    assert_eq!(of(&listed), [row("gmail"), row("hubspot")]);
    let one = sdk
        .get("connections", json!({"provider": "HUBSPOT", "page_size": 1}))
        .await;
    assert_eq!(of(&one), [row("hubspot")]);
}
