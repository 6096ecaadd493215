//! Filling templates in. What is left out and what is encoded is said at
//! [`valetkey_manifest::tool::Request`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use valetkey_manifest::template::{Part, parts, whole};
use valetkey_manifest::tool::{Nested, Paginator};

use crate::body;
use crate::fault::Fault;
use crate::http::push_segment;
use crate::page::Page;

/// What names stand for in one call.
pub(super) struct Scope<'a> {
    input: &'a Value,
    config: &'a dyn Fn(&str) -> Option<String>,
    page_token: Option<Value>,
    page_size: Option<Value>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        input: &'a Value,
        page: &Page,
        paginator: Option<&Paginator>,
        config: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let number = |first: u32| match &page.token {
            Some(token) => token
                .parse::<u64>()
                .map_or_else(|_| Value::from(token.as_str()), Value::from),
            None => Value::from(first),
        };
        let page_token = match paginator {
            Some(Paginator::Offset { .. }) => Some(number(0)),
            Some(Paginator::Page { first, .. }) => Some(number(*first)),
            _ => page.token.as_deref().map(Value::from),
        };
        Self {
            input,
            config,
            page_token,
            page_size: page.size.map(Value::from),
        }
    }

    fn value(&self, name: &str) -> Option<Cow<'_, Value>> {
        match name.split_once('.') {
            Some(("page", "token")) => self.page_token.as_ref().map(Cow::Borrowed),
            Some(("page", "size")) => self.page_size.as_ref().map(Cow::Borrowed),
            Some(("config", name)) => (self.config)(name).map(|value| Cow::Owned(Value::String(value))),
            _ => name
                .split('.')
                .try_fold(self.input, |value, member| value.get(member))
                .map(Cow::Borrowed),
        }
    }

    /// A text; none when a placeholder in it has no value.
    pub(super) fn text(&self, template: &str) -> Option<String> {
        let mut out = String::with_capacity(template.len());
        for part in parts(template) {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Name(name) | Part::Spread(name) => out.push_str(&plain(self.value(name)?.as_ref())?),
            }
        }
        Some(out)
    }

    /// A path: values as one encoded segment each, those of `{name...}` as many.
    pub(super) fn path(&self, template: &str) -> Result<String, Fault> {
        let mut out = String::with_capacity(template.len() + 16);
        for part in parts(template) {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Name(name) => {
                    let value = self.value(name);
                    let value = value.as_deref().and_then(plain).unwrap_or_default();
                    push_segment(name, &value, &mut out)?;
                }
                Part::Spread(name) => {
                    let value = self.value(name);
                    let value = value.as_deref().and_then(plain).unwrap_or_default();
                    for (index, segment) in value.trim_start_matches('/').split('/').enumerate() {
                        if index > 0 {
                            out.push('/');
                        }
                        push_segment(name, segment, &mut out)?;
                    }
                }
            }
        }
        Ok(out)
    }

    /// Query parameters.
    pub(super) fn query(
        &self,
        declared: &BTreeMap<String, Value>,
        join: Option<&str>,
        nested: Nested,
    ) -> Vec<(String, String)> {
        let mut query = Vec::with_capacity(declared.len());
        for (name, template) in declared {
            self.pairs(name, template, join, nested, &mut query);
        }
        query
    }

    fn pairs(
        &self,
        name: &str,
        template: &Value,
        join: Option<&str>,
        nested: Nested,
        out: &mut Vec<(String, String)>,
    ) {
        let whole_value = match template {
            Value::String(text) => match whole(text) {
                Some(Part::Name(name) | Part::Spread(name)) => match self.value(name) {
                    Some(value) => value,
                    None => return,
                },
                _ => {
                    out.extend(self.text(text).map(|text| (name.to_owned(), text)));
                    return;
                }
            },
            constant => Cow::Borrowed(constant),
        };
        match (whole_value.as_ref(), join) {
            (value, _) if nested == Nested::Brackets && holds_objects(value) => bracketed(name, value, out),
            (Value::Array(values), Some(join)) => {
                let texts: Vec<_> = values.iter().filter_map(plain).collect();
                if !texts.is_empty() {
                    out.push((name.to_owned(), texts.join(join)));
                }
            }
            (Value::Array(values), None) => {
                out.extend(
                    values
                        .iter()
                        .filter_map(plain)
                        .map(|text| (name.to_owned(), text.into_owned())),
                );
            }
            (value, _) => out.extend(plain(value).map(|text| (name.to_owned(), text.into_owned()))),
        }
    }

    /// A form body; the declaration is an object.
    pub(super) fn form(&self, declared: &Value, nested: Nested) -> Vec<u8> {
        let mut pairs = Vec::new();
        for (name, template) in declared.as_object().into_iter().flatten() {
            self.pairs(name, template, None, nested, &mut pairs);
        }
        body::form(pairs)
    }

    /// A JSON body. The outermost object or array is always there.
    pub(super) fn json(&self, declared: &Value) -> String {
        let mut out = String::with_capacity(256);
        match declared {
            Value::Object(_) | Value::Array(_) => self.entries(declared, &mut out),
            _ => self.write(declared, &mut out),
        };
        out
    }

    /// Writes what a template stands for; nothing when its placeholders have no value.
    fn write(&self, template: &Value, out: &mut String) -> Written {
        match template {
            Value::String(text) => match whole(text) {
                Some(Part::Name(name) | Part::Spread(name)) => match self.value(name) {
                    Some(value) => {
                        push_json(&value, out);
                        Written::Filled
                    }
                    None => Written::Dropped,
                },
                _ => match self.text(text) {
                    Some(filled) => {
                        let constant = filled == *text;
                        push_json(&Value::String(filled), out);
                        if constant {
                            Written::Constant
                        } else {
                            Written::Filled
                        }
                    }
                    None => Written::Dropped,
                },
            },
            Value::Object(_) | Value::Array(_) => {
                let start = out.len();
                let written = self.entries(template, out);
                if written == Written::Dropped {
                    out.truncate(start);
                }
                written
            }
            constant => {
                push_json(constant, out);
                Written::Constant
            }
        }
    }

    /// Writes an object or array with those of its entries that have a value.
    fn entries(&self, template: &Value, out: &mut String) -> Written {
        let mut all = Written::Constant;
        let mut first = true;
        let mut entry = |out: &mut String, write: &dyn Fn(&mut String) -> Written| {
            let mark = out.len();
            if !first {
                out.push(',');
            }
            let written = write(out);
            all = all.and(written);
            if written == Written::Dropped {
                out.truncate(mark);
            } else {
                first = false;
            }
        };
        match template {
            Value::Object(members) => {
                out.push('{');
                for (name, template) in members {
                    entry(out, &|out| {
                        push_json(&Value::from(name.as_str()), out);
                        out.push(':');
                        self.write(template, out)
                    });
                }
                out.push('}');
            }
            Value::Array(elements) => {
                out.push('[');
                for template in elements {
                    let Some(Part::Spread(name)) = template.as_str().and_then(whole) else {
                        entry(out, &|out| self.write(template, out));
                        continue;
                    };
                    match self.value(name).as_deref().and_then(Value::as_array) {
                        Some(elements) => {
                            for element in elements {
                                entry(out, &|out| {
                                    push_json(element, out);
                                    Written::Filled
                                });
                            }
                        }
                        None => entry(out, &|_| Written::Dropped),
                    }
                }
                out.push(']');
            }
            _ => unreachable!("only containers have entries"),
        }
        all
    }
}

