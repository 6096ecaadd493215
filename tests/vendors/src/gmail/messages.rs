//! `/messages`: list, get, send, modify, trash, delete, attachments.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::{Extension, Json};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::gate::{Needs, permit};
use super::mailbox::{Mailbox, Message, parse_hex};
use super::mime::Part;
use super::problem::Problem;
use super::query;
use super::render::{self, Format, attachment_id};
use crate::oauth::Session;
use crate::server::State;
use crate::text::{Pairs, all, base64url, first, parse_base64, parse_form};

const MAX_PAGE: usize = 500;

pub(crate) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Metadata)?;
    let query = parse_form(&query.unwrap_or_default());
    state.mailbox(&session.user, |mailbox| {
        let found: Vec<&Message> = search(mailbox, &query)?;
        page(&query, &found, "messages", |message| render::reference(message))
    })
}

pub(crate) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((_, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let format = Format::read(&parse_form(&query.unwrap_or_default()))?;
    permit(&session, needs(&format))?;
    state.mailbox(&session.user, |mailbox| {
        Ok(Json(render::message(mailbox.find(&id)?, &format)))
    })
}

/// A message as it is sent or drafted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outgoing {
    raw: Option<String>,
    thread_id: Option<String>,
}

impl Outgoing {
    /// The mail itself, and the thread that it goes on with.
    pub(crate) fn read(&self, mailbox: &Mailbox) -> Result<(Vec<u8>, Option<u64>), Problem> {
        let raw = self
            .raw
            .as_deref()
            .and_then(parse_base64)
            .filter(|raw| !raw.is_empty())
            .ok_or_else(|| Problem::invalid("raw must be a message in base64url."))?;
        let thread = match self.thread_id.as_deref().filter(|id| !id.is_empty()) {
            None => None,
            Some(id) => {
                let id = parse_hex(id)?;
                if mailbox.thread(id).is_empty() {
                    return Err(Problem::not_found());
                }
                Some(id)
            }
        };
        Ok((raw, thread))
    }
}

pub(crate) async fn send(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Send)?;
    let outgoing: Outgoing = parse(&body)?;
    let now = state.calendar.now_ms();
    state.mailbox(&session.user, |mailbox| {
        let (raw, thread) = outgoing.read(mailbox)?;
        let id = deliver(mailbox, raw, thread, now)?;
        Ok(Json(render::labelled(&mailbox.messages[&id])))
    })
}

/// Puts a mail among the sent ones, and into the inbox when it is to the user.
pub(crate) fn deliver(
    mailbox: &mut Mailbox,
    raw: Vec<u8>,
    thread: Option<u64>,
    now: i64,
) -> Result<u64, Problem> {
    let mail = Part::parse(&raw);
    let recipients: Vec<&str> = ["to", "cc", "bcc"]
        .iter()
        .filter_map(|name| mail.header(name))
        .filter(|value| value.contains('@'))
        .collect();
    if recipients.is_empty() {
        return Err(Problem::invalid("The message has no recipient."));
    }
    let mut labels: BTreeSet<String> = ["SENT".to_owned()].into();
    if recipients.iter().any(|value| value.contains(&mailbox.address)) {
        labels.extend(["INBOX".to_owned(), "UNREAD".to_owned()]);
    }
    Ok(mailbox.add(raw, thread, labels, now))
}

/// Labels to add and to remove.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Relabel {
    #[serde(default)]
    pub(crate) add_label_ids: Vec<String>,
    #[serde(default)]
    pub(crate) remove_label_ids: Vec<String>,
}

pub(crate) async fn modify(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((_, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Modify)?;
    let change: Relabel = parse(&body)?;
    state.mailbox(&session.user, |mailbox| {
        mailbox.check_labels(&change.add_label_ids)?;
        mailbox.check_labels(&change.remove_label_ids)?;
        let id = mailbox.find(&id)?.id;
        relabel(
            mailbox,
            id,
            &texts(&change.add_label_ids),
            &texts(&change.remove_label_ids),
        )
    })
}

pub(crate) async fn trash(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Modify)?;
    state.mailbox(&session.user, |mailbox| {
        let id = mailbox.find(&id)?.id;
        relabel(mailbox, id, &["TRASH"], &["INBOX"])
    })
}

