//! `valetkey serve`: settings, parts, listener, until a signal.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Global;
use super::operator::Operator;
use super::output::Output;
use crate::clock::Clock;
use crate::config::Config;
use crate::runtime::Runtime;
use crate::{serve, telemetry};

/// Runs the host until SIGTERM or Ctrl-C. Running calls may then finish within `server.drain_ms`;
/// a second signal ends it at once, and nothing that was acknowledged is lost.
///
/// When it is ready it prints one line with its URL to standard output; log lines go to standard
/// error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey serve
  valetkey serve --listen 127.0.0.1:0 --json
  valetkey serve --listen 0.0.0.0:8470 --public-url https://keys.example.com --insecure-behind-proxy")]
pub(super) struct Serve {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The origin under which browsers reach this host, https://host[:port]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Listen on an address that others reach, because a proxy in front terminates TLS
    #[arg(long)]
    insecure_behind_proxy: bool,
    /// Install the `.wasm` files of this folder as they appear or change
    #[arg(long, value_name = "DIR")]
    watch_dir: Option<String>,
}

impl Serve {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let overrides = [
            ("server.listen", self.listen.map(|listen| listen.to_string())),
            ("server.public_url", self.public_url.clone()),
            (
                "server.insecure_behind_proxy",
                self.insecure_behind_proxy.then(|| "true".to_owned()),
            ),
            ("connectors.watch_dir", self.watch_dir.clone()),
        ];
        let config = global.settings(&overrides)?.config;
        let clock = Clock::system();
        let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let telemetry = {
            let _inside = tokio.enter();
            telemetry::start(&config, &clock)?
        };
        forbid_core_dumps();
        let served = tokio.block_on(serve_until_signal(config, clock, output));
        tokio.block_on(telemetry.close());
        served?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn serve_until_signal(config: Config, clock: Clock, output: &Output) -> anyhow::Result<()> {
    let asked = config.server.listen;
    let listener = TcpListener::bind(asked).await.with_context(|| {
        format!("{asked} cannot be listened on; choose another address with --listen or `server.listen`")
    })?;
    let base_url = reachable(listener.local_addr()?);
    let public_url = config
        .server
        .public_url
        .clone()
        .unwrap_or_else(|| base_url.clone());
    let data_dir = config.storage.data_dir.clone();

    let runtime = Runtime::open(config, clock, public_url.clone()).await?;
    forbid_attaching();
    if let Some(operator) = Operator::read(&data_dir)?
        && operator.base_url != base_url
    {
        let base_url = base_url.clone();
        Operator { base_url, ..operator }.write(&data_dir)?;
    }

    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    if output.json {
        output.data(&json!({"base_url": base_url, "public_url": public_url}));
    } else {
        output.line(&format!("Valetkey is ready at {public_url}"));
    }
    serve::serve(listener, Arc::clone(&runtime), stop).await;
    runtime.close().await;
    Ok(())
}

/// The first signal stops gently, the second at once.
pub(super) fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        next().await;
        tracing::info!("stopping; running calls may finish, a second signal ends them");
        stop.cancel();
        next().await;
        std::process::exit(130);
    });
    Ok(())
}

/// The URL of a listening address from this machine.
pub(super) fn reachable(listen: SocketAddr) -> String {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    format!("http://{}", SocketAddr::new(ip, listen.port()))
}

/// A crash must not leave credentials in a file.
fn forbid_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!("core dumps cannot be switched off: {error}");
    }
}

/// Other processes of this user may not attach and read the memory. Only after the engines are
/// built: they open `/proc/self/pagemap`, which is not ours any more afterwards.
fn forbid_attaching() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!("attaching to this process cannot be switched off: {error}");
    }
}
