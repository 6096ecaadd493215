//! One rate budget: at most so many requests in any period of its length, given out in the order
//! of asking, one account after the other.
//!
//! A vendor counts in windows that we cannot see, so the promise is the strictest reading: *any*
//! period. (A leaky bucket with a full burst would send twice the budget within one period.)
//! Departures are remembered in at most [`CELLS`] cells, so that a budget of thousands stays small.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout_at};
use valetkey_manifest::Budget;

/// Parts of the period within which departures are counted as one.
const CELLS: u32 = 64;

/// A budget with those who wait for it.
pub struct Lane {
    state: Mutex<State>,
}

struct State {
    max: u32,
    period: Duration,
    /// Departures that still count, oldest first.
    cells: VecDeque<Cell>,
    used: u32,
    /// Those who wait, by account; each account has a queue of its own.
    queues: HashMap<Arc<str>, VecDeque<oneshot::Sender<()>>>,
    /// Whose turn is next.
    turns: VecDeque<Arc<str>>,
    /// Whether a task is giving out places.
    pacing: bool,
}

struct Cell {
    first: Instant,
    last: Instant,
    count: u32,
}

impl Lane {
    /// An unused budget.
    pub fn new(budget: &Budget) -> Self {
        Self {
            state: Mutex::new(State {
                max: budget.requests.max(1),
                period: Duration::try_from_secs_f64(budget.per_seconds).unwrap_or(Duration::from_secs(1)),
                cells: VecDeque::new(),
                used: 0,
                queues: HashMap::new(),
                turns: VecDeque::new(),
                pacing: false,
            }),
        }
    }

