//! `valetkey init`.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::operator::Operator;
use super::output::Output;
use super::serve::reachable;
use super::{Global, block_on};
use crate::certificate::Files;
use crate::clock::Clock;
use crate::runtime;

/// Makes the data folder (0700), the root key beside it (0600), the store, the environment `dev`,
/// a certificate for TLS, and a client with every scope for you. The client's secret is shown once; it is kept in
/// `operator.json` in the data folder, where the other commands find it.
///
/// Nothing that exists is ever overwritten.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey init
  valetkey init --data-dir /var/lib/valetkey

Keep a copy of the key file in another place than the backups of the data folder: without it
no credential can be read again.")]
pub(super) struct Init {}

impl Init {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let config = global.settings(&[])?.config;
        let client = block_on(runtime::init(&config, Clock::system()))?;
        let operator = Operator {
            base_url: reachable(config.server.listen),
            client_id: client.client_id.to_string(),
            // To the operator, who asked for it: shown once and kept in a file of theirs alone.
            client_secret: client.secret.expose().to_owned(),
        };
        let data_dir = &config.storage.data_dir;
        operator.write(data_dir)?;

        let certificate = Files::of(&config);
        let (folder, key) = (data_dir.display(), config.storage.key_file());
        if output.json {
            output.data(&json!({
                "data_dir": data_dir,
                "key_file": key,
                "certificate_file": certificate.certificate_path(),
                "environment": runtime::FIRST_ENVIRONMENT,
                "client_id": operator.client_id,
                "client_secret": operator.client_secret,
            }));
        } else {
            output.line(&format!("data folder    {folder}"));
            output.line(&format!("root key       {}", key.display()));
            output.line(&format!(
                "certificate    {}",
                certificate.certificate_path().display()
            ));
            output.line(&format!("environment    {}", runtime::FIRST_ENVIRONMENT));
            output.line(&format!("client id      {}", operator.client_id));
            output.line(&format!("client secret  {}", operator.client_secret));
            output.say("");
            output.say(&format!(
                "The secret is not shown again; {} keeps it for this command line.",
                Operator::path(data_dir).display()
            ));
            if certificate.own {
                output.say("gRPC programs in Python trust the certificate after:");
                output.say(&format!("  {}", certificate.trust_command()));
            }
            output.hint("copy the root key to a safe place, then run `valetkey serve`");
        }
        Ok(ExitCode::SUCCESS)
    }
}
