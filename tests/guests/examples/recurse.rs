//! Calls itself until there is no stack.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes pointers; a guest may do as it likes"
)]

use std::hint::black_box;

use valetkey_test_guests::{Context, Fault, Output, connector, output};

connector!(call);

fn call(_context: Context, tool: String, _input: String) -> Result<Output, Fault> {
    let depth = match tool.as_str() {
        "mutual" => ping(1),
        "indirect" => {
            let next: fn(u64) -> u64 = black_box(indirect);
            next(1)
        }
        _ => direct(1),
    };
    Ok(output(depth.to_string()))
}

#[inline(never)]
fn direct(depth: u64) -> u64 {
    let mut frame = [depth; 4];
    if black_box(&mut frame)[0] == 0 {
        return 0;
    }
    direct(black_box(depth + 1)).wrapping_add(frame[0])
}

#[inline(never)]
fn ping(depth: u64) -> u64 {
    black_box(pong(black_box(depth + 1))).wrapping_add(depth)
}

#[inline(never)]
fn pong(depth: u64) -> u64 {
    black_box(ping(black_box(depth + 1))).wrapping_mul(depth)
}

#[inline(never)]
fn indirect(depth: u64) -> u64 {
    let next: fn(u64) -> u64 = black_box(indirect);
    next(black_box(depth + 1)).wrapping_add(depth)
}
