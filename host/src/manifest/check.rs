//! Whether a manifest is acceptable: names, schemas in the portable subset, endpoints, templates,
//! hints. Every complaint at once, each with its place and what to do.
//!
//! Called by `registry` at install, by `build` and by `valetkey connector check`. It looks only at
//! the manifest: what a component really imports and exports is the sandbox's question.

mod auth;
mod connection;
mod request;
mod schema;
mod signing;
mod tool;

use valetkey_manifest::Manifest;

use crate::error::Problem;
use crate::text::is_deceptive;

/// The contract's version that this host speaks.
const CONTRACT: &str = "0.1";

/// Checks a manifest; an empty list means that it is acceptable.
#[must_use]
pub fn manifest(manifest: &Manifest) -> Vec<Problem> {
    let mut complaints = Complaints::default();
    identity(manifest, &mut complaints);
    connection::check(manifest, &mut complaints);
    auth::check(manifest, &mut complaints);
    tool::check_all(manifest, &mut complaints);
    complaints.0
}

/// What was found so far.
#[derive(Default)]
struct Complaints(Vec<Problem>);

impl Complaints {
    fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Problem {
            path: path.into(),
            problem: problem.into(),
        });
    }

    /// Complains unless `fine`.
    fn expect(&mut self, fine: bool, path: impl Into<String>, problem: impl Into<String>) {
        if !fine {
            self.add(path, problem);
        }
    }

    /// Complains unless `pointer` is a JSON pointer (RFC 6901).
    fn expect_pointer(&mut self, pointer: &str, path: impl Into<String>) {
        let escapes = pointer
            .split('~')
            .skip(1)
            .all(|rest| rest.starts_with(['0', '1']));
        self.expect(
            (pointer.is_empty() || pointer.starts_with('/')) && escapes,
            path,
            format!(
                "{pointer:?} is not a JSON pointer: write `/member/member`, with `~1` for a slash in a name"
            ),
        );
    }

    /// Complains unless `text` has `min` to `max` characters, all of which people see.
    fn expect_length(&mut self, text: &str, min: usize, max: usize, path: impl Into<String>) {
        let path = path.into();
        let length = text.trim().chars().count();
        self.expect(
            (min..=max).contains(&length),
            path.as_str(),
            format!("has {length} characters; write {min} to {max}"),
        );
        let hidden = |character| !matches!(character, '\t' | '\n' | '\r') && is_deceptive(character);
        if let Some(found) = text.chars().find(|character| hidden(*character)) {
            self.add(
                path,
                format!(
                    "holds {}, which nobody sees or which turns the text around it; take it out",
                    found.escape_unicode()
                ),
            );
        }
    }

    fn expect_pattern(&mut self, pattern: &str, path: impl Into<String>) {
        if let Err(error) = matcher(pattern) {
            self.add(
                path,
                format!("{pattern:?} is not a regular expression that runs in linear time: {error}"),
            );
        }
    }
}

/// Tells whether a whole text matches a pattern.
fn matcher(pattern: &str) -> Result<impl Fn(&str) -> bool + use<>, String> {
    let schema = serde_json::json!({ "pattern": format!("^(?:{pattern})$") });
    let validator = super::validator(&schema)?;
    Ok(move |text: &str| validator.is_valid(&serde_json::Value::from(text)))
}

/// Escapes a name for use in a JSON pointer.
pub(super) fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Whether `name` begins with a lower-case letter and goes on with lower-case letters, digits and
/// underscores, within `max` characters.
fn is_word(name: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn identity(manifest: &Manifest, complaints: &mut Complaints) {
    let connector = &manifest.connector;
    complaints.expect(
        is_word(&connector.id, 2, 32),
        "/connector/id",
        format!(
            "{:?} is not an id: 2 to 32 lower-case letters, digits and underscores, a letter first",
            connector.id
        ),
    );
    complaints.expect_length(&connector.title, 1, 60, "/connector/title");
    complaints.expect(
        is_semver(&connector.version),
        "/connector/version",
        format!(
            "{:?} is not a semantic version such as 1.4.0 or 2.0.0-beta.1",
            connector.version
        ),
    );
    complaints.expect(
        connector.contract == CONTRACT,
        "/connector/contract",
        format!(
            "{:?} is not spoken by this host; write {CONTRACT:?}",
            connector.contract
        ),
    );
    complaints.expect_length(&connector.description, 10, 400, "/connector/description");
    for (index, category) in connector.categories.iter().enumerate() {
        complaints.expect(
            is_word(category, 2, 32),
            format!("/connector/categories/{index}"),
            format!("{category:?} is not one lower-case word"),
        );
    }
    if let Some(url) = &connector.docs_url {
        complaints.expect(
            url.starts_with("https://"),
            "/connector/docs_url",
            "is not an https URL",
        );
    }
    if let Some(limits) = &manifest.limits {
        for (name, value) in [
            ("memory_mib", limits.memory_mib),
            ("http_requests", limits.http_requests),
        ] {
            complaints.expect(
                value != Some(0),
                format!("/limits/{name}"),
                "is 0; leave it out for the usual limit",
            );
        }
    }
}

/// Semantic Versioning 2.0.0, <https://semver.org>.
fn is_semver(version: &str) -> bool {
    let (version, build) = match version.split_once('+') {
        Some((version, build)) => (version, Some(build)),
        None => (version, None),
    };
    let (core, pre) = match version.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (version, None),
    };
    let is_number = |part: &str| {
        !part.is_empty()
            && part.len() <= 9
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let is_identifier = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_pre = |part: &str| {
        is_identifier(part) && (is_number(part) || !part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    core.split('.').count() == 3
        && core.split('.').all(is_number)
        && pre.is_none_or(|pre| pre.split('.').all(is_pre))
        && build.is_none_or(|build| build.split('.').all(is_identifier))
}
