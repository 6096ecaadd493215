//! The generated pages of `docs/reference`: they are what the code says, or the test fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use valetkey::api::answer::{STATUS_OF_REASON, status_of};
use valetkey::api::openapi;
use valetkey::error::{Kind, Retry};
use valetkey_tests::artifacts;
use valetkey_tests::snapshot::assert_checked_in;

#[test]
fn the_openapi_document_is_checked_in() {
    let mut text = serde_json::to_string_pretty(&openapi()).expect("JSON");
    text.push('\n');
    assert_checked_in("docs/reference/openapi.json", &text);
}

#[test]
fn the_page_of_errors_is_checked_in() {
    assert_checked_in("docs/reference/errors.md", &errors());
}

/// The page: a row per kind with what its doc comment says.
fn errors() -> String {
    let meanings = meanings();
    let mut page = String::from(
        "# Errors\n\n\
         Every error of every edge has one shape. `message` is safe for a model and says what to do next; `kind` is\n\
         for programs, and closed: a new kind is a new minor version. `side` says whose move it is, `retryable` whether\n\
         the same call may succeed later, `retry_after_ms` (and the header `retry-after`, in seconds) when, if that is\n\
         known.\n\n\
         ```json\n\
         {\"error\": {\"kind\": \"invalid_input\", \"message\": \"…\", \"side\": \"caller\", \"retryable\": false,\n\
         \x20          \"fields\": [{\"path\": \"/params/limit\", \"problem\": \"must be 1 to 100\"}], \"execution_id\": \"exe_…\"}}\n\
         ```\n\n\
         Also, where there is something to say: `reason` (a stable word that tells variants of a kind apart), `vendor`\n\
         (`status`, `code` and `message` of the vendor, untrusted text), `authorization_link` (where the account's owner\n\
         can mend it). An answer of `execute_tool` names its execution in the header `x-execution-id` too. When the host\n\
         itself failed outside an execution, `execution_id` and the header `x-request-id` hold the id of its log line.\n\n\
         ## Kinds\n\n\
         | kind | status | side | retryable | meaning | what to do |\n\
         |---|---|---|---|---|---|\n",
    );
    for kind in Kind::ALL {
        let side = serde_json::to_value(kind.side()).expect("JSON");
        let retryable = match kind.retry() {
            Retry::Never => "no",
            Retry::Later | Retry::After(_) => "yes",
        };
        writeln!(
            page,
            "| `{}` | {} | {} | {retryable} | {} | {} |",
            kind.as_str(),
            status_of(kind).as_u16(),
            side.as_str().expect("a text"),
            meanings
                .get(&format!("{kind:?}"))
                .unwrap_or_else(|| panic!("{kind:?} has no doc comment")),
            kind.advice(),
        )
        .expect("a text");
    }
    page.push_str(
        "\nA generic HTTP client repeats 429, 502, 503 and 504 by itself, so only what may be repeated has one of these.\n\n\
         ## Reasons with a status of their own\n\n\
         | reason | status |\n\
         |---|---|\n",
    );
    for (reason, status) in STATUS_OF_REASON {
        writeln!(page, "| `{reason}` | {} |", status.as_u16()).expect("a text");
    }
    page
}

/// The doc comments of `error::Kind`'s variants.
fn meanings() -> BTreeMap<String, String> {
    let source = fs::read_to_string(artifacts::repository().join("host/src/error.rs")).expect("the source");
    let body = source
        .split_once("pub enum Kind {")
        .and_then(|(_, rest)| rest.split_once("\n}"))
        .expect("the enum")
        .0;
    let mut meanings = BTreeMap::new();
    let mut doc = Vec::new();
    for line in body.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            doc.push(text.trim());
        } else if let Some(name) = line.strip_suffix(',') {
            meanings.insert(name.to_owned(), doc.join(" "));
            doc.clear();
        }
    }
    meanings
}
