//! Vendors over real sockets: one that answers, one that never does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A vendor; dropped, it is gone.
pub struct Vendor {
    pub url: String,
    requests: watch::Receiver<u32>,
    server: JoinHandle<()>,
}

impl Vendor {
    /// Answers every request with its own path.
    pub async fn answering() -> Self {
        Self::start(true).await
    }

    /// Takes requests and never answers.
    pub async fn silent() -> Self {
        Self::start(false).await
    }

    async fn start(answers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (seen, requests) = watch::channel(0);
        let count = Arc::new(AtomicU32::new(0));
        let server = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(serve(socket, answers, seen.clone(), Arc::clone(&count)));
            }
        });
        Self {
            url,
            requests,
            server,
        }
    }

    /// Requests whose head has arrived.
    pub fn requests(&self) -> u32 {
        *self.requests.borrow()
    }

    /// Waits until this many requests have arrived.
    pub async fn has_seen(&self, count: u32) {
        let mut requests = self.requests.clone();
        requests
            .wait_for(|seen| *seen >= count)
            .await
            .expect("the vendor lives");
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(mut socket: TcpStream, answers: bool, seen: watch::Sender<u32>, count: Arc<AtomicU32>) {
    let mut bytes = Vec::new();
    loop {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            if !matches!(socket.read_buf(&mut bytes).await, Ok(read) if read > 0) {
                return;
            }
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        bytes.drain(..end + 4);
        let so_far = count.fetch_add(1, Ordering::Relaxed) + 1;
        seen.send_if_modified(|seen| {
            *seen = (*seen).max(so_far);
            true
        });
        if answers {
            let path = head.split(' ').nth(1).unwrap_or_default();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{path}", path.len());
            if socket.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}
