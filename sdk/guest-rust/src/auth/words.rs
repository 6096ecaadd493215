//! The contract's words for hashes, forms of texts and lifetimes.

/// Hash functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl Hash {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

/// Other forms of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Base64 with padding.
    Base64,
    /// Base64 for URLs, without padding.
    Base64Url,
    /// Hexadecimal, lower case.
    Hex,
    /// As in a form or query. Not for hashes.
    Form,
    /// The inside of a JSON string. Not for hashes.
    Json,
    /// Character data of XML. Not for hashes.
    Xml,
}

impl Encoding {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::Hex => "hex",
            Self::Form => "form",
            Self::Json => "json",
            Self::Xml => "xml",
        }
    }
}

/// What a lifetime is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds from now.
    Seconds,
    /// Milliseconds from now.
    Milliseconds,
    /// The moment in seconds since 1970.
    UnixSeconds,
    /// The moment in milliseconds since 1970.
    UnixMilliseconds,
    /// The moment as RFC 3339 writes it.
    Rfc3339,
    /// The value is a JSON Web Token whose `exp` says it.
    Jwt,
}

impl Unit {
    /// The contract's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::UnixSeconds => "unix-seconds",
            Self::UnixMilliseconds => "unix-milliseconds",
            Self::Rfc3339 => "rfc3339",
            Self::Jwt => "jwt",
        }
    }
}
