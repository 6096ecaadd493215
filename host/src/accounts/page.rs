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

/// What a page of the connect flow shows next. Every text in it may be anybody's: the page shows
/// it as text.
#[derive(Debug, Clone)]
pub enum Step {
    /// Go to this URL (the vendor's consent page, or the application's `user_verify_url`).
    Redirect(String),
    /// Say what is asked for, and ask for what is needed.
    Form(FormPage),
    /// Ask which of several sites is meant.
    Choice(ChoicePage),
    /// Consent is there; the application has to confirm who gave it.
    Waiting(WaitingPage),
    /// Done.
    Connected(ConnectedPage),
}

/// The first page of a link: who asks for what, and the fields of a form where there are any.
#[derive(Debug, Clone)]
pub struct FormPage {
    /// The operator's application.
    pub application: String,
    /// The vendor.
    pub vendor: String,
    /// The attempt's one-time ticket, to be sent back with the form.
    pub ticket: String,
    /// For OAuth: what the owner will be asked for at the vendor.
    pub consent: Option<Consent>,
    /// Fields in order.
    pub fields: Vec<FormField>,
    /// What was wrong with the last try as a whole; what is wrong with one field is at the field.
    pub problem: Option<String>,
}

/// What the owner will be asked for at the vendor.
#[derive(Debug, Clone)]
pub struct Consent {
    /// Host of the vendor's consent page, when it is known already.
    pub host: Option<String>,
    /// What is asked for.
    pub permissions: Vec<Permission>,
}

/// One scope, in words where the connector has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The vendor's code.
    pub scope: String,
    /// What it lets the application do.
    pub title: Option<String>,
}

/// One field of the form.
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
    /// Whether it is a secret (not shown while typed, never sent back).
    pub secret: bool,
    /// Whether it has several lines.
    pub multiline: bool,
    /// Whether it must be filled in.
    pub required: bool,
    /// What was entered before; none for secrets.
    pub value: Option<String>,
    /// What was wrong with it.
    pub problem: Option<String>,
}

/// The page that asks which of several sites is to be connected.
#[derive(Debug, Clone)]
pub struct ChoicePage {
    /// The operator's application.
    pub application: String,
    /// The vendor.
    pub vendor: String,
    /// The attempt's ticket, to be sent back with the choice.
    pub ticket: String,
    /// The sites, in the vendor's order.
    pub sites: Vec<SiteOption>,
    /// What was wrong with the last try.
    pub problem: Option<String>,
}

/// One site to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteOption {
    /// What is sent back for it.
    pub value: String,
    /// The vendor's words for it.
    pub label: String,
    /// What tells it from another site with the same words.
    pub note: Option<String>,
}

/// What the page shows to the browser that gave consent, until the application confirms it.
#[derive(Debug, Clone)]
pub struct WaitingPage {
    /// The operator's application.
    pub application: String,
    /// The vendor.
    pub vendor: String,
    /// Where the application confirms it.
    pub url: String,
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
    /// For OAuth: what was granted.
    pub granted: Vec<Permission>,
    /// What was asked for and, as the vendor says, not granted.
    pub withheld: Vec<Permission>,
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
