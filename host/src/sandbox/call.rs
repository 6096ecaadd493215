//! One call: a fresh store and instance, run to its end or to the first limit, and dropped.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::{Instant, timeout_at};
use wasmtime::{Store, StoreContextMut, UpdateDeadline};

use crate::capability::bindings::exports::valetkey::connector::tools;
use crate::capability::session::{Session, Stop, Turn};
use crate::capability::{CallContext, Grant};
use crate::error::Fault;

use super::engine::{Lane, TICK};
use super::guest::{Budget, Guest};
use super::{Component, GuestOutput, Sandbox, cpu, fault, output};

/// Bytes that cross the boundary in one call of a host function, or as the answer: the largest
/// request body and its headers.
const LIFTED_BYTES: usize = 12 * 1024 * 1024;
/// Resource handles that live at once.
const HANDLES: usize = 256;
/// What a guest may compute, from one tick on, before it lets others have the thread.
const SLICE: Duration = TICK.checked_div(2).expect("two is not zero");

pub(super) async fn run(
    sandbox: &Sandbox,
    component: &Component,
    grant: Grant,
    context: &CallContext,
    tool: &str,
    input: &str,
) -> Result<GuestOutput, Fault> {
    let deadline = grant.reach.deadline;
    let _slot = slot(&component.lane, deadline).await?;
    let mut store = store(sandbox, &component.lane, grant);
    let call = cpu::measured(invoke(component, &mut store, context, tool, input));
    // A panic of the host that a guest can reach costs this call and not the process.
    let ended = AssertUnwindSafe(timeout_at(deadline, call)).catch_unwind().await;
    match ended {
        Err(panic) => Err(Fault::internal(format!("panic: {}", panic_text(panic.as_ref())))),
        Ok(Err(_elapsed)) => Err(fault::deadline(&mut store.data_mut().session)),
        Ok(Ok(Err(error))) => Err(fault::ended(&error, store.data_mut(), tool)),
        Ok(Ok(Ok(Err(reported)))) => Err(fault::reported(reported, &mut store.data_mut().session)),
        Ok(Ok(Ok(Ok(answer)))) => output::check(
            answer.data,
            answer.next_page_token,
            &store.data().session.grant.limits,
        ),
    }
}

/// Waits for room among the living instances.
pub(super) async fn slot(lane: &Lane, deadline: Instant) -> Result<tokio::sync::SemaphorePermit<'_>, Fault> {
    if let Ok(slot) = lane.slots.try_acquire() {
        return if deadline > Instant::now() {
            Ok(slot)
        } else {
            Err(fault::too_late())
        };
    }
    match timeout_at(deadline, lane.slots.acquire()).await {
        Ok(Ok(slot)) => Ok(slot),
        Ok(Err(_)) | Err(_) => Err(fault::overloaded()),
    }
}

pub(super) fn store(sandbox: &Sandbox, lane: &Lane, grant: Grant) -> Store<Guest> {
    let limits = &grant.limits;
    let budget = Budget::new(
        limits.memory_bytes,
        lane.profile.table_elements(limits.table_elements),
        lane.profile.size(),
    );
    let session = Session::new(
        grant,
        Arc::clone(&sandbox.egress),
        sandbox.clock.clone(),
        Instant::now(),
        Turn::new(Arc::clone(&sandbox.turns)),
    );
    let mut store = Store::new(&lane.engine, Guest { session, budget });
    store.limiter(|guest| &mut guest.budget);
    store.set_hostcall_fuel(LIFTED_BYTES);
    store.set_max_component_handles(HANDLES);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(on_tick);
    store
}

async fn invoke(
    component: &Component,
    store: &mut Store<Guest>,
    context: &CallContext,
    tool: &str,
    input: &str,
) -> wasmtime::Result<Result<tools::Output, tools::Fault>> {
    let context = tools::Context {
        execution_id: context.execution_id.clone(),
        declaration: context.declaration.as_deref().map(str::to_owned),
        page_token: context.page_token.clone(),
        page_size: context.page_size,
        ext: context.ext.clone(),
    };
    let connector = component.pre.instantiate_async(&mut *store).await?;
    connector
        .valetkey_connector_tools()
        .call_call(&mut *store, &context, tool, input)
        .await
}

/// Looks at a computing guest at every tick: its limits, and whether others should have the thread.
fn on_tick(mut store: StoreContextMut<'_, Guest>) -> wasmtime::Result<UpdateDeadline> {
    let used = cpu::used();
    let session = &mut store.data_mut().session;
    if used.total >= Duration::from_millis(session.grant.limits.cpu_ms) {
        return Err(session.stop(Stop::Cpu));
    }
    if Instant::now() >= session.grant.reach.deadline {
        return Err(session.stop(Stop::Deadline));
    }
    if used.slice < SLICE {
        return Ok(UpdateDeadline::Continue(1));
    }
    Ok(UpdateDeadline::YieldCustom(1, Box::pin(session.turn.next())))
}

pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no text".to_owned())
}
