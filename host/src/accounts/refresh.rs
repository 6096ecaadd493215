//! Lending a credential and keeping it good. One refresh per account at a time, whatever asks:
//! the waiters share what came of it. The steps, in an order that no crash breaks:
//!
//! 1. read the account again: another refresh may have done it;
//! 2. write the intent (this generation is being presented), on the disk;
//! 3. ask the vendor, in a task of its own: a caller that goes away takes nothing with it;
//! 4. if the account is still of that generation, write the new pair and take the intent away, in
//!    one durable batch; otherwise the late pair is revoked;
//! 5. release the waiters.
//!
//! A crash after 2 leaves the intent: at start the old token is presented once more, which loses
//! nothing, since a pair that the vendor made meanwhile is lost either way. Only an explicit
//! refusal expires an account; a vendor that cannot be reached never does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use super::entry::{Entry, Keep, Kept, Live, Source, key};
use super::model::{Account, AccountState, Reason};
use super::parts::{Parts, backoff, millis};
use super::pick::not_active;
use super::quirks::{Grant, Refusal};
use super::sealed::corrupt;
use super::token_endpoint::{Failure, Reading, retry_after};
use super::verify::{Probe, probe};
use super::{activate, coded, revoke};
use crate::egress::{Credential, Credentials};
use crate::error::{Fault, Kind, Retry};
use crate::id::{AccountId, EnvironmentId};
use crate::journal::Actor;
use crate::store::{Batch, Expect, Table};
use crate::trace;

/// While the access token is good, nobody waits longer than this for its successor.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest pause after failed refreshes.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// The shortest time between refreshes that 401s ask for, however short the tokens live.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(5);

/// The refreshing side of an account.
#[derive(Default)]
pub(super) struct Renewal {
    flying: Option<Flying>,
    failures: u32,
    /// No refresh before this, after failures.
    not_before_ms: i64,
    /// When the last refresh succeeded.
    renewed_at_ms: Option<i64>,
    /// A grant that came and could not be written yet, for the generation it replaces.
    unsaved: Option<(u64, Arc<Grant>)>,
}

type Flight = Shared<BoxFuture<'static, Result<(), Problem>>>;

/// A refresh under way.
struct Flying {
    flight: Flight,
    /// In the trace of whoever began it.
    span: Span,
}

/// What a refresh is for.
#[derive(Clone, Copy)]
pub(super) enum Why {
    /// The token is about to run out.
    Due,
    /// The vendor refused the credential of this generation.
    Rejected(u64),
    /// An intent was left without a result.
    Recover,
}

impl Why {
    fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Rejected(_) => "rejected",
            Self::Recover => "recover",
        }
    }
}

/// Why there is no fresh credential; shared by all who waited.
#[derive(Debug, Clone)]
pub(super) enum Problem {
    /// The account is not active, or not any more.
    NotActive,
    /// No new token came; try again after so many milliseconds.
    Unreachable(u64),
    /// The vendor refuses a credential that was just renewed, or that cannot be.
    RejectedAgain,
    /// The host's store failed.
    Store,
    /// The refresh is still under way.
    Slow,
    /// A defect; the cause is in the log.
    Defect,
}

impl Problem {
    fn as_str(&self) -> &'static str {
        match self {
            Self::NotActive => "account_not_active",
            Self::Unreachable(_) => "refresh_unreachable",
            Self::RejectedAgain => "rejected_again",
            Self::Store => "store_unavailable",
            Self::Slow => "refresh_slow",
            Self::Defect => "internal",
        }
    }
}

/// A lent credential.
pub(super) struct Lender(pub Arc<Entry>);

