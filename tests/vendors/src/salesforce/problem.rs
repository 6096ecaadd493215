//! Errors in the vendor's shape: an array with one complaint.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    fields: Option<Vec<String>>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            fields: None,
        }
    }

    /// A 400 with a code of the vendor's.
    pub(super) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// Names the fields that it is about, as complaints about a record's fields do.
    pub(super) fn about(mut self, fields: &[&str]) -> Self {
        self.fields = Some(fields.iter().map(|field| (*field).to_owned()).collect());
        self
    }

    pub(super) fn malformed_query(message: impl Into<String>) -> Self {
        Self::bad("MALFORMED_QUERY", message)
    }

    pub(super) fn no_column(name: &str, object: &str) -> Self {
        Self::bad(
            "INVALID_FIELD",
            format!("No such column '{name}' on entity '{object}'."),
        )
    }

    pub(super) fn no_object(name: &str) -> Self {
        Self::bad(
            "INVALID_TYPE",
            format!("sObject type '{name}' is not supported here."),
        )
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "The requested resource does not exist",
        )
    }

    pub(super) fn invalid_session() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "INVALID_SESSION_ID",
            "Session expired or invalid",
        )
    }

    pub(super) fn request_limit() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "REQUEST_LIMIT_EXCEEDED",
            "TotalRequests Limit exceeded.",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut complaint = json!({ "message": self.message, "errorCode": self.code });
        if let Some(fields) = self.fields {
            complaint["fields"] = json!(fields);
        }
        (self.status, Json(Value::Array(vec![complaint]))).into_response()
    }
}

/// How the vendor says this status when it is told to. A 429 is not one of its own: too many
/// requests come as 403.
pub(crate) fn refusal(status: StatusCode) -> Response {
    match status {
        StatusCode::UNAUTHORIZED => Problem::invalid_session().into_response(),
        StatusCode::FORBIDDEN => Problem::request_limit().into_response(),
        StatusCode::NOT_FOUND => Problem::not_found().into_response(),
        StatusCode::SERVICE_UNAVAILABLE => {
            Problem::new(status, "SERVER_UNAVAILABLE", "The server is too busy.").into_response()
        }
        status => {
            Problem::new(status, "UNKNOWN_EXCEPTION", "The simulator was told to fail.").into_response()
        }
    }
}
