//! Gmail's and Google Calendar's tools against a mailbox and a calendar that exist.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use super::rig::{Rig, Vendor, texts};

pub const GMAIL: Vendor = Vendor {
    connector: "gmail",
    service: "google",
    endpoints: &[("api", ""), ("people", "/people")],
    authorize: "/o/oauth2/v2/auth",
    token: "/oauth2/token",
    revoke: Some("/oauth2/revoke"),
    issued: "/access_token",
    applications: "oauth_clients",
};

const CALENDAR: Vendor = Vendor {
    connector: "googlecalendar",
    endpoints: &[("api", "/calendar/v3")],
    ..GMAIL
};

pub const ADA: &str = "ada@mail.example";
const TEAM: &str = "team@mail.example";

const GMAIL_GAPS: [(&str, &str); 2] = [
    ("gmail_search_people", "the emulator has no People API"),
    (
        "gmail_whoami",
        "the emulator has no profile; the gate answers it from the emulator's userinfo",
    ),
];

const ONE_EVENT: &str = "the emulator cannot read or change one event";
const NO_SUCH: &str = "the emulator has no such address";

const CALENDAR_GAPS: [(&str, &str); 19] = [
    ("googlecalendar_get_event_by_id", ONE_EVENT),
    ("googlecalendar_update_event", ONE_EVENT),
    ("googlecalendar_respond_to_event", ONE_EVENT),
    ("googlecalendar_move_event", ONE_EVENT),
    ("googlecalendar_list_event_instances", ONE_EVENT),
    (
        "googlecalendar_list_event_changes",
        "the emulator has no tokens of changes",
    ),
    ("googlecalendar_quick_add_event", NO_SUCH),
    ("googlecalendar_get_calendar", NO_SUCH),
    ("googlecalendar_create_calendar", NO_SUCH),
    ("googlecalendar_update_calendar", NO_SUCH),
    ("googlecalendar_delete_calendar", NO_SUCH),
    ("googlecalendar_subscribe_calendar", NO_SUCH),
    ("googlecalendar_unsubscribe_calendar", NO_SUCH),
    ("googlecalendar_list_acl", NO_SUCH),
    ("googlecalendar_share_calendar", NO_SUCH),
    ("googlecalendar_unshare_calendar", NO_SUCH),
    ("googlecalendar_list_settings", NO_SUCH),
    ("googlecalendar_list_colors", NO_SUCH),
    (
        "googlecalendar_whoami",
        "the gate answers it from the emulator's list of calendars",
    ),
];

pub fn seed() -> Value {
    let person = |email: &str, name: &str| json!({"email": email, "name": name});
    let calendar = |id: &str, primary: bool| json!({"id": id, "user_email": ADA, "summary": id, "primary": primary, "selected": true, "time_zone": "UTC"});
    json!({
        "users": [person(ADA, "Ada"), person("bela@mail.example", "Bela")],
        "calendars": [calendar(ADA, true), calendar(TEAM, false)],
    })
}

/// What the emulator itself has in the mailbox.
async fn mailbox(rig: &Rig, path: &str) -> Value {
    let path = format!("/gmail/v1/users/me{path}");
    rig.direct(Method::GET, &path, Value::Null).await.expect(200)
}

/// The labels of a message there.
async fn labels_of(rig: &Rig, message: &Value) -> Vec<String> {
    let id = message["id"].as_str().expect("an id");
    let held = mailbox(rig, &format!("/messages/{id}?format=minimal")).await;
    let labels = held["labelIds"].as_array().expect("labels").iter();
    labels
        .map(|label| label.as_str().unwrap_or_default().to_owned())
        .collect()
}

