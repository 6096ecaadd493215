//! The `tests` folder of a connector: its cases, and what holds for all of them.
//!
//! Called by the command line. `tests.toml` in the folder is optional.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::case::{Case, CaseError, EXTENSION, Request};
use super::contract;

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
    /// The vendor's own specification, relative to the folder.
    pub spec: Option<PathBuf>,
    /// The vendor's own specification, below a folder of many vendors' that whoever runs the cases
    /// has (`github/api.github.com.json.gz`): one file, or the several that describe the parts of its API.
    pub vendor_spec: Names,
    /// Where the specification is wrong or out of date, and the requests are right.
    pub deviations: Vec<Deviation>,
    /// The account's configuration; the manifest's examples where it says nothing.
    pub config: BTreeMap<String, String>,
    /// Made-up inputs of the credential, where the manifest wants a certain form of them.
    pub credential: BTreeMap<String, String>,
}

impl Settings {
    /// What is wrong with them beside their form.
    fn complaint(&self) -> Option<String> {
        let outside = |name: &String| {
            let parts = Path::new(name).components();
            name.is_empty() || !parts.into_iter().all(|part| matches!(part, Component::Normal(_)))
        };
        if let Some(name) = self.vendor_spec.0.iter().find(|name| outside(name)) {
            return Some(format!(
                "`vendor_spec` = {name:?} is no path below a folder of specifications"
            ));
        }
        self.deviations.iter().enumerate().find_map(|(index, deviation)| {
            let says_which = [&deviation.case, &deviation.path, &deviation.problem]
                .iter()
                .any(|part| part.is_some());
            if !says_which {
                return Some(format!("deviations/{index} says none of `case`, `path` and `problem`, and would excuse everything"));
            }
            (deviation.why.trim().len() < 10).then(|| format!("deviations/{index} does not say `why`"))
        })
    }
}

/// One name, or a list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "OneOrMany")]
pub struct Names(pub Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Names {
    fn from(names: OneOrMany) -> Self {
        match names {
            OneOrMany::One(name) => Self(vec![name]),
            OneOrMany::Many(names) => Self(names),
        }
    }
}

/// Something that the vendor takes although its specification says otherwise. At least one of `case`,
/// `path` and `problem` says which; all that are there have to fit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// Name of the case.
    pub case: Option<String>,
    /// The request's path at the vendor, with `{name}` for one segment.
    pub path: Option<String>,
    /// A part of what the specification says against it.
    pub problem: Option<String>,
    /// Why the request is right all the same, with the place of the vendor's documentation.
    pub why: String,
}

impl Deviation {
    /// Whether this is what was found.
    #[must_use]
    pub fn excuses(&self, case: &Case, request: &Request, problem: &str) -> bool {
        self.case.as_ref().is_none_or(|name| *name == case.name)
            && self
                .path
                .as_ref()
                .is_none_or(|path| contract::is_path(path, &request.url))
            && self
                .problem
                .as_ref()
                .is_none_or(|part| problem.contains(part.as_str()))
    }
}

/// The files of the specification that a suite names, among the folders that were looked through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Specification {
    /// Those that are there.
    pub found: Vec<PathBuf>,
    /// Those that are nowhere, as the settings name them.
    pub missing: Vec<String>,
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

    /// The files of the vendor's own specification: `spec` beside the cases, `vendor_spec` below the
    /// first of `folders` that has it.
    #[must_use]
    pub fn specification(&self, folders: &[PathBuf]) -> Specification {
        let mut specification = Specification::default();
        if let Some(spec) = &self.settings.spec {
            let file = self.dir.join(spec);
            if file.is_file() {
                specification.found.push(file);
            } else {
                specification.missing.push(file.display().to_string());
            }
        }
        for name in &self.settings.vendor_spec.0 {
            let mut files = folders.iter().map(|folder| folder.join(name));
            match files.find(|file| file.is_file()) {
                Some(file) => specification.found.push(file),
                None => specification.missing.push(name.clone()),
            }
        }
        specification
    }
}

fn read_settings(path: &Path) -> Result<Settings, SuiteError> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let wrong = |problem| SuiteError::Settings {
                path: path.to_owned(),
                problem,
            };
            let settings: Settings = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            match settings.complaint() {
                Some(problem) => Err(wrong(problem)),
                None => Ok(settings),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Settings::default()),
        Err(source) => Err(SuiteError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<Settings, String> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join(SETTINGS);
        fs::write(&path, text).expect("written");
        read_settings(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_specification_is_one_file_or_several_below_the_folders() {
        let one = settings("vendor_spec = \"github/api.json.gz\"").expect("settings");
        assert_eq!(one.vendor_spec.0, ["github/api.json.gz"]);
        let several =
            settings("vendor_spec = [\"google/docs.json\", \"google/drive.json\"]").expect("settings");
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("google")).expect("made");
        fs::write(folder.path().join("google/drive.json"), "{}").expect("written");
        let suite = Suite {
            settings: several,
            ..Suite::default()
        };
        let found = suite.specification(&[PathBuf::from("/nowhere"), folder.path().to_owned()]);
        assert_eq!(found.found, [folder.path().join("google/drive.json")]);
        assert_eq!(found.missing, ["google/docs.json"]);
        for outside in ["../x", "/x", ""] {
            let refused = settings(&format!("vendor_spec = {outside:?}")).expect_err(outside);
            assert!(refused.contains("below a folder"), "{refused}");
        }
    }

    #[test]
    fn a_deviation_says_which_request_and_why() {
        let why = "why = \"The documentation of 2026 names it.\"";
        assert!(settings(&format!("[[deviations]]\npath = \"/a/{{id}}\"\n{why}")).is_ok());
        for (text, words) in [
            (why.to_owned(), "says none of"),
            ("case = \"a\"\nwhy = \" \"".to_owned(), "`why`"),
            ("case = \"a\"".to_owned(), "why"),
        ] {
            let refused = settings(&format!("[[deviations]]\n{text}")).expect_err("refused");
            assert!(refused.contains(words), "{text}: {refused}");
        }
    }
}
