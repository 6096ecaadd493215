//! Egress over real sockets: what may leave, where it may go, what may come back.

mod address;
mod answers;
mod breaker;
mod gate;
mod isolation;
mod limits;
mod redaction;
mod retries;
mod signing;
mod tls;
mod token;
mod vendor;
mod world;
