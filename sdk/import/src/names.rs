//! Names of tools: `vendor_resource_verb`, at most 48 characters, each once. A name depends on the document
//! alone, never on what is chosen from it, so that a second import with another choice keeps it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Api, Body, Operation};
use crate::words;

/// Characters of a tool's name.
pub(crate) const MAX_NAME: usize = 48;
/// Words of a name that say nothing.
const FILLERS: [&str; 14] = [
    "a", "an", "the", "for", "of", "by", "with", "and", "in", "on", "to", "from", "all", "using",
];
/// Parts of a path that every path of an API has.
const NO_RESOURCE: [&str; 5] = ["api", "rest", "v", "web", "public"];
/// Verbs that vendors begin the ids of operations with; ours stand at the end.
const VERBS: [&str; 28] = [
    "list", "get", "create", "update", "delete", "add", "remove", "set", "search", "find", "send", "post",
    "put", "patch", "retrieve", "fetch", "read", "query", "upsert", "replace", "insert", "archive",
    "restore", "move", "copy", "cancel", "close", "edit",
];
/// Verbs that mean what another one says.
const SAME: [(&str, &str); 8] = [
    ("retrieve", "get"),
    ("fetch", "get"),
    ("read", "get"),
    ("find", "get"),
    ("insert", "create"),
    ("edit", "update"),
    ("patch", "update"),
    ("post", "create"),
];
/// Words that a name of a thing can do without.
const ARTICLES: [&str; 4] = ["a", "an", "the", "all"];

/// A connector's id from what the specification gives: the API's own name, the label of the server's host
/// that says whose it is, or the first word of the title.
pub(crate) fn id(api: &Api) -> String {
    let host = api
        .servers
        .first()
        .map(|server| server.url.as_str())
        .unwrap_or_default();
    let host = host
        .split("://")
        .nth(1)
        .unwrap_or(host)
        .split('/')
        .next()
        .unwrap_or_default();
    let labels: Vec<&str> = host
        .split('.')
        .filter(|label| !label.contains(['{', '}', ':']))
        .collect();
    let short = ["co", "com", "org", "net", "gov", "ac"];
    let label = match labels.as_slice() {
        [.., name, middle, _] if short.contains(middle) => Some(*name),
        [.., name, _] => Some(*name),
        _ => None,
    };
    let title = words::of_name(&api.title).into_iter().next();
    let own = api
        .id
        .clone()
        .or(label.map(str::to_owned))
        .or(title)
        .unwrap_or_default();
    word(&own, "vendor")
}

/// A word of lower-case letters, digits and underscores, a letter first, 2 to 32 characters; `otherwise`
/// where nothing is left of the text.
pub(crate) fn word(text: &str, otherwise: &str) -> String {
    let joined = words::of_name(text).join("_");
    let word: String = joined
        .trim_start_matches(|first: char| !first.is_ascii_lowercase())
        .chars()
        .take(32)
        .collect();
    let word = word.trim_end_matches('_');
    if word.len() < 2 {
        otherwise.to_owned()
    } else {
        word.to_owned()
    }
}

/// The name of every operation's tool, in the order of the operations.
pub(crate) fn assign(id: &str, operations: &[Operation]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    operations
        .iter()
        .map(|operation| {
            let words = words_of(id, operation);
            let mut name = fitted(id, &words, MAX_NAME);
            while !taken.insert(name.clone()) {
                // Two operations with the same words: the method tells them apart, or a number.
                let number = count.entry(name.clone()).or_insert(1);
                *number += 1;
                let suffix = format!("_{number}");
                name = format!("{}{suffix}", fitted(id, &words, MAX_NAME - suffix.len()));
            }
            name
        })
        .collect()
}

