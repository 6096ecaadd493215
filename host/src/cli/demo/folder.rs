//! The demo's data folder: a temporary one, or one that an earlier demo made.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::random;

/// Marks a data folder as a demo's, and keeps what must stay the same when it is used again.
const NOTE: &str = "demo.json";

/// What the note holds.
#[derive(Serialize, Deserialize)]
pub(super) struct Note {
    /// The connections in the store name this port.
    pub(super) simulator_port: u16,
}

/// The folder; a temporary one is removed with its key when this is dropped.
pub(super) struct Folder {
    pub(super) data_dir: PathBuf,
    /// What an earlier demo noted; none in a new folder.
    pub(super) note: Option<Note>,
    temporary: Option<PathBuf>,
}

impl Folder {
    /// Takes `given`, which must be new, empty or a demo's own, or makes a temporary folder.
    pub(super) fn open(given: Option<PathBuf>) -> anyhow::Result<Self> {
        let Some(data_dir) = given else {
            let parent = std::env::temp_dir().join(format!("valetkey-demo-{}", random::token()));
            DirBuilder::new()
                .mode(0o700)
                .create(&parent)
                .with_context(|| format!("{} cannot be made", parent.display()))?;
            return Ok(Self {
                // The root key lies beside the data folder, so both go into one of ours.
                data_dir: parent.join("data"),
                note: None,
                temporary: Some(parent),
            });
        };
        let note = read(&data_dir)?;
        if note.is_none() && data_dir.join("store").exists() {
            bail!(
                "{} is the data folder of another host; the demo uses only folders of its own. Give another --data-dir, or none",
                data_dir.display()
            );
        }
        Ok(Self {
            data_dir,
            note,
            temporary: None,
        })
    }

    /// Marks the folder as a demo's.
    pub(super) fn write(&mut self, note: Note) -> anyhow::Result<()> {
        let path = self.data_dir.join(NOTE);
        fs::write(&path, serde_json::to_vec(&note)?)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        self.note = Some(note);
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(parent) = &self.temporary {
            // What cannot be removed stays in the folder for temporary files.
            drop(fs::remove_dir_all(parent));
        }
    }
}

fn read(data_dir: &Path) -> anyhow::Result<Option<Note>> {
    let path = data_dir.join(NOTE);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .with_context(|| format!("{} is damaged", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_another_host_is_refused_and_a_demos_own_is_used_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let data_dir = dir.path().join("data");
        let mut folder = Folder::open(Some(data_dir.clone())).expect("a new folder");
        fs::create_dir_all(data_dir.join("store")).expect("a store");
        assert!(Folder::open(Some(data_dir.clone())).is_err());
        folder
            .write(Note {
                simulator_port: 4_711,
            })
            .expect("written");
        let again = Folder::open(Some(data_dir)).expect("a demo's folder");
        assert_eq!(again.note.as_ref().map(|note| note.simulator_port), Some(4_711));
    }

    #[test]
    fn a_temporary_folder_goes_with_the_demo() {
        let folder = Folder::open(None).expect("a temporary folder");
        let parent = folder.data_dir.parent().expect("a parent").to_owned();
        assert!(parent.is_dir());
        drop(folder);
        assert!(!parent.exists());
    }
}
