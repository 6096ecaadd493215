//! The root key and the file that holds it: 32 random bytes, mode 0600, made by `valetkey init`
//! alone.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use zeroize::Zeroizing;

use super::seal::{self, RootKeyId};
use crate::random;
use crate::secret::SecretBytes;

/// The key that wraps every environment's key.
pub struct RootKey {
    /// 32 bytes.
    bytes: SecretBytes,
    id: RootKeyId,
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
    #[error("the key file {0} belongs to another user; run the host as its owner, or `chown` it")]
    NotOwned(PathBuf),
    /// It does not hold a key.
    #[error("the key file {0} does not hold a root key, or only a part of one; restore it from your backup")]
    Malformed(PathBuf),
    /// It holds the key of another store.
    #[error(
        "the key in {path} does not belong to the store in {store}; point `storage.key_file` at the key that was made with it, or restore that from your backup"
    )]
    OtherStore {
        /// The key file.
        path: PathBuf,
        /// The store's folder.
        store: PathBuf,
    },
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

const HEADER: &str = "# The root key of a Valetkey store, format 1. With it and the data folder every credential can be read: keep a copy of it, apart from the backups of the folder.";
const HEADER_START: &str = "# The root key of a Valetkey store, format 1.";

/// Lies in the store's folder, so that it goes where the store goes.
const NOTE: &str = "root-key-id";

/// No key file is longer.
const MAX_FILE_BYTES: u64 = 4096;

impl RootKey {
    /// Makes a new key file; refuses when it exists. Where there may be a store already, use
    /// [`RootKey::create_for`].
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn create(path: &Path) -> Result<Self, RootKeyError> {
        let io = |source: io::Error| match source.kind() {
            ErrorKind::AlreadyExists => RootKeyError::Exists(path.to_owned()),
            _ => RootKeyError::Io {
                path: path.to_owned(),
                source,
            },
        };
        let key = Self::new(SecretBytes::new(random::bytes::<32>().to_vec()));
        let text = Zeroizing::new(format!("{HEADER}\n{}\n", STANDARD.encode(key.bytes.expose())));

        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(io)?;
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| sync_folder_of(path));
        if let Err(error) = written {
            // Half a key file would only be in the way of the next attempt.
            drop(std::fs::remove_file(path));
            return Err(io(error));
        }
        Ok(key)
    }

    /// As [`RootKey::create`], and refuses when `store_dir` holds anything: a store without its
    /// key is opened by the old key from the backup, never by a new one.
    ///
    /// # Errors
    /// A store or the file exists, or the file cannot be written.
    pub fn create_for(path: &Path, store_dir: &Path) -> Result<Self, RootKeyError> {
        match std::fs::read_dir(store_dir).map(|mut entries| entries.next().is_some()) {
            Ok(true) => Err(RootKeyError::Exists(store_dir.to_owned())),
            Ok(false) => Self::create(path),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::create(path),
            Err(source) => Err(RootKeyError::Io {
                path: store_dir.to_owned(),
                source,
            }),
        }
    }

    /// Reads the key file after checking its owner and mode.
    ///
    /// # Errors
    /// Missing, readable by others, not ours, or malformed.
    pub fn read(path: &Path) -> Result<Self, RootKeyError> {
        let io = |source: io::Error| match source.kind() {
            ErrorKind::NotFound => RootKeyError::Missing(path.to_owned()),
            _ => RootKeyError::Io {
                path: path.to_owned(),
                source,
            },
        };
        let malformed = || RootKeyError::Malformed(path.to_owned());

        // Of the opened file, not of the path: nobody exchanges it in between.
        let file = File::open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if !metadata.is_file() {
            return Err(malformed());
        }
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(RootKeyError::NotOwned(path.to_owned()));
        }
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(RootKeyError::Readable {
                path: path.to_owned(),
                mode,
            });
        }

        let mut text = Zeroizing::new(Vec::new());
        file.take(MAX_FILE_BYTES).read_to_end(&mut text).map_err(io)?;
        let text = std::str::from_utf8(&text).map_err(|_| malformed())?;
        let (header, encoded) = text.split_once('\n').ok_or_else(malformed)?;
        let bytes = SecretBytes::new(STANDARD.decode(encoded.trim_end()).map_err(|_| malformed())?);
        if !header.starts_with(HEADER_START) || bytes.expose().len() != 32 {
            return Err(malformed());
        }
        Ok(Self::new(bytes))
    }

    /// As [`RootKey::read`], and refuses the key of another store than the one in `store_dir`,
    /// as far as [`RootKey::note_in`] has told: so that a wrong key is known before the store is
    /// opened, which by itself writes to it.
    ///
    /// # Errors
    /// As [`RootKey::read`], or the key of another store.
    pub fn read_for(path: &Path, store_dir: &Path) -> Result<Self, RootKeyError> {
        let key = Self::read(path)?;
        match std::fs::read_to_string(store_dir.join(NOTE)) {
            Ok(note) if is_note(&note) && note != key.note() => Err(RootKeyError::OtherStore {
                path: path.to_owned(),
                store: store_dir.to_owned(),
            }),
            // Without a note the key check value in the store decides.
            Ok(_) | Err(_) => Ok(key),
        }
    }

    /// Notes in the store's folder which key is its own; the note tells nothing of the key.
    pub(super) fn note_in(&self, store_dir: &Path) -> io::Result<()> {
        let path = store_dir.join(NOTE);
        let note = self.note();
        if std::fs::read_to_string(&path).is_ok_and(|noted| noted == note) {
            return Ok(());
        }
        let unfinished = store_dir.join("root-key-id.new");
        let mut file = File::create(&unfinished)?;
        file.write_all(note.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&unfinished, &path)?;
        sync_folder_of(&path)
    }

    fn note(&self) -> String {
        let hex = self.id.iter().map(|byte| format!("{byte:02x}"));
        hex.chain(["\n".to_owned()]).collect()
    }

    fn new(bytes: SecretBytes) -> Self {
        let id = seal::derive(bytes.expose(), &[], &[b"valetkey/root-key-id/1"]);
        Self { bytes, id: *id }
    }

    /// Names the key without telling anything of it.
    pub(super) fn id(&self) -> RootKeyId {
        self.id
    }

    /// Seals under the root key itself: the key check value and environment keys.
    pub(super) fn seal(&self, place: &[u8], plain: &[u8]) -> Vec<u8> {
        seal::seal(self.bytes.expose(), 0, self.id, place, plain)
    }

    /// Opens what [`RootKey::seal`] made for the same place; none otherwise.
    pub(super) fn open(&self, place: &[u8], sealed: &[u8]) -> Option<SecretBytes> {
        seal::open(self.bytes.expose(), place, sealed)
    }
}

fn is_note(text: &str) -> bool {
    let id = text.strip_suffix('\n').unwrap_or_default();
    id.len() == 2 * size_of::<RootKeyId>() && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
