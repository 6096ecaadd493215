//! `valetkey demo`: the main job in one command.

use std::path::Path;
use std::process::{Output, Stdio};

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use valetkey_tests::artifacts::binary;
use valetkey_tests::http::Client;

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
        "grpc_url",
        "certificate_file",
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

/// Starts the demo and waits for its line of JSON; the accounts are connected then.
async fn started(arguments: &[&str]) -> (Child, Value) {
    let mut child = Command::new(binary())
        .args(["demo", "--json", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("its output"));
    let mut line = String::new();
    stdout.read_line(&mut line).await.expect("a line");
    let line = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
    (child, line)
}

#[tokio::test]
async fn a_call_that_fails_makes_the_demo_fail() {
    let (child, line) = started(&["--once"]).await;
    let fault = json!({
        "on": { "side": "api", "path_prefix": "/hubspot" },
        "effect": { "kind": "status", "status": 404 },
    });
    let url = format!(
        "{}/_control/faults",
        line["simulator_url"].as_str().expect("a URL")
    );
    let headers = [("content-type", "application/json")];
    let answer = Client::default()
        .send(Method::POST, &url, &headers, fault.to_string())
        .await;
    assert_eq!(answer.status, 204);

    let output = child.wait_with_output().await.expect("it ends");
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{talk}");
    assert!(talk.contains("did not hold"), "{talk}");
}

#[tokio::test]
async fn the_demo_stays_up_until_it_is_interrupted_and_leaves_nothing_behind() {
    let (child, line) = started(&[]).await;
    let data_dir = Path::new(line["data_dir"].as_str().expect("a path")).to_owned();
    assert!(data_dir.exists());
    let base_url = line["base_url"].as_str().expect("a URL");
    let health = Client::default().get(&format!("{base_url}/healthz")).await;
    assert_eq!(health.status, 200);

    let id = child.id().expect("it runs").to_string();
    let told = Command::new("kill").args(["-INT", &id]).status().await;
    assert!(told.expect("kill").success());
    let output = child.wait_with_output().await.expect("it ends");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!data_dir.exists(), "a temporary folder goes with the demo");
}