impl Credentials for Lender {
    fn current(&self, deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>> {
        let now_ms = self.0.parts.now_ms();
        let ready = self.0.with(|live| {
            let fresh = live.account.state == AccountState::Active && !live.due_at(now_ms);
            fresh.then(|| live.credential.clone()).flatten()
        });
        match ready {
            Some(credential) => Box::pin(std::future::ready(Ok(credential))),
            None => Box::pin(self.0.current(deadline)),
        }
    }

    fn renew(&self, rejected: u64, deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>> {
        Box::pin(self.0.renew(rejected, deadline))
    }
}

impl Entry {
    async fn current(self: &Arc<Self>, deadline: Instant) -> Result<Arc<Credential>, Fault> {
        let good = self.with(|live| live.good_at(self.parts.now_ms()));
        let patience = if good {
            deadline.min(Instant::now() + PATIENCE)
        } else {
            deadline
        };
        let result = self.wait(Why::Due, patience).await;
        let live = self.live();
        let problem = match (active(&live), result) {
            (None, _) => Problem::NotActive,
            (Some(credential), Ok(())) => return Ok(credential),
            // The vendor is in trouble and the token is not: it goes on serving.
            (Some(credential), Err(_)) if live.good_at(self.parts.now_ms()) => return Ok(credential),
            (Some(_), Err(problem)) => problem,
        };
        Err(fault(&problem, &live.account))
    }

    async fn renew(self: &Arc<Self>, rejected: u64, deadline: Instant) -> Result<Arc<Credential>, Fault> {
        // Twice: the first wait may have been for a refresh that began before this rejection.
        for _ in 0..2 {
            let live = self.live();
            match active(&live) {
                None => return Err(fault(&Problem::NotActive, &live.account)),
                Some(credential) if live.account.generation > rejected => return Ok(credential),
                Some(_) => {}
            }
            match self.wait(Why::Rejected(rejected), deadline).await {
                Ok(()) => {}
                // Nothing newer is to be had: the vendor's 401 is the answer.
                Err(Problem::RejectedAgain) => break,
                Err(problem) => return Err(fault(&problem, &self.live().account)),
            }
        }
        let live = self.live();
        active(&live).ok_or_else(|| fault(&Problem::NotActive, &live.account))
    }

    async fn wait(self: &Arc<Self>, why: Why, until: Instant) -> Result<(), Problem> {
        if let Some(wait) = self.pause() {
            return Err(Problem::Unreachable(wait));
        }
        let (flight, waiting) = self.fly(why);
        tokio::time::timeout_at(until, flight)
            .instrument(waiting)
            .await
            .unwrap_or(Err(Problem::Slow))
    }

    /// The refresh that is under way, with the span of waiting for it, or a new one, which has a
    /// span of its own.
    pub(super) fn fly(self: &Arc<Self>, why: Why) -> (Flight, Span) {
        let mut renewal = self.renewal();
        if let Some(flying) = &renewal.flying {
            return (flying.flight.clone(), trace::refresh_wait(&flying.span));
        }
        let (done, result) = oneshot::channel();
        let flight = result
            .map(|result| result.unwrap_or(Err(Problem::Defect)))
            .boxed()
            .shared();
        let span = trace::refresh(why.as_str(), self.id.as_str());
        renewal.flying = Some(Flying {
            flight: flight.clone(),
            span: span.clone(),
        });
        let entry = Arc::clone(self);
        let noted = span.clone();
        let work = async move {
            let landing = Landing(Arc::clone(&entry));
            let result = refresh(&entry, why).await;
            if let Err(problem) = &result {
                trace::error(&noted, problem.as_str());
            }
            drop(landing);
            // Nobody may be waiting any more.
            let _ = done.send(result);
        };
        tokio::spawn(work.instrument(span));
        (flight, Span::none())
    }

    fn renewal(&self) -> MutexGuard<'_, Renewal> {
        lock(&self.renewal)
    }

    /// Milliseconds until the next refresh may be tried, after failures.
    fn pause(&self) -> Option<u64> {
        let left = self.renewal().not_before_ms - self.parts.now_ms();
        // A clock that was set back must not stretch the pause.
        if left > 0 && left <= millis(LONGEST_BACKOFF) {
            u64::try_from(left).ok()
        } else {
            None
        }
    }
}

/// Makes room for the next flight when this one ends, also by a panic.
struct Landing(Arc<Entry>);

impl Drop for Landing {
    fn drop(&mut self) {
        lock(&self.0.renewal).flying = None;
    }
}

fn lock(renewal: &Mutex<Renewal>) -> MutexGuard<'_, Renewal> {
    renewal.lock().unwrap_or_else(PoisonError::into_inner)
}

fn active(live: &Live) -> Option<Arc<Credential>> {
    if live.account.state == AccountState::Active {
        live.credential.clone()
    } else {
        None
    }
}

