//! wasmtime: engines, inspection of untrusted components, compilation, and one fresh instance
//! for each call.
//!
//! Called by `registry` (inspect, compile) and `call` (run). Nothing here can name a user: a call
//! sees a [`Grant`].

mod cache;
mod call;
pub mod compiler;
mod converse;
mod cpu;
mod engine;
mod fault;
mod guest;
mod inspect;
mod output;
mod wasi;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Semaphore;
use wasmtime::Engine;

use valetkey_manifest::Manifest;

use crate::capability::bindings::ConnectorPre;
use crate::capability::bindings::authorizer::AuthorizerPre;
use crate::capability::{CallContext, Grant, sanitise};
use crate::clock::Clock;
use crate::config;
use crate::egress::Outbound;
use crate::egress::dialogue::{Dialogue, Found, Step};
use crate::error::Fault;
use crate::manifest;

pub use converse::Converse;

use cache::Cache;
use compiler::Compiler;
use engine::{Engines, Lane, Profile};
use guest::Guest;

/// What a component says about itself, read without running or compiling it.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// SHA-256 of the component's bytes, lower-case hex.
    pub digest: String,
    /// Its manifest.
    pub manifest: Manifest,
}

/// Why a component is not loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Not a component at all, truncated, a core module, or precompiled code.
    #[error("this is not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// Larger than the limit.
    #[error("the component has {bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// `sandbox.max_component_bytes`.
        limit: usize,
    },
    /// More functions, types, memories or nesting than the compiler is given.
    #[error("the component is too complex: {0}")]
    TooComplex(String),
    /// It wants something that the sandbox does not give.
    #[error(
        "the component imports `{0}`, which connectors do not get; the world of valetkey:connector is all there is"
    )]
    ForbiddenImport(String),
    /// It lacks what a connector must export.
    #[error("the component does not export `{0}`")]
    MissingExport(String),
    /// It exports what its manifest does not say.
    #[error(
        "the component exports `{0}`, and its manifest says nowhere that it is used: add `[auth.oauth2.coded]` (or \
         `[auth.grant.coded]`), so that operators see that code speaks to the token endpoint"
    )]
    UndeclaredExport(String),
    /// No manifest section, or it does not parse.
    #[error("the manifest is unusable: {0}")]
    Manifest(String),
    /// The compiler refused it or took too long.
    #[error("the component does not compile: {0}")]
    Compile(String),
    /// The cache folder or the compiler process failed.
    #[error("the compilation could not be run")]
    Io(#[source] std::io::Error),
}

/// A compiled component, linked and ready. Dropping the last handle frees its code.
pub struct Component {
    lane: Arc<Lane>,
    pre: ConnectorPre<Guest>,
    /// What speaks to the token endpoint, when the manifest says that there is such a thing.
    auth: Option<AuthorizerPre<Guest>>,
}

/// What a tool call answered.
#[derive(Debug, Clone)]
pub struct GuestOutput {
    /// Output JSON: well-formed, within the size limit.
    pub data: String,
    /// The vendor's token of the next page.
    pub next_page_token: Option<String>,
}

/// Built once; holds the engines and the epoch ticker.
pub struct Sandbox {
    settings: config::Sandbox,
    engines: Arc<Engines>,
    compiling: Engine,
    compiler: Compiler,
    code_hash: String,
    cache: Arc<Cache>,
    egress: Arc<dyn Outbound>,
    clock: Clock,
    /// Calls that compute for long take turns on these.
    turns: Arc<Semaphore>,
}

