//! One user's workspace: its people, channels and messages.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::calendar::minutes_before_start;
use crate::hubspot::Window;
use crate::oauth::{Actor, Session};
use crate::seed;
use crate::text::number_of;

/// People beside the user.
const PEOPLE: usize = 11;
/// Messages of the first channel at the start; the others have a few.
const MESSAGES: usize = 45;

/// `T`, `U`, `C` … and ten letters and digits that depend on the text alone.
fn id_of(prefix: char, text: &str) -> String {
    let mut number = number_of(text);
    let mut id = String::from(prefix);
    for _ in 0..10 {
        let digit = u32::try_from(number % 36).unwrap_or(0);
        id.extend(char::from_digit(digit, 36).map(|c| c.to_ascii_uppercase()));
        number /= 36;
    }
    id
}

/// The id of a user's workspace.
pub(crate) fn team_id(user: &str) -> String {
    id_of('T', user)
}

/// The id of the user in the own workspace.
pub(crate) fn user_id(user: &str) -> String {
    id_of('U', &format!("{user} 0"))
}

/// The id of the application's user in a user's workspace.
pub(crate) fn bot_user_id(user: &str) -> String {
    id_of('U', &format!("{user} bot"))
}

/// The one file of a user's workspace: the end of its address, and its text.
pub(super) fn file_of(user: &str) -> (String, String) {
    let id = id_of('F', &format!("{user} file"));
    let text = format!("The handbook of {user}.\n");
    (format!("{}-{id}/handbook-{user}.txt", team_id(user)), text)
}

/// A channel or a direct message.
pub(super) struct Channel {
    pub(super) id: String,
    /// The name, or of a direct message whom it is with.
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) archived: bool,
    pub(super) topic: String,
    pub(super) creator: String,
    pub(super) created: i64,
    pub(super) members: BTreeSet<String>,
    /// Oldest first, in the vendor's shape.
    pub(super) messages: Vec<Value>,
    /// `ts` of the pinned messages.
    pub(super) pins: Vec<String>,
}

impl Channel {
    /// The channel as one of its (or not its) members sees it.
    pub(super) fn seen_by(&self, member: &str) -> Value {
        if self.kind == "im" {
            return json!({ "id": self.id, "is_im": true, "user": self.name, "created": self.created });
        }
        json!({
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.kind == "public_channel",
            "is_group": self.kind == "private_channel",
            "is_mpim": self.kind == "mpim",
            "is_im": false,
            "is_private": self.kind != "public_channel",
            "is_archived": self.archived,
            "is_member": self.members.contains(member),
            "creator": self.creator,
            "created": self.created,
            "num_members": self.members.len(),
            "topic": { "value": self.topic, "creator": self.creator, "last_set": self.created },
            "purpose": { "value": format!("What {} is for", self.name), "creator": self.creator, "last_set": self.created },
        })
    }

    /// A message by its `ts`.
    pub(super) fn message(&mut self, ts: &str) -> Option<&mut Value> {
        self.messages.iter_mut().find(|message| message["ts"] == ts)
    }
}

/// A workspace.
pub(crate) struct Workspace {
    pub(super) user: String,
    pub(super) people: Vec<Value>,
    pub(super) channels: BTreeMap<String, Channel>,
    pub(super) scheduled: Vec<Value>,
    pub(super) uploads: BTreeMap<String, super::uploads::Upload>,
    /// Where files are, as the vendor writes addresses.
    pub(super) files_address: String,
    windows: BTreeMap<String, Window>,
    /// Microseconds of the newest `ts`: no two messages share one.
    newest: i64,
    now_ms: i64,
    next: u64,
}

impl Workspace {
    /// The workspace that a user begins with.
    pub(crate) fn seeded(user: &str) -> Self {
        let mut workspace = Self {
            user: user.to_owned(),
            people: Vec::new(),
            channels: BTreeMap::new(),
            scheduled: Vec::new(),
            uploads: BTreeMap::new(),
            files_address: "https://files.slack.com".to_owned(),
            windows: BTreeMap::new(),
            newest: 0,
            now_ms: minutes_before_start(0),
            next: 0,
        };
        workspace.people = (0..=PEOPLE).map(|n| workspace.person(n)).collect();
        let bot = bot_user_id(user);
        let mut app = workspace.person(0);
        app["id"] = json!(bot);
        app["name"] = json!(format!("valetkey-of-{user}"));
        app["real_name"] = json!(format!("Valetkey of {user}"));
        app["is_bot"] = json!(true);
        app["profile"] = json!({ "real_name": format!("Valetkey of {user}"), "bot_id": workspace.bot_id() });
        workspace.people.push(app);

        let everybody: BTreeSet<String> = workspace
            .people
            .iter()
            .filter_map(|person| person["id"].as_str().map(str::to_owned))
            .collect();
        for (n, (name, kind, archived, is_member)) in [
            ("general", "public_channel", false, true),
            ("random", "public_channel", false, true),
            ("incidents", "public_channel", false, true),
            ("support", "public_channel", false, false),
            ("leadership", "private_channel", false, true),
            ("old-project", "public_channel", true, false),
        ]
        .into_iter()
        .enumerate()
        {
            let mut members = everybody.clone();
            if !is_member {
                members.remove(&user_id(user));
            }
            if n > 2 {
                members.remove(&bot);
            }
            let id = workspace.add_channel(name, kind, members);
            let count = if n == 0 { MESSAGES } else { 3 };
            for m in 0..count {
                let author = workspace.people[(m + n) % PEOPLE]["id"].clone();
                workspace.now_ms = minutes_before_start(10 + (count - m) * 13 + n);
                let text = format!("{}: note {m} in {name} of {user}", seed::subject(m + n));
                let message = json!({ "type": "message", "user": author, "text": text });
                workspace.post(&id, message);
            }
            if let Some(channel) = workspace.channels.get_mut(&id) {
                channel.archived = archived;
            }
        }
        workspace
    }

