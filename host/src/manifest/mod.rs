//! Manifests: reading `connector.toml`, checking it, carrying it inside a component, and building
//! a connector's folder into one; and its tools in the shapes that models' APIs take.
//!
//! Called by `sandbox` (what does this component declare), `registry` (is it acceptable), the edges
//! that list tools and the command line. It runs nothing of a connector and keeps nothing.

mod absent;
pub mod build;
pub mod check;
mod file;
pub mod inputs;
pub mod profile;
mod schema;

use check::step;

pub use absent::take_out_absent;
pub use file::{FILE, code, embed, extract, json_schema, read};
pub use schema::{file_parameters, guest_input, shown_input, validator};
