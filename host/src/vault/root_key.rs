//! The root key and the file that holds it: 32 random bytes, mode 0600, made by `valetkey init`
//! alone.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::secret::SecretBytes;

/// The key that wraps every environment's key.
pub struct RootKey {
    /// 32 bytes.
    pub(super) bytes: SecretBytes,
}

/// Why there is no usable root key.
#[derive(Debug, Error)]
pub enum RootKeyError {
    /// No file.
    #[error(
        "there is no key file at {0}; `valetkey init` makes one for a new data folder, otherwise restore it from your backup"
    )]
    Missing(PathBuf),
    /// Others may read it.
    #[error(
        "the key file {path} has mode {mode:o}; others may read it: `chmod 600` it, and think about who has"
    )]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to someone else.
    #[error("the key file {0} belongs to another user")]
    NotOwned(PathBuf),
    /// It does not hold a key.
    #[error("the key file {0} does not hold a root key")]
    Malformed(PathBuf),
    /// A file is in the way, or a store exists already.
    #[error("{0} exists already; a key is never made over it")]
    Exists(PathBuf),
    /// The disk failed.
    #[error("the key file {path} cannot be read or written")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl RootKey {
    /// Makes a new key file; refuses when it exists.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn create(_path: &Path) -> Result<Self, RootKeyError> {
        todo!()
    }

    /// Reads the key file after checking its owner and mode.
    ///
    /// # Errors
    /// Missing, readable by others, not ours, or malformed.
    pub fn read(_path: &Path) -> Result<Self, RootKeyError> {
        todo!()
    }
}
