//! Builds the misbehaving guests of `tests/guests` as components, gives each a manifest, and
//! writes `target/guests/<name>.wasm`, where the tests find them. `tests/run` calls it first.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, anyhow, ensure};
use valetkey::manifest;
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
        finish(&built, &finished, &name).with_context(|| format!("guest {name}"))?;
    }
    Ok(())
}

fn finish(built: &Path, finished: &Path, name: &str) -> anyhow::Result<()> {
    let component = std::fs::read(built.join(format!("{name}.wasm")))?;
    let component =
        manifest::embed(&component, &guests::manifest(name)).map_err(|problem| anyhow!(problem))?;
    let path = finished.join(format!("{name}.wasm"));
    if std::fs::read(&path).is_ok_and(|present| present == component) {
        return Ok(());
    }
    let beside = finished.join(format!("{name}.wasm.tmp"));
    std::fs::write(&beside, component)?;
    std::fs::rename(beside, path)?;
    Ok(())
}
