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
//! `auth` (id of the manifest's auth scheme) and `config` (the account's configuration).
//!
//! `{{any}}` in a text that is expected stands for anything, and `{"$base64": "text"}` for a text
//! that is sent in base64. Headers of a request count when the case writes them. A body that is
//! not text stands in base64 below `### response 200 base64`.
//!
//! Called by the command line and `record`. It only reads and writes the text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::error::Kind;

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
    /// What goes to the vendor and comes back.
    pub exchanges: Vec<Exchange>,
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
        parse(path, text).map_err(|(line, problem)| CaseError {
            path: path.to_owned(),
            line,
            problem,
        })
    }

    /// The text of the case.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for line in self.about.lines() {
            let _ = writeln!(out, "# {line}");
        }
        let _ = writeln!(out, "\n### case\ntool: {}", self.tool);
        let _ = writeln!(out, "params: {}", pretty(&Value::Object(self.params.clone())));
        match &self.expected {
            Expected::Answer(answer) => {
                let _ = writeln!(out, "answer: {}", pretty(answer));
            }
            Expected::Fault(fault) => {
                let _ = writeln!(out, "fault: {}", pretty(&Value::Object(fault.clone())));
            }
        }
        if let Some(more) = self.more {
            let _ = writeln!(out, "more: {more}");
        }
        if let Some(auth) = &self.auth {
            let _ = writeln!(out, "auth: {auth}");
        }
        if !self.config.is_empty() {
            let config = serde_json::to_value(&self.config).unwrap_or_default();
            let _ = writeln!(out, "config: {}", pretty(&config));
        }
        for exchange in &self.exchanges {
            write_request(&exchange.request, &mut out);
            write_response(&exchange.response, &mut out);
        }
        out
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

/// JSON as people write it: short things on one line.
fn pretty(value: &Value) -> String {
    let short = value.to_string();
    if short.len() <= 100 {
        return short;
    }
    serde_json::to_string_pretty(value).unwrap_or(short)
}

fn write_request(request: &Request, out: &mut String) {
    let encoded = is_encoded(&request.body);
    let _ = writeln!(out, "\n### request{}", if encoded { " base64" } else { "" });
    let _ = writeln!(out, "{} {}", request.method, request.url);
    for (index, (name, value)) in request.query.iter().enumerate() {
        let joint = if index == 0 { '?' } else { '&' };
        let _ = writeln!(out, "    {joint}{}={}", in_query(name), in_query(value));
    }
    write_rest(&request.headers, &request.body, encoded, out);
}

fn write_response(response: &Response, out: &mut String) {
    let encoded = is_encoded(&response.body);
    let mark = if encoded { " base64" } else { "" };
    let _ = writeln!(out, "\n### response {}{mark}", response.status);
    write_rest(&response.headers, &response.body, encoded, out);
}

fn write_rest(headers: &[(String, String)], body: &[u8], encoded: bool, out: &mut String) {
    for (name, value) in headers {
        let _ = writeln!(out, "{name}: {value}");
    }
    if body.is_empty() {
        return;
    }
    let text = match std::str::from_utf8(body) {
        Ok(text) if !encoded => serde_json::from_str(text)
            .map_or_else(|_| text.to_owned(), |value: Value| pretty(&value)),
        _ => STANDARD.encode(body),
    };
    let _ = writeln!(out, "\n{}", text.trim_end_matches('\n'));
}

/// Whether a body would not survive as text: no text, or one with a line like the file's own.
fn is_encoded(body: &[u8]) -> bool {
    match std::str::from_utf8(body) {
        Ok(text) => text.contains('\0') || text.lines().any(|line| line.starts_with("### ")),
        Err(_) => true,
    }
}

/// A query's name or value with what would end it encoded.
fn in_query(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '%' | '&' | '+' | '#' | '=' | '?' => {
                let _ = write!(out, "%{:02X}", u32::from(letter));
            }
            ' ' => out.push_str("%20"),
            _ if letter.is_control() => {
                let _ = write!(out, "%{:02X}", u32::from(letter));
            }
            _ => out.push(letter),
        }
    }
    out
}

type Parsed<T> = Result<T, (usize, String)>;

/// A part of the file below a line that begins with `###`.
struct Section<'t> {
    /// Number of the title's line.
    line: usize,
    title: &'t str,
    lines: Vec<&'t str>,
}

