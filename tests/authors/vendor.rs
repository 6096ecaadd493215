//! The sample connectors' vendor over a real socket, and every request as it came.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The vendor; dropped, it is gone.
pub struct Vendor {
    pub url: String,
    wire: Arc<Mutex<Vec<Value>>>,
    server: JoinHandle<()>,
}

impl Vendor {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let wire = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&wire));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, wire, server }
    }

    /// The requests since the last time. Those that were sent side by side are in the order of their paths.
    pub fn requests(&self) -> Vec<Value> {
        let mut requests = std::mem::take(&mut *self.wire.lock().expect("nobody panics with it"));
        if requests.iter().all(|request| {
            request["target"]
                .as_str()
                .is_some_and(|target| target.contains("fields="))
        }) {
            requests.sort_by_key(|request| request["target"].to_string());
        }
        requests
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(wire): State<Arc<Mutex<Vec<Value>>>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a whole body");
    let body = String::from_utf8(body.to_vec()).expect("text");
    let header = |name: &str| {
        head.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let target = head.uri.path_and_query().expect("a path").as_str().to_owned();
    let (content_type, shown) = without_boundary(header("content-type"), &body);
    wire.lock().expect("nobody panics with it").push(json!({
        "method": head.method.as_str(), "target": target, "accept": header("accept"),
        "content_type": content_type, "version": header("x-api-version"), "body": shown,
    }));
    respond(
        head.method.as_str(),
        head.uri.path(),
        head.uri.query().unwrap_or_default(),
        &body,
    )
}

/// A boundary is random, so that it is in no part; what is between the boundaries is not.
fn without_boundary(content_type: &str, body: &str) -> (String, String) {
    match content_type.split_once("boundary=") {
        Some((kind, boundary)) => {
            assert_eq!(boundary.len(), 32, "16 random bytes");
            (format!("{kind}boundary=B"), body.replace(boundary, "B"))
        }
        None => (content_type.to_owned(), body.to_owned()),
    }
}

fn respond(method: &str, path: &str, query: &str, body: &str) -> Response {
    let note = |number: u32| json!({ "id": format!("n{number}"), "text": format!("note {number} 😀") });
    match (method, path) {
        ("POST", "/notes") => {
            let given: Value = serde_json::from_str(body).expect("JSON");
            let rest = json!({ "text": given["text"], "internal": { "shard": 4 } });
            // As a vendor may write it: a number that only a whole integer holds, an escape, white space.
            let text = format!(
                "{{ \"id\" : 12345678901234567890, \"price\": 1.10, \"by\": \"\\u00e9\", \"note\": {rest} }}"
            );
            (StatusCode::CREATED, [("content-type", "application/json")], text).into_response()
        }
        ("GET", "/notes") => {
            let value = |name: &str| -> u32 {
                let pair = query
                    .split('&')
                    .find_map(|pair| pair.strip_prefix(&format!("{name}=")));
                pair.and_then(|value| value.parse().ok()).expect("a number")
            };
            let first = value("offset") + 1;
            let notes: Vec<_> = (first..(first + value("count")).min(4)).map(note).collect();
            Json(json!({ "notes": notes })).into_response()
        }
        ("PUT", "/notes/n1/label") => Json(json!({ "label": body, "at": 1 })).into_response(),
        ("POST", "/notes/n%201/files") => {
            Json(json!({ "id": "f1", "bytes": 7, "link": "x" })).into_response()
        }
        ("POST", "/graphql") => graphql(&serde_json::from_str(body).expect("JSON")),
        ("DELETE", "/notes/n1") => StatusCode::NO_CONTENT.into_response(),
        ("DELETE", "/notes/n2") => {
            let refusal = json!({ "code": "LOCKED", "message": "locked by\nBob" });
            (StatusCode::FORBIDDEN, Json(refusal)).into_response()
        }
        ("GET", "/notes/n1/scan") => ([("content-type", "text/plain")], "as it was").into_response(),
        ("PUT", "/notes/n1/scan") => StatusCode::NO_CONTENT.into_response(),
        ("GET", "/notes/n1" | "/notes/n3") => Json(json!({ "id": path.rsplit('/').next() })).into_response(),
        _ => (
            StatusCode::NOT_FOUND,
            Json(json!({ "code": "NONE", "message": "no such note" })),
        )
            .into_response(),
    }
}

/// Two pages for each word, and errors for a word that is asked for them.
fn graphql(question: &Value) -> Response {
    let variables = &question["variables"];
    if variables["word"] == "broken" {
        let error = json!({ "message": "too many notes", "extensions": { "code": "TOO_MANY" } });
        return Json(json!({ "data": null, "errors": [error] })).into_response();
    }
    let (nodes, next) = match variables["after"].as_str() {
        None => (
            json!([{ "id": "n9", "text": "a" }, { "id": "n8", "text": "b" }]),
            json!("page 2"),
        ),
        Some(_) => (json!([{ "id": "n7", "text": "c" }]), Value::Null),
    };
    Json(json!({ "data": { "notes": { "nodes": nodes, "next": next } } })).into_response()
}
