//! A host for another language's tests, and the running of those tests.

use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;
use valetkey_tests::World;

/// Whom the shared cases call by; connected on both vendors.
const IDENTIFIER: &str = "demo-user";

/// A host with simulated vendors and one connected user.
pub struct Stage {
    world: World,
}

impl Stage {
    /// Starts it.
    pub async fn start() -> Self {
        let world = World::start().await;
        for connection_name in ["hubspot", "gmail"] {
            world.connect(connection_name, IDENTIFIER).await;
        }
        Self { world }
    }

    /// What `VALETKEY_TEST_HOST` is for the packages' tests: the first line of `valetkey demo --json`.
    pub fn line(&self) -> String {
        let host = &self.world.host;
        json!({
            "base_url": host.base_url,
            "client_id": host.client_id,
            "client_secret": host.client_secret,
            "identifier": IDENTIFIER,
            "simulator_url": self.world.vendors.base_url,
        })
        .to_string()
    }
}

/// Runs a package's own check and answers what it said.
///
/// # Panics
/// It fails, or cannot be run; with everything that it said.
pub async fn run(mut command: Command) -> String {
    let shown = format!("{:?}", command.as_std());
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap_or_else(|error| panic!("{shown}: {error}"));
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{shown}: {}\n{said}", output.status);
    said
}
