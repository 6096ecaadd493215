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
    use valetkey_guest::Page;
    use valetkey_guest::testing::Vendor;

    use super::*;

    #[test]
    fn a_thread_without_a_channel_is_refused_before_anything_is_sent() {
        let vendor = Vendor::default();
        let call = Call::new(&vendor, None, Page::default());
        let input = serde_json::from_value(json!({"file": "file_1", "thread_ts": "1.2"})).expect("an input");
        let fault = upload_file(&call, input).expect_err("refused");
        assert_eq!(
            (fault.code.as_ref(), fault.problems[0].0.as_str()),
            ("invalid_input", "/thread_ts")
        );
    }
}
