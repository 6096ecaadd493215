//! Speak to a token endpoint that no declaration describes: answers in XML, signed nonces, an exchange
//! in two steps.
//!
//! The manifest says `[auth.oauth2.coded]`, and the crate has an [`Authorizer`] beside its tools:
//!
//! ```
//! use valetkey_guest::auth::{Authorizer, Conversation, Encoding, Hash, Tokens, Unit};
//! use valetkey_guest::{Fault, pieces};
//!
//! struct Acme;
//!
//! impl Authorizer for Acme {
//!     fn exchange(talk: &Conversation<'_>) -> Result<Tokens, Fault> {
//!         let id = talk.given("client_id")?;
//!         let secret = talk.given("client_secret")?;
//!         let nonce = talk.post().path("/oauth/nonce").form("client", id).send()?.at("/nonce")?;
//!         let signed = talk.hmac(Hash::Sha256, Encoding::Hex, secret, pieces![id, ",", nonce])?;
//!         let answer = talk
//!             .post()
//!             .form("code", talk.given("code")?)
//!             .form("nonce", nonce)
//!             .form("signature", signed)
//!             .send()?;
//!         if answer.is("/status", "expired")? {
//!             return Err(talk.refused("invalid_grant", "The vendor says that the code has expired."));
//!         }
//!         let tokens = Tokens::new(answer.at("/body/access_token")?);
//!         Ok(tokens
//!             .refresh(answer.find("/body/refresh_token")?)
//!             .lifetime(answer.find("/body/expires_in")?, Unit::Seconds))
//!     }
//! }
//!
//! valetkey_guest::connector! {}
//! valetkey_guest::authorizer!(Acme);
//! # fn main() {}
//! ```
//!
//! Secrets and answers never come into the connector: [`Held`] is a number for what the host holds. It
//! says what a text is made of, and the host makes the text; it asks an answer for a place or whether a
//! value is a word, and reads none. Of an answer in XML, elements are members by their local names
//! (`/Envelope/Body/token`), attributes are `@name`, and the text of an element with members is `#text`.
//!
//! The functions run in a sandbox of their own: 4 requests to the token endpoint and to the `paths` of
//! the manifest at its origin, 200 calls of the host, and nothing of what tools have.

mod pieces;
mod question;
#[cfg(test)]
mod tests;
mod words;

use crate::Fault;

pub use pieces::{Held, Parameter, Piece, Text};
pub use question::{Answer, Question, QuestionBuilder};
pub use words::{Encoding, Hash, Unit};

/// Speaks to the token endpoint of a connector's vendor. Each function runs in an instance of its own:
/// nothing is kept from one to the next.
pub trait Authorizer {
    /// Exchanges an authorization code. There are `client_id`, `client_secret` (unless the operator has
    /// none), `code`, `code_verifier`, `redirect_uri` and `scopes`.
    ///
    /// # Errors
    /// The endpoint refuses, or cannot be asked.
    fn exchange(talk: &Conversation<'_>) -> Result<Tokens, Fault> {
        Err(talk.unsupported("exchanges no codes"))
    }

    /// Presents a refresh token. There are `client_id`, `client_secret`, `refresh_token` and `scopes`.
    ///
    /// # Errors
    /// The endpoint refuses, or cannot be asked.
    fn refresh(talk: &Conversation<'_>) -> Result<Tokens, Fault> {
        Err(talk.unsupported("refreshes no tokens"))
    }

    /// Asks for an access token with what the account's owner gave, for the kinds `client_credentials`
    /// and `jwt_bearer`. There are `scopes` and every input by its name.
    ///
    /// # Errors
    /// The endpoint refuses, or cannot be asked.
    fn issue(talk: &Conversation<'_>) -> Result<Tokens, Fault> {
        Err(talk.unsupported("asks for no tokens"))
    }
}

/// Where the host finds what the vendor granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokens {
    /// The access token.
    pub access: Held,
    /// The refresh token.
    pub refresh: Option<Held>,
    /// How long the access token is good, or until when.
    pub lifetime: Option<(Held, Unit)>,
    /// The scopes granted: a text or a list.
    pub scopes: Option<Held>,
    /// The part of an answer in which `from_token_response` looks.
    pub about: Option<Held>,
}

