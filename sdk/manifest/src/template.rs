//! Templates of declared requests: texts with `{name}` placeholders.
//!
//! A placeholder is a brace, a name and a brace without spaces. Any other brace stands for
//! itself, so that GraphQL and JSON texts need no escaping (`{ id }` is no placeholder).

/// One part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Text that stands for itself.
    Text(&'a str),
    /// `{name}`: a path of members into the input, or one of the reserved names.
    Name(&'a str),
    /// `{name...}`: the elements of an array, in place of an element of an array.
    Spread(&'a str),
}

/// The first word of names that are not the input's.
pub const RESERVED: [&str; 2] = ["page", "config"];

/// Splits a template into its parts.
pub fn parts(template: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        while let Some(open) = rest[from..].find('{').map(|at| at + from) {
            if let Some((part, length)) = placeholder(&rest[open..]) {
                if open > 0 {
                    let (text, after) = rest.split_at(open);
                    rest = after;
                    return Some(Part::Text(text));
                }
                rest = &rest[length..];
                return Some(part);
            }
            from = open + 1;
        }
        Some(Part::Text(std::mem::take(&mut rest)))
    })
}

/// The placeholder that is all of a template, if it is one.
#[must_use]
pub fn whole(template: &str) -> Option<Part<'_>> {
    let (part, length) = placeholder(template)?;
    (length == template.len()).then_some(part)
}

/// Every name in a template.
pub fn names(template: &str) -> impl Iterator<Item = &str> {
    parts(template).filter_map(|part| match part {
        Part::Name(name) | Part::Spread(name) => Some(name),
        Part::Text(_) => None,
    })
}

/// The placeholder at the beginning of `text`, and its length.
fn placeholder(text: &str) -> Option<(Part<'_>, usize)> {
    let inner = text.strip_prefix('{')?;
    let inner = &inner[..inner.find('}')?];
    let length = inner.len() + 2;
    let (name, spread) = match inner.strip_suffix("...") {
        Some(name) => (name, true),
        None => (inner, false),
    };
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    let begins = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    (begins && name.split('.').all(is_word)).then_some((
        if spread {
            Part::Spread(name)
        } else {
            Part::Name(name)
        },
        length,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_other_braces_are_text() {
        let found: Vec<_> = parts("a{b}c{d.e}").collect();
        assert_eq!(
            found,
            [
                Part::Text("a"),
                Part::Name("b"),
                Part::Text("c"),
                Part::Name("d.e")
            ]
        );
        let query = "query { me { id } } {x";
        assert_eq!(parts(query).collect::<Vec<_>>(), [Part::Text(query)]);
        assert_eq!(
            parts("{ {x}").collect::<Vec<_>>(),
            [Part::Text("{ "), Part::Name("x")]
        );
        assert_eq!(names("{a}{b...}").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(parts("").count(), 0);
    }

    #[test]
    fn a_whole_placeholder_is_told_from_a_mixed_text() {
        assert_eq!(whole("{a}"), Some(Part::Name("a")));
        assert_eq!(whole("{a...}"), Some(Part::Spread("a")));
        assert_eq!(whole("{a}b"), None);
        assert_eq!(whole("{}"), None);
        assert_eq!(whole("{.a}"), None);
        assert_eq!(whole("{a..b}"), None);
    }
}
