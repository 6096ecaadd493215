//! How versions come and go while calls run: every change is worked out aside, written to the
//! store, and then put in place as one new snapshot.
//!
//! Called by [`super::Registry`] alone. Order matters: file, record, snapshot, journal. A crash
//! between any two leaves either the old state or the new one, and at worst a file that nobody
//! names, which the next start sweeps away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::records::{self, ConnectorRecords, Heading, VersionRecord};
use super::{Activation, Connector, Inner, Installed, InstalledVersion, Snapshot, Version, load};
use crate::error::{Fault, Kind};
use crate::id::ConnectorId;
use crate::journal::{Actor, Change};

/// One installed connector: what the store says, and what loaded of it.
#[derive(Clone)]
pub(super) struct Shelf {
    records: ConnectorRecords,
    /// The activation of calls that name no version; none while that version is not loaded.
    active: Option<Activation>,
    /// Activations of connections that pin a version.
    loaded: BTreeMap<String, Activation>,
    /// Versions that are not loaded, with the reason.
    problems: BTreeMap<String, String>,
}

impl Shelf {
    fn new(records: ConnectorRecords) -> Self {
        Self {
            records,
            active: None,
            loaded: BTreeMap::new(),
            problems: BTreeMap::new(),
        }
    }

    fn add(&mut self, version: Version) {
        let name = version.manifest.connector.version.clone();
        self.problems.remove(&name);
        self.loaded.insert(name, Activation::new(Arc::new(version)));
    }

    /// Puts the version that the records name in front; answers the activation that it replaces.
    fn put_in_front(&mut self) -> Option<Activation> {
        let wanted = self.loaded.get(&self.records.heading.active);
        if let (Some(active), Some(wanted)) = (&self.active, wanted)
            && Arc::ptr_eq(&active.version, &wanted.version)
        {
            return None;
        }
        let next = wanted.map(|activation| Activation::new(Arc::clone(&activation.version)));
        std::mem::replace(&mut self.active, next)
    }

    /// The newest thing known about it: the active version, or another one that loaded.
    fn face(&self) -> Option<&Arc<Version>> {
        let any = self.active.as_ref().or_else(|| self.loaded.values().next_back());
        any.map(|activation| &activation.version)
    }

    fn installed(&self, connector: &ConnectorId) -> Installed {
        let title = self
            .face()
            .map(|version| version.manifest.connector.title.clone());
        Installed {
            connector: connector.to_string(),
            title: title.unwrap_or_else(|| connector.to_string()),
            active_version: self.records.heading.active.clone(),
            versions: self
                .records
                .versions
                .iter()
                .map(|(version, record)| InstalledVersion {
                    version: version.clone(),
                    digest: record.digest.clone(),
                    installed_at: Timestamp::from_millisecond(record.installed_at_ms)
                        .unwrap_or_default()
                        .to_string(),
                    problem: self.problems.get(version).cloned(),
                })
                .collect(),
            tools: self
                .active
                .as_ref()
                .map_or(0, |active| active.version.tools.len()),
        }
    }
}

impl Activation {
    fn new(version: Arc<Version>) -> Self {
        Self {
            version,
            cutoff: CancellationToken::new(),
        }
    }
}

impl Snapshot {
    /// Everything on the shelves; refuses a tool name that two connectors claim.
    fn of(shelves: &BTreeMap<ConnectorId, Shelf>) -> Result<Self, Fault> {
        let mut snapshot = Self::default();
        for (id, shelf) in shelves {
            snapshot.installed.push(shelf.installed(id));
            let Some(active) = &shelf.active else { continue };
            for tool in active.version.tools.values() {
                let name = &tool.declared.name;
                for public in tool.declared.aliases.iter().chain([name]) {
                    let taken = snapshot.tools.insert(public.clone(), (id.clone(), name.clone()));
                    if let Some((other, _)) = taken
                        && other != *id
                    {
                        return Err(Fault::new(
                            Kind::Conflict,
                            format!(
                                "The tool name `{public}` is claimed by both connector `{other}` and connector `{id}`. Rename it in one of them, or remove one of the connectors."
                            ),
                        )
                        .reason("tool_name_taken"));
                    }
                }
            }
            let connector = Connector {
                active: active.clone(),
                versions: shelf.loaded.clone(),
                previous: shelf.records.heading.previous.clone(),
            };
            snapshot.connectors.insert(id.clone(), Arc::new(connector));
        }
        Ok(snapshot)
    }
}

