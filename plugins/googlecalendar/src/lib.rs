//! The Google Calendar connector. Ordinary tools are declared in `connector.toml`; the one that reckons is code:
//!
//! * [`slots`]: times at which everybody is free, from the vendor's free-busy information, by [`time`].

mod slots;
mod time;

valetkey_guest::connector! {
    "googlecalendar_find_slots" => slots::find_slots,
}

#[cfg(test)]
mod tests {
    #[test]
    fn functions_take_what_their_schemas_allow() {
        valetkey_guest::testing::assert_inputs_agree(env!("CARGO_MANIFEST_DIR"), &super::coded());
    }
}
