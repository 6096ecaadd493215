//! Slack's tools against a workspace that exists.

use http::Method;
use serde_json::{Value, json};

use super::rig::{CLIENT_SECRET, Rig, Vendor, texts};

const SLACK: Vendor = Vendor {
    connector: "slack",
    service: "slack",
    endpoints: &[("api", "/api"), ("files", ""), ("upload", "/upload")],
    authorize: "/oauth/v2/authorize",
    token: "/api/oauth.v2.access",
    revoke: None,
    issued: "/authed_user/access_token",
    applications: "oauth_apps",
};

/// The emulator answers these methods with 404.
const GAPS: [(&str, &str); 3] = [
    ("slack_search_messages", "the emulator has no search"),
    ("slack_list_user_groups", "the emulator has no user groups"),
    ("slack_list_emoji", "the emulator has no list of emoji"),
];

/// A token of the seed, with which the test does what no tool does.
const SEEDED: &str = "xoxp-emulated-seeded";

fn seed() -> Value {
    let person =
        |name: &str| json!({"name": name, "real_name": name, "email": format!("{name}@team.example")});
    let channel = |name: &str, private: bool| json!({"name": name, "is_private": private});
    json!({
        "strict_scopes": true,
        "team": {"name": "Engines", "domain": "engines"},
        "users": [person("ada"), person("bela"), person("cleo")],
        "channels": [channel("deploy", false), channel("secret", true)],
        "tokens": [{"token": SEEDED, "user": "ada", "scopes": [
            "channels:read", "channels:history", "groups:read", "im:read", "users:read", "users.profile:read",
            "reactions:read", "pins:read", "chat:write", "files:read", "files:write"]}],
    })
}

/// What a method of the emulator itself says.
async fn held(rig: &Rig, method: &str, body: Value) -> Value {
    let path = format!("/api/{method}");
    let answer = rig.direct_as(SEEDED, Method::POST, &path, body).await.expect(200);
    assert_eq!(answer["ok"], true, "{method}: {answer}");
    answer
}

