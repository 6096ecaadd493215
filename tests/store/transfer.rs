//! The export holds everything and only as it is; a damaged one is refused whole.

use std::collections::BTreeMap;
use std::io::{BufReader, Cursor};
use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use tempfile::TempDir;
use valetkey::store::sled::SledStore;
use valetkey::store::{Batch, Expect, Record, Store, StoreError, Table, export};

fn empty() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = SledStore::open(&folder.path().join("store")).expect("opens");
    (Arc::new(store), folder)
}

type Contents = BTreeMap<(Table, Vec<u8>), Record>;

async fn contents(store: &dyn Store) -> Contents {
    let mut all = Contents::new();
    for table in Table::ALL {
        let page = store.scan(table, b"", None, usize::MAX).await.expect("reads");
        all.extend(page.into_iter().map(|(key, record)| ((table, key), record)));
    }
    all
}

async fn exported(store: &dyn Store) -> Vec<u8> {
    let mut out = Vec::new();
    export::export(store, &mut out).await.expect("exports");
    out
}

async fn import(store: &dyn Store, text: &[u8]) -> Result<u64, StoreError> {
    export::import(store, &mut BufReader::with_capacity(13, Cursor::new(text))).await
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn any_contents() -> impl Strategy<Value = Contents> {
    let key = (prop::sample::select(&Table::ALL[..]), vec(any::<u8>(), 0..40));
    let record =
        (any::<u64>(), vec(any::<u8>(), 0..300)).prop_map(|(revision, value)| Record { revision, value });
    btree_map(key, record, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn an_import_of_an_export_is_the_same_store(written in any_contents()) {
        runtime().block_on(async {
            let ((from, _kept), (to, _kept_too)) = (empty(), empty());
            let records = written.iter().map(|((table, key), record)| (*table, key.clone(), record.clone()));
            from.fill(records.collect()).await.expect("an empty store");
            let text = exported(&*from).await;
            assert_eq!(import(&*to, &text).await.expect("imports"), written.len() as u64);
            assert_eq!(contents(&*to).await, written);
            assert_eq!(exported(&*to).await, text);
        });
    }
}

async fn some_store() -> (Arc<dyn Store>, TempDir) {
    let (store, kept) = empty();
    for number in 0..600_u32 {
        let batch = Batch::new().put(Table::Accounts, number.to_be_bytes(), Expect::Absent, vec![1; 20]);
        store
            .commit(batch.put(Table::Meta, b"count", Expect::Any, number.to_be_bytes().to_vec()))
            .await
            .expect("writes");
    }
    (store, kept)
}

#[tokio::test]
async fn a_damaged_export_leaves_the_store_empty() {
    let (store, _kept) = some_store().await;
    let whole = exported(&*store).await;
    let text = String::from_utf8(whole.clone()).expect("a text");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    assert_eq!(lines.len(), 603);

    let mut damaged: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("cut in the footer", whole[..whole.len() - 1].to_vec()),
        ("without the footer", lines[..602].concat().into_bytes()),
        ("without the header", lines[1..].concat().into_bytes()),
        (
            "a line less",
            [&lines[..300], &lines[301..]].concat().concat().into_bytes(),
        ),
        (
            "a line twice",
            [&lines[..301], &lines[300..]].concat().concat().into_bytes(),
        ),
        (
            "two lines exchanged",
            [&lines[..10], &[lines[11], lines[10]], &lines[12..]]
                .concat()
                .concat()
                .into_bytes(),
        ),
        ("something behind the end", [&whole[..], b"{}\n"].concat()),
        (
            "another table",
            text.replacen("\"accounts\"", "\"nonsense\"", 1).into_bytes(),
        ),
        (
            "another format",
            text.replacen("export\":1", "export\":2", 1).into_bytes(),
        ),
        ("no end of line for ever", vec![b'x'; 1_000_000]),
    ];
    for at in (0..whole.len()).step_by(whole.len() / 97) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x01;
        damaged.push(("a flipped bit", flipped));
        damaged.push(("cut off", whole[..at].to_vec()));
    }

    let (target, _kept) = empty();
    for (what, text) in damaged {
        let refused = import(&*target, &text).await.expect_err(what);
        assert!(
            matches!(refused, StoreError::Damaged { .. }),
            "{what}: {refused:?}"
        );
        assert!(contents(&*target).await.is_empty(), "{what}");
    }
    assert_eq!(
        import(&*target, &whole).await.expect("the whole one imports"),
        601
    );
    assert_eq!(contents(&*target).await, contents(&*store).await);
}

#[tokio::test]
async fn an_import_into_a_store_with_records_is_refused() {
    let (store, _kept) = some_store().await;
    let text = exported(&*store).await;
    let before = contents(&*store).await;
    assert!(matches!(import(&*store, &text).await, Err(StoreError::NotEmpty)));
    assert_eq!(contents(&*store).await, before);
}
