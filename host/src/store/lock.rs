//! The lock of a data folder: one host at a time, and the folder is its owner's alone.
//!
//! Taken by `Runtime::open` and by commands that work on a stopped host's folder, before
//! anything in it is opened. The file stays when the lock goes: only the kernel's lock on it
//! counts, and that ends with the process, however it ends.

use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Held for as long as the folder is in use.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

/// Why the folder cannot be used.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "another host is using {0}; stop it first, or give this one a data folder of its own (`storage.data_dir`)"
    )]
    InUse(PathBuf),
    /// There is no such folder.
    #[error("there is no data folder {0}; `valetkey init` makes one")]
    Missing(PathBuf),
    /// The disk failed or refused.
    #[error("the data folder {path} cannot be locked")]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl FolderLock {
    /// Locks an existing data folder and takes it away from everybody else's eyes (0700).
    ///
    /// # Errors
    /// Another host has it, it does not exist, or the disk refuses.
    pub fn take(data_dir: &Path) -> Result<Self, LockError> {
        let io = |source| LockError::Io {
            path: data_dir.to_owned(),
            source,
        };
        if !data_dir.is_dir() {
            return Err(LockError::Missing(data_dir.to_owned()));
        }
        std::fs::set_permissions(data_dir, Permissions::from_mode(0o700)).map_err(io)?;

        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(data_dir.join("lock"))
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::InUse(data_dir.to_owned())),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

/// Makes a folder, and those above it, that only the owner can enter.
///
/// # Errors
/// The disk refuses.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}
