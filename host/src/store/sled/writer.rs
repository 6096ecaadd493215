//! The one thread that writes. It takes whatever is queued, checks and applies each batch in
//! order, brings them all to the disk with one flush and one `fdatasync`, and only then answers.

use std::any::Any;
use std::collections::BTreeSet;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, mpsc};

use tokio::sync::oneshot;

use super::{Disk, Undurable, decode, encode, failed, raw_key};
use crate::store::{Batch, Expect, Record, StoreError, Table};

/// Bounds how long the first of a group waits for the last to be applied.
const GROUP_LIMIT: usize = 1024;

/// What is left free on the disk: a write that it refuses ends writing until a restart, so that
/// none is begun which might be. sled moves records on its own, and needs room for that too.
const RESERVED_BYTES: u64 = 64 * 1024 * 1024;

/// Something to write, and who waits for it. A caller who has gone changes nothing: what is
/// queued is written.
pub(super) struct Request {
    pub work: Work,
    pub answer: oneshot::Sender<Result<(), StoreError>>,
}

pub(super) enum Work {
    Commit(Batch),
    Fill(Vec<(Table, Vec<u8>, Record)>),
}

/// A raw key and its raw record; none deletes.
type Write = (Vec<u8>, Option<Vec<u8>>);

pub(super) struct Writer {
    db: sled::Db,
    log: File,
    disk: Box<dyn Disk>,
    undurable: Arc<Undurable>,
    /// Why nothing is written any more.
    stopped: Option<String>,
    /// Whether the disk was full when it was last looked at.
    full: bool,
}

impl Writer {
    pub(super) fn new(db: sled::Db, log: File, disk: Box<dyn Disk>, undurable: Arc<Undurable>) -> Self {
        Self {
            db,
            log,
            disk,
            undurable,
            stopped: None,
            full: false,
        }
    }

    /// Serves until every sender has gone.
    pub(super) fn run(mut self, queue: &mpsc::Receiver<Request>) {
        while let Ok(first) = queue.recv() {
            let group = std::iter::once(first).chain(queue.try_iter()).take(GROUP_LIMIT);
            self.write_group(group);
        }
    }

    /// A conflict, too, is told only after the sync: whoever hears of it reads again, and must
    /// find the change that was in the way.
    fn write_group(&mut self, group: impl Iterator<Item = Request>) {
        let room = self.room();
        let mut outcomes = Vec::new();
        for Request { work, answer } in group {
            if let Err(left) = room {
                drop(answer.send(Err(disk_full(left))));
                continue;
            }
            outcomes.push((answer, self.guarded(|writer| writer.apply(work))));
        }
        let synced = if outcomes.iter().any(|(_, outcome)| outcome.is_ok()) {
            self.guarded(Self::make_durable).is_ok()
        } else {
            true
        };
        for (answer, outcome) in outcomes {
            let outcome = if synced { outcome } else { self.refuse_if_stopped() };
            // Whether the caller still listens is its own affair.
            drop(answer.send(outcome));
        }
    }

    /// Whether there is room to write; how many bytes are left if not. Unlike a write that failed
    /// half-way this leaves nothing in doubt, so that writing goes on as soon as there is room.
    fn room(&mut self) -> Result<(), u64> {
        // A system that does not say how much is left is not a full disk.
        let left = self.disk.free_bytes(&self.log).unwrap_or(u64::MAX);
        let full = left < RESERVED_BYTES;
        if full != self.full {
            self.full = full;
            if full {
                tracing::error!(
                    bytes_left = left,
                    "the disk is full; the store takes no writes until there is room"
                );
            } else {
                tracing::info!(
                    bytes_left = left,
                    "there is room on the disk again; the store takes writes"
                );
            }
        }
        if full { Err(left) } else { Ok(()) }
    }

