//! `/threads`: list, get, modify, trash.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Value, json};

use super::gate::{Needs, permit};
use super::mailbox::{Mailbox, Message, hex, parse_hex};
use super::messages::{Relabel, needs, page, parse, search, texts};
use super::problem::Problem;
use super::render::{self, Format};
use crate::oauth::Session;
use crate::server::State;
use crate::text::parse_form;

pub(crate) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Metadata)?;
    let query = parse_form(&query.unwrap_or_default());
    state.mailbox(&session.user, |mailbox| {
        // A thread stands where its newest fitting message does.
        let mut found: Vec<&Message> = Vec::new();
        for message in search(mailbox, &query)? {
            if !found.iter().any(|earlier| earlier.thread == message.thread) {
                found.push(message);
            }
        }
        page(&query, &found, "threads", |message| {
            json!({
                "id": hex(message.thread),
                "snippet": render::snippet(message),
                "historyId": message.history.to_string(),
            })
        })
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
    state.mailbox(&session.user, |mailbox| answer(mailbox, &id, &format))
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
        relabel(
            mailbox,
            &id,
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
        relabel(mailbox, &id, &["TRASH"], &["INBOX"])
    })
}

fn relabel(mailbox: &mut Mailbox, id: &str, add: &[&str], remove: &[&str]) -> Result<Json<Value>, Problem> {
    let messages: Vec<u64> = mailbox
        .thread(parse_hex(id)?)
        .iter()
        .map(|message| message.id)
        .collect();
    for message in messages {
        mailbox.relabel(message, add, remove)?;
    }
    answer(mailbox, id, &Format::Minimal)
}

fn answer(mailbox: &Mailbox, id: &str, format: &Format) -> Result<Json<Value>, Problem> {
    let messages = mailbox.thread(parse_hex(id)?);
    let newest = messages.last().ok_or_else(Problem::not_found)?;
    Ok(Json(json!({
        "id": hex(newest.thread),
        "historyId": newest.history.to_string(),
        "messages": messages
            .iter()
            .map(|message| render::message(message, format))
            .collect::<Vec<Value>>(),
    })))
}
