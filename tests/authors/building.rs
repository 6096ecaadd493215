//! `connector build` of a folder with code for an interpreter: TypeScript, and what is said of mistakes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;
use valetkey::manifest::build::{self, BuildError, Built, Step};

use valetkey_tests::artifacts::repository;

/// A folder with the sample's manifest and this code, and the SDK as npm would have put it there.
fn folder(file: &str, code: &str, with_sdk: bool) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let manifest = repository().join("tests/authors/samples/javascript/connector.toml");
    fs::copy(manifest, dir.path().join("connector.toml")).expect("a manifest");
    fs::write(dir.path().join("package.json"), r#"{"type": "module"}"#).expect("a package");
    fs::write(dir.path().join(file), code).expect("code");
    let packages = dir.path().join("node_modules/@valetkey");
    fs::create_dir_all(&packages).expect("a folder");
    fs::write(dir.path().join("node_modules/.package-lock.json"), "{}").expect("npm's own note");
    if with_sdk {
        symlink(repository().join("sdk/guest-js"), packages.join("guest")).expect("a link");
    }
    dir
}

fn build(dir: &Path, steps: &mut Vec<Step>) -> Result<Built, BuildError> {
    build::build(dir, &dir.join("out"), &mut |step| steps.push(step))
}

#[test]
fn typescript_becomes_a_component_with_its_manifest_in_it() {
    let code = r#"
        import { type Call, page } from "@valetkey/guest";
        import type { Inputs } from "./inputs";
        export const tools = {
          sample_note_delete: (call: Call, input: Inputs["sample_note_delete"]) => page(input.note_id as string),
        };
    "#;
    let dir = folder("connector.ts", code, true);
    let mut steps = Vec::new();
    let built = build(dir.path(), &mut steps).expect("it builds");
    let component = fs::read(&built.path).expect("a component");
    let manifest = valetkey::manifest::extract(&component).expect("a manifest");
    assert_eq!(manifest, built.manifest);
    assert!(
        !steps.iter().any(|step| matches!(step, Step::Installing(_))),
        "{steps:?}"
    );
    let types = fs::read_to_string(dir.path().join("inputs.d.ts")).expect("the types of inputs");
    assert!(types.contains("sample_note_delete: {"), "{types}");
    let left: Vec<_> = fs::read_dir(dir.path().join("target"))
        .expect("a folder")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn mistakes_are_told_in_the_tools_own_words() {
    for (code, words) in [
        (
            "export const tools = {}; throw new Error(\"no luck\");",
            "no luck",
        ),
        ("export const tools = {", "connector.js:1"),
        ("export const other = {};", "No matching export"),
        (
            "import fs from 'fs'; export const tools = { a: fs };",
            "Could not resolve \"fs\"",
        ),
    ] {
        let dir = folder("connector.js", code, true);
        let error = build(dir.path(), &mut Vec::new()).expect_err("a mistake");
        assert!(matches!(error, BuildError::Compile(_)), "{error}");
        assert!(error.to_string().contains(words), "{code}: {error}");
        assert!(!dir.path().join("out/sample.wasm").exists());
    }
    let dir = folder("connector.py", "", true);
    let error = build(dir.path(), &mut Vec::new()).expect_err("no code");
    assert!(
        error
            .to_string()
            .contains("there is no connector.ts and no connector.js"),
        "{error}"
    );
    let dir = folder("connector.js", "export const tools = {};", false);
    let error = build(dir.path(), &mut Vec::new()).expect_err("no SDK");
    assert!(matches!(error, BuildError::NoSdk { .. }), "{error}");
    assert!(error.to_string().contains("@valetkey/guest"), "{error}");
}
