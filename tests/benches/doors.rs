//! The doors beside each other: the same tool call over REST, gRPC and MCP, a long list of tools
//! through each, the memory of idle MCP listeners, and how soon a call that its client left lets go
//! of the vendor. One host on core 0; the vendor and the load (h2load) on core 1.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use valetkey::manifest;

use super::execute::{Host, TOOL, connector, runtime, settle, start_host, start_upstream};
use super::process::{Process, free_port};
use super::table;

const ROUNDS: usize = 3;
const REQUESTS: u32 = 12_000;
const LISTENERS: usize = 1_000;
const TOOLS: usize = 1_000;
const CANCELLED: usize = 20;

/// Runs and prints.
pub fn run() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let upstream = free_port()?;
    let mut vendor = start_upstream(dir.path(), upstream)?;
    vendor.wait_for_port(upstream)?;
    calls(dir.path(), upstream)?;
    long_list(dir.path(), upstream)?;
    listeners(dir.path(), upstream)?;
    cancellation(dir.path())?;
    vendor.stop()
}

/// One way to call a tool.
struct Door {
    name: &'static str,
    /// h2load's protocol option.
    protocol: &'static str,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Door {
    fn new(name: &'static str, url: String, headers: &[(&str, &str)], body: Vec<u8>) -> Self {
        Self {
            name,
            protocol: "--h1",
            url,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body,
        }
    }

    fn rest(base_url: &str, bearer: &str) -> Self {
        let call =
            json!({"tool_name": TOOL, "identifier": "user-1", "params": {"query": "ada", "limit": 10}});
        Self::new(
            "REST (HTTP/1.1)",
            format!("{base_url}/api/v1/execute_tool"),
            &[("authorization", bearer), ("content-type", "application/json")],
            call.to_string().into_bytes(),
        )
    }

    fn grpc(base_url: &str, bearer: &str) -> Self {
        let params = message(&[
            field("query", &text_value("ada")),
            field("limit", &number_value(10.0)),
        ]);
        let call = message(&[
            bytes_field(1, TOOL.as_bytes()),
            bytes_field(2, b"user-1"),
            bytes_field(3, &params),
        ]);
        let mut door = Self::new(
            "gRPC (h2c)",
            format!("{base_url}/scalekit.v1.tools.ToolService/ExecuteTool"),
            &[
                ("authorization", bearer),
                ("content-type", "application/grpc"),
                ("te", "trailers"),
            ],
            frame(&call),
        );
        door.protocol = "--no-tls-proto=h2c";
        door
    }

    fn mcp(session: &Session) -> Self {
        let call = json!({"name": TOOL, "arguments": {"query": "ada", "limit": 10}});
        session.door("MCP 2026-07-28 (HTTP/1.1)", "tools/call", call)
    }
}

fn calls(dir: &Path, upstream: u16) -> anyhow::Result<()> {
    let (process, base_url) = start_host(&dir.join("calls"), free_port()?, true)?;
    let (doors, _) = runtime()?.block_on(async {
        let host = Host::sign_in(&base_url, &dir.join("calls")).await?;
        host.install(connector()?.0).await?;
        host.connect_upstream(upstream).await?;
        host.connect_account("user-1").await?;
        let session = Session::open(&host).await?;
        let bearer = host.bearer();
        let doors = [
            Door::rest(&base_url, &bearer),
            Door::grpc(&base_url, &bearer),
            Door::mcp(&session),
        ];
        for door in &doors {
            let answer = send(door).await?;
            ensure!(
                answer.windows(8).any(|window| window == b"Lovelace"),
                "{} answered {}",
                door.name,
                String::from_utf8_lossy(&answer)
            );
        }
        anyhow::Ok((doors, session))
    })?;
    let mut rows = Vec::new();
    for connections in [32, 8] {
        let mut rounds: Vec<Vec<Figures>> = doors.iter().map(|_| Vec::new()).collect();
        for _ in 0..ROUNDS {
            for (door, rounds) in doors.iter().zip(&mut rounds) {
                rounds.push(load(dir, &process, door, connections)?);
            }
        }
        let of = |door: usize, figure: fn(&Figures) -> f64| {
            table::median(rounds[door].iter().map(figure).collect())
        };
        for (number, door) in doors.iter().enumerate() {
            rows.push(vec![
                format!("{connections} × {}", door.name),
                format!("{:.0}", of(number, |round| round.requests)),
                format!("{:.0}", of(number, |round| round.p50_us)),
                format!("{:.0}", of(number, |round| round.p99_us)),
                format!("{:.1}", of(number, |round| round.cpu_us)),
                format!(
                    "{:.2}",
                    of(number, |round| round.requests) / of(0, |round| round.requests)
                ),
                format!(
                    "{:.2}",
                    of(number, |round| round.cpu_us) / of(0, |round| round.cpu_us)
                ),
            ]);
        }
    }
    table::print(
        &format!("One tool call through each door, medians of {ROUNDS} rounds of {REQUESTS} calls"),
        &[
            "",
            "calls/s",
            "p50 µs",
            "p99 µs",
            "CPU µs/call",
            "calls/s ÷ REST",
            "CPU ÷ REST",
        ],
        &rows,
    );
    process.stop()
}

