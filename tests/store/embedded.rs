//! The embedded store keeps the promises of every store, and its own: it opens after every
//! crash, and stops writing when the disk can no longer be trusted.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use futures_util::future::join_all;
use tempfile::TempDir;
use valetkey::store::lock::{self, FolderLock, LockError};
use valetkey::store::sled::{Disk, RealDisk, SledStore};
use valetkey::store::{Batch, Expect, Store, StoreError, Table};

use crate::suite::promises_of;

async fn empty() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = SledStore::open(&folder.path().join("store")).expect("an empty folder opens");
    (Arc::new(store), folder)
}

promises_of!(empty);

fn put(key: &str, value: &[u8]) -> Batch {
    Batch::new().put(Table::Accounts, key, Expect::Any, value.to_vec())
}

async fn value(store: &SledStore, key: &str) -> Option<Vec<u8>> {
    let record = store.get(Table::Accounts, key.as_bytes()).await;
    record.expect("the store reads").map(|record| record.value)
}

#[tokio::test]
async fn reopening_keeps_everything() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path().join("store");
    for life in 1..=5_u64 {
        let store = SledStore::open(&folder).expect("opens");
        for number in 0..200 {
            let key = format!("{number}");
            let record = store.get(Table::Accounts, key.as_bytes()).await.expect("reads");
            assert_eq!(record.map_or(0, |record| record.revision), life - 1);
            store.commit(put(&key, &[7; 500])).await.expect("writes");
        }
    }
}

#[tokio::test]
async fn dropping_the_caller_does_not_tear_or_lose_the_batch() {
    let (store, _folder) = empty().await;
    let mut commit = store.commit(put("a", b"1"));
    // Once polled it is on its way, and nobody waits for it any more.
    assert!(futures_util::poll!(&mut commit).is_pending());
    drop(commit);
    store.commit(put("b", b"2")).await.expect("writes");
    assert!(store.get(Table::Accounts, b"a").await.expect("reads").is_some());
}

/// Lets each sync of a commit wait for its permission, and fail when told so.
struct Gate {
    patience: Duration,
    opened: bool,
    arrived: mpsc::Sender<()>,
    permitted: mpsc::Receiver<io::Result<()>>,
    syncs: Arc<AtomicUsize>,
}

impl Disk for Gate {
    fn sync_log(&mut self, log: &File) -> io::Result<()> {
        if self.opened {
            self.syncs.fetch_add(1, Ordering::SeqCst);
            self.arrived.send(()).expect("the test waits");
            self.permitted.recv().expect("the test permits")?;
        }
        RealDisk.sync_log(log)
    }

    fn sync_path(&mut self, path: &Path) -> io::Result<()> {
        self.opened = true;
        RealDisk.sync_path(path)
    }

    fn patience(&self) -> Duration {
        self.patience
    }
}

struct Gated {
    store: Arc<SledStore>,
    arrived: mpsc::Receiver<()>,
    permit: mpsc::Sender<io::Result<()>>,
    syncs: Arc<AtomicUsize>,
    folder: TempDir,
}

fn gated() -> Gated {
    gated_with(RealDisk.patience())
}

fn gated_with(patience: Duration) -> Gated {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (arrive, arrived) = mpsc::channel();
    let (permit, permitted) = mpsc::channel();
    let syncs = Arc::new(AtomicUsize::new(0));
    let gate = Gate {
        patience,
        opened: false,
        arrived: arrive,
        permitted,
        syncs: Arc::clone(&syncs),
    };
    let store = SledStore::open_on(&folder.path().join("store"), Box::new(gate)).expect("opens");
    Gated {
        store: Arc::new(store),
        arrived,
        permit,
        syncs,
        folder,
    }
}

