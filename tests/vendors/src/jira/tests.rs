//! The API over a socket, as an application meets it.

use serde_json::{Map, Value, json};

use super::adf::document;
use crate::options::{Budget, Rotation};
use crate::testing::{Answer, simulator};
use crate::{Options, Simulator, Vendor};

const NONE: Value = Value::Null;
const SCOPES: &str = "offline_access read:jira-user read:jira-work write:jira-work read:board-scope:jira-software \
     read:project:jira read:sprint:jira-software write:sprint:jira-software read:issue-details:jira read:jql:jira";

struct Connected {
    vendors: Simulator,
    token: Value,
    at: String,
}

impl Connected {
    async fn of(user: &str, scopes: &str, set: impl FnOnce(&mut Options)) -> Self {
        let vendors = simulator(set).await;
        let code = vendors
            .consent(
                "/atlassian/authorize",
                user,
                scopes,
                "&audience=api.atlassian.com&prompt=consent",
            )
            .await;
        let token = exchanged(&vendors, Simulator::exchange(&code)).await;
        let at = format!("/atlassian/ex/jira/{}/rest", vendors.jira_cloud_id(user, 0));
        Self {
            token: token.json(),
            vendors,
            at,
        }
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let token = self.token["access_token"].as_str().unwrap_or_default();
        self.vendors
            .call(token, method, &format!("{}{path}", self.at), &body)
            .await
    }
}

/// The token endpoint takes JSON.
async fn exchanged(vendors: &Simulator, fields: Vec<(String, String)>) -> Answer {
    let body: Map<String, Value> = fields
        .into_iter()
        .map(|(name, value)| (name, json!(value)))
        .collect();
    let headers = [("content-type", "application/json")];
    vendors
        .ask(
            "POST",
            "/atlassian/oauth/token",
            &headers,
            &Value::Object(body).to_string(),
        )
        .await
}

