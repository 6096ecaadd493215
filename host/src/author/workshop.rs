//! A connector's folder while it is being written: what changed, and the component of now, by the
//! shortest way. A change of data alone is put into the code that was built before.
//!
//! Called by `valetkey dev`. Blocks for as long as the compiler runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tokio::sync::mpsc;
use valetkey_manifest::Manifest;

use crate::manifest::build::{self, BuildError, Step};
use crate::manifest::{self, FILE};
use crate::registry::watch;

/// JSON that decides what the code is.
const CODE_IN_JSON: [&str; 3] = ["package.json", "package-lock.json", "tsconfig.json"];
/// What a build itself writes beside the code, so that it is no change to build again for.
const MADE_BY_BUILDS: [&str; 4] = ["Cargo.lock", "package-lock.json", "inputs.d.ts", "inputs.py"];
/// Folders that hold nothing of a connector's source.
const NOT_SOURCE: [&str; 4] = ["target", "node_modules", "tests", "__pycache__"];
/// What a host's data folder has, whatever it is called. It changes with every call, and `dev` makes it
/// in the folder that it is started in.
const DATA_FOLDER: [&str; 2] = ["store", "journal"];
/// Ends of names that no source has: what a program writes while it runs, and root keys.
const NOT_SOURCE_ENDS: [&str; 3] = ["log", "pid", "key"];

/// The folder.
pub struct Workshop {
    dir: PathBuf,
    out: PathBuf,
    /// Files as they were when the component was last made, or tried.
    seen: BTreeMap<PathBuf, Stamp>,
    /// The last component that was built, without its manifest.
    code: Option<Vec<u8>>,
}

/// Tells one state of a file from another without reading it.
type Stamp = (Option<SystemTime>, u64);

/// A component that was made.
pub struct Made {
    /// What it declares, its version marked as one of this session.
    pub manifest: Manifest,
    /// Its bytes.
    pub component: Vec<u8>,
    /// Whether the code was built before and stayed.
    pub repacked: bool,
}

impl Workshop {
    /// The folder `dir`, whose components go to `out`.
    #[must_use]
    pub fn new(dir: &Path, out: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            out: out.to_owned(),
            seen: BTreeMap::new(),
            code: None,
        }
    }

    /// Whether a file is not as it was when the component was last made.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.files() != self.seen
    }

    /// Makes the component of the folder as it is now. `mark` tells its version from the others of
    /// the session: the same version never has two contents.
    ///
    /// # Errors
    /// What is wrong, in the compiler's own words where it is the code.
    pub fn make(&mut self, mark: &str, progress: &mut dyn FnMut(Step)) -> Result<Made, BuildError> {
        let now = self.files();
        let before = std::mem::replace(&mut self.seen, now);
        let same_code = code_of(&before).eq(code_of(&self.seen));
        let (mut manifest, code, repacked) = match self.code.take().filter(|_| same_code) {
            Some(code) => {
                // It stays good when the manifest is not.
                let code = self.code.insert(code).clone();
                (build::acceptable(&self.dir)?, code, true)
            }
            None => {
                let built = build::build(&self.dir, &self.out, progress);
                self.see_what_was_made();
                let built = built?;
                let bytes = fs::read(&built.path).map_err(|source| BuildError::Io {
                    path: built.path.clone(),
                    source,
                })?;
                let code = manifest::code(&bytes).map_err(BuildError::Embed)?;
                self.code = Some(code.clone());
                (built.manifest, code, false)
            }
        };
        manifest.connector.version = marked(&manifest.connector.version, mark);
        let component = manifest::embed(&code, &manifest).map_err(BuildError::Embed)?;
        Ok(Made {
            manifest,
            component,
            repacked,
        })
    }

    /// Pokes when something happens in the folder; none when the file system does not tell, and
    /// only looking helps.
    #[must_use]
    pub fn watch(&self, poke: mpsc::Sender<()>) -> Option<notify::RecommendedWatcher> {
        watch::watcher(&self.dir, notify::RecursiveMode::Recursive, poke).ok()
    }

    fn see_what_was_made(&mut self) {
        let now = self.files();
        let made = |path: &Path| MADE_BY_BUILDS.iter().any(|name| path == self.dir.join(name));
        self.seen.extend(now.into_iter().filter(|(path, _)| made(path)));
    }

    fn files(&self) -> BTreeMap<PathBuf, Stamp> {
        let mut files = BTreeMap::new();
        gather(&self.dir, &mut files);
        files
    }
}

/// A version of this session: `1.2.0-dev7`, `2.0.0-beta.1.dev7`.
fn marked(version: &str, mark: &str) -> String {
    let version = version.split('+').next().unwrap_or_default();
    let joint = if version.contains('-') { '.' } else { '-' };
    format!("{version}{joint}dev{mark}")
}

/// The files that decide what the code is: all but the manifest and what it takes in.
fn code_of(files: &BTreeMap<PathBuf, Stamp>) -> impl Iterator<Item = (&PathBuf, &Stamp)> {
    let is_data = |path: &Path| {
        let is_code = CODE_IN_JSON.iter().any(|name| path.ends_with(name));
        path.ends_with(FILE) || ends(path, "md") || (ends(path, "json") && !is_code)
    };
    files.iter().filter(move |(path, _)| !is_data(path))
}

fn gather(dir: &Path, files: &mut BTreeMap<PathBuf, Stamp>) {
    // What cannot be read is missed by the build, which says so.
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let Ok(metadata) = entry.metadata() else { continue };
        if name.starts_with('.') {
            continue;
        }
        if metadata.is_dir() {
            let is_data = || DATA_FOLDER.iter().all(|part| path.join(part).is_dir());
            if !NOT_SOURCE.contains(&&*name) && !is_data() {
                gather(&path, files);
            }
        } else if !NOT_SOURCE_ENDS.iter().any(|end| ends(&path, end)) {
            files.insert(path, (metadata.modified().ok(), metadata.len()));
        }
    }
}

fn ends(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_source_is_a_change() {
        let dir = tempfile::tempdir().expect("a folder");
        let put = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, "x").expect("written");
        };
        put("connector.toml");
        put("src/lib.rs");
        let mut workshop = Workshop::new(dir.path(), &dir.path().join("target"));
        workshop.seen = workshop.files();
        assert_eq!(workshop.seen.len(), 2);
        for other in [
            "target/connectors/acme.wasm",
            "node_modules/x/index.js",
            "tests/thing.http",
            "valetkey-data.key",
            "dev.log",
            ".connector.toml.swp",
        ] {
            put(other);
        }
        fs::create_dir_all(dir.path().join("anywhere/journal")).expect("a folder");
        put("anywhere/store/conf");
        assert!(!workshop.has_changed(), "a host's data folder has any name");
        put("Cargo.lock");
        put("src/more.rs");
        workshop.see_what_was_made();
        assert!(workshop.has_changed(), "what the build did not write is new");
        fs::remove_file(dir.path().join("src/more.rs")).expect("it was there");
        assert!(!workshop.has_changed(), "what it wrote is not");
        put("src/other.rs");
        assert!(workshop.has_changed());
    }
}
