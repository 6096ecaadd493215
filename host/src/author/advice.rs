//! What would be better about a connector that is acceptable: words that a model can choose a
//! tool by, examples, scopes in people's words, documentation, cases.
//!
//! Called by `valetkey connector check`. What an install refuses is not here but in
//! `manifest::check`.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use valetkey_manifest::{Manifest, Tool};

use super::suite::{Suite, SuiteError};
use crate::error::{Kind, Problem};

/// A description of fewer words says what the title says.
const FEWEST_WORDS: usize = 12;
/// Input of so many parameters wants an example.
const COMPLEX_PARAMETERS: usize = 4;
/// The most that a page without a limit should bring into a model's context.
const MOST_ITEMS: u32 = 100;

/// Words of programmers and of vendors' documentation that say nothing to a model about what a
/// tool does for a user.
const JARGON: [&str; 14] = [
    "api call",
    "endpoint",
    "http",
    "payload",
    "request body",
    "query parameter",
    "query string",
    "json object",
    "rest api",
    "oauth",
    "access token",
    "rate limit",
    "sdk",
    "webhook",
];

/// What would be better about the manifest.
#[must_use]
pub fn of_manifest(manifest: &Manifest) -> Vec<Problem> {
    let mut advice = Vec::new();
    let connector = &manifest.connector;
    if connector.docs_url.is_none() {
        add(
            &mut advice,
            "/connector/docs_url",
            "is missing; name the vendor's API documentation",
        );
    }
    if connector.categories.is_empty() {
        add(
            &mut advice,
            "/connector/categories",
            "is empty; a catalogue sorts connectors by it",
        );
    }
    if manifest.verify.is_none()
        && manifest
            .auth
            .iter()
            .any(|auth| auth.kind != valetkey_manifest::AuthKind::None)
    {
        add(
            &mut advice,
            "/verify",
            "is missing; without a request that names the account, a wrong credential is found out by the first call",
        );
    }
    if manifest.budgets.is_empty() {
        add(
            &mut advice,
            "/budgets",
            "is empty; the host keeps the rates that the vendor publishes, if it knows them",
        );
    }
    if manifest.errors.is_none() {
        add(
            &mut advice,
            "/errors",
            "is missing; say where the vendor's errors keep their code and text",
        );
    }
    error_kinds(manifest, &mut advice);
    scope_titles(manifest, &mut advice);
    for (index, tool) in manifest.tools.iter().enumerate() {
        of_tool(manifest, tool, &format!("/tools/{index}"), &mut advice);
    }
    similar_names(manifest, &mut advice);
    advice
}

/// Errors that are mapped to what the host alone says. A connector's word never ends an account.
fn error_kinds(manifest: &Manifest, advice: &mut Vec<Problem>) {
    let rules = manifest.errors.iter().flat_map(|errors| &errors.map);
    for (index, rule) in rules.enumerate() {
        let Some(kind) = Kind::parse(&rule.kind).filter(|kind| !Kind::OF_CONNECTORS.contains(kind)) else {
            continue;
        };
        let instead = if kind == Kind::AccountNotActive {
            "declare the answer under [[refusals]], by its status, pointer and values: then the host renews the credential, and ends the account where it cannot"
        } else {
            "map it to what the vendor says of it"
        };
        add(
            advice,
            format!("/errors/map/{index}/kind"),
            format!(
                "`{}` is the host's alone to say and comes out as `vendor_rejected`; {instead}",
                rule.kind
            ),
        );
    }
}

/// What would be better about the folder around it.
#[must_use]
pub fn of_folder(dir: &Path, manifest: &Manifest) -> Vec<Problem> {
    let mut advice = Vec::new();
    if !dir.join("README.md").is_file() {
        add(
            &mut advice,
            "README.md",
            "is missing; say how to connect an account and what is special",
        );
    }
    match Suite::read(dir) {
        Ok(suite) => {
            let called: BTreeSet<&str> = suite.cases.iter().map(|case| case.tool.as_str()).collect();
            for tool in &manifest.tools {
                let names = std::iter::once(&tool.name).chain(&tool.aliases);
                if !names.into_iter().any(|name| called.contains(name.as_str())) {
                    add(&mut advice, "tests", format!("no case calls {}", tool.name));
                }
            }
        }
        Err(error @ SuiteError::Empty(_)) => add(&mut advice, "tests", error.to_string()),
        Err(error) => add(&mut advice, "tests", format!("cannot be used: {error}")),
    }
    advice
}

