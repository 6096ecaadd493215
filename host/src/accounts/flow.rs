//! Attempts at connecting an account: sealed in the store, found by digests of the ticket and of
//! the state in memory. They are few by construction: each expires after ten minutes, an
//! environment has a cap, beyond which its oldest go, and every new one takes expired ones away.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::activate::Terms;
use super::discover::Site;
use super::entry::Kept;
use super::parts::Parts;
use super::sealed::{self, Spot};
use super::verify::Identity;
use crate::error::{Fault, Kind};
use crate::id::{AccountId, AuthRequestId, ConnectionName, EnvironmentId, Identifier};
use crate::secret::Secret;
use crate::store::{Batch, Expect, StoreError, Table};

/// Expired or surplus attempts that one new attempt takes away at most.
const SWEEP: usize = 64;

pub(super) type Digest = [u8; 32];

/// Digest of a ticket or state, under which it is found.
pub(super) fn digest_of(text: &str) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    out
}

/// One attempt.
#[derive(Serialize, Deserialize)]
pub(super) struct Flow {
    pub id: AuthRequestId,
    pub environment: EnvironmentId,
    pub connection: ConnectionName,
    pub account: AccountId,
    pub identifier: Identifier,
    pub expires_at_ms: i64,
    pub user_verify_url: Option<String>,
    pub app_state: Option<String>,
    pub account_config: BTreeMap<String, String>,
    pub ticket: Digest,
    pub stage: Stage,
    /// Revision of the record, which is not part of it.
    #[serde(skip)]
    pub revision: u64,
}

/// How far an attempt is.
#[derive(Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub(super) enum Stage {
    /// The link waits to be opened, or its form to be filled in.
    Open { tries: u8 },
    /// A browser is at the vendor, and only it may come back with the answer. None for a program
    /// in development.
    Consent {
        state: Digest,
        verifier: String,
        #[serde(default)]
        browser: Option<Digest>,
    },
    /// The vendor's code waits until the application confirms who gave consent.
    Code {
        code: String,
        verifier: String,
        #[serde(default)]
        browser: Option<Digest>,
    },
    /// A credential that opens several sites waits until its owner has chosen one.
    Choice {
        /// A link of its own, because the one that began the attempt is not known here.
        ticket: Option<Digest>,
        kept: Kept,
        terms: Option<Terms>,
        /// The account's configuration but for the site.
        config: BTreeMap<String, String>,
        sites: Vec<Site>,
        browser: Option<Digest>,
    },
    /// A credential that was tried already waits until the application confirms who gave it.
    Form {
        kept: Kept,
        identity: Option<Identity>,
        #[serde(default)]
        terms: Option<Terms>,
        #[serde(default)]
        browser: Option<Digest>,
    },
}

impl Drop for Stage {
    fn drop(&mut self) {
        match self {
            Self::Consent { verifier, .. } => verifier.zeroize(),
            Self::Code { code, verifier, .. } => {
                code.zeroize();
                verifier.zeroize();
            }
            // Credentials wipe themselves.
            Self::Open { .. } | Self::Choice { .. } | Self::Form { .. } => {}
        }
    }
}

impl Flow {
    fn key(&self) -> Vec<u8> {
        key(&self.environment, &self.id)
    }

    fn handle(&self) -> Handle {
        Handle {
            account: self.account.clone(),
            ticket: self.ticket,
            state: match &self.stage {
                Stage::Consent { state, .. } => Some(*state),
                _ => None,
            },
            choice: match &self.stage {
                Stage::Choice { ticket, .. } => *ticket,
                _ => None,
            },
            waits: matches!(self.stage, Stage::Code { .. } | Stage::Form { .. }),
            expires_at_ms: self.expires_at_ms,
        }
    }
}

fn key(environment: &EnvironmentId, id: &AuthRequestId) -> Vec<u8> {
    format!("{environment}\0{id}").into_bytes()
}

fn spot<'a>(environment: &'a EnvironmentId, id: &'a str) -> Spot<'a> {
    Spot {
        record: "flow",
        environment,
        connection: "",
        identifier: id,
        field: "all",
    }
}

/// What is known of an attempt without opening it.
#[derive(Clone)]
struct Handle {
    account: AccountId,
    ticket: Digest,
    state: Option<Digest>,
    /// The ticket of its choice.
    choice: Option<Digest>,
    waits: bool,
    expires_at_ms: i64,
}

type Address = (EnvironmentId, AuthRequestId);

