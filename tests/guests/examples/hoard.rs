//! Takes all the memory there is.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes pointers; a guest may do as it likes"
)]

use std::arch::wasm32::{memory_grow, memory_size};

use valetkey_test_guests::{Context, Fault, Output, connector, output};

connector!(call);

fn call(_context: Context, tool: String, _input: String) -> Result<Output, Fault> {
    match tool.as_str() {
        "at_once" => {
            let grown = memory_grow::<0>(65_536 - memory_size::<0>());
            Ok(output(format!("{{\"grown\":{}}}", grown != usize::MAX)))
        }
        "page_by_page" => {
            let mut pages = 0;
            while pages < 65_536 && memory_grow::<0>(1) != usize::MAX {
                pages += 1;
            }
            Ok(output(format!(
                "{{\"pages\":{pages},\"size\":{}}}",
                memory_size::<0>()
            )))
        }
        _ => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(std::hint::black_box(vec![0x5a_u8; 1024 * 1024]));
            }
        }
    }
}
