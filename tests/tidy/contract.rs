//! The contract with connector authors: what was released is never edited again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aws_lc_rs::digest;
use valetkey_tests::artifacts::repository;

/// Every released version with the digest of its files. A new release adds a line; no line ever
/// changes.
const RELEASED: &[(&str, &str)] = &[
    (
        "0.1.0",
        "296af5929dbd7b6d155660bf26c2bea89d18126bd0c21d291712e5e9f5d4a1b2",
    ),
    (
        "0.1.1",
        "6cd3b0a493ff0abe239007ce90aa00870a4cb16cfc53de907d42884c902c9c5f",
    ),
    (
        "0.1.2",
        "012e79979510389ab85f5a97276833c141544a29213b80d4c38d39a5cd401895",
    ),
];

#[test]
fn released_contracts_are_never_edited() {
    let folder = repository().join("wit/released");
    let found: BTreeMap<String, String> = fs::read_dir(&folder)
        .expect("wit/released")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let version = path.file_name().expect("a name").to_string_lossy().into_owned();
            (version, digest_of(&path))
        })
        .collect();
    let released: BTreeMap<String, String> = RELEASED
        .iter()
        .map(|(version, digest)| ((*version).to_owned(), (*digest).to_owned()))
        .collect();
    assert_eq!(
        found, released,
        "a released contract changed. Undo it: components in the field were built against it. What is new goes into wit/ and into a new version"
    );
}

#[test]
fn contract_of_the_sources_is_the_released_one_of_its_version() {
    let world = fs::read_to_string(repository().join("wit/world.wit")).expect("wit/world.wit");
    let version = world
        .lines()
        .find_map(|line| line.strip_prefix("package valetkey:connector@"))
        .expect("a package line")
        .trim_end_matches(';');
    let released = repository().join("wit/released").join(version);
    assert!(
        released.is_dir(),
        "version {version} has no frozen copy; copy wit/*.wit to {}",
        released.display()
    );
    assert_eq!(
        digest_of(&repository().join("wit")),
        digest_of(&released),
        "wit/ differs from the released {version}; raise the version in wit/ and freeze a copy of it"
    );
}

/// A digest of the WIT files of a folder, names included.
fn digest_of(folder: &Path) -> String {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wit"))
        .collect();
    files.sort();
    let mut context = digest::Context::new(&digest::SHA256);
    for file in files {
        context.update(file.file_name().expect("a name").as_encoded_bytes());
        context.update(b"\0");
        context.update(&fs::read(&file).expect("a readable file"));
        context.update(b"\0");
    }
    context
        .finish()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
