//! The Slack-shaped API, under `/slack/api/{method}`, and its files under `/slack/files`: messages,
//! threads, channels, people, reactions, pins, search. A failure is an answer of status 200 with
//! `ok: false`; only too many requests have a status of their own. Shapes as in the vendor's public
//! reference; texts are ours.

mod methods;
mod params;
mod search;
mod uploads;
mod workspace;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State as Shared};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

pub(crate) use workspace::{Workspace, bot_user_id, team_id, user_id};

use crate::Vendor;
use crate::oauth::{Refused, Session};
use crate::server::State;
use params::Params;

pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/slack/api/{method}", get(call).post(call))
        .route("/slack/files/files-pri/{id}/{name}", get(download))
        .route("/slack/files/upload/v1/{ticket}", post(uploads::take))
}

/// Why a method does not do what it was asked.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    error: &'static str,
    more: Value,
}

impl Refusal {
    /// The vendor's word, with members of the answer that say more.
    pub(super) fn with(error: &'static str, more: Value) -> Self {
        Self { error, more }
    }

    /// An argument is missing or of no use.
    pub(super) fn argument(name: &str) -> Self {
        Self::with(
            "invalid_arguments",
            json!({ "response_metadata": { "messages": [format!("[ERROR] missing required field: {name}")] } }),
        )
    }
}

impl From<&'static str> for Refusal {
    fn from(error: &'static str) -> Self {
        Self::with(error, json!({}))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({ "ok": false, "error": self.error });
        crate::faults::merge(&mut body, &self.more);
        Json(body).into_response()
    }
}

/// A failure in the vendor's shape.
pub(crate) fn refused(error: &'static str) -> Response {
    Refusal::from(error).into_response()
}

/// How the vendor says this status when it is told to.
pub(crate) fn refusal(status: StatusCode) -> Response {
    match status {
        // The vendor has no 401: it says so in the body of a success.
        StatusCode::UNAUTHORIZED => refused("token_expired"),
        StatusCode::FORBIDDEN => refused("access_denied"),
        StatusCode::NOT_FOUND => refused("unknown_method"),
        StatusCode::TOO_MANY_REQUESTS => {
            (status, Json(json!({ "ok": false, "error": "ratelimited" }))).into_response()
        }
        status => (status, Json(json!({ "ok": false, "error": "internal_error" }))).into_response(),
    }
}

fn throttled(seconds: u64) -> Response {
    let mut response = refusal(StatusCode::TOO_MANY_REQUESTS);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Whose token it is, or what the vendor says to one that is nobody's.
fn session(
    state: &State,
    session: Option<Extension<Session>>,
    headers: &HeaderMap,
) -> Result<Session, Refusal> {
    if let Some(Extension(session)) = session.filter(|session| session.vendor == Vendor::Slack) {
        return Ok(session);
    }
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err("not_authed".into());
    };
    let token = value.to_str().unwrap_or_default().trim_start_matches("Bearer ");
    Err(match state.grants().ended(token) {
        Refused::Revoked => "token_revoked",
        Refused::Expired => "token_expired",
        _ => "invalid_auth",
    }
    .into())
}

async fn call(
    Shared(state): Shared<Arc<State>>,
    sent: Option<Extension<Session>>,
    Path(method): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let session = match session(&state, sent, &headers) {
        Ok(session) => session,
        Err(refusal) => return refusal.into_response(),
    };
    let params = match Params::read(&headers, query.as_deref().unwrap_or_default(), &body) {
        Ok(params) => params,
        Err(refusal) => return refusal.into_response(),
    };
    let (posts, per_method) = {
        let settings = state.settings();
        (settings.slack_post_budget, settings.slack_method_budget)
    };
    let now = state.calendar.now_ms();
    state.slack_workspace(&session.user, |workspace| {
        if let Some(budget) = per_method
            && let Err(wait) = workspace.window(&method).spend(budget)
        {
            return throttled(seconds(wait));
        }
        if let Some(budget) = posts
            && method == "chat.postMessage"
            && let Err(wait) = workspace
                .window(&format!("post {}", params.text("channel").unwrap_or_default()))
                .spend(budget)
        {
            return throttled(seconds(wait));
        }
        workspace.set_time(now);
        // Addresses for uploads are handed out below the name by which the vendor was called.
        if let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) {
            workspace.files_address = format!("http://{host}/slack/files");
        }
        match methods::run(workspace, &session, &method, &params) {
            Ok(mut answer) => {
                answer["ok"] = json!(true);
                Json(answer).into_response()
            }
            Err(refusal) => refusal.into_response(),
        }
    })
}

/// Whole seconds, at least one, as the vendor says them.
fn seconds(wait: std::time::Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1_000))
        .unwrap_or(1)
        .max(1)
}

/// A shared file; without a token the vendor leads to its login page.
async fn download(
    Shared(state): Shared<Arc<State>>,
    sent: Option<Extension<Session>>,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Ok(session) = session(&state, sent, &headers) else {
        let page = "<!doctype html><title>Sign in</title>\n";
        return ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    };
    if !session.scopes.contains("files:read") {
        return refused("missing_scope");
    }
    let path = format!("{id}/{name}");
    let content = state.slack_workspace(&session.user, |workspace| uploads::content(workspace, &path));
    let Some((kind, bytes)) = content else {
        return (StatusCode::NOT_FOUND, "file not found\n").into_response();
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_DISPOSITION, disposition),
        ],
        bytes,
    )
        .into_response()
}
