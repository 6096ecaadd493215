//! A mail as RFC 5322 and MIME (RFC 2045 to 2047, 2231) want it. Gmail itself adds `From`, `Date`
//! and `Message-ID`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use valetkey_guest::Fault;

use crate::{address, html, words};

/// All attachments together, decoded.
const MAX_ATTACHMENT_BYTES: usize = 5 * 1024 * 1024;

/// What a mail says, as the tools take it.
#[derive(Debug, Default, Deserialize)]
pub struct Content {
    #[serde(default)]
    pub subject: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    body_type: BodyType,
    #[serde(default)]
    attachments: Vec<Attachment>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BodyType {
    #[default]
    Text,
    Html,
}

#[derive(Debug, Deserialize)]
struct Attachment {
    filename: String,
    mime_type: Option<String>,
    content_base64: String,
}

/// Who gets a mail.
#[derive(Debug, Default, Deserialize)]
pub struct Recipients {
    #[serde(default)]
    pub to: Vec<String>,
    #[serde(default)]
    pub cc: Vec<String>,
    #[serde(default)]
    pub bcc: Vec<String>,
    pub from: Option<String>,
    pub reply_to: Option<String>,
}

/// What makes a mail an answer to another (RFC 5322 section 3.6.4).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// `Message-ID` of the mail that is answered.
    pub message_id: Option<String>,
    /// Its `References`.
    pub references: Option<String>,
}

/// Puts a mail together. `random` makes the boundaries.
///
/// # Errors
/// `invalid_input` with the place: a header that would not stay one, an attachment that is not
/// base64 or too large.
pub fn mail(
    recipients: &Recipients,
    content: &Content,
    answered: &Answered,
    random: &[u8],
) -> Result<String, Fault> {
    let mut out = String::new();
    if let Some(from) = &recipients.from {
        header("From", &address::encode(from, "/from")?, &mut out);
    }
    for (name, pointer, list) in [
        ("To", "/to", &recipients.to),
        ("Cc", "/cc", &recipients.cc),
        ("Bcc", "/bcc", &recipients.bcc),
    ] {
        let encoded: Result<Vec<_>, Fault> = list
            .iter()
            .enumerate()
            .map(|(index, address)| address::encode(address, &format!("{pointer}/{index}")))
            .collect();
        let encoded = encoded?;
        if !encoded.is_empty() {
            header(name, &encoded.join(",\r\n "), &mut out);
        }
    }
    if let Some(reply_to) = &recipients.reply_to {
        header("Reply-To", &address::encode(reply_to, "/reply_to")?, &mut out);
    }
    refuse_control("/subject", &content.subject)?;
    header("Subject", &words::encode(&content.subject), &mut out);
    if let Some(id) = answered.message_id.as_deref().filter(|id| is_message_ids(id)) {
        header("In-Reply-To", id, &mut out);
        let earlier = answered.references.as_deref().filter(|ids| is_message_ids(ids));
        let references: Vec<_> = earlier
            .into_iter()
            .flat_map(str::split_whitespace)
            .chain([id])
            .collect();
        header("References", &references.join("\r\n "), &mut out);
    }
    header("MIME-Version", "1.0", &mut out);

    let body = body(content, random);
    if content.attachments.is_empty() {
        out.push_str(&body);
        return Ok(out);
    }
    let boundary = boundary("mixed", random);
    header(
        "Content-Type",
        &format!("multipart/mixed; boundary=\"{boundary}\""),
        &mut out,
    );
    out.push_str(&format!("\r\n--{boundary}\r\n{body}"));
    let mut total = 0;
    for (index, attachment) in content.attachments.iter().enumerate() {
        out.push_str(&format!("--{boundary}\r\n"));
        total += attach(attachment, &format!("/attachments/{index}"), &mut out)?;
        if total > MAX_ATTACHMENT_BYTES {
            return Err(Fault::invalid(
                "/attachments",
                format!("are more than {MAX_ATTACHMENT_BYTES} bytes together; share larger files by a link"),
            ));
        }
    }
    out.push_str(&format!("--{boundary}--\r\n"));
    Ok(out)
}

fn header(name: &str, value: &str, out: &mut String) {
    out.push_str(name);
    out.push_str(": ");
    out.push_str(value);
    out.push_str("\r\n");
}

