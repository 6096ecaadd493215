//! The values of a conversation: where each comes from, and what is made of them.

use std::fmt::Write as _;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use zeroize::Zeroizing;

use super::super::credential::hex;
use super::{Parameter, Piece, State, TEXT_BYTES, answer, misuse};
use crate::error::Fault;
use crate::secret::Secret;

/// A value that has a number.
pub(super) enum Held {
    /// The host gave it: client secret, code, refresh token, inputs.
    Given(Secret),
    /// Made at the guest's wish.
    Made(Text),
    /// A part of an answer.
    Answered(Value),
}

/// A text that was made of pieces.
pub(super) struct Text {
    pub text: Zeroizing<String>,
    /// Whether something that the host gave is in it. Such a text never becomes a token: it would
    /// travel to the vendor's API.
    pub of_given: bool,
    /// Whether something that the endpoint answered is in it. A token without that would be one of
    /// the guest's own choosing.
    pub of_answer: bool,
}

impl Held {
    /// Its text, for taking it out of messages.
    pub fn secret_text(&self) -> Option<&str> {
        match self {
            // Into a search for it.
            Self::Given(secret) => Some(secret.expose()),
            Self::Made(made) => Some(&made.text),
            Self::Answered(Value::String(text)) => Some(text),
            Self::Answered(_) => None,
        }
    }
}

impl State {
    /// The text of pieces.
    pub fn text(&self, pieces: &[Piece]) -> Result<Text, Fault> {
        let mut made = Text {
            text: Zeroizing::new(String::new()),
            of_given: false,
            of_answer: false,
        };
        for piece in pieces {
            match piece {
                Piece::Text(text) => made.push(text)?,
                Piece::Held(number) => match self.get(*number)? {
                    Held::Given(secret) => {
                        made.of_given = true;
                        // Into a text of which the guest has the number.
                        made.push(secret.expose())?;
                    }
                    Held::Made(part) => {
                        made.of_given |= part.of_given;
                        made.of_answer |= part.of_answer;
                        made.push(&part.text)?;
                    }
                    Held::Answered(part) => {
                        let text = answer::scalar(part)
                            .ok_or_else(|| misuse("it uses a part with members as a text"))?;
                        made.of_answer = true;
                        made.push(&Zeroizing::new(text))?;
                    }
                },
            }
        }
        Ok(made)
    }

    /// Pairs as a form or query has them.
    pub fn pairs(&self, parameters: &[Parameter]) -> Result<Zeroizing<String>, Fault> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        for (name, pieces) in parameters {
            pairs.append_pair(name, &self.text(pieces)?.text);
        }
        Ok(Zeroizing::new(pairs.finish()))
    }

    /// Whether the host gave this text.
    pub fn is_given(&self, text: &str) -> bool {
        // Compared, and not handed on.
        let is_it = |held: &Held| matches!(held, Held::Given(secret) if secret.expose() == text);
        self.held.iter().any(is_it)
    }
}

impl Text {
    fn push(&mut self, text: &str) -> Result<(), Fault> {
        if self.text.len() + text.len() > TEXT_BYTES {
            return Err(misuse("it made a text of more than 64 KiB"));
        }
        // Grown into a buffer of its own: the one before is not left behind with secrets in it.
        let mut whole = Zeroizing::new(String::with_capacity(self.text.len() + text.len()));
        whole.push_str(&self.text);
        whole.push_str(text);
        self.text = whole;
        Ok(())
    }

    /// The text in another form.
    pub fn encoded(&self, encoding: &str) -> Result<Self, Fault> {
        let text: &str = &self.text;
        let encoded = match encoding {
            "base64" => STANDARD.encode(text),
            "base64url" => URL_SAFE_NO_PAD.encode(text),
            "hex" => hex(text.as_bytes()),
            "form" => form_urlencoded::byte_serialize(text.as_bytes()).collect(),
            "json" => inside_json(text),
            "xml" => inside_xml(text),
            _ => return Err(misuse("it wants an encoding that the contract does not know")),
        };
        Ok(self.as_made(encoded))
    }

    /// A hash of the text, keyed when there is a key.
    pub fn hashed(&self, algorithm: &str, encoding: &str, key: Option<&Self>) -> Result<Self, Fault> {
        let (plain, keyed) = match algorithm {
            "sha1" => (
                &digest::SHA1_FOR_LEGACY_USE_ONLY,
                hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            ),
            "sha256" => (&digest::SHA256, hmac::HMAC_SHA256),
            "sha384" => (&digest::SHA384, hmac::HMAC_SHA384),
            "sha512" => (&digest::SHA512, hmac::HMAC_SHA512),
            _ => return Err(misuse("it wants a hash that the contract does not know")),
        };
        let bytes = match key {
            None => digest::digest(plain, self.text.as_bytes()).as_ref().to_vec(),
            Some(key) => {
                let key = hmac::Key::new(keyed, key.text.as_bytes());
                hmac::sign(&key, self.text.as_bytes()).as_ref().to_vec()
            }
        };
        let written = match encoding {
            "hex" => hex(&bytes),
            "base64" => STANDARD.encode(&bytes),
            "base64url" => URL_SAFE_NO_PAD.encode(&bytes),
            _ => {
                return Err(misuse(
                    "it wants an encoding of a hash that the contract does not know",
                ));
            }
        };
        let mut made = self.as_made(written);
        made.of_given |= key.is_some_and(|key| key.of_given);
        Ok(made)
    }

    fn as_made(&self, text: String) -> Self {
        Self {
            text: Zeroizing::new(text),
            of_given: self.of_given,
            of_answer: self.of_answer,
        }
    }
}

/// What stands between the quotation marks of a JSON string.
fn inside_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// What may stand between tags and in attributes of either quotation mark.
fn inside_xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '<' | '>' | '"' | '\'' => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out
}
