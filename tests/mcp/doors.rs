//! Who comes in, to what, and from where.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use valetkey_tests::TestHost;

use crate::rig::{LEGACY, MODERN, Message, Rig, Session, get, last, legacy, listed, server, session, text};

fn list() -> Message {
    Message::new("tools/list", json!({}))
}

#[tokio::test]
async fn a_session_token_opens_its_own_url_and_nothing_else() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let other = server(host, "other", json!({})).await;
    let elsewhere = session(host, &other, "ada", json!({})).await;
    let connection = host
        .api(
            Method::POST,
            "/api/v1/connections/hubspot/sessions",
            json!({"identifier": "ada"}),
        )
        .await
        .expect(201);
    let connection_url = connection["session"]["url"].as_str().expect("a URL").to_owned();
    let unknown = format!(
        "{}/mcp/servers/mcp_00000000000000000000000000000000",
        host.base_url
    );

    assert_eq!(list().send(host, &rig.ada).await.status, 200);
    let mut answers = BTreeSet::new();
    let api_token = host.token();
    for (url, token) in [
        (&rig.ada.url, None),
        (&rig.ada.url, Some(elsewhere.token.as_str())),
        (&rig.ada.url, Some(connection["token"].as_str().expect("a token"))),
        (&rig.ada.url, Some(api_token.as_str())),
        (&rig.ada.url, Some("vkm_nonsense")),
        (&other.url, Some(rig.ada.token.as_str())),
        (&connection_url, Some(rig.ada.token.as_str())),
        (&unknown, Some(rig.ada.token.as_str())),
    ] {
        let answer = list().send_as(host, url, token).await;
        assert_eq!(answer.status, 401, "{url}: {}", answer.text());
        let challenge = answer.header("www-authenticate");
        let path = url.strip_prefix(&host.base_url).expect("our URL");
        let metadata = format!(
            "resource_metadata=\"{}/.well-known/oauth-protected-resource{path}\"",
            host.base_url
        );
        assert!(
            challenge.starts_with("Bearer ") && challenge.contains(&metadata),
            "{challenge}"
        );
        assert_eq!(
            challenge.contains("error=\"invalid_token\""),
            token.is_some(),
            "{challenge}"
        );
        answers.insert(answer.text());
    }
    assert_eq!(answers.len(), 1, "one answer for every bad token");

    let query = format!("{}?access_token={}", rig.ada.url, rig.ada.token);
    assert_eq!(list().send_as(host, &query, None).await.status, 401);
    let bearer = format!("Bearer {}", rig.ada.token);
    let rest = get(
        host,
        &format!("{}/api/v1/tools", host.base_url),
        &[("authorization", &bearer)],
    )
    .await;
    assert_eq!(rest.status, 401, "a session token is no access token");
}

#[tokio::test]
async fn metadata_names_the_resource_and_nothing_of_what_is_there() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let of = |path: &str| format!("{}/.well-known/oauth-protected-resource{path}", host.base_url);
    let path = rig.ada.url.strip_prefix(&host.base_url).expect("our URL");
    let there = get(host, &of(path), &[]).await.expect(200);
    assert_eq!(there["resource"], rig.ada.url.as_str());
    assert_eq!(there["bearer_methods_supported"], json!(["header"]));
    let nothing = "/mcp/servers/mcp_00000000000000000000000000000000";
    let absent = get(host, &of(nothing), &[]).await.expect(200);
    assert_eq!(
        there.to_string().replace(path, nothing),
        absent.to_string(),
        "a server that is not there looks the same"
    );
    assert_eq!(get(host, &of("/mcp/servers/nonsense"), &[]).await.status, 404);
}

