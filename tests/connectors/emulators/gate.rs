//! What stands between a host and an emulator: it writes down what is said, refuses tokens when it
//! is told to, since the emulator takes any, and closes the few gaps without which nothing
//! would run.

use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, Method, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::{Serializer, parse};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use valetkey_tests::http::{Answer, Client};

/// More than any request or answer here has.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// What belongs to one connection, or is made anew by the client.
const OF_ONE_HOP: [&str; 5] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "transfer-encoding",
];

/// One request of the host, as it came, and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub token: String,
    pub body: String,
    pub status: StatusCode,
    pub answer: String,
    /// What the emulator's schema lacks of a GraphQL query, see `emulators.mjs`.
    pub left_out: String,
}

impl Exchange {
    /// A field of the form in its body.
    pub fn field(&self, name: &str) -> Option<String> {
        value(&self.body, name)
    }

    /// A parameter of its query.
    pub fn parameter(&self, name: &str) -> Option<String> {
        value(&self.query, name)
    }

    /// Its answer as JSON, null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.answer).unwrap_or_default()
    }
}

/// The first value of a name in a form or query.
pub fn value(form: &str, name: &str) -> Option<String> {
    parse(form.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// The challenge of a verifier by PKCE's S256.
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

#[derive(Default)]
struct Facts {
    exchanges: Vec<Exchange>,
    refused: Vec<String>,
    another_verifier: bool,
}

struct Inner {
    service: &'static str,
    emulator: String,
    http: Client,
    facts: Mutex<Facts>,
}

/// The gate in front of one emulator.
pub struct Gate {
    /// `http://127.0.0.1:port`.
    pub url: String,
    inner: Arc<Inner>,
    server: JoinHandle<()>,
}

impl Gate {
    pub async fn start(service: &'static str, emulator: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let inner = Arc::new(Inner {
            service,
            emulator,
            http: Client::default(),
            facts: Mutex::default(),
        });
        let app = axum::Router::new().fallback(pass).with_state(Arc::clone(&inner));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
        Self { url, inner, server }
    }

    /// What was said so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.facts().exchanges.clone()
    }

    /// The last request to a path.
    pub fn last(&self, path: &str) -> Exchange {
        let found = self.exchanges().into_iter().rev().find(|said| said.path == path);
        found.unwrap_or_else(|| panic!("nothing was sent to {path}"))
    }

    /// From now on this access token is answered 401, as by a vendor after its end.
    pub fn refuse(&self, token: &str) {
        self.facts().refused.push(token.to_owned());
    }

    /// Whether the verifier of the next exchanges of codes is put in another's place.
    pub fn put_another_verifier(&self, so: bool) {
        self.facts().another_verifier = so;
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.inner.facts()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Inner {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().expect("nobody panics with it")
    }

    /// What the emulator gets: the request as it came, but for a verifier that the test asked to be
    /// another's, and but for Slack's reading methods. Those may be called by GET and by POST alike; the
    /// emulator has POST alone for most.
    fn forwarded(&self, said: &Exchange) -> (Method, String, String, bool) {
        let query = if said.query.is_empty() {
            String::new()
        } else {
            format!("?{}", said.query)
        };
        let url = format!("{}{}{query}", self.emulator, said.path);
        if self.service == "slack" && said.method == Method::GET && said.path.starts_with("/api/") {
            let url = format!("{}{}", self.emulator, said.path);
            return (Method::POST, url, said.query.clone(), true);
        }
        let mut body = said.body.clone();
        if self.facts().another_verifier && said.field("code_verifier").is_some() {
            let mut form = Serializer::new(String::new());
            for (name, value) in parse(said.body.as_bytes()) {
                let another = name == "code_verifier";
                form.append_pair(&name, if another { ANOTHER_VERIFIER } else { &value });
            }
            body = form.finish();
        }
        (said.method.clone(), url, body, false)
    }

    /// Slack hands out addresses for uploads. The emulator's lead past the gate; here they lead through it,
    /// as the endpoint of the connection does.
    fn through_the_gate(&self, said: &Exchange, gate: &str, answer: &mut Answer) {
        if self.service != "slack" || said.path != "/api/files.getUploadURLExternal" {
            return;
        }
        let mut told = answer.json();
        let path = told["upload_url"]
            .as_str()
            .and_then(|url| url.split_once("/upload/"));
        if let Some((_, path)) = path {
            told["upload_url"] = json!(format!("http://{gate}/upload/{path}"));
            answer.body = told.to_string().into();
        }
    }

    /// Google's account of a token, asked where the emulator does have it: it has neither the
    /// mailbox's profile nor the reading of one calendar, by which accounts are verified.
    async fn of_google(&self, said: &Exchange) -> Option<Answer> {
        if self.service != "google" || said.method != Method::GET {
            return None;
        }
        let bearer = format!("Bearer {}", said.token);
        let headers = [("authorization", bearer.as_str())];
        let there = match said.path.as_str() {
            "/gmail/v1/users/me/profile" => "/oauth2/v2/userinfo",
            "/calendar/v3/calendars/primary" => "/calendar/v3/users/me/calendarList",
            _ => return None,
        };
        let url = format!("{}{there}", self.emulator);
        let mut answer = self.http.send(Method::GET, &url, &headers, "").await;
        if answer.status.is_success() {
            let known = answer.json();
            let primary = |calendar: &&Value| calendar["primary"] == true;
            let calendar = known["items"].as_array().and_then(|all| all.iter().find(primary));
            let told = match calendar {
                Some(calendar) => json!({"kind": "calendar#calendar", "id": calendar["id"],
                    "summary": calendar["summary"], "timeZone": calendar["timeZone"]}),
                None => {
                    json!({"emailAddress": known["email"], "messagesTotal": 0, "threadsTotal": 0, "historyId": "1"})
                }
            };
            answer.body = told.to_string().into();
        }
        Some(answer)
    }
}

