//! The endpoint of a model: one POST for each of its answers, repeated where it asks to wait. The
//! key goes into the request's header and nowhere else; what the endpoint says is cleaned of it
//! before anybody reads it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Request, StatusCode, Uri};
use http_body_util::Full;
use serde_json::Value;

use crate::author::evaluation::run::AskError;
use crate::cli::dial::{self, DialError};
use crate::secret::Secret;

/// More than any answer of a model.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// Longer than a model thinks about one tool.
const PATIENCE: Duration = Duration::from_secs(300);
/// Tries of one request, while the endpoint says that it is busy.
const TRIES: u32 = 4;
/// The most that is waited between two tries, whatever the endpoint asks for.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Characters of the endpoint's own words that are passed on.
const MAX_SAID: usize = 300;

/// Where a model answers, and as whom it is asked.
pub(super) struct Endpoint {
    uri: Uri,
    key: Option<Secret>,
    authorization: Option<HeaderValue>,
    authorities: Arc<rustls::RootCertStore>,
}

impl Endpoint {
    /// `base_url` is what stands before `/chat/completions`.
    pub(super) fn new(
        base_url: &str,
        key: Option<Secret>,
        authorities: rustls::RootCertStore,
    ) -> anyhow::Result<Self> {
        let url = format!("{}/chat/completions", base_url.trim_end_matches('/'));
        let uri: Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
        let Some(host) = uri.host() else {
            bail!("`{base_url}` is not a URL with a host, such as https://api.openai.com/v1");
        };
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            bail!("the URL names a user; a key is given by the environment");
        }
        let is_here = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if uri.scheme_str() == Some("http") && key.is_some() && !is_here {
            bail!("{base_url} would get the key in clear text; use https://, or a server on this machine");
        }
        let authorization = key.as_ref().map(|key| {
            // The header of the requests to the endpoint that the person named.
            HeaderValue::from_str(&format!("Bearer {}", key.expose()))
        });
        let mut authorization = authorization.transpose().ok().context(
            "the key has characters that no header takes; was it copied whole, without a line's end?",
        )?;
        if let Some(authorization) = &mut authorization {
            authorization.set_sensitive(true);
        }
        Ok(Self {
            uri,
            key,
            authorization,
            authorities: Arc::new(authorities),
        })
    }

    /// One answer of the model.
    pub(super) async fn ask(&self, body: &Value) -> Result<Value, AskError> {
        let body = Bytes::from(body.to_string());
        let mut tried = 0;
        loop {
            tried += 1;
            let (status, headers, answer) = self.send(body.clone()).await?;
            if status.is_success() {
                return serde_json::from_slice(&answer)
                    .map_err(|_| AskError::Failed(format!("it answered {status} and not JSON")));
            }
            let busy = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
            if busy && tried < TRIES {
                tokio::time::sleep(wait(&headers, tried)).await;
                continue;
            }
            let why = format!("it answered {status}{}", self.said(&answer));
            return Err(match status {
                // Neither another task nor another try changes these.
                StatusCode::UNAUTHORIZED
                | StatusCode::PAYMENT_REQUIRED
                | StatusCode::FORBIDDEN
                | StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED => AskError::Ended(why),
                status if status.is_redirection() => {
                    AskError::Ended(format!("{why}; redirects are not followed, name the URL itself"))
                }
                _ => AskError::Failed(why),
            });
        }
    }

    async fn send(&self, body: Bytes) -> Result<(StatusCode, HeaderMap, Bytes), AskError> {
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::post(path)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json");
        if let Some(authority) = self.uri.authority() {
            request = request.header(HOST, authority.as_str());
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| AskError::Ended(error.to_string()))?;
        let exchange = dial::exchange(&self.uri, request, &self.authorities, MAX_ANSWER_BYTES);
        match tokio::time::timeout(PATIENCE, exchange).await {
            Err(_) => Err(AskError::Failed(format!(
                "it did not answer in {} s",
                PATIENCE.as_secs()
            ))),
            Ok(Ok((head, body))) => Ok((head.status, head.headers, body)),
            Ok(Err(error @ DialError::Broken(_))) => Err(AskError::Failed(self.clean(&error.to_string()))),
            Ok(Err(error @ DialError::Untrusted(_))) => Err(AskError::Ended(format!(
                "it did not prove who it is ({error}); a company's own authority goes into `egress.extra_ca_file`"
            ))),
            Ok(Err(error)) => Err(AskError::Ended(error.to_string())),
        }
    }

    /// The endpoint's own words on a failure.
    fn said(&self, answer: &[u8]) -> String {
        let read: Value = serde_json::from_slice(answer).unwrap_or_default();
        let places = ["/error/message", "/message", "/detail", "/error"];
        let said = places.iter().find_map(|place| read.pointer(place)?.as_str());
        match said {
            Some(said) => format!(": {}", self.clean(said)),
            None => String::new(),
        }
    }

    /// A text of the endpoint's without the key, control characters and length.
    pub(super) fn clean(&self, text: &str) -> String {
        let without = match &self.key {
            // Compared with what others wrote, to be taken out of it.
            Some(key) => text.replace(key.expose(), "[key]"),
            None => text.to_owned(),
        };
        let plain = without
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter });
        plain.take(MAX_SAID).collect()
    }
}

/// How long to wait before the next try: what the endpoint asks for in seconds, or 1, 2, 4 … s.
fn wait(headers: &HeaderMap, tried: u32) -> Duration {
    let asked = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    asked
        .unwrap_or(Duration::from_secs(1 << (tried - 1)))
        .min(MAX_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, key: &str) -> anyhow::Result<Endpoint> {
        let key = (!key.is_empty()).then(|| Secret::new(key.to_owned()));
        Endpoint::new(url, key, rustls::RootCertStore::empty())
    }

    #[test]
    fn a_key_never_goes_out_in_clear_text_and_a_path_is_added_once() {
        for fine in [
            "http://127.0.0.1:1/v1",
            "http://localhost/v1/",
            "http://[::1]:8/v1",
            "https://a.example/v1",
        ] {
            let endpoint = endpoint(fine, "sk-1").expect("acceptable");
            assert!(endpoint.uri.path().ends_with("/v1/chat/completions"), "{fine}");
        }
        for wrong in [
            "http://a.example/v1",
            "a.example",
            "https://me:sk@a.example/v1",
            "/v1",
        ] {
            assert!(endpoint(wrong, "sk-1").is_err(), "{wrong}");
        }
        assert!(
            endpoint("http://a.example/v1", "").is_ok(),
            "without a key there is nothing to lose"
        );
        assert!(endpoint("https://a.example", "sk-1\n").is_err());
    }

    #[test]
    fn what_the_endpoint_says_is_passed_on_without_the_key() {
        let endpoint = endpoint("https://a.example", "sk-secret-1").expect("acceptable");
        let answer = br#"{"error": {"message": "Incorrect key sk-secret-1.\u001b[31m Ask us."}}"#;
        let said = endpoint.said(answer);
        assert_eq!(said, ": Incorrect key [key]. [31m Ask us.");
        assert_eq!(endpoint.said(b"<html>"), "");
    }

    #[test]
    fn waits_are_what_the_endpoint_asks_for_within_reason() {
        let mut headers = HeaderMap::new();
        assert_eq!(wait(&headers, 3), Duration::from_secs(4));
        headers.insert(RETRY_AFTER, HeaderValue::from_static("0"));
        assert_eq!(wait(&headers, 3), Duration::ZERO);
        headers.insert(RETRY_AFTER, HeaderValue::from_static("86400"));
        assert_eq!(wait(&headers, 1), MAX_WAIT);
    }
}
