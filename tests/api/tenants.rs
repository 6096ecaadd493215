//! Environments are apart: nothing of one can be seen, guessed or continued from another.

use http::Method;
use serde_json::{Value, json};

use crate::edge::{Caller, Vendor, host_with};

const NOBODY: &str = "ca_00000000000000000000000000000000";

#[tokio::test]
async fn another_environments_things_answer_as_if_they_were_not_there() {
    let vendor = Vendor::start().await;
    let host = host_with(&vendor).await;
    let body = json!({"connection_name": "hubspot", "identifier": "user-1"});
    let account = host
        .api(Method::POST, "/api/v1/connected_accounts", body)
        .await
        .expect(200);
    let id = account["id"].as_str().expect("an id");
    let stranger = Caller::superuser(&host, "other").await;

    for (method, theirs, nobodys) in [
        (
            Method::GET,
            format!("/api/v1/connected_accounts/{id}"),
            format!("/api/v1/connected_accounts/{NOBODY}"),
        ),
        (
            Method::DELETE,
            format!("/api/v1/connected_accounts/{id}"),
            format!("/api/v1/connected_accounts/{NOBODY}"),
        ),
        (
            Method::POST,
            format!("/api/v1/connected_accounts/{id}/disconnect"),
            format!("/api/v1/connected_accounts/{NOBODY}/disconnect"),
        ),
        (
            Method::GET,
            "/api/v1/connections/hubspot".to_owned(),
            "/api/v1/connections/nothing".to_owned(),
        ),
        (
            Method::DELETE,
            "/api/v1/connections/hubspot".to_owned(),
            "/api/v1/connections/nothing".to_owned(),
        ),
    ] {
        let one = stranger.api(&method, &theirs, Value::Null).await;
        let other = stranger.api(&method, &nobodys, Value::Null).await;
        assert_eq!(one.status, 404, "{method} {theirs}: {}", one.text());
        let neutral = |text: String| {
            text.replace(id, "ID")
                .replace(NOBODY, "ID")
                .replace("hubspot", "nothing")
        };
        assert_eq!(neutral(one.text()), neutral(other.text()), "{method} {theirs}");
        let names = |answer: &valetkey_tests::http::Answer| {
            answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names(&one), names(&other));
    }
    for list in [
        "connected_accounts",
        "connections",
        "executions",
        "tools/scoped?identifier=user-1",
    ] {
        let items = stranger.get(&format!("/api/v1/{list}")).await.expect(200);
        assert_eq!(items, json!({"items": []}), "{list}");
    }
    assert_eq!(
        host.api(
            Method::GET,
            &format!("/api/v1/connected_accounts/{id}"),
            Value::Null
        )
        .await
        .expect(200)["id"],
        id
    );
}

#[tokio::test]
async fn a_cursor_is_good_for_its_environment_and_its_list_alone() {
    let vendor = Vendor::start().await;
    let host = host_with(&vendor).await;
    for number in 0..5 {
        let body = json!({"connection_name": "hubspot", "identifier": format!("user-{number}")});
        drop(
            host.api(Method::POST, "/api/v1/connected_accounts", body)
                .await
                .expect(200),
        );
    }
    let get = async |path: &str| host.api(Method::GET, path, Value::Null).await;

    let mut seen = Vec::new();
    let mut path = "/api/v1/connected_accounts?limit=2".to_owned();
    let mut cursor = String::new();
    loop {
        let page = get(&path).await.expect(200);
        let items = page["items"].as_array().expect("items");
        seen.extend(items.iter().map(|item| item["identifier"].to_string()));
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = next.to_owned();
        path = format!("/api/v1/connected_accounts?limit=2&cursor={cursor}");
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((seen.len(), sorted.len()), (5, 5), "each account once: {seen:?}");

    let refused = [
        get(&format!(
            "/api/v1/connected_accounts?connection_name=hubspot&cursor={cursor}"
        ))
        .await,
        get(&format!("/api/v1/tools?cursor={cursor}")).await,
        get("/api/v1/connected_accounts?cursor=AAAA").await,
        Caller::superuser(&host, "other")
            .await
            .get(&format!("/api/v1/connected_accounts?limit=2&cursor={cursor}"))
            .await,
    ];
    for answer in &refused {
        assert_eq!(answer.status, 400);
        assert_eq!(answer.text(), refused[0].text());
    }

    let tools = get("/api/v1/tools?limit=3").await.expect(200);
    let next = tools["next_cursor"].as_str().expect("more tools");
    let more = get(&format!("/api/v1/tools?limit=200&cursor={next}"))
        .await
        .expect(200);
    assert!(more["items"][0]["name"].as_str() > tools["items"][2]["name"].as_str());
}

#[tokio::test]
async fn a_users_tools_are_those_of_their_active_accounts() {
    let vendor = Vendor::start().await;
    let host = host_with(&vendor).await;
    let scoped = async || {
        let path = "/api/v1/tools/scoped?identifier=user-1&read_only=true&limit=200";
        host.api(Method::GET, path, Value::Null).await.expect(200)["items"].clone()
    };
    let link = crate::edge::link(&host, "user-1").await;
    assert_eq!(scoped().await, json!([]), "the account is not active yet");
    let done = host.http.post_form(&link, "token=pat-na1-0123456789").await;
    assert_eq!(done.status, 200, "{}", done.text());
    let tools = scoped().await;
    assert_eq!(tools[0]["connection_names"], json!(["hubspot"]));
    assert!(
        tools
            .as_array()
            .expect("tools")
            .iter()
            .all(|tool| tool["hints"]["read_only"] == true)
    );

    let search = "/api/v1/tools/search?query=create%20a%20contact";
    let found = host.api(Method::GET, search, Value::Null).await.expect(200);
    assert_eq!(found["items"][0]["name"], "hubspot_contact_create");
    let tool = host
        .api(Method::GET, "/api/v1/tools/hubspot_contact_create", Value::Null)
        .await
        .expect(200);
    assert_eq!(tool["input_schema"]["type"], "object");
}
