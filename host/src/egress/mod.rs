//! The only way from this process to a vendor: gate (may this request go there), permit (rate
//! budget), credential, dial (resolve, check, pin, TLS), send, learn, retry, redact.
//!
//! Called by `capability` for guests, by `accounts` for token endpoints, by `servers` for the keys of
//! issuers, and by `telemetry` for the operator's collector. No other module may open a socket to
//! somewhere else (`clippy.toml` forbids it).

mod address;
mod breaker;
mod client;
mod collector;
mod credential;
mod decode;
mod dial;
pub mod dialogue;
mod endpoint;
mod gate;
mod keep;
mod lane;
mod limits;
mod redact;
mod retry;
mod rule;
mod signals;
mod tls;
mod token;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{ACCEPT_ENCODING, HeaderValue, LOCATION, USER_AGENT};
use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use tokio::time::Instant;
use tracing::Instrument as _;

use valetkey_manifest::{Budget, Errors, Refusal, Throttle};

use crate::clock::Clock;
use crate::config;
use crate::error::{Fault, VendorError};
use crate::files::{Facts, Lent};
use crate::secret::Secret;
use crate::trace;

use breaker::{Breakers, Sign};
use client::{Answer, Client, Failure, Keeping, Metered, Patience, Payload};
use decode::Bounds;
use dial::{Dialer, Names, Reachable, SystemResolver};
use gate::Admitted;
use limits::{Connection, Limits, Pause};
use redact::Redactor;
use signals::Throttled;

pub use collector::Collector;
use credential::Draft;
pub use credential::{Credential, Inputs, Material, Problem as CredentialProblem, assertion, filled};
pub use dial::Resolve;
pub use endpoint::{Endpoint, endpoint};
pub use gate::is_host_header;
pub use keep::Keep;
pub use redact::{MIN_SECRET_BYTES, REDACTED};
pub use rule::{Allowed, Segment, allowed};
pub use signals::refused;
pub use token::{TokenAnswer, TokenRequest, TokenTransportError};

/// Attempts of one request that a vendor may answer with "slow down".
const MAX_THROTTLED: u32 = 8;
/// Sent unless the connector names itself; several vendors refuse requests without one.
const USER_AGENT_TEXT: &str = concat!("valetkey/", env!("CARGO_PKG_VERSION"));

/// Where the credential of one account comes from. `accounts` implements it; a guest's request
/// reaches it only through [`Egress::send`].
pub trait Credentials: Send + Sync {
    /// A credential that is good now; refreshes when it is due. Waits at most until `deadline`.
    fn current(&self, deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>>;

    /// The vendor refused the credential of generation `rejected` (401): a newer one, after at
    /// most one refresh however many ask. A fault when none is to be had.
    fn renew(&self, rejected: u64, deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>>;
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
    /// Answers that refuse the credential beside 401.
    pub refusals: Arc<[Refusal]>,
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
    /// Refreshes that a refused credential caused.
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
    /// A file instead of a body.
    pub upload: Option<Lent>,
    /// Keeps a successful answer's body as a file.
    pub keep: Option<Keep>,
}

/// An answer as a guest sees it: decoded, capped, redacted.
#[derive(Debug, Clone)]
pub struct GuestResponse {
    /// Status.
    pub status: StatusCode,
    /// Headers without `set-cookie`, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body; empty when it was kept.
    pub body: Bytes,
    /// The body as a file.
    pub file: Option<Arc<Facts>>,
}

/// Where a guest's requests go. [`Egress`] is the one in service; a bench of the sandbox alone
/// puts one there that answers without a network.
pub trait Outbound: Send + Sync {
    /// Sends one request of a guest; see [`Egress::send`].
    fn send<'a>(
        &'a self,
        reach: &'a Reach,
        request: GuestRequest,
    ) -> BoxFuture<'a, Result<GuestResponse, Fault>>;
}

impl Outbound for Egress {
    fn send<'a>(
        &'a self,
        reach: &'a Reach,
        request: GuestRequest,
    ) -> BoxFuture<'a, Result<GuestResponse, Fault>> {
        Box::pin(Self::send(self, reach, request))
    }
}

