//! The Python package (`sdk/client-python`), by pytest, mypy and ruff.

use tokio::process::Command;
use valetkey_tests::artifacts::{repository, target_dir};

use crate::stage::{Stage, run};

/// The interpreter with the versions of `requirements-dev.txt`, in the package's folder. It leaves nothing there.
fn python(arguments: &[&str]) -> Command {
    let home = target_dir().join("python");
    let interpreter = home.join("bin/python");
    assert!(
        interpreter.exists(),
        "{} is missing; make it with: python3 -m venv target/python && \
         target/python/bin/python -m pip install -r sdk/client-python/requirements-dev.txt",
        interpreter.display()
    );
    let mut command = Command::new(interpreter);
    command
        .current_dir(repository().join("sdk/client-python"))
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("MYPY_CACHE_DIR", home.join("mypy-cache"))
        .env("RUFF_CACHE_DIR", home.join("ruff-cache"));
    command
}

/// Runs tests of the package against a real host; none may be left out.
async fn pytest(arguments: &[&str]) {
    let stage = Stage::start().await;
    let mut command = python(&["-m", "pytest", "-p", "no:cacheprovider", "--quiet"]);
    command.args(arguments).env("VALETKEY_TEST_HOST", stage.line());
    let said = run(command).await;
    assert!(said.contains(" passed"), "{said}");
    assert!(!said.contains("skipped"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_clients_do_what_every_case_says() {
    pytest(&["tests/test_cases.py"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_packages_own_promises_hold_its_adapters_examples_and_documents_included() {
    pytest(&["--ignore", "tests/test_cases.py"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_package_is_typed_throughout() {
    run(python(&["-m", "mypy"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_generated_part_of_the_python_package_is_what_the_reference_says() {
    #[allow(clippy::disallowed_methods, reason = "the test itself is told to write")]
    let bless = std::env::var_os("VALETKEY_BLESS").is_some();
    let mut arguments = vec!["scripts/generate.py"];
    if !bless {
        arguments.push("--check");
    }
    run(python(&arguments)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_package_is_in_form() {
    run(python(&["-m", "ruff", "check", "."])).await;
    run(python(&["-m", "ruff", "format", "--check", "."])).await;
}
