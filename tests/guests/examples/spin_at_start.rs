//! Computes for ever while it is instantiated.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes pointers; a guest may do as it likes"
)]

use valetkey_test_guests::{Context, Fault, Output, connector, output};

connector!(call);

#[used]
#[unsafe(link_section = ".init_array")]
static AT_START: extern "C" fn() = spin;

extern "C" fn spin() {
    loop {
        std::hint::spin_loop();
    }
}

fn call(_context: Context, _tool: String, input: String) -> Result<Output, Fault> {
    Ok(output(input))
}
