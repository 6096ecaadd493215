//! Reading mail: header fields and MIME parts (RFC 5322, 2045, 2047), as much as a mailbox shows.

use crate::text::parse_base64;

/// A message, or a part of one.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Header fields in order, unfolded, as written.
    pub(crate) headers: Vec<(String, String)>,
    /// `text/plain` unless it says otherwise, lower case.
    pub(crate) mime_type: String,
    /// Name of the file that it is; empty for none.
    pub(crate) filename: String,
    /// Decoded content; empty for a multipart.
    pub(crate) content: Vec<u8>,
    /// Parts of a multipart.
    pub(crate) parts: Vec<Part>,
}

impl Part {
    /// Reads a message. Never fails: what cannot be understood is content.
    pub(crate) fn parse(raw: &[u8]) -> Self {
        let (headers, body) = split_headers(raw);
        let content_type = field(&headers, "content-type").unwrap_or("text/plain");
        let disposition = field(&headers, "content-disposition").unwrap_or_default();
        let mime_type = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let filename = parameter(disposition, "filename")
            .or_else(|| parameter(content_type, "name"))
            .unwrap_or_default();
        let boundary = parameter(content_type, "boundary").filter(|_| mime_type.starts_with("multipart/"));
        let (content, parts) = match boundary {
            Some(boundary) => (Vec::new(), split_parts(body, &boundary)),
            None => (
                decode(field(&headers, "content-transfer-encoding"), body),
                Vec::new(),
            ),
        };
        Self {
            mime_type,
            filename,
            content,
            parts,
            headers,
        }
    }

    /// The first header field of a name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        field(&self.headers, name)
    }

    /// The text that a person reads first.
    pub(crate) fn text(&self) -> String {
        if self.parts.is_empty() {
            let is_text = self.mime_type.starts_with("text/") && self.filename.is_empty();
            return if is_text {
                String::from_utf8_lossy(&self.content).into_owned()
            } else {
                String::new()
            };
        }
        self.parts
            .iter()
            .map(Self::text)
            .find(|text| !text.is_empty())
            .unwrap_or_default()
    }

    /// Whether a file is attached.
    pub(crate) fn has_attachment(&self) -> bool {
        !self.filename.is_empty() || self.parts.iter().any(Self::has_attachment)
    }

    /// The part at a path of numbers (`1.0`), as the vendor numbers them; empty for the whole.
    pub(crate) fn at(&self, part_id: &str) -> Option<&Self> {
        part_id
            .split('.')
            .filter(|step| !step.is_empty())
            .try_fold(self, |part, step| part.parts.get(step.parse::<usize>().ok()?))
    }
}

fn field<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

fn split_headers(raw: &[u8]) -> (Vec<(String, String)>, &[u8]) {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |at| at + 1);
        let line = String::from_utf8_lossy(&rest[..end]).trim_end().to_owned();
        rest = &rest[end..];
        if line.is_empty() {
            break;
        }
        let folded = line.starts_with([' ', '\t']);
        match (folded, headers.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            (_, _, Some((name, value))) => headers.push((name.to_owned(), value.trim().to_owned())),
            _ => {}
        }
    }
    (headers, rest)
}

/// A parameter of a header field, quoted or not, also in the extended form of RFC 2231.
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|pair| {
        let (key, text) = pair.split_once('=')?;
        let text = text.trim().trim_matches('"');
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(text.to_owned());
        }
        let extended = key.trim().strip_suffix('*')?;
        let encoded = text.splitn(3, '\'').nth(2)?;
        extended.eq_ignore_ascii_case(name).then(|| {
            crate::text::parse_form(&format!("v={}", encoded.replace('+', "%2B")))
                .into_iter()
                .next()
                .map(|(_, value)| value)
                .unwrap_or_default()
        })
    })
}

fn split_parts(body: &[u8], boundary: &str) -> Vec<Part> {
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut begin: Option<usize> = None;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        let text = String::from_utf8_lossy(line);
        if let Some(rest) = text.trim_end().strip_prefix(&delimiter) {
            if let Some(begin) = begin {
                // The line break before a delimiter belongs to the delimiter.
                let end = at.saturating_sub(if body[..at].ends_with(b"\r\n") { 2 } else { 1 });
                parts.push(Part::parse(&body[begin..end.max(begin)]));
            }
            begin = Some(next);
            if rest == "--" {
                return parts;
            }
        }
        at = next;
    }
    if let Some(begin) = begin {
        parts.push(Part::parse(&body[begin..]));
    }
    parts
}

fn decode(encoding: Option<&str>, body: &[u8]) -> Vec<u8> {
    match encoding.map(str::to_ascii_lowercase).as_deref().map(str::trim) {
        Some("base64") => parse_base64(&String::from_utf8_lossy(body)).unwrap_or_else(|| body.to_vec()),
        Some("quoted-printable") => decode_quoted_printable(body),
        _ => body.to_vec(),
    }
}

fn decode_quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut at = 0;
    while at < body.len() {
        if body[at] != b'=' {
            out.push(body[at]);
            at += 1;
            continue;
        }
        let rest = &body[at + 1..];
        let hex = rest
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        if let Some(byte) = hex {
            out.push(byte);
            at += 3;
        } else if rest.starts_with(b"\r\n") {
            at += 3;
        } else if rest.starts_with(b"\n") {
            at += 2;
        } else {
            out.push(b'=');
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_parts_are_found_and_decoded() {
        let raw = b"Subject: one\r\n two\r\nContent-Type: multipart/mixed; boundary=\"outer\"\r\n\r\n\
            preamble\r\n--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n\
            --inner\r\nContent-Type: text/plain; charset=utf-8\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\r\ncaf=C3=A9 =\r\nau lait\r\n\
            --inner\r\nContent-Type: text/html\r\n\r\n<p>caf&eacute;</p>\r\n--inner--\r\n\
            --outer\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\
            Content-Disposition: attachment; filename=\"a b.pdf\"\r\n\r\nJVBE\r\nRi0=\r\n--outer--\r\n";
        let message = Part::parse(raw);
        assert_eq!(message.header("subject"), Some("one two"));
        assert_eq!(message.text(), "caf\u{e9} au lait");
        assert!(message.has_attachment());
        let file = message.at("1").unwrap();
        assert_eq!(
            (file.filename.as_str(), file.content.as_slice()),
            ("a b.pdf", &b"%PDF-"[..])
        );
        assert_eq!(message.at("0.1").unwrap().content, b"<p>caf&eacute;</p>");
        assert!(message.at("7").is_none());
    }
}
