//! Environments are apart: nothing of one can be seen, guessed or continued from another.

use http::Method;
use serde_json::{Value, json};

use crate::edge::{Caller, McpServer, Vendor, host_with};

const NOBODY: &str = "ca_00000000000000000000000000000000";
const NO_SESSION: &str = "mses_00000000000000000000000000000000";

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
    McpServer::of(&host, "user-1").await;
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
        "mcp_servers",
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

/// What another environment's caller is answered about a thing of ours is what it is answered about
/// nothing, on every operation that names a thing.
#[tokio::test]
async fn on_every_operation_anothers_thing_is_as_good_as_none() {
    let vendor = Vendor::start().await;
    let host = host_with(&vendor).await;
    let account = json!({"connection_name": "hubspot", "identifier": "user-1",
                         "credential": {"inputs": {"token": "pat-na1-0123456789"}}});
    let account = host
        .api(Method::POST, "/api/v1/connected_accounts", account)
        .await
        .expect(200);
    let execution = host.call("hubspot_whoami", "user-1", json!({})).await.expect(200);
    let ours = |value: &Value| value.as_str().expect("an id").to_owned();
    let server = McpServer::of(&host, "user-1").await;
    let things = [
        ("connected_accounts", ours(&account["id"])),
        ("executions", ours(&execution["execution_id"])),
        ("connections", "hubspot".to_owned()),
        ("mcp_servers", server.id.clone()),
    ];
    let execution = ours(&execution["execution_id"]);
    let stranger = Caller::superuser(&host, "other").await;
    let neutral = |text: String, id: &str, none: &str| text.replace(id, "ID").replace(none, "ID");

    let mut compared = 0;
    for operation in valetkey::api::openapi()["paths"].as_object().expect("paths") {
        let (template, methods) = operation;
        let Some((_, id)) = things
            .iter()
            .find(|(kind, _)| template.starts_with(&format!("/api/v1/{kind}/{{")))
        else {
            continue;
        };
        let none = if id == "hubspot" {
            "hubspet".to_owned()
        } else {
            format!("{}{}", &id[..id.len() - 4], "0000")
        };
        for method in methods.as_object().expect("a path item").keys() {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let body = match (method.as_str(), template.as_str()) {
                ("PATCH", path) if path.starts_with("/api/v1/connections") => json!({"proxy": true}),
                ("POST", path) if path.ends_with("/sessions") => json!({"identifier": "mallory"}),
                ("GET" | "DELETE", _) => Value::Null,
                _ => json!({}),
            };
            let mut answers = Vec::new();
            for (id, session) in [(id, server.session_id.as_str()), (&none, NO_SESSION)] {
                let mut path = template
                    .replace("{id}", id)
                    .replace("{name}", id)
                    .replace("{session_id}", session);
                if path.ends_with("/auth_state") {
                    path.push_str("?identifier=user-1&include_links=true");
                }
                answers.push(stranger.api(&method, &path, body.clone()).await);
            }
            let place = format!("{method} {template}");
            assert_eq!(answers[0].status, 404, "{place}: {}", answers[0].text());
            let texts: Vec<String> = answers
                .iter()
                .map(|it| neutral(it.text(), id, &none).replace(&server.session_id, NO_SESSION))
                .collect();
            assert_eq!(texts[0], texts[1], "{place}");
            let names = |index: usize| {
                answers[index]
                    .headers
                    .keys()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
            };
            assert_eq!(names(0), names(1), "{place}");
            compared += 1;
        }
    }
    assert!(compared >= 14, "only {compared} operations were compared");
    let path = format!("/api/v1/mcp_servers/{}/sessions", server.id);
    let sessions = host.api(Method::GET, &path, Value::Null).await.expect(200);
    assert_eq!(
        sessions["items"][0]["id"], server.session_id,
        "it is there for its own, and nobody ended its session"
    );

    // The things that bodies name.
    let nobody = NOBODY.to_owned();
    let id = ours(&account["id"]);
    for (path, member) in [
        ("/api/v1/execute_tool", "connected_account_id"),
        ("/api/v1/connected_accounts/magic_link", "connected_account_id"),
    ] {
        let mut texts = Vec::new();
        for id in [&id, &nobody] {
            let mut body = json!({member: id});
            if path.ends_with("execute_tool") {
                body["tool_name"] = json!("hubspot_whoami");
            }
            let answer = stranger.api(&Method::POST, path, body).await;
            assert_eq!(answer.status, 404, "{}", answer.text());
            let mut body = answer.json();
            body["error"]["execution_id"] = Value::Null;
            texts.push(neutral(body.to_string(), id, id));
        }
        assert_eq!(texts[0], texts[1], "{path}");
    }
    let record = host
        .api(
            Method::GET,
            &format!("/api/v1/executions/{execution}"),
            Value::Null,
        )
        .await;
    assert_eq!(record.status, 200, "it is there for its own");
}

#[tokio::test]
async fn an_idempotency_key_is_its_environments_own() {
    let vendor = Vendor::start().await;
    let host = host_with(&vendor).await;
    let stranger = Caller::superuser(&host, "other").await;
    let connection = vendor.connection("hubspot");
    stranger
        .api(&Method::POST, "/api/v1/connections", connection)
        .await
        .expect(201);
    let bearers = [
        format!("Bearer {}", host.token()),
        format!("Bearer {}", stranger.token),
    ];
    for bearer in &bearers {
        let account = json!({"connection_name": "hubspot", "identifier": "user-1",
                             "credential": {"inputs": {"token": "pat-na1-0123456789"}}});
        for _ in 0..2 {
            let headers = [
                ("authorization", bearer.as_str()),
                ("content-type", "application/json"),
                ("idempotency-key", "key-1"),
            ];
            let url = format!("{}/api/v1/connected_accounts", host.base_url);
            host.http
                .send(Method::POST, &url, &headers, account.to_string())
                .await;
            let call = json!({"tool_name": "hubspot_contact_create", "identifier": "user-1",
                              "params": {"properties": {"email": "a@example.com"}}});
            let url = format!("{}/api/v1/execute_tool", host.base_url);
            host.http
                .send(Method::POST, &url, &headers, call.to_string())
                .await
                .expect(200);
        }
    }
    assert_eq!(vendor.creations(), 2, "one for each environment");
}
