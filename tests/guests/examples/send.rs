//! Sends what its input asks for: `COUNT METHOD PATH`.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes pointers; a guest may do as it likes"
)]

use valetkey_test_guests::{
    Context, Fault, Output, Request, Wanted, connector, files, http, output, request,
};

connector!(call);

fn call(_context: Context, tool: String, input: String) -> Result<Output, Fault> {
    let mut words = input.split(' ');
    let count: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(1);
    let method = words.next().unwrap_or("GET");
    let path = words.next().unwrap_or("/");
    match tool.as_str() {
        "one_by_one" => {
            let mut statuses = Vec::new();
            for _ in 0..count {
                statuses.push(http::send(&request(method, path))?.status);
            }
            Ok(output(format!("{statuses:?}")))
        }
        "side_by_side" => {
            let requests: Vec<_> = (0..count)
                .map(|index| request(method, &format!("{path}{index}")))
                .collect();
            let mut bodies = Vec::new();
            for answer in http::send_all(&requests) {
                bodies.push(String::from_utf8_lossy(&answer?.body).into_owned());
            }
            Ok(output(format!("{bodies:?}")))
        }
        "ignore_faults" => {
            let mut codes = Vec::new();
            for _ in 0..count {
                codes.push(
                    http::send(&request(method, path))
                        .map_or_else(|fault| fault.code, |answer| answer.status.to_string()),
                );
            }
            Ok(output(format!("{codes:?}")))
        }
        "extension" => {
            let answer = http::send(&Request {
                ext: vec![("follow-redirects\u{1b}".to_owned(), "1".to_owned())],
                ..request(method, path)
            })?;
            Ok(output(answer.status.to_string()))
        }
        "files" => {
            let file = path.trim_start_matches('/');
            let wanted = Wanted {
                name: None,
                content_types: Vec::new(),
                max_bytes: None,
                ext: Vec::new(),
            };
            let request = || request(method, "/");
            let codes = [
                code(files::describe(file)),
                code(files::send(&request(), file)),
                code(files::receive(&request(), &wanted)),
            ];
            Ok(output(format!("{codes:?}")))
        }
        "many_headers" => {
            let answer = http::send(&Request {
                headers: (0..count)
                    .map(|index| (format!("x-{index}"), "1".repeat(64)))
                    .collect(),
                ..request(method, path)
            })?;
            Ok(output(answer.status.to_string()))
        }
        _ => {
            // A write that is answered, then a computation without end.
            http::send(&request(method, path))?;
            loop {
                std::hint::spin_loop();
            }
        }
    }
}

fn code<T>(answer: Result<T, Fault>) -> String {
    answer.map_or_else(|fault| fault.code, |_| "answered".to_owned())
}