/// All attempts.
#[derive(Default)]
pub(super) struct Flows {
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    /// Ids sort by time of creation, and all live equally long: the first expires first.
    environments: HashMap<EnvironmentId, BTreeMap<AuthRequestId, Handle>>,
    by_ticket: HashMap<Digest, Address>,
    by_state: HashMap<Digest, Address>,
    /// The unopened attempt that the host itself made for an account.
    mending: HashMap<AccountId, (AuthRequestId, Secret)>,
}

impl Book {
    fn add(&mut self, address: Address, handle: Handle) {
        for ticket in [Some(handle.ticket), handle.choice].into_iter().flatten() {
            self.by_ticket.insert(ticket, address.clone());
        }
        if let Some(state) = handle.state {
            self.by_state.insert(state, address.clone());
        }
        self.environments
            .entry(address.0)
            .or_default()
            .insert(address.1, handle);
    }

    fn remove(&mut self, environment: &EnvironmentId, id: &AuthRequestId) -> Option<Handle> {
        let handle = self.environments.get_mut(environment)?.remove(id)?;
        for ticket in [Some(handle.ticket), handle.choice].into_iter().flatten() {
            self.by_ticket.remove(&ticket);
        }
        if let Some(state) = handle.state {
            self.by_state.remove(&state);
        }
        if self
            .mending
            .get(&handle.account)
            .is_some_and(|(mending, _)| mending == id)
        {
            self.mending.remove(&handle.account);
        }
        Some(handle)
    }

    /// Attempts of an environment that have to go for one more to come.
    fn surplus(&self, environment: &EnvironmentId, now_ms: i64, most: usize) -> Vec<AuthRequestId> {
        let Some(open) = self.environments.get(environment) else {
            return Vec::new();
        };
        let over = (open.len() + 1).saturating_sub(most.max(1));
        let mut count = 0;
        open.iter()
            .take_while(|(_, handle)| {
                count += 1;
                count <= over || handle.expires_at_ms <= now_ms
            })
            .take(SWEEP.max(over))
            .map(|(id, _)| id.clone())
            .collect()
    }
}