fn spawn(store: &Arc<SledStore>, batch: Batch) -> tokio::task::JoinHandle<Result<(), StoreError>> {
    let store = Arc::clone(store);
    tokio::spawn(async move { store.commit(batch).await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_a_write_before_it_is_on_the_disk() {
    let gated = gated();
    gated.permit.send(Ok(())).expect("permits");
    gated
        .store
        .commit(put("kept", b"old").put(Table::Accounts, "gone", Expect::Any, b"old".to_vec()))
        .await
        .expect("writes");
    gated.arrived.recv().expect("synced");

    let batch = put("kept", b"new")
        .put(Table::Accounts, "added", Expect::Absent, b"new".to_vec())
        .delete(Table::Accounts, "gone", Expect::Any);
    let commit = spawn(&gated.store, batch);
    gated.arrived.recv().expect("applied, and about to be synced");
    assert_eq!(value(&gated.store, "kept").await.as_deref(), Some(&b"old"[..]));
    assert_eq!(value(&gated.store, "gone").await.as_deref(), Some(&b"old"[..]));
    assert_eq!(value(&gated.store, "added").await, None);
    for limit in [1, 2, 100] {
        let page = gated
            .store
            .scan(Table::Accounts, b"", None, limit)
            .await
            .expect("reads");
        let seen: Vec<_> = page
            .iter()
            .map(|(key, record)| (&key[..], &record.value[..]))
            .collect();
        let all = [(&b"gone"[..], &b"old"[..]), (b"kept", b"old")];
        assert_eq!(seen, all[..limit.min(2)]);
    }
    assert!(!commit.is_finished());

    gated.permit.send(Ok(())).expect("permits");
    commit.await.expect("no panic").expect("writes");
    assert_eq!(value(&gated.store, "kept").await.as_deref(), Some(&b"new"[..]));
    assert_eq!(value(&gated.store, "gone").await, None);
    assert_eq!(value(&gated.store, "added").await.as_deref(), Some(&b"new"[..]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_commits_share_one_sync() {
    let gated = gated();
    let first = spawn(&gated.store, put("first", b"x"));
    gated.arrived.recv().expect("the first is about to be synced");
    let mut others: Vec<_> = (0..500)
        .map(|number| Box::pin(gated.store.commit(put(&format!("{number}"), b"x"))))
        .collect();
    for commit in &mut others {
        assert!(
            futures_util::poll!(commit).is_pending(),
            "it is queued and waits for its sync"
        );
    }
    gated.permit.send(Ok(())).expect("permits the first");
    gated.permit.send(Ok(())).expect("permits all others");
    first.await.expect("no panic").expect("writes");
    for outcome in join_all(others).await {
        outcome.expect("writes");
    }
    assert_eq!(gated.syncs.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failed_sync_the_store_is_read_only_and_says_so() {
    let gated = gated();
    gated.permit.send(Ok(())).expect("permits");
    gated.store.commit(put("a", b"durable")).await.expect("writes");
    gated
        .permit
        .send(Err(io::Error::other("the disk is broken")))
        .expect("refuses");
    // The disk would work again at once; asking it again would prove nothing about what it lost.
    for _ in 0..10 {
        gated.permit.send(Ok(())).expect("permits");
    }

    for attempt in ["b", "a", "c"] {
        let refused = gated
            .store
            .commit(put(attempt, b"lost"))
            .await
            .expect_err("nothing is acknowledged");
        let StoreError::Failed { what, .. } = &refused else {
            panic!("{refused:?}")
        };
        assert!(what.contains("the disk is broken"), "{what}");
        assert!(what.contains("restart the host"), "{what}");
    }
    assert_eq!(
        gated.syncs.load(Ordering::SeqCst),
        2,
        "a failed sync is not tried again"
    );
    assert_eq!(value(&gated.store, "a").await.as_deref(), Some(&b"durable"[..]));
    assert_eq!(value(&gated.store, "b").await, None);

    let folder = gated.folder.path().join("store");
    drop(gated.store);
    let store = SledStore::open(&folder).expect("a restart on a mended disk opens it");
    store.commit(put("c", b"new")).await.expect("writes");
    assert_eq!(value(&store, "c").await.as_deref(), Some(&b"new"[..]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_hangs_is_an_error_and_acknowledges_nothing() {
    let gated = gated_with(Duration::from_millis(20));
    let refused = gated
        .store
        .commit(put("a", b"1"))
        .await
        .expect_err("the disk hangs");
    assert!(
        refused.to_string().contains("whether it is kept shows"),
        "{refused}"
    );
    assert_eq!(
        value(&gated.store, "a").await,
        None,
        "not seen before it is durable"
    );
    gated.permit.send(Ok(())).expect("permits");
    let folder = gated.folder.path().join("store");
    drop(gated.store);
    let store = SledStore::open(&folder).expect("opens");
    assert_eq!(value(&store, "a").await.as_deref(), Some(&b"1"[..]));
}

/// A disk with as much room as the test says.
struct Filling(Arc<AtomicU64>);

impl Disk for Filling {
    fn sync_log(&mut self, log: &File) -> io::Result<()> {
        RealDisk.sync_log(log)
    }

    fn sync_path(&mut self, path: &Path) -> io::Result<()> {
        RealDisk.sync_path(path)
    }

    fn free_bytes(&mut self, _log: &File) -> io::Result<u64> {
        Ok(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_before_one_fails_and_takes_them_again_when_there_is_room() {
    const MIB: u64 = 1024 * 1024;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path().join("store");
    let left = Arc::new(AtomicU64::new(1_000 * MIB));
    let store = SledStore::open_on(&folder, Box::new(Filling(Arc::clone(&left)))).expect("opens");
    store.commit(put("a", b"1")).await.expect("writes");
    for round in 0..3 {
        left.store(63 * MIB, Ordering::SeqCst);
        let refused = join_all((0..20).map(|number| store.commit(put(&format!("{number}"), b"x")))).await;
        for refused in refused {
            let refused = refused
                .expect_err("nothing is written to a full disk")
                .to_string();
            assert!(refused.contains("63 MiB left"), "{refused}");
            assert!(refused.contains("without a restart"), "{refused}");
        }
        assert_eq!(value(&store, "0").await, None);
        assert!(value(&store, "a").await.is_some(), "reading goes on");
        left.store(64 * MIB, Ordering::SeqCst);
        store
            .commit(put("a", format!("after {round}").as_bytes()))
            .await
            .expect("there is room again");
    }
    drop(store);
    let store = SledStore::open(&folder).expect("opens");
    assert_eq!(value(&store, "a").await.as_deref(), Some(&b"after 2"[..]));
    assert_eq!(value(&store, "0").await, None);
}

/// A disk that panics as sled does on damage.
struct Panicking(Arc<AtomicBool>);

impl Disk for Panicking {
    fn sync_log(&mut self, log: &File) -> io::Result<()> {
        assert!(!self.0.load(Ordering::SeqCst), "as sled panics");
        RealDisk.sync_log(log)
    }

    fn sync_path(&mut self, path: &Path) -> io::Result<()> {
        RealDisk.sync_path(path)
    }
}

#[tokio::test]
async fn a_panic_while_writing_is_an_error_and_ends_writing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let panics = Arc::new(AtomicBool::new(false));
    let disk = Box::new(Panicking(Arc::clone(&panics)));
    let store = SledStore::open_on(&folder.path().join("store"), disk).expect("opens");
    store.commit(put("a", b"1")).await.expect("writes");
    panics.store(true, Ordering::SeqCst);
    assert!(matches!(
        store.commit(put("a", b"2")).await,
        Err(StoreError::Failed { .. })
    ));
    panics.store(false, Ordering::SeqCst);
    assert!(matches!(
        store.commit(put("a", b"3")).await,
        Err(StoreError::Failed { .. })
    ));
    assert_eq!(value(&store, "a").await.as_deref(), Some(&b"1"[..]));
}

#[tokio::test]
async fn a_snapshot_that_a_kill_left_half_written_does_not_keep_the_store_shut() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path().join("store");
    let store = SledStore::open(&folder).expect("opens");
    store.commit(put("a", b"1")).await.expect("writes");
    drop(store);
    for leftover in [&b""[..], b"half a snapsh"] {
        fs::write(folder.join("snap.0000000000FFFFFF.generating"), leftover).expect("written");
        let store = SledStore::open(&folder).expect("opens all the same");
        assert_eq!(value(&store, "a").await.as_deref(), Some(&b"1"[..]));
    }
    let names = fs::read_dir(&folder).expect("a folder");
    let names = names.map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("a text")
    });
    assert!(names.into_iter().all(|name| !name.ends_with(".generating")));
}

#[tokio::test]
async fn the_largest_records_stay_in_the_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path().join("store");
    let store = SledStore::open(&folder).expect("opens");
    // Neighbours in key order share sled's pages.
    for round in 0..3_u8 {
        let commits = (0..100).map(|number| store.commit(put(&format!("{number:03}"), &[round; 64 * 1024])));
        for outcome in join_all(commits).await {
            outcome.expect("writes");
        }
    }
    drop(store);
    assert_eq!(fs::read_dir(folder.join("blobs")).expect("a folder").count(), 0);

    fs::write(folder.join("blobs/0"), b"x").expect("written");
    let Err(StoreError::Corrupt { what }) = SledStore::open(&folder) else {
        panic!("it must not open")
    };
    assert!(what.contains("blobs/0"), "{what}");
}

#[tokio::test]
async fn a_damaged_store_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path().join("store");
    let store = SledStore::open(&folder).expect("opens");
    for number in 0..100 {
        store
            .commit(put(&format!("{number}"), &[9; 2000]))
            .await
            .expect("writes");
    }
    drop(store);
    for entry in fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("snap."))
        {
            let mut bytes = fs::read(&path).expect("a file");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0xff;
            fs::write(&path, bytes).expect("written");
        }
    }
    fs::write(folder.join("conf"), b"segment_size: 1\nrubbish, and no checksum").expect("written");
    let Err(error) = SledStore::open(&folder) else {
        panic!("it must not open")
    };
    let text = error.to_string();
    assert!(text.contains(&folder.display().to_string()), "{text}");
    assert!(text.contains("import your last export"), "{text}");
}

#[test]
fn a_second_host_is_refused_a_locked_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    assert!(matches!(FolderLock::take(&data), Err(LockError::Missing(_))));
    lock::make_folder(&data).expect("made");
    assert_eq!(
        fs::metadata(&data).expect("a folder").permissions().mode() & 0o777,
        0o700
    );
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).expect("opened to others");

    let held = FolderLock::take(&data).expect("free");
    assert_eq!(
        fs::metadata(&data).expect("a folder").permissions().mode() & 0o777,
        0o700
    );
    let refused = FolderLock::take(&data).expect_err("taken");
    assert!(matches!(refused, LockError::InUse(_)));
    let text = refused.to_string();
    assert!(
        text.contains(&data.display().to_string()) && text.contains("stop it"),
        "{text}"
    );
    drop(held);
    FolderLock::take(&data).expect("free again");
}
