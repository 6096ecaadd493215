//! The HubSpot connector. Its tools are declared in `connector.toml`; the ones below need the
//! present time.

use serde_json::{Map, Value};
use valetkey_guest::{Call, Fault, Output};

valetkey_guest::connector! {
    "hubspot_note_create" => timed,
    "hubspot_call_log" => timed,
}

/// Fills in the time of a note or a call, which the vendor requires, and sends the declared request.
fn timed(call: &Call, mut input: Map<String, Value>) -> Result<Output, Fault> {
    input
        .entry("timestamp")
        .or_insert_with(|| call.now_ms().to_string().into());
    call.declared(&Value::Object(input))
}
