//! `execute_tool` end to end beside nginx, a plain hyper proxy and the same work in native Rust:
//! each alone on core 0 in turn, the vendor (nginx) and the load (wrk) on core 1.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use valetkey::manifest;
use valetkey_manifest::Manifest;
use valetkey_manifest::tool::{Declaration, UnreadErrors};
use valetkey_tests::artifacts;
use valetkey_tests::http::Client;

use super::process::{Process, binary, free_port};
use super::table;

/// The tool that is called: one search request, one page.
pub const TOOL: &str = "hubspot_contacts_search";

const ROUNDS: usize = 5;
const SECONDS: u64 = 4;

/// The bundled HubSpot connector without its published rates, which would rule the figures.
pub fn connector() -> anyhow::Result<(Vec<u8>, Manifest)> {
    let component = artifacts::connector("hubspot");
    let mut manifest = manifest::extract(&component).map_err(anyhow::Error::msg)?;
    manifest.budgets.clear();
    let component = manifest::embed(&component, &manifest).map_err(anyhow::Error::msg)?;
    Ok((component, manifest))
}

/// What the guest gets as the tool's declaration.
pub fn declaration() -> anyhow::Result<Declaration> {
    let (_, manifest) = connector()?;
    let tool = manifest
        .tools
        .into_iter()
        .find(|tool| tool.name == TOOL)
        .context("the tool")?;
    let paging = tool.paging.context("it pages")?;
    Ok(Declaration {
        request: Some(tool.request.context("it is declared")?),
        response: tool.response,
        paginator: paging
            .paginator
            .and_then(|name| manifest.paginators.get(&name).cloned()),
        items: Some(paging.items),
        errors: manifest.errors.as_ref().map(UnreadErrors::from),
    })
}

/// One contact search's answer, about 1 kB.
pub fn answer() -> String {
    let contact = |id: u32| {
        json!({
            "id": id.to_string(),
            "properties": {
                "email": format!("person{id}@example.com"), "firstname": "Ada", "lastname": "Lovelace",
                "company": "Analytical Engines", "createdate": "2026-01-05T10:11:12.345Z",
                "lastmodifieddate": "2026-02-07T10:11:12.345Z", "hs_object_id": id.to_string()
            },
            "createdAt": "2026-01-05T10:11:12.345Z", "updatedAt": "2026-02-07T10:11:12.345Z", "archived": false
        })
    };
    json!({"total": 3, "results": [contact(101), contact(102), contact(103)]}).to_string()
}

/// Runs and prints.
pub fn run() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let upstream_port = free_port()?;
    let mut upstream = start_upstream(dir.path(), upstream_port)?;
    upstream.wait_for_port(upstream_port)?;

    let mut rows = Vec::new();
    // With two connections nginx answers about as many requests a second as the host with 32: what a
    // request costs when the vendor and the load sleep between requests and have to be woken.
    for connections in [32, 8, 2] {
        let mut subjects = vec![
            nginx(dir.path(), upstream_port)?,
            own("proxy", "plain hyper proxy", upstream_port)?,
            own("native", "same work, native Rust", upstream_port)?,
            host(dir.path(), upstream_port)?,
        ];
        for _ in 0..ROUNDS {
            for subject in &mut subjects {
                let round = load(dir.path(), subject, connections)?;
                subject.rounds.push(round);
            }
        }
        let base = subjects[0].figures();
        for subject in &subjects {
            let figures = subject.figures();
            rows.push(vec![
                format!("{connections} × {}", subject.name),
                format!("{:.0}", figures.requests),
                format!("{:.0}", figures.p50_us),
                format!("{:.0}", figures.p99_us),
                format!("{:.1}", figures.cpu_us),
                format!("{:.2}", figures.requests / base.requests),
                format!("{:.2}", figures.cpu_us / base.cpu_us),
                format!("{}", figures.errors),
            ]);
        }
    }
    table::print(
        &format!(
            "execute_tool end to end, keep-alive connections × subject; core 0 each alone, medians of {ROUNDS} rounds of {SECONDS} s"
        ),
        &[
            "",
            "requests/s",
            "p50 µs",
            "p99 µs",
            "CPU µs/request",
            "requests/s ÷ nginx",
            "CPU ÷ nginx",
            "errors",
        ],
        &rows,
    );
    upstream.stop()
}

struct Subject {
    name: &'static str,
    process: Process,
    url: String,
    headers: Vec<String>,
    body: String,
    rounds: Vec<Figures>,
}

#[derive(Clone, Copy)]
struct Figures {
    requests: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_us: f64,
    errors: u64,
}

impl Subject {
    fn figures(&self) -> Figures {
        let of = |figure: fn(&Figures) -> f64| table::median(self.rounds.iter().map(figure).collect());
        Figures {
            requests: of(|round| round.requests),
            p50_us: of(|round| round.p50_us),
            p99_us: of(|round| round.p99_us),
            cpu_us: of(|round| round.cpu_us),
            errors: self.rounds.iter().map(|round| round.errors).sum(),
        }
    }
}

