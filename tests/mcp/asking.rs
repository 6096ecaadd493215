//! A tool whose account is not connected: a question where the client can ask one, a link in words
//! where it cannot.

use std::time::Duration;

use serde_json::{Value, json};

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