#[tokio::test]
async fn a_session_ends_with_its_time_by_revocation_with_its_server_and_with_its_client() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let short = session(host, &rig.server, "ada", json!({"ttl_seconds": 60})).await;
    host.clock().advance(Duration::from_secs(61));
    assert_eq!(list().send(host, &short).await.status, 401);
    assert_eq!(list().send(host, &rig.ada).await.status, 200);

    let revoked = session(host, &rig.server, "ada", json!({})).await;
    let path = format!("/api/v1/mcp_servers/{}/sessions/{}", rig.server.id, revoked.id);
    host.api(Method::DELETE, &path, Value::Null).await.expect(204);
    assert_eq!(list().send(host, &revoked).await.status, 401);
    host.api(Method::DELETE, &path, Value::Null).await.expect(404);

    let gone = server(host, "gone", json!({})).await;
    let on_gone = session(host, &gone, "ada", json!({})).await;
    host.api(
        Method::DELETE,
        &format!("/api/v1/mcp_servers/{}", gone.id),
        Value::Null,
    )
    .await
    .expect(204);
    assert_eq!(list().send(host, &on_gone).await.status, 401);

    let client = valetkey::id::ClientId::new(host.client_id.as_str()).expect("an id");
    let removed = host
        .runtime
        .access
        .remove_client(&client, &valetkey::journal::Actor::Operator)
        .await;
    removed.expect("removed");
    assert_eq!(list().send(host, &rig.ada).await.status, 401);
}

#[tokio::test]
async fn sessions_survive_a_restart_and_their_tokens_are_nowhere_on_the_disk() {
    let host = TestHost::start().await;
    host.install_bundled("hubspot").await;
    let all = server(&host, "all", json!({})).await;
    let ada = session(&host, &all, "ada-the-first", json!({})).await;
    let stopped = host.stop().await;
    let mut folders = vec![stopped.data_dir().to_owned()];
    let needles: [&[u8]; 2] = [ada.token.as_bytes(), b"ada-the-first"];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("a file");
            for needle in needles {
                let found = bytes.windows(needle.len()).any(|window| window == needle);
                assert!(
                    !found,
                    "{} in {}",
                    String::from_utf8_lossy(needle),
                    path.display()
                );
            }
        }
    }
    let host = stopped.start().await;
    let again = Session {
        url: format!("{}/mcp/servers/{}", host.base_url, all.id),
        ..ada
    };
    assert_eq!(list().send(&host, &again).await.status, 200);
}

#[tokio::test]
async fn another_environments_servers_and_sessions_are_as_if_they_were_not_there() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let environment = valetkey::id::EnvironmentId::new("other").expect("a name");
    let access = &host.runtime.access;
    let operator = valetkey::journal::Actor::Operator;
    access
        .add_environment(&environment, &operator)
        .await
        .expect("made");
    let scopes = valetkey::access::Scope::ALL.into_iter().collect();
    let client = access
        .add_client(&environment, "other", scopes, &operator)
        .await
        .expect("made");
    let token = access
        .issue(client.client_id.as_str(), &client.secret, None)
        .await
        .expect("issued");
    let bearer = format!("Bearer {}", token.token.expose());
    let nobody = "mcp_00000000000000000000000000000000";
    let nobodys = "mses_00000000000000000000000000000000";
    let theirs = &rig.server.id;
    for (method, path, body) in [
        (Method::GET, "SERVER".to_owned(), ""),
        (Method::PATCH, "SERVER".to_owned(), "{}"),
        (Method::DELETE, "SERVER".to_owned(), ""),
        (Method::GET, "SERVER/auth_state?identifier=ada".to_owned(), ""),
        (Method::GET, "SERVER/sessions".to_owned(), ""),
        (
            Method::POST,
            "SERVER/sessions".to_owned(),
            "{\"identifier\":\"ada\"}",
        ),
        (Method::DELETE, "SERVER/sessions/SESSION".to_owned(), ""),
    ] {
        let mut answers = Vec::new();
        for (server, session) in [(theirs.as_str(), rig.ada.id.as_str()), (nobody, nobodys)] {
            let path = path.replace("SERVER", server).replace("SESSION", session);
            let headers = [
                ("authorization", bearer.as_str()),
                ("content-type", "application/json"),
            ];
            let url = format!("{}/api/v1/mcp_servers/{path}", host.base_url);
            let answer = host
                .http
                .send(method.clone(), &url, &headers, body.to_owned())
                .await;
            assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text());
            answers.push(answer.text());
        }
        assert_eq!(answers[0], answers[1], "{method} {path}");
    }
    let url = format!("{}/api/v1/mcp_servers", host.base_url);
    let none = get(host, &url, &[("authorization", &bearer)]).await.expect(200);
    assert_eq!(none["items"], json!([]));
    assert_eq!(
        list().send(host, &rig.ada).await.status,
        200,
        "and nothing happened to it"
    );
}