/// What an operation is about and what it does, the verb last.
fn words_of(id: &str, operation: &Operation) -> Vec<String> {
    if let Body::GraphQl { .. } = operation.body {
        return graphql_words(operation);
    }
    let path = path_words(operation);
    let own = operation.id.as_deref().map(words::of_name).unwrap_or_default();
    let mut words = if own.is_empty() || is_generated(&own, operation) || own.len() > 7 {
        path
    } else {
        verb_last(own)
    };
    let vendor = words::of_name(id);
    if words.len() > vendor.len() && words.starts_with(&vendor) {
        words.drain(..vendor.len());
    }
    words.retain(|word| !ARTICLES.contains(&word.as_str()));
    words
}

/// A query is named after what it answers: it has no verb.
fn graphql_words(operation: &Operation) -> Vec<String> {
    let mut words = words::of_name(operation.id.as_deref().unwrap_or_default());
    if operation.tags.iter().any(|tag| tag == "mutations") {
        return verb_last(words);
    }
    if !words.last().is_some_and(|last| VERBS.contains(&last.as_str())) {
        words.push(
            if operation.answer.connection {
                "list"
            } else {
                "get"
            }
            .to_owned(),
        );
    }
    words
}

/// Whether an operation's id is only its method and path again, as generators write it.
fn is_generated(own: &[String], operation: &Operation) -> bool {
    let written = words::of_name(&format!("{} {}", operation.method, operation.path));
    let path: BTreeSet<&String> = written.iter().collect();
    own.first() == written.first() && own.iter().all(|word| path.contains(word))
}

/// Puts the verb that an id begins with at its end: `list issues for repo` is `issues for repo list`.
fn verb_last(mut words: Vec<String>) -> Vec<String> {
    if words.len() > 1 && VERBS.contains(&words[0].as_str()) {
        let verb = words.remove(0);
        let says_more = words.last().is_some_and(|last| VERBS.contains(&last.as_str()));
        // `postSearch` is a search: the method says less than the verb that is there.
        if !(says_more && verb == "post") {
            let same = SAME.iter().find(|(other, _)| *other == verb);
            words.push(same.map_or(verb.clone(), |(_, same)| (*same).to_owned()));
        }
    }
    words
}

/// The fixed parts of a path, and the verb that its method stands for.
fn path_words(operation: &Operation) -> Vec<String> {
    let segments: Vec<&str> = operation
        .path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let is_fixed =
        |segment: &&&str| !segment.contains('{') && !is_version(segment) && !NO_RESOURCE.contains(*segment);
    let fixed: Vec<&&str> = segments.iter().filter(is_fixed).collect();
    let ends_fixed = segments.last().is_some_and(|last| !last.contains('{'));
    let mut words: Vec<String> = Vec::new();
    for (index, segment) in fixed.iter().enumerate() {
        let of_segment = words::of_name(segment);
        let is_last = index + 1 == fixed.len();
        if is_last && ends_fixed && operation.method == "GET" {
            words.extend(of_segment);
        } else {
            words.extend(of_segment.iter().map(|word| singular(word)));
        }
    }
    let verb = match (operation.method.as_str(), ends_fixed) {
        ("GET", true) => "list",
        ("GET" | "HEAD", _) => "get",
        // `POST /charges/{id}/capture` is what its last part says.
        ("POST", true) if segments.last().is_some_and(|last| VERBS.contains(last)) => "",
        ("POST", true)
            if segments.len() > 1
                && segments[segments.len() - 2].contains('{')
                && is_verb(segments.last()) =>
        {
            ""
        }
        ("POST", true) => "create",
        ("DELETE", _) => "delete",
        ("PUT", _) => "set",
        _ => "update",
    };
    if !verb.is_empty() {
        words.push(verb.to_owned());
    }
    words
}

fn is_verb(segment: Option<&&str>) -> bool {
    segment.is_some_and(|segment| !segment.ends_with('s'))
}

