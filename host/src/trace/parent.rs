//! The caller's trace context (W3C Trace Context): read from a request, and kept around the work
//! that the request asks for.

use std::future::Future;
use std::str::FromStr as _;

use futures_util::future::Either;
use http::{HeaderMap, HeaderName};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, context::FutureExt as _};
use serde_json::{Map, Value};

use super::{TRACEPARENT, is_on};

const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// Bytes of `tracestate` that are carried (the standard's own figure): it is exported with every
/// span, and a caller must not decide how much that is.
const MAX_STATE_BYTES: usize = 512;
/// `00-` trace id `-` parent id `-` flags.
const LENGTH: usize = 55;

/// The span of the caller that ours are to hang below; none when it sent none, sent something
/// malformed, or nobody exports.
#[derive(Debug, Clone, Default)]
pub struct Parent(Option<Context>);

impl Parent {
    /// From a request's headers: every door's, gRPC's metadata included.
    #[must_use]
    pub fn of_headers(headers: &HeaderMap) -> Self {
        if !headers.contains_key(TRACEPARENT) || !is_on() {
            return Self::default();
        }
        let mut given = headers.get_all(TRACEPARENT).iter();
        let (Some(traceparent), None) = (given.next(), given.next()) else {
            return Self::default();
        };
        let state: Vec<&str> = headers
            .get_all(TRACESTATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        Self::parse(traceparent.to_str().unwrap_or_default(), &state.join(","))
    }

    /// From the `_meta` of an MCP request, where the members are named like the headers.
    #[must_use]
    pub fn of_meta(meta: &Map<String, Value>) -> Self {
        let text = |name| meta.get(name).and_then(Value::as_str);
        match text(TRACEPARENT.as_str()) {
            Some(traceparent) if is_on() => {
                Self::parse(traceparent, text(TRACESTATE.as_str()).unwrap_or_default())
            }
            Some(_) | None => Self::default(),
        }
    }

    /// This one, or `other` when there is none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.0.is_some() { self } else { other }
    }

    /// Does `work` below this parent. Work that spawns tasks takes its parent along into them.
    pub fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        match self.0 {
            None => Either::Left(work),
            Some(context) => Either::Right(work.with_context(context)),
        }
    }

    fn parse(traceparent: &str, tracestate: &str) -> Self {
        let context = context(traceparent, tracestate);
        Self(context.map(|context| Context::new().with_remote_span_context(context)))
    }
}

/// Strict where the standard is: lower-case hexadecimal, exact lengths, no zero ids; later
/// versions may be longer.
fn context(traceparent: &str, tracestate: &str) -> Option<SpanContext> {
    let text = traceparent.as_bytes();
    let is_well_formed = text.len() >= LENGTH
        && text[..LENGTH].iter().enumerate().all(|(at, byte)| match at {
            2 | 35 | 52 => *byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
        });
    if !is_well_formed {
        return None;
    }
    let length_fits = match &text[..2] {
        b"ff" => false,
        b"00" => text.len() == LENGTH,
        _ => text.len() == LENGTH || text[LENGTH] == b'-',
    };
    if !length_fits {
        return None;
    }
    let trace_id = TraceId::from_hex(&traceparent[3..35]).ok()?;
    let span_id = SpanId::from_hex(&traceparent[36..52]).ok()?;
    let flags = u8::from_str_radix(&traceparent[53..LENGTH], 16).ok()?;
    let state = Some(tracestate)
        .filter(|state| state.len() <= MAX_STATE_BYTES)
        .and_then(|state| TraceState::from_str(state).ok())
        .unwrap_or_default();
    let flags = TraceFlags::new(flags) & TraceFlags::SAMPLED;
    Some(SpanContext::new(trace_id, span_id, flags, true, state)).filter(SpanContext::is_valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn well_formed_context_is_taken_whole() {
        let taken = context(GOOD, "one=1,two=2").expect("well formed");
        assert_eq!(taken.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(taken.span_id().to_string(), "b7ad6b7169203331");
        assert!(taken.is_sampled() && taken.is_remote());
        assert_eq!(taken.trace_state().header(), "one=1,two=2");
        let unsampled = context(&GOOD.replace("-01", "-00"), "").expect("well formed");
        assert!(!unsampled.is_sampled());
        let later = context(&GOOD.replacen("00-", "cc-", 1), "").expect("a later version");
        assert!(later.is_sampled());
        assert!(context(&format!("cc{}-what-comes-later", &GOOD[2..]), "").is_some());
    }

    #[test]
    fn malformed_context_is_none() {
        for bad in [
            "",
            "00",
            "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "zz-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
            "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
            "00-0af7651916cd43dd8448eb211c8031é-b7ad6b7169203331-01xx",
        ] {
            assert!(context(bad, "").is_none(), "{bad}");
        }
    }

    #[test]
    fn state_that_is_too_long_or_malformed_is_left_out_and_the_parent_kept() {
        for state in [format!("a={}", "x".repeat(600)), "no equals sign".to_owned()] {
            let taken = context(GOOD, &state).expect("the parent");
            assert_eq!(taken.trace_state().header(), "", "{state:.20}");
        }
    }
}
