//! The objects of an org and their fields: a part of the vendor's standard ones, and two custom
//! fields (`churn_risk_score__c`, `External_Id__c`).

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Id,
    Text,
    Email,
    TextArea,
    Number,
    Currency,
    Whole,
    Bool,
    Date,
    Time,
    Pick(&'static [&'static str]),
    /// The id of another record: of this object, or of any when empty.
    Ref {
        to: &'static str,
        relationship: &'static str,
    },
}

impl Of {
    /// The vendor's name of the type.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Text => "string",
            Self::Email => "email",
            Self::TextArea => "textarea",
            Self::Number => "double",
            Self::Currency => "currency",
            Self::Whole => "int",
            Self::Bool => "boolean",
            Self::Date => "date",
            Self::Time => "datetime",
            Self::Pick(_) => "picklist",
            Self::Ref { .. } => "reference",
        }
    }

    pub(super) fn is_text(self) -> bool {
        matches!(
            self,
            Self::Id | Self::Text | Self::Email | Self::TextArea | Self::Pick(_) | Self::Ref { .. }
        )
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::Currency | Self::Whole)
    }
}

/// A field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) of: Of,
    /// A new record has to have it.
    pub(super) required: bool,
    /// It may be given.
    pub(super) writable: bool,
}

impl Field {
    pub(super) fn is_custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    pub(super) fn is_external_id(&self) -> bool {
        self.name == EXTERNAL_ID
    }
}

/// The one field that is an external id, in every object that has it.
pub(super) const EXTERNAL_ID: &str = "External_Id__c";

const fn may(name: &'static str, of: Of) -> Field {
    Field {
        name,
        of,
        required: false,
        writable: true,
    }
}

const fn must(name: &'static str, of: Of) -> Field {
    Field {
        name,
        of,
        required: true,
        writable: true,
    }
}

/// What Salesforce sets.
const fn set(name: &'static str, of: Of) -> Field {
    Field {
        name,
        of,
        required: false,
        writable: false,
    }
}

const fn to(name: &'static str, to: &'static str, relationship: &'static str) -> Field {
    may(name, Of::Ref { to, relationship })
}

/// Fields of every object.
static COMMON: [Field; 5] = [
    set("Id", Of::Id),
    set("IsDeleted", Of::Bool),
    set("CreatedDate", Of::Time),
    set("LastModifiedDate", Of::Time),
    set(
        "CreatedById",
        Of::Ref {
            to: "User",
            relationship: "CreatedBy",
        },
    ),
];

const OWNER: Field = to("OwnerId", "User", "Owner");

/// Stages of an opportunity with their probability; the last two are closed.
pub(super) const STAGES: [(&str, f64); 8] = [
    ("Prospecting", 10.0),
    ("Qualification", 10.0),
    ("Needs Analysis", 20.0),
    ("Value Proposition", 50.0),
    ("Proposal/Price Quote", 75.0),
    ("Negotiation/Review", 90.0),
    ("Closed Won", 100.0),
    ("Closed Lost", 0.0),
];

const STAGE_NAMES: [&str; 8] = [
    "Prospecting",
    "Qualification",
    "Needs Analysis",
    "Value Proposition",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
];

/// An object.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) plural: &'static str,
    pub(super) prefix: &'static str,
    /// The field that names a record.
    pub(super) label: &'static str,
    fields: &'static [Field],
    /// Relationship, child object, and the child's field that points here.
    pub(super) children: &'static [(&'static str, &'static str, &'static str)],
}

impl Kind {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(name))
    }

    /// The object whose ids begin so.
    pub(super) fn of_id(id: &str) -> Option<&'static Self> {
        KINDS
            .iter()
            .find(|kind| id.len() >= 15 && id.starts_with(kind.prefix))
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        COMMON.iter().chain(self.fields)
    }

    /// A field; names are compared without case, as the vendor does.
    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The field behind a relationship's name (`Account` for `AccountId`).
    pub(super) fn relationship(&self, name: &str) -> Option<&'static Field> {
        self.fields().find(
            |field| matches!(field.of, Of::Ref { relationship, .. } if relationship.eq_ignore_ascii_case(name)),
        )
    }

    pub(super) fn child(&self, name: &str) -> Option<(&'static str, &'static Kind, &'static str)> {
        let &(relationship, object, field) = self
            .children
            .iter()
            .find(|(relationship, ..)| relationship.eq_ignore_ascii_case(name))?;
        Some((relationship, Self::named(object)?, field))
    }
}

