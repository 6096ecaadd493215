//! Who is where, in memory: every connection (they are few), and the accounts in use. An account
//! comes here when it is first asked for and leaves when the directory is full and nobody holds
//! it; start-up loads none. One process owns a data folder, so what is here is the truth.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::connections::Configured;
use super::entry::{self, Entry, Stored};
use super::parts::Parts;
use super::sealed::corrupt;
use crate::error::Fault;
use crate::id::{AccountId, ConnectionName, EnvironmentId, Identifier};
use crate::store::Table;

/// Accounts kept in memory at most, some two KiB each.
const CAPACITY: usize = 50_000;

/// Connections and the accounts in use.
#[derive(Default)]
pub(super) struct Directory {
    maps: RwLock<Maps>,
    /// Counts look-ups, coarsely: the clock by which entries age.
    tick: AtomicU64,
}

#[derive(Default)]
struct Maps {
    environments: HashMap<EnvironmentId, BTreeMap<ConnectionName, Slot>>,
    by_id: HashMap<AccountId, Arc<Entry>>,
}

struct Slot {
    configured: Arc<Configured>,
    by_identifier: HashMap<Identifier, Arc<Entry>>,
}

impl Directory {
    /// A connection.
    pub fn configured(&self, environment: &EnvironmentId, name: &ConnectionName) -> Option<Arc<Configured>> {
        let maps = self.read();
        Some(Arc::clone(
            &maps.environments.get(environment)?.get(name)?.configured,
        ))
    }

    /// Every connection of an environment, by name.
    pub fn all(&self, environment: &EnvironmentId) -> Vec<Arc<Configured>> {
        let maps = self.read();
        let slots = maps
            .environments
            .get(environment)
            .into_iter()
            .flat_map(BTreeMap::values);
        slots.map(|slot| Arc::clone(&slot.configured)).collect()
    }

    /// Every connection of every environment.
    pub fn everywhere(&self) -> Vec<Arc<Configured>> {
        let maps = self.read();
        let slots = maps.environments.values().flat_map(BTreeMap::values);
        slots.map(|slot| Arc::clone(&slot.configured)).collect()
    }

    /// Takes in a connection.
    pub fn add(&self, configured: Arc<Configured>) {
        let connection = configured.connection();
        let slot = Slot {
            configured,
            by_identifier: HashMap::new(),
        };
        let mut maps = self.write();
        let names = maps
            .environments
            .entry(connection.environment.clone())
            .or_default();
        names.insert(connection.name.clone(), slot);
    }

    /// Lets a connection go, which has no accounts.
    pub fn remove(&self, environment: &EnvironmentId, name: &ConnectionName) {
        if let Some(names) = self.write().environments.get_mut(environment) {
            names.remove(name);
        }
    }

    /// Looks at the connections of an environment with the entry of an identifier on each, where
    /// it is in memory.
    pub fn look<T>(
        &self,
        environment: &EnvironmentId,
        identifier: &Identifier,
        mut take: impl FnMut(&Arc<Configured>, Option<&Arc<Entry>>) -> Option<T>,
    ) -> Vec<T> {
        let tick = self.tick.fetch_add(1, Ordering::Relaxed);
        let maps = self.read();
        let slots = maps
            .environments
            .get(environment)
            .into_iter()
            .flat_map(BTreeMap::values);
        slots
            .filter_map(|slot| {
                let entry = slot.by_identifier.get(identifier);
                if let Some(entry) = entry {
                    entry.touch(tick);
                }
                take(&slot.configured, entry)
            })
            .collect()
    }

    /// The account with this id, from memory or from the store.
    pub async fn by_id(
        &self,
        parts: &Arc<Parts>,
        environment: &EnvironmentId,
        id: &AccountId,
    ) -> Result<Option<Arc<Entry>>, Fault> {
        let tick = self.tick.fetch_add(1, Ordering::Relaxed);
        if let Some(entry) = self.read().by_id.get(id) {
            entry.touch(tick);
            return Ok((entry.environment == *environment).then(|| Arc::clone(entry)));
        }
        let Some(record) = parts
            .store
            .get(Table::Accounts, &entry::key(environment, id))
            .await?
        else {
            return Ok(None);
        };
        let configured = self.owner(environment, &record.value)?;
        let entry = Entry::read(parts, configured, id, &record)?;
        Ok(Some(self.admit(entry)))
    }

