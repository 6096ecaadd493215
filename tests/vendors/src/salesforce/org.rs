//! One user's org: its records, its open query results.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::kinds::{Kind, STAGES};
use crate::calendar::{minutes_before_start, rfc3339};
use crate::hubspot::Window;
use crate::seed;
use crate::text::number_of;

/// A record: every field that has a value.
pub(super) type Record = Map<String, Value>;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The vendor's form of ids: an object's prefix, 12 digits of base 62 of which the first half is the
/// user's, and three characters that say which letters are capitals, for readers without case.
fn id_of(user: &str, prefix: &str, serial: u64) -> String {
    let digits = |mut number: u64| -> String {
        let mut out = [b'0'; 6];
        for place in out.iter_mut().rev() {
            *place = DIGITS[usize::try_from(number % 62).unwrap_or(0)];
            number /= 62;
        }
        out.iter().map(|byte| char::from(*byte)).collect()
    };
    let short = format!("{prefix}{}{}", digits(number_of(user)), digits(serial));
    let check = check(&short);
    short + &check
}

/// Three characters of which each says which of five letters are capitals.
fn check(short: &str) -> String {
    let capitals = |chunk: &[u8]| {
        chunk.iter().enumerate().fold(0_usize, |bits, (at, byte)| {
            bits | usize::from(byte.is_ascii_uppercase()) << at
        })
    };
    short
        .as_bytes()
        .chunks(5)
        .map(|chunk| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[capitals(chunk)]))
        .collect()
}

/// The id of a user's org.
pub(crate) fn org_id(user: &str) -> String {
    id_of(user, "00D", 0)
}

/// The id of a user in the org.
pub(crate) fn user_id(user: &str) -> String {
    id_of(user, "005", 0)
}

/// `2026-03-02T09:00:00.000+0000`, as records have times.
pub(super) fn time(ms: i64) -> String {
    rfc3339(ms).replace('Z', "+0000")
}

/// `2026-03-02`, so many days after the simulator's start.
fn day(days: i64) -> String {
    rfc3339(minutes_before_start(0) + days * 86_400_000)[..10].to_owned()
}

/// An org.
pub(crate) struct Org {
    pub(crate) requests: Window,
    pub(super) user: String,
    pub(super) user_id: String,
    records: BTreeMap<&'static str, BTreeMap<String, Record>>,
    /// Results of queries of which only a part was answered, by locator.
    pub(super) results: BTreeMap<String, Vec<Value>>,
    serial: u64,
}

impl Org {
    /// The org that a user begins with.
    pub(crate) fn seeded(user: &str, opportunities: usize) -> Self {
        let mut org = Self {
            requests: Window::default(),
            user: user.to_owned(),
            user_id: user_id(user),
            records: BTreeMap::new(),
            results: BTreeMap::new(),
            serial: 0,
        };
        org.seed(opportunities);
        org
    }

    /// A record by its id of 15 or 18 characters, those in the recycle bin included.
    pub(super) fn find(&self, kind: &Kind, id: &str) -> Option<&Record> {
        let (key, record) = self.entry(kind, id)?;
        (id.len() == 15 || id == key).then_some(record)
    }

    fn entry(&self, kind: &Kind, id: &str) -> Option<(&String, &Record)> {
        let short = id.get(..15)?;
        self.records
            .get(kind.name)?
            .range(short.to_owned()..)
            .next()
            .filter(|(key, _)| key.starts_with(short))
    }

    pub(super) fn find_mut(&mut self, kind: &Kind, id: &str) -> Option<&mut Record> {
        let key = self.entry(kind, id)?.0.clone();
        self.records.get_mut(kind.name)?.get_mut(&key)
    }

