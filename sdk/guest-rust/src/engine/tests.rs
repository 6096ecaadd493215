//! The engine on declarations of every sort.
use serde_json::{Value, json};
use valetkey_manifest::tool::{Declaration, Paginator};

use super::{output, request};
use crate::call::Page;
use crate::fault::Fault;
use crate::http::{Request, Response};
use crate::testing;

fn declaration(request: Value) -> Declaration {
    serde_json::from_value(json!({ "request": request })).expect("a declaration")
}

fn fill(declaration: &Declaration, input: &Value, page: &Page) -> Result<Request, Fault> {
    let config = |name: &str| (name == "site").then(|| "s 1".to_owned());
    let declared = declaration.request.as_ref().expect("a request");
    request(declared, declaration.paginator.as_ref(), input, page, &config)
}

fn body(template: Value, input: Value) -> Value {
    let declaration =
        declaration(json!({"endpoint": "api", "method": "POST", "path": "/", "body": template}));
    let request = fill(&declaration, &input, &Page::default()).expect("filled in");
    serde_json::from_slice(&request.body.expect("a body")).expect("JSON")
}

#[test]
fn path_values_are_one_encoded_segment() {
    let declaration =
        declaration(json!({"endpoint": "api", "method": "GET", "path": "/s/{config.site}/t/{id}:cancel"}));
    let path =
        |id: Value| fill(&declaration, &json!({ "id": id }), &Page::default()).map(|request| request.path);
    assert_eq!(
        path(json!("a/b?c#é")),
        Ok("/s/s%201/t/a%2Fb%3Fc%23%C3%A9:cancel".to_owned())
    );
    assert_eq!(path(json!(42)), Ok("/s/s%201/t/42:cancel".to_owned()));
    for bad in [json!(""), json!("."), json!(".."), json!(null)] {
        let fault = path(bad.clone()).expect_err("refused");
        assert_eq!(
            (&*fault.code, &*fault.problems[0].0),
            ("invalid_input", "/id"),
            "{bad}"
        );
    }
}

#[test]
fn query_values_without_a_value_are_left_out_and_arrays_repeat_or_join() {
    let mut declared = json!({"endpoint": "api", "method": "GET", "path": "/", "query": {
        "a": "{a}", "b": "{list}", "c": "x-{c}", "d": true, "e": "{none}", "f": "{o.p}", "n": "{null}"
    }});
    let input = json!({"a": 1, "list": ["x", "y z"], "c": "1", "o": {"p": false}, "null": null});
    let pairs = |declared: &Value| {
        let filled = fill(&declaration(declared.clone()), &input, &Page::default()).expect("filled in");
        filled
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        pairs(&declared),
        ["a=1", "b=x", "b=y z", "c=x-1", "d=true", "f=false"]
    );
    declared["query_join"] = json!(",");
    assert_eq!(pairs(&declared)[1], "b=x,y z");
}

