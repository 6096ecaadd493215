//! `connector new`: the folder that it makes checks, packs or builds, and passes its own tests as it stands.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use valetkey_tests::artifacts::{repository, target_dir};
use valetkey_tests::program::Place;

/// What toolchains need of the caller's environment.
fn toolchain() -> Vec<(&'static str, String)> {
    #[allow(clippy::disallowed_methods, reason = "where this machine's toolchains are")]
    let variable = |name| Some((name, std::env::var(name).ok()?));
    ["HOME", "CARGO_HOME", "RUSTUP_HOME"]
        .into_iter()
        .filter_map(variable)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_folder_without_code_packs_and_passes_its_tests_whatever_the_auth() {
    for auth in ["oauth2", "api_key", "basic"] {
        let place = Place::new();
        let made = place
            .run(&["--json", "connector", "new", "my_crm", "--auth", auth])
            .await
            .json();
        assert_eq!(made["connector"], "my_crm");
        for file in ["connector.toml", "connector.schema.json", "tests/thing_get.http"] {
            assert!(place.path().join("my_crm").join(file).is_file(), "{file}");
        }
        let ignored = fs::read_to_string(place.path().join("my_crm/.gitignore")).expect("a file");
        for secret in ["valetkey-data/", "*.key"] {
            assert!(
                ignored.lines().any(|line| line == secret),
                "a host tried out there: {ignored}"
            );
        }
        let manifest = fs::read_to_string(place.path().join("my_crm/connector.toml")).expect("a manifest");
        assert!(
            manifest.contains("title = \"My Crm\"") && !manifest.contains("acme"),
            "{manifest}"
        );
        assert!(manifest.contains(&format!("kind = \"{auth}\"")), "{manifest}");

        place
            .run(&["--json", "connector", "check", "my_crm"])
            .await
            .json();
        let packed = place
            .run(&["--json", "connector", "pack", "my_crm", "--out", "out"])
            .await
            .json();
        assert_eq!(packed["tools"], 2);
        let tested = place.run(&["connector", "test", "my_crm"]).await;
        assert_eq!(tested.code, 0, "{auth}: {}{}", tested.out, tested.talk);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_folder_with_code_builds_and_passes_its_tests() {
    for (language, tools) in [("rust", 3), ("js", 3)] {
        let place = Place::new();
        place
            .run(&["--json", "connector", "new", "my_crm", "--lang", language])
            .await
            .json();
        let dir = place.path().join("my_crm");
        if language == "rust" {
            // Compiled once on this machine, like what the workspace itself compiles.
            let compiled = target_dir().join("new-connector");
            fs::create_dir_all(&compiled).expect("a folder");
            symlink(compiled, dir.join("target")).expect("a link");
        } else {
            // The SDK as npm would have put it there.
            let packages = dir.join("node_modules/@valetkey");
            fs::create_dir_all(&packages).expect("a folder");
            fs::write(dir.join("node_modules/.package-lock.json"), "{}").expect("npm's own note");
            symlink(repository().join("sdk/guest-js"), packages.join("guest")).expect("a link");
        }
        let environment = toolchain();
        let environment: Vec<(&str, &str)> = environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let built = place
            .run_with(
                &["--json", "connector", "build", "my_crm", "--out", "out"],
                &environment,
            )
            .await
            .json();
        assert_eq!(built["tools"], tools);
        let tested = place
            .run_with(&["connector", "test", "my_crm"], &environment)
            .await;
        assert_eq!(tested.code, 0, "{language}: {}{}", tested.out, tested.talk);
        assert!(tested.out.contains("thing_tag"), "{}", tested.out);
        let packed = place.run(&["connector", "pack", "my_crm"]).await;
        assert_eq!(packed.code, 1, "{language}");
        assert!(
            packed.talk.contains("`valetkey connector build`"),
            "{}",
            packed.talk
        );
    }
}

/// An id of two words is a name of a type there as well. One case is enough: compiling an interpreter takes
/// a host without optimisation its time.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_folder_in_python_builds_and_passes_its_test() {
    let place = Place::new();
    let new = ["--json", "connector", "new", "my_crm", "--lang", "python"];
    let made = place.run(&new).await.json();
    let files = made["files"].as_array().expect("a list");
    for carried in ["pyproject.toml", "src/valetkey_guest/build.py"] {
        let name = format!("valetkey/sdk/guest-python/{carried}");
        assert!(files.iter().any(|file| *file == name), "what pip wants: {name}");
    }
    with_installed_python(&place.path().join("my_crm"));
    let build = ["--json", "connector", "build", "my_crm", "--out", "out"];
    let built = place.run(&build).await.json();
    assert_eq!(built["tools"], 3);
    let (built, case) = ("out/my_crm.wasm", "thing_tag");
    let test = [
        "connector",
        "test",
        "my_crm",
        "--filter",
        case,
        "--component",
        built,
    ];
    let tested = place.run(&test).await;
    assert_eq!(tested.code, 0, "{}{}", tested.out, tested.talk);
    assert!(tested.out.contains("ok    thing_tag"), "{}", tested.out);
}

/// The SDK and its builder as pip would have put them there: those of the sample, which
/// `build-guests` installed.
fn with_installed_python(dir: &Path) {
    let installed = repository().join("tests/authors/samples/python/target/python");
    assert!(
        installed.join("bin/componentize-py").is_file(),
        "{} is missing; make it with: cargo run -p valetkey-tests --bin build-guests",
        installed.display()
    );
    let environment = dir.join("target/python");
    fs::create_dir_all(&environment).expect("a folder");
    for part in ["bin", "lib", "pyvenv.cfg"] {
        symlink(installed.join(part), environment.join(part)).expect("a link");
    }
    fs::copy(dir.join("requirements.txt"), environment.join("requirements.txt")).expect("pip's note");
}

#[tokio::test]
async fn a_folder_that_is_not_empty_is_left_as_it_is() {
    let place = Place::new();
    fs::create_dir(place.path().join("acme")).expect("a folder");
    fs::write(place.path().join("acme/notes.txt"), "mine").expect("a file");
    let refused = place.run(&["connector", "new", "acme"]).await;
    assert_ne!(refused.code, 0);
    assert!(refused.talk.contains("--dir"), "{}", refused.talk);
    let there: Vec<_> = fs::read_dir(place.path().join("acme"))
        .expect("the folder")
        .collect();
    assert_eq!(there.len(), 1);
}
