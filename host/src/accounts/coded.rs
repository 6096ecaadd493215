//! Access tokens for vendors whose token endpoint no declaration describes: the connector's `auth`
//! decides what is asked, in a sandbox that reaches that endpoint alone, and says where in the answers
//! the tokens are. The texts themselves stay on this side.
//!
//! Called in the place of one request to a token endpoint: what leads to it (consent, verification,
//! the intent, one flight for all) and what follows is the same for all accounts. What the code says is
//! believed only as far as the endpoint's own answers go: a refusal that nobody answered is none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use valetkey_manifest::Manifest;
use valetkey_manifest::auth::Coded;

use super::assertion;
use super::connections::Configured;
use super::entry::KeptInputs;
use super::model::Connection;
use super::parts::Parts;
use super::quirks::{self, Grant, Refusal, known_code};
use super::token_endpoint::{Failure, fill};
use crate::egress::MIN_SECRET_BYTES;
use crate::egress::dialogue::{Course, Dialogue, Found, Step, Terms};
use crate::error::{Fault, Kind, Retry};
use crate::registry::Converse;
use crate::secret::Secret;

/// Requests whose time a whole conversation may take.
const PATIENCE: u32 = 2;
/// Bytes of a fact that may become account configuration, which tools can read.
const FACT_BYTES: usize = 128;
/// Parts of the names under which answers keep secrets. Configuration is never read from there.
const SECRET_NAMES: [&str; 12] = [
    "token",
    "secret",
    "password",
    "passwd",
    "credential",
    "session",
    "signature",
    "assertion",
    "jwt",
    "cookie",
    "key",
    "code",
];

/// Exchanges an authorization code.
pub(super) async fn exchange(
    parts: &Parts,
    configured: &Configured,
    config: &BTreeMap<String, String>,
    code: &Secret,
    verifier: &Secret,
    redirect_uri: &str,
) -> Result<Grant, Failure> {
    let mut given = client(configured);
    given.extend([
        ("code".to_owned(), code.clone()),
        ("code_verifier".to_owned(), verifier.clone()),
        ("redirect_uri".to_owned(), Secret::new(redirect_uri.to_owned())),
    ]);
    talk(parts, configured, config, given, Step::Exchange).await
}

/// Presents a refresh token.
pub(super) async fn refresh(
    parts: &Parts,
    configured: &Configured,
    config: &BTreeMap<String, String>,
    token: &Secret,
) -> Result<Grant, Failure> {
    let mut given = client(configured);
    given.push(("refresh_token".to_owned(), token.clone()));
    talk(parts, configured, config, given, Step::Refresh).await
}

/// Asks with what an account's owner gave: by the connector's code where the connection says so, else
/// as the manifest declares it.
pub(super) async fn issue_or_ask(
    parts: &Parts,
    configured: &Configured,
    config: &BTreeMap<String, String>,
    inputs: &KeptInputs,
) -> Result<Grant, Failure> {
    let connection = configured.connection();
    if !speaks_for(&connection) {
        return assertion::ask(parts, &connection, config, inputs).await;
    }
    let all = inputs.secret.iter().chain(&inputs.open);
    let mut given: Vec<_> = all
        .map(|(name, text)| (name.clone(), Secret::new(text.clone())))
        .collect();
    given.push(("scopes".to_owned(), Secret::new(connection.scopes.join(" "))));
    talk(parts, configured, config, given, Step::Issue).await
}

/// What every conversation about a consent begins with.
fn client(configured: &Configured) -> Vec<(String, Secret)> {
    let connection = configured.connection();
    let separator = connection
        .oauth2
        .as_ref()
        .map_or(" ", |oauth2| oauth2.scope_separator.as_str());
    let mut given = vec![(
        "scopes".to_owned(),
        Secret::new(connection.scopes.join(separator)),
    )];
    if let Some(id) = &connection.oauth_client_id {
        given.push(("client_id".to_owned(), Secret::new(id.clone())));
    }
    if let Some(secret) = &configured.client_secret {
        given.push(("client_secret".to_owned(), secret.clone()));
    }
    given
}

