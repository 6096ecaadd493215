//! The `valetkey` command line.

/// Runs the command line; answers the exit code.
///
/// # Errors
/// What went wrong, for people.
pub fn run() -> anyhow::Result<std::process::ExitCode> {
    todo!()
}
