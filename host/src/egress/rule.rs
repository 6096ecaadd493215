//! What a tool may send: one method and one path template per rule.
//!
//! `registry` parses the rules of a manifest once; [`super::gate`] matches every request.

use std::fmt;

use http::Method;

use super::gate;

/// One method and path template that a tool may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The method.
    pub method: Method,
    /// Endpoint name.
    pub endpoint: String,
    /// Segments below the endpoint's base; see [`Segment`].
    pub segments: Vec<Segment>,
}

/// One part of a path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Exactly this, percent-encoding undone.
    Literal(String),
    /// A segment that begins and ends with fixed texts around a placeholder (`{id}:cancel`).
    Pattern {
        /// Before the placeholder.
        prefix: String,
        /// After it.
        suffix: String,
    },
    /// All that follows, at least one segment.
    Rest,
}

impl Allowed {
    /// The path as the rule has it, its placeholders open: `/contacts/{}`, `/files/{*}`.
    pub(super) fn template(&self) -> Template<'_> {
        Template(&self.segments)
    }

    /// Whether a canonical path below the endpoint's base, used with `method`, is covered.
    #[must_use]
    pub fn permits(&self, method: &Method, path: &str) -> bool {
        if self.method != *method {
            return false;
        }
        let Some(path) = path.strip_prefix('/') else {
            return false;
        };
        let mut parts = path.split('/');
        for segment in &self.segments {
            let Some(part) = parts.next() else { return false };
            if *segment == Segment::Rest {
                return true;
            }
            let Some(part) = gate::decode(part) else {
                return false;
            };
            let fits = match segment {
                Segment::Literal(text) => part == text.as_str(),
                Segment::Pattern { prefix, suffix } => part
                    .strip_prefix(prefix.as_str())
                    .and_then(|rest| rest.strip_suffix(suffix.as_str()))
                    .is_some_and(|value| !value.is_empty()),
                Segment::Rest => true,
            };
            if !fits {
                return false;
            }
        }
        parts.next().is_none()
    }
}

/// A rule's path for people to read.
pub(super) struct Template<'a>(&'a [Segment]);

impl fmt::Display for Template<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in self.0 {
            match segment {
                Segment::Literal(text) => write!(out, "/{text}")?,
                Segment::Pattern { prefix, suffix } => write!(out, "/{prefix}{{}}{suffix}")?,
                Segment::Rest => out.write_str("/{*}")?,
            }
        }
        Ok(())
    }
}

/// The methods that a tool may use, in capitals.
pub(super) fn method(name: &str) -> Option<Method> {
    Some(match name {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => return None,
    })
}

/// Parses `METHOD endpoint:/path/{name}/{*}`; `{name...}` of a declared request is `{*}` too.
///
/// # Errors
/// What is wrong with it.
pub fn allowed(rule: &str) -> Result<Allowed, String> {
    let wanted = || format!("{rule:?} is not of the form `METHOD endpoint:/path/{{name}}`");
    let (method, place) = rule.split_once(' ').ok_or_else(wanted)?;
    let (endpoint, path) = place.split_once(':').ok_or_else(wanted)?;
    let method = self::method(method)
        .ok_or_else(|| format!("{rule:?}: the method {method:?} is not one that a tool may use"))?;
    if endpoint.is_empty()
        || !endpoint
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    {
        return Err(wanted());
    }
    let path = path.strip_prefix('/').ok_or_else(wanted)?;
    let mut segments = Vec::new();
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        if part.is_empty() && !last {
            return Err(format!("{rule:?}: the path contains `//`"));
        }
        segments.push(segment(part, last).map_err(|problem| format!("{rule:?}: {problem}"))?);
    }
    Ok(Allowed {
        method,
        endpoint: endpoint.to_owned(),
        segments,
    })
}

