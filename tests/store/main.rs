//! The store and the vault: what is acknowledged stays, what is sealed stays sealed.

mod crash;
mod embedded;
mod keys;
mod sealing;
mod suite;
mod transfer;
mod workload;
