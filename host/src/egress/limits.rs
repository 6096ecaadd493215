//! Rate limits of a connection and its accounts: the budgets that a manifest declares, the pauses
//! that a vendor asked for, and the share of requests that may be repetitions. Kept by waiting
//! within a call's deadline; when that is not long enough the call fails at once and says when to
//! come back.
//!
//! Called by `Egress::send` before every attempt and after every answer. Shared by all calls of
//! the process; what is idle is forgotten.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::Instrument as _;
use valetkey_manifest::{Budget, BudgetScope};

use super::lane::Lane;
use super::{Meter, Reach};
use crate::error::{Fault, Kind, Retry};
use crate::random;
use crate::trace;

/// Repetitions per first attempt that a connection earns.
const RETRY_SHARE: f32 = 0.1;
/// Repetitions that a quiet connection may have saved up.
const RETRY_RESERVE: f32 = 10.0;
/// Entries before the first look for idle ones.
const SWEEP_FROM: usize = 1024;

/// The limits of all connections.
#[derive(Default)]
pub struct Limits {
    connections: Mutex<Kept<Arc<str>, Arc<Connection>>>,
}

/// The limits of one connection and of its accounts.
pub struct Connection {
    state: Mutex<State>,
}

struct State {
    pause: Option<Instant>,
    shared: Vec<(Budget, Arc<Lane>)>,
    accounts: Kept<Arc<str>, Account>,
    repetitions: f32,
}

#[derive(Default)]
struct Account {
    pause: Option<Instant>,
    lanes: Vec<(Budget, Arc<Lane>)>,
}

/// A map that forgets idle entries whenever it has doubled.
struct Kept<K, V> {
    map: HashMap<K, V>,
    sweep_at: usize,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self {
            map: HashMap::new(),
            sweep_at: SWEEP_FROM,
        }
    }
}

impl<K: std::hash::Hash + Eq, V> Kept<K, V> {
    fn sweep(&mut self, idle: impl Fn(&mut V) -> bool) {
        if self.map.len() >= self.sweep_at {
            self.map.retain(|_, value| !idle(value));
            self.sweep_at = (self.map.len() * 2).max(SWEEP_FROM);
        }
    }
}

/// Who has to keep a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// The account that was told.
    Account,
    /// Every account of the connection.
    Connection,
}

impl Limits {
    /// The limits of the connection with this key.
    pub fn of(&self, key: &str) -> Arc<Connection> {
        let mut connections = lock(&self.connections);
        if let Some(found) = connections.map.get(key) {
            return found.clone();
        }
        let now = Instant::now();
        connections.sweep(|connection| {
            // Held by the map alone: no call is using it.
            Arc::strong_count(connection) == 1 && lock(&connection.state).is_idle(now)
        });
        let fresh = Arc::new(Connection {
            state: Mutex::new(State {
                pause: None,
                shared: Vec::new(),
                accounts: Kept::default(),
                repetitions: RETRY_RESERVE,
            }),
        });
        connections.map.insert(key.into(), fresh.clone());
        fresh
    }
}

impl Connection {
    /// Waits until pauses and budgets let a request of this account go.
    ///
    /// # Errors
    /// `rate_limited` when that is after the deadline.
    pub async fn permit(&self, reach: &Reach, path: &str, max_wait: Duration) -> Result<(), Fault> {
        loop {
            self.wait_for_pause(reach, max_wait).await?;
            // Nearly every request goes on at once, under one lock.
            let busy = match self.lanes_now(reach, path) {
                None => return Ok(()),
                Some(busy) => busy,
            };
            let began = Instant::now();
            for lane in busy {
                lane.wait(&reach.account_key, reach.deadline)
                    .instrument(trace::rate_wait("budget"))
                    .await
                    .map_err(|wait| {
                        limited(
                            wait,
                            "budget",
                            &format!(
                                "The rate that {} allows is used up by earlier requests",
                                reach.vendor.connector
                            ),
                        )
                    })?;
            }
            waited(&reach.meter, began);
            if self.pause(&reach.account_key).is_none() {
                return Ok(());
            }
        }
    }

    async fn wait_for_pause(&self, reach: &Reach, max_wait: Duration) -> Result<(), Fault> {
        while let Some(until) = self.pause(&reach.account_key) {
            let began = Instant::now();
            let wait = until.saturating_duration_since(began);
            if until >= reach.deadline || wait > max_wait {
                return Err(limited(
                    wait,
                    "vendor",
                    &format!("{} asked us to wait", reach.vendor.connector),
                ));
            }
            // Those who waited together do not come back together.
            let spread = (wait / 10)
                .min(Duration::from_millis(250))
                .mul_f64(random::fraction());
            sleep_until((until + spread).min(reach.deadline))
                .instrument(trace::rate_wait("vendor"))
                .await;
            waited(&reach.meter, began);
        }
        Ok(())
    }

