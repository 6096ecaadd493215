//! The text of a case: read line by line, and written so that it is read again as it was.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Case, Exchange, Expected, GivenFile, Request, Response};
use crate::error::Kind;

/// The text of the case.
pub(super) fn write(case: &Case) -> String {
    let mut out = String::new();
    for line in case.about.lines() {
        let _ = writeln!(out, "# {line}");
    }
    let _ = writeln!(out, "\n### case\ntool: {}", case.tool);
    let _ = writeln!(out, "params: {}", pretty(&Value::Object(case.params.clone())));
    match &case.expected {
        Expected::Answer(answer) => {
            let _ = writeln!(out, "answer: {}", pretty(answer));
        }
        Expected::Fault(fault) => {
            let _ = writeln!(out, "fault: {}", pretty(&Value::Object(fault.clone())));
        }
    }
    if let Some(more) = case.more {
        let _ = writeln!(out, "more: {more}");
    }
    if let Some(auth) = &case.auth {
        let _ = writeln!(out, "auth: {auth}");
    }
    if !case.config.is_empty() {
        let config = serde_json::to_value(&case.config).unwrap_or_default();
        let _ = writeln!(out, "config: {}", pretty(&config));
    }
    if !case.files.is_empty() {
        let files = serde_json::to_value(&case.files).unwrap_or_default();
        let _ = writeln!(out, "files: {}", pretty(&files));
    }
    for exchange in &case.exchanges {
        write_request(&exchange.request, &mut out);
        write_response(&exchange.response, &mut out);
    }
    out
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
        Ok(text) if !encoded => {
            serde_json::from_str(text).map_or_else(|_| text.to_owned(), |value: Value| pretty(&value))
        }
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

pub(super) type Parsed<T> = Result<T, (usize, String)>;

/// A part of the file below a line that begins with `###`.
struct Section<'t> {
    /// Number of the title's line.
    line: usize,
    title: &'t str,
    lines: Vec<&'t str>,
}

pub(super) fn read(path: &Path, text: &str) -> Parsed<Case> {
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
            return Err((
                number,
                "stands above `### case`; begin comments with `#`".to_owned(),
            ));
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
        let answered = sections
            .next()
            .ok_or((section.line, "has no `### response` below it".to_owned()))?;
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
        files: BTreeMap::new(),
        exchanges: Vec::new(),
    };
    let mut expects = false;
    for (line, name, value) in fields(section)? {
        match name.as_str() {
            "tool" => case.tool = value,
            "params" => case.params = json(line, &value)?,
            "answer" | "fault" if std::mem::replace(&mut expects, true) => {
                return Err((
                    line,
                    "a case expects one thing: an `answer` or a `fault`".to_owned(),
                ));
            }
            "answer" => case.expected = Expected::Answer(json(line, &value)?),
            "fault" => case.expected = Expected::Fault(fault(line, &value)?),
            "more" => case.more = Some(json(line, &value)?),
            "auth" => case.auth = Some(value),
            "config" => case.config = json(line, &value)?,
            "files" => case.files = files(line, &value)?,
            _ => {
                let known = "tool, params, answer, fault, more, auth, config, files";
                return Err((line, format!("`{name}` is no field of a case; there are {known}")));
            }
        }
    }
    if case.tool.is_empty() {
        return Err((section.line, "names no `tool`".to_owned()));
    }
    if !expects {
        return Err((
            section.line,
            "expects nothing: give an `answer` or a `fault`".to_owned(),
        ));
    }
    let params = Value::Object(case.params.clone()).to_string();
    if let Some(name) = unknown_file(&params, &case.files) {
        return Err((
            section.line,
            format!(
                "`params` names `{}`, which is none of `files`",
                GivenFile::placeholder(name)
            ),
        ));
    }
    Ok(case)
}

fn files(line: usize, text: &str) -> Parsed<BTreeMap<String, GivenFile>> {
    let files: BTreeMap<String, GivenFile> = json(line, text)?;
    match files.iter().find(|(_, file)| file.bytes().is_none()) {
        Some((name, _)) => Err((
            line,
            format!("the file `{name}` has its bytes either as `text` or as `base64`"),
        )),
        None => Ok(files),
    }
}

/// The first file that a text names and the case does not have.
fn unknown_file<'t>(text: &'t str, files: &BTreeMap<String, GivenFile>) -> Option<&'t str> {
    text.split("{{file.")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}"))
        .map(|(name, _)| name)
        .find(|name| !files.contains_key(*name))
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
        Some(kind) if Kind::parse(kind).is_none() => Err((
            line,
            format!("`{kind}` is no kind of error; docs/reference/errors.md lists them"),
        )),
        _ => Ok(fault),
    }
}

fn parse_request(section: &Section) -> Parsed<Request> {
    let encoded = match section.title {
        "request" => false,
        "request base64" => true,
        other => {
            return Err((
                section.line,
                format!("is `{other}` where a `### request` belongs"),
            ));
        }
    };
    let mut lines = section
        .lines
        .iter()
        .enumerate()
        .skip_while(|(_, line)| line.trim().is_empty());
    let (first, line) = lines
        .next()
        .ok_or((section.line, "is empty: write `METHOD URL`".to_owned()))?;
    let (method, url) = line
        .trim()
        .split_once(' ')
        .ok_or((section.line + 1 + first, "is not `METHOD URL`".to_owned()))?;
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
    Ok(Response {
        status,
        headers,
        body,
    })
}

/// Headers, and a body.
type Content = (Vec<(String, String)>, Vec<u8>);

/// Headers up to an empty line, then the body.
fn rest(section: &Section, from: usize, encoded: bool) -> Parsed<Content> {
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