fn add(advice: &mut Vec<Problem>, path: impl Into<String>, problem: impl Into<String>) {
    advice.push(Problem {
        path: path.into(),
        problem: problem.into(),
    });
}

fn scope_titles(manifest: &Manifest, advice: &mut Vec<Problem>) {
    for (index, auth) in manifest.auth.iter().enumerate() {
        let Some(oauth2) = &auth.oauth2 else { continue };
        for scope in oauth2
            .scopes
            .iter()
            .filter(|scope| !oauth2.scope_titles.contains_key(*scope))
        {
            add(
                advice,
                format!("/auth/{index}/oauth2/scope_titles"),
                format!("lacks `{scope}`; say in words of the account's owner what it allows"),
            );
        }
    }
}

fn of_tool(manifest: &Manifest, tool: &Tool, path: &str, advice: &mut Vec<Problem>) {
    let about = &tool.description;
    let words = about.split_whitespace().count();
    if words < FEWEST_WORDS {
        add(
            advice,
            format!("{path}/description"),
            format!("has {words} words; say what the tool does, when to use it and what comes back"),
        );
    }
    let lower = about.to_lowercase();
    for jargon in JARGON.iter().filter(|jargon| has_word(&lower, jargon)) {
        add(
            advice,
            format!("{path}/description"),
            format!(
                "says \"{jargon}\", which tells a model nothing about the task; say what it does for the user"
            ),
        );
    }
    let parameters = tool.input.get("properties").and_then(Value::as_object);
    let nested = |schema: &Value| {
        let inner = schema.get("items").unwrap_or(schema);
        inner.get("properties").is_some_and(Value::is_object)
    };
    let is_complex = parameters
        .is_some_and(|parameters| parameters.len() >= COMPLEX_PARAMETERS || parameters.values().any(nested));
    if is_complex && !about.contains('{') && !lower.contains("example") {
        add(
            advice,
            format!("{path}/description"),
            "has no example, and the input is not simple; end with `Example: {…}`",
        );
    }
    hints(tool, path, advice);
    if tool.scopes.is_empty()
        && tool.any_scopes.is_empty()
        && manifest.auth.iter().any(|auth| {
            auth.oauth2
                .as_ref()
                .is_some_and(|oauth2| !oauth2.scopes.is_empty())
        })
        && !tool.tags.iter().any(|tag| tag == "account")
    {
        add(
            advice,
            format!("{path}/scopes"),
            "is empty; name what the tool needs, so that a missing grant is told before the vendor refuses",
        );
    }
    if let Some(paging) = tool
        .paging
        .as_ref()
        .filter(|paging| paging.default_limit > MOST_ITEMS)
    {
        add(
            advice,
            format!("{path}/paging/default_limit"),
            format!(
                "is {}; a model reads all of them, and asks for more where it needs more",
                paging.default_limit
            ),
        );
    }
    if tool.tags.is_empty() {
        add(
            advice,
            format!("{path}/tags"),
            "is empty; servers and searches filter tools by tags",
        );
    }
}

/// Hints that are allowed and hardly meant.
fn hints(tool: &Tool, path: &str, advice: &mut Vec<Problem>) {
    let Some(request) = &tool.request else { return };
    let hints = tool.hints;
    if matches!(request.method.as_str(), "PUT" | "DELETE") && !hints.idempotent {
        add(
            advice,
            format!("{path}/hints/idempotent"),
            format!(
                "is false for {}, which changes nothing more when it is sent again",
                request.method
            ),
        );
    }
    let name = tool.name.to_lowercase();
    let removes = ["_delete", "_remove", "_trash", "_send", "_archive", "_cancel"];
    if !hints.read_only && !hints.destructive && removes.iter().any(|verb| name.contains(verb)) {
        add(
            advice,
            format!("{path}/hints/destructive"),
            "is false, and by its name the tool removes something or cannot be taken back",
        );
    }
    if hints.idempotent && request.method == "POST" && !hints.read_only && name.contains("_create") {
        add(
            advice,
            format!("{path}/hints/idempotent"),
            "is true for a tool that creates: the host then sends it again after a lost answer, and there are two",
        );
    }
}

