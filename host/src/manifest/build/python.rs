//! Python: pip installs what the folder locks into an environment below its `target`, `valetkey-guest`
//! makes the component, with the interpreter in it.

use std::fs;
use std::path::Path;
use std::process::Command;

use valetkey_manifest::Manifest;

use super::interpreted::{Workshop, keep, run};
use super::{BuildError, Step, unusable};
use crate::manifest::inputs;

const WANTED: &str =
    "a connector in Python is a connector.py with a requirements.txt that names valetkey-guest";
/// The virtual environment, in the connector's folder.
const ENVIRONMENT: &str = "target/python";
/// The requirements that are installed in it, as they were.
const INSTALLED: &str = "target/python/requirements.txt";
const PYTHON: &str = "target/python/bin/python";

/// The component of the code in `dir`.
pub(super) fn component(
    dir: &Path,
    manifest: &Manifest,
    progress: &mut dyn FnMut(Step),
) -> Result<Vec<u8>, BuildError> {
    let requirements = dir.join("requirements.txt");
    if !requirements.is_file() {
        return Err(BuildError::NoSource {
            dir: dir.to_owned(),
            file: "requirements.txt",
            wanted: WANTED,
        });
    }
    keep(&dir.join("inputs.py"), &inputs::python(manifest))?;
    install(dir, &requirements, progress)?;
    // Paths of programs are not looked up in the folder that a program is started in.
    let python = fs::canonicalize(dir).map_err(unusable(dir))?.join(PYTHON);
    let mut builder = Command::new(&python);
    builder.args(["-m", "valetkey_guest.build"]).current_dir(dir);
    let mut sdk = Command::new(&python);
    if run("python3", sdk.args(["-c", "import valetkey_guest"]))?.is_err() {
        return Err(BuildError::NoSdk {
            package: "valetkey-guest",
            file: "requirements.txt",
            wanted: WANTED,
        });
    }
    progress(Step::Compiling("starting the interpreter once".to_owned()));
    Workshop::new(dir)?.component("python3", builder)
}

/// Makes the environment anew unless these requirements are what is in it.
fn install(dir: &Path, requirements: &Path, progress: &mut dyn FnMut(Step)) -> Result<(), BuildError> {
    let wanted = fs::read(requirements).map_err(unusable(requirements))?;
    let installed = dir.join(INSTALLED);
    if fs::read(&installed).is_ok_and(|present| present == wanted) {
        return Ok(());
    }
    progress(Step::Installing("pip"));
    let failed = |said| BuildError::Install { program: "pip", said };
    let mut environment = Command::new("python3");
    environment
        .args(["-m", "venv", "--clear", ENVIRONMENT])
        .current_dir(dir);
    run("python3", &mut environment)?.map_err(failed)?;
    let python = fs::canonicalize(dir).map_err(unusable(dir))?.join(PYTHON);
    let mut pip = Command::new(python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
    ])
    .arg("requirements.txt")
    .current_dir(dir);
    run("python3", &mut pip)?.map_err(failed)?;
    fs::write(&installed, wanted).map_err(unusable(&installed))
}
