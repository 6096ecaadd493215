//! Tools as programs see them: one user's, all, and as LangChain tools.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use valetkey_tests::world::World;

use crate::rig::{BOTH, Language, Sdk};

fn definitions(answer: &Value) -> Vec<&Value> {
    let tools = answer["tools"].as_array().map_or(&[][..], Vec::as_slice).iter();
    tools
        .map(|it| it.get("tool").unwrap_or(it))
        .map(|tool| &tool["definition"])
        .collect()
}

fn names(answer: &Value) -> BTreeSet<String> {
    definitions(answer)
        .iter()
        .map(|it| it["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_sees_the_tools_of_their_active_accounts_alone() {
    let world = World::start().await;
    let id = world.connect("hubspot", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        // An account that waits for consent gives no tools.
        sdk.get(
            "get_or_create",
            json!({"connection_name": "gmail", "identifier": "ada"}),
        )
        .await;
        let all = sdk.get("scoped_tools", json!({"identifier": "ada"})).await;
        assert!(
            names(&all).iter().all(|name| name.starts_with("hubspot_")),
            "{:?}",
            names(&all)
        );
        assert_eq!(all["total_size"], json!(names(&all).len()));
        assert_eq!(all["tools"][0]["connected_account_id"], json!(id));
        assert_eq!(all["tools"][0]["identifier"], "ada");
        assert_eq!(all["tools"][0]["tool"]["provider"], "HUBSPOT");

        for given in [
            json!({"identifier": "ada", "providers": ["HUBSPOT"]}),
            json!({"identifier": "ada", "connection_names": ["hubspot"]}),
            json!({"identifier": "ada", "connection_names": ["HUBSPOT", "gmail"]}),
        ] {
            let narrowed = sdk.get("scoped_tools", given).await;
            assert_eq!(names(&narrowed), names(&all), "{language:?}");
        }
        let one = json!({"identifier": "ada", "tool_names": ["hubspot_contact_create"]});
        let one = sdk.get("scoped_tools", one).await;
        assert_eq!(names(&one), BTreeSet::from(["hubspot_contact_create".to_owned()]));
        for nothing in [
            json!({"identifier": "bob", "providers": ["HUBSPOT"]}),
            json!({"identifier": "ada", "connection_names": ["gmail"]}),
        ] {
            let none = sdk.get("scoped_tools", nothing).await;
            assert!(names(&none).is_empty(), "{language:?}");
        }
        let unknown = json!({"identifier": "ada", "connection_names": ["salesforce"]});
        let refused = sdk.refused("scoped_tools", unknown).await;
        assert_eq!(refused.kind, "ScalekitNotFoundException");
        // No tools at all would not say that the name is wrong.
        for (name, given, place) in [
            (
                "scoped_tools",
                json!({"identifier": "ada", "providers": ["SALESFORCE"]}),
                "/connector",
            ),
            (
                "scoped_tools",
                json!({"identifier": "ada", "tool_names": ["hubspot_contact_creat"]}),
                "/tool_name",
            ),
            ("list_tools", json!({"provider": "SALESFORCE"}), "/connector"),
            (
                "list_tools",
                json!({"tool_name": ["hubspot_contact_creat"]}),
                "/tool_name",
            ),
        ] {
            let refused = sdk.refused(name, given.clone()).await;
            assert_eq!(
                refused.kind, "ScalekitBadRequestException",
                "{language:?} {given}"
            );
            let violations = &refused.detail["validation_error_info"]["field_violations"];
            assert_eq!(violations[0]["field"], place, "{language:?} {}", refused.detail);
            let said = violations[0]["description"].as_str().expect("words");
            assert!(
                said.contains("there is `"),
                "{language:?}: what there is instead: {said}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_is_what_adapters_and_models_take() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world.connect("gmail", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let all = sdk.get("scoped_tools", json!({"identifier": "ada"})).await;
        let definitions = definitions(&all);
        assert!(definitions.len() > 30);
        for definition in definitions {
            let name = definition["name"].as_str().expect("a name");
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            assert!(
                !name.is_empty() && name.len() <= 64 && name.chars().all(fits),
                "{name}"
            );
            assert!(
                definition["description"]
                    .as_str()
                    .is_some_and(|it| !it.is_empty())
            );
            let schema = &definition["input_schema"];
            assert_eq!(schema["type"], "object", "{name}");
            assert!(schema["properties"].is_object(), "{name}");
            assert!(definition["annotations"]["read_only_hint"].is_boolean(), "{name}");
            assert!(definition["annotations"]["title"].is_string(), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_is_asked_for_by_an_alias_answers_to_it() {
    let world = World::start().await;
    world.connect("gmail", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let asked = json!({"identifier": "ada", "tool_names": ["gmail_send_message"]});
        let found = sdk.get("scoped_tools", asked).await;
        assert_eq!(names(&found), BTreeSet::from(["gmail_send_message".to_owned()]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_tools_lose_none_and_no_size_is_all() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world.connect("gmail", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let all = names(&sdk.get("scoped_tools", json!({"identifier": "ada"})).await);
        let mut paged = BTreeSet::new();
        let mut token = String::new();
        loop {
            let page = json!({"identifier": "ada", "page_size": 7, "page_token": token});
            let page = sdk.get("scoped_tools", page).await;
            for name in names(&page) {
                assert!(paged.insert(name), "twice");
            }
            token = page["next_page_token"].as_str().unwrap_or_default().to_owned();
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(paged, all);
        // A token is good for its own question.
        let page = json!({"identifier": "ada", "page_size": 7});
        let token = sdk.get("scoped_tools", page).await["next_page_token"].clone();
        let other = json!({"identifier": "bob", "page_size": 7, "page_token": token});
        let refused = sdk.refused("scoped_tools", other).await;
        assert_eq!(refused.kind, "ScalekitBadRequestException");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_is_listed_found_by_words_and_available_before_it_is_connected() {
    let world = World::start().await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let mail = sdk.get("list_tools", json!({"provider": "GMAIL"})).await;
        assert!(names(&mail).iter().all(|name| name.starts_with("gmail_")));
        assert!(!names(&mail).is_empty());
        let found = sdk.get("list_tools", json!({"query": "labels"})).await;
        assert!(names(&found).contains("gmail_list_labels"), "{:?}", names(&found));
    }
    let mut node = Sdk::start(Language::Node, &world.host);
    let available = node
        .get("available_tools", json!({"identifier": "nobody-yet"}))
        .await;
    assert!(names(&available).contains("hubspot_contacts_search"));
    assert!(names(&available).contains("gmail_list_labels"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_says_what_is_ready_and_what_waits_for_whom() {
    let world = World::start().await;
    let id = world.connect("hubspot", "ada").await;
    let mut sdk = Sdk::start(Language::Python, &world.host);
    sdk.get(
        "get_or_create",
        json!({"connection_name": "gmail", "identifier": "ada"}),
    )
    .await;
    let mut connections = async |query: &str| {
        let found = sdk
            .get(
                "search_tools",
                json!({"query": query, "identifier": "ada", "top_k": 3}),
            )
            .await;
        let tools = found["tools"].as_array().expect("tools");
        assert!((1..=3).contains(&tools.len()));
        assert!(tools[0]["score"].as_f64() >= tools[tools.len() - 1]["score"].as_f64());
        tools[0]["connections"].clone()
    };
    let ready = connections("search contacts in hubspot").await;
    assert_eq!(
        ready,
        json!([{"connection_name": "hubspot", "connected_account_id": id,
                "readiness_state": "TOOL_READINESS_STATE_READY"}])
    );
    let waits = connections("gmail labels").await;
    assert_eq!(
        waits[0]["readiness_state"],
        "TOOL_READINESS_STATE_NEEDS_CONNECTION"
    );
    world
        .host
        .api(
            http::Method::POST,
            &format!("/api/v1/connected_accounts/{id}/disconnect"),
            Value::Null,
        )
        .await
        .expect(200);
    let ended = connections("search contacts in hubspot").await;
    assert_eq!(ended[0]["readiness_state"], "TOOL_READINESS_STATE_NEEDS_REAUTH");
    let mut nobody = Sdk::start(Language::Python, &world.host);
    let found = nobody
        .get("search_tools", json!({"query": "contacts", "identifier": "bob"}))
        .await;
    assert!(found["tools"][0].get("connections").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn langchain_tools_carry_their_schemas_and_answer_the_model() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    let mut sdk = Sdk::start(Language::Python, &world.host);
    let user = json!({"identifier": "ada", "connection_names": ["hubspot"]});
    let tools = sdk.get("langchain_tools", user.clone()).await;
    let tools = tools.as_array().expect("tools");
    assert!(tools.len() > 20, "all on one page: {}", tools.len());
    let create = tools
        .iter()
        .find(|tool| tool["name"] == "hubspot_contact_create")
        .expect("a tool");
    assert!(
        create["args_schema"]["properties"]["properties"].is_object(),
        "{create}"
    );

    let mut call = user.clone();
    call["tool_name"] = json!("hubspot_contact_create");
    call["arguments"] = json!({"properties": {"email": "langchain@person.example"}});
    let said = sdk.get("langchain_call", call.clone()).await;
    let said = said.as_str().expect("text");
    assert!(said.contains("execution_id"), "{said}");
    assert!(said.contains("langchain@person.example"), "{said}");

    // A wrong argument comes back to the model as what to mend.
    call["arguments"] = json!({"properties": "not an object"});
    let said = sdk.get("langchain_call", call).await;
    let said = said.as_str().expect("text");
    assert!(
        said.starts_with("Error executing tool hubspot_contact_create"),
        "{said}"
    );
    assert!(said.contains("/properties"), "{said}");
    let token = world.host.token();
    assert!(!said.contains(&token) && !said.contains(&world.host.client_secret));
}
