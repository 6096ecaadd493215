//! A tool whose account is not connected: a question where the client can ask one, a link in words
//! where it cannot. And what a tool itself asks, by the other door that can answer it.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use valetkey_tests::{TestHost, artifacts};

use crate::rig::{Message, Rig, Session, legacy, server, session, text};

fn whoami() -> Message {
    Message::call("gmail_whoami", json!({}))
}

fn with_urls() -> Message {
    whoami().capabilities(json!({"elicitation": {"form": {}, "url": {}}}))
}

fn accepted(message: Message, state: &Value) -> Message {
    message
        .param("inputResponses", json!({"connect": {"action": "accept"}}))
        .param("requestState", state.clone())
}

fn link_in(words: &str) -> String {
    let begin = words.find("http://").expect("a link");
    words[begin..]
        .split_whitespace()
        .next()
        .expect("a link")
        .to_owned()
}

#[tokio::test]
async fn a_client_that_cannot_ask_gets_the_link_in_words_and_goes_on_when_it_was_opened() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let old = legacy(host, &rig.ada, "tools/call", json!({"name": "gmail_whoami"})).await["result"].clone();
    for refused in [
        old,
        whoami().result(host, &rig.ada).await,
        whoami()
            .capabilities(json!({"elicitation": {}}))
            .result(host, &rig.ada)
            .await,
    ] {
        assert_eq!(refused["isError"], true, "{refused}");
        assert!(text(&refused).to_lowercase().contains("gmail"), "{refused}");
        assert!(link_in(text(&refused)).starts_with(&format!("{}/connect/", host.base_url)));
        // The first answer's link made the account, which nobody has authorized since.
        let kind = refused["_meta"]["valetkey/error"]["error"]["kind"].as_str();
        assert!(
            matches!(kind, Some("account_not_found" | "account_not_active")),
            "{refused}"
        );
    }
    let refused = whoami().result(host, &rig.ada).await;
    let link = link_in(text(&refused));
    assert_eq!(
        link,
        link_in(text(&whoami().result(host, &rig.ada).await)),
        "one open link, not many"
    );
    rig.world.vendors.set_user("ada");
    assert!(host.http.follow(&link).await.status.is_success());
    assert_eq!(whoami().result(host, &rig.ada).await["isError"], false);
}

#[tokio::test]
async fn a_client_that_can_open_urls_is_asked_and_the_call_goes_on_after_the_user_connected() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let asked = with_urls().result(host, &rig.ada).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let request = &asked["inputRequests"]["connect"];
    assert_eq!(request["method"], "elicitation/create");
    assert_eq!(request["params"]["mode"], "url");
    let link = request["params"]["url"].as_str().expect("a URL").to_owned();
    let state = &asked["requestState"];
    assert!(!state.as_str().expect("a state").contains("ada"));

    // The user opens the link while the client already waits for the retry.
    let retry = accepted(with_urls(), state);
    rig.world.vendors.set_user("ada");
    let opening = async {
        assert!(host.http.follow(&link).await.status.is_success());
    };
    let (result, ()) = tokio::join!(retry.result(host, &rig.ada), opening);
    assert_eq!(result["resultType"], "complete", "{result}");
    assert_eq!(result["isError"], false);
}

#[tokio::test]
async fn a_user_who_declines_is_not_asked_again_by_the_same_call() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let asked = with_urls().result(host, &rig.ada).await;
    for action in ["decline", "cancel"] {
        let retry = with_urls()
            .param("inputResponses", json!({"connect": {"action": action}}))
            .param("requestState", asked["requestState"].clone());
        let result = retry.result(host, &rig.ada).await;
        assert_eq!(result["isError"], true, "{result}");
    }
}

#[tokio::test]
async fn the_state_of_a_question_is_good_for_its_user_tool_and_arguments_and_for_ten_minutes() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let asked = with_urls().result(host, &rig.ada).await;
    let state = &asked["requestState"];
    let bob = session(host, &rig.server, "bob", json!({})).await;
    let other = server(host, "other", json!({})).await;
    let elsewhere = session(host, &other, "ada", json!({})).await;
    let text = state.as_str().expect("a state").to_owned();
    let refused = async |message: Message, session: &Session, what: &str| {
        let error = message.error(host, session).await;
        assert_eq!(error["code"], -32602, "{what}: {error}");
    };
    let urls = json!({"elicitation": {"url": {}}});
    refused(
        accepted(with_urls(), &json!(format!("{text}x"))),
        &rig.ada,
        "longer",
    )
    .await;
    refused(accepted(with_urls(), &json!(&text[1..])), &rig.ada, "shorter").await;
    refused(accepted(with_urls(), &json!("")), &rig.ada, "empty").await;
    refused(accepted(with_urls(), state), &bob, "another user").await;
    refused(accepted(with_urls(), state), &elsewhere, "another server").await;
    let tool = Message::call("gmail_list_labels", json!({})).capabilities(urls.clone());
    refused(accepted(tool, state), &rig.ada, "another tool").await;
    let arguments = Message::call("gmail_whoami", json!({"a": 1})).capabilities(urls);
    refused(accepted(arguments, state), &rig.ada, "other arguments").await;
    host.clock().advance(Duration::from_secs(601));
    refused(accepted(with_urls(), state), &rig.ada, "too old").await;
}

