//! Access tokens of other issuers: an organization's own authorization server, whose tokens name
//! one of our servers as their audience. Which issuers are trusted, for which environments and by
//! which claim, is the operator's setting; nothing of it comes from a token.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{AccessLevel, Principal, Rules, Servers, Target, principal, session::unauthenticated};
use crate::config;
use crate::egress::Egress;
use crate::error::{Fault, Kind};
use crate::id::Identifier;

/// What a token may be good for at a server: the scopes of its audience.
pub const SCOPES: [&str; 2] = ["mcp:read", "mcp:write"];

/// Longer texts are not looked at.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// Bytes of a set of keys.
const MAX_KEYS_BYTES: usize = 256 * 1024;
/// The whole exchange for a set of keys.
const FETCH_TIME: Duration = Duration::from_secs(10);
/// A set of keys is read again after this long …
const FRESH: Duration = Duration::from_secs(600);
/// … and for a key that it lacks no more often than this, whoever asks.
const PAUSE: Duration = Duration::from_secs(30);
/// How far the clocks of hosts may differ, in seconds.
const SKEW_SECONDS: i64 = 60;

/// The issuers that are trusted.
pub(super) struct Issuers {
    known: Vec<Known>,
    egress: Arc<Egress>,
}

struct Known {
    settings: config::Issuer,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    /// None until they were read once.
    set: Arc<Option<JwkSet>>,
    read_at: Option<Instant>,
}

/// What a good token says.
struct Token {
    identifier: Identifier,
    access: AccessLevel,
    expires_at_ms: i64,
    environments: Vec<String>,
}

impl Issuers {
    pub(super) fn new(settings: &[config::Issuer], egress: Arc<Egress>) -> Self {
        let known = settings.iter().map(|settings| Known {
            settings: settings.clone(),
            keys: Mutex::default(),
        });
        Self {
            known: known.collect(),
            egress,
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|known| known.settings.issuer.as_str())
    }

    /// What this token says at `audience`, when a trusted issuer signed it for there and it is in
    /// force.
    async fn read(&self, audience: &str, token: &str, now_seconds: i64) -> Result<Token, Fault> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(unauthenticated());
        }
        let issuer = claimed_issuer(token).ok_or_else(unauthenticated)?;
        let known = self
            .known
            .iter()
            .find(|known| known.settings.issuer == issuer)
            .ok_or_else(unauthenticated)?;
        let header = jsonwebtoken::decode_header(token).map_err(|_| unauthenticated())?;
        let keys = self.keys(known, header.kid.as_deref()).await?;
        let key = keys
            .as_ref()
            .as_ref()
            .and_then(|keys| choose(keys, header.kid.as_deref()))
            .ok_or_else(unauthenticated)?;
        let claims =
            verify(key, header.alg, &known.settings.issuer, audience, token).ok_or_else(unauthenticated)?;
        understand(&known.settings, &claims, now_seconds)
    }

    /// The issuer's keys: those at hand, or read anew when they are old or lack `kid`.
    async fn keys(&self, known: &Known, kid: Option<&str>) -> Result<Arc<Option<JwkSet>>, Fault> {
        let mut keys = known.keys.lock().await;
        let age = keys.read_at.map(|at| at.elapsed());
        let has = keys
            .set
            .as_ref()
            .as_ref()
            .is_some_and(|set| choose(set, kid).is_some());
        let again = match age {
            None => true,
            Some(age) => age > FRESH || (!has && age > PAUSE),
        };
        if again {
            keys.read_at = Some(Instant::now());
            match self.fetch(&known.settings).await {
                Ok(set) => keys.set = Arc::new(Some(set)),
                // The keys at hand go on serving while the issuer cannot be reached.
                Err(why) => tracing::warn!(
                    issuer = known.settings.issuer,
                    why,
                    "the keys of an issuer cannot be read"
                ),
            }
        }
        if keys.set.is_none() {
            return Err(Fault::new(
                Kind::VendorUnavailable,
                "The keys of this token's issuer cannot be read just now, so that the token cannot be checked. Try again later.",
            ));
        }
        Ok(Arc::clone(&keys.set))
    }

    async fn fetch(&self, settings: &config::Issuer) -> Result<JwkSet, String> {
        let bytes = match (&settings.jwks_url, &settings.jwks_file) {
            (Some(url), _) => {
                let read = self
                    .egress
                    .read(url, settings.development, MAX_KEYS_BYTES, FETCH_TIME);
                let answer = read.await.map_err(|error| error.to_string())?;
                if !answer.status.is_success() {
                    return Err(format!("the answer was {}", answer.status));
                }
                answer.body.to_vec()
            }
            (None, Some(file)) => tokio::fs::read(file).await.map_err(|error| error.to_string())?,
            (None, None) => return Err("neither `jwks_url` nor `jwks_file` is set".to_owned()),
        };
        serde_json::from_slice(&bytes).map_err(|_| "it is no JSON Web Key Set".to_owned())
    }
}

