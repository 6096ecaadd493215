//! One user's workspace: pages, blocks, one database with one data source, comments, people.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::markdown;
use super::problem::Problem;
use super::values::{empty, rich, stored};
use crate::calendar::{minutes_before_start, rfc3339};
use crate::hubspot::Window;
use crate::seed;
use crate::text::number_of;

/// An id that depends on a word and a number alone.
pub(super) fn uuid(word: &str, serial: u64) -> String {
    let number = number_of(word);
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{serial:012x}",
        number >> 32,
        number >> 16 & 0xffff,
        number >> 4 & 0xfff,
        number & 0xfff
    )
}

/// The id of the integration in a user's workspace.
pub(crate) fn bot_id(user: &str) -> String {
    uuid(user, 1)
}

/// The id of a user's workspace.
pub(crate) fn workspace_id(user: &str) -> String {
    uuid(user, 2)
}

/// The id of the user as a person.
pub(crate) fn person_id(user: &str) -> String {
    uuid(user, 3)
}

/// An id as it is kept, whether it came with dashes or without.
pub(super) fn normal(id: &str) -> String {
    let plain: String = id
        .chars()
        .filter(char::is_ascii_hexdigit)
        .collect::<String>()
        .to_lowercase();
    if plain.len() != 32 {
        return id.to_owned();
    }
    format!(
        "{}-{}-{}-{}-{}",
        &plain[..8],
        &plain[8..12],
        &plain[12..16],
        &plain[16..20],
        &plain[20..]
    )
}

/// A page, a row among them.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) parent: Value,
    pub(super) properties: Map<String, Value>,
    pub(super) icon: Value,
    pub(super) in_trash: bool,
    pub(super) created_ms: i64,
    pub(super) edited_ms: i64,
    /// Its blocks in order.
    pub(super) content: Vec<String>,
}

/// A block.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) parent: Value,
    pub(super) kind: String,
    pub(super) content: Value,
    pub(super) children: Vec<String>,
    pub(super) in_trash: bool,
    pub(super) created_ms: i64,
    pub(super) edited_ms: i64,
}

/// A workspace.
pub(crate) struct Workspace {
    pub(crate) requests: Window,
    pub(super) user: String,
    pub(super) pages: BTreeMap<String, Page>,
    pub(super) blocks: BTreeMap<String, Block>,
    pub(super) comments: Vec<Value>,
    pub(super) database: String,
    pub(super) data_source: String,
    /// The title of the database.
    pub(super) title: String,
    /// The data source's properties by name.
    pub(super) columns: Value,
    serial: u64,
}

impl Workspace {
    /// The workspace that a user begins with.
    pub(crate) fn seeded(user: &str, rows: usize) -> Self {
        let options = |names: [&str; 3]| -> Vec<Value> {
            names
                .iter()
                .enumerate()
                .map(|(at, name)| json!({ "id": format!("o{at}"), "name": name, "color": "default" }))
                .collect()
        };
        let mut workspace = Self {
            requests: Window::default(),
            user: user.to_owned(),
            pages: BTreeMap::new(),
            blocks: BTreeMap::new(),
            comments: Vec::new(),
            database: uuid(user, 4),
            data_source: uuid(user, 5),
            title: format!("Tasks of {user}"),
            columns: json!({
                "Name": { "id": "title", "name": "Name", "type": "title", "title": {} },
                "Status": { "id": "s%3At", "name": "Status", "type": "status", "status": { "options": options(["Not started", "In progress", "Done"]), "groups": [] } },
                "Priority": { "id": "pr", "name": "Priority", "type": "select", "select": { "options": options(["High", "Medium", "Low"]) } },
                "Tags": { "id": "tg", "name": "Tags", "type": "multi_select", "multi_select": { "options": options(["home", "office", "travel"]) } },
                "Due": { "id": "du", "name": "Due", "type": "date", "date": {} },
                "Points": { "id": "po", "name": "Points", "type": "number", "number": { "format": "number" } },
                "Ready": { "id": "rd", "name": "Ready", "type": "checkbox", "checkbox": {} },
                "Owner": { "id": "ow", "name": "Owner", "type": "people", "people": {} },
                "Notes": { "id": "no", "name": "Notes", "type": "rich_text", "rich_text": {} },
            }),
            serial: 100,
        };
        workspace.seed(rows);
        workspace
    }

