//! The listening side: accepts connections, tells TLS from clear text by the first byte, speaks
//! HTTP/1.1 and HTTP/2 on both, and stops by letting running requests finish.
//!
//! Called by the command line and the tests. What a request means is the edges' business.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::error::{Fault, Kind};
use crate::runtime::Runtime;
use crate::trace::Parent;
use crate::{api, config};

/// The first request's head must be complete this soon after the connection was accepted, a TLS
/// handshake before it included.
const FIRST_HEAD: Duration = Duration::from_secs(5);
/// A connection that is kept alive may be silent this long, the next head included. Longer than
/// the idle time of the usual client pools, which then close first and never lose a request.
const NEXT_HEAD: Duration = Duration::from_secs(120);
/// Bytes of a request's head.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 100;
/// Between two HTTP/2 pings, and for the answer to one.
const PING: Duration = Duration::from_secs(20);
/// After an accept that failed (no more file descriptors), so that it is not tried in a loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The first byte of every TLS connection: a handshake record (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// What every connection needs.
struct Door {
    router: Router,
    runtime: Arc<Runtime>,
    builder: Builder<TokioExecutor>,
}

/// Serves `listener` until `shutdown` is cancelled; then accepts nothing more, and returns when
/// the running requests are done or `server.drain_ms` is over.
pub async fn serve(listener: TcpListener, runtime: Arc<Runtime>, shutdown: CancellationToken) {
    let drain = Duration::from_millis(runtime.config.server.drain_ms);
    let draining = runtime.draining.clone();
    let reached_by_others = listener
        .local_addr()
        .is_ok_and(|address| !address.ip().is_loopback());
    if reached_by_others && runtime.config.server.insecure_behind_proxy {
        tracing::warn!(
            "other machines may send requests in clear text, access tokens included; let the proxy alone reach this port"
        );
    }
    let door = Arc::new(Door {
        router: api::router(Arc::clone(&runtime)),
        runtime,
        builder: builder(),
    });
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (door, watcher) = (Arc::clone(&door), connections.watcher());
                let stopped = shutdown.clone();
                tokio::spawn(async move {
                    if let Err(error) = door.admit(stream, peer, watcher, &stopped).await {
                        tracing::debug!(%error, "a connection ended before its first request");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    draining.cancel();
    if tokio::time::timeout(drain, connections.shutdown()).await.is_err() {
        tracing::warn!(
            drain_ms = drain.as_millis(),
            "requests were still running when the time to finish them was over"
        );
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(NEXT_HEAD)
        .max_buf_size(MAX_HEAD_BYTES)
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

impl Door {
    /// Looks what a connection begins with, and serves it.
    async fn admit(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        watcher: Watcher,
        stopped: &CancellationToken,
    ) -> io::Result<()> {
        // Answers are written whole; waiting to fill a packet would only delay them. A socket that
        // refuses the option is slower, not wrong.
        drop(stream.set_nodelay(true));
        let first_head = Instant::now() + FIRST_HEAD;
        let mut first = [0];
        let begun = tokio::select! {
            biased;
            // Nothing was asked yet that would have to be finished.
            () = stopped.cancelled() => return Ok(()),
            begun = timeout_at(first_head, stream.peek(&mut first)) => begun??,
        };
        if begun == 0 {
            return Ok(());
        }
        if first[0] != TLS_HANDSHAKE {
            if !takes_clear_text(peer.ip(), &self.runtime.config.server) {
                return refuse_clear_text(stream).await;
            }
            self.speak(stream, first_head, watcher).await;
            return Ok(());
        }
        let acceptor = TlsAcceptor::from(self.runtime.certificate.current());
        let stream = tokio::select! {
            biased;
            () = stopped.cancelled() => return Ok(()),
            stream = timeout_at(first_head, acceptor.accept(stream)) => stream??,
        };
        self.speak(stream, first_head, watcher).await;
        Ok(())
    }

    /// Serves the requests of a connection. When the client goes away in the middle of one, the
    /// request's future is dropped with the connection, and with it whatever it was doing.
    async fn speak<S>(&self, stream: S, first_head: Instant, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let heard = Arc::new(Notify::new());
        let service = service_fn({
            let (heard, router) = (Arc::clone(&heard), self.router.clone());
            move |request: http::Request<Incoming>| {
                heard.notify_one();
                // In front of every door: what a request asks for joins its caller's trace.
                let parent = Parent::of_headers(request.headers());
                parent.scope(router.clone().oneshot(request.map(Body::new)))
            }
        });
        let connection = self
            .builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        let connection = watcher.watch(connection);
        tokio::pin!(connection);
        // The builder's own timeout begins only when it knows the protocol version, so a silent
        // client would stay for ever.
        let ended = tokio::select! {
            biased;
            ended = &mut connection => ended,
            () = heard.notified() => connection.await,
            () = tokio::time::sleep_until(first_head) => return,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// Whether a peer may speak clear text: on this machine, or where a proxy is in front.
fn takes_clear_text(peer: IpAddr, settings: &config::Server) -> bool {
    peer.to_canonical().is_loopback() || settings.insecure_behind_proxy
}

/// Tells another machine's client that its tokens would travel readable, before it sends more.
async fn refuse_clear_text(mut stream: impl AsyncWrite + Unpin) -> io::Result<()> {
    let fault = Fault::new(
        Kind::PolicyDenied,
        "This port takes clear text from its own machine alone. Use https, or let a proxy terminate TLS and set `server.insecure_behind_proxy`.",
    )
    .reason("clear_text");
    let body = serde_json::to_vec(&fault.body(None)).map_err(io::Error::other)?;
    let head = format!(
        "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[test]
    fn clear_text_is_taken_from_this_machine_and_through_a_proxy_alone() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let mut settings = config::Server::default();
        for here in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            assert!(takes_clear_text(address(here), &settings), "{here}");
        }
        let others = ["192.0.2.7", "10.0.0.1", "::ffff:192.0.2.7", "2001:db8::1"];
        for other in others {
            assert!(!takes_clear_text(address(other), &settings), "{other}");
        }
        settings.insecure_behind_proxy = true;
        for other in others {
            assert!(takes_clear_text(address(other), &settings), "{other}");
        }
    }

    #[tokio::test]
    async fn who_is_refused_reads_why() {
        let (mut client, server) = tokio::io::duplex(4096);
        refuse_clear_text(server).await.expect("written");
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(body["error"]["reason"], "clear_text");
    }
}
