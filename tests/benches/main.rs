//! What Valetkey costs, side by side with what it is compared to, in one run.
//!
//! `tests/benches/run` installs what is needed and prints the tables; figures of different runs
//! or machines are not comparable, ratios within one run are. Nothing here asserts a time.

mod doors;
mod execute;
mod languages;
mod memory;
mod pipeline;
mod process;
mod sandbox;
mod servers;
mod table;

use anyhow::{Context, bail};

fn main() -> anyhow::Result<()> {
    // `cargo bench` adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => {
            sandbox::run()?;
            languages::run()?;
            execute::run()?;
            doors::run()?;
            memory::run()?;
            pipeline::run()
        }
        ["sandbox"] => sandbox::run(),
        ["languages"] => languages::run(),
        ["execute"] => execute::run(),
        ["doors"] => doors::run(),
        ["memory"] => memory::run(),
        ["pipeline"] => pipeline::run(),
        ["serve", what, port, upstream] => servers::serve(
            what,
            port.parse().context("a port")?,
            upstream.parse().context("an address")?,
        ),
        _ => bail!("usage: [sandbox | languages | execute | doors | memory | pipeline]"),
    }
}
