//! The REST edge as the demo uses it.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::http::{Answer, Http};

/// A host that let us in.
pub(super) struct Api {
    pub(super) http: Http,
    base_url: String,
    authorization: String,
}

impl Api {
    /// Gets an access token by the client's id and secret.
    pub(super) async fn connect(
        base_url: &str,
        client_id: &str,
        client_secret: &str,
    ) -> anyhow::Result<Self> {
        let http = Http::new();
        let form =
            format!("grant_type=client_credentials&client_id={client_id}&client_secret={client_secret}");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let url = format!("{base_url}/oauth/token");
        let answer = read(&http.send(Method::POST, &url, &headers, form).await?)?;
        let token = answer["access_token"]
            .as_str()
            .context("the host gave no token")?;
        Ok(Self {
            authorization: format!("Bearer {token}"),
            base_url: base_url.to_owned(),
            http,
        })
    }

    /// GET.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::GET, path, "application/json", Bytes::new())
            .await
    }

    /// POST of JSON.
    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(Method::POST, path, "application/json", body.to_string().into())
            .await
    }

    /// Installs a component.
    pub(super) async fn install(&self, component: Vec<u8>) -> anyhow::Result<Value> {
        self.send(
            Method::POST,
            "/api/v1/connectors",
            "application/wasm",
            component.into(),
        )
        .await
    }

    /// Calls a tool for the demo's user.
    pub(super) async fn execute(&self, tool: &str, params: &Value) -> anyhow::Result<Value> {
        let body = json!({ "tool_name": tool, "identifier": super::IDENTIFIER, "params": params });
        self.post("/api/v1/execute_tool", &body).await
    }

    async fn send(&self, method: Method, path: &str, kind: &str, body: Bytes) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base_url);
        let headers = [
            ("authorization", self.authorization.as_str()),
            ("content-type", kind),
        ];
        read(&self.http.send(method, &url, &headers, body).await?)
    }
}

/// The answer's JSON, or what the host says went wrong.
fn read(answer: &Answer) -> anyhow::Result<Value> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.status.is_success() {
        return Ok(body);
    }
    let message = body["error"]["message"].as_str();
    let message = message.or(body["error_description"].as_str());
    match (message, body["error"]["kind"].as_str()) {
        (Some(message), Some(kind)) => bail!("{message} ({kind})"),
        (Some(message), None) => bail!("{message}"),
        _ => bail!("the host answered {}", answer.status),
    }
}
