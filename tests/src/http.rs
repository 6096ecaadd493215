//! A plain HTTP client: no redirects followed, no cookies, nothing retried.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// The client; cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: legacy::Client<HttpConnector, Full<Bytes>>,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// It is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in a {} answer: {}", self.status, self.text()))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// One header's value, empty when it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    }

    /// The body as JSON of an answer that must have this status.
    ///
    /// # Panics
    /// It has another.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }
}

impl Default for Client {
    fn default() -> Self {
        Self {
            inner: legacy::Client::builder(TokioExecutor::new()).build_http(),
        }
    }
}

impl Client {
    /// Sends a request with any headers and body.
    ///
    /// # Panics
    /// No whole answer comes.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(body.into()))
            .expect("a well-formed request");
        let answer = self
            .inner
            .request(request)
            .await
            .unwrap_or_else(|error| panic!("{url}: {error:?}"));
        let (head, body) = answer.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    /// GET.
    pub async fn get(&self, url: &str) -> Answer {
        self.send(Method::GET, url, &[], Bytes::new()).await
    }

    /// POST of a form.
    pub async fn post_form(&self, url: &str, form: &str) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, url, &headers, form.to_owned()).await
    }

    /// Follows redirects by GET until an answer is none, as a browser would; at most ten.
    ///
    /// # Panics
    /// There are more, or one has no `location`.
    pub async fn follow(&self, url: &str) -> Answer {
        let mut url = url.to_owned();
        for _ in 0..10 {
            let answer = self.get(&url).await;
            if !answer.status.is_redirection() {
                return answer;
            }
            let location = answer.header("location");
            assert!(!location.is_empty(), "a redirect from {url} without a location");
            url = if location.starts_with('/') {
                origin(&url) + &location
            } else {
                location
            };
        }
        panic!("more than ten redirects, the last to {url}");
    }
}

fn origin(url: &str) -> String {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let end = url[after_scheme..]
        .find('/')
        .map_or(url.len(), |at| after_scheme + at);
    url[..end].to_owned()
}
