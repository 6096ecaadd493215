//! The listening side: accepts connections, speaks HTTP/1.1 and HTTP/2 on them, and stops by
//! letting running requests finish.
//!
//! Called by the command line and the tests. What a request means is the edges' business.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::api;
use crate::runtime::Runtime;
use crate::trace::Parent;

/// The first request's head must be complete this soon after the connection was accepted.
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

/// Serves `listener` until `shutdown` is cancelled; then accepts nothing more, and returns when
/// the running requests are done or `server.drain_ms` is over.
pub async fn serve(listener: TcpListener, runtime: Arc<Runtime>, shutdown: CancellationToken) {
    let drain = Duration::from_millis(runtime.config.server.drain_ms);
    let router = api::router(runtime);
    let builder = Arc::new(builder());
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = serve_connection(
                    stream,
                    router.clone(),
                    Arc::clone(&builder),
                    connections.watcher(),
                );
                tokio::spawn(connection);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
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

/// When the client goes away in the middle of a request, the request's future is dropped with
/// the connection, and with it whatever it was doing.
async fn serve_connection(
    stream: TcpStream,
    router: Router,
    builder: Arc<Builder<TokioExecutor>>,
    watcher: Watcher,
) {
    // Answers are written whole; waiting to fill a packet would only delay them. A socket that
    // refuses the option is slower, not wrong.
    drop(stream.set_nodelay(true));
    let heard = Arc::new(Notify::new());
    let service = service_fn({
        let heard = Arc::clone(&heard);
        move |request: http::Request<Incoming>| {
            heard.notify_one();
            // In front of every door: what a request asks for joins its caller's trace.
            let parent = Parent::of_headers(request.headers());
            parent.scope(router.clone().oneshot(request.map(Body::new)))
        }
    });
    let connection = builder
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
        () = tokio::time::sleep(FIRST_HEAD) => return,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
