//! One call of a method: who calls, the message, the verb, the answer. Every method goes through
//! here, so that none forgets to ask who calls.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::{MethodRouter, post};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use prost::Message;
use tonic::Status;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;
use tower::service_fn;

use super::status;
use crate::access::{Caller, Scope, unauthenticated};
use crate::error::Fault;
use crate::runtime::Runtime;

/// What a method knows beside its message.
#[derive(Clone)]
pub(super) struct Call {
    /// The host.
    pub host: Arc<Runtime>,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// How long the client waits (`grpc-timeout`); none when it did not say.
    pub timeout: Option<Duration>,
}

/// The handler of a method that needs `scope`.
pub(super) fn unary<In, Out, Verb, Answer>(scope: Scope, verb: Verb) -> MethodRouter<Arc<Runtime>>
where
    In: Message + Default + Send + 'static,
    Out: Message + Send + 'static,
    Verb: Fn(Call, In) -> Answer + Copy + Send + Sync + 'static,
    Answer: Future<Output = Result<Out, Status>> + Send + 'static,
{
    post(
        move |State(host): State<Arc<Runtime>>, request: Request| async move {
            let caller = match caller(&host, request.headers(), scope) {
                Ok(caller) => caller,
                Err(fault) => return status::of(&fault).into_http(),
            };
            let limit = host.config.server.max_body_bytes;
            let call = Call {
                timeout: timeout(request.headers()),
                host,
                caller,
            };
            let method = service_fn(move |message: tonic::Request<In>| {
                let answer = verb(call.clone(), message.into_inner());
                async move {
                    let message = answer.await?;
                    status::check_size(&message).map_err(|fault| status::of(&fault))?;
                    Ok(tonic::Response::new(message))
                }
            });
            let mut grpc = Grpc::new(ProstCodec::<Out, In>::default()).max_decoding_message_size(limit);
            grpc.unary(method, request).await.map(Body::new)
        },
    )
}

/// The caller of any good `authorization` field: a client that renewed its token may go on sending
/// the old one beside it.
fn caller(host: &Runtime, headers: &HeaderMap, scope: Scope) -> Result<Arc<Caller>, Fault> {
    let caller = headers
        .get_all(AUTHORIZATION)
        .iter()
        .filter_map(|value| {
            let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        })
        .find_map(|token| host.access.authenticate(token).ok())
        .ok_or_else(unauthenticated)?;
    caller.require(scope)?;
    Ok(caller)
}

/// The `grpc-timeout` header: up to eight digits and a unit. One that cannot be read is as none,
/// since the client keeps its own time anyway.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_read_in_every_unit_and_nonsense_is_none() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().expect("a header"));
            timeout(&headers)
        };
        for (text, wanted) in [
            ("20S", Duration::from_secs(20)),
            ("60100m", Duration::from_millis(60_100)),
            ("1H", Duration::from_secs(3600)),
            ("2M", Duration::from_secs(120)),
            ("5u", Duration::from_micros(5)),
            ("7n", Duration::from_nanos(7)),
            ("99999999H", Duration::from_secs(99_999_999 * 3600)),
        ] {
            assert_eq!(read(text), Some(wanted), "{text}");
        }
        for text in ["", "S", "20", "-1S", "1.5S", "123456789S", "20s", "20 S"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
