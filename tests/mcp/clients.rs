//! The clients that people use, against the host: the npm packages of both generations, the Python
//! SDK, and LangChain's adapter. Each lists, calls, fails, and meets an account that is not
//! connected; the effects are looked for at the vendor.

use serde_json::{Value, json};

use valetkey_vendors::Side;

use crate::programs::{node_folder, run_node, run_python};
use crate::rig::{Rig, listed, session};

/// What every client is told to do, and what it must have seen.
async fn assert_drives(rig: &Rig, who: &str, drive: impl AsyncFn(&str) -> Value, urls: bool) {
    let host = &rig.world.host;
    let user = session(host, &rig.server, who, json!({})).await;
    rig.world.connect("hubspot", who).await;
    rig.world.vendors.log().clear();
    let orders = json!({"url": user.url, "token": user.token}).to_string();
    let seen = drive(&orders).await;

    let shown = listed(host, &user).await;
    assert_eq!(seen["tools"], json!(shown), "{who}: the list, whole and in order");
    let entries = rig.world.vendors.log().of(Side::Api);
    assert!(!entries.is_empty(), "{who}: {seen}");
    assert!(
        entries.iter().all(|entry| entry.user.as_deref() == Some(who)),
        "{who}: {entries:?}"
    );
    let results = seen["search"]["results"].as_array();
    assert_eq!(results.map(Vec::len), Some(3), "{who}: {seen}");
    let wrong = seen["wrong"].as_str().expect("a text");
    assert!(
        wrong.contains("/limit"),
        "{who}: the model reads what to change: {wrong}"
    );
    let link = format!("{}/connect/", host.base_url);
    let unconnected = seen["unconnected"].as_str().expect("a text");
    if urls {
        assert!(
            seen["asked"]
                .as_str()
                .is_some_and(|asked| asked.starts_with(&link)),
            "{who}: {seen}"
        );
    } else {
        assert!(unconnected.contains(&link), "{who}: {unconnected}");
    }
}

#[tokio::test]
async fn npm_sdk_of_the_handshake_era() {
    let rig = Rig::start().await;
    let drive = async |orders: &str| run_node(&["legacy.mjs", orders]).await.json();
    assert_drives(&rig, "npm-1", drive, false).await;
}

#[tokio::test]
async fn npm_client_in_both_eras() {
    let rig = Rig::start().await;
    for (era, urls) in [("legacy", false), ("modern", true)] {
        let drive = async |orders: &str| run_node(&["client.mjs", orders, era]).await.json();
        assert_drives(&rig, &format!("npm-2-{era}"), drive, urls).await;
    }
}

#[tokio::test]
async fn python_sdk() {
    let rig = Rig::start().await;
    let drive = async |orders: &str| run_python("python-mcp", &["client.py", orders]).await.json();
    assert_drives(&rig, "python", drive, true).await;
}

#[tokio::test]
async fn langchain_adapter() {
    let rig = Rig::start().await;
    let drive = async |orders: &str| {
        run_python("python-mcp-langchain", &["adapter.py", orders])
            .await
            .json()
    };
    assert_drives(&rig, "langchain", drive, false).await;
}

#[test]
fn packages_are_locked() {
    let lock = std::fs::read_to_string(node_folder().join("package-lock.json")).expect("the lock file");
    let lock: Value = serde_json::from_str(&lock).expect("JSON");
    let packages = lock["packages"].as_object().expect("packages");
    let loose = packages
        .iter()
        .filter(|(name, package)| !name.is_empty() && package["integrity"].is_null());
    assert_eq!(loose.count(), 0, "every package has its digest");
}
