//! The REST edge and the hosted pages, over real sockets.

mod access;
mod calls;
mod edge;
mod pages;
mod reference;
mod refusals;
mod secrecy;
mod tenants;
