//! Streams and calls that run for long: what ends them, and what they tell.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use valetkey_tests::{TestHost, artifacts};

use crate::rig::{Message, Rig, Session, server, session};

/// Longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer that is read as it comes.
pub struct Stream {
    body: Incoming,
    rest: String,
    pub status: u16,
}

impl Stream {
    pub async fn open(session: &Session, message: &Message) -> Self {
        let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let mut request =
            Request::post(&session.url).header("authorization", format!("Bearer {}", session.token));
        for (name, value) in &message.headers {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(message.body().to_string().into()))
            .expect("a request");
        let answer = client.request(request).await.expect("an answer");
        let (head, body) = answer.into_parts();
        Self {
            body,
            rest: String::new(),
            status: head.status.as_u16(),
        }
    }

    /// The next message; none at the end.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some((line, rest)) = self.rest.split_once('\n') {
                let (line, rest) = (line.trim().to_owned(), rest.to_owned());
                self.rest = rest;
                if let Some(message) = line
                    .strip_prefix("data:")
                    .and_then(|data| serde_json::from_str(data.trim()).ok())
                {
                    return Some(message);
                }
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame())
                .await
                .expect("something comes")?;
            let data = frame.ok()?.into_data().unwrap_or_default();
            self.rest.push_str(&String::from_utf8_lossy(&data));
        }
    }
}

fn listen() -> Message {
    Message::new(
        "subscriptions/listen",
        json!({"notifications": {"toolsListChanged": true}}),
    )
}

async fn listening(session: &Session) -> Stream {
    let mut stream = Stream::open(session, &listen()).await;
    let first = stream.next().await.expect("a message");
    assert_eq!(
        first["method"], "notifications/subscriptions/acknowledged",
        "{first}"
    );
    stream
}

#[tokio::test]
async fn a_listener_hears_when_its_own_list_changes_and_of_nothing_else() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let small = json!({"mappings": [{"connection_name": "hubspot", "tools": ["hubspot_whoami"]}]});
    let small = server(host, "small", small).await;
    let on_small = session(host, &small, "ada", json!({})).await;
    let (mut all, mut some) = (listening(&rig.ada).await, listening(&on_small).await);

    // A hot load that changes one tool, which the small server does not show.
    let changed = artifacts::connector_with("hubspot", |manifest| {
        manifest.connector.version = "9.0.0".to_owned();
        manifest.tools.retain(|tool| tool.name != "hubspot_owners_list");
    });
    host.install(changed).await.expect(200);
    let heard = all.next().await.expect("a message");
    assert_eq!(heard["method"], "notifications/tools/list_changed", "{heard}");
    let id = &heard["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
    assert_eq!(id, &json!(7));

    // The next word that the small server's listener hears is of its own change, not of that one.
    let path = format!("/api/v1/mcp_servers/{}", small.id);
    let narrowed = json!({"read_only": false});
    host.api(Method::PATCH, &path, narrowed).await.expect(200);
    let heard = some.next().await.expect("a message");
    assert_eq!(heard["method"], "notifications/tools/list_changed", "{heard}");
    assert_eq!(crate::rig::listed(host, &on_small).await, Vec::<String>::new());
    host.api(Method::DELETE, &path, Value::Null).await.expect(204);
    while let Some(message) = some.next().await {
        assert_ne!(message["method"], "notifications/tools/list_changed", "{message}");
    }
}

#[tokio::test]
async fn a_revoked_session_ends_its_open_streams_and_no_others() {
    let rig = Rig::start().await;
    let host = &rig.world.host;
    let other = session(host, &rig.server, "ada", json!({})).await;
    let (mut ours, mut theirs) = (listening(&rig.ada).await, listening(&other).await);
    let path = format!("/api/v1/mcp_servers/{}/sessions/{}", rig.server.id, rig.ada.id);
    host.api(Method::DELETE, &path, Value::Null).await.expect(204);
    while let Some(message) = ours.next().await {
        assert!(
            message["result"].is_object(),
            "only the end of the stream: {message}"
        );
    }
    let path = format!("/api/v1/mcp_servers/{}", rig.server.id);
    let change = json!({"read_only": true});
    host.api(Method::PATCH, &path, change).await.expect(200);
    let heard = theirs.next().await.expect("the other goes on");
    assert_eq!(heard["method"], "notifications/tools/list_changed");
}

#[tokio::test]
async fn a_user_has_so_many_streams_and_closing_one_makes_room() {
    let rig = Rig::start().await;
    let host = TestHost::start_with(|config| config.mcp.max_streams = 1).await;
    drop(rig);
    let all = server(&host, "all", json!({})).await;
    let ada = session(&host, &all, "ada", json!({})).await;
    let bob = session(&host, &all, "bob", json!({})).await;
    let first = listening(&ada).await;
    let refused = listen().send(&host, &ada).await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    let theirs = listening(&bob).await;
    drop(first);
    // The place is free as soon as the host has seen the connection close.
    loop {
        let again = Stream::open(&ada, &listen()).await;
        if again.status == 200 {
            break;
        }
        tokio::task::yield_now().await;
    }
    drop(theirs);
}

