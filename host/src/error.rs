//! The one error of the core: what happened, whose move it is, whether another try helps, a text
//! that is safe for an agent to read, and the cause for our own log.
//!
//! Every module below the edges returns [`Fault`] or has its own error with one exhaustive
//! `From` into it beside the enum. Edges render a fault ([`Fault::body`]); nothing else does.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, as a closed set: a kind exists only where a program would act differently.
/// Documented one by one in `docs/reference/errors.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The parameters do not satisfy the tool's schema, or a request body is malformed.
    InvalidInput,
    /// The caller has no valid access token.
    Unauthenticated,
    /// No tool of this name is loaded.
    UnknownTool,
    /// The thing addressed (connection, connector, execution) does not exist for this caller.
    NotFound,
    /// The thing exists already, or changed meanwhile.
    Conflict,
    /// The caller, its environment or the tool's own declaration does not allow this.
    PolicyDenied,
    /// The account never granted a scope that the tool needs.
    ScopeMissing,
    /// No connected account matches.
    AccountNotFound,
    /// Several connected accounts match.
    AccountAmbiguous,
    /// The account matches and cannot be used in its present state.
    AccountNotActive,
    /// A link, state or callback that is unknown, used, expired or not for this connection.
    FlowInvalid,
    /// The vendor, or a declared budget, leaves no room before the deadline.
    RateLimited,
    /// The vendor refused the request (4xx without a more exact kind).
    VendorRejected,
    /// The vendor says that the thing does not exist.
    VendorNotFound,
    /// The vendor says that the thing exists already or was changed.
    VendorConflict,
    /// The vendor says that this account may not do this.
    VendorForbidden,
    /// The vendor cannot be reached, breaks the protocol or answers 5xx.
    VendorUnavailable,
    /// The vendor did not answer in time.
    VendorTimeout,
    /// The connector asked for something that its declaration does not cover; nothing was sent.
    EgressDenied,
    /// A write was sent and its outcome is unknown; it is never repeated by us.
    AmbiguousOutcome,
    /// The idempotency key was used with other parameters, or its first call is still running.
    IdempotencyConflict,
    /// The connector crashed.
    ConnectorTrapped,
    /// The connector used up one of its limits.
    ConnectorLimit,
    /// The connector answered what its declaration does not allow.
    ConnectorOutputInvalid,
    /// The host has no room for the call now.
    Overloaded,
    /// The store does not accept reads or writes.
    StoreUnavailable,
    /// A defect of the host.
    Internal,
}

/// Whose move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The program or agent that called us.
    Caller,
    /// The owner of the connected account.
    Account,
    /// The vendor.
    Vendor,
    /// The connector's author.
    Connector,
    /// The operator of this host.
    Host,
}

/// Whether the same call may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Not without a change.
    Never,
    /// Yes, when the caller likes.
    Later,
    /// Yes, after this long.
    After(Duration),
}

impl Kind {
    /// Every kind, in the order of the reference.
    pub const ALL: [Self; 27] = [
        Self::InvalidInput,
        Self::Unauthenticated,
        Self::UnknownTool,
        Self::NotFound,
        Self::Conflict,
        Self::PolicyDenied,
        Self::ScopeMissing,
        Self::AccountNotFound,
        Self::AccountAmbiguous,
        Self::AccountNotActive,
        Self::FlowInvalid,
        Self::RateLimited,
        Self::VendorRejected,
        Self::VendorNotFound,
        Self::VendorConflict,
        Self::VendorForbidden,
        Self::VendorUnavailable,
        Self::VendorTimeout,
        Self::EgressDenied,
        Self::AmbiguousOutcome,
        Self::IdempotencyConflict,
        Self::ConnectorTrapped,
        Self::ConnectorLimit,
        Self::ConnectorOutputInvalid,
        Self::Overloaded,
        Self::StoreUnavailable,
        Self::Internal,
    ];

    /// The kinds that a connector may give of its own: what a vendor said, or what is wrong with the
    /// input. Any other that it gives becomes `vendor_rejected`; about accounts, callers and itself only the
    /// host knows.
    pub const OF_CONNECTORS: [Self; 9] = [
        Self::InvalidInput,
        Self::ScopeMissing,
        Self::RateLimited,
        Self::VendorRejected,
        Self::VendorNotFound,
        Self::VendorConflict,
        Self::VendorForbidden,
        Self::VendorUnavailable,
        Self::VendorTimeout,
    ];

