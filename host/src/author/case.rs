//! A case: one call of a tool, what it must answer, and the exchanges with the vendor that it
//! consists of. One text file per case, in the connector's `tests` folder:
//!
//! ```text
//! # What the case shows, for people.
//!
//! ### case
//! tool: acme_thing_get
//! params: {"thing_id": "7"}
//! answer: {"id": "7", "made": "{{any}}"}
//!
//! ### request
//! GET https://api.acme.example/v1/things/7
//!     ?fields=id,made
//! Accept: application/json
//!
//! ### response 200
//! Content-Type: application/json
//!
//! {"id": "7", "made": "2026-03-01"}
//! ```
//!
//! In place of `answer` a case may have `fault`: a kind, or an object of which each member is
//! compared. Further fields of the head: `more` (whether a cursor to further items comes back),
//! `auth` (id of the manifest's auth scheme), `config` (the account's configuration) and `files` (what the
//! caller uploaded before the call: a text of `params` names one by `{{file.NAME}}`).
//!
//! `{{any}}` in a text that is expected stands for anything, and `{"$base64": "text"}` for a text
//! that is sent in base64. Headers of a request count when the case writes them. A body that is
//! not text stands in base64 below `### response 200 base64`.
//!
//! Called by the command line and `record`. It only reads and writes the text.

mod text;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

pub use text::pairs;

/// How the file of a case ends.
pub const EXTENSION: &str = "http";

/// One case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The file's name without its ending.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// What it shows, for people: the comment above it.
    pub about: String,
    /// Tool or alias.
    pub tool: String,
    /// Its input.
    pub params: Map<String, Value>,
    /// What must come of it.
    pub expected: Expected,
    /// Whether a cursor to further items must come back; none when the case does not care.
    pub more: Option<bool>,
    /// Id of the manifest's auth scheme; none for its first.
    pub auth: Option<String>,
    /// The account's configuration, over that of the suite.
    pub config: BTreeMap<String, String>,
    /// Files that the caller has uploaded, by the names that `params` call them.
    pub files: BTreeMap<String, GivenFile>,
    /// What goes to the vendor and comes back.
    pub exchanges: Vec<Exchange>,
}

/// A file of the caller's, as one uploads it before a call. Its bytes are `text` or `base64`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenFile {
    /// What it is called; `file` where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Media type; `application/octet-stream` where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The bytes, where they are text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The bytes in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

impl GivenFile {
    /// The bytes; none unless it has exactly one of `text` and good `base64`.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match (&self.text, &self.base64) {
            (Some(text), None) => Some(text.clone().into_bytes()),
            (None, Some(base64)) => STANDARD.decode(base64).ok(),
            _ => None,
        }
    }

    /// How a text of `params` names the file called `name`.
    #[must_use]
    pub fn placeholder(name: &str) -> String {
        format!("{{{{file.{name}}}}}")
    }
}

/// What must come of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// This answer.
    Answer(Value),
    /// A fault, each of these members of its body.
    Fault(Map<String, Value>),
}

/// A request and the answer to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// What is sent.
    pub request: Request,
    /// What the vendor answers.
    pub response: Response,
}

/// A request as the vendor sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Line of the file where it begins.
    pub line: usize,
    /// Method.
    pub method: String,
    /// URL without the query, percent-encoded.
    pub url: String,
    /// Query parameters, decoded.
    pub query: Vec<(String, String)>,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
}

/// A vendor's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// Status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// Why a file is no case.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}:{line}: {problem}", .path.display())]
pub struct CaseError {
    /// The file.
    pub path: PathBuf,
    /// The line.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

impl Case {
    /// Reads a case.
    ///
    /// # Errors
    /// The file cannot be read, or the first line that is not as it should be.
    pub fn read(path: &Path) -> Result<Self, CaseError> {
        let text = fs::read_to_string(path).map_err(|error: io::Error| CaseError {
            path: path.to_owned(),
            line: 0,
            problem: format!("cannot be read: {error}"),
        })?;
        Self::parse(path, &text)
    }

    /// Reads the text of a case.
    ///
    /// # Errors
    /// The first line that is not as it should be.
    pub fn parse(path: &Path, text: &str) -> Result<Self, CaseError> {
        text::read(path, text).map_err(|(line, problem)| CaseError {
            path: path.to_owned(),
            line,
            problem,
        })
    }

    /// The text of the case.
    #[must_use]
    pub fn to_text(&self) -> String {
        text::write(self)
    }
}

impl Request {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

impl Response {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let found = headers.iter().find(|(present, _)| present == name);
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = r#"# Reads one thing.

### case
tool: acme_thing_get
params: {"thing_id": "7"}
answer: {
  "id": "7",
  "note": "a: b"
}
more: false

### request
GET https://api.acme.example/v1/things/7
    ?fields=id,made
    &q=a%20b%26c
Accept: application/json

### response 200
Content-Type: application/json

{"id": "7"}

### request
POST https://api.acme.example/v1/x

{"a": 1}

### response 204
"#;

