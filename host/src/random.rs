//! Random bytes and unguessable texts, all from the operating system's generator by way of
//! aws-lc-rs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// `N` random bytes.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    fill(&mut out);
    out
}

/// Fills `out` with random bytes.
pub fn fill(out: &mut [u8]) {
    aws_lc_rs::rand::fill(out).expect("the operating system gives random bytes");
}

/// An unguessable text of 256 bits, URL-safe, 43 characters (states, verifiers, client secrets).
#[must_use]
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// A fraction in `0.0..1.0`, for jitter.
#[must_use]
pub fn fraction() -> f64 {
    f64::from(u32::from_le_bytes(bytes::<4>())) / (f64::from(u32::MAX) + 1.0)
}
