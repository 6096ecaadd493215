//! Sealing at rest: root key → environment key → one key per write, AES-256-GCM, with the place
//! of the record as associated data, so that no record opens anywhere else.
//!
//! Called by `accounts`, `registry` and `call`. It never hands out a key, and never makes a root
//! key where a store exists.

pub mod root_key;

use std::sync::Arc;

use thiserror::Error;

use crate::error::Fault;
use crate::id::EnvironmentId;
use crate::secret::SecretBytes;
use crate::store::Store;

pub use root_key::RootKey;

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
    #[error("the root key does not belong to this store")]
    WrongRootKey,
    /// The store failed.
    #[error("the store failed while reading keys")]
    Store(#[source] crate::store::StoreError),
}

/// Seals and opens.
pub struct Vault {}

impl Vault {
    /// Opens the vault of a store: checks that the root key is this store's, unwraps the
    /// environment keys. On an empty store it writes the key check value.
    ///
    /// # Errors
    /// Another root key, or the store fails. The store is untouched then.
    pub async fn open(_store: Arc<dyn Store>, _root: RootKey) -> Result<Self, VaultError> {
        todo!()
    }

    /// Makes the key of a new environment; does nothing when it has one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn add_environment(&self, _environment: &EnvironmentId) -> Result<(), VaultError> {
        todo!()
    }

    /// Seals `plain` for one place.
    ///
    /// # Errors
    /// The environment has no key.
    pub fn seal(&self, _place: Place<'_>, _plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        todo!()
    }

    /// Opens what [`Vault::seal`] made for the same place.
    ///
    /// # Errors
    /// It does not open.
    pub fn open_sealed(&self, _place: Place<'_>, _sealed: &[u8]) -> Result<SecretBytes, VaultError> {
        todo!()
    }

    /// A keyed digest for index keys: equal parts give equal digests within an environment, and
    /// nothing can be read from them. Parts are length-prefixed.
    ///
    /// # Errors
    /// The environment has no key.
    pub fn blind(&self, _environment: &EnvironmentId, _parts: &[&[u8]]) -> Result<[u8; 32], VaultError> {
        todo!()
    }
}

impl From<VaultError> for Fault {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Store(source) => source.into(),
            VaultError::UnknownEnvironment(_) | VaultError::DoesNotOpen { .. } | VaultError::WrongRootKey => {
                Self::internal(error)
            }
        }
    }
}
