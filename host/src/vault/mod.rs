//! Sealing at rest: root key → environment key → one key per write, AES-256-GCM, with the place
//! of the record as associated data, so that no record opens anywhere else.
//!
//! Called by `accounts`, `registry` and `call`. It never hands out a key, and never makes a root
//! key where a store exists.
//!
//! Wrapped environment keys are records of `Table::Meta` under `key/<environment>/<version>`;
//! the key check value lies under `key-check`. Rotation is prepared for: a root key is replaced
//! by wrapping the environment keys anew, an environment key by a further version, which then
//! seals while the older ones still open.

mod environment;
pub mod root_key;
mod seal;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

use crate::error::Fault;
use crate::id::EnvironmentId;
use crate::secret::SecretBytes;
use crate::store::{Batch, Expect, Store, StoreError, Table};

use environment::EnvironmentKeys;
pub use root_key::RootKey;
pub use seal::OVERHEAD_BYTES;

/// Where a sealed value belongs. All of it is associated data.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// `account`, `credential`, `connection`, `flow`, `replay`, `cursor` …
    pub record: &'a str,
    /// The environment.
    pub environment: &'a EnvironmentId,
    /// The connection, or empty.
    pub connection: &'a str,
    /// The identifier, id or key of the record within its kind.
    pub identifier: &'a str,
    /// The field (`tokens`, `client_secret` …).
    pub field: &'a str,
    /// The generation of the record, so that an older one does not open as a newer.
    pub generation: u64,
}

impl Place<'_> {
    fn encode(&self) -> Vec<u8> {
        seal::length_prefixed(&[
            self.record.as_bytes(),
            self.environment.as_str().as_bytes(),
            self.connection.as_bytes(),
            self.identifier.as_bytes(),
            self.field.as_bytes(),
            &self.generation.to_be_bytes(),
        ])
    }
}

/// Why a value could not be sealed or opened.
#[derive(Debug, Error)]
pub enum VaultError {
    /// The environment has no key here.
    #[error("no key for environment `{0}`")]
    UnknownEnvironment(EnvironmentId),
    /// The sealed bytes do not belong to this place, were altered, or are of another store.
    #[error("a sealed `{record}` does not open: altered, moved or of another store")]
    DoesNotOpen {
        /// Which kind of record.
        record: String,
    },
    /// The key does not belong to this store.
    #[error(
        "the root key does not belong to this store; point `storage.key_file` at the key that was made with it, or restore that from your backup"
    )]
    WrongRootKey,
    /// The store has records and nothing that tells which root key they were sealed under.
    #[error(
        "the store has records but no key check value, so it was not made by `valetkey init` or is damaged; import your last export into a new data folder"
    )]
    KeyCheckMissing,
    /// The store failed.
    #[error("the store failed while reading keys")]
    Store(#[source] StoreError),
}

const KEY_CHECK: &[u8] = b"key-check";
const KEY_CHECK_TEXT: &[u8] = b"valetkey key check 1";

/// Seals and opens.
pub struct Vault {
    store: Arc<dyn Store>,
    root: RootKey,
    environments: ArcSwap<HashMap<EnvironmentId, Arc<EnvironmentKeys>>>,
}

impl Vault {
    /// Opens the vault of a store: checks that the root key is this store's, unwraps the
    /// environment keys. On an empty store it writes the key check value.
    ///
    /// # Errors
    /// Another root key, or the store fails. The store is untouched then.
    pub async fn open(store: Arc<dyn Store>, root: RootKey) -> Result<Self, VaultError> {
        let check = store
            .get(Table::Meta, KEY_CHECK)
            .await
            .map_err(VaultError::Store)?;
        match check {
            Some(check) if opens_check(&root, &check.value) => {}
            Some(_) => return Err(VaultError::WrongRootKey),
            None if is_empty(&*store).await? => write_check(&*store, &root).await?,
            None => return Err(VaultError::KeyCheckMissing),
        }

        let environments = environment::load(&*store, &root).await?;
        Ok(Self {
            store,
            root,
            environments: ArcSwap::from_pointee(environments),
        })
    }

