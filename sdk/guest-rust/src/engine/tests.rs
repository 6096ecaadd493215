//! The engine on declarations of every sort: the cases that the other languages' engines run as well.

use serde::Deserialize;
use serde_json::{Value, json};
use valetkey_manifest::tool::Declaration;

use super::request;
use crate::fault::Fault;
use crate::http::Response;
use crate::page::Page;
use crate::testing::Vendor;
use crate::{Call, Output};

#[derive(Deserialize)]
struct Cases {
    requests: Vec<RequestCase>,
    answers: Vec<AnswerCase>,
}

#[derive(Deserialize)]
struct RequestCase {
    name: String,
    declaration: Declaration,
    input: String,
    #[serde(default)]
    page: PageOfCase,
    #[serde(default)]
    config: serde_json::Map<String, Value>,
    request: Option<Value>,
    fault: Option<Value>,
}

#[derive(Deserialize)]
struct AnswerCase {
    name: String,
    declaration: Declaration,
    #[serde(default = "no_input")]
    input: String,
    #[serde(default)]
    page: PageOfCase,
    response: ResponseOfCase,
    output: Option<Value>,
    fault: Option<Value>,
}

fn no_input() -> String {
    "{}".to_owned()
}

#[derive(Deserialize, Default)]
struct PageOfCase {
    token: Option<String>,
    size: Option<u32>,
}

#[derive(Deserialize)]
struct ResponseOfCase {
    status: u16,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: String,
    bytes: Option<Vec<u8>>,
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("../../../guest-cases/declared.json")).expect("cases")
}

impl From<PageOfCase> for Page {
    fn from(page: PageOfCase) -> Self {
        Self {
            token: page.token,
            size: page.size,
        }
    }
}

/// The members of what was made that a case names.
fn seen(made: &Value, wanted: &Value) -> Value {
    let wanted = wanted.as_object().expect("an object");
    wanted
        .keys()
        .map(|name| (name.clone(), made[name].clone()))
        .collect()
}

fn shown(fault: &Fault) -> Value {
    json!({
        "code": fault.code, "message": fault.message, "status": fault.status, "vendor_code": fault.vendor_code,
        "retry_after_ms": fault.retry_after_ms, "problems": fault.problems,
    })
}

fn compare<T>(
    name: &str,
    made: Result<T, Fault>,
    show: impl Fn(T) -> Value,
    good: Option<&Value>,
    fault: Option<&Value>,
) {
    match (made, good, fault) {
        (Ok(made), Some(wanted), None) => assert_eq!(show(made), *wanted, "{name}"),
        (Err(fault), None, Some(wanted)) => assert_eq!(seen(&shown(&fault), wanted), *wanted, "{name}"),
        (Ok(made), ..) => panic!("{name}: {}", show(made)),
        (Err(fault), ..) => panic!("{name}: {fault}"),
    }
}

#[test]
fn requests_are_what_the_cases_say() {
    for case in cases().requests {
        let input: Value = serde_json::from_str(&case.input).expect("JSON");
        let config = |name: &str| case.config.get(name)?.as_str().map(str::to_owned);
        let declared = case.declaration.request.as_ref().expect("a request");
        let made = request(
            declared,
            case.declaration.paginator.as_ref(),
            &input,
            &case.page.into(),
            &config,
        );
        let show = |made: crate::Request| {
            let mut shown = json!({
                "method": made.method, "endpoint": made.endpoint, "path": made.path,
                "query": made.query, "headers": made.headers,
            });
            if let Some(url) = made.url {
                shown["url"] = json!(url);
            }
            if let Some(body) = made.body {
                shown["body"] = json!(String::from_utf8(body).expect("text"));
            }
            shown
        };
        compare(&case.name, made, show, case.request.as_ref(), case.fault.as_ref());
    }
}

