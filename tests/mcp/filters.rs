//! What a server and a session show is what can be called, by every road.

use http::Method;
use serde_json::{Value, json};

use valetkey_tests::world::connection;
use valetkey_vendors::Side;

use crate::rig::{Message, Rig, Session, legacy, listed, server, session, text};

/// A call that must not be there, by every road: nothing reaches the vendor.
async fn assert_hidden(rig: &Rig, session: &Session, tool: &str) {
    let host = &rig.world.host;
    rig.world.vendors.log().clear();
    let name: &str = &tool.to_uppercase();
    for tool in [tool, name] {
        let error = Message::call(tool, json!({})).error(host, session).await;
        assert_eq!(error["code"], -32602, "{tool}: {error}");
        assert_eq!(error["message"], format!("Unknown tool: {tool}"));
    }
    let old = legacy(
        host,
        session,
        "tools/call",
        json!({"name": tool, "arguments": {}}),
    )
    .await;
    assert_eq!(old["error"]["code"], -32602, "{old}");
    assert_eq!(
        rig.world.vendors.log().entries().len(),
        0,
        "nothing reached the vendor"
    );
}

#[tokio::test]
async fn every_filter_holds_in_the_list_and_in_the_call() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let only = |tools: Value| json!({"mappings": [{"connection_name": "hubspot", "tools": tools}]});
    for (name, more, asked, shown, hidden) in [
        (
            "connection",
            only(json!([])),
            json!({}),
            "hubspot_whoami",
            "gmail_whoami",
        ),
        (
            "tools",
            only(json!(["hubspot_whoami"])),
            json!({}),
            "hubspot_whoami",
            "hubspot_contacts_search",
        ),
        (
            "tags",
            json!({"tags": ["owners"]}),
            json!({}),
            "hubspot_owners_list",
            "hubspot_whoami",
        ),
        (
            "reads",
            json!({"read_only": true}),
            json!({}),
            "hubspot_whoami",
            "hubspot_contact_create",
        ),
        (
            "writes",
            json!({"read_only": false}),
            json!({}),
            "hubspot_contact_create",
            "hubspot_whoami",
        ),
        (
            "session",
            json!({}),
            json!({"access_level": "READ_ONLY"}),
            "hubspot_whoami",
            "hubspot_contact_create",
        ),
        (
            "allowed",
            json!({}),
            json!({"tools": ["hubspot_whoami"]}),
            "hubspot_whoami",
            "hubspot_owners_list",
        ),
    ] {
        let server = server(host, name, more).await;
        let session = session(host, &server, "ada", asked).await;
        let listed = listed(host, &session).await;
        assert!(listed.iter().any(|tool| tool == shown), "{name}: {listed:?}");
        assert!(!listed.iter().any(|tool| tool == hidden), "{name}: {listed:?}");
        assert_hidden(&rig, &session, hidden).await;
    }
}

