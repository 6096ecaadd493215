//! What the store knows of installed connectors: one record per version and one per connector
//! that says which version is active. The store is the truth; a snapshot is what loaded of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::ConnectorId;
use crate::store::{Batch, Expect, Store, StoreError, Table};

/// One installed version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VersionRecord {
    /// SHA-256 of the component, which names its file.
    pub digest: String,
    /// Installation, milliseconds since 1970.
    pub installed_at_ms: i64,
}

/// Which version of a connector serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heading {
    /// The active version.
    pub active: String,
    /// The one before, for roll-back.
    pub previous: Option<String>,
}

/// One installed connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConnectorRecords {
    pub heading: Heading,
    pub versions: BTreeMap<String, VersionRecord>,
}

const HEADING: &str = "connector/";
const VERSION: &str = "version/";

fn heading_key(connector: &ConnectorId) -> String {
    format!("{HEADING}{connector}")
}

fn version_key(connector: &ConnectorId, version: &str) -> String {
    format!("{VERSION}{connector}/{version}")
}

/// Everything that is installed.
pub(super) async fn read_all(
    store: &dyn Store,
) -> Result<BTreeMap<ConnectorId, ConnectorRecords>, StoreError> {
    let mut all = BTreeMap::new();
    for (key, value) in scan(store, HEADING).await? {
        let connector = ConnectorId::new(key).map_err(|_| corrupt("a connector's name"))?;
        let heading = parse(&value)?;
        let versions = BTreeMap::new();
        all.insert(connector, ConnectorRecords { heading, versions });
    }
    for (key, value) in scan(store, VERSION).await? {
        let (connector, version) = key.split_once('/').ok_or_else(|| corrupt("a version's name"))?;
        let connector = ConnectorId::new(connector).map_err(|_| corrupt("a connector's name"))?;
        let records = all
            .get_mut(&connector)
            .ok_or_else(|| corrupt("a version without its connector"))?;
        records.versions.insert(version.to_owned(), parse(&value)?);
    }
    Ok(all)
}

async fn scan(store: &dyn Store, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    const PAGE: usize = 256;
    let mut found = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = store
            .scan(Table::Connectors, prefix.as_bytes(), after.as_deref(), PAGE)
            .await?;
        let last = page.len() < PAGE;
        after = page.last().map(|(key, _)| key.clone());
        for (key, record) in page {
            let key = String::from_utf8(key).map_err(|_| corrupt("a key"))?;
            let name = key.strip_prefix(prefix).unwrap_or(&key).to_owned();
            found.push((name, record.value));
        }
        if last {
            return Ok(found);
        }
    }
}

fn parse<T: for<'de> Deserialize<'de>>(value: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(value).map_err(|_| corrupt("a connector record"))
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt {
        what: format!("{what} of the installed connectors cannot be read"),
    }
}

fn written(record: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("records are plain data")
}

/// Writes a new version and makes it the active one.
pub(super) fn installed(
    connector: &ConnectorId,
    version: &str,
    record: &VersionRecord,
    heading: &Heading,
) -> Batch {
    activated(connector, heading).put(
        Table::Connectors,
        version_key(connector, version),
        Expect::Any,
        written(record),
    )
}

/// Writes which version is active.
pub(super) fn activated(connector: &ConnectorId, heading: &Heading) -> Batch {
    Batch::new().put(
        Table::Connectors,
        heading_key(connector),
        Expect::Any,
        written(heading),
    )
}

/// Takes one version away.
pub(super) fn version_removed(connector: &ConnectorId, version: &str, heading: &Heading) -> Batch {
    activated(connector, heading).delete(Table::Connectors, version_key(connector, version), Expect::Any)
}

/// Takes a connector away with all its versions.
pub(super) fn removed(connector: &ConnectorId, records: &ConnectorRecords) -> Batch {
    let batch = Batch::new().delete(Table::Connectors, heading_key(connector), Expect::Any);
    records.versions.keys().fold(batch, |batch, version| {
        batch.delete(Table::Connectors, version_key(connector, version), Expect::Any)
    })
}
