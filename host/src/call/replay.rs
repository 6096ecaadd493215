//! Idempotency keys: the first call under a key runs, its repetitions get its outcome. Kept for a
//! day, sealed, per environment. A claim is durable before the tool runs, so that not even a crash
//! makes a change happen twice.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Outcome;
use super::cursor::input_digest;
use super::extras::Answers;
use crate::access::Caller;
use crate::accounts::Usable;
use crate::clock::Clock;
use crate::egress::Meter;
use crate::error::{Fault, Kind, Retry, VendorError};
use crate::id::EnvironmentId;
use crate::store::{Batch, Expect, Store, StoreError, Table};
use crate::vault::{Place, Vault};

/// How long an outcome is kept.
const KEEP_MS: i64 = 24 * 60 * 60 * 1_000;

/// Plain bytes of one part of a long outcome; sealed it stays below the store's record limit.
const PART_BYTES: usize = 48 * 1024;

/// Every so many claims, old outcomes are looked for and removed.
const SWEEP_EVERY: usize = 256;

type Key = [u8; 32];

pub(super) struct Replays(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    clock: Clock,
    /// Calls that run now in this process; the sender is dropped when one ends.
    running: Mutex<HashMap<Key, watch::Receiver<()>>>,
    claims: std::sync::atomic::AtomicUsize,
}

/// What a key stands for.
pub(super) enum Claim {
    /// An earlier call's outcome.
    Earlier(Result<Outcome, Fault>),
    /// Nothing yet: this call runs and settles it.
    Ours(OurClaim),
}

/// The right to run under a key. Dropped unsettled (the caller went away) it is released when
/// nothing was sent, and stays as a mark of an unknown outcome when something was.
pub(super) struct OurClaim {
    shared: Arc<Shared>,
    environment: EnvironmentId,
    key: Key,
    fingerprint: String,
    meter: Arc<Meter>,
    settled: bool,
    _running: watch::Sender<()>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    fingerprint: String,
    state: State,
}

#[derive(Serialize, Deserialize)]
enum State {
    Running,
    Answered {
        parts: u64,
        next_cursor: Option<String>,
    },
    Failed {
        kind: String,
        message: String,
        status: Option<u16>,
        code: Option<String>,
    },
}

impl Replays {
    pub(super) fn new(store: Arc<dyn Store>, vault: Arc<Vault>, clock: Clock) -> Self {
        let shared = Shared {
            store,
            vault,
            clock,
            running: Mutex::default(),
            claims: 0.into(),
        };
        Self(Arc::new(shared))
    }

    /// Claims a key for a call, or answers what became of the first call under it.
    pub(super) async fn claim(
        &self,
        caller: &Caller,
        key: &str,
        fingerprint: &str,
        meter: &Arc<Meter>,
        deadline: Instant,
    ) -> Result<Claim, Fault> {
        let shared = &self.0;
        let environment = &caller.environment;
        let key = shared.vault.blind(environment, &[b"replay", key.as_bytes()])?;
        let running = loop {
            match shared.enter(key) {
                Ok(running) => break running,
                Err(mut first) => {
                    // An error means that the first call ended, which is what is waited for.
                    if tokio::time::timeout_at(deadline, first.changed()).await.is_err() {
                        return Err(still_running());
                    }
                }
            }
        };
        // From here on the claim gives the key free again when it is dropped.
        let mut claim = OurClaim {
            shared: Arc::clone(shared),
            environment: environment.clone(),
            key,
            fingerprint: fingerprint.to_owned(),
            meter: Arc::clone(meter),
            settled: true,
            _running: running,
        };
        let expect = match shared.read(environment, key).await? {
            None => Expect::Absent,
            Some((revision, _, kept_since)) if kept_since + KEEP_MS < shared.now_ms() => {
                Expect::Revision(revision)
            }
            Some((_, kept, _)) if kept.fingerprint != claim.fingerprint => return Err(other_call()),
            Some((_, kept, _)) => {
                return Ok(Claim::Earlier(
                    shared.outcome(environment, key, kept.state).await?,
                ));
            }
        };
        shared
            .write(environment, key, expect, &claim.fingerprint, State::Running, "")
            .await?;
        claim.settled = false;
        if shared.claims.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            tokio::spawn(Arc::clone(shared).sweep());
        }
        Ok(Claim::Ours(claim))
    }
}

