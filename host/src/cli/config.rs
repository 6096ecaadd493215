//! `valetkey config`: the settings in force.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Global;
use super::output::Output;
use crate::config::env::SETTINGS;

/// What to do with the settings.
#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Check the settings and print what is in force and where it came from
    Check(Check),
}

/// Reads the settings as `serve` would (file, then environment, then options), refuses what is
/// not acceptable with everything that is wrong, and prints what is in force as TOML.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey config check
  valetkey config check --config /etc/valetkey.toml
  VALETKEY_SERVER_LISTEN=127.0.0.1:9000 valetkey config check --json")]
pub(super) struct Check {}

impl Config {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let Self::Check(_) = self;
        let loaded = global.settings(&[])?;
        if output.json {
            let settings: Vec<_> = SETTINGS
                .iter()
                .map(|setting| {
                    json!({
                        "name": setting.name(),
                        "value": loaded.config.value(setting),
                        "source": loaded.sources[&setting.name()].to_string(),
                    })
                })
                .collect();
            output.data(&json!({"file": loaded.file, "settings": settings}));
            return Ok(ExitCode::SUCCESS);
        }
        match &loaded.file {
            Some(file) => output.say(&format!("settings file: {}", file.display())),
            None => output.say("settings file: none"),
        }
        let mut section = "";
        for setting in SETTINGS {
            if setting.section != section {
                if !section.is_empty() {
                    output.line("");
                }
                section = setting.section;
                output.line(&format!("[{section}]"));
            }
            let source = &loaded.sources[&setting.name()];
            match loaded.config.value(setting) {
                serde_json::Value::Null => output.line(&format!("# {} is not set", setting.key)),
                value => output.line(&format!("{} = {value}  # {source}", setting.key)),
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