/// The ids of a list, in any order.
fn ids(list: &Value) -> BTreeSet<&str> {
    texts(list, "id").into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn gmail_changes_what_the_emulator_holds() {
    let Some(rig) = Rig::start(&GMAIL, seed()).await else {
        return;
    };
    rig.connect("main", "ada", ADA).await;
    let sent = mails_are_sent_and_read(&rig).await;
    threads_are_answered(&rig, &sent).await;
    drafts_are_written_and_sent(&rig).await;
    labels_are_put_on(&rig, &sent).await;
    mails_go_to_the_bin_and_back(&rig, &sent).await;
    rig.covers_all_but(&GMAIL_GAPS);
}

/// Five mails with letters that headers have to encode, HTML and an attachment; the last with a plain subject.
async fn mails_are_sent_and_read(rig: &Rig) -> Vec<Value> {
    let mut sent = Vec::new();
    for subject in ["Größe 1", "Größe 2", "Größe 3", "Größe 4", "Offer"] {
        let mail = json!({"to": ["Zoë <zoe@mail.example>"], "cc": ["bela@mail.example"], "subject": subject,
            "body": "<p>Schöne Grüße</p>", "body_type": "html",
            "attachments": [{"filename": "a.txt", "mime_type": "text/plain", "content_base64": "aGk="}]});
        sent.push(rig.call("gmail_send_mail", "ada", mail).await);
    }
    let id = sent[0]["id"].as_str().expect("an id");
    let held = mailbox(rig, &format!("/messages/{id}")).await;
    // "Schöne Grüße", plain and as HTML, as the emulator took our message apart.
    let parts = &held["payload"]["parts"][0]["parts"];
    assert_eq!(
        (&parts[0]["mimeType"], &parts[0]["body"]["data"]),
        (&json!("text/plain"), &json!("U2Now7ZuZSBHcsO8w59l"))
    );
    assert_eq!(
        (&parts[1]["mimeType"], &parts[1]["body"]["size"]),
        (&json!("text/html"), &json!(22))
    );
    assert_eq!(held["payload"]["parts"][1]["filename"], "a.txt");

    let all = json!({"label_ids": ["SENT"], "limit": 2});
    let (all, pages) = rig.walk("gmail_fetch_mails", "ada", all, "/messages").await;
    let all = Value::Array(all);
    assert_eq!(pages, 3);
    assert_eq!(
        ids(&all),
        sent.iter().filter_map(|mail| mail["id"].as_str()).collect()
    );
    assert_eq!(
        texts(&all, "subject"),
        ["Offer", "Größe 4", "Größe 3", "Größe 2", "Größe 1"]
    );
    let found = rig
        .call("gmail_fetch_mails", "ada", json!({"query": "subject:offer"}))
        .await;
    assert_eq!(texts(&found["messages"], "subject"), ["Offer"]);

    let read = rig
        .call("gmail_get_message_by_id", "ada", json!({"message_id": id}))
        .await;
    assert_eq!(
        (&read["to"], &read["body"]),
        (&json!("Zoë <zoe@mail.example>"), &json!("Schöne Grüße"))
    );
    let attachment = json!({"message_id": id, "attachment_id": read["attachments"][0]["attachmentId"]});
    let attachment = rig.call("gmail_get_attachment_by_id", "ada", attachment).await;
    assert_eq!(
        (&attachment["data"], &attachment["size"]),
        (&json!("aGk"), &json!(2))
    );
    let missing = json!({"message_id": "none"});
    rig.fails("gmail_get_message_by_id", "ada", missing, "vendor_not_found")
        .await;
    sent
}

async fn threads_are_answered(rig: &Rig, sent: &[Value]) {
    let (threads, pages) = rig
        .walk("gmail_list_threads", "ada", json!({"limit": 2}), "/threads")
        .await;
    assert_eq!((pages, threads.len()), (3, 5));
    let thread = sent[1]["threadId"].clone();
    let answer = json!({"thread_id": thread, "body": "Fine.", "reply_all": true});
    let answered = rig.call("gmail_reply_to_thread", "ada", answer).await;
    assert_eq!(answered["threadId"], thread);
    let held = mailbox(rig, &format!("/threads/{}", thread.as_str().expect("an id"))).await;
    assert_eq!(texts(&held["messages"], "snippet"), ["Schöne Grüße", "Fine."]);
    let read = json!({"thread_id": thread, "include_body": true});
    let read = rig.call("gmail_get_thread_by_id", "ada", read).await;
    assert_eq!(texts(&read["messages"], "subject"), ["Größe 2", "Re: Größe 2"]);
    assert_eq!(texts(&read["messages"], "cc"), ["bela@mail.example"; 2]);
}

async fn drafts_are_written_and_sent(rig: &Rig) {
    let draft = json!({"to": ["b@mail.example"], "subject": "d", "body": "draft"});
    let first = rig.call("gmail_create_draft", "ada", draft.clone()).await["id"].clone();
    let second = rig.call("gmail_create_draft", "ada", draft).await["id"].clone();
    let held = mailbox(rig, "/drafts").await;
    assert_eq!(
        ids(&held["drafts"]),
        [&first, &second].iter().filter_map(|id| id.as_str()).collect()
    );
    let (drafts, pages) = rig
        .walk("gmail_list_drafts", "ada", json!({"limit": 1}), "/drafts")
        .await;
    assert_eq!((pages, drafts.len()), (2, 2));
    rig.call("gmail_delete_draft", "ada", json!({"draft_id": first}))
        .await;
    let sent = rig
        .call("gmail_send_draft", "ada", json!({"draft_id": second}))
        .await;
    assert_eq!(mailbox(rig, "/drafts").await["drafts"], json!([]));
    assert_eq!(labels_of(rig, &sent).await, ["SENT"]);
    rig.fails(
        "gmail_send_draft",
        "ada",
        json!({"draft_id": first}),
        "vendor_not_found",
    )
    .await;
}

async fn labels_are_put_on(rig: &Rig, sent: &[Value]) {
    let label = rig
        .call("gmail_create_label", "ada", json!({"name": "Größen"}))
        .await["id"]
        .clone();
    rig.fails(
        "gmail_create_label",
        "ada",
        json!({"name": "Größen"}),
        "vendor_conflict",
    )
    .await;
    let all = rig.call("gmail_list_labels", "ada", json!({})).await;
    assert!(texts(&all["labels"], "name").contains(&"Größen"), "{all}");
    let one = json!({"message_id": sent[0]["id"], "add_label_ids": [label, "STARRED"]});
    rig.call("gmail_modify_message_labels", "ada", one).await;
    let thread = json!({"thread_id": sent[1]["threadId"], "add_label_ids": [label]});
    rig.call("gmail_modify_thread_labels", "ada", thread).await;
    let batch = json!({"message_ids": [sent[2]["id"], sent[3]["id"]], "add_label_ids": [label]});
    rig.call("gmail_batch_modify_labels", "ada", batch).await;
    let label = label.as_str().expect("an id").to_owned();
    let held = mailbox(rig, &format!("/messages?labelIds={label}")).await;
    assert_eq!(
        ids(&held["messages"]).len(),
        5,
        "one, two of a thread, and two: {held}"
    );
    assert!(labels_of(rig, &sent[0]).await.contains(&"STARRED".to_owned()));
    assert!(!labels_of(rig, &sent[4]).await.contains(&label));
    let unknown = json!({"message_id": sent[0]["id"], "add_label_ids": ["Label_none"]});
    rig.fails("gmail_modify_message_labels", "ada", unknown, "vendor_rejected")
        .await;
}

async fn mails_go_to_the_bin_and_back(rig: &Rig, sent: &[Value]) {
    let bin = "TRASH".to_owned();
    let one = json!({"message_id": sent[0]["id"]});
    rig.call("gmail_trash_message", "ada", one.clone()).await;
    assert!(labels_of(rig, &sent[0]).await.contains(&bin));
    rig.call("gmail_untrash_message", "ada", one).await;
    assert!(!labels_of(rig, &sent[0]).await.contains(&bin));
    rig.call(
        "gmail_trash_thread",
        "ada",
        json!({"thread_id": sent[4]["threadId"]}),
    )
    .await;
    let held = mailbox(rig, "/messages?labelIds=TRASH&includeSpamTrash=true").await;
    assert_eq!(
        texts(&held["messages"], "id"),
        [sent[4]["id"].as_str().expect("an id")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn google_calendar_changes_what_the_emulator_holds() {
    let Some(rig) = Rig::start(&CALENDAR, seed()).await else {
        return;
    };
    rig.connect("main", "ada", ADA).await;
    let calendars = rig.call("googlecalendar_list_calendars", "ada", json!({})).await;
    assert_eq!(texts(&calendars["items"], "id"), [ADA, TEAM]);
    for day in 1..=5 {
        let at = |hour: u8| json!({"dateTime": format!("2026-03-0{day}T{hour}:00:00+01:00"), "timeZone": "Europe/Berlin"});
        let event = json!({"summary": format!("Größe {day}"), "start": at(10), "end": at(11), "location": "Room 7",
            "description": "Numbers", "attendees": [{"email": "bela@mail.example"}], "send_updates": "none"});
        rig.call("googlecalendar_create_event", "ada", event).await;
    }
    let whole = json!({"summary": "Holiday", "start": {"date": "2026-04-01"}, "end": {"date": "2026-04-02"}, "calendar_id": TEAM});
    rig.call("googlecalendar_create_event", "ada", whole).await;
    let team = events(&rig, TEAM).await;
    assert_eq!(
        (&team[0]["start"]["date"], &team[0]["summary"]),
        (&json!("2026-04-01"), &json!("Holiday"))
    );
    let held = events(&rig, "primary").await;
    assert_eq!(
        texts(&held, "summary"),
        ["Größe 1", "Größe 2", "Größe 3", "Größe 4", "Größe 5"]
    );
    assert_eq!(held[0]["start"]["dateTime"], "2026-03-01T10:00:00+01:00");
    assert_eq!(held[0]["attendees"][0]["email"], "bela@mail.example");

    let some = json!({"limit": 2, "time_min": "2026-03-01T00:00:00Z", "time_max": "2026-03-04T00:00:00Z", "order_by": "startTime"});
    let (some, pages) = rig
        .walk("googlecalendar_list_events", "ada", some, "/items")
        .await;
    let some = Value::Array(some);
    assert_eq!(
        (pages, texts(&some, "summary")),
        (2, vec!["Größe 1", "Größe 2", "Größe 3"])
    );
    let found = rig
        .call("googlecalendar_list_events", "ada", json!({"query": "Größe 3"}))
        .await;
    assert_eq!(texts(&found["items"], "summary"), ["Größe 3"]);
    let busy = json!({"time_min": "2026-03-01T00:00:00Z", "time_max": "2026-03-03T00:00:00Z", "items": [{"id": "primary"}]});
    let busy = rig.call("googlecalendar_query_freebusy", "ada", busy).await;
    assert_eq!(
        busy["calendars"]["primary"]["busy"].as_array().map(Vec::len),
        Some(2),
        "{busy}"
    );
    let monday = json!({"time_min": "2026-03-02T00:00:00+01:00", "time_max": "2026-03-03T00:00:00+01:00",
        "duration_minutes": 30, "time_zone": "Europe/Berlin"});
    let free = rig.call("googlecalendar_find_slots", "ada", monday).await;
    assert_eq!(
        texts(&free["slots"], "start"),
        ["2026-03-02T09:00:00+01:00", "2026-03-02T11:00:00+01:00"],
        "{free}"
    );

    let first = json!({"event_id": some[0]["id"], "send_updates": "none"});
    rig.call("googlecalendar_delete_event", "ada", first.clone())
        .await;
    assert_eq!(events(&rig, "primary").await.as_array().map(Vec::len), Some(4));
    rig.fails("googlecalendar_delete_event", "ada", first, "vendor_not_found")
        .await;
    let nowhere = json!({"calendar_id": "none@mail.example"});
    rig.fails("googlecalendar_list_events", "ada", nowhere, "vendor_not_found")
        .await;
    rig.covers_all_but(&CALENDAR_GAPS);
}

/// What the emulator itself has in a calendar.
async fn events(rig: &Rig, calendar: &str) -> Value {
    let path = format!("/calendar/v3/calendars/{calendar}/events");
    rig.direct(Method::GET, &path, Value::Null).await.expect(200)["items"].clone()
}
