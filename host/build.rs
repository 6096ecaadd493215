//! What the host carries for authors of connectors:
//!
//! - the generic engine (`sdk/engine`) as a component, into which `valetkey connector pack` puts a
//!   manifest, so that its users need no compiler. It is built in a target folder of its own beside
//!   the profiles' folders, once for all of them;
//! - the guest SDKs and the templates as sources, of which `valetkey connector new` makes a folder.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

/// What connectors are compiled for (`host/src/manifest/build.rs`).
const TARGET: &str = "wasm32-wasip2";

/// Files and folders that authors get, seen from the workspace's root. The engine is made of them, too.
const CARRIED: [&str; 15] = [
    "sdk/guest-rust/Cargo.toml",
    "sdk/guest-rust/src",
    "sdk/manifest/Cargo.toml",
    "sdk/manifest/src",
    "sdk/guest-js/LICENSE",
    "sdk/guest-js/README.md",
    "sdk/guest-js/bin",
    "sdk/guest-js/package.json",
    "sdk/guest-js/src",
    "sdk/guest-python/LICENSE",
    "sdk/guest-python/README.md",
    "sdk/guest-python/pyproject.toml",
    "sdk/guest-python/src",
    "sdk/templates",
    "wit",
];

/// Folders that are no source: what tools leave behind, and contracts frozen for the tests.
const LEFT_OUT: [&str; 5] = ["target", "node_modules", "__pycache__", ".ruff_cache", "released"];

fn main() {
    let host = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let Some(root) = host.parent() else {
        fail("the host's folder stands in no workspace");
    };
    for source in CARRIED.iter().chain(&["sdk/engine", "host/build.rs"]) {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    carry_sources(root);

    ensure_target();
    let component = compile(root, &target_folder());
    println!("cargo::rustc-env=VALETKEY_ENGINE={}", component.display());
}

/// Adds the Rust target unless the toolchain has it.
fn ensure_target() {
    let libraries = Command::new(variable("RUSTC"))
        .args(["--print", "target-libdir", "--target", TARGET])
        .output();
    let has_target =
        libraries.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir());
    if has_target {
        return;
    }
    let added = Command::new("rustup").args(["target", "add", TARGET]).status();
    if !added.is_ok_and(|status| status.success()) {
        fail(&format!(
            "the Rust target {TARGET} is missing and could not be added; run `rustup target add {TARGET}`"
        ));
    }
}

/// Builds the engine and answers the component's path.
fn compile(root: &Path, target_folder: &Path) -> PathBuf {
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .args([
            "build",
            "--quiet",
            "--package",
            "valetkey-engine",
            "--profile",
            "connector",
        ])
        .args(["--target", TARGET])
        // The stack is small because a fresh instance pays for every page that it touches.
        .args([
            "--config",
            "target.wasm32-wasip2.rustflags=[\"-Clink-arg=-zstack-size=65536\"]",
        ])
        .arg("--target-dir")
        .arg(target_folder)
        .current_dir(root);
    // Flags and wrappers (a linter, say) that are meant for the host's own build.
    for meant_for_the_host in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
    ] {
        cargo.env_remove(meant_for_the_host);
    }
    if !cargo.status().is_ok_and(|status| status.success()) {
        fail("the generic engine (sdk/engine) does not compile; what cargo said stands above");
    }
    target_folder.join(TARGET).join("connector/valetkey_engine.wasm")
}

/// Writes `sources.rs`: a slice of every carried file's path and bytes.
fn carry_sources(root: &Path) {
    let mut files = Vec::new();
    for carried in CARRIED {
        find_files(root.join(carried), &mut files);
    }
    files.sort();
    let mut list = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(root).unwrap_or(file);
        let _ = writeln!(list, "    ({:?}, include_bytes!({:?})),", name, file);
    }
    list.push(']');
    let path = PathBuf::from(variable("OUT_DIR")).join("sources.rs");
    if let Err(error) = fs::write(&path, list) {
        fail(&format!("{} cannot be written: {error}", path.display()));
    }
}

fn find_files(path: PathBuf, files: &mut Vec<PathBuf>) {
    if LEFT_OUT.iter().any(|name| path.ends_with(name)) {
        return;
    }
    if !path.is_dir() {
        files.push(path);
        return;
    }
    let entries = fs::read_dir(&path)
        .unwrap_or_else(|error| fail(&format!("{} cannot be read: {error}", path.display())));
    for entry in entries.flatten() {
        find_files(entry.path(), files);
    }
}

/// `target/engine`, from `target/<profile>/build/<package>/out`.
fn target_folder() -> PathBuf {
    let out = PathBuf::from(variable("OUT_DIR"));
    match out.ancestors().nth(4) {
        Some(target) => target.join("engine"),
        None => out.join("engine"),
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "cargo speaks to build scripts by the environment"
)]
fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| fail(&format!("cargo sets {name} for build scripts, and did not")))
}

fn fail(reason: &str) -> ! {
    println!("cargo::error={reason}");
    exit(1)
}
