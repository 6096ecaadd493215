//! The search box: `from: to: subject: label: in: is: has: before: after: rfc822msgid:`, words,
//! quoted phrases, `-` for not. All must hold.

use super::mailbox::{Mailbox, Message, UNREAD};
use crate::calendar::parse_day;

/// Whether a message is what `query` asks for. Spam and trash are left out unless asked for.
pub(crate) fn matches(mailbox: &Mailbox, message: &Message, query: &str, everything: bool) -> bool {
    let terms = terms(query);
    let asks_for = |place: &str| {
        terms.iter().any(|term| {
            term == &format!("in:{place}") || term == "in:anywhere" || term == &format!("label:{place}")
        })
    };
    let hidden = [("SPAM", "spam"), ("TRASH", "trash")]
        .iter()
        .any(|(label, place)| message.has(label) && !everything && !asks_for(place));
    !hidden
        && terms.iter().all(|term| match term.strip_prefix('-') {
            Some(term) => !holds(mailbox, message, term),
            None => holds(mailbox, message, term),
        })
}

/// Terms in lower case, quotes taken away.
fn terms(query: &str) -> Vec<String> {
    let mut terms = Vec::new();
    let mut term = String::new();
    let mut quoted = false;
    for letter in query.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => terms.push(std::mem::take(&mut term)),
            letter => term.extend(letter.to_lowercase()),
        }
    }
    terms.push(term);
    terms.retain(|term| !term.is_empty());
    terms
}

fn holds(mailbox: &Mailbox, message: &Message, term: &str) -> bool {
    let header = |name: &str| message.mail.header(name).unwrap_or_default().to_lowercase();
    let Some((operator, value)) = term.split_once(':') else {
        return header("subject").contains(term)
            || header("from").contains(term)
            || header("to").contains(term)
            || message.mail.text().to_lowercase().contains(term);
    };
    match operator {
        "from" | "to" | "cc" | "subject" => header(operator).contains(value),
        "rfc822msgid" => header("message-id").trim_matches(['<', '>']) == value.trim_matches(['<', '>']),
        "has" => value == "attachment" && message.mail.has_attachment(),
        "is" => match value {
            "unread" => message.has(UNREAD),
            "read" => !message.has(UNREAD),
            other => message.has(&other.to_uppercase()),
        },
        "in" if value == "anywhere" => true,
        "in" | "label" => {
            message.has(&value.to_uppercase())
                || mailbox
                    .labels
                    .iter()
                    .any(|(id, name)| name.to_lowercase().replace(' ', "-") == value && message.has(id))
        }
        "after" | "newer" => parse_day(value).is_some_and(|day| message.received_ms >= day),
        "before" | "older" => parse_day(value).is_some_and(|day| message.received_ms < day),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_narrows_the_result() {
        let mailbox = Mailbox::seeded("ada", 60);
        let found = |query: &str| {
            mailbox
                .messages
                .values()
                .filter(|message| matches(&mailbox, message, query, false))
                .count()
        };
        assert_eq!(found(""), 60);
        assert_eq!(found("is:unread") + found("is:read"), 60);
        assert_eq!(found("has:attachment"), 20);
        assert_eq!(found("has:attachment") + found("-has:attachment"), 60);
        assert!(found("label:customers") > 0 && found("label:customers") < found("in:inbox"));
        assert_eq!(found("\"mail number 7 \""), 1);
        assert_eq!(found("in:trash"), 0);
        assert!(found("after:2026/03/01 from:ada") <= found("after:2026/03/01"));
    }
}