    fn seed(&mut self, rows: usize) {
        let user = self.user.clone();
        let home = self.add_page(
            json!({ "type": "workspace", "workspace": true }),
            titled(&format!("Home of {user}")),
            minutes_before_start(90_000),
        );
        for n in 0..8 {
            let at = minutes_before_start(80_000 - n * 1_000);
            let title = format!("{} ({user})", seed::subject(n));
            let page = self.add_page(json!({ "type": "page_id", "page_id": home }), titled(&title), at);
            let text = format!(
                "# {title}\nWritten by {user}.\n- {}\n- {}\n- [ ] Ask {}",
                seed::company_name(n),
                seed::company_name(n + 1),
                seed::first_name(n)
            );
            self.write(&page, &text, at);
        }
        for n in 0..rows {
            let values = json!({
                "Name": { "title": [{ "text": { "content": format!("{} for {user}, {n}", seed::subject(n)) } }] },
                "Status": { "status": { "name": (["Not started", "In progress", "Done"][n % 3]) } },
                "Priority": { "select": { "name": (["High", "Medium", "Low"][n % 3]) } },
                "Due": { "date": { "start": rfc3339(minutes_before_start(0) + i64::try_from(n % 60).unwrap_or(0) * 86_400_000)[..10] } },
                "Points": { "number": n % 13 },
                "Owner": { "people": [{ "id": person_id(&user) }] },
            });
            let properties = self.row_values(&values).unwrap_or_default();
            let parent = self.row_parent();
            self.add_page(parent, properties, minutes_before_start(60_000 - n.min(59_000)));
        }
    }

    pub(super) fn next_id(&mut self) -> String {
        self.serial += 1;
        uuid(&self.user, self.serial)
    }

    /// Where rows are.
    pub(super) fn row_parent(&self) -> Value {
        json!({ "type": "data_source_id", "data_source_id": self.data_source, "database_id": self.database })
    }

