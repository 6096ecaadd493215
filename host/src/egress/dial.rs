//! Opening connections: resolve the name, check every address, connect to a checked address,
//! speak TLS. The only place in the project that opens a socket to a vendor.
//!
//! Called by the pooled clients of [`super::client`]. It never honours proxy variables, and the
//! address that was checked is the one that is connected to.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::address;
use crate::clock::Clock;

/// Turns a host name into addresses. A handle, so that tests decide what a name means.
pub trait Resolve: Send + Sync {
    /// All addresses of `host`, with `port`.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// The operating system's resolver.
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// Names that were looked up a moment ago. What is kept is what the resolver said and not that it
/// may be reached: that is checked at every connection.
pub struct Names {
    keep: Duration,
    clock: Clock,
    known: Mutex<HashMap<(String, u16), (Timestamp, Vec<SocketAddr>)>>,
}

impl Names {
    /// Names kept; beyond it all are forgotten.
    const KEPT: usize = 4096;

    /// Knows no name yet; keeps what it learns for so long.
    pub fn new(keep: Duration, clock: Clock) -> Self {
        Self {
            keep,
            clock,
            known: Mutex::default(),
        }
    }

    fn get(&self, host: &str, port: u16) -> Option<Vec<SocketAddr>> {
        let known = self.lock();
        let (at, found) = known.get(&(host.to_owned(), port))?;
        // A clock that was stepped back makes an entry old, not young.
        let age = Duration::try_from(self.clock.now().duration_since(*at)).ok()?;
        (age < self.keep).then(|| found.clone())
    }

    fn keep(&self, host: &str, port: u16, found: &[SocketAddr]) {
        if self.keep.is_zero() {
            return;
        }
        let mut known = self.lock();
        if known.len() >= Self::KEPT {
            known.clear();
        }
        known.insert((host.to_owned(), port), (self.clock.now(), found.to_vec()));
    }

    fn forget(&self, host: &str, port: u16) {
        self.lock().remove(&(host.to_owned(), port));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, u16), (Timestamp, Vec<SocketAddr>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which addresses and schemes a client may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reachable {
    /// `https` to public addresses.
    Public,
    /// `http` or `https` to loopback, nothing else.
    Loopback,
}

/// Why no connection was made. Nothing of a request was sent.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The scheme is not one that this client speaks.
    #[error("plain http is for development connections alone")]
    Scheme,
    /// The name does not resolve.
    #[error("the name {host} does not resolve")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The name resolves to an address that must not be reached.
    #[error("{host} resolves to {address}, which this connection may not reach")]
    Address {
        /// The name.
        host: String,
        /// The address.
        address: IpAddr,
    },
    /// Nobody listens, or the network is down.
    #[error("{host} refused the connection")]
    Connect {
        /// The name.
        host: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// Nobody answered in time.
    #[error("{host} did not accept a connection within {within:?}")]
    ConnectTimeout {
        /// The name.
        host: String,
        /// The limit.
        within: Duration,
    },
    /// TLS failed: certificate, name, version or no TLS at all.
    #[error("no TLS connection with {host}: {source}")]
    Tls {
        /// The name.
        host: String,
        /// What rustls said.
        source: io::Error,
    },
    /// The handshake took too long.
    #[error("{host} did not finish the TLS handshake within {within:?}")]
    TlsTimeout {
        /// The name.
        host: String,
        /// The limit.
        within: Duration,
    },
}

/// A connector for `hyper_util`'s client; cheap to clone.
#[derive(Clone)]
pub struct Dialer(Arc<Inner>);

struct Inner {
    reachable: Reachable,
    resolver: Arc<dyn Resolve>,
    tls: TlsConnector,
    connect: Duration,
    handshake: Duration,
    names: Names,
}

impl Dialer {
    /// A dialer with its own idea of what may be reached.
    pub fn new(
        reachable: Reachable,
        resolver: Arc<dyn Resolve>,
        tls: Arc<rustls::ClientConfig>,
        connect: Duration,
        handshake: Duration,
        names: Names,
    ) -> Self {
        Self(Arc::new(Inner {
            reachable,
            resolver,
            tls: TlsConnector::from(tls),
            connect,
            handshake,
            names,
        }))
    }
}

impl Inner {
    async fn dial(&self, uri: &Uri) -> Result<Stream, DialError> {
        let encrypted = match (uri.scheme_str(), self.reachable) {
            (Some("https"), _) => true,
            (Some("http"), Reachable::Loopback) => false,
            _ => return Err(DialError::Scheme),
        };
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });

        let dialled = async {
            let addresses = self.resolve(host, port).await?;
            let stream = self.connect(host, &addresses).await?;
            if encrypted {
                self.handshake(host, stream).await
            } else {
                Ok(Stream::Plain(TokioIo::new(stream)))
            }
        };
        let dialled = dialled.await;
        if dialled.is_err() {
            // The vendor may have moved.
            self.names.forget(host, port);
        }
        dialled
    }

