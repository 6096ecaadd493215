//! No secret in any output, however loud the log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use valetkey::offline;
use valetkey_tests::needles::Needles;
use valetkey_tests::{World, artifacts};
use valetkey_vendors::{Fault, Options, Rotation, Side, Vendor};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panics with it")).into_owned()
    }
}

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("nobody panics with it")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads, writes, refusals and refreshes, many of them; then the data folder, the log and a backup
/// are searched for every secret there was, in any form.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_operations_leave_no_secret_behind() {
    const ROUNDS: usize = 4;
    const PER_ROUND: usize = 2_500;
    const SIDE_BY_SIDE: usize = 20;
    let logged = Logged::default();
    let writer = logged.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the first subscriber of this process");

    let options = Options {
        rotation: Rotation::Grace { seconds: 60 },
        ..Options::default()
    };
    let world = World::start_with(|_| {}, options).await;
    // Without the vendor's rates, which a host keeps by waiting.
    let hurried = artifacts::connector_with("hubspot", |manifest| {
        manifest.connector.version = "0.1.1".to_owned();
        manifest.budgets.clear();
    });
    let installed = world.host.install(hurried).await;
    assert!(installed.status.is_success(), "{}", installed.text());
    let account = world.connect("hubspot", "ada").await;
    let mut secrets = Needles::default();
    secrets.add(
        "the application's secret",
        Options::default().client_secret.as_bytes(),
    );
    secrets.add("the operator's secret", world.host.client_secret.as_bytes());
    for round in 0..ROUNDS {
        for secret in world.vendors.live_refresh_tokens(Vendor::Hubspot) {
            secrets.add("a refresh token", secret.as_bytes());
        }
        secrets.add("an access token of ours", world.host.token().as_bytes());
        let host = &world.host;
        let workers = (0..SIDE_BY_SIDE).map(|worker| async move {
            for number in 0..PER_ROUND / SIDE_BY_SIDE {
                let email = format!("p{round}-{worker}-{number}@example.com");
                let (tool, params, status) = match number % 10 {
                    0 => (
                        "hubspot_contact_create",
                        json!({"properties": {"email": email}}),
                        200,
                    ),
                    1..4 => ("hubspot_contact_get", json!({"contact_id": "999999999"}), 404),
                    4..6 => ("hubspot_contact_get", json!({"contact_id": 7}), 400),
                    _ => ("hubspot_whoami", json!({}), 200),
                };
                let answer = host.call(tool, "ada", params).await;
                assert_eq!(answer.status, status, "{tool}: {}", answer.text());
            }
        });
        futures_util::future::join_all(workers).await;
        world.vendors.expire_access_tokens();
        world.host.clock().advance(Duration::from_secs(1_750));
        world.host.sign_in().await;
    }
    // Whatever an access token of the vendor is, it begins so.
    secrets.add("an access token of the vendor", b"Bearer access-");
    secrets.add("an access token of the vendor", b"\"access-");

    let disconnect = format!("/api/v1/connected_accounts/{account}/disconnect");
    world.host.api(http::Method::POST, &disconnect, json!(null)).await;
    let key = std::fs::read(world.host.runtime.config.storage.key_file()).expect("the root key");
    secrets.add("the root key", &key[..key.len().min(32)]);
    let config = world.host.runtime.config.clone();
    let World { host, vendors } = world;
    let operations = vendors.log().count(Side::Api);
    assert!(
        operations > ROUNDS * PER_ROUND / 2,
        "{operations} requests reached the vendor"
    );

    let stopped = host.stop().await;
    let searched = secrets.assert_none_below(stopped.data_dir());
    assert!(searched > 500_000, "only {searched} bytes were searched");
    let mut backup = Vec::new();
    offline::export(&config, &mut backup).await.expect("a backup");
    for (place, bytes) in [("the backup", &backup), ("the log", &logged.text().into_bytes())] {
        assert!(bytes.len() > 1_000, "{place} is empty");
        let found = secrets.found_in(bytes);
        assert!(found.is_empty(), "{place}: {found:?}");
    }
}

#[tokio::test]
async fn loudest_log_of_connecting_refreshing_and_calling_holds_no_secret() {
    let logged = Logged::default();
    let writer = logged.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the first subscriber of this process");

    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world
        .host
        .call("hubspot_contacts_search", "ada", json!({"limit": 1}))
        .await
        .expect(200);
    world.vendors.expire_access_tokens();
    world
        .host
        .call("hubspot_whoami", "ada", json!({}))
        .await
        .expect(200);
    world.vendors.fail(Fault::status(Side::Token, 1, 500));
    world.vendors.expire_access_tokens();
    world.host.clock().advance(Duration::from_secs(3_000));
    world.host.sign_in().await;
    world.host.call("hubspot_whoami", "ada", json!({})).await;

    let log = logged.text();
    assert!(log.contains("call answered"), "it was loud");
    let mut secrets = world.vendors.live_refresh_tokens(Vendor::Hubspot);
    assert_eq!(secrets.len(), 1);
    secrets.extend([
        Options::default().client_secret,
        world.host.client_secret.clone(),
        world.host.token(),
        "Bearer access-".to_owned(),
        "access_token=".to_owned(),
        "code_verifier=".to_owned(),
    ]);
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret:.12}… is in the log");
    }
}
