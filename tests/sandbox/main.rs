//! The sandbox: what a connector cannot do, however it misbehaves.

mod bench;
mod guests;
