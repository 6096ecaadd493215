//! Tools that read messages and threads.

use serde::{Deserialize, Serialize};
use valetkey_guest::{Call, Fault, Output, RequestBuilder, segment};

use crate::message::{Mail, Message};

/// Where the connected account's mailbox is.
pub const MAILBOX: &str = "/gmail/v1/users/me";
/// How many messages are fetched side by side: the vendor refuses more of one user at a time.
const SIDE_BY_SIDE: usize = 10;
/// Characters of a body in a list of mails.
const LISTED_BODY_CHARS: usize = 4_000;
/// Characters of a body when one message or thread is read.
const BODY_CHARS: usize = 100_000;
/// What a mail without its body is made of.
const HEADERS: [&str; 6] = ["From", "To", "Cc", "Reply-To", "Subject", "Date"];

#[derive(Deserialize)]
pub struct FetchMails {
    query: Option<String>,
    #[serde(default)]
    label_ids: Vec<String>,
    include_spam_trash: Option<bool>,
    #[serde(default)]
    include_body: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(default)]
    messages: Vec<Reference>,
    next_page_token: Option<String>,
    result_size_estimate: Option<u64>,
}

#[derive(Deserialize)]
struct Reference {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mails {
    messages: Vec<Mail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_size_estimate: Option<u64>,
}

/// Lists message ids, then reads the messages side by side.
pub fn fetch_mails(call: &Call, input: FetchMails) -> Result<Output, Fault> {
    let listed: Listed = call
        .get("api", format!("{MAILBOX}/messages"))
        .query_all("maxResults", call.page.size)
        .query_all("pageToken", call.page.token.as_ref())
        .query_all("q", input.query.as_ref())
        .query_all("labelIds", &input.label_ids)
        .query_all("includeSpamTrash", input.include_spam_trash)
        .send()?
        .json()?;
    let body_chars = if input.include_body { LISTED_BODY_CHARS } else { 0 };
    let mut messages = Vec::with_capacity(listed.messages.len());
    for some in listed.messages.chunks(SIDE_BY_SIDE) {
        let requests: Result<Vec<_>, Fault> = some
            .iter()
            .map(|reference| message(call, &reference.id, input.include_body))
            .collect();
        for (answer, reference) in call.send_all(requests?).into_iter().zip(some) {
            match answer {
                Ok(response) => messages.push(response.json::<Message>()?.into_mail(body_chars)),
                Err(fault) if fault.status == Some(404) => {
                    call.log(
                        "info",
                        &format!("message {} went away after it was listed", reference.id),
                    );
                }
                Err(fault) => return Err(fault),
            }
        }
    }
    let mails = Mails {
        messages,
        result_size_estimate: listed.result_size_estimate,
    };
    Output::page(&mails, listed.next_page_token.filter(|token| !token.is_empty()))
}

fn message<'c>(call: &'c Call, id: &str, whole: bool) -> Result<RequestBuilder<'c>, Fault> {
    let request = call.get(
        "api",
        format!("{MAILBOX}/messages/{}", segment("message_id", id)?),
    );
    Ok(if whole {
        request.query("format", "full")
    } else {
        request
            .query("format", "metadata")
            .query_all("metadataHeaders", HEADERS)
    })
}

#[derive(Deserialize)]
pub struct GetMessage {
    message_id: String,
}

/// Reads one message.
pub fn get_message(call: &Call, input: GetMessage) -> Result<Output, Fault> {
    let message: Message = message(call, &input.message_id, true)?.send()?.json()?;
    Output::json(&message.into_mail(BODY_CHARS))
}

#[derive(Deserialize)]
pub struct GetThread {
    thread_id: String,
    #[serde(default)]
    include_body: bool,
}

/// A thread as the API gives it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Thread {
    pub id: String,
    #[serde(default)]
    pub messages: Vec<Message>,
}

/// Reads a thread, oldest message first.
pub fn get_thread(call: &Call, input: GetThread) -> Result<Output, Fault> {
    #[derive(Serialize)]
    struct Mails {
        id: String,
        messages: Vec<Mail>,
    }
    let request = call.get(
        "api",
        format!("{MAILBOX}/threads/{}", segment("thread_id", &input.thread_id)?),
    );
    let (request, body_chars) = if input.include_body {
        (request.query("format", "full"), BODY_CHARS)
    } else {
        (
            request
                .query("format", "metadata")
                .query_all("metadataHeaders", HEADERS),
            0,
        )
    };
    let thread: Thread = request.send()?.json()?;
    let messages = thread
        .messages
        .into_iter()
        .map(|message| message.into_mail(body_chars))
        .collect();
    Output::json(&Mails {
        id: thread.id,
        messages,
    })
}
