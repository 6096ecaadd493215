//! WASI as inert stubs: what standard libraries of guests import whether they use it or not.
//! No environment, no arguments, no files, no sockets; output goes nowhere, input is at its end.
//! Clocks and randomness are the host's, like those of `runtime`.
//!
//! A function that needs a thing which no guest can ever hold (an open file, a terminal) traps.

use std::time::Duration;

use tokio::time::Instant;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType};

use crate::random;

use super::guest::Guest;

/// The version that we link; wasmtime lets a component that asks for any 0.2.x have it.
const VERSION: &str = "0.2.12";

/// Interfaces that a component may import, by package and name, at any 0.2.x.
const INTERFACES: [&str; 21] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/timezone",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// Bytes that one call for random bytes gives at most.
const RANDOM_BYTES: u64 = 64 * 1024;
/// Bytes that an output stream takes at once.
const WRITE_BYTES: u64 = 64 * 1024;
/// The resolution of both clocks.
const RESOLUTION: Duration = Duration::from_millis(1);

/// Whether a component may import this interface (`package/name`, version `0.2.x`).
pub(super) fn is_allowed(interface: &str, version: &str) -> bool {
    INTERFACES.contains(&interface)
        && version
            .strip_prefix("0.2.")
            .is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

struct IoError;
struct Pollable;
struct InputStream;
struct OutputStream;
struct TerminalInput;
struct TerminalOutput;
struct Descriptor;
struct DirectoryEntryStream;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[allow(dead_code, reason = "part of the type; our streams never fail")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

#[derive(ComponentType, Lift, Lower, Clone, Copy)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

type Store<'a> = StoreContextMut<'a, Guest>;

/// Stands for everything that is always ready; others are the session's timers, counted from 1.
const READY: u32 = 0;

/// Defines every interface of [`INTERFACES`].
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    io(linker)?;
    cli(linker)?;
    clocks(linker)?;
    randomness(linker)?;
    filesystem(linker)
}

fn interface<'a>(linker: &'a mut Linker<Guest>, name: &str) -> wasmtime::Result<LinkerInstance<'a, Guest>> {
    linker.instance(&format!("{name}@{VERSION}"))
}

fn resource<T: 'static>(instance: &mut LinkerInstance<'_, Guest>, name: &str) -> wasmtime::Result<()> {
    instance.resource(name, ResourceType::host::<T>(), |_, _| Ok(()))
}

/// Functions that no guest can call rightly.
fn unreachable(instance: &mut LinkerInstance<'_, Guest>, names: &[&'static str]) -> wasmtime::Result<()> {
    for &name in names {
        instance.func_new(name, move |_, _, _, _| {
            Err(wasmtime::Error::msg(format!(
                "`{name}` is not available to connectors"
            )))
        })?;
    }
    Ok(())
}

