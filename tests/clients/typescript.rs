//! The TypeScript package (`sdk/client-typescript`), by its own scripts: generated files, types, lints, tests.

use std::path::PathBuf;

use tokio::process::Command;
use valetkey_tests::artifacts::repository;

use crate::stage::{Stage, run};

fn package() -> PathBuf {
    let package = repository().join("sdk/client-typescript");
    assert!(
        package.join("node_modules").exists(),
        "its tools are missing; install them with: npm ci --prefix sdk/client-typescript"
    );
    package
}

fn npm(script: &str) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(package()).args(["run", "--silent", script]);
    command
}

/// One test for all of it: the scripts build into the package's own folders.
#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_package_is_up_to_date_typed_and_in_form_and_does_what_every_case_says() {
    #[allow(clippy::disallowed_methods, reason = "the test itself is told to write")]
    let bless = std::env::var_os("VALETKEY_BLESS").is_some();
    if bless {
        run(npm("generate")).await;
    }
    let stage = Stage::start().await;
    let mut check = npm("check");
    check.env("VALETKEY_TEST_HOST", stage.line());
    let said = run(check).await;
    assert!(said.contains("fail 0"), "{said}");
    assert!(said.contains("skipped 0"), "none is left out: {said}");
}
