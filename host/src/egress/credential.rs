//! Credentials on their way into a request. This file is the only one that turns a secret into a
//! header or a query parameter.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use valetkey_manifest::Placement;
use zeroize::Zeroizing;

use super::gate;
use super::redact::Redactor;
use crate::error::{Fault, Kind};
use crate::secret::Secret;

/// What proves the account.
#[derive(Debug)]
pub enum Material {
    /// An OAuth access token, an API key or a long-lived bearer token.
    Token(Secret),
    /// User name and password.
    Basic {
        /// The user name.
        username: Secret,
        /// The password.
        password: Secret,
    },
    /// The vendor asks for nothing.
    None,
}

/// A credential as `accounts` hands it to egress. Shared by all calls of an account while its
/// generation lasts, so that what is derived from it is derived once.
#[derive(Debug)]
pub struct Credential {
    /// Grows with every refresh or new authorization; names the credential without showing it.
    pub generation: u64,
    /// The secret.
    pub material: Material,
    /// Where it goes.
    pub placement: Placement,
    placed: OnceLock<Result<Placed, &'static str>>,
    redactor: OnceLock<Redactor>,
}

/// The secret in the form in which it travels.
enum Placed {
    Nowhere,
    Header(HeaderName, HeaderValue),
    Query {
        name: String,
        encoded: Zeroizing<String>,
    },
}

impl std::fmt::Debug for Placed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Placed")
    }
}

impl Credential {
    /// A credential that goes where `placement` says.
    #[must_use]
    pub fn new(generation: u64, material: Material, placement: Placement) -> Self {
        Self {
            generation,
            material,
            placement,
            placed: OnceLock::new(),
            redactor: OnceLock::new(),
        }
    }

    /// Adds the credential to a request.
    ///
    /// # Errors
    /// The guest took the credential's place, or the secret cannot travel there.
    pub(super) fn place(&self, headers: &mut HeaderMap, target: &mut String) -> Result<(), Fault> {
        match self.placed.get_or_init(|| self.shape()) {
            Err(problem) => Err(Fault::new(
                Kind::AccountNotActive,
                format!("The account's credential cannot be sent: {problem}. Connect the account again."),
            )
            .reason("credential_check_failed")),
            Ok(Placed::Nowhere) => Ok(()),
            Ok(Placed::Header(name, _)) if headers.contains_key(name) => Err(gate::denied(
                "header_forbidden",
                format!("The header {name} carries the credential; the connector must not set it."),
            )),
            Ok(Placed::Header(name, value)) => {
                headers.insert(name.clone(), value.clone());
                Ok(())
            }
            Ok(Placed::Query { name, .. }) if has_parameter(target, name) => Err(gate::denied(
                "header_forbidden",
                format!("The query parameter {name} carries the credential; the connector must not set it."),
            )),
            Ok(Placed::Query { encoded, .. }) => {
                target.push(if target.contains('?') { '&' } else { '?' });
                target.push_str(encoded);
                Ok(())
            }
        }
    }

    /// What removes this credential from an answer.
    pub(super) fn redactor(&self) -> &Redactor {
        self.redactor.get_or_init(|| match &self.material {
            // Into the redactor's patterns, which never leave it.
            Material::Token(token) => Redactor::new(&[token.expose()]),
            Material::Basic { username, password } => {
                let pair = Zeroizing::new(format!("{}:{}", username.expose(), password.expose()));
                // A user name is no secret unless it stands alone.
                let own = if password.is_empty() { username } else { password };
                Redactor::new(&[&pair, own.expose()])
            }
            Material::None => Redactor::new(&[]),
        })
    }

    fn shape(&self) -> Result<Placed, &'static str> {
        let secret = match &self.material {
            Material::None => return Ok(Placed::Nowhere),
            Material::Token(token) => token,
            Material::Basic { password, .. } => password,
        };
        match &self.placement {
            Placement::Header { name, format } => {
                let name =
                    HeaderName::from_bytes(name.as_bytes()).map_err(|_| "its header's name is not valid")?;
                // Into the header's value, marked sensitive.
                let text = Zeroizing::new(format.replace("{secret}", secret.expose()));
                Ok(Placed::Header(name, sensitive(&text)?))
            }
            Placement::Basic => {
                // Into the basic header, marked sensitive.
                let pair = Zeroizing::new(match &self.material {
                    Material::Basic { username, password } => {
                        format!("{}:{}", username.expose(), password.expose())
                    }
                    _ => format!("{}:", secret.expose()),
                });
                let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
                Ok(Placed::Header(AUTHORIZATION, sensitive(&text)?))
            }
            Placement::Query { name } => {
                let mut encoded = Zeroizing::new(String::new());
                gate::encode_into(&mut encoded, name);
                encoded.push('=');
                // Into the query.
                gate::encode_into(&mut encoded, secret.expose());
                Ok(Placed::Query {
                    name: name.clone(),
                    encoded,
                })
            }
        }
    }
}

fn sensitive(text: &str) -> Result<HeaderValue, &'static str> {
    let mut value =
        HeaderValue::from_str(text).map_err(|_| "it contains characters that no header can hold")?;
    // Keeps it out of debug output and of HTTP/2's compression table.
    value.set_sensitive(true);
    Ok(value)
}

fn has_parameter(target: &str, name: &str) -> bool {
    let Some((_, query)) = target.split_once('?') else {
        return false;
    };
    query.split(['&', ';']).any(|pair| {
        let raw = pair.split('=').next().unwrap_or_default();
        gate::decode(raw).is_none_or(|decoded| decoded.eq_ignore_ascii_case(name))
    })
}
