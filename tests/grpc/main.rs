//! The gRPC edge as programs use it: the public SDKs of both languages, and whole programs written
//! for them, against a host and simulated vendors.

mod accounts;
mod calls;
mod connecting;
mod credentials;
mod edge;
mod mcp;
mod programs;
mod rig;
mod tools;
mod transport;
