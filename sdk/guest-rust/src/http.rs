//! Requests and answers as a connector sees them.

use serde::de::DeserializeOwned;

use crate::fault::{Fault, quote};

/// One request to an endpoint of the manifest. The host adds the authority and the credential.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The name of an endpoint of the manifest.
    pub endpoint: String,
    /// Path below the endpoint, percent-encoded, with a leading `/`; empty when `url` is given.
    pub path: String,
    /// A URL that the vendor handed out, instead of `path`.
    pub url: Option<String>,
    /// Query parameters, not encoded.
    pub query: Vec<(String, String)>,
    /// Headers. Those that authenticate or frame belong to the host.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Vec<u8>>,
}

/// The vendor's answer, whatever its status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// The status; a redirect is data.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status is a success (2xx).
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is something else: a fault that quotes its beginning.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.body).map_err(|error| self.not_json(&error))
    }

    /// The fault of a success whose body is not the JSON that was expected.
    pub(crate) fn not_json(&self, error: &serde_json::Error) -> Fault {
        let body = String::from_utf8_lossy(&self.body);
        let mut fault = Fault::new(
            "vendor_unavailable",
            format!(
                "The vendor answered {} with something other than the JSON that was expected ({error}): {}. \
                 The parameters are not the reason; try again later.",
                self.status,
                quote(&body, 200),
            ),
        );
        fault.status = Some(self.status);
        fault
    }
}

/// Percent-encodes one path segment. `name` is the parameter it comes from.
///
/// # Errors
/// A value that no segment can carry: empty, `.` or `..`.
pub fn segment(name: &str, value: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(value.len());
    push_segment(name, value, &mut out)?;
    Ok(out)
}

pub(crate) fn push_segment(name: &str, value: &str, out: &mut String) -> Result<(), Fault> {
    if matches!(value, "" | "." | "..") {
        let mut fault = Fault::new(
            "invalid_input",
            format!("`{name}` is {value:?}; it has to name one thing."),
        );
        fault.problems.push((
            format!("/{}", name.replace('.', "/")),
            "is empty or a dot".to_owned(),
        ));
        return Err(fault);
    }
    percent_encode(value, out, false);
    Ok(())
}

/// Appends `value` with everything but unreserved characters (RFC 3986 section 2.3) encoded;
/// a space becomes `+` in forms.
pub(crate) fn percent_encode(value: &str, out: &mut String, form: bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in value.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b' ' if form => out.push('+'),
            _ => {
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
}