fn parse(path: &Path, text: &str) -> Parsed<Case> {
    let mut about = String::new();
    let mut sections: Vec<Section> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if let Some(title) = line.strip_prefix("### ") {
            let (line, title, lines) = (number, title.trim(), Vec::new());
            sections.push(Section { line, title, lines });
        } else if let Some(section) = sections.last_mut() {
            section.lines.push(line);
        } else if let Some(comment) = line.strip_prefix('#') {
            about.push_str(comment.trim());
            about.push('\n');
        } else if !line.trim().is_empty() {
            return Err((number, "stands above `### case`; begin comments with `#`".to_owned()));
        }
    }
    let mut sections = sections.into_iter();
    let head = sections
        .next()
        .filter(|section| section.title == "case")
        .ok_or((1, "does not begin with `### case`".to_owned()))?;
    let mut case = parse_head(&head)?;
    case.about = about.trim_end().to_owned();
    case.path = path.to_owned();
    case.name = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    while let Some(section) = sections.next() {
        let request = parse_request(&section)?;
        let answered = sections.next().ok_or((
            section.line,
            "has no `### response` below it".to_owned(),
        ))?;
        let response = parse_response(&answered)?;
        case.exchanges.push(Exchange { request, response });
    }
    Ok(case)
}

/// The fields of the head: a name and a colon at the beginning of a line, and what follows up to
/// the next one.
fn fields(section: &Section) -> Parsed<Vec<(usize, String, String)>> {
    let mut fields: Vec<(usize, String, String)> = Vec::new();
    for (index, line) in section.lines.iter().enumerate() {
        let number = section.line + 1 + index;
        let is_name = |name: &&str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        match line.split_once(':').map(|(name, rest)| (name, rest.trim())) {
            Some((name, rest)) if is_name(&name) => {
                fields.push((number, name.to_owned(), rest.to_owned()));
            }
            _ if line.starts_with('#') || line.trim().is_empty() => {}
            _ => match fields.last_mut() {
                Some((_, _, value)) => {
                    value.push('\n');
                    value.push_str(line);
                }
                None => return Err((number, "is no field: write `name: value`".to_owned())),
            },
        }
    }
    Ok(fields)
}

fn parse_head(section: &Section) -> Parsed<Case> {
    let mut case = Case {
        name: String::new(),
        path: PathBuf::new(),
        about: String::new(),
        tool: String::new(),
        params: Map::new(),
        expected: Expected::Answer(Value::Null),
        more: None,
        auth: None,
        config: BTreeMap::new(),
        exchanges: Vec::new(),
    };
    let mut expects = false;
    for (line, name, value) in fields(section)? {
        match name.as_str() {
            "tool" => case.tool = value,
            "params" => case.params = json(line, &value)?,
            "answer" | "fault" if std::mem::replace(&mut expects, true) => {
                return Err((line, "a case expects one thing: an `answer` or a `fault`".to_owned()));
            }
            "answer" => case.expected = Expected::Answer(json(line, &value)?),
            "fault" => case.expected = Expected::Fault(fault(line, &value)?),
            "more" => case.more = Some(json(line, &value)?),
            "auth" => case.auth = Some(value),
            "config" => case.config = json(line, &value)?,
            _ => {
                let known = "tool, params, answer, fault, more, auth, config";
                return Err((line, format!("`{name}` is no field of a case; there are {known}")));
            }
        }
    }
    if case.tool.is_empty() {
        return Err((section.line, "names no `tool`".to_owned()));
    }
    if !expects {
        return Err((section.line, "expects nothing: give an `answer` or a `fault`".to_owned()));
    }
    Ok(case)
}

fn json<T: DeserializeOwned>(line: usize, text: &str) -> Parsed<T> {
    serde_json::from_str(text).map_err(|error| {
        let line = line + error.line().saturating_sub(1);
        (line, format!("is not the JSON that is wanted here: {error}"))
    })
}

/// A kind alone, or an object with one.
fn fault(line: usize, text: &str) -> Parsed<Map<String, Value>> {
    let fault = if text.trim_start().starts_with('{') {
        json(line, text)?
    } else {
        Map::from_iter([("kind".to_owned(), Value::from(text.trim()))])
    };
    match fault.get("kind").and_then(Value::as_str) {
        Some(kind) if Kind::parse(kind).is_none() => {
            Err((line, format!("`{kind}` is no kind of error; docs/reference/errors.md lists them")))
        }
        _ => Ok(fault),
    }
}

