//! One user's mailbox.

use std::collections::{BTreeMap, BTreeSet};

use super::mime::Part;
use super::problem::Problem;
use crate::calendar::{minutes_before_start, rfc2822};
use crate::hubspot::Window;
use crate::seed;
use crate::text::{base64_lines, number_of};

/// The labels that every mailbox has.
pub(crate) const SYSTEM_LABELS: [&str; 13] = [
    "CATEGORY_FORUMS",
    "CATEGORY_PERSONAL",
    "CATEGORY_PROMOTIONS",
    "CATEGORY_SOCIAL",
    "CATEGORY_UPDATES",
    "CHAT",
    "DRAFT",
    "IMPORTANT",
    "INBOX",
    "SENT",
    "SPAM",
    "STARRED",
    "TRASH",
];

/// The label of what was not read; a system label, and the only one that searches call `is:`.
pub(crate) const UNREAD: &str = "UNREAD";

/// The user's address.
pub(crate) fn address_of(user: &str) -> String {
    format!("{user}@mail.example")
}

/// One message.
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) thread: u64,
    pub(crate) labels: BTreeSet<String>,
    pub(crate) received_ms: i64,
    pub(crate) history: u64,
    pub(crate) raw: Vec<u8>,
    pub(crate) mail: Part,
}

impl Message {
    pub(crate) fn has(&self, label: &str) -> bool {
        self.labels.contains(label)
    }
}

/// A mailbox.
pub(crate) struct Mailbox {
    pub(crate) address: String,
    pub(crate) requests: Window,
    pub(crate) messages: BTreeMap<u64, Message>,
    /// Draft id to message id.
    pub(crate) drafts: BTreeMap<u64, u64>,
    /// The user's own labels: id to name.
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) history: u64,
    next_id: u64,
}

/// The id of a message, thread or draft as the vendor writes it.
pub(crate) fn hex(id: u64) -> String {
    format!("{id:016x}")
}

pub(crate) fn parse_hex(text: &str) -> Result<u64, Problem> {
    u64::from_str_radix(text, 16).map_err(|_| Problem::invalid("The id is not valid."))
}

impl Mailbox {
    /// The mailbox that a user begins with.
    pub(crate) fn seeded(user: &str, messages: usize) -> Self {
        let mut mailbox = Self {
            address: address_of(user),
            requests: Window::default(),
            messages: BTreeMap::new(),
            drafts: BTreeMap::new(),
            labels: [("Label_1", "Customers"), ("Label_2", "Receipts")]
                .map(|(id, name)| (id.to_owned(), name.to_owned()))
                .into(),
            history: 1_000,
            // No two mailboxes share a message id, so that a mixed-up account shows.
            next_id: 0x1900_0000_0000_0000 + (number_of(user) % 0xff_ffff) * 0x1_0000_0000,
        };
        mailbox.seed(user, messages);
        mailbox
    }

    fn seed(&mut self, user: &str, messages: usize) {
        let mut threads: BTreeMap<usize, (u64, String)> = BTreeMap::new();
        for n in 0..messages {
            // Every third conversation has an answer or two.
            let conversation = if n % 6 < 3 { n / 6 * 6 } else { n };
            let person = conversation % 40;
            let earlier = threads.get(&conversation).cloned();
            let at_ms = minutes_before_start(30 + (messages - n) * 173);
            let from_user = earlier.is_some() && n % 2 == 1;
            let mail = seeded_mail(user, n, person, conversation, at_ms, from_user, earlier.as_ref());
            let mut labels: BTreeSet<String> = BTreeSet::new();
            if from_user {
                labels.insert("SENT".to_owned());
            } else {
                labels.insert("INBOX".to_owned());
                labels.insert("CATEGORY_PERSONAL".to_owned());
                if n % 4 == 0 {
                    labels.insert(UNREAD.to_owned());
                }
                if n % 7 == 0 {
                    labels.insert("STARRED".to_owned());
                }
                if n % 5 == 0 {
                    labels.insert("Label_1".to_owned());
                }
            }
            let thread = earlier.map(|(thread, _)| thread);
            let id = self.add(mail.into_bytes(), thread, labels, at_ms);
            let message = &self.messages[&id];
            let message_id = message.mail.header("message-id").unwrap_or_default().to_owned();
            threads.insert(conversation, (message.thread, message_id));
        }
    }