/// What became of a part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// It has no placeholder.
    Constant,
    /// Some placeholder in it had a value.
    Filled,
    /// It has placeholders, and none of them had a value.
    Dropped,
}

impl Written {
    /// Of a container, from those of its entries.
    fn and(self, entry: Self) -> Self {
        match (self, entry) {
            (Self::Filled, _) | (_, Self::Filled) => Self::Filled,
            (Self::Dropped, _) | (_, Self::Dropped) => Self::Dropped,
            (Self::Constant, Self::Constant) => Self::Constant,
        }
    }
}

fn push_json(value: &Value, out: &mut String) {
    use std::fmt::Write;
    // `Value` displays as compact JSON, and writing to a `String` cannot fail.
    let _ = write!(out, "{value}");
}

/// Whether a value is an object or an array that holds one.
fn holds_objects(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(values) => values.iter().any(holds_objects),
        _ => false,
    }
}

/// Writes every text and number inside a value under the path that leads to it: `a[b]=1`, `a[0][c]=2`.
fn bracketed(name: &str, value: &Value, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                bracketed(&format!("{name}[{member}]"), value, out);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                bracketed(&format!("{name}[{index}]"), value, out);
            }
        }
        scalar => out.extend(plain(scalar).map(|text| (name.to_owned(), text.into_owned()))),
    }
}

/// A value as text; none for `null`.
fn plain(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}
