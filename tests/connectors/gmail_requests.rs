//! What the Gmail connector sends, against Google's own descriptions of the APIs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};
use valetkey_guest::testing::{self, Vendor};
use valetkey_guest::{Call, Declaration, Page, Request, Response};
use valetkey_manifest::tool::UnreadErrors;
use valetkey_manifest::{Manifest, Tool};
use valetkey_tests::spec;

const PREFIX: &str = "/gmail/v1/users/me";

/// An input for every tool that uses all of its parameters.
fn inputs() -> Vec<(&'static str, Value)> {
    let mail = json!({"to": ["Zoë <zoe@x.example>"], "cc": ["c@x.example"], "bcc": ["d@x.example"], "subject": "Größe",
        "body": "<p>Hi</p>", "body_type": "html", "reply_to": "r@x.example", "from": "me@x.example",
        "attachments": [{"filename": "a.txt", "mime_type": "text/plain", "content_base64": "aGk="}]});
    let mut reply = mail.clone();
    reply["thread_id"] = json!("t1");
    reply["reply_all"] = json!(true);
    let search = json!({"query": "is:unread", "label_ids": ["INBOX", "UNREAD"], "include_spam_trash": true});
    let mut fetch = search.clone();
    fetch["include_body"] = json!(true);
    vec![
        ("gmail_fetch_mails", fetch),
        ("gmail_fetch_mails", json!({"include_body": false})),
        ("gmail_get_message_by_id", json!({"message_id": "m1"})),
        ("gmail_list_threads", search),
        (
            "gmail_get_thread_by_id",
            json!({"thread_id": "t1", "include_body": false}),
        ),
        (
            "gmail_get_thread_by_id",
            json!({"thread_id": "t1", "include_body": true}),
        ),
        (
            "gmail_get_attachment_by_id",
            json!({"message_id": "m1", "attachment_id": "a1"}),
        ),
        ("gmail_send_mail", mail.clone()),
        ("gmail_reply_to_thread", reply.clone()),
        ("gmail_create_draft", mail),
        ("gmail_create_draft", reply),
        ("gmail_list_drafts", json!({"query": "subject:x"})),
        ("gmail_send_draft", json!({"draft_id": "d1"})),
        ("gmail_list_labels", json!({})),
        (
            "gmail_modify_message_labels",
            json!({"message_id": "m1", "add_label_ids": ["A"], "remove_label_ids": ["B"]}),
        ),
        ("gmail_trash_message", json!({"message_id": "m1"})),
        ("gmail_untrash_message", json!({"message_id": "m1"})),
        ("gmail_delete_draft", json!({"draft_id": "d1"})),
        ("gmail_create_label", json!({"name": "Invoices"})),
        (
            "gmail_modify_thread_labels",
            json!({"thread_id": "t1", "add_label_ids": ["A"], "remove_label_ids": ["B"]}),
        ),
        (
            "gmail_batch_modify_labels",
            json!({"message_ids": ["m1"], "add_label_ids": ["A"], "remove_label_ids": ["B"]}),
        ),
        ("gmail_trash_thread", json!({"thread_id": "t1"})),
        ("gmail_search_people", json!({"query": "ada", "page_size": 5})),
        ("gmail_whoami", json!({})),
    ]
}

fn manifest() -> Manifest {
    super::bundled::manifest("gmail")
}

/// What the host would give the guest.
fn declaration(manifest: &Manifest, tool: &Tool) -> Declaration {
    let paging = tool.paging.as_ref();
    let paginator = paging.and_then(|paging| manifest.paginators.get(paging.paginator.as_ref()?));
    Declaration {
        request: tool.request.clone(),
        response: tool.response.clone(),
        paginator: paginator.cloned(),
        items: paging.map(|paging| paging.items.clone()),
        errors: manifest.errors.as_ref().map(UnreadErrors::from),
    }
}

fn message() -> Value {
    json!({"id": "m1", "threadId": "t1", "labelIds": ["INBOX"], "snippet": "s", "payload": {"mimeType": "text/plain",
        "headers": [{"name": "From", "value": "Ada <ada@x.example>"}, {"name": "To", "value": "me@x.example, b@x.example"},
                    {"name": "Subject", "value": "Offer"}, {"name": "Message-ID", "value": "<1@x.example>"}],
        "body": {"size": 2, "data": URL_SAFE.encode("Hi")}}})
}

