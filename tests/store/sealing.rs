//! What is sealed opens only where it was sealed, only with its key, and leaves no trace of
//! itself on the disk.

use std::sync::{Arc, LazyLock};

use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;
use valetkey::id::EnvironmentId;
use valetkey::store::sled::SledStore;
use valetkey::store::{Batch, Expect, Store, StoreError, Table, export};
use valetkey::vault::{OVERHEAD_BYTES, Place, RootKey, Vault, VaultError};

struct Opened {
    vault: Vault,
    store: Arc<dyn Store>,
    folder: TempDir,
}

async fn opened() -> Opened {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store: Arc<dyn Store> = Arc::new(SledStore::open(&folder.path().join("store")).expect("opens"));
    let root = RootKey::create(&folder.path().join("key")).expect("a new key file");
    let vault = Vault::open(Arc::clone(&store), root).await.expect("opens");
    vault.add_environment(&environment("dev")).await.expect("a key");
    Opened { vault, store, folder }
}

fn environment(name: &str) -> EnvironmentId {
    EnvironmentId::new(name).expect("a slug")
}

fn place(environment: &EnvironmentId) -> Place<'_> {
    Place {
        record: "credential",
        environment,
        connection: "hubspot",
        identifier: "user_1",
        field: "tokens",
        generation: 3,
    }
}