#[tokio::test]
async fn search_mode_shows_four_tools_and_keeps_every_filter() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let large = server(
        host,
        "large",
        json!({"search": "on", "mappings": [{"connection_name": "hubspot"}]}),
    )
    .await;
    let ada = session(host, &large, "ada", json!({"access_level": "READ_ONLY"})).await;
    assert_eq!(
        listed(host, &ada).await,
        ["call_read_tool", "call_tool", "get_tool", "search_tools"]
    );

    let found = Message::call("search_tools", json!({"query": "search contacts"}));
    let found = found.result(host, &ada).await["structuredContent"]["tools"].clone();
    assert_eq!(found[0]["name"], "hubspot_contacts_search", "{found}");
    assert!(
        found
            .as_array()
            .expect("tools")
            .iter()
            .all(|tool| tool["read_only"] == true),
        "{found}"
    );
    let tool = Message::call("get_tool", json!({"name": "hubspot_whoami"}))
        .result(host, &ada)
        .await;
    assert_eq!(tool["structuredContent"]["inputSchema"]["type"], "object");

    rig.world.vendors.log().clear();
    for meta in ["call_tool", "call_read_tool"] {
        let answer = Message::call(meta, json!({"name": "hubspot_whoami", "arguments": {}}));
        assert_eq!(answer.result(host, &ada).await["isError"], false, "{meta}");
    }
    assert_eq!(
        rig.world.vendors.log().count(Side::Api),
        2,
        "the same call as by its own name"
    );

    rig.world.vendors.log().clear();
    for meta in ["call_tool", "call_read_tool", "get_tool"] {
        for hidden in [
            "hubspot_contact_create",
            "gmail_whoami",
            "HUBSPOT_WHOAMI",
            "call_tool",
            "",
        ] {
            let error = Message::call(meta, json!({"name": hidden}))
                .error(host, &ada)
                .await;
            assert_eq!(error["code"], -32602, "{meta} {hidden}: {error}");
        }
    }
    let full = session(host, &large, "ada", json!({})).await;
    let refused = Message::call(
        "call_read_tool",
        json!({"name": "hubspot_contact_create", "arguments": {}}),
    );
    let refused = refused.result(host, &full).await;
    assert_eq!(refused["isError"], true);
    assert!(text(&refused).contains("call_tool"), "{refused}");
    assert_eq!(rig.world.vendors.log().count(Side::Api), 0);
}

#[tokio::test]
async fn a_server_in_auto_mode_searches_when_there_are_many_tools() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let few = json!({"search": "auto", "mappings": [{"connection_name": "gmail"}]});
    let few = server(host, "few", few).await;
    let many = server(host, "many", json!({"search": "auto"})).await;
    let few = session(host, &few, "ada", json!({})).await;
    let many = session(host, &many, "ada", json!({})).await;
    assert!(listed(host, &few).await.contains(&"gmail_whoami".to_owned()));
    let total = listed(host, &rig.ada).await.len();
    assert_eq!(
        listed(host, &many).await.len(),
        if total > 40 { 4 } else { total }
    );
}

#[tokio::test]
async fn two_users_of_one_server_reach_their_own_accounts_whatever_their_agents_say() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    rig.world.connect("hubspot", "bob").await;
    let bob = session(host, &rig.server, "bob", json!({})).await;
    rig.world.vendors.log().clear();
    for round in 0..5 {
        for (session, user, other) in [(&rig.ada, "ada", "bob"), (&bob, "bob", "ada")] {
            let tricks = json!({"identifier": other, "user_id": other});
            let tricked = Message::call("hubspot_whoami", tricks)
                .result(host, session)
                .await;
            assert_eq!(tricked["isError"], true, "no parameter names a user: {tricked}");
            let call = Message::call("hubspot_whoami", json!({}))
                .param("_meta", json!({"identifier": other}))
                .header("identifier", Some(other));
            assert_eq!(call.result(host, session).await["isError"], false);
            let entry = rig.world.vendors.log().of(Side::Api).pop().expect("a request");
            assert_eq!(entry.user.as_deref(), Some(user), "round {round}");
        }
    }
    assert_eq!(rig.world.vendors.log().count(Side::Api), 10);
    let recorded = host
        .api(Method::GET, "/api/v1/executions?limit=1", Value::Null)
        .await
        .expect(200);
    assert_eq!(recorded["items"][0]["session"], bob.id.as_str(), "{recorded}");
}

