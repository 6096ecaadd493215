//! The bundled components in a whole host, against the simulated vendors: connected by OAuth,
//! called over REST.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use valetkey_tests::TestHost;
use valetkey_tests::spec;
use valetkey_vendors::{Options, Simulator};

/// A host with one bundled connector, connected to its simulated vendor as `ada`.
async fn connected(id: &str) -> (TestHost, Simulator) {
    let simulator = Simulator::start(Options::default()).await.expect("a free port");
    let host = TestHost::start().await;
    host.install_bundled(id).await;
    let base = &simulator.base_url;
    let (authorize, token, api) = match id {
        "hubspot" => (
            "hubspot/oauth/authorize",
            "hubspot/oauth/v3/token",
            format!("{base}/hubspot"),
        ),
        _ => ("google/o/oauth2/v2/auth", "google/token", base.clone()),
    };
    let options = Options::default();
    let connection = json!({
        "connection_name": id, "connector": id, "development": true, "endpoints": { "api": api },
        "oauth": { "client_id": options.client_id, "client_secret": options.client_secret,
                   "authorize_url": format!("{base}/{authorize}"), "token_url": format!("{base}/{token}") },
    });
    let made = host.api(Method::POST, "/api/v1/connections", connection).await;
    assert!(made.status.is_success(), "{}", made.text());
    host.connect(id, "ada").await;
    (host, simulator)
}

