//! What happened: one record per execution and one per state change, as JSON lines in the data
//! folder. Executions are committed in groups within `journal.commit_ms`; a state change is on
//! the disk before it is acknowledged. No parameters, no bodies, no secrets, no plain identifiers.
//!
//! Called by `call` and by everything that changes state. It never decides anything.

mod file;
mod writer;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::config;
use crate::error::{Fault, Kind};
use serde::{Deserialize, Serialize};

use writer::Inbox;

/// Executions kept in memory for `recent` and `find`; older ones are in the files.
const RECENT: usize = 4_096;

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
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
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
    /// `ok`, or the fault's kind; `cancelled` when the caller went away.
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
    /// The session that the call was made in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Whether an earlier outcome was answered under its idempotency key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
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
    #[serde(default, skip_serializing_if = "is_zero")]
    pub guest_log_dropped: u32,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if passes a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// One change of state.
#[derive(Debug, Clone, Serialize)]
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

/// A line of the journal.
#[derive(Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Line<'a> {
    Execution(&'a Execution),
    Change {
        at: String,
        #[serde(flatten)]
        change: &'a Change,
    },
}

/// Writes and answers what happened.
pub struct Journal {
    inbox: Arc<Inbox>,
    recent: Mutex<VecDeque<Arc<Execution>>>,
    clock: Clock,
}

impl Journal {
    /// Opens the journal in `dir` and starts its writer; needs a running tokio runtime.
    ///
    /// # Errors
    /// The folder or a file cannot be opened.
    pub fn open(dir: &Path, settings: &config::Journal, clock: Clock) -> anyhow::Result<Arc<Self>> {
        let file = file::JournalFile::open(dir, settings, clock.clone())?;
        let inbox = Arc::new(Inbox::default());
        let commit = Duration::from_millis(settings.commit_ms);
        tokio::spawn(writer::run(Arc::clone(&inbox), file, commit));
        Ok(Arc::new(Self {
            inbox,
            recent: Mutex::new(VecDeque::with_capacity(RECENT)),
            clock,
        }))
    }

    /// Takes the record of a finished execution. Waits only when the writer is far behind.
    pub async fn record(&self, execution: Execution) {
        self.inbox.room().await;
        self.record_abandoned(execution);
    }

    /// Takes the record of an execution from a place that cannot wait.
    pub fn record_abandoned(&self, execution: Execution) {
        if let Some(line) = encode(&Line::Execution(&execution))
            && self.inbox.add(&line).is_err()
        {
            tracing::error!("the journal is closed; an execution was not recorded");
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back(Arc::new(execution));
    }

    /// Writes a change of state; it is on the disk when this returns.
    ///
    /// # Errors
    /// `store_unavailable`: the change must not be acknowledged.
    pub async fn change(&self, change: Change) -> Result<(), Fault> {
        let line = encode(&Line::Change {
            at: self.clock.now().to_string(),
            change: &change,
        });
        let written = match line {
            Some(line) => self.inbox.add_and_wait(&line).await,
            None => false,
        };
        if written {
            return Ok(());
        }
        Err(Fault::new(
            Kind::StoreUnavailable,
            "The host cannot write its journal, so it makes no changes now. The operator finds the cause in the log.",
        ))
    }

    /// Recent executions of an environment, newest first.
    #[must_use]
    pub fn recent(&self, environment: &str, limit: usize) -> Vec<Arc<Execution>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent
            .iter()
            .rev()
            .filter(|execution| execution.environment == environment)
            .take(limit)
            .cloned()
            .collect()
    }

    /// One recent execution of an environment.
    #[must_use]
    pub fn find(&self, environment: &str, execution_id: &str) -> Option<Arc<Execution>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent
            .iter()
            .rev()
            .find(|execution| execution.environment == environment && execution.execution_id == execution_id)
            .cloned()
    }

    /// Writes what is buffered to the disk.
    pub async fn close(&self) {
        // A disk that fails was said in the log.
        let _ = self.inbox.add_and_wait(&[]).await;
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

fn encode(line: &Line<'_>) -> Option<Vec<u8>> {
    match serde_json::to_vec(line) {
        Ok(mut bytes) => {
            bytes.push(b'\n');
            Some(bytes)
        }
        Err(error) => {
            tracing::error!(%error, "a journal line could not be encoded");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn execution(id: &str) -> Execution {
        Execution {
            execution_id: id.to_owned(),
            environment: "dev".to_owned(),
            outcome: "ok".to_owned(),
            ..Execution::default()
        }
    }

    fn lines(dir: &Path) -> Vec<serde_json::Value> {
        let mut files: Vec<_> = std::fs::read_dir(dir)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        files
            .iter()
            .flat_map(|file| {
                let text = std::fs::read_to_string(file).expect("a journal file");
                text.lines()
                    .map(|line| serde_json::from_str(line).expect("a JSON line"))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    #[tokio::test]
    async fn acknowledged_change_is_in_the_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let journal = Journal::open(dir.path(), &config::Journal::default(), Clock::system()).expect("opens");
        let change = Change {
            actor: Actor::Operator,
            environment: Some("dev".to_owned()),
            action: "account.activate",
            object: "ca_1".to_owned(),
            outcome: "ok".to_owned(),
        };
        journal.change(change).await.expect("written");
        let lines = lines(dir.path());
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["action"], "account.activate");
        assert_eq!(lines[0]["record"], "change");
    }

    #[tokio::test]
    async fn every_execution_is_in_the_files_across_rotation() {
        let dir = tempfile::tempdir().expect("a folder");
        let settings = config::Journal {
            file_bytes: 2_000,
            ..config::Journal::default()
        };
        let journal = Journal::open(dir.path(), &settings, Clock::system()).expect("opens");
        for number in 0..50 {
            journal.record(execution(&format!("exe_{number}"))).await;
            if number % 10 == 0 {
                journal.close().await;
            }
        }
        journal.close().await;
        let ids: Vec<_> = lines(dir.path())
            .into_iter()
            .map(|line| line["execution_id"].clone())
            .collect();
        assert_eq!(
            ids,
            (0..50).map(|number| format!("exe_{number}")).collect::<Vec<_>>()
        );
        assert!(
            std::fs::read_dir(dir.path()).expect("the folder").count() > 1,
            "it rotated"
        );
    }

    #[tokio::test]
    async fn executions_of_another_environment_are_not_found() {
        let dir = tempfile::tempdir().expect("a folder");
        let journal = Journal::open(dir.path(), &config::Journal::default(), Clock::system()).expect("opens");
        journal.record(execution("exe_1")).await;
        assert!(journal.find("dev", "exe_1").is_some());
        assert!(journal.find("prod", "exe_1").is_none());
        assert!(journal.recent("prod", 10).is_empty());
    }
}
