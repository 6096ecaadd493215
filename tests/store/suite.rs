//! What every store promises, whatever it is made of. Each promise is a function over an empty
//! store; `promises_of!` makes one test of each for one way of making such a store.

use std::sync::Arc;

use futures_util::future::join_all;
use valetkey::store::{Batch, Expect, MAX_KEY_BYTES, MAX_RECORD_BYTES, Record, Store, StoreError, Table};

/// One test per promise. The argument is an async function that answers an empty store and what
/// must outlive it (its folder, its schema).
macro_rules! promises_of {
    ($make:path: $($promise:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $promise() {
                let (store, _kept) = $make().await;
                crate::suite::$promise(store).await;
            }
        )+
    };
    ($make:path) => {
        promises_of!($make:
            a_record_reads_back_with_its_revision,
            each_write_raises_the_revision_by_one,
            a_deleted_record_is_gone_and_begins_anew,
            tables_do_not_mix,
            a_batch_over_tables_is_written_as_a_whole,
            a_conflict_anywhere_leaves_nothing_of_the_batch,
            expectations_are_kept_exactly,
            an_empty_batch_is_accepted,
            a_scan_is_in_key_order_and_keeps_to_its_prefix,
            a_scan_pages_without_gap_or_repetition,
            a_prefix_of_the_highest_bytes_ends_where_it_should,
            what_is_too_large_is_refused_whole,
            a_key_twice_in_a_batch_is_refused,
            concurrent_increments_lose_none,
            concurrent_creations_have_one_winner,
            who_hears_of_a_conflict_finds_what_was_in_the_way,
            only_an_empty_store_is_filled_and_keeps_the_revisions,
        );
    };
}
pub(crate) use promises_of;

type Shared = Arc<dyn Store>;

async fn put(store: &Shared, table: Table, key: &[u8], value: &[u8]) {
    let batch = Batch::new().put(table, key, Expect::Any, value.to_vec());
    store.commit(batch).await.expect("the store takes it");
}

async fn get(store: &Shared, table: Table, key: &[u8]) -> Option<Record> {
    store.get(table, key).await.expect("the store reads")
}

async fn keys(
    store: &Shared,
    table: Table,
    prefix: &[u8],
    after: Option<&[u8]>,
    limit: usize,
) -> Vec<Vec<u8>> {
    let page = store
        .scan(table, prefix, after, limit)
        .await
        .expect("the store reads");
    page.into_iter().map(|(key, _)| key).collect()
}

pub async fn a_record_reads_back_with_its_revision(store: Shared) {
    assert_eq!(get(&store, Table::Accounts, b"a").await, None);
    put(&store, Table::Accounts, b"a", b"\x00\xff value").await;
    let expected = Record {
        revision: 1,
        value: b"\x00\xff value".to_vec(),
    };
    assert_eq!(get(&store, Table::Accounts, b"a").await, Some(expected));
    put(&store, Table::Accounts, b"", b"").await;
    let expected = Record {
        revision: 1,
        value: Vec::new(),
    };
    assert_eq!(get(&store, Table::Accounts, b"").await, Some(expected));
}

pub async fn each_write_raises_the_revision_by_one(store: Shared) {
    for revision in 1..=20 {
        put(&store, Table::Flows, b"k", b"same value").await;
        assert_eq!(
            get(&store, Table::Flows, b"k")
                .await
                .map(|record| record.revision),
            Some(revision)
        );
    }
}

pub async fn a_deleted_record_is_gone_and_begins_anew(store: Shared) {
    put(&store, Table::Flows, b"k", b"1").await;
    put(&store, Table::Flows, b"k", b"2").await;
    let stale = Batch::new().delete(Table::Flows, b"k", Expect::Revision(1));
    assert!(matches!(store.commit(stale).await, Err(StoreError::Conflict)));
    let batch = Batch::new().delete(Table::Flows, b"k", Expect::Revision(2));
    store.commit(batch).await.expect("deletes");
    assert_eq!(get(&store, Table::Flows, b"k").await, None);
    assert!(keys(&store, Table::Flows, b"", None, 10).await.is_empty());

    let again = Batch::new().delete(Table::Flows, b"k", Expect::Any);
    store
        .commit(again)
        .await
        .expect("deleting what is not there is no error");
    let absent = Batch::new().put(Table::Flows, b"k", Expect::Absent, b"3".to_vec());
    store.commit(absent).await.expect("it is absent");
    assert_eq!(
        get(&store, Table::Flows, b"k")
            .await
            .map(|record| record.revision),
        Some(1)
    );
}