    /// As [`Vault::open`] for a store that lies in `store_dir`, where it notes which root key is
    /// the store's: [`RootKey::read_for`] then knows a wrong one without opening the store.
    ///
    /// # Errors
    /// As [`Vault::open`], or the note cannot be written.
    pub async fn open_in(store_dir: &Path, store: Arc<dyn Store>, root: RootKey) -> Result<Self, VaultError> {
        let vault = Self::open(store, root).await?;
        vault.root.note_in(store_dir).map_err(|error| {
            VaultError::Store(StoreError::Failed {
                what: format!("noting its root key's id in {}", store_dir.display()),
                source: Some(error.into()),
            })
        })?;
        Ok(vault)
    }

    /// Makes the key of a new environment; does nothing when it has one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn add_environment(&self, environment: &EnvironmentId) -> Result<(), VaultError> {
        if self.environments.load().contains_key(environment) {
            return Ok(());
        }
        let keys = Arc::new(environment::create(&*self.store, &self.root, environment).await?);
        self.environments.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.insert(environment.clone(), Arc::clone(&keys));
            known
        });
        Ok(())
    }

    /// Seals `plain` for one place. The result is [`OVERHEAD_BYTES`] longer.
    ///
    /// # Errors
    /// The environment has no key.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let keys = self.keys(place.environment)?;
        let (version, key) = keys.current();
        Ok(seal::seal(key, version, self.root.id(), &place.encode(), plain))
    }

    /// Opens what [`Vault::seal`] made for the same place.
    ///
    /// # Errors
    /// It does not open.
    pub fn open_sealed(&self, place: Place<'_>, sealed: &[u8]) -> Result<SecretBytes, VaultError> {
        let keys = self.keys(place.environment)?;
        seal::key_version(sealed)
            .and_then(|version| keys.version(version))
            .and_then(|key| seal::open(key, &place.encode(), sealed))
            .ok_or_else(|| VaultError::DoesNotOpen {
                record: place.record.to_owned(),
            })
    }

    /// Seals `plain` for one place, as a text that passes through a caller and comes back.
    ///
    /// # Errors
    /// The environment has no key.
    pub fn seal_text(&self, place: Place<'_>, plain: &[u8]) -> Result<String, VaultError> {
        Ok(URL_SAFE_NO_PAD.encode(self.seal(place, plain)?))
    }

    /// Opens a text of [`Vault::seal_text`] of the same place; none for anything else.
    #[must_use]
    pub fn open_text(&self, place: Place<'_>, sealed: &str) -> Option<SecretBytes> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        self.open_sealed(place, &sealed).ok()
    }

    /// A keyed digest for index keys: equal parts give equal digests within an environment, and
    /// nothing can be read from them. Parts are length-prefixed.
    ///
    /// # Errors
    /// The environment has no key.
    pub fn blind(&self, environment: &EnvironmentId, parts: &[&[u8]]) -> Result<[u8; 32], VaultError> {
        Ok(self.keys(environment)?.blind(parts))
    }

    fn keys(&self, environment: &EnvironmentId) -> Result<Arc<EnvironmentKeys>, VaultError> {
        let known = self.environments.load();
        let keys = known.get(environment).map(Arc::clone);
        keys.ok_or_else(|| VaultError::UnknownEnvironment(environment.clone()))
    }
}

async fn is_empty(store: &dyn Store) -> Result<bool, VaultError> {
    for table in Table::ALL {
        let held = store.scan(table, &[], None, 1).await.map_err(VaultError::Store)?;
        if !held.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn write_check(store: &dyn Store, root: &RootKey) -> Result<(), VaultError> {
    let check = root.seal(&seal::length_prefixed(&[KEY_CHECK]), KEY_CHECK_TEXT);
    let batch = Batch::new().put(Table::Meta, KEY_CHECK, Expect::Absent, check);
    store.commit(batch).await.map_err(VaultError::Store)
}

fn opens_check(root: &RootKey, sealed: &[u8]) -> bool {
    let text = root.open(&seal::length_prefixed(&[KEY_CHECK]), sealed);
    text.is_some_and(|text| text.expose() == KEY_CHECK_TEXT)
}

impl From<VaultError> for Fault {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Store(source) => source.into(),
            VaultError::UnknownEnvironment(_)
            | VaultError::DoesNotOpen { .. }
            | VaultError::WrongRootKey
            | VaultError::KeyCheckMissing => Self::internal(error),
        }
    }
}