fn call_body() -> String {
    json!({"tool_name": TOOL, "identifier": "user-1", "params": {"query": "ada", "limit": 10}}).to_string()
}

const SEARCH: &str = "/crm/v3/objects/contacts/search";

/// A vendor that answers one contact search, on core 1.
pub fn start_upstream(dir: &Path, port: u16) -> anyhow::Result<Process> {
    let config = nginx_config(
        dir,
        "upstream",
        "",
        &format!(
            "listen 127.0.0.1:{port}; default_type application/json;
             location = /account-info/v3/details {{ return 200 '{{\"portalId\": 1, \"accountType\": \"STANDARD\"}}'; }}
             location / {{ return 200 '{}'; }}",
            answer()
        ),
    )?;
    Process::start(1, &["nginx", "-c", &config])
}

fn nginx(dir: &Path, upstream: u16) -> anyhow::Result<Subject> {
    let port = free_port()?;
    let config = nginx_config(
        dir,
        &format!("proxy-{port}"),
        &format!(
            "upstream vendor {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}"
        ),
        &format!(
            "listen 127.0.0.1:{port};
             location / {{
               proxy_pass http://vendor; proxy_http_version 1.1;
               proxy_set_header Connection ''; proxy_set_header Authorization 'Bearer secret';
             }}"
        ),
    )?;
    let mut process = Process::start(0, &["nginx", "-c", &config])?;
    process.wait_for_port(port)?;
    Ok(vendor_subject("nginx, adds a header", process, port))
}

fn nginx_config(dir: &Path, name: &str, http: &str, server: &str) -> anyhow::Result<String> {
    let path = dir.join(format!("{name}.conf"));
    fs::write(
        &path,
        format!(
            "worker_processes 1; daemon off; pid {0}/{name}.pid; error_log /dev/null;
             events {{ worker_connections 1024; }}
             http {{
               access_log off; keepalive_requests 100000000;
               client_body_temp_path {0}/{name}-body; proxy_temp_path {0}/{name}-proxy;
               fastcgi_temp_path {0}/{name}-f; uwsgi_temp_path {0}/{name}-u; scgi_temp_path {0}/{name}-s;
               {http}
               server {{ {server} }}
             }}",
            dir.display()
        ),
    )?;
    Ok(path.display().to_string())
}

fn own(what: &str, name: &'static str, upstream: u16) -> anyhow::Result<Subject> {
    let port = free_port()?;
    let bench = std::env::current_exe()?.display().to_string();
    let upstream = format!("127.0.0.1:{upstream}");
    let mut process = Process::start(0, &[&bench, "serve", what, &port.to_string(), &upstream])?;
    process.wait_for_port(port)?;
    let mut subject = vendor_subject(name, process, port);
    if what == "native" {
        subject.body = call_body();
    }
    Ok(subject)
}

/// One that is sent the vendor's own request.
fn vendor_subject(name: &'static str, process: Process, port: u16) -> Subject {
    Subject {
        name,
        process,
        url: format!("http://127.0.0.1:{port}{SEARCH}"),
        headers: Vec::new(),
        body: json!({"query": "ada", "limit": 10}).to_string(),
        rounds: Vec::new(),
    }
}

fn host(dir: &Path, upstream: u16) -> anyhow::Result<Subject> {
    let port = free_port()?;
    let data = dir.join(format!("data-{port}"));
    let (process, base_url) = start_host(&data, port, true)?;
    let token = runtime()?.block_on(async {
        let host = Host::sign_in(&base_url, &data).await?;
        host.install(connector()?.0).await?;
        host.connect_upstream(upstream).await?;
        host.connect_account("user-1").await?;
        anyhow::Ok(host.token)
    })?;
    Ok(Subject {
        name: "valetkey execute_tool",
        process,
        url: format!("{base_url}/api/v1/execute_tool"),
        headers: vec![
            format!("Authorization: Bearer {token}"),
            "Content-Type: application/json".to_owned(),
        ],
        body: call_body(),
        rounds: Vec::new(),
    })
}

