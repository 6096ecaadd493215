//! Errors in the vendor's shape.

use axum::Json;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// The pages that tell a rate limit from a missing permission.
const PRIMARY: &str = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api";
const SECONDARY: &str = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits";

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    message: String,
    errors: Vec<Value>,
    page: &'static str,
    retry_after: Option<u64>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            errors: Vec::new(),
            page: "https://docs.github.com/rest",
            retry_after: None,
        }
    }

    /// Not there, or not to be seen by this token: the same.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    pub(crate) fn bad_credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Bad credentials")
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Requires authentication")
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// A refusal of the body as a whole, without `errors`.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// A field that is wrong, with the vendor's code (`missing_field`, `invalid`, `already_exists`).
    pub(crate) fn field(resource: &str, field: &str, code: &str) -> Self {
        Self {
            errors: vec![json!({ "resource": resource, "field": field, "code": code })],
            ..Self::unprocessable("Validation Failed")
        }
    }

    /// A complaint in words of its own.
    pub(crate) fn custom(resource: &str, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self {
            errors: vec![json!({ "resource": resource, "code": "custom", "message": message })],
            ..Self::unprocessable("Validation Failed")
        }
    }

    /// A complaint that is a plain text in `errors`.
    pub(crate) fn plain(message: &str) -> Self {
        Self {
            errors: vec![json!(message)],
            ..Self::unprocessable("Unprocessable Entity")
        }
    }

    /// The requests of the window are used up; the headers say until when.
    pub(crate) fn primary_limit(status: StatusCode, user_id: u64) -> Self {
        Self {
            page: PRIMARY,
            ..Self::new(status, format!("API rate limit exceeded for user ID {user_id}."))
        }
    }

    /// Too much at once, although requests remain.
    pub(crate) fn secondary_limit(retry_after: u64) -> Self {
        Self {
            page: SECONDARY,
            retry_after: Some(retry_after),
            ..Self::new(
                StatusCode::FORBIDDEN,
                "You have exceeded a secondary rate limit. Please wait before you try again.",
            )
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "message": self.message,
            "documentation_url": self.page,
            "status": self.status.as_u16().to_string(),
        });
        if !self.errors.is_empty() {
            body["errors"] = json!(self.errors);
        }
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert("retry-after", HeaderValue::from(seconds));
        }
        response
    }
}

/// How the vendor says this status when it is told to; 403 is a missing permission here.
pub(crate) fn refusal(status: StatusCode) -> Response {
    match status {
        StatusCode::UNAUTHORIZED => Problem::bad_credentials(),
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::FORBIDDEN => Problem::new(status, "Resource not accessible by integration"),
        StatusCode::TOO_MANY_REQUESTS => Problem::primary_limit(status, 0),
        status => Problem::new(status, "The simulator was told to fail."),
    }
    .into_response()
}
