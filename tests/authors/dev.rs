//! `valetkey dev`: what is written is served.

use std::fs;
use std::path::Path;

use http::Method;
use serde_json::{Value, json};
use valetkey_tests::TestHost;
use valetkey_tests::program::{Place, Running};

use crate::acme;

/// The next event of this sort; others before it are passed over.
async fn event(running: &mut Running, wanted: &str) -> Value {
    loop {
        let event = running.line().await;
        if event["event"] == wanted {
            return event;
        }
        assert!(
            event["event"] == "call" || wanted == "call",
            "{wanted} was awaited and {event} came"
        );
    }
}

/// Puts a manifest in place in one step, as editors do.
fn put(folder: &Path, manifest: &str) {
    let aside = folder.join(".connector.toml.new");
    fs::write(&aside, manifest).expect("written");
    fs::rename(aside, folder.join("connector.toml")).expect("put in place");
}

async fn shows_a_call_without_an_account(dev: &mut Running) {
    let call = event(dev, "call").await;
    assert_eq!(
        (&call["execution"]["tool"], &call["execution"]["outcome"]),
        (&json!("acme_thing_get"), &json!("account_not_found")),
        "{call}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_served_at_once_and_a_broken_one_leaves_the_version_before() {
    let place = Place::new();
    let folder = place.path().join("acme");
    acme::write(&folder, acme::MANIFEST, &[]);
    let mut dev = place
        .start(&[
            "--data-dir",
            "data",
            "--json",
            "dev",
            "acme",
            "--out",
            "out",
            "--listen",
            "127.0.0.1:0",
        ])
        .await;
    let ready = event(&mut dev, "ready").await;
    assert!(
        ready["base_url"]
            .as_str()
            .is_some_and(|url| url.starts_with("http://127.0.0.1:")),
        "{ready}"
    );
    let first = event(&mut dev, "loaded").await;
    assert_eq!(
        (&first["connector"], &first["how"]),
        (&json!("acme"), &json!("built"))
    );
    let title = async || {
        let shown = place
            .run(&["--data-dir", "data", "--json", "tool", "show", "acme_thing_get"])
            .await
            .json();
        shown["title"].as_str().expect("a title").to_owned()
    };
    assert_eq!(title().await, "Get a thing");

    let better = acme::MANIFEST.replace("Get a thing", "Read a thing");
    put(&folder, &better);
    let second = event(&mut dev, "loaded").await;
    assert_eq!(second["how"], "repacked", "{second}");
    assert_ne!(second["version"], first["version"]);
    assert_eq!(title().await, "Read a thing");

    put(&folder, &better.replace("\"GET\"", "\"FETCH\""));
    let failed = event(&mut dev, "failed").await;
    assert!(
        failed["problem"]
            .as_str()
            .is_some_and(|problem| problem.contains("/tools/0/request/path")),
        "{failed}"
    );
    assert_eq!(
        title().await,
        "Read a thing",
        "the version before goes on serving"
    );

    put(&folder, acme::MANIFEST);
    event(&mut dev, "loaded").await;
    assert_eq!(title().await, "Get a thing");

    let call = [
        "--data-dir",
        "data",
        "call",
        "acme_thing_get",
        "--identifier",
        "ada",
    ];
    assert_eq!(place.run(&call).await.code, 1, "nobody is connected");
    shows_a_call_without_an_account(&mut dev).await;
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_in_the_connectors_own_folder_is_no_change_of_the_connector() {
    let place = Place::new();
    acme::write(place.path(), acme::MANIFEST, &[]);
    let mut dev = place.start(&["--json", "dev", "--listen", "127.0.0.1:0"]).await;
    event(&mut dev, "ready").await;
    event(&mut dev, "loaded").await;
    assert!(
        place.path().join("valetkey-data/store").is_dir(),
        "its data are among the connector's files"
    );
    fs::write(place.path().join("dev.log"), "a line").expect("what somebody redirects is no source");
    for _ in 0..3 {
        let call = ["call", "acme_thing_get", "--identifier", "ada"];
        assert_eq!(place.run(&call).await.code, 1, "nobody is connected");
        let next = dev.line().await;
        assert_eq!(next["event"], "call", "nothing was loaded again: {next}");
    }
    let better = acme::MANIFEST.replace("Get a thing", "Read a thing");
    put(place.path(), &better);
    let loaded = dev.line().await;
    assert_eq!(
        (&loaded["event"], &loaded["how"]),
        (&json!("loaded"), &json!("repacked")),
        "{loaded}"
    );

    let second = place.run(&["dev", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(second.code, 1);
    let told = second.talk;
    assert!(told.contains("valetkey dev --server http://127.0.0.1:"), "{told}");
    let shown = place.run(&["--json", "tool", "show", "acme_thing_get"]).await;
    assert_eq!(
        shown.json()["title"],
        "Read a thing",
        "the commands still find the first one"
    );
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_loaded_into_a_host_that_runs_elsewhere_and_its_calls_are_shown() {
    let host = TestHost::start().await;
    let place = Place::new();
    acme::write(place.path(), acme::MANIFEST, &[]);
    let mut dev = place
        .start(&[
            "--json",
            "dev",
            "--server",
            &host.base_url,
            "--client-id",
            &host.client_id,
            "--client-secret",
            &host.client_secret,
        ])
        .await;
    let ready = event(&mut dev, "ready").await;
    assert_eq!(ready["base_url"], host.base_url.as_str());
    event(&mut dev, "loaded").await;
    let title = async || {
        let listed = host
            .api(Method::GET, "/api/v1/tools", Value::Null)
            .await
            .expect(200);
        let tools = listed["items"].as_array().expect("a list").clone();
        let tool = tools.iter().find(|tool| tool["name"] == "acme_thing_get");
        tool.expect("it is loaded")["title"]
            .as_str()
            .expect("a title")
            .to_owned()
    };
    assert_eq!(title().await, "Get a thing");

    put(
        place.path(),
        &acme::MANIFEST.replace("Get a thing", "Read a thing"),
    );
    event(&mut dev, "loaded").await;
    assert_eq!(title().await, "Read a thing");

    let refused = host.call("acme_thing_get", "ada", json!({"thing_id": "7"})).await;
    assert_eq!(refused.json()["error"]["kind"], "account_not_found");
    shows_a_call_without_an_account(&mut dev).await;
    dev.stop().await;
    assert!(
        !place.path().join("valetkey-data").exists(),
        "it made no host of its own"
    );
}