#[tokio::test]
async fn a_tool_on_two_connections_runs_on_the_one_where_the_user_is() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let second = connection("hubspot-two", "hubspot", &rig.world.vendors.base_url);
    host.api(Method::POST, "/api/v1/connections", second)
        .await
        .expect(201);
    let whoami = Message::call("hubspot_whoami", json!({}));
    assert_eq!(
        whoami.result(host, &rig.ada).await["isError"],
        false,
        "connected on one of them"
    );
    rig.world.connect("hubspot-two", "ada").await;
    let refused = whoami.result(host, &rig.ada).await;
    assert_eq!(refused["isError"], true);
    assert!(
        text(&refused).contains("`hubspot-two`"),
        "the choices are named: {refused}"
    );
    let one = server(
        host,
        "one",
        json!({"mappings": [{"connection_name": "hubspot-two"}]}),
    )
    .await;
    let one = session(host, &one, "ada", json!({})).await;
    assert_eq!(whoami.result(host, &one).await["isError"], false);
}

#[tokio::test]
async fn servers_and_sessions_that_make_no_sense_are_refused_with_the_place() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let servers = "/api/v1/mcp_servers";
    for (body, place) in [
        (json!({"name": "Bad Name"}), "/name"),
        (
            json!({"name": "x", "mappings": [{"connection_name": "nothing"}]}),
            "/mappings/0/connection_name",
        ),
        (
            json!({"name": "x", "mappings": [{"connection_name": "hubspot", "tools": ["gmail_whoami"]}]}),
            "/mappings/0/tools",
        ),
        (
            json!({"name": "x", "description": "d".repeat(1_001)}),
            "/description",
        ),
        (json!({"name": "x", "serach": "on"}), "/serach"),
    ] {
        let refused = host.api(Method::POST, servers, body).await.expect(400);
        assert_eq!(refused["error"]["fields"][0]["path"], place, "{refused}");
    }
    let taken = host
        .api(Method::POST, servers, json!({"name": "all"}))
        .await
        .expect(409);
    assert_eq!(taken["error"]["kind"], "conflict");
    let sessions = format!("{servers}/{}/sessions", rig.server.id);
    for (body, place) in [
        (json!({"identifier": "ada", "ttl_seconds": 59}), "/ttl_seconds"),
        (
            json!({"identifier": "ada", "ttl_seconds": 86_401}),
            "/ttl_seconds",
        ),
        (json!({"identifier": "ada", "tools": ["nothing"]}), "/tools"),
        (
            json!({"identifier": "ada", "access_level": "READ_ONLY", "tools": ["hubspot_contact_create"]}),
            "/tools",
        ),
        (json!({"identifier": ""}), "/identifier"),
    ] {
        let refused = host.api(Method::POST, &sessions, body).await.expect(400);
        assert_eq!(refused["error"]["fields"][0]["path"], place, "{refused}");
    }
}

#[tokio::test]
async fn the_state_of_a_users_accounts_is_told_and_links_are_made_on_request() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let two = json!({"mappings": [{"connection_name": "hubspot"}, {"connection_name": "gmail"}]});
    let two = server(host, "two", two).await;
    let path = format!("/api/v1/mcp_servers/{}/auth_state?identifier=ada", two.id);
    let states = host.api(Method::GET, &path, Value::Null).await.expect(200);
    let of = |states: &Value, connection: &str| {
        let items = states["items"].as_array().expect("items").clone();
        let found = items
            .into_iter()
            .find(|item| item["connection_name"] == connection);
        found.expect("the connection")
    };
    assert_eq!(of(&states, "hubspot")["state"], "ACTIVE");
    assert_eq!(of(&states, "gmail")["state"], Value::Null);
    assert!(of(&states, "gmail")["authorization_link"].is_null());

    let path = format!("{path}&include_links=true");
    let states = host.api(Method::GET, &path, Value::Null).await.expect(200);
    assert!(
        of(&states, "hubspot")["authorization_link"].is_null(),
        "nothing to mend"
    );
    let link = of(&states, "gmail")["authorization_link"]
        .as_str()
        .expect("a link")
        .to_owned();
    rig.world.vendors.set_user("ada");
    assert!(host.http.follow(&link).await.status.is_success());
    let states = host.api(Method::GET, &path, Value::Null).await.expect(200);
    assert_eq!(of(&states, "gmail")["state"], "ACTIVE");
}
