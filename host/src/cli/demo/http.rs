//! A plain HTTP client, as a user's program or a simple browser would be.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// More hops than any connect flow has.
const MAX_HOPS: usize = 10;

/// The client.
pub(super) struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
}

/// A whole answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Http {
    pub(super) fn new() -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// Sends one request.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into()))?;
        let answer = self
            .client
            .request(request)
            .await
            .with_context(|| format!("{url} does not answer"))?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.with_context(|| format!("{url} broke off"))?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }

    /// Opens a link and goes where it leads; answers every host on the way.
    pub(super) async fn follow(&self, link: &str) -> anyhow::Result<Vec<String>> {
        let mut url = link.to_owned();
        let mut hosts = Vec::new();
        for _ in 0..MAX_HOPS {
            let uri: Uri = url.parse().with_context(|| format!("{url} is not a URL"))?;
            let host = uri.authority().map(ToString::to_string).unwrap_or_default();
            let answer = self.send(Method::GET, &url, &[], Bytes::new()).await?;
            hosts.push(format!("{host}{}", shortened(uri.path())));
            if answer.status.is_success() {
                return Ok(hosts);
            }
            let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            url = match location.filter(|_| answer.status.is_redirection()) {
                Some(absolute) if absolute.starts_with("http") => absolute.to_owned(),
                Some(path) => format!("http://{host}{path}"),
                None => bail!(
                    "{host}{} answered {} in the middle of the connect flow: {}",
                    shortened(uri.path()),
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                ),
            };
        }
        bail!("the authorization link leads nowhere in {MAX_HOPS} hops")
    }
}

/// A path without the one-time ticket of a link.
fn shortened(path: &str) -> String {
    match path.strip_prefix("/connect/") {
        Some(_) => "/connect/…".to_owned(),
        None => path.to_owned(),
    }
}
