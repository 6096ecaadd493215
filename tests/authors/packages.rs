//! The packages of the SDKs (`sdk/guest-js`, `sdk/guest-python`): their own tests, which are the cases
//! of every language, and their types, to which the samples are held as well.

use tokio::process::Command;

use valetkey_tests::artifacts::{repository, target_dir};

/// Runs a program in a folder of the repository; it has to succeed.
async fn run(folder: &str, program: &str, arguments: &[&str], needs: &str) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(repository().join(folder))
        .env("PYTHONPATH", repository().join("sdk/guest-python/src"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("MYPY_CACHE_DIR", target_dir().join("python/mypy-cache"))
        .env("RUFF_CACHE_DIR", target_dir().join("python/ruff-cache"))
        .output()
        .await
        .unwrap_or_else(|error| panic!("{program} cannot be run ({error}); make it with: {needs}"));
    let said = [output.stdout, output.stderr]
        .map(|said| String::from_utf8_lossy(&said).into_owned())
        .concat();
    assert!(
        output.status.success(),
        "{program} {arguments:?} in {folder}\n{said}"
    );
    said
}

/// The interpreter with mypy and ruff.
async fn python(folder: &str, arguments: &[&str]) -> String {
    let interpreter = target_dir().join("python/bin/python");
    let interpreter = interpreter.to_string_lossy();
    let needs = "python3 -m venv target/python && target/python/bin/python -m pip install -r sdk/client-python/requirements-dev.txt";
    run(folder, &interpreter, arguments, needs).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_engine_does_what_every_case_says() {
    let said = run("sdk/guest-js", "node", &["--test", "tests/"], "tests/run").await;
    assert!(said.contains("# fail 0") || said.contains("fail 0"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_engine_does_what_every_case_says() {
    let said = python("sdk/guest-python", &["-m", "unittest", "discover", "-s", "tests"]).await;
    assert!(said.contains("OK"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_sample_keeps_to_the_types_of_the_package_and_of_its_inputs() {
    let compiler = repository().join("sdk/client-typescript/node_modules/.bin/tsc");
    let needs = "npm ci --prefix sdk/client-typescript";
    let options = [
        "--noEmit",
        "--strict",
        "--allowJs",
        "--checkJs",
        "--target",
        "es2023",
        "--module",
        "nodenext",
        "--skipLibCheck",
        "false",
        "connector.js",
    ];
    run(
        "tests/authors/samples/javascript",
        &compiler.to_string_lossy(),
        &options,
        needs,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_package_is_typed_and_in_form_and_the_sample_keeps_to_its_types() {
    python("sdk/guest-python", &["-m", "mypy"]).await;
    python("sdk/guest-python", &["-m", "ruff", "check", "."]).await;
    python("sdk/guest-python", &["-m", "ruff", "format", "--check", "."]).await;
    python(
        "tests/authors/samples/python",
        &[
            "-m",
            "mypy",
            "--strict",
            "--python-version",
            "3.11",
            "connector.py",
        ],
    )
    .await;
}