impl Inner {
    /// Loads what the store says is installed.
    pub(super) async fn load_installed(&self) -> anyhow::Result<()> {
        let installed = records::read_all(&*self.store).await?;
        let digests: BTreeSet<String> = installed
            .values()
            .flat_map(|connector| connector.versions.values().map(|version| version.digest.clone()))
            .collect();
        self.components.sweep(&digests)?;

        let mut shelves = BTreeMap::new();
        for (id, records) in installed {
            let mut shelf = Shelf::new(records);
            for (version, record) in shelf.records.versions.clone() {
                match self.load_version(&id, &version, &record).await {
                    Ok(loaded) => shelf.add(loaded),
                    Err(problem) => {
                        tracing::error!(connector = %id, %version, digest = record.digest, "{problem}");
                        shelf.problems.insert(version, problem);
                    }
                }
            }
            shelf.put_in_front();
            shelves.insert(id.clone(), shelf);
            if let Err(fault) = Snapshot::of(&shelves) {
                tracing::error!(connector = %id, "left out: {}", fault.public());
                if let Some(shelf) = shelves.get_mut(&id) {
                    shelf.active = None;
                    let active = shelf.records.heading.active.clone();
                    shelf.problems.insert(active, fault.public().to_owned());
                }
            }
        }
        self.loaded.store(Arc::new(Snapshot::of(&shelves)?));
        *self.shelves.lock().await = shelves;
        Ok(())
    }