impl OurClaim {
    /// Keeps the outcome for repetitions. A failure that changed nothing gives the key free, so
    /// that the repetition runs.
    pub(super) async fn settle(mut self, result: Result<Outcome, Fault>) -> Result<Outcome, Fault> {
        self.settled = true;
        let shared = &self.shared;
        let (state, data) = match &result {
            Ok(outcome) => {
                let data = outcome.data.as_str();
                let parts = data.len().div_ceil(PART_BYTES) as u64;
                (
                    State::Answered {
                        parts,
                        next_cursor: outcome.next_cursor.clone(),
                    },
                    data,
                )
            }
            Err(fault) if self.may_have_changed_something(fault) => (failed(fault), ""),
            Err(_) => {
                shared.release(self.key).await;
                return result;
            }
        };
        let kept = shared
            .write(
                &self.environment,
                self.key,
                Expect::Any,
                &self.fingerprint,
                state,
                data,
            )
            .await;
        if let Err(error) = kept {
            // The durable claim stays, so that a repetition is told that the outcome is unknown.
            tracing::error!(
                cause = error.chain(),
                "an outcome could not be kept under its idempotency key"
            );
        }
        result
    }

    fn may_have_changed_something(&self, fault: &Fault) -> bool {
        let refused_by_vendor = matches!(
            fault.kind(),
            Kind::VendorRejected
                | Kind::VendorNotFound
                | Kind::VendorConflict
                | Kind::VendorForbidden
                | Kind::RateLimited
        );
        self.meter.writes_sent.load(Ordering::Relaxed) > 0 && !refused_by_vendor
    }
}

impl Drop for OurClaim {
    fn drop(&mut self) {
        self.shared.leave(self.key);
        if !self.settled && self.meter.writes_sent.load(Ordering::Relaxed) == 0 {
            let (shared, key) = (Arc::clone(&self.shared), self.key);
            tokio::spawn(async move { shared.release(key).await });
        }
    }
}

