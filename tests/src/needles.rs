//! Looking for secrets in whatever form they could have been left in: as they are, in base64 at
//! any offset, percent-encoded, in hex, in UTF-16.

use std::collections::HashMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// What is looked for.
#[derive(Default)]
pub struct Needles {
    /// By their first four bytes: the form, and the secret's name.
    by_start: HashMap<[u8; 4], Vec<(Vec<u8>, String)>>,
}

impl Needles {
    /// Looks for one more secret, under a name that may be shown.
    ///
    /// # Panics
    /// It is too short to be told from chance.
    pub fn add(&mut self, name: &str, secret: &[u8]) {
        assert!(secret.len() >= 7, "`{name}` is too short to look for");
        for (form, bytes) in forms(secret) {
            let start = bytes[..4].try_into().expect("four bytes");
            let known = self.by_start.entry(start).or_default();
            known.push((bytes, format!("{name}, {form}")));
        }
    }

    /// The secrets in `haystack`, by name and form.
    #[must_use]
    pub fn found_in(&self, haystack: &[u8]) -> Vec<&str> {
        let mut found = Vec::new();
        for (at, start) in haystack.windows(4).enumerate() {
            let Some(known) = self.by_start.get(start) else {
                continue;
            };
            let here = known
                .iter()
                .filter(|(bytes, _)| haystack[at..].starts_with(bytes));
            found.extend(here.map(|(_, name)| name.as_str()));
        }
        found
    }

    /// Searches every file below `folder`; answers how many bytes that were.
    ///
    /// # Panics
    /// There is a secret in one, or a file cannot be read.
    #[must_use]
    pub fn assert_none_below(&self, folder: &Path) -> usize {
        let mut searched = 0;
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                searched += self.assert_none_below(&path);
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let mut bytes = std::fs::read(&path).expect("a file");
            bytes.extend_from_slice(name.as_bytes());
            let found = self.found_in(&bytes);
            assert!(found.is_empty(), "{}: {found:?}", path.display());
            searched += bytes.len();
        }
        searched
    }
}

fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let each = |show: fn(u8) -> String| {
        secret
            .iter()
            .map(|byte| show(*byte))
            .collect::<String>()
            .into_bytes()
    };
    let wide = |bytes: fn(u8) -> [u8; 2]| secret.iter().flat_map(|byte| bytes(*byte)).collect::<Vec<u8>>();
    let mut forms = vec![
        ("raw", secret.to_vec()),
        ("backwards", secret.iter().rev().copied().collect()),
        ("hex", each(|byte| format!("{byte:02x}"))),
        ("HEX", each(|byte| format!("{byte:02X}"))),
        ("percent", each(|byte| format!("%{byte:02x}"))),
        ("PERCENT", each(|byte| format!("%{byte:02X}"))),
        ("UTF-16LE", wide(|byte| [byte, 0])),
        ("UTF-16BE", wide(|byte| [0, byte])),
    ];
    for offset in 0..3 {
        // What stands before shifts it; the first and last digit hold bits of the neighbours.
        let shifted = [&[0; 2][..offset], secret].concat();
        for encoded in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            let encoded = encoded.into_bytes();
            let (from, to) = ((offset * 8).div_ceil(6), shifted.len() * 8 / 6);
            forms.push(("base64", encoded[from..to].to_vec()));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_found_wherever_it_stands() {
        let mut needles = Needles::default();
        needles.add("it", b"s3cret/token+1");
        let text = "s3cret/token+1";
        for hidden in [
            format!("..{text}.."),
            format!("..{}..", STANDARD_NO_PAD.encode(text)),
            format!(
                "..{}..",
                STANDARD_NO_PAD.encode(format!("Bearer {text}, and more"))
            ),
            format!("..{}..", URL_SAFE_NO_PAD.encode(format!("x{text}"))),
            format!("..{}..", URL_SAFE_NO_PAD.encode(format!("xy{text}z"))),
            text.bytes().map(|byte| format!("%{byte:02X}")).collect(),
            text.bytes().map(|byte| format!("{byte:02x}")).collect(),
            text.chars().rev().collect(),
        ] {
            assert!(!needles.found_in(hidden.as_bytes()).is_empty(), "{hidden}");
        }
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(needles.found_in(&wide), ["it, UTF-16LE"]);
        assert!(needles.found_in(b"s3cret/token+2 and nothing else").is_empty());
    }
}
