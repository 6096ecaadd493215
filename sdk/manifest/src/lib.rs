//! `connector.toml` as types: everything about a vendor that is data.
//!
//! The host reads a manifest from the component's `valetkey-manifest` custom section (JSON), the
//! command line from `connector.toml` (TOML); both are this one shape. The guest SDK reads the
//! part of it that runs a declared tool ([`tool::Declaration`]). This crate only names the
//! shape; the host decides what is acceptable (`host/src/manifest/check`).
//!
//! Unknown keys are errors everywhere: a misspelt key never becomes a silent default.

pub mod auth;
pub mod signing;
pub mod template;
pub mod tool;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use auth::{Auth, AuthKind, Placement};
pub use signing::TokenGrant;
pub use tool::Tool;

/// Name of the custom section that carries the manifest inside a component.
pub const SECTION: &str = "valetkey-manifest";

/// Everything that a connector declares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Who this connector is.
    pub connector: Identity,
    /// Where requests may go, by name (`api`, `upload` …).
    pub endpoints: BTreeMap<String, Endpoint>,
    /// The ways in which an account may be connected; the first is the default.
    #[serde(default)]
    pub auth: Vec<Auth>,
    /// What the account's owner or the application supplies beside the credential
    /// (`subdomain`, `site_id` …); usable in endpoint URLs as `{config.NAME}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub account_config: BTreeMap<String, ConfigInput>,
    /// The request that finds what the account's owner would otherwise have to look up: the site that
    /// the credential opens. Sent once after consent, before `verify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discover: Option<Discover>,
    /// The request that proves a new credential and names the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
    /// Rate budgets that the vendor publishes; kept by waiting.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<Budget>,
    /// How the vendor says "slow down" other than by 429 or 503.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub throttles: Vec<Throttle>,
    /// How the vendor says "this credential is no longer good" other than by 401.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// Where the vendor's error bodies keep their code and text, and which mean what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Errors>,
    /// Ways of paging, by name, for tools to refer to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paginators: BTreeMap<String, tool::Paginator>,
    /// Limits that this connector asks for, within what the operator allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<RequestedLimits>,
    /// The operations.
    pub tools: Vec<Tool>,
}

/// Who a connector is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// `^[a-z][a-z0-9_]{1,31}$`; every tool's name begins with it and an underscore.
    pub id: String,
    /// The vendor's name as people write it.
    pub title: String,
    /// Semantic version of this connector.
    pub version: String,
    /// The version of `valetkey:connector` it was written for, `major.minor`.
    pub contract: String,
    /// One sentence.
    pub description: String,
    /// Who publishes the connector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// `crm`, `email` … for catalogues.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// The vendor's API documentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs_url: Option<String>,
    /// What the guest is written in: `rust` (default), or `javascript` / `python`, whose
    /// runtimes are big and run in an engine of their own.
    #[serde(default)]
    pub runtime: GuestRuntime,
}

/// What a guest is written in, which decides the engine that runs it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GuestRuntime {
    /// Compiled languages: small components, an instance costs microseconds.
    #[default]
    Rust,
    /// A JavaScript engine inside the component.
    Javascript,
    /// A Python interpreter inside the component.
    Python,
}

/// A base below which requests may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// `https://host[/base]`, with `{config.NAME}` where an account's configuration decides.
    /// A connection may override it (a vendor's sandbox, a development server).
    pub url: String,
    /// Whether the account's credential is added. `false` for pre-signed upload links.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub credential: bool,
    /// Headers that every request to it carries (API version and the like).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// One value that is asked for beside the credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfigInput {
    /// Label on the form.
    pub title: String,
    /// One sentence: where to find it.
    pub description: String,
    /// Regular expression that the whole value must match. Required when the value is part of
    /// a host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// An example to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// Whether an account cannot be used without it.
    #[serde(default)]
    pub required: bool,
    /// JSON pointer into the token response, for values that the vendor supplies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_token_response: Option<String>,
    /// What is taken of the value in the token response; all of it unless said otherwise. What is
    /// taken must match `pattern`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take: Option<Take>,
}

