//! API clients: their secrets and what the store keeps of them.
//!
//! A secret is shown once. The store has its SHA-256 alone, which is enough for 256 random bits.

use std::collections::BTreeSet;

use aws_lc_rs::{constant_time, digest};
use flate2::Crc;
use serde::{Deserialize, Serialize};

use super::Scope;
use crate::id::EnvironmentId;
use crate::random;
use crate::secret::Secret;

/// What every client secret begins with, so that secret scanners recognise one.
pub const SECRET_PREFIX: &str = "vks_";

/// A client as the store keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    /// The environment it belongs to.
    pub environment: EnvironmentId,
    /// What the operator calls it.
    pub label: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// SHA-256 of its secret.
    pub secret_sha256: [u8; 32],
    /// Part of every token; tokens of an earlier epoch are refused.
    pub epoch: u64,
    /// Creation, milliseconds since 1970.
    pub created_at_ms: i64,
}

/// A new secret: prefix, 256 random bits, and a CRC-32 by which a scanner tells a secret from
/// a text that merely looks like one.
pub(super) fn new_secret() -> Secret {
    let random = random::token();
    let mut crc = Crc::new();
    crc.update(random.as_bytes());
    Secret::new(format!("{SECRET_PREFIX}{random}{:08x}", crc.sum()))
}

/// The only form in which a secret is kept.
pub(super) fn hash(secret: &Secret) -> [u8; 32] {
    // The text goes into the digest and nowhere else.
    digest::digest(&digest::SHA256, secret.expose().as_bytes())
        .as_ref()
        .try_into()
        .expect("SHA-256 has 32 bytes")
}

/// Whether `secret` is the one of `record`. Takes the same time whatever differs, and also when
/// there is no such client.
pub(super) fn matches(record: Option<&Record>, secret: &Secret) -> bool {
    let offered = hash(secret);
    let kept = record.map_or([0; 32], |record| record.secret_sha256);
    constant_time::verify_slices_are_equal(&offered, &kept).is_ok() && record.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_a_prefix_256_bits_and_a_checksum() {
        let secret = new_secret();
        let text = secret.expose();
        assert_eq!(text.len(), SECRET_PREFIX.len() + 43 + 8);
        let body = text.strip_prefix(SECRET_PREFIX).expect("prefix");
        let mut crc = Crc::new();
        crc.update(&body.as_bytes()[..43]);
        assert_eq!(format!("{:08x}", crc.sum()), body[43..]);
        assert_ne!(text, new_secret().expose());
    }

    #[test]
    fn only_the_right_secret_matches_and_a_missing_client_never_does() {
        let secret = new_secret();
        let record = Record {
            environment: EnvironmentId::new("dev").expect("valid"),
            label: "test".to_owned(),
            scopes: BTreeSet::new(),
            secret_sha256: hash(&secret),
            epoch: 0,
            created_at_ms: 0,
        };
        assert!(matches(Some(&record), &secret));
        assert!(!matches(Some(&record), &new_secret()));
        assert!(!matches(None, &secret));
    }
}
