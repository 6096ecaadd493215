//! The Valetkey host: loads vendor connectors as sandboxed WebAssembly components, lends them the
//! *use* of users' credentials, and runs their tools for AI agents.
//!
//! `ARCHITECTURE.md` is the map; `call::run` is the path of one tool call, read top to bottom.

pub mod access;
pub mod accounts;
pub mod api;
pub mod author;
pub mod call;
pub mod capability;
pub mod certificate;
pub mod cli;
pub mod clock;
pub mod config;
pub mod egress;
pub mod error;
pub mod files;
pub mod grpc;
pub mod id;
pub mod journal;
pub mod manifest;
pub mod mcp;
pub mod offline;
pub mod random;
pub mod registry;
pub mod runtime;
pub mod sandbox;
pub mod secret;
pub mod serve;
pub mod servers;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod trace;
pub mod vault;
