//! The host's settings: one struct per concern, read from a TOML file and the environment here
//! and nowhere else. Unknown keys are errors with a suggestion.
//!
//! Called by `main` and the tests. Nothing below it reads the environment.

pub mod env;
mod hidden;
mod load;
mod otlp;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use hidden::Hidden;
pub use load::{ConfigError, DEFAULT_FILE, Loaded, Source};

/// Everything that an operator may set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The listening side.
    pub server: Server,
    /// The certificate of the listening side.
    pub tls: Tls,
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
    /// Files on their way between callers and vendors.
    pub files: Files,
    /// How many calls at once.
    pub admission: Admission,
    /// The record of executions.
    pub journal: Journal,
    /// Loading connectors.
    pub connectors: Connectors,
    /// MCP servers for agents.
    pub mcp: Mcp,
    /// Log lines.
    pub log: Log,
    /// Traces, exported to an OpenTelemetry collector. `docs/guides/tracing.md` says what they hold.
    pub telemetry: Telemetry,
}

/// The listening side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port; port 0 takes a free one. TLS and clear text are told apart on it; clear
    /// text from other machines is refused.
    pub listen: SocketAddr,
    /// The URL under which browsers and agents reach this host; links and redirect URIs begin
    /// with it. Default: `http://` and the address listened on.
    pub public_url: Option<String>,
    /// Accept clear text from other machines, because a proxy in front terminates TLS.
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

/// The certificate of the listening side. Without one the host makes and signs its own, in the
/// data folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// PEM file with the certificate and what leads to its authority. Read again when it changes.
    pub certificate_file: Option<PathBuf>,
    /// PEM file with its private key.
    pub key_file: Option<PathBuf>,
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
    /// Whether requests to vendors carry `traceparent`, which tells a vendor which of its requests
    /// belong together.
    pub send_traceparent: bool,
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
            send_traceparent: false,
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

/// Files on their way between callers and vendors: uploads, and answers that tools keep. They lie
/// sealed in the data folder until they expire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// Bytes of one file.
    pub max_file_bytes: u64,
    /// Bytes of all files of an environment together.
    pub max_environment_bytes: u64,
    /// Seconds that a file is kept.
    pub keep_seconds: u64,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            max_file_bytes: 512 * 1024 * 1024,
            max_environment_bytes: 4 * 1024 * 1024 * 1024,
            keep_seconds: 3_600,
        }
    }
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

/// MCP servers for agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mcp {
    /// Origins whose pages may use MCP servers (`https://host[:port]`), besides this host's own and
    /// those of this machine.
    pub allowed_origins: Vec<String>,
    /// Characters of a tool's result; a longer one is cut at an item's end, with a cursor.
    pub max_result_chars: usize,
    /// Open streams of notifications per user.
    pub max_streams: u32,
    /// Other issuers whose access tokens MCP servers take, each as `{ issuer, jwks_url or jwks_file,
    /// environments, identifier_claim, development }`.
    pub issuers: Vec<Issuer>,
}

impl Default for Mcp {
    fn default() -> Self {
        Self {
            allowed_origins: Vec::new(),
            max_result_chars: 40_000,
            max_streams: 32,
            issuers: Vec::new(),
        }
    }
}

/// An authorization server whose access tokens MCP servers take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Issuer {
    /// Its identifier, as in the tokens' `iss`.
    pub issuer: String,
    /// Where its public keys are (RFC 7517); https …
    pub jwks_url: Option<String>,
    /// … or a file with them.
    pub jwks_file: Option<PathBuf>,
    /// The environments whose servers take its tokens.
    pub environments: Vec<String>,
    /// The claim that names the user, as the application does.
    pub identifier_claim: String,
    /// Whether its keys may be at a loopback address over plain http, and nowhere else.
    pub development: bool,
}

impl Default for Issuer {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            jwks_url: None,
            jwks_file: None,
            environments: Vec::new(),
            identifier_claim: "sub".to_owned(),
            development: false,
        }
    }
}

impl Issuer {
    /// What is wrong with it; none when it can be used.
    fn problem(&self) -> Option<&'static str> {
        let url = self.issuer.parse::<http::Uri>();
        if !url.is_ok_and(|url| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some()) {
            return Some("its `issuer` is no URL");
        }
        if self.jwks_url.is_some() == self.jwks_file.is_some() {
            return Some("it wants either `jwks_url` or `jwks_file`");
        }
        if self.environments.is_empty() {
            return Some("it names no `environments`, so no server would take its tokens");
        }
        self.identifier_claim
            .is_empty()
            .then_some("its `identifier_claim` is empty")
    }
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

/// Traces, exported over OTLP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// The collector's base URL for OTLP over HTTP; `/v1/traces` is added. Nothing is traced
    /// without it.
    pub otlp_endpoint: Option<String>,
    /// Headers for the collector, `name=value` with commas between, values percent-encoded. They
    /// may hold its key: they are never shown.
    pub otlp_headers: Option<Hidden>,
    /// Name of this host in traces.
    pub service_name: String,
    /// Of the traces that begin here, one in so many is exported. A trace that begins at the
    /// caller is exported when the caller says so.
    pub sample_one_in: u64,
    /// Whether spans hold the arguments and results of tools: users' data, without what is named
    /// like a credential.
    pub record_content: bool,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            otlp_headers: None,
            service_name: "valetkey".to_owned(),
            sample_one_in: 1,
            record_content: false,
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
