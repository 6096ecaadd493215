//! Tools that write: mails, answers, drafts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde::Deserialize;
use serde_json::{Value, json};
use valetkey_guest::{Call, Fault, Output, segment};

use crate::address;
use crate::compose::{self, Answered, Content, Recipients};
use crate::message::Message;
use crate::read::{MAILBOX, Thread};

/// Headers of a message that an answer needs.
const ANSWERED_HEADERS: [&str; 7] = [
    "Message-ID",
    "References",
    "Subject",
    "From",
    "To",
    "Cc",
    "Reply-To",
];
/// Bytes of randomness in a boundary.
const BOUNDARY_BYTES: u32 = 12;

#[derive(Deserialize)]
pub struct Mail {
    #[serde(flatten)]
    recipients: Recipients,
    #[serde(flatten)]
    content: Content,
}

/// Sends a new mail.
pub fn send_mail(call: &Call, input: Mail) -> Result<Output, Fault> {
    let mail = compose::mail(
        &input.recipients,
        &input.content,
        &Answered::default(),
        &call.random(BOUNDARY_BYTES),
    )?;
    post(call, "messages/send", &json!({ "raw": URL_SAFE.encode(mail) }))
}

#[derive(Deserialize)]
pub struct Reply {
    thread_id: String,
    #[serde(default)]
    reply_all: bool,
    #[serde(flatten)]
    recipients: Recipients,
    #[serde(flatten)]
    content: Content,
}

/// Answers the last message of a thread.
pub fn reply_to_thread(call: &Call, input: Reply) -> Result<Output, Fault> {
    let message = answer(call, input)?;
    post(call, "messages/send", &message)
}

#[derive(Deserialize)]
pub struct Draft {
    thread_id: Option<String>,
    #[serde(default)]
    reply_all: bool,
    #[serde(flatten)]
    recipients: Recipients,
    #[serde(flatten)]
    content: Content,
}

/// Keeps a mail as a draft, an answer when a thread is named.
pub fn create_draft(call: &Call, input: Draft) -> Result<Output, Fault> {
    let Draft {
        thread_id,
        reply_all,
        recipients,
        content,
    } = input;
    let message = match thread_id {
        Some(thread_id) => answer(
            call,
            Reply {
                thread_id,
                reply_all,
                recipients,
                content,
            },
        )?,
        None => {
            let mail = compose::mail(
                &recipients,
                &content,
                &Answered::default(),
                &call.random(BOUNDARY_BYTES),
            )?;
            json!({ "raw": URL_SAFE.encode(mail) })
        }
    };
    post(call, "drafts", &json!({ "message": message }))
}

fn post(call: &Call, path: &str, body: &Value) -> Result<Output, Fault> {
    let sent: Value = call
        .post("api", format!("{MAILBOX}/{path}"))
        .json(body)
        .send()?
        .json()?;
    Output::json(&sent)
}

/// The `Message` of an answer: addressed to whom the thread's last message asks for, with the
/// headers that keep it in the thread.
fn answer(call: &Call, mut input: Reply) -> Result<Value, Fault> {
    let path = format!("{MAILBOX}/threads/{}", segment("thread_id", &input.thread_id)?);
    let request = call.get("api", path).query("format", "metadata");
    let thread: Thread = request
        .query_all("metadataHeaders", ANSWERED_HEADERS)
        .send()?
        .json()?;
    let is_draft = |message: &&Message| message.label_ids.iter().any(|label| label == "DRAFT");
    let last = thread
        .messages
        .iter()
        .rev()
        .find(|message| !is_draft(message))
        .ok_or_else(|| {
            Fault::invalid(
                "/thread_id",
                "names a thread without a message to answer; send a new mail instead",
            )
        })?;

    let list = |name: &str| last.addresses(name);
    if input.recipients.to.is_empty() {
        let sent_by_us = last.label_ids.iter().any(|label| label == "SENT");
        let reply_to = list("Reply-To");
        input.recipients.to = match (sent_by_us, reply_to.is_empty()) {
            (true, _) => list("To"),
            (false, false) => reply_to,
            (false, true) => list("From"),
        };
    }
    if input.reply_all {
        let profile: Value = call.get("api", format!("{MAILBOX}/profile")).send()?.json()?;
        let us = profile["emailAddress"]
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let mut known: Vec<_> = input
            .recipients
            .to
            .iter()
            .chain(&input.recipients.cc)
            .map(|to| address::bare(to))
            .collect();
        known.push(us);
        for other in list("To").into_iter().chain(list("Cc")) {
            let bare = address::bare(&other);
            if !known.contains(&bare) {
                known.push(bare);
                input.recipients.cc.push(other);
            }
        }
    }
    if input.content.subject.is_empty() {
        let subject = last
            .header("Subject")
            .unwrap_or_default()
            .replace(char::is_control, " ");
        let is_answer = subject
            .get(..3)
            .is_some_and(|start| start.eq_ignore_ascii_case("re:"));
        input.content.subject = if is_answer {
            subject
        } else {
            format!("Re: {subject}")
        };
    }
    let answered = Answered {
        message_id: last.header("Message-ID"),
        references: last.header("References"),
    };
    let mail = compose::mail(
        &input.recipients,
        &input.content,
        &answered,
        &call.random(BOUNDARY_BYTES),
    )?;
    Ok(json!({ "raw": URL_SAFE.encode(mail), "threadId": thread.id }))
}