/// Built once; cheap to share.
pub struct Egress {
    settings: config::Egress,
    clock: Clock,
    limits: Limits,
    breakers: Breakers,
    /// Pooled connections to vendors on the internet.
    vendors: Client,
    /// Pooled connections to loopback, for development connections alone.
    local: Client,
    /// A fresh connection for every token request: a pooled one may be closing just as the
    /// request is written, and then nobody knows whether a single-use token was used.
    tokens: Client,
    /// The same on loopback.
    local_tokens: Client,
}

impl Egress {
    /// Builds the clients.
    ///
    /// # Errors
    /// The extra certificate authorities cannot be read.
    pub fn new(settings: &config::Egress, clock: Clock) -> anyhow::Result<Self> {
        Self::with_resolver(settings, clock, Arc::new(SystemResolver))
    }

    /// Builds the clients with another idea of what names mean.
    ///
    /// # Errors
    /// The extra certificate authorities cannot be read.
    pub fn with_resolver(
        settings: &config::Egress,
        clock: Clock,
        resolver: Arc<dyn Resolve>,
    ) -> anyhow::Result<Self> {
        let tls = Arc::new(tls::config(settings.extra_ca_file.as_deref())?);
        let dialer = |reachable| {
            Dialer::new(
                reachable,
                resolver.clone(),
                tls.clone(),
                Duration::from_millis(settings.connect_ms),
                Duration::from_millis(settings.tls_ms),
                Names::new(Duration::from_millis(settings.dns_cache_ms), clock.clone()),
            )
        };
        let public = dialer(Reachable::Public);
        let loopback = dialer(Reachable::Loopback);
        Ok(Self {
            settings: settings.clone(),
            limits: Limits::default(),
            breakers: Breakers::new(settings, clock.clone()),
            vendors: Client::new(public.clone(), settings, settings.idle_per_host),
            local: Client::new(loopback.clone(), settings, settings.idle_per_host),
            tokens: Client::new(public, settings, 0),
            local_tokens: Client::new(loopback, settings, 0),
            clock,
        })
    }