    pub(crate) fn add(
        &mut self,
        raw: Vec<u8>,
        thread: Option<u64>,
        labels: BTreeSet<String>,
        received_ms: i64,
    ) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.history += 1;
        let mail = Part::parse(&raw);
        self.messages.insert(
            id,
            Message {
                id,
                thread: thread.unwrap_or(id),
                labels,
                received_ms,
                history: self.history,
                raw,
                mail,
            },
        );
        id
    }

    pub(crate) fn add_draft(&mut self, message: u64) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.drafts.insert(id, message);
        id
    }

    pub(crate) fn find(&self, id: &str) -> Result<&Message, Problem> {
        self.messages.get(&parse_hex(id)?).ok_or_else(Problem::not_found)
    }

    /// Messages of a thread, oldest first.
    pub(crate) fn thread(&self, id: u64) -> Vec<&Message> {
        self.messages
            .values()
            .filter(|message| message.thread == id)
            .collect()
    }

    /// Adds and removes labels of one message.
    pub(crate) fn relabel(&mut self, id: u64, add: &[&str], remove: &[&str]) -> Result<&Message, Problem> {
        self.history += 1;
        let history = self.history;
        let message = self.messages.get_mut(&id).ok_or_else(Problem::not_found)?;
        message.labels.extend(add.iter().map(|label| (*label).to_owned()));
        message.labels.retain(|label| !remove.contains(&label.as_str()));
        message.history = history;
        Ok(message)
    }

    /// Refuses a label that does not exist.
    pub(crate) fn check_labels(&self, labels: &[String]) -> Result<(), Problem> {
        for label in labels {
            let known =
                SYSTEM_LABELS.contains(&label.as_str()) || label == UNREAD || self.labels.contains_key(label);
            if !known {
                return Err(Problem::invalid(format!("There is no label {label}.")));
            }
        }
        Ok(())
    }
}

fn seeded_mail(
    user: &str,
    n: usize,
    person: usize,
    conversation: usize,
    at_ms: i64,
    from_user: bool,
    earlier: Option<&(u64, String)>,
) -> String {
    let own = format!("{} <{}>", capitalised(user), address_of(user));
    let other = format!(
        "{} {} <{}>",
        seed::first_name(person),
        seed::last_name(person),
        seed::address(user, person)
    );
    let (from, to) = if from_user { (&own, &other) } else { (&other, &own) };
    let subject = seed::subject(conversation);
    let answer = if earlier.is_some() { "Re: " } else { "" };
    let mut mail = format!(
        "Message-ID: <mail-{n}@{user}.example>\r\nDate: {}\r\nFrom: {from}\r\nTo: {to}\r\n\
         Subject: {answer}{subject}\r\nMIME-Version: 1.0\r\n",
        rfc2822(at_ms)
    );
    if let Some((_, message_id)) = earlier {
        mail += &format!("In-Reply-To: {message_id}\r\nReferences: {message_id}\r\n");
    }
    let text = format!(
        "Hello,\r\n\r\nthis is mail number {n} about \u{201c}{}\u{201d}.\r\n\r\nBest regards\r\n{}\r\n",
        subject.to_lowercase(),
        if from_user {
            capitalised(user)
        } else {
            seed::first_name(person).to_owned()
        },
    );
    let html = format!(
        "<p>Hello,</p><p>this is mail number {n} about &ldquo;{}&rdquo;.</p>",
        subject.to_lowercase()
    );
    let plain_part = format!(
        "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64_lines(text.as_bytes())
    );
    let alternative = format!(
        "Content-Type: multipart/alternative; boundary=\"alternative-{n}\"\r\n\r\n--alternative-{n}\r\n{plain_part}\r\n\
         --alternative-{n}\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n{html}\r\n--alternative-{n}--\r\n"
    );
    match n % 3 {
        0 => mail + &plain_part,
        1 => mail + &alternative,
        _ => {
            let csv = format!("week,units\r\n1,{n}\r\n2,{}\r\n", n * 2);
            mail + &format!(
                "Content-Type: multipart/mixed; boundary=\"mixed-{n}\"\r\n\r\n--mixed-{n}\r\n{alternative}\r\n\
                 --mixed-{n}\r\nContent-Type: text/csv; name=\"figures-{n}.csv\"\r\n\
                 Content-Disposition: attachment; filename=\"figures-{n}.csv\"\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--mixed-{n}--\r\n",
                base64_lines(csv.as_bytes())
            )
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
