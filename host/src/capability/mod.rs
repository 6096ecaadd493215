//! What a guest can reach: the host's side of `http`, `files`, `runtime` and, for `auth`, of
//! `token-endpoint`, each call with its own [`Grant`]. A capability has three moments: linked once per engine, granted once per call,
//! dropped with the instance.
//!
//! Called by `sandbox`. It names no user and holds no secret.

pub(crate) mod bindings;
mod files;
mod http;
pub(crate) mod log;
mod progress;
mod runtime;
pub(crate) mod session;
mod tape;
mod token_endpoint;

use std::collections::BTreeMap;
use std::sync::Arc;

use valetkey_manifest::AuthKind;

use crate::config;
use crate::egress::Reach;
use crate::files::Shelf;

pub use log::{GuestLog, LogLine, sanitise};
pub use progress::{Progress, Step};
pub use tape::{Tape, Taped};

/// What one call may use, in full.
pub struct Grant {
    /// Where its requests may go, as whom, until when.
    pub reach: Reach,
    /// The limits of this call.
    pub limits: Limits,
    /// Kind of the account's credential.
    pub credential_kind: AuthKind,
    /// Scopes that the vendor granted.
    pub scopes: Arc<[String]>,
    /// The account's configuration, secrets excluded.
    pub account_config: Arc<BTreeMap<String, String>>,
    /// The files that it may name; none where there is no spool.
    pub files: Option<Shelf>,
    /// The guest's log lines.
    pub log: Arc<GuestLog>,
    /// Who is told how far the call is.
    pub progress: Option<Progress>,
    /// Where its exchanges with the vendor are kept, when somebody may see them.
    pub tape: Option<Arc<Tape>>,
}

/// Limits of one call; `config::Sandbox` with the manifest's wishes applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory in bytes.
    pub memory_bytes: usize,
    /// Table elements.
    pub table_elements: usize,
    /// CPU time in milliseconds.
    pub cpu_ms: u64,
    /// Calls of host functions.
    pub host_calls: u32,
    /// HTTP requests.
    pub http_requests: u32,
    /// Bytes of output JSON.
    pub output_bytes: usize,
    /// Log lines kept.
    pub log_lines: u32,
    /// Bytes of a log line kept.
    pub log_line_bytes: usize,
}

impl From<&config::Sandbox> for Limits {
    /// What a call may use when its manifest asks for nothing.
    fn from(settings: &config::Sandbox) -> Self {
        Self {
            memory_bytes: settings.memory_bytes,
            table_elements: settings.table_elements,
            cpu_ms: settings.cpu_ms,
            host_calls: settings.host_calls,
            http_requests: settings.http_requests,
            output_bytes: settings.output_bytes,
            log_lines: settings.log_lines,
            log_line_bytes: settings.log_line_bytes,
        }
    }
}

/// What a guest sees of its call (`context` of the contract).
#[derive(Debug, Clone, Default)]
pub struct CallContext {
    /// `exe_…`.
    pub execution_id: String,
    /// The tool's declaration as JSON.
    pub declaration: Option<Arc<str>>,
    /// The vendor's token of the page to fetch.
    pub page_token: Option<String>,
    /// Items wanted on the page.
    pub page_size: Option<u32>,
    /// Further facts by name, of which a guest takes those that it knows.
    pub ext: Vec<(String, String)>,
}
