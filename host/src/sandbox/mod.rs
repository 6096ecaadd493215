//! wasmtime: engines, inspection of untrusted components, compilation, and one fresh instance
//! for each call.
//!
//! Called by `registry` (inspect, compile) and `call` (run). Nothing here can name a user: a call
//! sees a [`Grant`].

use std::path::Path;
use std::sync::Arc;

use thiserror::Error;

use valetkey_manifest::Manifest;

use crate::capability::{CallContext, Grant};
use crate::config;
use crate::egress::Egress;
use crate::error::Fault;

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
    /// It wants something that the sandbox does not give.
    #[error(
        "the component imports `{0}`, which connectors do not get; the world of valetkey:connector is all there is"
    )]
    ForbiddenImport(String),
    /// It lacks what a connector must export.
    #[error("the component does not export `{0}`")]
    MissingExport(String),
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
pub struct Component {}

/// What a tool call answered.
#[derive(Debug, Clone)]
pub struct GuestOutput {
    /// Output JSON: well-formed, within the size limit.
    pub data: String,
    /// The vendor's token of the next page.
    pub next_page_token: Option<String>,
}

/// Built once; holds the engines and the epoch ticker.
pub struct Sandbox {}

impl Sandbox {
    /// Builds the engines; compiled code is cached in `cache_dir`, which becomes 0700.
    ///
    /// # Errors
    /// The engine or the folder cannot be set up.
    pub fn new(_settings: &config::Sandbox, _cache_dir: &Path, _egress: Arc<Egress>) -> anyhow::Result<Self> {
        todo!()
    }

    /// Checks untrusted bytes without compiling or running them: form, size, imports, exports,
    /// manifest.
    ///
    /// # Errors
    /// What is wrong, by name.
    pub fn inspect(&self, _bytes: &[u8]) -> Result<Inspection, LoadError> {
        todo!()
    }

    /// Compiles (or takes from the cache) and links an inspected component. Never on the call
    /// path: it runs on a blocking thread.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn compile(&self, _bytes: Arc<[u8]>, _inspection: &Inspection) -> Result<Component, LoadError> {
        todo!()
    }

    /// Runs one tool in a fresh instance. Returns by the grant's deadline.
    ///
    /// # Errors
    /// The guest's own fault, or what it did wrong.
    pub async fn call(
        &self,
        _component: &Arc<Component>,
        _grant: Grant,
        _context: CallContext,
        _tool: &str,
        _input: String,
    ) -> Result<GuestOutput, Fault> {
        todo!()
    }

    /// Instances that live now, for tests and metrics.
    #[must_use]
    pub fn live_instances(&self) -> u32 {
        todo!()
    }
}
