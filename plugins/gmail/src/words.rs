//! Encoded words in headers (RFC 2047), and the character sets of mails.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Longest text inside one encoded word, in bytes: 75 in all, less `=?UTF-8?B?` and `?=`, as
/// base64 (RFC 2047 section 2).
const WORD_BYTES: usize = 45;

/// A header's text as ASCII. What is not plain becomes encoded words, folded.
pub fn encode(text: &str) -> String {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && !text.contains("=?") {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(WORD_BYTES));
        if !out.is_empty() {
            out.push_str("\r\n ");
        }
        out.push_str("=?UTF-8?B?");
        STANDARD.encode_string(word, &mut out);
        out.push_str("?=");
        rest = after;
    }
    out
}

/// A header's text with its encoded words read. What cannot be read stays as it is.
pub fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, from) = rest.split_at(start);
        match word(from) {
            Some((decoded, length)) => {
                // White space between two encoded words is not part of the text (section 6.2).
                if !(after_word && before.chars().all(char::is_whitespace)) {
                    out.push_str(before);
                }
                out.push_str(&decoded);
                rest = &from[length..];
                after_word = true;
            }
            None => {
                out.push_str(before);
                out.push_str("=?");
                rest = &from[2..];
                after_word = false;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The encoded word at the beginning of `text`, and its length.
fn word(text: &str) -> Option<(String, usize)> {
    let inner = text.strip_prefix("=?")?;
    let (charset, rest) = inner.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (content, _) = rest.split_once("?=")?;
    let bytes = match encoding {
        "B" | "b" => decode_base64(content)?,
        "Q" | "q" => quoted(content)?,
        _ => return None,
    };
    let length = 2 + charset.len() + 1 + encoding.len() + 1 + content.len() + 2;
    // A language may follow the character set (RFC 2231 section 5).
    let charset = charset.split('*').next().unwrap_or(charset);
    Some((decode_charset(&bytes, charset), length))
}

fn quoted(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    Some(out)
}

/// Base64 in either alphabet, padded or not, broken over lines or not.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let plain: String = text
        .chars()
        .filter(|letter| !letter.is_ascii_whitespace() && *letter != '=')
        .map(|letter| match letter {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(plain)
        .ok()
}

/// Bytes of a named character set as text. UTF-8, ASCII, ISO 8859-1 and Windows-1252 are known;
/// anything else is read as UTF-8 with replacement characters.
pub fn decode_charset(bytes: &[u8], charset: &str) -> String {
    let charset = charset.trim_matches(['"', ' ']).to_ascii_lowercase();
    match charset.as_str() {
        "iso-8859-1" | "latin1" | "iso8859-1" | "windows-1252" | "cp1252" => {
            bytes.iter().map(|byte| windows_1252(*byte)).collect()
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Windows-1252, as which mail programs read ISO 8859-1 too (WHATWG Encoding, `windows-1252`).
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_and_words_stay_short() {
        for text in [
            "plain",
            "Größe",
            "日本語の件名はとても長いので二つ以上の語に分けられる必要があります",
            "=?not a word",
            "a",
        ] {
            let encoded = encode(text);
            assert!(encoded.is_ascii(), "{encoded}");
            assert!(encoded.split("\r\n ").all(|line| line.len() <= 75), "{encoded}");
            assert_eq!(decode(&encoded.replace("\r\n", "")), text);
        }
    }

    #[test]
    fn words_of_other_mail_programs_are_read() {
        assert_eq!(
            decode("=?ISO-8859-1?Q?Andr=E9?= Pirard <a@b>"),
            "André Pirard <a@b>"
        );
        assert_eq!(decode("=?utf-8?b?4oKs?= =?utf-8?Q?_5?="), "€ 5");
        assert_eq!(decode("=?windows-1252?Q?=80=935?="), "€“5");
        assert_eq!(decode("=?UTF-8*en?Q?a?="), "a");
        assert_eq!(decode("a =?x?Z?b?= c"), "a =?x?Z?b?= c");
        assert_eq!(decode("a =?UTF-8?Q?=G1?="), "a =?UTF-8?Q?=G1?=");
    }
}
