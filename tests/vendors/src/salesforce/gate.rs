//! What every request passes first: the session, the instance, the scope, the org's allocation.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::instance_of;
use super::problem::Problem;
use crate::Vendor;
use crate::oauth::Session;
use crate::options::Budget;
use crate::server::State;

/// What the vendor says an org may send in a day when nothing is limited here.
const DAILY: u32 = 15_000;

pub(super) async fn enter(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let Some(session) = request
        .extensions()
        .get::<Session>()
        .filter(|session| session.vendor == Vendor::Salesforce)
        .cloned()
    else {
        if request.headers().contains_key(header::AUTHORIZATION) {
            return Problem::invalid_session().into_response();
        }
        return Problem::new(
            StatusCode::UNAUTHORIZED,
            "INVALID_AUTH_HEADER",
            "INVALID_HEADER_TYPE",
        )
        .into_response();
    };
    let (home, budget) = {
        let settings = state.settings();
        (instance_of(&settings, &session.user), settings.salesforce_budget)
    };
    // A session is good at its own org's host alone.
    let instance = request.uri().path().split('/').nth(2).unwrap_or_default();
    if instance != home {
        return Problem::invalid_session().into_response();
    }
    let is_api = request.uri().path().contains("/services/data/");
    let reaches = |scope: &str| session.scopes.contains(scope);
    if is_api && !reaches("api") && !reaches("full") {
        return Problem::new(
            StatusCode::FORBIDDEN,
            "INVALID_SESSION_ID",
            "This session is not valid for use with the REST API",
        )
        .into_response();
    }

    let most = budget.map_or(DAILY, |budget| budget.requests);
    let budget = budget.unwrap_or(Budget {
        requests: DAILY,
        window_ms: 86_400_000,
    });
    let spent = state.org(&session.user, |org| org.requests.spend(budget));
    let mut response = match spent {
        Ok(_) => next.run(request).await,
        Err(_) => Problem::request_limit().into_response(),
    };
    let used = most - spent.unwrap_or(0);
    if let Ok(value) = HeaderValue::from_str(&format!("api-usage={used}/{most}")) {
        response.headers_mut().insert("sforce-limit-info", value);
    }
    response
}