async fn talk(
    parts: &Parts,
    configured: &Configured,
    config: &BTreeMap<String, String>,
    given: Vec<(String, Secret)>,
    step: Step,
) -> Result<Grant, Failure> {
    let not_begun = |fault: Fault| Failure::NotSent(fault.public().to_owned());
    let connection = configured.connection();
    let version = configured.version(parts).map_err(not_begun)?;
    let Some((url, coded)) = endpoint(&connection) else {
        return Err(Failure::NotSent(
            "the connection has no token endpoint".to_owned(),
        ));
    };
    let deadline = Instant::now() + parts.token_timeout() * PATIENCE;
    let terms = Terms {
        url: fill(url, config).map_err(not_begun)?,
        paths: coded.paths.clone(),
        development: connection.development,
        max_response_bytes: parts.settings.max_token_response_bytes,
        timeout: parts.token_timeout(),
        deadline,
    };
    let dialogue = Arc::new(Dialogue::new(Arc::clone(&parts.egress), terms, given));
    let about = Converse {
        connector: connection.connector.to_string(),
        credential_kind: connection.kind,
        account_config: Arc::new(config.clone()),
        deadline,
    };
    let ended = parts
        .registry
        .converse(&version, about, Arc::clone(&dialogue), step)
        .await;
    let found = ended.map_err(|fault| failure(&fault, &dialogue.course(), &connection, step))?;
    grant(
        &dialogue,
        &found,
        &connection,
        &version.manifest,
        parts.clock.now(),
    )
    .map_err(|what| {
        tracing::warn!(
            connector = connection.connector.as_str(),
            step = step.as_str(),
            what,
            "a connector's auth found no usable token"
        );
        Failure::Code {
            kind: Kind::ConnectorOutputInvalid,
            asked: dialogue.course() != Course::Silent,
        }
    })
}

/// Whether the connector's code asks the token endpoint of a connection.
pub(super) fn speaks_for(connection: &Connection) -> bool {
    endpoint(connection).is_some()
}

/// Where the connection's code asks.
fn endpoint(connection: &Connection) -> Option<(&str, &Coded)> {
    if let Some(oauth2) = &connection.oauth2 {
        return Some((&oauth2.token_url, oauth2.coded.as_ref()?));
    }
    let grant = connection.grant.as_ref()?;
    Some((&grant.token_url, grant.coded.as_ref()?))
}

/// What a conversation without tokens means: what the host saw of it counts before what the code says.
fn failure(fault: &Fault, course: &Course, connection: &Connection, step: Step) -> Failure {
    let code = fault.vendor_error().and_then(|vendor| vendor.code.as_deref());
    tracing::warn!(
        connector = connection.connector.as_str(),
        step = step.as_str(),
        kind = fault.kind().as_str(),
        cause = fault.chain(),
        "a connector's auth gave no token"
    );
    // The code's own mistakes, and the host's.
    let of_code = matches!(
        fault.kind(),
        Kind::ConnectorTrapped
            | Kind::ConnectorLimit
            | Kind::ConnectorOutputInvalid
            | Kind::EgressDenied
            | Kind::Overloaded
            | Kind::Internal
    );
    match course {
        Course::Unknown => Failure::OutcomeUnknown,
        Course::NotSent(why) => Failure::NotSent(why.clone()),
        Course::Answered { status, retry_after } if *status >= 500 || matches!(status, 408 | 425 | 429) => {
            Failure::Refused(Refusal::Busy(*retry_after))
        }
        // Vendors say "not now" with the status of a success, too.
        Course::Answered { .. }
            if matches!(
                fault.kind(),
                Kind::VendorUnavailable | Kind::VendorTimeout | Kind::RateLimited
            ) =>
        {
            Failure::Refused(Refusal::Busy(match fault.retry_advice() {
                Retry::After(wait) => Some(wait),
                Retry::Never | Retry::Later => None,
            }))
        }
        Course::Answered { .. } if !of_code => Failure::Refused(match code {
            Some("invalid_grant") => Refusal::Grant,
            Some("invalid_client" | "unauthorized_client") => Refusal::Client,
            other => Refusal::Other(other.and_then(known_code)),
        }),
        Course::Answered { .. } => Failure::Code {
            kind: fault.kind(),
            asked: true,
        },
        // A refusal that no endpoint gave is a mistake of the code.
        Course::Silent => Failure::Code {
            kind: if of_code {
                fault.kind()
            } else {
                Kind::ConnectorOutputInvalid
            },
            asked: false,
        },
    }
}

