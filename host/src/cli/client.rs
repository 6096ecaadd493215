//! A small HTTP client for a running host's REST edge: one connection per request, nothing
//! followed, nothing repeated.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::Full;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use thiserror::Error;

use super::Global;
use super::dial::{self, DialError};
use super::operator::Operator;
use super::output::Output;
use crate::config::Config;

/// More than any answer of the host.
const MAX_ANSWER_BYTES: usize = 256 * 1024 * 1024;
/// Longer than any call may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Which host, as whom.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Host")]
pub(super) struct Remote {
    /// URL of the running host [default: the one that `serve` noted in the data folder]
    #[arg(long, value_name = "URL", env = "VALETKEY_SERVER")]
    server: Option<String>,
    /// API client id [default: the operator's, from the data folder]
    #[arg(long, value_name = "ID", env = "VALETKEY_CLIENT_ID")]
    client_id: Option<String>,
    /// API client secret; better given by the environment, where other users do not see it
    #[arg(
        long,
        value_name = "SECRET",
        env = "VALETKEY_CLIENT_SECRET",
        hide_env_values = true
    )]
    client_secret: Option<String>,
}

impl Remote {
    /// Whether a host was named, and not the one of the data folder is meant.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.server.is_some()
    }
}

/// The host answered with an error.
#[derive(Debug, Error)]
#[error("{}", .body["error"]["message"].as_str().unwrap_or("the host refused"))]
pub(super) struct Refused {
    /// The error body (`{"error": {…}}`).
    pub(super) body: Value,
}

impl Refused {
    /// Tells a person everything that the host said.
    pub(super) fn tell(&self, output: &Output) {
        let error = &self.body["error"];
        output.error(&format!(
            "{self} ({})",
            error["kind"].as_str().unwrap_or("unknown")
        ));
        for field in error["fields"].as_array().into_iter().flatten() {
            let path = field["path"]
                .as_str()
                .filter(|path| !path.is_empty())
                .unwrap_or("(all)");
            output.say(&format!(
                "  {path}: {}",
                field["problem"].as_str().unwrap_or_default()
            ));
        }
        if let Some(said) = error["vendor"]["message"].as_str() {
            output.say(&format!("  the vendor said: {}", said.escape_debug()));
        }
        if let Some(link) = error["authorization_link"].as_str() {
            output.hint(&format!("the account's owner can mend this at {link}"));
        }
        if let Some(wait) = error["retry_after_ms"].as_u64() {
            output.hint(&format!(
                "try again in {:.1} s",
                Duration::from_millis(wait).as_secs_f64()
            ));
        }
        if let Some(id) = error["execution_id"].as_str() {
            output.say(&format!("  execution {id}"));
        }
    }
}

/// A host that let us in.
pub(super) struct Client {
    base_url: String,
    token: String,
    authorities: Arc<rustls::RootCertStore>,
}