fn long_list(dir: &Path, upstream: u16) -> anyhow::Result<()> {
    let data = dir.join("list");
    let (process, base_url) = start_host(&data, free_port()?, true)?;
    let (component, mut manifest) = connector()?;
    let first = manifest
        .tools
        .iter()
        .find(|tool| tool.name == TOOL)
        .cloned()
        .context("the tool")?;
    manifest.tools = (0..TOOLS)
        .map(|number| {
            let mut tool = first.clone();
            tool.name = format!("hubspot_many_{number:04}");
            tool.aliases.clear();
            tool
        })
        .collect();
    let component = manifest::embed(&component, &manifest).map_err(anyhow::Error::msg)?;
    let rows = runtime()?.block_on(async {
        let host = Host::sign_in(&base_url, &data).await?;
        host.install(component).await?;
        host.connect_upstream(upstream).await?;
        host.connect_account("user-1").await?;
        let session = Session::open(&host).await?;
        let bearer = host.bearer();
        let list = |name, path: &str, headers: &[(&str, &str)], body| {
            Door::new(name, format!("{base_url}{path}"), headers, body)
        };
        let grpc = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ];
        let rest = Client::builder(TokioExecutor::new()).build_http();
        let mut pages = 0;
        let began = Instant::now();
        let (mut bytes, mut cursor) = (0, String::new());
        loop {
            let url = format!("{base_url}/api/v1/tools/scoped?identifier=user-1&limit=200{cursor}");
            let request = Request::get(url).header("authorization", &bearer);
            let answer = rest.request(request.body(Full::<Bytes>::default())?).await?;
            let page = answer.into_body().collect().await?.to_bytes();
            (bytes, pages) = (bytes + page.len(), pages + 1);
            let page: Value = serde_json::from_slice(&page)?;
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut rows = vec![row(&format!("REST, {pages} pages"), bytes, began.elapsed())];
        for door in [
            list(
                "gRPC ListScopedTools",
                "/scalekit.v1.tools.ToolService/ListScopedTools",
                &grpc,
                frame(&message(&[bytes_field(1, b"user-1")])),
            ),
            session.door("MCP tools/list", "tools/list", json!({})),
        ] {
            send(&door).await?;
            let began = Instant::now();
            let answer = send(&door).await?;
            rows.push(row(door.name, answer.len(), began.elapsed()));
        }
        anyhow::Ok(rows)
    })?;
    table::print(&format!("A list of {TOOLS} tools"), &["", "kB", "ms"], &rows);
    process.stop()
}

fn row(name: &str, bytes: usize, time: Duration) -> Vec<String> {
    vec![
        name.to_owned(),
        format!("{:.0}", bytes as f64 / 1e3),
        format!("{:.1}", time.as_secs_f64() * 1e3),
    ]
}

