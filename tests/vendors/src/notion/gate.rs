//! What every request passes first: the token, the version, the budget.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::Vendor;
use crate::oauth::Session;
use crate::server::State;

/// The version that this API speaks; markdown of pages needs it.
const VERSION: &str = "2026-03-11";

pub(super) async fn enter(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let session = request.extensions().get::<Session>();
    let Some(session) = session
        .filter(|session| session.vendor == Vendor::Notion)
        .cloned()
    else {
        return Problem::unauthorized().into_response();
    };
    let version = request
        .headers()
        .get("notion-version")
        .and_then(|value| value.to_str().ok());
    match version {
        Some(VERSION) => {}
        None => {
            return Problem::new(
                StatusCode::BAD_REQUEST,
                "missing_version",
                "Notion-Version header failed validation: Notion-Version header should be defined, instead was `undefined`.",
            )
            .into_response();
        }
        Some(other) => {
            return Problem::invalid(format!("Notion-Version {other} is not simulated; {VERSION} is."))
                .into_response();
        }
    }

    let budget = state.settings().notion_budget;
    let spent =
        budget.map(|budget| state.workspace(&session.user, |workspace| workspace.requests.spend(budget)));
    if let Some(Err(wait)) = spent {
        let mut response = Problem::rate_limited().into_response();
        let seconds = wait.as_millis().div_ceil(1_000).max(1).to_string();
        if let Ok(value) = HeaderValue::from_str(&seconds) {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        return response;
    }
    next.run(request).await
}
