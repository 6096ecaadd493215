//! One exchange with a vendor over a pooled connection: send, await the head, read the body,
//! each within its time. Says exactly whether a request that failed may have been received.
//!
//! Called by `Egress::send` and `Egress::token_request`. It never follows a redirect, keeps no
//! cookie and repeats nothing that was written.

use std::error::Error as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

use super::Meter;
use super::decode::{self, BodyError, Bounds};
use super::dial::{DialError, Dialer};
use super::keep::{self, Keep};
use super::redact::Redactor;
use crate::config;
use crate::files::{Facts, Lent, Reader};

/// Idle connections are dropped after this long: shorter than what most vendors keep, so that
/// few requests meet a connection that is just being closed.
const POOL_IDLE: Duration = Duration::from_secs(50);

/// What a request carries.
#[derive(Debug, Clone)]
pub enum Payload {
    Nothing,
    Bytes(Bytes),
    File(Lent),
}

impl Payload {
    fn len(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.facts.size,
        }
    }
}

impl From<Option<Bytes>> for Payload {
    fn from(bytes: Option<Bytes>) -> Self {
        bytes.map_or(Self::Nothing, Self::Bytes)
    }
}

/// An answer's body goes into a file when it is a success.
pub struct Keeping<'a> {
    /// How.
    pub keep: &'a Keep,
    /// What must not be in it.
    pub redactors: Vec<&'a Redactor>,
}

/// A vendor's whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers as received.
    pub headers: HeaderMap,
    /// Decoded body; empty when it was kept.
    pub body: Bytes,
    /// The body as a file.
    pub file: Option<Arc<Facts>>,
}

/// Why there is no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The address or scheme may not be reached.
    Address,
    /// No connection: name, route or port.
    Unreachable,
    /// No trustworthy TLS.
    Tls,
    /// No connection in time.
    ConnectTimeout,
    /// A connection, and no answer or no end of it in time.
    Timeout,
    /// Something that is not an HTTP answer.
    Protocol,
    /// Larger than allowed.
    TooLarge,
    /// The connection broke.
    Lost,
    /// A body of a type that is not kept.
    Unwanted,
    /// No room for a body that is kept.
    Full,
}

/// A failed exchange.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong.
    pub why: Why,
    /// Whether any of the request may have been written to a connection.
    pub started: bool,
    /// The cause, for the log.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// How long and how much one exchange may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// When the head must be there.
    pub head_by: Instant,
    /// The body's bounds.
    pub body: Bounds,
}

/// A client: pooled connections to where its dialer may go.
#[derive(Clone)]
pub struct Client {
    pool: legacy::Client<Dialer, Outgoing>,
    max_header_bytes: usize,
    max_header_fields: usize,
}

impl Client {
    /// A client over `dialer` that keeps `idle_per_host` connections; 0 makes a fresh one for
    /// every request.
    pub fn new(dialer: Dialer, settings: &config::Egress, idle_per_host: usize) -> Self {
        let header_bytes = u32::try_from(settings.max_header_bytes).unwrap_or(u32::MAX);
        Self {
            pool: legacy::Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .pool_idle_timeout(POOL_IDLE)
                .pool_max_idle_per_host(idle_per_host)
                // hyper's floor for this buffer is 8 KiB.
                .http1_max_buf_size(settings.max_header_bytes.max(8 * 1024))
                .http1_max_headers(settings.max_header_fields)
                .http2_max_header_list_size(header_bytes)
                .build(dialer),
            max_header_bytes: settings.max_header_bytes,
            max_header_fields: settings.max_header_fields,
        }
    }

    /// hyper bounds its buffer, which a head may exceed by one read, and counts fields for
    /// HTTP/1 alone; the limits hold exactly.
    fn check_head(&self, headers: &HeaderMap) -> Result<(), BodyError> {
        let bytes: usize = headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum();
        if bytes > self.max_header_bytes || headers.len() > self.max_header_fields {
            return Err(BodyError::Head);
        }
        Ok(())
    }

    /// Sends `request` and reads the whole answer.
    ///
    /// # Errors
    /// No whole answer; whether the request may have been received is in the failure.
    pub async fn exchange(
        &self,
        request: Request<Payload>,
        meter: Option<Metered>,
        patience: &Patience,
        keeping: Option<&Keeping<'_>>,
    ) -> Result<Answer, Failure> {
        let wire = Arc::new(Wire {
            started: AtomicBool::new(false),
            meter,
        });
        let request = request.map(|payload| Outgoing {
            left: payload.len(),
            payload,
            reader: None,
            wire: wire.clone(),
        });
        let head = match timeout_at(patience.head_by, self.pool.request(request)).await {
            Ok(Ok(head)) => head,
            Ok(Err(error)) => return Err(Failure::of_request(error, wire.is_started())),
            Err(elapsed) => {
                let started = wire.is_started();
                let why = if started {
                    Why::Timeout
                } else {
                    Why::ConnectTimeout
                };
                return Err(Failure {
                    why,
                    started,
                    source: elapsed.into(),
                });
            }
        };
        let (parts, body) = head.into_parts();
        self.check_head(&parts.headers).map_err(Failure::of_body)?;
        let read = match keeping.filter(|_| parts.status.is_success()) {
            None => decode::read(&parts.headers, body, &patience.body)
                .await
                .map(|body| (body, None)),
            Some(Keeping { keep, redactors }) => {
                keep::read(keep, &parts.headers, body, &patience.body, redactors)
                    .await
                    .map(|file| (Bytes::new(), Some(file)))
            }
        };
        let (body, file) = read.map_err(Failure::of_body)?;
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
            file,
        })
    }
}

