//! Files by id: bytes that are larger than a guest's memory, between a caller and a vendor, through
//! the host and through no guest.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use valetkey::access::Scope;
use valetkey::config::Config;
use valetkey::id::EnvironmentId;
use valetkey::journal::Actor;
use valetkey_manifest::{Auth, Tool};
use valetkey_tests::http::Answer;
use valetkey_tests::{TestHost, artifacts};

const MIB: usize = 1024 * 1024;
/// What a guest may have, and the file that passes it by.
const GUEST_MEMORY: usize = 4 * MIB;
const FILE: usize = 100 * MIB;
const TOKEN: &str = "pat-files-0123456789abcdef";
/// How everything that is kept begins.
const MARK: &[u8] = b"plain-text-of-a-file ";

/// What reached the vendor's upload.
#[derive(Debug, Clone, Default)]
struct Stored {
    size: usize,
    sha256: String,
    headers: HeaderMap,
}

type Seen = Arc<Mutex<Vec<Stored>>>;

/// A host whose guests have little memory, a vendor, and a connector with two tools for files.
struct Rig {
    host: TestHost,
    seen: Seen,
    _vendor: Vendor,
}

/// Serves until it is dropped.
struct Vendor(JoinHandle<()>);

impl Drop for Vendor {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Rig {
    async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let host = TestHost::start_with(|config| {
            config.sandbox.memory_bytes = GUEST_MEMORY;
            change(config);
        })
        .await;
        let seen = Seen::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new()
            .route("/files", post(take))
            .route("/files/{name}", get(give))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(Arc::clone(&seen));
        let vendor = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        let installed = host.install(component()).await;
        assert!(installed.status.is_success(), "{}", installed.text());
        let connection = json!({"connection_name": "drive", "connector": "hubspot", "development": true,
            "endpoints": {"api": url}});
        host.api(Method::POST, "/api/v1/connections", connection)
            .await
            .expect(201);
        for user in ["ada", "bob"] {
            let account = json!({"connection_name": "drive", "identifier": user,
                "credential": {"inputs": {"token": TOKEN}}});
            host.api(Method::POST, "/api/v1/connected_accounts", account)
                .await
                .expect(200);
        }
        Self {
            host,
            seen,
            _vendor: Vendor(vendor),
        }
    }

    async fn upload(&self, query: &str, bytes: Bytes) -> Answer {
        let bearer = format!("Bearer {}", self.host.token());
        let headers = [("authorization", bearer.as_str()), ("content-type", "video/mp4")];
        let url = format!("{}/api/v1/files{query}", self.host.base_url);
        self.host.http.send(Method::POST, &url, &headers, bytes).await
    }

    async fn file(&self, id: &str) -> Answer {
        let path = format!("/api/v1/files/{id}");
        self.host.api(Method::GET, &path, Value::Null).await
    }

    async fn store(&self, who: &str, file: &str) -> Answer {
        self.host
            .call("hubspot_file_store", who, json!({"file": file}))
            .await
    }

    async fn fetch(&self, who: &str, name: &str) -> Answer {
        self.host
            .call("hubspot_file_fetch", who, json!({"name": name}))
            .await
    }

    fn spool(&self) -> std::path::PathBuf {
        self.host.runtime.config.storage.data_dir.join("files")
    }

    /// How many names the spool folder holds, once there are as many as expected. The disk is worked
    /// on other threads.
    async fn spooled(&self, expected: usize) -> usize {
        let count = || std::fs::read_dir(self.spool()).expect("the spool").count();
        let settled = async {
            while count() != expected {
                tokio::task::yield_now().await;
            }
        };
        // The assertion of the test says what there was instead.
        let _ = tokio::time::timeout(Duration::from_secs(10), settled).await;
        count()
    }
}

