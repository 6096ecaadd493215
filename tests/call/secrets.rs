//! No secret in any output, however loud the log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use valetkey_tests::World;
use valetkey_vendors::{Fault, Options, Side, Vendor};

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
