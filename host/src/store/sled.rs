//! The embedded store: sled 0.34.7 under rules that make it durable.
//!
//! sled's own `flush` ends in `sync_file_range`, which a power cut does not respect, so that a
//! commit here is: apply the batch, flush, and `fdatasync` on our own handle to `db`; only then
//! does the caller hear of it and do readers see it. One thread writes: whatever queues up while
//! it syncs shares the next sync.
//!
//! Opened by `Runtime::open` under the folder's lock. It must never acknowledge what is not on
//! the disk, and never go on writing after a sync has failed.

mod disk;
mod writer;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sled::IVec;
use tokio::sync::oneshot;

use super::{Batch, Page, Record, Store, StoreError, Table};
pub use disk::{Disk, RealDisk};
use writer::{Request, Work, Writer};

/// sled keeps pages over a quarter of a segment as files of their own, which it never syncs. A
/// page holds at most 17 records, so that with records of at most 64 KiB none comes near.
const SEGMENT_BYTES: usize = 8 * 1024 * 1024;

/// What sled may keep of the file in memory.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// How often sled moves old records together, so that the segments they kept become free. Its
/// flush on that occasion proves nothing and acknowledges nothing.
const CLEANING_PERIOD_MS: u64 = 1000;

/// sled's own threads keep its lock for a moment after a store in this process was closed; other
/// processes are kept out by the folder's lock.
const LOCK_ATTEMPTS: usize = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Under this key lies the version of the layout; no table's tag is 0.
const FORMAT_KEY: &[u8] = &[0];
const FORMAT: &[u8] = b"valetkey store 1";

/// The embedded store.
pub struct SledStore {
    db: sled::Db,
    undurable: Arc<Undurable>,
    requests: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
    patience: Duration,
    waking: Arc<AtomicBool>,
}

/// What readers get in place of changes that are applied and not yet on the disk: the raw
/// records as they were before. After a failed sync they stay, so that nobody ever acts on a
/// change that a restart may take back.
type Undurable = RwLock<BTreeMap<Vec<u8>, Option<IVec>>>;

impl SledStore {
    /// Opens or creates the store in `dir`, which the caller has locked.
    ///
    /// # Errors
    /// The store cannot be opened or is corrupt.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_on(dir, Box::new(RealDisk))
    }

    /// As [`SledStore::open`], on a thread that may block: recovery reads the whole log.
    ///
    /// # Errors
    /// The store cannot be opened or is corrupt.
    pub async fn open_in_background(dir: &Path) -> Result<Self, StoreError> {
        let dir = dir.to_owned();
        tokio::task::spawn_blocking(move || Self::open(&dir))
            .await
            .unwrap_or_else(|error| Err(failed("opening the store", error)))
    }

    /// As [`SledStore::open`], on another disk: how tests let a sync fail or the power go.
    ///
    /// # Errors
    /// The store cannot be opened or is corrupt.
    pub fn open_on(dir: &Path, mut disk: Box<dyn Disk>) -> Result<Self, StoreError> {
        prepare(dir, &mut *disk)?;
        let db = open_guarded(dir)?;
        refuse_blobs(dir)?;
        check_format(&db)?;
        db.flush()
            .map_err(|error| failed("writing what the recovery changed", error))?;
        let log =
            open_log(dir).map_err(|error| failed(format!("opening the log of {}", dir.display()), error))?;
        disk.sync_log(&log)
            .and_then(|()| sync_folder(dir, &mut *disk))
            .map_err(|error| failed(format!("syncing {}", dir.display()), error))?;

        let patience = disk.patience();
        let undurable = Arc::new(Undurable::default());
        let (requests, queue) = mpsc::channel();
        let writer = Writer::new(db.clone(), log, disk, Arc::clone(&undurable));
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&queue))
            .map_err(|error| failed("starting the writer thread", error))?;

        Ok(Self {
            db,
            undurable,
            requests: Some(requests),
            writer: Some(writer),
            patience,
            waking: Arc::default(),
        })
    }

    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Record>, StoreError> {
        let key = raw_key(table, key);
        let undurable = self.undurable.read().unwrap_or_else(PoisonError::into_inner);
        let raw = match undurable.get(&key) {
            Some(before) => before.clone(),
            None => self
                .db
                .get(&key)
                .map_err(|error| failed("reading a record", error))?,
        };
        raw.map(|raw| decode(&raw)).transpose()
    }

    fn page(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let prefix = raw_key(table, prefix);
        let after = after.map(|after| raw_key(table, after));
        let start = match &after {
            Some(after) if after[..] >= prefix[..] => Bound::Excluded(&after[..]),
            Some(_) | None => Bound::Included(&prefix[..]),
        };
        let range = (start, Bound::Unbounded);
        let undurable = self.undurable.read().unwrap_or_else(PoisonError::into_inner);

        // The first `limit` records that no pending change touches, and every touched one as it
        // was before: the first `limit` of both together are the page.
        let mut page = BTreeMap::new();
        for entry in self.db.range::<&[u8], _>(range) {
            let (key, raw) = entry.map_err(|error| failed("reading a range", error))?;
            if !key.starts_with(&prefix) || page.len() == limit {
                break;
            }
            if !undurable.contains_key(&key[..]) {
                page.insert(key.to_vec(), raw);
            }
        }
        let touched = undurable.range::<[u8], _>(range);
        for (key, before) in touched.take_while(|(key, _)| key.starts_with(&prefix)) {
            if let Some(raw) = before {
                page.insert(key.clone(), raw.clone());
            }
        }

        page.into_iter()
            .take(limit)
            .map(|(key, raw)| Ok((key[1..].to_vec(), decode(&raw)?)))
            .collect()
    }

    async fn submit(&self, work: Work) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        let requests = self
            .requests
            .as_ref()
            .expect("the writer runs until the store is dropped");
        let sent = requests.send(Request { work, answer });
        if sent.is_err() {
            return Err(StoreError::stopped());
        }
        match tokio::time::timeout(self.patience, answered).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(StoreError::stopped())),
            Err(_) => {
                self.wake_writer();
                Err(StoreError::Failed {
                    what: format!(
                        "the disk has not taken a write for {} s; whether it is kept shows when it answers again, or after a restart",
                        self.patience.as_secs()
                    ),
                    source: None,
                })
            }
        }
    }

    /// sled does not always wake a flush that waits for a write which has failed meanwhile;
    /// another flush then meets the failure and wakes all.
    fn wake_writer(&self) {
        if !self.waking.swap(true, Ordering::Relaxed) {
            let (db, waking) = (self.db.clone(), Arc::clone(&self.waking));
            std::thread::spawn(move || {
                // Its outcome is the writer's to tell.
                drop(db.flush());
                waking.store(false, Ordering::Relaxed);
            });
        }
    }
}

