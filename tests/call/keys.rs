//! Idempotency keys.

use http::Method;
use serde_json::{Value, json};

use valetkey_tests::World;
use valetkey_tests::http::Answer;
use valetkey_vendors::{Effect, Entry, Fault, Side};

async fn create(world: &World, key: &str, email: &str) -> Answer {
    let body = json!({
        "tool_name": "hubspot_contact_create", "identifier": "ada", "params": {"properties": {"email": email}}
    });
    world
        .host
        .api_with(
            Method::POST,
            "/api/v1/execute_tool",
            &[("idempotency-key", key)],
            body,
        )
        .await
}

fn is_create(entry: &Entry) -> bool {
    entry.method == "POST" && entry.path.ends_with("/objects/contacts")
}

#[tokio::test]
async fn repetition_answers_the_first_outcome_and_sends_nothing() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    let first = create(&world, "k1", "a@example.com").await.expect(200);
    let again = create(&world, "k1", "a@example.com").await.expect(200);
    assert_eq!(first["data"], again["data"]);
    assert_ne!(
        first["execution_id"], again["execution_id"],
        "each has its own record"
    );
    assert_eq!(world.vendors.log().count_where(is_create), 1);
}

#[tokio::test]
async fn duplicates_side_by_side_are_one_execution() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    let calls = (0..20).map(|_| create(&world, "k1", "a@example.com"));
    let answers: Vec<Value> = futures_util::future::join_all(calls)
        .await
        .iter()
        .map(|answer| answer.expect(200))
        .collect();
    assert!(answers.iter().all(|answer| answer["data"] == answers[0]["data"]));
    assert_eq!(world.vendors.log().count_where(is_create), 1);
}

#[tokio::test]
async fn key_with_other_parameters_is_a_conflict() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    create(&world, "k1", "a@example.com").await.expect(200);
    let error = create(&world, "k1", "b@example.com").await.expect(409)["error"].clone();
    assert_eq!(error["kind"], "idempotency_conflict");
    assert_eq!(world.vendors.log().count_where(is_create), 1);
}

#[tokio::test]
async fn refused_call_gives_its_key_free() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world.vendors.fail(Fault::status(Side::Api, 1, 400));
    create(&world, "k1", "a@example.com").await.expect(422);
    create(&world, "k1", "a@example.com").await.expect(200);
}

#[tokio::test]
async fn outcome_that_nobody_knows_is_kept_and_the_write_not_repeated() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world.vendors.fail(Fault::new(Side::Api, 1, Effect::LoseAnswer));
    for _ in 0..3 {
        let answer = create(&world, "k1", "a@example.com").await.json();
        assert_eq!(answer["error"]["kind"], "ambiguous_outcome", "{answer}");
    }
    assert_eq!(world.vendors.log().count_where(is_create), 1);
}

#[tokio::test]
async fn outcome_survives_a_restart_and_is_forgotten_after_a_day() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    let first = create(&world, "k1", "a@example.com").await.expect(200);
    let World { host, vendors } = world;
    let world = World {
        host: host.stop().await.start().await,
        vendors,
    };
    assert_eq!(
        create(&world, "k1", "a@example.com").await.expect(200)["data"],
        first["data"]
    );
    assert_eq!(world.vendors.log().count_where(is_create), 1);
}
