//! Tools in code of connectors that are data otherwise, in a whole host against the simulated vendors.

use http::Method;
use serde_json::{Value, json};
use valetkey_tests::{TestHost, world};
use valetkey_vendors::{Options, Simulator};

/// A host with one bundled connector, connected to its simulated vendor as `ada`.
async fn connected(id: &str) -> (TestHost, Simulator) {
    let simulator = Simulator::start(Options::default()).await.expect("a free port");
    let host = TestHost::start().await;
    host.install_bundled(id).await;
    let connection = world::connection(id, id, &simulator.base_url);
    host.api(Method::POST, "/api/v1/connections", connection)
        .await
        .expect(201);
    host.connect(id, "ada").await;
    (host, simulator)
}

async fn call(host: &TestHost, tool: &str, params: Value) -> Value {
    host.call(tool, "ada", params).await.expect(200)["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_are_where_no_calendar_has_an_event_on_the_day_after_the_clocks_changed() {
    let (host, _simulator) = connected("googlecalendar").await;
    let team = "ada-team@group.calendar.example";
    // Monday, 31 March 2031: since the day before, Berlin is two hours ahead.
    for (calendar, start, end) in [
        ("primary", "09:00:00+02:00", "11:00:00+02:00"),
        (team, "09:30:00Z", "14:00:00Z"),
    ] {
        let at = |time: &str| json!({"dateTime": format!("2031-03-31T{time}")});
        let event = json!({"calendar_id": calendar, "summary": "Taken", "start": at(start), "end": at(end)});
        call(&host, "googlecalendar_create_event", event).await;
    }
    let asked = json!({
        "time_min": "2031-03-29T00:00:00+01:00", "time_max": "2031-04-01T00:00:00+02:00", "duration_minutes": 30,
        "attendees": ["primary", team, "eve@elsewhere.example"], "time_zone": "Europe/Berlin",
    });
    let found = call(&host, "googlecalendar_find_slots", asked.clone()).await;
    assert_eq!(
        found,
        json!({
            "timeZone": "Europe/Berlin",
            "slots": [
                {"start": "2031-03-31T11:00:00+02:00", "end": "2031-03-31T11:30:00+02:00", "minutes": 30},
                {"start": "2031-03-31T16:00:00+02:00", "end": "2031-03-31T17:00:00+02:00", "minutes": 60},
            ],
            "more": false,
            "unknown": [{"id": "eve@elsewhere.example", "reason": "notFound"}],
        })
    );

    // What is found can be booked, and is no longer free then.
    let slot = &found["slots"][1];
    let event =
        json!({"summary": "Meeting", "start": {"dateTime": slot["start"]}, "end": {"dateTime": slot["end"]}});
    call(&host, "googlecalendar_create_event", event).await;
    let left = call(&host, "googlecalendar_find_free_slots", asked).await;
    assert_eq!(left["slots"].as_array().map(Vec::len), Some(1), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_host_is_shared_in_slack_and_comes_back_the_same() {
    let (host, simulator) = connected("slack").await;
    let channels = call(&host, "slack_list_channels", json!({})).await;
    let channels = channels["channels"].as_array().expect("channels").clone();
    let id = |name: &str| {
        let mut found = channels.iter().filter(|channel| channel["name"] == name);
        found.next().expect("a channel")["id"].clone()
    };

    let bytes = vec![b'7'; 300_000];
    let file = host
        .upload("ada", "report.pdf", "application/pdf", bytes.clone())
        .await;

    let upload =
        json!({"file": file, "channel": id("general"), "initial_comment": "March", "title": "Report"});
    let done = call(&host, "slack_upload_file", upload).await;
    let uploaded = &done["files"][0];
    assert_eq!(
        (
            &uploaded["title"],
            &uploaded["name"],
            &uploaded["size"],
            &uploaded["mimetype"]
        ),
        (
            &json!("Report"),
            &json!("report.pdf"),
            &json!(bytes.len()),
            &json!("application/pdf")
        ),
        "{done}"
    );
    let history = call(
        &host,
        "slack_fetch_conversation_history",
        json!({"channel": id("general"), "limit": 1}),
    )
    .await;
    assert_eq!(history["messages"][0]["text"], "March");
    assert_eq!(history["messages"][0]["files"][0]["id"], uploaded["id"]);

    let listed = call(&host, "slack_list_files", json!({})).await;
    assert_eq!(listed["files"][0]["id"], uploaded["id"], "{listed}");
    let address = uploaded["url_private"].as_str().expect("an address");
    let path = address
        .strip_prefix("https://files.slack.com/files-pri/")
        .expect("a file");
    let fetched = call(&host, "slack_download_file", json!({"file_path": path})).await;
    let fetched = fetched["file"]["id"].as_str().expect("an id").to_owned();
    let read = host
        .api(Method::GET, &format!("/api/v1/files/{fetched}"), Value::Null)
        .await;
    assert_eq!(read.body.len(), bytes.len());
    assert!(read.body == bytes, "the same bytes");

    // A channel that the account is not in: the vendor's word for it, and nothing is shared there.
    let refused = json!({"file": file, "channel": id("support")});
    let refused = host.call("slack_upload_file", "ada", refused).await.json();
    assert_eq!(refused["error"]["kind"], "vendor_forbidden", "{refused}");
    assert_eq!(refused["error"]["vendor"]["code"], "not_in_channel", "{refused}");
    let files = simulator.slack_workspace("ada")["files"].as_array().map(Vec::len);
    assert_eq!(
        files,
        Some(2),
        "the one from the start and the one that was shared"
    );
}