async fn call(host: &TestHost, tool: &str, params: Value) -> Value {
    let answer = host.call(tool, "ada", params).await;
    assert!(answer.status.is_success(), "{tool}: {}", answer.text());
    answer.json()["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hubspot_component_searches_creates_and_updates() {
    let (host, _simulator) = connected("hubspot").await;

    let found = host
        .call(
            "hubspot_contacts_search",
            "ada",
            json!({"limit": 250, "properties": ["email"]}),
        )
        .await;
    let found = found.expect(200);
    let results = found["data"]["results"].as_array().expect("results");
    assert_eq!(results.len(), 250, "walked over the vendor's page size of 200");
    assert!(found["next_cursor"].is_string(), "and there is more");
    assert!(
        found["data"].get("paging").is_none(),
        "the vendor's own cursor is not shown"
    );

    let created = call(
        &host,
        "hubspot_contact_create",
        json!({"properties": {"email": "new@person.example", "firstname": "New", "lastname": "Person"}}),
    )
    .await;
    let id = created["id"].as_str().expect("an id").to_owned();
    let updated = call(
        &host,
        "hubspot_contact_update",
        json!({"contact_id": id, "properties": {"firstname": "Old"}}),
    )
    .await;
    assert_eq!(updated["properties"]["firstname"], "Old");
    let read = call(
        &host,
        "hubspot_contact_get",
        json!({"contact_id": id, "properties": ["firstname", "email"]}),
    )
    .await;
    assert_eq!(read["properties"]["firstname"], "Old");
    let note = call(
        &host,
        "hubspot_note_create",
        json!({"body": "Called.", "contact_id": id}),
    )
    .await;
    assert!(
        note["properties"]["hs_timestamp"].is_string(),
        "the present time was filled in: {note}"
    );

    let again = host
        .call(
            "hubspot_contact_create",
            "ada",
            json!({"properties": {"email": "new@person.example"}}),
        )
        .await;
    let error = &again.json()["error"];
    assert_eq!(error["kind"], "vendor_conflict", "{error}");
    assert!(
        error["message"]
            .as_str()
            .expect("words")
            .contains("search for it and update it"),
        "{error}"
    );

    for (tool, params) in [
        ("hubspot_whoami", json!({})),
        ("hubspot_owners_list", json!({})),
        ("hubspot_pipelines_list", json!({"object_type": "deals"})),
        ("hubspot_properties_list", json!({"object_type": "contacts"})),
        ("hubspot_companies_search", json!({"limit": 2})),
        ("hubspot_deals_search", json!({"limit": 2})),
        ("hubspot_tickets_search", json!({"limit": 2})),
        (
            "hubspot_associations_list",
            json!({"from_type": "contacts", "from_id": id, "to_type": "notes"}),
        ),
        ("hubspot_contact_delete", json!({"contact_id": id})),
    ] {
        assert!(call(&host, tool, params).await.is_object(), "{tool}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deeply_nested_json_fits_on_the_small_stack_of_a_component() {
    let (host, simulator) = connected("hubspot").await;
    let deep = (0..50).fold(json!("x"), |inner, _| json!({ "a": inner }));
    let answer = host
        .call(
            "hubspot_contact_create",
            "ada",
            json!({"properties": {"deep": deep}}),
        )
        .await;
    let sent = simulator
        .log()
        .count_where(|entry| entry.path == "/hubspot/crm/v3/objects/contacts" && entry.method == "POST");
    assert_eq!(
        sent,
        1,
        "the guest took it apart and wrote it again: {}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gmail_component_reads_sends_and_answers() {
    let (host, simulator) = connected("gmail").await;

    let mails = call(
        &host,
        "gmail_messages_list",
        json!({"limit": 30, "include_body": true}),
    )
    .await;
    let mails = mails["messages"].as_array().expect("messages").clone();
    assert_eq!(mails.len(), 30);
    let ids: BTreeSet<_> = mails
        .iter()
        .map(|mail| mail["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids.len(), 30, "each once");
    assert!(
        mails
            .iter()
            .all(|mail| mail["subject"].is_string() && mail["body"].is_string()),
        "{mails:?}"
    );

    let sent = call(
        &host,
        "gmail_send_mail",
        json!({"to": ["Zoë <zoe@x.example>"], "subject": "Größe", "body": "<p>Schöne Grüße</p>", "body_type": "html",
               "attachments": [{"filename": "a.txt", "mime_type": "text/plain", "content_base64": "aGk="}]}),
    )
    .await;
    let read = call(
        &host,
        "gmail_get_message_by_id",
        json!({"message_id": sent["id"]}),
    )
    .await;
    assert_eq!(
        (&read["subject"], &read["to"]),
        (&json!("Größe"), &json!("Zoë <zoe@x.example>")),
        "{read}"
    );
    assert_eq!(
        read["body"].as_str().map(str::trim),
        Some("Schöne Grüße"),
        "{read}"
    );
    assert_eq!(read["attachments"][0]["filename"], "a.txt", "{read}");
    let attachment =
        json!({"message_id": sent["id"], "attachment_id": read["attachments"][0]["attachmentId"]});
    let attachment = call(&host, "gmail_get_attachment_by_id", attachment).await;
    assert_eq!(
        attachment["data"].as_str().map(|data| data.trim_end_matches('=')),
        Some("aGk"),
        "{attachment}"
    );

    let thread = mails[0]["threadId"].clone();
    let answered = call(
        &host,
        "gmail_reply_to_thread",
        json!({"thread_id": thread, "reply_all": true, "body": "Fine."}),
    )
    .await;
    assert_eq!(answered["threadId"], thread, "{answered}");

    let refused = host
        .call(
            "gmail_send_mail",
            "ada",
            json!({"to": ["a@x.example\r\nBcc: eve@evil.example"], "subject": "s", "body": "b"}),
        )
        .await;
    let error = &refused.json()["error"];
    assert_eq!(
        (&error["kind"], &error["fields"][0]["path"]),
        (&json!("invalid_input"), &json!("/to/0")),
        "{error}"
    );

    let draft = call(
        &host,
        "gmail_create_draft",
        json!({"to": ["b@x.example"], "subject": "d", "body": "draft"}),
    )
    .await;
    call(&host, "gmail_send_draft", json!({"draft_id": draft["id"]})).await;
    for (tool, params) in [
        ("gmail_whoami", json!({})),
        ("gmail_list_threads", json!({"limit": 3})),
        (
            "gmail_get_thread_by_id",
            json!({"thread_id": thread, "include_body": true}),
        ),
        ("gmail_list_drafts", json!({})),
        ("gmail_list_labels", json!({})),
        (
            "gmail_modify_message_labels",
            json!({"message_id": sent["id"], "add_label_ids": ["STARRED"]}),
        ),
        ("gmail_trash_message", json!({"message_id": sent["id"]})),
        ("gmail_untrash_message", json!({"message_id": sent["id"]})),
    ] {
        assert!(call(&host, tool, params).await.is_object(), "{tool}");
    }

    let Some(discovery) = spec::find("gmail", "v1") else {
        return;
    };
    let on_the_wire: Vec<_> = simulator
        .log()
        .entries()
        .into_iter()
        .filter(|entry| entry.path.starts_with("/gmail/"))
        .collect();
    assert!(on_the_wire.len() > 40, "{} requests", on_the_wire.len());
    for entry in on_the_wire {
        let body = (!entry.body.is_empty()).then_some(entry.body.as_bytes());
        if let Err(problems) = discovery.check_request(&entry.method, &entry.path, &entry.query, body) {
            panic!("{} {}: {problems:#?}", entry.method, entry.path);
        }
    }
}
