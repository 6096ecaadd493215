//! The Gmail-shaped API, under `/gmail/v1/users/{user}`: profile, messages, attachments, threads,
//! drafts, labels. Every message is kept as the mail it is (RFC 5322 and MIME) and parsed when it
//! is asked for, those that were sent through the API like the others. Shapes as in the vendor's
//! discovery document; texts are ours.

mod drafts;
mod gate;
mod labels;
mod mailbox;
mod messages;
mod mime;
mod problem;
mod query;
mod render;
mod threads;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub(crate) use mailbox::Mailbox;
pub(crate) use problem::refusal;

use crate::server::State;

pub(crate) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    let mailbox = Router::new()
        .route("/profile", get(labels::profile))
        .route("/messages", get(messages::list))
        .route("/messages/send", post(messages::send))
        .route("/messages/{id}", get(messages::get).delete(messages::delete))
        .route("/messages/{id}/modify", post(messages::modify))
        .route("/messages/{id}/trash", post(messages::trash))
        .route("/messages/{id}/untrash", post(messages::untrash))
        .route(
            "/messages/{id}/attachments/{attachment}",
            get(messages::attachment),
        )
        .route("/threads", get(threads::list))
        .route("/threads/{id}", get(threads::get))
        .route("/threads/{id}/modify", post(threads::modify))
        .route("/threads/{id}/trash", post(threads::trash))
        .route("/drafts", get(drafts::list).post(drafts::create))
        .route("/drafts/send", post(drafts::send))
        .route(
            "/drafts/{id}",
            get(drafts::get).put(drafts::update).delete(drafts::delete),
        )
        .route("/labels", get(labels::list).post(labels::create))
        .route("/labels/{id}", get(labels::get));
    Router::new()
        .nest("/gmail/v1/users/{user}", mailbox)
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(state),
            gate::enter,
        ))
}
