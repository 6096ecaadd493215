//! What a call does to the vendor's data, read off its method and its words. Only what is certain is called
//! harmless; the rest is for a reviewer.

use valetkey_manifest::tool::Hints;

use crate::model::{Body, Operation};
use crate::words;

/// Words of operations that take something away or cannot be taken back.
const DESTRUCTIVE: [&str; 20] = [
    "delete",
    "remove",
    "destroy",
    "purge",
    "clear",
    "erase",
    "revoke",
    "cancel",
    "archive",
    "trash",
    "send",
    "publish",
    "merge",
    "transfer",
    "leave",
    "kick",
    "ban",
    "void",
    "reset",
    "overwrite",
];
/// Words by which a POST may turn out to read only.
const READING: [&str; 9] = [
    "search", "query", "list", "get", "find", "lookup", "count", "filter", "export",
];

/// The hints of an operation, and what a reviewer should make sure of.
pub(crate) fn of(operation: &Operation) -> (Hints, Option<&'static str>) {
    let hints = |read_only, destructive, idempotent| Hints {
        read_only,
        destructive,
        idempotent,
    };
    if let Body::GraphQl { document } = &operation.body
        && document.starts_with("query")
    {
        return (hints(true, false, true), None);
    }
    let words = words_of(operation);
    let says = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    match operation.method.as_str() {
        "GET" | "HEAD" => (hints(true, false, true), None),
        "DELETE" => (hints(false, true, true), None),
        "PUT" => (hints(false, true, true), None),
        "PATCH" => (hints(false, true, true), None),
        _ if searches(operation) => (
            hints(true, false, true),
            Some("taken for a search because its path ends so: make sure that it changes nothing"),
        ),
        _ if says(&DESTRUCTIVE) => (hints(false, true, false), None),
        _ if says(&READING) => (
            hints(false, false, false),
            Some("may only read: if so, set read_only and idempotent, and add the tag \"search\""),
        ),
        _ => (hints(false, false, false), None),
    }
}

/// Whether a POST only searches: its path says so, or it is a GraphQL query.
pub(crate) fn searches(operation: &Operation) -> bool {
    if let Body::GraphQl { document } = &operation.body {
        return document.starts_with("query");
    }
    let last = operation.path.rsplit(['/', ':', '.']).next().unwrap_or_default();
    operation.method == "POST" && last.eq_ignore_ascii_case("search")
}

fn words_of(operation: &Operation) -> Vec<String> {
    let last = operation
        .path
        .rsplit('/')
        .find(|segment| !segment.contains('{'))
        .unwrap_or_default();
    let mut words = words::of_name(operation.id.as_deref().unwrap_or_default());
    words.extend(words::of_name(last));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(method: &str, path: &str) -> (bool, bool, bool) {
        let operation = Operation {
            method: method.to_owned(),
            path: path.to_owned(),
            ..Operation::default()
        };
        let (hints, _) = of(&operation);
        (hints.read_only, hints.destructive, hints.idempotent)
    }

    #[test]
    fn a_method_and_its_words_say_what_a_call_does() {
        assert_eq!(hints("GET", "/x"), (true, false, true));
        assert_eq!(hints("POST", "/things"), (false, false, false));
        assert_eq!(hints("POST", "/things/search"), (true, false, true));
        assert_eq!(hints("POST", "/messages:search"), (true, false, true));
        assert_eq!(
            hints("POST", "/jobs/query"),
            (false, false, false),
            "SQL may write"
        );
        assert_eq!(hints("POST", "/messages/send"), (false, true, false));
        assert_eq!(hints("PUT", "/things/{id}"), (false, true, true));
        assert_eq!(hints("DELETE", "/things/{id}"), (false, true, true));
    }
}