#[tokio::test]
async fn a_server_that_wants_a_second_factor_takes_no_session_token_alone() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let strict = server(host, "strict", json!({"require_api_token": true})).await;
    let ada = session(host, &strict, "ada", json!({})).await;
    let refused = list().send(host, &ada).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.header("www-authenticate").contains("insufficient_scope"));
    for wrong in ["nonsense", ada.token.as_str()] {
        let answer = list()
            .header("x-valetkey-api-token", Some(wrong))
            .send(host, &ada)
            .await;
        assert_eq!(answer.status, 403, "{wrong}");
    }
    let token = host.token();
    let answer = list()
        .header("x-valetkey-api-token", Some(&token))
        .send(host, &ada)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let alone = list().send_as(host, &ada.url, Some(&token)).await;
    assert_eq!(alone.status, 401, "nor the second factor alone");
}

#[tokio::test]
async fn foreign_origins_hosts_and_methods_are_refused() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    for (origin, status) in [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://localhost.evil.example", 403),
        (host.base_url.as_str(), 200),
        ("http://localhost:3000", 200),
    ] {
        let answer = list().header("origin", Some(origin)).send(host, &rig.ada).await;
        assert_eq!(answer.status.as_u16(), status, "{origin}: {}", answer.text());
        assert!(answer.headers.get("access-control-allow-origin").is_none());
    }
    let answer = list()
        .header("host", Some("evil.example"))
        .send(host, &rig.ada)
        .await;
    assert_eq!(answer.status, 421);
    let bearer = format!("Bearer {}", rig.ada.token);
    for method in [Method::GET, Method::DELETE] {
        let headers = [
            ("authorization", bearer.as_str()),
            ("mcp-session-id", "x"),
            ("last-event-id", "1"),
            ("accept", "text/event-stream"),
        ];
        let answer = host.http.send(method.clone(), &rig.ada.url, &headers, "").await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), "POST");
    }
    let ignored = list()
        .header("mcp-session-id", Some("another's"))
        .header("last-event-id", Some("1"))
        .send(host, &rig.ada)
        .await;
    assert_eq!(ignored.status, 200);
    assert!(
        ignored.headers.get("mcp-session-id").is_none(),
        "no session in the transport"
    );
}

