//! The tools of the acme connector that are code. The others run by their declaration in
//! `connector.toml`.

use serde::Deserialize;
use serde_json::{Value, json};
use valetkey_guest::{Call, Fault, Output, segment};

valetkey_guest::connector! {
    "acme_thing_tag" => thing_tag,
}

/// The input of `acme_thing_tag`, which the host has checked against its schema.
#[derive(Deserialize)]
struct Tag {
    thing_id: String,
    tag: String,
}

/// Adds a tag to those that the thing has.
fn thing_tag(call: &Call, input: Tag) -> Result<Output, Fault> {
    let path = format!("/things/{}", segment("thing_id", &input.thing_id)?);
    let thing: Value = call.get("api", path.as_str()).send()?.json()?;
    let mut tags: Vec<String> = serde_json::from_value(thing["tags"].clone()).unwrap_or_default();
    if !tags.contains(&input.tag) {
        tags.push(input.tag);
    }
    let changed: Value = call.patch("api", path).json(&json!({ "tags": tags })).send()?.json()?;
    Output::json(&json!({ "tags": changed["tags"] }))
}

#[cfg(test)]
mod tests {
    #[test]
    fn functions_take_what_their_schemas_allow() {
        valetkey_guest::testing::assert_inputs_agree(env!("CARGO_MANIFEST_DIR"), &super::coded());
    }
}
