//! `/labels` and `/profile`.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::{Extension, Json};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::gate::{Needs, permit};
use super::mailbox::{Mailbox, Message, SYSTEM_LABELS, UNREAD};
use super::messages::parse;
use super::problem::Problem;
use crate::oauth::Session;
use crate::server::State;

pub(crate) async fn profile(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Metadata)?;
    Ok(state.mailbox(&session.user, |mailbox| {
        Json(json!({
            "emailAddress": mailbox.address,
            "messagesTotal": mailbox.messages.len(),
            "threadsTotal": threads(mailbox.messages.values()),
            "historyId": mailbox.history.to_string(),
        }))
    }))
}

pub(crate) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Metadata)?;
    Ok(state.mailbox(&session.user, |mailbox| {
        let system = SYSTEM_LABELS.iter().copied().chain([UNREAD]);
        let mut labels: Vec<Value> = system.map(|id| label(id, id, "system")).collect();
        labels.extend(mailbox.labels.iter().map(|(id, name)| label(id, name, "user")));
        Json(json!({ "labels": labels }))
    }))
}

pub(crate) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Metadata)?;
    state.mailbox(&session.user, |mailbox| {
        mailbox
            .check_labels(std::slice::from_ref(&id))
            .map_err(|_| Problem::not_found())?;
        let mut answer = match mailbox.labels.get(&id) {
            Some(name) => label(&id, name, "user"),
            None => label(&id, &id, "system"),
        };
        let here = || mailbox.messages.values().filter(|message| message.has(&id));
        let unread = || here().filter(|message| message.has(UNREAD));
        answer["messagesTotal"] = json!(here().count());
        answer["messagesUnread"] = json!(unread().count());
        answer["threadsTotal"] = json!(threads(here()));
        answer["threadsUnread"] = json!(threads(unread()));
        Ok(Json(answer))
    })
}

#[derive(Deserialize)]
struct NewLabel {
    name: String,
}

pub(crate) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    permit(&session, Needs::Modify)?;
    let new: NewLabel = parse(&body)?;
    state.mailbox(&session.user, |mailbox| {
        let id = free_id(mailbox);
        if new.name.is_empty() || mailbox.labels.values().any(|name| *name == new.name) {
            return Err(Problem::invalid("The label's name is empty or taken."));
        }
        let answer = label(&id, &new.name, "user");
        mailbox.labels.insert(id, new.name);
        Ok(Json(answer))
    })
}

fn free_id(mailbox: &Mailbox) -> String {
    format!("Label_{}", mailbox.labels.len() + 1)
}

fn label(id: &str, name: &str, kind: &str) -> Value {
    json!({
        "id": id,
        "name": name,
        "type": kind,
        "messageListVisibility": "show",
        "labelListVisibility": "labelShow",
    })
}

fn threads<'a>(messages: impl Iterator<Item = &'a Message>) -> usize {
    messages
        .map(|message| message.thread)
        .collect::<BTreeSet<u64>>()
        .len()
}
