//! The host's side of `runtime`: clock, randomness, log, and what a guest may know of its account.

use tokio::time::Instant;

use crate::random;

use super::bindings::valetkey::connector::runtime;
use super::log::{self, LogLine};
use super::session::Session;

/// Bytes that one call of `random` gives at most.
const RANDOM_BYTES: u32 = 1_024;

/// The level of a guest's word on how far it is.
const PROGRESS: &str = "progress";

impl runtime::Host for Session {
    fn now_ms(&mut self) -> wasmtime::Result<u64> {
        self.count_call()?;
        Ok(self.wall_clock_ms())
    }

    fn remaining_ms(&mut self) -> wasmtime::Result<u64> {
        self.count_call()?;
        let left = self
            .grant
            .reach
            .deadline
            .saturating_duration_since(Instant::now());
        Ok(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
    }

    fn random(&mut self, length: u32) -> wasmtime::Result<Vec<u8>> {
        self.count_call()?;
        if length > RANDOM_BYTES {
            return Err(wasmtime::Error::msg(format!(
                "`random` gives at most {RANDOM_BYTES} bytes a call"
            )));
        }
        let mut bytes = vec![0; length as usize];
        random::fill(&mut bytes);
        Ok(bytes)
    }

    fn log(&mut self, level: String, message: String) -> wasmtime::Result<()> {
        self.count_call()?;
        // Not a line of the record: a word to whoever waits, by a level that older hosts take as `info`.
        if level == PROGRESS {
            if let Some(progress) = &self.grant.progress {
                progress.tell_guests(&message);
            }
            return Ok(());
        }
        let limits = &self.grant.limits;
        let line = LogLine {
            level: log::level(&level),
            message: log::sanitise(&message, limits.log_line_bytes),
        };
        self.grant.log.push(line, limits.log_lines);
        Ok(())
    }

    fn credential_kind(&mut self) -> wasmtime::Result<String> {
        self.count_call()?;
        Ok(self.grant.credential_kind.as_str().to_owned())
    }

    fn granted_scopes(&mut self) -> wasmtime::Result<Vec<String>> {
        self.count_call()?;
        Ok(self.grant.scopes.to_vec())
    }

    fn account_config(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.count_call()?;
        Ok(self.grant.account_config.get(&name).cloned())
    }
}