/// One refresh, if it is still wanted.
async fn refresh(entry: &Arc<Entry>, why: Why) -> Result<(), Problem> {
    let unsaved = entry.renewal().unsaved.take();
    if let Some((generation, grant)) = unsaved {
        return settle(entry, generation, Ok(grant)).await;
    }
    let turn = entry.turn().await;
    let live = entry.live();
    if active(&live).is_none() {
        return Err(Problem::NotActive);
    }
    let generation = live.account.generation;
    let wanted = match why {
        Why::Due => live.due_at(entry.parts.now_ms()),
        Why::Rejected(rejected) => generation <= rejected,
        Why::Recover => true,
    };
    if !wanted {
        return Ok(());
    }
    if matches!(why, Why::Rejected(_)) && too_soon(entry, &live) {
        return Err(Problem::RejectedAgain);
    }
    let Some(source) = live.source() else {
        drop(turn);
        return without_refresh_token(entry, why, generation).await;
    };
    // The intent is on the disk before the vendor is asked.
    let intent = serde_json::to_vec(&Intent {
        generation,
        at_ms: entry.parts.now_ms(),
    });
    let intent = intent.map_err(|error| told(entry, &Fault::internal(error)))?;
    let batch = Batch::new().put(
        Table::Intents,
        intent_key(&entry.environment, &entry.id),
        Expect::Any,
        intent,
    );
    let earlier = read_intent(entry).await.map_err(|fault| told(entry, &fault))?;
    entry
        .parts
        .store
        .commit(batch)
        .await
        .map_err(|error| told(entry, &error.into()))?;
    drop(turn);
    let outcome = ask(entry, &source, &live.account.account_config)
        .await
        .map_err(|fault| told(entry, &fault))?;
    let again = earlier.is_some_and(|earlier| earlier.generation == generation);
    match outcome {
        Ok(grant) => settle(entry, generation, Ok(Arc::new(grant))).await,
        Err(failure) => settle(entry, generation, Err((failure, again))).await,
    }
}

/// Asks the token endpoint once.
async fn ask(
    entry: &Entry,
    source: &Source,
    config: &BTreeMap<String, String>,
) -> Result<Result<Grant, Failure>, Fault> {
    let connection = entry.configured.connection();
    Ok(match source {
        Source::RefreshToken(token) if coded::speaks_for(&connection) => {
            coded::refresh(&entry.parts, &entry.configured, config, token).await
        }
        Source::RefreshToken(token) => {
            let endpoint = entry.configured.token_endpoint(config)?;
            let reading = Reading::of(&connection);
            endpoint.refresh(&entry.parts, &reading, token).await
        }
        Source::Inputs(inputs) => coded::issue_or_ask(&entry.parts, &entry.configured, config, inputs).await,
    })
}