#[tokio::test]
async fn an_issue_is_created_found_changed_and_moved() {
    let site = Connected::of("ada", SCOPES, |_| {}).await;
    let fields =
        json!({ "project": { "key": "ENG" }, "issuetype": { "name": "Bug" }, "summary": "Totals round" });
    let body = json!({ "fields": fields, "update": { "description": [{ "set": document("0.125 becomes 0.13.") }] } });
    let made = site.call("POST", "/api/3/issue", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let key = made.json()["key"].as_str().unwrap_or_default().to_owned();
    let jql = json!({ "jql": "text ~ \"0.125\"", "fields": ["summary", "status"] });
    let found = site.call("POST", "/api/3/search/jql", jql).await.json();
    assert_eq!(
        (&found["issues"][0]["key"], &found["isLast"]),
        (&json!(key), &json!(true))
    );

    let at = format!("/api/3/issue/{key}");
    let labels =
        json!({ "update": { "labels": [{ "add": "billing" }] }, "fields": { "customfield_10016": 5 } });
    assert_eq!(site.call("PUT", &at, labels).await.status, 204);
    let steps = site.call("GET", &format!("{at}/transitions"), NONE).await.json();
    assert_eq!(steps["transitions"].as_array().map(Vec::len), Some(2));
    let closing = json!({
        "transition": { "id": "31" },
        "update": { "comment": [{ "add": { "body": document("Fixed.") } }] },
    });
    assert_eq!(
        site.call("POST", &format!("{at}/transitions"), closing.clone())
            .await
            .status,
        204
    );
    assert_eq!(
        site.call("POST", &format!("{at}/transitions"), closing)
            .await
            .status,
        400,
        "it is done already"
    );
    let issue = site.call("GET", &at, NONE).await.json();
    assert_eq!(issue["fields"]["status"]["name"], "Done");
    assert_eq!(issue["fields"]["labels"], json!(["billing"]));
    let comments = site.call("GET", &format!("{at}/comment"), NONE).await.json();
    assert_eq!(
        (&comments["total"], &comments["comments"][0]["body"]),
        (&json!(1), &document("Fixed."))
    );
    let history = site.call("GET", &format!("{at}/changelog"), NONE).await.json();
    let last = history["values"]
        .as_array()
        .and_then(|all| all.last())
        .cloned()
        .unwrap_or_default();
    assert_eq!(last["items"][0]["toString"], "Done");
    assert_eq!(site.call("DELETE", &at, NONE).await.status, 204);
    assert_eq!(site.call("GET", &at, NONE).await.status, 404);
}

#[tokio::test]
async fn refusals_name_the_field_and_leave_nothing_behind() {
    let site = Connected::of("ada", SCOPES, |_| {}).await;
    let create = |fields: Value| site.call("POST", "/api/3/issue", json!({ "fields": fields }));
    for (fields, field) in [
        (
            json!({ "issuetype": { "name": "Bug" }, "summary": "x" }),
            "project",
        ),
        (
            json!({ "project": { "key": "ENG" }, "issuetype": { "name": "Bog" }, "summary": "x" }),
            "issuetype",
        ),
        (
            json!({ "project": { "key": "ENG" }, "issuetype": { "name": "Bug" } }),
            "summary",
        ),
        (
            json!({ "project": { "key": "ENG" }, "issuetype": { "name": "Bug" }, "summary": "x", "description": "plain" }),
            "description",
        ),
    ] {
        let refused = create(fields).await;
        assert!(
            refused.status == 400 && refused.json()["errors"][field].is_string(),
            "{}",
            refused.text
        );
    }
    let count = json!({ "jql": "project in (ENG, OPS)" });
    assert_eq!(
        site.call("POST", "/api/3/search/approximate-count", count)
            .await
            .json()["count"],
        120
    );
    let unbounded = site.call("POST", "/api/3/search/jql", json!({ "jql": "" })).await;
    assert!(unbounded.status == 400 && unbounded.text.contains("Unbounded"));
}

#[tokio::test]
async fn a_search_goes_on_by_its_token_and_answers_ids_alone_without_fields() {
    let site = Connected::of("ada", SCOPES, |_| {}).await;
    let (mut ids, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut body = json!({ "jql": "project = ENG ORDER BY created ASC", "maxResults": 50 });
        if !token.is_null() {
            body["nextPageToken"] = token;
        }
        let page = site.call("POST", "/api/3/search/jql", body).await.json();
        assert!(page["issues"][0].get("key").is_none());
        ids.extend(
            page["issues"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|issue| issue["id"].clone()),
        );
        token = page["nextPageToken"].clone();
        if token.is_null() {
            break;
        }
    }
    let count = ids.len();
    ids.dedup();
    assert_eq!((count, ids.len()), (108, 108));
}

#[tokio::test]
async fn people_links_boards_and_sprints_answer() {
    let site = Connected::of("ada", SCOPES, |_| {}).await;
    let get = async |path: &str| site.call("GET", path, NONE).await.json();
    let people = get("/api/3/user/assignable/search?issueKey=ENG-1&query=dmitri").await;
    let account = people[0]["accountId"].clone();
    let assigned = site
        .call(
            "PUT",
            "/api/3/issue/ENG-1/assignee",
            json!({ "accountId": account }),
        )
        .await;
    assert_eq!(assigned.status, 204);
    assert_eq!(
        site.call("POST", "/api/3/issue/ENG-1/watchers", account.clone())
            .await
            .status,
        204
    );
    let link = json!({ "type": { "name": "Blocks" }, "inwardIssue": { "key": "ENG-1" }, "outwardIssue": { "key": "ENG-2" } });
    assert_eq!(site.call("POST", "/api/3/issueLink", link).await.status, 201);
    let issue = get("/api/3/issue/ENG-1?fields=assignee,issuelinks").await;
    assert_eq!(issue["fields"]["assignee"]["accountId"], account);
    let link = &issue["fields"]["issuelinks"][0];
    assert_eq!(
        (&link["type"]["outward"], &link["outwardIssue"]["key"]),
        (&json!("blocks"), &json!("ENG-2"))
    );
    let gone = format!("/api/3/issueLink/{}", link["id"].as_str().unwrap_or_default());
    assert_eq!(site.call("DELETE", &gone, NONE).await.status, 204);

    let board = get("/agile/1.0/board?projectKeyOrId=ENG").await["values"][0]["id"].clone();
    let sprint =
        get(&format!("/agile/1.0/board/{board}/sprint?state=active")).await["values"][0]["id"].clone();
    let at = format!("/agile/1.0/sprint/{sprint}/issue");
    let before = get(&format!("{at}?fields=summary")).await["total"]
        .as_u64()
        .unwrap_or(0);
    let moved = site
        .call("POST", &at, json!({ "issues": ["ENG-2", "ENG-3"] }))
        .await;
    assert_eq!(moved.status, 204);
    assert_eq!(
        get(&format!("{at}?fields=summary")).await["total"].as_u64(),
        Some(before + 2)
    );
    for path in [
        "project/search",
        "project/ENG",
        "project/ENG/statuses",
        "issue/createmeta/ENG/issuetypes",
        "issue/createmeta/ENG/issuetypes/10004",
        "field",
        "issueLinkType",
        "myself",
        "user/search?query=ada",
    ] {
        assert_eq!(
            site.call("GET", &format!("/api/3/{path}"), NONE).await.status,
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_gateway_refuses_other_sites_missing_scopes_and_expired_tokens() {
    let site = Connected::of("ada", "read:jira-user", |options| options.jira_sites = 2).await;
    let resources = site.vendors.call(
        site.token["access_token"].as_str().unwrap_or_default(),
        "GET",
        "/atlassian/oauth/token/accessible-resources",
        &NONE,
    );
    let resources = resources.await.json();
    assert_eq!(resources[0]["id"], site.vendors.jira_cloud_id("ada", 0));
    assert_eq!(resources.as_array().map(Vec::len), Some(2));
    assert!(
        site.token.get("refresh_token").is_none(),
        "it needs offline_access"
    );
    assert_eq!(site.call("GET", "/api/3/myself", NONE).await.status, 200);
    let scope = site.call("GET", "/api/3/field", NONE).await;
    assert_eq!((scope.status, &scope.json()["code"]), (401, &json!(401)));
    let token = site.token["access_token"].as_str().unwrap_or_default();
    let other = format!(
        "/atlassian/ex/jira/{}/rest/api/3/myself",
        site.vendors.jira_cloud_id("bela", 0)
    );
    assert_eq!(site.vendors.call(token, "GET", &other, &NONE).await.status, 404);
    site.vendors.expire_access_tokens();
    assert_eq!(site.call("GET", "/api/3/myself", NONE).await.status, 401);
}

#[tokio::test]
async fn a_burst_is_told_to_wait_with_a_reason() {
    let site = Connected::of("ada", SCOPES, |options| {
        options.jira_budget = Some(Budget {
            requests: 1,
            window_ms: 3_000,
        });
    })
    .await;
    assert_eq!(site.call("GET", "/api/3/myself", NONE).await.status, 200);
    let slowed = site.call("GET", "/api/3/myself", NONE).await;
    assert_eq!(slowed.status, 429);
    assert_eq!(
        (slowed.header("retry-after"), slowed.header("ratelimit-reason")),
        ("3", "jira-burst-based")
    );
}

#[tokio::test]
async fn a_refresh_token_that_is_not_good_any_more_is_refused_with_403() {
    let site = Connected::of("ada", SCOPES, |options| {
        options.rotation = Rotation::SingleUse { revoke_family: false }
    })
    .await;
    let renewal = |token: &Value| {
        let mut fields = Simulator::exchange("");
        fields[0].1 = "refresh_token".to_owned();
        fields.push((
            "refresh_token".to_owned(),
            token.as_str().unwrap_or_default().to_owned(),
        ));
        fields
    };
    let second = exchanged(&site.vendors, renewal(&site.token["refresh_token"])).await;
    assert_eq!(second.status, 200);
    let used = exchanged(&site.vendors, renewal(&site.token["refresh_token"])).await;
    assert_eq!(
        (used.status, &used.json()["error"]),
        (403, &json!("unauthorized_client"))
    );
    site.vendors.revoke_grants(Vendor::Atlassian, Some("ada"));
    let revoked = exchanged(&site.vendors, renewal(&second.json()["refresh_token"])).await;
    assert_eq!(revoked.status, 403);
}
