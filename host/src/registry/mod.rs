//! Loaded connectors: which tools there are, which version serves them, and how versions come
//! and go while calls run.
//!
//! Called by `call` (one snapshot per call) and by the edges (install, activate, remove). A
//! snapshot never changes; a swap puts a new one in its place. Reading one takes no lock;
//! changes happen one after the other, each to its end even when its caller goes away.

mod components;
mod load;
mod records;
mod swap;
pub mod watch;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use valetkey_manifest::{Manifest, Tool};

use crate::clock::Clock;
use crate::egress::Allowed;
use crate::error::Fault;
use crate::id::ConnectorId;
use crate::journal::{Actor, Journal};
use crate::sandbox::{Component, Sandbox};
use crate::store::Store;

use components::Components;
use swap::Shelf;

/// Everything that is loaded, at one moment.
#[derive(Default)]
pub struct Snapshot {
    /// Connectors by id.
    pub connectors: BTreeMap<ConnectorId, Arc<Connector>>,
    /// Tool names and aliases of the active versions: connector and the tool's own name.
    pub tools: HashMap<String, (ConnectorId, String)>,
    /// What operators see of it, what did not load included.
    pub installed: Vec<Installed>,
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
/// happens `sandbox.drain_ms` after it was replaced or removed. The active activation has its own
/// `cutoff`: a version that is replaced and stays loaded goes on serving connections that pin it.
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
    /// When it was installed, milliseconds since 1970.
    pub installed_at_ms: i64,
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
    /// Whether the vendor numbers its pages, so that all pages of a walk have to be of one size.
    pub numbered_pages: bool,
    /// What it may send.
    pub allowed: Arc<[Allowed]>,
}

/// A connector as operators see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Installed {
    /// Connector id.
    pub connector: String,
    /// The vendor's name.
    pub title: String,
    /// The version that serves calls.
    pub active_version: String,
    /// Every installed version with its digest.
    pub versions: Vec<InstalledVersion>,
    /// Number of tools of the active version.
    pub tools: usize,
}

/// One version of an installed connector.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct InstalledVersion {
    /// Version text of the manifest.
    pub version: String,
    /// SHA-256 of the component, lower-case hex.
    pub digest: String,
    /// When it was installed, RFC 3339.
    pub installed_at: String,
    /// Why it is not loaded; none when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Loads, swaps and keeps connectors.
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    sandbox: Arc<Sandbox>,
    journal: Arc<Journal>,
    components: Arc<Components>,
    drain: Duration,
    clock: Clock,
    loaded: ArcSwap<Snapshot>,
    /// Counts the snapshots that were put in place.
    changed: tokio::sync::watch::Sender<u64>,
    /// What is installed. Held during a whole change: changes come one after the other.
    shelves: Mutex<BTreeMap<ConnectorId, Shelf>>,
    /// Changes under way and versions that drain.
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Registry {
    /// Loads what is installed. A component that no longer loads is reported and left out; the
    /// others serve.
    ///
    /// # Errors
    /// The store or the folder fails.
    pub async fn open(
        store: Arc<dyn Store>,
        sandbox: Arc<Sandbox>,
        journal: Arc<Journal>,
        components_dir: PathBuf,
        drain: Duration,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let inner = Inner {
            store,
            sandbox,
            journal,
            components: Arc::new(Components::open(components_dir)?),
            drain,
            clock,
            loaded: ArcSwap::default(),
            changed: tokio::sync::watch::Sender::default(),
            shelves: Mutex::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        };
        inner.load_installed().await?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// What is loaded now. A call takes one and sees nothing else.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.loaded.load_full()
    }

    /// Wakes whoever shows a list of tools: its value grows with each new snapshot.
    #[must_use]
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// Checks, compiles and activates a component; the version before stays loaded for roll-back
    /// and for connections that pin it. The same bytes again change nothing.
    ///
    /// # Errors
    /// `invalid_input` with every reason; the version that served goes on serving. `conflict`
    /// when a tool name is another connector's, or the same version text came with other bytes.
    pub async fn install(&self, bytes: Vec<u8>, actor: &Actor) -> Result<Installed, Fault> {
        let (inner, actor) = (Arc::clone(&self.inner), actor.clone());
        self.to_the_end(async move { inner.install(bytes.into(), &actor).await })
            .await
    }

    /// Makes a loaded version the active one; none means the one before.
    ///
    /// # Errors
    /// `not_found` when it is not loaded, `conflict` when one of its tool names is another
    /// connector's by now.
    pub async fn activate(
        &self,
        connector: &ConnectorId,
        version: Option<&str>,
        actor: &Actor,
    ) -> Result<Installed, Fault> {
        let (inner, actor) = (Arc::clone(&self.inner), actor.clone());
        let (connector, version) = (connector.clone(), version.map(str::to_owned));
        self.to_the_end(async move { inner.activate(&connector, version, &actor).await })
            .await
    }

    /// Takes a version away (none: all of the connector). The active version goes only with all.
    ///
    /// # Errors
    /// `not_found`; `conflict` for the active version while others are installed.
    pub async fn remove(
        &self,
        connector: &ConnectorId,
        version: Option<&str>,
        actor: &Actor,
    ) -> Result<(), Fault> {
        let (inner, actor) = (Arc::clone(&self.inner), actor.clone());
        let (connector, version) = (connector.clone(), version.map(str::to_owned));
        self.to_the_end(async move { inner.remove(&connector, version, &actor).await })
            .await
    }

    /// What is installed.
    #[must_use]
    pub fn list(&self) -> Vec<Installed> {
        self.inner.loaded.load().installed.clone()
    }

    /// Stops: a change under way comes to its end, draining versions are cut off.
    pub async fn close(&self) {
        self.inner.closing.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// A caller that goes away must not leave a change half made: what is on the disk and what
    /// serves would differ until the next start.
    async fn to_the_end<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, Fault> {
        self.inner.tasks.spawn(change).await.map_err(Fault::internal)?
    }
}
