//! HTML mails as plain text: good enough to read, not a browser.

/// The text of an HTML document: tags gone, blocks on lines of their own, entities read.
pub fn to_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        push_text(&rest[..at], &mut out);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let Some((tag, after)) = rest[1..].split_once('>') else {
            return tidy(&out);
        };
        rest = after;
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        match name.as_str() {
            "script" | "style" | "head" | "title" if !tag.starts_with('/') && !tag.ends_with('/') => {
                rest = after_end(rest, &name);
            }
            "br" | "p" | "div" | "tr" | "li" | "ul" | "ol" | "table" | "blockquote" | "h1" | "h2" | "h3"
            | "h4" | "h5" | "h6" | "hr" | "pre" => out.push('\n'),
            "td" | "th" => out.push(' '),
            _ => {}
        }
    }
    push_text(rest, &mut out);
    tidy(&out)
}

/// What follows the end tag of `name`; nothing when there is none.
fn after_end<'h>(html: &'h str, name: &str) -> &'h str {
    let mut from = 0;
    while let Some(at) = html[from..].find("</").map(|at| at + from + 2) {
        let is_end = html
            .get(at..at + name.len())
            .is_some_and(|end| end.eq_ignore_ascii_case(name));
        if is_end {
            return html[at..].split_once('>').map_or("", |(_, after)| after);
        }
        from = at;
    }
    ""
}

fn push_text(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        push_words(&rest[..at], out);
        rest = &rest[at..];
        let entity = rest[1..]
            .find(';')
            .filter(|length| *length <= 8)
            .map(|length| &rest[1..=length]);
        match entity.and_then(|entity| Some((read_entity(entity)?, entity.len() + 2))) {
            Some((letter, length)) => {
                out.push(letter);
                rest = &rest[length..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    push_words(rest, out);
}

/// Text with every run of white space as one space, as HTML means it.
fn push_words(text: &str, out: &mut String) {
    for letter in text.chars() {
        if !letter.is_whitespace() {
            out.push(letter);
        } else if !out.ends_with([' ', '\n']) {
            out.push(' ');
        }
    }
}

fn read_entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|letter| !letter.is_control());
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "euro" => '€',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "copy" => '©',
        "zwnj" | "shy" => '\u{200b}',
        _ => return None,
    })
}

/// Lines trimmed, at most one empty line in a row.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines() {
        let line = line.trim_matches(|letter: char| letter.is_whitespace() || letter == '\u{200b}');
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if empty > 0 { "\n\n" } else { "\n" });
        }
        empty = 0;
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_remains_and_markup_goes() {
        let html = "<html><head><title>t</title><style>p{}</style></head><body><p>Hello&nbsp;<b>Ada</b>,</p>\n\
                    <p>a &lt; b &amp;&#x20AC;&#233;<br>next<!-- no <b> --></p><SCRIPT>x<y</Script>end &unknown; & co</body>";
        assert_eq!(to_text(html), "Hello Ada,\n\na < b &€é\nnext\nend &unknown; & co");
    }

    #[test]
    fn broken_markup_ends_without_harm() {
        for html in [
            "<",
            "<p",
            "a<!--",
            "<script>x",
            "&",
            "&#;",
            "&#x110000;",
            "</",
            "<style></sty",
        ] {
            let _ = to_text(html);
        }
        assert_eq!(to_text("2 < 3"), "2");
        assert_eq!(to_text("no markup"), "no markup");
    }
}
