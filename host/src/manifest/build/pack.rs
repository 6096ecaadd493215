//! From a connector that is all data to a component, without a compiler: the manifest goes into the
//! generic engine that this binary carries (`sdk/engine`, compiled by `host/build.rs`).

use std::path::Path;

use valetkey_manifest::{GuestRuntime, Manifest};

use super::{BuildError, Built, Step, acceptable, coded, write};

/// Runs every declared tool; has no manifest of its own.
static ENGINE: &[u8] = include_bytes!(env!("VALETKEY_ENGINE"));

/// Packs the connector in `dir`, whose code, if it has any, no tool needs, and writes `<out>/<id>.wasm`,
/// replacing it in one step.
///
/// # Errors
/// The manifest is not acceptable, or has tools that are code; a file cannot be written.
pub fn pack(dir: &Path, out: &Path, progress: &mut dyn FnMut(Step)) -> Result<Built, BuildError> {
    progress(Step::Checking);
    let manifest = acceptable(dir)?;
    let coded = coded(&manifest);
    if !coded.is_empty() {
        // `acceptable` has found that there is code for them.
        return Err(BuildError::HasCode(coded));
    }
    packed(manifest, out, progress)
}

/// Packs an acceptable manifest.
pub(super) fn packed(
    manifest: Manifest,
    out: &Path,
    progress: &mut dyn FnMut(Step),
) -> Result<Built, BuildError> {
    let coded = coded(&manifest);
    if !coded.is_empty() {
        return Err(BuildError::NoCode(coded));
    }
    if let Some(auth) = manifest.auth.iter().find(|auth| auth.coded().is_some()) {
        return Err(BuildError::NoAuthCode(auth.id.clone()));
    }
    if manifest.connector.runtime != GuestRuntime::Rust {
        return Err(BuildError::NoInterpreter);
    }
    progress(Step::Embedding);
    write(ENGINE, manifest, out)
}
