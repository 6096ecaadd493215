//! What every request of the API passes first: the token, the version, the budgets.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::world::Repo;
use crate::Vendor;
use crate::oauth::Session;
use crate::options::{Budget, Refusal};
use crate::server::State;

const VERSIONS: [&str; 2] = ["2022-11-28", "2026-03-10"];

pub(crate) async fn enter(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let session = request.extensions().get::<Session>();
    let Some(session) = session
        .filter(|session| session.vendor == Vendor::Github)
        .cloned()
    else {
        let sent_a_token = request.headers().contains_key(header::AUTHORIZATION);
        return if sent_a_token {
            Problem::bad_credentials()
        } else {
            Problem::unauthenticated()
        }
        .into_response();
    };
    if !request.headers().contains_key(header::USER_AGENT) {
        return (
            StatusCode::FORBIDDEN,
            "Request forbidden by administrative rules. A User-Agent header is needed.\n",
        )
            .into_response();
    }
    let version = request.headers().get("x-github-api-version");
    if version.is_some_and(|version| !VERSIONS.iter().any(|known| version == known)) {
        return Problem::new(StatusCode::BAD_REQUEST, "There is no such version of the API.").into_response();
    }

    let (budget, writes, refusal, app) = {
        let settings = state.settings();
        (
            settings.github_budget,
            settings.github_content_budget,
            settings.github_refusal,
            settings.github_app,
        )
    };
    let writing = request.method() != Method::GET;
    let (login_id, spent, written) = state.github(&session.user, |world| {
        let spent = budget.map(|budget| world.requests.spend(budget));
        let written = writes
            .filter(|_| writing)
            .map_or(Ok(0), |budget| world.writes.spend(budget));
        (world.id, spent, written)
    });
    let mut response = match (&spent, written) {
        (Some(Err(_)), _) => {
            let status = match refusal {
                Refusal::Status429 => StatusCode::TOO_MANY_REQUESTS,
                Refusal::Status403 => StatusCode::FORBIDDEN,
            };
            Problem::primary_limit(status, login_id).into_response()
        }
        (_, Err(wait)) => Problem::secondary_limit(whole_seconds(wait)).into_response(),
        _ => next.run(request).await,
    };
    if let (Some(budget), Some(spent)) = (budget, &spent) {
        say_what_remains(&mut response, budget, spent);
    }
    if !app {
        let scopes: Vec<&str> = session.scopes.iter().map(String::as_str).collect();
        set(&mut response, "x-oauth-scopes", &scopes.join(", "));
    }
    response
}

/// `x-ratelimit-*`, with the end of the window in seconds since 1970.
fn say_what_remains(response: &mut Response, budget: Budget, spent: &Result<u32, Duration>) {
    let wait = match spent {
        Ok(_) => Duration::from_millis(budget.window_ms),
        Err(wait) => *wait,
    };
    #[allow(
        clippy::disallowed_methods,
        reason = "the end of the window is told as a moment, which the caller compares with its own clock"
    )]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let remaining = spent.as_ref().copied().unwrap_or(0);
    for (name, value) in [
        ("x-ratelimit-limit", u64::from(budget.requests)),
        ("x-ratelimit-remaining", u64::from(remaining)),
        ("x-ratelimit-used", u64::from(budget.requests - remaining)),
        ("x-ratelimit-reset", whole_seconds(now + wait)),
    ] {
        set(response, name, &value.to_string());
    }
    set(response, "x-ratelimit-resource", "core");
}

fn whole_seconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX)
}

fn set(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Refuses a token that does not reach a repository. An app's token has permissions and no scopes.
pub(crate) fn permit(state: &State, session: &Session, repo: &Repo, write: bool) -> Result<(), Problem> {
    let has = |scope: &str| session.scopes.contains(scope);
    let enough = if repo.private {
        has("repo")
    } else {
        !write || has("repo") || has("public_repo")
    };
    if enough || state.settings().github_app {
        Ok(())
    } else {
        Err(Problem::not_found())
    }
}
