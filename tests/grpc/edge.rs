//! What a gRPC request meets before it reaches a method is gRPC too. Sent by a plain client, over
//! the protocol version that it has.

use bytes::Bytes;
use http::{HeaderMap, Method};
use prost::Message as _;
use serde_json::json;
use valetkey::access::Scope;
use valetkey_tests::TestHost;

const METHOD: &str = "/scalekit.v1.tools.ToolService/ExecuteTool";

/// With an empty message.
async fn send(host: &TestHost, path: &str, headers: &[(&str, &str)]) -> HeaderMap {
    send_message(host, path, headers, &[]).await
}

async fn send_message(host: &TestHost, path: &str, headers: &[(&str, &str)], message: &[u8]) -> HeaderMap {
    let mut all = vec![("content-type", "application/grpc"), ("te", "trailers")];
    all.extend_from_slice(headers);
    // Uncompressed, so many bytes.
    let length = u32::try_from(message.len()).expect("a short message");
    let message: Bytes = [&[0], &length.to_be_bytes()[..], message].concat().into();
    let url = format!("{}{path}", host.base_url);
    let answer = host.http.send(Method::POST, &url, &all, message).await;
    assert_eq!(
        answer.status.as_u16(),
        200,
        "never a bare HTTP status: {}",
        answer.text()
    );
    assert_eq!(answer.header("content-type"), "application/grpc");
    answer.headers
}

/// The token of an MCP session, which opens that session's URL alone.
async fn session_bearer(host: &TestHost) -> String {
    let made = host
        .api(Method::POST, "/api/v1/mcp_servers", json!({"name": "everything"}))
        .await
        .expect(201);
    let path = format!(
        "/api/v1/mcp_servers/{}/sessions",
        made["id"].as_str().expect("an id")
    );
    let minted = host
        .api(Method::POST, &path, json!({"identifier": "ada"}))
        .await
        .expect(201);
    format!("Bearer {}", minted["token"].as_str().expect("a token"))
}

#[tokio::test]
async fn every_refusal_before_a_method_is_a_grpc_status() {
    let host = TestHost::start().await;
    let bearer = format!("Bearer {}", host.token());
    let good = ("authorization", bearer.as_str());
    let session = session_bearer(&host).await;
    for (path, headers, status) in [
        (METHOD, vec![], "16"),
        (METHOD, vec![("authorization", "Bearer nonsense")], "16"),
        (METHOD, vec![("authorization", "Basic bm9uc2Vuc2U6")], "16"),
        (METHOD, vec![("authorization", session.as_str())], "16"),
        (METHOD, vec![good, ("host", "evil.example")], "7"),
        ("/scalekit.v1.tools.ToolService/DeleteTool", vec![good], "12"),
        ("/scalekit.v1.unknown.Service/Method", vec![], "12"),
        ("/scalekit.v1.tools.ToolService/%45xecuteTool", vec![good], "3"),
        // The method itself: no tool has no name.
        (METHOD, vec![good], "5"),
    ] {
        let answer = send(&host, path, &headers).await;
        assert_eq!(answer["grpc-status"], status, "{path} {headers:?}");
        assert!(
            answer.contains_key("grpc-status-details-bin"),
            "{path} {headers:?}"
        );
    }
}

#[tokio::test]
async fn any_good_one_of_several_authorization_fields_is_enough() {
    let host = TestHost::start().await;
    let bearer = format!("Bearer {}", host.token());
    let good = ("authorization", bearer.as_str());
    let stale = ("authorization", "Bearer stale");
    for headers in [[good, stale], [stale, good]] {
        let answer = send(&host, METHOD, &headers).await;
        assert_eq!(answer["grpc-status"], "5", "past the door");
    }
    let answer = send(&host, METHOD, &[stale, stale]).await;
    assert_eq!(answer["grpc-status"], "16");
}

/// The bearer of a token with these scopes alone.
async fn bearer_of(host: &TestHost, scopes: &[Scope]) -> String {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope={}",
        host.client_id,
        host.client_secret,
        scopes.join("+")
    );
    // Twice the slash, as programs join it.
    let url = format!("{}//oauth/token", host.base_url);
    let token = host.http.post_form(&url, &form).await.expect(200);
    format!("Bearer {}", token["access_token"].as_str().expect("a token"))
}

