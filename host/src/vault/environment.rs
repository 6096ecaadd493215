//! The keys of one environment, unwrapped: random 256-bit keys in versions, of which the newest
//! seals and all open. Losing one environment's keys loses that environment alone, and so does
//! destroying them on purpose.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_lc_rs::hmac;

use super::{RootKey, VaultError, seal};
use crate::id::EnvironmentId;
use crate::random;
use crate::secret::SecretBytes;
use crate::store::{Batch, Expect, Page, Store, StoreError, Table};

/// An environment has at most this many versions of its key at a time.
const MAX_VERSIONS: usize = 1024;

pub(super) struct EnvironmentKeys {
    versions: BTreeMap<u32, SecretBytes>,
    /// From the oldest version, so that index keys stay what they are when newer ones come.
    blind: hmac::Key,
}

impl EnvironmentKeys {
    fn new(versions: BTreeMap<u32, SecretBytes>) -> Option<Self> {
        let (_, oldest) = versions.first_key_value()?;
        let blind = seal::derive::<32>(oldest.expose(), &[], &[b"valetkey/blind/1"]);
        Some(Self {
            blind: hmac::Key::new(hmac::HMAC_SHA256, &*blind),
            versions,
        })
    }

    /// What seals: the newest version and its key.
    pub(super) fn current(&self) -> (u32, &[u8]) {
        let (version, key) = self
            .versions
            .last_key_value()
            .expect("made with at least one version");
        (*version, key.expose())
    }

    pub(super) fn version(&self, version: u32) -> Option<&[u8]> {
        self.versions.get(&version).map(SecretBytes::expose)
    }

    pub(super) fn blind(&self, parts: &[&[u8]]) -> [u8; 32] {
        let digest = hmac::sign(&self.blind, &seal::length_prefixed(parts));
        digest.as_ref().try_into().expect("SHA-256 gives 32 bytes")
    }
}

/// Unwraps every environment's keys.
pub(super) async fn load(
    store: &dyn Store,
    root: &RootKey,
) -> Result<HashMap<EnvironmentId, Arc<EnvironmentKeys>>, VaultError> {
    let mut unwrapped: HashMap<EnvironmentId, BTreeMap<u32, SecretBytes>> = HashMap::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = scan(store, "key/", after.as_deref(), MAX_VERSIONS).await?;
        for (key, record) in &page {
            let (environment, version) = parse_key(key).ok_or_else(unreadable)?;
            let opened = unwrap(root, &environment, version, &record.value)?;
            unwrapped.entry(environment).or_default().insert(version, opened);
        }
        match page.into_iter().last() {
            Some((last, _)) => after = Some(last),
            None => break,
        }
    }

    let whole = |(environment, versions)| Some((environment, Arc::new(EnvironmentKeys::new(versions)?)));
    Ok(unwrapped.into_iter().filter_map(whole).collect())
}

/// Makes the first key of an environment, or takes what another has made meanwhile.
pub(super) async fn create(
    store: &dyn Store,
    root: &RootKey,
    environment: &EnvironmentId,
) -> Result<EnvironmentKeys, VaultError> {
    let key = SecretBytes::new(random::bytes::<32>().to_vec());
    let wrapped = root.seal(&place(environment, 1), key.expose());
    let batch = Batch::new().put(Table::Meta, record_key(environment, 1), Expect::Absent, wrapped);
    let versions = match store.commit(batch).await {
        Ok(()) => BTreeMap::from([(1, key)]),
        Err(StoreError::Conflict) => stored(store, root, environment).await?,
        Err(error) => return Err(VaultError::Store(error)),
    };
    EnvironmentKeys::new(versions).ok_or_else(|| VaultError::UnknownEnvironment(environment.clone()))
}

async fn stored(
    store: &dyn Store,
    root: &RootKey,
    environment: &EnvironmentId,
) -> Result<BTreeMap<u32, SecretBytes>, VaultError> {
    let page = scan(store, &format!("key/{environment}/"), None, MAX_VERSIONS).await?;
    let opened = |(key, record): (Vec<u8>, crate::store::Record)| {
        let (_, version) = parse_key(&key).ok_or_else(unreadable)?;
        Ok((version, unwrap(root, environment, version, &record.value)?))
    };
    page.into_iter().map(opened).collect()
}

async fn scan(
    store: &dyn Store,
    prefix: &str,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Page, VaultError> {
    let page = store.scan(Table::Meta, prefix.as_bytes(), after, limit).await;
    page.map_err(VaultError::Store)
}

fn unwrap(
    root: &RootKey,
    environment: &EnvironmentId,
    version: u32,
    wrapped: &[u8],
) -> Result<SecretBytes, VaultError> {
    root.open(&place(environment, version), wrapped)
        .ok_or_else(|| VaultError::DoesNotOpen {
            record: "environment_key".to_owned(),
        })
}

fn place(environment: &EnvironmentId, version: u32) -> Vec<u8> {
    seal::length_prefixed(&[
        b"environment_key",
        environment.as_str().as_bytes(),
        &version.to_be_bytes(),
    ])
}

/// `key/<environment>/<version>`, the version in ten digits so that keys sort by it.
fn record_key(environment: &EnvironmentId, version: u32) -> String {
    format!("key/{environment}/{version:010}")
}

fn parse_key(key: &[u8]) -> Option<(EnvironmentId, u32)> {
    let rest = std::str::from_utf8(key).ok()?.strip_prefix("key/")?;
    let (environment, version) = rest.rsplit_once('/')?;
    Some((EnvironmentId::new(environment).ok()?, version.parse().ok()?))
}

fn unreadable() -> VaultError {
    VaultError::Store(StoreError::Corrupt {
        what: "an environment key lies under a name that is not one; import your last export into a new data folder"
            .to_owned(),
    })
}
