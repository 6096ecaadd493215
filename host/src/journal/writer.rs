//! The journal's one writer: collects entries, writes them in groups, acknowledges changes after
//! the disk has them.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::file::JournalFile;

/// What the writer is given.
pub(super) enum Entry {
    /// A finished execution.
    Execution(Vec<u8>),
    /// A change, acknowledged with whether it is on the disk.
    Change(Vec<u8>, oneshot::Sender<bool>),
    /// Nothing to write: acknowledged when all before it is on the disk.
    Sync(oneshot::Sender<bool>),
}

impl Entry {
    fn is_waited_for(&self) -> bool {
        !matches!(self, Self::Execution(_))
    }
}

/// Most entries of one group.
const GROUP: usize = 4_096;

/// Writes until every sender is gone.
pub(super) async fn run(mut inbox: mpsc::Receiver<Entry>, mut file: JournalFile, commit: Duration) {
    let mut group = Vec::new();
    while inbox.recv_many(&mut group, GROUP).await > 0 {
        gather(&mut inbox, &mut group, commit).await;
        let mut bytes = Vec::new();
        let mut waiting = Vec::new();
        for entry in group.drain(..) {
            match entry {
                Entry::Execution(line) => bytes.extend_from_slice(&line),
                Entry::Change(line, done) => {
                    bytes.extend_from_slice(&line);
                    waiting.push(done);
                }
                Entry::Sync(done) => waiting.push(done),
            }
        }
        let written = tokio::task::spawn_blocking(move || {
            let result = file.append(&bytes);
            (file, result)
        })
        .await;
        let Ok((returned, result)) = written else {
            tracing::error!("the journal's writer crashed; no change is acknowledged from here on");
            return;
        };
        file = returned;
        if let Err(error) = &result {
            tracing::error!(%error, "the journal cannot be written");
        }
        for done in waiting {
            // The one who waited may have gone away; the line stays.
            let _ = done.send(result.is_ok());
        }
    }
}

/// Lets executions gather for up to `commit`; a change or sync ends the wait at once.
async fn gather(inbox: &mut mpsc::Receiver<Entry>, group: &mut Vec<Entry>, commit: Duration) {
    let until = Instant::now() + commit;
    let mut someone_waits = group.iter().any(Entry::is_waited_for);
    while !someone_waits && group.len() < GROUP {
        match tokio::time::timeout_at(until, inbox.recv()).await {
            Ok(Some(entry)) => {
                someone_waits = entry.is_waited_for();
                group.push(entry);
            }
            Ok(None) | Err(_) => return,
        }
    }
}