    /// The public code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::Unauthenticated => "unauthenticated",
            Self::UnknownTool => "unknown_tool",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::PolicyDenied => "policy_denied",
            Self::ScopeMissing => "scope_missing",
            Self::AccountNotFound => "account_not_found",
            Self::AccountAmbiguous => "account_ambiguous",
            Self::AccountNotActive => "account_not_active",
            Self::FlowInvalid => "flow_invalid",
            Self::RateLimited => "rate_limited",
            Self::VendorRejected => "vendor_rejected",
            Self::VendorNotFound => "vendor_not_found",
            Self::VendorConflict => "vendor_conflict",
            Self::VendorForbidden => "vendor_forbidden",
            Self::VendorUnavailable => "vendor_unavailable",
            Self::VendorTimeout => "vendor_timeout",
            Self::EgressDenied => "egress_denied",
            Self::AmbiguousOutcome => "ambiguous_outcome",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::ConnectorTrapped => "connector_trapped",
            Self::ConnectorLimit => "connector_limit",
            Self::ConnectorOutputInvalid => "connector_output_invalid",
            Self::Overloaded => "overloaded",
            Self::StoreUnavailable => "store_unavailable",
            Self::Internal => "internal",
        }
    }

    /// The kind with this public code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == code)
    }

    /// Whose move it usually is.
    #[must_use]
    pub fn side(self) -> Side {
        match self {
            Self::InvalidInput
            | Self::Unauthenticated
            | Self::UnknownTool
            | Self::NotFound
            | Self::Conflict
            | Self::PolicyDenied
            | Self::AccountNotFound
            | Self::AccountAmbiguous
            | Self::FlowInvalid
            | Self::IdempotencyConflict => Side::Caller,
            Self::ScopeMissing | Self::AccountNotActive => Side::Account,
            Self::RateLimited
            | Self::VendorRejected
            | Self::VendorNotFound
            | Self::VendorConflict
            | Self::VendorForbidden
            | Self::VendorUnavailable
            | Self::VendorTimeout
            | Self::AmbiguousOutcome => Side::Vendor,
            Self::EgressDenied
            | Self::ConnectorTrapped
            | Self::ConnectorLimit
            | Self::ConnectorOutputInvalid => Side::Connector,
            Self::Overloaded | Self::StoreUnavailable | Self::Internal => Side::Host,
        }
    }

    /// What to do about it, for the reference.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::InvalidInput => "Mend what `fields` names and call again.",
            Self::Unauthenticated => {
                "Get a token from `/oauth/token` and send it as `Authorization: Bearer`."
            }
            Self::UnknownTool => {
                "Take a name from `/api/v1/tools`, or search there; or install the connector."
            }
            Self::NotFound => "Check the name or id, and that it is of this environment.",
            Self::Conflict => "Read the present state and decide anew.",
            Self::PolicyDenied => "Use a client with the scope that the message names, or ask the operator.",
            Self::ScopeMissing => "Send the account's owner to `authorization_link` to grant the scope.",
            Self::AccountNotFound => {
                "Make a link for this user, or check `identifier` and `connection_name`."
            }
            Self::AccountAmbiguous => {
                "Name one of the accounts in the message by `connection_name` or `connected_account_id`."
            }
            Self::AccountNotActive => "Send the account's owner to `authorization_link`.",
            Self::FlowInvalid => "Make a new link and begin again.",
            Self::RateLimited => "Wait as long as `retry_after_ms` says, or give the call a longer deadline.",
            Self::VendorRejected => "Read `vendor` and change the parameters.",
            Self::VendorNotFound => "Look the thing up again; it may have been deleted at the vendor.",
            Self::VendorConflict => "Read the thing again and decide anew.",
            Self::VendorForbidden => "Ask the account's owner for the permission at the vendor.",
            Self::VendorUnavailable => "Call again later.",
            Self::VendorTimeout => "Call again later, or with a longer deadline.",
            Self::EgressDenied => "Tell the connector's author: the declaration lacks this request.",
            Self::AmbiguousOutcome => "Look at the vendor whether it happened before you call again.",
            Self::IdempotencyConflict => "Use a new key for a new call, or wait for the first one to end.",
            Self::ConnectorTrapped => "Tell the connector's author the `execution_id`.",
            Self::ConnectorLimit => "Ask for less at once; if that does not help, tell the operator.",
            Self::ConnectorOutputInvalid => "Tell the connector's author the `execution_id`.",
            Self::Overloaded => "Call again later, and less at once.",
            Self::StoreUnavailable => "Call again later; the operator looks at the host.",
            Self::Internal => "Tell the operator the `execution_id`.",
        }
    }

    /// Whether another try usually helps.
    #[must_use]
    pub fn retry(self) -> Retry {
        match self {
            Self::RateLimited
            | Self::VendorUnavailable
            | Self::VendorTimeout
            | Self::Overloaded
            | Self::StoreUnavailable => Retry::Later,
            Self::InvalidInput
            | Self::Unauthenticated
            | Self::UnknownTool
            | Self::NotFound
            | Self::Conflict
            | Self::PolicyDenied
            | Self::ScopeMissing
            | Self::AccountNotFound
            | Self::AccountAmbiguous
            | Self::AccountNotActive
            | Self::FlowInvalid
            | Self::VendorRejected
            | Self::VendorNotFound
            | Self::VendorConflict
            | Self::VendorForbidden
            | Self::EgressDenied
            | Self::AmbiguousOutcome
            | Self::IdempotencyConflict
            | Self::ConnectorTrapped
            | Self::ConnectorLimit
            | Self::ConnectorOutputInvalid
            | Self::Internal => Retry::Never,
        }
    }
}

