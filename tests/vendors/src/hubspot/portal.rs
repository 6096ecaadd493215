//! One user's portal: objects and how they are associated.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::gate::Window;
use super::kinds::{Kind, OBJECT_ID};
use crate::calendar::{minutes_before_start, rfc3339};
use crate::seed;
use crate::text::number_of;

/// The stable number of a user's portal.
pub(crate) fn portal_id(user: &str) -> u64 {
    10_000_000 + number_of(user) % 80_000_000
}

/// One CRM object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) id: u64,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    pub(crate) archived: bool,
}

impl Object {
    /// A property, those that the vendor sets included.
    pub(crate) fn property(&self, kind: &Kind, name: &str) -> Option<String> {
        if name == OBJECT_ID {
            Some(self.id.to_string())
        } else if name == kind.created() {
            Some(rfc3339(self.created_ms))
        } else if name == kind.modified() {
            Some(rfc3339(self.updated_ms))
        } else {
            self.properties
                .get(name)
                .filter(|value| !value.is_empty())
                .cloned()
        }
    }

    /// The object as answered, with the wanted properties or the usual ones.
    pub(crate) fn answer(&self, kind: &Kind, wanted: &[String]) -> Value {
        let mut names: BTreeSet<&str> = [OBJECT_ID, kind.created(), kind.modified()].into();
        if wanted.is_empty() {
            names.extend(kind.defaults);
        } else {
            names.extend(
                wanted
                    .iter()
                    .map(String::as_str)
                    .filter(|name| kind.has_property(name)),
            );
        }
        let properties: Map<String, Value> = names
            .into_iter()
            .map(|name| (name.to_owned(), json!(self.property(kind, name))))
            .collect();
        json!({
            "id": self.id.to_string(),
            "properties": properties,
            "createdAt": rfc3339(self.created_ms),
            "updatedAt": rfc3339(self.updated_ms),
            "archived": self.archived,
        })
    }
}

/// `(from type, from id, to type)`.
type Link = (&'static str, u64, &'static str);

/// A portal.
pub(crate) struct Portal {
    pub(crate) id: u64,
    pub(crate) requests: Window,
    pub(crate) searches: Window,
    objects: BTreeMap<&'static str, BTreeMap<u64, Object>>,
    links: BTreeMap<Link, BTreeSet<u64>>,
    next_id: u64,
}

impl Portal {
    /// The portal that a user begins with.
    pub(crate) fn seeded(user: &str, contacts: usize) -> Self {
        let id = portal_id(user);
        let mut portal = Self {
            id,
            requests: Window::default(),
            searches: Window::default(),
            objects: BTreeMap::new(),
            links: BTreeMap::new(),
            // No two portals share an object id, so that a mixed-up account shows.
            next_id: id * 1_000_000 + 1,
        };
        portal.seed(user, contacts);
        portal
    }