impl Shared {
    /// Marks the key as running here, or answers whom to wait for.
    fn enter(&self, key: Key) -> Result<watch::Sender<()>, watch::Receiver<()>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = running.get(&key) {
            return Err(first.clone());
        }
        let (sender, receiver) = watch::channel(());
        running.insert(key, receiver);
        Ok(sender)
    }

    fn leave(&self, key: Key) {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&key);
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// The record of a key: its revision, what it says, and since when.
    async fn read(&self, environment: &EnvironmentId, key: Key) -> Result<Option<(u64, Kept, i64)>, Fault> {
        let Some(record) = self.store.get(Table::Replays, &key).await? else {
            return Ok(None);
        };
        let (since, sealed) = split(&record.value).ok_or_else(|| corrupt("too short"))?;
        let plain = self
            .vault
            .open_sealed(place(environment, &id(key), "claim", 0), sealed)?;
        let kept: Kept = serde_json::from_slice(plain.expose()).map_err(Fault::internal)?;
        Ok(Some((record.revision, kept, since)))
    }

    async fn outcome(
        &self,
        environment: &EnvironmentId,
        key: Key,
        state: State,
    ) -> Result<Result<Outcome, Fault>, Fault> {
        match state {
            // It does not run here, so the host that ran it stopped in the middle.
            State::Running => Ok(Err(Fault::new(
                Kind::AmbiguousOutcome,
                "The host stopped while the first call under this idempotency key ran. Look whether it took effect before you repeat it under a new key.",
            ))),
            State::Failed {
                kind,
                message,
                status,
                code,
            } => {
                let kind = Kind::parse(&kind).unwrap_or(Kind::Internal);
                let fault = Fault::new(kind, message).retry(Retry::Never);
                Ok(Err(match (status, code) {
                    (None, None) => fault,
                    (status, code) => fault.vendor(VendorError {
                        status,
                        code,
                        message: None,
                    }),
                }))
            }
            State::Answered { parts, next_cursor } => {
                let mut data = Vec::new();
                for number in 1..=parts {
                    let record = self.store.get(Table::Replays, &part_key(key, number)).await?;
                    let record = record.ok_or_else(|| corrupt("a part is missing"))?;
                    let (_, sealed) = split(&record.value).ok_or_else(|| corrupt("too short"))?;
                    let plain = self
                        .vault
                        .open_sealed(place(environment, &id(key), "part", number), sealed)?;
                    data.extend_from_slice(plain.expose());
                }
                let data = String::from_utf8(data).map_err(Fault::internal)?;
                Ok(Ok(Outcome { data, next_cursor }))
            }
        }
    }

    async fn write(
        &self,
        environment: &EnvironmentId,
        key: Key,
        expect: Expect,
        fingerprint: &str,
        state: State,
        data: &str,
    ) -> Result<(), Fault> {
        let since = self.now_ms().to_be_bytes();
        let seal = |field: &str, number: u64, plain: &[u8]| -> Result<Vec<u8>, Fault> {
            let sealed = self
                .vault
                .seal(place(environment, &id(key), field, number), plain)?;
            Ok([since.as_slice(), &sealed].concat())
        };
        let kept = serde_json::to_vec(&Kept {
            fingerprint: fingerprint.to_owned(),
            state,
        });
        let kept = kept.map_err(Fault::internal)?;
        let mut batch = Batch::new().put(Table::Replays, key, expect, seal("claim", 0, &kept)?);
        for (number, part) in (1..).zip(data.as_bytes().chunks(PART_BYTES)) {
            batch = batch.put(
                Table::Replays,
                part_key(key, number),
                Expect::Any,
                seal("part", number, part)?,
            );
        }
        match self.store.commit(batch).await {
            Err(StoreError::Conflict) => Err(still_running()),
            other => Ok(other?),
        }
    }

    async fn release(&self, key: Key) {
        let batch = Batch::new().delete(Table::Replays, key, Expect::Any);
        if let Err(error) = self.store.commit(batch).await {
            tracing::error!(%error, "an idempotency key could not be given free");
        }
    }

    /// Removes outcomes that are older than a day.
    async fn sweep(self: Arc<Self>) {
        if let Err(error) = self.remove_expired().await {
            tracing::warn!(%error, "old outcomes could not be removed");
        }
    }

    async fn remove_expired(&self) -> Result<(), StoreError> {
        let oldest = self.now_ms() - KEEP_MS;
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self
                .store
                .scan(Table::Replays, b"", after.as_deref(), 512)
                .await?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            let expired = page
                .into_iter()
                .filter(|(_, record)| split(&record.value).is_none_or(|(since, _)| since < oldest));
            let batch = expired.fold(Batch::new(), |batch, (key, record)| {
                batch.delete(Table::Replays, key, Expect::Revision(record.revision))
            });
            match self.store.commit(batch).await {
                // A record was claimed anew at this moment; the next sweep sees to the others.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// What must be the same for a repetition: the tool, the account, the whole input with its page, and the
/// answers to what the tool asked.
pub(super) fn fingerprint(
    tool: &str,
    usable: &Usable,
    input: &Map<String, Value>,
    answers: Option<&Answers>,
) -> String {
    let page = |name: &str| input.get(name).map_or_else(String::new, Value::to_string);
    let input = input_digest(input) + &page("limit") + &page("cursor");
    let mut fingerprint = format!("{tool} {} {input}", usable.account.id);
    if let Some(answers) = answers.filter(|answers| !answers.responses.is_empty()) {
        let answered = [
            ("responses".to_owned(), Value::Object(answers.responses.clone())),
            ("state".to_owned(), Value::from(answers.state.clone())),
        ];
        fingerprint.push(' ');
        fingerprint.push_str(&input_digest(&Map::from_iter(answered)));
    }
    fingerprint
}

fn failed(fault: &Fault) -> State {
    let vendor = fault.vendor_error();
    State::Failed {
        kind: fault.kind().as_str().to_owned(),
        message: fault.public().to_owned(),
        status: vendor.and_then(|vendor| vendor.status),
        code: vendor.and_then(|vendor| vendor.code.clone()),
    }
}

fn place<'a>(environment: &'a EnvironmentId, id: &'a str, field: &'a str, number: u64) -> Place<'a> {
    Place {
        record: "replay",
        environment,
        connection: "",
        identifier: id,
        field,
        generation: number,
    }
}

fn id(key: Key) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

fn part_key(key: Key, number: u64) -> Vec<u8> {
    [key.as_slice(), &number.to_be_bytes()].concat()
}

/// A value begins with the time of writing, unsealed, so that sweeping need not open it.
fn split(value: &[u8]) -> Option<(i64, &[u8])> {
    let (since, sealed) = value.split_first_chunk::<8>()?;
    Some((i64::from_be_bytes(*since), sealed))
}

fn corrupt(what: &str) -> Fault {
    StoreError::Corrupt {
        what: format!("an outcome under an idempotency key: {what}"),
    }
    .into()
}

fn still_running() -> Fault {
    Fault::new(
        Kind::IdempotencyConflict,
        "The first call under this idempotency key is still running. Repeat this request later to get its outcome.",
    )
    .retry(Retry::Later)
}

fn other_call() -> Fault {
    Fault::new(
        Kind::IdempotencyConflict,
        "This idempotency key was used for another tool, account or input within the last day. Use a new key for a new call.",
    )
}
