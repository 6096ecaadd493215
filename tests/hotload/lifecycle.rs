//! Install, upgrade, roll back, pin, remove, restart; and what is refused.

use http::Method;
use serde_json::{Value, json};
use valetkey_tests::TestHost;

use crate::stage::{activate, component, component_of, connect, install, manifest, stage, stamp};

pub async fn pin(host: &TestHost, connection: &str, version: Option<&str>) {
    let path = format!("/api/v1/connections/{connection}");
    let body = json!({"pinned_version": version});
    let answer = host.api(Method::PATCH, &path, body).await;
    assert!(answer.status.is_success(), "{}", answer.text());
}

async fn remove(host: &TestHost, path: &str) -> u16 {
    let path = format!("/api/v1/connectors/{path}");
    host.api(Method::DELETE, &path, Value::Null).await.status.as_u16()
}

async fn list(host: &TestHost) -> Value {
    host.api(Method::GET, "/api/v1/connectors", Value::Null)
        .await
        .expect(200)["items"]
        .clone()
}

#[tokio::test]
async fn an_upgrade_can_be_rolled_back_and_a_version_removed() {
    let (host, _vendor) = stage().await;
    assert_eq!(stamp(&host, "stamp").await, "1.0.0");
    let installed = install(&host, "1.1.0").await;
    assert_eq!(installed["active_version"], "1.1.0");
    assert_eq!(installed["versions"].as_array().map(Vec::len), Some(2));
    assert_eq!(stamp(&host, "stamp").await, "1.1.0");

    assert_eq!(activate(&host, None).await.expect(200)["active_version"], "1.0.0");
    assert_eq!(stamp(&host, "stamp").await, "1.0.0");
    assert_eq!(
        remove(&host, "stamp/versions/1.0.0").await,
        409,
        "the active version stays"
    );
    assert_eq!(remove(&host, "stamp/versions/1.1.0").await, 204);
    assert_eq!(remove(&host, "stamp/versions/1.1.0").await, 404);
    assert_eq!(
        activate(&host, None).await.status,
        404,
        "nothing is left to roll back to"
    );

    let files = || {
        let dir = host.runtime.config.storage.data_dir.join("components");
        std::fs::read_dir(dir).expect("a folder").count()
    };
    assert_eq!(files(), 1);
    assert_eq!(remove(&host, "stamp").await, 204);
    assert_eq!(files(), 0);
    let answer = host.call("stamp_run", "user_1", json!({})).await;
    assert_eq!(answer.json()["error"]["kind"], "unknown_tool");
    assert_eq!(list(&host).await, json!([]));
}

#[tokio::test]
async fn a_version_that_a_connection_pins_is_not_removed_and_the_connection_is_named() {
    let (host, vendor) = stage().await;
    crate::stage::connect(&host, "pinned", &vendor.url).await;
    install(&host, "1.1.0").await;
    pin(&host, "pinned", Some("1.0.0")).await;
    for path in ["stamp/versions/1.0.0", "stamp"] {
        let path = format!("/api/v1/connectors/{path}");
        let error = host.api(Method::DELETE, &path, Value::Null).await.expect(409)["error"].clone();
        assert_eq!(
            (&error["kind"], &error["reason"]),
            (&json!("conflict"), &json!("version_pinned"))
        );
        let message = error["message"].as_str().expect("a message");
        assert!(
            message.contains("`pinned`") && !message.contains("`stamp`,"),
            "{message}"
        );
    }
    assert_eq!(stamp(&host, "pinned").await, "1.0.0");
    pin(&host, "pinned", None).await;
    assert_eq!(remove(&host, "stamp/versions/1.0.0").await, 204);
    assert_eq!(stamp(&host, "pinned").await, "1.1.0");
}

#[tokio::test]
async fn the_same_bytes_change_nothing_and_other_bytes_need_another_version() {
    let (host, _vendor) = stage().await;
    install(&host, "1.1.0").await;
    let again = install(&host, "1.0.0").await;
    assert_eq!(
        again["active_version"], "1.1.0",
        "installing what is installed activates nothing"
    );

    let mut other = manifest("1.1.0");
    other.tools[0].description = "The same version of this tool, declared with another text.".to_owned();
    let answer = host.install(component_of(&other)).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert_eq!(answer.json()["error"]["reason"], "version_taken");
    assert_eq!(stamp(&host, "stamp").await, "1.1.0");
}

