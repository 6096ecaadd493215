//! A workspace over the wire: connecting, reading, paging, writing, and what is refused.

use serde_json::{Value, json};

use crate::Simulator;
use crate::options::{Budget, Options};
use crate::wire::{Answer, Wire};

const OAUTH: &str = "/notion/v1/oauth";

/// `simulated-client:simulated-secret` in HTTP basic.
const BASIC: &str = "Basic c2ltdWxhdGVkLWNsaWVudDpzaW11bGF0ZWQtc2VjcmV0";

/// A connected user.
struct User<'w> {
    wire: &'w Wire,
    token: String,
    refresh: String,
}

impl<'w> User<'w> {
    async fn connect(wire: &'w Wire, name: &str) -> Self {
        let code = wire
            .simulator
            .consent(&authorize(), name, "", "&owner=user")
            .await;
        let answer = token(wire, redemption(&code)).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        assert_eq!(answer.json["workspace_name"], format!("Workspace of {name}"));
        Self::of(wire, &answer)
    }

    fn of(wire: &'w Wire, answer: &Answer) -> Self {
        let text = |name: &str| answer.json[name].as_str().expect("a text").to_owned();
        Self {
            wire,
            token: text("access_token"),
            refresh: text("refresh_token"),
        }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("notion-version", "2026-03-11"),
        ];
        self.wire
            .send(method, &format!("/notion/v1{path}"), &headers, &body)
            .await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Value::Null).await
    }

    /// The id of the first thing that a search finds.
    async fn find(&self, query: Value) -> String {
        let found = self.send("POST", "/search", query).await;
        assert_eq!(found.status, 200, "{}", found.json);
        found.json["results"][0]["id"].as_str().expect("an id").to_owned()
    }
}

fn authorize() -> String {
    format!("{OAUTH}/authorize")
}

/// The request that redeems a code, whose client is in HTTP basic.
fn redemption(code: &str) -> Value {
    Simulator::exchange(code)
        .into_iter()
        .filter(|(name, _)| !name.starts_with("client_"))
        .map(|(name, value)| (name, Value::from(value)))
        .collect()
}

/// A token request in JSON with the client in HTTP basic.
async fn token(wire: &Wire, body: Value) -> Answer {
    let headers = [("authorization", BASIC), ("content-type", "application/json")];
    wire.send("POST", &format!("{OAUTH}/token"), &headers, &body)
        .await
}

#[tokio::test]
async fn tokens_are_asked_for_in_json_and_rotate() {
    let wire = Wire::start(Options::default()).await;
    let code = wire
        .simulator
        .consent(&authorize(), "ada", "", "&owner=user")
        .await;
    let as_form = wire
        .form(
            &format!("{OAUTH}/token"),
            &format!("grant_type=authorization_code&code={code}"),
        )
        .await;
    assert_eq!(as_form.status, 400, "a form is not taken");

    let ada = User::connect(&wire, "ada").await;
    let refresh = |token: &str| json!({ "grant_type": "refresh_token", "refresh_token": token });
    let renewed = token(&wire, refresh(&ada.refresh)).await;
    assert_ne!(renewed.json["refresh_token"], ada.refresh.as_str());
    let again = token(&wire, refresh(&ada.refresh)).await;
    assert_eq!(
        (again.status, &again.json["error"]),
        (400, &json!("invalid_grant"))
    );
    let renewed = User::of(&wire, &renewed);
    assert_eq!(renewed.get("/users/me").await.status, 200);
    wire.simulator.expire_access_tokens();
    let expired = renewed.get("/users/me").await;
    assert_eq!(
        (expired.status, &expired.json["code"]),
        (401, &json!("unauthorized"))
    );
}

