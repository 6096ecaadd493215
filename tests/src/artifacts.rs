//! What is built before the tests run (`tests/run` does it): connectors, misbehaving guests and
//! the binary. A missing one fails the test with the command that makes it.

use std::path::{Path, PathBuf};

use valetkey::manifest;
use valetkey_manifest::Manifest;

/// The root of the repository.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests have a parent folder")
}

/// The target folder of this build.
#[must_use]
pub fn target_dir() -> PathBuf {
    profile_dir()
        .parent()
        .expect("a profile folder lies in the target folder")
        .to_owned()
}

/// A bundled connector, as `valetkey connector build` wrote it.
#[must_use]
pub fn connector(id: &str) -> Vec<u8> {
    read(
        &target_dir().join("connectors").join(format!("{id}.wasm")),
        &format!("cargo run -- connector build plugins/{id}"),
    )
}

/// A bundled connector with another manifest, as its author would have built it.
#[must_use]
pub fn connector_with(id: &str, change: impl FnOnce(&mut Manifest)) -> Vec<u8> {
    let component = connector(id);
    let mut manifest = manifest::extract(&component).expect("a bundled connector has a manifest");
    change(&mut manifest);
    manifest::embed(&component, &manifest).expect("a manifest can be put back")
}

/// A misbehaving guest of `tests/guests`.
#[must_use]
pub fn guest(name: &str) -> Vec<u8> {
    read(
        &target_dir().join("guests").join(format!("{name}.wasm")),
        "cargo run -p valetkey-tests --bin build-guests",
    )
}

/// The sample connector of `tests/authors/samples` in a language.
#[must_use]
pub fn sample(language: &str) -> Vec<u8> {
    read(
        &target_dir()
            .join("guests/languages")
            .join(language)
            .join("sample.wasm"),
        "cargo run -p valetkey-tests --bin build-guests",
    )
}

/// The `valetkey` binary of this build.
#[must_use]
pub fn binary() -> PathBuf {
    let path = profile_dir().join("valetkey");
    assert!(
        path.exists(),
        "{} is missing; make it with: cargo build",
        path.display()
    );
    path
}

/// `target/debug` or its like: where this test's own binary lies.
fn profile_dir() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let deps = test.parent().expect("it lies in a folder");
    let profile = if deps.ends_with("deps") {
        deps.parent().expect("deps lies in a folder")
    } else {
        deps
    };
    profile.to_owned()
}

fn read(path: &Path, command: &str) -> Vec<u8> {
    std::fs::read(path)
        .unwrap_or_else(|error| panic!("{} is missing ({error}); make it with: {command}", path.display()))
}
