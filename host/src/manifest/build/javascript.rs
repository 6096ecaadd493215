//! JavaScript and TypeScript: npm installs what the folder locks, `@valetkey/guest` makes the
//! component, with the interpreter in it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use valetkey_manifest::Manifest;

use super::interpreted::{Workshop, keep, run};
use super::{BuildError, Step};
use crate::manifest::inputs;

const WANTED: &str = "a connector in JavaScript or TypeScript is a connector.js or connector.ts with a package.json that depends on @valetkey/guest";
const BUILDER: &str = "node_modules/@valetkey/guest/bin/build.js";

/// The component of the code in `dir`.
pub(super) fn component(
    dir: &Path,
    manifest: &Manifest,
    progress: &mut dyn FnMut(Step),
) -> Result<Vec<u8>, BuildError> {
    if !dir.join("package.json").is_file() {
        return Err(BuildError::NoSource {
            dir: dir.to_owned(),
            file: "package.json",
            wanted: WANTED,
        });
    }
    keep(&dir.join("inputs.d.ts"), &inputs::typescript(manifest))?;
    install(dir, progress)?;
    if !dir.join(BUILDER).is_file() {
        return Err(BuildError::NoSdk {
            package: "@valetkey/guest",
            file: "package.json",
            wanted: WANTED,
        });
    }
    progress(Step::Compiling(
        "bundling, and starting the interpreter once".to_owned(),
    ));
    let mut builder = Command::new("node");
    builder.arg(BUILDER).current_dir(dir);
    Workshop::new(dir)?.component("node", builder)
}

/// Installs what package-lock.json says, unless npm did so since it was written.
fn install(dir: &Path, progress: &mut dyn FnMut(Step)) -> Result<(), BuildError> {
    let written = |file: &str| modified(&dir.join(file));
    let lock = written("package-lock.json");
    let installed = written("node_modules/.package-lock.json");
    if installed.is_some() && lock <= installed {
        return Ok(());
    }
    progress(Step::Installing("npm"));
    let mut npm = Command::new("npm");
    npm.arg(if lock.is_some() { "ci" } else { "install" })
        .args(["--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(dir);
    run("npm", &mut npm)?.map_err(|said| BuildError::Install { program: "npm", said })
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}