    async fn load_version(
        &self,
        id: &ConnectorId,
        version: &str,
        record: &VersionRecord,
    ) -> Result<Version, String> {
        const MEND: &str = "install the same component again to mend it, or remove this version";
        let (components, digest) = (Arc::clone(&self.components), record.digest.clone());
        let bytes: Arc<[u8]> = tokio::task::spawn_blocking(move || components.read(&digest))
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| format!("its component file cannot be read ({error}); {MEND}"))?
            .into();
        let accepted = load::accept(&self.sandbox, &bytes)
            .await
            .map_err(|fault| format!("it is no longer acceptable: {}", complaints(&fault)))?;
        let identity = &accepted.inspection.manifest.connector;
        if accepted.inspection.digest != record.digest
            || accepted.connector != *id
            || identity.version != version
        {
            return Err(format!("its component file was altered; {MEND}"));
        }
        load::compile(&self.sandbox, bytes, accepted, record.installed_at_ms)
            .await
            .map_err(|fault| complaints(&fault))
    }

    pub(super) async fn install(&self, bytes: Arc<[u8]>, actor: &Actor) -> Result<Installed, Fault> {
        let mut shelves = self.shelves.lock().await;
        let accepted = match load::accept(&self.sandbox, &bytes).await {
            Ok(accepted) => accepted,
            Err(fault) => {
                // What it calls itself means nothing yet: it is named by its content.
                let object = sha256_hex(&bytes);
                self.note(actor, "connector.install", object, fault.kind().as_str())
                    .await?;
                return Err(fault);
            }
        };
        let id = accepted.connector.clone();
        let version = accepted.inspection.manifest.connector.version.clone();
        let digest = accepted.inspection.digest.clone();
        let object = format!("{id}@{version}/{digest}");

        let known = shelves
            .get(&id)
            .and_then(|shelf| shelf.records.versions.get(&version))
            .cloned();
        match &known {
            Some(known) if known.digest != digest => {
                self.note(actor, "connector.install", object, "conflict").await?;
                return Err(Fault::new(
                    Kind::Conflict,
                    format!(
                        "Version {version} of connector `{id}` is installed with other content. Raise `version` in connector.toml and build it again."
                    ),
                )
                .reason("version_taken"));
            }
            Some(_) if shelves[&id].loaded.contains_key(&version) => return Ok(shelves[&id].installed(&id)),
            _ => {}
        }

        let mending = known.is_some();
        let record = known.unwrap_or_else(|| VersionRecord {
            digest: digest.clone(),
            installed_at_ms: self.clock.now().as_millisecond(),
        });
        let prepared = async {
            let loaded = load::compile(
                &self.sandbox,
                Arc::clone(&bytes),
                accepted,
                record.installed_at_ms,
            )
            .await?;
            let mut next = shelves.clone();
            let shelf = shelve(&mut next, &id, &version, record.clone(), mending);
            shelf.add(loaded);
            let retired = shelf.put_in_front();
            Ok((Snapshot::of(&next)?, next, retired))
        };
        let (snapshot, next, retired) = match prepared.await {
            Ok(prepared) => prepared,
            Err(fault) => {
                let fault: Fault = fault;
                self.note(actor, "connector.install", object, fault.kind().as_str())
                    .await?;
                return Err(fault);
            }
        };

        let components = Arc::clone(&self.components);
        tokio::task::spawn_blocking(move || components.write(&digest, &bytes))
            .await
            .map_err(Fault::internal)?
            .map_err(unwritable)?;
        let heading = &next[&id].records.heading;
        self.store
            .commit(records::installed(&id, &version, &record, heading))
            .await?;
        let installed = next[&id].installed(&id);
        self.publish(&mut shelves, next, snapshot, retired);
        self.note(actor, "connector.install", object, "ok").await?;
        tracing::info!(connector = %id, %version, "installed");
        Ok(installed)
    }

    pub(super) async fn activate(
        &self,
        id: &ConnectorId,
        version: Option<String>,
        actor: &Actor,
    ) -> Result<Installed, Fault> {
        let mut shelves = self.shelves.lock().await;
        let mut next = shelves.clone();
        let shelf = next.get_mut(id).ok_or_else(|| unknown(id))?;
        let heading = shelf.records.heading.clone();
        let version = version.or(heading.previous).ok_or_else(|| {
            Fault::new(
                Kind::NotFound,
                format!(
                    "Connector `{id}` has no version before {} to go back to.",
                    heading.active
                ),
            )
        })?;
        if !shelf.loaded.contains_key(&version) {
            return Err(not_loaded(id, &version, shelf));
        }
        if version == heading.active {
            return Ok(shelf.installed(id));
        }

        shelf.records.heading = Heading {
            active: version.clone(),
            previous: Some(heading.active),
        };
        let batch = records::activated(id, &shelf.records.heading);
        let retired = shelf.put_in_front();
        let installed = shelf.installed(id);
        let snapshot = Snapshot::of(&next)?;

        self.store.commit(batch).await?;
        self.publish(&mut shelves, next, snapshot, retired);
        self.note(actor, "connector.activate", format!("{id}@{version}"), "ok")
            .await?;
        tracing::info!(connector = %id, %version, "activated");
        Ok(installed)
    }

    pub(super) async fn remove(
        &self,
        id: &ConnectorId,
        version: Option<String>,
        actor: &Actor,
    ) -> Result<(), Fault> {
        let mut shelves = self.shelves.lock().await;
        let mut next = shelves.clone();
        let shelf = next.get_mut(id).ok_or_else(|| unknown(id))?;
        let records = shelf.records.clone();
        let only = version
            .as_ref()
            .is_none_or(|version| records.versions.len() == 1 && records.versions.contains_key(version));

        let (object, batch, digests, retired) = if only {
            let shelf = next.remove(id).ok_or_else(|| unknown(id))?;
            let digests: Vec<String> = records
                .versions
                .values()
                .map(|record| record.digest.clone())
                .collect();
            let retired: Vec<Activation> = shelf.loaded.into_values().chain(shelf.active).collect();
            (id.to_string(), records::removed(id, &records), digests, retired)
        } else {
            let version = version.unwrap_or_default();
            if version == records.heading.active {
                return Err(Fault::new(
                    Kind::Conflict,
                    format!(
                        "Version {version} of connector `{id}` is the active one. Activate another version first, or remove the whole connector."
                    ),
                )
                .reason("version_active"));
            }
            let Some(record) = shelf.records.versions.remove(&version) else {
                return Err(not_loaded(id, &version, shelf));
            };
            if shelf.records.heading.previous.as_deref() == Some(&version) {
                shelf.records.heading.previous = None;
            }
            shelf.problems.remove(&version);
            let retired: Vec<Activation> = shelf.loaded.remove(&version).into_iter().collect();
            let batch = records::version_removed(id, &version, &shelf.records.heading);
            (format!("{id}@{version}"), batch, vec![record.digest], retired)
        };
        let snapshot = Snapshot::of(&next)?;

        self.store.commit(batch).await?;
        self.publish(&mut shelves, next, snapshot, retired);
        let components = Arc::clone(&self.components);
        tokio::task::spawn_blocking(move || {
            for digest in digests {
                if let Err(error) = components.delete(&digest) {
                    tracing::warn!(digest, "the component file stays until the next start: {error}");
                }
            }
        })
        .await
        .map_err(Fault::internal)?;
        self.note(actor, "connector.remove", object.clone(), "ok").await?;
        tracing::info!(connector = object, "removed");
        Ok(())
    }

    /// Puts a new snapshot in place. Calls that came in by a retired activation have the drain
    /// time to finish.
    fn publish(
        &self,
        shelves: &mut BTreeMap<ConnectorId, Shelf>,
        next: BTreeMap<ConnectorId, Shelf>,
        snapshot: Snapshot,
        retired: impl IntoIterator<Item = Activation>,
    ) {
        *shelves = next;
        self.loaded.store(Arc::new(snapshot));
        self.changed.send_modify(|count| *count += 1);
        let cutoffs: Vec<CancellationToken> =
            retired.into_iter().map(|activation| activation.cutoff).collect();
        if cutoffs.is_empty() {
            return;
        }
        let (drain, closing) = (self.drain, self.closing.clone());
        self.tasks.spawn(async move {
            let _ = tokio::time::timeout(drain, closing.cancelled()).await;
            cutoffs.iter().for_each(CancellationToken::cancel);
        });
    }

    async fn note(
        &self,
        actor: &Actor,
        action: &'static str,
        object: String,
        outcome: &str,
    ) -> Result<(), Fault> {
        let change = Change {
            actor: actor.clone(),
            environment: None,
            action,
            object,
            outcome: outcome.to_owned(),
        };
        self.journal.change(change).await
    }
}