/// Who a token says made it; not believed before its signature is checked with that issuer's keys.
fn claimed_issuer(token: &str) -> Option<String> {
    let payload = token.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    claims["iss"].as_str().map(str::to_owned)
}

/// The key of this id; without one the only key there is.
fn choose<'k>(keys: &'k JwkSet, kid: Option<&str>) -> Option<&'k Jwk> {
    match (kid, keys.keys.as_slice()) {
        (Some(kid), keys) => keys.iter().find(|key| key.common.key_id.as_deref() == Some(kid)),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

/// The claims of a token, when it is signed by `key`. The key decides which algorithms there are,
/// never the token, and none of them is a shared secret.
fn verify(
    key: &Jwk,
    algorithm: Algorithm,
    issuer: &str,
    audience: &str,
    token: &str,
) -> Option<Map<String, Value>> {
    let fitting: &[Algorithm] = match &key.algorithm {
        AlgorithmParameters::RSA(_) => &[
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => &[Algorithm::ES256],
            EllipticCurve::P384 => &[Algorithm::ES384],
            _ => &[],
        },
        AlgorithmParameters::OctetKeyPair(_) => &[Algorithm::EdDSA],
        _ => &[],
    };
    if !fitting.contains(&algorithm) {
        return None;
    }
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    // Times are compared with our own clock.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let key = DecodingKey::from_jwk(key).ok()?;
    let token = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation).ok()?;
    Some(token.claims)
}

fn understand(
    settings: &config::Issuer,
    claims: &Map<String, Value>,
    now_seconds: i64,
) -> Result<Token, Fault> {
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64).map(whole_seconds);
    let expires_at = seconds("exp").ok_or_else(unauthenticated)?;
    let begins = seconds("nbf").is_none_or(|from| from <= now_seconds + SKEW_SECONDS);
    if !begins || now_seconds >= expires_at.saturating_add(SKEW_SECONDS) {
        return Err(unauthenticated());
    }
    let identifier = claims
        .get(&settings.identifier_claim)
        .and_then(Value::as_str)
        .and_then(|text| Identifier::new(text).ok())
        .ok_or_else(unauthenticated)?;
    let scopes: Vec<&str> = match (claims.get("scope"), claims.get("scp")) {
        (Some(Value::String(text)), _) => text.split(' ').collect(),
        (_, Some(Value::Array(list))) => list.iter().filter_map(Value::as_str).collect(),
        (_, Some(Value::String(text))) => text.split(' ').collect(),
        _ => Vec::new(),
    };
    let access = match SCOPES.map(|scope| scopes.contains(&scope)) {
        [_, true] => AccessLevel::Full,
        [true, false] => AccessLevel::ReadOnly,
        [false, false] => {
            return Err(Fault::new(
                Kind::PolicyDenied,
                "This token has neither of the scopes `mcp:read` (tools that change nothing) and `mcp:write` (all tools). Ask the issuer for one that has.",
            )
            .reason("insufficient_scope"));
        }
    };
    Ok(Token {
        identifier,
        access,
        expires_at_ms: expires_at.saturating_mul(1_000),
        environments: settings.environments.clone(),
    })
}

#[allow(clippy::cast_possible_truncation, reason = "clamped to what fits")]
fn whole_seconds(seconds: f64) -> i64 {
    seconds.clamp(0.0, 1e11) as i64
}

