//! MCP: virtual servers and sessions, the protocol in both eras, real clients, and the official
//! conformance suite.

mod asking;
mod clients;
mod conformance;
mod doors;
mod filters;
mod issuer;
mod programs;
mod results;
mod rig;
mod streams;
