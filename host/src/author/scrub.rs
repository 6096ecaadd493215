//! Taking what is personal or secret out of a recording before it becomes a file: credentials
//! that the host did not know, by their shape or the name they go by; e-mail addresses; and the
//! words that the author names.
//!
//! Called by `record`. Whatever it replaces it replaces everywhere by the same words, so that a
//! case still hangs together: the address in the request is the one in the answer.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::Serialize;
use serde_json::Value;

use super::case::{self, Case, Expected};
use super::compare;

/// What stands where a credential was.
const SCRUBBED: &str = "scrubbed";
/// Shorter texts are not looked into for base64: too much is base64 by chance.
const SHORTEST_BASE64: usize = 24;

/// Headers of an answer that a connector may go by; the others are not written down.
const KEPT_OF_AN_ANSWER: [&str; 8] = [
    "content-type",
    "content-disposition",
    "content-range",
    "link",
    "location",
    "etag",
    "last-modified",
    "retry-after",
];
/// Headers of a request that say nothing of what is asked for.
const LEFT_OUT_OF_A_REQUEST: [&str; 3] = ["user-agent", "accept-language", "content-length"];

/// Names of members, parameters and headers whose values are secrets.
const SECRET_NAMES: [&str; 22] = [
    "access_token",
    "accesstoken",
    "refresh_token",
    "refreshtoken",
    "id_token",
    "token",
    "auth_token",
    "session_token",
    "client_secret",
    "secret",
    "password",
    "passwd",
    "api_key",
    "apikey",
    "x-api-key",
    "authorization",
    "cookie",
    "set-cookie",
    "private_key",
    "signature",
    "code_verifier",
    "x-amz-signature",
];
/// Parameters that are secrets in a query or form, where they are not an error's code.
const SECRET_PARAMETERS: [&str; 4] = ["code", "sig", "key", "x-goog-signature"];

/// How well-known credentials begin, and how long they are at least.
const SHAPES: [(&str, usize); 20] = [
    ("ya29.", 20),
    ("1//0", 20),
    ("GOCSPX-", 20),
    ("AIza", 35),
    ("eyJ", 40),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghu_", 30),
    ("ghs_", 30),
    ("ghr_", 30),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("xapp-", 20),
    ("sk_live_", 20),
    ("sk_test_", 20),
    ("pat-", 30),
    ("AKIA", 20),
];

/// What was scrubbed, counted by its sort.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Scrubbed(pub BTreeMap<&'static str, usize>);

/// Scrubs one recording.
pub struct Scrubber {
    /// Words of the author's, and what stands for them.
    words: Vec<(String, String)>,
    /// Addresses seen, and what stands for them.
    addresses: Vec<(String, String)>,
    scrubbed: Scrubbed,
}

impl Scrubber {
    /// `words` are texts to replace everywhere, each `TEXT` or `TEXT=WHAT STANDS FOR IT`.
    #[must_use]
    pub fn new(words: &[String]) -> Self {
        let mut words: Vec<(String, String)> = words
            .iter()
            .enumerate()
            .map(|(index, word)| match word.split_once('=') {
                Some((word, stands_for_it)) => (word.to_owned(), stands_for_it.to_owned()),
                None => (word.clone(), format!("Name{}", index + 1)),
            })
            .filter(|(word, _)| !word.is_empty())
            .collect();
        // A longer word first, so that a name within another does not spoil it.
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        Self {
            words,
            addresses: Vec::new(),
            scrubbed: Scrubbed::default(),
        }
    }

    /// Scrubs a case; answers what was taken out.
    #[must_use]
    pub fn case(mut self, case: &mut Case) -> Scrubbed {
        for value in case.params.values_mut() {
            self.value(value);
        }
        match &mut case.expected {
            Expected::Answer(answer) => self.value(answer),
            Expected::Fault(fault) => {
                for value in fault.values_mut() {
                    self.value(value);
                }
            }
        }
        for exchange in &mut case.exchanges {
            let request = &mut exchange.request;
            request.url = self.text(&request.url);
            self.pairs(&mut request.query, true);
            request
                .headers
                .retain(|(name, _)| !LEFT_OUT_OF_A_REQUEST.contains(&name.as_str()));
            self.pairs(&mut request.headers, false);
            let kind = request.header("content-type").unwrap_or_default().to_owned();
            request.body = self.body(&kind, &request.body);
            let response = &mut exchange.response;
            let before = response.headers.len();
            response
                .headers
                .retain(|(name, _)| name != "set-cookie" && name != "cookie");
            self.count("cookies", before - response.headers.len());
            response
                .headers
                .retain(|(name, _)| KEPT_OF_AN_ANSWER.contains(&name.as_str()) || name.contains("ratelimit"));
            self.pairs(&mut response.headers, false);
            let kind = response.header("content-type").unwrap_or_default().to_owned();
            response.body = self.body(&kind, &response.body);
        }
        self.scrubbed
    }

