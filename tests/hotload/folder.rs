//! The watched folder.

use std::fs;

use valetkey_tests::TestHost;

use crate::stage::{component, journal_has, until};

async fn active(host: &TestHost) -> Option<String> {
    host.runtime
        .registry
        .list()
        .first()
        .map(|installed| installed.active_version.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_folder_installs_whole_files_and_refuses_half_written_ones() {
    let watched = tempfile::tempdir().expect("a folder");
    let file = watched.path().join("stamp.wasm");
    fs::write(&file, component("1.0.0")).expect("a file");
    let dir = watched.path().to_owned();
    let host = TestHost::start_with(move |config| config.connectors.watch_dir = Some(dir)).await;
    until("the file present at the start is installed", async || {
        active(&host).await.as_deref() == Some("1.0.0")
    })
    .await;

    let next = component("1.1.0");
    let half = &next[..next.len() / 2];
    fs::write(&file, half).expect("a half-written file");
    let data_dir = host.runtime.config.storage.data_dir.clone();
    let refused = ["connector.install", "invalid_input"];
    until("the half-written file is refused", async || {
        journal_has(&data_dir, &refused)
    })
    .await;
    assert_eq!(active(&host).await.as_deref(), Some("1.0.0"));

    fs::write(&file, &next).expect("the whole file");
    until("the whole file is installed", async || {
        active(&host).await.as_deref() == Some("1.1.0")
    })
    .await;

    // Deleting a file removes nothing: a later change is dealt with, and the connector is there.
    fs::remove_file(&file).expect("the file goes");
    let other = watched.path().join("other.wasm");
    fs::write(&other, component("1.2.0")).expect("another file");
    until("another file is installed", async || {
        active(&host).await.as_deref() == Some("1.2.0")
    })
    .await;
    let versions: Vec<String> = host.runtime.registry.list()[0]
        .versions
        .iter()
        .map(|version| version.version.clone())
        .collect();
    assert_eq!(versions, ["1.0.0", "1.1.0", "1.2.0"]);
}
