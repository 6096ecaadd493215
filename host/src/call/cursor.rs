//! The cursor that callers see: sealed, so that it says nothing, and bound to the account, the
//! tool and the input, so that it opens nowhere else.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::accounts::Account;
use crate::error::{Fault, Problem};
use crate::vault::{Place, Vault};

/// Where the next call goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The vendor's token of the page; none for the first.
    pub(super) token: Option<String>,
    /// Items of that page that were answered already.
    pub(super) skip: usize,
    /// The size of every page, where pages are numbered: the number says where a page begins only
    /// together with it. None on the first page and where a token says enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<u32>,
}

/// What binds a cursor: one account, one tool, one input.
pub(super) struct Binding<'a> {
    pub(super) account: &'a Account,
    pub(super) tool: &'a str,
    pub(super) input: &'a Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    #[serde(flatten)]
    position: Position,
    input: String,
}

impl Binding<'_> {
    pub(super) fn seal(&self, vault: &Vault, position: Position) -> Result<String, Fault> {
        let plain = serde_json::to_vec(&Sealed {
            position,
            input: input_digest(self.input),
        });
        let plain = plain.map_err(Fault::internal)?;
        Ok(vault.seal_text(self.place(), &plain)?)
    }

    pub(super) fn open(&self, vault: &Vault, cursor: &str) -> Result<Position, Fault> {
        let opened = vault
            .open_text(self.place(), cursor)
            .and_then(|plain| serde_json::from_slice::<Sealed>(plain.expose()).ok())
            .filter(|sealed| sealed.input == input_digest(self.input));
        opened.map(|sealed| sealed.position).ok_or_else(|| {
            Fault::invalid(
                "This cursor is not of this tool, account and input. Use the `next_cursor` of the call before, with the same parameters, or leave it out to begin at the first page.",
                vec![Problem { path: "/cursor".to_owned(), problem: "does not open here".to_owned() }],
            )
        })
    }

    fn place(&self) -> Place<'_> {
        Place {
            record: "cursor",
            environment: &self.account.environment,
            connection: self.account.connection.as_str(),
            identifier: self.account.id.as_str(),
            field: self.tool,
            generation: 0,
        }
    }
}

/// A digest of the input without `limit` and `cursor`, the same for every order of members.
#[must_use]
pub fn input_digest(input: &Map<String, Value>) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    feed_object(&mut context, input, &["limit", "cursor"]);
    URL_SAFE_NO_PAD.encode(context.finish())
}

fn feed_object(context: &mut digest::Context, object: &Map<String, Value>, without: &[&str]) {
    let mut members: Vec<_> = object
        .iter()
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .collect();
    members.sort_by_key(|(name, _)| *name);
    context.update(b"{");
    for (name, value) in members {
        feed_text(context, name);
        feed(context, value);
    }
    context.update(b"}");
}

fn feed(context: &mut digest::Context, value: &Value) {
    match value {
        Value::Object(object) => feed_object(context, object, &[]),
        Value::Array(items) => {
            context.update(b"[");
            for item in items {
                feed(context, item);
            }
            context.update(b"]");
        }
        Value::String(text) => feed_text(context, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            context.update(b"v");
            feed_text(context, &value.to_string());
        }
    }
}

/// Length first, so that no two inputs feed the same bytes.
fn feed_text(context: &mut digest::Context, text: &str) {
    context.update(&(text.len() as u64).to_be_bytes());
    context.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).expect("an object")
    }

    #[test]
    fn digest_ignores_order_limit_and_cursor_and_nothing_else() {
        let base = input_digest(&object(r#"{"a":1,"b":{"x":[1,2],"y":"z"}}"#));
        assert_eq!(
            base,
            input_digest(&object(
                r#"{"b":{"y":"z","x":[1,2]},"limit":5,"a":1,"cursor":"c"}"#
            ))
        );
        for other in [
            r#"{"a":2,"b":{"x":[1,2],"y":"z"}}"#,
            r#"{"a":"1","b":{"x":[1,2],"y":"z"}}"#,
            r#"{"a":1,"b":{"x":[2,1],"y":"z"}}"#,
            r#"{"a":1,"b":{"x":[1,2],"y":"z","limit":5}}"#,
        ] {
            assert_ne!(base, input_digest(&object(other)), "{other}");
        }
    }
}