/// The part of a token response's value that becomes configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// The value is a URL: its host name (Salesforce's `instance_url`). On connections for
    /// development a host of this machine is taken with its port, whatever `pattern` says.
    Host,
}

/// The request that lists the sites which a new credential opens (Atlassian's accessible resources),
/// sent with GET. Of one site its values become the account's configuration; of several the owner
/// chooses on a page of the host, unless the configuration that the application gave names one of
/// them. Forms ask for the same values, and only where they are left empty is the vendor asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Discover {
    /// Endpoint name. Its URL must not need what is found here.
    pub endpoint: String,
    /// Path below it, which may have a query.
    pub path: String,
    /// JSON pointer to the list of sites; empty when the whole body is the list.
    pub items: String,
    /// JSON pointer within one site to a text that a person recognises.
    pub label: String,
    /// Names of `account_config`, each with the JSON pointer to its value within one site.
    pub set: BTreeMap<String, String>,
}

/// The request that proves a credential right after connecting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// Endpoint name.
    pub endpoint: String,
    /// `GET` unless said otherwise, or `POST` for a request that reads (GraphQL's `viewer`).
    #[serde(default = "get", skip_serializing_if = "is_get")]
    pub method: String,
    /// Path below the endpoint.
    pub path: String,
    /// Headers beside those of the endpoint: constants.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// For `POST`: the JSON body, a constant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// JSON pointer to the vendor's stable id of the account.
    pub subject: String,
    /// JSON pointer to a text that a person recognises (an address, a portal name).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// Who shares a rate budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BudgetScope {
    /// Each connected account has its own.
    Account,
    /// All accounts of a connection (the vendor's OAuth application) share it.
    Connection,
}

/// A published rate: at most `requests` in any `per_seconds`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Who shares it.
    pub scope: BudgetScope,
    /// How many requests (or units, where tools declare a `cost`).
    pub requests: u32,
    /// In how many seconds.
    pub per_seconds: f64,
    /// Only requests whose path begins with this (below the endpoint's base).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    /// Only requests whose path ends with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_suffix: Option<String>,
}

/// An answer that means "slow down" although its status does not say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    /// The status it comes with.
    pub status: u16,
    /// JSON pointer into the body …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// … whose value is one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// How long to wait when the vendor does not say, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// An answer that means "this credential is no longer good" although its status is not 401 (Slack's
/// `ok: false` with `token_expired`). It is treated as a 401 is: one refresh and one repetition, then
/// the account's state. Bodies of more than 64 KiB and those that are no JSON never mean that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The status it comes with.
    pub status: u16,
    /// JSON pointer into the body …
    pub pointer: String,
    /// … whose value is one of these.
    pub values: Vec<String>,
}

/// How to read the vendor's error bodies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// JSON pointers that may hold the vendor's code; the first present counts.
    #[serde(default)]
    pub code: Vec<String>,
    /// JSON pointers that may hold the vendor's text.
    #[serde(default)]
    pub message: Vec<String>,
    /// Which statuses or codes mean what, where the usual reading of the status is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub map: Vec<ErrorRule>,
}

/// One exception to the usual reading of a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// Only this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Only this vendor code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The fault code of the contract (`vendor_not_found`, `scope_missing` …).
    pub kind: String,
    /// What to do next, in our words, added to the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Limits that a connector asks for. The operator's settings bound them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestedLimits {
    /// Linear memory in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u32>,
    /// HTTP requests per call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_requests: Option<u32>,
}

fn get() -> String {
    "GET".to_owned()
}

fn is_get(method: &str) -> bool {
    method == "GET"
}

fn yes() -> bool {
    true
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if passes a reference"
)]
fn is_true(value: &bool) -> bool {
    *value
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}
