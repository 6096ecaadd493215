//! Errors in the vendor's shape (<https://learn.microsoft.com/en-us/graph/errors>).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// Seconds until another try.
    retry_after: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// The code, for tests of what is refused.
    #[cfg(test)]
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ErrorInvalidRequest", message)
    }

    pub(crate) fn invalid_query(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ErrorInvalidUrlQueryFilter", message)
    }

    pub(crate) fn inefficient() -> Self {
        let message = "The order does not fit the condition.";
        Self::new(StatusCode::BAD_REQUEST, "InefficientFilter", message)
    }

    pub(crate) fn malformed_id() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "ErrorInvalidIdMalformed",
            "The id is malformed.",
        )
    }

    pub(crate) fn bad_recipient() -> Self {
        let message = "A recipient has no usable address.";
        Self::new(StatusCode::BAD_REQUEST, "ErrorInvalidRecipients", message)
    }

    pub(crate) fn unknown_zone(zone: &str) -> Self {
        let message = format!("There is no zone {zone:?}.");
        Self::new(StatusCode::BAD_REQUEST, "TimeZoneNotSupportedException", message)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "ErrorItemNotFound",
            "The object is not in the store.",
        )
    }

    pub(crate) fn folder_exists() -> Self {
        let message = "A folder of this name is there already.";
        Self::new(StatusCode::CONFLICT, "ErrorFolderExists", message)
    }

    pub(crate) fn unauthenticated() -> Self {
        let message = "The access token is missing, expired, revoked or unknown.";
        Self::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message)
    }

    pub(crate) fn denied() -> Self {
        let message = "The token's scopes do not reach this method.";
        Self::new(StatusCode::FORBIDDEN, "ErrorAccessDenied", message)
    }

    pub(crate) fn throttled(seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "ApplicationThrottled",
                "The application is over its limit for this mailbox.",
            )
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({ "error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": "2026-03-02T09:00:00",
                "request-id": "00000000-0000-4000-8000-000000000000",
                "client-request-id": "00000000-0000-4000-8000-000000000000",
            },
        } });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"\", error=\"invalid_token\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// How the vendor says this status when it is told to.
pub(crate) fn refusal(status: StatusCode) -> Response {
    let told = "The simulator was told to fail.";
    match status {
        StatusCode::UNAUTHORIZED => Problem::unauthenticated(),
        StatusCode::FORBIDDEN => Problem::denied(),
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::BAD_REQUEST => Problem::invalid(told),
        StatusCode::TOO_MANY_REQUESTS => Problem::new(status, "ApplicationThrottled", told),
        StatusCode::SERVICE_UNAVAILABLE => Problem::new(status, "ServiceUnavailable", told),
        status => Problem::new(status, "InternalServerError", told),
    }
    .into_response()
}
