//! `valetkey demo`: the main job in one command.

use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::process::Command;
use valetkey_tests::artifacts::binary;

async fn demo(arguments: &[&str]) -> Output {
    Command::new(binary())
        .arg("demo")
        .args(arguments)
        .args(["--listen", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("the binary starts")
}

#[tokio::test]
async fn the_demo_connects_calls_refreshes_waits_and_says_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let data_dir = dir.path().join("data");
    let output = demo(&[
        "--once",
        "--json",
        "--data-dir",
        data_dir.to_str().expect("a path"),
    ])
    .await;
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{talk}");

    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1, "standard output is the one line: {text}");
    let line: Value = serde_json::from_str(lines[0]).expect("JSON");
    for member in [
        "base_url",
        "client_id",
        "client_secret",
        "identifier",
        "simulator_url",
        "data_dir",
    ] {
        assert!(line[member].is_string(), "{member} in {line}");
    }
    for said in ["connected demo-user on hubspot", "connected demo-user on gmail"] {
        assert!(talk.contains(said), "{said} in {talk}");
    }
    for (what, said) in [
        ("three vendor pages", "3 pages"),
        ("the refresh", "1 refresh"),
        ("the wait", "✓ the host waits as told"),
    ] {
        assert!(talk.contains(said), "{what} in {talk}");
    }
    assert!(!talk.contains('\u{1b}'), "no colours where nobody looks");
    assert!(data_dir.join("demo.json").exists());

    // The same folder serves again, the accounts in it are connected anew.
    let output = demo(&["--once", "--data-dir", data_dir.to_str().expect("a path")]).await;
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{talk}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("grace.hopper@navy.example"));
}

#[tokio::test]
async fn the_demo_refuses_the_folder_of_another_host() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(dir.path().join("store")).expect("a store");
    let output = demo(&["--once", "--data-dir", dir.path().to_str().expect("a path")]).await;
    assert_eq!(output.status.code(), Some(1));
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(talk.contains("folder of another host"), "{talk}");
    assert!(!dir.path().join("operator.json").exists(), "it is left alone");
}
