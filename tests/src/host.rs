//! A whole host in this process: its own data folder, a free port, the real router, and an
//! operator's client. Its clock can be moved.

use std::sync::{Arc, RwLock};

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use valetkey::clock::Clock;
use valetkey::config::Config;
use valetkey::runtime::{self, Runtime};
use valetkey::serve::serve;

use crate::artifacts;
use crate::http::{Answer, Client};

/// A running host.
pub struct TestHost {
    /// Its parts, for looking inside.
    pub runtime: Arc<Runtime>,
    /// `http://127.0.0.1:port`.
    pub base_url: String,
    /// The operator's client id.
    pub client_id: String,
    /// The operator's client secret.
    pub client_secret: String,
    /// The plain HTTP client.
    pub http: Client,
    token: RwLock<String>,
    dir: TempDir,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

/// A stopped host's folder, to start it again.
pub struct Stopped {
    dir: TempDir,
    clock: Clock,
    config: Config,
    client: (String, String),
}

impl TestHost {
    /// A new host with the default settings.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A new host with other settings.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let mut config = Config::default();
        config.storage.data_dir = dir.path().join("data");
        change(&mut config);
        let clock = Clock::system();
        let client = runtime::init(&config, clock.clone())
            .await
            .expect("a new data folder");
        let client = (client.client_id.to_string(), client.secret.expose().to_owned());
        Stopped {
            dir,
            clock,
            config,
            client,
        }
        .start()
        .await
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.runtime.clock
    }

    /// The folder that holds its data folder and key.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Stops it as a signal would; everything is on the disk then.
    ///
    /// # Panics
    /// The server crashed.
    pub async fn stop(self) -> Stopped {
        self.stop.cancel();
        self.server.await.expect("the server ends well");
        self.runtime.close().await;
        let (clock, config) = (self.runtime.clock.clone(), self.runtime.config.clone());
        drop(self.runtime);
        Stopped {
            dir: self.dir,
            clock,
            config,
            client: (self.client_id, self.client_secret),
        }
    }

    /// Gets a new access token, when the clock was moved past the old one's end.
    ///
    /// # Panics
    /// It is refused.
    pub async fn sign_in(&self) {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            self.client_id, self.client_secret
        );
        let answer = self
            .http
            .post_form(&format!("{}/oauth/token", self.base_url), &form)
            .await;
        let token = answer.expect(200)["access_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        *self.token.write().expect("nobody panics with it") = token;
    }

    /// The operator's access token.
    #[must_use]
    pub fn token(&self) -> String {
        self.token.read().expect("nobody panics with it").clone()
    }

    /// A request with the operator's token and a JSON body (none for `Null`).
    pub async fn api(&self, method: Method, path: &str, body: Value) -> Answer {
        self.api_with(method, path, &[], body).await
    }

    /// The same with further headers.
    pub async fn api_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let bearer = format!("Bearer {}", self.token());
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        let body = if body.is_null() {
            Bytes::new()
        } else {
            all.push(("content-type", "application/json"));
            body.to_string().into()
        };
        self.http
            .send(method, &format!("{}{path}", self.base_url), &all, body)
            .await
    }

    /// Installs a component.
    pub async fn install(&self, component: Vec<u8>) -> Answer {
        let bearer = format!("Bearer {}", self.token());
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/wasm"),
        ];
        self.http
            .send(
                Method::POST,
                &format!("{}/api/v1/connectors", self.base_url),
                &headers,
                component,
            )
            .await
    }

    /// Installs a bundled connector.
    ///
    /// # Panics
    /// It is refused.
    pub async fn install_bundled(&self, id: &str) {
        let answer = self.install(artifacts::connector(id)).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }

    /// Connects an account through the whole flow with a plain client that follows the link;
    /// answers its id.
    ///
    /// # Panics
    /// Any step fails.
    pub async fn connect(&self, connection_name: &str, identifier: &str) -> String {
        let body = json!({"connection_name": connection_name, "identifier": identifier});
        let (id, link) = self.link(body).await;
        let page = self.http.follow(&link).await;
        assert!(page.status.is_success(), "{}", page.text());
        id
    }

    /// A link for an account to be authorized by; answers the account's id and the link.
    ///
    /// # Panics
    /// It is refused.
    pub async fn link(&self, body: Value) -> (String, String) {
        let link = self
            .api(Method::POST, "/api/v1/connected_accounts/magic_link", body)
            .await
            .expect(200);
        let text = |member: &str| link[member].as_str().expect("a text").to_owned();
        (text("connected_account_id"), text("authorization_link"))
    }

    /// Opens a link as somebody who is signed in at the vendor already; answers where consent was asked for.
    ///
    /// # Panics
    /// It does not lead to a connected account.
    pub async fn authorize_as(&self, link: &str, who: &str) -> String {
        let opened = self.http.get(link).await;
        let consent = opened.header("location");
        let page = self.http.follow(&format!("{consent}&login_hint={who}")).await;
        assert!(page.status.is_success(), "{who}: {consent}{}", page.text());
        consent
    }

    /// Gives the host a user's file to hold; answers its id.
    ///
    /// # Panics
    /// It is refused.
    pub async fn upload(&self, identifier: &str, name: &str, kind: &str, bytes: impl Into<Bytes>) -> String {
        let bearer = format!("Bearer {}", self.token());
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        let url = format!(
            "{}/api/v1/files?name={name}&identifier={identifier}",
            self.base_url
        );
        let file = self
            .http
            .send(Method::POST, &url, &headers, bytes)
            .await
            .expect(201);
        file["id"].as_str().expect("an id").to_owned()
    }

    /// Calls a tool.
    pub async fn call(&self, tool: &str, identifier: &str, params: Value) -> Answer {
        let body = json!({"tool_name": tool, "identifier": identifier, "params": params});
        self.api(Method::POST, "/api/v1/execute_tool", body).await
    }
}

impl Stopped {
    /// Its data folder.
    #[must_use]
    pub fn data_dir(&self) -> &std::path::Path {
        &self.config.storage.data_dir
    }

    /// Changes settings before the next start.
    pub fn configure(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
    }

    /// Starts the host on its folder again, on another free port.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start(self) -> TestHost {
        let Self {
            dir,
            clock,
            config,
            client,
        } = self;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let base_url = format!("http://{}", listener.local_addr().expect("an address"));
        let runtime = Runtime::open(config, clock, base_url.clone())
            .await
            .expect("the host opens");
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve(listener, Arc::clone(&runtime), stop.clone()));
        let host = TestHost {
            runtime,
            base_url,
            client_id: client.0,
            client_secret: client.1,
            http: Client::default(),
            token: RwLock::default(),
            dir,
            stop,
            server,
        };
        host.sign_in().await;
        host
    }
}
