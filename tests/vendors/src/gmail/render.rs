//! Messages as answered: `full`, `metadata`, `minimal`, `raw`.

use serde_json::{Map, Value, json};

use super::mailbox::{Message, hex};
use super::mime::Part;
use super::problem::Problem;
use crate::text::{Pairs, all, base64url, first};

/// How much of a message is wanted.
pub(crate) enum Format {
    Full,
    /// With these header fields, or all when there are none.
    Metadata(Vec<String>),
    Minimal,
    Raw,
}

impl Format {
    pub(crate) fn read(query: &Pairs) -> Result<Self, Problem> {
        match first(query, "format")
            .unwrap_or("full")
            .to_ascii_lowercase()
            .as_str()
        {
            "full" => Ok(Self::Full),
            "metadata" => Ok(Self::Metadata(
                all(query, "metadataHeaders").map(str::to_owned).collect(),
            )),
            "minimal" => Ok(Self::Minimal),
            "raw" => Ok(Self::Raw),
            other => Err(Problem::invalid(format!("There is no format {other}."))),
        }
    }
}

/// Id and thread, as lists have it.
pub(crate) fn reference(message: &Message) -> Value {
    json!({ "id": hex(message.id), "threadId": hex(message.thread) })
}

/// Id, thread and labels, as changes answer.
pub(crate) fn labelled(message: &Message) -> Value {
    json!({
        "id": hex(message.id),
        "threadId": hex(message.thread),
        "labelIds": message.labels,
    })
}

/// A message in a format.
pub(crate) fn message(message: &Message, format: &Format) -> Value {
    let mut answer = labelled(message);
    answer["snippet"] = json!(snippet(message));
    answer["historyId"] = json!(message.history.to_string());
    answer["internalDate"] = json!(message.received_ms.to_string());
    answer["sizeEstimate"] = json!(message.raw.len());
    match format {
        Format::Minimal => {}
        Format::Raw => answer["raw"] = json!(base64url(&message.raw)),
        Format::Full => answer["payload"] = part(&message.mail, ""),
        Format::Metadata(names) => {
            let headers: Vec<Value> = headers(&message.mail, |name| {
                names.is_empty() || names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
            });
            answer["payload"] = json!({ "mimeType": message.mail.mime_type, "headers": headers });
        }
    }
    answer
}

/// The beginning of the text on one line.
pub(crate) fn snippet(message: &Message) -> String {
    let text = message.mail.text();
    let line: Vec<&str> = text.split_whitespace().collect();
    line.join(" ").chars().take(120).collect()
}

/// The id by which an attached part is fetched.
pub(crate) fn attachment_id(part_id: &str) -> String {
    base64url(format!("part:{part_id}").as_bytes()).replace('=', "")
}

fn part(part_here: &Part, part_id: &str) -> Value {
    let mut body = Map::new();
    body.insert("size".to_owned(), json!(part_here.content.len()));
    if !part_here.filename.is_empty() {
        body.insert("attachmentId".to_owned(), json!(attachment_id(part_id)));
    } else if part_here.parts.is_empty() {
        body.insert("data".to_owned(), json!(base64url(&part_here.content)));
    }
    let mut answer = json!({
        "partId": part_id,
        "mimeType": part_here.mime_type,
        "filename": part_here.filename,
        "headers": headers(part_here, |_| true),
        "body": body,
    });
    if !part_here.parts.is_empty() {
        let parts: Vec<Value> = part_here
            .parts
            .iter()
            .enumerate()
            .map(|(n, inner)| {
                let dot = if part_id.is_empty() { "" } else { "." };
                part(inner, &format!("{part_id}{dot}{n}"))
            })
            .collect();
        answer["parts"] = json!(parts);
    }
    answer
}

fn headers(part: &Part, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
    part.headers
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}
