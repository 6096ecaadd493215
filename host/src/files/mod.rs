//! Files on their way between callers and vendors. Their bytes pass through the host and through
//! no guest: a guest holds an id, and says which request sends the bytes or keeps them.
//!
//! A spool and no archive: every file belongs to one environment, and to one of its users where a
//! call made it or the uploader said so; it expires, and what is kept at once has a limit. On the
//! disk a file is sealed under a key of its own, which is sealed by the vault (`seal`, `facts`).
//!
//! Called by `api` (upload and download), by `call` (which ids a call may name), and through the
//! [`Shelf`] of a call by `capability` and `egress`.

mod facts;
mod seal;
mod transfer;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config;
use crate::error::{Fault, Kind, Retry};
use crate::id::{EnvironmentId, FileId};
use crate::vault::Vault;

pub use facts::Facts;
pub use transfer::{Reader, Writer};

/// How often what has expired is looked for.
const SWEEP: Duration = Duration::from_secs(30);

/// The spool.
pub struct Files {
    folder: PathBuf,
    vault: Arc<Vault>,
    clock: Clock,
    settings: config::Files,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    files: HashMap<FileId, Arc<Facts>>,
    /// Bytes per environment, those that are still being written included.
    used: HashMap<EnvironmentId, u64>,
}