pub async fn tables_do_not_mix(store: Shared) {
    for table in Table::ALL {
        put(&store, table, b"same key", table.as_str().as_bytes()).await;
    }
    for table in Table::ALL {
        let record = get(&store, table, b"same key").await.expect("written");
        assert_eq!(record.value, table.as_str().as_bytes());
        assert_eq!(keys(&store, table, b"", None, 100).await, [b"same key"]);
    }
}

pub async fn a_batch_over_tables_is_written_as_a_whole(store: Shared) {
    put(&store, Table::Intents, b"old", b"x").await;
    let batch = Batch::new()
        .put(Table::Accounts, b"a", Expect::Absent, b"1".to_vec())
        .put(Table::AccountIndex, b"i", Expect::Absent, b"2".to_vec())
        .delete(Table::Intents, b"old", Expect::Revision(1));
    store.commit(batch).await.expect("the store takes it");
    assert!(get(&store, Table::Accounts, b"a").await.is_some());
    assert!(get(&store, Table::AccountIndex, b"i").await.is_some());
    assert!(get(&store, Table::Intents, b"old").await.is_none());
}

pub async fn a_conflict_anywhere_leaves_nothing_of_the_batch(store: Shared) {
    put(&store, Table::Accounts, b"held", b"1").await;
    for position in 0..3 {
        let mut batch = Batch::new();
        for change in 0..3 {
            batch = if change == position {
                batch.put(Table::Accounts, b"held", Expect::Absent, b"2".to_vec())
            } else {
                batch.put(Table::Accounts, [change], Expect::Any, b"2".to_vec())
            };
        }
        assert!(matches!(store.commit(batch).await, Err(StoreError::Conflict)));
    }
    assert_eq!(keys(&store, Table::Accounts, b"", None, 10).await, [b"held"]);
    let held = get(&store, Table::Accounts, b"held").await.expect("held");
    assert_eq!((held.revision, &held.value[..]), (1, &b"1"[..]));
}

pub async fn expectations_are_kept_exactly(store: Shared) {
    let with = |expect| Batch::new().put(Table::Clients, b"k", expect, b"v".to_vec());
    let refused = |result: Result<(), StoreError>| matches!(result, Err(StoreError::Conflict));
    assert!(refused(store.commit(with(Expect::Revision(0))).await));
    assert!(refused(store.commit(with(Expect::Revision(1))).await));
    assert!(store.commit(with(Expect::Absent)).await.is_ok());
    assert!(refused(store.commit(with(Expect::Absent)).await));
    assert!(refused(store.commit(with(Expect::Revision(0))).await));
    assert!(refused(store.commit(with(Expect::Revision(2))).await));
    assert!(store.commit(with(Expect::Revision(1))).await.is_ok());
    assert!(store.commit(with(Expect::Any)).await.is_ok());
    assert!(store.commit(with(Expect::Revision(3))).await.is_ok());
}

pub async fn an_empty_batch_is_accepted(store: Shared) {
    store.commit(Batch::new()).await.expect("nothing to do");
}

pub async fn a_scan_is_in_key_order_and_keeps_to_its_prefix(store: Shared) {
    let written: [&[u8]; 9] = [
        b"b/2", b"a", b"b/", b"b/10", b"b", b"c", b"b0", b"b/\xff", b"b/\x00",
    ];
    for key in written {
        put(&store, Table::Connections, key, key).await;
    }
    let expected: [&[u8]; 5] = [b"b/", b"b/\x00", b"b/10", b"b/2", b"b/\xff"];
    let page = store
        .scan(Table::Connections, b"b/", None, 100)
        .await
        .expect("the store reads");
    assert!(page.iter().all(|(key, record)| *key == record.value));
    assert_eq!(page.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), expected);

    let mut all = written.to_vec();
    all.sort_unstable();
    assert_eq!(keys(&store, Table::Connections, b"", None, 100).await, all);
    assert!(keys(&store, Table::Connections, b"", None, 0).await.is_empty());
    assert!(keys(&store, Table::Connections, b"d", None, 10).await.is_empty());
}