fn segment(part: &str, last: bool) -> Result<Segment, String> {
    if part == "{*}" || (part.starts_with('{') && part.ends_with("...}")) {
        return if last {
            Ok(Segment::Rest)
        } else {
            Err(format!("`{part}` stands only at the end"))
        };
    }
    let literal = |text: &str| {
        if text.contains(['{', '}', '*', '?', '#', '\\']) || text.bytes().any(|byte| !byte.is_ascii_graphic())
        {
            return Err(format!("{text:?} is not plain path text"));
        }
        gate::decode(text)
            .map(std::borrow::Cow::into_owned)
            .ok_or_else(|| format!("{text:?} is not percent-encoded UTF-8"))
    };
    let Some(open) = part.find('{') else {
        let text = literal(part)?;
        return if text == "." || text == ".." {
            Err("dot segments are refused".to_owned())
        } else {
            Ok(Segment::Literal(text))
        };
    };
    let close = part
        .rfind('}')
        .filter(|close| *close > open + 1)
        .ok_or("a placeholder is not closed")?;
    let inner = &part[open + 1..close];
    if inner.contains('*') || inner.ends_with("...") {
        return Err("a placeholder for several segments stands alone in its segment".to_owned());
    }
    Ok(Segment::Pattern {
        prefix: literal(&part[..open])?,
        suffix: literal(&part[close + 1..])?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(rule: &str, method: Method, path: &str) -> bool {
        allowed(rule).unwrap().permits(&method, path)
    }

    #[test]
    fn a_rule_covers_its_template_and_nothing_else() {
        let rule = "GET api:/crm/v3/objects/contacts/{id}";
        assert!(permits(rule, Method::GET, "/crm/v3/objects/contacts/42"));
        assert!(permits(rule, Method::GET, "/crm/v3/objects/contacts/a%20b"));
        assert!(permits(rule, Method::GET, "/crm/v3/objects/%63ontacts/42"));
        for path in [
            "/crm/v3/objects/contacts",
            "/crm/v3/objects/contacts/",
            "/crm/v3/objects/contacts/42/",
            "/crm/v3/objects/contacts/42/notes",
            "/crm/v3/objects/companies/42",
            "/CRM/v3/objects/contacts/42",
            "/x/crm/v3/objects/contacts/42",
        ] {
            assert!(!permits(rule, Method::GET, path), "{path}");
        }
        assert!(!permits(rule, Method::DELETE, "/crm/v3/objects/contacts/42"));
        assert!(!permits(rule, Method::HEAD, "/crm/v3/objects/contacts/42"));
    }

    #[test]
    fn placeholders_may_have_neighbours_and_a_rest() {
        assert!(permits(
            "POST api:/jobs/{id}:cancel",
            Method::POST,
            "/jobs/7:cancel"
        ));
        assert!(!permits("POST api:/jobs/{id}:cancel", Method::POST, "/jobs/7"));
        assert!(!permits(
            "POST api:/jobs/{id}:cancel",
            Method::POST,
            "/jobs/:cancel"
        ));
        assert!(permits("GET api:/files/{*}", Method::GET, "/files/a/b/c"));
        assert!(permits("GET api:/files/{path...}", Method::GET, "/files/a/b/c"));
        assert!(!permits("GET api:/files/{*}", Method::GET, "/files"));
        assert!(!permits("GET api:/files/{*}", Method::GET, "/other/a"));
    }

    #[test]
    fn a_template_shows_the_rule_and_not_a_request() {
        for (rule, shown) in [
            ("GET api:/crm/v3/objects/{id}/notes", "/crm/v3/objects/{}/notes"),
            ("POST api:/jobs/{id}:cancel", "/jobs/{}:cancel"),
            ("GET api:/files/{*}", "/files/{*}"),
            ("GET api:/", "/"),
        ] {
            assert_eq!(allowed(rule).unwrap().template().to_string(), shown, "{rule}");
        }
    }

    #[test]
    fn malformed_rules_are_refused() {
        for rule in [
            "",
            "GET",
            "GET api",
            "GET api:",
            "GET api:x",
            "get api:/x",
            "CONNECT api:/x",
            "GET :/x",
            "GET api:/a//b",
            "GET api:/{*}/b",
            "GET api:/x{*}",
            "GET api:/{path...}/b",
            "GET api:/a-{path...}",
            "GET api:/{id",
            "GET api:/id}",
            "GET api:/{}",
            "GET api:/../x",
            "GET api:/a?b=c",
            "GET api:/%zz",
        ] {
            assert!(allowed(rule).is_err(), "{rule}");
        }
    }
}
