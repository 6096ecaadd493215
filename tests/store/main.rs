//! The store and the vault: what is acknowledged stays, what is sealed stays sealed.

mod crash;
mod embedded;
mod suite;
mod workload;
