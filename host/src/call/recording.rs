//! A tool call whose exchanges with the vendor are answered along with its result, so that an
//! author can make a case of it.
//!
//! It shows what raw requests (`/proxy`) would show and is allowed to the same callers on the same
//! connections: the scope `proxy:execute`, and the operator's `proxy` on the connection. It holds
//! no credential, because it is taken where the guest sees it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::sync::mpsc;

use valetkey_manifest::Manifest;

use super::{Outcome, Request, run};
use crate::access::{Caller, Scope};
use crate::accounts::Usable;
use crate::capability::{Tape, Taped};
use crate::error::{Fault, Kind};
use crate::id::ExecutionId;
use crate::registry::Activation;
use crate::runtime::Runtime;

/// Who is told of every call's exchanges.
pub type Witness = mpsc::UnboundedSender<(ExecutionId, Vec<Exchange>)>;

/// A call and its exchanges.
pub struct Recording {
    /// The call's result.
    pub result: Result<Outcome, Fault>,
    /// What it said to the vendor and was answered.
    pub exchanges: Vec<Exchange>,
}

/// A request of a connector and the vendor's answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Method.
    pub method: String,
    /// The URL as the manifest declares its beginning, `{config.NAME}` included: whoever runs it
    /// again has another account.
    pub url: String,
    /// Query parameters.
    pub query: Vec<(String, String)>,
    /// Headers and body that the connector sent.
    pub request: Message,
    /// The answer's status, headers and body; the fault's kind where there was none.
    pub answer: Result<(u16, Message), Kind>,
}

/// Headers and body.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
}

/// Runs a call and answers its exchanges with the result.
pub async fn record(
    runtime: &Arc<Runtime>,
    caller: &Caller,
    mut request: Request,
) -> (ExecutionId, Recording) {
    let tape = Arc::new(Tape::default());
    let tool = request.tool_name.clone();
    request.extras.tape = Some(Arc::clone(&tape));
    let (id, result) = run(runtime, caller, request).await;
    let snapshot = runtime.registry.snapshot();
    let connector = snapshot.tools.get(&tool).map(|(connector, _)| connector);
    let manifest = connector
        .and_then(|connector| snapshot.connectors.get(connector))
        .map(|connector| &connector.active.version.manifest);
    let exchanges = manifest.map_or_else(Vec::new, |manifest| exchanges(&tape, manifest));
    (id, Recording { result, exchanges })
}

/// Refuses to show the exchanges of a connection on which the operator allows no raw requests.
pub(super) fn check_allowed(caller: &Caller, usable: &Usable) -> Result<(), Fault> {
    caller.require(Scope::ProxyExecute)?;
    if usable.connection.proxy {
        return Ok(());
    }
    Err(Fault::new(
        Kind::PolicyDenied,
        format!(
            "Calls on the connection `{0}` are not recorded: a recording shows what raw requests show, and those are off. Ask the operator to switch them on (`valetkey connection proxy {0}`, or `PATCH /api/v1/connections/{0}` with `proxy`).",
            usable.connection.name
        ),
    )
    .reason("proxy_off"))
}

/// The tape of a call: its caller's, or one for the host's witness, who is told when the call ends.
pub(super) struct Witnessed<'a> {
    tape: Option<Arc<Tape>>,
    told: Option<(&'a Witness, &'a ExecutionId, &'a Activation)>,
}

impl<'a> Witnessed<'a> {
    pub(super) fn new(
        witness: &'a OnceLock<Witness>,
        id: &'a ExecutionId,
        activation: &'a Activation,
        tape: Option<Arc<Tape>>,
    ) -> Self {
        let witness = witness.get();
        Self {
            tape: tape.or_else(|| witness.map(|_| Arc::default())),
            told: witness.map(|witness| (witness, id, activation)),
        }
    }

    pub(super) fn tape(&self) -> Option<&Arc<Tape>> {
        self.tape.as_ref()
    }
}

impl Drop for Witnessed<'_> {
    fn drop(&mut self) {
        if let (Some(tape), Some((witness, id, activation))) = (&self.tape, self.told) {
            let exchanges = exchanges(tape, &activation.version.manifest);
            // A witness that went away hears no more.
            let _ = witness.send((id.clone(), exchanges));
        }
    }
}

fn exchanges(tape: &Tape, manifest: &Manifest) -> Vec<Exchange> {
    let exchanges = tape.exchanges().into_iter();
    exchanges.map(|taped| exchange(taped, manifest)).collect()
}

fn exchange(taped: Taped, manifest: &Manifest) -> Exchange {
    let request = taped.request;
    let declared = manifest.endpoints.get(&request.endpoint);
    let base = declared.map_or("", |endpoint| endpoint.url.trim_end_matches('/'));
    let (url, query) = match request.url {
        None => (format!("{base}{}", request.path), request.query),
        Some(url) => {
            let (url, query) = url.split_once('?').unwrap_or((&url, ""));
            let mut pairs: Vec<(String, String)> =
                form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            pairs.extend(request.query);
            (url.to_owned(), pairs)
        }
    };
    Exchange {
        method: request.method,
        url,
        query,
        request: Message {
            headers: request.headers,
            body: request.body.unwrap_or_default(),
        },
        answer: match taped.answer {
            Some(Ok(response)) => Ok((
                response.status.as_u16(),
                Message {
                    headers: response.headers,
                    body: response.body,
                },
            )),
            Some(Err(kind)) => Err(kind),
            None => Err(Kind::VendorTimeout),
        },
    }
}