/// Names that a model takes for one another.
fn similar_names(manifest: &Manifest, advice: &mut Vec<Problem>) {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-'], "");
    for (index, tool) in manifest.tools.iter().enumerate() {
        let twin = manifest.tools[..index].iter().find(|other| {
            plain(&other.name) == plain(&tool.name) || other.description.trim() == tool.description.trim()
        });
        if let Some(twin) = twin {
            add(
                advice,
                format!("/tools/{index}/name"),
                format!(
                    "`{}` and `{}` are told apart by nothing that a model sees",
                    twin.name, tool.name
                ),
            );
        }
        let resource = tool.name.split(['_', '-']).count();
        if resource < 2 || (resource == 2 && tool.request.is_some() && !tool.name.ends_with("whoami")) {
            add(
                advice,
                format!("/tools/{index}/name"),
                format!(
                    "`{}` is not `vendor_resource_verb`; say what it is about and what it does",
                    tool.name
                ),
            );
        }
    }
}

/// Whether a text has these words as words.
fn has_word(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + words.len()..].chars().next();
        let inside =
            |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        !inside(before) && !inside(after)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(tool: Value) -> Manifest {
        serde_json::from_value(json!({
            "connector": {"id": "acme", "title": "Acme", "version": "1.0.0", "contract": "0.1",
                "description": "One sentence.", "docs_url": "https://acme.example", "categories": ["crm"]},
            "endpoints": {"api": {"url": "https://api.acme.example"}},
            "budgets": [{"scope": "account", "requests": 1, "per_seconds": 1.0}],
            "errors": {},
            "tools": [tool],
        }))
        .expect("a manifest")
    }

    fn good() -> Value {
        json!({
            "name": "acme_thing_delete", "title": "Delete a thing", "tags": ["things"],
            "description": "Deletes one thing by its id, for good; nothing brings it back. Ask the user before. Answers `deleted`.",
            "hints": {"read_only": false, "destructive": true, "idempotent": true},
            "input": {"type": "object", "properties": {"thing_id": {"type": "string", "description": "Id."}}},
            "request": {"endpoint": "api", "method": "DELETE", "path": "/things/{thing_id}"},
        })
    }

    #[test]
    fn a_good_tool_gets_no_advice() {
        assert_eq!(of_manifest(&manifest(good())), []);
    }

    #[test]
    fn each_weakness_is_told_with_its_place() {
        let weak: [(&str, Value, &str); 6] = [
            (
                "/description",
                json!("Calls the endpoint that deletes a thing."),
                "/tools/0/description",
            ),
            ("/tags", json!([]), "/tools/0/tags"),
            ("/hints/idempotent", json!(false), "/tools/0/hints/idempotent"),
            ("/hints/destructive", json!(false), "/tools/0/hints/destructive"),
            (
                "/input/properties/thing_id",
                json!({"description": "x", "type": "object", "properties": {}}),
                "/tools/0/description",
            ),
            ("/name", json!("acme_delete"), "/tools/0/name"),
        ];
        for (pointer, value, place) in weak {
            let mut tool = good();
            *tool.pointer_mut(pointer).expect("there") = value;
            let advice = of_manifest(&manifest(tool));
            assert!(
                advice.iter().any(|advice| advice.path == place),
                "{pointer}: {advice:#?}"
            );
        }
    }

    #[test]
    fn an_error_that_only_the_host_gives_is_told_where_it_belongs() {
        let mut manifest = manifest(good());
        let mapped = |kind: &str| json!({"map": [{"code": "GONE", "kind": kind}]});
        manifest.errors = serde_json::from_value(mapped("account_not_active")).expect("errors");
        let [advice] = of_manifest(&manifest).try_into().expect("one piece of advice");
        assert_eq!(advice.path, "/errors/map/0/kind");
        assert!(advice.problem.contains("[[refusals]]"), "{}", advice.problem);
        manifest.errors = serde_json::from_value(mapped("vendor_not_found")).expect("errors");
        assert_eq!(of_manifest(&manifest), []);
    }

    #[test]
    fn a_word_within_another_is_no_jargon() {
        assert!(!has_word("mentions of httpie and sdks", "http"));
        assert!(has_word("over http.", "http"));
    }
}