fn listeners(dir: &Path, upstream: u16) -> anyhow::Result<()> {
    let data = dir.join("listeners");
    let (process, base_url) = start_host(&data, free_port()?, true)?;
    let (before, after) = runtime()?.block_on(async {
        let host = Host::sign_in(&base_url, &data).await?;
        host.install(connector()?.0).await?;
        host.connect_upstream(upstream).await?;
        let mut streams = Vec::with_capacity(LISTENERS);
        let sessions = Session::open_many(&host, LISTENERS + 1).await?;
        settle();
        let before = process.resident_bytes()?;
        for session in &sessions[1..] {
            let listen = session.door(
                "listen",
                "subscriptions/listen",
                json!({"notifications": {"toolsListChanged": true}}),
            );
            streams.push(open(&listen).await?);
        }
        settle();
        let after = process.resident_bytes()?;
        drop(streams);
        anyhow::Ok((before, after))
    })?;
    let kib = |bytes: f64| format!("{:.1}", bytes / 1024.0);
    table::print(
        &format!("{LISTENERS} idle MCP listeners, a connection each (resident set)"),
        &["", "KiB"],
        &[
            vec!["host before".to_owned(), kib(before)],
            vec!["more with them".to_owned(), kib(after - before)],
            vec!["each".to_owned(), kib((after - before) / LISTENERS as f64)],
        ],
    );
    process.stop()
}

/// From the moment a client drops its call to the moment the vendor sees its connection closed.
fn cancellation(dir: &Path) -> anyhow::Result<()> {
    let data = dir.join("cancellation");
    let (process, base_url) = start_host(&data, free_port()?, true)?;
    let rows = runtime()?.block_on(async {
        let vendor = TcpListener::bind("127.0.0.1:0").await?;
        let host = Host::sign_in(&base_url, &data).await?;
        host.install(connector()?.0).await?;
        host.connect_upstream(vendor.local_addr()?.port()).await?;
        tokio::try_join!(host.connect_account("user-1"), answer_once(&vendor))?;
        let session = Session::open(&host).await?;
        let bearer = host.bearer();
        let mut rows = Vec::new();
        for door in [
            Door::rest(&base_url, &bearer),
            Door::grpc(&base_url, &bearer),
            Door::mcp(&session),
        ] {
            let mut times = Vec::new();
            for _ in 0..CANCELLED {
                times.push(cancelled(&vendor, &door).await?.as_secs_f64() * 1e6);
            }
            times.sort_by(f64::total_cmp);
            rows.push(vec![
                door.name.to_owned(),
                format!("{:.0}", table::median(times.clone())),
                format!("{:.0}", times.last().copied().unwrap_or(f64::NAN)),
            ]);
        }
        anyhow::Ok(rows)
    })?;
    table::print(
        &format!("From a client's leaving to the vendor's end of stream, µs, {CANCELLED} calls"),
        &["", "median", "longest"],
        &rows,
    );
    process.stop()
}

/// The check of a new credential gets its answer.
async fn answer_once(vendor: &TcpListener) -> anyhow::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    let (mut stream, _) = vendor.accept().await?;
    let mut head = [0; 4096];
    let _ = stream.read(&mut head).await?;
    let body = r#"{"portalId": 1, "accountType": "STANDARD"}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(())
}

async fn cancelled(vendor: &TcpListener, door: &Door) -> anyhow::Result<Duration> {
    // A client of its own, so that dropping it ends the connection.
    let call = tokio::spawn(open_owned(request(door)?, door.protocol != "--h1"));
    let (mut stream, _) = vendor.accept().await?;
    let mut buffer = [0; 4096];
    let _ = stream.read(&mut buffer).await?;
    let left = Instant::now();
    call.abort();
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return Ok(left.elapsed()),
            Ok(_) => {}
        }
    }
}

async fn open_owned(request: Request<Full<Bytes>>, http2: bool) -> anyhow::Result<()> {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new())
        .http2_only(http2)
        .build_http();
    client.request(request).await?.into_body().collect().await?;
    Ok(())
}

/// A user's session on a virtual server.
struct Session {
    url: String,
    bearer: String,
}

impl Session {
    async fn open(host: &Host) -> anyhow::Result<Self> {
        Self::open_many(host, 1).await?.pop().context("a session")
    }

    /// Sessions of several users on one server.
    async fn open_many(host: &Host, count: usize) -> anyhow::Result<Vec<Self>> {
        let ask = json!({"name": "bench", "search": "off"});
        let server = host.post("/api/v1/mcp_servers", &ask).await?;
        let id = server["id"].as_str().context("an id")?;
        let mut sessions = Vec::with_capacity(count);
        for number in 1..=count {
            let ask = json!({"identifier": format!("user-{number}")});
            let minted = host
                .post(&format!("/api/v1/mcp_servers/{id}/sessions"), &ask)
                .await?;
            sessions.push(Self {
                url: minted["session"]["url"].as_str().context("a URL")?.to_owned(),
                bearer: format!("Bearer {}", minted["token"].as_str().context("a token")?),
            });
        }
        Ok(sessions)
    }

