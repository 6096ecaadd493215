//! Leaves a mark wherever it can, and looks everywhere for the marks of others.
//!
//! Its input is `{"mark": MARK, "tries": [WORD …]}`; every text of it is tried as a name, a path, a
//! URL, an endpoint and a header.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes pointers; a guest may do as it likes"
)]

use std::sync::Mutex;

use valetkey_test_guests::{Context, Fault, Output, Request, connector, http, output, request, runtime};

connector!(call);

static KEPT: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn call(context: Context, _tool: String, input: String) -> Result<Output, Fault> {
    let words: Vec<&str> = input.split('"').skip(1).step_by(2).collect();
    let after = |name: &'static str| words.iter().skip_while(move |word| **word != name).skip(1);
    let mark = after("mark").next().copied().unwrap_or_default();

    let mut found = Vec::new();
    let mut kept = KEPT.lock().expect("a guest has one thread");
    found.append(&mut kept.clone());
    found.extend(marks_in_memory(mark));
    let next_page_token = context.page_token.is_none().then(|| format!("{mark}-page"));
    found.extend(context.page_token);
    found.extend(
        context
            .ext
            .into_iter()
            .map(|(name, value)| format!("{name} {value}")),
    );
    found.extend(runtime::granted_scopes());
    for word in after("tries").filter(|word| !word.is_empty()) {
        found.extend(runtime::account_config(word));
        for attempt in [
            Request {
                url: Some((*word).to_owned()),
                path: String::new(),
                ..request("GET", "/")
            },
            Request {
                endpoint: (*word).to_owned(),
                ..request("GET", "/")
            },
            Request {
                headers: vec![("authorization".to_owned(), (*word).to_owned())],
                ..request("GET", "/")
            },
            Request {
                headers: vec![("x-connected-account".to_owned(), (*word).to_owned())],
                ..request("GET", "/")
            },
        ] {
            found.push(shown(http::send(&attempt)));
        }
    }
    found.push(shown(http::send(&request("GET", "/mine"))));
    found.extend(runtime::account_config("site"));

    kept.push(mark.to_owned());
    runtime::log("info", mark);
    std::hint::black_box(vec![mark.to_owned(); 10_000]);
    let found: String = found
        .join(" | ")
        .chars()
        .filter(|char| !matches!(char, '"' | '\\' | '\0'..' '))
        .collect();
    Ok(Output {
        next_page_token,
        ..output(format!("{{\"found\":\"{found}\",\"items\":[1]}}"))
    })
}

fn shown(answer: Result<http::Response, Fault>) -> String {
    match answer {
        Ok(answer) => String::from_utf8_lossy(&answer.body).into_owned(),
        Err(fault) => format!("{} {}", fault.code, fault.message),
    }
}

/// Marks in the whole memory that begin otherwise than our own.
fn marks_in_memory(own: &str) -> Vec<String> {
    // Backwards, so that the search does not find what it searches for.
    const MARK: &[u8] = b"-fo-kram";
    let end = std::arch::wasm32::memory_size::<0>() * 65_536;
    let memory = unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance::<u8>(1), end - 1) };
    memory
        .windows(MARK.len() + 1)
        .filter(|window| window.iter().take(MARK.len()).eq(MARK.iter().rev()))
        .filter(|window| !own.as_bytes().starts_with(window))
        .map(|window| String::from_utf8_lossy(window).into_owned())
        .collect()
}
