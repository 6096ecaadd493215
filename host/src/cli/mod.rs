//! The `valetkey` command line: parse, do one thing, print. Standard output is data, standard
//! error is talk; `--json` makes the data one JSON value for programs.
//!
//! Called by `main`. Commands about a running host go through its REST edge ([`client`]) like any
//! other program; only `init`, `serve`, `demo`, `doctor` and `store` touch a data folder.

mod account;
mod call;
mod client;
mod config;
mod connection;
mod connector;
pub mod demo;
mod dev;
mod dial;
mod doctor;
mod eval;
mod init;
mod mcp;
mod operator;
mod output;
mod serve;
mod store;
mod tool;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError, Loaded};

use client::Refused;
use output::Output;

/// A call failed, a check found something, a file could not be read.
const FAILED: u8 = 1;
/// The arguments or the settings are not acceptable.
const USAGE: u8 = 2;

/// A self-hosted host of sandboxed connectors: AI agents use your users' SaaS accounts, and never
/// see a credential.
#[derive(Debug, Parser)]
#[command(
    name = "valetkey",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "\
Examples:
  valetkey demo                                  See it work, with simulated vendors
  valetkey init                                  Make a data folder
  valetkey serve                                 Run the host
  valetkey connector install target/connectors/hubspot.wasm
  valetkey call hubspot_contacts_search --identifier user_1 --params '{\"query\": \"ada\"}'

Exit status: 0 done; 1 it failed; 2 the arguments or settings are not acceptable.
Results go to standard output, everything else to standard error."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
struct Global {
    /// Settings file [default: valetkey.toml in the working folder, if there is one]
    #[arg(long, value_name = "FILE", env = "VALETKEY_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// Data folder, over `storage.data_dir` of the settings
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
    /// Print JSON for programs
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// See it work on this machine alone: bundled connectors, simulated vendors, real calls
    Demo(demo::Demo),
    /// Make a data folder: root key, store, environment `dev`, an operator's client
    Init(init::Init),
    /// Run the host
    Serve(serve::Serve),
    /// Build, check, install and manage connectors
    #[command(subcommand)]
    Connector(connector::Connector),
    /// Rebuild and reload a connector as you write it, and watch its calls
    Dev(dev::Dev),
    /// Configure connectors for an environment
    #[command(subcommand)]
    Connection(connection::Connection),
    /// Users' accounts: link, list, disconnect, remove
    #[command(subcommand)]
    Account(account::Account),
    /// Measure how well tools are chosen by their words: by the host's search, or by a model
    Eval(eval::Eval),
    /// Call a tool on a user's behalf
    Call(call::Call),
    /// What tools there are
    #[command(subcommand)]
    Tool(tool::Tool),
    /// Virtual MCP servers, and sessions of users on them
    #[command(subcommand)]
    Mcp(mcp::Mcp),
    /// The settings in force
    #[command(subcommand)]
    Config(config::Config),
    /// Look for what is wrong on this machine, and say how to mend it
    Doctor(doctor::Doctor),
    /// Back up and restore the store of a stopped host
    #[command(subcommand)]
    Store(store::Store),
}

/// Runs the command line; answers the exit code. Nothing is left to report.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers and go to standard output; the rest is talk.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
                _ => ExitCode::from(USAGE),
            };
        }
    };
    let output = Output::new(cli.global.json);
    match dispatch(&cli, &output) {
        Ok(code) => code,
        Err(error) => report(&output, &error),
    }
}

fn dispatch(cli: &Cli, output: &Output) -> anyhow::Result<ExitCode> {
    let global = &cli.global;
    match &cli.command {
        Command::Demo(command) => command.run(global),
        Command::Init(command) => command.run(global, output),
        Command::Serve(command) => command.run(global, output),
        Command::Connector(command) => command.run(global, output),
        Command::Dev(command) => command.run(global, output),
        Command::Connection(command) => command.run(global, output),
        Command::Account(command) => command.run(global, output),
        Command::Eval(command) => command.run(global, output),
        Command::Call(command) => command.run(global, output),
        Command::Tool(command) => command.run(global, output),
        Command::Mcp(command) => command.run(global, output),
        Command::Config(command) => command.run(global, output),
        Command::Doctor(command) => command.run(global, output),
        Command::Store(command) => command.run(global, output),
    }
}

/// Says what went wrong: for programs as the error's JSON, for people in words.
fn report(output: &Output, error: &anyhow::Error) -> ExitCode {
    let code = if error.is::<ConfigError>() { USAGE } else { FAILED };
    match error.downcast_ref::<Refused>() {
        Some(refused) if output.json => output.data(&refused.body),
        Some(refused) => refused.tell(output),
        None if output.json => {
            let error = serde_json::json!({"message": format!("{error:#}")});
            output.data(&serde_json::json!({ "error": error }));
        }
        None => output.error(&format!("{error:#}")),
    }
    ExitCode::from(code)
}

impl Global {
    /// The settings in force.
    fn settings(&self, overrides: &[(&str, Option<String>)]) -> Result<Loaded, ConfigError> {
        let data_dir = self.data_dir.as_ref().map(|dir| dir.display().to_string());
        let overrides: Vec<(&str, String)> = [("storage.data_dir", data_dir)]
            .iter()
            .chain(overrides)
            .filter_map(|(name, value)| Some((*name, value.clone()?)))
            .collect();
        Config::load(self.config.as_deref(), &overrides)
    }
}

/// A runtime for commands that ask one thing and end.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
