//! Removing live secrets from what a vendor sends back. An endpoint that echoes its request would
//! otherwise hand the credential to the guest.
//!
//! Every common encoding of a secret is searched for in one pass and replaced by the same text,
//! so that the replacement does not tell which form was found. Secrets shorter than
//! [`MIN_SECRET_BYTES`] are not searched for: they would be found in innocent text, and each
//! accidental replacement would tell something about them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use aho_corasick::packed;
use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;

use super::gate;

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";
/// Shorter secrets are not searched for.
pub const MIN_SECRET_BYTES: usize = 8;

/// Finds every form of a set of secrets.
pub struct Redactor {
    search: Search,
    /// Bytes of the longest form.
    longest: usize,
    /// For header names, which arrive in lower case.
    lower: Vec<String>,
}

enum Search {
    Nothing,
    /// SIMD search for few patterns.
    Packed(packed::Searcher),
    /// Where the processor has no such instructions.
    Automaton(AhoCorasick),
}

impl fmt::Debug for Redactor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Redactor")
    }
}

impl Redactor {
    /// Prepares the forms of `secrets`.
    #[must_use]
    pub fn new(secrets: &[&str]) -> Self {
        let long = || {
            secrets
                .iter()
                .copied()
                .filter(|secret| secret.len() >= MIN_SECRET_BYTES)
        };
        let mut forms = BTreeSet::new();
        for secret in long() {
            add_forms(secret, &mut forms);
        }
        let lower = long().map(str::to_ascii_lowercase).collect();
        if forms.is_empty() {
            return Self {
                search: Search::Nothing,
                longest: 0,
                lower,
            };
        }
        let packed = packed::Config::new()
            .match_kind(packed::MatchKind::LeftmostLongest)
            .builder()
            .extend(&forms)
            .build();
        let search = match packed {
            Some(searcher) => Search::Packed(searcher),
            None => AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(&forms)
                .map_or(Search::Nothing, Search::Automaton),
        };
        let longest = forms.iter().map(Vec::len).max().unwrap_or(0);
        Self {
            search,
            longest,
            lower,
        }
    }

    /// `bytes` without the secrets; the same buffer when there are none in it.
    #[must_use]
    pub fn clean(&self, bytes: Bytes) -> Bytes {
        match self.replace(&bytes) {
            None => bytes,
            Some(clean) => Bytes::from(clean),
        }
    }

    /// A header's value or another text without the secrets.
    #[must_use]
    pub fn clean_text<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        match self.replace(text.as_bytes()) {
            None => text,
            Some(clean) => Cow::Owned(String::from_utf8_lossy(&clean).into_owned()),
        }
    }

    /// Whether a header's name (lower case) gives a secret away.
    #[must_use]
    pub fn in_name(&self, name: &str) -> bool {
        name.len() >= MIN_SECRET_BYTES && self.lower.iter().any(|secret| name.contains(secret.as_str()))
    }

    fn replace(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut found = self.find(bytes, 0)?;
        let mut out = Vec::with_capacity(bytes.len() + REDACTED.len());
        let mut rest = 0;
        loop {
            out.extend_from_slice(&bytes[rest..found.start]);
            out.extend_from_slice(REDACTED.as_bytes());
            rest = found.end;
            match self.find(bytes, rest) {
                Some(next) => found = next,
                None => break,
            }
        }
        out.extend_from_slice(&bytes[rest..]);
        Some(out)
    }

    fn find(&self, bytes: &[u8], from: usize) -> Option<std::ops::Range<usize>> {
        match &self.search {
            Search::Nothing => None,
            Search::Packed(searcher) => searcher
                .find_in(bytes, (from..bytes.len()).into())
                .map(|found| found.start()..found.end()),
            Search::Automaton(automaton) => automaton
                .find(aho_corasick::Input::new(bytes).range(from..))
                .map(|found| found.start()..found.end()),
        }
    }
}

/// A body that passes in pieces. So much of a piece is held back that a secret which goes on in the
/// next one is found whole.
pub struct Flow<'r> {
    redactor: &'r Redactor,
    held: Vec<u8>,
}

impl<'r> Flow<'r> {
    /// The beginning of a body.
    #[must_use]
    pub fn new(redactor: &'r Redactor) -> Self {
        Self {
            redactor,
            held: Vec::new(),
        }
    }

    /// The next piece; answers what is certain by now.
    pub fn push(&mut self, piece: Bytes) -> Bytes {
        if self.redactor.longest == 0 {
            return piece;
        }
        self.held.extend_from_slice(&piece);
        // A form that begins before this ends within what is there.
        let certain = (self.held.len() + 1).saturating_sub(self.redactor.longest);
        self.pass(certain)
    }

    /// The end of the body.
    pub fn rest(&mut self) -> Bytes {
        self.pass(self.held.len())
    }

    fn pass(&mut self, certain: usize) -> Bytes {
        let mut out = Vec::with_capacity(certain);
        let mut done = 0;
        while done < certain
            && let Some(found) = self.redactor.find(&self.held, done)
            && found.start < certain
        {
            out.extend_from_slice(&self.held[done..found.start]);
            out.extend_from_slice(REDACTED.as_bytes());
            done = found.end;
        }
        if done < certain {
            out.extend_from_slice(&self.held[done..certain]);
            done = certain;
        }
        self.held.drain(..done);
        out.into()
    }
}

