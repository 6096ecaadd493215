//! Behaves: answers its input, or does one ordinary thing by the tool's name.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(unsafe_code, reason = "generated: the canonical ABI passes pointers")]

use valetkey_test_guests::{Context, Fault, Output, connector, output};

connector!(call);

fn call(_context: Context, _tool: String, input: String) -> Result<Output, Fault> {
    Ok(output(input))
}
