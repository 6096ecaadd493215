//! Messages of the API taken apart: headers decoded, a readable body chosen, attachments listed.
//! Shapes: <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages>.

use serde::{Deserialize, Serialize};

use crate::{address, html, words};

/// A message as the API gives it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Message {
    pub id: String,
    pub thread_id: String,
    pub label_ids: Vec<String>,
    pub snippet: String,
    pub internal_date: Option<String>,
    pub payload: Part,
}

/// A MIME part.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Part {
    mime_type: String,
    filename: String,
    headers: Vec<Header>,
    body: Body,
    parts: Vec<Part>,
}

#[derive(Debug, Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    attachment_id: Option<String>,
    size: u64,
    data: Option<String>,
}

/// A message as an agent gets it. Names that the API has are the API's.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    id: String,
    thread_id: String,
    label_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    /// Milliseconds since 1970, as text, when the message reached the mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    internal_date: Option<String>,
    snippet: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    body_truncated: bool,
    attachments: Vec<Attachment>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attachment {
    attachment_id: String,
    filename: String,
    mime_type: String,
    size: u64,
}

impl Message {
    /// A header's text, its encoded words read.
    pub fn header(&self, name: &str) -> Option<String> {
        let value = self.payload.header(name).map(words::decode)?;
        (!value.is_empty()).then_some(value)
    }

    /// The addresses of a header, their names decoded. Taken apart first: a comma inside an
    /// encoded name does not make another recipient.
    pub fn addresses(&self, name: &str) -> Vec<String> {
        let list = self.payload.header(name).unwrap_or("");
        address::split(list)
            .iter()
            .map(|address| words::decode(address))
            .collect()
    }

    /// For an agent; the body cut to `body_chars` characters, none when that is 0.
    pub fn into_mail(self, body_chars: usize) -> Mail {
        let (mut body, mut body_truncated) = (None, false);
        if body_chars > 0
            && let Some(text) = self.payload.text()
        {
            let end = text.char_indices().nth(body_chars).map(|(end, _)| end);
            body_truncated = end.is_some();
            body = Some(match end {
                Some(end) => text[..end].to_owned(),
                None => text,
            });
        }
        let mut attachments = Vec::new();
        self.payload.attachments(&mut attachments);
        Mail {
            from: self.header("From"),
            to: self.header("To"),
            cc: self.header("Cc"),
            reply_to: self.header("Reply-To"),
            subject: self.header("Subject"),
            date: self.header("Date"),
            id: self.id,
            thread_id: self.thread_id,
            label_ids: self.label_ids,
            internal_date: self.internal_date,
            snippet: self.snippet,
            body,
            body_truncated,
            attachments,
        }
    }
}

impl Part {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_str())
    }

    /// The body to read: the first plain text, else the first HTML as text.
    fn text(&self) -> Option<String> {
        self.find("text/plain")
            .or_else(|| self.find("text/html").map(|html| html::to_text(&html)))
    }

    fn find(&self, kind: &str) -> Option<String> {
        if self.mime_type.eq_ignore_ascii_case(kind) && self.filename.is_empty() {
            let bytes = words::decode_base64(self.body.data.as_deref()?)?;
            return Some(words::decode_charset(&bytes, &self.charset()).replace("\r\n", "\n"));
        }
        self.parts.iter().find_map(|part| part.find(kind))
    }

    fn charset(&self) -> String {
        let content_type = self.header("Content-Type").unwrap_or("");
        content_type
            .split(';')
            .filter_map(|parameter| parameter.trim().split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
            .map_or_else(|| "utf-8".to_owned(), |(_, charset)| charset.to_owned())
    }

    /// Every part that has to be fetched by itself, text too large for the message included.
    fn attachments(&self, found: &mut Vec<Attachment>) {
        if let Some(id) = &self.body.attachment_id {
            found.push(Attachment {
                attachment_id: id.clone(),
                filename: words::decode(&self.filename),
                mime_type: self.mime_type.clone(),
                size: self.body.size,
            });
        }
        for part in &self.parts {
            part.attachments(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE;
    use serde_json::{Value, json};

    use super::*;

    fn mail(payload: Value, body_chars: usize) -> Value {
        let message: Message = serde_json::from_value(json!({
            "id": "m1", "threadId": "t1", "labelIds": ["INBOX"], "snippet": "s", "internalDate": "1", "payload": payload
        }))
        .expect("a message");
        serde_json::to_value(message.into_mail(body_chars)).expect("JSON")
    }

    fn text(kind: &str, charset: &str, bytes: &[u8]) -> Value {
        json!({"mimeType": kind, "filename": "", "headers": [{"name": "content-type", "value": format!("{kind}; charset={charset}")}],
               "body": {"size": bytes.len(), "data": URL_SAFE.encode(bytes)}})
    }

    #[test]
    fn the_plain_text_is_chosen_from_the_tree_and_attachments_are_listed() {
        let payload = json!({
            "mimeType": "multipart/mixed", "headers": [
                {"name": "Subject", "value": "=?UTF-8?B?R3LDvMOfZQ==?="}, {"name": "FROM", "value": "Ada <ada@x.example>"}],
            "parts": [
                {"mimeType": "multipart/alternative", "parts": [
                    text("text/html", "utf-8", b"<p>html</p>"), text("text/plain", "\"ISO-8859-1\"", b"Gr\xfc\xdfe\r\n")]},
                {"mimeType": "text/plain", "filename": "=?UTF-8?Q?n=C3=B6tes?=.txt", "body": {"attachmentId": "a1", "size": 9}},
            ]
        });
        let mail = mail(payload, 100);
        assert_eq!(mail["subject"], "Grüße");
        assert_eq!(mail["from"], "Ada <ada@x.example>");
        assert_eq!(mail["body"], "Grüße\n");
        assert_eq!(
            mail["attachments"],
            json!([{"attachmentId": "a1", "filename": "nötes.txt", "mimeType": "text/plain", "size": 9}])
        );
        assert!(mail.get("cc").is_none());
    }

    #[test]
    fn an_encoded_comma_makes_no_other_recipient() {
        let message: Message = serde_json::from_value(json!({"payload": {"headers": [
            {"name": "To", "value": "=?UTF-8?Q?eve=40evil.example=2C?= <ada@x.example>, b@x.example"}]}}))
        .expect("a message");
        let addresses = message.addresses("to");
        assert_eq!(addresses, ["eve@evil.example, <ada@x.example>", "b@x.example"]);
        let encoded = address::encode(&addresses[0], "/to/0").expect("one address");
        assert_eq!(encoded, "\"eve@evil.example,\" <ada@x.example>");
    }

    #[test]
    fn html_alone_becomes_text_and_long_bodies_are_cut_between_letters() {
        let html = mail(text("text/html", "utf-8", "<p>Zoë</p><p>b</p>".as_bytes()), 100);
        assert_eq!(html["body"], "Zoë\n\nb");
        let cut = mail(text("text/plain", "utf-8", "Zoë!".as_bytes()), 3);
        assert_eq!(
            (&cut["body"], &cut["bodyTruncated"]),
            (&json!("Zoë"), &json!(true))
        );
        let none = mail(text("text/plain", "utf-8", b"x"), 0);
        assert!(none.get("body").is_none());
    }
}
