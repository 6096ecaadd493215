//! Credentials on their way into a request. This file is the only one that turns a secret into a
//! header or a query parameter.

use valetkey_manifest::Placement;

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

/// A credential as `accounts` hands it to egress.
#[derive(Debug)]
pub struct Credential {
    /// Grows with every refresh or new authorization; names the credential without showing it.
    pub generation: u64,
    /// The secret.
    pub material: Material,
    /// Where it goes.
    pub placement: Placement,
}