pub(crate) async fn untrash(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Modify)?;
    state.mailbox(&session.user, |mailbox| {
        let id = mailbox.find(&id)?.id;
        relabel(mailbox, id, &[], &["TRASH"])
    })
}

fn relabel(mailbox: &mut Mailbox, id: u64, add: &[&str], remove: &[&str]) -> Result<Json<Value>, Problem> {
    Ok(Json(render::labelled(mailbox.relabel(id, add, remove)?)))
}

pub(crate) async fn delete(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    permit(&session, Needs::All)?;
    state.mailbox(&session.user, |mailbox| {
        let id = mailbox.find(&id)?.id;
        mailbox.messages.remove(&id);
        Ok(StatusCode::NO_CONTENT)
    })
}

pub(crate) async fn attachment(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((_, id, attachment)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Read)?;
    let part_id = parse_base64(&attachment)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.strip_prefix("part:").map(str::to_owned))
        .filter(|part_id| attachment_id(part_id) == attachment)
        .ok_or_else(|| Problem::invalid("The attachment token is not valid."))?;
    state.mailbox(&session.user, |mailbox| {
        let part = mailbox
            .find(&id)?
            .mail
            .at(&part_id)
            .ok_or_else(Problem::not_found)?;
        Ok(Json(
            json!({ "size": part.content.len(), "data": base64url(&part.content) }),
        ))
    })
}

/// Messages that the query asks for, newest first.
pub(crate) fn search<'a>(mailbox: &'a Mailbox, query: &Pairs) -> Result<Vec<&'a Message>, Problem> {
    let labels: Vec<String> = all(query, "labelIds").map(str::to_owned).collect();
    mailbox.check_labels(&labels)?;
    let words = first(query, "q").unwrap_or_default();
    let everything = first(query, "includeSpamTrash") == Some("true")
        || labels.iter().any(|label| label == "TRASH" || label == "SPAM");
    let mut found: Vec<&Message> = mailbox
        .messages
        .values()
        .filter(|message| labels.iter().all(|label| message.has(label)))
        .filter(|message| query::matches(mailbox, message, words, everything))
        .collect();
    found.sort_by_key(|message| std::cmp::Reverse((message.received_ms, message.id)));
    Ok(found)
}

/// One page of what was found; like the vendor, without the list when it is empty.
pub(crate) fn page<T>(
    query: &Pairs,
    found: &[T],
    name: &str,
    render: impl Fn(&T) -> Value,
) -> Result<Json<Value>, Problem> {
    let size: usize = match first(query, "maxResults") {
        None => 100,
        Some(text) => text
            .parse::<usize>()
            .map_err(|_| Problem::invalid("maxResults must be a number."))?
            .min(MAX_PAGE),
    };
    let begin: usize = match first(query, "pageToken").filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => token
            .strip_prefix("page-")
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Problem::invalid("The pageToken is not valid."))?,
    };
    let size = if size == 0 { 100 } else { size };
    let items: Vec<Value> = found.iter().skip(begin).take(size).map(render).collect();
    let mut answer = json!({ "resultSizeEstimate": found.len() });
    if !items.is_empty() {
        answer[name] = json!(items);
    }
    if begin + size < found.len() {
        answer["nextPageToken"] = json!(format!("page-{}", begin + size));
    }
    Ok(Json(answer))
}

pub(crate) fn needs(format: &Format) -> Needs {
    match format {
        Format::Metadata(_) | Format::Minimal => Needs::Metadata,
        Format::Full | Format::Raw => Needs::Read,
    }
}

pub(crate) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::invalid(format!("The body is not valid: {error}")))
}

pub(crate) fn texts(labels: &[String]) -> Vec<&str> {
    labels.iter().map(String::as_str).collect()
}
