//! A sales team with accounts at five vendors, and the example pipeline that runs for all of it.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};
use http::Method;
use serde_json::{Value, json};
use valetkey_vendors::Simulator;

use crate::TestHost;
use crate::agents::Program;
use crate::artifacts::repository;
use crate::world::connection;

/// The vendors, and the connections by the same names.
pub const CONNECTORS: [&str; 5] = ["salesforce", "gmail", "hubspot", "linear", "slack"];
/// The channel that gets the summaries.
pub const CHANNEL: &str = "general";
/// Connecting at once.
const AT_ONCE: usize = 32;

/// The team, connected.
pub struct SalesTeam {
    /// The host that all go through.
    pub host: TestHost,
    /// The five vendors.
    pub vendors: Simulator,
    /// Identifiers by account id.
    pub accounts: BTreeMap<String, String>,
    /// Identifiers of all.
    pub everybody: Vec<String>,
}

/// The identifier of a representative, or of any user of a test with many.
#[must_use]
pub fn identifier(number: usize) -> String {
    format!("rep-{number:03}")
}

impl SalesTeam {
    /// Connects so many representatives on everything: at each vendor as the user of their name.
    ///
    /// # Panics
    /// Something cannot be connected.
    pub async fn start(representatives: usize, vendors: Simulator) -> Self {
        let host = TestHost::start().await;
        for connector in CONNECTORS {
            host.install_bundled(connector).await;
            let body = connection(connector, connector, &vendors.base_url);
            host.api(Method::POST, "/api/v1/connections", body)
                .await
                .expect(201);
        }
        let mut team = Self {
            host,
            vendors,
            accounts: BTreeMap::new(),
            everybody: (0..representatives).map(identifier).collect(),
        };
        let all = team
            .everybody
            .iter()
            .flat_map(|who| CONNECTORS.map(|connector| (connector, who)));
        let accounts = stream::iter(all)
            .map(|(connector, who)| async { (team.connect(connector, who).await, who.clone()) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        team.accounts = accounts;
        assert_eq!(team.accounts.len(), representatives * CONNECTORS.len());
        team
    }

    async fn connect(&self, connector: &str, who: &str) -> String {
        let body = json!({"connection_name": connector, "identifier": who});
        let (id, link) = self.host.link(body).await;
        self.host.authorize_as(&link, who).await;
        id
    }

    /// Starts the pipeline of a day for everybody. The program is at `half` when all of `waiting` are
    /// in the middle, and waits there.
    pub async fn pipeline(&self, day: &str, waiting: &[&String]) -> Program {
        let orders: Value = json!({
            "base_url": self.host.base_url,
            "client_id": self.host.client_id,
            "client_secret": self.host.client_secret,
            "identifiers": self.everybody,
            "waiting": waiting,
            "team": "SUP",
            "channel": CHANNEL,
            "day": day,
        });
        let path =
            ["sdk/client-python/src", "examples/sales_pipeline"].map(|folder| repository().join(folder));
        Program::start("the pipeline", "python", "pipeline.py", &path, |_| {}, &orders).await
    }
}
