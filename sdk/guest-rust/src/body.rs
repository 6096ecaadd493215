//! Bodies that are neither JSON nor plain bytes: forms and parts.

use crate::http::percent_encode;

/// Pairs as `application/x-www-form-urlencoded`.
pub(crate) fn form<N: AsRef<str>, V: ToString>(pairs: impl IntoIterator<Item = (N, V)>) -> Vec<u8> {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        percent_encode(name.as_ref(), &mut out, true);
        out.push('=');
        percent_encode(&value.to_string(), &mut out, true);
    }
    out.into_bytes()
}

/// The parts of a `multipart/form-data` body (RFC 7578), in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Multipart {
    /// What stands above a part's value, and the value.
    parts: Vec<(String, Vec<u8>)>,
}

impl Multipart {
    /// A body without parts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    #[must_use]
    pub fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        let head = format!("Content-Disposition: form-data; name=\"{}\"", escape(name));
        self.parts.push((head, value.into().into_bytes()));
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(
        mut self,
        name: &str,
        filename: &str,
        content_type: &str,
        content: impl Into<Vec<u8>>,
    ) -> Self {
        let head = format!(
            "Content-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {content_type}",
            escape(name),
            escape(filename)
        );
        self.parts.push((head, content.into()));
        self
    }

    /// The bytes, with the parts set apart by `boundary`, which is in none of them.
    pub(crate) fn encode(&self, boundary: &str) -> Vec<u8> {
        let mut out = Vec::new();
        for (head, value) in &self.parts {
            out.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        out
    }
}

/// A name in quotation marks, as browsers write it.
fn escape(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_encoded_like_a_declared_one() {
        assert_eq!(form([("q", "a b&c=é"), ("n", "1")]), b"q=a+b%26c%3D%C3%A9&n=1");
    }

    #[test]
    fn parts_are_set_apart_and_names_cannot_break_out() {
        let body = Multipart::new()
            .text("a\"\r\nx", "1")
            .file("f", "é.txt", "text/plain", *b"\0\xff");
        let wanted = [
            "--B\r\nContent-Disposition: form-data; name=\"a%22%0D%0Ax\"\r\n\r\n1\r\n".as_bytes(),
            "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"é.txt\"\r\nContent-Type: text/plain\r\n\r\n".as_bytes(),
            b"\0\xff\r\n--B--\r\n",
        ];
        assert_eq!(body.encode("B"), wanted.concat());
    }
}
