//! The ways by which the embedded store brings bytes to the disk, as a seam: tests give a
//! disk that fails or loses its power.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Where the store lies.
pub trait Disk: Send {
    /// Brings what was written to the log to the disk: the last step of every commit.
    ///
    /// # Errors
    /// The disk refuses; what was written since the last success may be lost.
    fn sync_log(&mut self, log: &File) -> io::Result<()>;

    /// Brings a file, or the names in a folder, to the disk: once at opening.
    ///
    /// # Errors
    /// The disk refuses.
    fn sync_path(&mut self, path: &Path) -> io::Result<()>;

    /// How much may still be written to the disk that holds the log.
    ///
    /// # Errors
    /// The system does not say; writing goes on then.
    fn free_bytes(&mut self, log: &File) -> io::Result<u64> {
        let disk = rustix::fs::fstatvfs(log)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// How long a caller waits for a commit before it is told that the disk does not answer.
    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }
}

/// The real one.
pub struct RealDisk;

impl Disk for RealDisk {
    fn sync_log(&mut self, log: &File) -> io::Result<()> {
        log.sync_data()
    }

    fn sync_path(&mut self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}
