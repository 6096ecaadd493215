//! Loaded connectors: which tools there are, which version serves them, and how versions come
//! and go while calls run.
//!
//! Called by `call` (one snapshot per call) and by the edges (install, activate, remove). A
//! snapshot never changes; a swap puts a new one in its place.

pub mod check;
pub mod manifest_file;
pub mod watch;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use valetkey_manifest::{Manifest, Tool};

use crate::clock::Clock;
use crate::egress::Allowed;
use crate::error::Fault;
use crate::id::ConnectorId;
use crate::journal::{Actor, Journal};
use crate::sandbox::{Component, Sandbox};
use crate::store::Store;

/// Everything that is loaded, at one moment.
#[derive(Default)]
pub struct Snapshot {
    /// Connectors by id.
    pub connectors: BTreeMap<ConnectorId, Arc<Connector>>,
    /// Tool names and aliases of the active versions: connector and the tool's own name.
    pub tools: HashMap<String, (ConnectorId, String)>,
}

/// One connector with its loaded versions.
pub struct Connector {
    /// The version that serves calls.
    pub active: Activation,
    /// Every loaded version by version text, the active one included.
    pub versions: BTreeMap<String, Activation>,
    /// The version that was active before, for roll-back.
    pub previous: Option<String>,
}

/// A version in service. Calls that came in by it are cut off when `cutoff` is cancelled, which
/// happens `sandbox.drain_ms` after it was replaced or removed.
#[derive(Clone)]
pub struct Activation {
    /// The version.
    pub version: Arc<Version>,
    /// Cancelled when draining is over.
    pub cutoff: CancellationToken,
}

/// One loaded version of a connector.
pub struct Version {
    /// What it declares.
    pub manifest: Arc<Manifest>,
    /// SHA-256 of the component, lower-case hex.
    pub digest: String,
    /// The compiled component.
    pub component: Arc<Component>,
    /// Tools by their own name (not by alias).
    pub tools: HashMap<String, Arc<LoadedTool>>,
}

/// A tool, ready to be called.
pub struct LoadedTool {
    /// What the manifest declares.
    pub declared: Tool,
    /// The input schema that callers see: the declared one, with `limit` and `cursor` where the
    /// tool pages.
    pub input_schema: serde_json::Value,
    /// Checks the input.
    pub input: jsonschema::Validator,
    /// Checks the output, when the tool promises a shape.
    pub output: Option<jsonschema::Validator>,
    /// What the guest gets as `context.declaration`.
    pub declaration: Option<Arc<str>>,
    /// What it may send.
    pub allowed: Arc<[Allowed]>,
}

/// A connector as operators see it.
#[derive(Debug, Clone, Serialize)]
pub struct Installed {
    /// Connector id.
    pub connector: String,
    /// The vendor's name.
    pub title: String,
    /// The version that serves calls.
    pub active_version: String,
    /// Every loaded version with its digest.
    pub versions: Vec<InstalledVersion>,
    /// Number of tools of the active version.
    pub tools: usize,
}

/// One version of an installed connector.
#[derive(Debug, Clone, Serialize)]
pub struct InstalledVersion {
    /// Version text of the manifest.
    pub version: String,
    /// SHA-256 of the component, lower-case hex.
    pub digest: String,
    /// When it was installed, RFC 3339.
    pub installed_at: String,
}

/// Loads, swaps and keeps connectors.
pub struct Registry {}

impl Registry {
    /// Loads what is installed. A component that no longer loads is reported and left out; the
    /// others serve.
    ///
    /// # Errors
    /// The store or the folder fails.
    pub async fn open(
        _store: Arc<dyn Store>,
        _sandbox: Arc<Sandbox>,
        _journal: Arc<Journal>,
        _components_dir: PathBuf,
        _drain: std::time::Duration,
        _clock: Clock,
    ) -> anyhow::Result<Self> {
        todo!()
    }

    /// What is loaded now. A call takes one and sees nothing else.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        todo!()
    }

    /// Checks, compiles and activates a component; the version before stays loaded for roll-back
    /// and for connections that pin it. The same bytes again change nothing.
    ///
    /// # Errors
    /// `invalid_input` with every reason; the version that served goes on serving. `conflict`
    /// when a tool name is another connector's, or the same version text came with other bytes.
    pub async fn install(&self, _bytes: Vec<u8>, _actor: &Actor) -> Result<Installed, Fault> {
        todo!()
    }

    /// Makes a loaded version the active one; none means the one before.
    ///
    /// # Errors
    /// `not_found` when it is not loaded.
    pub async fn activate(
        &self,
        _connector: &ConnectorId,
        _version: Option<&str>,
        _actor: &Actor,
    ) -> Result<Installed, Fault> {
        todo!()
    }

    /// Takes a version away (none: all of the connector). The active version goes only with all.
    ///
    /// # Errors
    /// `not_found`; `conflict` for the active version while others are loaded.
    pub async fn remove(
        &self,
        _connector: &ConnectorId,
        _version: Option<&str>,
        _actor: &Actor,
    ) -> Result<(), Fault> {
        todo!()
    }

    /// What is installed.
    #[must_use]
    pub fn list(&self) -> Vec<Installed> {
        todo!()
    }
}
