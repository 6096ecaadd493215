//! Killed processes and lost power: what was acknowledged is there, and no batch is torn.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use valetkey::random;
use valetkey::store::sled::{Disk, RealDisk, SledStore};

use crate::workload::{self, LANES};

fn below(limit: usize) -> usize {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a small random number"
    )]
    let number = (random::fraction() * limit as f64) as usize;
    number
}

#[tokio::test]
async fn a_killed_host_loses_no_acknowledged_write() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path().join("store");
    let mut done = [0; LANES];
    for round in 0..16 {
        // Every fourth host is killed while it opens the store.
        let acks = if round % 4 == 3 { 0 } else { 1 + below(600) };
        let mut child = Command::new(env!("CARGO_BIN_EXE_store-writer"))
            .arg(&folder)
            .args(done.map(|number| number.to_string()))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the writer starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        assert_eq!(lines.next().expect("a line").expect("a text"), "opening");

        let mut acknowledged = done;
        for seen in 0.. {
            if seen == acks {
                child.kill().expect("a process of ours");
            }
            let Some(line) = lines.next() else { break };
            let line = line.expect("a text");
            let (lane, number) = line.split_once(' ').expect("a lane and a number");
            let lane: usize = lane.parse().expect("a lane");
            acknowledged[lane] = number.parse().expect("a number");
        }
        child.wait().expect("it has ended");

        let store =
            SledStore::open(&folder).unwrap_or_else(|error| panic!("round {round}, {acks} acks: {error:?}"));
        done = workload::check(&store, acknowledged, 3000).await;
    }
    assert!(done.iter().sum::<u64>() > 0);
}

/// What a disk is sure to hold: each file as it was when it was last synced, under the names
/// that were in the folder when that was.
#[derive(Default)]
struct Durable {
    files: BTreeMap<PathBuf, Vec<u8>>,
    names: Vec<PathBuf>,
    /// The log at the moment the power went, as it would have become.
    unsynced_log: Option<Vec<u8>>,
    syncs: usize,
}

/// A disk whose power goes after so many syncs.
struct PowerCut {
    store: PathBuf,
    after_syncs: usize,
    durable: Arc<Mutex<Durable>>,
}

impl PowerCut {
    /// A disk that holds what lies in `store` now.
    fn new(store: &Path, after_syncs: usize) -> (Self, Arc<Mutex<Durable>>) {
        let mut durable = Durable::default();
        for path in files_in(store) {
            durable
                .files
                .insert(path.clone(), fs::read(&path).expect("a file"));
            durable.names.push(path);
        }
        let durable = Arc::new(Mutex::new(durable));
        let disk = Self {
            store: store.to_owned(),
            after_syncs,
            durable: Arc::clone(&durable),
        };
        (disk, durable)
    }

    fn sync(&self, path: &Path, real: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let log = self.store.join("db");
        let mut durable = self.durable.lock().expect("no holder panics");
        if durable.syncs == self.after_syncs {
            if durable.unsynced_log.is_none() {
                durable.unsynced_log = fs::read(&log).ok();
            }
            return Err(io::Error::other("the power is gone"));
        }
        real()?;
        durable.syncs += 1;
        if path == self.store {
            durable.names = files_in(path);
        } else if path.is_file() && (path != log || self.is_near_the_end(durable.syncs)) {
            durable.files.insert(path.to_owned(), fs::read(path)?);
        }
        Ok(())
    }

    /// Reading the log at every sync would take most of the time. While the store opens, other
    /// syncs lie between those of the log; from then on only the last one counts.
    fn is_near_the_end(&self, syncs: usize) -> bool {
        syncs <= 16 || syncs == self.after_syncs
    }
}

impl Disk for PowerCut {
    fn sync_log(&mut self, log: &File) -> io::Result<()> {
        let path = self.store.join("db");
        self.sync(&path, || RealDisk.sync_log(log))
    }

