//! What languages with an interpreter inside the component have in common: the contract as files for
//! their tools, running those, and the types of the tools' inputs beside the code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{BuildError, unusable};

/// The contract, as this host speaks it.
const CONTRACT: [(&str, &str); 8] = [
    ("auth.wit", include_str!("../../../../wit/auth.wit")),
    ("files.wit", include_str!("../../../../wit/files.wit")),
    ("http.wit", include_str!("../../../../wit/http.wit")),
    ("runtime.wit", include_str!("../../../../wit/runtime.wit")),
    (
        "token-endpoint.wit",
        include_str!("../../../../wit/token-endpoint.wit"),
    ),
    ("tools.wit", include_str!("../../../../wit/tools.wit")),
    ("types.wit", include_str!("../../../../wit/types.wit")),
    ("world.wit", include_str!("../../../../wit/world.wit")),
];

/// A folder for one build below the connector's `target`; gone when dropped.
pub(super) struct Workshop {
    dir: PathBuf,
}

impl Workshop {
    /// Makes it, with the contract in it.
    pub(super) fn new(dir: &Path) -> Result<Self, BuildError> {
        let dir = fs::canonicalize(dir).map_err(unusable(dir))?;
        let made = Self {
            dir: dir.join(format!("target/build-{}", std::process::id())),
        };
        let wit = made.contract();
        fs::create_dir_all(&wit).map_err(unusable(&wit))?;
        for (name, text) in CONTRACT {
            let path = wit.join(name);
            fs::write(&path, text).map_err(unusable(&path))?;
        }
        Ok(made)
    }

    /// The folder with the contract.
    pub(super) fn contract(&self) -> PathBuf {
        self.dir.join("wit")
    }

    /// Runs the SDK's own builder, which takes the contract and the place for the component.
    pub(super) fn component(
        &self,
        program: &'static str,
        mut builder: Command,
    ) -> Result<Vec<u8>, BuildError> {
        let component = self.dir.join("component.wasm");
        builder
            // What the author did wrong is said without it; where the builder noticed helps nobody.
            .env("RUST_BACKTRACE", "0")
            .arg("--wit")
            .arg(self.contract())
            .arg("--out")
            .arg(&component);
        run(program, &mut builder).and_then(|ran| ran.map_err(BuildError::Compile))?;
        fs::read(&component).map_err(unusable(&component))
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What stays behind is overwritten by the next build of this process, and otherwise only in the way.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Runs a program to its end; what it said where it failed.
pub(super) fn run(program: &'static str, command: &mut Command) -> Result<Result<(), String>, BuildError> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|source| BuildError::Toolchain { program, source })?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    let said = [output.stderr, output.stdout].map(|said| String::from_utf8_lossy(&said).trim().to_owned());
    Ok(Err(said.join("\n").trim().to_owned()))
}

/// Writes a file that is made of the manifest, when it is not there as it is: who watches the folder
/// is not disturbed by every build.
pub(super) fn keep(path: &Path, text: &str) -> Result<(), BuildError> {
    if fs::read_to_string(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    fs::write(path, text).map_err(unusable(path))
}
