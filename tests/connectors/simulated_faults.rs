//! Budgets, faults and controls of the simulated vendors.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use valetkey_vendors::{Budget, Effect, Fault, Options, Side, Vendor};

use crate::simulator::Vendors;

#[tokio::test]
async fn budgets_are_kept_and_told_in_the_vendors_headers() {
    let options = Options {
        hubspot_budget: Some(Budget {
            requests: 2,
            window_ms: 60_000,
        }),
        hubspot_search_budget: Some(Budget {
            requests: 1,
            window_ms: 60_000,
        }),
        gmail_budget: Some(Budget {
            requests: 1,
            window_ms: 60_000,
        }),
        ..Options::default()
    };
    let vendors = Vendors::start(options).await;
    let token = vendors.connect(Vendor::Hubspot, "ada").await;
    let owners = "/hubspot/crm/v3/owners";
    let first = vendors.get(&token, owners).await;
    assert_eq!(first.header("x-hubspot-ratelimit-remaining"), "1");
    assert_eq!(vendors.get(&token, owners).await.status, 200);
    let refused = vendors.get(&token, owners).await;
    assert!(
        refused
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds > 50)
    );
    assert_eq!(refused.expect(429)["policyName"], "TEN_SECONDLY_ROLLING");
    let other = vendors.connect(Vendor::Hubspot, "bela").await;
    assert_eq!(
        vendors.get(&other, owners).await.status,
        200,
        "another portal has its own"
    );

    let search = "/hubspot/crm/v3/objects/contacts/search";
    assert_eq!(
        vendors.send(&token, Method::POST, search, json!({})).await.status,
        200
    );
    let refused = vendors.send(&token, Method::POST, search, json!({})).await;
    assert_eq!(refused.expect(429)["policyName"], "SECONDLY");

    let google = vendors.connect(Vendor::Google, "ada").await;
    let profile = "/gmail/v1/users/me/profile";
    assert_eq!(vendors.get(&google, profile).await.status, 200);
    let refused = vendors.get(&google, profile).await.expect(429);
    assert_eq!(refused["error"]["errors"][0]["reason"], "rateLimitExceeded");
}

#[tokio::test]
async fn faults_happen_as_often_as_asked_and_the_log_has_everything() {
    let vendors = Arc::new(Vendors::start(Options::default()).await);
    let token = vendors.connect(Vendor::Hubspot, "ada").await;
    vendors.simulator.log().clear();
    let owners = "/hubspot/crm/v3/owners?limit=1";
    vendors.simulator.fail(Fault::throttle(Side::Api, 1, "3"));
    let refused = vendors.get(&token, owners).await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("retry-after").as_str()),
        (429, "3")
    );
    vendors.simulator.fail(Fault::status(Side::Api, 1, 503));
    assert_eq!(vendors.get(&token, owners).await.status, 503);
    let patch = json!({ "results": null, "extra": true });
    vendors
        .simulator
        .fail(Fault::new(Side::Api, 1, Effect::Patch { patch }));
    assert_eq!(
        vendors.get(&token, owners).await.expect(200),
        json!({ "extra": true, "paging": { "next": { "after": "1" } } })
    );

    // The answer is lost, the effect is not.
    let new = json!({ "properties": { "email": "lost@navy.example" } });
    for effect in [Effect::HangUp, Effect::LoseAnswer] {
        vendors.simulator.fail(Fault::new(Side::Api, 1, effect));
        let (other, token, new) = (Arc::clone(&vendors), token.clone(), new.clone());
        let lost = tokio::spawn(async move {
            other
                .send(&token, Method::POST, "/hubspot/crm/v3/objects/contacts", new)
                .await
        });
        assert!(lost.await.is_err(), "no answer comes");
    }
    let taken = vendors
        .send(&token, Method::POST, "/hubspot/crm/v3/objects/contacts", new)
        .await;
    assert_eq!(taken.status, 409);

    let log = vendors.simulator.log();
    log.wait_for_where(6, |entry| entry.side == Side::Api).await;
    let statuses: Vec<Option<u16>> = log.of(Side::Api).iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [Some(429), Some(503), Some(200), None, None, Some(409)]);
    let first = &log.entries()[0];
    assert_eq!(
        (first.param("limit"), first.user.as_deref()),
        (Some("1"), Some("ada"))
    );
    assert!(first.authorization_sha256.is_some() && first.header("authorization").is_none());
}

#[tokio::test]
async fn scripts_have_the_same_controls_over_http() {
    let vendors = Vendors::start(Options::default()).await;
    let token = vendors.connect(Vendor::Hubspot, "ada").await;
    let none = Value::Null;
    let control = async |method: Method, path: &str, body: Value| {
        vendors
            .send(&none, method, &format!("/_control/{path}"), body)
            .await
    };
    let fault = json!({ "on": { "side": "api" }, "times": 1, "effect": { "kind": "status", "status": 500 } });
    assert_eq!(control(Method::POST, "faults", fault).await.status, 204);
    assert_eq!(vendors.get(&token, "/hubspot/crm/v3/owners").await.status, 500);
    let options = control(Method::PATCH, "options", json!({ "access_token_seconds": 7 }))
        .await
        .expect(200);
    assert_eq!(options["access_token_seconds"], 7);
    assert_eq!(vendors.connect(Vendor::Hubspot, "ada").await["expires_in"], 7);
    assert_eq!(
        control(Method::POST, "expire_access_tokens", Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(vendors.get(&token, "/hubspot/crm/v3/owners").await.status, 401);
    let revoked = control(Method::POST, "revoke_grants", json!({ "vendor": "hubspot" }))
        .await
        .expect(200);
    assert_eq!(revoked["revoked"], 2);
    let counts = control(Method::GET, "counts", Value::Null).await.expect(200);
    assert_eq!((&counts["token"], &counts["api"]), (&json!(2), &json!(2)));
}
