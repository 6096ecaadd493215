//! Computes for ever, wherever it can: in the call, or in what the host calls around it.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes pointers; a guest may do as it likes"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU8, Ordering};

use valetkey_test_guests::{Context, Fault, Output, connector, output, runtime};

connector!(call);

const QUIET: u8 = 0;
const IN_FREE: u8 = 1;
const IN_ALLOCATE: u8 = 2;

/// Where to loop next: the canonical ABI allocates for what the host hands over, and frees in
/// `post-return`.
static LOOP: AtomicU8 = AtomicU8::new(QUIET);

struct Looping;

unsafe impl GlobalAlloc for Looping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        stay(IN_ALLOCATE);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        stay(IN_FREE);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn stay(place: u8) {
    while LOOP.load(Ordering::Relaxed) == place {
        std::hint::spin_loop();
    }
}

#[global_allocator]
static ALLOCATOR: Looping = Looping;

fn call(_context: Context, tool: String, input: String) -> Result<Output, Fault> {
    match tool.as_str() {
        "post_return" => {
            std::mem::forget(tool);
            let answer = output(input);
            LOOP.store(IN_FREE, Ordering::Relaxed);
            Ok(answer)
        }
        "allocate" => {
            LOOP.store(IN_ALLOCATE, Ordering::Relaxed);
            Ok(output(runtime::credential_kind()))
        }
        "sleep" => {
            std::thread::sleep(std::time::Duration::from_secs(3600));
            Ok(output(input))
        }
        "wait_on_clock" => loop {
            if runtime::remaining_ms() == 0 {
                return Ok(output(input));
            }
        },
        _ => loop {
            std::hint::spin_loop();
        },
    }
}
