//! The messages, field for field as the public packages send and read them. Written from the
//! facts of the wire; a field that this host neither reads nor sends is left out, since the
//! format passes over unknown fields.

pub(super) mod accounts;
pub(super) mod connections;
pub(super) mod errors;
pub(super) mod mcp;
pub(super) mod tools;

use prost_types::Timestamp;

/// A time from milliseconds since 1970.
pub(super) fn time(milliseconds: i64) -> Timestamp {
    Timestamp {
        seconds: milliseconds.div_euclid(1000),
        nanos: i32::try_from(milliseconds.rem_euclid(1000) * 1_000_000).unwrap_or(0),
    }
}
