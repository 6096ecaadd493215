//! A call's arguments and result as a trace shows them, when the operator switched
//! `telemetry.record_content` on.
//!
//! Called by `call`. Whatever is named like a credential is left out; the credentials that the
//! host knows are gone already, egress took them out of every answer.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// Bytes of one text; backends refuse or cut what is much longer.
const MAX_BYTES: usize = 16 * 1024;
/// What stands for a value that is not shown.
const LEFT_OUT: &str = "[redacted]";
/// A member whose name holds one of these, in whatever spelling, is not shown.
const SECRETIVE: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "authorization",
    "cookie",
    "privatekey",
    "credential",
];

/// Arguments as JSON text.
#[must_use]
pub fn of_arguments(arguments: &Map<String, Value>) -> String {
    cut(serde_json::to_string(&Members(arguments)).unwrap_or_default())
}

/// A result, JSON text itself; empty when it is not.
#[must_use]
pub fn of_result(data: &str) -> String {
    let shown = serde_json::from_str::<Value>(data).and_then(|value| serde_json::to_string(&Shown(&value)));
    cut(shown.unwrap_or_default())
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_BYTES {
        text.truncate(text.floor_char_boundary(MAX_BYTES));
        text.push('…');
    }
    text
}

fn is_secretive(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    SECRETIVE.iter().any(|word| plain.contains(word))
}

struct Shown<'a>(&'a Value);

struct Members<'a>(&'a Map<String, Value>);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => Members(members).serialize(to),
            Value::Array(items) => to.collect_seq(items.iter().map(Shown)),
            plain => plain.serialize(to),
        }
    }
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            if is_secretive(name) {
                map.serialize_entry(name, LEFT_OUT)?;
            } else {
                map.serialize_entry(name, &Shown(value))?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_like_a_credential_is_left_out_at_any_depth() {
        let arguments = serde_json::json!({
            "query": "ada",
            "list": [{"apiKey": "k-1", "name": "n"}],
            "Client-Secret": {"a": 1},
            "refresh_token": "t",
        });
        let shown = of_arguments(arguments.as_object().expect("an object"));
        assert_eq!(
            serde_json::from_str::<Value>(&shown).expect("JSON"),
            serde_json::json!({
                "query": "ada",
                "list": [{"apiKey": LEFT_OUT, "name": "n"}],
                "Client-Secret": LEFT_OUT,
                "refresh_token": LEFT_OUT,
            })
        );
        assert_eq!(
            of_result(r#"[{"password":"p"},2]"#),
            r#"[{"password":"[redacted]"},2]"#
        );
    }

    #[test]
    fn long_content_is_cut_and_says_so() {
        let shown = of_result(&serde_json::to_string(&"é".repeat(MAX_BYTES)).expect("JSON"));
        assert!(shown.len() <= MAX_BYTES + '…'.len_utf8() && shown.ends_with('…'));
    }
}
