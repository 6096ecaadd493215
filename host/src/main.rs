//! The `valetkey` binary.

use std::process::ExitCode;

use valetkey::{cli, sandbox::compiler};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The host starts itself once more to compile an untrusted component within limits.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == compiler::SUBCOMMAND)
    {
        return compiler::helper_main();
    }
    cli::run()
}
