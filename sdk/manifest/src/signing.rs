//! How the host proves an account by computing something: parameters made of several secrets,
//! signatures over the request, tokens that the host signs itself. Always done by the host, over
//! exactly the bytes that are sent; a guest sees neither keys nor signatures.
//!
//! Templates here know `{inputs.NAME}` (what the account's owner gave) and `{config.NAME}` (the
//! account's configuration). Those of a request know besides: `{method}`, `{host}`, `{path}`,
//! `{query}` (as sent, without `?`), `{target}` (path, `?` and query), `{header.NAME}`, `{body}`,
//! `{body_sha256}` (hex), `{body_sha256_base64}`, `{timestamp}` and `{nonce}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Headers and query parameters made of several inputs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// Templates by header name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Templates by parameter name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
}

/// A keyed hash over parts of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hmac {
    /// Hash function.
    pub algorithm: Hash,
    /// The input that is the key.
    pub key: String,
    /// How the key's text stands for bytes.
    #[serde(default)]
    pub key_encoding: KeyEncoding,
    /// What is signed: a template over the request. Headers and parameters that hold no
    /// `{signature}` are there already, so that they can be signed too.
    pub signed: String,
    /// How the signature is written.
    #[serde(default)]
    pub encoding: Encoding,
    /// What `{timestamp}` is.
    #[serde(default)]
    pub timestamp: Timestamp,
    /// Headers that are added: templates that know `{signature}` besides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Query parameters that are added: templates that know `{signature}` besides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
}

/// AWS Signature Version 4 in the `Authorization` header. Inputs: `access_key_id`,
/// `secret_access_key` and, when declared, `session_token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SigV4 {
    /// The service's name in the scope (`s3`, `execute-api` …). `s3` also sends the body's hash
    /// and signs paths as S3 does.
    pub service: String,
    /// The region in the scope: a constant, or `{config.NAME}`.
    pub region: String,
}

/// A JSON Web Token that the host signs. `iat` and `exp` are the host's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// Signature algorithm.
    pub algorithm: JwtAlgorithm,
    /// The input that is the key: a PEM text for `RS256` and `ES256`.
    pub key: String,
    /// How the key's text stands for bytes, for `HS256`.
    #[serde(default)]
    pub key_encoding: KeyEncoding,
    /// `kid` of the token's header: a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Seconds from `iat` to `exp`.
    pub lifetime_seconds: u32,
    /// Claims; every text in them is a template.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, Value>,
}

/// How the host asks a token endpoint for the access token of an account whose owner gave keys
/// instead of a consent. A token that runs out is replaced by asking again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenGrant {
    /// Token endpoint; may hold `{config.NAME}`. A suggestion: the operator's connection holds
    /// what is used.
    pub token_url: String,
    /// Scopes asked for when a connection names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The assertion: required by `jwt_bearer`, and for `client_credentials` the way to prove the
    /// client without a secret (RFC 7523 section 2.2). Its templates know `{token_url}` (the
    /// address that is asked), `{scopes}` (joined by spaces) and `{nonce}` besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<Jwt>,
    /// For `client_credentials` without an assertion: how `client_id` and `client_secret` travel.
    #[serde(default)]
    pub client_auth: super::auth::ClientAuth,
    /// Whether scopes are a field of the form. `false` where a claim carries them.
    #[serde(default = "crate::yes", skip_serializing_if = "crate::is_true")]
    pub scope_in_form: bool,
    /// Further fields of the form (`audience`, `account_id`): templates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// Lifetime to assume when the answer has no usable `expires_in`, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_lifetime_seconds: Option<u64>,
    /// That the connector's `auth` export asks for access tokens. `assertion`, `params`,
    /// `client_auth` and `scope_in_form` have no meaning then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coded: Option<super::auth::Coded>,
}

/// Hash functions of keyed hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// SHA-1, which old vendors still want.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// How a text stands for bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyEncoding {
    /// Its own bytes.
    #[default]
    Text,
    /// Hexadecimal.
    Hex,
    /// Base64.
    Base64,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Lower-case hexadecimal.
    #[default]
    Hex,
    /// Base64 with padding.
    Base64,
    /// Base64 for URLs, without padding.
    Base64Url,
}

/// How the moment of signing is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Timestamp {
    /// Whole seconds since 1970.
    #[default]
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// RFC 3339 in UTC with whole seconds: `2026-01-31T12:00:00Z`.
    Rfc3339,
    /// The format of HTTP's `Date`: `Sat, 31 Jan 2026 12:00:00 GMT`.
    HttpDate,
}

/// Signature algorithms of tokens that the host signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256.
    HS256,
    /// RSA PKCS#1 v1.5 with SHA-256.
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
}