impl Client {
    /// Finds the host and gets an access token.
    pub(super) async fn connect(global: &Global, remote: &Remote) -> anyhow::Result<Self> {
        let config = global.settings(&[])?.config;
        let data_dir = &config.storage.data_dir;
        let whole = remote.server.is_some() && remote.client_id.is_some() && remote.client_secret.is_some();
        let operator = if whole { None } else { Operator::read(data_dir)? };
        let known = |given: &Option<String>, noted: fn(Operator) -> String| {
            given.clone().or_else(|| operator.clone().map(noted)).with_context(|| {
                format!(
                    "which host? There is no {} here: run `valetkey init` and `valetkey serve`, or give --data-dir, or --server with --client-id and --client-secret",
                    Operator::path(data_dir).display()
                )
            })
        };
        let base_url = known(&remote.server, |operator| operator.base_url)?;
        let id = known(&remote.client_id, |operator| operator.client_id)?;
        let secret = known(&remote.client_secret, |operator| operator.client_secret)?;

        let mut client = Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            token: String::new(),
            authorities: Arc::new(authorities(config.egress.extra_ca_file.as_deref())?),
        };
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            encoded(&id),
            encoded(&secret)
        );
        let kind = "application/x-www-form-urlencoded";
        let answer = client
            .send(Method::POST, "/oauth/token", &[], Some((kind, form.into())))
            .await?;
        let token = answer["access_token"].as_str();
        client.token = token.context("the host gave no access token")?.to_owned();
        Ok(client)
    }

    /// Whether a host answers at `base_url`.
    pub(super) async fn probe(config: &Config, base_url: &str) -> anyhow::Result<()> {
        let client = Self {
            base_url: base_url.to_owned(),
            token: String::new(),
            authorities: Arc::new(authorities(config.egress.extra_ca_file.as_deref())?),
        };
        client.get("/healthz").await.map(drop)
    }

    /// Where it is.
    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// GET.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::GET, path, &[], None).await
    }

    /// A request with a JSON body (none for `Null`).
    pub(super) async fn json(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.json_with(method, path, &[], body).await
    }

    /// The same with further headers.
    pub(super) async fn json_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> anyhow::Result<Value> {
        let body = (!body.is_null()).then(|| ("application/json", body.to_string().into()));
        self.send(method, path, headers, body).await
    }

    /// Uploads a component.
    pub(super) async fn upload(&self, path: &str, component: Vec<u8>) -> anyhow::Result<Value> {
        let body = Some(("application/wasm", component.into()));
        self.send(Method::POST, path, &[], body).await
    }

    /// Every item of a paged list. `path` has its own query or none.
    pub(super) async fn list(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = match &cursor {
                None => self.get(path).await?,
                Some(cursor) => {
                    let joint = if path.contains('?') { '&' } else { '?' };
                    self.get(&format!("{path}{joint}cursor={}", encoded(cursor)))
                        .await?
                }
            };
            items.extend(page["items"].as_array().cloned().unwrap_or_default());
            match page["next_cursor"].as_str() {
                None => return Ok(items),
                Some(next) => cursor = Some(next.to_owned()),
            }
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, Bytes)>,
    ) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base_url);
        let uri: Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
        let mut request = Request::builder().method(method).uri(path);
        if let Some(authority) = uri.authority() {
            request = request.header(HOST, authority.as_str());
        }
        if !self.token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let bytes = match body {
            None => Bytes::new(),
            Some((kind, bytes)) => {
                request = request.header(CONTENT_TYPE, kind);
                bytes
            }
        };
        let request = request.body(Full::new(bytes))?;
        let exchange = tokio::time::timeout(PATIENCE, self.exchange(&uri, request));
        let (status, body) = exchange
            .await
            .context("the host did not answer in ten minutes")??;

        let value = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body)
                .with_context(|| format!("{url} answered {status} and not JSON; is it a Valetkey host?"))?
        };
        if status.is_success() {
            return Ok(value);
        }
        if value["error"].is_object() {
            return Err(Refused { body: value }.into());
        }
        // RFC 6749 section 5.2: the token endpoint has an error shape of its own.
        match value["error_description"].as_str().or(value["error"].as_str()) {
            Some(why) => bail!("the host let us not in: {why}; look at the client id and secret"),
            None => bail!("{url} answered {status}"),
        }
    }

    async fn exchange(
        &self,
        uri: &Uri,
        request: Request<Full<Bytes>>,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let answer = dial::exchange(uri, request, &self.authorities, MAX_ANSWER_BYTES).await;
        let (head, body) = answer.map_err(|error| match error {
            DialError::NoAnswer(_) => anyhow::Error::new(error).context(format!(
                "no host answers at {}; is `valetkey serve` running there?",
                self.base_url
            )),
            DialError::Untrusted(_) => anyhow::Error::new(error).context(format!(
                "{} did not prove who it is; a company's own authority goes into `egress.extra_ca_file`",
                self.base_url
            )),
            error => anyhow::Error::new(error).context("the host broke off"),
        })?;
        Ok((head.status, body))
    }
}

/// Whom TLS trusts: the web's authorities, and the operator's own.
pub(super) fn authorities(extra: Option<&std::path::Path>) -> anyhow::Result<rustls::RootCertStore> {
    let mut store = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = extra {
        let unreadable = || format!("{} cannot be read", path.display());
        for certificate in CertificateDer::pem_file_iter(path).with_context(unreadable)? {
            store.add(certificate.with_context(unreadable)?)?;
        }
    }
    Ok(store)
}

/// A text as one part of a path or query, or as a form value.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A path with a query of those parameters that are given.
pub(super) fn with_query(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let given: Vec<String> = parameters
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encoded(value.as_ref()?))))
        .collect();
    if given.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", given.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_place_in_the_url() {
        let path = with_query(
            "/a",
            &[("identifier", Some("ü&b=c d".to_owned())), ("state", None)],
        );
        assert_eq!(path, "/a?identifier=%C3%BC%26b%3Dc%20d");
    }
}
