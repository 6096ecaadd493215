//! The simulator's controls over HTTP, for scripts in any language; the same as the methods of
//! [`Simulator`](crate::Simulator). Requests here are not in the log.

use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Vendor;
use crate::faults::{Fault, merge};
use crate::log::{Entry, Side};
use crate::server::State;

pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/_control/faults", post(add_fault).delete(clear_faults))
        .route("/_control/options", get(options).patch(patch_options))
        .route("/_control/expire_access_tokens", post(expire_access_tokens))
        .route("/_control/revoke_grants", post(revoke_grants))
        .route("/_control/log", get(log).delete(clear_log))
        .route("/_control/counts", get(counts))
        .route("/_control/slack/{user}", get(slack_workspace))
        .route("/_control/linear/{user}", get(linear_organization))
}

async fn add_fault(Shared(state): Shared<Arc<State>>, Json(fault): Json<Fault>) -> StatusCode {
    state.faults.add(fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.faults.clear();
    StatusCode::NO_CONTENT
}

async fn options(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    Json(json!(*state.settings()))
}

/// Takes some of the options, leaves the others.
async fn patch_options(
    Shared(state): Shared<Arc<State>>,
    Json(patch): Json<Map<String, Value>>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let mut settings = state.settings();
    let mut all = json!(*settings);
    merge(&mut all, &Value::Object(patch));
    *settings = serde_json::from_value(all.clone())
        .map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n")))?;
    Ok(Json(all))
}

async fn expire_access_tokens(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.grants().expire_access_tokens();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    vendor: Vendor,
    user: Option<String>,
}

async fn revoke_grants(Shared(state): Shared<Arc<State>>, Json(revoke): Json<Revoke>) -> Json<Value> {
    let revoked = state.grants().revoke_user(revoke.vendor, revoke.user.as_deref());
    Json(json!({ "revoked": revoked }))
}

async fn log(Shared(state): Shared<Arc<State>>) -> Json<Vec<Entry>> {
    Json(state.log.entries())
}

async fn clear_log(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.log.clear();
    StatusCode::NO_CONTENT
}

/// What the workspace of a user holds.
async fn slack_workspace(Shared(state): Shared<Arc<State>>, Path(user): Path<String>) -> Json<Value> {
    Json(state.slack_workspace(&user, |workspace| workspace.all()))
}

/// What the organization of a user holds.
async fn linear_organization(Shared(state): Shared<Arc<State>>, Path(user): Path<String>) -> Json<Value> {
    Json(state.linear_organization(&user, |organization| organization.all()))
}

/// Requests by side, and by method and path.
async fn counts(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    let mut endpoints: Map<String, Value> = Map::new();
    for entry in state.log.entries() {
        let count = endpoints
            .entry(format!("{} {}", entry.method, entry.path))
            .or_insert(json!(0));
        *count = json!(count.as_u64().unwrap_or(0) + 1);
    }
    Json(json!({
        "authorize": state.log.count(Side::Authorize),
        "token": state.log.count(Side::Token),
        "revoke": state.log.count(Side::Revoke),
        "api": state.log.count(Side::Api),
        "endpoints": endpoints,
    }))
}
