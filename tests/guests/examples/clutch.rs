//! Takes resources of the host and gives none back.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes pointers; a guest may do as it likes"
)]

use valetkey_test_guests::{Context, Fault, Output, connector, output};

use timers::wasi::clocks::monotonic_clock::subscribe_duration;

mod timers {
    wit_bindgen::generate!({
        inline: "
            package test:clutch;

            world timers {
                import wasi:clocks/monotonic-clock@0.2.0;
            }

            package wasi:io@0.2.0 {
                interface poll {
                    resource pollable {
                        ready: func() -> bool;
                        block: func();
                    }
                    poll: func(in: list<borrow<pollable>>) -> list<u32>;
                }
            }

            package wasi:clocks@0.2.0 {
                interface monotonic-clock {
                    use wasi:io/poll@0.2.0.{pollable};
                    type instant = u64;
                    type duration = u64;
                    now: func() -> instant;
                    resolution: func() -> duration;
                    subscribe-instant: func(when: instant) -> pollable;
                    subscribe-duration: func(when: duration) -> pollable;
                }
            }
        ",
        generate_all,
    });
}

connector!(call);

fn call(_context: Context, tool: String, input: String) -> Result<Output, Fault> {
    let count: usize = input.trim().parse().unwrap_or(1);
    let mut held = Vec::new();
    for _ in 0..count {
        let timer = subscribe_duration(1_000_000_000);
        if tool == "hold" {
            held.push(timer);
        }
    }
    Ok(output(format!("{{\"held\":{}}}", held.len())))
}