/// The bundled component with another manifest: two declared tools, no code.
fn component() -> Vec<u8> {
    artifacts::connector_with("hubspot", |manifest| {
        let auth = json!({"id": "token", "kind": "bearer", "title": "Token"});
        let tool = |value: Value| -> Tool { serde_json::from_value(value).expect("a tool") };
        manifest.auth = vec![serde_json::from_value::<Auth>(auth).expect("a scheme")];
        manifest.verify = None;
        manifest.budgets.clear();
        manifest.throttles.clear();
        manifest.paginators.clear();
        manifest.account_config.clear();
        manifest.limits = None;
        manifest.tools = vec![
            tool(json!({
                "name": "hubspot_file_store", "title": "Store a file",
                "description": "Stores a file at the vendor and says how much of it arrived.",
                "hints": {"read_only": false, "destructive": false, "idempotent": false},
                "input": {"type": "object", "additionalProperties": false, "required": ["file"], "properties": {
                    "file": {"type": "string", "format": "valetkey-file", "description": "The file."}}},
                "request": {"endpoint": "api", "method": "POST", "path": "/files", "body": "{file}",
                    "body_format": "file"}
            })),
            tool(json!({
                "name": "hubspot_file_fetch", "title": "Fetch a file",
                "description": "Fetches a file of the vendor and keeps it here for a while.",
                "hints": {"read_only": true, "destructive": false, "idempotent": true},
                "input": {"type": "object", "additionalProperties": false, "required": ["name"], "properties": {
                    "name": {"type": "string", "description": "Its name."}}},
                "request": {"endpoint": "api", "method": "GET", "path": "/files/{name}"},
                "response": {"file": {"content_types": ["video/*", "text/plain"]}}
            })),
        ];
    })
}

/// The vendor's upload: counts, and keeps nothing.
async fn take(State(seen): State<Seen>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut digest = Context::new(&SHA256);
    let mut size = 0;
    let mut body = body.into_data_stream();
    while let Some(piece) = body.next().await {
        let piece = piece.expect("a whole body");
        digest.update(&piece);
        size += piece.len();
    }
    seen.lock().expect("not poisoned").push(Stored {
        size,
        sha256: hex(digest.finish().as_ref()),
        headers: parts.headers,
    });
    axum::Json(json!({"received": size})).into_response()
}

/// The vendor's download.
async fn give(axum::extract::Path(name): axum::extract::Path<String>, headers: HeaderMap) -> Response {
    let of_type = |content_type: &str, body: Body| {
        Response::builder()
            .header("content-type", content_type)
            .header("content-disposition", "attachment; filename=\"holiday.mp4\"")
            .body(body)
            .expect("an answer")
    };
    match name.as_str() {
        "big" => {
            let pieces = stream::iter((0..FILE / MIB).map(|at| Ok::<_, std::io::Error>(piece(at))));
            of_type("video/mp4", Body::from_stream(pieces))
        }
        // The credential, byte by byte.
        "echo" => {
            let sent = headers["authorization"].to_str().unwrap_or_default();
            let text = format!("<<{sent}>> and <<{sent}>>").into_bytes();
            let bytes = text
                .into_iter()
                .map(|byte| Ok::<_, std::io::Error>(Bytes::from(vec![byte])));
            of_type("text/plain", Body::from_stream(stream::iter(bytes)))
        }
        "page" => of_type("text/html", Body::from("<script>")),
        "empty" => of_type("text/plain", Body::empty()),
        "small" => of_type("text/plain", Body::from(MARK)),
        _ => (
            StatusCode::NOT_FOUND,
            axum::Json(json!({"message": "no such file"})),
        )
            .into_response(),
    }
}

/// One MiB of the big file, different from the others.
fn piece(at: usize) -> Bytes {
    let mut bytes = Vec::with_capacity(MIB);
    bytes.extend_from_slice(MARK);
    bytes.resize(MIB, u8::try_from(at % 251).expect("small"));
    bytes.into()
}

fn whole() -> Bytes {
    (0..FILE / MIB).flat_map(piece).collect()
}

