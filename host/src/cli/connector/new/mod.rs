//! `valetkey connector new`: a folder that builds, tests and installs as it stands.

mod folder;
mod sources;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::Output;
use crate::id::ConnectorId;

pub(super) use folder::IGNORED;

/// Makes a folder for a connector with a tool that is data, one that pages, one that is code (with a
/// language), and a test for each. It builds, tests and installs as it stands; the vendor's names and
/// addresses in it are for you to replace.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connector new acme                       No code, no toolchain
  valetkey connector new acme --lang rust --auth api_key
  cd acme && valetkey connector test")]
pub(in crate::cli) struct New {
    /// The connector's id: a lower-case letter, then up to 31 of a-z, 0-9, `_`
    #[arg(value_name = "NAME")]
    id: ConnectorId,
    /// What tools beyond the declared ones are written in
    #[arg(long, value_name = "LANGUAGE", default_value = "none")]
    lang: Language,
    /// How accounts are connected
    #[arg(long, value_name = "KIND", default_value = "oauth2")]
    auth: Auth,
    /// The folder to make [default: ./NAME]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What a connector's code is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// All tools are data
    None,
    /// Rust
    Rust,
    /// JavaScript or TypeScript, with Node.js 20 or newer
    #[value(name = "js", alias = "javascript", alias = "typescript")]
    Javascript,
    /// Python 3.11 or newer
    Python,
}

/// How accounts are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Auth {
    /// The vendor's consent page
    #[value(name = "oauth2")]
    Oauth2,
    /// One key, typed into a form
    #[value(name = "api_key")]
    ApiKey,
    /// Name and password, typed into a form
    Basic,
}

impl New {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let dir = self
            .dir
            .clone()
            .unwrap_or_else(|| PathBuf::from(self.id.as_str()));
        let files = folder::files(&self.id, self.lang, self.auth)?;
        folder::write(&dir, &files)?;
        if output.json {
            let names: Vec<_> = files.keys().collect();
            output.data(&json!({"connector": self.id.as_str(), "dir": dir, "files": names}));
        } else {
            output.line(&dir.display().to_string());
            output.hint(&format!(
                "`cd {} && valetkey connector test` runs its tests; README.md there says what is what",
                dir.display()
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}
