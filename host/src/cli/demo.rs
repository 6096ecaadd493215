//! `valetkey demo`: the whole way of a tool call on this machine alone, with simulated vendors.
//!
//! Builds the bundled connectors, starts the simulator and a host on a data folder of its own,
//! and then is an ordinary user of the REST edge: installs connectors, makes connections, follows
//! authorization links, calls tools. It never talks to a real vendor and never touches a data
//! folder that it did not make.

mod api;
mod connectors;
mod folder;
mod http;
mod screen;
mod stage;
mod tour;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Global;
use crate::clock::Clock;
use crate::config::Config;
use crate::telemetry;

use folder::Folder;
use screen::Screen;
use stage::Stage;

/// The demo's user, as an application would name them.
const IDENTIFIER: &str = "demo-user";

/// Builds the bundled connectors, starts a host and simulated vendors on this machine, connects a
/// user's accounts through the whole OAuth flow, calls tools and shows what happened underneath.
/// Then it prints how to call it by curl and stays up until Ctrl-C.
///
/// It needs Rust's stable toolchain and a checkout of Valetkey; the first build takes minutes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey demo
  valetkey demo --once                           End after the calls; 0 if all went well
  valetkey demo --json --listen 127.0.0.1:0      For scripts: first one line of JSON")]
pub struct Demo {
    /// End after the calls
    #[arg(long)]
    once: bool,
    /// Address and port to listen on [default: 127.0.0.1:8470, or a free port when it is taken]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// How the demo runs.
#[derive(Debug, Clone, Default)]
pub struct DemoOptions {
    /// Ends after the calls instead of staying up.
    pub once: bool,
    /// Prints first one line of JSON for programs to standard output, and nothing else there.
    pub json: bool,
    /// Where the host listens; the usual port, or a free one when that is taken.
    pub listen: Option<SocketAddr>,
    /// A new data folder, or one of an earlier demo; a temporary one when none is given.
    pub data_dir: Option<PathBuf>,
}

impl Demo {
    pub(super) fn run(&self, global: &Global) -> anyhow::Result<ExitCode> {
        let mut config = Config::default();
        "warn".clone_into(&mut config.log.filter);
        let _telemetry = telemetry::start(&config, &Clock::system())?;
        let options = DemoOptions {
            once: self.once,
            json: global.json,
            listen: self.listen,
            data_dir: global.data_dir.clone(),
        };
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(run(options))
    }
}

/// Runs the demo. With `once` the exit code says whether every call did what it should; a demo
/// that was stopped by a signal has done its part.
///
/// # Errors
/// What kept it from coming to the calls.
pub async fn run(options: DemoOptions) -> anyhow::Result<ExitCode> {
    let screen = Screen::new(options.json);
    let components = connectors::build(&screen).await?;
    let mut folder = Folder::open(options.data_dir.clone())?;
    let mut stop = Stop::listen()?;

    let stage = tokio::select! {
        stage = Stage::start(&options, &mut folder, &screen) => stage?,
        () = stop.asked() => return Ok(ExitCode::FAILURE),
    };
    let shown = async {
        let code = show(&options, &screen, &stage, components).await?;
        if !options.once {
            std::future::pending::<()>().await;
        }
        Ok(code)
    };
    let outcome = tokio::select! {
        outcome = shown => outcome,
        () = stop.asked() => Ok(ExitCode::SUCCESS),
    };
    stage.stop().await;
    outcome
}

/// The signals that end the demo.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn show(
    options: &DemoOptions,
    screen: &Screen,
    stage: &Stage,
    components: Vec<connectors::Component>,
) -> anyhow::Result<ExitCode> {
    let api = stage.prepare(screen, components).await?;
    if options.json {
        screen.data(
            &json!({
                "base_url": stage.base_url,
                "client_id": stage.client_id,
                "client_secret": stage.client_secret,
                "identifier": IDENTIFIER,
                "simulator_url": stage.simulator.base_url,
                "data_dir": stage.data_dir,
            })
            .to_string(),
        );
    }
    let failures = tour::call_tools(&api, &stage.simulator, screen).await;
    if failures > 0 {
        screen.bad(&format!("{failures} of the demo's expectations did not hold"));
    }
    if !options.once {
        stage.say_how_to_call(screen);
    }
    Ok(if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
