//! The REST edge and the hosted pages: authenticate, parse, one verb of the core, render.
//!
//! Every handler is those four steps in that order. The caller comes from [`ask::Who`], which
//! checks the scope; every verb of the core that changes something takes the caller as an actor
//! and journals it, so that an edge cannot forget to. Faults become HTTP in [`answer`] alone.
//! Nothing here touches sandbox, egress, vault or store. The gRPC edge is mounted here too: one router
//! serves the port.

mod accounts;
pub mod answer;
mod ask;
mod connections;
mod connectors;
mod document;
mod execute;
mod executions;
mod files;
mod front;
mod list;
mod pages;
mod proxy;
mod recordings;
mod servers;
mod token;
mod tools;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::response::Response;
use axum::routing::{delete, get, post};
use http::StatusCode;

use crate::runtime::Runtime;

pub use document::openapi;

/// Every route of this host.
pub fn router(runtime: Arc<Runtime>) -> Router {
    let front = front::Front::of(&runtime);
    Router::new()
        .route("/healthz", get(health))
        .route("/openapi.json", get(document::serve))
        .route("/oauth/token", post(token::token))
        .route(front::TOKEN_OF_A_JOINED_URL, post(token::token))
        .merge(rest())
        .route("/proxy/", proxy::methods())
        .route("/proxy/{*path}", proxy::methods())
        .merge(hosted())
        .merge(crate::grpc::routes())
        .merge(crate::mcp::router(Arc::clone(&runtime)))
        .fallback(pages::no_such_route)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(middleware::from_fn_with_state(front, front::pass))
        .with_state(runtime)
}

fn rest() -> Router<Arc<Runtime>> {
    Router::new()
        .route("/api/v1/execute_tool", post(execute::execute_tool))
        .route("/api/v1/recordings", post(recordings::record))
        .route("/api/v1/tools", get(tools::list))
        .route("/api/v1/tools/scoped", get(tools::scoped))
        .route("/api/v1/tools/available", get(tools::available))
        .route("/api/v1/tools/search", get(tools::search))
        .route("/api/v1/tools/{name}", get(tools::get))
        .route(
            "/api/v1/connections",
            get(connections::list).post(connections::create),
        )
        .route(
            "/api/v1/connections/{name}",
            get(connections::get)
                .patch(connections::change)
                .delete(connections::delete),
        )
        .route(
            "/api/v1/connected_accounts",
            get(accounts::list).post(accounts::create),
        )
        .route(
            "/api/v1/connected_accounts/magic_link",
            post(accounts::magic_link),
        )
        .route(
            "/api/v1/connected_accounts/user/verify",
            post(accounts::verify_user),
        )
        .route("/api/v1/connected_accounts/details", get(accounts::details))
        .route(
            "/api/v1/connected_accounts/{id}",
            get(accounts::get)
                .patch(accounts::change)
                .delete(accounts::delete),
        )
        .route(
            "/api/v1/connected_accounts/{id}/disconnect",
            post(accounts::disconnect),
        )
        .merge(mcp())
        .route("/api/v1/files", post(files::upload))
        .route("/api/v1/files/{id}", get(files::download).delete(files::delete))
        .route("/api/v1/executions", get(executions::list))
        .route("/api/v1/executions/{id}", get(executions::get))
        .route(
            "/api/v1/connectors",
            get(connectors::list).post(connectors::install),
        )
        .route("/api/v1/connectors/{id}", delete(connectors::remove))
        .route("/api/v1/connectors/{id}/activate", post(connectors::activate))
        .route(
            "/api/v1/connectors/{id}/versions/{version}",
            delete(connectors::remove_version),
        )
}

fn mcp() -> Router<Arc<Runtime>> {
    Router::new()
        .route("/api/v1/mcp_servers", get(servers::list).post(servers::create))
        .route(
            "/api/v1/mcp_servers/{id}",
            get(servers::get).patch(servers::change).delete(servers::delete),
        )
        .route("/api/v1/mcp_servers/{id}/auth_state", get(servers::auth_state))
        .route(
            "/api/v1/mcp_servers/{id}/sessions",
            get(servers::list_sessions).post(servers::create_session),
        )
        .route(
            "/api/v1/mcp_servers/{id}/sessions/{session_id}",
            delete(servers::revoke_session),
        )
        .route(
            "/api/v1/connections/{name}/sessions",
            get(servers::list_connection_sessions).post(servers::create_connection_session),
        )
        .route(
            "/api/v1/connections/{name}/sessions/{session_id}",
            delete(servers::revoke_connection_session),
        )
}

fn hosted() -> Router<Arc<Runtime>> {
    Router::new()
        .route(
            "/connect/{ticket}",
            get(pages::open).post(pages::submit).fallback(pages::wrong_method),
        )
        .route(
            "/oauth/callback/{environment}/{connection}",
            get(pages::callback).fallback(pages::wrong_method),
        )
        .route("/page.css", get(pages::stylesheet))
        .route("/page.svg", get(pages::icon))
}

/// Is the host there?
///
/// Answers as soon as the host takes requests.
#[utoipa::path(get, path = "/healthz", tag = "access", operation_id = "health",
    responses((status = 200, description = "It is.", content_type = "application/json", body = document::Health)),
    security())]
async fn health() -> Response {
    answer::json(StatusCode::OK, &document::Health { status: "ok" })
}

/// A time as callers see it: RFC 3339 in UTC, from milliseconds since 1970.
fn time(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_string()
}