/// Takes in what the vendor answered to the refresh of a generation. `again` says that the token
/// had been presented before without a known outcome.
async fn settle(
    entry: &Arc<Entry>,
    generation: u64,
    outcome: Result<Arc<Grant>, (Failure, bool)>,
) -> Result<(), Problem> {
    let turn = entry.turn().await;
    let live = entry.live();
    let no_intent = || {
        Batch::new().delete(
            Table::Intents,
            intent_key(&entry.environment, &entry.id),
            Expect::Any,
        )
    };
    if live.account.generation != generation || live.account.state != AccountState::Active {
        // Disconnected or authorized anew while the vendor was asked: the late pair is nobody's.
        drop(turn);
        entry
            .parts
            .store
            .commit(no_intent())
            .await
            .map_err(|error| told(entry, &error.into()))?;
        if let Ok(grant) = outcome {
            revoke::discard(entry, &live.account, &grant)
                .await
                .map_err(|fault| told(entry, &fault))?;
        }
        return if active(&entry.live()).is_some() {
            Ok(())
        } else {
            Err(Problem::NotActive)
        };
    }
    match outcome {
        Ok(grant) => {
            let connection = entry.configured.connection();
            let kept = activate::renewed(&live, &grant, &connection, entry.parts.now_ms());
            let manifest = entry.configured.manifest(&entry.parts).ok();
            let written = entry
                .write(&turn, Keep::New(kept), no_intent(), |account| {
                    activate::apply(account, &grant, manifest.as_deref(), &entry.parts, &connection);
                    account.reason = None;
                })
                .await;
            if let Err(fault) = written {
                // The vendor has rotated and the disk has not followed: the next one who asks
                // writes this grant, and does not ask the vendor again.
                entry.renewal().unsaved = Some((generation, grant));
                return Err(told(entry, &fault));
            }
            {
                let mut renewal = entry.renewal();
                renewal.failures = 0;
                renewal.not_before_ms = 0;
                renewal.renewed_at_ms = Some(entry.parts.now_ms());
            }
            note(entry, "account.refresh", "ok").await
        }
        Err((Failure::Refused(refusal @ (Refusal::Grant | Refusal::Client)), again)) => {
            let reason = if again {
                Reason::RefreshOutcomeUnknown
            } else {
                Reason::RefreshRejected
            };
            expire(entry, &turn, reason, no_intent()).await?;
            tracing::warn!(
                account = entry.id.as_str(),
                code = refusal.code(),
                "the vendor refused a refresh; the owner has to authorize again"
            );
            note(entry, "account.expire", refusal.code()).await?;
            Err(Problem::NotActive)
        }
        Err((failure, again)) => {
            let wait = pause_after(entry, &failure);
            if !failure.may_have_acted() && !again {
                entry
                    .parts
                    .store
                    .commit(no_intent())
                    .await
                    .map_err(|error| told(entry, &error.into()))?;
            }
            if !live.good_at(entry.parts.now_ms()) {
                let unknown = again || failure.may_have_acted();
                entry.show(
                    &turn,
                    if unknown {
                        Reason::RefreshOutcomeUnknown
                    } else {
                        Reason::RefreshUnreachable
                    },
                );
            }
            tracing::warn!(
                account = entry.id.as_str(),
                code = failure.code(),
                wait_ms = wait,
                "a refresh brought no token; the account keeps its state"
            );
            note(entry, "account.refresh", failure.code()).await?;
            Err(Problem::Unreachable(wait))
        }
    }
}

/// A credential that cannot be refreshed has run out, or was refused.
async fn without_refresh_token(entry: &Arc<Entry>, why: Why, generation: u64) -> Result<(), Problem> {
    let reason = match why {
        Why::Due => Reason::RefreshRejected,
        Why::Recover => return Ok(()),
        Why::Rejected(_) => {
            // One 401 may be about one request. The manifest's own check decides.
            let live = entry.live();
            let Some(credential) = active(&live) else {
                return Err(Problem::NotActive);
            };
            entry.renewal().renewed_at_ms = Some(entry.parts.now_ms());
            match probe(
                &entry.parts,
                &entry.configured,
                &live.account.account_config,
                credential,
                &entry.id,
            )
            .await
            {
                Probe::Rejected => Reason::CredentialCheckFailed,
                _ => return Err(Problem::RejectedAgain),
            }
        }
    };
    let turn = entry.turn().await;
    if entry.with(|live| live.account.generation != generation || live.account.state != AccountState::Active)
    {
        return Ok(());
    }
    expire(entry, &turn, reason, Batch::new()).await?;
    note(entry, "account.expire", reason.as_str()).await?;
    Err(Problem::NotActive)
}

async fn expire(
    entry: &Arc<Entry>,
    turn: &tokio::sync::MutexGuard<'_, ()>,
    reason: Reason,
    with: Batch,
) -> Result<(), Problem> {
    let written = entry
        .write(turn, Keep::Same, with, |account| {
            account.state = AccountState::Expired;
            account.reason = Some(reason);
        })
        .await;
    written.map(|_| ()).map_err(|fault| told(entry, &fault))
}

/// Whether a 401 may not cause a refresh yet: `renew_interval_seconds` after the last one, or the
/// token's own lifetime when that is shorter.
fn too_soon(entry: &Entry, live: &Live) -> bool {
    let Some(renewed_at_ms) = entry.renewal().renewed_at_ms else {
        return false;
    };
    let lifetime = match live.kept.as_deref() {
        Some(
            Kept::Token {
                stated_ms: Some(stated),
                ..
            }
            | Kept::Exchanged {
                stated_ms: Some(stated),
                ..
            },
        ) => Duration::from_millis(*stated),
        _ => Duration::MAX,
    };
    let interval = Duration::from_secs(entry.parts.settings.renew_interval_seconds);
    let interval = millis(interval.min(lifetime.max(SHORTEST_INTERVAL)));
    // A clock that was set back must not block renewals.
    (0..interval).contains(&(entry.parts.now_ms() - renewed_at_ms))
}

