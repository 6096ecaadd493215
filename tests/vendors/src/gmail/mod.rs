//! stub
use crate::server::State;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
pub(crate) struct Mailbox {}
impl Mailbox {
    pub(crate) fn seeded(_user: &str, _messages: usize) -> Self {
        Self {}
    }
}
pub(crate) fn routes(_state: &Arc<State>) -> Router<Arc<State>> {
    Router::new()
}
pub(crate) fn refusal(status: StatusCode) -> Response {
    status.into_response()
}