    /// Takes a place in every lane, if all have one and nobody waits; else in none.
    pub fn take_all(lanes: &[Arc<Self>]) -> bool {
        // Each lane occurs once and callers list lanes in the manifest's order, so that two
        // callers never hold them crosswise.
        let now = Instant::now();
        let mut states: Vec<_> = lanes.iter().map(|lane| lane.lock()).collect();
        let free = states
            .iter_mut()
            .all(|state| state.turns.is_empty() && state.free_at(now) <= now);
        if free {
            states.iter_mut().for_each(|state| state.depart(now));
        }
        free
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// How long it would take, when that is past the deadline.
    pub async fn wait(self: &Arc<Self>, account: &Arc<str>, deadline: Instant) -> Result<(), Duration> {
        let turn = {
            let now = Instant::now();
            let mut state = self.lock();
            if state.turns.is_empty() && state.free_at(now) <= now {
                state.depart(now);
                return Ok(());
            }
            let expected = state.expected(account, now);
            if expected > deadline {
                return Err(expected.saturating_duration_since(now));
            }
            let (granted, turn) = oneshot::channel();
            let queue = state.queues.entry(account.clone()).or_default();
            queue.push_back(granted);
            if queue.len() == 1 {
                state.turns.push_back(account.clone());
            }
            if !state.pacing {
                state.pacing = true;
                tokio::spawn(pace(self.clone()));
            }
            turn
        };
        match timeout_at(deadline, turn).await {
            Ok(Ok(())) => Ok(()),
            _ => {
                let now = Instant::now();
                Err(self.lock().free_at(now).saturating_duration_since(now))
            }
        }
    }

    /// Whether nothing counts and nobody waits.
    pub fn is_idle(&self, now: Instant) -> bool {
        let mut state = self.lock();
        state.forget(now);
        state.used == 0 && state.turns.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives out places to those who wait, until nobody does.
async fn pace(lane: Arc<Lane>) {
    loop {
        let next = {
            let now = Instant::now();
            let mut state = lane.lock();
            let free_at = state.free_at(now);
            if free_at <= now {
                if !state.grant(now) {
                    state.pacing = false;
                    return;
                }
                continue;
            }
            free_at
        };
        sleep_until(next).await;
    }
}

impl State {
    fn forget(&mut self, now: Instant) {
        while let Some(oldest) = self.cells.front()
            && oldest.last + self.period <= now
        {
            self.used -= oldest.count;
            self.cells.pop_front();
        }
    }

    /// When the next place is free: now or later.
    fn free_at(&mut self, now: Instant) -> Instant {
        self.forget(now);
        match self.cells.front() {
            Some(oldest) if self.used >= self.max => oldest.last + self.period,
            _ => now,
        }
    }

    fn depart(&mut self, now: Instant) {
        self.used += 1;
        match self.cells.back_mut() {
            Some(cell) if now < cell.first + self.period / CELLS => {
                cell.last = now;
                cell.count += 1;
            }
            _ => self.cells.push_back(Cell {
                first: now,
                last: now,
                count: 1,
            }),
        }
    }

    /// Lets the next waiting account go; false when nobody waits.
    fn grant(&mut self, now: Instant) -> bool {
        while let Some(account) = self.turns.pop_front() {
            let Some(queue) = self.queues.get_mut(&account) else {
                continue;
            };
            // Who gave up meanwhile is passed over.
            let went = std::iter::from_fn(|| queue.pop_front()).any(|granted| granted.send(()).is_ok());
            if queue.is_empty() {
                self.queues.remove(&account);
            } else {
                self.turns.push_back(account);
            }
            if went {
                self.depart(now);
                return true;
            }
        }
        false
    }

    /// When a newcomer of `account` would go, if nobody else came.
    fn expected(&mut self, account: &str, now: Instant) -> Instant {
        self.forget(now);
        let round = self.queues.get(account).map_or(0, VecDeque::len) + 1;
        let ahead: usize = self.queues.values().map(|queue| queue.len().min(round)).sum();
        let max = self.max as usize;
        let rounds = u32::try_from(ahead / max).unwrap_or(u32::MAX);
        let mut place = (ahead % max + 1).saturating_sub(max.saturating_sub(self.used as usize));
        let mut at = now;
        for cell in &self.cells {
            if place == 0 {
                break;
            }
            at = cell.last + self.period;
            place = place.saturating_sub(cell.count as usize);
        }
        at + self.period.saturating_mul(rounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use valetkey_manifest::BudgetScope;

    fn lane(requests: u32, per_seconds: f64) -> Arc<Lane> {
        let budget = Budget {
            scope: BudgetScope::Connection,
            requests,
            per_seconds,
            path_prefix: None,
            path_suffix: None,
        };
        Arc::new(Lane::new(&budget))
    }

    #[tokio::test]
    async fn no_period_of_any_position_sees_more_than_the_budget() {
        let (max, period) = (5, Duration::from_millis(40));
        let lane = lane(max, period.as_secs_f64());
        let account: Arc<str> = "a".into();
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut went = Vec::new();
        for _ in 0..23 {
            lane.wait(&account, deadline).await.unwrap();
            went.push(Instant::now());
        }
        for pair in went.windows(max as usize + 1) {
            assert!(
                pair[max as usize] - pair[0] >= period.mul_f64(0.9),
                "{:?}",
                pair[max as usize] - pair[0]
            );
        }
    }

    #[tokio::test]
    async fn a_late_account_goes_before_the_queue_of_an_early_one() {
        let lane = lane(1, 0.005);
        let (busy, quiet): (Arc<str>, Arc<str>) = ("busy".into(), "quiet".into());
        let deadline = Instant::now() + Duration::from_secs(30);
        lane.wait(&busy, deadline).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = tokio::task::JoinSet::new();
        for (account, times) in [(&busy, 20), (&quiet, 1)] {
            for _ in 0..times {
                let (lane, account, order) = (lane.clone(), account.clone(), order.clone());
                waiting.spawn(async move {
                    lane.wait(&account, deadline).await.unwrap();
                    order.lock().unwrap().push(account);
                });
            }
        }
        waiting.join_all().await;
        let order = order.lock().unwrap();
        let place = order.iter().position(|account| *account == quiet).unwrap();
        assert!(place <= 3, "the quiet account went at place {place}");
        assert!(lane.lock().queues.is_empty());
    }

    #[tokio::test]
    async fn who_cannot_go_in_time_is_told_at_once() {
        let lane = lane(2, 60.0);
        let account: Arc<str> = "a".into();
        let deadline = Instant::now() + Duration::from_secs(10);
        lane.wait(&account, deadline).await.unwrap();
        lane.wait(&account, deadline).await.unwrap();
        let wait = lane.wait(&account, deadline).await.unwrap_err();
        assert!(
            wait > Duration::from_secs(50) && wait <= Duration::from_secs(60),
            "{wait:?}"
        );
        assert!(!lane.lock().pacing);
    }

    #[tokio::test]
    async fn a_budget_of_thousands_is_remembered_in_few_cells() {
        let lane = lane(15_000, 60.0);
        let account: Arc<str> = "a".into();
        let deadline = Instant::now() + Duration::from_secs(1);
        for _ in 0..15_000 {
            lane.wait(&account, deadline).await.unwrap();
        }
        assert!(lane.lock().cells.len() <= CELLS as usize + 1);
        assert!(lane.wait(&account, deadline).await.is_err());
    }
}