fn pause_after(entry: &Entry, failure: &Failure) -> u64 {
    let mut renewal = entry.renewal();
    renewal.failures += 1;
    let wait = backoff(renewal.failures, LONGEST_BACKOFF);
    let wait = retry_after(failure).map_or(wait, |asked| asked.max(wait).min(LONGEST_BACKOFF));
    renewal.not_before_ms = entry.parts.now_ms() + millis(wait);
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

/// Logs a fault of the host once and answers what the waiters get.
fn told(entry: &Entry, fault: &Fault) -> Problem {
    tracing::error!(
        account = entry.id.as_str(),
        kind = fault.kind().as_str(),
        cause = fault.chain(),
        "a refresh could not be done"
    );
    match fault.kind() {
        Kind::StoreUnavailable | Kind::Conflict => Problem::Store,
        _ => Problem::Defect,
    }
}

async fn note(entry: &Entry, action: &'static str, outcome: &str) -> Result<(), Problem> {
    let noted = entry
        .parts
        .note(
            &Actor::Host,
            &entry.environment,
            action,
            entry.id.as_str(),
            outcome,
        )
        .await;
    noted.map_err(|fault| told(entry, &fault))
}

fn fault(problem: &Problem, account: &Account) -> Fault {
    let after = |ms: u64| Retry::After(Duration::from_millis(ms));
    let connection = &account.connection;
    match problem {
        Problem::NotActive => not_active(account),
        Problem::Unreachable(wait) => Fault::new(
            Kind::VendorUnavailable,
            format!(
                "The account on `{connection}` needs a new access token, and the vendor gives none at the moment. \
                 The account stays connected; try again later."
            ),
        )
        .reason("refresh_unreachable")
        .retry(after(*wait)),
        Problem::Store => Fault::new(
            Kind::StoreUnavailable,
            "The host could not write a refreshed credential. Nothing is lost; try again later.",
        ),
        Problem::Slow => Fault::new(
            Kind::VendorTimeout,
            format!("The vendor did not refresh the credential of the account on `{connection}` in time. Try again."),
        )
        .reason("refresh_slow"),
        Problem::RejectedAgain | Problem::Defect => Fault::internal("a refresh ended without a result"),
    }
}

/// What is written before the vendor is asked.
#[derive(Serialize, Deserialize)]
struct Intent {
    generation: u64,
    at_ms: i64,
}

const INTENTS: &[u8] = b"refresh\0";

pub(super) fn intent_key(environment: &EnvironmentId, id: &AccountId) -> Vec<u8> {
    [INTENTS, &key(environment, id)].concat()
}

async fn read_intent(entry: &Entry) -> Result<Option<Intent>, Fault> {
    let record = entry
        .parts
        .store
        .get(Table::Intents, &intent_key(&entry.environment, &entry.id))
        .await?;
    record
        .map(|record| serde_json::from_slice(&record.value).map_err(|_| corrupt("intent", "not as written")))
        .transpose()
}

/// The accounts whose last refresh has no known outcome.
pub(super) async fn unfinished(parts: &Parts) -> Result<Vec<(EnvironmentId, AccountId)>, Fault> {
    let mut found = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = parts
            .store
            .scan(Table::Intents, INTENTS, after.as_deref(), 256)
            .await?;
        let Some((last, _)) = page.last() else {
            return Ok(found);
        };
        after = Some(last.clone());
        for (key, _) in page {
            let named = std::str::from_utf8(&key[INTENTS.len()..])
                .ok()
                .and_then(|key| key.split_once('\0'));
            if let Some((environment, id)) = named
                && let (Ok(environment), Ok(id)) = (EnvironmentId::new(environment), AccountId::new(id))
            {
                found.push((environment, id));
            }
        }
    }
}
