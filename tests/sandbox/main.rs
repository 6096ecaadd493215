//! The sandbox: what a connector cannot do, however it misbehaves.

mod auth;
mod bench;
mod guests;
mod isolation;
mod javascript;
mod limits;
mod load;
mod vendor;
mod wasi;

include!(concat!(env!("OUT_DIR"), "/foreach_guest.rs"));

macro_rules! is_run {
    ($guest:ident) => {
        const _: fn() = guests::$guest;
    };
}

// A guest that no test of its name runs does not compile.
foreach_guest!(is_run);
