//! Credentials on their way into a request. This folder is the only one that turns a secret into
//! a header, a query parameter or a signature.
//!
//! It happens last, on the request as it is sent but for what every hop may change, and again for
//! each attempt: a signature holds the moment at which it was made.

mod draft;
mod hmac;
mod jwt;
mod sigv4;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use jiff::Timestamp;
use valetkey_manifest::Placement;
use valetkey_manifest::signing::{Fields, Jwt, KeyEncoding};
use zeroize::Zeroizing;

use super::gate;
use super::redact::Redactor;
use crate::error::{Fault, Kind};
use crate::secret::Secret;

pub(super) use draft::Draft;
use draft::{Unplaced, Values};

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
    /// What a request's parameters or signature are made of.
    Inputs(Inputs),
    /// An access token, and the inputs that it was asked for with.
    Exchanged {
        /// The token.
        token: Secret,
        /// Never sent to the API, and removed from its answers all the same.
        inputs: Inputs,
    },
    /// The vendor asks for nothing.
    None,
}

/// What an account's owner gave, by the manifest's names.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Keys, passwords.
    pub secret: BTreeMap<String, Secret>,
    /// Identifiers that go with them.
    pub open: BTreeMap<String, String>,
}

impl Inputs {
    /// The text of an input. Each caller says in a comment where it goes.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        // Into a template's text, which becomes part of a request or of what is signed.
        let secret = self.secret.get(name).map(Secret::expose);
        secret.or_else(|| self.open.get(name).map(String::as_str))
    }

    /// The bytes of the input that is a key.
    fn key(&self, name: &str, encoding: KeyEncoding) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let text = self.get(name).ok_or_else(|| absent(name))?.trim();
        let bytes = match encoding {
            KeyEncoding::Text => Some(text.as_bytes().to_vec()),
            KeyEncoding::Base64 => STANDARD.decode(text).ok(),
            KeyEncoding::Hex => unhex(text),
        };
        match bytes {
            Some(bytes) if !bytes.is_empty() => Ok(Zeroizing::new(bytes)),
            _ => Err(Problem(format!(
                "`{name}` is not the {} text of a key",
                match encoding {
                    KeyEncoding::Text => "plain",
                    KeyEncoding::Base64 => "base64",
                    KeyEncoding::Hex => "hexadecimal",
                }
            ))),
        }
    }
}

/// Why a credential cannot be used, in words without secrets that follow a colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(pub(super) String);

impl std::fmt::Display for Problem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

fn absent(name: &str) -> Problem {
    Problem(format!("it lacks `{name}`"))
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
    /// The account's configuration, which templates may name.
    config: Arc<BTreeMap<String, String>>,
    carrier: OnceLock<Result<Carrier, Problem>>,
    redactor: OnceLock<Redactor>,
}

/// The secret in the form in which it travels, or what makes it for each request.
enum Carrier {
    Nowhere,
    Header(HeaderName, HeaderValue),
    Query {
        name: String,
        encoded: Zeroizing<String>,
    },
    Fields(Fields, Inputs),
    Hmac(Box<hmac::Signer>),
    Sigv4(sigv4::Signer),
    Jwt {
        name: HeaderName,
        format: String,
        signer: jwt::Signer,
    },
}