    fn door(&self, name: &'static str, method: &str, params: Value) -> Door {
        let mut headers = vec![
            ("authorization", self.bearer.as_str()),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", method),
        ];
        if let Some(tool) = params["name"].as_str() {
            headers.push(("mcp-name", tool));
        }
        let mut params = params.clone();
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        Door::new(name, self.url.clone(), &headers, body.to_string().into_bytes())
    }
}

fn request(door: &Door) -> anyhow::Result<Request<Full<Bytes>>> {
    let mut request = Request::post(&door.url);
    for (name, value) in &door.headers {
        request = request.header(name, value);
    }
    Ok(request.body(Full::new(Bytes::from(door.body.clone())))?)
}

async fn open(door: &Door) -> anyhow::Result<Incoming> {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new())
        .http2_only(door.protocol != "--h1")
        .build_http();
    let answer = client.request(request(door)?).await?;
    ensure!(answer.status().is_success(), "{}: {}", door.name, answer.status());
    Ok(answer.into_body())
}

async fn send(door: &Door) -> anyhow::Result<Bytes> {
    Ok(open(door).await?.collect().await?.to_bytes())
}

struct Figures {
    requests: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_us: f64,
}

fn load(dir: &Path, host: &Process, door: &Door, connections: u32) -> anyhow::Result<Figures> {
    let (body, log) = (dir.join("body"), dir.join("h2load.log"));
    fs::write(&body, &door.body)?;
    fs::write(&log, "")?;
    let mut command = Command::new("taskset");
    command
        .args(["-c", "1", "h2load", door.protocol, "-t1", "-m1"])
        .arg(format!("-c{connections}"))
        .arg(format!("-n{REQUESTS}"))
        .arg(format!("--data={}", body.display()))
        .arg(format!("--log-file={}", log.display()));
    for (name, value) in &door.headers {
        command.arg(format!("--header={name}: {value}"));
    }
    let cpu_before = host.cpu_us()?;
    let began = Instant::now();
    let output = command
        .arg(&door.url)
        .output()
        .context("h2load cannot be started")?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu = host.cpu_us()? - cpu_before;
    // A line for each request: start, status, microseconds.
    let mut times = Vec::new();
    for line in fs::read_to_string(&log)?.lines() {
        let mut columns = line.split('\t').skip(1);
        if columns.next() == Some("200")
            && let Some(time) = columns.next()
        {
            times.push(time.parse::<f64>()?);
        }
    }
    if times.len() != REQUESTS as usize {
        bail!(
            "{}: {} of {REQUESTS} calls were answered: {}",
            door.name,
            times.len(),
            String::from_utf8_lossy(&output.stdout)
        );
    }
    times.sort_by(f64::total_cmp);
    Ok(Figures {
        requests: f64::from(REQUESTS) / seconds,
        p50_us: times[times.len() / 2],
        p99_us: times[times.len() * 99 / 100],
        cpu_us: cpu / f64::from(REQUESTS),
    })
}

/// A gRPC message in its frame: not compressed, its length.
fn frame(message: &[u8]) -> Vec<u8> {
    let mut framed = vec![0];
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(message);
    framed
}

/// A protobuf message of encoded fields.
fn message(fields: &[Vec<u8>]) -> Vec<u8> {
    fields.concat()
}

/// A length-delimited field; all of these are shorter than 128 bytes but the message itself.
fn bytes_field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut encoded = vec![number << 3 | 2];
    let mut length = value.len();
    while length >= 0x80 {
        encoded.push(u8::try_from(length & 0x7f).unwrap_or(0) | 0x80);
        length >>= 7;
    }
    encoded.push(u8::try_from(length).unwrap_or(0));
    encoded.extend_from_slice(value);
    encoded
}

/// An entry of `google.protobuf.Struct`.
fn field(name: &str, value: &[u8]) -> Vec<u8> {
    bytes_field(
        1,
        &message(&[bytes_field(1, name.as_bytes()), bytes_field(2, value)]),
    )
}

fn text_value(text: &str) -> Vec<u8> {
    bytes_field(3, text.as_bytes())
}

fn number_value(number: f64) -> Vec<u8> {
    let mut encoded = vec![2 << 3 | 1];
    encoded.extend_from_slice(&number.to_le_bytes());
    encoded
}
