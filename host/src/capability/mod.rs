//! What a guest can reach: the host's side of `http` and `runtime`, each call with its own
//! [`Grant`]. A capability has three moments: linked once per engine, granted once per call,
//! dropped with the instance.
//!
//! Called by `sandbox`. It names no user and holds no secret.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use valetkey_manifest::AuthKind;

use crate::egress::Reach;

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
    /// The guest's log lines.
    pub log: Arc<GuestLog>,
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
}

/// The lines that a guest logged: sanitised, cut, counted.
#[derive(Debug, Default)]
pub struct GuestLog {
    lines: Mutex<Vec<LogLine>>,
    dropped: std::sync::atomic::AtomicU32,
}

/// One line of a guest's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// The text, control characters escaped.
    pub message: String,
}

impl GuestLog {
    /// Keeps a line unless the limit is reached; then it is counted.
    pub fn push(&self, line: LogLine, limit: u32) {
        let mut lines = self
            .lines
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if lines.len() < limit as usize {
            lines.push(line);
        } else {
            self.dropped.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }

    /// The kept lines and how many were dropped.
    #[must_use]
    pub fn take(&self) -> (Vec<LogLine>, u32) {
        let lines = std::mem::take(
            &mut *self
                .lines
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        (lines, self.dropped.load(std::sync::atomic::Ordering::Relaxed))
    }
}
