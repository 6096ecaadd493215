//! The Linear-shaped API, at `/linear/graphql`: issues, comments, relations, labels, states, cycles,
//! projects, documents. Documents are parsed and selections kept to; what a document asks for that
//! is not here is refused as a field that the schema does not have. Shapes as in the vendor's
//! published schema; texts are ours.

mod document;
mod filter;
mod mutation;
mod organization;
mod query;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, State as Shared};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(crate) use organization::Organization;

use crate::Vendor;
use crate::oauth::Session;
use crate::server::State;
use document::Operation;

pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new().route("/linear/graphql", post(run))
}

/// Why a request is not answered with data.
#[derive(Debug, PartialEq)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    kind: &'static str,
    message: String,
    shown: String,
}

impl Problem {
    fn new(
        status: StatusCode,
        code: &'static str,
        kind: &'static str,
        message: String,
        shown: String,
    ) -> Self {
        Self {
            status,
            code,
            kind,
            message,
            shown,
        }
    }

    /// The document or its variables are not of the schema.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        let message = message.into();
        let code = "GRAPHQL_VALIDATION_FAILED";
        Self::new(
            StatusCode::BAD_REQUEST,
            code,
            "graphql error",
            message.clone(),
            message,
        )
    }

    /// An argument is of no use; the status is that of a success.
    pub(super) fn input(message: impl Into<String>, shown: impl Into<String>) -> Self {
        Self::new(
            StatusCode::OK,
            "INPUT_ERROR",
            "invalid input",
            message.into(),
            shown.into(),
        )
    }

    /// There is no such thing.
    pub(super) fn not_found(what: &str) -> Self {
        Self::input(
            format!("Entity not found: {what}"),
            format!("Could not find referenced {what}."),
        )
    }

    /// A scope is missing.
    pub(super) fn scope(scope: &str) -> Self {
        let message = format!("Invalid scope: `{scope}` required");
        Self::new(StatusCode::OK, "FORBIDDEN", "forbidden", message.clone(), message)
    }

    fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "AUTHENTICATION_ERROR",
            "authentication error",
            "Authentication required, not authenticated".to_owned(),
            "You need to authenticate to access this operation.".to_owned(),
        )
    }

    fn throttled() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "RATELIMITED",
            "ratelimited",
            "Rate limit exceeded".to_owned(),
            "Too many requests; wait until the limit is reset.".to_owned(),
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = match (self.status, self.code) {
            (StatusCode::OK, "FORBIDDEN") => 403,
            (StatusCode::OK, _) => 400,
            (status, _) => status.as_u16(),
        };
        let error = json!({
            "message": self.message,
            "extensions": {
                "type": self.kind,
                "code": self.code,
                "statusCode": status,
                "userError": true,
                "userPresentableMessage": self.shown,
            },
        });
        (self.status, Json(json!({ "errors": [error], "data": null }))).into_response()
    }
}

/// How the vendor says this status when it is told to.
pub(crate) fn refusal(status: StatusCode) -> Response {
    match status {
        StatusCode::UNAUTHORIZED => Problem::unauthenticated().into_response(),
        StatusCode::TOO_MANY_REQUESTS => Problem::throttled().into_response(),
        StatusCode::FORBIDDEN => Problem::scope("admin").into_response(),
        StatusCode::NOT_FOUND => Problem::not_found("Issue").into_response(),
        status => {
            let message = "The simulator was told to fail.".to_owned();
            Problem::new(
                status,
                "INTERNAL_SERVER_ERROR",
                "internal error",
                message.clone(),
                message,
            )
            .into_response()
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    query: String,
    #[serde(default)]
    variables: Option<Map<String, Value>>,
    #[serde(default)]
    operation_name: Option<String>,
}

async fn run(
    Shared(state): Shared<Arc<State>>,
    session: Option<Extension<Session>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(Extension(session)) = session.filter(|session| session.vendor == Vendor::Linear) else {
        return Problem::unauthenticated().into_response();
    };
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    let asked: Asked = match serde_json::from_slice(&body) {
        Ok(asked) if is_json => asked,
        _ => return Problem::invalid("The body must be JSON with a `query`.").into_response(),
    };
    let budget = state.settings().linear_budget;
    let now = state.calendar.now_ms();
    state.linear_organization(&session.user, |organization| {
        let mut limits = Vec::new();
        if let Some(budget) = budget {
            let spent = organization.requests.spend(budget);
            let reset = spent.as_ref().err().copied().unwrap_or_default();
            limits = vec![
                ("x-ratelimit-requests-limit", u64::from(budget.requests)),
                ("x-ratelimit-requests-remaining", spent.map_or(0, u64::from)),
                ("x-ratelimit-requests-reset", epoch_ms() + as_ms(reset)),
            ];
            if spent.is_err() {
                return with(Problem::throttled().into_response(), &limits);
            }
        }
        organization.set_time(now);
        let answered = Operation::parse(&asked.query, asked.operation_name.as_deref())
            .and_then(|operation| operation.bind(asked.variables.unwrap_or_default()))
            .and_then(|bound| query::execute(organization, &session, &bound));
        match answered {
            Ok(data) => with(Json(json!({ "data": data })).into_response(), &limits),
            Err(problem) => with(problem.into_response(), &limits),
        }
    })
}

fn with(mut response: Response, headers: &[(&'static str, u64)]) -> Response {
    for (name, value) in headers {
        response.headers_mut().insert(*name, HeaderValue::from(*value));
    }
    response
}

fn as_ms(wait: std::time::Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

/// The vendor names the moment of a reset by the clock that everybody shares, not by the simulated one.
#[allow(
    clippy::disallowed_methods,
    reason = "the moment is compared with the real clock of whoever asks"
)]
fn epoch_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    as_ms(since.unwrap_or_default())
}