impl Sandbox {
    /// Builds the engines; compiled code is cached in `cache_dir`, which becomes 0700.
    ///
    /// # Errors
    /// The engine or the folder cannot be set up.
    pub fn new(
        settings: &config::Sandbox,
        cache_dir: &Path,
        egress: Arc<dyn Outbound>,
    ) -> anyhow::Result<Self> {
        let compiling = engine::compiling()?;
        let code_hash = engine::code_hash(&compiling);
        let cache = Cache::open(cache_dir, &code_hash)?;
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            settings: settings.clone(),
            engines: Engines::new(settings)?,
            compiling,
            compiler: Compiler::detect(),
            code_hash,
            cache: Arc::new(cache),
            egress,
            clock: Clock::system(),
            turns: Arc::new(Semaphore::new((threads * 3 / 4).max(1))),
        })
    }

    /// Gives guests this wall clock in place of the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Compiles with this compiler in place of the detected one.
    #[must_use]
    pub fn with_compiler(mut self, compiler: Compiler) -> Self {
        self.compiler = compiler;
        self
    }

    /// Checks untrusted bytes without compiling or running them: form, size, imports, exports,
    /// manifest.
    ///
    /// # Errors
    /// What is wrong, by name.
    pub fn inspect(&self, bytes: &[u8]) -> Result<Inspection, LoadError> {
        let manifest = inspect::inspect(bytes, self.settings.max_component_bytes)?;
        Ok(Inspection {
            digest: digest(bytes),
            manifest,
        })
    }

    /// Compiles (or takes from the cache) and links an inspected component. Never on the call
    /// path: it runs on a blocking thread.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn compile(&self, bytes: Arc<[u8]>, inspection: &Inspection) -> Result<Component, LoadError> {
        let digest = digest(&bytes);
        if digest != inspection.digest {
            return Err(LoadError::NotAComponent(
                "it changed after it was inspected".to_owned(),
            ));
        }
        let profile = Profile::of(inspection.manifest.connector.runtime);
        let coded = inspect::is_coded(&inspection.manifest);
        // The manifest is no code: another one around the same code costs no compilation.
        let code: Arc<[u8]> = manifest::code(&bytes).map_err(LoadError::NotAComponent)?.into();
        let digest = self::digest(&code);
        if let Some(artifact) = self.cached(&digest).await?
            && let Ok(component) = self.link(artifact, profile, coded).await
        {
            return Ok(component);
        }
        let time = Duration::from_secs(self.settings.compile_seconds);
        let artifact = self.compiler.compile(&self.compiling, code, time).await?;
        let artifact = self.keep(digest, artifact).await?;
        self.link(artifact, profile, coded).await
    }

    async fn cached(&self, digest: &str) -> Result<Option<Vec<u8>>, LoadError> {
        let (cache, digest, code_hash) = (Arc::clone(&self.cache), digest.to_owned(), self.code_hash.clone());
        blocking(move || cache.load(&digest, &code_hash)).await
    }

    async fn keep(&self, digest: String, artifact: Vec<u8>) -> Result<Vec<u8>, LoadError> {
        let (cache, code_hash) = (Arc::clone(&self.cache), self.code_hash.clone());
        blocking(move || {
            // Without the cache the next start compiles again; this one need not fail.
            if let Err(error) = cache.store(&digest, &code_hash, &artifact) {
                tracing::warn!(digest, %error, "compiled code cannot be kept on the disk; the next start compiles it again");
            }
            artifact
        })
        .await
    }

    async fn link(&self, artifact: Vec<u8>, profile: Profile, coded: bool) -> Result<Component, LoadError> {
        let engines = Arc::clone(&self.engines);
        blocking(move || {
            let lane = engines
                .lane(profile)
                .map_err(|error| LoadError::Compile(format!("{error:#}")))?;
            let refused = |error: wasmtime::Error| LoadError::Compile(sanitise(&format!("{error:#}"), 1024));
            let component = deserialize(&lane.engine, &artifact).map_err(refused)?;
            let pre = lane.linker.instantiate_pre(&component).map_err(refused)?;
            let auth = coded
                .then(|| AuthorizerPre::new(pre.clone()))
                .transpose()
                .map_err(refused)?;
            let pre = ConnectorPre::new(pre).map_err(refused)?;
            Ok(Component { lane, pre, auth })
        })
        .await?
    }

    /// Runs one tool in a fresh instance. Returns by the grant's deadline.
    ///
    /// # Errors
    /// The guest's own fault, or what it did wrong.
    pub async fn call(
        &self,
        component: &Arc<Component>,
        grant: Grant,
        context: CallContext,
        tool: &str,
        input: String,
    ) -> Result<GuestOutput, Fault> {
        call::run(self, component, grant, &context, tool, &input).await
    }

    /// Runs one step of a connector's `auth` in a fresh instance that reaches `dialogue` and nothing else.
    /// Answers where in it the tokens are.
    ///
    /// # Errors
    /// The guest's own fault, or what it did wrong.
    pub async fn converse(
        &self,
        component: &Arc<Component>,
        about: Converse,
        dialogue: Arc<Dialogue>,
        step: Step,
    ) -> Result<Found, Fault> {
        converse::run(self, component, about, dialogue, step).await
    }

    /// Instances that live now, for tests and metrics.
    #[must_use]
    pub fn live_instances(&self) -> u32 {
        self.engines.live_instances()
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LoadError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| LoadError::Compile(format!("the work was interrupted ({error})")))
}

#[allow(
    unsafe_code,
    reason = "an artifact is machine code: it comes from our own compiler, either just now or from the cache, whose MAC \
              was verified over these very bytes, already in memory"
)]
fn deserialize(engine: &Engine, artifact: &[u8]) -> wasmtime::Result<wasmtime::component::Component> {
    // SAFETY: as the reason above says; wasmtime itself checks that version and settings match.
    unsafe { wasmtime::component::Component::deserialize(engine, artifact) }
}

/// SHA-256 in lower-case hex.
fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut text = String::with_capacity(64);
    for byte in digest.as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