pub async fn a_scan_pages_without_gap_or_repetition(store: Shared) {
    let mut batch = Batch::new();
    for number in 0..257_u32 {
        batch = batch.put(
            Table::Replays,
            format!("p/{number:04}"),
            Expect::Absent,
            b"x".to_vec(),
        );
    }
    store
        .commit(batch.put(Table::Replays, b"q", Expect::Absent, b"x".to_vec()))
        .await
        .expect("written");

    let all = keys(&store, Table::Replays, b"p/", None, 1000).await;
    assert_eq!(all.len(), 257);
    for limit in [1, 7, 256, 257, 258] {
        let mut walked: Vec<Vec<u8>> = Vec::new();
        loop {
            let page = keys(
                &store,
                Table::Replays,
                b"p/",
                walked.last().map(Vec::as_slice),
                limit,
            )
            .await;
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            walked.extend(page);
        }
        assert_eq!(walked, all, "with pages of {limit}");
    }
    // A page may begin after a key that is not there, or is before the prefix.
    assert_eq!(
        keys(&store, Table::Replays, b"p/", Some(b"p/0003x"), 1).await,
        [b"p/0004"]
    );
    assert_eq!(
        keys(&store, Table::Replays, b"p/", Some(b"a"), 1).await,
        [b"p/0000"]
    );
    assert!(
        keys(&store, Table::Replays, b"p/", Some(b"z"), 1)
            .await
            .is_empty()
    );
}

pub async fn a_prefix_of_the_highest_bytes_ends_where_it_should(store: Shared) {
    // 0xff 0xff has no successor of its length; the next table begins right behind.
    let inside: [&[u8]; 4] = [b"\xff\xff", b"\xff\xff\x00", b"\xff\xff\xff", b"\xff\xff\xff\xff"];
    for key in inside.into_iter().chain([&b"\xff"[..], b"\xfe\xff", b"\xff\xfe"]) {
        put(&store, Table::Accounts, key, b"x").await;
    }
    put(&store, Table::AccountIndex, b"", b"x").await;
    put(&store, Table::AccountIndex, b"\xff\xff", b"x").await;
    assert_eq!(
        keys(&store, Table::Accounts, b"\xff\xff", None, 100).await,
        inside
    );
    assert_eq!(
        keys(&store, Table::Accounts, b"\xff\xff", Some(b"\xff\xff\xff"), 100).await,
        inside[3..]
    );
    assert_eq!(keys(&store, Table::Accounts, b"", None, 100).await.len(), 7);
}

pub async fn what_is_too_large_is_refused_whole(store: Shared) {
    let largest = vec![7; MAX_RECORD_BYTES];
    put(&store, Table::Flows, &[b'k'; MAX_KEY_BYTES], &largest).await;
    let record = get(&store, Table::Flows, &[b'k'; MAX_KEY_BYTES])
        .await
        .expect("written");
    assert_eq!(record.value, largest);

    let batch = Batch::new()
        .put(Table::Flows, b"small", Expect::Any, b"x".to_vec())
        .put(Table::Flows, b"large", Expect::Any, vec![7; MAX_RECORD_BYTES + 1]);
    let refused = store.commit(batch).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { bytes }) if bytes == MAX_RECORD_BYTES + 1));
    let batch = Batch::new().put(
        Table::Flows,
        [b'k'; MAX_KEY_BYTES + 1],
        Expect::Any,
        b"x".to_vec(),
    );
    assert!(matches!(
        store.commit(batch).await,
        Err(StoreError::KeyTooLong { .. })
    ));
    assert_eq!(keys(&store, Table::Flows, b"", None, 10).await.len(), 1);
}

pub async fn a_key_twice_in_a_batch_is_refused(store: Shared) {
    let batch = Batch::new()
        .put(Table::Flows, b"k", Expect::Any, b"1".to_vec())
        .delete(Table::Flows, b"k", Expect::Any);
    assert!(matches!(store.commit(batch).await, Err(StoreError::Repeated)));
    assert_eq!(get(&store, Table::Flows, b"k").await, None);
}