fn digest(bytes: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_larger_than_the_guests_memory_reaches_the_vendor_whole() {
    let rig = Rig::start(|_| {}).await;
    assert!(FILE > 20 * rig.host.runtime.config.sandbox.memory_bytes);
    let bytes = whole();
    let sha256 = digest(&bytes);
    let file = rig.upload("?name=dir%2Fholiday.mp4", bytes).await.expect(201);
    assert_eq!(file["size"], FILE);
    assert_eq!(file["sha256"], sha256);
    assert_eq!(file["name"], "holiday.mp4");
    let answer = rig.store("ada", &id(&file)).await.expect(200);
    assert_eq!(answer["data"], json!({"received": FILE}));
    let seen = rig.seen.lock().expect("not poisoned").clone();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].size, &seen[0].sha256), (FILE, &sha256));
    let headers = &seen[0].headers;
    assert_eq!(headers["content-type"], "video/mp4");
    assert_eq!(headers["content-length"], FILE.to_string().as_str());
    assert_eq!(headers["authorization"], format!("Bearer {TOKEN}").as_str());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_larger_than_the_guests_memory_is_kept_sealed_and_downloaded_whole() {
    let rig = Rig::start(|_| {}).await;
    let answer = rig.fetch("ada", "big").await.expect(200);
    let file = &answer["data"]["file"];
    let sha256 = digest(&whole());
    assert_eq!(file["size"], FILE);
    assert_eq!(file["sha256"], sha256);
    assert_eq!(file["name"], "holiday.mp4");
    assert!(answer.to_string().len() < 1_000, "{answer}");

    for entry in std::fs::read_dir(rig.spool()).expect("the spool") {
        let path = entry.expect("an entry").path();
        let mut bytes = std::fs::read(&path).expect("a file");
        // Every MiB of it begins alike.
        bytes.truncate(2 * MIB);
        for readable in [MARK, b"holiday", b"video/mp4"] {
            let found = bytes.windows(readable.len()).any(|window| window == readable);
            assert!(!found, "{} is readable", path.display());
        }
    }
    let download = rig.file(&id(file)).await;
    assert_eq!(download.status, 200);
    assert_eq!((download.body.len(), digest(&download.body)), (FILE, sha256));
    assert_eq!(download.header("content-type"), "video/mp4");
    assert!(download.header("content-disposition").starts_with("attachment"));
    assert!(download.header("content-security-policy").contains("sandbox"));
}

#[tokio::test]
async fn a_file_belongs_to_its_user_and_its_environment() {
    let rig = Rig::start(|_| {}).await;
    let adas = id(&rig.upload("?identifier=ada", "for ada".into()).await.expect(201));
    let everyones = id(&rig.upload("", "for all".into()).await.expect(201));
    let fetched = rig.fetch("ada", "small").await.expect(200);
    let fetched = id(&fetched["data"]["file"]);
    for file in [&adas, &fetched] {
        rig.store("ada", file).await.expect(200);
        let refused = rig.store("bob", file).await.expect(400);
        assert_eq!(refused["error"]["kind"], "invalid_input");
        assert_eq!(refused["error"]["fields"][0]["path"], "/file", "{refused}");
    }
    rig.store("bob", &everyones).await.expect(200);
    for unknown in ["file_00000000000000000000000000000000", "../../store", ""] {
        rig.store("ada", unknown).await.expect(400);
    }
    assert_eq!(
        rig.seen.lock().expect("not poisoned").len(),
        3,
        "nothing else was sent"
    );

    let access = &rig.host.runtime.access;
    let other = EnvironmentId::new("other").expect("a name");
    access
        .add_environment(&other, &Actor::Operator)
        .await
        .expect("an environment");
    let token = |scopes: Vec<Scope>, environment: EnvironmentId| async move {
        let scopes = scopes.into_iter().collect();
        let client = access
            .add_client(&environment, "other", scopes, &Actor::Operator)
            .await
            .expect("a client");
        let token = access
            .issue(client.client_id.as_str(), &client.secret, None)
            .await
            .expect("a token");
        format!("Bearer {}", token.token.expose())
    };
    let dev = EnvironmentId::new("dev").expect("a name");
    let stranger = token(vec![Scope::ToolsExecute], other).await;
    let reader = token(vec![Scope::ToolsRead], dev).await;
    let url = format!("{}/api/v1/files/{everyones}", rig.host.base_url);
    for method in [Method::GET, Method::DELETE] {
        for (bearer, status) in [(&stranger, 404), (&reader, 403)] {
            let headers = [("authorization", bearer.as_str())];
            let answer = rig.host.http.send(method.clone(), &url, &headers, "").await;
            assert_eq!(answer.status, status, "{}", answer.text());
        }
    }
    assert_eq!(rig.file(&everyones).await.text(), "for all");
    let path = format!("/api/v1/files/{everyones}");
    assert_eq!(rig.host.api(Method::DELETE, &path, Value::Null).await.status, 204);
    rig.file(&everyones).await.expect(404);
}

