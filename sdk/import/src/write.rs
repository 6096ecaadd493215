//! A manifest as the `connector.toml` that a person would write: in the order of the bundled connectors, long
//! schemas as tables of their own, and a comment wherever an import had to guess.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};
use valetkey_manifest::{Manifest, Tool};

use crate::endpoints::Place;

/// Characters of a line beyond which a table is written as a section of its own.
const MAX_LINE: usize = 160;
/// The order of keys; others follow by name.
const ORDER: [&str; 34] = [
    "id",
    "kind",
    "name",
    "in",
    "title",
    "version",
    "contract",
    "type",
    "required",
    "additionalProperties",
    "enum",
    "format",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "default",
    "items",
    "max_page_size",
    "default_limit",
    "paginator",
    "read_only",
    "destructive",
    "idempotent",
    "endpoint",
    "method",
    "path",
    "subject",
    "label",
    "url",
    "authorize_url",
    "token_url",
    "pointer",
    "failure",
];
/// What a manifest means when it says nothing, so that saying it is noise.
const DEFAULTS: [(&str, &str); 7] = [
    ("body_format", "json"),
    ("runtime", "rust"),
    ("client_auth", "post"),
    ("rotation", "none"),
    ("revoke_token", "refresh"),
    ("scope_separator", " "),
    ("iss_required", "false"),
];
/// Keys that come after all others: what is long, and words.
const LAST: [&str; 6] = ["description", "pattern", "query", "headers", "body", "properties"];

/// Writes a manifest. `auth` are the reviewer's notes on the ways of connecting, `tools` those on the tools.
pub(crate) fn toml(
    manifest: &Manifest,
    auth: &[Vec<String>],
    verify_is_guessed: bool,
    endpoints: &BTreeMap<String, Place>,
    tools: &[&[String]],
) -> String {
    let mut out = Writer::default();
    out.line(&format!(
        "# {}: imported from the vendor's specification; IMPORT.md says what was left out.",
        comment(&manifest.connector.title)
    ));
    out.line("# The texts are the vendor's. Lines that begin with `# review:` were guessed.");
    out.section("connector", &object(&manifest.connector));
    for (name, endpoint) in &manifest.endpoints {
        out.blank();
        out.review(
            endpoints
                .get(name)
                .map(|place| place.review.as_slice())
                .unwrap_or_default(),
        );
        out.table(&format!("endpoints.{}", key(name)), &object(endpoint));
    }
    for (way, review) in manifest.auth.iter().zip(auth) {
        out.blank();
        out.review(review);
        out.element("auth", &object(way));
    }
    for (name, input) in &manifest.account_config {
        out.section(&format!("account_config.{}", key(name)), &object(input));
    }
    if let Some(verify) = &manifest.verify {
        out.blank();
        if verify_is_guessed {
            out.review(&[
                "an operation that answers who one is, by its name: make sure that any credential may call it"
                    .to_owned(),
            ]);
        }
        out.table("verify", &object(verify));
    }
    for budget in &manifest.budgets {
        out.blank();
        out.element("budgets", &object(budget));
    }
    for throttle in &manifest.throttles {
        out.blank();
        out.element("throttles", &object(throttle));
    }
    if let Some(errors) = &manifest.errors {
        out.section("errors", &object(errors));
    }
    for (name, paginator) in &manifest.paginators {
        out.section(&format!("paginators.{}", key(name)), &object(paginator));
    }
    let mut group = None;
    for (tool, review) in manifest.tools.iter().zip(tools) {
        let of = tool
            .tags
            .iter()
            .find(|tag| *tag != "search")
            .cloned()
            .unwrap_or_default();
        if group.as_ref() != Some(&of) {
            if !of.is_empty() {
                out.blank();
                out.line(&format!("# ---- {of} ----"));
            }
            group = Some(of);
        }
        out.blank();
        out.review(review);
        out.tool(tool);
    }
    out.text
}

/// A part of a manifest as JSON, without what it means anyway. `null` never comes up: what is none is left out.
fn object(value: &impl Serialize) -> Map<String, Value> {
    let Ok(Value::Object(mut members)) = serde_json::to_value(value) else {
        return Map::new();
    };
    without_defaults(&mut members);
    for part in ["oauth2", "request"] {
        if let Some(Value::Object(inner)) = members.get_mut(part) {
            without_defaults(inner);
        }
    }
    members
}

