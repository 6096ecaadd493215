//! The gRPC edge: the services that the public packages `scalekit-sdk-python` and
//! `@scalekit-sdk/node` call, so that programs written for them run against this host.
//!
//! Mounted by `api` beside the REST routes, on the same port. Every method is a function of
//! `accounts`, `tools`, `connections`, `mcp` or `instances`: one verb of the core and its rendering. [`unary`] does
//! what they share: it knows the caller before it reads the message. A fault becomes a gRPC status
//! in [`status`] alone.
//!
//! It never answers with a bare HTTP status, and never `UNAVAILABLE` to a tool call: clients
//! repeat a call by themselves on these. Nothing here touches sandbox, egress, vault or store.

mod accounts;
mod ask;
mod connections;
mod instances;
mod mcp;
mod page;
mod status;
mod structure;
mod tools;
mod unary;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::access::Scope;
use crate::error::{Fault, Kind};
use crate::runtime::Runtime;

use unary::unary;

/// Bytes of an answer. The clients take 4 MiB (the default of grpcio, which no program changes),
/// frame and headers included.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024 - 1024;

/// Every method of every service.
pub fn routes() -> Router<Arc<Runtime>> {
    Router::new()
        .merge(service(
            "scalekit.v1.connected_accounts.ConnectedAccountService",
            [
                (
                    "GetConnectedAccountAuth",
                    unary(Scope::AccountsRead, accounts::get),
                ),
                (
                    "GetConnectedAccountDetails",
                    unary(Scope::AccountsRead, accounts::get),
                ),
                (
                    "ListConnectedAccounts",
                    unary(Scope::AccountsRead, accounts::list),
                ),
                (
                    "SearchConnectedAccounts",
                    unary(Scope::AccountsRead, accounts::search),
                ),
                (
                    "CreateConnectedAccount",
                    unary(Scope::AccountsWrite, accounts::create),
                ),
                (
                    "UpdateConnectedAccount",
                    unary(Scope::AccountsWrite, accounts::update),
                ),
                (
                    "DeleteConnectedAccount",
                    unary(Scope::AccountsWrite, accounts::delete),
                ),
                (
                    "GetMagicLinkForConnectedAccount",
                    unary(Scope::AccountsWrite, accounts::magic_link),
                ),
                (
                    "VerifyConnectedAccountUser",
                    unary(Scope::AccountsVerify, accounts::verify_user),
                ),
            ],
        ))
        .merge(service(
            "scalekit.v1.tools.ToolService",
            [
                ("ListTools", unary(Scope::ToolsRead, tools::list)),
                ("ListScopedTools", unary(Scope::ToolsRead, tools::scoped)),
                ("ListAvailableTools", unary(Scope::ToolsRead, tools::available)),
                ("SearchTools", unary(Scope::ToolsRead, tools::search)),
                ("ExecuteTool", unary(Scope::ToolsExecute, tools::execute)),
            ],
        ))
        .merge(service(
            "scalekit.v1.mcp.McpService",
            [
                ("CreateMcpConfig", unary(Scope::ServersWrite, mcp::create)),
                ("UpdateMcpConfig", unary(Scope::ServersWrite, mcp::update)),
                ("GetMcpConfig", unary(Scope::AccountsRead, mcp::get)),
                ("DeleteMcpConfig", unary(Scope::ServersWrite, mcp::delete)),
                ("ListMcpConfigs", unary(Scope::AccountsRead, mcp::list)),
                ("EnsureMcpInstance", unary(Scope::AccountsRead, instances::ensure)),
                ("GetMcpInstance", unary(Scope::AccountsRead, instances::get)),
                ("ListMcpInstances", unary(Scope::AccountsRead, instances::list)),
                (
                    "UpdateMcpInstance",
                    unary(Scope::SessionsWrite, instances::update),
                ),
                (
                    "DeleteMcpInstance",
                    unary(Scope::SessionsWrite, instances::delete),
                ),
                (
                    "GetMcpInstanceAuthState",
                    unary(Scope::AccountsRead, instances::auth_state),
                ),
                (
                    "ListMcpConnectedAccounts",
                    unary(Scope::AccountsRead, mcp::connected_accounts),
                ),
                (
                    "CreateMcpSessionToken",
                    unary(Scope::SessionsWrite, mcp::session_token),
                ),
            ],
        ))
        .merge(service(
            "scalekit.v1.connections.ConnectionService",
            [(
                "ListAppConnections",
                unary(Scope::AccountsRead, connections::list),
            )],
        ))
}

fn service<const N: usize>(
    name: &str,
    methods: [(&str, axum::routing::MethodRouter<Arc<Runtime>>); N],
) -> Router<Arc<Runtime>> {
    methods
        .into_iter()
        .fold(Router::new(), |router, (method, handler)| {
            router.route(&format!("/{name}/{method}"), handler)
        })
}

/// Whether a request is gRPC, so that its refusal has to be gRPC too.
#[must_use]
pub fn speaks(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// A fault that happened before any method was reached.
#[must_use]
pub fn refusal(fault: &Fault) -> Response {
    status::of(fault).into_http()
}

/// A method that there is not.
#[must_use]
pub fn no_such_method() -> Response {
    let fault = Fault::new(
        Kind::NotFound,
        "This host does not have this gRPC method. docs/guides/scalekit-sdks.md lists those that it has.",
    );
    status::unimplemented(&fault).into_http()
}