pub(super) static KINDS: [Kind; 11] = [
    Kind {
        name: "Account",
        plural: "Accounts",
        prefix: "001",
        label: "Name",
        fields: &[
            must("Name", Of::Text),
            may("Type", Of::Pick(&["Prospect", "Customer - Direct", "Other"])),
            may(
                "Industry",
                Of::Pick(&["Manufacturing", "Transportation", "Retail"]),
            ),
            may("Phone", Of::Text),
            may("Website", Of::Text),
            may("BillingCity", Of::Text),
            may("BillingCountry", Of::Text),
            may("AnnualRevenue", Of::Currency),
            may("NumberOfEmployees", Of::Whole),
            may("Description", Of::TextArea),
            may(EXTERNAL_ID, Of::Text),
            OWNER,
        ],
        children: &[
            ("Contacts", "Contact", "AccountId"),
            ("Opportunities", "Opportunity", "AccountId"),
            ("Cases", "Case", "AccountId"),
            ("Tasks", "Task", "WhatId"),
        ],
    },
    Kind {
        name: "Contact",
        plural: "Contacts",
        prefix: "003",
        label: "Name",
        fields: &[
            set("Name", Of::Text),
            may("FirstName", Of::Text),
            must("LastName", Of::Text),
            may("Email", Of::Email),
            may("Phone", Of::Text),
            may("Title", Of::Text),
            may("Description", Of::TextArea),
            may(EXTERNAL_ID, Of::Text),
            to("AccountId", "Account", "Account"),
            OWNER,
        ],
        children: &[("Cases", "Case", "ContactId"), ("Tasks", "Task", "WhoId")],
    },
    Kind {
        name: "Opportunity",
        plural: "Opportunities",
        prefix: "006",
        label: "Name",
        fields: &[
            must("Name", Of::Text),
            must("StageName", Of::Pick(&STAGE_NAMES)),
            must("CloseDate", Of::Date),
            may("Amount", Of::Currency),
            may("Probability", Of::Number),
            set("IsClosed", Of::Bool),
            set("IsWon", Of::Bool),
            may("Type", Of::Pick(&["New Customer", "Existing Customer - Upgrade"])),
            may("NextStep", Of::Text),
            may("LeadSource", Of::Text),
            may("Description", Of::TextArea),
            may("churn_risk_score__c", Of::Number),
            may(EXTERNAL_ID, Of::Text),
            to("AccountId", "Account", "Account"),
            to("ContactId", "Contact", "Contact"),
            OWNER,
        ],
        children: &[
            (
                "OpportunityContactRoles",
                "OpportunityContactRole",
                "OpportunityId",
            ),
            ("Tasks", "Task", "WhatId"),
        ],
    },
    Kind {
        name: "OpportunityContactRole",
        plural: "Opportunity Contact Roles",
        prefix: "00K",
        label: "Role",
        fields: &[
            may("Role", Of::Pick(&["Decision Maker", "Evaluator"])),
            may("IsPrimary", Of::Bool),
            to("OpportunityId", "Opportunity", "Opportunity"),
            to("ContactId", "Contact", "Contact"),
        ],
        children: &[],
    },
    Kind {
        name: "Lead",
        plural: "Leads",
        prefix: "00Q",
        label: "Name",
        fields: &[
            set("Name", Of::Text),
            may("FirstName", Of::Text),
            must("LastName", Of::Text),
            must("Company", Of::Text),
            may("Email", Of::Email),
            may("Phone", Of::Text),
            may("Title", Of::Text),
            may(
                "Status",
                Of::Pick(&["Open - Not Contacted", "Working - Contacted"]),
            ),
            may("LeadSource", Of::Text),
            may("Rating", Of::Pick(&["Hot", "Warm", "Cold"])),
            may("Description", Of::TextArea),
            set("IsConverted", Of::Bool),
            OWNER,
        ],
        children: &[("Tasks", "Task", "WhoId")],
    },
    Kind {
        name: "Case",
        plural: "Cases",
        prefix: "500",
        label: "CaseNumber",
        fields: &[
            set("CaseNumber", Of::Text),
            may("Subject", Of::Text),
            may("Description", Of::TextArea),
            may("Status", Of::Pick(&["New", "Working", "Escalated", "Closed"])),
            may("Priority", Of::Pick(&["High", "Medium", "Low"])),
            may("Origin", Of::Pick(&["Phone", "Email", "Web"])),
            may("Type", Of::Text),
            set("IsClosed", Of::Bool),
            to("AccountId", "Account", "Account"),
            to("ContactId", "Contact", "Contact"),
            OWNER,
        ],
        children: &[
            ("CaseComments", "CaseComment", "ParentId"),
            ("Tasks", "Task", "WhatId"),
        ],
    },
    Kind {
        name: "CaseComment",
        plural: "Case Comments",
        prefix: "00a",
        label: "Id",
        fields: &[
            may("CommentBody", Of::TextArea),
            may("IsPublished", Of::Bool),
            must(
                "ParentId",
                Of::Ref {
                    to: "Case",
                    relationship: "Parent",
                },
            ),
        ],
        children: &[],
    },
    Kind {
        name: "Task",
        plural: "Tasks",
        prefix: "00T",
        label: "Subject",
        fields: &[
            may("Subject", Of::Text),
            may("Status", Of::Pick(&["Not Started", "In Progress", "Completed"])),
            may("Priority", Of::Pick(&["High", "Normal", "Low"])),
            may("ActivityDate", Of::Date),
            may("Description", Of::TextArea),
            set("IsClosed", Of::Bool),
            to("WhoId", "", "Who"),
            to("WhatId", "", "What"),
            OWNER,
        ],
        children: &[],
    },
    Kind {
        name: "User",
        plural: "Users",
        prefix: "005",
        label: "Name",
        fields: &[
            set("Name", Of::Text),
            set("Email", Of::Email),
            set("Username", Of::Text),
            set("Title", Of::Text),
            set("IsActive", Of::Bool),
        ],
        children: &[],
    },
    Kind {
        name: "Report",
        plural: "Reports",
        prefix: "00O",
        label: "Name",
        fields: &[set("Name", Of::Text), set("FolderName", Of::Text)],
        children: &[],
    },
    Kind {
        name: "FeedItem",
        plural: "Feed Items",
        prefix: "0D5",
        label: "Id",
        fields: &[
            may("Body", Of::TextArea),
            must(
                "ParentId",
                Of::Ref {
                    to: "",
                    relationship: "Parent",
                },
            ),
        ],
        children: &[],
    },
];
