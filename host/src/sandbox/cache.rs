//! Compiled code on the disk: `<digest of the component's code>-<code hash>.cwasm` in a folder that
//! only the owner can read. An artifact is machine code, so each carries a MAC under a key of the folder; one that
//! does not verify is ignored and made anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_lc_rs::hmac;

use crate::random;

const KEY_FILE: &str = "key";
const KEY_BYTES: usize = 32;
const MAC_BYTES: usize = 32;

/// The folder.
pub(super) struct Cache {
    dir: PathBuf,
    key: hmac::Key,
}

impl Cache {
    /// Opens the folder, making it if need be. Artifacts for other code hashes and
    /// left-overs of interrupted writes are removed.
    pub(super) fn open(dir: &Path, code_hash: &str) -> anyhow::Result<Self> {
        let named = || format!("the folder of compiled code, {}", dir.display());
        fs::create_dir_all(dir).with_context(named)?;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).with_context(named)?;
        let key = open_key(&dir.join(KEY_FILE)).with_context(named)?;
        let cache = Self {
            dir: dir.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
        };
        cache.tidy(code_hash).with_context(named)?;
        Ok(cache)
    }

    fn tidy(&self, code_hash: &str) -> io::Result<()> {
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let kept = name == KEY_FILE || name.ends_with(&format!("-{code_hash}.cwasm"));
            if !kept {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn path(&self, digest: &str, code_hash: &str) -> PathBuf {
        self.dir.join(format!("{digest}-{code_hash}.cwasm"))
    }

    /// The artifact, if there is one and it is ours, unchanged.
    pub(super) fn load(&self, digest: &str, code_hash: &str) -> Option<Vec<u8>> {
        let path = self.path(digest, code_hash);
        let mut bytes = fs::read(&path).ok()?;
        let artifact = bytes.len().checked_sub(MAC_BYTES)?;
        if self.verifies(digest, code_hash, &bytes[..artifact], &bytes[artifact..]) {
            bytes.truncate(artifact);
            return Some(bytes);
        }
        tracing::warn!(
            path = %path.display(),
            "compiled code on the disk is damaged or not ours; it is ignored and compiled anew"
        );
        None
    }

    /// Keeps an artifact: written beside, synced, renamed.
    pub(super) fn store(&self, digest: &str, code_hash: &str, artifact: &[u8]) -> io::Result<()> {
        let path = self.path(digest, code_hash);
        let beside = self.dir.join(format!("{}.tmp", random::token()));
        let written = (|| {
            let mut file = create_new(&beside)?;
            file.write_all(artifact)?;
            file.write_all(self.sign(digest, code_hash, artifact).as_ref())?;
            file.sync_all()?;
            fs::rename(&beside, &path)?;
            File::open(&self.dir)?.sync_all()
        })();
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    }

    fn sign(&self, digest: &str, code_hash: &str, artifact: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [digest.as_bytes(), code_hash.as_bytes()] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.update(artifact);
        context.sign()
    }

    fn verifies(&self, digest: &str, code_hash: &str, artifact: &[u8], mac: &[u8]) -> bool {
        let expected = self.sign(digest, code_hash, artifact);
        aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_ref(), mac).is_ok()
    }
}

/// The folder's key. A missing or unusable one is replaced, which only costs compiling anew.
fn open_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    match File::open(path) {
        Ok(mut file) => {
            let private = file.metadata()?.permissions().mode() & 0o077 == 0;
            if private && file.read_exact(&mut key).is_ok() {
                return Ok(key);
            }
            fs::remove_file(path)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    random::fill(&mut key);
    let mut file = create_new(path)?;
    file.write_all(&key)?;
    file.sync_all()?;
    Ok(key)
}

fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}
