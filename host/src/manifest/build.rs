//! From a connector's folder to a component: check the manifest, compile the crate for
//! `wasm32-wasip2` (or, where all is data, take the engine of [`pack`]), put the manifest in.
//!
//! Called by the command line (`connector build`, `demo`) and by tests. It runs `cargo` and, when
//! the target is missing, `rustup`: on a developer's machine, never on behalf of a caller. Blocks
//! for as long as the compiler runs.

mod pack;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde::Deserialize;
use thiserror::Error;
use valetkey_manifest::Manifest;

use super::check;
use crate::error::Problem;

pub use pack::pack;

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

/// What a build is doing, for a progress display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The manifest is read and checked.
    Checking,
    /// The Rust target is missing and is being installed.
    AddingTarget,
    /// The compiler runs; its latest line (`Compiling serde v1.0.229`).
    Compiling(String),
    /// The manifest is put into the component.
    Embedding,
}

/// A finished component.
#[derive(Debug, Clone)]
pub struct Built {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: usize,
    /// What it declares.
    pub manifest: Manifest,
}

/// Why there is no component.
#[derive(Debug, Error)]
pub enum BuildError {
    /// `connector.toml` is missing or does not parse.
    #[error("{0}")]
    Manifest(String),
    /// The manifest is not acceptable.
    #[error("connector.toml is not acceptable:{}", list(.0))]
    Unacceptable(Vec<Problem>),
    /// The folder has no code, and these tools are no data.
    #[error(
        "tools without a `request` are code, and there is none beside connector.toml: {}; declare their requests, or add a crate as `valetkey connector new --lang rust` makes one",
        .0.join(", ")
    )]
    NoCode(Vec<String>),
    /// `runtime` names an interpreter, and there is no code for it.
    #[error(
        "connector.toml says `runtime = \"javascript\"` or `\"python\"`, and there is no code for it: leave `runtime` out"
    )]
    NoInterpreter,
    /// A program of the Rust toolchain cannot be started.
    #[error("`{program}` cannot be run; install Rust from https://rustup.rs and have it in PATH")]
    Toolchain {
        /// Which one.
        program: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The Rust target could not be installed.
    #[error("the Rust target {TARGET} could not be added; run `rustup target add {TARGET}` yourself\n{0}")]
    Target(String),
    /// The compiler refused the crate; its own words.
    #[error("the connector does not compile\n{0}")]
    Compile(String),
    /// The compiler made no component.
    #[error(
        "the crate builds, but not to a component: its Cargo.toml needs `[lib] crate-type = [\"cdylib\"]`"
    )]
    NoComponent,
    /// What the compiler made cannot take a manifest.
    #[error("{0}")]
    Embed(String),
    /// A file cannot be read or written.
    #[error("{path} cannot be used")]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

fn list(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("\n  {}: {}", problem.path, problem.problem))
        .collect()
}

/// Builds the connector in `dir` and writes `<out>/<id>.wasm`, replacing it in one step.
///
/// # Errors
/// What went wrong, with the compiler's own words where it was the compiler.
pub fn build(dir: &Path, out: &Path, progress: &mut dyn FnMut(Step)) -> Result<Built, BuildError> {
    progress(Step::Checking);
    let manifest = acceptable(dir)?;
    let crate_file = dir.join("Cargo.toml");
    if !crate_file.is_file() {
        return pack::packed(manifest, out, progress);
    }
    ensure_target(dir, progress)?;
    let component = compile(dir, &crate_file, progress)?;

    progress(Step::Embedding);
    let bytes = fs::read(&component).map_err(unusable(&component))?;
    write(&bytes, manifest, out)
}

/// The manifest in `dir`, if it is acceptable.
///
/// # Errors
/// It cannot be read, or everything that is wrong with it.
pub fn acceptable(dir: &Path) -> Result<Manifest, BuildError> {
    let manifest = super::read(dir).map_err(BuildError::Manifest)?;
    let problems = check::manifest(&manifest);
    if problems.is_empty() {
        Ok(manifest)
    } else {
        Err(BuildError::Unacceptable(problems))
    }
}

/// Puts the manifest into `component` and writes `<out>/<id>.wasm`.
fn write(component: &[u8], manifest: Manifest, out: &Path) -> Result<Built, BuildError> {
    let bytes = super::embed(component, &manifest).map_err(BuildError::Embed)?;
    fs::create_dir_all(out).map_err(unusable(out))?;
    let path = out.join(format!("{}.wasm", manifest.connector.id));
    let unfinished = out.join(format!(".{}.wasm.unfinished", manifest.connector.id));
    fs::write(&unfinished, &bytes).map_err(unusable(&unfinished))?;
    fs::rename(&unfinished, &path).map_err(unusable(&path))?;
    Ok(Built {
        path,
        bytes: bytes.len(),
        manifest,
    })
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> BuildError {
    let path = path.to_owned();
    move |source| BuildError::Io { path, source }
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
    let messages = thread::spawn(move || component(BufReader::new(messages), &crate_file));
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
fn component(messages: impl BufRead, crate_file: &Path) -> io::Result<Option<PathBuf>> {
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
    fn a_folder_without_a_crate_is_told_what_it_needs() {
        let dir = tempfile::tempdir().expect("a folder");
        let error = build(dir.path(), dir.path(), &mut |_| ()).expect_err("nothing there");
        assert!(matches!(error, BuildError::Manifest(_)), "{error}");
    }

    #[test]
    fn the_component_is_found_among_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","manifest_path":"/dep/Cargo.toml","filenames":["/t/dep.wasm"]}"#,
            "\nnot json\n",
            r#"{"reason":"compiler-artifact","manifest_path":"/c/Cargo.toml","filenames":["/t/c.rlib","/t/c.wasm"]}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let found = component(messages.as_bytes(), Path::new("/c/Cargo.toml")).expect("read");
        assert_eq!(found, Some(PathBuf::from("/t/c.wasm")));
        assert_eq!(
            component(messages.as_bytes(), Path::new("/x/Cargo.toml")).expect("read"),
            None
        );
    }
}
