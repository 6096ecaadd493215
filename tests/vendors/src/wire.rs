//! For tests: a browser and a client that speak to a running simulator.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::text::{encode, first, parse_form, sha256_base64url};
use crate::{Options, Simulator};

const VERIFIER: &str = "a-verifier-of-enough-characters-for-pkce-123";
const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: hyper::HeaderMap,
    pub(crate) json: Value,
    /// The body as it came.
    pub(crate) text: String,
}

impl Answer {
    /// A header's value; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A running simulator and a client of it.
pub(crate) struct Wire {
    pub(crate) simulator: Simulator,
}

impl Wire {
    pub(crate) async fn start(options: Options) -> Self {
        let simulator = Simulator::start(options).await.expect("a free port");
        Self { simulator }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let authority = self.simulator.base_url.trim_start_matches("http://");
        #[allow(
            clippy::disallowed_methods,
            reason = "the caller of a simulator, not of a vendor"
        )]
        let stream = TcpStream::connect(authority).await.expect("it listens");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .expect("it speaks HTTP");
        let driving = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, authority);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).expect("a request");
        let (head, body) = sender
            .send_request(request)
            .await
            .expect("an answer")
            .into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        driving.abort();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            json: serde_json::from_slice(&bytes).unwrap_or_default(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// Sends JSON with a bearer token; null is no body.
    pub(crate) async fn call(&self, token: &str, method: Method, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("user-agent", "test"),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send(method, path, &headers, body).await
    }

    /// The code that a user's consent gives.
    pub(crate) async fn code(&self, authorize: &str, scope: &str, user: &str) -> String {
        let path = format!(
            "{authorize}?response_type=code&client_id=simulated-client&redirect_uri={}&scope={}&state=s\
             &login_hint={user}&owner=user&code_challenge={}&code_challenge_method=S256",
            encode(REDIRECT_URI),
            encode(scope),
            sha256_base64url(VERIFIER)
        );
        let answer = self.send(Method::GET, &path, &[], String::new()).await;
        let location = answer.headers[header::LOCATION].to_str().expect("a URL");
        let (_, query) = location.split_once('?').expect("a query");
        first(&parse_form(query), "code").expect("a code").to_owned()
    }

    /// The token answer of a whole code flow with the client's secret in a form.
    pub(crate) async fn connect(&self, authorize: &str, token: &str, scope: &str, user: &str) -> Value {
        let code = self.code(authorize, scope, user).await;
        let form = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={}&code_verifier={VERIFIER}",
            encode(REDIRECT_URI)
        );
        let answer = self.form(token, &form).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json
    }

    /// The members of the request that redeems a code.
    pub(crate) fn redemption(code: &str) -> Value {
        serde_json::json!({
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        })
    }

    /// A form of the registered client.
    pub(crate) async fn form(&self, path: &str, form: &str) -> Answer {
        let form = format!("client_id=simulated-client&client_secret=simulated-secret&{form}");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, path, &headers, form).await
    }
}
