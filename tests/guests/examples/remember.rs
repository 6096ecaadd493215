//! Keeps what it is given in statics and on the heap, and answers all that it finds there.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes pointers; a guest may do as it likes"
)]

use std::sync::Mutex;

use valetkey_test_guests::{Context, Fault, Output, connector, output};

connector!(call);

static KEPT: Mutex<Vec<String>> = Mutex::new(Vec::new());
static mut SCRATCH: [u8; 256] = [0; 256];

fn call(_context: Context, _tool: String, input: String) -> Result<Output, Fault> {
    let mut kept = KEPT.lock().expect("a guest has one thread");
    let scratch = unsafe { &mut *std::ptr::addr_of_mut!(SCRATCH) };
    let mut found = kept.join("|");
    found.extend(
        scratch
            .iter()
            .filter(|byte| **byte != 0)
            .map(|byte| char::from(*byte)),
    );
    // The whole memory but address 0, wherever an earlier call's data would lie.
    let end = std::arch::wasm32::memory_size::<0>() * 65_536;
    let marker = b"belongs-to-";
    let memory = unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance::<u8>(1), end - 1) };
    let own = input.trim_matches('"').as_bytes();
    for window in memory.windows(own.len().max(marker.len())) {
        if window.starts_with(marker) && !window.starts_with(own) && window[marker.len()].is_ascii_digit() {
            found.push_str(&String::from_utf8_lossy(window));
        }
    }
    kept.push(input.clone());
    for (slot, byte) in scratch.iter_mut().zip(own) {
        *slot = *byte;
    }
    let mut big = vec![0_u8; 512 * 1024];
    for chunk in big.chunks_mut(own.len()) {
        chunk.copy_from_slice(&own[..chunk.len()]);
    }
    std::hint::black_box(&big);
    Ok(output(format!(
        "{{\"mine\":{input},\"found\":\"{}\"}}",
        found.escape_default()
    )))
}