/// The text with its own headers: plain, or plain beside HTML.
fn body(content: &Content, random: &[u8]) -> String {
    match content.body_type {
        BodyType::Text => text("plain", &content.body),
        BodyType::Html => {
            let boundary = boundary("alternative", random);
            let plain = text("plain", &html::to_text(&content.body));
            let html = text("html", &content.body);
            format!(
                "Content-Type: multipart/alternative; boundary=\"{boundary}\"\r\n\r\n\
                 --{boundary}\r\n{plain}--{boundary}\r\n{html}--{boundary}--\r\n"
            )
        }
    }
}

fn text(kind: &str, text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    let mut out =
        format!("Content-Type: text/{kind}; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    push_base64(text.as_bytes(), &mut out);
    out
}

/// One attachment; answers its size.
fn attach(attachment: &Attachment, pointer: &str, out: &mut String) -> Result<usize, Fault> {
    let kind = attachment
        .mime_type
        .as_deref()
        .unwrap_or("application/octet-stream");
    let is_token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let is_kind = kind
        .split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
    if !is_kind || kind.to_ascii_lowercase().starts_with("multipart/") {
        return Err(Fault::invalid(
            &format!("{pointer}/mime_type"),
            format!("is {kind:?}, which is not a media type such as application/pdf"),
        ));
    }
    let at = format!("{pointer}/filename");
    refuse_control(&at, &attachment.filename)?;
    if attachment.filename.is_empty() {
        return Err(Fault::invalid(&at, "is empty; name the file"));
    }
    let bytes = words::decode_base64(&attachment.content_base64)
        .ok_or_else(|| Fault::invalid(&format!("{pointer}/content_base64"), "is not base64"))?;
    header("Content-Type", kind, out);
    header(
        "Content-Disposition",
        &format!("attachment; {}", filename(&attachment.filename)),
        out,
    );
    header("Content-Transfer-Encoding", "base64", out);
    out.push_str("\r\n");
    push_base64(&bytes, out);
    Ok(bytes.len())
}

/// The `filename` parameter; by RFC 2231 when it is not ASCII.
fn filename(name: &str) -> String {
    if name.is_ascii() {
        return format!("filename=\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    }
    let mut out = "filename*=UTF-8''".to_owned();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Base64 in lines of 76 (RFC 2045 section 6.8).
fn push_base64(bytes: &[u8], out: &mut String) {
    for line in bytes.chunks(57) {
        STANDARD.encode_string(line, out);
        out.push_str("\r\n");
    }
    if bytes.is_empty() {
        out.push_str("\r\n");
    }
}

fn boundary(kind: &str, random: &[u8]) -> String {
    let mut out = format!("{kind}_");
    for byte in random {
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

fn refuse_control(pointer: &str, text: &str) -> Result<(), Fault> {
    if text.chars().any(char::is_control) {
        return Err(Fault::invalid(
            pointer,
            "holds a line break or another control character; write it on one line",
        ));
    }
    Ok(())
}

/// Whether a text from another mail can stand in a header as message ids.
fn is_message_ids(text: &str) -> bool {
    !text.trim().is_empty() && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn compose(input: Value) -> Result<String, Fault> {
        let recipients = serde_json::from_value(input.clone()).expect("recipients");
        let content = serde_json::from_value(input).expect("content");
        mail(&recipients, &content, &Answered::default(), &[1, 2, 255])
    }

    #[test]
    fn a_plain_mail_is_headers_and_a_base64_text() {
        let mail = compose(
            json!({"to": ["Zoë <z@x.example>", "b@x.example"], "cc": ["c@x.example"], "bcc": ["d@x.example"],
            "subject": "Größe", "body": "Hi\nyou"}),
        )
        .expect("a mail");
        assert_eq!(
            mail,
            "To: =?UTF-8?B?Wm/Dqw==?= <z@x.example>,\r\n b@x.example\r\nCc: c@x.example\r\nBcc: d@x.example\r\n\
             Subject: =?UTF-8?B?R3LDtsOfZQ==?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\
             Content-Transfer-Encoding: base64\r\n\r\nSGkNCnlvdQ==\r\n"
        );
    }

    #[test]
    fn html_comes_with_a_plain_text_and_attachments_around_both() {
        let mail = compose(
            json!({"to": ["a@x.example"], "subject": "s", "body": "<p>Hi</p>", "body_type": "html",
            "attachments": [{"filename": "a\"b.txt", "mime_type": "text/plain", "content_base64": "aGk="},
                            {"filename": "Größe.pdf", "content_base64": "-_8"}]}),
        )
        .expect("a mail");
        let (head, parts) = mail.split_once("\r\n\r\n").expect("a head");
        assert!(
            head.ends_with("Content-Type: multipart/mixed; boundary=\"mixed_0102ff\""),
            "{head}"
        );
        let parts: Vec<_> = parts.split("--mixed_0102ff").collect();
        assert_eq!(parts.len(), 5, "{mail}");
        assert!(parts[1].contains("multipart/alternative; boundary=\"alternative_0102ff\""));
        assert_eq!(parts[1].matches("--alternative_0102ff").count(), 3);
        assert!(parts[1].contains("text/plain") && parts[1].contains(&STANDARD.encode("Hi")));
        assert!(parts[1].contains("text/html") && parts[1].contains(&STANDARD.encode("<p>Hi</p>")));
        assert!(parts[2].contains("filename=\"a\\\"b.txt\"") && parts[2].contains("aGk=\r\n"));
        assert!(parts[3].contains("filename*=UTF-8''Gr%C3%B6%C3%9Fe.pdf") && parts[3].contains("+/8=\r\n"));
        assert!(parts[3].contains("Content-Type: application/octet-stream"));
        assert_eq!(parts[4], "--\r\n");
    }

    #[test]
    fn nothing_of_the_input_can_start_another_header() {
        let base = json!({"to": ["a@x.example"], "subject": "s", "body": "b"});
        let attach = |filename: &str, kind: &str, content: &str| json!([{"filename": filename, "mime_type": kind, "content_base64": content}]);
        for (name, value, pointer) in [
            ("subject", json!("s\r\nBcc: eve@evil.example"), "/subject"),
            ("subject", json!("s\u{85}x"), "/subject"),
            ("to", json!(["a@x.example\nBcc: eve@evil.example"]), "/to/0"),
            ("cc", json!(["ok@x.example", "a@x.example\r\n"]), "/cc/1"),
            ("bcc", json!(["x\0@y.example"]), "/bcc/0"),
            ("from", json!("a@x.example\r\nX: y"), "/from"),
            ("reply_to", json!("a@x.example\r\nX: y"), "/reply_to"),
            (
                "attachments",
                attach("a\r\nX: y", "text/plain", ""),
                "/attachments/0/filename",
            ),
            (
                "attachments",
                attach("", "text/plain", ""),
                "/attachments/0/filename",
            ),
            (
                "attachments",
                attach("a", "text/plain\r\nX: y", ""),
                "/attachments/0/mime_type",
            ),
            (
                "attachments",
                attach("a", "multipart/mixed", ""),
                "/attachments/0/mime_type",
            ),
            (
                "attachments",
                attach("a", "text/plain", "!!"),
                "/attachments/0/content_base64",
            ),
        ] {
            let mut input = base.clone();
            input[name] = value;
            let fault = compose(input).expect_err(name);
            assert_eq!(
                (&*fault.code, &*fault.problems[0].0),
                ("invalid_input", pointer),
                "{fault}"
            );
        }
    }

    #[test]
    fn attachments_have_a_limit() {
        let content = STANDARD.encode(vec![0u8; MAX_ATTACHMENT_BYTES / 2 + 1]);
        let file = json!({"filename": "a", "content_base64": content});
        let fault =
            compose(json!({"to": ["a@x.example"], "subject": "s", "body": "b", "attachments": [file, file]}));
        assert_eq!(fault.expect_err("too large").problems[0].0, "/attachments");
    }

    #[test]
    fn an_answer_refers_to_what_it_answers_and_odd_ids_are_left_out() {
        let compose = |message_id: &str, references: &str| {
            let answered = Answered {
                message_id: Some(message_id.to_owned()),
                references: Some(references.to_owned()),
            };
            mail(&Recipients::default(), &Content::default(), &answered, &[]).expect("a mail")
        };
        let answer = compose("<2@x>", "<0@x>  <1@x>");
        assert!(
            answer.contains("In-Reply-To: <2@x>\r\nReferences: <0@x>\r\n <1@x>\r\n <2@x>\r\n"),
            "{answer}"
        );
        assert!(!compose("<2@x>\r\nBcc: eve@evil.example", "").contains("eve"));
    }
}
