//! The record of one call while it runs. It is written exactly once: when the call finishes, or
//! when the caller goes away and the call is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::Instant;
use tracing::Span;

use super::{Outcome, Request};
use crate::access::Caller;
use crate::accounts::Usable;
use crate::capability::GuestLog;
use crate::egress::Meter;
use crate::error::{Fault, Side};
use crate::id::ExecutionId;
use crate::journal::{Execution, Journal};
use crate::registry::Activation;
use crate::runtime::Runtime;
use crate::trace;

pub(super) struct Record<'a> {
    journal: &'a Journal,
    began: Instant,
    /// Taken when it is written.
    execution: Option<Execution>,
    meter: Arc<Meter>,
    guest_log: Arc<GuestLog>,
    pages: AtomicU32,
    span: Span,
    /// Whether the span holds arguments and result.
    with_content: bool,
}

impl<'a> Record<'a> {
    pub(super) fn begin(runtime: &'a Runtime, caller: &Caller, id: &ExecutionId, request: &Request) -> Self {
        let execution = Execution {
            execution_id: id.to_string(),
            started_at: runtime.clock.now().to_string(),
            environment: caller.environment.to_string(),
            client: caller.client.to_string(),
            tool: request
                .tool_name
                .chars()
                .filter(|c| !c.is_control())
                .take(64)
                .collect(),
            agent_run_id: request.agent_run_id.clone(),
            ..Execution::default()
        };
        let span = span(runtime, &execution);
        let with_content = runtime.config.telemetry.record_content && !span.is_disabled();
        if with_content {
            let arguments = trace::content::of_arguments(&request.params);
            span.record("gen_ai.tool.call.arguments", arguments);
        }
        Self {
            span,
            with_content,
            journal: &runtime.journal,
            began: Instant::now(),
            execution: Some(execution),
            meter: Arc::default(),
            guest_log: Arc::default(),
            pages: AtomicU32::new(0),
        }
    }

    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    pub(super) fn account(&mut self, usable: &Usable) {
        self.span
            .record("valetkey.account.id", usable.account.id.as_str());
        self.span
            .record("valetkey.connection.name", usable.connection.name.as_str());
        self.span
            .record("valetkey.connector.id", usable.connection.connector.as_str());
        if let Some(execution) = &mut self.execution {
            execution.account = Some(usable.account.id.to_string());
            execution.connection = Some(usable.connection.name.to_string());
            execution.connector = Some(usable.connection.connector.to_string());
        }
    }

    pub(super) fn version(&mut self, activation: &Activation) {
        let version = activation.version.manifest.connector.version.as_str();
        self.span.record("valetkey.connector.version", version);
        if let Some(execution) = &mut self.execution {
            execution.connector_version = Some(activation.version.manifest.connector.version.clone());
            execution.connector_digest = Some(activation.version.digest.clone());
        }
    }

    pub(super) fn replayed(&mut self) {
        self.span.record("valetkey.replayed", true);
        if let Some(execution) = &mut self.execution {
            execution.replayed = true;
        }
    }

    pub(super) fn page(&self) {
        self.pages.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn pages(&self) -> u32 {
        self.pages.load(Ordering::Relaxed)
    }

    pub(super) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    pub(super) fn guest_log(&self) -> &Arc<GuestLog> {
        &self.guest_log
    }

    /// Whether a change was put on the wire.
    pub(super) fn writes_sent(&self) -> bool {
        self.meter.writes_sent.load(Ordering::Relaxed) > 0
    }

    pub(super) async fn finish(mut self, result: &Result<Outcome, Fault>) {
        if self.with_content
            && let Ok(outcome) = result
        {
            let shown = trace::content::of_result(&outcome.data);
            self.span.record("gen_ai.tool.call.result", shown);
        }
        if let Some(execution) = self.close(result.as_ref().err()) {
            trace::outcome(&self.span, &execution.outcome, execution.reason.as_deref());
            self.journal.record(execution).await;
        }
    }

    /// Fills in what is known at the end and says it once in the log.
    fn close(&mut self, fault: Option<&Fault>) -> Option<Execution> {
        let mut execution = self.execution.take()?;
        let read = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        let meter = &self.meter;
        execution.duration_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        execution.pages = read(&self.pages);
        execution.requests = read(&meter.requests);
        execution.renewals = read(&meter.renewals);
        execution.waits = read(&meter.waits);
        execution.waited_ms = read(&meter.waited_ms);
        execution.retries = read(&meter.retries);
        execution.vendor_status = read(&meter.last_status);
        execution.bytes_in = read(&meter.bytes_in);
        execution.bytes_out = read(&meter.bytes_out);
        let (lines, dropped) = self.guest_log.take();
        execution.guest_log = lines
            .into_iter()
            .map(|line| format!("{}: {}", line.level, line.message))
            .collect();
        execution.guest_log_dropped = dropped;
        execution.outcome = fault.map_or("ok", |fault| fault.kind().as_str()).to_owned();
        execution.reason = fault.and_then(Fault::reason_code).map(str::to_owned);
        log(&execution, fault);
        Some(execution)
    }
}

/// A call that is dropped leaves its record too.
impl Drop for Record<'_> {
    fn drop(&mut self) {
        if let Some(mut execution) = self.close(None) {
            "cancelled".clone_into(&mut execution.outcome);
            trace::outcome(&self.span, &execution.outcome, None);
            self.journal.record_abandoned(execution);
        }
    }
}

fn span(runtime: &Runtime, execution: &Execution) -> Span {
    // Whether there is such a tool is asked for the span alone.
    if !trace::is_on() {
        return Span::none();
    }
    trace::call(&trace::Call {
        tool: &execution.tool,
        is_known: runtime.registry.snapshot().tools.contains_key(&execution.tool),
        execution_id: &execution.execution_id,
        environment: &execution.environment,
        agent_run_id: execution.agent_run_id.as_deref(),
    })
}

fn log(execution: &Execution, fault: Option<&Fault>) {
    let (id, tool, duration_ms) = (&execution.execution_id, &execution.tool, execution.duration_ms);
    let Some(fault) = fault else {
        tracing::debug!(execution_id = id, tool, duration_ms, "call answered");
        return;
    };
    let (kind, reason, cause) = (fault.kind().as_str(), fault.reason_code(), fault.chain());
    match fault.side() {
        Side::Caller | Side::Account | Side::Vendor => {
            tracing::info!(
                execution_id = id,
                tool,
                kind,
                reason,
                cause,
                duration_ms,
                "call failed"
            );
        }
        Side::Connector => {
            tracing::warn!(
                execution_id = id,
                tool,
                kind,
                reason,
                cause,
                duration_ms,
                "connector failed"
            );
        }
        Side::Host => tracing::error!(
            execution_id = id,
            tool,
            kind,
            reason,
            cause,
            duration_ms,
            "host failed"
        ),
    }
}