impl Failure {
    /// The cause and its causes, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.source.to_string();
        let mut next = self.source.source();
        while let Some(error) = next {
            text.push_str(": ");
            text.push_str(&error.to_string());
            next = error.source();
        }
        text
    }

    fn of_request(error: legacy::Error, started: bool) -> Self {
        let why = match error.source() {
            Some(source) => match (
                source.downcast_ref::<DialError>(),
                source.downcast_ref::<hyper::Error>(),
            ) {
                (Some(dial), _) => match dial {
                    DialError::Address { .. } | DialError::Scheme => Why::Address,
                    DialError::Resolve { .. } | DialError::Connect { .. } => Why::Unreachable,
                    DialError::ConnectTimeout { .. } | DialError::TlsTimeout { .. } => Why::ConnectTimeout,
                    // Hung up in the middle of the handshake: a restart, not a wrong certificate.
                    DialError::Tls { source, .. } if is_broken(source) => Why::Unreachable,
                    DialError::Tls { .. } => Why::Tls,
                },
                (_, Some(hyper)) if hyper.is_parse_too_large() => Why::TooLarge,
                (_, Some(hyper)) if hyper.is_parse() => Why::Protocol,
                (_, Some(hyper)) if hyper.is_timeout() => Why::Timeout,
                _ => Why::Lost,
            },
            None => Why::Lost,
        };
        // A vendor that breaks the protocol before it saw anything still received nothing.
        Self {
            why,
            started,
            source: error.into(),
        }
    }

    fn of_body(error: BodyError) -> Self {
        let why = match &error {
            BodyError::TooLarge(_) | BodyError::Ratio(_) | BodyError::Head => Why::TooLarge,
            BodyError::Encoding(_) | BodyError::Gzip(_) | BodyError::Broken(_) => Why::Protocol,
            BodyError::Stalled => Why::Timeout,
            BodyError::Unwanted => Why::Unwanted,
            BodyError::Full(_) => Why::Full,
        };
        Self {
            why,
            started: true,
            source: error.into(),
        }
    }
}

fn is_broken(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    )
}

/// What a request adds to a call's meter when it is written.
pub struct Metered {
    /// The call's meter.
    pub meter: Arc<Meter>,
    /// Whether the request may change the vendor's data.
    pub write: bool,
}

/// Whether a request was written.
struct Wire {
    started: AtomicBool,
    meter: Option<Metered>,
}

impl Wire {
    fn is_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// `bytes` of body are about to be written, after a head.
    fn start(&self, bytes: u64) {
        if self.started.load(Ordering::Relaxed) || self.started.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(Metered { meter, write }) = &self.meter {
            meter.requests.fetch_add(1, Ordering::Relaxed);
            meter.writes_sent.fetch_add(u32::from(*write), Ordering::Relaxed);
            meter
                .bytes_out
                .fetch_add(u32::try_from(bytes).unwrap_or(u32::MAX), Ordering::Relaxed);
        }
    }
}

/// A request's body that notes when the connection first looks at it. hyper asks a body for its
/// length exactly when it writes the request's head, and hands an unwritten request back
/// untouched: a body nobody looked at was certainly not sent.
struct Outgoing {
    payload: Payload,
    /// Bytes that are still to come.
    left: u64,
    /// A file's bytes, once it is looked at.
    reader: Option<Reader>,
    wire: Arc<Wire>,
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.wire.start(self.payload.len());
        let this = &mut *self;
        let piece = match &mut this.payload {
            Payload::Nothing => return Poll::Ready(None),
            Payload::Bytes(bytes) if this.left > 0 => std::mem::take(bytes),
            Payload::Bytes(_) => return Poll::Ready(None),
            Payload::File(file) => {
                let reader = this.reader.get_or_insert_with(|| file.read());
                match ready!(reader.poll_next(context)) {
                    None => return Poll::Ready(None),
                    Some(piece) => piece?,
                }
            }
        };
        this.left = this.left.saturating_sub(piece.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.wire.start(self.payload.len());
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        self.wire.start(self.payload.len());
        SizeHint::with_exact(self.left)
    }
}
