//! Trying a credential before it is kept: what a token endpoint gives for it, and what the
//! manifest's own check says.

use std::collections::BTreeMap;
use std::sync::Arc;

use valetkey_manifest::Manifest;

use super::connections::Configured;
use super::entry::Kept;
use super::parts::Parts;
use super::quirks::Refusal;
use super::token_endpoint::Failure;
use super::verify::{Identity, Probe, probe};
use super::{activate, coded};
use crate::id::AccountId;

/// A credential that the vendor accepts.
pub(super) struct Tried {
    /// In the form in which it is kept.
    pub kept: Kept,
    /// The account's configuration, with what the vendor said about it.
    pub config: BTreeMap<String, String>,
    /// Whose account it opens.
    pub identity: Identity,
}

/// Tries what an account's owner or application gave.
///
/// # Errors
/// What the vendor thinks of it, when that is not acceptance.
pub(super) async fn try_out(
    parts: &Parts,
    configured: &Configured,
    manifest: &Manifest,
    mut config: BTreeMap<String, String>,
    mut kept: Kept,
    id: &AccountId,
) -> Result<Tried, Probe> {
    let connection = configured.connection();
    if connection.grant.is_some()
        && let Kept::Inputs(inputs) = &kept
    {
        let asked = coded::issue_or_ask(parts, configured, &config, inputs).await;
        let grant = asked.map_err(|failure| refused(failure, id))?;
        config = activate::config_of(&grant, manifest, &config).unwrap_or(config);
        kept = activate::exchanged(inputs.clone(), &grant, &connection, parts.now_ms());
    }
    // Of a generation that no account has.
    let credential = kept.lend(0, &connection.placement, &Arc::new(config.clone()));
    if let Err(problem) = credential.check() {
        return Err(Probe::Unusable(problem.to_string()));
    }
    match probe(parts, configured, &config, Arc::new(credential), id).await {
        Probe::Accepted(identity) => Ok(Tried {
            kept,
            config,
            identity,
        }),
        refused => Err(refused),
    }
}

fn refused(failure: Failure, id: &AccountId) -> Probe {
    tracing::warn!(
        account = id.as_str(),
        code = failure.code(),
        "a token endpoint gave nothing for a credential"
    );
    match failure {
        Failure::Unusable(problem) => Probe::Unusable(problem),
        Failure::Refused(Refusal::Grant | Refusal::Client | Refusal::Other(_)) => Probe::Rejected,
        Failure::Refused(Refusal::Busy(_) | Refusal::Unreadable(_))
        | Failure::NotSent(_)
        | Failure::OutcomeUnknown
        | Failure::Code { .. } => Probe::Unknown,
    }
}
