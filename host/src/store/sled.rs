//! The embedded store: sled 0.34.7 under rules that make it durable.

use std::path::Path;

use futures_util::future::BoxFuture;

use super::{Batch, Page, Record, Store, StoreError, Table};

/// The embedded store.
pub struct SledStore {}

impl SledStore {
    /// Opens or creates the store in `dir`, which the caller has locked.
    ///
    /// # Errors
    /// The store cannot be opened or is corrupt.
    pub fn open(_dir: &Path) -> Result<Self, StoreError> {
        todo!()
    }
}

impl Store for SledStore {
    fn get<'a>(&'a self, _table: Table, _key: &'a [u8]) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        todo!()
    }

    fn scan<'a>(
        &'a self,
        _table: Table,
        _prefix: &'a [u8],
        _after: Option<&'a [u8]>,
        _limit: usize,
    ) -> BoxFuture<'a, Result<Page, StoreError>> {
        todo!()
    }

    fn commit(&self, _batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        todo!()
    }
}
