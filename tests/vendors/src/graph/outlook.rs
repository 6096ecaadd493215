//! One user's mailbox, calendar and contacts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::problem::Problem;
use super::query::Prefers;
use crate::calendar::{minutes_before_start, rfc3339};
use crate::hubspot::Window;
use crate::seed;
use crate::text::number_of;

/// Folders that every mailbox has: the name that requests use, and the one that people see.
pub(crate) const FOLDERS: [(&str, &str); 6] = [
    ("inbox", "Inbox"),
    ("drafts", "Drafts"),
    ("sentitems", "Sent Items"),
    ("deleteditems", "Deleted Items"),
    ("archive", "Archive"),
    ("junkemail", "Junk Email"),
];
/// The folder that holds those at the top.
pub(crate) const ROOT: &str = "msgfolderroot";

/// The user's address.
pub(crate) fn address_of(user: &str) -> String {
    format!("{user}@outlook.example")
}

/// An address as mails and events have it.
pub(crate) fn person(address: &str) -> Value {
    json!({ "emailAddress": { "name": address.split('@').next(), "address": address } })
}

/// One mail.
pub(crate) struct Mail {
    /// Its number, which the immutable id is made of.
    pub(crate) number: u64,
    /// How often it was moved, which the usual id shows.
    pub(crate) moves: u32,
    /// Id of its folder.
    pub(crate) folder: String,
    /// All but ids, folder and body.
    pub(crate) json: Value,
    /// Its body, as HTML.
    pub(crate) html: String,
    pub(crate) attachments: Vec<Attachment>,
}

/// What is attached to a mail.
pub(crate) struct Attachment {
    pub(crate) json: Value,
    pub(crate) content: Vec<u8>,
}

/// A folder of mails.
pub(crate) struct Folder {
    pub(crate) name: String,
    pub(crate) parent: String,
}

/// All that a user has.
pub(crate) struct Outlook {
    pub(crate) user: String,
    pub(crate) address: String,
    pub(crate) requests: Window,
    pub(crate) mails: BTreeMap<u64, Mail>,
    pub(crate) folders: BTreeMap<String, Folder>,
    pub(crate) events: BTreeMap<String, Value>,
    pub(crate) contacts: BTreeMap<String, Value>,
    pub(crate) settings: Value,
    next: u64,
}

impl Outlook {
    /// What a user begins with.
    pub(crate) fn seeded(user: &str, messages: usize, events: usize) -> Self {
        let address = address_of(user);
        let mut outlook = Self {
            user: user.to_owned(),
            address: address.clone(),
            requests: Window::default(),
            mails: BTreeMap::new(),
            folders: BTreeMap::new(),
            events: BTreeMap::new(),
            contacts: BTreeMap::new(),
            settings: json!({
                "timeZone": "UTC",
                "language": { "locale": "en-GB", "displayName": "English (United Kingdom)" },
                "automaticRepliesSetting": {
                    "status": "disabled", "externalAudience": "none",
                    "internalReplyMessage": "", "externalReplyMessage": "",
                },
                "workingHours": {
                    "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
                    "startTime": "08:00:00.0000000", "endTime": "17:00:00.0000000",
                    "timeZone": { "name": "UTC" },
                },
            }),
            next: 0,
        };
        for (folder, name) in FOLDERS {
            let parent = outlook.folder_id(ROOT);
            let folder = outlook.folder_id(folder);
            let name = name.to_owned();
            outlook.folders.insert(folder, Folder { name, parent });
        }
        for n in 0..messages {
            outlook.seed_mail(n, messages);
        }
        for n in 0..events {
            outlook.seed_event(n, events);
        }
        for n in 0..25 {
            let contact = json!({
                "displayName": format!("{} {}", seed::first_name(n), seed::last_name(n)),
                "givenName": seed::first_name(n), "surname": seed::last_name(n),
                "emailAddresses": [{ "name": seed::first_name(n), "address": seed::address(user, n) }],
                "companyName": seed::company_name(n), "businessPhones": [], "categories": [],
            });
            outlook.add_contact(contact);
        }
        outlook
    }

