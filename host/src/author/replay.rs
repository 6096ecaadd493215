//! The vendor of the cases: a server on loopback that answers what is recorded, says where a
//! request differs, and misbehaves when it is told to. Each run of a case has a number and a
//! piece of the address space below it, so that many run at once and none sees another.
//!
//! Called by `stage`. The vendor's own URLs stand in the cases; on the way in and out they are
//! exchanged for those of the server.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use http::{StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::case::{self, Exchange, Request, Response};
use super::compare::{self, Difference};
use super::faults::Injected;

/// More than a request to a vendor may carry.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
/// The path of the token endpoint of a run; no endpoint of a manifest has such a name.
const TOKEN_PATH: &str = "-/token";
/// How every access token of an account begins; the number of its making follows.
const TOKEN: &str = "case-access-token-";
/// The access token with which an account begins; the token endpoint makes others.
pub const FIRST_TOKEN: &str = "case-access-token-0";
/// The refresh token of an account.
pub const REFRESH_TOKEN: &str = "case-refresh-token";

/// Something about a case that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Line of the case's file, when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub problem: String,
    /// The places that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

impl Finding {
    /// A finding about no line and no place.
    pub fn new(problem: impl Into<String>) -> Self {
        Self {
            line: None,
            problem: problem.into(),
            differences: Vec::new(),
        }
    }
}

/// The server.
pub struct Vendor {
    origin: String,
    runs: Arc<Runs>,
    serving: JoinHandle<()>,
}

type Runs = Mutex<HashMap<u32, Arc<Run>>>;

/// What one run of a case is given.
pub struct Script {
    /// Endpoints: name, and the vendor's URL with the account's configuration filled in.
    pub bases: Vec<(String, String)>,
    /// What is recorded.
    pub exchanges: Vec<Exchange>,
    /// What goes wrong, and at which exchange.
    pub injected: Option<(Injected, usize)>,
    /// The manifest's check of a credential: its URL, and an answer that names an account.
    pub verify: Option<(String, Value)>,
    /// The manifest's search for a site, in the same way.
    pub discover: Option<(String, Value)>,
    /// The query parameter that carries the credential, where a manifest puts it there.
    pub secret_parameter: Option<String>,
}

/// One run of a case at the vendor.
pub struct Run {
    origin: String,
    script: Script,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether the account is connected and what comes now is the tool's.
    calling: bool,
    used: Vec<bool>,
    /// Tokens that were made.
    tokens: u32,
    /// The token that counts as expired.
    expired: Option<String>,
    seen: Seen,
}

/// What came to the vendor.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Every request of the tool, as the vendor would have seen it, without the credential.
    pub sent: Vec<Request>,
    /// Requests that are not as recorded.
    pub findings: Vec<Finding>,
    /// Exchanges that nobody asked for.
    pub left: Vec<Finding>,
    /// How often the request came at which something goes wrong.
    pub hits: u32,
}

