//! A vendor by hand, on a real socket: an authorization server and one API request, which answer
//! as the test wants.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// One request that reached the vendor.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub authorization: String,
    pub headers: BTreeMap<String, String>,
    pub form: BTreeMap<String, Vec<String>>,
    pub body: String,
}

impl Seen {
    /// The body, which is JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub fn field(&self, name: &str) -> &str {
        self.form
            .get(name)
            .and_then(|values| values.first())
            .map_or("", String::as_str)
    }
}

/// What the vendor does with a request.
pub enum Reply {
    Answer {
        status: u16,
        content_type: &'static str,
        body: String,
    },
    /// Answers only when told to.
    Hold(Arc<Notify>, Box<Reply>),
    /// Closes the connection without a word.
    HangUp,
}

pub fn json(status: u16, body: impl Into<String>) -> Reply {
    Reply::Answer {
        status,
        content_type: "application/json",
        body: body.into(),
    }
}

pub fn tokens(number: usize) -> Reply {
    json(
        200,
        format!(
            r#"{{"access_token":"access-{number}","refresh_token":"refresh-{number}","expires_in":3600,"token_type":"Bearer","scope":"read write"}}"#
        ),
    )
}

type Script = Box<dyn FnMut(&Seen, usize) -> Reply + Send>;

struct State {
    seen: Mutex<Vec<Seen>>,
    count: watch::Sender<usize>,
    token: Mutex<Script>,
    revoke: Mutex<Script>,
    whoami: Mutex<Script>,
    others: Mutex<BTreeMap<String, Script>>,
    elsewhere: Mutex<Script>,
}

/// The running vendor.
pub struct Vendor {
    pub url: String,
    state: Arc<State>,
    _stop: DropGuard,
}

impl Vendor {
    /// A vendor that is friendly: a new pair with every exchange and refresh.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State {
            seen: Mutex::default(),
            count: watch::channel(0).0,
            token: Mutex::new(Box::new(|_, number| tokens(number))),
            revoke: Mutex::new(Box::new(|_, _| json(200, ""))),
            whoami: Mutex::new(Box::new(|_, _| json(200, r#"{"id":"acct-1","name":"Ada"}"#))),
            others: Mutex::default(),
            elsewhere: Mutex::new(Box::new(|_, _| json(404, "{}"))),
        });
        let stop = CancellationToken::new();
        let (served, stopped) = (Arc::clone(&state), stop.clone());
        tokio::spawn(async move {
            loop {
                let stream = tokio::select! {
                    () = stopped.cancelled() => return,
                    accepted = listener.accept() => accepted.expect("a connection").0,
                };
                let (state, stopped) = (Arc::clone(&served), stopped.clone());
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(Arc::clone(&state), request));
                    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    tokio::select! {
                        () = stopped.cancelled() => {}
                        // A hang-up is an error here; the host sees it as one, too.
                        _ = connection => {}
                    }
                });
            }
        });
        Self {
            url,
            state,
            _stop: stop.drop_guard(),
        }
    }

    /// What the token endpoint does from now on; it gets the number of the request, from 1.
    pub fn on_token(&self, script: impl FnMut(&Seen, usize) -> Reply + Send + 'static) {
        *self.state.token.lock().expect("not poisoned") = Box::new(script);
    }

    pub fn on_revoke(&self, script: impl FnMut(&Seen, usize) -> Reply + Send + 'static) {
        *self.state.revoke.lock().expect("not poisoned") = Box::new(script);
    }

    pub fn on_whoami(&self, script: impl FnMut(&Seen, usize) -> Reply + Send + 'static) {
        *self.state.whoami.lock().expect("not poisoned") = Box::new(script);
    }

    /// What any other path does from now on; without a script it is not there.
    pub fn on(&self, path: &str, script: impl FnMut(&Seen, usize) -> Reply + Send + 'static) {
        let mut others = self.state.others.lock().expect("not poisoned");
        others.insert(path.to_owned(), Box::new(script));
    }

    /// What every other path does from now on.
    pub fn on_elsewhere(&self, script: impl FnMut(&Seen, usize) -> Reply + Send + 'static) {
        *self.state.elsewhere.lock().expect("not poisoned") = Box::new(script);
    }

    /// Every request so far.
    pub fn all(&self) -> Vec<Seen> {
        self.state.seen.lock().expect("not poisoned").clone()
    }

    /// Requests to a path so far.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        self.state
            .seen
            .lock()
            .expect("not poisoned")
            .iter()
            .filter(|seen| seen.path == path)
            .cloned()
            .collect()
    }

    /// Waits until a path was asked so often.
    pub async fn wait_for(&self, path: &str, count: usize) {
        let mut changes = self.state.count.subscribe();
        while self.seen(path).len() < count {
            changes.changed().await.expect("the vendor runs");
        }
    }
}

async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let mut form: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in String::from_utf8_lossy(&body)
        .split('&')
        .filter(|pair| !pair.is_empty())
    {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        form.entry(name.to_owned()).or_default().push(value.to_owned());
    }
    let seen = Seen {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes());
                (name.as_str().to_owned(), value.into_owned())
            })
            .collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
        authorization: head
            .headers
            .get("authorization")
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default(),
        form,
    };
    let number = {
        let mut all = state.seen.lock().expect("not poisoned");
        all.push(seen.clone());
        all.iter().filter(|other| other.path == seen.path).count()
    };
    let mut reply = match seen.path.as_str() {
        "/token" => (state.token.lock().expect("not poisoned"))(&seen, number),
        "/revoke" => (state.revoke.lock().expect("not poisoned"))(&seen, number),
        "/whoami" => (state.whoami.lock().expect("not poisoned"))(&seen, number),
        path => match state.others.lock().expect("not poisoned").get_mut(path) {
            Some(script) => script(&seen, number),
            None => (state.elsewhere.lock().expect("not poisoned"))(&seen, number),
        },
    };
    state.count.send_modify(|count| *count += 1);
    loop {
        match reply {
            Reply::Answer {
                status,
                content_type,
                body,
            } => {
                let answer = Response::builder()
                    .status(status)
                    .header("content-type", content_type);
                return answer.body(Full::from(body)).map_err(std::io::Error::other);
            }
            Reply::Hold(gate, then) => {
                gate.notified().await;
                reply = *then;
            }
            Reply::HangUp => return Err(std::io::Error::other("hung up")),
        }
    }
}
