//! The simulator and a host, and what an operator and a user do before the first call.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use valetkey_vendors::{Budget, Options, Simulator};

use super::api::Api;
use super::connectors::Component;
use super::folder::{Folder, Note};
use super::screen::Screen;
use super::{DemoOptions, IDENTIFIER};
use crate::certificate::Files;
use crate::cli::operator::Operator;
use crate::clock::Clock;
use crate::config::Config;
use crate::runtime::{self, Runtime};
use crate::serve::serve;

/// Where the host listens unless told otherwise.
const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8470);
/// Short, so that tokens expire while somebody looks.
const ACCESS_TOKEN_SECONDS: u64 = 120;

/// Everything that runs.
pub(super) struct Stage {
    pub(super) simulator: Simulator,
    pub(super) base_url: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) data_dir: PathBuf,
    runtime: Arc<Runtime>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Stage {
    /// Starts the simulator, then the host.
    pub(super) async fn start(
        options: &DemoOptions,
        folder: &mut Folder,
        screen: &Screen,
    ) -> anyhow::Result<Self> {
        let simulator = simulator(folder).await?;
        screen.done(&format!("simulated vendors at {}", simulator.base_url));

        let mut config = Config::default();
        config.storage.data_dir.clone_from(&folder.data_dir);
        let listener = listener(options.listen).await?;
        config.server.listen = listener.local_addr()?;
        let base_url = format!("http://{}", config.server.listen);

        let operator = match Operator::read(&folder.data_dir)? {
            Some(operator) => Operator {
                base_url: base_url.clone(),
                ..operator
            },
            None => {
                let client = runtime::init(&config, Clock::system()).await?;
                Operator {
                    base_url: base_url.clone(),
                    client_id: client.client_id.to_string(),
                    // Printed for the person who runs the demo, to call the host with.
                    client_secret: client.secret.expose().to_owned(),
                }
            }
        };
        operator.write(&folder.data_dir)?;
        if folder.note.is_none() {
            let port = simulator
                .base_url
                .rsplit(':')
                .next()
                .and_then(|port| port.parse().ok());
            let simulator_port = port.context("the simulator has a port")?;
            folder.write(Note { simulator_port })?;
        }

        let runtime = Runtime::open(config, Clock::system(), base_url.clone()).await?;
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, Arc::clone(&runtime), stop.clone()));
        screen.done(&format!(
            "a host at {base_url}, its data in {}",
            folder.data_dir.display()
        ));
        Ok(Self {
            simulator,
            base_url,
            client_id: operator.client_id,
            client_secret: operator.client_secret,
            data_dir: folder.data_dir.clone(),
            runtime,
            stop,
            serving,
        })
    }

    /// Installs connectors, makes connections, connects the user's accounts: all over REST.
    pub(super) async fn prepare(&self, screen: &Screen, components: Vec<Component>) -> anyhow::Result<Api> {
        let api = Api::connect(&self.base_url, &self.client_id, &self.client_secret).await?;
        for component in components {
            let bar = screen.progress(&format!("installing {}", component.id));
            let installed = api.install(component.bytes).await;
            bar.finish_and_clear();
            installed.with_context(|| format!("the connector {} cannot be installed", component.id))?;
        }
        let existing = api.get("/api/v1/connections").await?;
        for (name, connection) in [("hubspot", self.hubspot()), ("gmail", self.gmail())] {
            let known = existing["items"]
                .as_array()
                .is_some_and(|items| items.iter().any(|item| item["connection_name"] == name));
            if !known {
                let made = api.post("/api/v1/connections", &connection).await;
                made.with_context(|| format!("the connection {name} cannot be made"))?;
            }
            let way = connect(&api, name).await;
            let way = way.with_context(|| format!("the {name} account cannot be connected"))?;
            screen.done(&format!("connected {IDENTIFIER} on {name}"));
            screen.aside(&way.join(" → "));
        }
        Ok(api)
    }

    /// Where the certificate lies under which the host speaks TLS.
    pub(super) fn certificate(&self) -> &Files {
        self.runtime.certificate.files()
    }

    /// Prints how to go on by hand.
    pub(super) fn say_how_to_call(&self, screen: &Screen) {
        let Self {
            base_url,
            client_id,
            client_secret,
            ..
        } = self;
        screen.title("Call it yourself");
        screen.result(&format!(
            "TOKEN=$(curl -s {base_url}/oauth/token -d grant_type=client_credentials \\\n    \
             -d client_id={client_id} -d client_secret={client_secret} \\\n    \
             | sed 's/.*\"access_token\" *: *\"\\([^\"]*\\)\".*/\\1/')\n\
             curl -s {base_url}/api/v1/execute_tool -H \"Authorization: Bearer $TOKEN\" \\\n    \
             -H 'Content-Type: application/json' \\\n    \
             -d '{{\"tool_name\":\"hubspot_contacts_search\",\"identifier\":\"{IDENTIFIER}\",\"params\":{{\"query\":\"ada\",\"limit\":3}}}}'\n\
             curl -s \"{base_url}/api/v1/tools?limit=100\" -H \"Authorization: Bearer $TOKEN\""
        ));
        screen.title("Or run a program that was written for the Scalekit SDKs");
        screen.result(&format!(
            "export SCALEKIT_ENVIRONMENT_URL={base_url}\n\
             export SCALEKIT_CLIENT_ID={client_id} SCALEKIT_CLIENT_SECRET={client_secret}\n{}",
            self.certificate().trust_command()
        ));
        screen.say("\nRunning; Ctrl-C ends it.");
    }

    /// Ends the host gently, then the simulator.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the host did not end well");
        }
        self.runtime.close().await;
        self.simulator.stop().await;
    }

    fn hubspot(&self) -> Value {
        let base = format!("{}/hubspot", self.simulator.base_url);
        json!({
            "connection_name": "hubspot",
            "connector": "hubspot",
            "development": true,
            "application_name": "Valetkey demo",
            "endpoints": { "api": base },
            "oauth": {
                "client_id": Options::default().client_id,
                "client_secret": Options::default().client_secret,
                "authorize_url": format!("{base}/oauth/authorize"),
                "token_url": format!("{base}/oauth/v3/token"),
                "revoke_url": format!("{base}/oauth/revoke"),
            },
        })
    }

    fn gmail(&self) -> Value {
        let base = &self.simulator.base_url;
        json!({
            "connection_name": "gmail",
            "connector": "gmail",
            "development": true,
            "application_name": "Valetkey demo",
            "endpoints": { "api": base },
            "oauth": {
                "client_id": Options::default().client_id,
                "client_secret": Options::default().client_secret,
                "authorize_url": format!("{base}/google/o/oauth2/v2/auth"),
                "token_url": format!("{base}/google/token"),
                "revoke_url": format!("{base}/google/revoke"),
            },
        })
    }
}

