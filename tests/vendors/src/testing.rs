//! For unit tests: a plain HTTP client, and the way through a consent.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::text::{encode, first, parse_form, sha256_base64url};
use crate::{Options, Simulator};

const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more-x";
const BACK: &str = "http://127.0.0.1/callback";

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// Simulated vendors with the defaults and what `set` changes of them.
pub(crate) async fn simulator(set: impl FnOnce(&mut Options)) -> Simulator {
    let mut options = Options::default();
    set(&mut options);
    Simulator::start(options).await.expect("a free port")
}

impl Simulator {
    /// Sends one request on a connection of its own.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let address = self.base_url.trim_start_matches("http://").to_owned();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nuser-agent: test\r\n"
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        #[allow(
            clippy::disallowed_methods,
            reason = "the caller of a simulator, not of a vendor"
        )]
        let mut stream = TcpStream::connect(&address).await.expect("the simulator listens");
        stream.write_all(head.as_bytes()).await.expect("it reads");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("it answers");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").expect("an HTTP answer");
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|code| code.parse().ok());
        Answer {
            status: status.unwrap_or(0),
            headers: lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect(),
            text: body.to_owned(),
        }
    }

    /// Sends JSON with a bearer token; a body of null is none.
    pub(crate) async fn call(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.ask(method, path, &headers, &body).await
    }

    /// A code of a user's consent at an authorization endpoint.
    pub(crate) async fn consent(&self, authorize: &str, user: &str, scopes: &str, more: &str) -> String {
        let path = format!(
            "{authorize}?response_type=code&client_id=simulated-client&redirect_uri={}&state=s&scope={}&login_hint={user}\
             &code_challenge_method=S256&code_challenge={}{more}",
            encode(BACK),
            encode(scopes),
            sha256_base64url(VERIFIER),
        );
        let answer = self.ask("GET", &path, &[], "").await;
        let query = answer
            .header("location")
            .split('?')
            .nth(1)
            .unwrap_or_default()
            .to_owned();
        first(&parse_form(&query), "code").expect("a code").to_owned()
    }

    /// The fields with which a code is exchanged.
    pub(crate) fn exchange(code: &str) -> Vec<(String, String)> {
        [
            ("grant_type", "authorization_code"),
            ("client_id", "simulated-client"),
            ("client_secret", "simulated-secret"),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
            ("code", code),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}