/// Why bytes were not kept.
#[derive(Debug, thiserror::Error)]
pub enum Full {
    /// One file is larger than a file may be.
    #[error("a file may have {0} bytes")]
    File(u64),
    /// The environment holds as much as it may.
    #[error("the files of one environment may have {0} bytes together")]
    Environment(u64),
    /// The disk.
    #[error("the spool folder cannot be written")]
    Disk(#[from] io::Error),
}

impl From<Full> for Fault {
    fn from(full: Full) -> Self {
        match full {
            Full::File(limit) => Self::new(
                Kind::InvalidInput,
                format!("The file is larger than the {limit} bytes that a file may have here (`files.max_file_bytes`)."),
            )
            .reason("file_too_large"),
            Full::Environment(limit) => Self::new(
                Kind::Overloaded,
                format!(
                    "The files of this environment take up the {limit} bytes that they may. Delete some, or wait until they expire."
                ),
            )
            .reason("files_full")
            .retry(Retry::Later),
            Full::Disk(error) => Self::new(
                Kind::StoreUnavailable,
                "The host could not keep the file. Try again later; the operator looks at the disk.",
            )
            .because(error),
        }
    }
}

impl Files {
    /// Opens the spool in `folder`: what is whole and in time is there again, all else goes.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(
        folder: PathBuf,
        vault: Arc<Vault>,
        settings: config::Files,
        clock: Clock,
    ) -> io::Result<Arc<Self>> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let files = Self {
            folder,
            vault,
            clock,
            settings,
            held: Mutex::default(),
        };
        let known = facts::read_all(&files.folder, &files.vault)?;
        {
            let mut held = files.held();
            for facts in known {
                *held.used.entry(facts.environment.clone()).or_default() += facts.size;
                held.files.insert(facts.id.clone(), Arc::new(facts));
            }
        }
        files.expire();
        files.remove_strangers()?;
        Ok(Arc::new(files))
    }

    /// Takes expired files away until told to stop.
    pub async fn keep_swept(self: Arc<Self>, stop: CancellationToken) {
        while stop
            .run_until_cancelled(tokio::time::sleep(SWEEP))
            .await
            .is_some()
        {
            self.expire();
        }
    }

    /// Begins a file of an environment, and of one of its users when `owner` says so.
    #[must_use]
    pub fn begin(
        self: &Arc<Self>,
        environment: &EnvironmentId,
        owner: Option<&str>,
        name: &str,
        content_type: &str,
    ) -> Writer {
        self.expire();
        let now = self.now_ms();
        let lifetime = i64::try_from(self.settings.keep_seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
        let facts = Facts {
            id: FileId::generate(),
            environment: environment.clone(),
            owner: owner.map(str::to_owned),
            name: facts::plain_name(name),
            content_type: facts::plain_type(content_type),
            size: 0,
            sha256: String::new(),
            created_at_ms: now,
            expires_at_ms: now.saturating_add(lifetime),
            key: seal::new_key(),
        };
        Writer::begin(Arc::clone(self), facts)
    }

    /// The shelf of a user of an environment.
    ///
    /// # Errors
    /// The environment has no key.
    pub fn shelf(self: &Arc<Self>, environment: &EnvironmentId, identifier: &str) -> Result<Shelf, Fault> {
        let digest = self
            .vault
            .blind(environment, &[b"files", identifier.as_bytes()])?;
        let owner: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Shelf {
            files: Arc::clone(self),
            environment: environment.clone(),
            owner: owner.into(),
        })
    }

    /// The file of an id, if this environment and this user may have it. `owner` is none for the
    /// environment's own callers, who may have all of its files.
    ///
    /// # Errors
    /// `not_found`, the same for a file of somebody else as for none.
    pub fn find(
        &self,
        environment: &EnvironmentId,
        owner: Option<&str>,
        id: &str,
    ) -> Result<Arc<Facts>, Fault> {
        let facts = FileId::new(id)
            .ok()
            .and_then(|id| self.held().files.get(&id).map(Arc::clone));
        let now = self.now_ms();
        facts
            .filter(|facts| {
                let theirs = match (&facts.owner, owner) {
                    (Some(of_file), Some(asking)) => of_file == asking,
                    _ => true,
                };
                theirs && facts.environment == *environment && now < facts.expires_at_ms
            })
            .ok_or_else(|| {
                Fault::new(
                    Kind::NotFound,
                    "There is no such file for this account. Files expire: upload it again, or run the call that made it once more.",
                )
                .reason("no_such_file")
            })
    }

    /// The bytes of a file.
    #[must_use]
    pub fn read(&self, facts: &Facts) -> Reader {
        Reader::begin(self.bytes_of(&facts.id), facts)
    }

    /// Takes a file away.
    ///
    /// # Errors
    /// `not_found`.
    pub fn remove(&self, environment: &EnvironmentId, id: &str) -> Result<(), Fault> {
        let facts = self.find(environment, None, id)?;
        self.take_away(&facts);
        Ok(())
    }

    fn expire(&self) {
        let now = self.now_ms();
        let expired: Vec<_> = {
            let held = self.held();
            let files = held.files.values();
            files
                .filter(|facts| facts.expires_at_ms <= now)
                .cloned()
                .collect()
        };
        expired.iter().for_each(|facts| self.take_away(facts));
    }

    fn take_away(&self, facts: &Facts) {
        let held = self.held().files.remove(&facts.id).is_some();
        // The key first: without it the bytes are nothing.
        for path in [self.facts_of(&facts.id), self.bytes_of(&facts.id)] {
            if let Err(error) = fs::remove_file(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(path = %path.display(), %error, "a file of the spool could not be removed");
            }
        }
        if held {
            self.release(&facts.environment, facts.size);
        }
    }

    /// What is left of uploads that were cut off.
    fn remove_strangers(&self) -> io::Result<()> {
        let held = self.held();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let known = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .and_then(|stem| FileId::new(stem).ok())
                .is_some_and(|id| held.files.contains_key(&id));
            if !known {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Takes room for `more` bytes of a file that has `size` already.
    fn reserve(&self, environment: &EnvironmentId, size: u64, more: u64) -> Result<(), Full> {
        let (file, all) = (self.settings.max_file_bytes, self.settings.max_environment_bytes);
        if size.saturating_add(more) > file {
            return Err(Full::File(file));
        }
        let mut held = self.held();
        let used = held.used.entry(environment.clone()).or_default();
        if used.saturating_add(more) > all {
            return Err(Full::Environment(all));
        }
        *used += more;
        Ok(())
    }

    fn release(&self, environment: &EnvironmentId, bytes: u64) {
        if let Some(used) = self.held().used.get_mut(environment) {
            *used = used.saturating_sub(bytes);
        }
    }

    fn bytes_of(&self, id: &FileId) -> PathBuf {
        self.folder.join(format!("{id}.bytes"))
    }

    fn facts_of(&self, id: &FileId) -> PathBuf {
        self.folder.join(format!("{id}.facts"))
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files that one call may name, and where those go that it keeps: one user's of one
/// environment, named by a key that says nothing about the user.
#[derive(Clone)]
pub struct Shelf {
    files: Arc<Files>,
    environment: EnvironmentId,
    owner: Arc<str>,
}

impl Shelf {
    /// A file of an id.
    ///
    /// # Errors
    /// `not_found`.
    pub fn lend(&self, id: &str) -> Result<Lent, Fault> {
        let facts = self.files.find(&self.environment, Some(&self.owner), id)?;
        Ok(Lent {
            files: Arc::clone(&self.files),
            facts,
        })
    }

    /// Begins a file.
    #[must_use]
    pub fn begin(&self, name: &str, content_type: &str) -> Writer {
        let owner = Some(&*self.owner);
        self.files.begin(&self.environment, owner, name, content_type)
    }
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Shelf")
    }
}

/// A file that a request may send.
#[derive(Clone)]
pub struct Lent {
    files: Arc<Files>,
    /// What is known of it.
    pub facts: Arc<Facts>,
}

impl Lent {
    /// Its bytes, from the beginning.
    #[must_use]
    pub fn read(&self) -> Reader {
        self.files.read(&self.facts)
    }
}

impl std::fmt::Debug for Lent {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Lent({})", self.facts.id)
    }
}
