//! Keyed hashes over parts of a request.

use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512, Key};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use valetkey_manifest::signing::{self, Encoding, Hash};

use super::draft::{Draft, Unplaced, Values};
use super::{Inputs, Problem, hex};
use crate::secret::Secret;

/// The placeholder that decides whether a parameter is there before or after signing.
const SIGNATURE: &str = "{signature}";

/// A declared keyed hash with its key.
pub struct Signer {
    declared: signing::Hmac,
    key: Key,
    inputs: Inputs,
}

impl Signer {
    pub fn new(declared: &signing::Hmac, inputs: &Inputs) -> Result<Self, Problem> {
        let hash = match declared.algorithm {
            Hash::Sha1 => HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => HMAC_SHA256,
            Hash::Sha384 => HMAC_SHA384,
            Hash::Sha512 => HMAC_SHA512,
        };
        let key = inputs.key(&declared.key, declared.key_encoding)?;
        Ok(Self {
            declared: declared.clone(),
            key: Key::new(hash, &key),
            inputs: inputs.clone(),
        })
    }

    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Adds what is signed along, signs, adds the signature.
    pub fn sign(&self, draft: &mut Draft<'_>, values: Values<'_>) -> Result<Secret, Unplaced> {
        let declared = &self.declared;
        let (timestamp, nonce) = (written(draft.now, declared.timestamp), crate::random::token());
        let values = values.with(&[("timestamp", &timestamp), ("nonce", &nonce)]);
        let before = |template: &str| !template.contains(SIGNATURE);
        draft.fill(&declared.headers, &declared.query, &values, before)?;
        let signed = values.of_request(draft).bytes(&declared.signed)?;
        let tag = hmac::sign(&self.key, &signed);
        let signature = match declared.encoding {
            Encoding::Hex => hex(tag.as_ref()),
            Encoding::Base64 => STANDARD.encode(tag),
            Encoding::Base64Url => URL_SAFE_NO_PAD.encode(tag),
        };
        let values = values.with(&[("signature", &signature)]);
        let after = |template: &str| template.contains(SIGNATURE);
        draft.fill(&declared.headers, &declared.query, &values, after)?;
        Ok(Secret::new(signature))
    }
}

fn written(now: Timestamp, format: signing::Timestamp) -> String {
    match format {
        signing::Timestamp::Seconds => now.as_second().to_string(),
        signing::Timestamp::Milliseconds => now.as_millisecond().to_string(),
        signing::Timestamp::Rfc3339 => now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        signing::Timestamp::HttpDate => now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_is_written_as_vendors_read_it() {
        let now = Timestamp::from_millisecond(1_769_860_800_123).unwrap();
        for (format, expected) in [
            (signing::Timestamp::Seconds, "1769860800"),
            (signing::Timestamp::Milliseconds, "1769860800123"),
            (signing::Timestamp::Rfc3339, "2026-01-31T12:00:00Z"),
            (signing::Timestamp::HttpDate, "Sat, 31 Jan 2026 12:00:00 GMT"),
        ] {
            assert_eq!(written(now, format), expected);
        }
    }
}
