//! The journal's one writer: takes the lines that gathered, writes them as one group, and
//! acknowledges changes after the disk has them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use super::file::JournalFile;

/// Bytes that may wait for the disk before callers wait for it.
const MAX_PENDING_BYTES: usize = 16 * 1024 * 1024;

/// Lines on their way to the writer. Adding one is a copy into a buffer: the call path wakes
/// nobody but for the first line of a group.
#[derive(Default)]
pub(super) struct Inbox {
    pending: Mutex<Pending>,
    /// The group's first line is there.
    begun: Notify,
    /// Somebody waits for the disk, so the group is not held back.
    urgent: Notify,
    /// A group was taken, so there is room.
    taken: Notify,
}

#[derive(Default)]
struct Pending {
    group: Group,
    /// Nothing is taken from here on.
    closed: bool,
}

/// What is written at once.
#[derive(Default)]
struct Group {
    lines: Vec<u8>,
    waiting: Vec<oneshot::Sender<bool>>,
}

impl Group {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.waiting.is_empty()
    }
}

/// The journal takes nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed;

impl Inbox {
    /// Adds a line for the next group.
    pub(super) fn add(&self, line: &[u8]) -> Result<(), Closed> {
        let mut pending = self.lock();
        if pending.closed {
            return Err(Closed);
        }
        let first = pending.group.is_empty();
        pending.group.lines.extend_from_slice(line);
        drop(pending);
        if first {
            self.begun.notify_one();
        }
        Ok(())
    }

    /// Waits while more is pending than memory should hold: the disk is far behind.
    pub(super) async fn room(&self) {
        while self.lock().group.lines.len() > MAX_PENDING_BYTES {
            let taken = self.taken.notified();
            if self.lock().group.lines.len() <= MAX_PENDING_BYTES {
                return;
            }
            taken.await;
        }
    }

    /// Adds a line (or nothing) and waits until all that is pending is on the disk; whether it is.
    pub(super) async fn add_and_wait(&self, line: &[u8]) -> bool {
        let (done, written) = oneshot::channel();
        {
            let mut pending = self.lock();
            if pending.closed {
                return false;
            }
            pending.group.lines.extend_from_slice(line);
            pending.group.waiting.push(done);
        }
        self.begun.notify_one();
        self.urgent.notify_one();
        written.await.unwrap_or(false)
    }

    /// Nothing more is taken; the writer ends when it has written what is there.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.begun.notify_one();
        self.urgent.notify_one();
    }

    /// The next group; none when nothing is there and nothing will be.
    fn take(&self) -> Option<Group> {
        let mut pending = self.lock();
        let group = std::mem::take(&mut pending.group);
        let ended = pending.closed && group.is_empty();
        drop(pending);
        self.taken.notify_waiters();
        (!ended).then_some(group)
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes groups until the journal is closed: a group is what gathers within `commit`, or until
/// somebody waits for it.
pub(super) async fn run(inbox: Arc<Inbox>, mut file: JournalFile, commit: Duration) {
    loop {
        inbox.begun.notified().await;
        tokio::select! {
            biased;
            () = inbox.urgent.notified() => {}
            () = tokio::time::sleep(commit) => {}
        }
        let Some(group) = inbox.take() else { return };
        if group.is_empty() {
            continue;
        }
        let written = tokio::task::spawn_blocking(move || {
            let result = file.append(&group.lines);
            (file, result)
        })
        .await;
        let Ok((returned, result)) = written else {
            tracing::error!("the journal's writer crashed; no change is acknowledged from here on");
            let mut pending = inbox.lock();
            pending.closed = true;
            // Those who wait learn it by their dropped channels.
            pending.group.waiting.clear();
            return;
        };
        file = returned;
        if let Err(error) = &result {
            tracing::error!(%error, "the journal cannot be written");
        }
        for done in group.waiting {
            // The one who waited may have gone away; the line stays.
            let _ = done.send(result.is_ok());
        }
    }
}
