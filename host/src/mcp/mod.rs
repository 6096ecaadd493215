//! The MCP edge: virtual servers under `/mcp/…`, for agents. Authenticate the session, parse, one
//! call of the core, render.
//!
//! Two eras on one URL: the stateless revision 2026-07-28, and the handshake of the earlier ones.
//! Neither has a session in the transport, so that nothing of one user can be reached by the id of
//! another's. The protocol is rmcp's business and stays in this folder; who may see what is decided
//! by `servers` and, once more for each call, by `call`. Called by the router of all edges. It
//! never takes an identifier from anything but the caller's token.

mod call;
mod door;
mod handler;
mod meta;
mod progress;
mod refusal;
mod result;
mod streams;
mod tools;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get};

use crate::runtime::Runtime;

use streams::Streams;

/// What the requests of this edge share.
pub(crate) struct Edge {
    host: Arc<Runtime>,
    streams: Arc<Streams>,
}

/// The routes of this edge.
pub fn router<S: Clone + Send + Sync + 'static>(host: Arc<Runtime>) -> Router<S> {
    let streams = Arc::new(Streams::new(host.config.mcp.max_streams));
    Router::new()
        .route("/mcp/servers/{id}", any(door::server))
        .route("/mcp/connections/{name}", any(door::connection))
        .route(
            "/.well-known/oauth-protected-resource/mcp/servers/{id}",
            get(door::server_metadata),
        )
        .route(
            "/.well-known/oauth-protected-resource/mcp/connections/{name}",
            get(door::connection_metadata),
        )
        .with_state(Arc::new(Edge { host, streams }))
}
