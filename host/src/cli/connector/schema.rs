//! `valetkey connector schema`: what a connector.toml may hold, for an editor's completion.

use std::process::ExitCode;

use clap::Args;

use super::Output;
use crate::manifest;

/// Prints the JSON Schema (2020-12) of connector.toml. Editors complete and check by it: a first line
/// `#:schema connector.schema.json` names the file to those that know Taplo's directive.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connector schema > connector.schema.json")]
pub(in crate::cli) struct Schema {}

impl Schema {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        output.data(&manifest::json_schema());
        Ok(ExitCode::SUCCESS)
    }
}
