//! Tool calls: which account, numbers, what fails and how, and that nothing runs twice.

use serde_json::{Value, json};
use valetkey::config::Config;
use valetkey_tests::world::World;
use valetkey_vendors::{Effect, Fault, Options, Side};

use crate::rig::{BOTH, Language, Refused, Sdk, executions};

const SEARCH: &str = "hubspot_contacts_search";

fn search(who: &str) -> Value {
    json!({"tool_name": SEARCH, "identifier": who, "params": {"limit": 2}})
}

fn api_requests(world: &World) -> usize {
    world.vendors.log().count(Side::Api)
}

/// The detail of a failure beyond the host.
fn tool_error(refused: &Refused) -> &Value {
    assert_eq!(refused.error_code.as_deref(), Some("TOOL_ERROR"), "{refused}");
    &refused.detail["tool_error_info"]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_found_by_identifier_by_id_and_by_connection() {
    let world = World::start().await;
    let id = world.connect("hubspot", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        for given in [
            json!({"identifier": "ada"}),
            json!({"identifier": "ada", "connection_name": "hubspot"}),
            json!({"connected_account_id": id}),
        ] {
            let mut call = json!({"tool_name": SEARCH, "params": {"limit": 1}});
            call.as_object_mut()
                .expect("a call")
                .extend(given.as_object().expect("members").clone());
            let answer = sdk.get("execute", call).await;
            assert_eq!(answer["data"]["results"].as_array().expect("contacts").len(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_parameters_are_the_same_as_none() {
    let world = World::start().await;
    world.connect("gmail", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let call = json!({"tool_name": "gmail_list_labels", "identifier": "ada", "params": {}});
        let answer = sdk.get("execute", call).await;
        assert!(answer["data"]["labels"].is_array(), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_numbers_reach_the_vendor_whole_and_long_ids_come_back_unrounded() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        world.vendors.fail(Fault::new(
            Side::Api,
            1,
            Effect::Patch {
                patch: json!({"portal": 9_007_199_254_740_993_u64, "count": 3, "share": 0.25}),
            },
        ));
        let answer = sdk.get("execute", search("ada")).await;
        assert_eq!(answer["data"]["portal"], "9007199254740993");
        assert_eq!(answer["data"]["count"].as_f64(), Some(3.0));
        assert_eq!(answer["data"]["share"].as_f64(), Some(0.25));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_page_is_asked_for_by_the_cursor_of_the_one_before() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let first = sdk.get("execute", search("ada")).await;
        let mut call = search("ada");
        call["params"]["cursor"] = first["data"]["next_cursor"].clone();
        let second = sdk.get("execute", call).await;
        assert_ne!(first["data"]["results"], second["data"]["results"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendors_401_is_a_tool_error_and_the_tool_runs_once() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let (runs, requests) = (executions(&world).await.len(), api_requests(&world));
        world.vendors.fail(Fault::status(Side::Api, 10, 401));
        let refused = sdk.refused("execute", search("ada")).await;
        world.vendors.heal();
        assert_eq!(refused.kind, "ScalekitToolUnauthorizedException", "{refused}");
        let detail = tool_error(&refused);
        assert!(
            detail["execution_id"]
                .as_str()
                .expect("an id")
                .starts_with("exe_")
        );
        assert_eq!(executions(&world).await.len(), runs + 1, "{language:?}");
        assert!(
            api_requests(&world) - requests <= 2,
            "the host's own repetition at most"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_is_lost_is_told_and_never_repeated() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let requests = api_requests(&world);
        world.vendors.fail(Fault::new(Side::Api, 10, Effect::LoseAnswer));
        let email = format!("once-{language:?}@person.example");
        let call = json!({"tool_name": "hubspot_contact_create", "identifier": "ada",
                          "params": {"properties": {"email": email}}});
        let refused = sdk.refused("execute", call).await;
        world.vendors.heal();
        assert_eq!(tool_error(&refused)["tool_error_code"], "ambiguous_outcome");
        assert_eq!(api_requests(&world) - requests, 1, "{language:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_down_is_a_tool_error_and_the_tool_runs_once() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let runs = executions(&world).await.len();
        world.vendors.fail(Fault::status(Side::Api, 100, 503));
        let refused = sdk.refused("execute", search("ada")).await;
        world.vendors.heal();
        assert_eq!(tool_error(&refused)["tool_error_code"], "vendor_unavailable");
        assert_eq!(executions(&world).await.len(), runs + 1, "{language:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendors_limit_is_told_as_one_and_not_tried_against() {
    let world = World::start_with(
        |config: &mut Config| config.egress.max_wait_ms = 1_000,
        Options::default(),
    )
    .await;
    for language in BOTH {
        let who = format!("{language:?}");
        world.connect("hubspot", &who).await;
        let mut sdk = Sdk::start(language, &world.host);
        world.vendors.fail(Fault::throttle(Side::Api, 1, "3600"));
        let refused = sdk.refused("execute", search(&who)).await;
        world.vendors.heal();
        assert_eq!(refused.kind, "ScalekitToolRateLimitException", "{refused}");
        assert_eq!(tool_error(&refused)["tool_error_code"], "rate_limited");
    }
    assert_eq!(executions(&world).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_deadline_ends_the_call_and_the_client_hears_why() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    for language in BOTH {
        let env = [("TOOL_TIMEOUT_SECONDS", "3")];
        let mut sdk = Sdk::with(language, &world.host, &world.host.base_url, &env);
        world
            .vendors
            .fail(Fault::new(Side::Api, 10, Effect::Slow { delay_ms: 600_000 }));
        let refused = sdk.refused("execute", search("ada")).await;
        world.vendors.heal();
        assert_eq!(tool_error(&refused)["tool_error_code"], "vendor_timeout");
        let record = &executions(&world).await[0];
        assert_eq!(record["outcome"], "vendor_timeout", "{record}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_parameters_are_told_with_their_places_and_reach_nobody() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let requests = api_requests(&world);
        let call = json!({"tool_name": SEARCH, "identifier": "ada", "params": {"limit": "many"}});
        let refused = sdk.refused("execute", call).await;
        assert_eq!(refused.kind, "ScalekitBadRequestException");
        let violations = &refused.detail["validation_error_info"]["field_violations"];
        assert_eq!(violations[0]["field"], "/limit", "{refused}");
        let unknown = json!({"tool_name": "hubspot_contact_serch", "identifier": "ada", "params": {}});
        let refused = sdk.refused("execute", unknown).await;
        assert_eq!(refused.kind, "ScalekitNotFoundException");
        assert!(refused.text.contains("Did you mean"), "{refused}");
        assert_eq!(api_requests(&world), requests);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_beyond_what_clients_take_is_told_and_one_below_arrives() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let mut call_with = async |numbers: usize| {
            let patch = json!({ "numbers": vec![7; numbers] });
            world
                .vendors
                .fail(Fault::new(Side::Api, 1, Effect::Patch { patch }));
            sdk.ask("execute", search("ada")).await
        };
        let below = call_with(200_000).await.expect("a result");
        assert_eq!(
            below["data"]["numbers"].as_array().expect("numbers").len(),
            200_000
        );
        let beyond = call_with(500_000).await.expect_err("too large");
        assert_eq!(tool_error(&beyond)["tool_error_code"], "connector_limit");
        assert!(beyond.text.contains("Ask for less"), "{beyond}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_vendor_message_arrives_cut_and_typed() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let message = "ж%\u{1f511}".repeat(3_000);
        world.vendors.fail(Fault::new(
            Side::Api,
            1,
            Effect::Answer {
                status: 400,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: json!({"status": "error", "category": "VALIDATION_ERROR", "message": message})
                    .to_string(),
            },
        ));
        let refused = sdk.refused("execute", search("ada")).await;
        assert_eq!(
            tool_error(&refused)["tool_error_code"],
            "vendor_rejected",
            "{refused}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_error_text_holds_a_secret() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    let mut secrets = vec![world.host.client_secret.clone(), world.host.token()];
    secrets.push(Options::default().client_secret);
    secrets.extend(
        world
            .vendors
            .live_refresh_tokens(valetkey_vendors::Vendor::Hubspot),
    );
    for language in [Language::Python, Language::Node] {
        let mut sdk = Sdk::start(language, &world.host);
        for status in [400, 401, 403, 404, 409, 500] {
            world.vendors.fail(Fault::status(Side::Api, 10, status));
            let refused = sdk.refused("execute", search("ada")).await;
            world.vendors.heal();
            for secret in &secrets {
                assert!(!refused.text.contains(secret), "{status}: {refused}");
                assert!(!refused.detail.to_string().contains(secret), "{status}");
            }
        }
    }
}
