//! Lists the misbehaving guests, so that one which no test runs does not compile.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let guests = "guests/examples";
    println!("cargo::rerun-if-changed={guests}");
    let mut names = Vec::new();
    for entry in fs::read_dir(guests)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    let mut calls = String::new();
    for name in names {
        let _ = write!(calls, " $check!({name});");
    }
    #[allow(
        clippy::disallowed_methods,
        reason = "cargo tells a build script its folder so"
    )]
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(
        out.join("foreach_guest.rs"),
        format!("macro_rules! foreach_guest {{ ($check:ident) => {{{calls} }}; }}\n"),
    )
}
