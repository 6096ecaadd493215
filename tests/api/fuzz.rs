//! The served document is a promise: schemathesis holds a host to it, with requests that it takes
//! from the document and with ones that the document forbids. No answer may be a server error, have
//! an undocumented status or media type, or a body that is not of its schema.
//!
//! `VALETKEY_FUZZ_REQUESTS` says how many requests there are to be at least; a few hundred when it
//! is not set. schemathesis is looked for in `target/python`, where `tests/run` puts it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use http::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use valetkey_manifest::Manifest;
use valetkey_tests::TestHost;
use valetkey_tests::artifacts::{connector_with, repository, target_dir};
use valetkey_tests::world::connection;
use valetkey_vendors::{Options, Simulator};

use crate::edge::McpServer;

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,ignored_auth,use_after_free";
/// Requests at least when the setting does not say.
const SOME: usize = 300;
/// Seconds of one round: its access token is good for ten minutes.
const ROUND_SECONDS: u64 = 420;

fn program() -> Option<PathBuf> {
    let program = target_dir().join("python/bin/schemathesis");
    if !program.is_file() {
        eprintln!(
            "!! NOT CHECKED by schemathesis: {} is missing; run tests/run",
            program.display()
        );
        return None;
    }
    Some(program)
}

/// A bundled connector that knows no real vendor: an invented connection of it leads nowhere.
fn harmless(id: &str) -> Vec<u8> {
    connector_with(id, |manifest: &mut Manifest| {
        for endpoint in manifest.endpoints.values_mut() {
            endpoint.url = "https://vendor.invalid".to_owned();
        }
        for oauth2 in manifest.auth.iter_mut().filter_map(|auth| auth.oauth2.as_mut()) {
            oauth2.authorize_url = "https://vendor.invalid/authorize".to_owned();
            oauth2.token_url = "https://vendor.invalid/token".to_owned();
            oauth2.revoke_url = None;
        }
    })
}

/// What every round is told: a deadline of a few milliseconds would be answered as what it is, a timeout.
const UNHURRIED: &str =
    "[[operations]]\ninclude-path-regex = \"^/proxy/\"\nparameters = { \"header.deadline_ms\" = \"9000\" }\n";

/// A host with connectors, connections, accounts, an execution, and a virtual MCP server with a session.
struct Stage {
    host: TestHost,
    vendors: Simulator,
    /// schemathesis' settings by which parameters name these things.
    known: String,
}

impl Stage {
    async fn start() -> Self {
        let vendors = Simulator::start(Options::default()).await.expect("a free port");
        let host = TestHost::start().await;
        for connector in ["hubspot", "gmail"] {
            host.install(harmless(connector)).await.expect(200);
            let mut body = connection(connector, connector, &vendors.base_url);
            body["proxy"] = json!(true);
            host.api(Method::POST, "/api/v1/connections", body)
                .await
                .expect(201);
        }
        let mut accounts = Vec::new();
        for connection in ["hubspot", "gmail"] {
            for user in ["ada", "bela"] {
                vendors.set_user(user);
                accounts.push(host.connect(connection, user).await);
            }
        }
        let execution = host.call("hubspot_whoami", "ada", json!({})).await.expect(200);
        let server = McpServer::of(&host, "ada").await;
        // A deadline of a few milliseconds would be answered as what it is, a timeout.
        let proxied = json!({"header.connection_name": "hubspot", "header.identifier": "ada", "header.deadline_ms": "9000"});
        let known = [
            ("^/api/v1/connected_accounts/.id", json!({"path.id": accounts[0]})),
            ("^/api/v1/connected_accounts", json!({"query.identifier": "ada"})),
            ("^/api/v1/connections/", json!({"path.name": "hubspot"})),
            (
                "^/api/v1/executions/",
                json!({"path.id": execution["execution_id"]}),
            ),
            ("^/api/v1/connectors/", json!({"path.id": "hubspot"})),
            (
                "^/api/v1/tools/.name",
                json!({"path.name": "hubspot_contacts_search"}),
            ),
            ("^/api/v1/tools", json!({"query.identifier": "ada"})),
            (
                "^/api/v1/mcp_servers/.id",
                json!({"path.id": server.id, "path.session_id": server.session_id, "query.identifier": "ada"}),
            ),
            ("^/proxy/", proxied),
        ];
        let known = known.map(|(path, values)| {
            let values = values.as_object().expect("values").iter();
            let values: Vec<String> = values
                .map(|(name, value)| format!("{name:?} = {value}"))
                .collect();
            let values = values.join(", ");
            format!("[[operations]]\ninclude-path-regex = {path:?}\nparameters = {{ {values} }}\n")
        });
        Self {
            host,
            vendors,
            known: known.concat(),
        }
    }

    /// One run of schemathesis; answers how many requests it made. Odd seeds leave it to find out what
    /// there is; even ones tell it, and keep it from removing that.
    async fn round(&self, program: &Path, seed: u64, seconds: u64) -> usize {
        self.host.sign_in().await;
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("schemathesis.toml");
        let told = seed.is_multiple_of(2);
        std::fs::write(&config, if told { self.known.as_str() } else { UNHURRIED }).expect("a file");
        let har = folder.path().join("requests.har");
        let output = Command::new(program)
            .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
            .env("PYTHONPATH", repository().join("tests/api"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg("--config-file")
            .arg(&config)
            .arg("run")
            .arg(format!("{}/openapi.json", self.host.base_url))
            .arg("--header")
            .arg(format!("Authorization: Bearer {}", self.host.token()))
            .args([
                "--checks",
                CHECKS,
                "--no-color",
                "--continue-on-failure",
                "--request-timeout",
                "60",
            ])
            .args([
                "--suppress-health-check",
                "all",
                "--generation-database",
                "none",
                "--report",
                "har",
            ])
            .args([
                "--warnings",
                "off",
                "--seed",
                &seed.to_string(),
                "--max-time",
                &seconds.to_string(),
            ])
            .args(
                told.then_some(["--exclude-method", "DELETE"])
                    .into_iter()
                    .flatten(),
            )
            .arg("--report-har-path")
            .arg(&har)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .await
            .expect("schemathesis runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let troubles = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "seed {seed}:\n{said}\n{troubles}");
        let har = std::fs::read(&har).expect("a record of the requests");
        let har: Value = serde_json::from_slice(&har).expect("JSON");
        har["log"]["entries"].as_array().expect("entries").len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_keeps_its_document_under_schemathesis() {
    let Some(program) = program() else { return };
    #[allow(clippy::disallowed_methods, reason = "the tests' own setting")]
    let wanted = std::env::var("VALETKEY_FUZZ_REQUESTS").ok();
    let wanted: Option<usize> = wanted.map(|text| text.parse().expect("a number"));
    let (least, seconds) = wanted.map_or((SOME, 15), |least| (least, ROUND_SECONDS));
    let (mut requests, mut seed) = (0, 1);
    while requests < least || seed <= 2 {
        // Requests remove and change things: every round begins with all of them.
        let stage = Stage::start().await;
        requests += stage.round(&program, seed, seconds).await;
        eprintln!("{requests} requests so far, the last round with seed {seed}");
        seed += 1;
        drop(stage.vendors);
    }
}