    fn seed(&mut self, user: &str, contacts: usize) {
        let [contact, company, deal, ticket, note] =
            ["contacts", "companies", "deals", "tickets", "notes"].map(kind_named);
        let age = |n: usize| minutes_before_start(60 + (contacts.saturating_sub(n)) * 97);
        let companies: Vec<u64> = (0..contacts.div_ceil(10))
            .map(|n| {
                let name = seed::company_name(n);
                let domain = format!("{}-{n}.{user}.example", name.to_lowercase().replace(' ', "-"));
                let employees = (n * 13 % 400 + 3).to_string();
                let properties = [
                    ("name", name.as_str()),
                    ("domain", &domain),
                    ("industry", "MANUFACTURING"),
                    ("city", ["Lisbon", "Oslo", "Turin", "Ghent"][n % 4]),
                    ("numberofemployees", &employees),
                ];
                self.add(company, properties_of(&properties), age(n))
            })
            .collect();
        let people: Vec<u64> = (0..contacts)
            .map(|n| {
                let email = seed::address(user, n);
                let phone = format!("+1 555 {:04}", n % 10_000);
                let stage = ["lead", "customer", "opportunity"][n % 3];
                let properties = [
                    ("firstname", seed::first_name(n)),
                    ("lastname", seed::last_name(n)),
                    ("email", &email),
                    ("phone", &phone),
                    ("company", &seed::company_name(n % companies.len().max(1))),
                    ("jobtitle", ["Buyer", "Engineer", "Owner", "Planner"][n % 4]),
                    ("lifecyclestage", stage),
                    ("hubspot_owner_id", ["101", "102", "103"][n % 3]),
                ];
                self.add(contact, properties_of(&properties), age(n))
            })
            .collect();
        for (n, person) in people.iter().enumerate() {
            self.link(contact, *person, company, companies[n % companies.len()]);
        }
        for (n, person) in people.iter().enumerate().step_by(5) {
            let stages = [
                "appointmentscheduled",
                "qualifiedtobuy",
                "contractsent",
                "closedwon",
            ];
            let name = format!(
                "{} for {}",
                seed::subject(n / 5),
                seed::company_name(n % companies.len())
            );
            let amount = ((n * 37 % 90 + 10) * 100).to_string();
            let properties = [
                ("dealname", name.as_str()),
                ("amount", &amount),
                ("pipeline", "default"),
                ("dealstage", stages[n / 5 % 4]),
                ("closedate", "2026-06-30T00:00:00.000Z"),
                ("hubspot_owner_id", ["101", "102", "103"][n % 3]),
            ];
            let id = self.add(deal, properties_of(&properties), age(n));
            self.link(deal, id, contact, *person);
            self.link(deal, id, company, companies[n % companies.len()]);
        }
        for (n, person) in people.iter().enumerate().step_by(9) {
            let properties = [
                ("subject", seed::subject(n / 9)),
                ("content", "Seen since this morning, on every device."),
                ("hs_pipeline", "0"),
                ("hs_pipeline_stage", ["1", "2", "3", "4"][n / 9 % 4]),
                ("hs_ticket_priority", ["LOW", "MEDIUM", "HIGH"][n / 9 % 3]),
            ];
            let id = self.add(ticket, properties_of(&properties), age(n));
            self.link(ticket, id, contact, *person);
        }
        for (n, person) in people.iter().enumerate().step_by(11) {
            let body = format!("{} asked to be called back.", seed::first_name(n));
            let properties = [
                ("hs_note_body", body.as_str()),
                ("hs_timestamp", &rfc3339(age(n))),
            ];
            let id = self.add(note, properties_of(&properties), age(n));
            self.link(note, id, contact, *person);
        }
    }

    pub(crate) fn add(
        &mut self,
        kind: &'static Kind,
        properties: BTreeMap<String, String>,
        at_ms: i64,
    ) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let object = Object {
            id,
            properties,
            created_ms: at_ms,
            updated_ms: at_ms,
            archived: false,
        };
        self.objects.entry(kind.plural).or_default().insert(id, object);
        id
    }

    /// Objects of a type in order of creation, archived or not.
    pub(crate) fn all(&self, kind: &Kind, archived: bool) -> impl Iterator<Item = &Object> {
        self.objects
            .get(kind.plural)
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter(move |object| object.archived == archived)
    }

    /// A live object.
    pub(crate) fn find(&self, kind: &Kind, id: u64) -> Option<&Object> {
        self.objects
            .get(kind.plural)?
            .get(&id)
            .filter(|object| !object.archived)
    }

    pub(crate) fn find_mut(&mut self, kind: &Kind, id: u64) -> Option<&mut Object> {
        self.objects
            .get_mut(kind.plural)?
            .get_mut(&id)
            .filter(|object| !object.archived)
    }

    /// Associates two objects, both ways.
    pub(crate) fn link(&mut self, from: &'static Kind, from_id: u64, to: &'static Kind, to_id: u64) {
        self.links
            .entry((from.plural, from_id, to.plural))
            .or_default()
            .insert(to_id);
        self.links
            .entry((to.plural, to_id, from.plural))
            .or_default()
            .insert(from_id);
    }

    pub(crate) fn unlink(&mut self, from: &'static Kind, from_id: u64, to: &'static Kind, to_id: u64) {
        for (key, other) in [
            ((from.plural, from_id, to.plural), to_id),
            ((to.plural, to_id, from.plural), from_id),
        ] {
            if let Some(others) = self.links.get_mut(&key) {
                others.remove(&other);
            }
        }
    }

    /// Live objects of a type that an object is associated with.
    pub(crate) fn linked(&self, from: &'static Kind, from_id: u64, to: &'static Kind) -> Vec<u64> {
        self.links
            .get(&(from.plural, from_id, to.plural))
            .into_iter()
            .flatten()
            .copied()
            .filter(|id| self.find(to, *id).is_some())
            .collect()
    }
}

fn kind_named(name: &str) -> &'static Kind {
    Kind::named(name).expect("the table has every type that is seeded")
}

fn properties_of(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
