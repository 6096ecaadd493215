//! The `tests` folder of a connector: its cases, and what holds for all of them.
//!
//! Called by the command line. `tests.toml` in the folder is optional.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::case::{Case, CaseError, EXTENSION};

/// The folder's name.
pub const FOLDER: &str = "tests";
/// Name of the file with what holds for all cases.
const SETTINGS: &str = "tests.toml";

/// The cases of a connector.
#[derive(Debug, Clone, Default)]
pub struct Suite {
    /// The folder.
    pub dir: PathBuf,
    /// By name.
    pub cases: Vec<Case>,
    /// What holds for all of them.
    pub settings: Settings,
}

/// `tests/tests.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The vendor's own specification, relative to the folder: OpenAPI 3 or Google discovery, JSON.
    pub spec: Option<PathBuf>,
    /// The account's configuration; the manifest's examples where it says nothing.
    pub config: BTreeMap<String, String>,
    /// Made-up inputs of the credential, where the manifest wants a certain form of them.
    pub credential: BTreeMap<String, String>,
}

/// Why there is no suite.
#[derive(Debug, Error)]
pub enum SuiteError {
    /// The folder is missing or empty.
    #[error(
        "{} holds no cases (*.{EXTENSION}); write one, or make one with `valetkey connector record`", .0.display()
    )]
    Empty(PathBuf),
    /// A file cannot be read.
    #[error("{} cannot be read", .path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The settings do not parse.
    #[error("{}: {problem}", .path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Files that are no cases, all of them.
    #[error("{}", .0.iter().map(CaseError::to_string).collect::<Vec<_>>().join("\n"))]
    Cases(Vec<CaseError>),
}

impl Suite {
    /// Reads the folder of the connector in `dir`.
    ///
    /// # Errors
    /// Everything that is wrong with its files.
    pub fn read(dir: &Path) -> Result<Self, SuiteError> {
        let dir = dir.join(FOLDER);
        let settings = read_settings(&dir.join(SETTINGS))?;
        let mut files = Vec::new();
        let unreadable = |source| SuiteError::Io {
            path: dir.clone(),
            source,
        };
        match fs::read_dir(&dir) {
            Ok(entries) => {
                for entry in entries {
                    let path = entry.map_err(unreadable)?.path();
                    if path.extension().is_some_and(|extension| extension == EXTENSION) {
                        files.push(path);
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(error)),
        }
        files.sort();
        let (mut cases, mut wrong) = (Vec::new(), Vec::new());
        for file in files {
            match Case::read(&file) {
                Ok(case) => cases.push(case),
                Err(error) => wrong.push(error),
            }
        }
        if !wrong.is_empty() {
            return Err(SuiteError::Cases(wrong));
        }
        if cases.is_empty() {
            return Err(SuiteError::Empty(dir));
        }
        Ok(Self { dir, cases, settings })
    }
}

fn read_settings(path: &Path) -> Result<Settings, SuiteError> {
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|error| SuiteError::Settings {
            path: path.to_owned(),
            problem: error.to_string(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Settings::default()),
        Err(source) => Err(SuiteError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}
