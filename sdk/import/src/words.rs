//! Vendors' sentences made fit for a model: plain, visible, short. And words out of names.

/// Text without markup, on one line, cut at the end of a sentence within `limit` characters.
pub(crate) fn plain(text: &str, limit: usize) -> String {
    // A page is not looked through to its end for the sake of its first sentences.
    let text: String = text.chars().take(limit * 8).collect();
    let text: Vec<&str> = text.lines().map(without_line_marks).collect();
    let text = without_links(&without_tags(&text.join("\n")));
    let text: String = text
        .chars()
        .map(|letter| if letter.is_whitespace() { ' ' } else { letter })
        .filter(|letter| !is_hidden(*letter) && !matches!(letter, '`' | '*'))
        .collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = entities(&text);
    cut(&text, limit)
}

/// A line without what Markdown begins headings, quotations and their kinds (`[!NOTE]`) with.
fn without_line_marks(line: &str) -> &str {
    let line = line.trim_start().trim_start_matches(['#', '>']).trim_start();
    match line.strip_prefix("[!").and_then(|rest| rest.split_once(']')) {
        Some((kind, rest)) if kind.bytes().all(|byte| byte.is_ascii_uppercase()) => rest.trim_start(),
        _ => line,
    }
}

/// An API's title as people call the vendor: `Slack Web API v2` is Slack. None where nothing is left.
pub(crate) fn title(text: &str) -> Option<String> {
    let text = plain(text, 60);
    let says_nothing = |word: &str| {
        let word = word.to_ascii_lowercase();
        let known = [
            "api",
            "apis",
            "rest",
            "web",
            "openapi",
            "spec",
            "specification",
            "http",
            "public",
            "v",
        ];
        known.contains(&word.as_str()) || word.trim_start_matches('v').parse::<f32>().is_ok()
    };
    let mut words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    while words.len() > 1 && words.last().is_some_and(|last| says_nothing(last)) {
        words.pop();
    }
    (!words.is_empty()).then(|| words.join(" "))
}

/// Text as it is, but without what nobody sees.
pub(crate) fn visible(text: &str) -> String {
    text.chars().filter(|letter| !is_hidden(*letter)).collect()
}

/// At most `limit` characters: whole sentences where there are any, else whole words.
fn cut(text: &str, limit: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(limit) else {
        return text.to_owned();
    };
    let head = &text[..end];
    let sentence = head.rfind(". ").filter(|at| *at * 3 > end);
    match sentence.or_else(|| head.rfind(' ')) {
        Some(at) if sentence.is_some() => head[..=at].to_owned(),
        Some(at) => {
            let words = head[..at].trim_end_matches([',', ';', ':', '-', ' ']);
            // The sign that something is missing takes a place too.
            let shortened: String = words.chars().take(limit - 1).collect();
            format!("{shortened}…")
        }
        None => head.chars().take(limit).collect(),
    }
}

/// The text with a full stop at its end.
pub(crate) fn ended(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() || text.ends_with(['.', '!', '?', '…', ':']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// Takes HTML tags out; a lone `<` stays.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let (before, from) = rest.split_at(open);
        out.push_str(before);
        let begins =
            from[1..].starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '/' | '!'));
        match from.find('>').filter(|_| begins) {
            Some(close) => {
                out.push(' ');
                rest = &from[close + 1..];
            }
            None => {
                out.push('<');
                rest = &from[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Keeps the words of Markdown links and pictures and drops where they lead.
fn without_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(middle) = rest.find("](") {
        let (before, after) = rest.split_at(middle);
        let Some(open) = before.rfind('[') else {
            out.push_str(before);
            out.push_str("](");
            rest = &after[2..];
            continue;
        };
        out.push_str(before[..open].trim_end_matches('!'));
        out.push_str(&before[open + 1..]);
        rest = match after.find(')') {
            Some(close) => &after[close + 1..],
            None => "",
        };
    }
    out.push_str(rest);
    out
}

fn entities(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let known = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    known
        .iter()
        .fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

/// Characters that nobody sees or that turn the text around them; the host refuses them in manifests.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// The words of a name, in lower case: `listPullRequests`, `list-pull_requests` and `List pull requests` are
/// the same three.
pub(crate) fn of_name(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let letters: Vec<char> = name.chars().take(400).collect();
    let mut word = String::new();
    for (index, &letter) in letters.iter().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            continue;
        }
        let before = index.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(index + 1);
        let begins = letter.is_ascii_uppercase()
            && (before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit())
                || (before.is_some_and(|before| before.is_ascii_uppercase())
                    && after.is_some_and(|after| after.is_ascii_lowercase())));
        if begins && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        word.push(letter.to_ascii_lowercase());
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// A name as the beginning of a sentence: `per_page` is "Per page".
pub(crate) fn sentence_of(name: &str) -> String {
    let words = of_name(name).join(" ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => format!("{}{}", first.to_ascii_uppercase(), letters.as_str()),
        None => "Value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes_and_the_words_stay() {
        let text = "## Lists <b>all</b> [issues](https://x.example/a) of a `repo`.\n\n> [!NOTE]\n> Note: a < b &amp; c\u{200b}.";
        assert_eq!(plain(text, 200), "Lists all issues of a repo. Note: a < b & c.");
        assert_eq!(plain("![logo](x.png) Hello", 100), "logo Hello");
        assert_eq!(plain("a](b", 100), "a](b");
        assert_eq!(plain("", 100), "");
    }

    #[test]
    fn long_texts_end_at_a_sentence_or_a_word() {
        assert_eq!(plain("One two. Three four five", 12), "One two.");
        assert_eq!(plain("One two three four", 10), "One two…");
        assert_eq!(plain(&"é".repeat(20), 5), "é".repeat(5));
        assert!(plain(&"word, ".repeat(1000), 60).chars().count() <= 60);
    }

    #[test]
    fn a_title_is_what_people_call_the_vendor() {
        assert_eq!(title("Acme Web API v2").as_deref(), Some("Acme"));
        assert_eq!(title("Acme v3 REST API").as_deref(), Some("Acme"));
        assert_eq!(title("API").as_deref(), Some("API"));
        assert_eq!(title(" "), None);
    }

    #[test]
    fn names_are_words_in_any_spelling() {
        for name in [
            "listPullRequests",
            "list-pull_requests",
            "List pull requests",
            "ListPULLRequests",
        ] {
            assert_eq!(of_name(name), ["list", "pull", "requests"], "{name}");
        }
        assert_eq!(of_name("v1OAuth2Token"), ["v1", "o", "auth2", "token"]);
        assert_eq!(sentence_of("per_page"), "Per page");
        assert_eq!(sentence_of("@@"), "Value");
    }
}
