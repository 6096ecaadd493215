//! From an empty folder to a tool's answer, by the command line alone.

use serde_json::{Value, json};
use valetkey_tests::artifacts;
use valetkey_tests::http::Client;
use valetkey_tests::program::Place;
use valetkey_vendors::{Options, Simulator};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_an_empty_folder_to_a_tools_answer() {
    let vendors = Simulator::start(Options::default()).await.expect("a free port");
    let base = format!("{}/hubspot", vendors.base_url);
    let place = Place::new();
    place.run(&["init", "--data-dir", "data", "--json"]).await.json();
    let serving = place.serve().await;
    let run = async |arguments: &[&str]| {
        let mut all = vec!["--data-dir", "data", "--json"];
        all.extend_from_slice(arguments);
        place.run(&all).await
    };

    let component = artifacts::target_dir().join("connectors/hubspot.wasm");
    let installed = run(&["connector", "install", component.to_str().expect("a path")])
        .await
        .json();
    let version = installed["active_version"]
        .as_str()
        .expect("a version")
        .to_owned();
    assert!(
        installed["tools"].as_u64().expect("a number") >= 14,
        "{installed}"
    );
    let listed = run(&["connector", "list"]).await.json();
    assert_eq!(listed["items"][0]["connector"], "hubspot");

    let secret = place.path().join("secret");
    std::fs::write(&secret, Options::default().client_secret).expect("a file");
    let created = run(&[
        "connection",
        "create",
        "hubspot",
        "--development",
        "--oauth-client-id",
        &Options::default().client_id,
        "--oauth-client-secret",
        &format!("@{}", secret.display()),
        "--authorize-url",
        &format!("{base}/oauth/authorize"),
        "--token-url",
        &format!("{base}/oauth/v3/token"),
        "--revoke-url",
        &format!("{base}/oauth/revoke"),
        "--endpoint",
        &format!("api={base}"),
    ])
    .await
    .json();
    let redirect = format!("{}/oauth/callback/dev/hubspot", serving.base_url);
    assert_eq!(created["oauth"]["redirect_uri"], Value::from(redirect));
    assert!(!created.to_string().contains(&Options::default().client_secret));

    let link = run(&["account", "link", "hubspot", "--identifier", "user_1"])
        .await
        .json();
    let page = Client::default()
        .follow(link["authorization_link"].as_str().expect("a link"))
        .await;
    assert!(page.status.is_success(), "{}", page.text());
    let accounts = run(&["account", "list", "--identifier", "user_1"]).await.json();
    assert_eq!(accounts["items"][0]["state"], "ACTIVE");

    let tools = run(&["tool", "list", "--connector", "hubspot"]).await.json();
    let names: Vec<&str> = tools["items"]
        .as_array()
        .expect("tools")
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect();
    assert!(names.contains(&"hubspot_contacts_search"), "{names:?}");
    let search = ["call", "hubspot_contacts_search", "--identifier", "user_1"];
    let answer = run(&[&search[..], &["--params", "{\"limit\": 3}"]].concat())
        .await
        .json();
    assert_eq!(
        answer["data"]["results"].as_array().map(Vec::len),
        Some(3),
        "{answer}"
    );

    let refused = run(&[&search[..], &["--params", "{\"limit\": \"three\"}"]].concat()).await;
    assert_eq!(refused.code, 1);
    let error: Value = serde_json::from_str(&refused.out).expect("the error is JSON too");
    assert_eq!(error["error"]["fields"][0]["path"], "/limit");

    let pinned = run(&["connection", "pin", "hubspot", &version]).await.json();
    assert_eq!(pinned["pinned_version"], json!(version));
    let id = accounts["items"][0]["id"].as_str().expect("an id");
    assert_eq!(
        run(&["account", "disconnect", id]).await.json()["revocation"],
        "revoked"
    );
    let refused = run(&["connector", "remove", "hubspot"]).await;
    assert_eq!(refused.code, 1, "a connection pins it: {}", refused.out);
    run(&["connection", "pin", "hubspot"]).await.json();
    assert_eq!(
        run(&["connector", "remove", "hubspot"]).await.json()["removed"],
        true
    );
    let refused = run(&["connection", "remove", "hubspot"]).await;
    let told = "`valetkey account remove`";
    assert!(refused.code == 1 && refused.out.contains(told), "{}", refused.out);
    run(&["account", "remove", id]).await.json();
    assert_eq!(
        run(&["connection", "remove", "hubspot"]).await.json()["removed"],
        true
    );
    serving.stop().await;

    let stopped = run(&["tool", "list"]).await;
    assert_eq!(stopped.code, 1);
    assert!(stopped.out.contains("valetkey serve"), "{}", stopped.out);
}

#[tokio::test]
async fn two_hosts_never_share_a_data_folder() {
    let place = Place::new();
    place.run(&["init", "--data-dir", "data", "--json"]).await.json();
    let serving = place.serve().await;
    let second = place
        .run(&["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"])
        .await;
    assert_eq!(second.code, 1);
    assert!(second.talk.contains("another host is using"), "{}", second.talk);
    let export = place.run(&["store", "export", "-", "--data-dir", "data"]).await;
    assert_eq!(export.code, 1);
    serving.stop().await;
}
