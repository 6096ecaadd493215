//! The record of one call while it runs. It is written exactly once: when the call finishes, or
//! when the caller goes away and the call is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::Instant;

use super::Request;
use crate::access::Caller;
use crate::accounts::Picked;
use crate::capability::GuestLog;
use crate::egress::Meter;
use crate::error::{Fault, Side};
use crate::id::ExecutionId;
use crate::journal::{Execution, Journal};
use crate::registry::Activation;
use crate::runtime::Runtime;

pub(super) struct Record<'a> {
    journal: &'a Journal,
    began: Instant,
    /// Taken when it is written.
    execution: Option<Execution>,
    meter: Arc<Meter>,
    guest_log: Arc<GuestLog>,
    pages: AtomicU32,
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
        Self {
            journal: &runtime.journal,
            began: Instant::now(),
            execution: Some(execution),
            meter: Arc::default(),
            guest_log: Arc::default(),
            pages: AtomicU32::new(0),
        }
    }

    pub(super) fn account(&mut self, picked: &Picked) {
        if let Some(execution) = &mut self.execution {
            execution.account = Some(picked.account.id.to_string());
            execution.connection = Some(picked.connection.name.to_string());
            execution.connector = Some(picked.connection.connector.to_string());
        }
    }

    pub(super) fn version(&mut self, activation: &Activation) {
        if let Some(execution) = &mut self.execution {
            execution.connector_version = Some(activation.version.manifest.connector.version.clone());
            execution.connector_digest = Some(activation.version.digest.clone());
        }
    }

    pub(super) fn replayed(&mut self) {
        if let Some(execution) = &mut self.execution {
            execution.replayed = true;
        }
    }

    pub(super) fn page(&self) {
        self.pages.fetch_add(1, Ordering::Relaxed);
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

    pub(super) async fn finish<T>(mut self, result: &Result<T, Fault>) {
        if let Some(execution) = self.close(result.as_ref().err()) {
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
            self.journal.record_abandoned(execution);
        }
    }
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