/// The grant that is where the code says. What becomes visible to guests later (scopes,
/// configuration) is held to what was known before, so that no token leaves that way.
fn grant(
    dialogue: &Dialogue,
    found: &Found,
    connection: &Connection,
    manifest: &Manifest,
    now: Timestamp,
) -> Result<Grant, &'static str> {
    let token = |value| {
        // Into the account's sealed record, and from there into requests.
        let text = dialogue
            .granted_text(value)
            .ok_or("a token is not out of an answer of the endpoint")?;
        quirks::token(Some(Value::from(text.expose())))
    };
    let access = token(found.access)?.ok_or("no access token")?;
    let refresh = found.refresh.map(token).transpose()?.flatten();
    let stated = match found.lifetime {
        None => None,
        Some(value) => {
            // Read here, and kept as a number alone.
            let text = dialogue
                .granted_text(value)
                .ok_or("the lifetime is not out of an answer of the endpoint")?;
            lifetime(text.expose(), &found.lifetime_unit, now)?
        }
    };
    let scopes = match found.scopes.map(|value| dialogue.answered(value)) {
        None => None,
        Some(Some(Value::String(text))) => Some(known_scopes(
            quirks::split_scopes(&text, separator(connection)),
            connection,
            manifest,
        )),
        Some(Some(Value::Array(list))) => {
            let texts = list.iter().filter_map(|scope| scope.as_str().map(str::to_owned));
            Some(known_scopes(texts.collect(), connection, manifest))
        }
        Some(_) => return Err("the scopes are no text or list of an answer"),
    };
    let mut about = match found.about {
        None => Value::Null,
        Some(value) => dialogue
            .answered(value)
            .ok_or("the facts about the account are no part of an answer")?,
    };
    let answers = dialogue.answers();
    let mut secrets = Vec::new();
    for answer in &answers {
        named_secrets(answer, false, &mut secrets);
    }
    // Compared with facts, and not handed on.
    secrets.push(access.expose());
    secrets.extend(refresh.as_ref().map(Secret::expose));
    keep_facts(&mut about, &secrets);
    Ok(Grant::found(
        access.clone(),
        refresh.clone(),
        stated,
        scopes,
        about,
    ))
}

fn separator(connection: &Connection) -> &str {
    connection
        .oauth2
        .as_ref()
        .map_or(" ", |oauth2| oauth2.scope_separator.as_str())
}

/// The scopes of which connection or manifest has the words already.
fn known_scopes(granted: Vec<String>, connection: &Connection, manifest: &Manifest) -> Vec<String> {
    let of_tools = manifest
        .tools
        .iter()
        .flat_map(|tool| tool.scopes.iter().chain(&tool.any_scopes));
    let of_schemes = manifest.auth.iter().filter_map(|auth| auth.oauth2.as_ref());
    let of_schemes = of_schemes.flat_map(|oauth2| oauth2.scopes.iter().chain(oauth2.scope_titles.keys()));
    let known: BTreeSet<&String> = connection
        .scopes
        .iter()
        .chain(of_tools)
        .chain(of_schemes)
        .collect();
    granted
        .into_iter()
        .filter(|scope| known.contains(scope))
        .collect()
}

