//! `valetkey dev`: what is written is served.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
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
    let call = event(&mut dev, "call").await;
    assert_eq!(
        (&call["execution"]["tool"], &call["execution"]["outcome"]),
        (&json!("acme_thing_get"), &json!("account_not_found")),
        "{call}"
    );
    dev.stop().await;
}