    fn seed_mail(&mut self, n: usize, messages: usize) {
        let user = self.user.clone();
        let at = minutes_before_start(30 + (messages - n) * 97);
        let sender = seed::address(&user, n % 40);
        let json = json!({
            "conversationId": format!("AAQk{}c{}", self.mark(), n / 3),
            "subject": format!("{} for {user}", seed::subject(n / 3)),
            "from": person(&sender),
            "sender": person(&sender),
            "toRecipients": [person(&self.address)],
            "ccRecipients": [], "bccRecipients": [], "replyTo": [],
            "receivedDateTime": rfc3339(at), "sentDateTime": rfc3339(at),
            "isRead": n % 4 != 0, "isDraft": false, "importance": "normal", "categories": [],
            "flag": { "flagStatus": "notFlagged" },
            "internetMessageId": format!("<{n}@{user}.example>"),
        });
        let html = format!(
            "<html><body><p>Hello {user},</p><p>this is mail {n} about {}.</p></body></html>",
            seed::subject(n / 3)
        );
        let number = self.add_mail("inbox", json, html);
        if n % 10 == 0 {
            let content = format!("Attachment {n} of {user}\n").into_bytes();
            self.attach(number, &format!("notes-{n}.txt"), "text/plain", content);
        }
    }

    fn seed_event(&mut self, n: usize, events: usize) {
        let user = self.user.clone();
        let hours = i64::try_from(n).unwrap_or(0) - i64::try_from(events / 3).unwrap_or(0);
        let start = minutes_before_start(0) + hours * 7 * 3_600_000;
        let invited = n % 8 == 3;
        let organizer = if invited {
            seed::address(&user, n % 40)
        } else {
            self.address.clone()
        };
        let response = if invited { "notResponded" } else { "organizer" };
        self.add_event(json!({
            "subject": format!("{} of {user}", seed::subject(n)),
            "start": { "dateTime": local(start), "timeZone": "UTC" },
            "end": { "dateTime": local(start + 3_600_000), "timeZone": "UTC" },
            "organizer": person(&organizer),
            "isOrganizer": !invited,
            "attendees": [],
            "responseStatus": { "response": response, "time": rfc3339(start) },
        }));
    }

    /// What all ids of this user have in them.
    fn mark(&self) -> String {
        format!("{:06x}", number_of(&self.user) % 0xff_ffff)
    }

    pub(crate) fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The id of a folder by the name that requests use; other texts are ids already.
    pub(crate) fn folder_id(&self, name: &str) -> String {
        if name == ROOT || FOLDERS.iter().any(|(known, _)| *known == name) {
            format!("AAMk{}.{name}", self.mark())
        } else {
            name.to_owned()
        }
    }

    /// The id of an existing folder.
    pub(crate) fn folder(&self, name: &str) -> Result<String, Problem> {
        let id = self.folder_id(name);
        if self.folders.contains_key(&id) || id == self.folder_id(ROOT) {
            Ok(id)
        } else {
            Err(Problem::not_found())
        }
    }

    pub(crate) fn add_mail(&mut self, folder: &str, json: Value, html: String) -> u64 {
        let number = self.fresh();
        let folder = self.folder_id(folder);
        self.mails.insert(
            number,
            Mail {
                number,
                moves: 0,
                folder,
                json,
                html,
                attachments: Vec::new(),
            },
        );
        number
    }

    pub(crate) fn attach(&mut self, number: u64, name: &str, kind: &str, content: Vec<u8>) -> Value {
        let id = format!("AAMk{}a{}", self.mark(), self.fresh());
        let json = json!({
            "@odata.type": "#microsoft.graph.fileAttachment", "@odata.mediaContentType": kind,
            "id": id, "name": name, "contentType": kind, "size": content.len(), "isInline": false,
        });
        if let Some(mail) = self.mails.get_mut(&number) {
            let json = json.clone();
            mail.attachments.push(Attachment { json, content });
        }
        json
    }

    /// The mail that an id of either kind names now.
    pub(crate) fn mail(&mut self, id: &str) -> Result<&mut Mail, Problem> {
        let mark = self.mark();
        let number = if let Some(rest) = id.strip_prefix(&format!("AAkA{mark}")) {
            rest.parse().map_err(|_| Problem::malformed_id())?
        } else if let Some(rest) = id.strip_prefix(&format!("AAMk{mark}m")) {
            let (number, moves) = rest.split_once('v').ok_or_else(Problem::malformed_id)?;
            let number: u64 = number.parse().map_err(|_| Problem::malformed_id())?;
            let now = self.mails.get(&number).map(|mail| mail.moves.to_string());
            if now.as_deref() != Some(moves) {
                return Err(Problem::not_found());
            }
            number
        } else if id.starts_with("AAkA") || id.starts_with("AAMk") {
            return Err(Problem::not_found());
        } else {
            return Err(Problem::malformed_id());
        };
        self.mails.get_mut(&number).ok_or_else(Problem::not_found)
    }

