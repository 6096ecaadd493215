//! The host's parts, built once and passed by reference.
//!
//! Called by the command line and the tests. It owns the order of starting and stopping.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::{Access, NewClient, Scope};
use crate::accounts::Accounts;
use crate::call::Calls;
use crate::certificate::{self, Certificate};
use crate::clock::Clock;
use crate::config::Config;
use crate::egress::{Egress, Outbound};
use crate::files::Files;
use crate::id::EnvironmentId;
use crate::journal::{Actor, Journal};
use crate::registry::{Registry, watch};
use crate::sandbox::Sandbox;
use crate::servers::Servers;
use crate::store::Store;
use crate::store::lock::{FolderLock, LockError};
use crate::store::sled::SledStore;
use crate::vault::{RootKey, Vault};

/// The environment that `valetkey init` makes.
pub const FIRST_ENVIRONMENT: &str = "dev";

/// The parts.
pub struct Runtime {
    /// What the operator set.
    pub config: Config,
    /// The wall clock.
    pub clock: Clock,
    /// The facts that we keep.
    pub store: Arc<dyn Store>,
    /// Sealing.
    pub vault: Arc<Vault>,
    /// The way out.
    pub egress: Arc<Egress>,
    /// Files on their way.
    pub files: Arc<Files>,
    /// Running guests.
    pub sandbox: Arc<Sandbox>,
    /// What happened.
    pub journal: Arc<Journal>,
    /// Loaded connectors.
    pub registry: Arc<Registry>,
    /// Who may call.
    pub access: Arc<Access>,
    /// Connections and accounts.
    pub accounts: Arc<Accounts>,
    /// Virtual MCP servers and the sessions on them.
    pub servers: Arc<Servers>,
    /// What running calls share.
    pub calls: Calls,
    /// Under which the host speaks TLS.
    pub certificate: Certificate,
    /// `https://host[:port]` under which browsers reach us, no trailing slash.
    pub public_url: String,
    /// Cancelled when the host takes no more requests: streams without an end end then.
    pub draining: CancellationToken,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Held for as long as the host lives: one process per data folder.
    _lock: FolderLock,
}