fn is_version(segment: &str) -> bool {
    let digits = segment.trim_start_matches(['v', 'V']);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// One of what an English plural names; good enough for names.
fn singular(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    let kept = ["ss", "us", "is", "news", "series"];
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 1 && !kept.iter().any(|ending| word.ends_with(ending)) => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// The words behind the connector's id, within `limit` characters. What says least goes first: fillers, words
/// that are there twice, then those in the middle; the verb stays.
fn fitted(id: &str, words: &[String], limit: usize) -> String {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words.is_empty() {
        words.push("call");
    }
    words.dedup();
    let joined = |words: &[&str]| format!("{id}_{}", words.join("_"));
    while joined(&words).len() > limit && words.len() > 1 {
        let inner = 0..words.len() - 1;
        let filler = inner.clone().find(|at| FILLERS.contains(&words[*at]));
        let twice = inner.clone().find(|at| words[at + 1..].contains(&words[*at]));
        let at = filler.or(twice).unwrap_or((words.len() - 1) / 2);
        words.remove(at);
    }
    let mut name = joined(&words);
    name.truncate(limit);
    name.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Server;

    fn named(operations: &[(&str, &str, Option<&str>)]) -> Vec<String> {
        let operations: Vec<Operation> = operations
            .iter()
            .map(|(method, path, id)| Operation {
                method: (*method).to_owned(),
                path: (*path).to_owned(),
                id: id.map(str::to_owned),
                ..Operation::default()
            })
            .collect();
        assign("acme", &operations)
    }

    #[test]
    fn names_say_resource_and_verb() {
        let names = named(&[
            ("GET", "/issues", Some("listIssues")),
            ("GET", "/repos/{r}/issues", Some("issues/list-for-repo")),
            ("GET", "/v1/customers/{c}/sources", None),
            ("GET", "/v1/customers/{customer}", Some("GetCustomersCustomer")),
            ("POST", "/v1/charges/{c}/capture", None),
            ("POST", "/v1/entities", None),
            ("PATCH", "/v1/boxes/{b}", None),
            ("GET", "/v1/things/{t}", Some("acme.things.get")),
            ("GET", "/v1/blocks/{b}", Some("retrieve-a-block")),
            ("POST", "/v1/search", Some("post-search")),
        ]);
        let wanted = [
            "acme_issues_list",
            "acme_issues_list_for_repo",
            "acme_customer_sources_list",
            "acme_customer_get",
            "acme_charge_capture",
            "acme_entity_create",
            "acme_box_update",
            "acme_things_get",
            "acme_block_get",
            "acme_search",
        ];
        assert_eq!(names, wanted);
    }

    #[test]
    fn long_names_are_shortened_and_equal_ones_told_apart() {
        let long = "list deployment protection configurations for every organization";
        let names = named(&[
            ("GET", "/a", Some(long)),
            ("GET", "/b", Some(long)),
            ("GET", "/c", Some(long)),
        ]);
        assert!(
            names
                .iter()
                .all(|name| name.len() <= MAX_NAME && name.starts_with("acme_")),
            "{names:?}"
        );
        assert!(names[1].ends_with("_2") && names[2].ends_with("_3"), "{names:?}");
        let word = "x".repeat(200);
        assert_eq!(named(&[("GET", "/a", Some(&word))])[0].len(), MAX_NAME);
        assert_eq!(named(&[("GET", "/", Some("…"))]), ["acme_get"]);
    }

    #[test]
    fn an_id_is_the_label_that_says_whose_api_it_is() {
        let id_of = |url: &str, title: &str| {
            let servers = vec![Server {
                url: url.to_owned(),
                ..Server::default()
            }];
            id(&Api {
                title: title.to_owned(),
                servers,
                ..Api::default()
            })
        };
        assert_eq!(id_of("https://api.github.com", ""), "github");
        assert_eq!(id_of("https://{site}.atlassian.net/rest", ""), "atlassian");
        assert_eq!(id_of("https://api.vendor.co.uk", ""), "vendor");
        assert_eq!(id_of("https://{host}", "Acme API"), "acme");
        assert_eq!(id_of("", ""), "vendor");
    }
}
