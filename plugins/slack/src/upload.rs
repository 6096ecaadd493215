//! `slack_upload_file`: the vendor is asked for an address, gets the bytes there from the host, and is told to share
//! them. The address needs no credential and gets none.
//! <https://docs.slack.dev/messaging/working-with-files#upload>

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use valetkey_guest::{Call, Fault, Output, Response};

#[derive(Deserialize)]
pub struct UploadFile {
    file: String,
    channel: Option<String>,
    thread_ts: Option<String>,
    initial_comment: Option<String>,
    title: Option<String>,
    filename: Option<String>,
    alt_text: Option<String>,
}

#[derive(Deserialize)]
struct Place {
    upload_url: String,
    file_id: String,
}

/// Uploads a file and shares it where the input says.
pub fn upload_file(call: &Call, input: UploadFile) -> Result<Output, Fault> {
    for (name, value) in [
        ("/thread_ts", &input.thread_ts),
        ("/initial_comment", &input.initial_comment),
    ] {
        if value.is_some() && input.channel.is_none() {
            return Err(Fault::invalid(name, "needs a `channel`"));
        }
    }
    let file = call.file(&input.file)?;
    let filename = input.filename.unwrap_or(file.name);
    let place: Place = answered(
        call,
        &call
            .get("api", "/files.getUploadURLExternal")
            .query("filename", &filename)
            .query("length", file.size)
            .query_all("alt_txt", input.alt_text)
            .send()?,
    )?;

    call.post("upload", "")
        .url(place.upload_url)
        .send_file(&input.file)?;

    let title = input.title.unwrap_or(filename);
    let files = json!([{ "id": place.file_id, "title": title }]);
    let told = [
        ("files", Some(files.to_string())),
        ("channel_id", input.channel),
        ("thread_ts", input.thread_ts),
        ("initial_comment", input.initial_comment),
    ];
    let told = told.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let done: Value = answered(
        call,
        &call
            .post("api", "/files.completeUploadExternal")
            .form(told)
            .send()?,
    )?;
    Output::json(&json!({ "files": done["files"] }))
}

/// The vendor says that something failed with the status of a success.
fn answered<T: DeserializeOwned>(call: &Call, response: &Response) -> Result<T, Fault> {
    #[derive(Deserialize)]
    struct Word {
        ok: bool,
    }
    if !response.json::<Word>()?.ok {
        return Err(call.fault(response));
    }
    response.json()
}

#[cfg(test)]
mod tests {
    use valetkey_guest::testing::{self, Vendor};
    use valetkey_guest::{File, Page, Request};

    use super::*;

    fn answer(request: &Request) -> Response {
        match request.path.as_str() {
            "/files.getUploadURLExternal" => testing::json(
                200,
                &json!({"ok": true, "upload_url": "https://files.slack.com/upload/v1/K1", "file_id": "F1"}),
            ),
            "/files.completeUploadExternal" => testing::json(
                200,
                &json!({"ok": true, "files": [{"id": "F1", "title": "note.txt"}]}),
            ),
            _ => Response {
                status: 200,
                body: b"OK - 5".to_vec(),
                ..Response::default()
            },
        }
    }

    fn input(value: Value) -> UploadFile {
        serde_json::from_value(value).expect("an input")
    }

    #[test]
    fn the_bytes_go_to_the_address_that_was_handed_out_and_to_no_other() {
        let vendor = Vendor::new(answer);
        let file = File {
            id: "file_1".to_owned(),
            name: "note.txt".to_owned(),
            size: 5,
            ..File::default()
        };
        vendor
            .files
            .borrow_mut()
            .insert("file_1".to_owned(), (file, b"Hello".to_vec()));
        let call = Call::new(&vendor, None, Page::default());
        let output =
            upload_file(&call, input(json!({"file": "file_1", "channel": "C1"}))).expect("an answer");
        assert_eq!(output.data, r#"{"files":[{"id":"F1","title":"note.txt"}]}"#);

        let sent = vendor.sent.borrow();
        let bodies: Vec<bool> = sent
            .iter()
            .map(|request| request.body.as_deref() == Some(b"Hello"))
            .collect();
        assert_eq!(bodies, [false, true, false]);
        assert_eq!(
            (
                sent[1].endpoint.as_str(),
                sent[1].path.as_str(),
                sent[1].url.as_deref()
            ),
            ("upload", "", Some("https://files.slack.com/upload/v1/K1"))
        );
    }

    #[test]
    fn a_thread_without_a_channel_is_refused_before_anything_is_sent() {
        let vendor = Vendor::new(answer);
        let call = Call::new(&vendor, None, Page::default());
        let fault =
            upload_file(&call, input(json!({"file": "file_1", "thread_ts": "1.2"}))).expect_err("refused");
        assert_eq!(
            (fault.code.as_ref(), fault.problems[0].0.as_str()),
            ("invalid_input", "/thread_ts")
        );
        assert!(vendor.sent.borrow().is_empty());
    }
}
