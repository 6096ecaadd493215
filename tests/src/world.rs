//! A host, the simulated vendors, and connections between them: where most tests of a call begin.

use http::Method;
use serde_json::{Value, json};

use valetkey::config::Config;
use valetkey_vendors::{Options, Simulator};

use crate::TestHost;

/// A host with the bundled connectors installed and connected to simulated vendors.
pub struct World {
    /// The host.
    pub host: TestHost,
    /// The vendors.
    pub vendors: Simulator,
}

impl World {
    /// With the default settings of both.
    pub async fn start() -> Self {
        Self::start_with(|_| {}, Options::default()).await
    }

    /// With other settings. The connections are named `hubspot` and `gmail`.
    ///
    /// # Panics
    /// Any part does not start.
    pub async fn start_with(change: impl FnOnce(&mut Config), options: Options) -> Self {
        let vendors = Simulator::start(options).await.expect("a free port");
        let host = TestHost::start_with(change).await;
        for connector in ["hubspot", "gmail"] {
            host.install_bundled(connector).await;
            let body = connection(connector, connector, &vendors.base_url);
            host.api(Method::POST, "/api/v1/connections", body)
                .await
                .expect(201);
        }
        Self { host, vendors }
    }

    /// Connects `identifier` as the vendor's user of the same name; answers the account's id.
    pub async fn connect(&self, connection_name: &str, identifier: &str) -> String {
        self.vendors.set_user(identifier);
        self.host.connect(connection_name, identifier).await
    }
}

/// The body that configures a connection of a bundled connector to a simulator.
#[must_use]
pub fn connection(name: &str, connector: &str, simulator_url: &str) -> Value {
    let (api, authorize, token, revoke) = match connector {
        "hubspot" => (
            "/hubspot",
            "/hubspot/oauth/authorize",
            "/hubspot/oauth/v3/token",
            "/hubspot/oauth/revoke",
        ),
        "gmail" => ("", "/google/o/oauth2/v2/auth", "/google/token", "/google/revoke"),
        "slack" => (
            "/slack/api",
            "/slack/oauth/v2/authorize",
            "/slack/api/oauth.v2.access",
            "",
        ),
        "linear" => (
            "/linear",
            "/linear/oauth/authorize",
            "/linear/oauth/token",
            "/linear/oauth/revoke",
        ),
        other => panic!("there is no simulated {other}"),
    };
    let options = Options::default();
    let mut connection = json!({
        "connection_name": name,
        "connector": connector,
        "development": true,
        "endpoints": {"api": format!("{simulator_url}{api}")},
        "oauth": {
            "client_id": options.client_id,
            "client_secret": options.client_secret,
            "authorize_url": format!("{simulator_url}{authorize}"),
            "token_url": format!("{simulator_url}{token}"),
        },
    });
    if !revoke.is_empty() {
        connection["oauth"]["revoke_url"] = json!(format!("{simulator_url}{revoke}"));
    }
    if connector == "slack" {
        connection["endpoints"]["files"] = json!(format!("{simulator_url}/slack/files"));
    }
    connection
}