    /// Sends one request of a guest, on behalf of the account behind `reach`: gate, permit,
    /// credential, send, learn, and again where the vendor says so or it is safe.
    ///
    /// A 401, or what the manifest declares to mean the same, is answered by one renewal of the
    /// credential and one repetition, of writes too: the vendor refused the request, so it was not
    /// carried out.
    ///
    /// # Errors
    /// A fault when there is no answer; any status is an answer, but for a vendor's "slow down"
    /// that lasts longer than the call may take.
    pub async fn send(&self, reach: &Reach, request: GuestRequest) -> Result<GuestResponse, Fault> {
        reach.meter.asked.fetch_add(1, Ordering::Relaxed);
        let admitted = gate::admit(reach, request, &self.settings)?;
        let repeatable = retry::is_repeatable(&admitted.method, reach);
        let max_wait = Duration::from_millis(self.settings.max_wait_ms);
        let limits = self.limits.of(&reach.vendor.connection_key);
        limits.earn_repetition();
        let (vendor, host) = (&*reach.vendor, &admitted.endpoint.authority);
        // Before anything is waited for; asked again when the request is ready to go.
        self.breakers.check(vendor, host)?;

        let mut credential: Option<Arc<Credential>> = None;
        let mut replaced: Option<Arc<Credential>> = None;
        let mut signed: Vec<Redactor> = Vec::new();
        let mut attempt = 0;
        loop {
            limits.permit(reach, &admitted.path, max_wait).await?;
            if admitted.endpoint.credential && credential.is_none() {
                credential = Some(reach.credentials.current(reach.deadline).await?);
            }
            let (mut outgoing, proof) = compose(&admitted, credential.as_deref(), self.clock.now())?;
            // Into the redactor's patterns.
            signed.extend(proof.map(|proof| Redactor::new(&[proof.expose()])));
            attempt += 1;
            if attempt > 1 {
                reach.meter.retries.fetch_add(1, Ordering::Relaxed);
            }
            let pass = self.breakers.enter(vendor, host)?;
            let span = admitted.span(attempt);
            if self.settings.send_traceparent {
                trace::send_parent(&span, outgoing.headers_mut());
            }
            let keeping = admitted.keep.as_ref().map(|keep| Keeping {
                keep,
                redactors: redactors(&[credential.as_deref(), replaced.as_deref()], &signed),
            });
            let exchanged = self.exchange(reach, &admitted.method, outgoing, keeping.as_ref());
            let exchanged = exchanged.instrument(span.clone()).await;
            drop(keeping);
            retry::note(&span, &exchanged);
            drop(span);
            let pause = match exchanged {
                Err(failure) => {
                    let cut_short = Instant::now() >= reach.deadline;
                    let is_down = pass.settle(Sign::of_failure(failure.why, cut_short));
                    if is_down || !retry::may_repeat(&failure, repeatable) {
                        return Err(retry::fault(failure, &admitted, repeatable));
                    }
                    match self.repetition(&limits, attempt, reach.deadline) {
                        Some(pause) => pause,
                        None => return Err(retry::fault(failure, &admitted, repeatable)),
                    }
                }
                Ok(answer) => {
                    let now = self.clock.now();
                    let throttled = signals::throttled(&answer, &reach.vendor.throttles, now);
                    let refused = refused(answer.status, &answer.body, &reach.vendor.refusals);
                    let is_understood = refused || !matches!(throttled, Throttled::No);
                    let is_down = pass.settle(Sign::of_status(answer.status, is_understood));
                    if refused && let Some(rejected) = credential.take_if(|_| replaced.is_none()) {
                        reach.meter.renewals.fetch_add(1, Ordering::Relaxed);
                        let renewed = reach
                            .credentials
                            .renew(rejected.generation, reach.deadline)
                            .await?;
                        if renewed.generation == rejected.generation {
                            return Ok(reveal(answer, &admitted, &[Some(rejected)], &signed));
                        }
                        (credential, replaced) = (Some(renewed), Some(rejected));
                        continue;
                    }
                    match throttled {
                        Throttled::No => {
                            if let Some(wait) = signals::exhausted(&answer.headers, now) {
                                let until = Instant::now() + wait.min(max_wait);
                                limits.keep_pause(&reach.account_key, Pause::Account, until);
                            }
                            let again = is_outage(answer.status) && repeatable && !is_down;
                            match again
                                .then(|| self.repetition(&limits, attempt, reach.deadline))
                                .flatten()
                            {
                                Some(pause) => pause,
                                None => {
                                    return Ok(reveal(answer, &admitted, &[credential, replaced], &signed));
                                }
                            }
                        }
                        told => {
                            let wait = match told {
                                Throttled::For(wait) => wait,
                                _ => Duration::from_millis(250) + retry::backoff(attempt + 2),
                            };
                            let who = if answer.status == StatusCode::SERVICE_UNAVAILABLE {
                                Pause::Connection
                            } else {
                                Pause::Account
                            };
                            let until = Instant::now() + wait.min(max_wait);
                            limits.keep_pause(&reach.account_key, who, until);
                            if wait > max_wait || until >= reach.deadline || attempt >= MAX_THROTTLED {
                                return Err(slowed(wait, reach, answer.status));
                            }
                            // The pause is kept by the next permit, as by everyone else's.
                            continue;
                        }
                    }
                }
            };
            let began = Instant::now();
            tokio::time::sleep(pause).instrument(trace::retry_wait()).await;
            limits::waited(&reach.meter, began);
        }
    }

