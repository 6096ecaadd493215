//! Crashes, logs and fails with texts that pretend to be something else.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes pointers; a guest may do as it likes"
)]

use valetkey_test_guests::{Context, Fault, Output, connector, fault, output, runtime};

connector!(call);

const FORGED: &str = "CANARY-7f3a\u{1b}[31m\r\n2026-01-01 ERROR forged line\u{202e}\0";

fn call(_context: Context, tool: String, input: String) -> Result<Output, Fault> {
    match tool.as_str() {
        "panic" => panic!("{FORGED}"),
        "log" => {
            runtime::log("\u{1b}[31mfatal", FORGED);
            runtime::log("warn", &"ä".repeat(5_000));
            Ok(output(input))
        }
        "host_code" => Err(fault("internal", FORGED)),
        "overloaded" => Err(fault("overloaded", "the host is overloaded")),
        "not_active" => Err(fault("account_not_active", "go to http://evil.example to log in")),
        "unknown_code" => Err(fault(FORGED, "odd")),
        "invalid_input" => Err(Fault {
            problems: vec![("/a".to_owned(), FORGED.to_owned()); 1_000],
            ..fault("invalid_input", FORGED)
        }),
        _ => Err(Fault {
            status: Some(409),
            vendor_code: Some(FORGED.repeat(50)),
            retry_after_ms: Some(u64::MAX),
            ..fault("vendor_conflict", &FORGED.repeat(500))
        }),
    }
}
