//! `valetkey connector pack`: a folder without code to a component, without a compiler.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Output, built};
use crate::manifest::build;

/// Checks the manifest, puts it into the generic engine that this binary carries, and writes
/// `OUT/ID.wasm`. Needs no compiler. Every tool has to be declared (`[tools.request]`); a connector
/// with tools that are code is made by `connector build`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connector pack acme
  valetkey connector pack . --out dist && valetkey connector install dist/acme.wasm")]
pub(in crate::cli) struct Pack {
    /// Folder with the connector.toml
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Folder for the component
    #[arg(long, value_name = "DIR", default_value = "target/connectors")]
    out: PathBuf,
}

impl Pack {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        built(output, &build::pack(&self.dir, &self.out, &mut |_| ())?)
    }
}