impl Runtime {
    /// Opens the data folder (which [`init`] made) and builds every part on it. `public_url`
    /// begins links and redirect URIs.
    ///
    /// # Errors
    /// What cannot be opened and what to do about it.
    pub async fn open(config: Config, clock: Clock, public_url: String) -> anyhow::Result<Arc<Self>> {
        let dir = config.storage.data_dir.clone();
        if !dir.join("store").exists() {
            bail!(
                "there is no data folder at {}; make one with `valetkey init`",
                dir.display()
            );
        }
        let lock = FolderLock::take(&dir)?;
        let certificate = certificate::ensure(&config, Some(&public_url), clock.now())?;
        let certificate = Certificate::open(certificate)?;
        // The key comes first: with a wrong or exposed one the store is not even opened.
        let store_dir = dir.join("store");
        let root = RootKey::read_for(&config.storage.key_file(), &store_dir)?;
        let store: Arc<dyn Store> = Arc::new(SledStore::open_in_background(&store_dir).await?);
        let vault = Arc::new(Vault::open_in(&store_dir, Arc::clone(&store), root).await?);
        let journal = Journal::open(&dir.join("journal"), &config.journal, clock.clone())
            .context("the journal cannot be opened")?;
        let files = Files::open(
            dir.join("files"),
            Arc::clone(&vault),
            config.files.clone(),
            clock.clone(),
        )
        .context("the folder of files cannot be opened")?;
        let egress = Arc::new(Egress::new(&config.egress, clock.clone())?);
        let outbound: Arc<dyn Outbound> = Arc::clone(&egress) as _;
        let sandbox = Sandbox::new(&config.sandbox, &dir.join("code"), outbound)?;
        let sandbox = Arc::new(sandbox.with_clock(clock.clone()));
        let registry = Registry::open(
            Arc::clone(&store),
            Arc::clone(&sandbox),
            Arc::clone(&journal),
            dir.join("components"),
            Duration::from_millis(config.sandbox.drain_ms),
            clock.clone(),
        );
        let registry = Arc::new(registry.await?);
        let access = Access::open(
            Arc::clone(&store),
            Arc::clone(&vault),
            Arc::clone(&journal),
            clock.clone(),
            public_url.clone(),
        );
        let access = Arc::new(access.await?);
        let accounts = Accounts::open(
            Arc::clone(&store),
            Arc::clone(&vault),
            Arc::clone(&egress),
            Arc::clone(&registry),
            Arc::clone(&journal),
            config.oauth.clone(),
            clock.clone(),
            public_url.clone(),
        );
        let accounts = accounts.await?;
        let servers = Servers::open(
            Arc::clone(&store),
            Arc::clone(&vault),
            Arc::clone(&journal),
            Arc::clone(&registry),
            Arc::clone(&access),
            Arc::clone(&accounts),
            Arc::clone(&egress),
            &config.mcp,
            clock.clone(),
            public_url.clone(),
        );
        let servers = servers.await?;
        let calls = Calls::new(Arc::clone(&store), Arc::clone(&vault), clock.clone(), &config);

        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        if let Some(watched) = config.connectors.watch_dir.clone() {
            tasks.spawn(watch::run(Arc::clone(&registry), watched, stop.clone()));
        }
        tasks.spawn(Arc::clone(&files).keep_swept(stop.clone()));
        Ok(Arc::new(Self {
            config,
            clock,
            store,
            vault,
            egress,
            files,
            sandbox,
            journal,
            registry,
            access,
            accounts,
            servers,
            calls,
            certificate,
            public_url,
            draining: CancellationToken::new(),
            stop,
            tasks,
            _lock: lock,
        }))
    }

    /// Stops what runs by itself and puts everything on the disk. The caller has drained the
    /// calls before.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.registry.close().await;
        self.journal.close().await;
    }
}

/// The data folder that another host has, where that is why [`Runtime::open`] failed.
#[must_use]
pub fn folder_in_use(error: &anyhow::Error) -> Option<&Path> {
    match error.downcast_ref() {
        Some(LockError::InUse(folder)) => Some(folder),
        _ => None,
    }
}

/// Makes a new data folder: root key, certificate, store, the first environment and a client for
/// the operator with every scope, whose secret is answered once.
///
/// # Errors
/// There is a store or key already; nothing is changed then.
pub async fn init(config: &Config, clock: Clock) -> anyhow::Result<NewClient> {
    let dir = &config.storage.data_dir;
    let key_file = config.storage.key_file();
    if dir.join("store").exists() {
        bail!(
            "{} holds a store already; `valetkey serve` uses it. Nothing was changed",
            dir.display()
        );
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("the data folder {} cannot be made", dir.display()))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    let _lock = FolderLock::take(dir)?;
    let store_dir = dir.join("store");
    let root = RootKey::create_for(&key_file, &store_dir)?;
    certificate::ensure(config, config.server.public_url.as_deref(), clock.now())?;
    let store: Arc<dyn Store> = Arc::new(SledStore::open_in_background(&store_dir).await?);
    let vault = Arc::new(Vault::open_in(&store_dir, Arc::clone(&store), root).await?);
    let journal = Journal::open(&dir.join("journal"), &config.journal, clock.clone())?;
    // The issuer is part of tokens, which this short-lived part does not make.
    let access = Access::open(store, vault, Arc::clone(&journal), clock, String::new()).await?;
    let environment = EnvironmentId::new(FIRST_ENVIRONMENT)?;
    access.add_environment(&environment, &Actor::Operator).await?;
    let every_scope = Scope::ALL.into_iter().collect();
    let client = access
        .add_client(&environment, "operator", every_scope, &Actor::Operator)
        .await?;
    journal.close().await;
    Ok(client)
}
