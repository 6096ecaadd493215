//! A credential in a request's body, on its way into custody: it is never answered, never logged,
//! and an error about it names the place alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::accounts::GivenCredential;
use crate::error::{Fault, Problem};
use crate::secret::Secret;

/// A credential that the application has already. It is tried at the vendor before it is kept.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = GivenCredential)]
pub(in crate::api) enum Given {
    /// What the connect page would ask for, by name: `api_key`; `token`; `username` and `password`;
    /// for other kinds those that the connector declares.
    Inputs(BTreeMap<String, Hidden>),
    /// Tokens that the vendor issued to the OAuth application of the connection.
    Tokens(Tokens),
}

/// Tokens that the vendor issued to the OAuth application of the connection.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GivenTokens)]
pub(in crate::api) struct Tokens {
    /// The access token.
    access_token: Hidden,
    /// The refresh token, without which the account expires with the access token.
    #[serde(default)]
    refresh_token: Option<Hidden>,
    /// What was granted; empty when it is not known.
    #[serde(default)]
    scopes: Vec<String>,
    /// When the access token expires, RFC 3339; absent when it is not known.
    #[serde(default)]
    #[schema(format = DateTime)]
    token_expires_at: Option<String>,
}

/// A secret text: taken, never answered.
#[derive(ToSchema)]
#[schema(as = SecretText, value_type = String, format = Password)]
pub(in crate::api) struct Hidden(Secret);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // What is no text is refused without being repeated.
        let text = String::deserialize(from).map_err(|_| serde::de::Error::custom("must be a text"))?;
        Ok(Self(Secret::new(text)))
    }
}

impl Given {
    /// As the core takes it.
    pub(in crate::api) fn into_core(self) -> Result<GivenCredential, Fault> {
        Ok(match self {
            Self::Inputs(inputs) => {
                let inputs = inputs.into_iter().map(|(name, value)| (name, value.0));
                GivenCredential::Inputs(inputs.collect())
            }
            Self::Tokens(tokens) => GivenCredential::Tokens {
                access: tokens.access_token.0,
                refresh: tokens.refresh_token.map(|token| token.0),
                scopes: tokens.scopes,
                expires_at_ms: tokens.token_expires_at.as_deref().map(moment).transpose()?,
            },
        })
    }
}

fn moment(text: &str) -> Result<i64, Fault> {
    text.parse::<jiff::Timestamp>()
        .map(jiff::Timestamp::as_millisecond)
        .map_err(|_| {
            Fault::invalid(
                "The body is not what this path takes; `fields` says where.",
                vec![Problem {
                    path: "/credential/tokens/token_expires_at".to_owned(),
                    problem: "is no time of RFC 3339, such as 2026-01-31T12:00:00Z".to_owned(),
                }],
            )
        })
}
