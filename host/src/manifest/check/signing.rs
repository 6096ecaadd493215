//! Placements that make something of several inputs, and token grants: every input they use is
//! declared, every name in a template is known.

use std::collections::BTreeMap;

use serde_json::Value;
use valetkey_manifest::signing::{Fields, Hmac, Jwt, SigV4};
use valetkey_manifest::template::{self, Part};
use valetkey_manifest::{Auth, AuthKind, Manifest};

use super::auth::expect_header;
use super::{Complaints, step};
use crate::egress;

/// The longest lifetime of a token that the host signs.
const LONGEST_SECONDS: u32 = 86_400;

/// What templates over a request know beside inputs, configuration and `header.NAME`.
const OVER_REQUEST: [&str; 10] = [
    "method",
    "host",
    "path",
    "query",
    "target",
    "body",
    "body_sha256",
    "body_sha256_base64",
    "timestamp",
    "nonce",
];
/// What templates know where a signature goes.
const SIGNED: [&str; 3] = ["signature", "timestamp", "nonce"];
/// What templates of an assertion know.
const ASSERTED: [&str; 4] = ["token_url", "scopes", "nonce", "timestamp"];

/// Claims that the host writes.
const HOST_CLAIMS: [&str; 2] = ["iat", "exp"];

/// Where a template stands: what it may name.
struct Place<'a> {
    manifest: &'a Manifest,
    auth: &'a Auth,
    own: &'a [&'a str],
    /// Whether it stands over a request, whose headers it may name.
    request: bool,
}

impl Place<'_> {
    fn expect_known(&self, text: &str, path: &str, complaints: &mut Complaints) {
        for part in template::parts(text) {
            let name = match part {
                Part::Text(_) => continue,
                Part::Name(name) => name,
                Part::Spread(name) => {
                    complaints.add(
                        path,
                        format!("`{{{name}...}}` spreads nothing here; write `{{{name}}}`"),
                    );
                    continue;
                }
            };
            let declared = match name.split_once('.') {
                Some(("inputs", input)) => self.auth.inputs.contains_key(input),
                Some(("config", setting)) => self.manifest.account_config.contains_key(setting),
                Some(("header", _)) => self.request,
                Some(_) => false,
                None => self.own.contains(&name),
            };
            complaints.expect(
                declared,
                path,
                format!(
                    "`{{{name}}}` is not known here; known are {}",
                    self.known().join(", ")
                ),
            );
        }
    }

    fn known(&self) -> Vec<String> {
        let inputs = self.auth.inputs.keys().map(|name| format!("inputs.{name}"));
        let config = self.manifest.account_config.keys();
        let config = config.map(|name| format!("config.{name}"));
        let header = self.request.then(|| "header.NAME".to_owned());
        let own = self.own.iter().map(|name| (*name).to_owned());
        inputs.chain(config).chain(own).chain(header).collect()
    }
}

pub(super) fn fields(
    manifest: &Manifest,
    auth: &Auth,
    fields: &Fields,
    path: &str,
    complaints: &mut Complaints,
) {
    let place = Place {
        manifest,
        auth,
        own: &[],
        request: false,
    };
    complaints.expect(
        !fields.headers.is_empty() || !fields.query.is_empty(),
        path,
        "adds nothing; declare `headers` or `query` with templates such as `{inputs.api_key}`",
    );
    added(&place, &fields.headers, &fields.query, path, complaints);
}

pub(super) fn hmac(manifest: &Manifest, auth: &Auth, hmac: &Hmac, path: &str, complaints: &mut Complaints) {
    expect_secret(auth, &hmac.key, &format!("{path}/key"), complaints);
    let over_request = Place {
        manifest,
        auth,
        own: &OVER_REQUEST,
        request: true,
    };
    complaints.expect(
        !hmac.signed.is_empty(),
        format!("{path}/signed"),
        "is empty; write what the vendor signs, such as `{timestamp}{method}{target}{body}`",
    );
    over_request.expect_known(&hmac.signed, &format!("{path}/signed"), complaints);
    let where_it_goes = Place {
        own: &SIGNED,
        request: false,
        ..over_request
    };
    added(&where_it_goes, &hmac.headers, &hmac.query, path, complaints);
    let carriers = hmac.headers.values().chain(hmac.query.values());
    complaints.expect(
        carriers.filter(|text| text.contains("{signature}")).count() == 1,
        path,
        "sends the signature nowhere or twice; one of `headers` and `query` holds `{signature}`",
    );
}

pub(super) fn sigv4(
    manifest: &Manifest,
    auth: &Auth,
    sigv4: &SigV4,
    path: &str,
    complaints: &mut Complaints,
) {
    for needed in ["access_key_id", "secret_access_key"] {
        complaints.expect(
            auth.inputs.get(needed).is_some_and(|input| !input.optional),
            path,
            format!("needs the input `{needed}`; declare it in `inputs`"),
        );
    }
    let is_plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    complaints.expect(
        is_plain(&sigv4.service),
        format!("{path}/service"),
        format!("{:?} is not a service's name such as `s3`", sigv4.service),
    );
    let place = Place {
        manifest,
        auth,
        own: &[],
        request: false,
    };
    let at = format!("{path}/region");
    if sigv4.region.starts_with("{config.") {
        place.expect_known(&sigv4.region, &at, complaints);
    } else {
        complaints.expect(
            is_plain(&sigv4.region),
            at,
            format!("{:?} is neither a region nor `{{config.NAME}}`", sigv4.region),
        );
    }
}

