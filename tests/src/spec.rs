//! Vendors' own specifications as referees of requests and answers. They are not part of this
//! repository: they are looked for in `$VALETKEY_SPECS`, in `shared/specs` beside the repository,
//! and in the package `google-api-python-client` that `tests/run` puts into the target folder.
//! Google's discovery documents are understood.

use std::path::{Path, PathBuf};

use serde_json::Value;
use valetkey::author::contract::Discovery;

use crate::artifacts::{repository, target_dir};

/// Where a document may be, the likeliest first.
fn places(api: &str, version: &str) -> Vec<PathBuf> {
    #[allow(clippy::disallowed_methods, reason = "the tests' own setting")]
    let given = std::env::var_os("VALETKEY_SPECS").map(PathBuf::from);
    let folders = given.into_iter().chain([repository().join("../shared/specs")]);
    let name = format!("{api}.{version}");
    let package = Path::new("specs/googleapiclient/discovery_cache/documents");
    folders
        .map(|folder| folder.join("google").join(format!("{name}.discovery.json")))
        .chain([target_dir().join(package).join(format!("{name}.json"))])
        .collect()
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
    let Some(path) = places(api, version).into_iter().find(|path| path.is_file()) else {
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