    /// Runs one step. Whatever fails in it, by error or by one of sled's panics, ends writing for
    /// good: after a failed write or sync nobody knows what the disk holds, and a second attempt
    /// may succeed without having written the first one's pages.
    fn guarded(&mut self, step: impl FnOnce(&mut Self) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.refuse_if_stopped()?;
        let outcome = catch_unwind(AssertUnwindSafe(|| step(self)))
            .unwrap_or_else(|panic| Err(failed("a panic while writing", panic_text(panic.as_ref()))));
        if let Err(StoreError::Failed { what, source }) = &outcome {
            let cause = source
                .as_ref()
                .map_or_else(String::new, |source| format!(": {source}"));
            tracing::error!(
                step = what,
                cause,
                "the store failed to write and is read-only from now on"
            );
            self.stopped = Some(format!("{what}{cause}"));
        }
        outcome
    }

    fn refuse_if_stopped(&self) -> Result<(), StoreError> {
        match &self.stopped {
            None => Ok(()),
            Some(why) => Err(StoreError::Failed {
                what: format!(
                    "it takes no writes since one failed ({why}); mend the disk, then restart the host"
                ),
                source: None,
            }),
        }
    }

    /// Checks what the work expects, against all that was applied before it, and applies it.
    fn apply(&self, work: Work) -> Result<(), StoreError> {
        let writes = match work {
            Work::Commit(batch) => self.plan(batch)?,
            Work::Fill(records) => self.plan_filling(records)?,
        };

        let mut undurable = self.undurable.write().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in &writes {
            if !undurable.contains_key(key) {
                let before = self
                    .db
                    .get(key)
                    .map_err(|error| failed("reading a record", error))?;
                undurable.insert(key.clone(), before);
            }
        }
        drop(undurable);

        let mut batch = sled::Batch::default();
        for (key, record) in writes {
            match record {
                Some(record) => batch.insert(key, record),
                None => batch.remove(key),
            }
        }
        self.db
            .apply_batch(batch)
            .map_err(|error| failed("applying a batch", error))
    }

    fn plan(&self, batch: Batch) -> Result<Vec<Write>, StoreError> {
        let mut writes = Vec::with_capacity(batch.changes.len());
        for change in batch.changes {
            let key = raw_key(change.table, &change.key);
            let raw = self
                .db
                .get(&key)
                .map_err(|error| failed("reading a record", error))?;
            let revision = raw
                .map(|raw| decode(&raw))
                .transpose()?
                .map(|record| record.revision);
            let holds = match change.expect {
                Expect::Any => true,
                Expect::Absent => revision.is_none(),
                Expect::Revision(expected) => revision == Some(expected),
            };
            if !holds {
                return Err(StoreError::Conflict);
            }
            let next = revision.unwrap_or(0).saturating_add(1);
            writes.push((key, change.value.map(|value| encode(next, &value))));
        }
        Ok(writes)
    }

    fn plan_filling(&self, records: Vec<(Table, Vec<u8>, Record)>) -> Result<Vec<Write>, StoreError> {
        for table in Table::ALL {
            let held = self.db.scan_prefix(raw_key(table, &[])).next().transpose();
            if held
                .map_err(|error| failed("looking for records", error))?
                .is_some()
            {
                return Err(StoreError::NotEmpty);
            }
        }
        let keys: BTreeSet<_> = records.iter().map(|(table, key, _)| (*table, key)).collect();
        if keys.len() < records.len() {
            return Err(StoreError::Repeated);
        }
        let encoded = |(table, key, record): (Table, Vec<u8>, Record)| {
            (raw_key(table, &key), Some(encode(record.revision, &record.value)))
        };
        Ok(records.into_iter().map(encoded).collect())
    }

    /// Brings everything applied to the disk and lets readers see it.
    fn make_durable(&mut self) -> Result<(), StoreError> {
        self.db
            .flush()
            .map_err(|error| failed("flushing the log", error))?;
        self.disk
            .sync_log(&self.log)
            .map_err(|error| failed("syncing the log to the disk", error))?;
        self.undurable
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        Ok(())
    }
}

fn disk_full(left: u64) -> StoreError {
    StoreError::Failed {
        what: format!(
            "its disk is full ({} MiB left; the last {} are kept free); make room, and it takes writes again without a restart",
            left / 1024 / 1024,
            RESERVED_BYTES / 1024 / 1024
        ),
        source: None,
    }
}

/// What a panic said.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a text")
        .to_owned()
}
