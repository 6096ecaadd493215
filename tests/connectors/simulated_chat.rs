//! The simulated Slack and Linear speak as their vendors do.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use valetkey_vendors::{Budget, Options, Rotation, Vendor};

use crate::simulator::{CHALLENGE, REDIRECT_URI, VERIFIER, Vendors, items, parameter};

#[tokio::test]
async fn slack_answers_a_persons_token_apart_and_a_refreshed_one_where_a_bots_is() {
    let single_use = Rotation::SingleUse { revoke_family: false };
    let vendors = Vendors::start(Options {
        rotation: single_use,
        ..Options::default()
    })
    .await;
    let bot = vendors.connect(Vendor::Slack, "ada").await;
    assert_eq!(bot["token_type"], "bot");
    assert!(bot["authed_user"].get("access_token").is_none(), "{bot}");

    let further = format!(
        "&user_scope=chat:write,channels:history&code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    let answer = vendors.consent(Vendor::Slack, "ada", &further).await;
    let code = parameter(&answer, "code").expect("a code");
    let person = vendors
        .redeem(Vendor::Slack, &code, REDIRECT_URI, VERIFIER)
        .await
        .expect(200);
    assert!(person.get("access_token").is_none(), "{person}");
    let token = &person["authed_user"];
    assert_eq!(token["token_type"], "user");
    assert_eq!(token["scope"], "channels:history,chat:write");

    let renewed = vendors.renew(Vendor::Slack, token).await.expect(200);
    assert_eq!(
        (&renewed["ok"], &renewed["token_type"]),
        (&json!(true), &json!("user"))
    );
    let again = vendors.renew(Vendor::Slack, token).await.expect(200);
    assert_eq!(again, json!({"ok": false, "error": "invalid_refresh_token"}));
}

#[tokio::test]
async fn slack_refuses_with_a_success_and_slows_down_with_429() {
    let vendors = Vendors::start(Options::default()).await;
    let token = vendors.connect(Vendor::Slack, "ada").await;
    let channels = vendors
        .get(&token, "/slack/api/conversations.list?limit=1")
        .await
        .expect(200);
    let general = &channels["channels"][0];
    assert!(
        !channels["response_metadata"]["next_cursor"]
            .as_str()
            .expect("a cursor")
            .is_empty()
    );
    let all = vendors.simulator.slack_workspace("ada");
    let member_of = items(&all["channels"])
        .iter()
        .find(|channel| channel["name"] == "general")
        .expect("a general channel");
    assert!(general["id"].is_string());

    let post = json!({"channel": member_of["id"], "text": "Hello"});
    let sent = vendors
        .send(&token, Method::POST, "/slack/api/chat.postMessage", post.clone())
        .await;
    assert_eq!(sent.expect(200)["ok"], true);
    let refused = vendors
        .send(&token, Method::POST, "/slack/api/chat.postMessage", post)
        .await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.json()["error"], "ratelimited");
    let held = vendors.simulator.slack_workspace("ada").to_string();
    assert_eq!(
        held.matches("\"Hello\"").count(),
        1,
        "what was refused had no effect"
    );

    let missing = vendors.get(&token, "/slack/api/users.list").await.expect(200);
    assert_eq!(missing["error"], "missing_scope");
    assert_eq!(missing["needed"], "users:read");
    vendors.simulator.revoke_grants(Vendor::Slack, Some("ada"));
    let revoked = vendors.get(&token, "/slack/api/auth.test").await.expect(200);
    assert_eq!(revoked["error"], "token_revoked");
}

#[tokio::test]
async fn linear_pages_by_the_last_record_and_says_too_much_with_400() {
    let vendors = Vendors::start(Options::default()).await;
    let token = vendors.connect(Vendor::Linear, "ada").await;
    let query = "query L($first: Int, $after: String) { issues(first: $first, after: $after, filter: { team: { key: { eq: \"ENG\" } } }) \
                 { nodes { identifier state { type } team { key } } pageInfo { hasNextPage endCursor } } }";
    let mut seen = BTreeSet::new();
    let mut after = Value::Null;
    loop {
        let body = json!({"query": query, "variables": {"first": 50, "after": after}});
        let page = vendors
            .send(&token, Method::POST, "/linear/graphql", body)
            .await
            .expect(200);
        let issues = &page["data"]["issues"];
        for issue in items(&issues["nodes"]) {
            assert!(seen.insert(issue["identifier"].to_string()), "once: {issue}");
        }
        after = issues["pageInfo"]["endCursor"].clone();
        if issues["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen.len(), 120);
    assert!(
        after.is_string(),
        "the vendor names a cursor for the last page too"
    );

    vendors.simulator.set_linear_budget(Some(Budget {
        requests: 1,
        window_ms: 60_000,
    }));
    let viewer = json!({"query": "{ viewer { id email } }"});
    let first = vendors
        .send(&token, Method::POST, "/linear/graphql", viewer.clone())
        .await
        .expect(200);
    assert_eq!(first["data"]["viewer"]["email"], "ada@ada.example");
    let refused = vendors
        .send(&token, Method::POST, "/linear/graphql", viewer)
        .await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["errors"][0]["extensions"]["code"], "RATELIMITED");
    assert_eq!(refused.header("x-ratelimit-requests-remaining"), "0");
}
