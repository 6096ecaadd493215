//! XML as a tree: as much of it as token endpoints write. No document type, so no entities of its own
//! and nothing from elsewhere; what is not understood is not read at all.

use serde_json::{Map, Value};

/// Elements inside one another.
const DEPTH: usize = 32;

/// The tree of a document: `{root: …}`. Elements are members by their local names, those of the same
/// name an array; attributes are `@name`; an element of text alone is that text, and the text of one
/// with members is `#text`. None for what is not well-formed, or has a document type.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text };
    reader.skip_misc()?;
    let (name, root) = reader.element(0)?;
    reader.skip_misc()?;
    reader
        .rest
        .is_empty()
        .then(|| Value::Object(Map::from_iter([(name, root)])))
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    /// Takes what is there; none when something else is.
    fn take(&mut self, expected: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    /// Takes up to `end`, and `end` itself.
    fn until(&mut self, end: &str) -> Option<&'t str> {
        let (before, after) = self.rest.split_once(end)?;
        self.rest = after;
        Some(before)
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// White space, comments and processing instructions, as they stand around the root.
    fn skip_misc(&mut self) -> Option<()> {
        loop {
            self.skip_space();
            if self.take("<!--").is_some() {
                self.until("-->")?;
            } else if self.take("<?").is_some() {
                self.until("?>")?;
            } else {
                return Some(());
            }
        }
    }

    fn name(&mut self) -> Option<&'t str> {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')))?;
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }

    /// One element, from its `<` on: its local name and what is in it.
    fn element(&mut self, depth: usize) -> Option<(String, Value)> {
        if depth >= DEPTH {
            return None;
        }
        self.take("<")?;
        let name = self.name()?;
        let mut members = Map::new();
        loop {
            self.skip_space();
            if self.take("/>").is_some() {
                return Some((local(name), finish(members, String::new())));
            }
            if self.take(">").is_some() {
                break;
            }
            let attribute = self.name()?;
            self.skip_space();
            self.take("=")?;
            self.skip_space();
            let mark = if self.take("\"").is_some() {
                "\""
            } else {
                self.take("'")?;
                "'"
            };
            let value = self.until(mark)?;
            // Namespaces say nothing that a pointer could ask for.
            if attribute != "xmlns" && !attribute.starts_with("xmlns:") {
                members.insert(format!("@{}", local(attribute)), Value::from(unescaped(value)?));
            }
        }
        let mut text = String::new();
        loop {
            let end = self.rest.find('<')?;
            let (before, rest) = self.rest.split_at(end);
            self.rest = rest;
            text.push_str(&unescaped(before)?);
            if self.take("</").is_some() {
                self.take(name)?;
                self.skip_space();
                self.take(">")?;
                return Some((local(name), finish(members, text)));
            }
            if self.take("<![CDATA[").is_some() {
                text.push_str(self.until("]]>")?);
            } else if self.take("<!--").is_some() {
                self.until("-->")?;
            } else if self.take("<?").is_some() {
                self.until("?>")?;
            } else {
                let (name, child) = self.element(depth + 1)?;
                add(&mut members, name, child);
            }
        }
    }
}

fn add(members: &mut Map<String, Value>, name: String, child: Value) {
    match members.get_mut(&name) {
        None => {
            members.insert(name, child);
        }
        Some(Value::Array(all)) => all.push(child),
        Some(first) => {
            let all = vec![first.take(), child];
            *first = Value::Array(all);
        }
    }
}

fn finish(mut members: Map<String, Value>, text: String) -> Value {
    let text = text.trim();
    if members.is_empty() {
        return Value::from(text);
    }
    if !text.is_empty() {
        members.insert("#text".to_owned(), Value::from(text));
    }
    Value::Object(members)
}

/// A name without its prefix.
fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or(name).to_owned()
}

/// Character data with the five entities and character references as what they stand for.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';')?;
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let code = entity.strip_prefix('#')?;
                let code = match code.strip_prefix('x') {
                    Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                    None => code.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_a_tree() {
        let document = "<?xml version=\"1.0\"?>\n<!-- a > b --><s:Envelope xmlns:s='u'>\r\n <s:Body id = 'x&#x41;'>\
            <token>a&amp;b<![CDATA[<c>]]></token><scope>r</scope><scope>w</scope><none/></s:Body></s:Envelope>\n";
        assert_eq!(
            read(document),
            Some(
                json!({"Envelope": {"Body": {"@id": "xA", "token": "a&b<c>", "scope": ["r", "w"], "none": ""}}})
            )
        );
        assert_eq!(
            read("<a>one<b k=\"1\">two</b></a>"),
            Some(json!({"a": {"b": {"@k": "1", "#text": "two"}, "#text": "one"}}))
        );
    }

    #[test]
    fn what_is_not_well_formed_or_reaches_out_is_not_read() {
        for bad in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a x=1/>",
            "<a>&unknown;</a>",
            "<a>&#xD800;</a>",
            "<a>& </a>",
            "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert!(read(&deep(DEPTH)).is_some());
        assert!(read(&deep(DEPTH + 1)).is_none());
    }
}
