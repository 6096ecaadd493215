//! Manifests: reading `connector.toml`, checking it, carrying it inside a component, and building
//! a connector's folder into one.
//!
//! Called by `sandbox` (what does this component declare), `registry` (is it acceptable) and the
//! command line. It runs nothing of a connector and keeps nothing.

pub mod build;
pub mod check;
mod file;
mod schema;

pub use file::{FILE, embed, extract, read};
pub use schema::validator;