impl Tokens {
    /// An access token alone.
    #[must_use]
    pub fn new(access: Held) -> Self {
        Self {
            access,
            refresh: None,
            lifetime: None,
            scopes: None,
            about: None,
        }
    }

    /// With a refresh token, if there is one; without, the one from before goes on.
    #[must_use]
    pub fn refresh(mut self, refresh: Option<Held>) -> Self {
        self.refresh = refresh;
        self
    }

    /// With a lifetime, if the vendor says one.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Option<Held>, unit: Unit) -> Self {
        self.lifetime = lifetime.map(|value| (value, unit));
        self
    }

    /// With the scopes that were granted, if the vendor says them.
    #[must_use]
    pub fn scopes(mut self, scopes: Option<Held>) -> Self {
        self.scopes = scopes;
        self
    }

    /// With facts about the account.
    #[must_use]
    pub fn about(mut self, about: Option<Held>) -> Self {
        self.about = about;
        self
    }
}

/// What a conversation needs of the host. Tests stand in for it.
pub trait TokenHost {
    /// What the host gave under a name.
    fn given(&self, name: &str) -> Option<u32>;
    /// One text of several pieces.
    ///
    /// # Errors
    /// A value that is none.
    fn join(&self, pieces: &[Piece]) -> Result<u32, Fault>;
    /// A text in another form.
    ///
    /// # Errors
    /// A value that is none.
    fn encode(&self, encoding: &str, text: &[Piece]) -> Result<u32, Fault>;
    /// A hash, with `key` a keyed one.
    ///
    /// # Errors
    /// A value that is none, or an encoding that is not for hashes.
    fn hash(
        &self,
        algorithm: &str,
        encoding: &str,
        key: Option<&[Piece]>,
        message: &[Piece],
    ) -> Result<u32, Fault>;
    /// Sends one request; the status and the body.
    ///
    /// # Errors
    /// It may not go there, or there is no answer.
    fn send(&self, question: Question) -> Result<(u16, u32), Fault>;
    /// The part of an answer at a JSON pointer.
    ///
    /// # Errors
    /// A value that is no answer.
    fn at(&self, value: u32, pointer: &str) -> Result<Option<u32>, Fault>;
    /// Whether a part of an answer is a word.
    ///
    /// # Errors
    /// A value that is no text of an answer, or too long a word.
    fn equals(&self, value: u32, word: &str) -> Result<bool, Fault>;
    /// One value of the account's configuration.
    fn account_config(&self, name: &str) -> Option<String>;
    /// The wall clock in milliseconds since 1970.
    fn now_ms(&self) -> u64;
    /// Random bytes.
    fn random(&self, length: u32) -> Vec<u8>;
    /// A line for the operator's log.
    fn log(&self, level: &str, message: &str);
}

/// One conversation with the token endpoint.
pub struct Conversation<'h> {
    host: &'h dyn TokenHost,
}

impl<'h> Conversation<'h> {
    /// Over a host. [`authorizer!`](crate::authorizer) makes it; tests do, too.
    #[must_use]
    pub fn new(host: &'h dyn TokenHost) -> Self {
        Self { host }
    }

    /// What the host has for this conversation under a name.
    ///
    /// # Errors
    /// There is no such thing, such as a client secret on a connection without one.
    pub fn given(&self, name: &str) -> Result<Held, Fault> {
        self.host.given(name).map(Held::of).ok_or_else(|| {
            Fault::new(
                "connector_output_invalid",
                format!("There is no `{name}` for this conversation with the token endpoint."),
            )
        })
    }

    /// One text of several pieces.
    ///
    /// # Errors
    /// A part with members stands for a text.
    pub fn join(&self, text: impl Into<Text>) -> Result<Held, Fault> {
        self.host.join(&text.into().pieces()).map(Held::of)
    }

    /// A text in another form.
    ///
    /// # Errors
    /// A part with members stands for a text.
    pub fn encode(&self, encoding: Encoding, text: impl Into<Text>) -> Result<Held, Fault> {
        self.host
            .encode(encoding.as_str(), &text.into().pieces())
            .map(Held::of)
    }

