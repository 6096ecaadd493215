//! A vendor written by hand on a raw socket, so that it can answer anything.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Request line and headers.
    pub head: String,
    /// Body.
    pub body: Vec<u8>,
}

impl Seen {
    /// The request line's target.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// All values of a header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }
}

/// What the vendor does with a request.
pub enum Act {
    /// Writes this and awaits the next request.
    Answer(Vec<u8>),
    /// Writes this and closes the connection.
    Last(Vec<u8>),
    /// Writes this and then nothing, for ever.
    Stall(Vec<u8>),
    /// Writes the first and then the second again and again.
    Endless(Vec<u8>, Vec<u8>),
}

/// An answer with a status line, headers and a body of known length.
pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Act {
    let body = body.as_ref();
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    Act::Answer(bytes)
}

/// A plain success.
pub fn ok(body: impl AsRef<[u8]>) -> Act {
    answer("200 OK", "content-type: application/json\r\n", body)
}

type Script = dyn Fn(usize, &Seen) -> Act + Send + Sync;

#[derive(Default)]
struct State {
    accepted: AtomicUsize,
    written: AtomicU64,
    received: AtomicU64,
    seen: Mutex<Vec<Seen>>,
    arrived: Notify,
    ended: Notify,
}

/// A listening vendor; stops when dropped.
pub struct Vendor {
    /// Its port on 127.0.0.1.
    pub port: u16,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Vendor {
    /// Starts a vendor over plain TCP.
    pub async fn start(script: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::listen(None, script).await
    }

    /// Starts a vendor over TLS.
    pub async fn start_tls(
        tls: TlsAcceptor,
        script: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(tls), script).await
    }

    async fn listen(
        tls: Option<TlsAcceptor>,
        script: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        let script: Arc<Script> = Arc::new(script);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.accepted.fetch_add(1, Ordering::SeqCst);
                let (state, script, tls) = (shared.clone(), script.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &state, &*script).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &state, &*script).await;
                            }
                        }
                    }
                    state.ended.notify_one();
                });
            }
        });
        Self { port, state, task }
    }

    /// Its base URL over plain http.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Connections accepted.
    pub fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// Requests received in full.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().expect("not poisoned").clone()
    }

    /// How many requests were received in full.
    pub fn count(&self) -> usize {
        self.state.seen.lock().expect("not poisoned").len()
    }

    /// Bytes received, requests that never ended included.
    pub fn received(&self) -> u64 {
        self.state.received.load(Ordering::SeqCst)
    }

    /// Bytes that an endless answer got rid of.
    pub fn written(&self) -> u64 {
        self.state.written.load(Ordering::SeqCst)
    }

    /// Waits until a request has arrived.
    pub async fn arrived(&self) {
        self.state.arrived.notified().await;
    }

    /// Waits until a connection has ended.
    pub async fn ended(&self) {
        self.state.ended.notified().await;
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, state: &State, script: &Script) {
    let mut buffer = Vec::new();
    while let Some(seen) = request(&mut stream, &mut buffer, state).await {
        let number = {
            let mut all = state.seen.lock().expect("not poisoned");
            all.push(seen.clone());
            all.len()
        };
        state.arrived.notify_one();
        match script(number, &seen) {
            Act::Answer(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Act::Last(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Act::Stall(bytes) => {
                let _ = stream.write_all(&bytes).await;
                // Until the other side gives up.
                let _ = stream.read(&mut [0; 1]).await;
                return;
            }
            Act::Endless(head, chunk) => {
                let _ = stream.write_all(&head).await;
                while stream.write_all(&chunk).await.is_ok() {
                    state.written.fetch_add(chunk.len() as u64, Ordering::SeqCst);
                }
                return;
            }
        }
    }
}

async fn request(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>, state: &State) -> Option<Seen> {
    let mut chunk = [0; 16 * 1024];
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let seen = Seen {
                head,
                body: Vec::new(),
            };
            let length = seen
                .header("content-length")
                .first()
                .map_or(0, |text| text.parse().unwrap_or(0));
            let whole = end + 4 + length;
            if buffer.len() >= whole {
                let body = buffer[end + 4..whole].to_vec();
                buffer.drain(..whole);
                return Some(Seen { body, ..seen });
            }
        }
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        state.received.fetch_add(read as u64, Ordering::SeqCst);
        buffer.extend_from_slice(&chunk[..read]);
    }
}
