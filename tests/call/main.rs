//! The promises of one tool call, end to end: a real host, real components, vendors over real
//! sockets.

mod faults;
mod files;
mod formats;
mod keys;
mod paging;
mod records;
mod secrets;
mod tenants;