fn without_defaults(members: &mut Map<String, Value>) {
    members.retain(|name, value| {
        let plain = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        !DEFAULTS.contains(&(name.as_str(), plain.as_str()))
    });
}

#[derive(Default)]
struct Writer {
    text: String,
}

impl Writer {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn review(&mut self, notes: &[String]) {
        for note in notes {
            self.line(&format!("# review: {}", comment(note)));
        }
    }

    fn section(&mut self, name: &str, members: &Map<String, Value>) {
        self.blank();
        self.table(name, members);
    }

    /// `[name]` with its members; those that are long tables follow as sections.
    fn table(&mut self, name: &str, members: &Map<String, Value>) {
        self.line(&format!("[{name}]"));
        self.members(name, members);
    }

    /// `[[name]]` with its members.
    fn element(&mut self, name: &str, members: &Map<String, Value>) {
        self.line(&format!("[[{name}]]"));
        self.members(name, members);
    }

    fn members(&mut self, name: &str, members: &Map<String, Value>) {
        let mut sections = Vec::new();
        for (member, value) in ordered(members) {
            let written = format!("{} = {}", key(member), inline(value));
            match value {
                Value::Object(inner)
                    if written.chars().count() > MAX_LINE
                        || (member == "properties" && !inner.is_empty()) =>
                {
                    sections.push((member, inner));
                }
                _ => self.line(&written),
            }
        }
        for (member, inner) in sections {
            self.section(&format!("{name}.{}", key(member)), inner);
        }
    }

    /// A tool: what is short first, its input, its request.
    fn tool(&mut self, tool: &Tool) {
        self.line("[[tools]]");
        let mut members = object(tool);
        for member in [
            "name",
            "aliases",
            "title",
            "description",
            "tags",
            "hints",
            "scopes",
            "any_scopes",
            "paging",
        ] {
            if let Some(value) = members.remove(member) {
                self.line(&format!("{member} = {}", inline(&value)));
            }
        }
        for member in ["input", "request", "response"] {
            let Some(Value::Object(inner)) = members.remove(member) else {
                continue;
            };
            self.section(&format!("tools.{member}"), &inner);
        }
    }
}

fn ordered(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut ordered: Vec<(&String, &Value)> = members.iter().collect();
    ordered.sort_by_key(|(name, _)| {
        let first = ORDER.iter().position(|known| known == name);
        let last = LAST.iter().position(|known| known == name);
        let rank = match (first, last) {
            (Some(rank), _) => rank,
            (None, Some(rank)) => 1_000 + rank,
            (None, None) => 500,
        };
        (rank, name.as_str())
    });
    ordered
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(real)) => format!("{real:?}"),
            (None, None) => "0".to_owned(),
        },
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<String> = ordered(members)
                .into_iter()
                .map(|(name, value)| format!("{} = {}", key(name), inline(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}

/// A basic string (TOML 1.0).
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

fn key(name: &str) -> String {
    let bare = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if bare { name.to_owned() } else { quoted(name) }
}

/// A comment is one line.
fn comment(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_read_back_as_they_were_whatever_they_hold() {
        let value = json!({
            "a b\"c": "line\nquote \" back \\ \u{7f} é", "": [1, -2, 1.5, 1e300, true, {}], "n": {"x-y": {"z": []}},
            "type": "object",
        });
        let text = format!("v = {}", inline(&value));
        let read: Value = toml::from_str(&text).expect("TOML");
        assert_eq!(read["v"], value);
    }

    #[test]
    fn long_tables_become_sections_and_read_back() {
        let long = "x".repeat(MAX_LINE);
        let value = json!({"type": "object", "properties": {"a.b": {"type": "string", "description": long}, "c": {"type": "integer"}}});
        let mut writer = Writer::default();
        writer.table("t", value.as_object().expect("members"));
        assert!(
            writer.text.contains("[t.properties.\"a.b\"]") && writer.text.contains("c = { type"),
            "{}",
            writer.text
        );
        let read: Value = toml::from_str(&writer.text).expect("TOML");
        assert_eq!(read["t"], value);
    }
}
