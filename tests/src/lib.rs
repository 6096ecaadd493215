//! The test harness: a real host on a free port, real components, a plain HTTP client.

pub mod agents;
pub mod artifacts;
pub mod guests;
pub mod host;
pub mod http;
pub mod keys;
pub mod needles;
pub mod program;
pub mod sales;
pub mod snapshot;
pub mod spec;
pub mod world;

pub use host::TestHost;
pub use world::World;
