//! Access tokens: Ed25519 JWTs (RFC 9068) that this host signs for itself.
//!
//! The algorithm is pinned, the key id is looked up in a map and nowhere else, and what was
//! verified once is remembered until it expires: verifying a signature costs more than the whole
//! rest of a call.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::{Caller, Scope};
use crate::error::Fault;
use crate::random;
use crate::secret::{Secret, SecretBytes};

/// How long a token is good for, in seconds.
pub const LIFETIME_SECONDS: u64 = 600;
/// How far the clocks of hosts may differ, in seconds.
const SKEW_SECONDS: i64 = 60;
/// RFC 9068 section 2.1: a token of another sort is not an access token.
const TOKEN_TYPE: &str = "at+jwt";
/// Verified tokens that are remembered.
const REMEMBERED: usize = 10_000;
/// Nothing that this host signs is longer; longer texts are not looked at.
const MAX_TOKEN_BYTES: usize = 4 * 1024;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    /// Issuer: this host.
    pub iss: String,
    /// Audience: the API of this host.
    pub aud: String,
    /// The client.
    pub sub: String,
    /// Its environment.
    pub env: String,
    /// What it may do.
    pub scp: BTreeSet<Scope>,
    /// The client's epoch.
    pub epoch: u64,
    /// Issued at, seconds since 1970.
    pub iat: i64,
    /// Expires at, seconds since 1970.
    pub exp: i64,
    /// Unique.
    pub jti: String,
}

/// A new signing key, as PKCS #8.
pub(super) fn new_signing_key() -> Result<SecretBytes, Fault> {
    let pair = Ed25519KeyPair::generate().map_err(Fault::internal)?;
    let der = pair.to_pkcs8v1().map_err(Fault::internal)?;
    Ok(SecretBytes::new(der.as_ref().to_vec()))
}

/// Signs and checks tokens.
pub(super) struct Signer {
    key_id: String,
    key: EncodingKey,
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
    issuer: String,
    audience: String,
}

impl Signer {
    /// A signer with this PKCS #8 key.
    pub(super) fn new(key: &SecretBytes, issuer: String) -> Result<Self, Fault> {
        let pair = Ed25519KeyPair::from_pkcs8(key.expose()).map_err(Fault::internal)?;
        let public = pair.public_key().as_ref();
        let key_id = hex(&digest::digest(&digest::SHA256, public).as_ref()[..8]);
        let audience = format!("{issuer}/api");

        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&issuer]);
        validation.set_audience(&[&audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Times are compared with our own clock, see `check`.
        validation.validate_exp = false;

        Ok(Self {
            // The signing key goes into the signer and nowhere else.
            key: EncodingKey::from_ed_der(key.expose()),
            keys: HashMap::from([(key_id.clone(), DecodingKey::from_ed_der(public))]),
            key_id,
            validation,
            issuer,
            audience,
        })
    }

    /// A token for `caller`.
    pub(super) fn sign(&self, caller: &Caller, epoch: u64, now_seconds: i64) -> Result<Secret, Fault> {
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: caller.client.to_string(),
            env: caller.environment.to_string(),
            scp: caller.scopes.clone(),
            epoch,
            iat: now_seconds,
            exp: now_seconds.saturating_add_unsigned(LIFETIME_SECONDS),
            jti: random::token(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(self.key_id.clone());
        jsonwebtoken::encode(&header, &claims, &self.key)
            .map(Secret::new)
            .map_err(Fault::internal)
    }

    /// What a token says, when this host signed it and it is in force; none for any other text.
    pub(super) fn check(&self, token: &str, now_seconds: i64) -> Option<Claims> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        if header.typ.as_deref() != Some(TOKEN_TYPE) {
            return None;
        }
        let key = self.keys.get(header.kid.as_deref()?)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation)
            .ok()?
            .claims;
        in_force(claims.iat, claims.exp, now_seconds).then_some(claims)
    }
}

fn in_force(issued_at: i64, expires_at: i64, now_seconds: i64) -> bool {
    issued_at <= now_seconds.saturating_add(SKEW_SECONDS) && unexpired(expires_at, now_seconds)
}

fn unexpired(expires_at: i64, now_seconds: i64) -> bool {
    now_seconds < expires_at.saturating_add(SKEW_SECONDS)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The tokens that were verified already, by their SHA-256: the tokens themselves are not kept.
#[derive(Default)]
pub(super) struct Verified {
    tokens: RwLock<HashMap<[u8; 32], Known, BuildHasherDefault<Leading>>>,
}

struct Known {
    caller: Arc<Caller>,
    expires_at: i64,
    /// The epoch of the token, and where its client's present epoch stands.
    epoch: u64,
    current_epoch: Arc<AtomicU64>,
}

impl Verified {
    /// The name under which a token is remembered.
    pub(super) fn key(token: &str) -> [u8; 32] {
        digest::digest(&digest::SHA256, token.as_bytes())
            .as_ref()
            .try_into()
            .expect("SHA-256 has 32 bytes")
    }

    /// The caller of a token that was verified, has not expired and was not revoked.
    pub(super) fn get(&self, key: &[u8; 32], now_seconds: i64) -> Option<Arc<Caller>> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        let known = tokens.get(key)?;
        (unexpired(known.expires_at, now_seconds)
            && known.current_epoch.load(Ordering::Acquire) == known.epoch)
            .then(|| known.caller.clone())
    }

    /// Remembers a verified token. When there is no room the expired ones go, and if that is not
    /// enough, all: they are verified again when they come back.
    pub(super) fn insert(
        &self,
        key: [u8; 32],
        caller: Arc<Caller>,
        claims: &Claims,
        current_epoch: Arc<AtomicU64>,
        now_seconds: i64,
    ) {
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= REMEMBERED {
            tokens.retain(|_, known| unexpired(known.expires_at, now_seconds));
        }
        if tokens.len() >= REMEMBERED {
            tokens.clear();
        }
        tokens.insert(
            key,
            Known {
                caller,
                expires_at: claims.exp,
                epoch: claims.epoch,
                current_epoch,
            },
        );
    }
}

