//! Whose account a text is from: the simulated vendors name their user in all that they answer.

use std::collections::BTreeSet;
use std::fmt;

pub use valetkey_tests::sales::identifier;

/// One user's account on one connection. Its text is the name of the vendor's user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    pub identifier: String,
    pub connection: String,
}

impl Stamp {
    pub fn new(identifier: &str, connection: &str) -> Self {
        Self {
            identifier: identifier.to_owned(),
            connection: connection.to_owned(),
        }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.identifier, self.connection)
    }
}

/// Every stamp in a text, in whatever case its letters are.
pub fn stamps(text: &str) -> BTreeSet<Stamp> {
    let text = text.to_lowercase();
    let own = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let found = text.match_indices("rep-").filter_map(|(at, _)| {
        let word = text[at..].split(|c| !own(c)).next()?;
        let mut parts = word.split('.');
        Some(Stamp::new(parts.next()?, parts.next()?))
    });
    found.collect()
}

#[test]
fn stamps_are_found_in_addresses_and_names() {
    let text =
        r#"{"from": "Rep-007.mail <rep-007.mail@mail.example>", "domain": "app.rep-042.sales.example"}"#;
    let found: Vec<String> = stamps(text).iter().map(ToString::to_string).collect();
    assert_eq!(found, ["rep-007.mail", "rep-042.sales"]);
}