impl StoreError {
    fn stopped() -> Self {
        Self::Failed {
            what: "its writer has stopped; restart the host".to_owned(),
            source: None,
        }
    }
}

impl Drop for SledStore {
    /// Lets the writer finish what is queued.
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer ended in a panic");
        }
    }
}

impl Store for SledStore {
    fn get<'a>(&'a self, table: Table, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        async move { self.read(table, key) }.boxed()
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Page, StoreError>> {
        async move { self.page(table, prefix, after, limit) }.boxed()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            batch.check()?;
            self.submit(Work::Commit(batch)).await
        }
        .boxed()
    }

    fn fill(&self, records: Vec<(Table, Vec<u8>, Record)>) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            for (_, key, record) in &records {
                super::check_size(key, Some(&record.value))?;
            }
            self.submit(Work::Fill(records)).await
        }
        .boxed()
    }
}

/// Makes the folder, removes what a killed recovery left half-written (sled would take it for a
/// snapshot and call the store corrupt), and brings to the disk whatever a killed host had
/// written without syncing, before the recovery builds on it.
fn prepare(dir: &Path, disk: &mut dyn Disk) -> Result<(), StoreError> {
    let io = |error| failed(format!("preparing {}", dir.display()), error);
    if !dir.exists() {
        super::lock::make_folder(dir).map_err(io)?;
    }

    for entry in fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(&path).map_err(io)?;
            tracing::warn!(file = %path.display(), "removed a half-written snapshot of a killed start");
        }
    }

    match open_log(dir) {
        Ok(log) => disk.sync_log(&log).map_err(io),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io(error)),
    }
}

/// A handle of our own to the file in which sled keeps everything.
fn open_log(dir: &Path) -> io::Result<File> {
    File::options().read(true).write(true).open(dir.join("db"))
}

/// A store that was dropped a moment ago holds sled's lock until its background work has ended.
/// The data folder is ours by then, so this waits for nobody else, and not for long.
fn await_predecessor(dir: &Path) {
    const TRIES: u32 = 100;
    const PAUSE: Duration = Duration::from_millis(20);
    let Ok(log) = File::open(dir.join("db")) else {
        return;
    };
    for _ in 0..TRIES {
        match log.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            // Dropping the file unlocks it again.
            Ok(()) | Err(TryLockError::Error(_)) => return,
        }
    }
}

