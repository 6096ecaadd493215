//! Writing and reading one file. The disk is worked on threads of its own, a few pieces ahead at
//! most: what a transfer holds in memory does not grow with the file.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_lc_rs::digest::{self, SHA256};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::seal::{PIECE, Pieces};
use super::{Facts, Files, Full, facts};
use crate::secret::SecretBytes;

/// Pieces that wait between the disk and the other side.
const AHEAD: usize = 4;

/// What a writing thread is told; a channel that closes without an end is a file given up.
enum Told {
    Bytes(Bytes),
    End,
}

/// A file that is being written. Dropped before [`Writer::finish`], nothing of it stays.
pub struct Writer {
    files: Arc<Files>,
    facts: Option<Facts>,
    size: u64,
    told: mpsc::Sender<Told>,
    work: Option<JoinHandle<io::Result<Option<String>>>>,
}

impl Writer {
    pub(super) fn begin(files: Arc<Files>, facts: Facts) -> Self {
        let path = files.bytes_of(&facts.id);
        let (told, heard) = mpsc::channel(AHEAD);
        let key = facts.key.clone();
        let work = tokio::task::spawn_blocking(move || write(&path, &key, heard));
        Self {
            files,
            facts: Some(facts),
            size: 0,
            told,
            work: Some(work),
        }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// There is no room for them.
    pub async fn push(&mut self, bytes: Bytes) -> Result<(), Full> {
        let more = bytes.len() as u64;
        if let Some(facts) = &self.facts {
            self.files.reserve(&facts.environment, self.size, more)?;
        }
        self.size += more;
        if self.told.send(Told::Bytes(bytes)).await.is_err() {
            return Err(self.failure().await);
        }
        Ok(())
    }

    /// The file is whole: from here on it is there.
    ///
    /// # Errors
    /// The disk.
    pub async fn finish(mut self) -> Result<Arc<Facts>, Full> {
        if self.told.send(Told::End).await.is_err() {
            return Err(self.failure().await);
        }
        let Some(work) = self.work.take() else {
            return Err(gone().into());
        };
        let sha256 = work.await.map_err(io::Error::other)??.ok_or_else(gone)?;
        let Some(mut facts) = self.facts.take() else {
            return Err(gone().into());
        };
        (facts.size, facts.sha256) = (self.size, sha256);
        let files = Arc::clone(&self.files);
        let facts = tokio::task::spawn_blocking(move || {
            let written = facts::write(&files.facts_of(&facts.id), &facts, &files.vault);
            let facts = Arc::new(facts);
            match written {
                Ok(()) => {
                    files.held().files.insert(facts.id.clone(), Arc::clone(&facts));
                    Ok(facts)
                }
                Err(error) => {
                    files.take_away(&facts);
                    files.release(&facts.environment, facts.size);
                    Err(error)
                }
            }
        });
        Ok(facts.await.map_err(io::Error::other)??)
    }

    /// Why the writing thread hears nothing any more.
    async fn failure(&mut self) -> Full {
        match self.work.take() {
            Some(work) => match work.await {
                Ok(Err(error)) => error.into(),
                Ok(Ok(_)) => gone().into(),
                Err(error) => io::Error::other(error).into(),
            },
            None => gone().into(),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(facts) = &self.facts {
            self.files.release(&facts.environment, self.size);
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("the file was given up")
}

/// Seals what is told into `path` until the end; answers the digest. Without an end the file goes.
fn write(path: &Path, key: &SecretBytes, mut heard: mpsc::Receiver<Told>) -> io::Result<Option<String>> {
    let written = seal_into(path, key, &mut heard);
    if !matches!(written, Ok(Some(_))) {
        // It may not even have been made.
        let _ = fs::remove_file(path);
    }
    written
}

fn seal_into(path: &Path, key: &SecretBytes, heard: &mut mpsc::Receiver<Told>) -> io::Result<Option<String>> {
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let mut file = BufWriter::with_capacity(PIECE * 2, file);
    let mut pieces = Pieces::new(key)?;
    let mut digest = digest::Context::new(&SHA256);
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        let mut bytes = match heard.blocking_recv() {
            None => return Ok(None),
            Some(Told::End) => break,
            Some(Told::Bytes(bytes)) => bytes,
        };
        digest.update(&bytes);
        while !bytes.is_empty() {
            if piece.len() == PIECE {
                let full = std::mem::replace(&mut piece, Vec::with_capacity(PIECE));
                pieces.write(full, false, &mut file)?;
            }
            let room = (PIECE - piece.len()).min(bytes.len());
            piece.extend_from_slice(&bytes.split_to(room));
        }
    }
    pieces.write(piece, true, &mut file)?;
    file.flush()?;
    let digest = digest.finish();
    Ok(Some(
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
    ))
}

/// The bytes of a file, piece by piece.
pub struct Reader {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
}

impl Reader {
    pub(super) fn begin(path: PathBuf, facts: &Facts) -> Self {
        let (read, pieces) = mpsc::channel(AHEAD);
        let (key, size) = (facts.key.clone(), facts.size);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = open_from(&path, &key, size, &read) {
                // The reader may have gone away.
                let _ = read.blocking_send(Err(error));
            }
        });
        Self { pieces }
    }

    /// The next piece; none at the end.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        self.pieces.poll_recv(context)
    }
}

impl futures_util::Stream for Reader {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.poll_recv(context)
    }
}

fn open_from(
    path: &Path,
    key: &SecretBytes,
    size: u64,
    read: &mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let mut file = BufReader::with_capacity(PIECE * 2, File::open(path)?);
    let mut pieces = Pieces::new(key)?;
    let mut left = size;
    loop {
        let last = left <= PIECE as u64;
        let plain = if last {
            usize::try_from(left).map_err(io::Error::other)?
        } else {
            PIECE
        };
        let piece = pieces.read(plain, last, &mut file)?;
        left -= plain as u64;
        if read.blocking_send(Ok(piece.into())).is_err() || last {
            return Ok(());
        }
    }
}
