//! A host, the simulated vendors, and connections between them: where most tests of a call begin.

use http::Method;
use serde_json::{Map, Value, json};

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

/// Where a vendor is at a simulator: endpoints by name, and the paths of OAuth.
struct Simulated {
    endpoints: &'static [(&'static str, &'static str)],
    authorize: &'static str,
    token: &'static str,
    revoke: Option<&'static str>,
}

fn simulated(connector: &str) -> Simulated {
    match connector {
        "hubspot" => Simulated {
            endpoints: &[("api", "/hubspot")],
            authorize: "/hubspot/oauth/authorize",
            token: "/hubspot/oauth/v3/token",
            revoke: Some("/hubspot/oauth/revoke"),
        },
        "gmail" => Simulated {
            endpoints: &[("api", "")],
            authorize: "/google/o/oauth2/v2/auth",
            token: "/google/token",
            revoke: Some("/google/revoke"),
        },
        "googlecalendar" => Simulated {
            endpoints: &[("api", "/calendar/v3")],
            authorize: "/google/o/oauth2/v2/auth",
            token: "/google/token",
            revoke: Some("/google/revoke"),
        },
        "github" => Simulated {
            endpoints: &[("api", "/github/api")],
            authorize: "/github/login/oauth/authorize",
            token: "/github/login/oauth/access_token",
            revoke: None,
        },
        "salesforce" => Simulated {
            endpoints: &[
                ("api", "/salesforce/{config.instance_host}/services/data/v66.0"),
                ("identity", "/salesforce/{config.instance_host}/services/oauth2"),
            ],
            authorize: "/salesforce/services/oauth2/authorize",
            token: "/salesforce/services/oauth2/token",
            revoke: Some("/salesforce/services/oauth2/revoke"),
        },
        "linear" => Simulated {
            endpoints: &[("api", "/linear")],
            authorize: "/linear/oauth/authorize",
            token: "/linear/oauth/token",
            revoke: Some("/linear/oauth/revoke"),
        },
        "slack" => Simulated {
            endpoints: &[
                ("api", "/slack/api"),
                ("files", "/slack/files"),
                ("upload", "/slack/files/upload"),
            ],
            authorize: "/slack/oauth/v2/authorize",
            token: "/slack/api/oauth.v2.access",
            revoke: None,
        },
        other => panic!("there is no simulated {other}"),
    }
}

/// The body that configures a connection of a bundled connector to a simulator.
///
/// # Panics
/// There is no simulator of the connector's vendor.
#[must_use]
pub fn connection(name: &str, connector: &str, simulator_url: &str) -> Value {
    let vendor = simulated(connector);
    let at = |path: &str| format!("{simulator_url}{path}");
    let endpoints: Map<String, Value> = vendor
        .endpoints
        .iter()
        .map(|(name, path)| ((*name).to_owned(), json!(at(path))))
        .collect();
    let options = Options::default();
    json!({
        "connection_name": name,
        "connector": connector,
        "development": true,
        "endpoints": endpoints,
        "oauth": {
            "client_id": options.client_id,
            "client_secret": options.client_secret,
            "authorize_url": at(vendor.authorize),
            "token_url": at(vendor.token),
            "revoke_url": vendor.revoke.map(at),
        },
    })
}
