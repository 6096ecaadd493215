//! What a token response leaves on an account: the same after a consent and after a refresh.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use valetkey_manifest::Manifest;

use super::entry::Kept;
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
        stated_ms: grant
            .stated
            .map(|stated| u64::try_from(stated.as_millis()).unwrap_or(u64::MAX)),
    }
}

/// Puts lifetime, scopes and configuration of a grant onto the account.
pub(super) fn apply(
    account: &mut Account,
    grant: &Grant,
    manifest: Option<&Manifest>,
    parts: &Parts,
    connection: &Connection,
) {
    let usual = connection
        .oauth2
        .as_ref()
        .and_then(|oauth2| oauth2.default_lifetime_seconds);
    let lifetime = grant.lifetime.or(usual.map(Duration::from_secs));
    account.token_expires_at_ms = lifetime.map(|lifetime| parts.now_ms().saturating_add(millis(lifetime)));
    if let Some(scopes) = &grant.scopes {
        account.scopes = Arc::from(scopes.as_slice());
        account.scopes_stated = true;
    }
    let Some(manifest) = manifest else { return };
    let mut config: Option<BTreeMap<String, String>> = None;
    for (name, input) in &manifest.account_config {
        let value = input
            .from_token_response
            .as_deref()
            .and_then(|pointer| grant.extras.text(pointer));
        // The same form as for values that people give: it may become part of a host name.
        let value = value.filter(|value| check_value(input, value).is_ok());
        if let Some(value) = value
            && account.account_config.get(name) != Some(&value)
        {
            config
                .get_or_insert_with(|| BTreeMap::clone(&account.account_config))
                .insert(name.clone(), value);
        }
    }
    if let Some(config) = config {
        account.account_config = Arc::new(config);
    }
}