impl Flows {
    /// Reads the attempts of an earlier run. There are at most `max_open_flows` per environment.
    pub async fn load(parts: &Parts) -> Result<Self, Fault> {
        let flows = Self::default();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = parts.store.scan(Table::Flows, b"", after.as_deref(), 256).await?;
            let Some((last, _)) = page.last() else {
                return Ok(flows);
            };
            after = Some(last.clone());
            for (key, record) in page {
                let named = std::str::from_utf8(&key)
                    .ok()
                    .and_then(|key| key.split_once('\0'));
                let Some((environment, id)) = named else { continue };
                let Ok(environment) = EnvironmentId::new(environment) else {
                    continue;
                };
                match sealed::open::<Flow>(&parts.vault, spot(&environment, id), &record.value) {
                    Ok(flow) => flows.book().add((environment, flow.id.clone()), flow.handle()),
                    Err(fault) => tracing::error!(
                        auth_request = id,
                        cause = fault.chain(),
                        "an authorization attempt does not open"
                    ),
                }
            }
        }
    }

    /// Writes a new attempt and takes away what expired. Answers the accounts whose attempts
    /// ended while they waited for confirmation.
    pub async fn begin(&self, parts: &Parts, flow: &Flow) -> Result<Vec<AccountId>, Fault> {
        let most = parts.settings.max_open_flows;
        let surplus = self.book().surplus(&flow.environment, parts.now_ms(), most);
        let mut batch = Batch::new().put(Table::Flows, flow.key(), Expect::Absent, encode(parts, flow)?);
        for id in &surplus {
            batch = batch.delete(Table::Flows, key(&flow.environment, id), Expect::Any);
        }
        parts.store.commit(batch).await?;
        let mut book = self.book();
        book.add((flow.environment.clone(), flow.id.clone()), flow.handle());
        let gone = surplus.iter().filter_map(|id| book.remove(&flow.environment, id));
        Ok(gone
            .filter(|handle| handle.waits)
            .map(|handle| handle.account)
            .collect())
    }

    /// The attempt of a link, if it is still good.
    pub async fn by_ticket(&self, parts: &Parts, ticket: &str) -> Result<Option<Flow>, Fault> {
        let address = self.book().by_ticket.get(&digest_of(ticket)).cloned();
        self.read(parts, address).await
    }

    /// The attempt of a state, if it is still good.
    pub async fn by_state(&self, parts: &Parts, state: &str) -> Result<Option<Flow>, Fault> {
        let address = self.book().by_state.get(&digest_of(state)).cloned();
        self.read(parts, address).await
    }

    /// The attempt of an id within an environment, if it is still good.
    pub async fn by_id(
        &self,
        parts: &Parts,
        environment: &EnvironmentId,
        id: &AuthRequestId,
    ) -> Result<Option<Flow>, Fault> {
        self.read(parts, Some((environment.clone(), id.clone()))).await
    }

    async fn read(&self, parts: &Parts, address: Option<Address>) -> Result<Option<Flow>, Fault> {
        let Some((environment, id)) = address else {
            return Ok(None);
        };
        let Some(record) = parts.store.get(Table::Flows, &key(&environment, &id)).await? else {
            return Ok(None);
        };
        let mut flow: Flow = sealed::open(&parts.vault, spot(&environment, id.as_str()), &record.value)?;
        flow.revision = record.revision;
        Ok((parts.now_ms() < flow.expires_at_ms).then_some(flow))
    }

    /// Takes an attempt one step on. A second one with the same step finds it gone.
    pub async fn advance(&self, parts: &Parts, flow: &mut Flow, stage: Stage) -> Result<(), Fault> {
        flow.stage = stage;
        let bytes = encode(parts, flow)?;
        let batch = Batch::new().put(Table::Flows, flow.key(), Expect::Revision(flow.revision), bytes);
        parts.store.commit(batch).await.map_err(lost)?;
        flow.revision += 1;
        let mut book = self.book();
        book.remove(&flow.environment, &flow.id);
        book.add((flow.environment.clone(), flow.id.clone()), flow.handle());
        Ok(())
    }

    /// Ends an attempt. Exactly one caller gets to do what follows.
    pub async fn end(&self, parts: &Parts, flow: &Flow) -> Result<(), Fault> {
        let batch = Batch::new().delete(Table::Flows, flow.key(), Expect::Revision(flow.revision));
        parts.store.commit(batch).await.map_err(lost)?;
        self.book().remove(&flow.environment, &flow.id);
        Ok(())
    }

    /// Ends every attempt of an account.
    pub async fn end_all(
        &self,
        parts: &Parts,
        environment: &EnvironmentId,
        account: &AccountId,
    ) -> Result<(), Fault> {
        let of_account: Vec<AuthRequestId> = match self.book().environments.get(environment) {
            Some(open) => open
                .iter()
                .filter(|(_, handle)| handle.account == *account)
                .map(|(id, _)| id.clone())
                .collect(),
            None => Vec::new(),
        };
        if of_account.is_empty() {
            return Ok(());
        }
        let batch = of_account.iter().fold(Batch::new(), |batch, id| {
            batch.delete(Table::Flows, key(environment, id), Expect::Any)
        });
        parts.store.commit(batch).await?;
        let mut book = self.book();
        for id in &of_account {
            book.remove(environment, id);
        }
        Ok(())
    }

    /// The ticket of the link that the host made for an account, while it is unopened and has
    /// more than a minute left.
    pub fn mending(&self, environment: &EnvironmentId, account: &AccountId, now_ms: i64) -> Option<Secret> {
        let book = self.book();
        let (id, ticket) = book.mending.get(account)?;
        let handle = book.environments.get(environment)?.get(id)?;
        (handle.expires_at_ms - now_ms > 60_000).then(|| ticket.clone())
    }

    /// Remembers that link.
    pub fn mended_by(&self, account: AccountId, id: AuthRequestId, ticket: Secret) {
        self.book().mending.insert(account, (id, ticket));
    }

    /// How many attempts an environment has.
    pub fn count(&self, environment: &EnvironmentId) -> usize {
        self.book().environments.get(environment).map_or(0, BTreeMap::len)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn encode(parts: &Parts, flow: &Flow) -> Result<Vec<u8>, Fault> {
    sealed::seal(&parts.vault, spot(&flow.environment, flow.id.as_str()), 1, flow)
}

fn lost(error: StoreError) -> Fault {
    match error {
        StoreError::Conflict => invalid(),
        error => error.into(),
    }
}

/// The one answer to every link, state or attempt that is not good.
pub(super) fn invalid() -> Fault {
    Fault::new(
        Kind::FlowInvalid,
        "This authorization attempt is unknown, used or expired. Ask the application for a new authorization link.",
    )
}
