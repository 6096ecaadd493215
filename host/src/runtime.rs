//! The host's parts, built once and passed by reference.

use std::sync::Arc;

use crate::access::Access;
use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::config::Config;
use crate::egress::Egress;
use crate::journal::Journal;
use crate::registry::Registry;
use crate::sandbox::Sandbox;
use crate::store::Store;
use crate::vault::Vault;

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
    /// `https://host[:port]` under which browsers reach us, no trailing slash.
    pub public_url: String,
}

impl Runtime {
    /// Opens the data folder (which `valetkey init` made), and builds every part on it.
    /// `public_url` begins links and redirect URIs.
    ///
    /// # Errors
    /// What cannot be opened and what to do about it.
    pub async fn open(_config: Config, _clock: Clock, _public_url: String) -> anyhow::Result<Arc<Self>> {
        todo!()
    }

    /// Stops: running calls finish within `server.drain_ms`, everything is on the disk.
    pub async fn close(&self) {
        todo!()
    }
}
