//! Mail addresses: lists taken apart, names quoted or encoded, nothing let through that could end
//! a header.

use valetkey_guest::Fault;

use crate::words;

/// The addresses of a header's list, each as it was written.
pub fn split(list: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = String::new();
    let (mut quoted, mut escaped, mut angle) = (false, false, false);
    for letter in list.chars() {
        match letter {
            ',' if !quoted && !angle => {
                found.push(std::mem::take(&mut current));
                continue;
            }
            '"' if !escaped => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            _ => {}
        }
        escaped = quoted && letter == '\\' && !escaped;
        current.push(letter);
    }
    found.push(current);
    found
        .iter()
        .map(|address| address.trim().to_owned())
        .filter(|address| !address.is_empty())
        .collect()
}

/// The bare `local@domain` of an address, in lower case, to compare with others.
pub fn bare(address: &str) -> String {
    let bare = match address.rsplit_once('<') {
        Some((_, rest)) => rest.trim_end().trim_end_matches('>'),
        None => address,
    };
    bare.trim().to_ascii_lowercase()
}

/// An address as a header carries it: `local@domain` or `Name <local@domain>`, the name quoted or
/// encoded where it has to be.
///
/// # Errors
/// `invalid_input` at `pointer`: more than one address, none, or characters that would end the
/// header.
pub fn encode(address: &str, pointer: &str) -> Result<String, Fault> {
    if address.chars().any(char::is_control) {
        return Err(Fault::invalid(
            pointer,
            "holds a line break or another control character; give one address without it",
        ));
    }
    let address = address.trim();
    let (name, bare) = match address.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((name, bare)) => (name.trim(), bare.trim()),
        None => ("", address),
    };
    let is_address = bare.is_ascii()
        && bare.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && domain.split('.').all(|label| !label.is_empty())
        })
        && bare.matches('@').count() == 1
        && !bare.contains([' ', ',', ';', '<', '>', '(', ')', '"', ':', '\\']);
    if !is_address {
        return Err(Fault::invalid(
            pointer,
            format!(
                "is {address:?}, which is not one address such as ada@example.com or Ada <ada@example.com>"
            ),
        ));
    }
    let name = match name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => name.to_owned(),
    };
    if name.is_empty() {
        return Ok(bare.to_owned());
    }
    let is_atoms = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b" !#$%&'*+-/=?^_`{|}~".contains(&byte));
    let name = if !name.is_ascii() || name.contains("=?") {
        words::encode(&name)
    } else if is_atoms {
        name
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    };
    Ok(format!("{name} <{bare}>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_outside_quotes() {
        let list = r#""Lovelace, Ada" <ada@x.example>, bob@y.example , "a\"b, c" <c@z.example>,"#;
        let split = split(list);
        assert_eq!(
            split,
            [
                r#""Lovelace, Ada" <ada@x.example>"#,
                "bob@y.example",
                r#""a\"b, c" <c@z.example>"#
            ]
        );
        assert_eq!(bare(&split[0]), "ada@x.example");
    }

    #[test]
    fn names_are_quoted_or_encoded() {
        let encode = |address| encode(address, "/to/0").expect("an address");
        assert_eq!(encode(" ada@x.example "), "ada@x.example");
        assert_eq!(encode("Ada L <ada@x.example>"), "Ada L <ada@x.example>");
        assert_eq!(
            encode("Lovelace, Ada <ada@x.example>"),
            "\"Lovelace, Ada\" <ada@x.example>"
        );
        assert_eq!(
            encode(r#""A \"x\"" <ada@x.example>"#),
            r#""A \"x\"" <ada@x.example>"#
        );
        assert_eq!(encode("Zoë <z@x.example>"), "=?UTF-8?B?Wm/Dqw==?= <z@x.example>");
    }

    #[test]
    fn what_could_end_a_header_or_name_more_than_one_is_refused() {
        for bad in [
            "ada@x.example\r\nBcc: eve@evil.example",
            "Ada\n <ada@x.example>",
            "ada@x.example, eve@evil.example",
            "ada@x.example eve@evil.example",
            "<eve@evil.example> ada@x.example",
            "ada",
            "",
            "@x.example",
            "ada@",
            "ada@x..example",
            "ada@b@c",
            "zoë@x.example",
        ] {
            let fault = encode(bad, "/to/0").expect_err(bad);
            assert_eq!(
                (&*fault.code, &*fault.problems[0].0),
                ("invalid_input", "/to/0"),
                "{bad:?}"
            );
        }
    }
}