impl Servers {
    /// The issuers whose tokens are taken.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.issuers.names()
    }

    /// Who presents this token of another issuer at this URL.
    pub(super) async fn authenticate_elsewhere(
        &self,
        target: &Target,
        token: &str,
    ) -> Result<Principal, Fault> {
        let Target::Server(id) = target else {
            return Err(unauthenticated());
        };
        let now_seconds = self.clock.now().as_second();
        let token = self.issuers.read(&self.url(target), token, now_seconds).await?;
        let server = self.anywhere(id).ok_or_else(unauthenticated)?;
        if !token
            .environments
            .iter()
            .any(|name| name == server.environment.as_str())
        {
            return Err(unauthenticated());
        }
        let mut rules = Rules::of(&server);
        rules.access = token.access;
        Ok(Principal {
            caller: principal::caller(&server.client, &server.environment),
            identifier: token.identifier,
            target: target.clone(),
            rules,
            server: Some(server),
            session: None,
            expires_at_ms: token.expires_at_ms,
            ended: tokio_util::sync::CancellationToken::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const HERE: &str = "https://host/mcp/servers/mcp_1";

    struct Signer {
        key: EncodingKey,
        jwk: Value,
    }

    fn signer(kid: &str) -> Signer {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        Signer {
            key: EncodingKey::from_ed_der(pair.to_pkcs8v1().expect("a key").as_ref()),
            jwk: json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": public}),
        }
    }

    fn token(signer: &Signer, kid: &str, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(kid.to_owned());
        jsonwebtoken::encode(&header, claims, &signer.key).expect("a token")
    }

    fn claims() -> Value {
        json!({"iss": "https://idp", "aud": HERE, "sub": "user-1", "exp": NOW + 60, "scope": "mcp:write openid"})
    }

    fn check(keys: &JwkSet, token: &str) -> Option<Token> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let key = choose(keys, header.kid.as_deref())?;
        let claims = verify(key, header.alg, "https://idp", HERE, token)?;
        understand(&config::Issuer::default(), &claims, NOW).ok()
    }

    #[test]
    fn a_token_of_the_issuer_for_this_url_is_taken_and_every_other_is_not() {
        let ours = signer("a");
        let keys: JwkSet =
            serde_json::from_value(json!({"keys": [ours.jwk.clone(), signer("b").jwk]})).expect("keys");
        let good = check(&keys, &token(&ours, "a", &claims())).expect("taken");
        assert_eq!(
            (good.identifier.as_str(), good.access),
            ("user-1", AccessLevel::Full)
        );

        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            check(&keys, &token(&ours, "a", &claims))
        };
        assert!(with("aud", json!(["https://other", HERE])).is_some());
        assert_eq!(
            with("scope", json!("mcp:read")).map(|token| token.access),
            Some(AccessLevel::ReadOnly)
        );
        for (name, value) in [
            ("aud", json!("https://host/mcp/servers/mcp_2")),
            ("aud", json!([])),
            ("aud", Value::Null),
            ("iss", json!("https://idp/")),
            ("exp", json!(NOW - 61)),
            ("exp", Value::Null),
            ("nbf", json!(NOW + 61)),
            ("sub", Value::Null),
            ("sub", json!("")),
            ("scope", json!("openid")),
        ] {
            assert!(with(name, value.clone()).is_none(), "{name} {value}");
        }
        assert!(
            check(&keys, &token(&signer("a"), "a", &claims())).is_none(),
            "another key"
        );
        assert!(
            check(&keys, &token(&ours, "b", &claims())).is_none(),
            "another key's id"
        );
        assert!(
            check(&keys, &token(&ours, "c", &claims())).is_none(),
            "an unknown key's id"
        );
    }

    #[test]
    fn the_key_decides_on_the_algorithm() {
        let ours = signer("a");
        let keys: JwkSet = serde_json::from_value(json!({"keys": [ours.jwk.clone()]})).expect("keys");
        let public = ours.jwk["x"].as_str().expect("a key");
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("a".to_owned());
        let forged = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(public.as_bytes()));
        assert!(check(&keys, &forged.expect("a token")).is_none());
        let parts = token(&ours, "a", &claims());
        let parts: Vec<&str> = parts.split('.').collect();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"a"}"#);
        assert!(check(&keys, &format!("{none}.{}.", parts[1])).is_none());
    }
}