/// What a channel has: the texts of its messages, newest first.
async fn history(rig: &Rig, channel: &Value) -> Vec<String> {
    let said = held(rig, "conversations.history", json!({"channel": channel})).await;
    texts(&said["messages"], "text")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// A parameter beside others.
fn with(params: Value, name: &str, value: &Value) -> Value {
    let mut params = params;
    params[name] = value.clone();
    params
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_changes_what_the_emulator_holds() {
    let Some(rig) = Rig::start(&SLACK, seed()).await else {
        return;
    };
    rig.a_wrong_secret_connects_nobody("ada", "invalid_client_id")
        .await;
    rig.connect("main", "ada", "ada").await;
    let whoami = rig.call("slack_whoami", "ada", json!({})).await;
    assert_eq!(
        (&whoami["user"], &whoami["team"]),
        (&json!("ada"), &json!("Engines"))
    );
    let bela = people_are_found(&rig).await;
    let channel = a_channel_is_made(&rig, &bela).await;
    let ts = messages_are_written(&rig, &channel).await;
    a_message_is_marked(&rig, &channel, &ts).await;
    a_message_is_scheduled(&rig, &channel).await;
    a_file_is_kept(&rig, &channel).await;
    the_rest_of_the_workspace(&rig, &channel, &bela).await;
    what_was_not_granted_is_said(&rig).await;
    a_bot_writes_in_its_own_name(&rig).await;
    rig.covers_all_but(&GAPS);
}

async fn people_are_found(rig: &Rig) -> Value {
    let (people, pages) = rig
        .walk("slack_list_users", "ada", json!({"limit": 2}), "/members")
        .await;
    let people = Value::Array(people);
    let names = texts(&people, "name");
    assert!(
        pages > 1 && ["ada", "bela", "cleo"].iter().all(|name| names.contains(name)),
        "{pages}: {names:?}"
    );
    let by_email = json!({"email": "bela@team.example"});
    let bela = rig.call("slack_lookup_user_by_email", "ada", by_email).await["user"]["id"].clone();
    let read = rig
        .call("slack_get_user_info", "ada", json!({"user": bela}))
        .await;
    assert_eq!(read["user"]["name"], "bela");
    let nobody = json!({"email": "none@team.example"});
    rig.fails("slack_lookup_user_by_email", "ada", nobody, "vendor_not_found")
        .await;
    bela
}

async fn a_channel_is_made(rig: &Rig, bela: &Value) -> Value {
    let made = rig
        .call("slack_create_channel", "ada", json!({"name": "engines"}))
        .await;
    let channel = made["channel"]["id"].clone();
    rig.fails(
        "slack_create_channel",
        "ada",
        json!({"name": "engines"}),
        "vendor_conflict",
    )
    .await;
    let here = json!({"channel": channel});
    rig.call(
        "slack_set_channel_topic",
        "ada",
        json!({"channel": channel, "topic": "Größe"}),
    )
    .await;
    let said = held(rig, "conversations.info", here.clone()).await;
    assert_eq!(said["channel"]["topic"]["value"], "Größe");
    let read = rig
        .call(
            "slack_get_channel_info",
            "ada",
            json!({"channel": channel, "include_num_members": true}),
        )
        .await;
    assert_eq!(
        (&read["channel"]["name"], &read["channel"]["num_members"]),
        (&json!("engines"), &json!(1))
    );
    rig.call(
        "slack_invite_users_to_channel",
        "ada",
        json!({"channel": channel, "users": bela}),
    )
    .await;
    let members = held(rig, "conversations.members", here.clone()).await;
    assert!(
        members["members"].to_string().contains(&bela.to_string()),
        "{members}"
    );
    let listed = rig.call("slack_list_channel_members", "ada", here).await;
    assert_eq!(listed["members"], members["members"]);

    let both = json!({"limit": 2, "types": ["public_channel", "private_channel"]});
    let (channels, pages) = rig.walk("slack_list_channels", "ada", both, "/channels").await;
    let channels = Value::Array(channels);
    let names = texts(&channels, "name");
    assert!(
        pages > 1
            && ["deploy", "engines", "secret"]
                .iter()
                .all(|name| names.contains(name)),
        "{pages}: {names:?}"
    );
    rig.fails(
        "slack_get_channel_info",
        "ada",
        json!({"channel": "C0NONE"}),
        "vendor_not_found",
    )
    .await;
    channel
}

async fn messages_are_written(rig: &Rig, channel: &Value) -> Value {
    let here = |params: Value| with(params, "channel", channel);
    let blocks = json!([{"type": "section", "text": {"type": "mrkdwn", "text": "*Blocks*"}}]).to_string();
    let sent = rig
        .call(
            "slack_send_message",
            "ada",
            here(json!({"text": "Größe & *mehr*"})),
        )
        .await;
    let ts = sent["ts"].clone();
    let reply = rig
        .call(
            "slack_send_message",
            "ada",
            here(json!({"text": "A reply", "thread_ts": ts})),
        )
        .await;
    rig.call(
        "slack_send_message",
        "ada",
        here(json!({"text": "In short", "blocks": blocks})),
    )
    .await;
    let said = held(rig, "conversations.history", here(json!({}))).await;
    assert_eq!(said["messages"][0]["blocks"][0]["text"]["text"], "*Blocks*");
    assert_eq!(history(rig, channel).await[..2], ["In short", "Größe & *mehr*"]);
    // The emulator does not know `markdown_text`, and its refusal is Slack's own.
    rig.fails(
        "slack_send_message",
        "ada",
        here(json!({"markdown_text": "**x**"})),
        "vendor_rejected",
    )
    .await;

    rig.call(
        "slack_update_message",
        "ada",
        here(json!({"ts": ts, "text": "Changed"})),
    )
    .await;
    assert_eq!(history(rig, channel).await[1], "Changed");
    let one_by_one = here(json!({"limit": 1}));
    let first = rig
        .page("slack_fetch_conversation_history", "ada", one_by_one.clone())
        .await;
    assert_eq!(first["data"]["messages"][0]["text"], "In short");
    let second = with(one_by_one, "cursor", &first["next_cursor"]);
    let second = rig.call("slack_fetch_conversation_history", "ada", second).await;
    assert_eq!(second["messages"][0]["text"], "Changed");
    let thread = rig
        .call("slack_get_conversation_replies", "ada", here(json!({"ts": ts})))
        .await;
    assert_eq!(texts(&thread["messages"], "text"), ["Changed", "A reply"]);
    let link = rig
        .call("slack_get_permalink", "ada", here(json!({"message_ts": ts})))
        .await;
    assert!(
        link["permalink"]
            .as_str()
            .is_some_and(|link| link.contains("/archives/")),
        "{link}"
    );

    let old = here(json!({"ts": reply["ts"]}));
    rig.call("slack_delete_message", "ada", old.clone()).await;
    let thread = held(rig, "conversations.replies", here(json!({"ts": ts}))).await;
    assert_eq!(texts(&thread["messages"], "text"), ["Changed"]);
    rig.fails("slack_delete_message", "ada", old, "vendor_not_found")
        .await;
    ts
}

async fn a_message_is_marked(rig: &Rig, channel: &Value, ts: &Value) {
    let at = json!({"channel": channel, "timestamp": ts});
    let tada = with(at.clone(), "name", &json!("tada"));
    rig.call("slack_add_reaction", "ada", tada.clone()).await;
    let said = held(rig, "reactions.get", at.clone()).await;
    assert_eq!(texts(&said["message"]["reactions"], "name"), ["tada"]);
    rig.fails("slack_add_reaction", "ada", tada.clone(), "vendor_conflict")
        .await;
    let read = rig.call("slack_get_reactions", "ada", at.clone()).await;
    assert_eq!(read["message"]["reactions"][0]["count"], 1);
    rig.call("slack_remove_reaction", "ada", tada.clone()).await;
    rig.fails("slack_remove_reaction", "ada", tada, "vendor_not_found")
        .await;

    rig.call("slack_pin_message", "ada", at.clone()).await;
    let here = json!({"channel": channel});
    let said = held(rig, "pins.list", here.clone()).await;
    assert_eq!(said["items"][0]["message"]["ts"], *ts);
    rig.fails("slack_pin_message", "ada", at, "vendor_conflict").await;
    let pins = rig.call("slack_list_pins", "ada", here).await;
    assert_eq!(pins["items"][0]["message"]["text"], "Changed");
}

async fn a_message_is_scheduled(rig: &Rig, channel: &Value) {
    let now = rig.host.clock().now().as_second();
    let at = |seconds: i64| json!({"channel": channel, "text": "Later", "post_at": seconds});
    rig.fails("slack_schedule_message", "ada", at(now - 3600), "vendor_rejected")
        .await;
    let later = rig.call("slack_schedule_message", "ada", at(now + 3600)).await;
    let said = held(rig, "chat.scheduledMessages.list", json!({})).await;
    assert_eq!(said["scheduled_messages"][0]["id"], later["scheduled_message_id"]);
    let listed = rig
        .call(
            "slack_list_scheduled_messages",
            "ada",
            json!({"channel": channel}),
        )
        .await;
    assert_eq!(texts(&listed["scheduled_messages"], "text"), ["Later"]);
    let never = json!({"channel": channel, "scheduled_message_id": later["scheduled_message_id"]});
    rig.call("slack_delete_scheduled_message", "ada", never).await;
    let said = held(rig, "chat.scheduledMessages.list", json!({})).await;
    assert_eq!(said["scheduled_messages"], json!([]));
}

/// No tool uploads; the test does, past the host.
async fn a_file_is_kept(rig: &Rig, channel: &Value) {
    let file = rig
        .host
        .upload("ada", "report.txt", "text/plain", "the report")
        .await;
    let share = json!({"file": file, "channel": channel, "title": "Report"});
    let shared = rig.call("slack_upload_file", "ada", share).await;
    let id = shared["files"][0]["id"].as_str().expect("an id");
    let sent = rig.gate.last(&format!("/upload/v1/{id}"));
    assert_eq!(
        (sent.body.as_str(), sent.token.as_str()),
        ("the report", ""),
        "the bytes, and no credential"
    );
    let files = rig
        .call("slack_list_files", "ada", json!({"channel": channel}))
        .await;
    assert_eq!(texts(&files["files"], "name"), ["report.txt"]);
    let kept = rig
        .call(
            "slack_download_file",
            "ada",
            json!({"file_path": format!("{id}/report.txt")}),
        )
        .await;
    assert_eq!(
        (&kept["file"]["name"], &kept["file"]["size"]),
        (&json!("report.txt"), &json!(10))
    );
}

async fn the_rest_of_the_workspace(rig: &Rig, channel: &Value, bela: &Value) {
    let opened = rig
        .call("slack_open_conversation", "ada", json!({"users": bela}))
        .await;
    let said = held(
        rig,
        "conversations.members",
        json!({"channel": opened["channel"]["id"]}),
    )
    .await;
    assert!(said["members"].to_string().contains(&bela.to_string()), "{said}");
    rig.call(
        "slack_set_status",
        "ada",
        json!({"status_text": "Away", "status_emoji": ":palm_tree:"}),
    )
    .await;
    let profile = held(rig, "users.profile.get", json!({})).await["profile"].clone();
    assert_eq!(
        (&profile["status_text"], &profile["status_emoji"]),
        (&json!("Away"), &json!(":palm_tree:"))
    );
    let all = held(rig, "conversations.list", json!({"types": "public_channel"})).await;
    let general = all["channels"].as_array().expect("channels");
    let general = general
        .iter()
        .find(|channel| channel["name"] == "general")
        .expect("the emulator's own channel");
    let joined = rig
        .call("slack_join_channel", "ada", json!({"channel": general["id"]}))
        .await;
    assert_eq!(joined["channel"]["is_member"], true);

    let here = json!({"channel": channel});
    rig.call("slack_archive_channel", "ada", here.clone()).await;
    assert_eq!(
        held(rig, "conversations.info", here.clone()).await["channel"]["is_archived"],
        true
    );
    let late = with(here, "text", &json!("Too late"));
    rig.fails("slack_send_message", "ada", late, "vendor_conflict")
        .await;
}

/// A method whose scopes depend on what is asked for: only the emulator can refuse it, and names the scope.
async fn what_was_not_granted_is_said(rig: &Rig) {
    let few = json!({"scopes": ["channels:read", "channels:history"]});
    rig.connection("narrow", CLIENT_SECRET, few).await;
    rig.connect("narrow", "bela", "bela").await;
    rig.call(
        "slack_list_channels",
        "bela",
        json!({"types": ["public_channel"]}),
    )
    .await;
    let both = json!({"types": ["public_channel", "private_channel"]});
    let error = rig
        .fails("slack_list_channels", "bela", both, "scope_missing")
        .await;
    assert_eq!(error["vendor"]["code"], "missing_scope", "{error}");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("groups:read")),
        "{error}"
    );
    assert!(error["authorization_link"].is_string(), "{error}");
}

/// The other kind of account: its token is elsewhere in Slack's answer, and its scopes in another parameter.
async fn a_bot_writes_in_its_own_name(rig: &Rig) {
    rig.connection("bot", CLIENT_SECRET, json!({"auth": "bot"})).await;
    rig.connect("bot", "robot", "cleo").await;
    let whoami = rig.call("slack_whoami", "robot", json!({})).await;
    assert!(whoami["bot_id"].is_string(), "{whoami}");
    let made = rig
        .call("slack_create_channel", "robot", json!({"name": "robots"}))
        .await;
    let channel = made["channel"]["id"].clone();
    let text = json!({"channel": channel, "text": "Beep"});
    rig.call("slack_send_message", "robot", text).await;
    let said = held(rig, "conversations.history", json!({"channel": channel})).await;
    assert_eq!(said["messages"][0]["user"], whoami["user_id"]);
}
