//! Work on the data folder of a host that is not running: back up, restore, look whether it would
//! start. It takes the folder's lock, so that it never works beside a host.
//!
//! Called by the command line. It calls no vendor and changes no account.

use std::fs;
use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::clock::Clock;
use crate::config::Config;
use crate::egress::Egress;
use crate::journal::{Actor, Change, Journal};
use crate::registry::{Installed, Registry};
use crate::sandbox::Sandbox;
use crate::store::lock::{FolderLock, LockError, make_folder};
use crate::store::sled::SledStore;
use crate::store::{Store, export};
use crate::vault::root_key::RootKeyError;
use crate::vault::{RootKey, Vault};

/// Writes every record of the store, still sealed, to `out`; answers how many.
///
/// # Errors
/// There is no store, a host is using it, or `out` fails.
pub async fn export(config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<u64> {
    let dir = &config.storage.data_dir;
    require_store(dir)?;
    let _lock = FolderLock::take(dir)?;
    let store = SledStore::open_in_background(&dir.join("store")).await?;
    let records = export::export(&store, out).await?;
    out.flush()?;
    Ok(records)
}

/// Reads an export into a data folder without a store; answers how many records. The root key of
/// the exported store must be in its place before.
///
/// # Errors
/// There is a store already, the root key is missing or another one, the export is damaged. The
/// folder has no store then.
pub async fn import(config: &Config, input: &mut (dyn BufRead + Send), clock: Clock) -> anyhow::Result<u64> {
    let dir = &config.storage.data_dir;
    let store_dir = dir.join("store");
    if store_dir.exists() {
        bail!(
            "{} holds a store already; import into a new data folder. Nothing was changed",
            dir.display()
        );
    }
    let root = RootKey::read(&config.storage.key_file())
        .context("the exported store's root key must be in its place before an import")?;
    make_folder(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    let _lock = FolderLock::take(dir)?;

    let imported = fill(dir, input, root).await;
    match imported {
        Ok(records) => {
            let journal = Journal::open(&dir.join("journal"), &config.journal, clock)?;
            let change = Change {
                actor: Actor::Operator,
                environment: None,
                action: "store.import",
                object: format!("{records} records"),
                outcome: "ok".to_owned(),
            };
            let noted = journal.change(change).await;
            journal.close().await;
            noted?;
            Ok(records)
        }
        Err(error) => {
            fs::remove_dir_all(&store_dir)
                .with_context(|| format!("{} is half filled; remove it", store_dir.display()))?;
            Err(error)
        }
    }
}

async fn fill(dir: &Path, input: &mut (dyn BufRead + Send), root: RootKey) -> anyhow::Result<u64> {
    let store_dir = dir.join("store");
    let store = Arc::new(SledStore::open_in_background(&store_dir).await?);
    let records = export::import(&*store, input).await?;
    // The records are useless under another key: better known now than at the first call.
    Vault::open_in(&store_dir, store, root).await?;
    Ok(records)
}

/// Opens everything that a start opens, except what talks to vendors; answers the installed
/// connectors, each version with the reason why it does not load.
///
/// # Errors
/// What would keep the host from starting.
pub async fn inspect(config: &Config, clock: Clock) -> anyhow::Result<Vec<Installed>> {
    let dir = &config.storage.data_dir;
    require_store(dir)?;
    let _lock = FolderLock::take(dir)?;
    let store_dir = dir.join("store");
    let root = RootKey::read_for(&config.storage.key_file(), &store_dir)?;
    let store: Arc<dyn Store> = Arc::new(SledStore::open_in_background(&store_dir).await?);
    Vault::open(Arc::clone(&store), root).await?;
    let journal = Journal::open(&dir.join("journal"), &config.journal, clock.clone())?;
    let egress = Arc::new(Egress::new(&config.egress, clock.clone())?);
    let sandbox = Arc::new(Sandbox::new(&config.sandbox, &dir.join("code"), egress)?);
    let registry = Registry::open(
        store,
        sandbox,
        Arc::clone(&journal),
        dir.join("components"),
        Duration::ZERO,
        clock,
    )
    .await?;
    let installed = registry.list();
    registry.close().await;
    journal.close().await;
    Ok(installed)
}

/// Whether the root key's file holds this store's key, safe from others' eyes.
///
/// # Errors
/// What is wrong with it and what to do.
pub fn check_key(config: &Config) -> Result<(), RootKeyError> {
    RootKey::read_for(&config.storage.key_file(), &config.storage.data_dir.join("store")).map(drop)
}

/// Whether a host is using the data folder now.
#[must_use]
pub fn is_in_use(config: &Config) -> bool {
    let lock = FolderLock::take(&config.storage.data_dir);
    matches!(lock, Err(LockError::InUse(_)))
}

fn require_store(dir: &Path) -> anyhow::Result<()> {
    if dir.join("store").exists() {
        return Ok(());
    }
    bail!(
        "there is no data folder at {}; make one with `valetkey init`",
        dir.display()
    )
}