#[tokio::test]
async fn lists_are_paged_by_cursors_to_the_last_item() {
    let wire = Wire::start(Options {
        rows: 25,
        ..Options::default()
    })
    .await;
    let ada = User::connect(&wire, "ada").await;
    let source = ada
        .find(json!({ "filter": { "property": "object", "value": "data_source" } }))
        .await;
    let path = format!("/data_sources/{source}/query");
    let (mut body, mut seen) = (json!({ "page_size": 10 }), Vec::new());
    loop {
        let page = ada.send("POST", &path, body.clone()).await;
        assert_eq!(page.status, 200, "{}", page.json);
        seen.push(page.json["results"].as_array().map_or(0, Vec::len));
        if page.json["has_more"] == false {
            assert!(page.json["next_cursor"].is_null());
            break;
        }
        body["start_cursor"] = page.json["next_cursor"].clone();
    }
    assert_eq!(seen, [10, 10, 5]);
    let bad = ada.send("POST", &path, json!({ "page_size": 101 })).await;
    assert_eq!((bad.status, &bad.json["code"]), (400, &json!("validation_error")));
}

#[tokio::test]
async fn a_page_is_written_and_read_as_markdown_and_as_blocks() {
    let wire = Wire::start(Options::default()).await;
    let ada = User::connect(&wire, "ada").await;
    let home = ada.find(json!({ "query": "Home of ada" })).await;
    let new = json!({
        "parent": { "page_id": home },
        "properties": { "title": { "title": [{ "text": { "content": "Notes" } }] } },
        "markdown": "# Plan\nShip on Friday",
    });
    let page = ada.send("POST", "/pages", new).await;
    assert_eq!(page.status, 200, "{}", page.json);
    let id = page.json["id"].as_str().expect("an id");
    let path = format!("/pages/{id}/markdown");
    let edit = json!({ "type": "update_content", "update_content": { "content_updates": [{ "old_str": "Friday", "new_str": "Monday" }] } });
    assert_eq!(ada.send("PATCH", &path, edit.clone()).await.status, 200);
    assert_eq!(
        ada.send("PATCH", &path, edit).await.status,
        400,
        "it is no longer there"
    );
    let add = json!({ "type": "insert_content", "insert_content": { "content": "- [ ] Call", "position": { "type": "end" } } });
    let read = ada.send("PATCH", &path, add).await;
    assert_eq!(read.json["markdown"], "# Plan\nShip on Monday\n- [ ] Call");

    let blocks = ada.get(&format!("/blocks/{id}/children")).await;
    let box_id = blocks.json["results"][2]["id"].as_str().expect("an id");
    let ticked = ada
        .send(
            "PATCH",
            &format!("/blocks/{box_id}"),
            json!({ "to_do": { "checked": true } }),
        )
        .await;
    assert_eq!(ticked.json["to_do"]["checked"], true);
    let first = blocks.json["results"][0]["id"].clone();
    let more = json!({
        "children": [{ "paragraph": { "rich_text": [{ "text": { "content": "Second" } }] } }],
        "position": { "type": "after_block", "after_block": { "id": first } },
    });
    assert_eq!(
        ada.send("PATCH", &format!("/blocks/{id}/children"), more)
            .await
            .status,
        200
    );
    assert_eq!(
        ada.get(&path).await.json["markdown"],
        "# Plan\nSecond\nShip on Monday\n- [x] Call"
    );
    assert_eq!(
        ada.send("DELETE", &format!("/blocks/{box_id}"), Value::Null)
            .await
            .json["in_trash"],
        true
    );

    let trashed = ada
        .send("PATCH", &format!("/pages/{id}"), json!({ "in_trash": true }))
        .await;
    assert_eq!(trashed.json["in_trash"], true);
    let old = ada
        .send("PATCH", &format!("/pages/{id}"), json!({ "archived": true }))
        .await;
    assert_eq!(
        old.json["code"], "validation_error",
        "this version has no `archived`"
    );
}