/// The pair of RFC 7636, appendix B: nobody's here.
const ANOTHER_VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

async fn pass(State(inner): State<Arc<Inner>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, MOST_BYTES).await.expect("a whole body");
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let token = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let mut said = Exchange {
        method: head.method.clone(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        token: token.unwrap_or_default().to_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
        status: StatusCode::UNAUTHORIZED,
        answer: String::new(),
        left_out: String::new(),
    };
    let refused = inner.facts().refused.contains(&said.token);
    let answer = if refused {
        None
    } else if let Some(answer) = inner.of_google(&said).await {
        Some(answer)
    } else {
        let (method, url, body, is_form) = inner.forwarded(&said);
        let mut headers: Vec<(&str, &str)> = head
            .headers
            .iter()
            .filter(|(name, _)| !(of_one_hop(name) || is_form && *name == "content-type"))
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        if is_form {
            headers.push(("content-type", "application/x-www-form-urlencoded"));
        }
        let mut answer = inner.http.send(method, &url, &headers, body).await;
        inner.through_the_gate(&said, header("host").unwrap_or_default(), &mut answer);
        Some(answer)
    };
    let mut response = Response::builder();
    let mut body = b"{\"error\":\"invalid_token\"}".to_vec();
    if let Some(answer) = answer {
        said.status = answer.status;
        said.answer = answer.text();
        said.left_out = answer.header("x-left-out");
        body = answer.body.to_vec();
        for (name, value) in answer.headers.iter().filter(|(name, _)| !of_one_hop(name)) {
            response = response.header(name, value);
        }
    }
    let status = said.status;
    inner.facts().exchanges.push(said);
    response
        .status(status)
        .body(Body::from(body))
        .expect("a well-formed answer")
}

fn of_one_hop(name: &HeaderName) -> bool {
    OF_ONE_HOP.contains(&name.as_str())
}