    /// The records of an object that are not in the recycle bin.
    pub(super) fn all(&self, kind: &Kind) -> impl Iterator<Item = &Record> + use<'_> {
        self.records
            .get(kind.name)
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter(|record| record["IsDeleted"] == false)
    }

    /// The record that an id stands for, whatever its object.
    pub(super) fn resolve(&self, id: &str) -> Option<(&'static Kind, &Record)> {
        let kind = Kind::of_id(id)?;
        let record = self.find(kind, id)?;
        (record["IsDeleted"] == false).then_some((kind, record))
    }

    /// A locator for the rest of a query's results.
    pub(super) fn keep(&mut self, results: Vec<Value>) -> String {
        self.serial += 1;
        let locator = id_of(&self.user, "0r8", self.serial);
        self.results.insert(locator.clone(), results);
        locator
    }

    /// Adds a record and what Salesforce sets by itself; answers its id.
    pub(super) fn add(&mut self, kind: &Kind, given: Record, now_ms: i64) -> String {
        self.serial += 1;
        let id = if kind.name == "User" && self.all(kind).next().is_none() {
            self.user_id.clone()
        } else {
            id_of(&self.user, kind.prefix, self.serial)
        };
        let mut record = given;
        record.insert("Id".to_owned(), json!(id));
        record.insert("IsDeleted".to_owned(), json!(false));
        record.insert("CreatedDate".to_owned(), json!(time(now_ms)));
        record.insert("CreatedById".to_owned(), json!(self.user_id));
        if kind.field("OwnerId").is_some() && !record.contains_key("OwnerId") {
            record.insert("OwnerId".to_owned(), json!(self.user_id));
        }
        match kind.name {
            "Case" => {
                record.insert("CaseNumber".to_owned(), json!(format!("{:08}", self.serial)));
                record.entry("Status").or_insert(json!("New"));
                record.entry("Priority").or_insert(json!("Medium"));
            }
            "Lead" => {
                record.insert("IsConverted".to_owned(), json!(false));
                record.entry("Status").or_insert(json!("Open - Not Contacted"));
            }
            "Task" => {
                record.entry("Status").or_insert(json!("Not Started"));
                record.entry("Priority").or_insert(json!("Normal"));
            }
            "CaseComment" | "OpportunityContactRole" => {
                let flag = if kind.name == "CaseComment" {
                    "IsPublished"
                } else {
                    "IsPrimary"
                };
                record.entry(flag).or_insert(json!(false));
            }
            _ => {}
        }
        derive(kind, &mut record, now_ms);
        let contact = record.get("ContactId").cloned();
        self.records
            .entry(kind.name)
            .or_default()
            .insert(id.clone(), record);
        if let ("Opportunity", Some(contact)) = (kind.name, contact) {
            // A contact that is given with an opportunity becomes its primary contact role.
            let role = json!({ "OpportunityId": id, "ContactId": contact, "IsPrimary": true, "Role": "Decision Maker" });
            self.add(kind_named("OpportunityContactRole"), object(role), now_ms);
        }
        id
    }

    fn seed(&mut self, opportunities: usize) {
        let user = self.user.clone();
        let age = |n: usize| minutes_before_start(60 + n * 97);
        let put = |org: &mut Self, object_name: &str, n: usize, record: Value| {
            org.add(kind_named(object_name), object(record), age(n))
        };
        let sellers: Vec<String> = (0..3)
            .map(|n| {
                let (name, email) = if n == 0 {
                    (user.clone(), format!("{user}@{user}.example"))
                } else {
                    (
                        format!("{} {}", seed::first_name(n), seed::last_name(n)),
                        seed::address(&user, n),
                    )
                };
                let record = json!({ "Name": name, "Email": email, "Username": format!("{email}.sales"), "IsActive": true });
                put(self, "User", n, record)
            })
            .collect();
        let accounts: Vec<(String, String)> = (0..opportunities.div_ceil(5).max(1))
            .map(|n| {
                let name = seed::company_name(n);
                let site = format!(
                    "https://{}-{n}.{user}.example",
                    name.to_lowercase().replace(' ', "-")
                );
                let record = json!({
                    "Name": name,
                    "Type": (["Prospect", "Customer - Direct"][n % 2]),
                    "Industry": (["Manufacturing", "Transportation", "Retail"][n % 3]),
                    "Website": site,
                    "BillingCity": (["Lisbon", "Oslo", "Turin", "Ghent"][n % 4]),
                    "BillingCountry": (["Portugal", "Norway", "Italy", "Belgium"][n % 4]),
                    "NumberOfEmployees": n * 13 % 400 + 3,
                    "External_Id__c": format!("A-{n}-{user}"),
                    "OwnerId": sellers[n % 3],
                });
                (put(self, "Account", n, record), name)
            })
            .collect();
        let contacts: Vec<String> = (0..accounts.len())
            .map(|n| {
                let record = json!({
                    "FirstName": seed::first_name(n),
                    "LastName": seed::last_name(n),
                    "Email": seed::address(&user, n),
                    "Phone": format!("+1 555 {:04}", n % 10_000),
                    "Title": (["Buyer", "Engineer", "Owner", "Planner"][n % 4]),
                    "AccountId": accounts[n].0,
                    "OwnerId": sellers[n % 3],
                });
                put(self, "Contact", n, record)
            })
            .collect();
        for n in 0..opportunities {
            let (account, name) = &accounts[n % accounts.len()];
            let (stage, _) = STAGES[n % STAGES.len()];
            let is_closed = stage.starts_with("Closed");
            let days = i64::try_from(n * 3 % 120).unwrap_or(0);
            let mut record = json!({
                "Name": format!("{name}, {} units for {user}", n * 7 % 90 + 10),
                "StageName": stage,
                "CloseDate": day(if is_closed { -1 - days } else { 1 + days }),
                "Amount": (n * 7 % 90 + 1) * 1_000,
                "churn_risk_score__c": f64::from(u32::try_from(n * 37 % 101).unwrap_or(0)) / 100.0,
                "External_Id__c": format!("O-{n}-{user}"),
                "AccountId": account,
                "ContactId": contacts[n % contacts.len()],
                "OwnerId": sellers[n % 3],
            });
            if n % 3 == 0 && !is_closed {
                record["NextStep"] = json!("Send the offer");
            }
            if n % 11 == 5 {
                record["Amount"] = Value::Null;
            }
            put(self, "Opportunity", n, record);
        }
        for n in 0..12 {
            let record = json!({
                "FirstName": seed::first_name(n + 5),
                "LastName": seed::last_name(n + 7),
                "Company": seed::company_name(n + 40),
                "Email": seed::address(&user, n + 1_000),
                "LeadSource": (["Web", "Phone Inquiry"][n % 2]),
                "OwnerId": sellers[n % 3],
            });
            put(self, "Lead", n, record);
        }
        for n in 0..15 {
            let at = n % accounts.len();
            let record = json!({
                "Subject": format!("{} ({user})", seed::subject(n)),
                "Status": (["New", "Working", "Closed"][n % 3]),
                "Priority": (["High", "Medium", "Low"][n % 3]),
                "Origin": (["Email", "Phone", "Web"][n % 3]),
                "AccountId": accounts[at].0,
                "ContactId": contacts[at],
                "OwnerId": sellers[n % 3],
            });
            put(self, "Case", n, record);
            let record = json!({
                "Subject": format!("Call about {} ({user})", seed::subject(n).to_lowercase()),
                "Status": (["Not Started", "Completed"][n % 2]),
                "ActivityDate": day(i64::try_from(n).unwrap_or(0) - 3),
                "WhoId": contacts[at],
                "WhatId": accounts[at].0,
                "OwnerId": sellers[n % 3],
            });
            put(self, "Task", n, record);
        }
        put(
            self,
            "Report",
            0,
            json!({ "Name": format!("Pipeline by stage of {user}"), "FolderName": "Sales" }),
        );
    }
}