pub async fn concurrent_increments_lose_none(store: Shared) {
    const CALLERS: u64 = 32;
    const EACH: u64 = 20;
    put(&store, Table::Intents, b"count", &0_u64.to_be_bytes()).await;
    let caller = |store: Shared| async move {
        let mut done = 0;
        while done < EACH {
            let record = get(&store, Table::Intents, b"count").await.expect("written");
            let count = u64::from_be_bytes(record.value[..].try_into().expect("eight bytes"));
            let next = (count + 1).to_be_bytes().to_vec();
            let batch = Batch::new().put(Table::Intents, b"count", Expect::Revision(record.revision), next);
            match store.commit(batch).await {
                Ok(()) => done += 1,
                Err(StoreError::Conflict) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    let callers = (0..CALLERS).map(|_| tokio::spawn(caller(Arc::clone(&store))));
    for caller in join_all(callers).await {
        caller.expect("no caller fails");
    }
    let record = get(&store, Table::Intents, b"count").await.expect("written");
    assert_eq!(record.value, (CALLERS * EACH).to_be_bytes());
    assert_eq!(record.revision, 1 + CALLERS * EACH);
}

pub async fn concurrent_creations_have_one_winner(store: Shared) {
    for round in 0..20_u8 {
        let attempts = (0..16_u8).map(|caller| {
            let batch = Batch::new().put(Table::AccountIndex, [round], Expect::Absent, vec![caller]);
            store.commit(batch)
        });
        let outcomes = join_all(attempts).await;
        let won: Vec<_> = outcomes
            .iter()
            .enumerate()
            .filter(|(_, outcome)| outcome.is_ok())
            .collect();
        assert_eq!(won.len(), 1);
        let record = get(&store, Table::AccountIndex, &[round]).await.expect("written");
        assert_eq!(usize::from(record.value[0]), won[0].0);
        assert_eq!(record.revision, 1);
    }
}

pub async fn who_hears_of_a_conflict_finds_what_was_in_the_way(store: Shared) {
    for round in 0..50_u8 {
        let create = |store: Shared| async move {
            let batch = Batch::new().put(Table::Meta, [round], Expect::Absent, b"x".to_vec());
            match store.commit(batch).await {
                Ok(()) => {}
                Err(StoreError::Conflict) => assert!(get(&store, Table::Meta, &[round]).await.is_some()),
                Err(error) => panic!("{error}"),
            }
        };
        let creations = (0..4).map(|_| tokio::spawn(create(Arc::clone(&store))));
        for creation in join_all(creations).await {
            creation.expect("the one in the way is there");
        }
    }
}

pub async fn only_an_empty_store_is_filled_and_keeps_the_revisions(store: Shared) {
    let record = |revision| Record {
        revision,
        value: b"v".to_vec(),
    };
    let twice = vec![
        (Table::Meta, b"a".to_vec(), record(1)),
        (Table::Meta, b"a".to_vec(), record(2)),
    ];
    assert!(matches!(store.fill(twice).await, Err(StoreError::Repeated)));
    let mut large = record(1);
    large.value = vec![0; MAX_RECORD_BYTES + 1];
    let large = vec![
        (Table::Meta, b"a".to_vec(), record(1)),
        (Table::Meta, b"b".to_vec(), large),
    ];
    assert!(matches!(
        store.fill(large).await,
        Err(StoreError::TooLarge { .. })
    ));
    assert_eq!(get(&store, Table::Meta, b"a").await, None);

    let records = vec![
        (Table::Meta, b"a".to_vec(), record(7)),
        (Table::Accounts, b"a".to_vec(), record(u64::MAX - 1)),
    ];
    store.fill(records.clone()).await.expect("the store is empty");
    assert_eq!(get(&store, Table::Meta, b"a").await, Some(record(7)));
    assert_eq!(
        get(&store, Table::Accounts, b"a").await,
        Some(record(u64::MAX - 1))
    );
    assert!(matches!(store.fill(records).await, Err(StoreError::NotEmpty)));
}
