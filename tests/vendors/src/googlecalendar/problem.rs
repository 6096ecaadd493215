//! Errors in the vendor's shape, with the reasons of
//! <https://developers.google.com/workspace/calendar/api/guides/errors>.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem {
    code: StatusCode,
    domain: &'static str,
    reason: &'static str,
    message: String,
}

impl Problem {
    fn new(code: StatusCode, domain: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            domain,
            reason,
            message: message.into(),
        }
    }

    /// The reason, for tests of what is refused.
    #[cfg(test)]
    pub(crate) fn reason(&self) -> &'static str {
        self.reason
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "global", "invalid", message)
    }

    pub(crate) fn empty_range() -> Self {
        let message = "The time range has no length.";
        Self::new(StatusCode::BAD_REQUEST, "calendar", "timeRangeEmpty", message)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "global", "notFound", "Not here.")
    }

    pub(crate) fn deleted() -> Self {
        Self::new(StatusCode::GONE, "global", "deleted", "It was deleted before.")
    }

    pub(crate) fn full_sync_required() -> Self {
        let message = "This syncToken no longer counts.";
        Self::new(StatusCode::GONE, "calendar", "fullSyncRequired", message)
    }

    pub(crate) fn too_long_ago() -> Self {
        let message = "This updatedMin lies too far back.";
        Self::new(StatusCode::GONE, "calendar", "updatedMinTooLongAgo", message)
    }

    pub(crate) fn not_the_organizer() -> Self {
        let message = "Only the organizer changes what all guests see.";
        Self::new(
            StatusCode::FORBIDDEN,
            "calendar",
            "forbiddenForNonOrganizer",
            message,
        )
    }

    pub(crate) fn access_too_low() -> Self {
        let message = "The user's role on this calendar does not reach this method.";
        Self::new(StatusCode::FORBIDDEN, "calendar", "requiredAccessLevel", message)
    }

    pub(crate) fn changed_meanwhile() -> Self {
        let message = "The etag is another one by now.";
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "global",
            "conditionNotMet",
            message,
        )
    }

    pub(crate) fn unauthenticated() -> Self {
        let message = "The access token is missing, expired, revoked or unknown.";
        Self::new(StatusCode::UNAUTHORIZED, "global", "authError", message)
    }

    pub(crate) fn missing_scope() -> Self {
        let message = "The token's scopes do not reach this method.";
        Self::new(
            StatusCode::FORBIDDEN,
            "global",
            "insufficientPermissions",
            message,
        )
    }

    pub(crate) fn rate_limited(code: StatusCode) -> Self {
        Self::new(
            code,
            "usageLimits",
            "rateLimitExceeded",
            "The user's rate limit is exceeded.",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({ "error": {
            "errors": [{ "domain": self.domain, "reason": self.reason, "message": self.message }],
            "code": self.code.as_u16(),
            "message": self.message,
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
        StatusCode::GONE => Problem::full_sync_required(),
        StatusCode::PRECONDITION_FAILED => Problem::changed_meanwhile(),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::FORBIDDEN => Problem::rate_limited(status),
        StatusCode::BAD_REQUEST => Problem::invalid(told),
        status => Problem::new(status, "global", "backendError", told),
    }
    .into_response()
}
