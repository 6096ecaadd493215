//! Errors in the vendor's shape.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::workspace::uuid;

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "validation_error", message)
    }

    pub(super) fn not_found(what: &str, id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "object_not_found",
            format!("Could not find {what} with ID: {id}. Make sure it is shared with this integration."),
        )
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "API token is invalid.")
    }

    pub(super) fn rate_limited() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "You have been rate limited. Please try again later.",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "object": "error",
            "status": self.status.as_u16(),
            "code": self.code,
            "message": self.message,
            "request_id": uuid(&self.message, 0),
        });
        (self.status, Json(body)).into_response()
    }
}

/// How the vendor says this status when it is told to.
pub(crate) fn refusal(status: StatusCode) -> Response {
    let code = match status {
        StatusCode::UNAUTHORIZED => return Problem::unauthorized().into_response(),
        StatusCode::TOO_MANY_REQUESTS => return Problem::rate_limited().into_response(),
        StatusCode::BAD_REQUEST => "invalid_request_url",
        StatusCode::FORBIDDEN => "restricted_resource",
        StatusCode::NOT_FOUND => "object_not_found",
        StatusCode::CONFLICT => "conflict_error",
        StatusCode::SERVICE_UNAVAILABLE => "service_unavailable",
        _ => "internal_server_error",
    };
    Problem::new(status, code, "The simulator was told to fail.").into_response()
}
