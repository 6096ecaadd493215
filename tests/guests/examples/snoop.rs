//! Looks everywhere for what it should not know, and answers what it found.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes pointers; a guest may do as it likes"
)]

use std::fs;

use valetkey_test_guests::{Context, Fault, Output, connector, output, runtime};

connector!(call);

fn call(context: Context, _tool: String, _input: String) -> Result<Output, Fault> {
    let mut found = Vec::new();
    #[allow(
        clippy::disallowed_methods,
        reason = "looking into the environment is the point of it"
    )]
    let variables = std::env::vars();
    found.extend(variables.map(|(name, value)| format!("env {name}={value}")));
    found.extend(std::env::args().skip(1).map(|argument| format!("arg {argument}")));
    for path in ["/", ".", "/etc/passwd", "/proc/self/environ", "/tmp"] {
        if fs::metadata(path).is_ok() || fs::read(path).is_ok() || fs::read_dir(path).is_ok() {
            found.push(format!("file {path}"));
        }
    }
    if fs::write("/tmp/left-behind", "x").is_ok() {
        found.push("wrote /tmp/left-behind".to_owned());
    }
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
        found.push(format!("stdin {line}"));
    }
    for name in [
        "access_token",
        "refresh_token",
        "api_key",
        "token",
        "identifier",
        "../subdomain",
        "",
        "SUBDOMAIN",
    ] {
        if let Some(value) = runtime::account_config(name) {
            found.push(format!("config {name}={value}"));
        }
    }
    println!("to nowhere");
    eprintln!("to nowhere");
    let random = runtime::random(16);
    Ok(output(format!(
        "{{\"found\":{found:?},\"kind\":\"{}\",\"scopes\":{:?},\"subdomain\":{:?},\"ext\":{},\"random\":{},\"now_ms\":{},\"remaining_ms\":{}}}",
        runtime::credential_kind(),
        runtime::granted_scopes(),
        runtime::account_config("subdomain").unwrap_or_default(),
        context.ext.len(),
        random.iter().any(|byte| *byte != 0),
        runtime::now_ms(),
        runtime::remaining_ms(),
    )))
}
