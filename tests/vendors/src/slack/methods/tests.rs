//! Methods as the vendor answers them.

use super::*;
use crate::Vendor;

fn session(actor: Actor, scopes: &[&str]) -> Session {
    Session {
        vendor: Vendor::Slack,
        user: "ada".to_owned(),
        actor,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    }
}

fn call(workspace: &mut Workspace, session: &Session, method: &str, query: &str) -> Answer {
    let params = Params::read(&axum::http::HeaderMap::new(), query, b"").unwrap();
    run(workspace, session, method, &params)
}

fn id_of(workspace: &Workspace, name: &str) -> String {
    let found = workspace.channels.values().find(|channel| channel.name == name);
    found.unwrap().id.clone()
}

#[test]
fn a_message_is_read_back_and_answers_count_at_their_root() {
    let mut workspace = Workspace::seeded("ada");
    let ada = session(Actor::Person, &["chat:write", "channels:history"]);
    let general = id_of(&workspace, "general");
    let sent = call(
        &mut workspace,
        &ada,
        "chat.postMessage",
        &format!("channel={general}&text=Hello"),
    )
    .unwrap();
    let ts = sent["ts"].as_str().unwrap().to_owned();
    let answer = format!("channel={general}&text=Yes&thread_ts={ts}");
    call(&mut workspace, &ada, "chat.postMessage", &answer).unwrap();

    let history = call(
        &mut workspace,
        &ada,
        "conversations.history",
        &format!("channel={general}&limit=1"),
    )
    .unwrap();
    assert_eq!(history["messages"][0]["ts"], ts.as_str());
    assert_eq!(history["messages"][0]["reply_count"], 1);
    let thread = call(
        &mut workspace,
        &ada,
        "conversations.replies",
        &format!("channel={general}&ts={ts}"),
    )
    .unwrap();
    assert_eq!(thread["messages"][1]["text"], "Yes");
}

#[test]
fn pages_hold_every_message_once() {
    let mut workspace = Workspace::seeded("ada");
    let ada = session(Actor::Person, &["channels:history"]);
    let general = id_of(&workspace, "general");
    let mut seen = BTreeSet::new();
    let mut next = String::new();
    loop {
        let query = format!("channel={general}&limit=20&cursor={next}");
        let page = call(&mut workspace, &ada, "conversations.history", &query).unwrap();
        for message in page["messages"].as_array().unwrap() {
            assert!(seen.insert(message["ts"].as_str().unwrap().to_owned()));
        }
        match page["response_metadata"]["next_cursor"].as_str() {
            Some(cursor) => next = cursor.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 45);
}

#[test]
fn what_was_not_granted_and_what_a_bot_may_not_are_refused() {
    let mut workspace = Workspace::seeded("ada");
    let bot = session(Actor::Application, &["chat:write", "search:read"]);
    let error = |answer: Answer| answer.unwrap_err().error;
    assert_eq!(
        error(call(&mut workspace, &bot, "users.list", "")),
        "missing_scope"
    );
    assert_eq!(
        error(call(&mut workspace, &bot, "search.messages", "query=x")),
        "not_allowed_token_type"
    );
    let support = id_of(&workspace, "support");
    let post = format!("channel={support}&text=x");
    assert_eq!(
        error(call(&mut workspace, &bot, "chat.postMessage", &post)),
        "not_in_channel"
    );
    let leadership = id_of(&workspace, "leadership");
    let post = format!("channel={leadership}&text=x");
    assert_eq!(
        error(call(&mut workspace, &bot, "chat.postMessage", &post)),
        "channel_not_found"
    );
    assert_eq!(crate::slack::bot_user_id("ada"), workspace.actor(&bot));
}