fn answer(request: &Request) -> Response {
    if request.endpoint == "people" {
        return testing::json(200, &json!({"results": []}));
    }
    let path = request
        .path
        .strip_prefix(PREFIX)
        .unwrap_or_else(|| panic!("{} is in the mailbox", request.path));
    let body = match (request.method.as_str(), path) {
        ("GET", "/messages") => {
            json!({"messages": [{"id": "m1", "threadId": "t1"}, {"id": "m2", "threadId": "t1"}],
                                       "nextPageToken": "next", "resultSizeEstimate": 2})
        }
        ("GET", "/profile") => json!({"emailAddress": "me@x.example"}),
        ("GET", path) if path.starts_with("/threads/") => json!({"id": "t1", "messages": [message()]}),
        ("GET", path) if path.starts_with("/messages/") => message(),
        _ => json!({"id": "x"}),
    };
    testing::json(200, &body)
}

/// Runs a tool natively and gives back what it sent.
fn sent(manifest: &Manifest, name: &str, input: &Value) -> Vec<Request> {
    let tool = manifest
        .tools
        .iter()
        .find(|tool| tool.name == name)
        .unwrap_or_else(|| panic!("{name} is declared"));
    let vendor = Vendor::new(answer);
    let page = match tool.paging {
        Some(_) => Page {
            token: Some("token".to_owned()),
            size: Some(7),
        },
        None => Page::default(),
    };
    let call = Call::new(&vendor, Some(declaration(manifest, tool)), page);
    valetkey_guest::run(&call, name, &input.to_string(), valetkey_plugin_gmail::hooks)
        .unwrap_or_else(|fault| panic!("{name}: {fault}"));
    let sent = vendor.sent.borrow();
    sent.clone()
}

#[test]
fn every_gmail_request_is_what_googles_discovery_documents_describe() {
    let manifest = manifest();
    for tool in &manifest.tools {
        assert!(
            inputs().iter().any(|(name, _)| *name == tool.name),
            "{} is called here",
            tool.name
        );
    }
    let Some(discovery) = spec::find_together(&[("gmail", "v1"), ("people", "v1")]) else {
        return;
    };
    for (name, input) in inputs() {
        let tool = manifest
            .tools
            .iter()
            .find(|tool| tool.name == name)
            .expect("declared");
        let requests = sent(&manifest, name, &input);
        assert!(!requests.is_empty(), "{name} sends something");
        let last = requests.len() - 1;
        for (index, request) in requests.into_iter().enumerate() {
            let checked = discovery.check_request(
                &request.method,
                &request.path,
                &request.query,
                request.body.as_deref(),
            );
            let method = checked.unwrap_or_else(|problems| {
                panic!("{name}: {} {}: {problems:#?}", request.method, request.path)
            });
            // The last request is what the tool is for. A draft that answers a thread also reads
            // the thread, for which the scope of drafts alone is not enough.
            for scope in tool.any_scopes.iter().filter(|_| index == last) {
                assert!(
                    method.scopes.contains(scope),
                    "{name}: {scope} is not enough for {}",
                    method.id
                );
            }
        }
    }
}

#[test]
fn a_page_of_mails_is_listed_and_then_read_side_by_side() {
    let requests = sent(&manifest(), "gmail_fetch_mails", &json!({"include_body": false}));
    let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            format!("{PREFIX}/messages"),
            format!("{PREFIX}/messages/m1"),
            format!("{PREFIX}/messages/m2")
        ]
    );
    let pairs = |request: &Request| {
        request
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(pairs(&requests[0]), ["maxResults=7", "pageToken=token"]);
    assert!(pairs(&requests[1]).contains(&"format=metadata".to_owned()));
}

#[test]
fn an_answer_to_all_goes_to_everyone_else_and_stays_in_its_thread() {
    let input = json!({"thread_id": "t1", "reply_all": true, "body": "Fine."});
    let requests = sent(&manifest(), "gmail_reply_to_thread", &input);
    let body: Value = serde_json::from_slice(
        requests
            .last()
            .and_then(|last| last.body.as_ref())
            .expect("a body"),
    )
    .expect("JSON");
    assert_eq!(body["threadId"], "t1");
    let raw = URL_SAFE
        .decode(body["raw"].as_str().expect("raw"))
        .expect("base64url");
    let mail = String::from_utf8(raw).expect("text");
    let head = mail.split("\r\n\r\n").next().expect("a head");
    for line in [
        "To: Ada <ada@x.example>",
        "Cc: b@x.example",
        "Subject: Re: Offer",
        "In-Reply-To: <1@x.example>",
        "References: <1@x.example>",
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
    assert!(
        !head.contains("me@x.example"),
        "we do not answer ourselves: {head}"
    );
}