fn load(dir: &Path, subject: &Subject, connections: u32) -> anyhow::Result<Figures> {
    let script = dir.join("load.lua");
    let mut lua = String::from("wrk.method = \"POST\"\n");
    lua.push_str(&format!("wrk.body = [==[{}]==]\n", subject.body));
    for header in &subject.headers {
        let (name, value) = header.split_once(": ").context("a header")?;
        lua.push_str(&format!("wrk.headers[\"{name}\"] = \"{value}\"\n"));
    }
    lua.push_str(
        "done = function(summary, latency, requests)
           local errors = summary.errors
           io.write(string.format('figures %d %d %d %d %d\\n', summary.requests, summary.duration,
             latency:percentile(50), latency:percentile(99),
             errors.connect + errors.read + errors.write + errors.status + errors.timeout))
         end\n",
    );
    fs::write(&script, lua)?;
    let cpu_before = subject.process.cpu_us()?;
    let output = Command::new("taskset")
        .args([
            "-c",
            "1",
            "wrk",
            "-t1",
            &format!("-c{connections}"),
            &format!("-d{SECONDS}s"),
            "-s",
        ])
        .arg(&script)
        .arg(&subject.url)
        .output()
        .context("wrk cannot be started")?;
    let cpu = subject.process.cpu_us()? - cpu_before;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(line) = text.lines().find_map(|line| line.strip_prefix("figures ")) else {
        bail!("wrk said: {text}{}", String::from_utf8_lossy(&output.stderr));
    };
    let figures: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    Ok(Figures {
        requests: figures[0] / (figures[1] / 1e6),
        p50_us: figures[2],
        p99_us: figures[3],
        cpu_us: cpu / figures[0],
        errors: figures[4] as u64,
    })
}

/// A runtime for what the bench itself sends.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

/// Starts a host on core 0; `new` makes its data folder first.
pub fn start_host(data: &Path, port: u16, new: bool) -> anyhow::Result<(Process, String)> {
    let binary = binary()?.display().to_string();
    let data = data.display().to_string();
    if new {
        let made = Command::new(&binary)
            .args(["init", "--data-dir", &data])
            .output()?;
        if !made.status.success() {
            bail!("init failed: {}", String::from_utf8_lossy(&made.stderr));
        }
    }
    let listen = format!("127.0.0.1:{port}");
    let mut process = Process::start(0, &[&binary, "serve", "--data-dir", &data, "--listen", &listen])?;
    process.wait_for_port(port)?;
    Ok((process, format!("http://{listen}")))
}

/// An operator's client of a host.
pub struct Host {
    base_url: String,
    token: String,
    http: Client,
}

impl Host {
    /// Takes the operator's credentials from the data folder.
    pub async fn sign_in(base_url: &str, data: &Path) -> anyhow::Result<Self> {
        let operator: Value = serde_json::from_slice(&fs::read(data.join("operator.json"))?)?;
        let field = |name: &str| {
            operator[name]
                .as_str()
                .map(str::to_owned)
                .with_context(|| name.to_owned())
        };
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            field("client_id")?,
            field("client_secret")?
        );
        let http = Client::default();
        let answer = http
            .post_form(&format!("{base_url}/oauth/token"), &form)
            .await
            .json();
        let token = answer["access_token"].as_str().context("a token")?.to_owned();
        Ok(Self {
            base_url: base_url.to_owned(),
            token,
            http,
        })
    }

    /// What its requests carry in `authorization`.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// POST of JSON; any success will do.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let bearer = self.bearer();
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let url = format!("{}{path}", self.base_url);
        let answer = self
            .http
            .send(http::Method::POST, &url, &headers, body.to_string())
            .await;
        if !answer.status.is_success() {
            bail!("{path}: {} {}", answer.status, answer.text());
        }
        Ok(answer.json())
    }

    /// Installs a component.
    pub async fn install(&self, component: Vec<u8>) -> anyhow::Result<()> {
        let bearer = self.bearer();
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/wasm"),
        ];
        let url = format!("{}/api/v1/connectors", self.base_url);
        let answer = self
            .http
            .send(http::Method::POST, &url, &headers, component)
            .await;
        if !answer.status.is_success() {
            bail!("install: {} {}", answer.status, answer.text());
        }
        Ok(())
    }

    /// Configures `hubspot` by private-app token against the upstream.
    pub async fn connect_upstream(&self, upstream: u16) -> anyhow::Result<()> {
        let connection = json!({
            "connection_name": "hubspot", "connector": "hubspot", "auth": "private_app", "development": true,
            "endpoints": {"api": format!("http://127.0.0.1:{upstream}")},
        });
        self.post("/api/v1/connections", &connection).await?;
        Ok(())
    }

    /// Connects an account through the hosted form.
    pub async fn connect_account(&self, identifier: &str) -> anyhow::Result<()> {
        let ask = json!({"connection_name": "hubspot", "identifier": identifier});
        let link = self.post("/api/v1/connected_accounts/magic_link", &ask).await?;
        let url = link["authorization_link"].as_str().context("a link")?;
        let done = self
            .http
            .post_form(url, &format!("token=pat-na1-{identifier}-0123456789abcdef"))
            .await;
        if !done.status.is_success() {
            bail!("form: {} {}", done.status, done.text());
        }
        Ok(())
    }

    /// Calls the measured tool.
    pub async fn call(&self, identifier: &str) -> anyhow::Result<()> {
        let call =
            json!({"tool_name": TOOL, "identifier": identifier, "params": {"query": "ada", "limit": 10}});
        self.post("/api/v1/execute_tool", &call).await?;
        Ok(())
    }
}

/// A pause for a process to settle before its memory is read.
pub fn settle() {
    std::thread::sleep(Duration::from_millis(500));
}
