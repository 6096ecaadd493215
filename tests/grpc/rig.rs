//! The public SDKs in processes of their own, driven by commands.

use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use valetkey_tests::world::{World, connection};
use valetkey_tests::{TestHost, artifacts};

/// Which SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Python,
    Node,
}

pub const BOTH: [Language; 2] = [Language::Python, Language::Node];

impl Language {
    /// The interpreter with its packages.
    pub fn interpreter(self) -> PathBuf {
        match self {
            Self::Python => {
                let python = artifacts::target_dir().join("python/bin/python");
                assert!(
                    python.exists(),
                    "the Python packages are missing; get them with: python3 -m venv target/python && \
                     target/python/bin/pip install -r tests/grpc/requirements.txt"
                );
                python
            }
            Self::Node => {
                assert!(
                    folder().join("node_modules").exists(),
                    "the Node packages are missing; get them with: npm ci --prefix tests/grpc/programs"
                );
                PathBuf::from("node")
            }
        }
    }

    fn driver(self) -> PathBuf {
        folder().join(match self {
            Self::Python => "driver.py",
            Self::Node => "driver.mjs",
        })
    }
}

/// Where the programs lie.
pub fn folder() -> PathBuf {
    artifacts::repository().join("tests/grpc/programs")
}

/// A program in `language` that finds the host as any program of a user would: by its environment.
pub fn program(language: Language, host: &TestHost, url: &str) -> Command {
    let certificate = host.runtime.certificate.files().certificate_path();
    let mut command = Command::new(language.interpreter());
    command
        .env("SCALEKIT_ENVIRONMENT_URL", url)
        .env("SCALEKIT_CLIENT_ID", &host.client_id)
        .env("SCALEKIT_CLIENT_SECRET", &host.client_secret)
        .env("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", &certificate)
        .env("REQUESTS_CA_BUNDLE", &certificate)
        .env("NODE_EXTRA_CA_CERTS", &certificate)
        .kill_on_drop(true);
    command
}

/// An error of an SDK.
#[derive(Debug, Clone, Deserialize)]
pub struct Refused {
    #[serde(rename = "type")]
    pub kind: String,
    /// What a program would log, or an adapter give to a model.
    pub text: String,
    pub error_code: Option<String>,
    /// The typed detail.
    pub detail: Value,
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.kind, self.text)
    }
}

/// A running SDK.
pub struct Sdk {
    pub language: Language,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Sdk {
    /// The SDK with the URL that users of its language give.
    pub fn start(language: Language, host: &TestHost) -> Self {
        Self::with(language, host, &host.base_url, &[])
    }

    /// With another URL of the host, and more in its environment.
    pub fn with(language: Language, host: &TestHost, url: &str, env: &[(&str, &str)]) -> Self {
        let mut child = program(language, host, url)
            .arg(language.driver())
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the interpreter runs");
        let output = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self {
            language,
            input: child.stdin.take().expect("its input"),
            output,
            _child: child,
        }
    }

    /// One command.
    pub async fn ask(&mut self, name: &str, mut given: Value) -> Result<Value, Refused> {
        given["do"] = json!(name);
        let line = format!("{given}\n");
        self.input
            .write_all(line.as_bytes())
            .await
            .expect("it takes commands");
        let answer = self.output.next_line().await.expect("its output");
        let answer = answer.unwrap_or_else(|| panic!("{:?} ended at {name}", self.language));
        let mut answer: Value = serde_json::from_str(&answer).expect("JSON");
        match answer.get_mut("ok") {
            Some(ok) => Ok(ok.take()),
            None => Err(serde_json::from_value(answer["error"].take()).expect("an error")),
        }
    }

    /// One command that must succeed.
    pub async fn get(&mut self, name: &str, given: Value) -> Value {
        self.ask(name, given)
            .await
            .unwrap_or_else(|refused| panic!("{:?} {name}: {refused}", self.language))
    }

    /// One command that must fail.
    pub async fn refused(&mut self, name: &str, given: Value) -> Refused {
        match self.ask(name, given).await {
            Err(refused) => refused,
            Ok(answer) => panic!("{:?} {name} succeeded: {answer}", self.language),
        }
    }

    /// The status of an account as this SDK shows it.
    pub fn status(&self, account: &Value) -> &'static str {
        const NAMES: [&str; 6] = [
            "UNSPECIFIED",
            "ACTIVE",
            "EXPIRED",
            "PENDING_AUTH",
            "PENDING_VERIFICATION",
            "DISCONNECTED",
        ];
        let status = &account["status"];
        let found = match self.language {
            Language::Python => NAMES.into_iter().find(|name| status == name),
            Language::Node => status
                .as_u64()
                .and_then(|number| NAMES.get(usize::try_from(number).ok()?).copied()),
        };
        found.unwrap_or_else(|| panic!("no status: {account}"))
    }
}

/// The one account of an answer.
pub fn account(answer: &Value) -> &Value {
    let account = &answer["connected_account"];
    assert!(account.is_object(), "no account: {answer}");
    account
}

/// A further connection to a simulated vendor, changed before it is made.
pub async fn connect_more(world: &World, name: &str, connector: &str, change: impl FnOnce(&mut Value)) {
    let mut body = connection(name, connector, &world.vendors.base_url);
    change(&mut body);
    world
        .host
        .api(Method::POST, "/api/v1/connections", body)
        .await
        .expect(201);
}

/// The executions that the host recorded, newest first.
pub async fn executions(world: &World) -> Vec<Value> {
    let listed = world
        .host
        .api(Method::GET, "/api/v1/executions", Value::Null)
        .await
        .expect(200);
    listed["items"].as_array().expect("executions").clone()
}
