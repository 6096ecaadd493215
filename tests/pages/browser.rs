//! A real Chromium, driven by the scenarios beside this file.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use valetkey_tests::TestHost;
use valetkey_tests::artifacts::{repository, target_dir};
use valetkey_tests::snapshot::assert_checked_in;

/// Where systems keep it, the likeliest first.
const PLACES: &[&str] = &[
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/opt/google/chrome/chrome",
];

/// The browser.
pub struct Browser {
    executable: PathBuf,
}

impl Browser {
    /// The installed browser, or none, said loudly.
    pub fn find() -> Option<Self> {
        let found = PLACES
            .iter()
            .map(PathBuf::from)
            .find(|executable| executable.is_file());
        if found.is_none() {
            eprintln!("!! NOT CHECKED in a browser: Chromium is not installed (apt-get install chromium)");
        }
        found.map(|executable| Self { executable })
    }

    /// Runs a scenario against a host and compares what the pages say with what is checked in.
    ///
    /// # Panics
    /// An expectation of the scenario fails.
    pub async fn run(&self, scenario: &str, host: &TestHost, mut input: Value) {
        let folder = repository().join("tests/pages");
        assert!(
            folder.join("node_modules").exists(),
            "the browser's driver is missing; get it with: npm ci --prefix tests/pages"
        );
        let shots = target_dir().join("pages");
        std::fs::create_dir_all(&shots).expect("a folder for pictures");
        input["base"] = json!(host.base_url);
        input["executable"] = json!(self.executable);
        input["shots"] = json!(shots);
        let answer = drive(&folder, scenario, &input).await;
        for (name, text) in answer["snapshots"].as_object().expect("snapshots") {
            let text = text.as_str().expect("a text");
            assert_checked_in(&format!("tests/pages/expected/{name}.txt"), &format!("{text}\n"));
        }
    }
}

async fn drive(folder: &Path, scenario: &str, input: &Value) -> Value {
    let mut driver = Command::new("node")
        .arg(folder.join("driver.mjs"))
        .arg(scenario)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node runs");
    let mut stdin = driver.stdin.take().expect("its input");
    stdin
        .write_all(input.to_string().as_bytes())
        .await
        .expect("it reads");
    drop(stdin);
    let output = driver.wait_with_output().await.expect("it ends");
    assert!(
        output.status.success(),
        "{scenario}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("an answer")
}