fn opens(vault: &Vault, place: Place<'_>, sealed: &[u8], plain: &[u8]) -> bool {
    match vault.open_sealed(place, sealed) {
        Ok(opened) => {
            assert_eq!(opened.expose(), plain);
            true
        }
        Err(VaultError::DoesNotOpen { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_sealed_value_opens_in_its_place_and_nowhere_else() {
    let Opened { vault, .. } = opened().await;
    let (dev, prod) = (environment("dev"), environment("prod"));
    vault.add_environment(&prod).await.expect("a key");
    let here = place(&dev);
    let sealed = vault.seal(here, b"secret").expect("seals");
    assert_eq!(sealed.len(), b"secret".len() + OVERHEAD_BYTES);
    assert!(opens(&vault, here, &sealed, b"secret"));

    let elsewhere = [
        Place {
            record: "flow",
            ..here
        },
        Place {
            environment: &prod,
            ..here
        },
        Place {
            connection: "gmail",
            ..here
        },
        Place {
            identifier: "user_2",
            ..here
        },
        Place {
            field: "client_secret",
            ..here
        },
        Place {
            generation: 4,
            ..here
        },
        Place {
            generation: 2,
            ..here
        },
        // The same letters, cut differently.
        Place {
            connection: "hubspotu",
            identifier: "ser_1",
            ..here
        },
        Place {
            connection: "",
            identifier: "hubspotuser_1",
            ..here
        },
        Place {
            identifier: "user_1tokens",
            field: "",
            ..here
        },
    ];
    for place in elsewhere {
        assert!(!opens(&vault, place, &sealed, b""), "{place:?}");
    }
    let unknown = environment("unknown");
    let refused = vault.seal(place(&unknown), b"secret");
    assert!(matches!(refused, Err(VaultError::UnknownEnvironment(_))));
}

#[tokio::test]
async fn a_flipped_or_missing_byte_anywhere_keeps_it_shut() {
    let Opened { vault, .. } = opened().await;
    let dev = environment("dev");
    let sealed = vault
        .seal(place(&dev), b"a secret of some length")
        .expect("seals");
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1 << bit;
            // The root key's id is informative, and authenticated like everything else.
            assert!(!opens(&vault, place(&dev), &flipped, b""), "byte {at}, bit {bit}");
        }
        assert!(!opens(&vault, place(&dev), &sealed[..at], b""), "cut at {at}");
        assert!(
            !opens(&vault, place(&dev), &sealed[at + 1..], b""),
            "begun at {at}"
        );
    }
    let longer = [&sealed[..], b"\0"].concat();
    assert!(!opens(&vault, place(&dev), &longer, b""));
}

#[tokio::test]
async fn sealing_twice_gives_nothing_in_common() {
    let Opened { vault, .. } = opened().await;
    let dev = environment("dev");
    let one = vault.seal(place(&dev), &[0; 64]).expect("seals");
    let two = vault.seal(place(&dev), &[0; 64]).expect("seals");
    // Beyond magic, root key id and key version: salt, commitment, ciphertext, tag.
    for (start, end) in [(17, 49), (49, 81), (81, 145), (145, 161)] {
        assert_ne!(one[start..end], two[start..end]);
    }
}

#[tokio::test]
async fn a_vault_opened_again_opens_what_it_sealed() {
    let Opened { vault, store, folder } = opened().await;
    let dev = environment("dev");
    let sealed = vault.seal(place(&dev), b"secret").expect("seals");
    let blind = vault.blind(&dev, &[b"hubspot", b"user_1"]).expect("a digest");
    // A second environment whose name begins like the first's.
    vault.add_environment(&environment("dev-2")).await.expect("a key");
    vault.add_environment(&dev).await.expect("has one already");
    drop(vault);

    let root = RootKey::read(&folder.path().join("key")).expect("the key file");
    let vault = Vault::open(store, root).await.expect("opens");
    assert!(opens(&vault, place(&dev), &sealed, b"secret"));
    assert_eq!(
        vault.blind(&dev, &[b"hubspot", b"user_1"]).expect("a digest"),
        blind
    );
    assert!(!opens(
        &vault,
        Place {
            environment: &environment("dev-2"),
            ..place(&dev)
        },
        &sealed,
        b""
    ));
}

#[tokio::test]
async fn two_vaults_that_make_a_key_at_once_end_with_the_same() {
    let Opened { vault, store, folder } = opened().await;
    let root = RootKey::read(&folder.path().join("key")).expect("the key file");
    let other = Vault::open(store, root).await.expect("opens");
    let fresh = environment("fresh");
    let (one, two) = tokio::join!(vault.add_environment(&fresh), other.add_environment(&fresh));
    one.expect("a key");
    two.expect("a key");
    let sealed = vault.seal(place(&fresh), b"secret").expect("seals");
    assert!(opens(&other, place(&fresh), &sealed, b"secret"));
}

#[tokio::test]
async fn a_wrapped_key_moved_to_another_environment_opens_nothing() {
    let Opened { vault, store, folder } = opened().await;
    drop(vault);
    let wrapped = store
        .get(Table::Meta, b"key/dev/0000000001")
        .await
        .expect("reads")
        .expect("wrapped");
    let batch = Batch::new().put(
        Table::Meta,
        "key/stolen/0000000001",
        Expect::Absent,
        wrapped.value,
    );
    store.commit(batch).await.expect("writes");
    let root = RootKey::read(&folder.path().join("key")).expect("the key file");
    assert!(matches!(
        Vault::open(store, root).await,
        Err(VaultError::DoesNotOpen { .. })
    ));
}

#[tokio::test]
async fn blind_digests_tell_nothing_and_mix_nothing() {
    let Opened { vault, .. } = opened().await;
    let (dev, prod) = (environment("dev"), environment("prod"));
    vault.add_environment(&prod).await.expect("a key");
    let digest = |environment, parts: &[&[u8]]| vault.blind(environment, parts).expect("a digest");
    assert_eq!(digest(&dev, &[b"a", b"b"]), digest(&dev, &[b"a", b"b"]));
    let others = [
        digest(&prod, &[b"a", b"b"]),
        digest(&dev, &[b"ab"]),
        digest(&dev, &[b"", b"ab"]),
        digest(&dev, &[b"b", b"a"]),
        digest(&dev, &[b"a", b"b", b""]),
    ];
    assert!(others.iter().all(|other| *other != digest(&dev, &[b"a", b"b"])));
}

#[tokio::test]
async fn no_secret_is_readable_in_any_file_or_export() {
    let Opened { vault, store, folder } = opened().await;
    let dev = environment("dev");
    let mut canaries = Vec::new();
    for number in 0..1000 {
        let canary = format!("canary-{number:04}-{}", valetkey::random::token());
        let identifier = format!("{}@example.com", &canary[12..]);
        let place = Place {
            identifier: &identifier,
            ..place(&dev)
        };
        let key = vault.blind(&dev, &[identifier.as_bytes()]).expect("a digest");
        let sealed = vault.seal(place, canary.as_bytes()).expect("seals");
        store
            .commit(Batch::new().put(Table::Accounts, key, Expect::Absent, sealed))
            .await
            .expect("writes");
        canaries.push(canary);
    }
    let mut text = Vec::new();
    export::export(&*store, &mut text).await.expect("exports");
    drop((vault, store));

    let mut searched = vec![("export".to_owned(), text)];
    let mut folders = vec![folder.path().to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let contents = std::fs::read(&path).expect("a file");
                searched.push((path.display().to_string(), contents));
            }
        }
    }
    assert!(
        searched
            .iter()
            .any(|(name, bytes)| name.ends_with("/db") && bytes.len() > 100_000)
    );
    for (name, bytes) in searched {
        // Every canary and every identifier holds one of these, which none of our formats has.
        for mark in [&b"canary-"[..], b"@example.com", b"Y2FuYXJ5L", b"hubspot"] {
            let found = bytes.windows(mark.len()).any(|window| window == mark);
            assert!(!found, "{} in {name}", String::from_utf8_lossy(mark));
        }
        let random_part = &canaries[500].as_bytes()[12..];
        assert!(
            !bytes
                .windows(random_part.len())
                .any(|window| window == random_part),
            "{name}"
        );
    }
}

