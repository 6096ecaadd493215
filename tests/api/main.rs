//! The REST edge and the hosted pages, over real sockets.

mod access;
mod accounts;
mod calls;
mod deadlines;
mod edge;
mod fuzz;
mod isolation;
mod pages;
mod proxy;
mod reference;
mod refusals;
mod secrecy;
mod tenants;
mod tools;
