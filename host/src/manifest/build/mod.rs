//! From a connector's folder to a component: check the manifest, make a component of the code in the
//! language that `runtime` names ([`rust`], [`javascript`], [`python`]; where all is data, take the
//! engine of [`pack`]), put the manifest in.
//!
//! Called by the command line (`connector build`, `demo`) and by tests. It runs the language's own
//! tools, and installs what the folder locks when that is missing: on a developer's machine, never
//! on behalf of a caller. Blocks for as long as they run.

mod interpreted;
mod javascript;
mod pack;
mod python;
mod rust;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use valetkey_manifest::{GuestRuntime, Manifest};

use super::check;
use crate::error::Problem;

pub use pack::pack;
pub use rust::TARGET;

/// What a build is doing, for a progress display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The manifest is read and checked.
    Checking,
    /// The Rust target is missing and is being installed.
    AddingTarget,
    /// What the folder locks is missing and is being installed, by this program.
    Installing(&'static str),
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
        "tools without a `request` are code, and there is none beside connector.toml: {}; declare their requests, or add code as `valetkey connector new --lang rust` (js, python) makes it",
        .0.join(", ")
    )]
    NoCode(Vec<String>),
    /// The folder has code, which what is packed would leave out.
    #[error(
        "what is packed has no code, and these tools are code: {}; make the component with `valetkey connector build`",
        .0.join(", ")
    )]
    HasCode(Vec<String>),
    /// The folder has no code, and this auth scheme leaves the token endpoint to it.
    #[error(
        "the auth scheme `{0}` is `coded`, and there is no code beside connector.toml: take `coded` out, or add a crate as `valetkey connector new --lang rust` makes one"
    )]
    NoAuthCode(String),
    /// `runtime` names an interpreter, and `pack` takes no code.
    #[error(
        "connector.toml says `runtime = \"javascript\"` or `\"python\"`, and what is packed has no code: leave `runtime` out, or make the component with `valetkey connector build`"
    )]
    NoInterpreter,
    /// A file that code in this language needs is not in the folder.
    #[error("{dir} has no {file}; {wanted}")]
    NoSource {
        /// The connector's folder.
        dir: PathBuf,
        /// What is missing.
        file: &'static str,
        /// What a connector in this language is made of.
        wanted: &'static str,
    },
    /// A program of the language's tools cannot be started.
    #[error("`{program}` cannot be run; {} and have it in PATH", advice(.program))]
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
    /// What the folder locks could not be installed; the installing program's own words.
    #[error("`{program}` could not install what the connector needs\n{said}")]
    Install {
        /// Which program.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// The SDK is not among what was installed.
    #[error("`{package}` is not among what {file} installs; {wanted}")]
    NoSdk {
        /// The SDK's package.
        package: &'static str,
        /// Where it has to be named.
        file: &'static str,
        /// What a connector in this language is made of.
        wanted: &'static str,
    },
    /// The compiler refused the code; its own words.
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

/// Where a missing program comes from.
fn advice(program: &str) -> &'static str {
    match program {
        "node" | "npm" => "install Node.js 20 or newer, with npm, from https://nodejs.org",
        "python3" => "install Python 3.11 or newer from https://www.python.org",
        _ => "install Rust from https://rustup.rs",
    }
}

/// Builds the connector in `dir` and writes `<out>/<id>.wasm`, replacing it in one step.
///
/// # Errors
/// What went wrong, with the words of the language's own tools where it was one of them.
pub fn build(dir: &Path, out: &Path, progress: &mut dyn FnMut(Step)) -> Result<Built, BuildError> {
    progress(Step::Checking);
    let manifest = acceptable(dir)?;
    let component = match manifest.connector.runtime {
        GuestRuntime::Rust if is_data_alone(dir, &manifest) => return pack::packed(manifest, out, progress),
        GuestRuntime::Rust => rust::component(dir, progress)?,
        GuestRuntime::Javascript => javascript::component(dir, &manifest, progress)?,
        GuestRuntime::Python => python::component(dir, &manifest, progress)?,
    };
    progress(Step::Embedding);
    write(&component, manifest, out)
}

