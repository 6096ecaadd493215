//! The manifest's check request: does the vendor accept this credential, and whose is it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use oauth2::url::form_urlencoded;
use valetkey_manifest::Manifest;

use super::connections::Configured;
use super::parts::Parts;
use super::quirks::scalar;
use super::token_endpoint::fill;
use crate::egress::{self, Credential, Credentials, GuestRequest, GuestResponse, Meter, Reach};
use crate::error::Fault;
use crate::id::AccountId;

/// Whose account a credential opens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// The vendor's stable id of the account.
    pub subject: Option<String>,
    /// What a person recognises.
    pub label: Option<String>,
}

/// What came of a check.
pub(super) enum Probe {
    /// The vendor accepts the credential, or the manifest has no check.
    Accepted(Identity),
    /// The vendor refuses it: 401, or what the manifest declares to mean that.
    Rejected,
    /// The vendor knows it and does not allow the check: 403.
    Forbidden,
    /// It cannot even be sent; what is wrong with it.
    Unusable(String),
    /// The vendor accepts it, and it opens no site.
    NoSite,
    /// The vendor accepts it, and it opens other sites than the one that the application named.
    OtherSite,
    /// Nothing could be learnt.
    Unknown,
}

/// Checks a credential by the manifest's `verify` request.
pub(super) async fn probe(
    parts: &Parts,
    configured: &Configured,
    config: &BTreeMap<String, String>,
    credential: Arc<Credential>,
    account: &AccountId,
) -> Probe {
    match send(parts, configured, config, credential, account).await {
        Ok(probe) => probe,
        Err(fault) => {
            tracing::warn!(
                account = account.as_str(),
                kind = fault.kind().as_str(),
                cause = fault.chain(),
                "a credential could not be checked"
            );
            Probe::Unknown
        }
    }
}

async fn send(
    parts: &Parts,
    configured: &Configured,
    config: &BTreeMap<String, String>,
    credential: Arc<Credential>,
    account: &AccountId,
) -> Result<Probe, Fault> {
    let manifest = configured.manifest(parts)?;
    let Some(verify) = &manifest.verify else {
        return Ok(Probe::Accepted(Identity::default()));
    };
    let question = Question {
        endpoint: &verify.endpoint,
        method: &verify.method,
        path: &verify.path,
        headers: Some(&verify.headers),
        body: verify.body.as_ref(),
    };
    let answer = ask(
        parts, configured, &manifest, config, credential, account, question,
    )
    .await?;
    if egress::refused(answer.status, &answer.body, &manifest.refusals) {
        return Ok(Probe::Rejected);
    }
    Ok(match answer.status.as_u16() {
        200..=299 => {
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
            let text = |pointer: &str| body.pointer(pointer).and_then(scalar).map(printable);
            let subject = text(&verify.subject);
            // A 200 without the account in it (Slack's `ok: false`, Zendesk's anonymous user) is
            // no proof of anything.
            if subject.is_none() {
                Probe::Rejected
            } else {
                Probe::Accepted(Identity {
                    subject,
                    label: verify.label.as_deref().and_then(text),
                })
            }
        }
        403 => Probe::Forbidden,
        _ => Probe::Unknown,
    })
}

/// A request of the host's own to a vendor's API, with a credential that is being tried.
#[derive(Clone, Copy)]
pub(super) struct Question<'m> {
    /// Endpoint name.
    pub endpoint: &'m str,
    pub method: &'m str,
    /// Path, and query if there is one.
    pub path: &'m str,
    pub headers: Option<&'m BTreeMap<String, String>>,
    pub body: Option<&'m Value>,
}

/// Asks the vendor, by the way that guests' requests go.
#[allow(clippy::too_many_arguments, reason = "what the answer depends on, each once")]
pub(super) async fn ask(
    parts: &Parts,
    configured: &Configured,
    manifest: &Manifest,
    config: &BTreeMap<String, String>,
    credential: Arc<Credential>,
    account: &AccountId,
    question: Question<'_>,
) -> Result<GuestResponse, Fault> {
    let connection = configured.connection();
    let Question {
        endpoint: name,
        method,
        ..
    } = question;
    let Some(declared) = manifest.endpoints.get(name) else {
        return Err(Fault::internal(
            "a request of the manifest names an endpoint that it does not have",
        ));
    };
    let template = connection.endpoints.get(name).unwrap_or(&declared.url);
    let endpoint = egress::endpoint(
        &fill(template, config)?,
        connection.development,
        true,
        &declared.headers,
    )
    .map_err(Fault::internal)?;
    let (path, query) = question.path.split_once('?').unwrap_or((question.path, ""));
    let allowed = egress::allowed(&format!("{method} {name}:{path}")).map_err(Fault::internal)?;
    let vendor = connection.vendor(manifest);
    let account_key = format!("{}/{account}", vendor.connection_key).into();
    let reach = Reach {
        vendor: Arc::new(vendor),
        endpoints: Arc::new(BTreeMap::from([(name.to_owned(), endpoint)])),
        allowed: Arc::from([allowed]),
        read_only: true,
        idempotent: true,
        account_key,
        credentials: Arc::new(Only(credential)),
        deadline: Instant::now() + parts.token_timeout(),
        meter: Arc::new(Meter::default()),
    };
    let mut headers: Vec<(String, String)> = question
        .headers
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect();
    let mut usual = |name: &str, value: &str| {
        if !headers.iter().any(|(known, _)| known == name) {
            headers.push((name.to_owned(), value.to_owned()));
        }
    };
    usual("accept", "application/json");
    if question.body.is_some() {
        usual("content-type", "application/json");
    }
    let request = GuestRequest {
        method: method.to_owned(),
        endpoint: name.to_owned(),
        path: path.to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers,
        body: question.body.map(|body| body.to_string().into()),
        ..GuestRequest::default()
    };
    parts.egress.send(&reach, request).await
}

/// A vendor's text, safe to show and to keep.
pub(super) fn printable(text: String) -> String {
    text.chars().filter(|c| !c.is_control()).take(256).collect()
}

/// Exactly one credential, never another.
struct Only(Arc<Credential>);

impl Credentials for Only {
    fn current(&self, _deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>> {
        Box::pin(std::future::ready(Ok(Arc::clone(&self.0))))
    }

    fn renew(&self, _rejected: u64, _deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>> {
        self.current(Instant::now())
    }
}
