//! The arrows of ARCHITECTURE.md: which module of the host may use which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use valetkey_tests::artifacts::repository;

/// What everything may use: words without behaviour.
const GROUND: &[&str] = &[
    "clock", "config", "error", "id", "random", "secret", "text", "trace",
];

/// Module, and what it may use beside itself and the ground. A module that is not here is an
/// error: give it its arrows.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["cli", "sandbox"]),
    (
        "cli",
        &[
            "author",
            "call",
            "certificate",
            "manifest",
            "offline",
            "runtime",
            "serve",
            "telemetry",
        ],
    ),
    (
        "author",
        &[
            "access", "accounts", "call", "journal", "manifest", "registry", "runtime",
        ],
    ),
    (
        "offline",
        &["egress", "journal", "registry", "sandbox", "store", "vault"],
    ),
    ("serve", &["api", "runtime"]),
    (
        "mcp",
        &["access", "accounts", "call", "registry", "runtime", "servers"],
    ),
    (
        "api",
        &[
            "access", "accounts", "call", "files", "grpc", "journal", "manifest", "mcp", "registry",
            "runtime", "servers",
        ],
    ),
    (
        "grpc",
        &["access", "accounts", "call", "registry", "runtime", "servers"],
    ),
    (
        "runtime",
        &[
            "access",
            "accounts",
            "call",
            "certificate",
            "egress",
            "files",
            "journal",
            "registry",
            "sandbox",
            "servers",
            "store",
            "vault",
        ],
    ),
    ("certificate", &[]),
    (
        "call",
        &[
            "access",
            "accounts",
            "capability",
            "egress",
            "files",
            "journal",
            "manifest",
            "registry",
            "runtime",
            "sandbox",
            "servers",
            "store",
            "vault",
        ],
    ),
    (
        "servers",
        &[
            "access", "accounts", "egress", "journal", "registry", "store", "vault",
        ],
    ),
    ("accounts", &["egress", "journal", "registry", "store", "vault"]),
    ("access", &["journal", "store", "vault"]),
    ("registry", &["egress", "journal", "manifest", "sandbox", "store"]),
    ("journal", &[]),
    ("sandbox", &["capability", "egress", "manifest"]),
    ("capability", &["egress", "files"]),
    ("egress", &["files"]),
    ("files", &["vault"]),
    ("vault", &["store"]),
    ("store", &[]),
    ("manifest", &["egress"]),
    ("telemetry", &["egress"]),
    ("trace", &[]),
    ("clock", &[]),
    ("config", &[]),
    ("error", &[]),
    ("id", &[]),
    ("random", &[]),
    ("secret", &[]),
    ("text", &[]),
];

#[test]
fn modules_use_each_other_only_along_the_arrows() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let source = repository().join("host/src");
    let mut wrong = Vec::new();
    for file in rust_files(&source) {
        let module = module_of(&source, &file);
        if module == "lib" {
            continue;
        }
        let Some(allowed) = allowed.get(module.as_str()) else {
            wrong.push(format!(
                "`{module}` has no arrows; give it a line in tests/tidy/arrows.rs"
            ));
            continue;
        };
        for used in uses(&fs::read_to_string(&file).expect("a source file")) {
            if used != module && !allowed.contains(&used.as_str()) && !GROUND.contains(&used.as_str()) {
                wrong.push(format!(
                    "{} uses `{used}`",
                    file.strip_prefix(&source).expect("below").display()
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "against the arrows of ARCHITECTURE.md:\n{}",
        wrong.join("\n")
    );
}

fn module_of(source: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(source).expect("a file below the source");
    let first = relative
        .components()
        .next()
        .expect("a name")
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The host's modules that a text names by `crate::module`, comments left out; a binary names
/// them by `valetkey::module`.
fn uses(text: &str) -> BTreeSet<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut used = BTreeSet::new();
    for prefix in ["crate::", "valetkey::"] {
        for (at, _) in code.match_indices(prefix) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' || before == ':' {
                continue;
            }
            let rest = &code[at + prefix.len()..];
            let names: Vec<&str> = match rest.strip_prefix('{') {
                Some(group) => top_level_names(group),
                None => vec![rest],
            };
            for name in names {
                let name: String = name
                    .trim_start()
                    .chars()
                    .take_while(|c| c.is_lowercase() || *c == '_')
                    .collect();
                if !name.is_empty() {
                    used.insert(name);
                }
            }
        }
    }
    used
}

/// The names of `{a::{b, c}, d}` at its first level: `a` and `d`.
fn top_level_names(group: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut names) = (0_u32, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(&group[begin..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(&group[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    names
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn uses_are_seen_in_every_spelling() {
    let text = "use crate::{store::{Batch, Table}, vault};\nuse crate::error::Fault;\n// use crate::api;\nlet x = crate::random::token();";
    let seen: Vec<_> = uses(text).into_iter().collect();
    assert_eq!(seen, ["error", "random", "store", "vault"]);
}
