//! What a guest answered, as untrusted text: size, well-formedness, depth.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::capability::{Limits, sanitise};
use crate::error::{Fault, Kind};

use super::GuestOutput;

/// Bytes of a page token: it travels sealed inside the caller's cursor.
const PAGE_TOKEN_BYTES: usize = 16 * 1024;

/// Takes a guest's answer if its data is JSON within the limits.
pub(super) fn check(
    data: String,
    next_page_token: Option<String>,
    limits: &Limits,
) -> Result<GuestOutput, Fault> {
    if data.len() > limits.output_bytes {
        return Err(Fault::new(
            Kind::ConnectorLimit,
            format!(
                "The result has {} bytes; the limit is {}. Ask for less: fewer items, fewer fields, a narrower filter.",
                data.len(),
                limits.output_bytes
            ),
        )
        .reason("output"));
    }
    if next_page_token
        .as_ref()
        .is_some_and(|token| token.len() > PAGE_TOKEN_BYTES)
    {
        return Err(Fault::new(
            Kind::ConnectorLimit,
            format!("The connector's page token is longer than {PAGE_TOKEN_BYTES} bytes, so this page cannot be followed by another. Report it to the connector's author."),
        )
        .reason("output"));
    }
    match serde_json::from_str::<WellFormed>(&data) {
        Ok(WellFormed) => Ok(GuestOutput {
            data,
            next_page_token,
        }),
        Err(error) => Err(Fault::new(
            Kind::ConnectorOutputInvalid,
            "The connector answered something that is not JSON (or nests deeper than 128). Report it to the connector's author; calling again will not help.",
        )
        .reason("json")
        .because(sanitise(&error.to_string(), 512))),
    }
}

/// Any JSON value, read to its end and forgotten: texts with their escapes, numbers with their
/// range, depth up to serde_json's 128.
struct WellFormed;

impl<'de> Deserialize<'de> for WellFormed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for WellFormed {
    type Value = Self;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<IgnoredAny, Self>()?.is_some() {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            memory_bytes: 0,
            table_elements: 0,
            cpu_ms: 0,
            host_calls: 0,
            http_requests: 0,
            output_bytes: 1_000,
            log_lines: 0,
            log_line_bytes: 0,
        }
    }

    fn kind(data: &str) -> Option<Kind> {
        check(data.to_owned(), None, &limits())
            .err()
            .map(|fault| fault.kind())
    }

    #[test]
    fn takes_json_and_nothing_else() {
        for good in [
            "{}",
            "[1,-2,3.5e10]",
            " \"\\ud83d\\ude00\" ",
            "null",
            "{\"a\":{\"b\":[true]}}",
        ] {
            assert_eq!(kind(good), None, "{good}");
        }
        for bad in [
            "",
            "{",
            "{}x",
            "[1,]",
            "\"\\ud800\"",
            "{\"\\ud800\":1}",
            "\"\n\"",
            "1e999",
            "NaN",
            "{a:1}",
        ] {
            assert_eq!(kind(bad), Some(Kind::ConnectorOutputInvalid), "{bad}");
        }
    }

    #[test]
    fn nests_to_a_depth_and_no_further() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(kind(&nested(127)), None);
        assert_eq!(kind(&nested(129)), Some(Kind::ConnectorOutputInvalid));
        assert_eq!(
            kind(&format!("[{}]", "0,".repeat(2_000))),
            Some(Kind::ConnectorLimit)
        );
    }
}