fn io(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut error = interface(linker, "wasi:io/error")?;
    resource::<IoError>(&mut error, "error")?;
    unreachable(&mut error, &["[method]error.to-debug-string"])?;

    let mut poll = interface(linker, "wasi:io/poll")?;
    resource::<Pollable>(&mut poll, "pollable")?;
    poll.func_wrap(
        "[method]pollable.ready",
        |mut store: Store, (this,): (Resource<Pollable>,)| {
            count(&mut store)?;
            Ok((due(&store, this.rep())? <= Instant::now(),))
        },
    )?;
    poll.func_wrap_async(
        "[method]pollable.block",
        |mut store: Store, (this,): (Resource<Pollable>,)| {
            Box::new(async move {
                count(&mut store)?;
                let due = due(&store, this.rep())?;
                store.data_mut().session.turn.give_up();
                tokio::time::sleep_until(due).await;
                Ok(())
            })
        },
    )?;
    poll.func_wrap_async("poll", |mut store: Store, (list,): (Vec<Resource<Pollable>>,)| {
        Box::new(async move {
            count(&mut store)?;
            let mut times = Vec::with_capacity(list.len());
            for pollable in &list {
                times.push(due(&store, pollable.rep())?);
            }
            let Some(&first) = times.iter().min() else {
                return Err(wasmtime::Error::msg("`poll` was called with an empty list"));
            };
            store.data_mut().session.turn.give_up();
            tokio::time::sleep_until(first).await;
            let now = Instant::now();
            let ready = (0u32..)
                .zip(&times)
                .filter(|(_, due)| **due <= now)
                .map(|(index, _)| index);
            Ok((ready.collect::<Vec<_>>(),))
        })
    })?;

    let mut streams = interface(linker, "wasi:io/streams")?;
    resource::<InputStream>(&mut streams, "input-stream")?;
    resource::<OutputStream>(&mut streams, "output-stream")?;
    for name in ["[method]input-stream.read", "[method]input-stream.blocking-read"] {
        streams.func_wrap(name, |mut store: Store, (_, _): (Resource<InputStream>, u64)| {
            count(&mut store)?;
            Ok((Err::<Vec<u8>, _>(StreamError::Closed),))
        })?;
    }
    for name in ["[method]input-stream.skip", "[method]input-stream.blocking-skip"] {
        streams.func_wrap(name, |mut store: Store, (_, _): (Resource<InputStream>, u64)| {
            count(&mut store)?;
            Ok((Err::<u64, _>(StreamError::Closed),))
        })?;
    }
    streams.func_wrap(
        "[method]input-stream.subscribe",
        |mut store: Store, (_,): (Resource<InputStream>,)| {
            count(&mut store)?;
            Ok((Resource::<Pollable>::new_own(READY),))
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.check-write",
        |mut store: Store, (_,): (Resource<OutputStream>,)| {
            count(&mut store)?;
            Ok((Ok::<_, StreamError>(WRITE_BYTES),))
        },
    )?;
    for name in [
        "[method]output-stream.write",
        "[method]output-stream.blocking-write-and-flush",
    ] {
        streams.func_wrap(
            name,
            |mut store: Store, (_, _): (Resource<OutputStream>, Vec<u8>)| {
                count(&mut store)?;
                Ok((Ok::<_, StreamError>(()),))
            },
        )?;
    }
    for name in [
        "[method]output-stream.flush",
        "[method]output-stream.blocking-flush",
    ] {
        streams.func_wrap(name, |mut store: Store, (_,): (Resource<OutputStream>,)| {
            count(&mut store)?;
            Ok((Ok::<_, StreamError>(()),))
        })?;
    }
    for name in [
        "[method]output-stream.write-zeroes",
        "[method]output-stream.blocking-write-zeroes-and-flush",
    ] {
        streams.func_wrap(name, |mut store: Store, (_, _): (Resource<OutputStream>, u64)| {
            count(&mut store)?;
            Ok((Ok::<_, StreamError>(()),))
        })?;
    }
    streams.func_wrap(
        "[method]output-stream.subscribe",
        |mut store: Store, (_,): (Resource<OutputStream>,)| {
            count(&mut store)?;
            Ok((Resource::<Pollable>::new_own(READY),))
        },
    )?;
    unreachable(
        &mut streams,
        &[
            "[method]output-stream.splice",
            "[method]output-stream.blocking-splice",
        ],
    )
}

fn cli(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut environment = interface(linker, "wasi:cli/environment")?;
    environment.func_wrap("get-environment", |mut store: Store, (): ()| {
        count(&mut store)?;
        Ok((Vec::<(String, String)>::new(),))
    })?;
    environment.func_wrap("get-arguments", |mut store: Store, (): ()| {
        count(&mut store)?;
        Ok((Vec::<String>::new(),))
    })?;
    environment.func_wrap("initial-cwd", |mut store: Store, (): ()| {
        count(&mut store)?;
        Ok((None::<String>,))
    })?;
    unreachable(
        &mut interface(linker, "wasi:cli/exit")?,
        &["exit", "exit-with-code"],
    )?;

    interface(linker, "wasi:cli/stdin")?.func_wrap("get-stdin", |mut store: Store, (): ()| {
        count(&mut store)?;
        Ok((Resource::<InputStream>::new_own(0),))
    })?;
    for (name, function) in [
        ("wasi:cli/stdout", "get-stdout"),
        ("wasi:cli/stderr", "get-stderr"),
    ] {
        interface(linker, name)?.func_wrap(function, |mut store: Store, (): ()| {
            count(&mut store)?;
            Ok((Resource::<OutputStream>::new_own(0),))
        })?;
    }

    resource::<TerminalInput>(
        &mut interface(linker, "wasi:cli/terminal-input")?,
        "terminal-input",
    )?;
    resource::<TerminalOutput>(
        &mut interface(linker, "wasi:cli/terminal-output")?,
        "terminal-output",
    )?;
    interface(linker, "wasi:cli/terminal-stdin")?.func_wrap("get-terminal-stdin", |_: Store, (): ()| {
        Ok((None::<Resource<TerminalInput>>,))
    })?;
    for (name, function) in [
        ("wasi:cli/terminal-stdout", "get-terminal-stdout"),
        ("wasi:cli/terminal-stderr", "get-terminal-stderr"),
    ] {
        interface(linker, name)?.func_wrap(function, |_: Store, (): ()| {
            Ok((None::<Resource<TerminalOutput>>,))
        })?;
    }
    Ok(())
}

fn clocks(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut monotonic = interface(linker, "wasi:clocks/monotonic-clock")?;
    monotonic.func_wrap("now", |mut store: Store, (): ()| {
        count(&mut store)?;
        Ok((nanoseconds(store.data().session.started.elapsed()),))
    })?;
    monotonic.func_wrap("resolution", |_: Store, (): ()| Ok((nanoseconds(RESOLUTION),)))?;
    monotonic.func_wrap("subscribe-instant", |mut store: Store, (when,): (u64,)| {
        count(&mut store)?;
        let due = store
            .data()
            .session
            .started
            .checked_add(Duration::from_nanos(when));
        Ok((timer(&mut store, due),))
    })?;
    monotonic.func_wrap("subscribe-duration", |mut store: Store, (wait,): (u64,)| {
        count(&mut store)?;
        let due = Instant::now().checked_add(Duration::from_nanos(wait));
        Ok((timer(&mut store, due),))
    })?;

    let mut wall = interface(linker, "wasi:clocks/wall-clock")?;
    wall.func_wrap("now", |mut store: Store, (): ()| {
        count(&mut store)?;
        Ok((datetime(Duration::from_millis(
            store.data().session.wall_clock_ms(),
        )),))
    })?;
    wall.func_wrap("resolution", |_: Store, (): ()| Ok((datetime(RESOLUTION),)))?;
    unreachable(
        &mut interface(linker, "wasi:clocks/timezone")?,
        &["display", "utc-offset"],
    )
}

fn randomness(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    for (name, bytes, number) in [
        ("wasi:random/random", "get-random-bytes", "get-random-u64"),
        (
            "wasi:random/insecure",
            "get-insecure-random-bytes",
            "get-insecure-random-u64",
        ),
    ] {
        let mut instance = interface(linker, name)?;
        instance.func_wrap(bytes, |mut store: Store, (length,): (u64,)| {
            count(&mut store)?;
            let length = usize::try_from(length.min(RANDOM_BYTES + 1)).unwrap_or(usize::MAX);
            if length as u64 > RANDOM_BYTES {
                return Err(wasmtime::Error::msg(
                    "more random bytes asked for than one call gives",
                ));
            }
            let mut bytes = vec![0; length];
            random::fill(&mut bytes);
            Ok((bytes,))
        })?;
        instance.func_wrap(number, |mut store: Store, (): ()| {
            count(&mut store)?;
            Ok((u64::from_le_bytes(random::bytes()),))
        })?;
    }
    interface(linker, "wasi:random/insecure-seed")?.func_wrap("insecure-seed", |mut store: Store, (): ()| {
        count(&mut store)?;
        let pair = (
            u64::from_le_bytes(random::bytes()),
            u64::from_le_bytes(random::bytes()),
        );
        Ok((pair,))
    })
}

fn filesystem(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut types = interface(linker, "wasi:filesystem/types")?;
    resource::<Descriptor>(&mut types, "descriptor")?;
    resource::<DirectoryEntryStream>(&mut types, "directory-entry-stream")?;
    unreachable(
        &mut types,
        &[
            "filesystem-error-code",
            "[method]descriptor.advise",
            "[method]descriptor.append-via-stream",
            "[method]descriptor.create-directory-at",
            "[method]descriptor.get-flags",
            "[method]descriptor.get-type",
            "[method]descriptor.is-same-object",
            "[method]descriptor.link-at",
            "[method]descriptor.metadata-hash",
            "[method]descriptor.metadata-hash-at",
            "[method]descriptor.open-at",
            "[method]descriptor.read",
            "[method]descriptor.read-directory",
            "[method]descriptor.read-via-stream",
            "[method]descriptor.readlink-at",
            "[method]descriptor.remove-directory-at",
            "[method]descriptor.rename-at",
            "[method]descriptor.set-size",
            "[method]descriptor.set-times",
            "[method]descriptor.set-times-at",
            "[method]descriptor.stat",
            "[method]descriptor.stat-at",
            "[method]descriptor.symlink-at",
            "[method]descriptor.sync",
            "[method]descriptor.sync-data",
            "[method]descriptor.unlink-file-at",
            "[method]descriptor.write",
            "[method]descriptor.write-via-stream",
            "[method]directory-entry-stream.read-directory-entry",
        ],
    )?;
    interface(linker, "wasi:filesystem/preopens")?.func_wrap("get-directories", |_: Store, (): ()| {
        Ok((Vec::<(Resource<Descriptor>, String)>::new(),))
    })
}

fn count(store: &mut Store) -> wasmtime::Result<()> {
    store.data_mut().session.count_wasi_call()
}

fn timer(store: &mut Store, due: Option<Instant>) -> Resource<Pollable> {
    let session = &mut store.data_mut().session;
    // A time that cannot be told is never reached: the call's deadline comes first.
    session
        .timers
        .push(due.unwrap_or(session.grant.reach.deadline + Duration::from_secs(1)));
    Resource::new_own(u32::try_from(session.timers.len()).unwrap_or(u32::MAX))
}

/// When a pollable is ready.
fn due(store: &Store, rep: u32) -> wasmtime::Result<Instant> {
    let session = &store.data().session;
    if rep == READY {
        return Ok(session.started);
    }
    session
        .timers
        .get(rep as usize - 1)
        .copied()
        .ok_or_else(|| wasmtime::Error::msg("there is no such pollable"))
}

/// Rounded down to the clocks' resolution, so that a guest cannot time what it shares a processor with.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .saturating_mul(1_000_000)
}

fn datetime(since_1970: Duration) -> Datetime {
    Datetime {
        seconds: since_1970.as_secs(),
        nanoseconds: since_1970.subsec_millis() * 1_000_000,
    }
}
