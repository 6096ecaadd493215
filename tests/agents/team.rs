//! The team: its vendors, its five connections, and everybody's accounts on them.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};
use http::Method;
use serde_json::{Value, json};

use valetkey_manifest::{ConfigInput, Manifest};
use valetkey_tests::world::connection;
use valetkey_tests::{TestHost, artifacts};
use valetkey_vendors::{Options, Simulator};

use crate::stamp::{Stamp, identifier};

/// How many users there are.
pub const USERS: usize = 100;
/// A connection of everybody.
pub struct Connection {
    pub name: &'static str,
    pub connector: &'static str,
    /// The tools that the agent has of it, and calls once each.
    pub tools: [&'static str; 2],
    /// What the vendor is asked by that.
    pub requests: usize,
}

/// The connections: two of each bundled connector, and one whose vendor has many instances.
pub const CONNECTIONS: [Connection; 5] = [
    Connection {
        name: "sales",
        connector: "hubspot",
        tools: ["hubspot_whoami", "hubspot_contacts_search"],
        requests: 2,
    },
    Connection {
        name: "service",
        connector: "hubspot",
        tools: ["hubspot_whoami", "hubspot_contacts_search"],
        requests: 2,
    },
    Connection {
        name: "mail",
        connector: "gmail",
        tools: ["gmail_whoami", "gmail_fetch_mails"],
        // Mails are listed, and then read.
        requests: 3,
    },
    Connection {
        name: "office",
        connector: "gmail",
        tools: ["gmail_whoami", "gmail_fetch_mails"],
        requests: 3,
    },
    Connection {
        name: "field",
        connector: "field",
        tools: ["field_whoami", "field_contacts_search"],
        requests: 2,
    },
];
/// The one user whose `field` account is at an instance of the vendor of its own.
pub const ABROAD: &str = "rep-042";
/// Connecting or asking for sessions at once.
const AT_ONCE: usize = 32;

pub struct Team {
    pub host: TestHost,
    /// Everybody's vendors.
    pub home: Simulator,
    /// Another instance, with users, grants and tokens of its own.
    pub abroad: Simulator,
    /// Accounts by id.
    pub accounts: BTreeMap<String, Stamp>,
}

impl Team {
    /// Connects everybody on everything.
    pub async fn start() -> Self {
        let few = Options {
            contacts: 3,
            messages: 3,
            ..Options::default()
        };
        let home = Simulator::start(few.clone()).await.expect("a free port");
        let abroad = Simulator::start(few).await.expect("a free port");
        let host = TestHost::start().await;
        host.install_bundled("hubspot").await;
        host.install_bundled("gmail").await;
        host.install(artifacts::connector_with("hubspot", at_instances))
            .await
            .expect(200);
        for Connection { name, connector, .. } in CONNECTIONS {
            let body = if connector == "field" {
                let mut body = connection(name, "hubspot", "http://127.0.0.1:{config.site}");
                body["connector"] = json!("field");
                body
            } else {
                connection(name, connector, &home.base_url)
            };
            host.api(Method::POST, "/api/v1/connections", body)
                .await
                .expect(201);
        }
        let mut team = Self {
            host,
            home,
            abroad,
            accounts: BTreeMap::new(),
        };
        team.accounts = stream::iter(everybody())
            .map(|stamp| async { (team.connect(&stamp).await, stamp) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        assert_eq!(team.accounts.len(), USERS * CONNECTIONS.len());
        team
    }

    /// Whether an account is at the other instance.
    pub fn is_abroad(stamp: &Stamp) -> bool {
        stamp.connection == "field" && stamp.identifier == ABROAD
    }

    /// The vendor of an account.
    pub fn vendor_of(&self, stamp: &Stamp) -> &Simulator {
        if Self::is_abroad(stamp) {
            &self.abroad
        } else {
            &self.home
        }
    }

    /// Connects one account; answers its id.
    async fn connect(&self, stamp: &Stamp) -> String {
        let mut body = json!({"connection_name": stamp.connection, "identifier": stamp.identifier});
        if stamp.connection == "field" {
            let (_, port) = self.vendor_of(stamp).base_url.rsplit_once(':').expect("a port");
            body["account_config"] = json!({"site": port});
        }
        let (id, link) = self.host.link(body).await;
        self.authorize(&link, stamp).await;
        id
    }

    /// Opens a link as the account's owner, who is signed in at the vendor already.
    pub async fn authorize(&self, link: &str, owner: &Stamp) {
        let consent = self.host.authorize_as(link, &owner.to_string()).await;
        assert!(
            consent.starts_with(&self.vendor_of(owner).base_url),
            "{owner}: {consent}"
        );
    }

    /// An MCP session for each user on each connection: `{identifier: {connection: {url, token}}}`.
    pub async fn sessions(&self) -> Value {
        let minted: Vec<(Stamp, Value)> = stream::iter(everybody())
            .map(|stamp| async move {
                let body =
                    json!({"identifier": stamp.identifier, "tools": of(&stamp).tools, "ttl_seconds": 86_400});
                let path = format!("/api/v1/connections/{}/sessions", stamp.connection);
                let minted = self.host.api(Method::POST, &path, body).await.expect(201);
                let session = json!({"url": minted["session"]["url"], "token": minted["token"]});
                (stamp, session)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut sessions = json!({});
        for (stamp, session) in minted {
            sessions[&stamp.identifier][&stamp.connection] = session;
        }
        sessions
    }
}

/// Every account that there is.
pub fn everybody() -> impl Iterator<Item = Stamp> {
    (0..USERS).flat_map(|number| {
        let identifier = identifier(number);
        CONNECTIONS
            .iter()
            .map(move |connection| Stamp::new(&identifier, connection.name))
    })
}

/// The connection of an account.
pub fn of(stamp: &Stamp) -> &'static Connection {
    let mut all = CONNECTIONS.iter();
    all.find(|connection| connection.name == stamp.connection)
        .expect("one of them")
}

/// HubSpot as if each customer had an instance of their own: where requests go stands in the account.
fn at_instances(manifest: &mut Manifest) {
    manifest.connector.id = "field".to_owned();
    manifest.connector.title = "Field".to_owned();
    let site = ConfigInput {
        title: "Site".to_owned(),
        description: "The number of the instance.".to_owned(),
        pattern: Some("[0-9]{1,5}".to_owned()),
        example: None,
        required: true,
        from_token_response: None,
        take: None,
    };
    manifest.account_config.insert("site".to_owned(), site);
    if let Some(api) = manifest.endpoints.get_mut("api") {
        api.url = "https://{config.site}.field.example".to_owned();
    }
    manifest
        .tools
        .retain(|tool| ["hubspot_whoami", "hubspot_contacts_search"].contains(&tool.name.as_str()));
    for tool in &mut manifest.tools {
        tool.name = tool.name.replace("hubspot_", "field_");
    }
}
