//! `/proxy/…`: a raw request to the vendor with the account's credential, for what no tool covers.
//!
//! The answer is the vendor's, status and body as they came, and `x-vendor-status` says that it
//! is. One status does not pass: clients take 401 for a matter of their own access token, get a new
//! one and send the request again, and 407 likewise; a vendor's 401 or 407 is answered as 424.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use utoipa::ToSchema;

use super::answer::{Answer, EXECUTION_ID, Refusal};
use super::ask::{UPLOAD_TIME, Who, collect, scope};
use crate::accounts::Selector;
use crate::call::{self, ProxyAnswer, ProxyRequest};
use crate::error::{Fault, Problem};
use crate::runtime::Runtime;

/// Where the vendor's own paths begin.
pub(super) const PREFIX: &str = "/proxy";
/// Says that an answer is the vendor's, with the status that it gave.
const VENDOR_STATUS: HeaderName = HeaderName::from_static("x-vendor-status");
/// Whatever the vendor answers, a browser that is led here runs nothing of it.
const INERT: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

/// The methods that a vendor may be asked by.
pub(super) fn methods() -> MethodRouter<Arc<Runtime>> {
    get(forward)
        .head(forward)
        .post(forward)
        .put(forward)
        .patch(forward)
        .delete(forward)
}

/// Whatever the vendor takes.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code, reason = "the shape of the document; the bytes are passed on")]
pub(super) struct Raw(Vec<u8>);

/// The document's operation of one method; all are [`forward`].
macro_rules! operation {
    ($method:ident, $name:ident, $id:tt $(, $body:ident)?) => {
        /// Raw request to the vendor
        ///
        /// Sends the request to the endpoint of the connection's connector, with the credential of
        /// the account, and answers what the vendor answered: its status (but 424 instead of 401
        /// and 407), the headers that are about the content, and its body. An answer without the
        /// header `x-vendor-status` is the host's own, of the shape `Error`. Off until the operator
        /// sets the connection's `proxy`.
        #[utoipa::path($method, path = "/proxy/{path}", tag = "proxy", operation_id = $id,
            params(
                ("path" = String, Path, description = "Path below the connector's endpoint, percent-encoded as the vendor wants it, slashes as they are. The query goes along."),
                ("connection_name" = String, Header, description = "The connection. `connection-name` is the same."),
                ("identifier" = Option<String>, Header, description = "The application's key for the user whose account is meant."),
                ("connected_account_id" = Option<String>, Header, description = "Or the account itself, `ca_…`."),
                ("endpoint" = Option<String>, Header, description = "Endpoint of the connector's manifest, where it has several; `api` when absent."),
                ("agent_run_id" = Option<String>, Header, description = "The agent's own name for its run, for the record."),
                ("deadline_ms" = Option<u64>, Header, description = "How long the caller waits for the answer, in milliseconds."),
            ),
            $(request_body(content = $body, content_type = "*/*", description = "As the vendor wants it."),)?
            responses((status = "default", description = "The vendor's answer, or an error of the host.",
                body = Value, content_type = "*/*",
                headers(("x-vendor-status" = u16, description = "The vendor's status: the answer is the vendor's."),
                        ("x-execution-id" = String, description = "The execution, for the record.")))),
            security(("client" = ["proxy:execute"])))]
        #[allow(dead_code, reason = "the shape of the document")]
        pub(super) fn $name() {}
    };
}

operation!(get, get_raw, "proxyGet");
operation!(post, post_raw, "proxyPost", Raw);
operation!(put, put_raw, "proxyPut", Raw);
operation!(patch, patch_raw, "proxyPatch", Raw);
operation!(delete, delete_raw, "proxyDelete");

async fn forward(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ProxyExecute>,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let asked = Asked(&parts.headers);
    let selector = Selector {
        identifier: asked.parsed("identifier")?,
        connected_account_id: asked.parsed("connected_account_id")?,
        connection_name: None,
    };
    let connection_name = asked.parsed("connection_name")?.ok_or_else(|| {
        wrong(
            "connection_name",
            "is missing: name the connection in this header",
        )
    })?;
    let deadline: Option<u64> = asked.parsed("deadline_ms")?;
    let agent_run_id = asked.text("agent_run_id")?;
    let agent_run_id = agent_run_id
        .map(|id| call::visible("agent_run_id", id.to_owned()))
        .transpose()?;
    let endpoint = asked.text("endpoint")?.map(str::to_owned);
    let limit = host.config.egress.max_request_bytes;
    let body = collect(&parts.headers, body, limit, UPLOAD_TIME).await?;
    let request = ProxyRequest {
        connection_name,
        selector,
        endpoint,
        method: parts.method,
        path: parts
            .uri
            .path()
            .strip_prefix(PREFIX)
            .unwrap_or_default()
            .to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body: (!body.is_empty()).then_some(body),
        agent_run_id,
        deadline: deadline.map(Duration::from_millis),
    };
    match call::proxy(&host, &caller, request).await {
        (execution, Ok(answer)) => Ok(render(execution.as_str(), answer)),
        (execution, Err(fault)) => Err(Refusal::of_execution(fault, execution)),
    }
}

fn render(execution: &str, answer: ProxyAnswer) -> Response {
    let ProxyAnswer {
        status,
        headers,
        body,
    } = answer;
    let mut response = Body::from(body).into_response();
    *response.status_mut() = match status {
        StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => StatusCode::FAILED_DEPENDENCY,
        status => status,
    };
    *response.headers_mut() = headers;
    let headers = response.headers_mut();
    if let Some(below) = headers.get(LOCATION).and_then(|path| path.to_str().ok())
        && let Ok(here) = HeaderValue::from_str(&format!("{PREFIX}{below}"))
    {
        headers.insert(LOCATION, here);
    }
    headers.insert(CONTENT_SECURITY_POLICY, INERT);
    headers.insert(VENDOR_STATUS, HeaderValue::from(status.as_u16()));
    if let Ok(id) = HeaderValue::from_str(execution) {
        headers.insert(EXECUTION_ID, id);
    }
    response
}

/// What a raw request says of itself, in headers, since path, query and body are the vendor's.
struct Asked<'h>(&'h HeaderMap);

impl<'h> Asked<'h> {
    /// The value of a header; its underscores may be hyphens, because some proxies on the way drop
    /// the former.
    fn text(&self, name: &'static str) -> Result<Option<&'h str>, Fault> {
        let hyphened = name.replace('_', "-");
        let spellings = if hyphened == name {
            vec![name]
        } else {
            vec![name, hyphened.as_str()]
        };
        let mut values = spellings.iter().flat_map(|spelling| self.0.get_all(*spelling));
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(wrong(name, "is there more than once"));
        }
        // Identifiers may be any text; HTTP/1.1 clients send it as UTF-8.
        match std::str::from_utf8(value.as_bytes()) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(wrong(name, "is not UTF-8 text")),
        }
    }

    fn parsed<T: FromStr<Err: std::fmt::Display>>(&self, name: &'static str) -> Result<Option<T>, Fault> {
        let text = self.text(name)?;
        text.map(|text| {
            text.parse()
                .map_err(|error: T::Err| wrong(name, &error.to_string()))
        })
        .transpose()
    }
}

fn wrong(name: &str, problem: &str) -> Fault {
    Fault::invalid(
        "A header of the request is not what this path takes; `fields` says which.",
        vec![Problem {
            path: name.to_owned(),
            problem: problem.to_owned(),
        }],
    )
}