#[tokio::test]
async fn a_credential_in_a_kept_answer_is_redacted_however_it_is_cut() {
    let rig = Rig::start(|_| {}).await;
    let answer = rig.fetch("ada", "echo").await.expect(200);
    let download = rig.file(&id(&answer["data"]["file"])).await;
    assert_eq!(download.text(), "<<Bearer [redacted]>> and <<Bearer [redacted]>>");
    assert_eq!(answer["data"]["file"]["size"], download.body.len());
    assert_eq!(answer["data"]["file"]["sha256"], digest(&download.body));
}

#[tokio::test]
async fn what_cannot_be_kept_is_told_and_leaves_nothing() {
    let rig = Rig::start(|config| {
        config.files.max_file_bytes = 2_000;
        config.files.max_environment_bytes = 3_000;
    })
    .await;
    let kind = |answer: &Value| answer["error"]["kind"].as_str().unwrap_or_default().to_owned();
    let page = rig.fetch("ada", "page").await.json();
    assert_eq!(kind(&page), "vendor_rejected", "{page}");
    let missing = rig.fetch("ada", "nothing").await.json();
    assert_eq!(kind(&missing), "vendor_not_found", "{missing}");
    let large = rig.fetch("ada", "big").await.json();
    assert_eq!(kind(&large), "overloaded", "{large}");
    let large = rig.upload("", Bytes::from(vec![0; 2_001])).await.json();
    assert_eq!(kind(&large), "invalid_input", "{large}");
    assert_eq!(rig.spooled(0).await, 0);

    let empty = rig.fetch("ada", "empty").await.expect(200);
    assert_eq!(empty["data"]["file"]["size"], 0);
    rig.upload("", Bytes::from(vec![0; 2_000])).await.expect(201);
    let second = rig.upload("", Bytes::from(vec![0; 2_000])).await;
    assert_eq!(kind(&second.json()), "overloaded", "{}", second.text());
    assert_eq!(rig.spooled(4).await, 4, "two files, each with its facts");
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let rig = Rig::start(|_| {}).await;
    #[allow(clippy::disallowed_methods, reason = "the test writes its bytes itself")]
    let mut socket = tokio::net::TcpStream::connect(rig.host.base_url.trim_start_matches("http://"))
        .await
        .expect("a connection");
    let head = format!(
        "POST /api/v1/files HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-length: 1000000\r\n\r\n",
        rig.host.token()
    );
    socket.write_all(head.as_bytes()).await.expect("sent");
    socket.write_all(&vec![7; 200_000]).await.expect("sent");
    assert_eq!(rig.spooled(1).await, 1, "it is being written");
    socket.shutdown().await.expect("closed");
    let mut answer = Vec::new();
    // The host may close without a word.
    let _ = socket.read_to_end(&mut answer).await;
    assert_eq!(rig.spooled(0).await, 0);
}

#[tokio::test]
async fn files_survive_a_restart_and_go_when_their_time_is_over() {
    let rig = Rig::start(|config| config.files.keep_seconds = 600).await;
    let file = id(&rig.upload("", "kept".into()).await.expect(201));
    std::fs::write(rig.spool().join("file_of_nobody.bytes"), "left over").expect("written");
    let restarted = Rig {
        host: rig.host.stop().await.start().await,
        ..rig
    };
    assert_eq!(restarted.spooled(2).await, 2, "the left-over is gone");
    assert_eq!(restarted.file(&file).await.text(), "kept");
    restarted.host.clock().advance(Duration::from_secs(601));
    restarted.host.sign_in().await;
    restarted.file(&file).await.expect(404);
    restarted.store("ada", &file).await.expect(400);
    restarted.upload("", "another".into()).await.expect(201);
    assert_eq!(restarted.spooled(2).await, 2, "the old one makes room");
}
