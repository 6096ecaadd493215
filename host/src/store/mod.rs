//! The facts that we keep, behind one small trait: get, scan in key order, and an atomic,
//! durable, conditional batch. Everything above speaks of accounts and connections; only this
//! module knows where the bytes lie.
//!
//! Called by `accounts`, `registry`, `vault` and `journal`. It never sees a plaintext secret:
//! values are sealed before they come here.

pub mod export;
pub mod lock;
pub mod sled;

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use thiserror::Error;

use crate::error::{Fault, Kind};

/// The families of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Format version, key check value, wrapped keys.
    Meta,
    /// Environments.
    Environments,
    /// API clients (secrets as hashes).
    Clients,
    /// Connections.
    Connections,
    /// Connected accounts and their sealed credentials.
    Accounts,
    /// Blind index: from environment, connection and identifier to an account.
    AccountIndex,
    /// Authorization attempts.
    Flows,
    /// Refresh intents: written before the vendor is asked.
    Intents,
    /// Outcomes under idempotency keys.
    Replays,
    /// Installed connector versions; the components themselves are files.
    Connectors,
    /// Virtual MCP servers.
    Servers,
    /// Sessions of users on virtual MCP servers (tokens as hashes).
    Sessions,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 12] = [
        Self::Meta,
        Self::Environments,
        Self::Clients,
        Self::Connections,
        Self::Accounts,
        Self::AccountIndex,
        Self::Flows,
        Self::Intents,
        Self::Replays,
        Self::Connectors,
        Self::Servers,
        Self::Sessions,
    ];

    /// Its name in exports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Environments => "environments",
            Self::Clients => "clients",
            Self::Connections => "connections",
            Self::Accounts => "accounts",
            Self::AccountIndex => "account_index",
            Self::Flows => "flows",
            Self::Intents => "intents",
            Self::Replays => "replays",
            Self::Connectors => "connectors",
            Self::Servers => "servers",
            Self::Sessions => "sessions",
        }
    }
}

/// A stored value and how often it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// 1 for a new record, one more with each write; never reused for a key that exists.
    pub revision: u64,
    /// The bytes.
    pub value: Vec<u8>,
}

/// What a write expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Anything.
    Any,
    /// No record.
    Absent,
    /// A record with exactly this revision.
    Revision(u64),
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which table.
    pub table: Table,
    /// Which record.
    pub key: Vec<u8>,
    /// What must be there, or the whole batch is refused.
    pub expect: Expect,
    /// The new value; none deletes.
    pub value: Option<Vec<u8>>,
}

/// Changes that happen together or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The changes; a key appears at most once.
    pub changes: Vec<Change>,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a write.
    #[must_use]
    pub fn put(mut self, table: Table, key: impl Into<Vec<u8>>, expect: Expect, value: Vec<u8>) -> Self {
        self.changes.push(Change {
            table,
            key: key.into(),
            expect,
            value: Some(value),
        });
        self
    }

    /// Adds a deletion.
    #[must_use]
    pub fn delete(mut self, table: Table, key: impl Into<Vec<u8>>, expect: Expect) -> Self {
        self.changes.push(Change {
            table,
            key: key.into(),
            expect,
            value: None,
        });
        self
    }

    /// Every implementation refuses what another could not hold.
    fn check(&self) -> Result<(), StoreError> {
        for change in &self.changes {
            check_size(&change.key, change.value.as_deref())?;
        }
        let keys: BTreeSet<_> = self
            .changes
            .iter()
            .map(|change| (change.table, &change.key))
            .collect();
        if keys.len() < self.changes.len() {
            return Err(StoreError::Repeated);
        }
        Ok(())
    }
}

/// Why the store did not do it.
#[derive(Debug, Error)]
pub enum StoreError {
    /// An expectation did not hold; nothing was written.
    #[error("the record changed meanwhile")]
    Conflict,
    /// A record is larger than [`MAX_RECORD_BYTES`]; nothing was written.
    #[error("a record of {bytes} bytes is over the limit of {MAX_RECORD_BYTES}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A key is longer than [`MAX_KEY_BYTES`]; nothing was written.
    #[error("a key of {bytes} bytes is over the limit of {MAX_KEY_BYTES}")]
    KeyTooLong {
        /// Its length.
        bytes: usize,
    },
    /// A batch names one key twice; nothing was written.
    #[error("a batch names one key twice")]
    Repeated,
    /// Only an empty store can be filled; nothing was written.
    #[error("the store is not empty; import into a new data folder")]
    NotEmpty,
    /// An export that is to be imported is not as it was written; nothing was written.
    #[error("the export is damaged at line {line}: {what}. Nothing was imported; take another copy of it")]
    Damaged {
        /// Where, counted from 1.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The disk or database failed. After a failed sync the store accepts no more writes.
    #[error("the store failed: {what}")]
    Failed {
        /// Which step.
        what: String,
        /// Why.
        #[source]
        source: Option<crate::error::Cause>,
    },
    /// A record or the whole store cannot be read back.
    #[error("the store is corrupt: {what}")]
    Corrupt {
        /// What was found.
        what: String,
    },
}

/// Largest value of one record: sled keeps larger ones outside its log, where a power cut loses them.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;

/// Longest key of a record.
pub const MAX_KEY_BYTES: usize = 1024;

fn check_size(key: &[u8], value: Option<&[u8]>) -> Result<(), StoreError> {
    let bytes = value.map_or(0, <[u8]>::len);
    if bytes > MAX_RECORD_BYTES {
        return Err(StoreError::TooLarge { bytes });
    }
    if key.len() > MAX_KEY_BYTES {
        return Err(StoreError::KeyTooLong { bytes: key.len() });
    }
    Ok(())
}

/// A page of a scan: keys in order with their records.
pub type Page = Vec<(Vec<u8>, Record)>;

/// The store.
pub trait Store: Send + Sync + 'static {
    /// One record, as of the last durable write: never one that a power cut could take back.
    fn get<'a>(&'a self, table: Table, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Record>, StoreError>>;

    /// Up to `limit` records whose key begins with `prefix`, in key order, after the key `after`.
    fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Page, StoreError>>;

    /// Writes a batch: all of it or nothing, durable (on the disk, not in a cache) when it returns.
    /// It happens or not as a whole even when the future is dropped.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Fills an empty store with records and their revisions, all or nothing and durable as a
    /// batch; for imports alone.
    fn fill(&self, records: Vec<(Table, Vec<u8>, Record)>) -> BoxFuture<'_, Result<(), StoreError>>;
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::new(
                Kind::Conflict,
                "Someone else changed this at the same moment. Read it again and repeat the change.",
            )
            .because(error),
            StoreError::TooLarge { .. } => Self::new(
                Kind::InvalidInput,
                "This is too large to keep: a record may have 64 KiB. Make it smaller.",
            )
            .because(error),
            StoreError::KeyTooLong { .. } | StoreError::Repeated | StoreError::NotEmpty | StoreError::Damaged { .. } => Self::internal(error),
            StoreError::Failed { .. } | StoreError::Corrupt { .. } => Self::new(
                Kind::StoreUnavailable,
                "The host cannot write to its store or read from it; the operator finds the cause in the log. Try again later.",
            )
            .because(error),
        }
    }
}