fn parse_request(section: &Section) -> Parsed<Request> {
    let encoded = match section.title {
        "request" => false,
        "request base64" => true,
        other => return Err((section.line, format!("is `{other}` where a `### request` belongs"))),
    };
    let mut lines = section.lines.iter().enumerate().skip_while(|(_, line)| line.trim().is_empty());
    let (first, line) = lines
        .next()
        .ok_or((section.line, "is empty: write `METHOD URL`".to_owned()))?;
    let (method, url) = line.trim().split_once(' ').ok_or((
        section.line + 1 + first,
        "is not `METHOD URL`".to_owned(),
    ))?;
    let mut target = url.trim().to_owned();
    let mut used = first + 1;
    for (index, line) in lines {
        let going_on = line.starts_with([' ', '\t']) && line.trim_start().starts_with(['?', '&']);
        if !going_on {
            break;
        }
        target.push_str(line.trim());
        used = index + 1;
    }
    if !target.starts_with("https://") && !target.starts_with("http://") {
        return Err((section.line + 1 + first, "is not an absolute URL".to_owned()));
    }
    let (url, query) = target.split_once('?').unwrap_or((&target, ""));
    let (headers, body) = rest(section, used, encoded)?;
    Ok(Request {
        line: section.line,
        method: method.to_owned(),
        url: url.to_owned(),
        query: pairs(query),
        headers,
        body,
    })
}

/// The decoded parameters of a query.
#[must_use]
pub fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn parse_response(section: &Section) -> Parsed<Response> {
    let mut words = section.title.split(' ');
    let status = match (words.next(), words.next().map(str::parse::<u16>)) {
        (Some("response"), Some(Ok(status))) if (200..600).contains(&status) => status,
        _ => {
            let wanted = "is not `### response STATUS` with a status from 200 to 599";
            return Err((section.line, wanted.to_owned()));
        }
    };
    let encoded = match words.next() {
        None => false,
        Some("base64") => true,
        Some(other) => return Err((section.line, format!("`{other}` is not `base64`"))),
    };
    let (headers, body) = rest(section, 0, encoded)?;
    Ok(Response { status, headers, body })
}

/// Headers up to an empty line, then the body.
fn rest(section: &Section, from: usize, encoded: bool) -> Parsed<(Vec<(String, String)>, Vec<u8>)> {
    let mut headers = Vec::new();
    let mut lines = section.lines.iter().enumerate().skip(from);
    for (index, line) in lines.by_ref() {
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or((
            section.line + 1 + index,
            "is no header; an empty line stands between headers and body".to_owned(),
        ))?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let text: Vec<&str> = lines.map(|(_, line)| *line).collect();
    let text = text.join("\n");
    let text = text.trim_end_matches('\n');
    if !encoded {
        return Ok((headers, text.as_bytes().to_vec()));
    }
    let compact: String = text.split_whitespace().collect();
    match STANDARD.decode(compact) {
        Ok(body) => Ok((headers, body)),
        Err(error) => Err((section.line, format!("its body is not base64: {error}"))),
    }
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
        assert_eq!((case.name.as_str(), case.about.as_str()), ("thing", "Reads one thing."));
        assert_eq!(case.expected, Expected::Answer(json!({"id": "7", "note": "a: b"})));
        assert_eq!(case.more, Some(false));
        let [first, second] = case.exchanges.as_slice() else { panic!("{case:?}") };
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
        case.exchanges[1].response.body = vec![0, 159, 146, 150];
        case.exchanges[1].request.body = b"one\n### two".to_vec();
        let again = parsed(&case.to_text()).unwrap_or_else(|error| panic!("{error}\n{}", case.to_text()));
        assert_eq!(again.exchanges[1].response, case.exchanges[1].response);
        assert_eq!(again.exchanges[1].request.body, case.exchanges[1].request.body);
        assert_eq!(again.exchanges[0].request.query, case.exchanges[0].request.query);
        assert_eq!((again.params, again.expected), (case.params, case.expected));
    }

    #[test]
    fn what_is_no_case_is_told_with_its_line() {
        for (text, line, part) in [
            ("tool: x", 1, "above `### case`"),
            ("### request\nGET https://a.example/", 1, "`### case`"),
            ("### case\nparams: {}", 1, "no `tool`"),
            ("### case\ntool: x", 1, "expects nothing"),
            ("### case\ntool: x\nanswer: {\n\"a\": }", 4, "JSON"),
            ("### case\ntool: x\nfault: no_such_kind", 3, "no kind of error"),
            ("### case\ntool: x\nfault: vendor_not_found\nwait: 1", 4, "no field of a case"),
            ("### case\ntool: x\nanswer: 1\nfault: internal", 4, "one thing"),
            ("### case\ntool: x\nanswer: 1\n### request\nGET /a\n### response 200", 5, "absolute"),
            ("### case\ntool: x\nanswer: 1\n### request\nGET https://a.example/", 4, "no `### response`"),
            ("### case\ntool: x\nanswer: 1\n### request\nGET https://a.example/\n### response ok", 6, "STATUS"),
            ("### case\ntool: x\nanswer: 1\n### request\nGET https://a.example/\nnonsense\n### response 200", 6, "no header"),
        ] {
            let error = parsed(text).expect_err(text);
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.problem.contains(part), "{text}: {error}");
        }
    }
}
