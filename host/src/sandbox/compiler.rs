//! Compiling untrusted components: in a process of its own with limits on memory, CPU and time
//! when this is the `valetkey` binary, on a blocking thread otherwise (tests).

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wasmtime::Engine;

use crate::capability::sanitise;

use super::{LoadError, engine};

/// The hidden subcommand by which the binary compiles one component for its parent.
pub const SUBCOMMAND: &str = "__compile";

/// Memory that compiling one component may take.
const HELPER_BYTES: u64 = 1024 * 1024 * 1024;
/// Bytes of an artifact that the parent reads.
const ARTIFACT_BYTES: u64 = 512 * 1024 * 1024;

/// Where components are compiled.
#[derive(Debug, Clone)]
pub enum Compiler {
    /// On a blocking thread of this process.
    InProcess,
    /// In a child process: this executable with [`SUBCOMMAND`].
    Helper(PathBuf),
}

impl Compiler {
    /// The helper when this executable is `valetkey`, else in this process.
    #[must_use]
    pub fn detect() -> Self {
        match std::env::current_exe() {
            Ok(path) if path.file_stem().is_some_and(|name| name == "valetkey") => Self::Helper(path),
            _ => Self::InProcess,
        }
    }

    /// Compiles; answers the artifact.
    pub(super) async fn compile(
        &self,
        engine: &Engine,
        bytes: Arc<[u8]>,
        time: Duration,
    ) -> Result<Vec<u8>, LoadError> {
        let work = async {
            match self {
                Self::InProcess => {
                    let engine = engine.clone();
                    tokio::task::spawn_blocking(move || engine.precompile_component(&bytes))
                        .await
                        .map_err(|error| LoadError::Compile(format!("the compiler failed ({error})")))?
                        .map_err(|error| LoadError::Compile(sanitise(&format!("{error:#}"), 1024)))
                }
                Self::Helper(executable) => run_helper(executable, &bytes, time).await,
            }
        };
        tokio::time::timeout(time, work).await.map_err(|_| {
            LoadError::Compile(format!(
                "it takes longer than {} s (`sandbox.compile_seconds`)",
                time.as_secs()
            ))
        })?
    }
}

async fn run_helper(executable: &PathBuf, bytes: &[u8], time: Duration) -> Result<Vec<u8>, LoadError> {
    let mut child = tokio::process::Command::new(executable)
        .arg(SUBCOMMAND)
        .arg(time.as_secs().max(1).to_string())
        .env_clear()
        // The allocator otherwise begins by claiming as much as the helper may have.
        .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(LoadError::Io)?;
    let (Some(mut input), Some(output), Some(errors)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(LoadError::Io(io::Error::other(
            "the compiler's pipes are missing",
        )));
    };
    let give = async move {
        // A helper that stops early says why on its stderr; the broken pipe says nothing.
        let _ = input.write_all(bytes).await;
        let _ = input.shutdown().await;
    };
    let take = async move {
        let mut artifact = Vec::new();
        output
            .take(ARTIFACT_BYTES)
            .read_to_end(&mut artifact)
            .await
            .map(|_| artifact)
    };
    let listen = async move {
        let mut text = Vec::new();
        errors.take(16 * 1024).read_to_end(&mut text).await.map(|_| text)
    };
    let ((), artifact, text) = tokio::join!(give, take, listen);
    let status = child.wait().await.map_err(LoadError::Io)?;
    if status.success() {
        return artifact.map_err(LoadError::Io);
    }
    let text = text
        .map(|text| sanitise(String::from_utf8_lossy(&text).trim(), 1024))
        .unwrap_or_default();
    Err(LoadError::Compile(
        if status.code() == Some(1) && !text.is_empty() {
            text
        } else {
            format!("the compiler went over its limits of memory or time ({status})")
        },
    ))
}

/// What `valetkey __compile SECONDS` does: limits itself, reads a component from stdin, writes
/// the artifact to stdout. Exit code 1 with the reason on stderr when it does not compile.
#[must_use]
pub fn helper_main() -> ExitCode {
    let seconds = std::env::args()
        .nth(2)
        .and_then(|text| text.parse().ok())
        .unwrap_or(30);
    match compile_stdin(seconds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn compile_stdin(seconds: u64) -> anyhow::Result<()> {
    let cap = |value| Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    setrlimit(Resource::Core, cap(0))?;
    setrlimit(Resource::Cpu, cap(seconds))?;
    setrlimit(Resource::Data, cap(HELPER_BYTES))?;
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let artifact = engine::compiling()?
        .precompile_component(&bytes)
        .map_err(|error| anyhow::anyhow!("{error:#}"))?;
    io::stdout().lock().write_all(&artifact)?;
    Ok(())
}