    /// A hash of a text.
    ///
    /// # Errors
    /// A part with members stands for a text, or the encoding is not for hashes.
    pub fn digest(&self, hash: Hash, encoding: Encoding, message: impl Into<Text>) -> Result<Held, Fault> {
        let message = message.into().pieces();
        self.host
            .hash(hash.as_str(), encoding.as_str(), None, &message)
            .map(Held::of)
    }

    /// A keyed hash of a text.
    ///
    /// # Errors
    /// As [`Self::digest`].
    pub fn hmac(
        &self,
        hash: Hash,
        encoding: Encoding,
        key: impl Into<Text>,
        message: impl Into<Text>,
    ) -> Result<Held, Fault> {
        let (key, message) = (key.into().pieces(), message.into().pieces());
        self.host
            .hash(hash.as_str(), encoding.as_str(), Some(&key), &message)
            .map(Held::of)
    }

    /// A POST to the token endpoint.
    #[must_use]
    pub fn post(&self) -> QuestionBuilder<'_, 'h> {
        self.question("POST")
    }

    /// A GET of the token endpoint.
    #[must_use]
    pub fn get(&self) -> QuestionBuilder<'_, 'h> {
        self.question("GET")
    }

    fn question(&self, method: &'static str) -> QuestionBuilder<'_, 'h> {
        QuestionBuilder::new(self, method)
    }

    /// The vendor's explicit refusal, by its code of RFC 6749: `invalid_grant` ends the account until its
    /// owner authorizes again, `invalid_client` is the operator's to mend.
    #[must_use]
    pub fn refused(&self, code: &str, message: &str) -> Fault {
        Fault {
            vendor_code: Some(code.to_owned()),
            ..Fault::new("vendor_rejected", message.to_owned())
        }
    }

    /// One value of the account's configuration.
    #[must_use]
    pub fn account_config(&self, name: &str) -> Option<String> {
        self.host.account_config(name)
    }

    /// The wall clock in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.host.now_ms()
    }

    /// Random bytes, at most 1,024.
    #[must_use]
    pub fn random(&self, length: u32) -> Vec<u8> {
        self.host.random(length)
    }

    /// Writes a line to the operator's log; `level` is `debug`, `info`, `warn` or `error`.
    pub fn log(&self, level: &str, message: &str) {
        self.host.log(level, message);
    }

    fn unsupported(&self, what: &str) -> Fault {
        Fault::new(
            "connector_output_invalid",
            format!("This connector's code {what}."),
        )
    }
}

/// Makes an [`Authorizer`] this connector's `auth`. Stands beside [`connector!`](crate::connector); the
/// manifest has a `coded` table.
#[macro_export]
macro_rules! authorizer {
    ($authorizer:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct ExportedAuth;
            impl $crate::wasm::AuthGuest for ExportedAuth {
                fn exchange(
                    _context: $crate::wasm::AuthContext,
                ) -> ::core::result::Result<$crate::wasm::AuthGrant, $crate::wasm::Fault> {
                    $crate::wasm::converse(<$authorizer as $crate::auth::Authorizer>::exchange)
                }

                fn refresh(
                    _context: $crate::wasm::AuthContext,
                ) -> ::core::result::Result<$crate::wasm::AuthGrant, $crate::wasm::Fault> {
                    $crate::wasm::converse(<$authorizer as $crate::auth::Authorizer>::refresh)
                }

                fn issue(
                    _context: $crate::wasm::AuthContext,
                ) -> ::core::result::Result<$crate::wasm::AuthGrant, $crate::wasm::Fault> {
                    $crate::wasm::converse(<$authorizer as $crate::auth::Authorizer>::issue)
                }
            }
    $crate::wasm::authorizer::export_authorizer!(ExportedAuth with_types_in $crate::wasm::authorizer);
        };

        #[cfg(not(target_family = "wasm"))]
        const _: fn() = || {
            fn is_authorizer<T: $crate::auth::Authorizer>() {}
            is_authorizer::<$authorizer>();
        };
    };
}