#[tokio::test]
async fn an_account_that_the_vendor_no_longer_takes_is_mended_by_its_link() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    rig.world
        .vendors
        .revoke_grants(valetkey_vendors::Vendor::Hubspot, Some("ada"));
    let call = Message::call("hubspot_whoami", json!({}));
    let refused = call.result(host, &rig.ada).await;
    assert_eq!(refused["isError"], true);
    let link = link_in(text(&refused));
    rig.world.vendors.set_user("ada");
    assert!(host.http.follow(&link).await.status.is_success());
    assert_eq!(call.result(host, &rig.ada).await["isError"], false);
}

/// A host with the fixture tools, and `ada` and `bob` with an account for them.
async fn host_that_asks() -> TestHost {
    let host = TestHost::start().await;
    let with_notes = artifacts::connector_with("test", |manifest| {
        for tool in &mut manifest.tools {
            tool.input["properties"]["note"] = json!({"type": "string", "description": "Goes nowhere."});
        }
    });
    host.install(with_notes).await.expect(200);
    let connection = json!({"connection_name": "test", "connector": "test"});
    host.api(Method::POST, "/api/v1/connections", connection)
        .await
        .expect(201);
    for user in ["ada", "bob"] {
        let account = json!({"connection_name": "test", "identifier": user});
        host.api(Method::POST, "/api/v1/connected_accounts", account)
            .await
            .expect(200);
    }
    host
}

fn execute(user: &str, tool: &str, more: &Value) -> Value {
    let mut body = json!({"tool_name": tool, "identifier": user, "params": {}});
    let more = more.as_object().expect("members").clone();
    body.as_object_mut().expect("members").extend(more);
    body
}

#[tokio::test]
async fn what_a_tool_asks_over_rest_is_answered_over_rest_and_its_state_comes_back_as_it_was() {
    let host = host_that_asks().await;
    let path = "/api/v1/execute_tool";
    let tool = "test_input_required_result_multi_round";
    let first = host
        .api(Method::POST, path, execute("ada", tool, &json!({})))
        .await
        .expect(200)["data"]
        .clone();
    assert!(
        first["inputRequests"]["step1"]["params"]["requestedSchema"].is_object(),
        "{first}"
    );
    let said = json!({
        "input_responses": {"step1": {"action": "accept", "content": {"name": "Grace"}}},
        "request_state": first["requestState"],
    });
    let second = host
        .api(Method::POST, path, execute("ada", tool, &said))
        .await
        .expect(200)["data"]
        .clone();
    let state = second["requestState"].as_str().expect("a state");
    assert!(
        !state.contains("Grace"),
        "what the tool keeps is nobody's to read: {state}"
    );
    let said = json!({
        "input_responses": {"step2": {"action": "accept", "content": {"color": "green"}}},
        "request_state": state,
    });
    let third = host
        .api(Method::POST, path, execute("ada", tool, &said))
        .await
        .expect(200)["data"]
        .clone();
    assert_eq!(third["content"][0]["text"], "Grace likes green.");
}

#[tokio::test]
async fn over_rest_a_state_is_good_for_its_account_tool_and_input_and_for_ten_minutes() {
    let host = host_that_asks().await;
    let path = "/api/v1/execute_tool";
    let tool = "test_input_required_result_request_state";
    let asked = host
        .api(Method::POST, path, execute("ada", tool, &json!({})))
        .await
        .expect(200)["data"]
        .clone();
    let state = asked["requestState"].as_str().expect("a state").to_owned();
    let answers = |state: &str| json!({"input_responses": {"confirm": {"action": "accept", "content": {"ok": true}}}, "request_state": state});
    let refused = async |body: Value, what: &str| {
        let error = host.api(Method::POST, path, body).await.expect(400);
        assert_eq!(error["error"]["kind"], "invalid_input", "{what}: {error}");
        assert_eq!(
            error["error"]["fields"][0]["path"], "/request_state",
            "{what}: {error}"
        );
    };
    refused(execute("ada", tool, &answers("asked")), "the tool's own words").await;
    refused(execute("ada", tool, &answers(&state[1..])), "shorter").await;
    refused(execute("bob", tool, &answers(&state)), "another user").await;
    let mut noted = execute("ada", tool, &answers(&state));
    noted["params"]["note"] = json!("another");
    refused(noted, "another input").await;
    let other = "test_input_required_result_elicitation";
    refused(execute("ada", other, &answers(&state)), "another tool").await;
    let done = host
        .api(Method::POST, path, execute("ada", tool, &answers(&state)))
        .await
        .expect(200);
    assert_eq!(done["data"]["content"][0]["text"], "state-ok");
    host.clock().advance(Duration::from_secs(601));
    refused(execute("ada", tool, &answers(&state)), "too old").await;
}

#[tokio::test]
async fn a_tool_asks_over_rest_by_the_means_that_the_caller_names() {
    let host = host_that_asks().await;
    let path = "/api/v1/execute_tool";
    let tool = "test_input_required_result_capabilities";
    let nobody = host
        .api(Method::POST, path, execute("ada", tool, &json!({})))
        .await
        .expect(200);
    assert_eq!(
        nobody["data"]["content"][0]["text"],
        "This client can ask nobody."
    );
    let can = json!({"client_capabilities": ["elicitation"]});
    let asked = host
        .api(Method::POST, path, execute("ada", tool, &can))
        .await
        .expect(200);
    let keys: Vec<_> = asked["data"]["inputRequests"]
        .as_object()
        .expect("questions")
        .keys()
        .collect();
    assert_eq!(keys, ["user_name"]);
    let wrong = json!({"client_capabilities": ["elicitation,sampling"]});
    let refused = host
        .api(Method::POST, path, execute("ada", tool, &wrong))
        .await
        .expect(400);
    assert_eq!(refused["error"]["fields"][0]["path"], "/client_capabilities");
}
