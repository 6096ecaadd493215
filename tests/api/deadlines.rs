//! When a caller's time is over or the caller goes away, everything below goes away too: down to
//! the connection to the vendor.

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use valetkey_tests::TestHost;

const TOKEN: &str = "pat-na1-0123456789";

/// What happened at a vendor that answers nothing but the question whose token it is.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Arrived,
    Closed,
}

struct SilentVendor {
    url: String,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl SilentVendor {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (tell, seen) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, tell.clone()));
            }
        });
        Self { url, seen }
    }

    async fn expect(&mut self, wanted: Seen) {
        let seen = tokio::time::timeout(std::time::Duration::from_secs(30), self.seen.recv());
        assert_eq!(seen.await.expect("within half a minute"), Some(wanted));
    }
}

async fn serve(mut stream: TcpStream, tell: mpsc::UnboundedSender<Seen>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    if head.starts_with(b"GET /account-info/v3/details") {
        let body = r#"{"portalId":4711,"uiDomain":"app.example"}"#;
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        drop(stream.write_all(answer.as_bytes()).await);
        return;
    }
    drop(tell.send(Seen::Arrived));
    // Nothing more comes, so that the next thing to read is the end.
    while stream.read_u8().await.is_ok() {}
    drop(tell.send(Seen::Closed));
}

async fn stage() -> (TestHost, SilentVendor) {
    let vendor = SilentVendor::start().await;
    let host = TestHost::start().await;
    host.install_bundled("hubspot").await;
    let connection = json!({
        "connection_name": "hubspot", "connector": "hubspot", "auth": "private_app", "development": true,
        "endpoints": {"api": vendor.url}, "proxy": true,
    });
    host.api(Method::POST, "/api/v1/connections", connection)
        .await
        .expect(201);
    let account = json!({"connection_name": "hubspot", "identifier": "ada", "credential": {"inputs": {"token": TOKEN}}});
    let account = host
        .api(Method::POST, "/api/v1/connected_accounts", account)
        .await
        .expect(200);
    assert_eq!(account["state"], "ACTIVE");
    (host, vendor)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_time_is_over_is_answered_and_the_vendors_connection_closed() {
    let (host, mut vendor) = stage().await;
    let body = json!({"tool_name": "hubspot_contact_get", "identifier": "ada",
                      "params": {"contact_id": "1"}, "deadline_ms": 700});
    let answer = host
        .api(Method::POST, "/api/v1/execute_tool", body)
        .await
        .expect(504);
    assert_eq!(answer["error"]["kind"], "vendor_timeout");
    vendor.expect(Seen::Arrived).await;
    vendor.expect(Seen::Closed).await;

    let headers = [
        ("connection_name", "hubspot"),
        ("identifier", "ada"),
        ("deadline_ms", "700"),
    ];
    let answer = host
        .api_with(
            Method::GET,
            "/proxy/crm/v3/objects/contacts/1",
            &headers,
            Value::Null,
        )
        .await;
    assert_eq!(answer.expect(504)["error"]["kind"], "vendor_timeout");
    vendor.expect(Seen::Arrived).await;
    vendor.expect(Seen::Closed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_takes_its_call_along_and_the_record_says_so() {
    let (host, mut vendor) = stage().await;
    let call =
        json!({"tool_name": "hubspot_contact_get", "identifier": "ada", "params": {"contact_id": "1"}})
            .to_string();
    let execute = format!(
        "POST /api/v1/execute_tool HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {}",
        call.len()
    );
    let raw = "GET /proxy/crm/v3/objects/contacts/1 HTTP/1.1\r\nconnection_name: hubspot\r\nidentifier: ada"
        .to_owned();
    for (number, (head, body)) in [(execute, call), (raw, String::new())].into_iter().enumerate() {
        let address = host.base_url.strip_prefix("http://").expect("http");
        #[allow(clippy::disallowed_methods, reason = "the test writes its bytes itself")]
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let token = host.token();
        let request = format!("{head}\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.expect("sent");
        vendor.expect(Seen::Arrived).await;
        drop(stream);
        vendor.expect(Seen::Closed).await;
        let mut look = tokio::time::interval(std::time::Duration::from_millis(20));
        let recorded = async {
            loop {
                let recent = host.runtime.journal.recent("dev", 10);
                if recent
                    .iter()
                    .filter(|record| record.outcome == "cancelled")
                    .count()
                    > number
                {
                    break;
                }
                look.tick().await;
            }
        };
        let half_a_minute = std::time::Duration::from_secs(30);
        tokio::time::timeout(half_a_minute, recorded)
            .await
            .expect("a record");
    }
}
