//! JSON Web Tokens that the host signs: as a credential of their own, and as assertions for
//! token endpoints.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Map, Value, json};
use valetkey_manifest::signing::{Jwt, JwtAlgorithm};

use super::draft::Values;
use super::{Inputs, Problem};
use crate::secret::Secret;

/// A declared token with its key.
pub struct Signer {
    declared: Jwt,
    key: Key,
    inputs: Inputs,
}

enum Key {
    Hmac(Box<hmac::Key>),
    Rsa(Box<RsaKeyPair>),
    Ecdsa(EcdsaKeyPair),
}

impl Key {
    /// The key of a text; none when it is no key of that algorithm.
    fn read(algorithm: JwtAlgorithm, text: &[u8]) -> Option<Self> {
        if algorithm == JwtAlgorithm::HS256 {
            return Some(Self::Hmac(Box::new(hmac::Key::new(HMAC_SHA256, text))));
        }
        let pem = PrivateKeyDer::from_pem_slice(text).ok()?;
        let der = pem.secret_der();
        match (algorithm, &pem) {
            (JwtAlgorithm::RS256, PrivateKeyDer::Pkcs8(_)) => RsaKeyPair::from_pkcs8(der).ok(),
            (JwtAlgorithm::RS256, PrivateKeyDer::Pkcs1(_)) => RsaKeyPair::from_der(der).ok(),
            (JwtAlgorithm::ES256, _) => {
                let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der);
                return pair.ok().map(Self::Ecdsa);
            }
            _ => None,
        }
        .map(|pair| Self::Rsa(Box::new(pair)))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Hmac(_) => "HS256",
            Self::Rsa(_) => "RS256",
            Self::Ecdsa(_) => "ES256",
        }
    }

    fn sign(&self, text: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Hmac(key) => Some(hmac::sign(key, text).as_ref().to_vec()),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature).ok()?;
                Some(signature)
            }
            Self::Ecdsa(pair) => Some(pair.sign(&random, text).ok()?.as_ref().to_vec()),
        }
    }
}

impl Signer {
    pub fn new(declared: &Jwt, inputs: &Inputs) -> Result<Self, Problem> {
        let bytes = inputs.key(&declared.key, declared.key_encoding)?;
        let key = Key::read(declared.algorithm, &bytes).ok_or_else(|| {
            Problem(format!(
                "`{}` is not a private key for {:?} in PEM form, whole, with its lines `-----BEGIN PRIVATE KEY-----` and `-----END PRIVATE KEY-----`",
                declared.key, declared.algorithm
            ))
        })?;
        Ok(Self {
            declared: declared.clone(),
            key,
            inputs: inputs.clone(),
        })
    }

    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// A token that is good from `now` on for its declared lifetime.
    pub fn sign(&self, values: &Values<'_>, now: Timestamp) -> Result<Secret, Problem> {
        let (issued, nonce) = (now.as_second(), crate::random::token());
        let timestamp = issued.to_string();
        let values = values
            .clone()
            .with(&[("timestamp", &timestamp), ("nonce", &nonce)]);
        let mut claims = Map::new();
        for (name, claim) in &self.declared.claims {
            claims.insert(name.clone(), filled(claim, &values)?);
        }
        claims.insert("iat".to_owned(), issued.into());
        let lifetime = i64::from(self.declared.lifetime_seconds);
        claims.insert("exp".to_owned(), (issued + lifetime).into());
        let mut header = json!({"typ": "JWT", "alg": self.key.algorithm()});
        if let Some(key_id) = &self.declared.key_id {
            header["kid"] = values.text(key_id)?.as_str().into();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&Value::Object(claims)));
        let signature = self
            .key
            .sign(signed.as_bytes())
            .ok_or_else(|| Problem(format!("`{}` does not sign", self.declared.key)))?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        Ok(Secret::new(format!("{signed}.{signature}")))
    }
}

/// A claim with every text in it filled in.
fn filled(claim: &Value, values: &Values<'_>) -> Result<Value, Problem> {
    Ok(match claim {
        Value::String(template) => Value::String(values.text(template)?.to_string()),
        Value::Array(items) => items
            .iter()
            .map(|item| filled(item, values))
            .collect::<Result<_, _>>()?,
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| Ok((name.clone(), filled(value, values)?)));
            Value::Object(members.collect::<Result<_, Problem>>()?)
        }
        other => other.clone(),
    })
}
