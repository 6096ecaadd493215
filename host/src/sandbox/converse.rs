//! One step of a connector's `auth`: a fresh instance in a world of its own. It has the conversation
//! with the token endpoint, the clock, randomness, and its account's configuration; requests and files
//! of tools are refused, whatever the component imports.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};
use wasmtime::Store;

use valetkey_manifest::AuthKind;

use crate::capability::bindings::authorizer::AuthorizerPre;
use crate::capability::bindings::authorizer::exports::valetkey::connector::auth;
use crate::capability::{Grant, GuestLog, Limits};
use crate::egress::dialogue::{Dialogue, Found, Step};
use crate::egress::{Credential, Credentials, GuestRequest, GuestResponse, Meter, Outbound, Reach, Vendor};
use crate::error::{Fault, Kind};

use super::call::{panic_text, slot, store};
use super::guest::Guest;
use super::{Component, Sandbox, cpu, fault};

/// Bytes of memory: enough for texts of a few KiB, in any language that starts in them.
const MEMORY_BYTES: usize = 16 * 1024 * 1024;
/// Milliseconds of computing.
const CPU_MS: u64 = 500;
/// Calls of the host: each may make a text of 64 KiB.
const HOST_CALLS: u32 = 200;
/// Requests to the token endpoint.
const REQUESTS: u32 = 4;
/// Lines for the operator's log.
const LOG_LINES: u32 = 32;

/// What a step may know beside the conversation.
pub struct Converse {
    /// The connector's id, for the log.
    pub connector: String,
    /// The kind of credential.
    pub credential_kind: AuthKind,
    /// The account's configuration.
    pub account_config: Arc<BTreeMap<String, String>>,
    /// When it must be over.
    pub deadline: Instant,
}

pub(super) async fn run(
    sandbox: &Sandbox,
    component: &Component,
    about: Converse,
    dialogue: Arc<Dialogue>,
    step: Step,
) -> Result<Found, Fault> {
    let Some(pre) = &component.auth else {
        return Err(Fault::new(
            Kind::ConnectorOutputInvalid,
            "The connection leaves the token endpoint to the connector's code, and the version in service has no such code. \
             Pin the connection to a version that has, or make the connection anew.",
        )
        .reason("auth"));
    };
    let deadline = about.deadline;
    let _slot = slot(&component.lane, deadline).await?;
    let log = Arc::new(GuestLog::default());
    let grant = grant(sandbox, about, Arc::clone(&log));
    let connector = grant.reach.vendor.connector.clone();
    let mut store = store(sandbox, &component.lane, grant);
    let session = &mut store.data_mut().session;
    session.egress = Arc::new(Nowhere);
    session.dialogue = Some(dialogue);
    let call = cpu::measured(invoke(pre, &mut store, step));
    // A panic of the host that a guest can reach costs this step and not the process.
    let ended = AssertUnwindSafe(timeout_at(deadline, call)).catch_unwind().await;
    let outcome = match ended {
        Err(panic) => Err(Fault::internal(format!("panic: {}", panic_text(panic.as_ref())))),
        Ok(Err(_elapsed)) => Err(fault::deadline(&mut store.data_mut().session)),
        Ok(Ok(Err(error))) => Err(fault::ended(&error, store.data_mut(), step.as_str())),
        Ok(Ok(Ok(Err(reported)))) => Err(fault::reported(reported, &mut store.data_mut().session)),
        Ok(Ok(Ok(Ok(found)))) => Ok(Found {
            access: found.access,
            refresh: found.refresh,
            lifetime: found.lifetime,
            lifetime_unit: found.lifetime_unit,
            scopes: found.scopes,
            about: found.about,
        }),
    };
    for line in log.take().0 {
        tracing::info!(
            connector,
            level = line.level,
            said = line.message,
            "a connector's auth wrote a line"
        );
    }
    outcome
}

async fn invoke(
    pre: &AuthorizerPre<Guest>,
    store: &mut Store<Guest>,
    step: Step,
) -> wasmtime::Result<Result<auth::Grant, auth::Fault>> {
    let authorizer = pre.instantiate_async(&mut *store).await?;
    let auth = authorizer.valetkey_connector_auth();
    let context = auth::Context { ext: Vec::new() };
    match step {
        Step::Exchange => auth.call_exchange(store, &context).await,
        Step::Refresh => auth.call_refresh(store, &context).await,
        Step::Issue => auth.call_issue(store, &context).await,
    }
}

/// What a step may use: of the capabilities of tools, the harmless ones.
fn grant(sandbox: &Sandbox, about: Converse, log: Arc<GuestLog>) -> Grant {
    let usual = Limits::from(&sandbox.settings);
    Grant {
        reach: Reach {
            vendor: Arc::new(Vendor {
                connector: about.connector,
                connection_key: String::new(),
                development: false,
                budgets: Arc::new([]),
                throttles: Arc::new([]),
                refusals: Arc::new([]),
                errors: None,
            }),
            endpoints: Arc::default(),
            allowed: Arc::new([]),
            read_only: true,
            idempotent: false,
            account_key: "".into(),
            credentials: Arc::new(Nowhere),
            deadline: about.deadline,
            meter: Arc::new(Meter::default()),
        },
        limits: Limits {
            memory_bytes: usual.memory_bytes.min(MEMORY_BYTES),
            cpu_ms: usual.cpu_ms.min(CPU_MS),
            host_calls: usual.host_calls.min(HOST_CALLS),
            http_requests: REQUESTS,
            log_lines: usual.log_lines.min(LOG_LINES),
            ..usual
        },
        credential_kind: about.credential_kind,
        // The scopes that are asked for are a value of the conversation.
        scopes: Arc::new([]),
        account_config: about.account_config,
        files: None,
        log,
        progress: None,
        tape: None,
    }
}

/// Where requests of tools go from here.
struct Nowhere;

impl Nowhere {
    fn refused() -> Fault {
        Fault::new(
            Kind::EgressDenied,
            "The connector's `auth` reaches the token endpoint and nothing else; nothing was sent. Report it to the \
             connector's author.",
        )
        .reason("auth")
    }
}

impl Outbound for Nowhere {
    fn send<'a>(
        &'a self,
        _reach: &'a Reach,
        _request: GuestRequest,
    ) -> BoxFuture<'a, Result<GuestResponse, Fault>> {
        Box::pin(std::future::ready(Err(Self::refused())))
    }
}

impl Credentials for Nowhere {
    fn current(&self, _deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>> {
        Box::pin(std::future::ready(Err(Self::refused())))
    }

    fn renew(&self, _rejected: u64, _deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>> {
        Box::pin(std::future::ready(Err(Self::refused())))
    }
}