/// Sets what follows from other fields.
pub(super) fn derive(kind: &Kind, record: &mut Record, now_ms: i64) {
    let text = |record: &Record, name: &str| {
        record
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    match kind.name {
        "Opportunity" => {
            let stage = text(record, "StageName");
            let known = STAGES.iter().find(|(name, _)| *name == stage);
            record.insert("IsClosed".to_owned(), json!(stage.starts_with("Closed")));
            record.insert("IsWon".to_owned(), json!(stage == "Closed Won"));
            if let Some((_, probability)) = known {
                record.insert("Probability".to_owned(), json!(probability));
            }
        }
        "Contact" | "Lead" => {
            let name = format!("{} {}", text(record, "FirstName"), text(record, "LastName"));
            record.insert("Name".to_owned(), json!(name.trim()));
        }
        "Case" | "Task" => {
            let status = text(record, "Status");
            let is_closed = status == "Closed" || status == "Completed";
            record.insert("IsClosed".to_owned(), json!(is_closed));
        }
        _ => {}
    }
    record.insert("LastModifiedDate".to_owned(), json!(time(now_ms)));
    record.retain(|_, value| !value.is_null());
}

/// An object that is in the table.
fn kind_named(name: &str) -> &'static Kind {
    Kind::named(name).expect("the table has it")
}

fn object(value: Value) -> Record {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_vendors_check_characters_and_name_their_user() {
        assert_eq!(check("0015000000Gv7qJ"), "AAR");
        let id = id_of("ada", "006", 7);
        assert_eq!(id.len(), 18);
        assert_ne!(id_of("ada", "006", 7)[3..9], id_of("grace", "006", 7)[3..9]);
    }

    #[test]
    fn a_record_is_found_by_either_form_of_its_id() {
        let org = Org::seeded("ada", 20);
        let kind = kind_named("Opportunity");
        let id = org.all(kind).next().unwrap()["Id"].as_str().unwrap().to_owned();
        assert_eq!(org.find(kind, &id), org.find(kind, &id[..15]));
        assert!(org.find(kind, "006000000000000").is_none());
        assert!(org.find(kind, "short").is_none());
    }

    #[test]
    fn two_users_share_no_record() {
        let all = |user: &str| {
            let org = Org::seeded(user, 20);
            let ids: Vec<String> = org.records.values().flat_map(BTreeMap::keys).cloned().collect();
            ids
        };
        let theirs = all("grace");
        assert!(all("ada").iter().all(|id| !theirs.contains(id)));
    }
}
