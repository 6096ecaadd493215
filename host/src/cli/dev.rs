//! `valetkey dev`: rebuild and reload a connector as it is written, and show its calls.

mod calls;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use http::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Global;
use super::client::{Client, Refused, Remote, encoded};
use super::operator::Operator;
use super::output::Output;
use super::serve::{reachable, stop_on_signal};
use crate::author::workshop::{Made, Workshop};
use crate::clock::Clock;
use crate::config::Config;
use crate::manifest::build::Step;
use crate::runtime::{self, Runtime};
use crate::{serve, telemetry};

use calls::Calls;

/// The folder is looked through this often besides, for file systems that report no changes.
const LOOK: Duration = Duration::from_secs(2);
/// Nothing is built before this long after the last change: an editor writes in several steps.
const QUIET: Duration = Duration::from_millis(50);
/// What compiling a component may take at least, in seconds.
const COMPILE_SECONDS: u64 = 300;

/// Watches a connector's folder. A change of connector.toml or its schemas is loaded at once, a
/// change of code when it is compiled; what does not build is said as the compiler says it, and the
/// version before goes on serving. Every call is shown with the connector's log and its exchanges
/// with the vendor, without the credential.
///
/// It runs a host of its own on your data folder, and makes one where there is none; with --server
/// it loads into a host that runs already, whose calls it shows without their exchanges.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey dev plugins/hubspot
  valetkey dev . --listen 127.0.0.1:0 --json
  valetkey dev . --server http://127.0.0.1:8470")]
pub(super) struct Dev {
    /// Folder with the connector.toml
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Address and port of the host; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Folder for the component
    #[arg(long, value_name = "DIR", default_value = super::connector::OUT)]
    out: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

impl Dev {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let mut config = global.settings(&[])?.config;
        "warn".clone_into(&mut config.log.filter);
        // As for the cases of `connector test`: the author's machine may be busy with the build.
        config.sandbox.compile_seconds = config.sandbox.compile_seconds.max(COMPILE_SECONDS);
        if let Some(listen) = self.listen {
            config.server.listen = listen;
        }
        let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let telemetry = {
            let _inside = tokio.enter();
            telemetry::start(&config, &Clock::system())?
        };
        let outcome = tokio.block_on(self.work(global, config, output));
        tokio.block_on(telemetry.close());
        outcome.map(|()| ExitCode::SUCCESS)
    }

    async fn work(&self, global: &Global, config: Config, output: &Output) -> anyhow::Result<()> {
        let stop = CancellationToken::new();
        stop_on_signal(stop.clone())?;
        let (host, mut calls) = if self.remote.is_elsewhere() {
            (None, Calls::default())
        } else {
            let (witness, told) = mpsc::unbounded_channel();
            let host = Host::start(config).await?;
            host.runtime.calls.watch(witness);
            (Some(host), Calls::told_by(told))
        };
        let outcome = async {
            let client = Client::connect(global, &self.remote).await?;
            calls.skip_earlier(&client).await;
            say_ready(&client, host.is_some(), output);
            let mut bench = Bench {
                workshop: Workshop::new(&self.dir, &self.out),
                client: &client,
                output,
                loaded: Vec::new(),
            };
            tokio::select! {
                () = bench.keep_loaded() => {}
                () = calls.show(&client, output) => {}
                () = stop.cancelled() => {}
            }
            Ok(())
        };
        let outcome = outcome.await;
        if let Some(host) = host {
            host.stop().await;
        }
        outcome
    }
}

fn say_ready(client: &Client, is_own: bool, output: &Output) {
    let base_url = client.base_url();
    if output.json {
        output.data(&json!({"event": "ready", "base_url": base_url}));
        return;
    }
    output.line(&format!("ready   {base_url}"));
    if is_own {
        output.hint("make a connection and an account there once, then call: `valetkey connection create --help`, `valetkey call --help`");
    }
}

/// The host of this session.
struct Host {
    runtime: Arc<Runtime>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Host {
    async fn start(config: Config) -> anyhow::Result<Self> {
        let data_dir = config.storage.data_dir.clone();
        let listener = listener(config.server.listen).await?;
        let base_url = reachable(listener.local_addr()?);
        let operator = if data_dir.join("store").exists() {
            Operator::read(&data_dir)?
        } else {
            let client = runtime::init(&config, Clock::system()).await?;
            let operator = Operator {
                base_url: String::new(),
                client_id: client.client_id.to_string(),
                // Kept in a file of its owner alone, for the other commands.
                client_secret: client.secret.expose().to_owned(),
            };
            operator.write(&data_dir)?;
            Some(operator)
        };
        let opened = Runtime::open(config, Clock::system(), base_url.clone()).await;
        let runtime = opened.map_err(|error| beside(&error, operator.as_ref()).unwrap_or(error))?;
        // Not before the folder is ours: another host's address stands there otherwise.
        if let Some(operator) = operator {
            Operator { base_url, ..operator }.write(&data_dir)?;
        }
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve::serve(listener, Arc::clone(&runtime), stop.clone()));
        Ok(Self {
            runtime,
            stop,
            serving,
        })
    }