    fn parsed(text: &str) -> Result<Case, CaseError> {
        Case::parse(Path::new("tests/thing.http"), text)
    }

    #[test]
    fn a_case_is_read_whole() {
        let case = parsed(TEXT).expect("a case");
        assert_eq!(
            (case.name.as_str(), case.about.as_str()),
            ("thing", "Reads one thing.")
        );
        assert_eq!(
            case.expected,
            Expected::Answer(json!({"id": "7", "note": "a: b"}))
        );
        assert_eq!(case.more, Some(false));
        let [first, second] = case.exchanges.as_slice() else {
            panic!("{case:?}")
        };
        assert_eq!(first.request.url, "https://api.acme.example/v1/things/7");
        let query = [("fields", "id,made"), ("q", "a b&c")];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(first.request.query, query);
        assert_eq!(first.request.header("accept"), Some("application/json"));
        assert_eq!(first.response.body, br#"{"id": "7"}"#);
        assert_eq!(second.request.body, br#"{"a": 1}"#);
        assert_eq!((second.response.status, second.response.body.len()), (204, 0));
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let mut case = parsed(TEXT).expect("a case");
        let note = GivenFile {
            name: Some("note.txt".to_owned()),
            text: Some("one\n### two".to_owned()),
            ..GivenFile::default()
        };
        case.files.insert("note".to_owned(), note);
        case.exchanges[1].response.body = vec![0, 159, 146, 150];
        case.exchanges[1].request.body = b"one\n### two".to_vec();
        let again = parsed(&case.to_text()).unwrap_or_else(|error| panic!("{error}\n{}", case.to_text()));
        assert_eq!(again.exchanges[1].response, case.exchanges[1].response);
        assert_eq!(again.exchanges[1].request.body, case.exchanges[1].request.body);
        assert_eq!(again.exchanges[0].request.query, case.exchanges[0].request.query);
        assert_eq!(again.files, case.files);
        assert_eq!((again.params, again.expected), (case.params, case.expected));
    }

    #[test]
    fn files_of_the_caller_are_read_and_written() {
        let text = "### case\ntool: x\nparams: {\"a\": \"{{file.scan}}\"}\n\
                    files: {\"scan\": {\"name\": \"s.bin\", \"base64\": \"AJ+S\"}, \"note\": {\"text\": \"hi\"}}\nanswer: 1\n";
        let case = parsed(text).expect("a case");
        let bytes = |name: &str| case.files[name].bytes();
        assert_eq!(bytes("scan"), Some(vec![0, 159, 146]));
        assert_eq!(bytes("note"), Some(b"hi".to_vec()));
        let again = parsed(&case.to_text()).expect("a case");
        assert_eq!((again.files, again.params), (case.files, case.params));
    }

    #[test]
    fn what_is_no_case_is_told_with_its_line() {
        for (text, line, part) in [
            ("tool: x", 1, "above `### case`"),
            ("### request\nGET https://a.example/", 1, "`### case`"),
            ("### case\nparams: {}", 1, "no `tool`"),
            (
                "### case\ntool: x\nfiles: {\"a\": {\"text\": \"x\", \"base64\": \"eA==\"}}\nanswer: 1",
                3,
                "`text` or as `base64`",
            ),
            (
                "### case\ntool: x\nparams: {\"to\": [\"{{file.b}}\"]}\nfiles: {\"a\": {\"text\": \"x\"}}\nanswer: 1",
                1,
                "`{{file.b}}`",
            ),
            ("### case\ntool: x", 1, "expects nothing"),
            ("### case\ntool: x\nanswer: {\n\"a\": }", 4, "JSON"),
            ("### case\ntool: x\nfault: no_such_kind", 3, "no kind of error"),
            (
                "### case\ntool: x\nfault: vendor_not_found\nwait: 1",
                4,
                "no field of a case",
            ),
            ("### case\ntool: x\nanswer: 1\nfault: internal", 4, "one thing"),
            (
                "### case\ntool: x\nanswer: 1\n### request\nGET /a\n### response 200",
                5,
                "absolute",
            ),
            (
                "### case\ntool: x\nanswer: 1\n### request\nGET https://a.example/",
                4,
                "no `### response`",
            ),
            (
                "### case\ntool: x\nanswer: 1\n### request\nGET https://a.example/\n### response ok",
                6,
                "STATUS",
            ),
            (
                "### case\ntool: x\nanswer: 1\n### request\nGET https://a.example/\nnonsense\n### response 200",
                6,
                "no header",
            ),
        ] {
            let error = parsed(text).expect_err(text);
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.problem.contains(part), "{text}: {error}");
        }
    }
}
