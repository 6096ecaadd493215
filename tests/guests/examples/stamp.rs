//! Behaves: answers its declaration, which tells the version that it was declared by. With
//! `hold` in its input it sends the declared request first and waits for the answer.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(unsafe_code, reason = "generated: the canonical ABI passes pointers")]

use valetkey_test_guests::{Context, Fault, Output, connector, http, output, request};

connector!(call);

fn call(context: Context, _tool: String, input: String) -> Result<Output, Fault> {
    let declaration = context.declaration.unwrap_or_default();
    if input.contains("\"hold\":true") {
        let (_, rest) = declaration.split_once("\"path\":\"").unwrap_or_default();
        let (path, _) = rest.split_once('"').unwrap_or_default();
        http::send(&request("GET", path))?;
    }
    Ok(output(declaration))
}