    /// The account of an identifier on a connection, from memory or from the store.
    pub async fn by_owner(
        &self,
        parts: &Arc<Parts>,
        configured: &Arc<Configured>,
        identifier: &Identifier,
    ) -> Result<Option<Arc<Entry>>, Fault> {
        let connection = configured.connection();
        let found = self.look(&connection.environment, identifier, |other, entry| {
            entry.filter(|_| Arc::ptr_eq(other, configured)).cloned()
        });
        if let Some(entry) = found.into_iter().next() {
            return Ok(Some(entry));
        }
        let key = index_key(parts, &connection.environment, &connection.name, identifier)?;
        let Some(record) = parts.store.get(Table::AccountIndex, &key).await? else {
            return Ok(None);
        };
        let id = String::from_utf8(record.value)
            .ok()
            .and_then(|text| AccountId::new(text).ok());
        let id = id.ok_or_else(|| corrupt("account_index", "not an account id"))?;
        let entry = self.by_id(parts, &connection.environment, &id).await?;
        match entry {
            // An index that was moved on the disk never gives one user another's account.
            Some(entry) if entry.with(|live| live.account.identifier != *identifier) => {
                Err(corrupt("account_index", "pointing to another's account"))
            }
            found => Ok(found),
        }
    }

    /// The connection of a stored account.
    pub fn owner(&self, environment: &EnvironmentId, record: &[u8]) -> Result<Arc<Configured>, Fault> {
        let name = ConnectionName::new(Stored::parse(record)?.connection);
        let configured = name.ok().and_then(|name| self.configured(environment, &name));
        configured.ok_or_else(|| corrupt("account", "of a connection that is not there"))
    }

    /// An account that is in memory.
    pub fn cached(&self, id: &AccountId) -> Option<Arc<Entry>> {
        self.read().by_id.get(id).cloned()
    }

    /// Takes in an account, or answers the entry that is there already: there is only one.
    pub fn admit(&self, entry: Entry) -> Arc<Entry> {
        let mut maps = self.write();
        if let Some(there) = maps.by_id.get(&entry.id) {
            return Arc::clone(there);
        }
        if maps.by_id.len() >= CAPACITY {
            maps.make_room();
        }
        entry.touch(self.tick.load(Ordering::Relaxed));
        let entry = Arc::new(entry);
        let account = Arc::clone(&entry.live().account);
        maps.by_id.insert(entry.id.clone(), Arc::clone(&entry));
        if let Some(slot) = maps.slot(&account.environment, &account.connection) {
            slot.by_identifier
                .insert(account.identifier.clone(), Arc::clone(&entry));
        }
        entry
    }

    /// Lets an account go that no longer exists.
    pub fn forget(&self, entry: &Entry) {
        self.write().drop_entry(&entry.id);
    }

    fn read(&self) -> RwLockReadGuard<'_, Maps> {
        self.maps.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Maps> {
        self.maps.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Maps {
    fn slot(&mut self, environment: &EnvironmentId, connection: &ConnectionName) -> Option<&mut Slot> {
        self.environments.get_mut(environment)?.get_mut(connection)
    }

    fn drop_entry(&mut self, id: &AccountId) {
        let Some(entry) = self.by_id.remove(id) else {
            return;
        };
        let account = Arc::clone(&entry.live().account);
        if let Some(slot) = self.slot(&account.environment, &account.connection) {
            slot.by_identifier.remove(&account.identifier);
        }
    }

    /// Drops the eighth that was not used for longest. An entry that anybody else holds stays:
    /// two entries of one account would refresh it twice.
    fn make_room(&mut self) {
        let mut idle: Vec<(u64, AccountId)> = self
            .by_id
            .values()
            .filter(|entry| Arc::strong_count(entry) == 2)
            .map(|entry| (entry.last_used.load(Ordering::Relaxed), entry.id.clone()))
            .collect();
        idle.sort_unstable();
        for (_, id) in idle.into_iter().take(CAPACITY / 8) {
            self.drop_entry(&id);
        }
    }
}

/// Prefix of the index keys of a connection.
pub(super) fn index_prefix(environment: &EnvironmentId, connection: &ConnectionName) -> Vec<u8> {
    format!("{environment}\0{connection}\0").into_bytes()
}

/// Key of the blind index: nobody reads an identifier from it.
pub(super) fn index_key(
    parts: &Parts,
    environment: &EnvironmentId,
    connection: &ConnectionName,
    identifier: &Identifier,
) -> Result<Vec<u8>, Fault> {
    let blind = parts.vault.blind(
        environment,
        &[
            b"account",
            connection.as_str().as_bytes(),
            identifier.as_str().as_bytes(),
        ],
    )?;
    let mut key = index_prefix(environment, connection);
    key.extend_from_slice(&blind);
    Ok(key)
}