/// All forms in which a secret may come back.
fn add_forms(secret: &str, forms: &mut BTreeSet<Vec<u8>>) {
    let mut add = |form: String| {
        if form.len() >= MIN_SECRET_BYTES {
            forms.insert(form.into_bytes());
        }
    };
    for form in [secret.to_owned()].into_iter().chain(base64_forms(secret)) {
        let mut percent = String::new();
        gate::encode_into(&mut percent, &form);
        add(lower_escapes(&percent));
        add(percent);
        add(json(&form, ""));
        add(json(&form, "/"));
        add(json(&form, "<>&='+"));
        add(html(&form));
        add(form);
    }
    for upper in [false, true] {
        let hex = |byte: u8| {
            if upper {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            }
        };
        add(secret.bytes().map(hex).collect());
        add(secret.bytes().map(|byte| format!("%{}", hex(byte))).collect());
        add(secret
            .encode_utf16()
            .map(u16::to_be_bytes)
            .map(|unit| format!("\\u{}{}", hex(unit[0]), hex(unit[1])))
            .collect());
    }
}

/// Base64 of the secret at each of the three positions it can have within a longer text, without
/// the characters that its neighbours decide.
fn base64_forms(secret: &str) -> Vec<String> {
    let mut forms = Vec::with_capacity(6);
    for before in 0..3_usize {
        let mut text = vec![0; before];
        text.extend_from_slice(secret.as_bytes());
        let first = [0, 2, 3][before];
        let whole = text.len() * 8 / 6;
        for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            forms.push(encoded[first..whole].to_owned());
        }
    }
    forms
}

fn lower_escapes(percent: &str) -> String {
    let mut out = String::with_capacity(percent.len());
    let mut escape = 0;
    for char in percent.chars() {
        out.push(if escape > 0 {
            char.to_ascii_lowercase()
        } else {
            char
        });
        escape = if char == '%' {
            2_usize
        } else {
            escape.saturating_sub(1)
        };
    }
    out
}

/// JSON string contents; `more` names characters that some writers escape besides.
fn json(text: &str, more: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' if more.contains('/') => out.push_str("\\/"),
            _ if char.is_control() || (more.contains(char) && char.is_ascii()) => {
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            _ => out.push(char),
        }
    }
    out
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    const TOKEN: &str = "ya29.a0/Af+H6SM=_\"x'<&>y-Z~09";

    fn clean(redactor: &Redactor, text: &str) -> String {
        String::from_utf8(redactor.clean(Bytes::from(text.to_owned())).to_vec()).unwrap()
    }

    #[test]
    fn every_common_form_is_replaced_by_the_same_text() {
        let redactor = Redactor::new(&[TOKEN]);
        let mut percent = String::new();
        gate::encode_into(&mut percent, TOKEN);
        let forms = [
            TOKEN.to_owned(),
            percent.clone(),
            lower_escapes(&percent),
            TOKEN.bytes().map(|byte| format!("%{byte:02x}")).collect(),
            TOKEN.bytes().map(|byte| format!("{byte:02X}")).collect(),
            TOKEN.bytes().map(|byte| format!("\\u00{byte:02x}")).collect(),
            serde_json::to_string(TOKEN).unwrap().trim_matches('"').to_owned(),
            TOKEN.replace('"', "\\\"").replace('/', "\\/"),
            html(TOKEN),
        ];
        for form in forms {
            assert_eq!(
                clean(&redactor, &format!("a {form} b")),
                "a [redacted] b",
                "{form}"
            );
        }
    }

    #[test]
    fn base64_is_found_at_every_position_and_in_both_alphabets() {
        let redactor = Redactor::new(&[TOKEN]);
        for before in ["", "B", "Be", "Bearer ", "user:", "x:y:"] {
            for after in ["", "!", "!!", "\",\"x\":1}"] {
                let text = format!("{before}{TOKEN}{after}");
                for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                    let out = clean(&redactor, &encoded);
                    assert!(out.contains(REDACTED), "{before:?} {after:?}: {out}");
                    let kept = out.replace(REDACTED, "");
                    assert!(kept.len() + TOKEN.len() <= encoded.len() + 2, "{kept}");
                }
            }
        }
    }

    #[test]
    fn innocent_text_is_handed_on_without_a_copy() {
        let redactor = Redactor::new(&[TOKEN]);
        let body = Bytes::from_static(b"{\"results\":[{\"id\":\"1\",\"token\":\"ya29.other\"}]}");
        assert_eq!(redactor.clean(body.clone()).as_ptr(), body.as_ptr());
    }

    #[test]
    fn short_secrets_are_not_searched_for() {
        let redactor = Redactor::new(&["abc", ""]);
        assert_eq!(clean(&redactor, "abc abc"), "abc abc");
    }

    #[test]
    fn neighbouring_secrets_are_all_replaced() {
        let redactor = Redactor::new(&["secret-one-1", "secret-two-2"]);
        assert_eq!(
            clean(&redactor, "secret-one-1secret-two-2secret-one-1."),
            "[redacted][redacted][redacted]."
        );
        assert!(redactor.in_name("x-secret-one-1"));
    }

    #[test]
    fn the_automaton_finds_what_the_simd_search_finds() {
        let mut forms = BTreeSet::new();
        add_forms(TOKEN, &mut forms);
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&forms)
            .unwrap();
        let slow = Redactor {
            search: Search::Automaton(automaton),
            lower: Vec::new(),
        };
        let fast = Redactor::new(&[TOKEN]);
        for form in &forms {
            let text = format!("x{}y{TOKEN}", String::from_utf8_lossy(form));
            assert_eq!(clean(&slow, &text), clean(&fast, &text));
        }
    }
}
