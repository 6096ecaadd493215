//! Log lines: one subscriber, set up once by `main`.

use crate::config;

/// Starts logging to standard error.
pub fn start(_settings: &config::Log) {
    todo!()
}