    /// Sends one request of the host to an authorization server.
    ///
    /// # Errors
    /// No answer; whether the server may have acted is in the error.
    pub async fn token_request(&self, request: TokenRequest) -> Result<TokenAnswer, TokenTransportError> {
        self.ask_token_endpoint(Method::POST, request).await
    }

    /// The same by any method; a body goes along unless it is a GET.
    async fn ask_token_endpoint(
        &self,
        method: Method,
        request: TokenRequest,
    ) -> Result<TokenAnswer, TokenTransportError> {
        let client = self.authorization_servers(request.development);
        let span = trace::token_request(&method, &request.url);
        let sent = token::send(client, &self.clock, method, request)
            .instrument(span.clone())
            .await;
        match &sent {
            Ok(answer) => trace::answered(&span, answer.status),
            Err(error) => trace::error(&span, error.code()),
        }
        sent
    }

    /// Reads a public document of an authorization server (its keys) by GET.
    ///
    /// # Errors
    /// No answer.
    pub async fn read(
        &self,
        url: &str,
        development: bool,
        max_response_bytes: usize,
        timeout: Duration,
    ) -> Result<TokenAnswer, TokenTransportError> {
        let request = TokenRequest {
            url: url.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            development,
            max_response_bytes,
            timeout,
        };
        let client = self.authorization_servers(development);
        token::send(client, &self.clock, Method::GET, request).await
    }

    /// The client for authorization servers; on loopback only for development.
    fn authorization_servers(&self, development: bool) -> &Client {
        if development {
            &self.local_tokens
        } else {
            &self.tokens
        }
    }

    /// One attempt.
    async fn exchange(
        &self,
        reach: &Reach,
        method: &Method,
        outgoing: http::Request<Payload>,
        keeping: Option<&Keeping<'_>>,
    ) -> Result<Answer, Failure> {
        let client = if reach.vendor.development {
            &self.local
        } else {
            &self.vendors
        };
        let now = Instant::now();
        let settings = &self.settings;
        let uploads = matches!(outgoing.body(), Payload::File(_));
        // A file takes its time: as long as the call has.
        let (until, first_byte) = if uploads || keeping.is_some() {
            (reach.deadline, reach.deadline)
        } else {
            let total = now + Duration::from_millis(settings.total_ms);
            (reach.deadline.min(total), total)
        };
        // What is uploaded has to arrive before the first byte comes back.
        let head_by = if uploads {
            first_byte
        } else {
            now + Duration::from_millis(settings.first_byte_ms)
        };
        let patience = Patience {
            head_by: until.min(head_by),
            body: Bounds {
                max_bytes: settings.max_response_bytes,
                max_ratio: settings.max_ratio as usize,
                idle: Duration::from_millis(settings.idle_body_ms),
                until,
                gzip_offered: true,
            },
        };
        let metered = Metered {
            meter: reach.meter.clone(),
            write: retry::is_write(method, reach),
        };
        let answer = client
            .exchange(outgoing, Some(metered), &patience, keeping)
            .await?;
        let kept = answer.file.as_ref().map_or(0, |file| file.size);
        let bytes = u32::try_from(answer.body.len() as u64 + kept).unwrap_or(u32::MAX);
        reach.meter.bytes_in.fetch_add(bytes, Ordering::Relaxed);
        reach
            .meter
            .last_status
            .store(answer.status.as_u16().into(), Ordering::Relaxed);
        Ok(answer)
    }

    /// How long to wait before the next attempt; none when there shall be none.
    fn repetition(&self, limits: &Connection, attempt: u32, deadline: Instant) -> Option<Duration> {
        let pause = retry::backoff(attempt - 1);
        let in_time = Instant::now() + pause < deadline;
        (attempt < self.settings.attempts && in_time && limits.spend_repetition()).then_some(pause)
    }
}

