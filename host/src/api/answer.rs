//! Rendering: values as JSON, faults as status, headers and body. The one place where a fault
//! becomes HTTP.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use crate::error::{Fault, Kind, Retry};
use crate::id::ExecutionId;

/// Names the execution of an answer to `execute_tool`, also of an error.
pub(super) const EXECUTION_ID: HeaderName = HeaderName::from_static("x-execution-id");
/// Names a request that failed by the host's fault, as its log line does.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a handler answers.
pub(super) type Answer = Result<Response, Refusal>;

/// Reasons that this edge itself gives, where the status says more than the kind's.
pub mod reason {
    /// The body is larger than the route takes.
    pub const BODY_TOO_LARGE: &str = "body_too_large";
    /// The body's media type is not what the route takes.
    pub const MEDIA_TYPE: &str = "media_type";
    /// The body did not arrive in time.
    pub const BODY_TOO_SLOW: &str = "body_too_slow";
    /// The path exists, for other methods.
    pub const METHOD_NOT_ALLOWED: &str = "method_not_allowed";
    /// The request names a host that this one is not.
    pub const HOST_NOT_ALLOWED: &str = "host_not_allowed";
}

/// The status of a kind of fault. A generic HTTP client repeats 429, 502, 503 and 504 by itself:
/// only what may be repeated has one of these.
#[must_use]
pub fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::InvalidInput | Kind::FlowInvalid => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::PolicyDenied | Kind::ScopeMissing | Kind::VendorForbidden => StatusCode::FORBIDDEN,
        Kind::UnknownTool | Kind::NotFound | Kind::AccountNotFound | Kind::VendorNotFound => {
            StatusCode::NOT_FOUND
        }
        Kind::Conflict
        | Kind::AccountAmbiguous
        | Kind::AccountNotActive
        | Kind::VendorConflict
        | Kind::IdempotencyConflict => StatusCode::CONFLICT,
        Kind::VendorRejected => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Kind::VendorUnavailable => StatusCode::BAD_GATEWAY,
        Kind::VendorTimeout => StatusCode::GATEWAY_TIMEOUT,
        Kind::Overloaded | Kind::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::EgressDenied
        | Kind::AmbiguousOutcome
        | Kind::ConnectorTrapped
        | Kind::ConnectorLimit
        | Kind::ConnectorOutputInvalid
        | Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Reasons whose status is not their kind's.
pub const STATUS_OF_REASON: [(&str, StatusCode); 5] = [
    (reason::METHOD_NOT_ALLOWED, StatusCode::METHOD_NOT_ALLOWED),
    (reason::BODY_TOO_SLOW, StatusCode::REQUEST_TIMEOUT),
    (reason::BODY_TOO_LARGE, StatusCode::PAYLOAD_TOO_LARGE),
    (reason::MEDIA_TYPE, StatusCode::UNSUPPORTED_MEDIA_TYPE),
    (reason::HOST_NOT_ALLOWED, StatusCode::MISDIRECTED_REQUEST),
];

/// The status of a fault.
pub(super) fn status(fault: &Fault) -> StatusCode {
    fault
        .reason_code()
        .and_then(|reason| {
            STATUS_OF_REASON
                .iter()
                .find(|(code, _)| *code == reason)
                .map(|(_, status)| *status)
        })
        .unwrap_or_else(|| status_of(fault.kind()))
}

/// A fault on its way out.
pub(super) struct Refusal {
    fault: Fault,
    execution: Option<ExecutionId>,
}

impl Refusal {
    /// A fault of an execution, which the journal knows under `execution`.
    pub(super) fn of_execution(fault: Fault, execution: ExecutionId) -> Self {
        Self {
            fault,
            execution: Some(execution),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            execution: None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { fault, execution } = self;
        let status = status(&fault);
        // The host's own failures can be found in the log; an execution's were logged by it.
        let request = (execution.is_none() && status.is_server_error()).then(|| log(&fault));
        let id = execution.as_ref().map(ExecutionId::as_str).or(request.as_deref());

        let mut response = json(status, &fault.body(id));
        let headers = response.headers_mut();
        if let Retry::After(wait) = fault.retry_advice() {
            let seconds = wait.as_millis().div_ceil(1000);
            headers.insert(RETRY_AFTER, header(&seconds.to_string()));
        }
        if status == StatusCode::UNAUTHORIZED {
            let challenge = match fault.reason_code() {
                Some("invalid_client") => "Basic realm=\"valetkey\"",
                _ => "Bearer realm=\"valetkey\", error=\"invalid_token\"",
            };
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(execution) = &execution {
            headers.insert(EXECUTION_ID, header(execution.as_str()));
        }
        if let Some(request) = &request {
            headers.insert(REQUEST_ID, header(request));
        }
        response
    }
}

/// Logs a failure of the host under a new id.
pub(super) fn log(fault: &Fault) -> String {
    let request_id = format!("req_{}", uuid::Uuid::now_v7().simple());
    tracing::error!(
        request_id,
        kind = fault.kind().as_str(),
        reason = fault.reason_code(),
        cause = fault.chain(),
        "a request failed: {}",
        fault.public()
    );
    request_id
}

/// A value as JSON.
pub(super) fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => json_bytes(status, body),
        Err(error) => Refusal::from(Fault::internal(error)).into_response(),
    }
}

/// JSON that is written already.
pub(super) fn json_bytes(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// The answer that has nothing to say.
pub(super) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// No route.
pub(super) fn no_such_route() -> Fault {
    Fault::new(
        Kind::NotFound,
        "There is nothing at this path. /openapi.json describes what there is.",
    )
    .reason("no_such_route")
}

/// A route, and another method.
pub(super) async fn method_not_allowed() -> Refusal {
    Fault::new(
        Kind::InvalidInput,
        "This path does not take this method; the header `allow` names those that it takes.",
    )
    .reason(reason::METHOD_NOT_ALLOWED)
    .into()
}

/// Text of ours as a header: digits and ids.
fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
