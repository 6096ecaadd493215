//! The host's settings: one struct per concern, read from a TOML file and the environment here
//! and nowhere else. Unknown keys are errors with a suggestion.
//!
//! Called by `main` and the tests. Nothing below it reads the environment.

pub mod env;
mod load;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use load::{ConfigError, DEFAULT_FILE, Loaded, Source};

/// Everything that an operator may set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The listening side.
    pub server: Server,
    /// Where things are kept.
    pub storage: Storage,
    /// What a guest may use.
    pub sandbox: Sandbox,
    /// What a request to a vendor may cost.
    pub egress: Egress,
    /// Connecting and refreshing accounts.
    pub oauth: OAuth,
    /// The pages that accounts' owners see.
    pub pages: Pages,
    /// How many calls at once.
    pub admission: Admission,
    /// The record of executions.
    pub journal: Journal,
    /// Loading connectors.
    pub connectors: Connectors,
    /// Log lines.
    pub log: Log,
}

/// The listening side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port; port 0 takes a free one. Only loopback without TLS.
    pub listen: SocketAddr,
    /// The URL under which browsers and agents reach this host; links and redirect URIs begin
    /// with it. Default: `http://` and the address listened on.
    pub public_url: Option<String>,
    /// Accept a non-loopback address without TLS, because a proxy in front terminates it.
    pub insecure_behind_proxy: bool,
    /// Largest request body in bytes; connector uploads have their own limit.
    pub max_body_bytes: usize,
    /// Largest component upload in bytes.
    pub max_component_bytes: usize,
    /// Deadline of a call that names none, in milliseconds.
    pub default_deadline_ms: u64,
    /// The longest deadline that a caller may ask for, in milliseconds.
    pub max_deadline_ms: u64,
    /// How long running calls may go on after a stop signal, in milliseconds.
    pub drain_ms: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8470)),
            public_url: None,
            insecure_behind_proxy: false,
            max_body_bytes: 1024 * 1024,
            max_component_bytes: 64 * 1024 * 1024,
            default_deadline_ms: 30_000,
            max_deadline_ms: 120_000,
            drain_ms: 30_000,
        }
    }
}

/// Where things are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// The data folder: store, components, compiled code, journal.
    pub data_dir: PathBuf,
    /// The root key's file; default: the data folder's name with `.key` added, beside it.
    pub key_file: Option<PathBuf>,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("valetkey-data"),
            key_file: None,
        }
    }
}

impl Storage {
    /// The root key's file: beside the data folder, so that a copy of the folder is not a copy of
    /// the key.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.key_file.clone().unwrap_or_else(|| {
            let mut name = self.data_dir.clone().into_os_string();
            name.push(".key");
            PathBuf::from(name)
        })
    }
}

/// What a guest may use, per call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// Linear memory of one instance in bytes.
    pub memory_bytes: usize,
    /// The most that a manifest may ask for, in bytes.
    pub max_memory_bytes: usize,
    /// CPU time in milliseconds.
    pub cpu_ms: u64,
    /// Table elements.
    pub table_elements: usize,
    /// Calls of host functions.
    pub host_calls: u32,
    /// HTTP requests.
    pub http_requests: u32,
    /// The most HTTP requests that a manifest may ask for.
    pub max_http_requests: u32,
    /// Bytes of output JSON.
    pub output_bytes: usize,
    /// Log lines kept.
    pub log_lines: u32,
    /// Bytes of one log line kept.
    pub log_line_bytes: usize,
    /// Instances that may live at once in this process.
    pub max_instances: u32,
    /// Milliseconds that a replaced or removed version may finish its calls in.
    pub drain_ms: u64,
    /// Seconds that the compilation of one component may take.
    pub compile_seconds: u64,
    /// Largest component in bytes.
    pub max_component_bytes: usize,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self {
            memory_bytes: 64 * 1024 * 1024,
            max_memory_bytes: 256 * 1024 * 1024,
            cpu_ms: 2_000,
            table_elements: 10_000,
            host_calls: 200,
            http_requests: 20,
            max_http_requests: 100,
            output_bytes: 4 * 1024 * 1024,
            log_lines: 256,
            log_line_bytes: 2 * 1024,
            max_instances: 1_000,
            drain_ms: 30_000,
            compile_seconds: 30,
            max_component_bytes: 64 * 1024 * 1024,
        }
    }
}

