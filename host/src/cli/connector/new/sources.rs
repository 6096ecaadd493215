//! What this binary carries for authors: the templates, and the guest SDKs of its own version, so
//! that a new folder builds against the contract that this host speaks, whatever is published where.

use std::collections::BTreeSet;

use anyhow::Context as _;
use toml::{Table, Value};

use super::Language;

/// Path in Valetkey's source, and content (`host/build.rs`).
static SOURCES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));
/// Versions that the SDKs' crates share.
static WORKSPACE: &str = include_str!("../../../../../Cargo.toml");

/// The files below `folder`, with their paths below it.
pub(super) fn below(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    let prefix = format!("{folder}/");
    SOURCES
        .iter()
        .filter_map(move |(path, content)| Some((path.strip_prefix(&prefix)?, *content)))
}

/// One carried text.
pub(super) fn text(path: &str) -> anyhow::Result<&'static str> {
    let (_, content) = SOURCES
        .iter()
        .find(|(name, _)| *name == path)
        .with_context(|| format!("this build of valetkey lacks {path}"))?;
    Ok(std::str::from_utf8(content)?)
}

/// A guest SDK, for a folder of its own: paths and contents.
pub(super) fn sdk(language: Language) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let folders: &[&str] = match language {
        Language::None => &[],
        Language::Rust => &["sdk/guest-rust", "sdk/manifest", "wit"],
        Language::Javascript => &["sdk/guest-js"],
        Language::Python => &["sdk/guest-python"],
    };
    let mut files: Vec<(String, Vec<u8>)> = folders
        .iter()
        .flat_map(|folder| {
            below(folder).map(move |(path, content)| (format!("{folder}/{path}"), content.to_vec()))
        })
        .collect();
    if language == Language::Rust {
        let workspace = workspace_of(&["sdk/guest-rust", "sdk/manifest"])?;
        files.push(("Cargo.toml".to_owned(), toml::to_string(&workspace)?.into_bytes()));
    }
    Ok(files)
}

/// The part of the workspace's Cargo.toml that `members` refer to.
fn workspace_of(members: &[&str]) -> anyhow::Result<Table> {
    let mut whole: Table = toml::from_str(WORKSPACE)?;
    let Some(Value::Table(mut workspace)) = whole.remove("workspace") else {
        anyhow::bail!("this build of valetkey lacks its workspace");
    };
    let mut wanted = BTreeSet::new();
    for member in members {
        let member: Table = toml::from_str(text(&format!("{member}/Cargo.toml"))?)?;
        dependencies(&member, &mut wanted);
    }
    if let Some(Value::Table(versions)) = workspace.get_mut("dependencies") {
        versions.retain(|name, _| wanted.contains(name));
    }
    workspace.remove("default-members");
    let members = members.iter().map(|member| Value::from(*member)).collect();
    workspace.insert("members".to_owned(), Value::Array(members));
    Ok(Table::from_iter([(
        "workspace".to_owned(),
        Value::Table(workspace),
    )]))
}

/// Names in every table of dependencies, those of one target as well.
fn dependencies(table: &Table, names: &mut BTreeSet<String>) {
    for (key, value) in table {
        match value {
            Value::Table(listed) if key == "dependencies" => names.extend(listed.keys().cloned()),
            Value::Table(deeper) => dependencies(deeper, names),
            _ => {}
        }
    }
}