/// The shelf with the record of a version on it. A new version becomes the active one; one that
/// is mended changes nothing about which is active.
fn shelve<'a>(
    shelves: &'a mut BTreeMap<ConnectorId, Shelf>,
    id: &ConnectorId,
    version: &str,
    record: VersionRecord,
    mending: bool,
) -> &'a mut Shelf {
    let shelf = shelves.entry(id.clone()).or_insert_with(|| {
        Shelf::new(ConnectorRecords {
            heading: Heading {
                active: version.to_owned(),
                previous: None,
            },
            versions: BTreeMap::new(),
        })
    });
    if !mending && shelf.records.heading.active != version {
        shelf.records.heading = Heading {
            previous: Some(shelf.records.heading.active.clone()),
            active: version.to_owned(),
        };
    }
    shelf.records.versions.insert(version.to_owned(), record);
    shelf
}

/// A fault with all its complaints in one line, for the log.
pub(super) fn complaints(fault: &Fault) -> String {
    let mut text = fault.public().to_owned();
    for field in fault.fields() {
        text.push_str(&format!(" {}: {}.", field.path, field.problem));
    }
    text
}

fn sha256_hex(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unknown(id: &ConnectorId) -> Fault {
    Fault::new(
        Kind::NotFound,
        format!("No connector `{id}` is installed. `valetkey connector list` shows what is."),
    )
}

fn not_loaded(id: &ConnectorId, version: &str, shelf: &Shelf) -> Fault {
    if let Some(problem) = shelf.problems.get(version) {
        return Fault::new(
            Kind::NotFound,
            format!("Version {version} of connector `{id}` is installed and not loaded: {problem}."),
        );
    }
    let installed: Vec<&str> = shelf.records.versions.keys().map(String::as_str).collect();
    Fault::new(
        Kind::NotFound,
        format!(
            "Connector `{id}` has no version {version}. Installed: {}.",
            installed.join(", ")
        ),
    )
}

fn unwritable(error: std::io::Error) -> Fault {
    Fault::new(
        Kind::StoreUnavailable,
        "The component file cannot be written. Nothing was changed; look at the data folder's disk.",
    )
    .because(error)
}