#[tokio::test]
async fn rows_are_added_found_and_changed() {
    let wire = Wire::start(Options::default()).await;
    let ada = User::connect(&wire, "ada").await;
    let source = ada
        .find(json!({ "filter": { "property": "object", "value": "data_source" } }))
        .await;
    let described = ada.get(&format!("/data_sources/{source}")).await;
    let database = described.json["parent"]["database_id"].clone();
    let properties = json!({
        "Name": { "title": [{ "text": { "content": "Call Ada about the very special thing" } }] },
        "Status": { "status": { "name": "In progress" } },
        "Due": { "date": { "start": "2026-03-09" } },
    });
    let row = ada
        .send(
            "POST",
            "/pages",
            json!({ "parent": { "database_id": database }, "properties": properties }),
        )
        .await;
    assert_eq!(row.status, 200, "{}", row.json);
    let filter = json!({ "and": [
        { "property": "Name", "title": { "contains": "very special" } },
        { "property": "Due", "date": { "on_or_before": "2026-03-09" } },
    ] });
    let path = format!("/data_sources/{source}/query");
    let found = ada.send("POST", &path, json!({ "filter": filter })).await;
    assert_eq!(found.json["results"][0]["id"], row.json["id"]);
    assert_eq!(found.json["results"].as_array().map(Vec::len), Some(1));

    let id = row.json["id"].as_str().expect("an id");
    let bad = json!({ "properties": { "Status": { "status": { "name": "Nope" } } } });
    assert_eq!(ada.send("PATCH", &format!("/pages/{id}"), bad).await.status, 400);
    let done = json!({ "properties": { "Status": { "status": { "name": "Done" } } } });
    let changed = ada.send("PATCH", &format!("/pages/{id}"), done).await;
    assert_eq!(changed.json["properties"]["Status"]["status"]["name"], "Done");

    let column =
        json!({ "properties": { "Due": { "name": "Deadline" }, "Ready": null, "Effort": { "number": {} } } });
    let changed = ada
        .send("PATCH", &format!("/data_sources/{source}"), column)
        .await;
    assert!(changed.json["properties"].get("Deadline").is_some());
    let read = ada.get(&format!("/pages/{id}")).await;
    assert_eq!(read.json["properties"]["Deadline"]["date"]["start"], "2026-03-09");
    assert!(read.json["properties"].get("Ready").is_none());
    assert!(read.json["properties"]["Effort"]["number"].is_null());
}

#[tokio::test]
async fn comments_are_read_back_and_users_are_apart() {
    let wire = Wire::start(Options::default()).await;
    let (ada, grace) = (
        User::connect(&wire, "ada").await,
        User::connect(&wire, "grace").await,
    );
    let home = ada.find(json!({ "query": "Home" })).await;
    let comment =
        json!({ "parent": { "page_id": home }, "rich_text": [{ "text": { "content": "Still right?" } }] });
    assert_eq!(ada.send("POST", "/comments", comment).await.status, 200);
    let read = ada.get(&format!("/comments?block_id={home}")).await;
    assert_eq!(
        read.json["results"][0]["rich_text"][0]["plain_text"],
        "Still right?"
    );

    let missing = grace.get(&format!("/pages/{home}")).await;
    assert_eq!(
        (missing.status, &missing.json["code"]),
        (404, &json!("object_not_found"))
    );
    let people = grace.get("/users").await;
    assert_eq!(
        people.json["results"][0]["person"]["email"],
        "grace@grace.example"
    );
    let id = people.json["results"][0]["id"].as_str().expect("an id");
    assert_eq!(grace.get(&format!("/users/{id}")).await.json["name"], "grace");
}

#[tokio::test]
async fn a_version_is_needed_and_too_many_requests_are_told_to_wait() {
    let wire = Wire::start(Options {
        notion_budget: Some(Budget {
            requests: 1,
            window_ms: 60_000,
        }),
        ..Options::default()
    })
    .await;
    let ada = User::connect(&wire, "ada").await;
    let bearer = format!("Bearer {}", ada.token);
    let headers = [("authorization", bearer.as_str())];
    let without = wire
        .send("GET", "/notion/v1/users/me", &headers, &Value::Null)
        .await;
    assert_eq!(
        (without.status, &without.json["code"]),
        (400, &json!("missing_version"))
    );
    assert_eq!(ada.get("/users/me").await.status, 200);
    let over = ada.get("/users/me").await;
    assert_eq!((over.status, &over.json["code"]), (429, &json!("rate_limited")));
    assert!(over.headers.contains_key("retry-after"));
}