/// Puts a request together from checked parts; with it comes what proves the account in this
/// request alone.
fn compose(
    admitted: &Admitted<'_>,
    credential: Option<&Credential>,
    now: Timestamp,
) -> Result<(http::Request<Payload>, Option<Secret>), Fault> {
    let mut draft = Draft {
        method: &admitted.method,
        authority: &admitted.endpoint.authority,
        target: admitted.target.clone(),
        headers: admitted.headers.clone(),
        body: &admitted.body,
        now,
    };
    let proof = match credential {
        Some(credential) => credential.place(&mut draft)?,
        None => None,
    };
    let Draft {
        target, mut headers, ..
    } = draft;
    // What is kept is passed on as it comes.
    let encoding = if admitted.keep.is_some() {
        "identity"
    } else {
        "gzip"
    };
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(encoding));
    headers
        .entry(USER_AGENT)
        .or_insert(HeaderValue::from_static(USER_AGENT_TEXT));

    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(admitted.endpoint.scheme.clone());
    parts.authority = Some(admitted.endpoint.authority.clone());
    parts.path_and_query = Some(gate::reparse(target)?);
    let uri = http::Uri::from_parts(parts).map_err(Fault::internal)?;

    let mut request = http::Request::new(admitted.body.clone());
    *request.method_mut() = admitted.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok((request, proof))
}

/// An answer as a guest may see it: without what belongs to the connection, without links that
/// lead elsewhere, without the credentials that were used and what was `signed` with them.
fn reveal(
    answer: Answer,
    admitted: &Admitted<'_>,
    used: &[Option<Arc<Credential>>],
    signed: &[Redactor],
) -> GuestResponse {
    let used: Vec<_> = used.iter().map(Option::as_deref).collect();
    let redactors = redactors(&used, signed);
    let mut headers = Vec::with_capacity(answer.headers.len());
    for (name, value) in &answer.headers {
        if is_withheld(name.as_str(), &answer.headers)
            || redactors.iter().any(|redactor| redactor.in_name(name.as_str()))
        {
            continue;
        }
        let mut text = String::from_utf8_lossy(value.as_bytes());
        if *name == LOCATION && !gate::is_same_origin(admitted.endpoint, &text) {
            continue;
        }
        for redactor in &redactors {
            text = redactor.clean_text(text);
        }
        headers.push((name.as_str().to_owned(), text.into_owned()));
    }
    let body = redactors
        .iter()
        .fold(answer.body, |body, redactor| redactor.clean(body));
    GuestResponse {
        status: answer.status,
        headers,
        body,
        file: answer.file,
    }
}

/// What removes the credentials that were used, and what was signed with them.
fn redactors<'a>(used: &[Option<&'a Credential>], signed: &'a [Redactor]) -> Vec<&'a Redactor> {
    let used = used.iter().flatten().map(|credential| credential.redactor());
    used.chain(signed).collect()
}

/// Headers that concern the connection alone, or that would keep state for the vendor.
fn is_withheld(name: &str, headers: &HeaderMap) -> bool {
    matches!(
        name,
        "set-cookie"
            | "set-cookie2"
            | "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "alt-svc"
            | "content-length"
            | "content-encoding"
    ) || headers.get_all(http::header::CONNECTION).iter().any(|listed| {
        listed.to_str().is_ok_and(|listed| {
            listed
                .split(',')
                .any(|option| option.trim().eq_ignore_ascii_case(name))
        })
    })
}

/// Statuses by which gateways say that the vendor itself did not answer.
fn is_outage(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

fn slowed(wait: Duration, reach: &Reach, status: StatusCode) -> Fault {
    let said = VendorError {
        status: Some(status.as_u16()),
        ..VendorError::default()
    };
    limits::limited(
        wait,
        "vendor",
        &format!("{} asked us to wait", reach.vendor.connector),
    )
    .vendor(said)
}
