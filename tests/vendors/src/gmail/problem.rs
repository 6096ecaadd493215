//! Errors in the vendor's shape.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem {
    code: StatusCode,
    status: &'static str,
    domain: &'static str,
    reason: &'static str,
    message: String,
}

impl Problem {
    fn new(code: StatusCode, status: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            status,
            domain: "global",
            reason,
            message: message.into(),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "INVALID_ARGUMENT",
            "invalidArgument",
            message,
        )
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "notFound",
            "There is no such entity.",
        )
    }

    pub(crate) fn unauthenticated() -> Self {
        let message = "The access token is missing, expired, revoked or unknown.";
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "authError", message)
    }

    pub(crate) fn missing_scope() -> Self {
        let message = "The token's scopes do not reach this method.";
        Self::new(
            StatusCode::FORBIDDEN,
            "PERMISSION_DENIED",
            "insufficientPermissions",
            message,
        )
    }

    /// Over the budget; the vendor says it with either status.
    pub(crate) fn rate_limited(code: StatusCode) -> Self {
        let (status, reason) = if code == StatusCode::FORBIDDEN {
            ("PERMISSION_DENIED", "userRateLimitExceeded")
        } else {
            ("RESOURCE_EXHAUSTED", "rateLimitExceeded")
        };
        Self {
            domain: "usageLimits",
            ..Self::new(code, status, reason, "The user's rate limit is exceeded.")
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({ "error": {
            "code": self.code.as_u16(),
            "message": self.message,
            "errors": [{ "message": self.message, "domain": self.domain, "reason": self.reason }],
            "status": self.status,
        } });
        (self.code, Json(body)).into_response()
    }
}

/// How the vendor says this status when it is told to; 403 is a rate limit here.
pub(crate) fn refusal(status: StatusCode) -> Response {
    let told = "The simulator was told to fail.";
    match status {
        StatusCode::UNAUTHORIZED => Problem::unauthenticated(),
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::FORBIDDEN => Problem::rate_limited(status),
        StatusCode::BAD_REQUEST => Problem::invalid(told),
        StatusCode::SERVICE_UNAVAILABLE => Problem::new(status, "UNAVAILABLE", "backendError", told),
        status => Problem::new(status, "INTERNAL", "backendError", told),
    }
    .into_response()
}
