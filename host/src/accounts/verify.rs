//! The manifest's check request: does the vendor accept this credential, and whose is it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use oauth2::url::form_urlencoded;

use super::connections::Configured;
use super::parts::Parts;
use super::quirks::scalar;
use super::token_endpoint::fill;
use crate::egress::{self, Credential, Credentials, GuestRequest, Meter, Reach};
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
    /// The vendor refuses it: 401.
    Rejected,
    /// The vendor knows it and does not allow the check: 403.
    Forbidden,
    /// It cannot even be sent; what is wrong with it.
    Unusable(String),
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
    let connection = configured.connection();
    let manifest = configured.manifest(parts)?;
    let Some(verify) = &manifest.verify else {
        return Ok(Probe::Accepted(Identity::default()));
    };
    let Some(declared) = manifest.endpoints.get(&verify.endpoint) else {
        return Err(Fault::internal(
            "the manifest's check names an endpoint that it does not have",
        ));
    };
    let template = connection
        .endpoints
        .get(&verify.endpoint)
        .unwrap_or(&declared.url);
    let endpoint = egress::endpoint(
        &fill(template, config)?,
        connection.development,
        true,
        &declared.headers,
    )
    .map_err(Fault::internal)?;
    let (path, query) = verify.path.split_once('?').unwrap_or((verify.path.as_str(), ""));
    let allowed = egress::allowed(&format!("GET {}:{path}", verify.endpoint)).map_err(Fault::internal)?;
    let vendor = connection.vendor(&manifest);
    let account_key = format!("{}/{account}", vendor.connection_key).into();
    let reach = Reach {
        vendor: Arc::new(vendor),
        endpoints: Arc::new(BTreeMap::from([(verify.endpoint.clone(), endpoint)])),
        allowed: Arc::from([allowed]),
        read_only: true,
        idempotent: true,
        account_key,
        credentials: Arc::new(Only(credential)),
        deadline: Instant::now() + parts.token_timeout(),
        meter: Arc::new(Meter::default()),
    };
    let request = GuestRequest {
        method: "GET".to_owned(),
        endpoint: verify.endpoint.clone(),
        path: path.to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        ..GuestRequest::default()
    };
    let answer = parts.egress.send(&reach, request).await?;
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
        401 => Probe::Rejected,
        403 => Probe::Forbidden,
        _ => Probe::Unknown,
    })
}

/// A vendor's text, safe to show and to keep.
fn printable(text: String) -> String {
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