impl Vendor {
    /// Starts the server on a free port.
    ///
    /// # Errors
    /// There is none.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address: SocketAddr = listener.local_addr()?;
        let runs = Arc::new(Runs::default());
        let router = Router::new().fallback(serve).with_state(Arc::clone(&runs));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the replaying vendor ended");
            }
        });
        Ok(Self {
            origin: format!("http://{address}"),
            runs,
            serving,
        })
    }

    /// Begins a run; it ends when it is dropped and [`Vendor::forget`] was called.
    pub fn begin(&self, mut script: Script) -> (u32, Arc<Run>) {
        static NUMBERS: AtomicU32 = AtomicU32::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        // The longest URL first, so that a base within another is found.
        script.bases.sort_by_key(|(_, url)| std::cmp::Reverse(url.len()));
        let state = State {
            used: vec![false; script.exchanges.len()],
            ..State::default()
        };
        let run = Arc::new(Run {
            origin: format!("{}/{number}", self.origin),
            script,
            state: Mutex::new(state),
        });
        lock(&self.runs).insert(number, Arc::clone(&run));
        (number, run)
    }

    /// Answers no more requests of a run.
    pub fn forget(&self, number: u32) {
        lock(&self.runs).remove(&number);
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run {
    /// Where an endpoint of the manifest is during this run.
    pub fn endpoint(&self, name: &str) -> String {
        format!("{}/{name}", self.origin)
    }

    /// Where the token endpoint is.
    pub fn token_url(&self) -> String {
        format!("{}/{TOKEN_PATH}", self.origin)
    }

    /// From now on requests are the tool's.
    pub fn call(&self) {
        lock(&self.state).calling = true;
    }

    /// What came, and which exchanges nobody asked for.
    pub fn seen(&self) -> Seen {
        let state = lock(&self.state);
        let mut seen = state.seen.clone();
        let left = self.script.exchanges.iter().zip(&state.used);
        let told: Vec<Option<usize>> = seen.findings.iter().map(|finding| finding.line).collect();
        for (exchange, _) in left.filter(|(_, used)| !**used) {
            let Request {
                line, method, url, ..
            } = &exchange.request;
            // What was sent in its place is told already.
            if !told.contains(&Some(*line)) {
                seen.left.push(Finding {
                    line: Some(*line),
                    ..Finding::new(format!("{method} {url} is recorded and was never sent"))
                });
            }
        }
        seen
    }

    /// A text of the tool's answer with the vendor's own URLs.
    pub fn as_vendors(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, url) in &self.script.bases {
            text = exchange_urls(&text, &self.endpoint(name), url);
        }
        text
    }

    /// A text of the vendor's with the URLs of this run.
    fn as_ours(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, url) in &self.script.bases {
            text = exchange_urls(&text, url, &self.endpoint(name));
        }
        text
    }

    /// Makes a token.
    fn token(&self) -> Value {
        let mut state = lock(&self.state);
        state.tokens += 1;
        json!({
            "access_token": format!("{TOKEN}{}", state.tokens),
            "refresh_token": REFRESH_TOKEN,
            "token_type": "Bearer",
            "expires_in": 3600,
        })
    }

    /// What the vendor answers to a request that carries this token; none for never.
    fn answer(&self, mut request: Request, token: &str) -> Option<Response> {
        if let Some(parameter) = &self.script.secret_parameter {
            request.query.retain(|(name, _)| name != parameter);
        }
        let mut state = lock(&self.state);
        if !state.calling {
            let mut checks = self.script.verify.iter().chain(&self.script.discover);
            return Some(match checks.find(|(url, _)| *url == request.url) {
                Some((_, answer)) => json_response(200, answer),
                None => json_response(404, &json!({"message": "there is no such check"})),
            });
        }
        let found = self.find(&state.used, &request);
        let is_check = self
            .script
            .verify
            .as_ref()
            .is_some_and(|(url, _)| *url == request.url);
        if found.is_err() && is_check && self.is_injected(Injected::RefusedCredential) {
            // The host asks whether it is the credential that is refused.
            return Injected::RefusedCredential.response(&Response::default());
        }
        let shown = shown(&request);
        state.seen.sent.push(request.clone());
        let Ok(index) = found.as_ref().copied() else {
            // No status of which the host knows a remedy: the call ends here.
            state.seen.findings.extend(found.err());
            return Some(json_response(
                400,
                &json!({"message": format!("{shown} is not recorded")}),
            ));
        };
        let recorded = &self.script.exchanges[index].response;
        let Some((injected, _)) = self.script.injected.filter(|(_, at)| *at == index) else {
            state.used[index] = true;
            return Some(recorded.clone());
        };
        state.seen.hits += 1;
        let first = state.seen.hits == 1;
        let goes_well = match injected {
            Injected::Throttled => !first,
            Injected::ExpiredToken => *state.expired.get_or_insert_with(|| token.to_owned()) != *token,
            Injected::ServerError | Injected::Slow | Injected::Malformed | Injected::RefusedCredential => {
                false
            }
        };
        state.used[index] = goes_well;
        if goes_well {
            return Some(recorded.clone());
        }
        injected.response(recorded)
    }

    fn is_injected(&self, fault: Injected) -> bool {
        self.script
            .injected
            .is_some_and(|(injected, _)| injected == fault)
    }

    /// The recorded exchange that a request belongs to, or why there is none.
    fn find(&self, used: &[bool], request: &Request) -> Result<usize, Finding> {
        let mut nearest: Option<(usize, usize, Vec<Difference>)> = None;
        let mut repeated = false;
        for (index, exchange) in self.script.exchanges.iter().enumerate() {
            let differences = compare::requests(&exchange.request, request);
            if differences.is_empty() && !used[index] {
                return Ok(index);
            }
            repeated |= differences.is_empty();
            let far = differences
                .iter()
                .map(|difference| {
                    if matches!(difference.place.as_str(), "method" | "URL") {
                        10
                    } else {
                        1
                    }
                })
                .sum();
            if !used[index] && nearest.as_ref().is_none_or(|(least, ..)| far < *least) {
                nearest = Some((far, index, differences));
            }
        }
        let shown = shown(request);
        if repeated {
            return Err(Finding::new(format!(
                "{shown} was sent more often than it is recorded"
            )));
        }
        Err(match nearest {
            None => Finding::new(format!("{shown} was sent and is not recorded")),
            Some((_, index, differences)) => Finding {
                line: Some(self.script.exchanges[index].request.line),
                problem: format!("{shown} differs from what is recorded"),
                differences,
            },
        })
    }
}

fn shown(request: &Request) -> String {
    format!("{} {}", request.method, request.url)
}

