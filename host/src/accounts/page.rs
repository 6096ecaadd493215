//! What callers get: links, the pages of the connect flow, what became of a disconnection.

use serde::Serialize;

use crate::id::{AccountId, AuthRequestId};

/// A link for the account's owner to open.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Link {
    /// The URL, on this host. Connects the account once, within ten minutes.
    pub authorization_link: String,
    /// The attempt.
    #[schema(value_type = String)]
    pub auth_request_id: AuthRequestId,
    /// The account that it will activate.
    #[schema(value_type = String)]
    pub connected_account_id: AccountId,
    /// When it expires, RFC 3339.
    pub expires_at: String,
}

/// What a page of the connect flow shows next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Go to this URL (the vendor's consent page, or the application's `user_verify_url`).
    Redirect(String),
    /// Ask for the credential by a form.
    Form(FormPage),
    /// Done.
    Connected(ConnectedPage),
}

/// What the credential form shows.
#[derive(Debug, Clone)]
pub struct FormPage {
    /// The operator's application.
    pub application: String,
    /// The vendor.
    pub vendor: String,
    /// The attempt's one-time ticket, to be sent back with the form.
    pub ticket: String,
    /// Fields in order.
    pub fields: Vec<FormField>,
    /// What was wrong with the last try.
    pub problem: Option<String>,
}

/// One field of the credential form.
#[derive(Debug, Clone)]
pub struct FormField {
    /// Name of the input.
    pub name: String,
    /// Label.
    pub title: String,
    /// Where to find it.
    pub description: Option<String>,
    /// An example.
    pub example: Option<String>,
    /// Whether it is a secret (not shown while typed).
    pub secret: bool,
    /// Whether it must be filled in.
    pub required: bool,
}

/// What the last page shows.
#[derive(Debug, Clone)]
pub struct ConnectedPage {
    /// The operator's application.
    pub application: String,
    /// The vendor.
    pub vendor: String,
    /// What a person recognises of the account at the vendor.
    pub label: Option<String>,
}

/// The raw query of an OAuth callback, in order, decoded once.
pub type CallbackQuery = Vec<(String, String)>;

/// What became of a disconnection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// The vendor confirmed it.
    Revoked,
    /// The vendor has no revocation, or the credential is not of a kind that has one.
    NotSupported,
    /// The vendor could not be reached; the host tries again in the background.
    Pending,
}
