//! What happened: one record per execution and one per state change, as JSON lines in the data
//! folder. Executions are committed in groups within `journal.commit_ms`; a state change is on
//! the disk before it is acknowledged. No parameters, no bodies, no secrets, no plain identifiers.
//!
//! Called by `call` and by everything that changes state.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::config;
use crate::error::Fault;

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// An API client, by its id.
    Client(String),
    /// A person at a browser, by the auth request they hold.
    Browser(String),
    /// The operator at the command line or through the watched folder.
    Operator,
    /// The host by itself (refresh, expiry).
    Host,
}

/// One call of a tool, finished.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Execution {
    /// `exe_…`.
    pub execution_id: String,
    /// When it began, RFC 3339 with milliseconds.
    pub started_at: String,
    /// Environment.
    pub environment: String,
    /// API client.
    pub client: String,
    /// Tool as called.
    pub tool: String,
    /// `ok`, or the fault's kind.
    pub outcome: String,
    /// The fault's reason word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Connector id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector_version: Option<String>,
    /// Its digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector_digest: Option<String>,
    /// Connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Connected account id (an id of ours, not the identifier).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The agent's run, as the caller names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_run_id: Option<String>,
    /// Milliseconds in all.
    pub duration_ms: u64,
    /// Vendor pages walked.
    pub pages: u32,
    /// Requests on the wire.
    pub requests: u32,
    /// Refreshes that the call waited for or caused.
    pub renewals: u32,
    /// Waits for budgets or for the vendor.
    pub waits: u32,
    /// Milliseconds of those waits.
    pub waited_ms: u32,
    /// Attempts after the first.
    pub retries: u32,
    /// Last status of the vendor; 0 for none.
    pub vendor_status: u32,
    /// Bytes from the vendor.
    pub bytes_in: u32,
    /// Bytes to the vendor.
    pub bytes_out: u32,
    /// The guest's log lines, `level: text`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guest_log: Vec<String>,
    /// Guest log lines dropped.
    #[serde(default)]
    pub guest_log_dropped: u32,
}

/// One change of state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    /// Who.
    pub actor: Actor,
    /// In which environment; none for the host as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What, as `noun.verb` (`account.activate`, `connector.install`).
    pub action: &'static str,
    /// To what: an id or name of ours.
    pub object: String,
    /// `ok`, or why not (a code, never a vendor's text).
    pub outcome: String,
}

/// Writes and answers what happened.
pub struct Journal {}

impl Journal {
    /// Opens the journal in `dir` and starts its writer.
    ///
    /// # Errors
    /// The folder or a file cannot be opened.
    pub fn open(_dir: &Path, _settings: &config::Journal, _clock: Clock) -> anyhow::Result<Arc<Self>> {
        todo!()
    }

    /// Takes the record of a finished execution. Waits only when the writer is far behind.
    pub async fn record(&self, _execution: Execution) {
        todo!()
    }

    /// Writes a change of state; it is on the disk when this returns.
    ///
    /// # Errors
    /// `store_unavailable`: the change must not be acknowledged.
    pub async fn change(&self, _change: Change) -> Result<(), Fault> {
        todo!()
    }

    /// Recent executions of an environment, newest first.
    #[must_use]
    pub fn recent(&self, _environment: &str, _limit: usize) -> Vec<Arc<Execution>> {
        todo!()
    }

    /// One recent execution of an environment.
    #[must_use]
    pub fn find(&self, _environment: &str, _execution_id: &str) -> Option<Arc<Execution>> {
        todo!()
    }

    /// Writes what is buffered and stops the writer.
    pub async fn close(&self) {
        todo!()
    }
}
