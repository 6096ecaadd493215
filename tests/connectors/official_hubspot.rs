//! HubSpot publishes no specification that may be used here, but a client of its own. What our tools send is
//! held against what that client (PyPI `hubspot-api-client` 12.0.0, `official_hubspot.py`) sends for the same:
//! method, path, names of the query, members of the body and their types, and of what is logged, the ids of
//! the kinds of association.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use http::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use valetkey_tests::{TestHost, artifacts};

use crate::bundled;

/// What was sent for a tool.
#[derive(Debug, PartialEq)]
struct Sent {
    method: Method,
    path: String,
    query: BTreeSet<String>,
    body: Value,
}

/// By the first segment of the path: a tool's name for the official client, `ours` for us.
type Recorded = Arc<Mutex<Vec<(String, Sent)>>>;

async fn record(State(recorded): State<Recorded>, request: Request<Body>) -> Json<Value> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1024 * 1024).await.expect("a whole body");
    let path = head.uri.path().trim_start_matches('/');
    let (by, path) = path.split_once('/').unwrap_or((path, ""));
    let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let sent = Sent {
        method: head.method,
        // The client's list of owners ends with a slash; HubSpot documents it without.
        path: path.trim_end_matches('/').to_owned(),
        query: query.map(|(name, _)| name.into_owned()).collect(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    recorded
        .lock()
        .expect("nobody panics with it")
        .push((by.to_owned(), sent));
    Json(
        json!({"id": "1", "portalId": 1, "uiDomain": "app.hubspot.com", "properties": {}, "results": [], "total": 0}),
    )
}

/// Members and types of a value; of a list, those of its first item.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        Value::Array(items) => Value::Array(items.first().map(shape).into_iter().collect()),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("bool"),
        Value::Null => Value::Null,
    }
}

/// The ids of kinds of association, in the order of what is associated.
fn kinds(body: &Value) -> BTreeMap<String, Value> {
    let all = body["associations"].as_array().cloned().unwrap_or_default();
    let of = |one: &Value| {
        (
            one["to"]["id"].to_string(),
            one["types"][0]["associationTypeId"].clone(),
        )
    };
    all.iter().map(of).collect()
}

/// Tools and parameters that leave nothing out.
fn calls() -> Vec<(&'static str, Value)> {
    let mut calls = Vec::new();
    let filters = json!([{"propertyName": "createdate", "operator": "GT", "value": "2026-01-01"}]);
    let search = json!({"query": "ada", "filters": filters, "properties": ["hs_object_id"], "limit": 5,
        "sorts": [{"propertyName": "createdate", "direction": "DESCENDING"}]});
    for (tool, id) in [
        ("hubspot_contacts_search", ""),
        ("hubspot_companies_search", ""),
        ("hubspot_deals_search", ""),
        ("hubspot_tickets_search", ""),
        ("hubspot_contact_get", "contact_id"),
        ("hubspot_company_get", "company_id"),
        ("hubspot_deal_get", "deal_id"),
        ("hubspot_ticket_get", "ticket_id"),
    ] {
        let get = json!({id: "151", "properties": ["hs_object_id", "createdate"], "associations": ["notes"]});
        calls.push((tool, if id.is_empty() { search.clone() } else { get }));
    }
    let associations = json!([{"to": {"id": "501"},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]}]);
    for (create, update, id, properties) in [
        (
            "hubspot_contact_create",
            "hubspot_contact_update",
            "contact_id",
            json!({"email": "ada@acme.example"}),
        ),
        (
            "hubspot_company_create",
            "hubspot_company_update",
            "company_id",
            json!({"name": "Acme"}),
        ),
        (
            "hubspot_deal_create",
            "hubspot_deal_update",
            "deal_id",
            json!({"dealname": "Lamps", "dealstage": "closedwon"}),
        ),
        (
            "hubspot_ticket_create",
            "hubspot_ticket_update",
            "ticket_id",
            json!({"subject": "Dark", "hs_pipeline_stage": "1"}),
        ),
    ] {
        calls.push((
            create,
            json!({"properties": properties, "associations": associations}),
        ));
        calls.push((update, json!({id: "151", "properties": properties})));
    }
    let by_email = json!({"contact_id": "ada@acme.example", "id_property": "email",
        "properties": ["hs_object_id"], "associations": ["deals"]});
    calls.push(("hubspot_contact_get", by_email));
    let by_email =
        json!({"contact_id": "ada@acme.example", "id_property": "email", "properties": {"phone": "1"}});
    calls.push(("hubspot_contact_update", by_email));
    calls.push(("hubspot_contact_delete", json!({"contact_id": "151"})));

    let with = |further: Value| {
        let mut params = json!({"contact_id": "1", "company_id": "2", "deal_id": "3", "ticket_id": "4",
            "hubspot_owner_id": "7", "body": "Called."});
        for (name, value) in further.as_object().expect("parameters") {
            params[name] = value.clone();
        }
        params
    };
    let at = "2026-03-06T16:00:00Z";
    calls.push(("hubspot_note_create", with(json!({"timestamp": at}))));
    let task = json!({"subject": "Send it", "due": at, "status": "NOT_STARTED", "priority": "HIGH", "task_type": "TODO"});
    calls.push(("hubspot_task_create", with(task)));
    let call = json!({"title": "A call", "timestamp": at, "direction": "OUTBOUND", "duration_ms": 240_000, "status": "COMPLETED"});
    calls.push(("hubspot_call_log", with(call)));
    let meeting = json!({"title": "A meeting", "start_time": at, "end_time": at, "internal_notes": "Long",
        "location": "Room 7", "outcome": "COMPLETED"});
    calls.push(("hubspot_meeting_log", with(meeting)));
    calls.push((
        "hubspot_task_update",
        json!({"task_id": "9", "status": "COMPLETED"}),
    ));
    let listed = json!({"engagement_type": "notes", "object_type": "contact", "object_id": "151",
        "properties": ["hs_note_body"], "limit": 5});
    calls.push(("hubspot_engagements_list", listed));
    let both = json!({"from_type": "contacts", "from_id": "151", "to_type": "companies", "to_id": "501"});
    calls.push(("hubspot_association_create", both.clone()));
    calls.push(("hubspot_association_delete", both));
    let of_one = json!({"from_type": "contacts", "from_id": "151", "to_type": "companies", "limit": 5});
    calls.push(("hubspot_associations_list", of_one));
    calls.push((
        "hubspot_owners_list",
        json!({"email": "sam@acme.example", "archived": false, "limit": 5}),
    ));
    calls.push(("hubspot_pipelines_list", json!({"object_type": "deals"})));
    calls.push(("hubspot_properties_list", json!({"object_type": "contacts"})));
    calls
}

