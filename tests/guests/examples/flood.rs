//! Answers too much, too deep, or what is not even text.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes pointers; a guest may do as it likes"
)]

use valetkey_test_guests::{Context, Fault, Output, connector, fault, output, runtime};

connector!(call);

fn call(_context: Context, tool: String, input: String) -> Result<Output, Fault> {
    Ok(match tool.as_str() {
        "over_the_limit" => output(format!("\"{}\"", "x".repeat(5 * 1024 * 1024))),
        "over_the_boundary" => output("x".repeat(20 * 1024 * 1024)),
        "empty_strings" => Output {
            data: input,
            next_page_token: None,
            ext: vec![(String::new(), String::new()); 1_000_000],
        },
        "deep" => output(format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        "not_json" => output("{\"a\":".to_owned()),
        "lone_surrogate" => output("\"\\ud800\"".to_owned()),
        "not_utf8" => output(unsafe { String::from_utf8_unchecked(vec![b'"', 0xff, 0xfe, b'"']) }),
        "page_token" => Output {
            data: input,
            next_page_token: Some("t".repeat(1024 * 1024)),
            ext: Vec::new(),
        },
        "log" => loop {
            runtime::log("info", "x");
        },
        "log_megabytes" => loop {
            runtime::log("info", &"x".repeat(1024 * 1024));
        },
        "print" => loop {
            println!("x");
        },
        "random" => output(runtime::random(1_000_000).len().to_string()),
        _ => return Err(fault("vendor_rejected", &"x".repeat(1024 * 1024))),
    })
}
