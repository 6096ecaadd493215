//! `operator.json` in the data folder (0600): where the host listens and the operator's client,
//! so that commands on the host's own machine need no options.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// What the file holds.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Operator {
    /// `http://127.0.0.1:port` where the host was last served.
    pub(super) base_url: String,
    /// The operator's client.
    pub(super) client_id: String,
    /// Its secret.
    pub(super) client_secret: String,
}

impl Operator {
    pub(super) fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("operator.json")
    }

    /// Reads the file; none when there is no such file.
    pub(super) fn read(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let path = Self::path(data_dir);
        match fs::read(&path) {
            Ok(bytes) => {
                let operator = serde_json::from_slice(&bytes);
                operator
                    .map(Some)
                    .with_context(|| format!("{} is damaged", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }

    /// Writes the file whole, readable by its owner alone from its first byte.
    pub(super) fn write(&self, data_dir: &Path) -> anyhow::Result<()> {
        let path = Self::path(data_dir);
        let aside = path.with_extension("json.part");
        let written = (|| {
            let _ = fs::remove_file(&aside);
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&aside)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            fs::rename(&aside, &path)
        })();
        written.with_context(|| format!("{} cannot be written", path.display()))
    }
}