#[test]
fn answers_are_what_the_cases_say() {
    for case in cases().answers {
        let response = Response {
            status: case.response.status,
            headers: case.response.headers,
            body: case.response.bytes.unwrap_or(case.response.body.into_bytes()),
        };
        let vendor = Vendor::new(|_| response.clone());
        let call = Call::new(&vendor, Some(case.declaration), case.page.into());
        let made = crate::run(&call, "a_declared_tool", &case.input, |_, _, _| None);
        let show = |made: Output| match made.next_page_token {
            Some(next) => json!({ "data": made.data, "next": next }),
            None => json!({ "data": made.data }),
        };
        compare(&case.name, made, show, case.output.as_ref(), case.fault.as_ref());
    }
}

#[test]
fn a_file_is_sent_by_its_id_and_an_answer_kept_under_one() {
    use crate::File;
    use crate::testing::json as answer;

    let declared =
        |text: serde_json::Value| serde_json::from_value::<Declaration>(text).expect("a declaration");
    let store = declared(
        json!({"request": {"endpoint": "api", "method": "POST", "path": "/files",
        "body": "{file}", "body_format": "file"}}),
    );
    let fetch = declared(
        json!({"request": {"endpoint": "api", "method": "GET", "path": "/files/1"},
        "response": {"file": {"name": "{name}.pdf"}}}),
    );

    let vendor = Vendor::new(|_| answer(200, &json!({"ok": true})));
    let file = File {
        id: "file_a".to_owned(),
        size: 3,
        ..File::default()
    };
    vendor
        .files
        .borrow_mut()
        .insert("file_a".to_owned(), (file, b"abc".to_vec()));
    let call = Call::new(&vendor, Some(store.clone()), Page::default());
    call.declared(&json!({"file": "file_a"})).expect("it is sent");
    assert_eq!(vendor.sent.borrow()[0].body.as_deref(), Some(&b"abc"[..]));
    assert_eq!(
        call.declared(&json!({"file": "file_b"})).unwrap_err().code,
        "not_found"
    );
    assert_eq!(call.declared(&json!({})).unwrap_err().code, "invalid_input");

    let call = Call::new(&vendor, Some(fetch.clone()), Page::default());
    let output = call.declared(&json!({"name": "report"})).expect("it is kept");
    let output: serde_json::Value = serde_json::from_str(&output.data).expect("JSON");
    assert_eq!(output["file"]["name"], "report.pdf");
    assert_eq!(output["file"]["size"], 11);
    assert!(
        !vendor.sent.borrow()[1]
            .headers
            .iter()
            .any(|(name, _)| name == "accept")
    );

    let refusing = Vendor::new(|_| answer(404, &json!({"message": "gone"})));
    let call = Call::new(&refusing, Some(fetch), Page::default());
    assert_eq!(
        call.declared(&json!({"name": "x"})).unwrap_err().code,
        "vendor_not_found"
    );
}

#[test]
fn what_a_function_answers_is_shortened_as_well() {
    fn coded(call: &Call, _: &str, input: &str) -> Option<Result<Output, Fault>> {
        call.log("info", input);
        let answer = json!({"login": "x", "avatar": "a"});
        Some(Output::page(&answer, Some("t2".to_owned())))
    }
    let vendor = Vendor::new(|_| crate::testing::json(200, &json!({})));
    let declaration = serde_json::from_value(json!({"response": {"concise": ["avatar"]}}));
    let call = Call::new(&vendor, declaration.expect("a declaration"), Page::default());
    let answer = |format: &str| {
        let input = json!({"response_format": format}).to_string();
        crate::run(&call, "a_coded_tool", &input, coded).expect("an answer")
    };
    let short = answer("concise");
    assert_eq!(short.data, r#"{"login":"x"}"#);
    assert_eq!(short.next_page_token.as_deref(), Some("t2"));
    let whole: Value = serde_json::from_str(&answer("detailed").data).expect("JSON");
    assert_eq!(whole, json!({"login": "x", "avatar": "a"}));
    assert!(
        vendor.logged.borrow()[1].contains("detailed"),
        "the function may ask"
    );
}
