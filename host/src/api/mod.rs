//! The REST edge and the hosted pages: authenticate, parse, one verb of the core, render.

use std::sync::Arc;

use axum::Router;

use crate::runtime::Runtime;

/// Every route of this host.
pub fn router(_runtime: Arc<Runtime>) -> Router {
    todo!()
}

/// The OpenAPI 3.1 document of the REST edge, as served at `/openapi.json`.
#[must_use]
pub fn openapi() -> serde_json::Value {
    todo!()
}
