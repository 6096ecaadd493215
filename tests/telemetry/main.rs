//! Traces: what a collector gets of a call, and what it never gets.

mod collector;
mod content;
mod export;
mod joining;
mod mcp;
mod python;
mod rig;
mod waits;