#[tokio::test]
async fn headers_that_contradict_the_body_and_malformed_messages_are_refused() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    rig.world.vendors.log().clear();
    let call = || Message::call("hubspot_whoami", json!({}));
    for (header, value) in [
        ("mcp-protocol-version", Some(LEGACY)),
        ("mcp-protocol-version", None),
        ("mcp-method", Some("tools/list")),
        ("mcp-method", None),
        ("mcp-name", Some("hubspot_contacts_search")),
        ("mcp-name", Some("HUBSPOT_WHOAMI")),
        ("mcp-name", Some("=?base64?aHVic3BvdF9jb250YWN0c19zZWFyY2g=?=")),
        ("mcp-name", None),
    ] {
        let answer = call().header(header, value).send(host, &rig.ada).await;
        assert_eq!(answer.status, 400, "{header} {value:?}: {}", answer.text());
        assert_eq!(
            last(&answer)["error"]["code"],
            -32020,
            "{header} {value:?}: {}",
            answer.text()
        );
    }
    let encoded = call().header("mcp-name", Some("=?base64?aHVic3BvdF93aG9hbWk=?="));
    assert_eq!(
        encoded.send(host, &rig.ada).await.status,
        200,
        "the same name, encoded"
    );
    assert_eq!(rig.world.vendors.log().count(valetkey_vendors::Side::Api), 1);

    let unknown = Message::new("unknown/method", json!({}))
        .send(host, &rig.ada)
        .await;
    assert_eq!(
        (unknown.status.as_u16(), &last(&unknown)["error"]["code"]),
        (404, &json!(-32601))
    );

    let bearer = format!("Bearer {}", rig.ada.token);
    let post = async |body: String, kind: &str| {
        let headers = [
            ("authorization", bearer.as_str()),
            ("accept", "application/json, text/event-stream"),
            ("content-type", kind),
            ("mcp-protocol-version", MODERN),
        ];
        host.http.send(Method::POST, &rig.ada.url, &headers, body).await
    };
    let one = call().body();
    for (body, kind) in [
        (json!([one, one]).to_string(), "application/json"),
        ("{".to_owned(), "application/json"),
        ("7".to_owned(), "application/json"),
        (one.to_string(), "text/plain"),
        (
            format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200)),
            "application/json",
        ),
    ] {
        let answer = post(body.clone(), kind).await;
        assert!(answer.status.is_client_error(), "{} for {body}", answer.status);
    }
    let large = post(format!("\"{}\"", "x".repeat(1_100_000)), "application/json").await;
    assert_eq!(large.status, 413);
}

#[tokio::test]
async fn both_eras_are_served_on_one_url() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let hello = legacy(
        host,
        &rig.ada,
        "initialize",
        json!({"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}),
    )
    .await;
    assert_eq!(hello["result"]["protocolVersion"], LEGACY, "{hello}");
    assert_eq!(hello["result"]["serverInfo"]["name"], "all");
    assert!(hello["result"]["capabilities"]["prompts"].is_null());
    let old = legacy(host, &rig.ada, "tools/list", json!({})).await;
    let new = Message::new("tools/list", json!({})).result(host, &rig.ada).await;
    assert_eq!(crate::rig::names(&old["result"]), crate::rig::names(&new));
    assert_eq!(
        (&new["cacheScope"], &new["resultType"]),
        (&json!("private"), &json!("complete"))
    );
    assert!(old["result"]["resultType"].is_null());
    let discovered = Message::new("server/discover", json!({}))
        .result(host, &rig.ada)
        .await;
    let versions = discovered["supportedVersions"].as_array().expect("versions");
    assert!(versions.contains(&json!(MODERN)) && versions.contains(&json!(LEGACY)));
    assert_eq!(discovered["cacheScope"], "private");

    for result in [
        legacy(host, &rig.ada, "tools/call", json!({"name": "hubspot_whoami"})).await["result"].clone(),
        Message::call("hubspot_whoami", json!({}))
            .result(host, &rig.ada)
            .await,
    ] {
        let twin: Value = serde_json::from_str(text(&result)).expect("JSON");
        assert_eq!(
            twin, result["structuredContent"],
            "text and structure say the same"
        );
    }
}

#[tokio::test]
async fn lists_are_in_order_and_describe_every_tool_in_full() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let result = Message::new("tools/list", json!({})).result(host, &rig.ada).await;
    let listed = listed(host, &rig.ada).await;
    let mut sorted = listed.clone();
    sorted.sort();
    assert_eq!(listed, sorted);
    assert!(listed.len() > 35 && result["nextCursor"].is_null(), "one page");
    for tool in result["tools"].as_array().expect("tools") {
        let annotations = &tool["annotations"];
        for hint in [
            "readOnlyHint",
            "destructiveHint",
            "idempotentHint",
            "openWorldHint",
        ] {
            assert!(annotations[hint].is_boolean(), "{tool}");
        }
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        assert!(
            tool["description"].as_str().is_some_and(|text| !text.is_empty()),
            "{tool}"
        );
    }
}