    fn sync_path(&mut self, path: &Path) -> io::Result<()> {
        self.sync(path, || RealDisk.sync_path(path))
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .map(Iterator::collect::<Vec<_>>)
        .unwrap_or_default();
    let paths = entries.into_iter().map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.is_file()).collect()
}

/// What becomes of bytes that were written and not synced.
#[derive(Debug, Clone, Copy)]
enum Unsynced {
    /// None of it reached the disk.
    Lost,
    /// Blocks of it did, in no order; where the file grew, others read as zeros or as rubbish.
    Partly,
}

impl Durable {
    /// Puts the disk's contents into a new folder.
    fn restore(&self, log: &Path, to: &Path, unsynced: Unsynced) {
        fs::create_dir_all(to).expect("a new folder");
        for path in &self.names {
            // A name without a synced file behind it is an empty file.
            let synced = self.files.get(path).cloned().unwrap_or_default();
            let contents = match (unsynced, &self.unsynced_log) {
                (Unsynced::Partly, Some(newer)) if path == log => mix(synced, newer),
                _ => synced,
            };
            fs::write(to.join(path.file_name().expect("a name")), contents).expect("written");
        }
    }
}

fn mix(synced: Vec<u8>, newer: &[u8]) -> Vec<u8> {
    const BLOCK_BYTES: usize = 4096;
    let mut mixed = synced;
    let synced_bytes = mixed.len();
    mixed.resize(synced_bytes.max(newer.len() / BLOCK_BYTES * BLOCK_BYTES), 0);
    for (index, block) in newer.chunks(BLOCK_BYTES).enumerate() {
        let at = index * BLOCK_BYTES;
        let Some(old) = mixed.get_mut(at..at + block.len()) else {
            break;
        };
        match below(4) {
            0 | 1 => old.copy_from_slice(block),
            2 if at >= synced_bytes => random::fill(old),
            _ => {}
        }
    }
    mixed
}

/// Several lives of one store, each ended by a power cut after a random number of syncs.
async fn lose_the_power(lives: usize, most_syncs: usize, largest_bytes: usize, unsynced: Unsynced) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut done = [0; LANES];
    for life in 0..lives {
        let store = folder.path().join(life.to_string());
        let after_syncs = below(most_syncs);
        let (disk, durable) = PowerCut::new(&store, after_syncs);
        let acknowledged = Arc::new(Mutex::new(done));
        // A cut while opening is an error; nothing was acknowledged in this life then.
        if let Ok(opened) = SledStore::open_on(&store, Box::new(disk)) {
            let seen = Arc::clone(&acknowledged);
            let note = move |lane: usize, number| seen.lock().expect("no holder panics")[lane] = number;
            workload::run_lanes(Arc::new(opened), done, largest_bytes, note).await;
        }

        let next = folder.path().join((life + 1).to_string());
        let acknowledged = *acknowledged.lock().expect("no holder panics");
        durable
            .lock()
            .expect("no holder panics")
            .restore(&store.join("db"), &next, unsynced);
        fs::remove_dir_all(&store).expect("removed");
        let copy = folder.path().join("checked");
        copy_folder(&next, &copy);
        let opened = SledStore::open(&copy)
            .unwrap_or_else(|error| panic!("life {life}, cut after {after_syncs} syncs: {error:?}"));
        done = workload::check(&opened, acknowledged, largest_bytes).await;
        drop(opened);
        fs::remove_dir_all(&copy).expect("removed");
    }
    assert!(
        done.iter().sum::<u64>() > 0,
        "nothing was written, so nothing was tested"
    );
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a new folder");
    for path in files_in(from) {
        fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("copied");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_power_loses_no_acknowledged_write() {
    lose_the_power(10, 120, 3000, Unsynced::Lost).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_power_with_unsynced_blocks_half_written_loses_no_acknowledged_write() {
    lose_the_power(10, 120, 3000, Unsynced::Partly).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_power_in_a_store_that_reuses_its_space_loses_no_acknowledged_write() {
    lose_the_power(3, 300, 60_000, Unsynced::Partly).await;
}
