//! Connections and accounts as everybody but the vault sees them: without secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use valetkey_manifest::{AuthKind, Manifest, Placement, TokenGrant, Tool, auth::OAuth2};

use crate::egress::Vendor;
use crate::id::{AccountId, ConnectionName, ConnectorId, EnvironmentId, Identifier};

/// Where an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountState {
    /// Nobody has consented yet.
    PendingAuth,
    /// Somebody consented; the application has not confirmed who.
    PendingVerification,
    /// Usable.
    Active,
    /// The vendor refused the credential; the owner must authorize again.
    Expired,
    /// Ended by someone.
    Disconnected,
}

/// Why an account is where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No link was completed yet.
    NeverAuthorized,
    /// The owner or vendor declined.
    ConsentDenied,
    /// The application did not confirm the person.
    VerificationFailed,
    /// The vendor refused the refresh token.
    RefreshRejected,
    /// The vendor could not be reached and the access token has run out. The state stays.
    RefreshUnreachable,
    /// A refresh was sent, and nobody knows what became of it.
    RefreshOutcomeUnknown,
    /// A scope that is needed was not granted.
    ScopeMissing,
    /// The owner ended it.
    RevokedByUser,
    /// The operator ended it.
    DisabledByOperator,
    /// The vendor refused the credential when it was checked.
    CredentialCheckFailed,
}

/// One user's credential on a connection, without the credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// `ca_…`.
    pub id: AccountId,
    /// Its environment.
    pub environment: EnvironmentId,
    /// Its connection.
    pub connection: ConnectionName,
    /// The connector of that connection.
    pub connector: ConnectorId,
    /// The application's key for the user.
    pub identifier: Identifier,
    /// Where it stands.
    pub state: AccountState,
    /// Why.
    pub reason: Option<Reason>,
    /// Kind of credential.
    pub credential_kind: AuthKind,
    /// Configuration beside the credential.
    pub account_config: Arc<BTreeMap<String, String>>,
    /// Scopes that the vendor granted.
    pub scopes: Arc<[String]>,
    /// Whether the vendor said which scopes it granted; if not, `scopes` are those asked for.
    pub scopes_stated: bool,
    /// The vendor's stable id of the account.
    pub subject: Option<String>,
    /// What a person recognises of it.
    pub label: Option<String>,
    /// Grows with every change of the credential; never repeats.
    pub generation: u64,
    /// When the access token expires, milliseconds since 1970; none when unknown or never.
    pub token_expires_at_ms: Option<i64>,
    /// Creation, milliseconds since 1970.
    pub created_at_ms: i64,
    /// Last change, milliseconds since 1970.
    pub updated_at_ms: i64,
}

impl Account {
    /// The scopes that a tool needs and its owner did not grant; empty when nothing is missing.
    #[must_use]
    pub fn lacks<'t>(&self, tool: &'t Tool) -> Vec<&'t str> {
        if self.credential_kind != AuthKind::Oauth2 {
            return Vec::new();
        }
        let granted = |scope: &String| self.scopes.contains(scope);
        if !tool.any_scopes.is_empty() && !tool.any_scopes.iter().any(granted) {
            return tool.any_scopes.iter().map(String::as_str).take(1).collect();
        }
        let missing = tool.scopes.iter().filter(|scope| !granted(scope));
        missing.map(String::as_str).collect()
    }
}

/// An operator's configuration of a connector, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its environment.
    pub environment: EnvironmentId,
    /// Its name.
    pub name: ConnectionName,
    /// The connector.
    pub connector: ConnectorId,
    /// Id of the manifest's auth scheme.
    pub auth: String,
    /// Kind of credential.
    pub kind: AuthKind,
    /// For OAuth: the confirmed endpoints and quirks.
    pub oauth2: Option<OAuth2>,
    /// For kinds whose inputs are exchanged: the confirmed token endpoint and what it wants.
    #[serde(default)]
    pub grant: Option<TokenGrant>,
    /// For OAuth: the application's client id at the vendor.
    pub oauth_client_id: Option<String>,
    /// Whether a client secret is kept.
    pub has_client_secret: bool,
    /// Scopes asked for.
    pub scopes: Vec<String>,
    /// Where the credential goes.
    pub placement: Placement,
    /// Endpoint URLs instead of the manifest's, by name.
    pub endpoints: BTreeMap<String, String>,
    /// Plain http and loopback vendors, and nothing else.
    pub development: bool,
    /// Serve calls by this connector version.
    pub pinned_version: Option<String>,
    /// Whether raw requests may be sent with the credentials of its accounts.
    #[serde(default)]
    pub proxy: bool,
    /// Allowed `user_verify_url`s.
    pub user_verify_urls: Vec<String>,
    /// The operator's application on hosted pages.
    pub application_name: String,
    /// The redirect URI to register at the vendor.
    pub redirect_uri: Option<String>,
    /// Creation, milliseconds since 1970.
    pub created_at_ms: i64,
}

impl Connection {
    /// The lifetime of access tokens whose endpoint names none.
    #[must_use]
    pub fn default_lifetime_seconds(&self) -> Option<u64> {
        let by_consent = self.oauth2.as_ref().map(|oauth2| oauth2.default_lifetime_seconds);
        let by_inputs = self.grant.as_ref().map(|grant| grant.default_lifetime_seconds);
        by_consent.or(by_inputs).flatten()
    }

    /// What egress has to know of the vendor, of a connector with this manifest.
    #[must_use]
    pub fn vendor(&self, manifest: &Manifest) -> Vendor {
        Vendor {
            connector: manifest.connector.id.clone(),
            connection_key: format!("{}/{}", self.environment, self.name),
            development: self.development,
            budgets: manifest.budgets.clone().into(),
            throttles: manifest.throttles.clone().into(),
            refusals: manifest.refusals.clone().into(),
            errors: manifest.errors.clone().map(Arc::new),
        }
    }
}
