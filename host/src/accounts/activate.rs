//! What a token response leaves on an account: the same after a consent and after a refresh.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use valetkey_manifest::Manifest;

use super::entry::{Kept, KeptInputs, Live};
use super::model::{Account, Connection};
use super::parts::{Parts, millis};
use super::quirks::Grant;
use super::roster::check_value;
use crate::secret::Secret;

/// The credential of a grant; `old` is the refresh token to go on with when it brings none.
pub(super) fn kept(grant: &Grant, old: Option<Secret>, now_ms: i64) -> Kept {
    let refresh = grant.refresh.clone().or(old);
    Kept::Token {
        // Both go into the seal.
        access: grant.access.expose().to_owned(),
        refresh: refresh.map(|token| token.expose().to_owned()),
        issued_at_ms: now_ms,
        stated_ms: stated_ms(grant),
    }
}

/// The credential that follows `live` when a grant came for it: inputs stay inputs, and a refresh
/// token that is not replaced goes on.
pub(super) fn renewed(live: &Live, grant: &Grant, connection: &Connection, now_ms: i64) -> Kept {
    match live.kept.as_deref() {
        Some(Kept::Exchanged { inputs, .. }) => exchanged(inputs.clone(), grant, connection, now_ms),
        _ => kept(grant, live.refresh_token(), now_ms),
    }
}

/// The credential of an account whose inputs brought a grant.
pub(super) fn exchanged(inputs: KeptInputs, grant: &Grant, connection: &Connection, now_ms: i64) -> Kept {
    Kept::Exchanged {
        inputs,
        // Into the seal.
        access: grant.access.expose().to_owned(),
        issued_at_ms: now_ms,
        stated_ms: stated_ms(grant),
        expires_at_ms: expires_at_ms(grant, connection, now_ms),
    }
}

fn stated_ms(grant: &Grant) -> Option<u64> {
    let stated = grant.stated?;
    Some(u64::try_from(stated.as_millis()).unwrap_or(u64::MAX))
}

fn expires_at_ms(grant: &Grant, connection: &Connection, now_ms: i64) -> Option<i64> {
    let usual = connection.default_lifetime_seconds().map(Duration::from_secs);
    let lifetime = grant.lifetime.or(usual)?;
    Some(now_ms.saturating_add(millis(lifetime)))
}

/// Puts lifetime, scopes and configuration of a grant onto the account.
pub(super) fn apply(
    account: &mut Account,
    grant: &Grant,
    manifest: Option<&Manifest>,
    parts: &Parts,
    connection: &Connection,
) {
    account.token_expires_at_ms = expires_at_ms(grant, connection, parts.now_ms());
    if let Some(scopes) = &grant.scopes {
        account.scopes = Arc::from(scopes.as_slice());
        account.scopes_stated = true;
    }
    if let Some(manifest) = manifest
        && let Some(config) = config_of(grant, manifest, &account.account_config)
    {
        account.account_config = Arc::new(config);
    }
}

/// The configuration with what the vendor says in a grant; none when that changes nothing.
pub(super) fn config_of(
    grant: &Grant,
    manifest: &Manifest,
    known: &BTreeMap<String, String>,
) -> Option<BTreeMap<String, String>> {
    let mut config: Option<BTreeMap<String, String>> = None;
    for (name, input) in &manifest.account_config {
        let value = input
            .from_token_response
            .as_deref()
            .and_then(|pointer| grant.extras.text(pointer));
        // The same form as for values that people give: it may become part of a host name.
        let value = value.filter(|value| check_value(input, value).is_ok());
        if let Some(value) = value
            && known.get(name) != Some(&value)
        {
            config
                .get_or_insert_with(|| known.clone())
                .insert(name.clone(), value);
        }
    }
    config
}