    /// The addresses of a host. One bad address refuses all: a name that mixes public and
    /// private answers is how rebinding begins.
    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
        let literal = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        let addresses = match literal {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) => match self.names.get(host, port) {
                Some(known) => known,
                None => self.look_up(host, port).await?,
            },
        };
        let allowed = |ip: IpAddr| match self.reachable {
            Reachable::Public => address::is_public(ip),
            Reachable::Loopback => address::is_loopback(ip),
        };
        match addresses
            .iter()
            .find(|found| !allowed(found.ip()) || found.port() != port)
        {
            Some(bad) => Err(DialError::Address {
                host: host.to_owned(),
                address: bad.ip(),
            }),
            None => Ok(addresses),
        }
    }

    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
        let found = timeout(self.connect, self.resolver.resolve(host, port))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .and_then(|found| {
                if found.is_empty() {
                    Err(io::ErrorKind::NotFound.into())
                } else {
                    Ok(found)
                }
            })
            .map_err(|source| DialError::Resolve {
                host: host.to_owned(),
                source,
            })?;
        self.names.keep(host, port, &found);
        Ok(found)
    }

    /// Tries the addresses in the resolver's order; each gets its share of the time.
    async fn connect(&self, host: &str, addresses: &[SocketAddr]) -> Result<TcpStream, DialError> {
        let share = self.connect / u32::try_from(addresses.len().clamp(1, 4)).unwrap_or(4);
        let mut last = DialError::ConnectTimeout {
            host: host.to_owned(),
            within: self.connect,
        };
        for address in addresses.iter().take(4) {
            #[allow(
                clippy::disallowed_methods,
                reason = "the one place that opens sockets to vendors"
            )]
            let attempt = TcpStream::connect(address);
            match timeout(share, attempt).await {
                Ok(Ok(stream)) => {
                    // Best effort: without it a small request may wait for an acknowledgement.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(source)) => {
                    last = DialError::Connect {
                        host: host.to_owned(),
                        source,
                    }
                }
                Err(_) => {
                    last = DialError::ConnectTimeout {
                        host: host.to_owned(),
                        within: self.connect,
                    }
                }
            }
        }
        Err(last)
    }

    async fn handshake(&self, host: &str, stream: TcpStream) -> Result<Stream, DialError> {
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|_| DialError::Tls {
            host: host.to_owned(),
            source: io::Error::new(io::ErrorKind::InvalidInput, "not a host name"),
        })?;
        match timeout(self.handshake, self.tls.connect(name, stream)).await {
            Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(TokioIo::new(stream)))),
            Ok(Err(source)) => Err(DialError::Tls {
                host: host.to_owned(),
                source,
            }),
            Err(_) => Err(DialError::TlsTimeout {
                host: host.to_owned(),
                within: self.handshake,
            }),
        }
    }
}

impl tower::Service<Uri> for Dialer {
    type Response = Stream;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, DialError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let inner = self.0.clone();
        Box::pin(async move { inner.dial(&uri).await })
    }
}

/// A connection, encrypted or (on loopback, for development) not.
pub enum Stream {
    /// Plain TCP.
    Plain(TokioIo<TcpStream>),
    /// TLS over TCP.
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        match self {
            Self::Plain(_) => Connected::new(),
            Self::Tls(stream) => match stream.inner().get_ref().1.alpn_protocol() {
                Some(b"h2") => Connected::new().negotiated_h2(),
                _ => Connected::new(),
            },
        }
    }
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, buffer),
        }
    }
}

impl Write for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(context, slices),
        }
    }
}
