//! How an account of the vendor is connected, and where its credential goes in a request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::signing::{Fields, Hmac, Jwt, SigV4, TokenGrant};

/// One way of connecting an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Name within the manifest (`oauth2`, `private_app` …); a connection refers to it.
    pub id: String,
    /// What kind of credential it is.
    pub kind: AuthKind,
    /// Title on the connect page.
    pub title: String,
    /// For OAuth kinds: the vendor's endpoints and quirks. Suggestions: the operator's
    /// connection holds what is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth2: Option<OAuth2>,
    /// For `jwt_bearer` and `client_credentials`: how the host asks for access tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<TokenGrant>,
    /// For the other kinds: what the form asks for. Empty means the usual fields of the kind
    /// (`api_key`; `username` and `password`; `token`). The kinds `keys`, `jwt_bearer` and
    /// `client_credentials` ask for exactly what is declared here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, SecretInput>,
    /// Where the credential goes. Default: HTTP basic for `basic`, `Authorization: Bearer …` for
    /// every kind that has one token. The kind `keys` has no default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
}

impl Auth {
    /// What the connector's code may ask at the token endpoint, when it speaks to it.
    #[must_use]
    pub fn coded(&self) -> Option<&Coded> {
        let by_consent = self.oauth2.as_ref().and_then(|oauth2| oauth2.coded.as_ref());
        let by_inputs = self.grant.as_ref().and_then(|grant| grant.coded.as_ref());
        by_consent.or(by_inputs)
    }
}

/// Kinds of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// OAuth 2 authorization code with PKCE S256.
    Oauth2,
    /// One secret string.
    ApiKey,
    /// User name and password.
    Basic,
    /// A long-lived bearer token.
    Bearer,
    /// Several inputs of the connector's own naming, out of which the host makes parameters or
    /// a signature for every request.
    Keys,
    /// A private key: the host signs an assertion and exchanges it for access tokens (RFC 7523
    /// section 2.1; service accounts).
    JwtBearer,
    /// A client of the account's own: exchanged for access tokens (RFC 6749 section 4.4).
    ClientCredentials,
    /// The vendor asks for nothing.
    None,
}

impl AuthKind {
    /// The code that guests and API clients see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Oauth2 => "oauth2",
            Self::ApiKey => "api_key",
            Self::Basic => "basic",
            Self::Bearer => "bearer",
            Self::Keys => "keys",
            Self::JwtBearer => "jwt_bearer",
            Self::ClientCredentials => "client_credentials",
            Self::None => "none",
        }
    }
}

/// The vendor's OAuth 2 endpoints and quirks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    /// Authorization endpoint.
    pub authorize_url: String,
    /// Token endpoint.
    pub token_url: String,
    /// RFC 7009 revocation endpoint, when the vendor has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke_url: Option<String>,
    /// The authorization server's identifier (RFC 9207), compared with `iss` of the callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Whether the vendor promises to send `iss`; then a callback without it is refused.
    #[serde(default)]
    pub iss_required: bool,
    /// Scopes asked for when a connection names none.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What each scope lets an application do, in words of the account's owner ("Read your
    /// contacts"), for the connect page. A scope without words is shown as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scope_titles: BTreeMap<String, String>,
    /// What joins scopes; a space unless said otherwise.
    #[serde(default = "space")]
    pub scope_separator: String,
    /// The parameter of the authorization request that names the scopes; `scope` unless said
    /// otherwise (`user_scope` for Slack's user tokens).
    #[serde(default = "scope", skip_serializing_if = "is_scope")]
    pub scope_param: String,
    /// Constant parameters of the authorization request (`access_type = "offline"`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorize_params: BTreeMap<String, String>,
    /// How the client authenticates at the token endpoint.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// How the body of a request to the token endpoint is written, and to the revocation endpoint.
    #[serde(default, skip_serializing_if = "TokenBody::is_form")]
    pub token_body: TokenBody,
    /// Where the token endpoint's answer keeps its fields, for vendors who keep them elsewhere than
    /// RFC 6749 says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_response: Option<TokenResponse>,
    /// Error codes by which the token endpoint says that a code or a refresh token is not good, beside
    /// `invalid_grant` (`unauthorized_client` for Atlassian). The account's owner then connects again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grant_errors: Vec<String>,
    /// What becomes of a refresh token when it is used.
    #[serde(default)]
    pub rotation: Rotation,
    /// Lifetime to assume when the answer has no usable `expires_in`, in seconds; none means
    /// that the vendor's 401 decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_lifetime_seconds: Option<u64>,
    /// Which token the revocation endpoint wants.
    #[serde(default)]
    pub revoke_token: RevokeToken,
    /// That the connector's `auth` export exchanges codes and refreshes tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coded: Option<Coded>,
}

