//! Object types: their names, scopes, properties and the ids of their associations.

/// A type of CRM object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Plural name, as in paths.
    pub(crate) plural: &'static str,
    /// Singular name.
    pub(crate) singular: &'static str,
    /// The vendor's type id.
    pub(crate) type_id: &'static str,
    /// Properties answered when none are asked for.
    pub(crate) defaults: &'static [&'static str],
    /// Further properties that exist.
    pub(crate) others: &'static [&'static str],
    /// Properties that a new object must have.
    pub(crate) required: &'static [&'static str],
    /// Properties that a free-text search looks into.
    pub(crate) searched: &'static [&'static str],
}

/// Set by the vendor, on every object.
pub(crate) const OBJECT_ID: &str = "hs_object_id";

pub(crate) static KINDS: [Kind; 7] = [
    Kind {
        plural: "contacts",
        singular: "contact",
        type_id: "0-1",
        defaults: &["createdate", "email", "firstname", "lastmodifieddate", "lastname"],
        others: &[
            "address",
            "city",
            "company",
            "country",
            "hs_lead_status",
            "hubspot_owner_id",
            "jobtitle",
            "lifecyclestage",
            "mobilephone",
            "notes_last_contacted",
            "phone",
            "state",
            "website",
            "zip",
        ],
        required: &[],
        searched: &["firstname", "lastname", "email", "phone", "company"],
    },
    Kind {
        plural: "companies",
        singular: "company",
        type_id: "0-2",
        defaults: &["createdate", "domain", "hs_lastmodifieddate", "name"],
        others: &[
            "annualrevenue",
            "city",
            "country",
            "description",
            "hubspot_owner_id",
            "industry",
            "lifecyclestage",
            "numberofemployees",
            "phone",
            "state",
            "type",
            "website",
            "zip",
        ],
        required: &[],
        searched: &["name", "domain", "phone", "website"],
    },
    Kind {
        plural: "deals",
        singular: "deal",
        type_id: "0-3",
        defaults: &[
            "amount",
            "closedate",
            "createdate",
            "dealname",
            "dealstage",
            "hs_lastmodifieddate",
            "pipeline",
        ],
        others: &["dealtype", "description", "hs_priority", "hubspot_owner_id"],
        required: &[],
        searched: &["dealname", "pipeline", "dealstage", "description", "dealtype"],
    },
    Kind {
        plural: "tickets",
        singular: "ticket",
        type_id: "0-5",
        defaults: &[
            "content",
            "createdate",
            "hs_lastmodifieddate",
            "hs_pipeline",
            "hs_pipeline_stage",
            "hs_ticket_category",
            "hs_ticket_priority",
            "subject",
        ],
        others: &["closed_date", "hubspot_owner_id", "source_type"],
        required: &["subject", "hs_pipeline_stage"],
        searched: &["subject", "content", "hs_pipeline_stage", "hs_ticket_category"],
    },
    Kind {
        plural: "notes",
        singular: "note",
        type_id: "0-46",
        defaults: &["hs_createdate", "hs_lastmodifieddate"],
        others: &[
            "hs_attachment_ids",
            "hs_note_body",
            "hs_timestamp",
            "hubspot_owner_id",
        ],
        required: &["hs_timestamp"],
        searched: &["hs_note_body"],
    },
    Kind {
        plural: "tasks",
        singular: "task",
        type_id: "0-27",
        defaults: &["hs_createdate", "hs_lastmodifieddate"],
        others: &[
            "hs_task_body",
            "hs_task_priority",
            "hs_task_status",
            "hs_task_subject",
            "hs_task_type",
            "hs_timestamp",
            "hubspot_owner_id",
        ],
        required: &["hs_timestamp"],
        searched: &["hs_task_subject", "hs_task_body"],
    },
    Kind {
        plural: "calls",
        singular: "call",
        type_id: "0-48",
        defaults: &["hs_createdate", "hs_lastmodifieddate"],
        others: &[
            "hs_call_body",
            "hs_call_direction",
            "hs_call_duration",
            "hs_call_status",
            "hs_call_title",
            "hs_timestamp",
            "hubspot_owner_id",
        ],
        required: &["hs_timestamp"],
        searched: &["hs_call_title", "hs_call_body"],
    },
];

impl Kind {
    /// By any of its names.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        KINDS
            .iter()
            .find(|kind| [kind.plural, kind.singular, kind.type_id].contains(&name))
    }

    /// Whether the property exists.
    pub(crate) fn has_property(&self, name: &str) -> bool {
        name == OBJECT_ID || self.defaults.contains(&name) || self.others.contains(&name)
    }

    /// Whether the vendor alone sets the property.
    pub(crate) fn is_read_only(&self, name: &str) -> bool {
        name == OBJECT_ID || name == self.created() || name == self.modified()
    }

    /// The property with the time of creation.
    pub(crate) fn created(&self) -> &'static str {
        if self.defaults.contains(&"createdate") {
            "createdate"
        } else {
            "hs_createdate"
        }
    }

    /// The property with the time of the last change.
    pub(crate) fn modified(&self) -> &'static str {
        if self.plural == "contacts" {
            "lastmodifieddate"
        } else {
            "hs_lastmodifieddate"
        }
    }

    /// The scope that reading or writing needs; activities go with contacts.
    pub(crate) fn scope(&self, write: bool) -> String {
        let object = match self.plural {
            "tickets" => return "tickets".to_owned(),
            "companies" | "deals" => self.plural,
            _ => "contacts",
        };
        format!("crm.objects.{object}.{}", if write { "write" } else { "read" })
    }
}

/// The vendor's id of the unlabelled association from one type to another.
pub(crate) fn association_type_id(from: &Kind, to: &Kind) -> Option<u32> {
    let ids: &[(&str, &str, u32, u32)] = &[
        ("contacts", "companies", 279, 280),
        ("contacts", "deals", 4, 3),
        ("contacts", "tickets", 15, 16),
        ("contacts", "notes", 201, 202),
        ("contacts", "tasks", 203, 204),
        ("contacts", "calls", 193, 194),
        ("companies", "deals", 342, 341),
        ("companies", "tickets", 340, 339),
        ("companies", "notes", 189, 190),
        ("companies", "tasks", 191, 192),
        ("companies", "calls", 181, 182),
        ("deals", "tickets", 27, 28),
        ("deals", "notes", 213, 214),
        ("deals", "tasks", 215, 216),
        ("deals", "calls", 205, 206),
        ("tickets", "notes", 227, 228),
        ("tickets", "tasks", 229, 230),
        ("tickets", "calls", 219, 220),
        ("contacts", "contacts", 449, 449),
        ("companies", "companies", 450, 450),
    ];
    ids.iter().find_map(|(a, b, there, back)| {
        if (*a, *b) == (from.plural, to.plural) {
            Some(*there)
        } else if (*b, *a) == (from.plural, to.plural) {
            Some(*back)
        } else {
            None
        }
    })
}