/// Every method, by service, and the scope that it wants.
const METHODS: [(&str, &[(&str, Scope)]); 4] = [
    (
        "connected_accounts.ConnectedAccountService",
        &[
            ("GetConnectedAccountAuth", Scope::AccountsRead),
            ("GetConnectedAccountDetails", Scope::AccountsRead),
            ("ListConnectedAccounts", Scope::AccountsRead),
            ("SearchConnectedAccounts", Scope::AccountsRead),
            ("CreateConnectedAccount", Scope::AccountsWrite),
            ("UpdateConnectedAccount", Scope::AccountsWrite),
            ("DeleteConnectedAccount", Scope::AccountsWrite),
            ("GetMagicLinkForConnectedAccount", Scope::AccountsWrite),
            ("VerifyConnectedAccountUser", Scope::AccountsVerify),
        ],
    ),
    (
        "tools.ToolService",
        &[
            ("ListTools", Scope::ToolsRead),
            ("ListScopedTools", Scope::ToolsRead),
            ("ListAvailableTools", Scope::ToolsRead),
            ("SearchTools", Scope::ToolsRead),
            ("ExecuteTool", Scope::ToolsExecute),
        ],
    ),
    (
        "mcp.McpService",
        &[
            ("CreateMcpConfig", Scope::ServersWrite),
            ("UpdateMcpConfig", Scope::ServersWrite),
            ("DeleteMcpConfig", Scope::ServersWrite),
            ("GetMcpConfig", Scope::AccountsRead),
            ("ListMcpConfigs", Scope::AccountsRead),
            ("EnsureMcpInstance", Scope::AccountsRead),
            ("GetMcpInstance", Scope::AccountsRead),
            ("ListMcpInstances", Scope::AccountsRead),
            ("GetMcpInstanceAuthState", Scope::AccountsRead),
            ("ListMcpConnectedAccounts", Scope::AccountsRead),
            ("UpdateMcpInstance", Scope::SessionsWrite),
            ("DeleteMcpInstance", Scope::SessionsWrite),
            ("CreateMcpSessionToken", Scope::SessionsWrite),
        ],
    ),
    (
        "connections.ConnectionService",
        &[("ListAppConnections", Scope::AccountsRead)],
    ),
];

#[tokio::test]
async fn every_method_wants_its_scope_by_name_and_no_other() {
    let host = TestHost::start().await;
    for scope in Scope::ALL {
        let others: Vec<Scope> = Scope::ALL.into_iter().filter(|other| *other != scope).collect();
        let (alone, others) = (bearer_of(&host, &[scope]).await, bearer_of(&host, &others).await);
        for (service, methods) in METHODS {
            for (method, _) in methods.iter().filter(|(_, wanted)| *wanted == scope) {
                let path = format!("/scalekit.v1.{service}/{method}");
                let refused = send(&host, &path, &[("authorization", &others)]).await;
                assert_eq!(refused["grpc-status"], "7", "{path}");
                let message = refused["grpc-message"].to_str().expect("text");
                assert!(message.contains(scope.as_str()), "{path}: {message}");
                let past = send(&host, &path, &[("authorization", &alone)]).await;
                // A status of success comes in the trailers, after the message.
                assert!(
                    past.get("grpc-status")
                        .is_none_or(|status| !["7", "12", "13", "16"].iter().any(|it| status == it)),
                    "{path}: {past:?}"
                );
            }
        }
    }
}

/// Which user of which server, and whether to make links.
#[derive(Clone, PartialEq, prost::Message)]
struct AskAccounts {
    #[prost(string, tag = "1")]
    config_id: String,
    #[prost(string, tag = "2")]
    identifier: String,
    #[prost(bool, tag = "3")]
    include_auth_link: bool,
}

#[tokio::test]
async fn a_client_that_may_not_change_accounts_gets_states_and_no_links() {
    let host = TestHost::start().await;
    let made = host
        .api(Method::POST, "/api/v1/mcp_servers", json!({"name": "everything"}))
        .await
        .expect(201);
    let bearer = bearer_of(&host, &[Scope::AccountsRead]).await;
    let path = "/scalekit.v1.mcp.McpService/ListMcpConnectedAccounts";
    for (include_auth_link, status) in [(false, "0"), (true, "7")] {
        let ask = AskAccounts {
            config_id: made["id"].as_str().expect("an id").to_owned(),
            identifier: "ada".to_owned(),
            include_auth_link,
        };
        let headers = [("authorization", bearer.as_str())];
        let answer = send_message(&host, path, &headers, &ask.encode_to_vec()).await;
        // A status of success comes in the trailers, after the message.
        let said = answer
            .get("grpc-status")
            .map_or("0", |it| it.to_str().expect("text"));
        assert_eq!(said, status, "{answer:?}");
    }
}

#[tokio::test]
async fn a_message_that_is_none_is_refused_and_the_host_goes_on() {
    let host = TestHost::start().await;
    let bearer = format!("Bearer {}", host.token());
    let headers = [
        ("content-type", "application/grpc"),
        ("authorization", bearer.as_str()),
    ];
    let url = format!("{}{METHOD}", host.base_url);
    for bytes in [
        &[][..],
        &[0, 0, 0],
        &[0, 0, 0, 0, 9, 1],
        &[1, 0, 0, 0, 1, 7],
        &[0, 0xff, 0xff, 0xff, 0xff],
        &[0, 0, 0, 0, 3, 0xff, 0xff, 0xff],
    ] {
        let answer = host
            .http
            .send(Method::POST, &url, &headers, Bytes::copy_from_slice(bytes))
            .await;
        assert_eq!(answer.status.as_u16(), 200, "{bytes:?}");
        assert_ne!(answer.header("grpc-status"), "0", "{bytes:?}");
    }
    let answer = send(&host, METHOD, &[("authorization", &bearer)]).await;
    assert_eq!(answer["grpc-status"], "5");
}
