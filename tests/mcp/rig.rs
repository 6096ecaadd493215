//! What the tests of this theme share: a host with virtual servers, sessions on them, and messages
//! of both eras written by hand.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use valetkey_tests::http::Answer;
use valetkey_tests::{TestHost, World};
use valetkey_vendors::Options;

/// The stateless revision.
pub const MODERN: &str = "2026-07-28";
/// The last revision with a handshake.
pub const LEGACY: &str = "2025-11-25";

/// A virtual server.
pub struct Server {
    pub id: String,
    pub url: String,
}

/// A session on it.
#[derive(Clone)]
pub struct Session {
    pub id: String,
    pub url: String,
    pub token: String,
}

/// Makes a server.
pub async fn server(host: &TestHost, name: &str, more: Value) -> Server {
    let mut body = json!({"name": name, "search": "off"});
    merge(&mut body, more);
    let made = host
        .api(Method::POST, "/api/v1/mcp_servers", body)
        .await
        .expect(201);
    let text = |member: &str| made[member].as_str().expect("a text").to_owned();
    Server {
        id: text("id"),
        url: text("url"),
    }
}

/// Makes a session.
pub async fn session(host: &TestHost, server: &Server, identifier: &str, more: Value) -> Session {
    let mut body = json!({"identifier": identifier});
    merge(&mut body, more);
    let path = format!("/api/v1/mcp_servers/{}/sessions", server.id);
    let minted = host.api(Method::POST, &path, body).await.expect(201);
    Session {
        id: minted["session"]["id"].as_str().expect("an id").to_owned(),
        url: minted["session"]["url"].as_str().expect("a URL").to_owned(),
        token: minted["token"].as_str().expect("a token").to_owned(),
    }
}

fn merge(body: &mut Value, more: Value) {
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
}

/// A host with simulated vendors, one server of everything, and a session of `ada`, who is
/// connected on HubSpot.
pub struct Rig {
    pub world: World,
    pub server: Server,
    pub ada: Session,
}

impl Rig {
    pub async fn start() -> Self {
        let world = World::start_with(|_| {}, Options::default()).await;
        world.connect("hubspot", "ada").await;
        let server = server(&world.host, "all", json!({})).await;
        let ada = session(&world.host, &server, "ada", json!({})).await;
        Self { world, server, ada }
    }
}

/// A message of the stateless revision, as one may vary it.
#[derive(Clone)]
pub struct Message {
    pub method: String,
    pub params: Value,
    pub capabilities: Value,
    pub headers: Vec<(String, String)>,
}

impl Message {
    pub fn new(method: &str, params: Value) -> Self {
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            (
                "accept".to_owned(),
                "application/json, text/event-stream".to_owned(),
            ),
            ("mcp-protocol-version".to_owned(), MODERN.to_owned()),
            ("mcp-method".to_owned(), method.to_owned()),
        ];
        if let Some(name) = params["name"].as_str() {
            headers.push(("mcp-name".to_owned(), name.to_owned()));
        }
        Self {
            method: method.to_owned(),
            params,
            capabilities: json!({}),
            headers,
        }
    }

    /// `tools/call`.
    pub fn call(tool: &str, arguments: Value) -> Self {
        Self::new("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    pub fn capabilities(mut self, capabilities: Value) -> Self {
        self.capabilities = capabilities;
        self
    }

    pub fn param(mut self, name: &str, value: Value) -> Self {
        self.params[name] = value;
        self
    }

    /// Another value of a header, or without it.
    pub fn header(mut self, name: &str, value: Option<&str>) -> Self {
        self.headers.retain(|(header, _)| header != name);
        if let Some(value) = value {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub fn body(&self) -> Value {
        let mut params = self.params.clone();
        let mut meta = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": self.capabilities,
        });
        if let (Some(meta), Some(more)) = (meta.as_object_mut(), params["_meta"].as_object()) {
            meta.extend(more.clone());
        }
        params["_meta"] = meta;
        json!({"jsonrpc": "2.0", "id": 7, "method": self.method, "params": params})
    }

    pub async fn send(&self, host: &TestHost, session: &Session) -> Answer {
        self.send_as(host, &session.url, Some(&session.token)).await
    }

    pub async fn send_as(&self, host: &TestHost, url: &str, token: Option<&str>) -> Answer {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        headers.extend(bearer.iter().map(|bearer| ("authorization", bearer.as_str())));
        host.http
            .send(Method::POST, url, &headers, self.body().to_string())
            .await
    }

    /// Its result.
    pub async fn result(&self, host: &TestHost, session: &Session) -> Value {
        let answer = self.send(host, session).await;
        let message = last(&answer);
        assert!(message["result"].is_object(), "{message}");
        message["result"].clone()
    }

    /// Its error.
    pub async fn error(&self, host: &TestHost, session: &Session) -> Value {
        let answer = self.send(host, session).await;
        let message = last(&answer);
        assert!(message["error"].is_object(), "{message}");
        message["error"].clone()
    }
}

/// A message of the handshake era.
pub async fn legacy(host: &TestHost, session: &Session, method: &str, params: Value) -> Value {
    let bearer = format!("Bearer {}", session.token);
    let headers = [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", LEGACY),
        ("authorization", bearer.as_str()),
    ];
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let answer = host
        .http
        .send(Method::POST, &session.url, &headers, body.to_string())
        .await;
    last(&answer)
}

/// The messages of an answer, which is one or a stream.
pub fn messages(answer: &Answer) -> Vec<Value> {
    if !answer.header("content-type").starts_with("text/event-stream") {
        return vec![answer.json()];
    }
    answer
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .filter_map(|data| serde_json::from_str(data.trim()).ok())
        .collect()
}

/// The last message of an answer: the response.
pub fn last(answer: &Answer) -> Value {
    messages(answer).pop().expect("a message")
}

/// Names in a list of tools.
pub fn names(result: &Value) -> Vec<String> {
    let tools = result["tools"].as_array().expect("tools");
    tools
        .iter()
        .map(|tool| tool["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// The tools that a session sees.
pub async fn listed(host: &TestHost, session: &Session) -> Vec<String> {
    names(&Message::new("tools/list", json!({})).result(host, session).await)
}

/// The text of a result.
pub fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().expect("a text")
}

/// GET with any headers.
pub async fn get(host: &TestHost, url: &str, headers: &[(&str, &str)]) -> Answer {
    host.http.send(Method::GET, url, headers, Bytes::new()).await
}