/// Whether answers keep secrets under this name.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// The texts that stand under the name of a secret, long enough to be one.
fn named_secrets<'v>(value: &'v Value, named: bool, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                named_secrets(member, named || is_secret(name), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named_secrets(item, named, found)),
        Value::String(text) if named && text.len() >= MIN_SECRET_BYTES => found.push(text),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Takes out of an answer what may be a secret: by its name, by its length, or because it is one.
fn keep_facts(value: &mut Value, secrets: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !is_secret(name));
            members
                .values_mut()
                .for_each(|member| keep_facts(member, secrets));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| keep_facts(item, secrets)),
        Value::String(text) => {
            if text.len() > FACT_BYTES || secrets.iter().any(|secret| text.contains(secret)) {
                *value = Value::Null;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// How long a token is good from `now`; none when the vendor's word says nothing.
///
/// # Errors
/// A unit that the contract does not know.
fn lifetime(text: &str, unit: &str, now: Timestamp) -> Result<Option<Duration>, &'static str> {
    let number = |text: &str| {
        text.trim()
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
    };
    #[allow(
        clippy::cast_precision_loss,
        reason = "milliseconds of this era fit a double exactly"
    )]
    let now_seconds = now.as_millisecond() as f64 / 1000.0;
    let seconds = match unit {
        "seconds" => number(text),
        "milliseconds" => number(text).map(|ms| ms / 1000.0),
        "unix-seconds" => number(text).map(|at| at - now_seconds),
        "unix-milliseconds" => number(text).map(|at| at / 1000.0 - now_seconds),
        "rfc3339" => {
            let at = text.trim().parse::<Timestamp>().ok();
            #[allow(clippy::cast_precision_loss, reason = "as above")]
            at.map(|at| at.as_millisecond() as f64 / 1000.0 - now_seconds)
        }
        "jwt" => expiry(text).map(|at| at - now_seconds),
        _ => return Err("the lifetime's unit is not one of the contract's"),
    };
    let seconds = seconds.filter(|seconds| *seconds >= 1.0);
    Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.floor()).ok()))
}

/// The `exp` of a signed token, read without checking the signature: it only says when to refresh.
fn expiry(token: &str) -> Option<f64> {
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    serde_json::from_slice::<Value>(&claims)
        .ok()?
        .get("exp")?
        .as_f64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lifetimes_are_read_in_every_unit() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let token = format!("h.{}.s", URL_SAFE_NO_PAD.encode(r#"{"exp":1800003600}"#));
        for (text, unit) in [
            ("3600", "seconds"),
            ("3600.9", "seconds"),
            ("3600000", "milliseconds"),
            ("1800003600", "unix-seconds"),
            ("1800003600000", "unix-milliseconds"),
            ("2027-01-15T09:00:00Z", "rfc3339"),
            (&token, "jwt"),
        ] {
            let read = lifetime(text, unit, now).unwrap();
            assert_eq!(read, Some(Duration::from_secs(3600)), "{text} {unit}");
        }
        for (text, unit) in [
            ("soon", "seconds"),
            ("-1", "seconds"),
            ("inf", "seconds"),
            ("1799999999", "unix-seconds"),
            ("never", "rfc3339"),
            ("opaque", "jwt"),
        ] {
            assert_eq!(lifetime(text, unit, now), Ok(None), "{text} {unit}");
        }
        assert!(lifetime("1", "fortnights", now).is_err());
    }

    #[test]
    fn facts_about_an_account_hold_no_secret() {
        let mut about = json!({
            "Access_Token": "x", "site": "eu-1", "id": 7, "note": "holds the-token inside", "long": "a".repeat(129),
            "list": [{"apiKey": "k", "host": "h"}, "the-token"]
        });
        keep_facts(&mut about, &["the-token"]);
        assert_eq!(
            about,
            json!({"site": "eu-1", "id": 7, "note": null, "long": null, "list": [{"host": "h"}, null]})
        );
    }
}