    async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the host did not end well");
        }
        self.runtime.close().await;
    }
}

/// What to do where a host runs on the folder already: none where that is not what went wrong.
fn beside(error: &anyhow::Error, operator: Option<&Operator>) -> Option<anyhow::Error> {
    let folder = runtime::folder_in_use(error)?;
    let running = operator.filter(|operator| !operator.base_url.is_empty())?;
    Some(anyhow::anyhow!(
        "another host is using {}; load into it with `valetkey dev --server {}`, stop it, or give this one a folder of its own with --data-dir",
        folder.display(),
        running.base_url
    ))
}

async fn listener(asked: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(asked).await {
        Ok(listener) => Ok(listener),
        // Another host is there: this one need not be where one usually is.
        Err(_) if asked == Config::default().server.listen => {
            Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
        }
        Err(error) => {
            Err(error).with_context(|| format!("{asked} cannot be listened on; give another --listen"))
        }
    }
}

/// The folder, and the host that it is loaded into.
struct Bench<'a> {
    workshop: Workshop,
    client: &'a Client,
    output: &'a Output,
    /// Versions of this session, the active one last.
    loaded: Vec<String>,
}

impl Bench<'_> {
    /// Loads the folder, and again after every change.
    async fn keep_loaded(&mut self) {
        let (poke, mut poked) = mpsc::channel(1);
        let _watcher = self.workshop.watch(poke);
        loop {
            if self.workshop.has_changed() {
                let began = Instant::now();
                match self.load().await {
                    Ok(made) => self.say_loaded(&made, began.elapsed()),
                    Err(error) => self.say_failed(&error),
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                Some(()) = poked.recv() => {
                    while let Ok(Some(())) = tokio::time::timeout(QUIET, poked.recv()).await {}
                }
            }
        }
    }

    async fn load(&mut self) -> anyhow::Result<Made> {
        let made = {
            let shown = self.output.progress("building");
            // The time marks a version as newer than those of sessions before.
            let mark = Clock::system().now().as_millisecond().to_string();
            let workshop = &mut self.workshop;
            tokio::task::block_in_place(|| {
                workshop.make(&mark, &mut |step| {
                    if let Step::Compiling(line) = step {
                        shown.say(line);
                    }
                })
            })?
        };
        self.client
            .upload("/api/v1/connectors", made.component.clone())
            .await?;
        let identity = &made.manifest.connector;
        self.loaded.push(identity.version.clone());
        // One version before the active one is enough to go back to.
        while self.loaded.len() > 2 {
            let old = self.loaded.remove(0);
            let path = format!(
                "/api/v1/connectors/{}/versions/{}",
                encoded(&identity.id),
                encoded(&old)
            );
            if let Err(error) = self.client.json(Method::DELETE, &path, &Value::Null).await {
                tracing::warn!("version {old} stays installed: {error:#}");
            }
        }
        Ok(made)
    }

    fn say_loaded(&self, made: &Made, took: Duration) {
        let identity = &made.manifest.connector;
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let how = if made.repacked { "repacked" } else { "built" };
        if self.output.json {
            self.output.data(&json!({
                "event": "loaded",
                "connector": identity.id,
                "version": identity.version,
                "tools": made.manifest.tools.len(),
                "how": how,
                "took_ms": took_ms,
            }));
        } else {
            self.output.line(&format!(
                "loaded  {} {}, {} tools, {how} in {took_ms} ms",
                identity.id,
                identity.version,
                made.manifest.tools.len()
            ));
        }
    }

    fn say_failed(&self, error: &anyhow::Error) {
        let mut problem = format!("{error:#}");
        if let Some(refused) = error.downcast_ref::<Refused>() {
            for field in refused.body["error"]["fields"].as_array().into_iter().flatten() {
                let text = |name: &str| field[name].as_str().unwrap_or_default().to_owned();
                problem.push_str(&format!("\n  {}: {}", text("path"), text("problem")));
            }
        }
        if self.output.json {
            self.output.data(&json!({"event": "failed", "problem": problem}));
        } else {
            self.output.line(&format!("failed  {problem}"));
            if !self.loaded.is_empty() {
                self.output.hint("the version before goes on serving");
            }
        }
    }
}
