//! `connector.toml` and the component's manifest section: reading the one, writing the other.
//!
//! Called by the command line (`connector build|check`) and by `sandbox` at inspection.

use std::path::Path;

use valetkey_manifest::Manifest;

/// Reads `connector.toml` in `dir`. Schemas and long texts may stand in files of their own,
/// named by the manifest, relative to `dir`.
///
/// # Errors
/// What is wrong, with line and column.
pub fn read(_dir: &Path) -> Result<Manifest, String> {
    todo!()
}

/// Appends the manifest section to a component, replacing an earlier one.
///
/// # Errors
/// The bytes are not a component.
pub fn embed(_component: &[u8], _manifest: &Manifest) -> Result<Vec<u8>, String> {
    todo!()
}

/// Finds and parses the manifest section of a component.
///
/// # Errors
/// None, several, or one that does not parse.
pub fn extract(_component: &[u8]) -> Result<Manifest, String> {
    todo!()
}
