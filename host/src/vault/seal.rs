//! The sealed form: one-off key by HKDF-SHA256 from a long-lived key and a fresh salt,
//! AES-256-GCM under it, everything that says where the value belongs as associated data.
//!
//! ```text
//! sealed = magic "VKS" | format 1 | algorithm 1 | root key id (8) | key version (4, BE)
//!        | salt (32) | commitment (32) | ciphertext | tag (16)
//! key (32) | commitment (32) = HKDF-SHA256(long-lived key, salt, "valetkey/record/1" | algorithm)
//! ```
//!
//! The nonce is zero because no key seals twice. GCM alone would let one ciphertext open under
//! two keys; the commitment, compared in constant time before anything is decrypted, ties it to
//! one.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

use crate::random;
use crate::secret::SecretBytes;

/// Names the root key without telling anything of it.
pub(super) type RootKeyId = [u8; 8];

const MAGIC: &[u8; 5] = b"VKS\x01\x01";
const ALGORITHM: u8 = 1;
const KEY_VERSION_AT: usize = MAGIC.len() + size_of::<RootKeyId>();
const SALT_AT: usize = KEY_VERSION_AT + size_of::<u32>();
const COMMITMENT_AT: usize = SALT_AT + 32;
const CIPHERTEXT_AT: usize = COMMITMENT_AT + 32;
const TAG_BYTES: usize = 16;

/// How many bytes longer a sealed value is than its plaintext.
pub const OVERHEAD_BYTES: usize = CIPHERTEXT_AT + TAG_BYTES;

/// Seals `plain` for a place (see [`length_prefixed`]) under version `key_version` of a
/// long-lived key; a root key itself has version 0.
pub(super) fn seal(key: &[u8], key_version: u32, root_key: RootKeyId, place: &[u8], plain: &[u8]) -> Vec<u8> {
    let salt: [u8; 32] = random::bytes();
    let derived = derive::<64>(key, &salt, &[b"valetkey/record/1", &[ALGORITHM]]);
    let (record_key, commitment) = derived.split_at(32);

    let mut sealed = Vec::with_capacity(OVERHEAD_BYTES + plain.len());
    sealed.extend_from_slice(MAGIC);
    sealed.extend_from_slice(&root_key);
    sealed.extend_from_slice(&key_version.to_be_bytes());
    sealed.extend_from_slice(&salt);
    sealed.extend_from_slice(commitment);
    sealed.extend_from_slice(plain);

    let aad = associated(&sealed[..SALT_AT], place);
    let tag = cipher(record_key)
        .seal_in_place_separate_tag(zero_nonce(), aad, &mut sealed[CIPHERTEXT_AT..])
        .expect("a record is far below what AES-GCM can seal");
    sealed.extend_from_slice(tag.as_ref());
    sealed
}

/// The version of the key that a sealed value needs; none when it is no sealed value.
pub(super) fn key_version(sealed: &[u8]) -> Option<u32> {
    if sealed.len() < OVERHEAD_BYTES || !sealed.starts_with(MAGIC) {
        return None;
    }
    let version = sealed[KEY_VERSION_AT..SALT_AT].try_into().ok()?;
    Some(u32::from_be_bytes(version))
}

/// Opens what [`seal`] made with the same key for the same place; none otherwise.
pub(super) fn open(key: &[u8], place: &[u8], sealed: &[u8]) -> Option<SecretBytes> {
    key_version(sealed)?;
    let salt = &sealed[SALT_AT..COMMITMENT_AT];
    let derived = derive::<64>(key, salt, &[b"valetkey/record/1", &[ALGORITHM]]);
    let (record_key, commitment) = derived.split_at(32);
    verify_slices_are_equal(commitment, &sealed[COMMITMENT_AT..CIPHERTEXT_AT]).ok()?;

    let aad = associated(&sealed[..SALT_AT], place);
    let mut opened = Zeroizing::new(sealed[CIPHERTEXT_AT..].to_vec());
    let length = cipher(record_key)
        .open_in_place(zero_nonce(), aad, &mut opened)
        .ok()?
        .len();
    opened.truncate(length);
    Some(SecretBytes::new(std::mem::take(&mut *opened)))
}

/// HKDF-SHA256.
pub(super) fn derive<const N: usize>(key: &[u8], salt: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; N]> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }

    let mut derived = Zeroizing::new([0; N]);
    Salt::new(HKDF_SHA256, salt)
        .extract(key)
        .expand(info, Length(N))
        .and_then(|okm| okm.fill(&mut *derived))
        .expect("HKDF-SHA256 gives up to 8160 bytes");
    derived
}

/// The header and the place, each part with its length before it, so that no two places look
/// alike.
fn associated(header: &[u8], place: &[u8]) -> Aad<Vec<u8>> {
    let mut all = length_prefixed(&[header]);
    all.extend_from_slice(place);
    Aad::from(all)
}

/// Joins parts so that they can be told apart again.
pub(super) fn length_prefixed(parts: &[&[u8]]) -> Vec<u8> {
    let bytes = parts.iter().map(|part| 4 + part.len()).sum();
    let mut joined = Vec::with_capacity(bytes);
    for part in parts {
        let length = u32::try_from(part.len()).expect("a part of a place is below 4 GiB");
        joined.extend_from_slice(&length.to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

fn cipher(record_key: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, record_key).expect("the key has 32 bytes"))
}

fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}
