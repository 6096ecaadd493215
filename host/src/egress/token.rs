//! Requests of the host itself to authorization servers: same dialer, a connection of its own for
//! each, no redirects, no repetition, small answers.
//!
//! Called by `accounts`. What it reports about a failure decides whether a single-use refresh
//! token may be used again, so it never claims more than is certain.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use tokio::time::Instant;

use super::client::{Client, Patience, Payload, Why};
use super::decode::Bounds;
use super::{endpoint, gate, signals};
use crate::clock::Clock;

/// A request of the host itself to an authorization server: never redirected, strictly capped.
pub struct TokenRequest {
    /// `https` URL, or `http` on loopback when `development`.
    pub url: String,
    /// Headers, the client's own authentication included.
    pub headers: HeaderMap,
    /// Form body.
    pub body: Bytes,
    /// Whether the connection is marked for development.
    pub development: bool,
    /// Cap on the answer's body.
    pub max_response_bytes: usize,
    /// The whole exchange.
    pub timeout: Duration,
}

/// An authorization server's answer. Its body may hold tokens: it never prints.
pub struct TokenAnswer {
    /// Status.
    pub status: StatusCode,
    /// `content-type`, lower case.
    pub content_type: Option<String>,
    /// `retry-after` as a duration, if given and understood.
    pub retry_after: Option<Duration>,
    /// Body.
    pub body: Bytes,
}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TokenAnswer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Why a token request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum TokenTransportError {
    /// Refused before anything was sent: URL, scheme or address.
    #[error("the request was refused before sending: {0}")]
    Refused(String),
    /// Certainly not received by the server (no connection was made).
    #[error("no connection was made: {0}")]
    NotSent(String),
    /// Sent, and no whole answer came: the server may have acted.
    #[error("no whole answer came: {0}")]
    OutcomeUnknown(String),
}

impl TokenTransportError {
    /// A stable word for what went wrong.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::NotSent(_) => "unreachable",
            Self::OutcomeUnknown(_) => "connection_lost",
        }
    }
}

/// Sends `request` by `client`; a body goes along unless it is a GET.
pub(super) async fn send(
    client: &Client,
    clock: &Clock,
    method: Method,
    request: TokenRequest,
) -> Result<TokenAnswer, TokenTransportError> {
    let uri = uri(&request.url, request.development).map_err(TokenTransportError::Refused)?;
    let until = Instant::now() + request.timeout;
    let patience = Patience {
        head_by: until,
        body: Bounds {
            max_bytes: request.max_response_bytes,
            max_ratio: 1,
            idle: request.timeout,
            until,
            gzip_offered: false,
        },
    };
    let mut outgoing = Request::new(Payload::from((method != Method::GET).then_some(request.body)));
    *outgoing.method_mut() = method;
    *outgoing.uri_mut() = uri;
    *outgoing.headers_mut() = request.headers;
    match client.exchange(outgoing, None, &patience, None).await {
        Ok(answer) => Ok(TokenAnswer {
            status: answer.status,
            content_type: answer
                .headers
                .get(CONTENT_TYPE)
                .and_then(|value| value.to_str().ok())
                .map(str::to_ascii_lowercase),
            retry_after: signals::retry_after(&answer.headers, clock.now()),
            body: answer.body,
        }),
        Err(failure) => {
            let cause = failure.chain();
            Err(if failure.started {
                TokenTransportError::OutcomeUnknown(cause)
            } else if failure.why == Why::Address {
                TokenTransportError::Refused(cause)
            } else {
                TokenTransportError::NotSent(cause)
            })
        }
    }
}

fn uri(url: &str, development: bool) -> Result<Uri, String> {
    let origin = endpoint::origin(url, development)?;
    if origin.rest.contains('#') {
        return Err(format!("{url}: a fragment has no meaning here"));
    }
    let path = origin.rest.split('?').next().unwrap_or_default();
    if !path.is_empty() {
        gate::check_path(path).map_err(|problem| format!("{url}: the path {problem}"))?;
    }
    let rest = if path.is_empty() {
        format!("/{}", origin.rest)
    } else {
        origin.rest.to_owned()
    };
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(origin.scheme);
    parts.authority = Some(origin.authority);
    parts.path_and_query = Some(PathAndQuery::try_from(rest).map_err(|_| format!("{url}: not a valid URL"))?);
    Uri::from_parts(parts).map_err(|_| format!("{url}: not a valid URL"))
}
