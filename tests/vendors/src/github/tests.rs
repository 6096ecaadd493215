//! The API over a socket, as an application meets it.

use serde_json::{Value, json};

use crate::options::{Budget, Rotation};
use crate::testing::simulator;
use crate::text::encode;
use crate::{Options, Simulator};

const NONE: Value = Value::Null;

/// A simulator and the token answer of a user.
async fn connected(user: &str, scopes: &str, set: impl FnOnce(&mut Options)) -> (Simulator, Value) {
    let vendors = simulator(set).await;
    let code = vendors
        .consent("/github/login/oauth/authorize", user, scopes, "")
        .await;
    let answer = token(&vendors, &Simulator::exchange(&code)).await;
    (vendors, answer)
}

async fn token(vendors: &Simulator, fields: &[(String, String)]) -> Value {
    let form: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    let headers = [
        ("accept", "application/json"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let answer = vendors
        .ask(
            "POST",
            "/github/login/oauth/access_token",
            &headers,
            &form.join("&"),
        )
        .await;
    assert_eq!(answer.status, 200, "refusals too have this status");
    answer.json()
}

fn access(answer: &Value) -> &str {
    answer["access_token"].as_str().expect("a token")
}

#[tokio::test]
async fn an_issue_is_created_found_changed_and_commented() {
    let (vendors, answer) = connected("ada", "repo", |_| {}).await;
    assert_eq!(answer["scope"], "repo");
    assert!(answer.get("refresh_token").is_none());
    let at = "/github/api/repos/ada/shop/issues";
    let call = async |method: &str, path: &str, body: Value| {
        vendors.call(access(&answer), method, path, &body).await
    };

    let made = call(
        "POST",
        at,
        json!({ "title": "Totals round", "labels": ["bug"], "assignees": ["ada"] }),
    )
    .await;
    assert_eq!((made.status, &made.json()["number"]), (201, &json!(121)));
    let found = call(
        "GET",
        "/github/api/search/issues?q=totals+is:issue+repo:ada/shop+label:bug",
        NONE,
    )
    .await;
    assert_eq!(found.json()["items"][0]["number"], 121);
    let said = call("POST", &format!("{at}/121/comments"), json!({ "body": "Seen." })).await;
    assert_eq!(said.status, 201);
    let closed = call(
        "PATCH",
        &format!("{at}/121"),
        json!({ "state": "closed", "labels": [] }),
    )
    .await
    .json();
    assert_eq!(
        (&closed["state"], &closed["labels"], &closed["comments"]),
        (&json!("closed"), &json!([]), &json!(1))
    );
    let wrong = call("POST", at, json!({ "title": "x", "milestone": 9 })).await;
    assert_eq!(
        (wrong.status, &wrong.json()["errors"][0]["field"]),
        (422, &json!("milestone"))
    );
    let others = call("GET", "/github/api/repos/bela/shop/issues/1", NONE).await;
    assert_eq!(others.status, 404, "nobody sees another's repository");
}

#[tokio::test]
async fn a_list_names_its_next_page_below_the_repositorys_number() {
    let (vendors, answer) = connected("ada", "repo", |_| {}).await;
    let page = |n: usize| format!("/github/api/repos/ada/shop/issues?state=all&per_page=50&page={n}");
    let first = vendors.call(access(&answer), "GET", &page(1), &NONE).await;
    assert!(
        first.header("link").contains("/github/api/repositories/"),
        "{}",
        first.header("link")
    );
    let mut numbers = Vec::new();
    for n in 1..=3 {
        let items = vendors.call(access(&answer), "GET", &page(n), &NONE).await.json();
        numbers.extend(
            items
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|item| item["number"].as_u64()),
        );
    }
    assert_eq!(numbers, (1..=120).rev().collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_branch_becomes_a_pull_request_and_is_merged() {
    let (vendors, answer) = connected("ada", "repo", |_| {}).await;
    let at = "/github/api/repos/ada/shop";
    let call = async |method: &str, path: &str, body: Value| {
        vendors
            .call(access(&answer), method, &format!("{at}{path}"), &body)
            .await
    };
    let sha = call("GET", "/branches", NONE).await.json()[0]["commit"]["sha"].clone();
    let made = call(
        "POST",
        "/git/refs",
        json!({ "ref": "refs/heads/fix/rounding", "sha": sha }),
    )
    .await;
    assert_eq!(made.status, 201);
    let file = call("GET", "/contents/src/money.rs?ref=fix/rounding", NONE)
        .await
        .json();
    let blind = json!({ "message": "m", "content": "eA==", "branch": "fix/rounding" });
    assert_eq!(
        call("PUT", "/contents/src/money.rs", blind.clone()).await.status,
        422,
        "a sha is needed"
    );
    let mut write = blind;
    write["sha"] = json!(sha);
    assert_eq!(
        call("PUT", "/contents/src/money.rs", write.clone()).await.status,
        409,
        "another sha"
    );
    write["sha"] = file["sha"].clone();
    assert_eq!(call("PUT", "/contents/src/money.rs", write).await.status, 200);

    let open = json!({ "title": "Round", "head": "fix/rounding", "base": "main" });
    let pull = call("POST", "/pulls", open.clone()).await.json();
    let again = call("POST", "/pulls", open).await;
    assert_eq!(
        (again.status, &again.json()["errors"][0]["code"]),
        (422, &json!("custom"))
    );
    let number = pull["number"].as_u64().expect("a number");
    let files = call("GET", &format!("/pulls/{number}/files"), NONE).await.json();
    assert_eq!(files[0]["filename"], "src/money.rs");
    let own = call(
        "POST",
        &format!("/pulls/{number}/reviews"),
        json!({ "event": "APPROVE" }),
    )
    .await;
    assert!(own.status == 422 && own.json()["errors"][0].is_string());
    let compared = call("GET", "/compare/main...fix/rounding", NONE).await.json();
    assert_eq!(
        (&compared["status"], &compared["ahead_by"]),
        (&json!("ahead"), &json!(1))
    );
    let moved = call("PUT", &format!("/pulls/{number}/merge"), json!({ "sha": "0" })).await;
    assert_eq!(moved.status, 409);
    let merged = call("PUT", &format!("/pulls/{number}/merge"), json!({})).await;
    assert_eq!((merged.status, &merged.json()["merged"]), (200, &json!(true)));
    let twice = call("PUT", &format!("/pulls/{number}/merge"), json!({})).await;
    assert_eq!(twice.status, 405);
    let raw = vendors
        .ask(
            "GET",
            &format!("{at}/contents/src/money.rs"),
            &[
                ("authorization", &format!("Bearer {}", access(&answer))),
                ("accept", "application/vnd.github.raw+json"),
            ],
            "",
        )
        .await;
    assert_eq!(raw.text, "x");
}

#[tokio::test]
async fn limits_are_said_by_403_with_the_end_of_the_window_or_a_wait() {
    let one = Some(Budget {
        requests: 1,
        window_ms: 60_000,
    });
    let (vendors, answer) = connected("ada", "repo", |options| options.github_budget = one).await;
    let user = async || {
        vendors
            .call(access(&answer), "GET", "/github/api/user", &NONE)
            .await
    };
    assert_eq!(user().await.header("x-ratelimit-remaining"), "0");
    let primary = user().await;
    assert_eq!(
        (primary.status, primary.header("x-ratelimit-remaining")),
        (403, "0")
    );
    assert!(
        primary
            .header("x-ratelimit-reset")
            .parse::<u64>()
            .is_ok_and(|reset| reset > 1_700_000_000)
    );
    assert!(
        primary.json()["documentation_url"]
            .as_str()
            .is_some_and(|page| page.ends_with("rate-limits-for-the-rest-api"))
    );

    vendors.set_github_budgets(
        None,
        Some(Budget {
            requests: 0,
            window_ms: 2_000,
        }),
    );
    let written = vendors
        .call(
            access(&answer),
            "POST",
            "/github/api/repos/ada/shop/issues",
            &json!({ "title": "x" }),
        )
        .await;
    assert_eq!((written.status, written.header("retry-after")), (403, "2"));
}

#[tokio::test]
async fn scopes_decide_what_is_there() {
    let (vendors, answer) = connected("ada", "read:user", |_| {}).await;
    let get = async |path: &str| vendors.call(access(&answer), "GET", path, &NONE).await;
    let public = get("/github/api/repos/ada/docs").await;
    assert_eq!(
        (public.status, public.header("x-oauth-scopes")),
        (200, "read:user")
    );
    assert_eq!(get("/github/api/repos/ada/shop").await.status, 404);
    assert_eq!(get("/github/api/notifications").await.status, 403);
    assert_eq!(vendors.ask("GET", "/github/api/user", &[], "").await.status, 401);
}

#[tokio::test]
async fn an_apps_token_ends_and_its_refresh_token_is_good_once() {
    let (vendors, first) = connected("ada", "repo", |options| {
        options.github_app = true;
        options.rotation = Rotation::SingleUse { revoke_family: false };
    })
    .await;
    assert_eq!(first["scope"], "");
    let renewal = |token: &Value| {
        let mut fields = Simulator::exchange("");
        fields[0].1 = "refresh_token".to_owned();
        fields.push((
            "refresh_token".to_owned(),
            token.as_str().unwrap_or_default().to_owned(),
        ));
        fields
    };
    vendors.expire_access_tokens();
    let shop = "/github/api/repos/ada/shop";
    assert_eq!(vendors.call(access(&first), "GET", shop, &NONE).await.status, 401);
    let second = token(&vendors, &renewal(&first["refresh_token"])).await;
    assert_eq!(
        vendors.call(access(&second), "GET", shop, &NONE).await.status,
        200
    );
    let used = token(&vendors, &renewal(&first["refresh_token"])).await;
    assert_eq!(used["error"], "bad_refresh_token");
}

#[tokio::test]
async fn runs_jobs_checks_and_searches_answer() {
    let (vendors, answer) = connected("ada", "repo", |_| {}).await;
    let at = "/github/api/repos/ada/shop";
    let get = async |path: &str| vendors.call(access(&answer), "GET", path, &NONE).await.json();
    let failed = get(&format!("{at}/actions/runs?status=failure")).await;
    let run = &failed["workflow_runs"][0];
    let jobs = get(&format!("{at}/actions/runs/{}/jobs", run["id"])).await;
    assert_eq!(jobs["jobs"][0]["steps"][1]["conclusion"], "failure");
    let sha = run["head_sha"].as_str().unwrap_or_default();
    assert_eq!(
        get(&format!("{at}/commits/{sha}/check-runs")).await["check_runs"][0]["conclusion"],
        "failure"
    );
    assert_eq!(
        get(&format!("{at}/commits/{sha}")).await["files"][0]["status"],
        "added"
    );
    assert_eq!(
        get(&format!("{at}/git/trees/HEAD?recursive=1")).await["tree"]
            .as_array()
            .map(Vec::len),
        Some(4)
    );
    assert_eq!(
        get(&format!("{at}/contents/src")).await.as_array().map(Vec::len),
        Some(2)
    );
    let code = get("/github/api/search/code?q=rounds+repo:ada/shop").await;
    assert_eq!(code["items"][0]["path"], "src/money.rs");
    assert_eq!(
        get("/github/api/search/repositories?q=shop").await["total_count"],
        1
    );
    assert_eq!(
        get("/github/api/user/repos").await.as_array().map(Vec::len),
        Some(3)
    );
    let unknown = vendors
        .call(
            access(&answer),
            "GET",
            "/github/api/search/issues?q=repo:bela/shop",
            &NONE,
        )
        .await;
    assert_eq!(unknown.status, 422);
}