/// A token that the host signs for every request.
pub(super) fn token(manifest: &Manifest, auth: &Auth, token: &Jwt, path: &str, complaints: &mut Complaints) {
    let place = Place {
        manifest,
        auth,
        own: &OVER_REQUEST,
        request: true,
    };
    jwt(&place, token, path, complaints);
}

/// How a kind whose inputs are exchanged asks for access tokens.
pub(super) fn grant(manifest: &Manifest, auth: &Auth, path: &str, complaints: &mut Complaints) {
    let path = format!("{path}/grant");
    let exchanged = matches!(auth.kind, AuthKind::JwtBearer | AuthKind::ClientCredentials);
    let kind = auth.kind.as_str();
    let grant = match (&auth.grant, exchanged) {
        (None, false) => return,
        (None, true) => {
            complaints.add(path, format!("is missing; kind `{kind}` needs its `token_url`"));
            return;
        }
        (Some(_), false) => {
            complaints.add(
                path,
                format!("does not go with kind `{kind}`; take it out or change the kind"),
            );
            return;
        }
        (Some(grant), true) => grant,
    };
    let place = Place {
        manifest,
        auth,
        own: &ASSERTED,
        request: false,
    };
    token_url(&place, &grant.token_url, &format!("{path}/token_url"), complaints);
    match &grant.assertion {
        // The code asks with what it likes of the inputs.
        None if grant.coded.is_some() => {}
        Some(assertion) => jwt(&place, assertion, &format!("{path}/assertion"), complaints),
        None if auth.kind == AuthKind::JwtBearer => complaints.add(
            format!("{path}/assertion"),
            "is missing; it says which key signs which claims",
        ),
        None => {
            for needed in ["client_id", "client_secret"] {
                complaints.expect(
                    auth.inputs.contains_key(needed),
                    path.as_str(),
                    format!("needs the input `{needed}`, or an `assertion` in its place"),
                );
            }
        }
    }
    for (name, text) in &grant.params {
        let at = format!("{path}/params/{}", step(name));
        let plain = Place { own: &[], ..place };
        plain.expect_known(text, &at, complaints);
        complaints.expect(
            ![
                "grant_type",
                "assertion",
                "client_assertion",
                "client_assertion_type",
                "client_id",
                "client_secret",
                "scope",
            ]
            .contains(&name.as_str()),
            at,
            "is written by the host; take it out",
        );
    }
}

fn token_url(place: &Place<'_>, url: &str, path: &str, complaints: &mut Complaints) {
    let mut plain = String::new();
    for part in template::parts(url) {
        match part {
            Part::Text(text) => plain.push_str(text),
            Part::Name(name) | Part::Spread(name) => {
                let known = name
                    .strip_prefix("config.")
                    .is_some_and(|name| place.manifest.account_config.contains_key(name));
                complaints.expect(
                    known,
                    path,
                    format!("`{{{name}}}` is not declared; only `{{config.NAME}}` of [account_config] may stand in a URL"),
                );
                plain.push('x');
            }
        }
    }
    let base = plain.split('?').next().unwrap_or_default();
    if let Err(problem) = egress::endpoint(base, false, false, &BTreeMap::new()) {
        complaints.add(path, problem);
    }
}

fn jwt(place: &Place<'_>, token: &Jwt, path: &str, complaints: &mut Complaints) {
    expect_secret(place.auth, &token.key, &format!("{path}/key"), complaints);
    complaints.expect(
        (1..=LONGEST_SECONDS).contains(&token.lifetime_seconds),
        format!("{path}/lifetime_seconds"),
        format!("is 1 to {LONGEST_SECONDS} seconds; vendors take some minutes"),
    );
    if let Some(key_id) = &token.key_id {
        place.expect_known(key_id, &format!("{path}/key_id"), complaints);
    }
    for (name, claim) in &token.claims {
        let at = format!("{path}/claims/{}", step(name));
        complaints.expect(
            !HOST_CLAIMS.contains(&name.as_str()),
            at.as_str(),
            "is written by the host; take it out",
        );
        claim_texts(claim, &mut |text| place.expect_known(text, &at, complaints));
    }
}

fn claim_texts(claim: &Value, each: &mut impl FnMut(&str)) {
    match claim {
        Value::String(text) => each(text),
        Value::Array(items) => items.iter().for_each(|item| claim_texts(item, each)),
        Value::Object(members) => members.values().for_each(|item| claim_texts(item, each)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Headers and parameters that a placement adds.
fn added(
    place: &Place<'_>,
    headers: &BTreeMap<String, String>,
    query: &BTreeMap<String, String>,
    path: &str,
    complaints: &mut Complaints,
) {
    for (name, text) in headers {
        let at = format!("{path}/headers/{}", step(name));
        expect_header(name, at.as_str(), complaints);
        place.expect_known(text, &at, complaints);
    }
    for (name, text) in query {
        let at = format!("{path}/query/{}", step(name));
        complaints.expect(!name.is_empty(), at.as_str(), "has no name");
        place.expect_known(text, &at, complaints);
    }
}

/// Complains unless `name` is an input that is secret and always given.
fn expect_secret(auth: &Auth, name: &str, path: &str, complaints: &mut Complaints) {
    let input = auth.inputs.get(name);
    complaints.expect(
        input.is_some_and(|input| input.secret && !input.optional),
        path,
        match input {
            None => format!("there is no input {name:?}; declare it in `inputs`"),
            Some(_) => format!("the input {name:?} is a key; it is secret and not optional"),
        },
    );
}
