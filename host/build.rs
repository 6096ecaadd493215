//! Compiles the generic engine (`sdk/engine`) to a component that the host carries: what
//! `valetkey connector pack` puts a manifest into, so that its users need no compiler.
//!
//! It is built in a target folder of its own beside the profiles' folders, once for all of them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

/// What connectors are compiled for (`host/src/manifest/build.rs`).
const TARGET: &str = "wasm32-wasip2";

/// What the engine is made of, seen from the workspace's root.
const SOURCES: [&str; 6] = [
    "sdk/engine",
    "sdk/guest-rust/src",
    "sdk/guest-rust/Cargo.toml",
    "sdk/manifest/src",
    "sdk/manifest/Cargo.toml",
    "wit",
];

fn main() {
    let host = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let Some(root) = host.parent() else {
        fail("the host's folder stands in no workspace");
    };
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    println!("cargo::rerun-if-changed=build.rs");

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

/// `target/engine`, from `target/<profile>/build/<package>/out`.
fn target_folder() -> PathBuf {
    let out = PathBuf::from(variable("OUT_DIR"));
    match out.ancestors().nth(4) {
        Some(target) => target.join("engine"),
        None => out.join("engine"),
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| fail(&format!("cargo sets {name} for build scripts, and did not")))
}

fn fail(reason: &str) -> ! {
    println!("cargo::error={reason}");
    exit(1)
}
