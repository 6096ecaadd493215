//! Crates: cargo compiles for `wasm32-wasip2`, which makes components by itself.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde::Deserialize;

use super::{BuildError, Step, unusable};

/// What connectors are compiled for.
pub const TARGET: &str = "wasm32-wasip2";

/// How connectors are compiled, wherever their folder is: the same as `[profile.connector]` of
/// the bundled ones. The stack is small because a fresh instance pays for every page it touches.
const SETTINGS: [&str; 7] = [
    "profile.connector.inherits=\"release\"",
    "profile.connector.opt-level=3",
    "profile.connector.lto=\"fat\"",
    "profile.connector.codegen-units=1",
    "profile.connector.panic=\"abort\"",
    "profile.connector.strip=true",
    "target.wasm32-wasip2.rustflags=[\"-Clink-arg=-zstack-size=65536\"]",
];

/// Whether there is a crate in `dir`.
pub(super) fn has_code(dir: &Path) -> bool {
    dir.join("Cargo.toml").is_file()
}

/// The component of the crate in `dir`.
pub(super) fn component(dir: &Path, progress: &mut dyn FnMut(Step)) -> Result<Vec<u8>, BuildError> {
    ensure_target(dir, progress)?;
    let component = compile(dir, &dir.join("Cargo.toml"), progress)?;
    fs::read(&component).map_err(unusable(&component))
}

/// Installs the Rust target unless the toolchain that `dir` uses has it.
fn ensure_target(dir: &Path, progress: &mut dyn FnMut(Step)) -> Result<(), BuildError> {
    let output = run("rustc", dir, &["--print", "target-libdir", "--target", TARGET])?;
    let libraries = String::from_utf8_lossy(&output.stdout);
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    progress(Step::AddingTarget);
    let output = run("rustup", dir, &["target", "add", TARGET])?;
    if output.status.success() {
        Ok(())
    } else {
        Err(BuildError::Target(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }
}

fn run(program: &'static str, dir: &Path, arguments: &[&str]) -> Result<std::process::Output, BuildError> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output();
    output.map_err(|source| BuildError::Toolchain { program, source })
}

/// Runs cargo and answers the path of the component it made.
fn compile(dir: &Path, crate_file: &Path, progress: &mut dyn FnMut(Step)) -> Result<PathBuf, BuildError> {
    let toolchain = |source| BuildError::Toolchain {
        program: "cargo",
        source,
    };
    let crate_file = fs::canonicalize(crate_file).map_err(unusable(crate_file))?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--lib", "--profile", "connector", "--target", TARGET]);
    cargo.args(["--message-format", "json-render-diagnostics", "--color", "never"]);
    for setting in SETTINGS {
        cargo.args(["--config", setting]);
    }
    cargo.arg("--manifest-path").arg(&crate_file).current_dir(dir);
    // Flags meant for the host's own build do not fit a component, and would win over the settings.
    cargo
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    let mut cargo = cargo
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(toolchain)?;

    let (Some(messages), Some(lines)) = (cargo.stdout.take(), cargo.stderr.take()) else {
        return Err(toolchain(io::Error::other("its output is not connected")));
    };
    let messages = thread::spawn(move || artifact(BufReader::new(messages), &crate_file));
    let mut said = String::new();
    for line in BufReader::new(lines).lines() {
        let line = line.map_err(toolchain)?;
        said.push_str(&line);
        said.push('\n');
        progress(Step::Compiling(line.trim().to_owned()));
    }
    let status = cargo.wait().map_err(toolchain)?;
    let component = messages
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("its messages could not be read")));
    if !status.success() {
        return Err(BuildError::Compile(said));
    }
    component.map_err(toolchain)?.ok_or(BuildError::NoComponent)
}

/// The component among cargo's messages: the `.wasm` file of the crate that was asked for.
fn artifact(messages: impl BufRead, crate_file: &Path) -> io::Result<Option<PathBuf>> {
    #[derive(Deserialize)]
    struct Message {
        reason: String,
        #[serde(default)]
        manifest_path: PathBuf,
        #[serde(default)]
        filenames: Vec<PathBuf>,
    }
    let mut found = None;
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Message>(&line?) else {
            continue;
        };
        if message.reason == "compiler-artifact" && message.manifest_path == crate_file {
            let is_wasm = |path: &PathBuf| path.extension() == Some(OsStr::new("wasm"));
            found = message.filenames.into_iter().find(is_wasm).or(found);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_found_among_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","manifest_path":"/dep/Cargo.toml","filenames":["/t/dep.wasm"]}"#,
            "\nnot json\n",
            r#"{"reason":"compiler-artifact","manifest_path":"/c/Cargo.toml","filenames":["/t/c.rlib","/t/c.wasm"]}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let found = artifact(messages.as_bytes(), Path::new("/c/Cargo.toml")).expect("read");
        assert_eq!(found, Some(PathBuf::from("/t/c.wasm")));
        assert_eq!(
            artifact(messages.as_bytes(), Path::new("/x/Cargo.toml")).expect("read"),
            None
        );
    }
}
