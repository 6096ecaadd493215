//! Component files: `components/<digest>.wasm`, named by their content and never changed in
//! place. A file is whole or absent: written aside, synced, renamed, and the folder synced.
//!
//! Called by the registry alone. It never reads a file back without its digest being compared.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The folder of component files.
pub(super) struct Components {
    dir: PathBuf,
}

impl Components {
    /// Opens or makes the folder.
    pub(super) fn open(dir: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&dir)?;
        Ok(Self { dir })
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.dir.join(format!("{digest}.wasm"))
    }

    /// Reads a component. The caller compares the digest of what it gets.
    pub(super) fn read(&self, digest: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(digest))
    }

    /// Keeps a component; on the disk when this returns. An earlier file of this name is
    /// replaced, which mends a damaged one.
    pub(super) fn write(&self, digest: &str, bytes: &[u8]) -> io::Result<()> {
        let aside = self.dir.join(format!("{digest}.part"));
        let mut file = File::create(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, self.path(digest))?;
        sync_dir(&self.dir)
    }

    /// Takes a component away; one that is gone already is fine.
    pub(super) fn delete(&self, digest: &str) -> io::Result<()> {
        match fs::remove_file(self.path(digest)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => sync_dir(&self.dir),
        }
    }

    /// Deletes what no record names: the leavings of an installation or removal that was cut off.
    pub(super) fn sweep(&self, wanted: &BTreeSet<String>) -> io::Result<()> {
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            let stem = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .unwrap_or_default();
            let leaving = match extension {
                Some("part") => true,
                Some("wasm") => !wanted.contains(stem),
                _ => false,
            };
            if leaving {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_off_installation_leaves_nothing_behind() {
        let folder = std::env::temp_dir().join(format!("valetkey-components-{}", uuid::Uuid::now_v7()));
        let components = Components::open(folder.clone()).unwrap();
        components.write("aa", b"kept").unwrap();
        components.write("bb", b"orphan").unwrap();
        fs::write(folder.join("cc.part"), b"half").unwrap();

        components.sweep(&BTreeSet::from(["aa".to_owned()])).unwrap();

        let left: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(left, ["aa.wasm"]);
        assert_eq!(components.read("aa").unwrap(), b"kept");
        fs::remove_dir_all(folder).unwrap();
    }
}