/// Replaces a URL's beginning where it is that and not the beginning of a longer host or segment.
fn exchange_urls(text: &str, from: &str, to: &str) -> String {
    let escaped = |url: &str| url.replace('/', "\\/");
    let mut out = text.to_owned();
    for (from, to) in [(from.to_owned(), to.to_owned()), (escaped(from), escaped(to))] {
        if !out.contains(&from) {
            continue;
        }
        let (mut replaced, mut rest) = (String::with_capacity(out.len()), out.as_str());
        while let Some((before, after)) = rest.split_once(&from) {
            let goes_on =
                after.starts_with(|next: char| next.is_ascii_alphanumeric() || "-._:@".contains(next));
            replaced.push_str(before);
            replaced.push_str(if goes_on { &from } else { &to });
            rest = after;
        }
        replaced.push_str(rest);
        out = replaced;
    }
    out
}

/// An answer of the server's own.
pub fn json_response(status: u16, body: &Value) -> Response {
    Response {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
    }
}

async fn serve(Shared(runs): Shared<Arc<Runs>>, request: axum::extract::Request) -> axum::response::Response {
    let (head, body) = request.into_parts();
    let nothing = || rendered(&json_response(404, &json!({"message": "no case runs here"})));
    let path = head.uri.path().trim_start_matches('/');
    let Some((number, rest)) = path.split_once('/') else {
        return nothing();
    };
    let run = number
        .parse()
        .ok()
        .and_then(|number: u32| lock(&runs).get(&number).cloned());
    let Some(run) = run else { return nothing() };
    if rest == TOKEN_PATH {
        return rendered(&json_response(200, &run.token()));
    }
    let (name, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some((_, base)) = run.script.bases.iter().find(|(known, _)| known == name) else {
        return nothing();
    };
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else {
        return nothing();
    };
    let query = head.uri.query().unwrap_or_default();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    // Wherever the manifest puts the credential: in a header or in the query.
    let token = headers
        .iter()
        .map(|(_, value)| value.as_str())
        .chain([query])
        .find_map(token_in)
        .unwrap_or_default()
        .to_owned();
    let request = Request {
        line: 0,
        method: head.method.to_string(),
        url: format!("{base}{below}"),
        query: case::pairs(query),
        headers,
        body: run.with_vendors_urls(body),
    };
    match run.answer(request, &token) {
        Some(mut response) => {
            for (_, value) in &mut response.headers {
                *value = run.as_ours(value);
            }
            if let Ok(text) = std::str::from_utf8(&response.body) {
                response.body = run.as_ours(text).into_bytes();
            }
            rendered(&response)
        }
        // Until the caller gives up and the connection with it.
        None => std::future::pending().await,
    }
}

impl Run {
    /// A body as the vendor would have seen it.
    fn with_vendors_urls(&self, body: Bytes) -> Vec<u8> {
        match std::str::from_utf8(&body) {
            Ok(text) => self.as_vendors(text).into_bytes(),
            Err(_) => body.into(),
        }
    }
}

/// The access token in a header or query.
fn token_in(text: &str) -> Option<&str> {
    let from = &text[text.find(TOKEN)?..];
    let digits = from[TOKEN.len()..].find(|letter: char| !letter.is_ascii_digit());
    Some(digits.map_or(from, |digits| &from[..TOKEN.len() + digits]))
}

fn rendered(response: &Response) -> axum::response::Response {
    let mut rendered = axum::response::Response::new(Body::from(response.body.clone()));
    *rendered.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::BAD_GATEWAY);
    for (name, value) in &response.headers {
        // The framing is the server's own.
        let own = [
            "content-length",
            "transfer-encoding",
            "connection",
            "content-encoding",
        ];
        let parsed = header::HeaderName::try_from(name.as_str()).ok();
        let value = header::HeaderValue::try_from(value.as_str()).ok();
        if let (Some(parsed), Some(value), false) = (parsed, value, own.contains(&name.as_str())) {
            rendered.headers_mut().append(parsed, value);
        }
    }
    if response.header("content-type").is_none() && serde_json::from_slice::<Value>(&response.body).is_ok() {
        let json = header::HeaderValue::from_static("application/json");
        rendered.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    rendered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_exchanged_where_they_end_there() {
        let (from, to) = ("https://api.v.example", "http://127.0.0.1:9/7/api");
        let text = r#"{"a":"https://api.v.example/x","b":"https://api.v.example.evil/","c":"https:\/\/api.v.example\/y"}"#;
        let ours = exchange_urls(text, from, to);
        assert_eq!(
            ours,
            r#"{"a":"http://127.0.0.1:9/7/api/x","b":"https://api.v.example.evil/","c":"http:\/\/127.0.0.1:9\/7\/api\/y"}"#
        );
        assert_eq!(exchange_urls(&ours, to, from), text);
    }
}
