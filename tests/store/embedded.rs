//! The embedded store keeps the promises of every store, and its own.

use std::sync::Arc;

use tempfile::TempDir;
use valetkey::store::Store;
use valetkey::store::sled::SledStore;

use crate::suite::promises_of;

async fn empty() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = SledStore::open(&folder.path().join("store")).expect("an empty folder opens");
    (Arc::new(store), folder)
}

promises_of!(empty);
