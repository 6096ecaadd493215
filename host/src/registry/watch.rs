//! The watched folder: `.wasm` files are installed as they appear or change; a file that is
//! refused is reported with its reason and the last good version goes on serving.
//!
//! Called by `runtime` when `connectors.watch_dir` is set. The folder only ever adds: deleting a
//! file removes nothing, `valetkey connector remove` does. A connector that was removed comes
//! back at the next start while its file is still here.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use notify::{RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Registry;
use super::swap::complaints;
use crate::error::{Fault, Kind};
use crate::journal::Actor;

/// The folder is looked through this often besides, for file systems that report no changes.
const POLL: Duration = Duration::from_secs(2);

/// A folder is read only when nothing happened in it for this long, so that a file that is being
/// copied is read once and whole.
const QUIET: Duration = Duration::from_millis(50);

/// More than any component: what is larger is not read to its end.
const MAX_READ_BYTES: u64 = 512 * 1024 * 1024;

/// Watches `dir` until `stop` is cancelled. Files present at the start are installed first.
pub async fn run(registry: Arc<Registry>, dir: PathBuf, stop: CancellationToken) {
    let (poke, mut poked) = mpsc::channel(1);
    // The watcher only says that something happened; what, the folder itself tells. It stops
    // when it is dropped, at the end of this function.
    let _watcher = watcher(&dir, RecursiveMode::NonRecursive, poke)
        .inspect_err(|error| {
            tracing::warn!(dir = %dir.display(), "changes are found by looking every 2 s: {error}");
        })
        .ok();
    let mut folder = Folder::new(dir);
    loop {
        folder.look(&registry).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(POLL) => {}
            Some(()) = poked.recv() => {
                while let Ok(Some(())) = tokio::time::timeout(QUIET, poked.recv()).await {}
            }
        }
    }
}

/// Pokes whenever something happened in `dir`, for as long as the watcher lives.
///
/// # Errors
/// The file system reports no changes.
pub fn watcher(
    dir: &Path,
    mode: RecursiveMode,
    poke: mpsc::Sender<()>,
) -> notify::Result<notify::RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // Full means that a look is due already.
            let _ = poke.try_send(());
        }
    })?;
    watcher.watch(dir, mode)?;
    Ok(watcher)
}

/// What is known of the folder's files.
struct Folder {
    dir: PathBuf,
    /// Files as they were when they were last dealt with.
    seen: BTreeMap<PathBuf, Stamp>,
    /// Refusals that were reported, by content and kind: each is said once.
    reported: HashSet<(Vec<u8>, &'static str)>,
    /// Whether it was reported that the folder cannot be read.
    unreadable: bool,
}

/// Tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Option<Self>> {
        let metadata = fs::metadata(path)?;
        Ok(metadata.is_file().then(|| Self {
            inode: metadata.ino(),
            bytes: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }))
    }
}

impl Folder {
    fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            seen: BTreeMap::new(),
            reported: HashSet::new(),
            unreadable: false,
        }
    }

    /// Installs what is new or changed.
    async fn look(&mut self, registry: &Registry) {
        let files = match component_files(&self.dir) {
            Ok(files) => files,
            Err(error) => {
                if !std::mem::replace(&mut self.unreadable, true) {
                    tracing::error!(dir = %self.dir.display(), "the watched folder cannot be read: {error}");
                }
                return;
            }
        };
        self.unreadable = false;

        self.seen.retain(|path, _| {
            let stays = files.contains(path);
            if !stays {
                tracing::info!(
                    file = %path.display(),
                    "the file is gone; what it installed stays (`valetkey connector remove` removes it)"
                );
            }
            stays
        });
        for path in files {
            self.take_up(registry, path).await;
        }
    }

    async fn take_up(&mut self, registry: &Registry, path: PathBuf) {
        let Ok(Some(stamp)) = Stamp::of(&path) else { return };
        if self.seen.get(&path) == Some(&stamp) {
            return;
        }
        let whole = {
            let path = path.clone();
            tokio::task::spawn_blocking(move || read_whole(&path, stamp)).await
        };
        // A file that changed while it was read is read again at the next look.
        let Ok(Ok(Some(bytes))) = whole else { return };
        let content = digest::digest(&digest::SHA256, &bytes).as_ref().to_vec();

        match registry.install(bytes, &Actor::Operator).await {
            Ok(_) => {
                self.seen.insert(path, stamp);
            }
            Err(fault) => {
                if !is_passing(&fault) {
                    self.seen.insert(path.clone(), stamp);
                }
                if self.reported.insert((content, fault.kind().as_str())) {
                    tracing::warn!(
                        file = %path.display(),
                        "refused, and what served before goes on serving: {}",
                        complaints(&fault)
                    );
                }
            }
        }
    }
}

/// Whether the fault is the host's own and not the file's: then the same file is tried again.
fn is_passing(fault: &Fault) -> bool {
    matches!(
        fault.kind(),
        Kind::StoreUnavailable | Kind::Internal | Kind::Overloaded
    )
}

fn component_files(dir: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            files.insert(path);
        }
    }
    Ok(files)
}

fn read_whole(path: &Path, stamp: Stamp) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MAX_READ_BYTES)
        .read_to_end(&mut bytes)?;
    Ok((Stamp::of(path)? == Some(stamp)).then_some(bytes))
}
