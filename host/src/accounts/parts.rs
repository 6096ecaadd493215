//! The parts below that everything in this module works with, and the two things that every
//! change of state does: a record in the journal, and a note of who may end the work.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config;
use crate::egress::Egress;
use crate::error::Fault;
use crate::id::EnvironmentId;
use crate::journal::{Actor, Change, Journal};
use crate::registry::Registry;
use crate::store::Store;
use crate::vault::Vault;

/// What `accounts` stands on. Entries and background work share it; it knows no account.
pub(super) struct Parts {
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    pub egress: Arc<Egress>,
    pub registry: Arc<Registry>,
    pub journal: Arc<Journal>,
    pub settings: config::OAuth,
    pub clock: Clock,
    pub public_url: String,
    /// Cancelled when the host stops: background work ends at its next wait.
    pub stop: CancellationToken,
}

impl Parts {
    /// Now, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Puts a change of state into the journal; the change must not be acknowledged when this
    /// fails.
    pub async fn note(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        action: &'static str,
        object: &str,
        outcome: &str,
    ) -> Result<(), Fault> {
        self.journal
            .change(Change {
                actor: actor.clone(),
                environment: Some(environment.as_str().to_owned()),
                action,
                object: object.to_owned(),
                outcome: outcome.to_owned(),
            })
            .await
    }

    /// How long one exchange with a token endpoint may take.
    pub fn token_timeout(&self) -> Duration {
        Duration::from_millis(self.settings.token_request_ms)
    }
}

/// The wait after the `failures`-th failure in a row: doubling from one second, at most `longest`.
pub(super) fn backoff(failures: u32, longest: Duration) -> Duration {
    Duration::from_secs(1_u64 << failures.saturating_sub(1).min(20)).min(longest)
}

/// Milliseconds of a duration as the signed number that time stamps are.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