    /// A mail as the vendor writes it.
    pub(crate) fn shown(&self, mail: &Mail, prefers: Prefers) -> Value {
        let mut json = mail.json.clone();
        let mark = self.mark();
        json["@odata.etag"] = json!(format!("W/\"{}.{}\"", mail.number, mail.moves));
        json["id"] = json!(if prefers.immutable {
            format!("AAkA{mark}{}", mail.number)
        } else {
            format!("AAMk{mark}m{}v{}", mail.number, mail.moves)
        });
        json["parentFolderId"] = json!(mail.folder);
        json["hasAttachments"] = json!(!mail.attachments.is_empty());
        let text = text_of(&mail.html);
        json["bodyPreview"] = json!(text.chars().take(255).collect::<String>());
        json["body"] = if prefers.text {
            json!({ "contentType": "text", "content": text })
        } else {
            json!({ "contentType": "html", "content": mail.html })
        };
        json["webLink"] = json!(format!("https://outlook.example/mail/{}", mail.number));
        json
    }

    pub(crate) fn add_event(&mut self, mut event: Value) -> Value {
        let id = format!("AAkE{}{}", self.mark(), self.fresh());
        event["id"] = json!(id);
        for (name, value) in [
            ("isAllDay", json!(false)),
            ("isCancelled", json!(false)),
            ("isOnlineMeeting", json!(false)),
            ("showAs", json!("busy")),
            ("sensitivity", json!("normal")),
            ("importance", json!("normal")),
            ("categories", json!([])),
            ("attendees", json!([])),
            ("organizer", person(&self.address)),
            ("isOrganizer", json!(true)),
            ("type", json!("singleInstance")),
            ("seriesMasterId", Value::Null),
        ] {
            if event.get(name).is_none() {
                event[name] = value;
            }
        }
        self.events.insert(id, event.clone());
        event
    }

    pub(crate) fn event(&mut self, id: &str) -> Result<&mut Value, Problem> {
        if !id.starts_with("AAkE") {
            return Err(Problem::malformed_id());
        }
        self.events.get_mut(id).ok_or_else(Problem::not_found)
    }

    pub(crate) fn add_contact(&mut self, mut contact: Value) -> Value {
        let id = format!("AAkC{}{}", self.mark(), self.fresh());
        contact["id"] = json!(id);
        self.contacts.insert(id, contact.clone());
        contact
    }
}

/// `2026-03-02T09:00:00.0000000`, as events have it.
pub(crate) fn local(ms: i64) -> String {
    let text = rfc3339(ms);
    format!("{}0000", text.trim_end_matches('Z'))
}

/// HTML as text: the words between the tags, paragraphs on lines of their own.
pub(crate) fn text_of(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in html.replace("</p>", "\r\n</p>").chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_id_ends_with_a_move_and_the_immutable_one_does_not() {
        let mut outlook = Outlook::seeded("ada", 3, 0);
        let immutable = Prefers {
            immutable: true,
            text: true,
        };
        let (usual, lasting) = {
            let mail = &outlook.mails[&1];
            let id = |prefers| {
                outlook.shown(mail, prefers)["id"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            (id(Prefers::default()), id(immutable))
        };
        outlook.mail(&usual).expect("here").moves += 1;
        assert_eq!(
            outlook.mail(&usual).map(|_| ()).expect_err("moved").code(),
            "ErrorItemNotFound"
        );
        assert!(outlook.mail(&lasting).is_ok());
        assert_eq!(
            outlook.mail("the offer").map(|_| ()).expect_err("no id").code(),
            "ErrorInvalidIdMalformed"
        );
        let other = Outlook::seeded("bob", 1, 0);
        let theirs = other.shown(&other.mails[&1], immutable)["id"].to_string();
        assert!(
            outlook.mail(theirs.trim_matches('"')).is_err(),
            "another user's id"
        );
    }

    #[test]
    fn bodies_are_html_unless_text_is_preferred() {
        let outlook = Outlook::seeded("ada", 1, 0);
        let text = Prefers {
            immutable: false,
            text: true,
        };
        let mail = &outlook.mails[&1];
        let body = &outlook.shown(mail, text)["body"];
        assert_eq!(body["contentType"], "text");
        assert!(
            body["content"]
                .as_str()
                .is_some_and(|text| text.starts_with("Hello ada,\r\n"))
        );
        assert_eq!(
            outlook.shown(mail, Prefers::default())["body"]["contentType"],
            "html"
        );
        assert_eq!(text_of("<p>1 &lt; 2 &amp;&amp; 3</p>"), "1 < 2 && 3\r\n");
    }
}
