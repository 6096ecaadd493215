//! What the host is compared to, each a process of its own on one core: a plain hyper proxy, and
//! native Rust that sends the same request and makes the same answer of it.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::net::TcpListener;

use valetkey_guest::{Page, engine};
use valetkey_manifest::tool::Declaration;

use super::execute::declaration;

type Client = legacy::Client<HttpConnector, Full<Bytes>>;

/// Serves until the process is ended.
pub fn serve(what: &str, port: u16, upstream: SocketAddr) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client: Client = legacy::Client::builder(TokioExecutor::new()).build(connector);
        let worker = Arc::new(Worker {
            client,
            upstream,
            declaration: declaration()?,
        });
        let kind = match what {
            "proxy" => Kind::Proxy,
            "native" => Kind::Native,
            _ => bail!("`proxy` or `native`"),
        };
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let worker = Arc::clone(&worker);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let worker = Arc::clone(&worker);
                    async move {
                        match kind {
                            Kind::Proxy => worker.proxy(request).await,
                            Kind::Native => worker.native(request).await,
                        }
                    }
                });
                // A client that goes away ends its connection.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    })
}

#[derive(Clone, Copy)]
enum Kind {
    Proxy,
    Native,
}

struct Worker {
    client: Client,
    upstream: SocketAddr,
    declaration: Declaration,
}

#[derive(Deserialize)]
struct Call {
    params: Map<String, Value>,
}

impl Worker {
    /// Passes the request on with a credential, and the answer back.
    async fn proxy(&self, request: Request<Incoming>) -> anyhow::Result<Response<Full<Bytes>>> {
        let (mut head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        head.uri = format!("http://{}{}", self.upstream, head.uri.path()).parse()?;
        head.headers
            .insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer secret"));
        head.headers.remove(header::HOST);
        let answer = self
            .client
            .request(Request::from_parts(head, Full::new(body)))
            .await?;
        let (head, body) = answer.into_parts();
        Ok(Response::from_parts(
            head,
            Full::new(body.collect().await?.to_bytes()),
        ))
    }

    /// Parses the call, sends the declared request, makes the tool's result of the answer.
    async fn native(&self, request: Request<Incoming>) -> anyhow::Result<Response<Full<Bytes>>> {
        let body = request.into_body().collect().await?.to_bytes();
        let mut call: Call = serde_json::from_slice(&body)?;
        let size = call
            .params
            .remove("limit")
            .and_then(|limit| u32::try_from(limit.as_u64()?).ok());
        let page = Page { token: None, size };
        let declared = engine::request(
            self.declaration.request.as_ref().context("it is declared")?,
            self.declaration.paginator.as_ref(),
            &Value::Object(call.params),
            &page,
            &|_| None,
        );
        let declared = declared.map_err(|fault| anyhow!("{fault:?}"))?;
        let mut request = Request::builder()
            .method(declared.method.as_str())
            .uri(format!("http://{}{}", self.upstream, declared.path))
            .header(header::AUTHORIZATION, "Bearer secret");
        for (name, value) in declared.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(declared.body.unwrap_or_default())))?;
        let (head, body) = self.client.request(request).await?.into_parts();
        let response = valetkey_guest::Response {
            status: head.status.as_u16(),
            headers: Vec::new(),
            body: body.collect().await?.to_bytes().to_vec(),
        };
        let output = engine::output(&self.declaration, &page, response);
        let data = output.map_err(|fault| anyhow!("{fault:?}"))?.data;
        let body = format!(r#"{{"data":{data},"execution_id":"exe_00000000000000000000000000000000"}}"#);
        Ok(Response::builder()
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body.into()))?)
    }
}
