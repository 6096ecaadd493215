//! The journal's files: one after the other, each at most `journal.file_bytes` long, readable by
//! the owner only, removed after `journal.keep_days`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::config;

/// The file that is written now.
pub(super) struct JournalFile {
    dir: PathBuf,
    file: File,
    written_bytes: u64,
    max_bytes: u64,
    keep: SignedDuration,
    clock: Clock,
}

impl JournalFile {
    /// Begins a new file: a torn last line of a crash stays at the end of the old one.
    pub(super) fn open(dir: &Path, settings: &config::Journal, clock: Clock) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let keep = SignedDuration::from_hours(i64::from(settings.keep_days) * 24);
        let file = create(dir, clock.now())?;
        let journal = Self {
            dir: dir.to_owned(),
            file,
            written_bytes: 0,
            max_bytes: settings.file_bytes,
            keep,
            clock,
        };
        journal.remove_expired();
        Ok(journal)
    }

    /// Appends whole lines; they are on the disk when this returns.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.written_bytes > self.max_bytes {
            self.file = create(&self.dir, self.clock.now())?;
            self.written_bytes = 0;
            self.remove_expired();
        }
        self.file.write_all(lines)?;
        self.file.sync_data()?;
        self.written_bytes += lines.len() as u64;
        Ok(())
    }

    fn remove_expired(&self) {
        let Ok(oldest) = self.clock.now().checked_sub(self.keep) else {
            return;
        };
        let Ok(entries) = fs::read_dir(&self.dir) else {
            return;
        };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let modified = fs::metadata(&path).and_then(|facts| facts.modified()).ok();
            let modified = modified.and_then(|time| Timestamp::try_from(time).ok());
            if modified.is_some_and(|modified| modified < oldest)
                && let Err(error) = fs::remove_file(&path)
            {
                tracing::warn!(path = %path.display(), %error, "an old journal file could not be removed");
            }
        }
    }
}

/// Names sort by time; a number tells files of one millisecond apart.
fn create(dir: &Path, now: Timestamp) -> io::Result<File> {
    for number in 0..1_000 {
        let path = dir.join(format!("{:014}-{number:03}.jsonl", now.as_millisecond()));
        match OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
        {
            Ok(file) => {
                File::open(dir)?.sync_all()?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(
        "a thousand journal files within one millisecond",
    ))
}
