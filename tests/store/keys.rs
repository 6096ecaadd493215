//! The key file: anything but the right one is refused, and the store stays as it was.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use valetkey::id::EnvironmentId;
use valetkey::store::sled::SledStore;
use valetkey::store::{Batch, Expect, Store, Table};
use valetkey::vault::root_key::RootKeyError;
use valetkey::vault::{RootKey, Vault, VaultError};

/// A data folder with a key beside it and something sealed in it.
async fn make(data: &Path) {
    let key = RootKey::create_for(&key_file(data), &data.join("store")).expect("a new key file");
    let store: Arc<dyn Store> = Arc::new(SledStore::open(&data.join("store")).expect("opens"));
    let vault = Vault::open_in(&data.join("store"), Arc::clone(&store), key)
        .await
        .expect("opens");
    vault
        .add_environment(&EnvironmentId::new("dev").expect("a slug"))
        .await
        .expect("a key");
    let batch = Batch::new().put(Table::Accounts, "a", Expect::Absent, b"sealed".to_vec());
    store.commit(batch).await.expect("writes");
}

fn key_file(data: &Path) -> PathBuf {
    data.with_extension("key")
}

fn files_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_of(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).expect("a file"));
        }
    }
    files
}

#[tokio::test]
async fn a_key_file_that_is_not_right_is_refused_before_the_store_is_touched() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    make(&data).await;
    let path = key_file(&data);
    let good = fs::read_to_string(&path).expect("a text");
    let before = files_of(&data);
    let refused = |what: &str| {
        let error = RootKey::read(&path)
            .err()
            .unwrap_or_else(|| panic!("{what} must be refused"));
        let text = error.to_string();
        assert!(text.contains(&path.display().to_string()), "{what}: {text}");
        assert!(
            !text.contains(good.lines().last().expect("the key")),
            "{what}: {text}"
        );
        error
    };

    for mode in [0o644, 0o640, 0o604, 0o660, 0o700 | 0o010, 0o602] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("changed");
        let error = refused("readable by others");
        assert!(
            matches!(error, RootKeyError::Readable { mode: told, .. } if told == mode),
            "{error:?}"
        );
    }
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("changed");

    let (header, key) = good.split_once('\n').expect("two lines");
    let malformed = [
        ("empty", String::new()),
        ("the key alone", key.to_owned()),
        ("the header alone", format!("{header}\n")),
        (
            "short by a byte",
            format!("{header}\n{}\n", &key[..key.len() - 2]),
        ),
        ("half", good[..good.len() / 2].to_owned()),
        (
            "a shorter key",
            format!("{header}\n{}\n", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ),
        ("a longer key", format!("{header}\n{}\n", "A".repeat(64))),
        ("of a later format", good.replacen("format 1", "format 2", 1)),
        ("twice", format!("{good}{good}")),
        ("huge", format!("{header}\n{}", "A".repeat(1_000_000))),
    ];
    for (what, text) in malformed {
        fs::write(&path, text).expect("written");
        let error = refused(what);
        assert!(matches!(error, RootKeyError::Malformed(_)), "{what}: {error:?}");
    }
    fs::write(&path, [0xff, 0xfe, b'\n', 0x80]).expect("written");
    assert!(matches!(refused("no text"), RootKeyError::Malformed(_)));

    fs::remove_file(&path).expect("removed");
    assert!(matches!(refused("missing"), RootKeyError::Missing(_)));
    fs::create_dir(&path).expect("made");
    assert!(matches!(refused("a folder"), RootKeyError::Malformed(_)));
    fs::remove_dir(&path).expect("removed");

    assert_eq!(files_of(&data), before);
    fs::write(&path, &good).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("changed");
    let store = Arc::new(SledStore::open(&data.join("store")).expect("opens"));
    Vault::open(store, RootKey::read(&path).expect("the right key"))
        .await
        .expect("opens");
}

#[tokio::test]
async fn the_key_of_another_store_is_refused_before_the_store_is_touched() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    make(&data).await;
    make(&other).await;
    let before = files_of(&data);
    let store = data.join("store");
    let refused = RootKey::read_for(&key_file(&other), &store)
        .err()
        .expect("it is not this store's");
    assert!(matches!(refused, RootKeyError::OtherStore { .. }));
    assert!(
        refused.to_string().contains(&store.display().to_string()),
        "{refused}"
    );
    RootKey::read_for(&key_file(&data), &store).expect("its own key");
    assert_eq!(files_of(&data), before);
}

#[tokio::test]
async fn the_key_of_another_store_is_refused_by_the_store_itself() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    make(&data).await;
    make(&other).await;
    // The note beside the records is lost; only the key check value among them is left.
    fs::remove_file(data.join("store/root-key-id")).expect("removed");
    // A first opening brings sled's own files up to date.
    drop(SledStore::open(&data.join("store")).expect("opens"));
    let before = files_of(&data);

    let store: Arc<dyn Store> = Arc::new(SledStore::open(&data.join("store")).expect("opens"));
    let stranger = RootKey::read_for(&key_file(&other), &data.join("store")).expect("nothing tells yet");
    let refused = Vault::open(Arc::clone(&store), stranger)
        .await
        .err()
        .expect("it is not this store's");
    assert!(matches!(refused, VaultError::WrongRootKey));
    assert!(refused.to_string().contains("key_file"), "{refused}");
    drop(store);
    let (log, after) = (data.join("store/db"), files_of(&data));
    assert_eq!(after[&log], before[&log], "not a byte of the log was written");

    let store = Arc::new(SledStore::open(&data.join("store")).expect("opens"));
    let own = RootKey::read(&key_file(&data)).expect("its own key");
    Vault::open_in(&data.join("store"), store, own)
        .await
        .expect("its own key opens it");
    let refused = RootKey::read_for(&key_file(&other), &data.join("store"));
    assert!(
        matches!(refused, Err(RootKeyError::OtherStore { .. })),
        "it is noted again"
    );
}

#[tokio::test]
async fn a_key_is_never_made_over_a_store_or_another_key() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    make(&data).await;
    let path = key_file(&data);
    let key = fs::read(&path).expect("a file");
    assert!(matches!(RootKey::create(&path), Err(RootKeyError::Exists(_))));
    assert!(matches!(
        RootKey::create_for(&path, &data.join("store")),
        Err(RootKeyError::Exists(_))
    ));
    assert_eq!(fs::read(&path).expect("a file"), key);

    fs::remove_file(&path).expect("removed");
    let refused = RootKey::create_for(&path, &data.join("store"))
        .err()
        .expect("there is a store");
    assert!(matches!(refused, RootKeyError::Exists(at) if at == data.join("store")));
    assert!(!path.exists());
}

#[test]
fn a_new_key_file_is_its_owners_alone_and_says_what_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("key");
    RootKey::create(&path).expect("a new key file");
    assert_eq!(
        fs::metadata(&path).expect("a file").permissions().mode() & 0o7777,
        0o600
    );
    let text = fs::read_to_string(&path).expect("a text");
    assert!(text.starts_with("# The root key of a Valetkey store"), "{text}");

    RootKey::create(&folder.path().join("other")).expect("a new key file");
    assert_ne!(
        fs::read_to_string(folder.path().join("other")).expect("a text"),
        text
    );
    let nowhere = RootKey::create(&folder.path().join("missing/key"));
    assert!(matches!(nowhere, Err(RootKeyError::Io { .. })));

    // Only root can give a file away; where the tests are not root there is nothing to see.
    if chown(&path, Some(12_345), None).is_ok() {
        assert!(matches!(RootKey::read(&path), Err(RootKeyError::NotOwned(_))));
    }
}
