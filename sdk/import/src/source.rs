//! From a file's bytes to a document: gzip undone, text checked, JSON or YAML read. What a document may
//! cost is limited here, so that everything after can walk it freely.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::{Error, yaml};

/// The most bytes of a specification, unpacked. The largest that vendors publish have 30 MB.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The text of a specification: unpacked when it is gzip, and UTF-8.
///
/// # Errors
/// Too long, not gzip after all, or not UTF-8, with the place.
pub fn text(bytes: &[u8]) -> Result<String, Error> {
    let mut unpacked = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        MultiGzDecoder::new(bytes)
            .take(MAX_BYTES as u64 + 1)
            .read_to_end(&mut unpacked)
            .map_err(|error| Error::Unreadable(format!("the gzip data is damaged: {error}")))?;
    } else {
        unpacked.extend_from_slice(&bytes[..bytes.len().min(MAX_BYTES + 1)]);
    }
    if unpacked.len() > MAX_BYTES {
        return Err(Error::TooLarge);
    }
    let text = String::from_utf8(unpacked).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        Error::Unreadable(format!(
            "line {line} (byte {at}) is not UTF-8; save the file as UTF-8"
        ))
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// A JSON or YAML document.
///
/// # Errors
/// Neither, with line and column.
pub fn document(text: &str) -> Result<Value, Error> {
    let first = text.trim_start().bytes().next();
    if matches!(first, Some(b'{' | b'[')) {
        // YAML is a superset of JSON: what looks like JSON and is not may still be YAML in flow style.
        return match serde_json::from_str(text) {
            Ok(value) => Ok(value),
            Err(json) => yaml::read(text).map_err(|_| Error::Unreadable(format!("it is not JSON: {json}"))),
        };
    }
    yaml::read(text).map_err(Error::Unreadable)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    }

    #[test]
    fn a_small_file_that_unpacks_to_a_huge_one_is_refused() {
        let bomb = packed(&vec![b' '; MAX_BYTES + 1]);
        assert!(bomb.len() < MAX_BYTES / 100);
        assert!(matches!(text(&bomb), Err(Error::TooLarge)));
        assert_eq!(text(&packed(b"{}")).expect("text"), "{}");
    }

    #[test]
    fn what_is_not_text_is_named_with_its_line() {
        let error = text(b"openapi: 3.0.0\ninfo: \xff")
            .expect_err("not UTF-8")
            .to_string();
        assert!(error.contains("line 2 (byte 21)"), "{error}");
        let mut cut = packed(&[b'x'; 10_000]);
        cut.truncate(cut.len() / 2);
        assert!(text(&cut).expect_err("cut off").to_string().contains("damaged"));
    }

    #[test]
    fn json_and_yaml_are_told_apart_and_errors_have_a_line() {
        assert_eq!(
            document("\n {\"a\": 1}").expect("JSON"),
            serde_json::json!({"a": 1})
        );
        assert_eq!(document("a: 1").expect("YAML"), serde_json::json!({"a": 1}));
        assert_eq!(
            document("{a: 1}").expect("flow style"),
            serde_json::json!({"a": 1})
        );
        let error = document("{\"a\": 1,\n\"b\": ]").expect_err("neither").to_string();
        assert!(error.contains("line 2"), "{error}");
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(document(&deep).is_err());
    }
}
