//! The Slack connector. Ordinary tools are declared in `connector.toml`; the one of several requests is code:
//!
//! * [`upload`]: a file of the host to the vendor.

mod upload;

valetkey_guest::connector! {
    "slack_upload_file" => upload::upload_file,
}

#[cfg(test)]
mod tests {
    #[test]
    fn functions_take_what_their_schemas_allow() {
        valetkey_guest::testing::assert_inputs_agree(env!("CARGO_MANIFEST_DIR"), &super::coded());
    }
}
