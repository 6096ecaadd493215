//! Builds the misbehaving guests of `tests/guests` and `tests/guests-js` as components, gives each a manifest, and
//! writes `target/guests/<name>.wasm`; and the sample connector of every language, as its author would, to
//! `target/guests/languages/<language>/sample.wasm`. There the tests find them. `tests/run` calls it first.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, anyhow, ensure};
use valetkey::manifest;
use valetkey_manifest::Manifest;
use valetkey_tests::{artifacts, guests};

fn main() -> anyhow::Result<()> {
    let root = artifacts::repository();
    let target = artifacts::target_dir();
    let status = Command::new(option_env!("CARGO").unwrap_or("cargo"))
        .current_dir(root)
        .args(["build", "--profile", "connector", "--target", "wasm32-wasip2"])
        .args(["--package", "valetkey-test-guests", "--examples", "--target-dir"])
        .arg(&target)
        .status()
        .context("cargo cannot be run")?;
    ensure!(
        status.success(),
        "the guests do not build; is the target there? (rustup target add wasm32-wasip2)"
    );
    let built = target.join("wasm32-wasip2/connector/examples");
    let finished = target.join("guests");
    std::fs::create_dir_all(&finished)?;
    for name in guests::names(root)? {
        finish(&built, &finished, &name, &guests::manifest(&name))
            .with_context(|| format!("guest {name}"))?;
    }
    javascript(root, &finished).context("the guest in JavaScript")?;
    for language in ["rust", "javascript", "python"] {
        sample(root, &finished, language).with_context(|| format!("the sample in {language}"))?;
    }
    Ok(())
}

/// Builds the sample in a language, unless nothing of it changed: an interpreter takes its time to start.
fn sample(root: &Path, finished: &Path, language: &str) -> anyhow::Result<()> {
    let dir = root.join("tests/authors/samples").join(language);
    let out = finished.join("languages").join(language);
    if language != "rust" {
        let sdk = match language {
            "javascript" => root.join("sdk/guest-js"),
            _ => root.join("sdk/guest-python/src"),
        };
        let changed = [&dir, &sdk, &root.join("wit")]
            .into_iter()
            .filter_map(|source| newest(source))
            .max();
        if changed < modified(&out.join("sample.wasm")) {
            return Ok(());
        }
    }
    manifest::build::build(&dir, &out, &mut |_| ())?;
    Ok(())
}

/// When a file of a folder was changed last, but for what tools put there.
fn newest(folder: &Path) -> Option<SystemTime> {
    let made = [
        "node_modules",
        "target",
        "__pycache__",
        "inputs.py",
        "inputs.d.ts",
    ];
    let entries = fs::read_dir(folder).ok()?.flatten();
    let sources = entries.filter(|entry| !made.iter().any(|name| entry.file_name() == *name));
    sources
        .filter_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                newest(&path)
            } else {
                modified(&path)
            }
        })
        .max()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

/// Makes components of `tests/guests-js`: `js`, which imports our contract alone, and `js-wasi`,
/// whose language runtime imports WASI as well. The first time it installs what that takes.
fn javascript(root: &Path, finished: &Path) -> anyhow::Result<()> {
    let folder = root.join("tests/guests-js");
    let componentize = folder.join("node_modules/.bin/componentize-qjs");
    if !componentize.exists() {
        run(Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"])
            .arg(&folder))?;
    }
    let built = tempfile::tempdir()?;
    for (name, options) in [("js", &["--stub-wasi"][..]), ("js-wasi", &[])] {
        run(Command::new(&componentize)
            .arg("--wit")
            .arg(root.join("wit"))
            .arg("--js")
            .arg(folder.join("guest.js"))
            .args(["--world", "connector", "--sync", "--output"])
            .arg(built.path().join(format!("{name}.wasm")))
            .args(options))?;
        finish(built.path(), finished, name, &guests::javascript())?;
    }
    Ok(())
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    // What it says of its success is of no use here.
    let output = command
        .output()
        .with_context(|| format!("{program} cannot be run; it needs Node.js 20 or newer with npm"))?;
    ensure!(
        output.status.success(),
        "{program} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

fn finish(built: &Path, finished: &Path, name: &str, declared: &Manifest) -> anyhow::Result<()> {
    let component = std::fs::read(built.join(format!("{name}.wasm")))?;
    let component = manifest::embed(&component, declared).map_err(|problem| anyhow!(problem))?;
    let path = finished.join(format!("{name}.wasm"));
    if std::fs::read(&path).is_ok_and(|present| present == component) {
        return Ok(());
    }
    let beside = finished.join(format!("{name}.wasm.tmp"));
    std::fs::write(&beside, component)?;
    std::fs::rename(beside, path)?;
    Ok(())
}
