//! The HubSpot connector. Its tools are declared in `connector.toml`; the one below needs the
//! present time.

use serde_json::{Map, Value};
use valetkey_guest::{Call, Fault, Output};

valetkey_guest::connector! {
    "hubspot_note_create" => note_create,
}

/// Fills in the time of a note, which the vendor requires, and sends the declared request.
fn note_create(call: &Call, mut input: Map<String, Value>) -> Result<Output, Fault> {
    input
        .entry("timestamp")
        .or_insert_with(|| call.now_ms().to_string().into());
    call.declared(&Value::Object(input))
}