/// A vendor that takes a request and does not answer; says when a request came and when its
/// connection was closed.
struct Silent {
    url: String,
    came: Arc<Notify>,
    closed: Arc<Notify>,
}

impl Silent {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (came, closed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell_came, tell_closed) = (Arc::clone(&came), Arc::clone(&closed));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut buffer = [0; 4096];
                let mut head = Vec::new();
                while !head.windows(4).any(|four| four == b"\r\n\r\n") {
                    let read = stream.read(&mut buffer).await.unwrap_or(0);
                    assert!(read > 0, "a whole head");
                    head.extend_from_slice(&buffer[..read]);
                }
                tell_came.notify_one();
                while matches!(stream.read(&mut buffer).await, Ok(read) if read > 0) {}
                tell_closed.notify_one();
            }
        });
        Self { url, came, closed }
    }
}

/// A host with the conformance connector, whose one writing tool sends to `vendor`.
async fn host_of(vendor: &Silent) -> (TestHost, Session) {
    let host = TestHost::start().await;
    host.install_bundled("test").await;
    let connection = json!({"connection_name": "test", "connector": "test", "development": true, "endpoints": {"api": vendor.url}});
    host.api(Method::POST, "/api/v1/connections", connection)
        .await
        .expect(201);
    let all = server(&host, "all", json!({})).await;
    let ada = session(&host, &all, "ada", json!({})).await;
    (host, ada)
}

#[tokio::test]
async fn a_client_that_goes_away_stops_the_vendors_request_with_and_without_a_stream() {
    let vendor = Silent::start().await;
    let (host, ada) = host_of(&vendor).await;
    for meta in [json!({}), json!({"progressToken": 1})] {
        let message = Message::call("test_trigger_tool_change", json!({})).param("_meta", meta);
        let call = tokio::spawn({
            let ada = ada.clone();
            async move {
                let mut stream = Stream::open(&ada, &message).await;
                while stream.next().await.is_some() {}
            }
        });
        tokio::time::timeout(PATIENCE, vendor.came.notified())
            .await
            .expect("the vendor is asked");
        call.abort();
        tokio::time::timeout(PATIENCE, vendor.closed.notified())
            .await
            .expect("the vendor's connection is closed");
    }
    let recorded = host
        .api(Method::GET, "/api/v1/executions", Value::Null)
        .await
        .expect(200);
    // Before them the account was not there yet, and was made: this vendor asks for no credential.
    let outcomes: Vec<&Value> = recorded["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| &item["outcome"])
        .collect();
    assert_eq!(
        outcomes,
        ["cancelled", "cancelled", "account_not_found"],
        "{recorded}"
    );
}

#[tokio::test]
async fn a_revoked_session_stops_the_call_that_runs_in_it() {
    let vendor = Silent::start().await;
    let (host, ada) = host_of(&vendor).await;
    let message = Message::call("test_trigger_tool_change", json!({}));
    let revoking = async {
        tokio::time::timeout(PATIENCE, vendor.came.notified())
            .await
            .expect("the vendor is asked");
        let server = ada.url.rsplit('/').next().expect("an id");
        let path = format!("/api/v1/mcp_servers/{server}/sessions/{}", ada.id);
        host.api(Method::DELETE, &path, Value::Null).await.expect(204);
    };
    let (error, ()) = tokio::join!(message.error(&host, &ada), revoking);
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("ended")),
        "{error}"
    );
    tokio::time::timeout(PATIENCE, vendor.closed.notified())
        .await
        .expect("the vendor's connection is closed");
}

#[tokio::test]
async fn a_list_of_more_than_a_page_has_a_cursor_that_is_the_users_own() {
    let host = TestHost::start().await;
    let many = artifacts::connector_with("test", |manifest| {
        let template = manifest
            .tools
            .iter()
            .find(|tool| tool.name == "test_simple_text")
            .expect("the tool")
            .clone();
        manifest.tools = (0..1_001)
            .map(|number| {
                let mut tool = template.clone();
                tool.name = format!("test_tool_{number:04}");
                tool
            })
            .collect();
    });
    host.install(many).await.expect(200);
    let connection = json!({"connection_name": "test", "connector": "test", "development": true});
    host.api(Method::POST, "/api/v1/connections", connection)
        .await
        .expect(201);
    let all = server(&host, "all", json!({})).await;
    let ada = session(&host, &all, "ada", json!({})).await;
    let bob = session(&host, &all, "bob", json!({})).await;
    let first = Message::new("tools/list", json!({})).result(&host, &ada).await;
    assert_eq!(crate::rig::names(&first).len(), 1_000);
    let next = Message::new("tools/list", json!({"cursor": first["nextCursor"]}));
    assert_eq!(
        crate::rig::names(&next.result(&host, &ada).await),
        ["test_tool_1000"]
    );
    assert_eq!(
        next.error(&host, &bob).await["code"],
        -32602,
        "a foreign cursor is unknown"
    );
}