/// Follows an authorization link with a plain client; answers the stations of the way.
async fn connect(api: &Api, connection_name: &str) -> anyhow::Result<Vec<String>> {
    let body = json!({ "connection_name": connection_name, "identifier": IDENTIFIER });
    let link = api.post("/api/v1/connected_accounts/magic_link", &body).await?;
    let url = link["authorization_link"]
        .as_str()
        .context("the host gave no link")?;
    let way = api.http.follow(url).await?;
    let id = link["connected_account_id"]
        .as_str()
        .context("the host named no account")?;
    let account = api.get(&format!("/api/v1/connected_accounts/{id}")).await?;
    ensure!(
        account["state"] == "ACTIVE",
        "the account is {} after the connect flow",
        account["state"]
    );
    Ok(way)
}

async fn simulator(folder: &Folder) -> anyhow::Result<Simulator> {
    let port = folder.note.as_ref().map_or(0, |note| note.simulator_port);
    let options = Options {
        port,
        access_token_seconds: ACCESS_TOKEN_SECONDS,
        // What the vendor grants an application per account.
        hubspot_budget: Some(Budget {
            requests: 110,
            window_ms: 10_000,
        }),
        hubspot_search_budget: Some(Budget {
            requests: 5,
            window_ms: 1_000,
        }),
        ..Options::default()
    };
    Simulator::start(options).await.with_context(|| {
        format!(
            "the simulated vendors need port {port}, which the connections in {} name; end what uses it, or give another --data-dir",
            folder.data_dir.display()
        )
    })
}

async fn listener(asked: Option<SocketAddr>) -> anyhow::Result<TcpListener> {
    if let Some(asked) = asked {
        if !asked.ip().is_loopback() {
            bail!("the demo listens on this machine alone: {asked} is not a loopback address");
        }
        return TcpListener::bind(asked)
            .await
            .with_context(|| format!("{asked} cannot be listened on; give another --listen"));
    }
    match TcpListener::bind(USUAL).await {
        Ok(listener) => Ok(listener),
        Err(_) => Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?),
    }
}
