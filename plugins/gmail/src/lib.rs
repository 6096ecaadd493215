//! The Gmail connector. Ordinary tools are declared in `connector.toml`; those that read messages
//! or write MIME are code:
//!
//! * [`read`]: messages and threads as an agent can use them, parsed by [`message`];
//! * [`send`]: mails, replies and drafts, put together by [`compose`].

mod address;
mod compose;
mod html;
mod message;
mod read;
mod send;
mod words;

valetkey_guest::connector! {
    "gmail_fetch_mails" => read::fetch_mails,
    "gmail_get_message_by_id" => read::get_message,
    "gmail_get_thread_by_id" => read::get_thread,
    "gmail_send_mail" => send::send_mail,
    "gmail_reply_to_thread" => send::reply_to_thread,
    "gmail_create_draft" => send::create_draft,
}

#[cfg(test)]
mod tests {
    #[test]
    fn functions_take_what_their_schemas_allow() {
        valetkey_guest::testing::assert_inputs_agree(env!("CARGO_MANIFEST_DIR"), &super::coded());
    }
}