/// What a request to a vendor may cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Egress {
    /// TCP connect, in milliseconds.
    pub connect_ms: u64,
    /// TLS handshake, in milliseconds.
    pub tls_ms: u64,
    /// Until the first byte of the answer, in milliseconds.
    pub first_byte_ms: u64,
    /// Longest pause within the body, in milliseconds.
    pub idle_body_ms: u64,
    /// The whole exchange, in milliseconds.
    pub total_ms: u64,
    /// Header bytes of an answer.
    pub max_header_bytes: usize,
    /// Header fields of an answer.
    pub max_header_fields: usize,
    /// Bytes of a request's body.
    pub max_request_bytes: usize,
    /// Decoded bytes of an answer's body.
    pub max_response_bytes: usize,
    /// Decoded to encoded bytes, once past 1 MiB.
    pub max_ratio: u32,
    /// Attempts per request, the first included.
    pub attempts: u32,
    /// The longest wait that a vendor may impose, in milliseconds.
    pub max_wait_ms: u64,
    /// Failures in a row (no connection, no answer, 5xx) after which nothing is sent to a vendor for
    /// a moment; 0 for never.
    pub breaker_failures: u32,
    /// How long nothing is sent then, in milliseconds, before one request tries again.
    pub breaker_pause_ms: u64,
    /// How long a vendor's addresses are kept, in milliseconds; they are checked at every
    /// connection all the same. 0 asks every time.
    pub dns_cache_ms: u64,
    /// Idle connections kept per vendor host.
    pub idle_per_host: usize,
    /// PEM file with further certificate authorities (a company's own).
    pub extra_ca_file: Option<PathBuf>,
}

impl Default for Egress {
    fn default() -> Self {
        Self {
            connect_ms: 3_000,
            tls_ms: 3_000,
            first_byte_ms: 10_000,
            idle_body_ms: 10_000,
            total_ms: 30_000,
            max_header_bytes: 64 * 1024,
            max_header_fields: 100,
            max_request_bytes: 10 * 1024 * 1024,
            max_response_bytes: 10 * 1024 * 1024,
            max_ratio: 100,
            attempts: 3,
            max_wait_ms: 60_000,
            breaker_failures: 10,
            breaker_pause_ms: 4_000,
            dns_cache_ms: 30_000,
            idle_per_host: 64,
            extra_ca_file: None,
        }
    }
}

/// Connecting and refreshing accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OAuth {
    /// How long a link or state is good for, in seconds.
    pub flow_seconds: u64,
    /// Open flows per environment; the oldest expire beyond it.
    pub max_open_flows: usize,
    /// Refresh this long before expiry at most, in seconds (and at most a fifth of the lifetime).
    pub refresh_margin_seconds: u64,
    /// The least time between two refreshes that a vendor's 401 asks for, in seconds.
    pub renew_interval_seconds: u64,
    /// Bytes of a token response.
    pub max_token_response_bytes: usize,
    /// The whole exchange with a token endpoint, in milliseconds.
    pub token_request_ms: u64,
}

impl Default for OAuth {
    fn default() -> Self {
        Self {
            flow_seconds: 600,
            max_open_flows: 10_000,
            refresh_margin_seconds: 300,
            renew_interval_seconds: 30,
            max_token_response_bytes: 64 * 1024,
            token_request_ms: 20_000,
        }
    }
}

/// The pages that accounts' owners see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pages {
    /// Who runs this host, as its pages name them; also the name of applications without one.
    pub operator_name: Option<String>,
}

/// How many calls at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admission {
    /// Calls running at once per environment.
    pub per_environment: u32,
    /// Calls running at once per account.
    pub per_account: u32,
    /// Waiting calls, as a multiple of the running ones; beyond it a call is refused.
    pub queue_factor: u32,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            per_environment: 256,
            per_account: 32,
            queue_factor: 64,
        }
    }
}

/// The record of executions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Journal {
    /// Milliseconds within which a finished call's record is on the disk.
    pub commit_ms: u64,
    /// Bytes of one journal file before the next begins.
    pub file_bytes: u64,
    /// Days that journal files are kept.
    pub keep_days: u32,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            commit_ms: 50,
            file_bytes: 64 * 1024 * 1024,
            keep_days: 30,
        }
    }
}

/// Loading connectors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connectors {
    /// A folder whose `.wasm` files are installed as they appear or change.
    pub watch_dir: Option<PathBuf>,
}

/// Log lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// A `tracing` filter: `info`, `valetkey=debug` …
    pub filter: String,
    /// Whether lines are JSON.
    pub json: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "info".to_owned(),
            json: false,
        }
    }
}

impl Server {
    /// Deadline of a call that names none.
    #[must_use]
    pub fn default_deadline(&self) -> Duration {
        Duration::from_millis(self.default_deadline_ms)
    }
}
