//! `/drafts`: list, get, create, update, delete, send.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::{Extension, Json};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::gate::{Needs, permit};
use super::mailbox::{Mailbox, hex};
use super::messages::{Outgoing, deliver, page, parse};
use super::problem::Problem;
use super::render::{self, Format};
use crate::oauth::Session;
use crate::server::State;
use crate::text::parse_form;

/// A draft as clients write it.
#[derive(Deserialize)]
struct Draft {
    id: Option<String>,
    message: Option<Outgoing>,
}

/// Drafts are named by a letter and a number.
fn name_of(id: u64) -> String {
    format!("r{id}")
}

fn find(mailbox: &Mailbox, name: &str) -> Result<(u64, u64), Problem> {
    let id: u64 = name
        .strip_prefix('r')
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Problem::invalid("The draft id is not valid."))?;
    mailbox
        .drafts
        .get(&id)
        .map(|message| (id, *message))
        .ok_or_else(Problem::not_found)
}

fn answer(mailbox: &Mailbox, id: u64, message: u64) -> Result<Json<Value>, Problem> {
    let message = mailbox.messages.get(&message).ok_or_else(Problem::not_found)?;
    Ok(Json(
        json!({ "id": name_of(id), "message": render::labelled(message) }),
    ))
}

pub(crate) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Compose)?;
    let query = parse_form(&query.unwrap_or_default());
    state.mailbox(&session.user, |mailbox| {
        let found: Vec<(u64, u64)> = mailbox.drafts.iter().rev().map(|(id, m)| (*id, *m)).collect();
        page(&query, &found, "drafts", |(id, message)| {
            json!({
                "id": name_of(*id),
                "message": mailbox.messages.get(message).map(render::reference),
            })
        })
    })
}

pub(crate) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((_, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Compose)?;
    let format = Format::read(&parse_form(&query.unwrap_or_default()))?;
    state.mailbox(&session.user, |mailbox| {
        let (id, message) = find(mailbox, &name)?;
        let message = mailbox.find(&hex(message))?;
        Ok(Json(
            json!({ "id": name_of(id), "message": render::message(message, &format) }),
        ))
    })
}

pub(crate) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Compose)?;
    let draft: Draft = parse(&body)?;
    let now = state.calendar.now_ms();
    state.mailbox(&session.user, |mailbox| {
        let message = write(mailbox, draft.message.as_ref(), now)?;
        let id = mailbox.add_draft(message);
        answer(mailbox, id, message)
    })
}

pub(crate) async fn update(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((_, name)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Compose)?;
    let draft: Draft = parse(&body)?;
    let now = state.calendar.now_ms();
    state.mailbox(&session.user, |mailbox| {
        let (id, earlier) = find(mailbox, &name)?;
        let message = write(mailbox, draft.message.as_ref(), now)?;
        mailbox.messages.remove(&earlier);
        mailbox.drafts.insert(id, message);
        answer(mailbox, id, message)
    })
}

pub(crate) async fn delete(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((_, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    permit(&session, Needs::Compose)?;
    state.mailbox(&session.user, |mailbox| {
        let (id, message) = find(mailbox, &name)?;
        mailbox.drafts.remove(&id);
        mailbox.messages.remove(&message);
        Ok(StatusCode::NO_CONTENT)
    })
}

/// Sends a stored draft, with other content when it is given.
pub(crate) async fn send(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Compose)?;
    let draft: Draft = parse(&body)?;
    let now = state.calendar.now_ms();
    state.mailbox(&session.user, |mailbox| {
        let (id, stored) = find(mailbox, draft.id.as_deref().unwrap_or_default())?;
        let (raw, thread) = match &draft.message {
            Some(message) => message.read(mailbox)?,
            None => {
                let stored = mailbox.messages.get(&stored).ok_or_else(Problem::not_found)?;
                (
                    stored.raw.clone(),
                    Some(stored.thread).filter(|thread| *thread != stored.id),
                )
            }
        };
        let sent = deliver(mailbox, raw, thread, now)?;
        mailbox.drafts.remove(&id);
        mailbox.messages.remove(&stored);
        Ok(Json(render::labelled(&mailbox.messages[&sent])))
    })
}

fn write(mailbox: &mut Mailbox, message: Option<&Outgoing>, now: i64) -> Result<u64, Problem> {
    let message = message.ok_or_else(|| Problem::invalid("A draft needs a message."))?;
    let (raw, thread) = message.read(mailbox)?;
    Ok(mailbox.add(raw, thread, ["DRAFT".to_owned()].into(), now))
}