/// Takes the first bytes of a key that is a digest already: it needs no hashing.
#[derive(Default)]
struct Leading(u64);

impl Hasher for Leading {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    // A `[u8; 32]` writes its length first; it is the same for all.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::id::{ClientId, EnvironmentId};

    const NOW: i64 = 1_800_000_000;

    fn signer(issuer: &str) -> Signer {
        Signer::new(&new_signing_key().expect("key"), issuer.to_owned()).expect("signer")
    }

    fn caller() -> Caller {
        Caller {
            client: ClientId::generate(),
            environment: EnvironmentId::new("dev").expect("valid"),
            scopes: BTreeSet::from([Scope::ToolsExecute]),
        }
    }

    #[test]
    fn a_token_is_good_for_ten_minutes_and_a_minute_of_skew() {
        let signer = signer("http://host");
        let token = signer.sign(&caller(), 7, NOW).expect("token");
        assert_eq!(signer.check(token.expose(), NOW).expect("good").epoch, 7);
        assert!(signer.check(token.expose(), NOW - 60).is_some());
        assert!(signer.check(token.expose(), NOW - 61).is_none());
        assert!(signer.check(token.expose(), NOW + 659).is_some());
        assert!(signer.check(token.expose(), NOW + 660).is_none());
    }

    #[test]
    fn tokens_of_another_key_issuer_algorithm_or_type_are_refused() {
        let key = new_signing_key().expect("key");
        let ours = Signer::new(&key, "http://host".to_owned()).expect("signer");
        let good = ours.sign(&caller(), 0, NOW).expect("token");

        let other_key = signer("http://host").sign(&caller(), 0, NOW).expect("token");
        let other_issuer = Signer::new(&key, "http://other".to_owned())
            .and_then(|signer| signer.sign(&caller(), 0, NOW))
            .expect("token");
        let parts: Vec<&str> = good.expose().split('.').collect();
        let with_header =
            |header: &str| format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(header), parts[1], parts[2]);
        let kid = &ours.key_id;
        for (what, token) in [
            ("another key", other_key.expose().to_owned()),
            ("another issuer", other_issuer.expose().to_owned()),
            (
                "no algorithm",
                with_header(&format!(r#"{{"alg":"none","typ":"at+jwt","kid":"{kid}"}}"#)),
            ),
            (
                "a shared secret",
                with_header(&format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{kid}"}}"#)),
            ),
            (
                "another type",
                with_header(&format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{kid}"}}"#)),
            ),
            (
                "a path as key id",
                with_header(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"../../dev/null"}"#),
            ),
            ("no key id", with_header(r#"{"alg":"EdDSA","typ":"at+jwt"}"#)),
            ("no signature", format!("{}.{}.", parts[0], parts[1])),
            ("nothing", String::new()),
            ("too much", "a".repeat(MAX_TOKEN_BYTES + 1)),
        ] {
            assert!(ours.check(&token, NOW).is_none(), "{what}");
        }
        assert!(ours.check(good.expose(), NOW).is_some());
    }

    #[test]
    fn a_remembered_token_ends_with_its_time_and_with_its_epoch() {
        let signer = signer("http://host");
        let token = signer.sign(&caller(), 3, NOW).expect("token");
        let claims = signer.check(token.expose(), NOW).expect("good");
        let key = Verified::key(token.expose());
        let epoch = Arc::new(AtomicU64::new(3));
        let verified = Verified::default();
        assert!(verified.get(&key, NOW).is_none());
        verified.insert(key, Arc::new(caller()), &claims, epoch.clone(), NOW);
        assert!(verified.get(&key, NOW).is_some());
        assert!(verified.get(&key, NOW + 660).is_none());
        epoch.store(4, Ordering::Release);
        assert!(verified.get(&key, NOW).is_none());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let signer = signer("http://host");
        let token = signer.sign(&caller(), 0, NOW).expect("token");
        let claims = signer.check(token.expose(), NOW).expect("good");
        let (who, epoch) = (Arc::new(caller()), Arc::new(AtomicU64::new(0)));
        let verified = Verified::default();
        for n in 0..(REMEMBERED + 10) {
            verified.insert(
                Verified::key(&n.to_string()),
                who.clone(),
                &claims,
                epoch.clone(),
                NOW,
            );
        }
        assert!(verified.tokens.read().expect("lock").len() <= REMEMBERED);
    }
}