#[tokio::test]
async fn records_without_a_key_check_do_not_open() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store: Arc<dyn Store> = Arc::new(SledStore::open(&folder.path().join("store")).expect("opens"));
    let batch = Batch::new().put(Table::Connectors, "hubspot", Expect::Absent, b"{}".to_vec());
    store.commit(batch).await.expect("writes");
    let root = RootKey::create(&folder.path().join("key")).expect("a new key file");
    let refused = Vault::open(Arc::clone(&store), root).await;
    assert!(matches!(refused, Err(VaultError::KeyCheckMissing)));
    assert!(
        store
            .scan(Table::Meta, b"", None, 1)
            .await
            .expect("reads")
            .is_empty(),
        "nothing was written"
    );
}

#[tokio::test]
async fn a_vault_over_a_broken_store_is_an_error() {
    let Opened { vault, store, .. } = opened().await;
    drop(vault);
    let wrong = Batch::new().put(Table::Meta, "key/no environment/1", Expect::Absent, Vec::new());
    store.commit(wrong).await.expect("writes");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let other = RootKey::create(&folder.path().join("key")).expect("a new key file");
    assert!(matches!(
        Vault::open(Arc::clone(&store), other).await,
        Err(VaultError::WrongRootKey)
    ));
}

/// One vault for all cases: opening a store takes longer than sealing in it.
static SHARED: LazyLock<Opened> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(opened())
});

proptest! {
    #[test]
    fn sealing_and_opening_are_inverse_for_every_place_and_text(
        texts in ("\\PC{0,40}", "\\PC{0,40}", "\\PC{0,40}", "\\PC{0,40}"),
        generation: u64,
        plain in vec(any::<u8>(), 0..2000),
    ) {
        let dev = environment("dev");
        let here = Place {
            record: &texts.0,
            environment: &dev,
            connection: &texts.1,
            identifier: &texts.2,
            field: &texts.3,
            generation,
        };
        let sealed = SHARED.vault.seal(here, &plain).expect("seals");
        prop_assert!(opens(&SHARED.vault, here, &sealed, &plain));
        let longer = format!("{}x", texts.2);
        let elsewhere = [
            Place { identifier: &longer, ..here },
            Place { generation: generation ^ 1, ..here },
        ];
        for place in elsewhere {
            prop_assert!(!opens(&SHARED.vault, place, &sealed, b""));
        }
    }

    #[test]
    fn rubbish_never_opens_and_never_panics(rubbish in vec(any::<u8>(), 0..400), head in 0..20_usize) {
        let dev = environment("dev");
        let mut sealed = SHARED.vault.seal(place(&dev), b"x").expect("seals");
        sealed.truncate(head);
        sealed.extend(rubbish);
        prop_assert!(!opens(&SHARED.vault, place(&dev), &sealed, b""));
    }
}

#[tokio::test]
async fn a_store_error_while_reading_keys_is_passed_on() {
    struct Broken;
    impl Store for Broken {
        fn get<'a>(&'a self, _: Table, _: &'a [u8]) -> Answer<'a, Option<valetkey::store::Record>> {
            Box::pin(async { Err(broken()) })
        }
        fn scan<'a>(
            &'a self,
            _: Table,
            _: &'a [u8],
            _: Option<&'a [u8]>,
            _: usize,
        ) -> Answer<'a, valetkey::store::Page> {
            Box::pin(async { Err(broken()) })
        }
        fn commit(&self, _: Batch) -> Answer<'_, ()> {
            Box::pin(async { Err(broken()) })
        }
        fn fill(&self, _: Vec<(Table, Vec<u8>, valetkey::store::Record)>) -> Answer<'_, ()> {
            Box::pin(async { Err(broken()) })
        }
    }
    type Answer<'a, T> = futures_util::future::BoxFuture<'a, Result<T, StoreError>>;
    fn broken() -> StoreError {
        StoreError::Failed {
            what: "broken".to_owned(),
            source: None,
        }
    }

    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = RootKey::create(&folder.path().join("key")).expect("a new key file");
    assert!(matches!(
        Vault::open(Arc::new(Broken), root).await,
        Err(VaultError::Store(_))
    ));
}
