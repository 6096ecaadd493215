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

use crate::Fault;

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

/// The number of a text or of a part of an answer that the host holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held(u32);

impl Held {
    /// The value of this number, for tests that stand in for the host.
    #[must_use]
    pub fn of(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The connector's own words.
    Text(String),
    /// What the host puts there.
    Held(Held),
}

impl From<&str> for Piece {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Piece {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Held> for Piece {
    fn from(value: Held) -> Self {
        Self::Held(value)
    }
}

/// A text in pieces: one of them, or several by [`pieces!`](crate::pieces).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(Vec<Piece>);

impl<P: Into<Piece>> From<P> for Text {
    fn from(piece: P) -> Self {
        Self(vec![piece.into()])
    }
}

impl From<Vec<Piece>> for Text {
    fn from(pieces: Vec<Piece>) -> Self {
        Self(pieces)
    }
}

/// A text of several pieces: words and [`Held`](crate::auth::Held) values.
#[macro_export]
macro_rules! pieces {
    ($($piece:expr),* $(,)?) => {
        $crate::auth::Text::from(::std::vec![$($crate::auth::Piece::from($piece)),*])
    };
}

/// A name and the pieces of its value.
pub type Parameter = (String, Vec<Piece>);

/// A request to the token endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// None for the token endpoint itself.
    pub path: Option<String>,
    /// Query parameters, not encoded.
    pub query: Vec<Parameter>,
    /// Headers.
    pub headers: Vec<Parameter>,
    /// Fields of a form, not encoded.
    pub form: Vec<Parameter>,
    /// Another body.
    pub body: Option<Vec<Piece>>,
}

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
    fn as_str(self) -> &'static str {
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
    fn as_str(self) -> &'static str {
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
        self.host.given(name).map(Held).ok_or_else(|| {
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
        self.host.join(&text.into().0).map(Held)
    }

    /// A text in another form.
    ///
    /// # Errors
    /// A part with members stands for a text.
    pub fn encode(&self, encoding: Encoding, text: impl Into<Text>) -> Result<Held, Fault> {
        self.host.encode(encoding.as_str(), &text.into().0).map(Held)
    }

    /// A hash of a text.
    ///
    /// # Errors
    /// A part with members stands for a text, or the encoding is not for hashes.
    pub fn digest(&self, hash: Hash, encoding: Encoding, message: impl Into<Text>) -> Result<Held, Fault> {
        let message = message.into().0;
        self.host
            .hash(hash.as_str(), encoding.as_str(), None, &message)
            .map(Held)
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
        let (key, message) = (key.into().0, message.into().0);
        self.host
            .hash(hash.as_str(), encoding.as_str(), Some(&key), &message)
            .map(Held)
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
        QuestionBuilder {
            talk: self,
            question: Question {
                method,
                ..Question::default()
            },
            json: Vec::new(),
        }
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

/// A request that is being written.
pub struct QuestionBuilder<'t, 'h> {
    talk: &'t Conversation<'h>,
    question: Question,
    json: Vec<(String, Text)>,
}

impl<'t, 'h> QuestionBuilder<'t, 'h> {
    /// Another path at the endpoint's origin, one of `coded.paths` of the manifest.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.question.path = Some(path.to_owned());
        self
    }

    /// A query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<Text>) -> Self {
        self.question.query.push((name.to_owned(), value.into().0));
        self
    }

    /// A header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Text>) -> Self {
        self.question.headers.push((name.to_owned(), value.into().0));
        self
    }

    /// A field of a form.
    #[must_use]
    pub fn form(mut self, name: &str, value: impl Into<Text>) -> Self {
        self.question.form.push((name.to_owned(), value.into().0));
        self
    }

    /// A member of a JSON object, a text.
    #[must_use]
    pub fn json(mut self, name: &str, value: impl Into<Text>) -> Self {
        self.json.push((name.to_owned(), value.into()));
        self
    }

    /// A body of another sort. What is put between the connector's own words is not encoded: see
    /// [`Conversation::encode`].
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Text>) -> Self {
        self.question.body = Some(body.into().0);
        self.header("content-type", content_type)
    }

    /// Sends it.
    ///
    /// # Errors
    /// It may not go there, or there is no answer.
    pub fn send(mut self) -> Result<Answer<'t, 'h>, Fault> {
        if !self.json.is_empty() {
            let mut body = Vec::with_capacity(self.json.len() * 2 + 1);
            let mut before = "{";
            for (name, value) in std::mem::take(&mut self.json) {
                body.push(Piece::Text(format!("{before}{}:\"", serde_json::Value::from(name))));
                body.push(Piece::Held(self.talk.encode(Encoding::Json, value)?));
                before = "\",";
            }
            body.push(Piece::from("\"}"));
            self = self.body("application/json", body);
        }
        let (status, content) = self.talk.host.send(self.question)?;
        Ok(Answer {
            talk: self.talk,
            status,
            content: Held(content),
        })
    }
}

/// An answer, of which the connector knows the status and where things are.
pub struct Answer<'t, 'h> {
    talk: &'t Conversation<'h>,
    /// The endpoint's status.
    pub status: u16,
    /// The whole body.
    pub content: Held,
}

impl Answer<'_, '_> {
    /// Whether the status is 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The part at a JSON pointer; none when nothing is there.
    ///
    /// # Errors
    /// The host refuses.
    pub fn find(&self, pointer: &str) -> Result<Option<Held>, Fault> {
        Ok(self.talk.host.at(self.content.0, pointer)?.map(Held))
    }

    /// The part at a JSON pointer.
    ///
    /// # Errors
    /// Nothing is there: the endpoint did not grant what was asked for.
    pub fn at(&self, pointer: &str) -> Result<Held, Fault> {
        self.find(pointer)?.ok_or_else(|| Fault {
            status: Some(self.status),
            ..Fault::new(
                "vendor_rejected",
                format!("The token endpoint's answer has nothing at `{pointer}`."),
            )
        })
    }

    /// Whether the part at a JSON pointer is this whole word of at most 64 bytes.
    ///
    /// # Errors
    /// The part has members.
    pub fn is(&self, pointer: &str, word: &str) -> Result<bool, Fault> {
        match self.find(pointer)? {
            Some(part) => self.talk.host.equals(part.0, word),
            None => Ok(false),
        }
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