/// A tool that the official client has no counterpart of.
const NOT_COMPARED: &str = "hubspot_whoami";

#[tokio::test(flavor = "multi_thread")]
async fn hubspots_tools_send_what_its_own_client_sends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let recorded = Recorded::default();
    let app = axum::Router::new()
        .fallback(record)
        .with_state(Arc::clone(&recorded));
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let calls = calls();
    let python = artifacts::target_dir().join("python/bin/python");
    assert!(
        python.exists(),
        "HubSpot's client is missing; get it with: python3 -m venv target/python && target/python/bin/pip install \
         -r tests/connectors/requirements.txt"
    );
    let program = artifacts::repository().join("tests/connectors/official_hubspot.py");
    let theirs = Command::new(python)
        .arg(program)
        .args([&url, &json!(calls).to_string()])
        .output()
        .await
        .expect("python runs");
    assert!(
        theirs.status.success(),
        "{}",
        String::from_utf8_lossy(&theirs.stderr)
    );
    let theirs = std::mem::take(&mut *recorded.lock().expect("nobody panics with it"));
    assert_eq!(theirs.len(), calls.len(), "one request each");

    let host = TestHost::start().await;
    host.install_bundled("hubspot").await;
    let connection = json!({"connection_name": "hubspot", "connector": "hubspot", "auth": "private_app", "development": true,
        "endpoints": {"api": format!("{url}/ours")}});
    host.api(Method::POST, "/api/v1/connections", connection)
        .await
        .expect(201);
    let account = json!({"connection_name": "hubspot", "identifier": "ada",
        "credential": {"inputs": {"token": "pat-eu1-0000000000-0000"}}});
    let made = host
        .api(Method::POST, "/api/v1/connected_accounts", account)
        .await;
    assert!(made.status.is_success(), "{}", made.text());

    let mut differ = Vec::new();
    for ((tool, params), (by, theirs)) in calls.iter().zip(theirs) {
        assert_eq!(by, *tool);
        recorded.lock().expect("nobody panics with it").clear();
        let answer = host.call(tool, "ada", params.clone()).await;
        let mut ours = std::mem::take(&mut *recorded.lock().expect("nobody panics with it"));
        assert_eq!(ours.len(), 1, "{tool}: {}", answer.text());
        let (_, ours) = ours.remove(0);
        let compared = |sent: &Sent| {
            let Sent {
                method,
                path,
                query,
                body,
            } = sent;
            json!([method.as_str(), path, query, shape(body), kinds(body)])
        };
        if compared(&ours) != compared(&theirs) {
            differ.push(format!(
                "{tool}\n ours   {}\n theirs {}",
                compared(&ours),
                compared(&theirs)
            ));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    for tool in &bundled::manifest("hubspot").tools {
        let compared = calls.iter().any(|(name, _)| *name == tool.name);
        assert!(
            compared != (tool.name == NOT_COMPARED),
            "{} is compared, or named",
            tool.name
        );
    }
    server.abort();
}