    fn count(&mut self, sort: &'static str, count: usize) {
        if count > 0 {
            *self.scrubbed.0.entry(sort).or_default() += count;
        }
    }

    fn body(&mut self, kind: &str, body: &[u8]) -> Vec<u8> {
        if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
            self.value(&mut value);
            return value.to_string().into_bytes();
        }
        let Ok(text) = std::str::from_utf8(body) else {
            return body.to_vec();
        };
        if kind.starts_with("application/x-www-form-urlencoded") {
            let mut pairs = case::pairs(text);
            self.pairs(&mut pairs, true);
            let mut form = form_urlencoded::Serializer::new(String::new());
            return form.extend_pairs(&pairs).finish().into_bytes();
        }
        self.text(text).into_bytes()
    }

    fn pairs(&mut self, pairs: &mut [(String, String)], parameters: bool) {
        for (name, value) in pairs {
            let lower = name.to_ascii_lowercase();
            let secret = SECRET_NAMES.contains(&lower.as_str())
                || (parameters && SECRET_PARAMETERS.contains(&lower.as_str()));
            if secret {
                SCRUBBED.clone_into(value);
                self.count("secrets by their name", 1);
            } else {
                *value = self.text(value);
            }
        }
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => {
                for (name, member) in members {
                    let secret = SECRET_NAMES.contains(&name.to_ascii_lowercase().as_str());
                    match member {
                        Value::String(text) if secret && !text.is_empty() => {
                            SCRUBBED.clone_into(text);
                            self.count("secrets by their name", 1);
                        }
                        member => self.value(member),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text without what is personal; what it hides in base64 is scrubbed too.
    fn text(&mut self, text: &str) -> String {
        if text.len() >= SHORTEST_BASE64
            && let Some(hidden) = compare::decoded(text)
            && hidden
                .chars()
                .all(|letter| !letter.is_control() || letter.is_whitespace())
        {
            let clean = self.plain(&hidden);
            if clean == hidden {
                return text.to_owned();
            }
            let is_url_safe = !text.contains(['+', '/']);
            return if is_url_safe {
                URL_SAFE.encode(clean)
            } else {
                STANDARD.encode(clean)
            };
        }
        self.plain(text)
    }

    fn plain(&mut self, text: &str) -> String {
        let text = self.without_keys(text);
        let text = self.without_parameters(&text);
        let text = self.without_shapes(&text);
        let mut text = self.without_addresses(&text);
        for (word, stands_for_it) in &self.words {
            let count = text.matches(word.as_str()).count();
            if count > 0 {
                text = text.replace(word.as_str(), stands_for_it);
                *self.scrubbed.0.entry("words of yours").or_default() += count;
            }
        }
        text
    }

    /// Private keys in PEM.
    fn without_keys(&mut self, text: &str) -> String {
        let (begin, end) = ("-----BEGIN ", "PRIVATE KEY-----");
        let mut out = text.to_owned();
        while let Some(from) = out.find(begin) {
            let Some(length) = out[from..].rfind(end).filter(|length| *length > 0) else {
                break;
            };
            out.replace_range(from..from + length + end.len(), SCRUBBED);
            self.count("private keys", 1);
        }
        out
    }

    /// Secrets in the query of a URL that stands in a text.
    fn without_parameters(&mut self, text: &str) -> String {
        if !text.contains("://") {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        for part in text.split_inclusive(['?', '&', '#', ' ', '"', '>']) {
            let value = part.split_once('=').filter(|(name, _)| {
                let name = name.to_ascii_lowercase();
                SECRET_NAMES.contains(&name.as_str()) || SECRET_PARAMETERS.contains(&name.as_str())
            });
            match value {
                Some((name, value)) => {
                    let end = value.find(['?', '&', '#', ' ', '"', '>']).unwrap_or(value.len());
                    out.push_str(&format!("{name}={SCRUBBED}{}", &value[end..]));
                    self.count("secrets by their name", 1);
                }
                None => out.push_str(part),
            }
        }
        out
    }

    /// Credentials by their shape.
    fn without_shapes(&mut self, text: &str) -> String {
        let is_inside = |letter: char| letter.is_ascii_alphanumeric() || "-_./+=~".contains(letter);
        self.each_word(text, is_inside, |word| {
            let bare = word.trim_end_matches(['.', '=']);
            SHAPES
                .iter()
                .any(|(begin, least)| bare.starts_with(begin) && bare.len() >= *least)
                .then(|| ("credentials by their shape", SCRUBBED.to_owned()))
        })
    }

    /// E-mail addresses, each by one of its own.
    fn without_addresses(&mut self, text: &str) -> String {
        if !text.contains('@') && !text.contains("%40") {
            return text.to_owned();
        }
        let mut known = std::mem::take(&mut self.addresses);
        let is_inside = |letter: char| letter.is_alphanumeric() || "._%+-@".contains(letter);
        let clean = self.each_word(text, is_inside, |word| {
            let address = word
                .replace("%40", "@")
                .trim_end_matches(['.', '-'])
                .to_ascii_lowercase();
            let (name, host) = address.split_once('@')?;
            let is_host = host.contains('.') && !host.contains('@') && !host.ends_with('.');
            // Names of this sort belong to nobody (RFC 2606).
            let is_nobodys = host.ends_with(".example") || host.starts_with("example.");
            if name.is_empty() || !is_host || is_nobodys {
                return None;
            }
            let number = known.len() + 1;
            let stands_for_it = match known.iter().find(|(seen, _)| *seen == address) {
                Some((_, stands_for_it)) => stands_for_it.clone(),
                None => {
                    let new = format!("person{number}@acme.example");
                    known.push((address.clone(), new.clone()));
                    new
                }
            };
            let stands_for_it = if word.contains('@') {
                stands_for_it
            } else {
                stands_for_it.replace('@', "%40")
            };
            let tail = word.len() - word.trim_end_matches(['.', '-']).len();
            Some((
                "e-mail addresses",
                format!("{stands_for_it}{}", &word[word.len() - tail..]),
            ))
        });
        self.addresses = known;
        clean
    }

    /// Replaces words, which are what `is_inside` holds together, where `replace` says so.
    fn each_word(
        &mut self,
        text: &str,
        is_inside: impl Fn(char) -> bool,
        mut replace: impl FnMut(&str) -> Option<(&'static str, String)>,
    ) -> String {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(begin) = rest.find(&is_inside) {
            let (before, from) = rest.split_at(begin);
            out.push_str(before);
            let end = from.find(|letter| !is_inside(letter)).unwrap_or(from.len());
            let (word, after) = from.split_at(end);
            match replace(word) {
                Some((sort, stands_for_it)) => {
                    self.count(sort, 1);
                    out.push_str(&stands_for_it);
                }
                None => out.push_str(word),
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(text: &str, words: &[&str]) -> (String, Scrubbed) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let mut scrubber = Scrubber::new(&words);
        let text = scrubber.text(text);
        (text, scrubber.scrubbed)
    }

    #[test]
    fn an_address_is_the_same_person_everywhere() {
        let (text, told) = scrubbed(
            "From: Ada <ada@corp.com>, Bob@corp.co.uk. to ada%40corp.com, not a@b nor x@acme.example",
            &[],
        );
        assert_eq!(
            text,
            "From: Ada <person1@acme.example>, person2@acme.example. to person1%40acme.example, not a@b nor x@acme.example"
        );
        assert_eq!(told.0["e-mail addresses"], 3);
    }

    #[test]
    fn credentials_go_by_their_shape_and_by_the_name_of_their_parameter() {
        let jwt = format!("eyJ{}.{}.{}", "a".repeat(20), "b".repeat(20), "c".repeat(20));
        let url = "https://v.example/cb?state=1&code=4/0AbCdEf&x=2";
        let (text, _) = scrubbed(&format!("Bearer {jwt}, ghp_{} at {url}", "x".repeat(36)), &[]);
        assert_eq!(
            text,
            "Bearer scrubbed, scrubbed at https://v.example/cb?state=1&code=scrubbed&x=2"
        );
        let key = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----";
        assert_eq!(scrubbed(&format!("a {key} b"), &[]).0, "a scrubbed b");
    }

    #[test]
    fn the_authors_words_go_everywhere_also_in_base64() {
        let hidden = URL_SAFE.encode("Dear Ada Lovelace of Analytical Engines,\nhello");
        let (text, told) = scrubbed(&hidden, &["Ada Lovelace=Person One", "Ada", "Analytical Engines"]);
        let shown = compare::decoded(&text).expect("base64");
        assert_eq!(shown, "Dear Person One of Name3,\nhello");
        assert_eq!(told.0["words of yours"], 2);
    }

    #[test]
    fn members_that_are_named_like_secrets_are_emptied_and_codes_of_errors_stay() {
        let mut scrubber = Scrubber::new(&[]);
        let mut value = serde_json::json!({"a": {"access_token": "abc"}, "code": "NOT_FOUND", "token": null});
        scrubber.value(&mut value);
        assert_eq!(
            value,
            serde_json::json!({"a": {"access_token": "scrubbed"}, "code": "NOT_FOUND", "token": null})
        );
    }

    #[test]
    fn innocent_text_stays_as_it_is() {
        for text in [
            "pat-eu1",
            "a plain sentence.",
            "eyJ",
            "2026-05-20T16:40:12.000Z",
            "AKIA",
        ] {
            let (out, told) = scrubbed(text, &[]);
            assert_eq!((out.as_str(), told.0.len()), (text, 0));
        }
    }
}
