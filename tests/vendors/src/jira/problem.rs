//! Errors in the vendor's two shapes: Jira's own, and the gateway's before it.

use axum::Json;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::calendar::rfc3339;

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    /// By the gateway, in its own shape.
    gateway: bool,
    messages: Vec<String>,
    /// Complaints by field.
    errors: Map<String, Value>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            gateway: false,
            messages: vec![message.into()],
            errors: Map::new(),
        }
    }

    pub(crate) fn gateway(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            gateway: true,
            ..Self::new(status, message)
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// A complaint about one field.
    pub(crate) fn field(name: &str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            gateway: false,
            messages: Vec::new(),
            errors: Map::from_iter([(name.to_owned(), json!(message.into()))]),
        }
    }

    /// Not there, or not to be seen: the same.
    pub(crate) fn no_issue() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Issue does not exist or you do not have permission to see it.",
        )
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("No {what} could be found."))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = if self.gateway {
            json!({ "code": self.status.as_u16(), "message": self.messages.join(" ") })
        } else {
            json!({ "errorMessages": self.messages, "errors": self.errors })
        };
        (self.status, Json(body)).into_response()
    }
}

/// Too many at once: how long to wait, why, and until when.
pub(crate) fn slow_down(limit: u32, wait_seconds: u64, now_ms: i64) -> Response {
    let mut response = Problem::new(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded.").into_response();
    let until = now_ms + i64::try_from(wait_seconds).unwrap_or(0) * 1_000;
    for (name, value) in [
        ("retry-after", wait_seconds.to_string()),
        ("ratelimit-reason", "jira-burst-based".to_owned()),
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-remaining", "0".to_owned()),
        ("x-ratelimit-reset", rfc3339(until)),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// How the vendor says this status when it is told to.
pub(crate) fn refusal(status: StatusCode) -> Response {
    match status {
        StatusCode::UNAUTHORIZED => Problem::gateway(status, "Unauthorized"),
        StatusCode::NOT_FOUND => Problem::gateway(status, "No message available"),
        StatusCode::FORBIDDEN => Problem::gateway(status, "Forbidden"),
        status => Problem::new(status, "The simulator was told to fail."),
    }
    .into_response()
}
