//! What a token response leaves on an account: the same after a consent and after a refresh.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use oauth2::url::{Host, Url};
use serde::{Deserialize, Serialize};
use valetkey_manifest::{ConfigInput, Manifest, Take};

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

/// What a grant says of the account beside the tokens, apart from them, so that it can wait for the
/// owner's choice and for the application's word.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Terms {
    /// Scopes, when the vendor said which it granted.
    scopes: Option<Vec<String>>,
    expires_at_ms: Option<i64>,
}

impl Terms {
    pub fn of(grant: &Grant, connection: &Connection, now_ms: i64) -> Self {
        Self {
            scopes: grant.scopes.clone(),
            expires_at_ms: expires_at_ms(grant, connection, now_ms),
        }
    }

    pub fn put_on(&self, account: &mut Account) {
        account.token_expires_at_ms = self.expires_at_ms;
        if let Some(scopes) = &self.scopes {
            account.scopes = Arc::from(scopes.as_slice());
            account.scopes_stated = true;
        }
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
    Terms::of(grant, connection, parts.now_ms()).put_on(account);
    if let Some(manifest) = manifest
        && let Some(config) = config_of(grant, manifest, &account.account_config, connection.development)
    {
        account.account_config = Arc::new(config);
    }
}

/// The configuration with what the vendor says in a grant; none when that changes nothing.
pub(super) fn config_of(
    grant: &Grant,
    manifest: &Manifest,
    known: &BTreeMap<String, String>,
    development: bool,
) -> Option<BTreeMap<String, String>> {
    let mut config: Option<BTreeMap<String, String>> = None;
    for (name, input) in &manifest.account_config {
        let said = input
            .from_token_response
            .as_deref()
            .and_then(|pointer| grant.extras.text(pointer));
        if let Some(value) = said.and_then(|said| taken(input, said, development))
            && known.get(name) != Some(&value)
        {
            config
                .get_or_insert_with(|| known.clone())
                .insert(name.clone(), value);
        }
    }
    config
}

/// The part of a value that becomes configuration, in the same form as values that people give: it
/// may become part of a host name.
fn taken(input: &ConfigInput, said: String, development: bool) -> Option<String> {
    let value = match input.take {
        None => said,
        Some(Take::Host) => match host_of(&said, development)? {
            // Nothing but this machine is reached then, so that it needs no pattern.
            Place::Local(authority) => return Some(authority),
            Place::Named(name) => name,
        },
    };
    check_value(input, &value).is_ok().then_some(value)
}

/// Where a URL leads.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// A host by its name.
    Named(String),
    /// This machine, with the port.
    Local(String),
}

/// The host of a URL; none when it names another port, a user, an address, or is not https. A
/// development connection may be led to a port of this machine.
fn host_of(url: &str, development: bool) -> Option<Place> {
    let url = Url::parse(url).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let local = match url.host()? {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let host = url.host_str()?;
    match (local, url.scheme(), url.port()) {
        (true, "http" | "https", port) if development => Some(Place::Local(
            port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
        )),
        (false, "https", None) if url.domain().is_some() => Some(Place::Named(host.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> ConfigInput {
        ConfigInput {
            title: "Instance".to_owned(),
            description: "Where the account lives.".to_owned(),
            pattern: Some("[a-z0-9-]+(\\.[a-z0-9-]+)*\\.salesforce\\.com".to_owned()),
            example: None,
            required: true,
            from_token_response: Some("/instance_url".to_owned()),
            take: Some(Take::Host),
        }
    }

    #[test]
    fn a_host_is_taken_out_of_a_url_and_must_match() {
        let take = |url: &str, development| taken(&instance(), url.to_owned(), development);
        for (url, host) in [
            ("https://acme.my.salesforce.com", "acme.my.salesforce.com"),
            (
                "https://Acme.MY.salesforce.com:443/services?x=1",
                "acme.my.salesforce.com",
            ),
        ] {
            assert_eq!(take(url, false).as_deref(), Some(host), "{url}");
            assert_eq!(take(url, true).as_deref(), Some(host), "{url}");
        }
        for url in [
            "acme.my.salesforce.com",
            "http://acme.my.salesforce.com",
            "https://acme.my.salesforce.com:8443",
            "https://user@acme.my.salesforce.com",
            "https://acme.my.salesforce.com.evil.example",
            "https://evil.example/acme.my.salesforce.com",
            "https://evil.example\\@acme.my.salesforce.com",
            "https://10.0.0.1",
            "ftp://acme.my.salesforce.com",
            "",
        ] {
            assert_eq!(take(url, false), None, "{url}");
            assert_eq!(take(url, true), None, "{url}");
        }
    }

    #[test]
    fn only_development_is_led_to_a_port_of_this_machine() {
        let take = |url: &str, development| taken(&instance(), url.to_owned(), development);
        for (url, authority) in [
            ("http://127.0.0.1:4567/x", "127.0.0.1:4567"),
            ("http://one.localhost:4567", "one.localhost:4567"),
            ("http://[::1]:4567", "[::1]:4567"),
        ] {
            assert_eq!(take(url, true).as_deref(), Some(authority), "{url}");
            assert_eq!(take(url, false), None, "{url}");
        }
    }
}
