//! The only way from this process to a vendor: gate (may this request go there), permit (rate
//! budget), credential, dial (resolve, check, pin, TLS), send, learn, retry, redact.
//!
//! Called by `capability` for guests and by `accounts` for token endpoints. No other module may
//! open a socket to a vendor (`clippy.toml` forbids it).

pub mod credential;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, StatusCode};
use tokio::time::Instant;

use valetkey_manifest::{Budget, Errors, Throttle};

use crate::clock::Clock;
use crate::config;
use crate::error::Fault;

pub use credential::{Credential, Material};

/// Where the credential of one account comes from. `accounts` implements it; a guest's request
/// reaches it only through [`Egress::send`].
pub trait Credentials: Send + Sync {
    /// A credential that is good now; refreshes when it is due. Waits at most until `deadline`.
    fn current(&self, deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>>;

    /// The vendor answered 401 to the credential of generation `rejected`: a newer one, after at
    /// most one refresh however many ask. A fault when none is to be had.
    fn renew(&self, rejected: u64, deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>>;
}

/// One endpoint of a connection, resolved: the manifest's URL with the connection's override and
/// the account's configuration filled in, parsed and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `https`, or `http` for a development connection on loopback.
    pub scheme: http::uri::Scheme,
    /// Host and port as in the URL.
    pub authority: http::uri::Authority,
    /// Base path without a trailing slash; may be empty.
    pub base_path: String,
    /// Whether the credential is added.
    pub credential: bool,
    /// Constant headers.
    pub headers: HeaderMap,
}

/// One method and path template that a tool may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The method.
    pub method: Method,
    /// Endpoint name.
    pub endpoint: String,
    /// Segments below the endpoint's base; see [`Segment`].
    pub segments: Vec<Segment>,
}

/// One part of a path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Exactly this, percent-encoding normalised.
    Literal(String),
    /// A segment that begins and ends with fixed texts around a placeholder (`{id}:cancel`).
    Pattern {
        /// Before the placeholder.
        prefix: String,
        /// After it.
        suffix: String,
    },
    /// All that follows.
    Rest,
}

/// What is the same for every call of one tool version on one connection: shared, built once.
#[derive(Debug, Clone)]
pub struct Vendor {
    /// `connector id` for metrics and messages.
    pub connector: String,
    /// Key of the connection's budgets: environment and connection name.
    pub connection_key: String,
    /// Whether the connection is marked for development: plain http and loopback, nothing else.
    pub development: bool,
    /// Published rates.
    pub budgets: Arc<[Budget]>,
    /// Other ways in which the vendor says "slow down".
    pub throttles: Arc<[Throttle]>,
    /// How to read error bodies.
    pub errors: Option<Arc<Errors>>,
}

/// What one call may reach. It names no user.
#[derive(Clone)]
pub struct Reach {
    /// The vendor side.
    pub vendor: Arc<Vendor>,
    /// Endpoints by name.
    pub endpoints: Arc<BTreeMap<String, Endpoint>>,
    /// What the tool may send; empty allows nothing.
    pub allowed: Arc<[Allowed]>,
    /// Whether the tool is declared read-only: then `GET`, `HEAD` and the declared requests alone.
    pub read_only: bool,
    /// Whether the tool is declared idempotent: then its writes may be repeated.
    pub idempotent: bool,
    /// Opaque key of the account's budgets and fairness.
    pub account_key: Arc<str>,
    /// The account's credential.
    pub credentials: Arc<dyn Credentials>,
    /// When the call must be over.
    pub deadline: Instant,
    /// What the call used so far, shared with the journal.
    pub meter: Arc<Meter>,
}

/// What one call used; read by the journal when it is over.
#[derive(Debug, Default)]
pub struct Meter {
    /// Requests that reached a vendor, attempts included.
    pub requests: AtomicU32,
    /// Requests that a guest asked for, refused ones included.
    pub asked: AtomicU32,
    /// Refreshes that a 401 caused.
    pub renewals: AtomicU32,
    /// Waits for a budget or a `Retry-After`.
    pub waits: AtomicU32,
    /// Milliseconds waited in all.
    pub waited_ms: AtomicU32,
    /// Attempts after the first.
    pub retries: AtomicU32,
    /// Writes that were put on the wire: what decides whether a cut-off call is ambiguous.
    pub writes_sent: AtomicU32,
    /// Bytes of answers, decoded.
    pub bytes_in: AtomicU32,
    /// Bytes of request bodies.
    pub bytes_out: AtomicU32,
    /// Last vendor status.
    pub last_status: AtomicU32,
}

/// A request as a guest asks for it.
#[derive(Debug, Clone, Default)]
pub struct GuestRequest {
    /// Method.
    pub method: String,
    /// Endpoint name.
    pub endpoint: String,
    /// Path below the endpoint.
    pub path: String,
    /// A URL that the vendor handed out, instead of `path`.
    pub url: Option<String>,
    /// Query parameters, not encoded.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Option<Bytes>,
}

/// An answer as a guest sees it: decoded, capped, redacted.
#[derive(Debug, Clone)]
pub struct GuestResponse {
    /// Status.
    pub status: StatusCode,
    /// Headers without `set-cookie`, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
}

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

/// Built once; cheap to share.
pub struct Egress {}

impl Egress {
    /// Builds the clients.
    ///
    /// # Errors
    /// The extra certificate authorities cannot be read.
    pub fn new(_settings: &config::Egress, _clock: Clock) -> anyhow::Result<Self> {
        todo!()
    }

    /// Sends one request of a guest, on behalf of the account behind `reach`.
    ///
    /// # Errors
    /// A fault when there is no answer; any status is an answer.
    pub async fn send(&self, _reach: &Reach, _request: GuestRequest) -> Result<GuestResponse, Fault> {
        todo!()
    }

    /// Sends one request of the host to an authorization server.
    ///
    /// # Errors
    /// No answer; whether the server may have acted is in the error.
    pub async fn token_request(&self, _request: TokenRequest) -> Result<TokenAnswer, TokenTransportError> {
        todo!()
    }
}

/// Resolves an endpoint URL (placeholders already filled in) into its parts.
///
/// # Errors
/// What is wrong with it: scheme, port, credentials, address literal, query, fragment.
pub fn endpoint(
    _url: &str,
    _development: bool,
    _credential: bool,
    _headers: &BTreeMap<String, String>,
) -> Result<Endpoint, String> {
    todo!()
}

/// Parses `METHOD endpoint:/path/{name}/{*}`.
///
/// # Errors
/// What is wrong with it.
pub fn allowed(_rule: &str) -> Result<Allowed, String> {
    todo!()
}