#[tokio::test]
async fn a_broken_component_is_refused_with_the_reason_and_the_last_good_one_serves() {
    let (host, _vendor) = stage().await;
    let whole = component("1.1.0");
    let mut unacceptable = manifest("1.1.0");
    unacceptable.tools[0].name = "not a name".to_owned();
    for broken in [
        whole[..whole.len() / 2].to_vec(),
        b"\0asm\x01\0\0\0".to_vec(),
        component_of(&unacceptable),
    ] {
        let answer = host.install(broken).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        let error = &answer.json()["error"];
        assert_eq!(error["kind"], "invalid_input");
        assert!(
            !error["fields"][0]["problem"]
                .as_str()
                .unwrap_or_default()
                .is_empty(),
            "{error}"
        );
        assert_eq!(stamp(&host, "stamp").await, "1.0.0");
    }
    assert_eq!(list(&host).await[0]["versions"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_tool_name_of_another_connector_is_refused() {
    let (host, _vendor) = stage().await;
    let mut other = manifest("1.0.0");
    other.connector.id = "stamp_other".to_owned();
    other.tools[0].name = "stamp_other_run".to_owned();
    other.tools[0].aliases = vec!["stamp_run".to_owned()];
    let answer = host.install(component_of(&other)).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    let error = &answer.json()["error"];
    assert_eq!(error["reason"], "tool_name_taken");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("`stamp_run`") && message.contains("`stamp`"),
        "{message}"
    );
    assert_eq!(list(&host).await.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_pinned_connection_keeps_its_version_beside_the_others() {
    let (host, vendor) = stage().await;
    connect(&host, "pinned", &vendor.url).await;
    pin(&host, "pinned", Some("1.0.0")).await;
    install(&host, "1.1.0").await;
    assert_eq!(stamp(&host, "pinned").await, "1.0.0");
    assert_eq!(stamp(&host, "stamp").await, "1.1.0");
    pin(&host, "pinned", None).await;
    assert_eq!(stamp(&host, "pinned").await, "1.1.0");
}

#[tokio::test]
async fn a_restart_brings_back_what_was_active_and_what_is_pinned() {
    let (host, vendor) = stage().await;
    connect(&host, "pinned", &vendor.url).await;
    for version in ["1.1.0", "1.2.0"] {
        install(&host, version).await;
    }
    pin(&host, "pinned", Some("1.1.0")).await;
    assert_eq!(activate(&host, Some("1.0.0")).await.status, 200);
    let before = list(&host).await;

    let host = host.stop().await.start().await;
    assert_eq!(list(&host).await, before);
    assert_eq!(stamp(&host, "stamp").await, "1.0.0");
    assert_eq!(stamp(&host, "pinned").await, "1.1.0");
    assert_eq!(activate(&host, None).await.expect(200)["active_version"], "1.2.0");
}

#[tokio::test]
async fn a_damaged_component_is_left_out_at_the_start_and_mended_by_installing_it_again() {
    let (host, _vendor) = stage().await;
    let installed = install(&host, "1.1.0").await;
    let digest = installed["versions"][1]["digest"]
        .as_str()
        .expect("a digest")
        .to_owned();
    let stopped = host.stop().await;
    let file = stopped
        .data_dir()
        .join("components")
        .join(format!("{digest}.wasm"));
    std::fs::write(&file, component("1.3.0")).expect("the file is changed");

    let host = stopped.start().await;
    let shown = list(&host).await;
    let problem = shown[0]["versions"][1]["problem"].as_str().expect("a reason");
    assert!(problem.contains("altered"), "{problem}");
    let answer = host.call("stamp_run", "user_1", json!({})).await;
    assert_eq!(
        answer.json()["error"]["kind"],
        "unknown_tool",
        "an older version never serves in its place"
    );

    install(&host, "1.1.0").await;
    assert_eq!(stamp(&host, "stamp").await, "1.1.0");
    assert_eq!(list(&host).await[0]["versions"][1].get("problem"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn installations_at_once_are_all_kept() {
    let (host, _vendor) = stage().await;
    let versions = ["1.1.0", "1.2.0", "1.3.0", "1.4.0"];
    let answers = versions.map(|version| host.install(component(version)));
    for answer in futures_util::future::join_all(answers).await {
        assert!(answer.status.is_success(), "{}", answer.text());
    }
    let before = list(&host).await;
    assert_eq!(before[0]["versions"].as_array().map(Vec::len), Some(5));
    let host = host.stop().await.start().await;
    assert_eq!(list(&host).await, before);
}
