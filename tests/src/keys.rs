//! Private keys as people paste them, made when a test run first needs them, and the vendor's
//! side of their signatures.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A private key and the public one that goes with it.
pub struct Pair {
    /// PKCS #8 in PEM form.
    pub pem: String,
    public: Vec<u8>,
}

/// For `RS256`.
pub static RSA: LazyLock<Pair> = LazyLock::new(|| {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
    let der: Pkcs8V1Der<'_> = pair.as_der().expect("its encoding");
    Pair {
        pem: pem(der.as_ref()),
        public: pair.public_key().as_ref().to_vec(),
    }
});

/// For `ES256`.
pub static EC: LazyLock<Pair> = LazyLock::new(|| {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let document = document.expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).expect("a key");
    Pair {
        pem: pem(document.as_ref()),
        public: pair.public_key().as_ref().to_vec(),
    }
});

/// Whether `signature` over `text` was made with `algorithm` by the key of this run.
///
/// # Panics
/// For an algorithm without a key pair.
#[must_use]
pub fn is_signed(algorithm: &str, text: &[u8], signature: &[u8]) -> bool {
    match algorithm {
        "RS256" => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &RSA.public)
            .verify(text, signature)
            .is_ok(),
        "ES256" => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &EC.public)
            .verify(text, signature)
            .is_ok(),
        other => panic!("no key pair for {other}"),
    }
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|at| &text[at..text.len().min(at + 64)])
        .collect();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    )
}