    /// All of a row's values, those that were sent and empty ones.
    pub(super) fn row_values(&self, sent: &Value) -> Result<Map<String, Value>, Problem> {
        let mut values: Map<String, Value> = self
            .columns
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, column)| (name.clone(), empty(column)))
            .collect();
        values.extend(self.sent_values(sent)?);
        Ok(values)
    }

    /// The values of a row that were sent.
    pub(super) fn sent_values(&self, sent: &Value) -> Result<Map<String, Value>, Problem> {
        let mut values = Map::new();
        for (name, value) in sent.as_object().into_iter().flatten() {
            let column = self
                .columns
                .as_object()
                .into_iter()
                .flatten()
                .find(|(known, column)| *known == name || column["id"] == name.as_str());
            let Some((known, column)) = column else {
                return Err(Problem::invalid(format!("{name} is not a property that exists.")));
            };
            values.insert(known.clone(), stored(known, column, value)?);
        }
        Ok(values)
    }

    pub(super) fn add_page(&mut self, parent: Value, properties: Map<String, Value>, at_ms: i64) -> String {
        let id = self.next_id();
        let page = Page {
            parent,
            properties,
            icon: Value::Null,
            in_trash: false,
            created_ms: at_ms,
            edited_ms: at_ms,
            content: Vec::new(),
        };
        self.pages.insert(id.clone(), page);
        id
    }

    pub(super) fn page(&self, id: &str) -> Result<&Page, Problem> {
        self.pages
            .get(&normal(id))
            .ok_or_else(|| Problem::not_found("page", id))
    }

    pub(super) fn page_mut(&mut self, id: &str) -> Result<&mut Page, Problem> {
        self.pages
            .get_mut(&normal(id))
            .ok_or_else(|| Problem::not_found("page", id))
    }

    /// A block that is not in the trash.
    pub(super) fn block(&self, id: &str) -> Result<&Block, Problem> {
        self.blocks
            .get(&normal(id))
            .filter(|block| !block.in_trash)
            .ok_or_else(|| Problem::not_found("block", id))
    }

    /// The ids of what lies in a page or block.
    pub(super) fn inside(&self, id: &str) -> Result<&Vec<String>, Problem> {
        match self.pages.get(&normal(id)) {
            Some(page) => Ok(&page.content),
            None => Ok(&self.block(id)?.children),
        }
    }

    /// Puts blocks into a page or block: at the end, or at a place.
    pub(super) fn put(
        &mut self,
        id: &str,
        at: Option<usize>,
        blocks: Vec<(String, Value)>,
        now_ms: i64,
    ) -> Result<Vec<String>, Problem> {
        let home = normal(id);
        let parent = if self.pages.contains_key(&home) {
            json!({ "type": "page_id", "page_id": home })
        } else {
            self.block(id)?;
            json!({ "type": "block_id", "block_id": home })
        };
        let mut added = Vec::new();
        for (kind, content) in blocks {
            let new = self.next_id();
            let block = Block {
                parent: parent.clone(),
                kind,
                content,
                children: Vec::new(),
                in_trash: false,
                created_ms: now_ms,
                edited_ms: now_ms,
            };
            self.blocks.insert(new.clone(), block);
            added.push(new);
        }
        let inside = match self.pages.get_mut(&home) {
            Some(page) => {
                page.edited_ms = now_ms;
                Some(&mut page.content)
            }
            None => self.blocks.get_mut(&home).map(|block| &mut block.children),
        };
        if let Some(inside) = inside {
            let at = at.unwrap_or(inside.len()).min(inside.len());
            inside.splice(at..at, added.iter().cloned());
        }
        Ok(added)
    }

    /// The text of a page.
    pub(super) fn text(&self, page: &Page) -> String {
        let lines: Vec<String> = page
            .content
            .iter()
            .filter_map(|id| self.block(id).ok())
            .map(|block| markdown::line(&block.kind, &block.content))
            .collect();
        lines.join("\n")
    }

    /// Gives a page another text.
    pub(super) fn write(&mut self, id: &str, text: &str, now_ms: i64) {
        let blocks = markdown::parse(text)
            .into_iter()
            .map(|(kind, content)| (kind.to_owned(), content))
            .collect();
        if let Ok(page) = self.page_mut(id) {
            for old in std::mem::take(&mut page.content) {
                self.blocks.remove(&old);
            }
        }
        let _put = self.put(id, None, blocks, now_ms);
    }

    /// A page as it is answered.
    pub(super) fn answer(&self, id: &str, page: &Page) -> Value {
        let who = json!({ "object": "user", "id": person_id(&self.user) });
        json!({
            "object": "page",
            "id": id,
            "created_time": rfc3339(page.created_ms),
            "last_edited_time": rfc3339(page.edited_ms),
            "created_by": who,
            "last_edited_by": who,
            "cover": null,
            "icon": page.icon,
            "parent": page.parent,
            "in_trash": page.in_trash,
            "is_archived": false,
            "is_locked": false,
            "properties": page.properties,
            "url": format!("https://www.notion.so/{}", id.replace('-', "")),
            "public_url": null,
        })
    }

    pub(super) fn answer_block(&self, id: &str, block: &Block) -> Value {
        let who = json!({ "object": "user", "id": person_id(&self.user) });
        let kind = block.kind.as_str();
        json!({
            "object": "block",
            "id": id,
            "parent": block.parent,
            "created_time": rfc3339(block.created_ms),
            "last_edited_time": rfc3339(block.edited_ms),
            "created_by": who,
            "last_edited_by": who,
            "has_children": !block.children.is_empty(),
            "in_trash": block.in_trash,
            "type": kind,
            kind: block.content,
        })
    }

    pub(super) fn answer_data_source(&self) -> Value {
        let created = rfc3339(minutes_before_start(90_000));
        json!({
            "object": "data_source",
            "id": self.data_source,
            "title": rich(&self.title),
            "description": [],
            "parent": { "type": "database_id", "database_id": self.database },
            "database_parent": { "type": "workspace", "workspace": true },
            "properties": self.columns,
            "in_trash": false,
            "icon": null,
            "created_time": created,
            "last_edited_time": created,
            "url": format!("https://www.notion.so/{}", self.data_source.replace('-', "")),
        })
    }
}

/// The one property of a page that is no row.
pub(super) fn titled(title: &str) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert(
        "title".to_owned(),
        json!({ "id": "title", "type": "title", "title": rich(title) }),
    );
    properties
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_users_share_no_id_and_ids_need_no_dashes() {
        let (ada, grace) = (Workspace::seeded("ada", 5), Workspace::seeded("grace", 5));
        assert!(ada.pages.keys().all(|id| !grace.pages.contains_key(id)));
        let (id, _) = ada.pages.iter().next().unwrap();
        assert!(ada.page(&id.replace('-', "").to_uppercase()).is_ok());
        assert!(ada.page("nonsense").is_err());
    }
}
