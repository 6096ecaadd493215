//! What may not stand in a source file, and what must stand beside it.

use std::fs;
use std::path::{Path, PathBuf};

use valetkey::error::Kind;
use valetkey_tests::artifacts::repository;

/// Lines beyond which a file wants splitting.
const MAX_LINES: usize = 700;

fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["host", "sdk", "plugins", "tests", "wit", "docs"] {
        gather(&repository().join(folder), &mut files);
    }
    files
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if !["node_modules", "target", "dist", "build"].contains(&name.as_str()) {
                gather(&path, files);
            }
        } else if ["rs", "wit", "toml", "md", "html", "mjs", "ts"]
            .iter()
            .any(|kind| name.ends_with(&format!(".{kind}")))
        {
            files.push(path);
        }
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(repository())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// The words are put together here so that this file does not hold them.
#[test]
fn nothing_is_left_for_later_or_switched_off() {
    let words = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["#[ig", "nore"].concat(),
        ["todo", "!("].concat(),
        ["unimple", "mented!("].concat(),
    ];
    let mut found = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(&file).expect("a text file");
        for (number, line) in (1..).zip(text.lines()) {
            // HubSpot calls a kind of task so.
            let is_a_vendors_word = line.contains(&format!("\"{}\"", words[0]));
            if !is_a_vendors_word && words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{number}: {line}", shown(&file)));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_wants_splitting() {
    let long: Vec<_> = sources()
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|file| {
            let lines = fs::read_to_string(&file).expect("a text file").lines().count();
            (lines > MAX_LINES).then(|| format!("{}: {lines} lines", shown(&file)))
        })
        .collect();
    assert!(
        long.is_empty(),
        "more than {MAX_LINES} lines:\n{}",
        long.join("\n")
    );
}

#[test]
fn tests_wait_on_effects_and_never_sleep() {
    let word = ["time::sl", "eep("].concat();
    let mut found = Vec::new();
    for file in sources()
        .into_iter()
        .filter(|file| file.starts_with(repository().join("tests")))
    {
        // A simulated vendor may be slow on purpose; a guest may.
        if ["tests/vendors", "tests/guests", "tests/benches"]
            .iter()
            .any(|folder| file.starts_with(repository().join(folder)))
        {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a text file");
        for (number, line) in (1..).zip(text.lines()) {
            if line.contains(&word) {
                found.push(format!("{}:{number}: {}", shown(&file), line.trim()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "wait on an effect instead:\n{}",
        found.join("\n")
    );
}

#[test]
fn every_error_kind_is_in_the_reference() {
    let reference =
        fs::read_to_string(repository().join("docs/reference/errors.md")).expect("the reference of errors");
    let missing: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| kind.as_str())
        .filter(|kind| !reference.contains(&format!("`{kind}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/reference/errors.md says nothing of {missing:?}"
    );
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .filter(|file| {
            let text = fs::read_to_string(file).expect("a text file");
            !text.lines().take(3).any(|line| line.starts_with("//!"))
        })
        .map(|file| shown(&file))
        .collect();
    assert!(silent.is_empty(), "no module doc:\n{}", silent.join("\n"));
}
