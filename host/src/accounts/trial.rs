//! Trying a credential before it is kept: what a token endpoint gives for it, and what the
//! manifest's own check says.

use std::collections::BTreeMap;
use std::sync::Arc;

use valetkey_manifest::{AuthKind, Manifest};

use super::connections::Configured;
use super::discover::{Found, Hints, Site, discover, may_ask};
use super::entry::Kept;
use super::parts::Parts;
use super::quirks::Refusal;
use super::token_endpoint::Failure;
use super::verify::{Identity, Probe, probe};
use super::{activate, assertion};
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

/// What came of trying a credential that the vendor did not refuse.
pub(super) enum Trial {
    /// It can be kept.
    Good(Tried),
    /// It opens several sites, and nobody said which is meant.
    Sites {
        kept: Kept,
        config: BTreeMap<String, String>,
        sites: Vec<Site>,
    },
}

/// Tries what an account's owner or application gave. `given` is the part of the configuration that
/// came with it.
///
/// # Errors
/// What the vendor thinks of it, when that is not acceptance.
pub(super) async fn try_out(
    parts: &Parts,
    configured: &Configured,
    manifest: &Manifest,
    given: &BTreeMap<String, String>,
    mut config: BTreeMap<String, String>,
    mut kept: Kept,
    id: &AccountId,
) -> Result<Trial, Probe> {
    let connection = configured.connection();
    if connection.grant.is_some()
        && let Kept::Inputs(inputs) = &kept
    {
        let asked = assertion::ask(parts, &connection, &config, inputs).await;
        let grant = asked.map_err(|failure| refused(failure, id))?;
        config = activate::config_of(&grant, manifest, &config, connection.development).unwrap_or(config);
        kept = activate::exchanged(inputs.clone(), &grant, &connection, parts.now_ms());
    }
    // Of a generation that no account has.
    let lent = |config: &BTreeMap<String, String>| {
        Arc::new(kept.lend(0, &connection.placement, &Arc::new(config.clone())))
    };
    if let Err(problem) = lent(&config).check() {
        return Err(Probe::Unusable(problem.to_string()));
    }
    if let Some(declared) = &manifest.discover
        // Who fills in a form knows; a consent may be for other sites than the one before.
        && (connection.kind == AuthKind::Oauth2 || may_ask(declared, &config))
    {
        let hints = Hints {
            given,
            known: &config,
        };
        let credential = lent(&config);
        match discover(
            parts, configured, manifest, declared, &config, hints, credential, id,
        )
        .await?
        {
            Found::One(set) => config.extend(set),
            Found::Several(sites) => return Ok(Trial::Sites { kept, config, sites }),
            Found::Nothing => return Err(Probe::NoSite),
            Found::Another => return Err(Probe::OtherSite),
        }
    }
    match probe(parts, configured, &config, lent(&config), id).await {
        Probe::Accepted(identity) => Ok(Trial::Good(Tried {
            kept,
            config,
            identity,
        })),
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
        | Failure::OutcomeUnknown => Probe::Unknown,
    }
}