    fn person(&self, n: usize) -> Value {
        let user = &self.user;
        let (name, real_name, email) = if n == 0 {
            (user.clone(), user.clone(), format!("{user}@{user}.example"))
        } else {
            (
                format!("{}.{n}", seed::first_name(n).to_lowercase()),
                format!("{} {}", seed::first_name(n), seed::last_name(n)),
                seed::address(user, n),
            )
        };
        json!({
            "id": id_of('U', &format!("{user} {n}")),
            "team_id": team_id(user),
            "name": name,
            "real_name": real_name,
            "deleted": n == PEOPLE,
            "tz": "Europe/Lisbon",
            "is_admin": n == 0,
            "is_bot": false,
            "updated": minutes_before_start(500_000) / 1_000,
            "profile": { "real_name": real_name, "display_name": name, "email": email, "status_text": "", "status_emoji": "", "image_24": "https://avatars.example/24.png", "image_512": "https://avatars.example/512.png" },
        })
    }

    /// Budgets by name.
    pub(super) fn window(&mut self, name: &str) -> &mut Window {
        self.windows.entry(name.to_owned()).or_default()
    }

    /// What time it is.
    pub(super) fn set_time(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }

    /// Seconds since 1970.
    pub(super) fn now_seconds(&self) -> i64 {
        self.now_ms / 1_000
    }

    /// The application's id as an author.
    pub(super) fn bot_id(&self) -> String {
        id_of('B', &self.user)
    }

    /// Whom a session acts as.
    pub(super) fn actor(&self, session: &Session) -> String {
        match session.actor {
            Actor::Person => user_id(&self.user),
            Actor::Application => bot_user_id(&self.user),
        }
    }

    /// An id that was not used before.
    pub(super) fn fresh(&mut self, prefix: char) -> String {
        self.next += 1;
        id_of(prefix, &format!("{} made {}", self.user, self.next))
    }

    pub(super) fn add_channel(
        &mut self,
        name: &str,
        kind: &'static str,
        members: BTreeSet<String>,
    ) -> String {
        let prefix = if kind == "im" { 'D' } else { 'C' };
        let id = self.fresh(prefix);
        let channel = Channel {
            id: id.clone(),
            name: name.to_owned(),
            kind,
            archived: false,
            topic: String::new(),
            creator: user_id(&self.user),
            created: self.now_seconds(),
            members,
            messages: Vec::new(),
            pins: Vec::new(),
        };
        self.channels.insert(id.clone(), channel);
        id
    }

    /// A channel that a session may see; a private one is there for its members alone.
    pub(super) fn channel(&mut self, session: &Session, id: &str) -> Result<&mut Channel, super::Refusal> {
        let actor = self.actor(session);
        self.channels
            .get_mut(id)
            .filter(|channel| channel.kind == "public_channel" || channel.members.contains(&actor))
            .ok_or_else(|| "channel_not_found".into())
    }

    /// The direct message (or group) of exactly these people, made on first sight.
    pub(super) fn conversation(&mut self, members: BTreeSet<String>, with: &str) -> String {
        let kind = if members.len() > 2 { "mpim" } else { "im" };
        let known = self
            .channels
            .values()
            .find(|channel| channel.kind == kind && channel.members == members);
        match known {
            Some(channel) => channel.id.clone(),
            None => self.add_channel(with, kind, members),
        }
    }

    /// Puts a message into a channel and answers its `ts`. An answer in a thread counts at its root.
    pub(super) fn post(&mut self, channel: &str, mut message: Value) -> String {
        self.newest = (self.now_ms * 1_000).max(self.newest + 100);
        let ts = format!("{}.{:06}", self.newest / 1_000_000, self.newest % 1_000_000);
        message["ts"] = json!(ts);
        let author = message["user"].clone();
        if let Some(channel) = self.channels.get_mut(channel) {
            let root = message["thread_ts"]
                .as_str()
                .and_then(|root| channel.message(root));
            if let Some(root) = root {
                let count = root["reply_count"].as_u64().unwrap_or(0) + 1;
                root["thread_ts"] = root["ts"].clone();
                root["reply_count"] = json!(count);
                root["latest_reply"] = json!(ts);
                let known = root["reply_users"].as_array().cloned().unwrap_or_default();
                if !known.contains(&author) {
                    let all: Vec<Value> = known.into_iter().chain([author]).collect();
                    root["reply_users"] = json!(all);
                }
            }
            channel.messages.push(message);
        }
        ts
    }

    /// Everything, for tests.
    pub(crate) fn all(&self) -> Value {
        let channels: Vec<Value> = self
            .channels
            .values()
            .map(|channel| {
                let mut all = channel.seen_by(&user_id(&self.user));
                all["messages"] = json!(channel.messages);
                all["members"] = json!(channel.members);
                all
            })
            .collect();
        json!({ "team_id": team_id(&self.user), "users": self.people, "channels": channels, "scheduled_messages": self.scheduled, "files": super::uploads::all(self) })
    }
}
