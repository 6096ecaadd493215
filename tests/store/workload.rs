//! What the crash tests write: each operation is one batch of a record of its own and of one
//! record that many operations of its lane overwrite. Lanes run at once; within a lane one
//! operation follows the other, so that what must be there after a crash is known exactly.

use std::sync::Arc;

use valetkey::store::{Batch, Expect, Store, StoreError, Table};

/// How many operations run at once.
pub const LANES: usize = 8;
const HOT_RECORDS: u64 = 5;

/// One operation of one lane; numbers begin at 1.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    pub lane: usize,
    pub number: u64,
    pub largest_bytes: usize,
}

impl Operation {
    fn key(self) -> String {
        format!("{}/{:08}", self.lane, self.number)
    }

    fn hot_key(self) -> String {
        format!("{}/{}", self.lane, self.number % HOT_RECORDS)
    }

    /// The number, then bytes that follow from it.
    fn value(self) -> Vec<u8> {
        let mut state = (self.number << 8) ^ self.lane as u64 ^ 0x9e37_79b9_7f4a_7c15;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let length = 8 + usize::try_from(next() % self.largest_bytes as u64).expect("small");
        let mut value = self.number.to_be_bytes().to_vec();
        while value.len() < length {
            value.extend_from_slice(&next().to_le_bytes());
        }
        value
    }

    /// Keeps the folder small: what is long past is deleted in the same batch.
    fn forgotten(self) -> Option<Self> {
        let number = self.number.checked_sub(KEPT).filter(|number| *number > 0)?;
        Some(Self { number, ..self })
    }

    pub async fn run(self, store: &dyn Store) -> Result<(), StoreError> {
        let mut batch = Batch::new()
            .put(Table::Accounts, self.key(), Expect::Absent, self.value())
            .put(Table::Intents, self.hot_key(), Expect::Any, self.value());
        if let Some(forgotten) = self.forgotten() {
            batch = batch.delete(Table::Accounts, forgotten.key(), Expect::Any);
        }
        store.commit(batch).await
    }
}

/// How many records of its own a lane keeps.
const KEPT: u64 = 60;

/// Runs every lane from the operation after `done` until the store fails, telling of each
/// acknowledged operation.
pub async fn run_lanes(
    store: Arc<dyn Store>,
    done: [u64; LANES],
    largest_bytes: usize,
    acknowledged: impl Fn(usize, u64) + Clone + Send + 'static,
) {
    let lanes = (0..LANES).map(|lane| {
        let (store, acknowledged) = (Arc::clone(&store), acknowledged.clone());
        tokio::spawn(async move {
            let operations = (done[lane] + 1..).map(|number| Operation {
                lane,
                number,
                largest_bytes,
            });
            for operation in operations {
                if operation.run(&*store).await.is_err() {
                    return;
                }
                acknowledged(lane, operation.number);
            }
        })
    });
    for lane in futures_util::future::join_all(lanes).await {
        lane.expect("no lane panics");
    }
}

/// Checks that every acknowledged operation is there, whole, and at most the one that was under
/// way besides; answers the last operation of each lane.
pub async fn check(store: &dyn Store, acknowledged: [u64; LANES], largest_bytes: usize) -> [u64; LANES] {
    let mut last = [0; LANES];
    for lane in 0..LANES {
        let operation = |number| Operation {
            lane,
            number,
            largest_bytes,
        };
        let prefix = format!("{lane}/");
        let page = store
            .scan(Table::Accounts, prefix.as_bytes(), None, usize::MAX)
            .await
            .expect("scans");
        let newest = page.last().map_or(0, |(_, record)| number_of(&record.value));
        let acked = acknowledged[lane];
        assert!(
            newest >= acked,
            "lane {lane}: {acked} was acknowledged, the store ends at {newest}"
        );
        assert!(
            newest <= acked + 1,
            "lane {lane}: {newest} is there, {acked} was the last acknowledged"
        );

        let oldest = newest.saturating_sub(KEPT) + 1;
        assert_eq!(
            page.len() as u64,
            newest + 1 - oldest,
            "lane {lane}: a gap, or a torn batch"
        );
        for ((key, record), number) in page.iter().zip(oldest..) {
            assert_eq!(key, operation(number).key().as_bytes());
            assert_eq!(
                record.value,
                operation(number).value(),
                "lane {lane}: operation {number}"
            );
        }
        for number in (1..=newest)
            .rev()
            .take(usize::try_from(HOT_RECORDS).expect("small"))
        {
            let record = store
                .get(Table::Intents, operation(number).hot_key().as_bytes())
                .await
                .expect("reads");
            let record = record.expect("a torn batch: the lane's own record is there");
            assert_eq!(number_of(&record.value), number, "lane {lane}: a torn batch");
            assert_eq!(record.value, operation(number).value());
        }
        last[lane] = newest;
    }
    last
}

fn number_of(value: &[u8]) -> u64 {
    u64::from_be_bytes(*value.first_chunk().expect("a value begins with its number"))
}