/// What the vendor itself said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct VendorError {
    /// Its HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its own words: untrusted, cut to 2 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// One complaint about the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// JSON pointer to the place; empty for the whole.
    pub path: String,
    /// What is wrong there and what is wanted.
    pub problem: String,
}

/// A cause, for our log only.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why a call did not produce a result.
pub struct Fault(Box<Parts>);

struct Parts {
    kind: Kind,
    side: Side,
    retry: Retry,
    reason: Option<&'static str>,
    public: String,
    vendor: Option<VendorError>,
    fields: Vec<Problem>,
    authorization_link: Option<String>,
    source: Option<Cause>,
}

impl Fault {
    /// A fault of `kind` with a text that is safe to show and says what to do next.
    pub fn new(kind: Kind, public: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            side: kind.side(),
            retry: kind.retry(),
            reason: None,
            public: public.into(),
            vendor: None,
            fields: Vec::new(),
            authorization_link: None,
            source: None,
        }))
    }

    /// A defect of ours; the text that agents see says nothing about it.
    pub fn internal(source: impl Into<Cause>) -> Self {
        Self::new(
            Kind::Internal,
            "The host failed on this call. The operator finds the cause in the log under this execution id.",
        )
        .because(source)
    }

    /// Invalid input with complaints by JSON pointer.
    pub fn invalid(public: impl Into<String>, fields: Vec<Problem>) -> Self {
        let mut fault = Self::new(Kind::InvalidInput, public);
        fault.0.fields = fields;
        fault
    }

    /// Adds the cause that our log shows.
    #[must_use]
    pub fn because(mut self, source: impl Into<Cause>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds a stable word that tells variants of a kind apart (`host_not_allowed`, `memory`).
    #[must_use]
    pub fn reason(mut self, reason: &'static str) -> Self {
        self.0.reason = Some(reason);
        self
    }

    /// Says whose move it is, where the kind's usual side is wrong.
    #[must_use]
    pub fn on(mut self, side: Side) -> Self {
        self.0.side = side;
        self
    }

    /// Says whether another try helps, where the kind's usual answer is wrong.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Adds what the vendor said.
    #[must_use]
    pub fn vendor(mut self, vendor: VendorError) -> Self {
        self.0.vendor = Some(vendor);
        self
    }

    /// Adds the link by which the account's owner can mend this.
    #[must_use]
    pub fn link(mut self, link: impl Into<String>) -> Self {
        self.0.authorization_link = Some(link.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whose move it is.
    #[must_use]
    pub fn side(&self) -> Side {
        self.0.side
    }

    /// Whether another try helps.
    #[must_use]
    pub fn retry_advice(&self) -> Retry {
        self.0.retry
    }

    /// The word that tells variants of the kind apart.
    #[must_use]
    pub fn reason_code(&self) -> Option<&'static str> {
        self.0.reason
    }

    /// The text that is safe to show.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.0.public
    }

    /// What the vendor said.
    #[must_use]
    pub fn vendor_error(&self) -> Option<&VendorError> {
        self.0.vendor.as_ref()
    }

    /// Complaints about the input.
    #[must_use]
    pub fn fields(&self) -> &[Problem] {
        &self.0.fields
    }

    /// The link by which the account's owner can mend this.
    #[must_use]
    pub fn authorization_link(&self) -> Option<&str> {
        self.0.authorization_link.as_deref()
    }

    /// The whole chain of causes, for the log. Never for an edge.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = String::new();
        let mut next: Option<&(dyn Error + 'static)> = self
            .0
            .source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static));
        while let Some(error) = next {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&error.to_string());
            next = error.source();
        }
        text
    }

    /// The error's one public shape, the same at every edge.
    #[must_use]
    pub fn body(&self, execution_id: Option<&str>) -> Body {
        let (retryable, retry_after_ms) = match self.0.retry {
            Retry::Never => (false, None),
            Retry::Later => (true, None),
            Retry::After(wait) => (true, Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))),
        };
        Body {
            error: BodyError {
                kind: self.0.kind.as_str().to_owned(),
                reason: self.0.reason.map(str::to_owned),
                message: self.0.public.clone(),
                side: self.0.side,
                retryable,
                retry_after_ms,
                vendor: self.0.vendor.clone(),
                fields: (!self.0.fields.is_empty()).then(|| self.0.fields.clone()),
                authorization_link: self.0.authorization_link.clone(),
                execution_id: execution_id.map(str::to_owned),
            },
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Fault")
            .field("kind", &self.0.kind.as_str())
            .field("reason", &self.0.reason)
            .field("public", &self.0.public)
            .field("chain", &self.chain())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.0.kind.as_str(), self.0.public)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

/// The body of every error answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct Body {
    /// The error.
    pub error: BodyError,
}

/// The members of [`Body::error`].
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BodyError {
    /// A code of [`Kind`].
    pub kind: String,
    /// Tells variants of a kind apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What happened and what to do next; safe for a model.
    pub message: String,
    /// Whose move it is.
    pub side: Side,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// After how many milliseconds, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// What the vendor said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<VendorError>,
    /// Complaints about the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<Problem>>,
    /// Where the account's owner can mend this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_link: Option<String>,
    /// The execution, for the operator's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<String>,
}
