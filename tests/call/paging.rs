//! One cursor, whatever the vendor's paging.

use http::Method;
use serde_json::{Value, json};

use valetkey_manifest::Manifest;
use valetkey_tests::world::connection;
use valetkey_tests::{TestHost, World, artifacts};
use valetkey_vendors::{Options, Side, Simulator};

fn ids(answer: &Value) -> Vec<String> {
    let results = answer["data"]["results"].as_array().expect("results");
    results
        .iter()
        .map(|result| result["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[tokio::test]
async fn limit_above_the_vendors_page_walks_several_pages() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    let answer = world
        .host
        .call("hubspot_contacts_search", "ada", json!({"limit": 430}))
        .await
        .expect(200);
    let ids = ids(&answer);
    assert_eq!(ids.len(), 430);
    let mut once = ids.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), 430, "no item twice");
    let pages = world
        .vendors
        .log()
        .of(Side::Api)
        .into_iter()
        .filter(|entry| entry.path.ends_with("/search"));
    let sizes: Vec<_> = pages
        .map(|entry| {
            serde_json::from_str::<Value>(&entry.body).expect("JSON")["limit"]
                .as_u64()
                .expect("a limit")
        })
        .collect();
    assert_eq!(sizes, [200, 200, 30], "three pages, each as large as needed");
    let execution = answer["execution_id"].as_str().expect("an id");
    let record = world
        .host
        .runtime
        .journal
        .find("dev", execution)
        .expect("a record");
    assert_eq!((record.pages, record.requests), (3, 3));
}

#[tokio::test]
async fn cursor_goes_on_where_the_page_ended_until_the_last() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let mut params = json!({"limit": 160, "properties": ["email"]});
        if !cursor.is_null() {
            params["cursor"] = cursor;
        }
        let answer = world
            .host
            .call("hubspot_contacts_search", "ada", params)
            .await
            .expect(200);
        seen.extend(ids(&answer));
        cursor = answer["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen.len(), 450, "all of the portal's contacts");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 450, "each once");
}

#[tokio::test]
async fn cursor_opens_only_for_its_account_tool_and_input() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    world.connect("hubspot", "bob").await;
    let first = world
        .host
        .call("hubspot_contacts_search", "ada", json!({"limit": 5}))
        .await
        .expect(200);
    let cursor = first["next_cursor"].as_str().expect("a cursor");
    let requests = world.vendors.log().count(Side::Api);

    let mut altered = cursor.to_owned();
    altered.replace_range(40..41, if &altered[40..41] == "A" { "B" } else { "A" });
    for (tool, identifier, params) in [
        (
            "hubspot_contacts_search",
            "bob",
            json!({"limit": 5, "cursor": cursor}),
        ),
        (
            "hubspot_companies_search",
            "ada",
            json!({"limit": 5, "cursor": cursor}),
        ),
        (
            "hubspot_contacts_search",
            "ada",
            json!({"limit": 5, "cursor": cursor, "query": "x"}),
        ),
        (
            "hubspot_contacts_search",
            "ada",
            json!({"limit": 5, "cursor": altered}),
        ),
        (
            "hubspot_contacts_search",
            "ada",
            json!({"limit": 5, "cursor": "not a cursor"}),
        ),
    ] {
        let refused = world
            .host
            .call(tool, identifier, params.clone())
            .await
            .expect(400);
        assert_eq!(
            refused["error"]["kind"], "invalid_input",
            "{tool} {identifier} {params}"
        );
        assert_eq!(refused["error"]["fields"][0]["path"], "/cursor");
    }
    assert_eq!(world.vendors.log().count(Side::Api), requests, "nothing was sent");

    let next = json!({"limit": 7, "cursor": cursor});
    let second = world
        .host
        .call("hubspot_contacts_search", "ada", next)
        .await
        .expect(200);
    assert_eq!(ids(&second).len(), 7, "another limit is no other input");
    assert!(ids(&first).iter().all(|id| !ids(&second).contains(id)));
}

#[tokio::test]
async fn half_walked_answer_keeps_its_pages_and_a_cursor_for_the_rest() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    // The second page is refused for longer than the call may take.
    let body = json!({
        "tool_name": "hubspot_contacts_search", "identifier": "ada", "params": {"limit": 400}, "deadline_ms": 3_000
    });
    let call = world.host.api(Method::POST, "/api/v1/execute_tool", body);
    let refuse = async {
        world
            .vendors
            .log()
            .wait_for_where(1, |entry| entry.path.ends_with("/search"))
            .await;
        world
            .vendors
            .fail(valetkey_vendors::Fault::throttle(Side::Api, 100, "60"));
    };
    let (answer, ()) = tokio::join!(call, refuse);
    let answer = answer.expect(200);
    let got = ids(&answer).len();
    assert!(got == 200 || got == 400, "whole pages: {got}");
    if got == 200 {
        assert!(answer["next_cursor"].is_string(), "the rest can be had later");
    }
}

/// A page's number says where it begins only together with the size of the pages before it.
#[tokio::test]
async fn numbered_pages_of_a_walk_are_all_of_one_size() {
    let vendors = Simulator::start(Options {
        github_issues: 60,
        ..Options::default()
    })
    .await
    .expect("a free port");
    let host = TestHost::start().await;
    let as_asked = |manifest: &mut Manifest| {
        let tools = manifest.tools.iter_mut();
        let mut list = tools.filter(|tool| tool.name == "github_issues_list");
        let request = list.next().and_then(|tool| tool.request.as_mut()).expect("a request");
        request.query.insert("per_page".to_owned(), json!("{page.size}"));
    };
    let installed = host.install(artifacts::connector_with("github", as_asked)).await;
    assert!(installed.status.is_success(), "{}", installed.text());
    let connection = connection("github", "github", &vendors.base_url);
    host.api(Method::POST, "/api/v1/connections", connection)
        .await
        .expect(201);
    vendors.set_user("ada");
    host.connect("github", "ada").await;

    let list = async |limit: u32, cursor: &Value| {
        let mut params = json!({"owner": "ada", "repo": "shop", "state": "all", "limit": limit});
        if !cursor.is_null() {
            params["cursor"] = cursor.clone();
        }
        host.call("github_issues_list", "ada", params).await.expect(200)
    };
    let numbers = |answer: &Value| -> Vec<u64> {
        let issues = answer["data"].as_array().expect("issues").iter();
        issues.map(|issue| issue["number"].as_u64().expect("a number")).collect()
    };
    // A page of 20, then the rest in one call: of pages of 20, the last of which is cut.
    let first = list(20, &Value::Null).await;
    let rest = list(35, &first["next_cursor"]).await;
    let mut seen = numbers(&first);
    seen.extend(numbers(&rest));
    assert_eq!(seen.len(), 55);
    let once: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(once.len(), 55, "no issue twice: {seen:?}");
    let mut asked = vendors.log().of(Side::Api);
    asked.retain(|entry| entry.path.ends_with("/issues"));
    let sizes: Vec<_> = asked.iter().map(|entry| entry.param("per_page").expect("a size")).collect();
    assert_eq!(sizes, ["20", "20", "20"]);
}
