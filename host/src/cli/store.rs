//! `valetkey store`: back up and restore the store of a stopped host.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use super::output::Output;
use super::{Global, block_on};
use crate::clock::Clock;
use crate::offline;

/// What to do with the store.
#[derive(Debug, Subcommand)]
pub(super) enum Store {
    /// Write every record, still sealed, as JSON lines
    Export(Export),
    /// Read an export into a new data folder
    Import(Import),
}

/// Writes every record of a stopped host's store as JSON lines. Secrets stay sealed under the
/// root key, which is not part of it. Installed components are files: copy the folder
/// `components` of the data folder beside it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey store export backup.jsonl
  valetkey store export - | zstd > backup.jsonl.zst")]
pub(super) struct Export {
    /// A new file, or - for standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Reads an export into a data folder that has no store yet. The root key of the exported store
/// must be in its place before (DIR.key beside the data folder, mode 0600).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey store import backup.jsonl --data-dir /var/lib/valetkey
  zstd -d < backup.jsonl.zst | valetkey store import -

Copy the `components` folder too, or install the connectors again.")]
pub(super) struct Import {
    /// An export, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Store {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Export(command) => command.run(global, output),
            Self::Import(command) => command.run(global, output),
        }
    }
}

impl Export {
    fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let config = global.settings(&[])?.config;
        let to_stdout = self.file.as_os_str() == "-";
        let records = {
            let _shown = output.progress("exporting");
            if to_stdout {
                let mut out = BufWriter::new(io::stdout());
                block_on(offline::export(&config, &mut out))?
            } else {
                let unwritable = || format!("{} cannot be written", self.file.display());
                let file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&self.file);
                let mut out = BufWriter::new(file.with_context(unwritable)?);
                let records = block_on(offline::export(&config, &mut out));
                if records.is_err() {
                    let _ = std::fs::remove_file(&self.file);
                }
                let records = records?;
                out.get_ref().sync_all().with_context(unwritable)?;
                records
            }
        };
        if output.json && !to_stdout {
            output.data(&json!({"file": self.file, "records": records}));
        } else {
            output.say(&format!("exported {records} records"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Import {
    fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let config = global.settings(&[])?.config;
        let clock = Clock::system();
        let records = {
            let _shown = output.progress("importing");
            if self.file.as_os_str() == "-" {
                block_on(offline::import(&config, &mut BufReader::new(io::stdin()), clock))?
            } else {
                let file = File::open(&self.file);
                let file = file.with_context(|| format!("{} cannot be read", self.file.display()))?;
                block_on(offline::import(&config, &mut BufReader::new(file), clock))?
            }
        };
        if output.json {
            output.data(&json!({"data_dir": config.storage.data_dir, "records": records}));
        } else {
            output.say(&format!(
                "imported {records} records into {}",
                config.storage.data_dir.display()
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}
