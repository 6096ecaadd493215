//! Errors in the vendor's shape.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::text::number_of;

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    category: &'static str,
    message: String,
    errors: Vec<Value>,
}

impl Problem {
    fn new(status: StatusCode, category: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            category,
            message: message.into(),
            errors: Vec::new(),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
    }

    /// A complaint about one property, with the vendor's code for it.
    pub(crate) fn property(code: &str, name: &str, message: &str) -> Self {
        let mut problem = Self::invalid(format!("Property values were not valid: {name}: {message}"));
        problem.errors.push(json!({
            "message": message,
            "code": code,
            "context": { "propertyName": [name] },
        }));
        problem
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "OBJECT_NOT_FOUND",
            format!("No such {what}."),
        )
    }

    pub(crate) fn conflict(existing: u64) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "CONFLICT",
            format!("A contact with this email is there already. Existing ID: {existing}"),
        )
    }

    pub(crate) fn missing_scope(scope: &str) -> Self {
        let mut problem = Self::new(
            StatusCode::FORBIDDEN,
            "MISSING_SCOPES",
            "The token does not have the scope that this call needs.",
        );
        problem.errors.push(json!({
            "message": "A scope is missing.",
            "context": { "requiredGranularScopes": [scope] },
        }));
        problem
    }

    pub(crate) fn unauthenticated(sent_a_token: bool) -> Self {
        let (category, message) = if sent_a_token {
            (
                "EXPIRED_AUTHENTICATION",
                "The access token is expired, revoked or unknown.",
            )
        } else {
            (
                "INVALID_AUTHENTICATION",
                "There is no bearer token in the request.",
            )
        };
        Self::new(StatusCode::UNAUTHORIZED, category, message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "status": "error",
            "message": self.message,
            "correlationId": correlation_id(&self.message),
            "category": self.category,
        });
        if !self.errors.is_empty() {
            body["errors"] = json!(self.errors);
        }
        (self.status, Json(body)).into_response()
    }
}

/// More requests than a policy allows.
pub(crate) fn rate_limited(policy: &str) -> Response {
    let body = json!({
        "status": "error",
        "message": format!("The {policy} limit is reached."),
        "errorType": "RATE_LIMIT",
        "correlationId": correlation_id(policy),
        "category": "RATE_LIMITS",
        "policyName": policy,
    });
    (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response()
}

/// How the vendor says this status when it is told to.
pub(crate) fn refusal(status: StatusCode) -> Response {
    match status {
        StatusCode::UNAUTHORIZED => Problem::unauthenticated(true).into_response(),
        StatusCode::TOO_MANY_REQUESTS => rate_limited("TEN_SECONDLY_ROLLING"),
        StatusCode::NOT_FOUND => Problem::not_found("resource").into_response(),
        status => Problem::new(status, "INTERNAL_ERROR", "The simulator was told to fail.").into_response(),
    }
}

fn correlation_id(of: &str) -> String {
    let number = number_of(of);
    format!(
        "{:08x}-{:04x}-4000-8000-{:012x}",
        number >> 32,
        number >> 16 & 0xffff,
        number & 0xffff_ffff_ffff
    )
}