impl std::fmt::Debug for Carrier {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Carrier")
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
            config: Arc::default(),
            carrier: OnceLock::new(),
            redactor: OnceLock::new(),
        }
    }

    /// The same, of an account with this configuration.
    #[must_use]
    pub fn of_account(self, config: Arc<BTreeMap<String, String>>) -> Self {
        Self { config, ..self }
    }

    /// Whether it can travel at all: keys are keys, nothing is missing that every request needs.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), Problem> {
        self.carrier().map(drop)
    }

    /// Adds the credential to a request. What was made of it for this request alone comes back,
    /// to be removed from the answer.
    ///
    /// # Errors
    /// The guest took the credential's place, or the secret cannot travel there.
    pub(super) fn place(&self, draft: &mut Draft<'_>) -> Result<Option<Secret>, Fault> {
        self.add_to(draft).map_err(|unplaced| match unplaced {
            Unplaced::Taken(fault) => fault,
            Unplaced::Unusable(problem) => Fault::new(
                Kind::AccountNotActive,
                format!("The account's credential cannot be sent: {problem}. Connect the account again."),
            )
            .reason("credential_check_failed"),
        })
    }

    fn add_to(&self, draft: &mut Draft<'_>) -> Result<Option<Secret>, Unplaced> {
        match self.carrier()? {
            Carrier::Nowhere => {}
            Carrier::Header(name, value) => draft.set_header(name.clone(), value.clone())?,
            Carrier::Query { name, encoded } => draft.add_parameter(name, encoded)?,
            Carrier::Fields(fields, inputs) => {
                draft.fill(&fields.headers, &fields.query, &self.values(inputs), |_| true)?;
            }
            Carrier::Hmac(signer) => return signer.sign(draft, self.values(signer.inputs())).map(Some),
            Carrier::Sigv4(signer) => return signer.sign(draft, &self.config).map(Some),
            Carrier::Jwt { name, format, signer } => {
                let token = signer.sign(&self.values(signer.inputs()).of_request(draft), draft.now)?;
                // Into the header's value, marked sensitive.
                let text = Zeroizing::new(format.replace("{secret}", token.expose()));
                draft.set_header(name.clone(), sensitive(&text)?)?;
                return Ok(Some(token));
            }
        }
        Ok(None)
    }

    /// What removes this credential from an answer.
    pub(super) fn redactor(&self) -> &Redactor {
        // Into the redactor's patterns, which never leave it.
        fn secrets(inputs: &Inputs) -> Vec<&str> {
            inputs.secret.values().map(Secret::expose).collect()
        }
        self.redactor.get_or_init(|| match &self.material {
            Material::Token(token) => Redactor::new(&[token.expose()]),
            Material::Basic { username, password } => {
                let pair = Zeroizing::new(format!("{}:{}", username.expose(), password.expose()));
                // A user name is no secret unless it stands alone.
                let own = if password.is_empty() { username } else { password };
                Redactor::new(&[&pair, own.expose()])
            }
            Material::Inputs(inputs) => Redactor::new(&secrets(inputs)),
            Material::Exchanged { token, inputs } => {
                let mut all = secrets(inputs);
                all.push(token.expose());
                Redactor::new(&all)
            }
            Material::None => Redactor::new(&[]),
        })
    }

    fn carrier(&self) -> Result<&Carrier, Problem> {
        self.carrier
            .get_or_init(|| self.shape())
            .as_ref()
            .map_err(Clone::clone)
    }

    fn values<'a>(&'a self, inputs: &'a Inputs) -> Values<'a> {
        Values::new(inputs, &self.config)
    }

    fn shape(&self) -> Result<Carrier, Problem> {
        let secret = match (&self.material, &self.placement) {
            (Material::None, _) => return Ok(Carrier::Nowhere),
            (Material::Inputs(inputs), placement) => return signing(inputs, placement),
            (Material::Token(token) | Material::Exchanged { token, .. }, _) => token,
            (Material::Basic { password, .. }, _) => password,
        };
        match &self.placement {
            Placement::Header { name, format } => {
                // Into the header's value, marked sensitive.
                let text = Zeroizing::new(format.replace("{secret}", secret.expose()));
                Ok(Carrier::Header(header_name(name)?, sensitive(&text)?))
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
                Ok(Carrier::Header(AUTHORIZATION, sensitive(&text)?))
            }
            Placement::Query { name } => Ok(Carrier::Query {
                name: name.clone(),
                // Into the query.
                encoded: parameter(name, secret.expose()),
            }),
            Placement::Fields(_) | Placement::Hmac(_) | Placement::Sigv4(_) | Placement::Jwt { .. } => {
                Err(misplaced())
            }
        }
    }
}

/// What makes parameters or signatures of inputs.
fn signing(inputs: &Inputs, placement: &Placement) -> Result<Carrier, Problem> {
    Ok(match placement {
        Placement::Fields(fields) => Carrier::Fields(fields.clone(), inputs.clone()),
        Placement::Hmac(hmac) => Carrier::Hmac(Box::new(hmac::Signer::new(hmac, inputs)?)),
        Placement::Sigv4(sigv4) => Carrier::Sigv4(sigv4::Signer::new(sigv4, inputs)?),
        Placement::Jwt { name, format, token } => Carrier::Jwt {
            name: header_name(name)?,
            format: format.clone(),
            signer: jwt::Signer::new(token, inputs)?,
        },
        Placement::Header { .. } | Placement::Query { .. } | Placement::Basic => return Err(misplaced()),
    })
}

/// Signs the assertion that a token endpoint is asked with. `more` are the values that its
/// templates know beside inputs and configuration.
///
/// # Errors
/// The key is none, or a template names what is not there.
pub fn assertion(
    declared: &Jwt,
    inputs: &Inputs,
    config: &BTreeMap<String, String>,
    more: &[(&'static str, &str)],
    now: Timestamp,
) -> Result<Secret, Problem> {
    let signer = jwt::Signer::new(declared, inputs)?;
    signer.sign(&Values::new(inputs, config).with(more), now)
}

/// Fills a template with an account's inputs and configuration, for a field of a token request.
///
/// # Errors
/// The template names what is not there.
pub fn filled(template: &str, inputs: &Inputs, config: &BTreeMap<String, String>) -> Result<Secret, Problem> {
    let text = Values::new(inputs, config).text(template)?;
    Ok(Secret::new(text.as_str().to_owned()))
}

fn misplaced() -> Problem {
    Problem("the connector's manifest has no place for this kind of credential".to_owned())
}

fn header_name(name: &str) -> Result<HeaderName, Problem> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Problem(format!("`{name}` is not the name of a header")))
}

fn sensitive(text: &str) -> Result<HeaderValue, Problem> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Problem("it contains characters that no header can hold".to_owned()))?;
    // Keeps it out of debug output and of HTTP/2's compression table.
    value.set_sensitive(true);
    Ok(value)
}

/// `name=value`, both encoded.
fn parameter(name: &str, value: &str) -> Zeroizing<String> {
    let mut encoded = Zeroizing::new(String::new());
    gate::encode_into(&mut encoded, name);
    encoded.push('=');
    gate::encode_into(&mut encoded, value);
    encoded
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}
