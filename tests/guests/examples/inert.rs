//! Asks the standard library for all that a program may expect of its system, and answers what it
//! was told. Times and random numbers are told by their kind alone.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(unsafe_code, reason = "generated: the canonical ABI passes pointers")]

use std::fs;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use valetkey_test_guests::{Context, Fault, Output, connector, output};

connector!(call);

fn call(_context: Context, _tool: String, _input: String) -> Result<Output, Fault> {
    let mut told = Vec::new();
    #[allow(
        clippy::disallowed_methods,
        reason = "what the environment holds is the question"
    )]
    let variables = std::env::vars().count();
    told.push(format!(
        "{variables} variables, {} arguments",
        std::env::args().count()
    ));
    told.push(format!(
        "folder {:?}",
        std::env::current_dir().map_err(|error| error.kind())
    ));
    for path in ["/", ".", "/etc/passwd", "/tmp/x", "relative"] {
        told.push(format!(
            "{path}: {:?} {:?} {:?} {:?} {:?}",
            fs::metadata(path).map(|_| ()).map_err(|error| error.kind()),
            fs::read(path).map_err(|error| error.kind()),
            fs::read_dir(path).map(|_| ()).map_err(|error| error.kind()),
            fs::write(path, "x").map_err(|error| error.kind()),
            fs::create_dir(path).map_err(|error| error.kind()),
        ));
    }
    let mut input = Vec::new();
    let read = std::io::stdin()
        .read_to_end(&mut input)
        .map_err(|error| error.kind());
    told.push(format!("stdin {read:?}"));
    let long = vec![b'x'; 200_000];
    told.push(format!(
        "stdout {:?}",
        std::io::stdout().write_all(&long).map_err(|error| error.kind())
    ));
    told.push(format!(
        "stderr {:?}",
        std::io::stderr().write_all(&long).map_err(|error| error.kind())
    ));
    told.push(format!(
        "terminals {} {} {}",
        std::io::stdin().is_terminal(),
        std::io::stdout().is_terminal(),
        std::io::stderr().is_terminal()
    ));
    #[allow(clippy::disallowed_methods, reason = "the guest's clock is the host's")]
    let now = SystemTime::now();
    let years = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() / 31_556_952);
    told.push(format!("after 2020: {}", years > 50));
    let began = Instant::now();
    std::thread::sleep(Duration::from_millis(2));
    told.push(format!("sleeps: {}", began.elapsed() >= Duration::from_millis(1)));
    let seed = || std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), 1);
    told.push(format!("seeds differ: {}", seed() != seed()));
    told.push(format!(
        "threads {:?}",
        std::thread::Builder::new()
            .spawn(|| ())
            .map(|_| ())
            .map_err(|error| error.kind())
    ));
    Ok(output(format!("{told:?}")))
}