    /// Takes a place in every budget that applies, if all have one free; else those to wait for.
    fn lanes_now(&self, reach: &Reach, path: &str) -> Option<Vec<Arc<Lane>>> {
        if reach.vendor.budgets.is_empty() {
            return None;
        }
        let mut state = lock(&self.state);
        let lanes: Vec<Arc<Lane>> = reach
            .vendor
            .budgets
            .iter()
            .filter(|budget| applies(budget, path))
            .map(|budget| state.lane(budget, &reach.account_key))
            .collect();
        if Lane::take_all(&lanes) { None } else { Some(lanes) }
    }

    /// Keeps the vendor's word: nobody of `who` sends before `until`.
    pub fn keep_pause(&self, account: &Arc<str>, who: Pause, until: Instant) {
        let mut state = lock(&self.state);
        let place = match who {
            Pause::Connection => &mut state.pause,
            Pause::Account => &mut state.account(account).pause,
        };
        *place = Some(place.map_or(until, |earlier| earlier.max(until)));
    }

    fn pause(&self, account: &str) -> Option<Instant> {
        let state = lock(&self.state);
        let own = state.accounts.map.get(account).and_then(|account| account.pause);
        own.max(state.pause).filter(|until| *until > Instant::now())
    }

    /// Counts a first attempt towards the repetitions that may follow.
    pub fn earn_repetition(&self) {
        let mut state = lock(&self.state);
        state.repetitions = (state.repetitions + RETRY_SHARE).min(RETRY_RESERVE);
    }

    /// Takes a repetition, unless too many were needed lately.
    pub fn spend_repetition(&self) -> bool {
        let mut state = lock(&self.state);
        let enough = state.repetitions >= 1.0;
        if enough {
            state.repetitions -= 1.0;
        }
        enough
    }
}

impl State {
    fn account(&mut self, key: &Arc<str>) -> &mut Account {
        if !self.accounts.map.contains_key(key) {
            let now = Instant::now();
            self.accounts.sweep(|account| account.is_idle(now));
        }
        self.accounts.map.entry(key.clone()).or_default()
    }

    fn lane(&mut self, budget: &Budget, account: &Arc<str>) -> Arc<Lane> {
        let lanes = match budget.scope {
            BudgetScope::Connection => &mut self.shared,
            BudgetScope::Account => &mut self.account(account).lanes,
        };
        // Compared by value: versions of a connector that declare the same budget share it.
        if let Some((_, lane)) = lanes.iter().find(|(known, _)| known == budget) {
            return lane.clone();
        }
        let lane = Arc::new(Lane::new(budget));
        lanes.push((budget.clone(), lane.clone()));
        lane
    }

    fn is_idle(&mut self, now: Instant) -> bool {
        self.pause.is_none_or(|until| until <= now)
            && self.shared.iter().all(|(_, lane)| lane.is_idle(now))
            && self.accounts.map.values_mut().all(|account| account.is_idle(now))
    }
}

impl Account {
    fn is_idle(&mut self, now: Instant) -> bool {
        self.pause.is_none_or(|until| until <= now) && self.lanes.iter().all(|(_, lane)| lane.is_idle(now))
    }
}

fn applies(budget: &Budget, path: &str) -> bool {
    budget
        .path_prefix
        .as_deref()
        .is_none_or(|prefix| path.starts_with(prefix))
        && budget
            .path_suffix
            .as_deref()
            .is_none_or(|suffix| path.ends_with(suffix))
}

/// A `rate_limited` fault that says when to come back.
pub fn limited(wait: Duration, reason: &'static str, what: &str) -> Fault {
    let wait = wait.max(Duration::from_millis(1));
    Fault::new(
        Kind::RateLimited,
        format!(
            "{what}, and that is longer than this call may take. Try again in {} seconds.",
            wait.as_millis().div_ceil(1000)
        ),
    )
    .reason(reason)
    .retry(Retry::After(wait))
}

/// Notes a wait that is over.
pub fn waited(meter: &Meter, began: Instant) {
    let milliseconds = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
    meter.waits.fetch_add(1, Ordering::Relaxed);
    meter.waited_ms.fetch_add(milliseconds, Ordering::Relaxed);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
