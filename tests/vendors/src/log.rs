//! Everything that was asked and answered, in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::text::Pairs;

/// Which side of a vendor a request went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The authorization endpoint and its consent page.
    Authorize,
    /// The token endpoint.
    Token,
    /// The revocation endpoint.
    Revoke,
    /// The API.
    Api,
    /// None of them.
    Other,
}

/// One request and its answer.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Place in the log, from 0.
    pub number: usize,
    /// Milliseconds since the simulator started.
    pub at_ms: u64,
    /// Where it went.
    pub side: Side,
    /// Method.
    pub method: String,
    /// Path, as sent.
    pub path: String,
    /// Query, decoded, in order.
    pub query: Pairs,
    /// Headers in order, names in lower case, without `authorization`.
    pub headers: Pairs,
    /// SHA-256 (base64url) of the `authorization` header.
    pub authorization_sha256: Option<String>,
    /// Whose data it reached; none when it was refused.
    pub user: Option<String>,
    /// Body, as text.
    pub body: String,
    /// The answer's status; none when there was no answer.
    pub status: Option<u16>,
    /// Whether a fault decided the answer.
    pub faulted: bool,
}

impl Entry {
    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        crate::text::first(&self.headers, name)
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        crate::text::first(&self.query, name)
    }

    /// The first value of a field of a form body.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        crate::text::parse_form(&self.body)
            .into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }
}

/// The log of a simulator.
pub struct Log {
    entries: Mutex<Vec<Entry>>,
    next_number: AtomicUsize,
    changes: watch::Sender<usize>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            entries: Mutex::new(Vec::new()),
            next_number: AtomicUsize::new(0),
            changes: watch::Sender::new(0),
        }
    }

    /// Every request so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// How many requests there were to one side.
    #[must_use]
    pub fn count(&self, side: Side) -> usize {
        self.count_where(|entry| entry.side == side)
    }

    /// How many requests there were that `wanted` knows.
    #[must_use]
    pub fn count_where(&self, wanted: impl Fn(&Entry) -> bool) -> usize {
        self.lock().iter().filter(|entry| wanted(entry)).count()
    }

    /// The requests to one side.
    #[must_use]
    pub fn of(&self, side: Side) -> Vec<Entry> {
        self.lock()
            .iter()
            .filter(|entry| entry.side == side)
            .cloned()
            .collect()
    }

    /// Waits until `count` requests to one side have been answered (or cut off).
    pub async fn wait_for(&self, side: Side, count: usize) {
        self.wait_for_where(count, |entry| entry.side == side && entry.status.is_some())
            .await;
    }

    /// Waits until `count` entries are such as `wanted` says.
    pub async fn wait_for_where(&self, count: usize, wanted: impl Fn(&Entry) -> bool) {
        let mut changes = self.changes.subscribe();
        while self.count_where(&wanted) < count {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Forgets what was asked so far.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Writes a request down; the number is how it is completed.
    pub(crate) fn begin(&self, mut entry: Entry) -> usize {
        let mut entries = self.lock();
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        entry.number = number;
        entries.push(entry);
        drop(entries);
        self.changes.send_modify(|count| *count += 1);
        number
    }

    pub(crate) fn finish(&self, number: usize, complete: impl FnOnce(&mut Entry)) {
        let mut entries = self.lock();
        if let Ok(at) = entries.binary_search_by_key(&number, |entry| entry.number) {
            complete(&mut entries[at]);
        }
        drop(entries);
        self.changes.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
