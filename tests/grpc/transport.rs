//! One port for TLS, h2c and HTTP/1.1, and tokens that expire while a program runs.

use std::time::Duration;

use serde_json::json;
use valetkey_tests::world::World;

use crate::rig::{BOTH, Language, Sdk, executions};

fn call() -> serde_json::Value {
    json!({"tool_name": "hubspot_contacts_search", "identifier": "ada", "params": {"limit": 1}})
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_the_one_port_works_in_both_languages() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    let plain = world.host.base_url.clone();
    let secure = plain.replace("http://", "https://");
    for language in BOTH {
        for url in [
            plain.clone(),
            secure.clone(),
            format!("{plain}/"),
            format!("{secure}/"),
        ] {
            // Node's gRPC is what the URL says; Python's is always TLS. A slash at the end of the
            // URL stands twice in what Python makes of it.
            let mut sdk = Sdk::with(language, &world.host, &url, &[]);
            sdk.get("execute", call()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_outlives_its_token_many_times_and_runs_each_call_once() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    for language in BOTH {
        let mut sdk = Sdk::start(language, &world.host);
        let before = executions_now(&world).await;
        sdk.get("execute", call()).await;
        for _ in 0..3 {
            // The token that Python was built with stays in a second header for its whole life.
            world
                .host
                .clock()
                .advance(Duration::from_secs(valetkey::access::LIFETIME_SECONDS + 60));
            world.host.sign_in().await;
            sdk.get("execute", call()).await;
            sdk.get("scoped_tools", json!({"identifier": "ada"})).await;
        }
        assert_eq!(executions_now(&world).await - before, 4, "{language:?}");
    }
}

async fn executions_now(world: &World) -> usize {
    executions(world).await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_client_secret_is_told_as_that() {
    let world = World::start().await;
    for language in BOTH {
        let env = [("SCALEKIT_CLIENT_SECRET", "wrong")];
        let mut sdk = Sdk::with(language, &world.host, &world.host.base_url, &env);
        let refused = sdk.refused("execute", call()).await;
        // Node's SDK passes on the error of its HTTP client.
        match language {
            Language::Python => assert_eq!(refused.kind, "ScalekitUnauthorizedException", "{refused}"),
            Language::Node => assert!(refused.text.contains("status code 401"), "{refused}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn python_without_the_certificate_says_which_one_it_lacks() {
    let world = World::start().await;
    let env = [("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "/nowhere.pem")];
    let mut sdk = Sdk::with(Language::Python, &world.host, &world.host.base_url, &env);
    let refused = sdk.refused("execute", call()).await;
    assert_eq!(refused.kind, "ScalekitServiceUnavailableException");
    assert!(refused.text.contains("CERTIFICATE_VERIFY_FAILED"), "{refused}");
}