/// The manifest in `dir`, if it is acceptable.
///
/// # Errors
/// It cannot be read, everything that is wrong with it, or tools that are code in a folder without code.
pub fn acceptable(dir: &Path) -> Result<Manifest, BuildError> {
    let manifest = super::read(dir).map_err(BuildError::Manifest)?;
    let problems = check::manifest(&manifest);
    if !problems.is_empty() {
        return Err(BuildError::Unacceptable(problems));
    }
    let uncoded = tools_without_code(dir, &manifest);
    if uncoded.is_empty() {
        Ok(manifest)
    } else {
        Err(BuildError::NoCode(uncoded))
    }
}

/// Whether the connector in `dir` has no code beside its manifest: it is packed, without a compiler.
#[must_use]
pub fn is_data_alone(dir: &Path, manifest: &Manifest) -> bool {
    manifest.connector.runtime == GuestRuntime::Rust && !rust::has_code(dir)
}

/// The tools that are code in a folder that has none.
#[must_use]
pub fn tools_without_code(dir: &Path, manifest: &Manifest) -> Vec<String> {
    if is_data_alone(dir, manifest) {
        coded(manifest)
    } else {
        Vec::new()
    }
}

/// The tools that no request runs.
fn coded(manifest: &Manifest) -> Vec<String> {
    let tools = manifest.tools.iter().filter(|tool| tool.request.is_none());
    tools.map(|tool| tool.name.clone()).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_manifest_is_told_what_it_needs() {
        let dir = tempfile::tempdir().expect("a folder");
        let error = build(dir.path(), dir.path(), &mut |_| ()).expect_err("nothing there");
        assert!(matches!(error, BuildError::Manifest(_)), "{error}");
    }

    #[test]
    fn a_folder_without_code_is_told_what_its_language_needs() {
        for (runtime, wanted) in [("javascript", "package.json"), ("python", "requirements.txt")] {
            let dir = tempfile::tempdir().expect("a folder");
            let manifest = format!(
                "{MANIFEST}\nruntime = \"{runtime}\"\n[endpoints.api]\nurl = \"https://api.acme.example\""
            );
            fs::write(dir.path().join("connector.toml"), manifest).expect("written");
            let error = build(dir.path(), dir.path(), &mut |_| ()).expect_err("nothing there");
            assert!(matches!(error, BuildError::NoSource { .. }), "{error}");
            assert!(error.to_string().contains(wanted), "{error}");
        }
    }

    #[test]
    fn a_folder_of_data_alone_is_packed_and_one_that_lacks_its_code_is_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let manifest = format!("{MANIFEST}\n[endpoints.api]\nurl = \"https://api.acme.example\"");
        fs::write(dir.path().join("connector.toml"), &manifest).expect("written");
        let mut steps = Vec::new();
        let built = build(dir.path(), dir.path(), &mut |step| steps.push(step)).expect("packed");
        assert_eq!(steps, [Step::Checking, Step::Embedding], "no compiler");
        let component = fs::read(&built.path).expect("a component");
        assert_eq!(crate::manifest::extract(&component), Ok(built.manifest));

        let request = r#"request = { endpoint = "api", method = "GET", path = "/thing" }"#;
        let coded = manifest.replace(request, r#"allow = ["GET api:/thing"]"#);
        assert_ne!(coded, manifest);
        fs::write(dir.path().join("connector.toml"), coded).expect("written");
        let error = acceptable(dir.path()).expect_err("no code");
        assert!(error.to_string().contains("acme_thing_get"), "{error}");
    }

    const MANIFEST: &str = r#"
        tools = [{ name = "acme_thing_get", title = "Get the thing", description = "Gets the one thing that there is, as the vendor has it.", hints = { read_only = true, destructive = false, idempotent = true }, input = { type = "object", properties = {}, additionalProperties = false }, request = { endpoint = "api", method = "GET", path = "/thing" } }]
        auth = [{ id = "none", kind = "none", title = "None" }]
        [connector]
        id = "acme"
        title = "Acme"
        version = "1.0.0"
        contract = "0.1"
        description = "One sentence about it."
    "#;
}
