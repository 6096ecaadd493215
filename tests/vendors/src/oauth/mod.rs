//! Authorization servers, one per vendor: consent, tokens, revocation.
//!
//! Facts of the vendors kept here: HubSpot's token endpoint answers the same refresh token again
//! and names the portal; Google answers a refresh token only for `access_type=offline` and, once
//! consent was given before, only with `prompt=consent`, and never when refreshing; Salesforce says no
//! lifetime, names the host of the user's org, and gives a refresh token for the scope of that name; Notion has
//! no scopes, and wants JSON with the client in HTTP basic. Slack takes the scopes of a person apart
//! from those of the application, answers a person's tokens below `authed_user`, refuses with status
//! 200, and knows refresh tokens only where tokens are rotated.
//! GitHub's token endpoint says its refusals with status 200, answers a form to whoever does not ask for JSON,
//! and joins scopes by commas; an OAuth App's token has no end and no refresh token, a GitHub App's has
//! both and no scopes. Atlassian's token endpoint takes JSON, gives a refresh token only for
//! `offline_access`, and refuses one that is not good any more with 403 and `unauthorized_client`.
//! Microsoft answers a refresh token only for `offline_access`, a new one each time while the old one
//! goes on, names `offline_access` in no answer, and has no revocation endpoint.

mod atlassian;
mod authorize;
mod github;
mod grants;
mod token;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper::StatusCode;
use serde_json::json;

pub(crate) use grants::{Actor, Grants, Refused, Session};

use crate::Vendor;
use crate::server::State;

pub(crate) fn routes() -> Router<Arc<State>> {
    let consent = |vendor| {
        get(move |state, request| authorize::ask(vendor, state, request))
            .post(move |state, request| authorize::decide(vendor, state, request))
    };
    Router::new()
        .route("/hubspot/oauth/authorize", consent(Vendor::Hubspot))
        .route("/google/o/oauth2/v2/auth", consent(Vendor::Google))
        .route("/notion/v1/oauth/authorize", consent(Vendor::Notion))
        .route(
            "/notion/v1/oauth/token",
            post(|s, h, b| token::issue(Vendor::Notion, s, h, b)),
        )
        .route(
            "/notion/v1/oauth/revoke",
            post(|s, h, b| token::revoke(Vendor::Notion, s, h, b)),
        )
        .route(
            "/salesforce/services/oauth2/authorize",
            consent(Vendor::Salesforce),
        )
        .route(
            "/salesforce/services/oauth2/token",
            post(|s, h, b| token::issue(Vendor::Salesforce, s, h, b)),
        )
        .route(
            "/salesforce/services/oauth2/revoke",
            post(|s, h, b| token::revoke(Vendor::Salesforce, s, h, b)),
        )
        .route("/github/login/oauth/authorize", consent(Vendor::Github))
        .route("/github/login/oauth/access_token", post(github::issue))
        .route("/atlassian/authorize", consent(Vendor::Atlassian))
        .route("/atlassian/oauth/token", post(atlassian::issue))
        .route("/slack/oauth/v2/authorize", consent(Vendor::Slack))
        .route("/linear/oauth/authorize", consent(Vendor::Linear))
        .route(
            "/slack/api/oauth.v2.access",
            post(|s, h, b| token::issue(Vendor::Slack, s, h, b)),
        )
        .route(
            "/linear/oauth/token",
            post(|s, h, b| token::issue(Vendor::Linear, s, h, b)),
        )
        .route(
            "/linear/oauth/revoke",
            post(|s, h, b| token::revoke(Vendor::Linear, s, h, b)),
        )
        .route(
            "/microsoft/{tenant}/oauth2/v2.0/authorize",
            consent(Vendor::Microsoft),
        )
        .route(
            "/microsoft/{tenant}/oauth2/v2.0/token",
            post(|s, h, b| token::issue(Vendor::Microsoft, s, h, b)),
        )
        .route(
            "/hubspot/oauth/v1/token",
            post(|s, h, b| token::issue(Vendor::Hubspot, s, h, b)),
        )
        .route(
            "/hubspot/oauth/v3/token",
            post(|s, h, b| token::issue(Vendor::Hubspot, s, h, b)),
        )
        .route(
            "/google/token",
            post(|s, h, b| token::issue(Vendor::Google, s, h, b)),
        )
        .route(
            "/hubspot/oauth/revoke",
            post(|s, h, b| token::revoke(Vendor::Hubspot, s, h, b)),
        )
        .route(
            "/hubspot/oauth/v3/token/revoke",
            post(|s, h, b| token::revoke(Vendor::Hubspot, s, h, b)),
        )
        .route(
            "/google/revoke",
            post(|s, h, b| token::revoke(Vendor::Google, s, h, b)),
        )
}

/// An authorization server that says this status.
pub(crate) fn refusal(status: StatusCode) -> Response {
    let code = match status {
        StatusCode::BAD_REQUEST => "invalid_grant",
        StatusCode::UNAUTHORIZED => "invalid_client",
        StatusCode::TOO_MANY_REQUESTS => "rate_limited",
        _ => "temporarily_unavailable",
    };
    problem(status, code, "The simulator was told to refuse this request.")
}

fn problem(status: StatusCode, code: &str, description: &str) -> Response {
    (
        status,
        [("cache-control", "no-store")],
        Json(json!({ "error": code, "error_description": description })),
    )
        .into_response()
}

/// The authorization server's identifier (RFC 9207).
fn issuer(state: &State, vendor: Vendor) -> String {
    match vendor {
        Vendor::Hubspot => format!("{}/hubspot", state.base_url),
        Vendor::Google => format!("{}/google", state.base_url),
        Vendor::Salesforce => format!("{}/salesforce", state.base_url),
        Vendor::Notion => format!("{}/notion", state.base_url),
        Vendor::Github => format!("{}/github", state.base_url),
        Vendor::Atlassian => format!("{}/atlassian", state.base_url),
        Vendor::Slack => format!("{}/slack", state.base_url),
        Vendor::Linear => format!("{}/linear", state.base_url),
        Vendor::Microsoft => format!("{}/microsoft", state.base_url),
    }
}