/// sled reports some damage by a panic.
fn open_guarded(dir: &Path) -> Result<sled::Db, StoreError> {
    await_predecessor(dir);
    let config = sled::Config::new()
        .path(dir)
        .segment_size(SEGMENT_BYTES)
        .cache_capacity(CACHE_BYTES)
        .flush_every_ms(Some(CLEANING_PERIOD_MS));
    let corrupt = |found: String| StoreError::Corrupt {
        what: format!(
            "{} does not open ({found}). Keep a copy of the folder, then import your last export into a new one",
            dir.display()
        ),
    };
    let mut opened = catch_unwind(AssertUnwindSafe(|| config.open()));
    for _ in 0..LOCK_ATTEMPTS {
        match &opened {
            Ok(Err(error)) if error.to_string().contains("could not acquire lock") => {
                std::thread::sleep(LOCK_PAUSE);
                opened = catch_unwind(AssertUnwindSafe(|| config.open()));
            }
            _ => break,
        }
    }
    match opened {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error @ sled::Error::Io(_))) => Err(failed(format!("opening {}", dir.display()), error)),
        Ok(Err(error)) => Err(corrupt(error.to_string())),
        Err(panic) => Err(corrupt(writer::panic_text(panic.as_ref()))),
    }
}

fn refuse_blobs(dir: &Path) -> Result<(), StoreError> {
    let blobs = dir.join("blobs");
    let io = |error| failed(format!("listing {}", blobs.display()), error);
    let mut entries = match fs::read_dir(&blobs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
    };
    match entries.next() {
        None => Ok(()),
        Some(entry) => Err(StoreError::Corrupt {
            what: format!(
                "{} holds data outside the log, which a power cut would lose; export the store with the version that wrote it and import that",
                entry.map_err(io)?.path().display()
            ),
        }),
    }
}

fn check_format(db: &sled::Db) -> Result<(), StoreError> {
    let reading = |error| failed("reading the format version", error);
    match db.get(FORMAT_KEY).map_err(reading)? {
        Some(format) if format == FORMAT => Ok(()),
        None if db.is_empty() => {
            db.insert(FORMAT_KEY, FORMAT)
                .map_err(|error| failed("writing the format version", error))?;
            Ok(())
        }
        Some(_) | None => Err(StoreError::Corrupt {
            what: "its layout is not of this version; use the version that wrote it, or export there and import here"
                .to_owned(),
        }),
    }
}

/// sled syncs neither its `conf` nor the names in the folder.
fn sync_folder(dir: &Path, disk: &mut dyn Disk) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        disk.sync_path(&entry?.path())?;
    }
    disk.sync_path(dir)?;
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => disk.sync_path(parent),
        Some(_) | None => Ok(()),
    }
}

fn failed(what: impl Into<String>, source: impl Into<crate::error::Cause>) -> StoreError {
    StoreError::Failed {
        what: what.into(),
        source: Some(source.into()),
    }
}

/// The tables share one tree, so that a batch over several is one batch of sled's. These
/// numbers are on disks: never change or reuse one.
fn tag(table: Table) -> u8 {
    match table {
        Table::Meta => 1,
        Table::Environments => 2,
        Table::Clients => 3,
        Table::Connections => 4,
        Table::Accounts => 5,
        Table::AccountIndex => 6,
        Table::Flows => 7,
        Table::Intents => 8,
        Table::Replays => 9,
        Table::Connectors => 10,
    }
}

fn raw_key(table: Table, key: &[u8]) -> Vec<u8> {
    let mut raw = Vec::with_capacity(1 + key.len());
    raw.push(tag(table));
    raw.extend_from_slice(key);
    raw
}

/// The revision (big endian), then the value.
fn encode(revision: u64, value: &[u8]) -> Vec<u8> {
    let mut raw = Vec::with_capacity(8 + value.len());
    raw.extend_from_slice(&revision.to_be_bytes());
    raw.extend_from_slice(value);
    raw
}

fn decode(raw: &[u8]) -> Result<Record, StoreError> {
    let Some((revision, value)) = raw.split_first_chunk() else {
        return Err(StoreError::Corrupt {
            what: "a record is too short to have a revision; import your last export into a new folder"
                .to_owned(),
        });
    };
    Ok(Record {
        revision: u64::from_be_bytes(*revision),
        value: value.to_vec(),
    })
}