/// That the connector's own code speaks to the token endpoint, because no declaration describes what
/// that wants. The component exports `auth`; an empty table says no more than that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Coded {
    /// Further paths at the token endpoint's origin that the code may ask (`/v2/signature`), each
    /// whole and without a query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

/// How the client authenticates at the token endpoint (RFC 6749 section 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// `client_id` and `client_secret` in the form body.
    #[default]
    Post,
    /// HTTP basic.
    Basic,
    /// A public client: `client_id` alone.
    None,
}

/// How the body of a token request is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenBody {
    /// `application/x-www-form-urlencoded`, as RFC 6749 says.
    #[default]
    Form,
    /// An object of texts as `application/json` (Notion, Atlassian).
    Json,
}

impl TokenBody {
    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde's skip_serializing_if passes a reference"
    )]
    fn is_form(&self) -> bool {
        *self == Self::Form
    }
}

/// JSON pointers into the token endpoint's answer. What is not named is at its usual place. A refresh
/// that has nothing at these places is read at the usual ones (Slack answers a consent in
/// `/authed_user` and a refresh at the top).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenResponse {
    /// The access token (`/authed_user/access_token`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// The refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The access token's lifetime in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<String>,
    /// The scopes that were granted: a text or a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// What becomes of a refresh token when it is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It stays.
    #[default]
    None,
    /// A new one replaces it; the old one still works for a while.
    Grace,
    /// A new one replaces it at once.
    SingleUse,
}

/// Which token the revocation endpoint wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RevokeToken {
    /// The refresh token, which ends the whole grant (RFC 7009 section 2.1).
    #[default]
    Refresh,
    /// The access token.
    Access,
}

/// One field of the hosted form for non-OAuth kinds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SecretInput {
    /// Label.
    pub title: String,
    /// One sentence: where to find it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Regular expression that the whole value must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Whether it is hidden while it is typed and removed from what guests see. `false` for
    /// identifiers (`client_email`, `access_key_id`).
    #[serde(default = "crate::yes", skip_serializing_if = "crate::is_true")]
    pub secret: bool,
    /// Whether it has several lines, as private keys do.
    #[serde(default, skip_serializing_if = "crate::is_false")]
    pub multiline: bool,
    /// Whether it may be left out.
    #[serde(default, skip_serializing_if = "crate::is_false")]
    pub optional: bool,
}

impl SecretInput {
    /// A secret line of this title.
    #[must_use]
    pub fn titled(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            description: None,
            pattern: None,
            secret: true,
            multiline: false,
            optional: false,
        }
    }
}

/// Where the credential goes in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "in", rename_all = "snake_case", deny_unknown_fields)]
pub enum Placement {
    /// A header, its value with `{secret}` replaced.
    Header {
        /// Header name.
        name: String,
        /// Value with `{secret}`, such as `Bearer {secret}`.
        #[serde(default = "bare_secret")]
        format: String,
    },
    /// A query parameter.
    Query {
        /// Parameter name.
        name: String,
    },
    /// HTTP basic: `username` and `password` of the form, or the key as the user name.
    Basic,
    /// Several inputs in headers and query parameters of their own.
    Fields(Fields),
    /// A keyed hash over the request.
    Hmac(Hmac),
    /// AWS Signature Version 4.
    Sigv4(SigV4),
    /// A token that the host signs for every request, in a header.
    Jwt {
        /// Header name.
        #[serde(default = "authorization")]
        name: String,
        /// Value with `{secret}` where the token goes.
        #[serde(default = "bearer")]
        format: String,
        /// What is signed, by which key.
        token: Jwt,
    },
}

impl Placement {
    /// The names of the headers that carry the credential.
    #[must_use]
    pub fn headers(&self) -> Vec<&str> {
        match self {
            Self::Header { name, .. } | Self::Jwt { name, .. } => vec![name],
            Self::Query { .. } => Vec::new(),
            Self::Basic => vec!["authorization"],
            Self::Fields(fields) => fields.headers.keys().map(String::as_str).collect(),
            Self::Hmac(hmac) => hmac.headers.keys().map(String::as_str).collect(),
            Self::Sigv4(_) => vec![
                "authorization",
                "x-amz-date",
                "x-amz-security-token",
                "x-amz-content-sha256",
            ],
        }
    }
}

fn space() -> String {
    " ".to_owned()
}

fn scope() -> String {
    "scope".to_owned()
}

fn is_scope(name: &str) -> bool {
    name == "scope"
}

fn bare_secret() -> String {
    "{secret}".to_owned()
}

fn authorization() -> String {
    "Authorization".to_owned()
}

fn bearer() -> String {
    "Bearer {secret}".to_owned()
}
