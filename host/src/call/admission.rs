//! Slots: how many calls run at once per environment and per account. Waiting is first come,
//! first served within an account, so that one account's burst does not starve the others.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::error::{Fault, Kind};
use crate::id::{AccountId, EnvironmentId};
use crate::trace;

/// Idle accounts are forgotten when more than this many are known.
const SWEEP_ABOVE: usize = 4_096;

pub(super) struct Slots {
    environments: Mutex<HashMap<EnvironmentId, Arc<Gate>>>,
    accounts: Mutex<HashMap<AccountId, Arc<Gate>>>,
    per_environment: u32,
    per_account: u32,
    queue_factor: u32,
}

struct Gate {
    running: Arc<Semaphore>,
    waiting: AtomicU32,
    max_waiting: u32,
}

/// A call's right to run, given back when dropped.
pub(super) struct Slot {
    _account: OwnedSemaphorePermit,
    _environment: OwnedSemaphorePermit,
}

impl Slots {
    pub(super) fn new(per_environment: u32, per_account: u32, queue_factor: u32) -> Self {
        Self {
            environments: Mutex::default(),
            accounts: Mutex::default(),
            per_environment,
            per_account,
            queue_factor,
        }
    }

    /// Waits for a slot of the account, then of the environment: a crowd at one account does not
    /// hold the environment's slots.
    pub(super) async fn enter(
        &self,
        environment: &EnvironmentId,
        account: &AccountId,
        deadline: Instant,
    ) -> Result<Slot, Fault> {
        let account = self
            .gate(&self.accounts, account, self.per_account)
            .enter("account", deadline)
            .await?;
        let environment = self
            .gate(&self.environments, environment, self.per_environment)
            .enter("environment", deadline)
            .await?;
        Ok(Slot {
            _account: account,
            _environment: environment,
        })
    }

    fn gate<K: Hash + Eq + Clone>(
        &self,
        gates: &Mutex<HashMap<K, Arc<Gate>>>,
        key: &K,
        at_once: u32,
    ) -> Arc<Gate> {
        let mut gates = gates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get(key) {
            return Arc::clone(gate);
        }
        if gates.len() >= SWEEP_ABOVE {
            // A gate that only the map holds has nobody running or waiting.
            gates.retain(|_, gate| Arc::strong_count(gate) > 1 || Arc::strong_count(&gate.running) > 1);
        }
        let gate = Arc::new(Gate {
            running: Arc::new(Semaphore::new(at_once as usize)),
            waiting: AtomicU32::new(0),
            max_waiting: at_once.saturating_mul(self.queue_factor),
        });
        gates.insert(key.clone(), Arc::clone(&gate));
        gate
    }
}

impl Gate {
    async fn enter(&self, whose: &'static str, deadline: Instant) -> Result<OwnedSemaphorePermit, Fault> {
        if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = Waiting::join(self).ok_or_else(|| overloaded(whose))?;
        let slot = tokio::time::timeout_at(deadline, Arc::clone(&self.running).acquire_owned());
        match slot.instrument(trace::admission_wait(whose)).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(closed)) => Err(Fault::internal(closed)),
            Err(_) => Err(overloaded(whose)),
        }
    }
}

/// Counts one who waits for as long as it lives, also when the wait is given up.
struct Waiting<'a>(&'a Gate);

impl<'a> Waiting<'a> {
    fn join(gate: &'a Gate) -> Option<Self> {
        let before = gate.waiting.fetch_add(1, Ordering::Relaxed);
        let joined = Self(gate);
        (before < gate.max_waiting).then_some(joined)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn overloaded(whose: &'static str) -> Fault {
    Fault::new(
        Kind::Overloaded,
        format!("Too many calls of this {whose} run at once. Nothing was done; call again shortly, with fewer side by side."),
    )
    .reason(whose)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn full_queue_is_refused_and_a_freed_slot_is_taken() {
        let slots = Slots::new(10, 1, 1);
        let environment = EnvironmentId::new("dev").expect("valid");
        let account = AccountId::generate();
        let running = slots.enter(&environment, &account, soon()).await.expect("free");
        let mut waiting = Box::pin(slots.enter(&environment, &account, soon()));
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        let refused = slots
            .enter(&environment, &account, soon())
            .await
            .err()
            .expect("the queue is full");
        assert_eq!(refused.kind(), Kind::Overloaded);
        drop(running);
        assert!(waiting.await.is_ok());
    }

    #[tokio::test]
    async fn crowd_at_one_account_leaves_the_others_slots() {
        let slots = Slots::new(2, 1, 100);
        let environment = EnvironmentId::new("dev").expect("valid");
        let (crowded, other) = (AccountId::generate(), AccountId::generate());
        let _running = slots.enter(&environment, &crowded, soon()).await.expect("free");
        let mut crowd: Vec<_> = (0..10)
            .map(|_| Box::pin(slots.enter(&environment, &crowded, soon())))
            .collect();
        for waiter in &mut crowd {
            assert!(futures_util::poll!(waiter.as_mut()).is_pending());
        }
        assert!(slots.enter(&environment, &other, soon()).await.is_ok());
    }

    #[tokio::test]
    async fn waiting_ends_at_the_deadline_and_given_up_waits_are_not_counted() {
        let slots = Slots::new(10, 1, 1);
        let environment = EnvironmentId::new("dev").expect("valid");
        let account = AccountId::generate();
        let _running = slots.enter(&environment, &account, soon()).await.expect("free");
        for _ in 0..3 {
            let fault = slots
                .enter(&environment, &account, Instant::now())
                .await
                .err()
                .expect("no time");
            assert_eq!(fault.kind(), Kind::Overloaded);
        }
        let gate = slots.gate(&slots.accounts, &account, 1);
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }
}
