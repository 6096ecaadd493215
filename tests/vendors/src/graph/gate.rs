//! What every request of the API passes first: the token and the budget. Scopes are looked at by
//! each method.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::Vendor;
use crate::oauth::Session;
use crate::server::State;

const PREFIX: &str = "https://graph.microsoft.com/";

pub(crate) async fn enter(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let session = request.extensions().get::<Session>();
    let Some(session) = session
        .filter(|session| session.vendor == Vendor::Microsoft)
        .cloned()
    else {
        return Problem::unauthenticated().into_response();
    };
    let budget = state.settings().graph_budget;
    if let Some(budget) = budget
        && let Err(wait) = state.outlook(&session.user, |outlook| outlook.requests.spend(budget))
    {
        return Problem::throttled(wait.as_secs() + 1).into_response();
    }
    next.run(request).await
}

/// Refuses a token that has none of these scopes, with or without Graph's name before them.
pub(crate) fn permit(session: &Session, any: &[&str]) -> Result<(), Problem> {
    let granted = session
        .scopes
        .iter()
        .any(|scope| any.contains(&scope.strip_prefix(PREFIX).unwrap_or(scope)));
    if granted { Ok(()) } else { Err(Problem::denied()) }
}