#[test]
fn objects_are_json_or_brackets_in_queries_and_forms() {
    let mut declared = json!({"endpoint": "api", "method": "POST", "path": "/", "body_format": "form",
        "query": {"f": "{f}", "l": "{l}"}, "body": {"i": "{i}"}});
    let input =
        json!({"f": {"a": {"b": 1}, "none": null}, "l": ["x", "y"], "i": [{"p": "q r", "n": [true]}]});
    let sent = |declared: &Value| {
        let filled = fill(&declaration(declared.clone()), &input, &Page::default()).expect("filled in");
        let query: Vec<_> = filled
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let body = String::from_utf8(filled.body.expect("a body")).expect("text");
        (query, body)
    };
    let (query, _) = sent(&declared);
    assert_eq!(query, [r#"f={"a":{"b":1},"none":null}"#, "l=x", "l=y"]);
    declared["nested"] = json!("brackets");
    let (query, body) = sent(&declared);
    assert_eq!(query, ["f[a][b]=1", "l=x", "l=y"]);
    assert_eq!(body, "i%5B0%5D%5Bn%5D%5B0%5D=true&i%5B0%5D%5Bp%5D=q+r");
}

#[test]
fn the_end_of_a_path_may_be_several_segments() {
    let declared =
        declaration(json!({"endpoint": "api", "method": "GET", "path": "/r/{id}/contents/{path...}"}));
    let path = |path: &str| {
        let input = json!({"id": "a/b", "path": path});
        fill(&declared, &input, &Page::default()).map(|request| request.path)
    };
    assert_eq!(
        path("docs/my plan.md"),
        Ok("/r/a%2Fb/contents/docs/my%20plan.md".to_owned())
    );
    assert_eq!(path("/README"), Ok("/r/a%2Fb/contents/README".to_owned()));
    for bad in ["", "/", "a//b", "a/../b", "./a"] {
        assert_eq!(path(bad).expect_err("refused").code, "invalid_input", "{bad}");
    }
}

#[test]
fn body_values_keep_their_type_and_null_is_a_value() {
    let template =
        json!({"n": "{n}", "t": "no {n}", "o": "{o}", "gone": "{gone}", "null": "{null}", "é\"": "{{n}"});
    let filled = body(template, json!({"n": 1.5, "o": {"p": [true]}, "null": null}));
    assert_eq!(
        filled,
        json!({"n": 1.5, "t": "no 1.5", "o": {"p": [true]}, "null": null, "é\"": "{1.5"})
    );
}

#[test]
fn what_has_placeholders_and_no_value_goes_with_its_constants() {
    let template = json!({
        "groups": [{"filters": "{filters}"}, "{groups...}"],
        "to": [{"id": "{a}", "type": 1}, {"id": "{b}", "type": 2}],
        "fixed": {"k": []},
        "nested": {"x": {"y": "{gone}", "z": 1}},
    });
    let filled = body(
        template.clone(),
        json!({"b": "7", "groups": [{"filters": [1]}, {"filters": [2]}]}),
    );
    assert_eq!(
        filled,
        json!({"groups": [{"filters": [1]}, {"filters": [2]}], "to": [{"id": "7", "type": 2}], "fixed": {"k": []}})
    );
    assert_eq!(body(template, json!({})), json!({"fixed": {"k": []}}));
    assert_eq!(body(json!({"a": "{a}"}), json!({})), json!({}));
}

#[test]
fn a_form_body_is_encoded_and_an_own_content_type_wins() {
    let declared = json!({"endpoint": "api", "method": "POST", "path": "/", "body_format": "form",
        "headers": {"X-Version": "1", "Accept": "text/x", "x-gone": "{gone}"},
        "body": {"q": "{q}", "l": "{l}", "gone": "{gone}"}});
    let filled = fill(
        &declaration(declared),
        &json!({"q": "a b&c=é", "l": [1, 2]}),
        &Page::default(),
    )
    .expect("filled in");
    assert_eq!(
        String::from_utf8(filled.body.expect("a body")).expect("text"),
        "l=1&l=2&q=a+b%26c%3D%C3%A9"
    );
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        filled.headers,
        [
            header("accept", "text/x"),
            header("x-version", "1"),
            header("content-type", "application/x-www-form-urlencoded")
        ]
    );
}

/// Answers `body` to a page and gives back the next token.
fn next(paginator: Paginator, page: &Page, response: Response) -> Option<String> {
    let declaration = Declaration {
        paginator: Some(paginator),
        items: Some("/items".to_owned()),
        ..declaration(
            json!({"endpoint": "api", "method": "GET", "path": "/", "query": {"p": "{page.token}", "n": "{page.size}"}}),
        )
    };
    output(&declaration, page, response)
        .expect("a success")
        .next_page_token
}

fn page(token: Option<&str>, size: u32) -> Page {
    Page {
        token: token.map(str::to_owned),
        size: Some(size),
    }
}

#[test]
fn a_cursor_is_text_or_number_and_nothing_ends_it() {
    let cursor = || Paginator::Cursor {
        next: "/next".to_owned(),
    };
    let next = |body: Value| next(cursor(), &page(None, 2), testing::json(200, &body));
    assert_eq!(next(json!({"next": "abc"})).as_deref(), Some("abc"));
    assert_eq!(next(json!({"next": 12})).as_deref(), Some("12"));
    for end in [
        json!({}),
        json!({"next": null}),
        json!({"next": ""}),
        json!({"next": false}),
    ] {
        assert_eq!(next(end.clone()), None, "{end}");
    }
}

#[test]
fn offsets_and_page_numbers_go_on_until_a_short_page() {
    let full = || testing::json(200, &json!({"items": [1, 2]}));
    let short = || testing::json(200, &json!({"items": [1]}));
    assert_eq!(
        next(Paginator::Offset, &page(None, 2), full()).as_deref(),
        Some("2")
    );
    assert_eq!(
        next(Paginator::Offset, &page(Some("4"), 2), full()).as_deref(),
        Some("6")
    );
    assert_eq!(next(Paginator::Offset, &page(Some("4"), 2), short()), None);
    assert_eq!(
        next(Paginator::Page { first: 1 }, &page(None, 2), full()).as_deref(),
        Some("2")
    );
    assert_eq!(
        next(Paginator::Page { first: 0 }, &page(Some("3"), 2), full()).as_deref(),
        Some("4")
    );
    assert_eq!(
        next(Paginator::Page { first: 0 }, &page(Some("3"), 2), short()),
        None
    );

    let first = Declaration {
        paginator: Some(Paginator::Page { first: 1 }),
        ..declaration(
            json!({"endpoint": "api", "method": "GET", "path": "/", "query": {"p": "{page.token}"}}),
        )
    };
    let query = fill(&first, &json!({}), &page(None, 2)).expect("filled in").query;
    assert_eq!(query, [("p".to_owned(), "1".to_owned())]);
}

#[test]
fn links_of_the_vendor_become_the_next_request() {
    let link = "https://v.example/a?after=2";
    let mut response = testing::json(200, &json!({"items": []}));
    response
        .headers
        .push(("link".to_owned(), format!("<{link}>; rel=\"next\"")));
    assert_eq!(
        next(Paginator::LinkHeader, &page(None, 2), response).as_deref(),
        Some(link)
    );
    let paginator = || Paginator::NextUrl {
        next: "/links/next".to_owned(),
    };
    let response = testing::json(200, &json!({"links": {"next": link}}));
    assert_eq!(next(paginator(), &page(None, 2), response).as_deref(), Some(link));

    let declaration = Declaration {
        paginator: Some(paginator()),
        ..declaration(json!({"endpoint": "api", "method": "GET", "path": "/{id}", "query": {"q": "{q}"}}))
    };
    let request = fill(&declaration, &json!({"id": "1", "q": "x"}), &page(Some(link), 2)).expect("filled in");
    assert_eq!(
        (request.url.as_deref(), &*request.path, request.query.len()),
        (Some(link), "", 0)
    );
}

#[test]
fn the_result_is_the_part_that_is_declared() {
    let mut declared = declaration(json!({"endpoint": "api", "method": "GET", "path": "/"}));
    let answer = || testing::json(200, &json!({"data": {"id": 1, "noise": {}}, "noise": 2}));
    let run = |declared: &Declaration, response| output(declared, &Page::default(), response);
    assert_eq!(
        run(&declared, answer()).expect("all").data,
        r#"{"data":{"id":1,"noise":{}},"noise":2}"#
    );
    declared.response =
        serde_json::from_value(json!({"pointer": "/data", "drop": ["noise"], "empty": {"gone": true}})).ok();
    assert_eq!(run(&declared, answer()).expect("a part").data, r#"{"id":1}"#);
    assert_eq!(
        run(
            &declared,
            Response {
                status: 204,
                ..Response::default()
            }
        )
        .expect("nothing")
        .data,
        r#"{"gone":true}"#
    );
    let fault = run(&declared, testing::json(200, &json!({"other": 1}))).expect_err("no such part");
    assert_eq!(fault.code, "vendor_unavailable");
    assert!(fault.message.contains("without `/data`"), "{fault}");
    declared.response = None;
    assert_eq!(
        run(
            &declared,
            Response {
                status: 204,
                ..Response::default()
            }
        )
        .expect("nothing")
        .data,
        r#"{"ok":true,"status":204}"#
    );
}

#[test]
fn a_failure_that_is_called_a_success_is_a_fault() {
    let mut declared = declaration(json!({"endpoint": "api", "method": "GET", "path": "/"}));
    declared.response = serde_json::from_value(json!({"failure": "/error"})).ok();
    let run = |answer: Value| output(&declared, &Page::default(), testing::json(200, &answer));
    for fine in [
        json!({"ok": true}),
        json!({"error": null}),
        json!({"error": ""}),
        json!({"error": false}),
        json!([1]),
    ] {
        assert!(run(fine.clone()).is_ok(), "{fine}");
    }
    let fault = run(json!({"ok": false, "error": "channel_not_found"})).expect_err("a failure");
    assert_eq!((&*fault.code, fault.status), ("vendor_rejected", Some(200)));
    assert!(fault.message.contains("channel_not_found"), "{fault}");
}

#[test]
fn lists_that_the_vendor_leaves_out_when_empty_are_there() {
    let mut declared = declaration(json!({"endpoint": "api", "method": "GET", "path": "/"}));
    declared.response = serde_json::from_value(json!({"lists": ["things"], "drop": ["x"]})).ok();
    for (answer, result) in [
        (json!({}), r#"{"things":[]}"#),
        (json!({"x": 1}), r#"{"things":[]}"#),
        (json!({"n": {}}), r#"{"n":{},"things":[]}"#),
        (json!({"things": [1]}), r#"{"things":[1]}"#),
    ] {
        let output = output(&declared, &Page::default(), testing::json(200, &answer)).expect("a success");
        assert_eq!(output.data, result);
    }
}

#[test]
fn a_success_that_is_not_json_is_a_fault_that_quotes_it() {
    let declared = declaration(json!({"endpoint": "api", "method": "GET", "path": "/"}));
    for body in [&b"<html>maintenance"[..], b"{\"a\":1} x", b"{\"a\":", b"\xff\xfe"] {
        let response = Response {
            status: 200,
            headers: Vec::new(),
            body: body.to_vec(),
        };
        let fault = output(&declared, &Page::default(), response).expect_err("not JSON");
        assert_eq!(
            (&*fault.code, fault.status),
            ("vendor_unavailable", Some(200)),
            "{body:?}"
        );
    }
}

#[test]
fn the_vendors_words_are_quoted_with_a_next_step() {
    let mut declared = declaration(json!({"endpoint": "api", "method": "GET", "path": "/"}));
    declared.errors = serde_json::from_value(json!({
        "code": ["/category"], "message": ["/text"],
        "map": [{"status": 403, "code": "MISSING_SCOPES", "kind": "scope_missing", "hint": "Ask for more."}]
    }))
    .ok();
    let fault = |status, body: Value| {
        output(&declared, &Page::default(), testing::json(status, &body)).expect_err("no success")
    };
    let refused = fault(400, json!({"category": "VALIDATION", "text": "bad\nemail"}));
    assert_eq!(
        refused.message,
        "The vendor answered 400 (VALIDATION): \"bad email\". Change the parameters as it says, then call again."
    );
    assert_eq!(
        (refused.status, refused.vendor_code.as_deref()),
        (Some(400), Some("VALIDATION"))
    );
    let scope = fault(403, json!({"category": "MISSING_SCOPES"}));
    assert_eq!(scope.code, "scope_missing");
    assert!(scope.message.ends_with("Ask for more."), "{scope}");
    for (status, code) in [
        (401, "account_not_active"),
        (403, "vendor_forbidden"),
        (404, "vendor_not_found"),
        (409, "vendor_conflict"),
        (412, "vendor_conflict"),
        (422, "vendor_rejected"),
        (429, "rate_limited"),
        (302, "vendor_rejected"),
        (500, "vendor_unavailable"),
        (503, "vendor_unavailable"),
    ] {
        assert_eq!(fault(status, json!({})).code, code, "{status}");
    }
}

#[test]
fn without_declared_places_the_usual_ones_are_read() {
    let declared = declaration(json!({"endpoint": "api", "method": "GET", "path": "/"}));
    let google = json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "Invalid id"}});
    let mut response = testing::json(400, &google);
    response.headers.push(("retry-after".to_owned(), "3".to_owned()));
    let fault = output(&declared, &Page::default(), response).expect_err("refused");
    assert!(
        fault.message.contains("(INVALID_ARGUMENT): \"Invalid id\""),
        "{fault}"
    );
    assert_eq!(fault.retry_after_ms, Some(3000));
    let text = Response {
        status: 500,
        headers: Vec::new(),
        body: b"boom".to_vec(),
    };
    let fault = output(&declared, &Page::default(), text).expect_err("broken");
    assert!(fault.message.contains("\"boom\""), "{fault}");
}
