//! What an import made and what it left out, for the person who goes on with it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use valetkey_manifest::Manifest;

use crate::auth::Connecting;
use crate::model::Api;
use crate::{MadeTools, words};

/// Operations that are named one by one in the page for people.
const MAX_LISTED: usize = 400;

/// A connector's manifest with its report.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The manifest.
    pub manifest: Manifest,
    /// The same as `connector.toml`, with comments where a person should look.
    pub toml: String,
    /// What became of the specification.
    pub report: Report,
}

/// What became of a specification.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The connector's id.
    pub connector: String,
    /// Its title.
    pub title: String,
    /// Bytes of the specification as it was given.
    pub specification_bytes: usize,
    /// Bytes of the manifest.
    pub manifest_bytes: usize,
    /// Operations that the specification has.
    pub operations: usize,
    /// The tools that were made.
    pub tools: Vec<ToolLine>,
    /// Operations that were tried and cannot become tools.
    pub left_out: Vec<LeftOutOperation>,
    /// How many of them, by reason.
    pub left_out_by_reason: BTreeMap<String, usize>,
    /// Operations that nobody asked for: not included, deprecated, or writing where only reading is wanted.
    pub not_wanted: usize,
    /// Operations that are wanted, behind the most tools that there may be.
    pub beyond_max_tools: usize,
    /// Optional parameters that were left out of tools, by reason.
    pub parameters_left_out: BTreeMap<String, usize>,
    /// Ways of connecting that were left out, with the reason.
    pub auth_left_out: Vec<String>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

/// One tool of the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToolLine {
    /// Its name.
    pub name: String,
    /// The operation that it is.
    pub operation: String,
    /// What a person should look at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub review: Vec<String>,
    /// Optional parameters that were left out, by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters_left_out: BTreeMap<String, usize>,
}

/// One operation that did not become a tool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeftOutOperation {
    /// The operation.
    pub operation: String,
    /// Why.
    pub reason: String,
}

pub(crate) fn of(
    api: &Api,
    manifest: &Manifest,
    made: &MadeTools,
    connecting: &Connecting,
    specification_bytes: usize,
    manifest_bytes: usize,
) -> Report {
    let mut left_out_by_reason = BTreeMap::new();
    for (_, left_out) in &made.left_out {
        *left_out_by_reason.entry(left_out.reason.clone()).or_default() += 1;
    }
    let mut parameters_left_out = BTreeMap::new();
    let tools: Vec<ToolLine> = made
        .tools
        .iter()
        .map(|(operation, made, _)| {
            let losses: BTreeMap<String, usize> = made
                .losses
                .iter()
                .map(|(reason, count)| ((*reason).to_owned(), *count))
                .collect();
            for (reason, count) in &losses {
                *parameters_left_out.entry(reason.clone()).or_default() += count;
            }
            ToolLine {
                name: made.tool.name.clone(),
                operation: operation.place(),
                review: made.review.clone(),
                parameters_left_out: losses,
            }
        })
        .collect();
    Report {
        connector: manifest.connector.id.clone(),
        title: manifest.connector.title.clone(),
        specification_bytes,
        manifest_bytes,
        operations: api.operations.len() + api.unreadable.len(),
        tools,
        left_out: made
            .left_out
            .iter()
            .map(|(operation, left_out)| LeftOutOperation {
                operation: words::visible(operation),
                reason: words::visible(&left_out.detail),
            })
            .collect(),
        left_out_by_reason,
        not_wanted: made.unwanted,
        beyond_max_tools: made.beyond,
        parameters_left_out,
        auth_left_out: connecting.left_out.clone(),
        notes: api.notes.clone(),
    }
}

impl Report {
    /// A few lines for the screen.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = format!(
            "{} of {} operations became tools of the connector `{}`",
            self.tools.len(),
            self.operations,
            self.connector
        );
        if self.beyond_max_tools > 0 {
            let _ = write!(
                text,
                "\n{} more are wanted: --max-tools or --include says which",
                self.beyond_max_tools
            );
        }
        if self.not_wanted > 0 {
            let _ = write!(
                text,
                "\n{} were not asked for, or are deprecated",
                self.not_wanted
            );
        }
        for (reason, count) in &self.left_out_by_reason {
            let _ = write!(text, "\n{count} left out: {reason}");
        }
        for (reason, count) in &self.parameters_left_out {
            let _ = write!(text, "\n{count} optional parameters left out: {reason}");
        }
        for note in self.auth_left_out.iter().chain(&self.notes) {
            let _ = write!(text, "\n{note}");
        }
        text
    }

    /// The page that stands beside the manifest.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut page = format!(
            "# How this connector was imported\n\nFrom a specification of {} with {} operations, {} bytes. \
             Lines that begin with `# review:` in connector.toml want a person's eyes; texts in it are the vendor's.\n\n",
            self.title, self.operations, self.specification_bytes
        );
        let mut counts = vec![("tools made".to_owned(), self.tools.len())];
        counts.push(("not asked for, or deprecated".to_owned(), self.not_wanted));
        counts.push(("behind --max-tools".to_owned(), self.beyond_max_tools));
        let reasons = self.left_out_by_reason.iter();
        counts.extend(reasons.map(|(reason, count)| (format!("left out: {reason}"), *count)));
        table(&mut page, "Operations", &counts);
        let losses: Vec<(String, usize)> = self
            .parameters_left_out
            .iter()
            .map(|(reason, count)| (reason.clone(), *count))
            .collect();
        table(&mut page, "Optional parameters left out", &losses);
        let connecting: Vec<&String> = self.auth_left_out.iter().chain(&self.notes).collect();
        list(&mut page, "Notes", connecting.into_iter().cloned());
        list(
            &mut page,
            "Tools",
            self.tools.iter().map(|tool| {
                let mut line = format!("`{}`: {}", tool.name, tool.operation);
                for review in &tool.review {
                    let _ = write!(line, "; {review}");
                }
                for (reason, count) in &tool.parameters_left_out {
                    let _ = write!(line, "; {count} optional parameters left out ({reason})");
                }
                line
            }),
        );
        let more = self.left_out.len().saturating_sub(MAX_LISTED);
        let lines = self.left_out.iter().take(MAX_LISTED);
        let lines = lines.map(|left_out| format!("{}: {}", left_out.operation, left_out.reason));
        let rest = (more > 0).then(|| format!("and {more} more; `--json` lists all of them"));
        list(&mut page, "Left out", lines.chain(rest));
        page
    }
}

fn table(page: &mut String, title: &str, rows: &[(String, usize)]) {
    if rows.iter().all(|(_, count)| *count == 0) {
        return;
    }
    let _ = write!(page, "## {title}\n\n| what | how many |\n|---|---:|\n");
    for (what, count) in rows.iter().filter(|(_, count)| *count > 0) {
        let _ = writeln!(page, "| {} | {count} |", what.replace('|', "/"));
    }
    page.push('\n');
}

fn list(page: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return;
    }
    let _ = write!(page, "## {title}\n\n");
    for line in lines {
        let _ = writeln!(page, "- {}", line.replace(['\n', '\r'], " "));
    }
    page.push('\n');
}
