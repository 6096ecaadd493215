//! A connector that speaks to its vendor's token endpoint: when it is loaded, what its `auth` reaches, and
//! which limits end it. What comes of that for accounts is in `tests/oauth/coded.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use valetkey::clock::Clock;
use valetkey::config;
use valetkey::egress::Egress;
use valetkey::egress::dialogue::{Course, Dialogue, Found, Step, Terms};
use valetkey::error::{Fault, Kind};
use valetkey::manifest;
use valetkey::sandbox::{Converse, LoadError};
use valetkey::secret::Secret;
use valetkey_manifest::AuthKind;
use valetkey_tests::{artifacts, guests};

use crate::bench::Bench;
use crate::vendor::Vendor;

/// Operators see in the manifest that code speaks to the token endpoint, and it is there.
#[test]
pub fn odd() {
    let bench = Bench::new();
    let silent = |name: &str| {
        let mut manifest = guests::manifest(name);
        manifest.auth = guests::manifest("echo").auth;
        manifest
    };
    let talking = |name: &str| {
        let mut manifest = guests::manifest(name);
        manifest.auth = guests::coded();
        manifest
    };
    let inspect = |guest: &str, manifest| {
        let component = manifest::embed(&artifacts::guest(guest), &manifest).expect("a component");
        bench.sandbox.inspect(&component)
    };
    inspect("odd", talking("odd")).expect("declared and exported");
    inspect("echo", silent("echo")).expect("neither declared nor exported");
    let refused = inspect("echo", talking("echo")).expect_err("declared alone");
    assert!(
        matches!(&refused, LoadError::MissingExport(name) if name.starts_with("valetkey:connector/auth@")),
        "{refused}"
    );
    let refused = inspect("odd", silent("odd")).expect_err("exported alone");
    assert!(
        matches!(&refused, LoadError::UndeclaredExport(name) if name.starts_with("valetkey:connector/auth@")),
        "{refused}"
    );
    assert!(refused.to_string().contains("coded"), "{refused}");
}

/// Whatever `auth` tries, it reaches the token endpoint alone, within its limits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub async fn usurp() {
    let bench = Bench::new();
    let component = bench.load("usurp").await;
    let vendor = Vendor::answering().await;
    for mood in ["path", "authority", "url", "host", "method", "world"] {
        let (outcome, course) = converse(&bench, &component, &vendor.url, mood).await;
        let fault = outcome.expect_err(mood);
        assert_eq!(
            (fault.kind(), fault.reason_code()),
            (Kind::EgressDenied, Some("auth")),
            "{mood}: {fault:?}"
        );
        assert_eq!(course, Course::Silent, "{mood}");
    }
    assert_eq!(vendor.requests(), 0);

    for (mood, kind, reason) in [
        ("spin", Kind::ConnectorLimit, "cpu"),
        ("hoard", Kind::ConnectorLimit, "memory"),
        ("often", Kind::ConnectorLimit, "http_requests"),
        ("nothing", Kind::ConnectorTrapped, "trap"),
    ] {
        let (outcome, _) = converse(&bench, &component, &vendor.url, mood).await;
        let fault = outcome.expect_err(mood);
        assert_eq!(
            (fault.kind(), fault.reason_code()),
            (kind, Some(reason)),
            "{mood}: {fault:?}"
        );
    }
    assert_eq!(
        vendor.requests(),
        4,
        "`often` is the only one that asked, and not more than it may"
    );

    // And the other way round: a tool has no conversation.
    let fault = bench.fault(&component, bench.grant(), "usurp_run", "{}").await;
    assert_eq!(
        (fault.kind(), fault.reason_code()),
        (Kind::EgressDenied, Some("token_endpoint"))
    );
    assert_eq!(vendor.requests(), 4);
    assert_eq!(bench.sandbox.live_instances(), 0);
}

/// A token endpoint that does not answer holds a conversation no longer than its deadline, and nobody
/// believes then that nothing was sent.
#[tokio::test]
async fn a_silent_token_endpoint_leaves_the_outcome_unknown() {
    let bench = Bench::new();
    let component = bench.load("usurp").await;
    let vendor = Vendor::silent().await;
    let (outcome, course) = converse(&bench, &component, &vendor.url, "often").await;
    outcome.expect_err("no answer");
    assert_eq!(vendor.requests(), 1);
    assert_eq!(course, Course::Unknown);
}

async fn converse(
    bench: &Bench,
    component: &Arc<valetkey::sandbox::Component>,
    url: &str,
    mood: &str,
) -> (Result<Found, Fault>, Course) {
    let egress = Egress::new(&config::Egress::default(), Clock::system()).expect("an egress");
    let deadline = Instant::now() + Duration::from_secs(5);
    let terms = Terms {
        url: format!("{url}/token"),
        paths: vec!["/nonce".to_owned()],
        development: true,
        max_response_bytes: 64 * 1024,
        timeout: Duration::from_secs(1),
        deadline,
    };
    let given = vec![(
        "client_secret".to_owned(),
        Secret::new("CANARY-client-secret".to_owned()),
    )];
    let dialogue = Arc::new(Dialogue::new(Arc::new(egress), terms, given));
    let about = Converse {
        connector: "usurp".to_owned(),
        credential_kind: AuthKind::Oauth2,
        account_config: Arc::new(BTreeMap::from([("mood".to_owned(), mood.to_owned())])),
        deadline,
    };
    let outcome = bench
        .sandbox
        .converse(component, about, Arc::clone(&dialogue), Step::Exchange)
        .await;
    (outcome, dialogue.course())
}
