//! How a simulator behaves; most of it may be changed while it runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a simulator starts with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Port on the loopback address; 0 takes a free one.
    pub port: u16,
    /// Client id of the one registered application, at every vendor.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Redirect URIs that are registered, compared exactly; empty registers any.
    pub redirect_uris: Vec<String>,
    /// Who consents when the authorization request has no `login_hint`.
    pub user: String,
    /// Whether the user says yes.
    pub consents: bool,
    /// Answers the consent page at once to a client that does not ask for HTML.
    pub auto_consent: bool,
    /// Adds `iss` (RFC 9207) to the authorization response: the base URL and the vendor's name.
    pub send_issuer: bool,
    /// Lifetime of an access token, in seconds.
    pub access_token_seconds: u64,
    /// Lifetime of an authorization code, in seconds.
    pub code_seconds: u64,
    /// What becomes of a refresh token when it is used.
    pub rotation: Rotation,
    /// Requests of one portal to the HubSpot-shaped API; none for no limit.
    pub hubspot_budget: Option<Budget>,
    /// Its searches, counted apart as the vendor does.
    pub hubspot_search_budget: Option<Budget>,
    /// Requests of one user to the Gmail-shaped API.
    pub gmail_budget: Option<Budget>,
    /// Requests of one user to the Google-Calendar-shaped API.
    pub calendar_budget: Option<Budget>,
    /// Requests to one mailbox of the Graph-shaped API.
    pub graph_budget: Option<Budget>,
    /// How Google's APIs say "slow down".
    pub gmail_refusal: Refusal,
    /// Requests of one org to the Salesforce-shaped API; over it, the vendor answers 403.
    pub salesforce_budget: Option<Budget>,
    /// Hosts of orgs by user, where they are not the usual ones.
    pub salesforce_hosts: BTreeMap<String, String>,
    /// Opportunities of each user's org at the start.
    pub opportunities: usize,
    /// Requests of one workspace to the Notion-shaped API.
    pub notion_budget: Option<Budget>,
    /// Rows of each user's Notion database at the start.
    pub rows: usize,
    /// Requests of one user to the GitHub-shaped API.
    pub github_budget: Option<Budget>,
    /// Those of them that write; beyond it is a secondary limit, said by 403 with `Retry-After`.
    pub github_content_budget: Option<Budget>,
    /// How the GitHub-shaped API says that the requests are used up.
    pub github_refusal: Refusal,
    /// Whether the application is a GitHub App, whose tokens end and have no scopes, and not an OAuth App.
    pub github_app: bool,
    /// Issues of each user's repository `shop` at the start.
    pub github_issues: usize,
    /// Requests to one site of the Jira-shaped API.
    pub jira_budget: Option<Budget>,
    /// Sites of each Atlassian user; of several, whoever connects has to choose.
    pub jira_sites: usize,
    /// Issues of each site at the start.
    pub jira_issues: usize,
    /// Messages to one channel of the Slack-shaped API. The vendor lets one a second pass and is not
    /// strict about it, so that the usual window is a little shorter.
    pub slack_post_budget: Option<Budget>,
    /// Requests of one user to one method of it; none for no limit.
    pub slack_method_budget: Option<Budget>,
    /// Requests of one user to the Linear-shaped API; none for no limit.
    pub linear_budget: Option<Budget>,
    /// Contacts of each user's portal at the start.
    pub contacts: usize,
    /// Messages of each user's mailbox at the start.
    pub messages: usize,
    /// Events of each user's calendar at the start, beside a weekly series.
    pub events: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            client_id: "simulated-client".to_owned(),
            client_secret: "simulated-secret".to_owned(),
            redirect_uris: Vec::new(),
            user: "ada".to_owned(),
            consents: true,
            auto_consent: true,
            send_issuer: false,
            access_token_seconds: 1_800,
            code_seconds: 10,
            rotation: Rotation::None,
            hubspot_budget: None,
            hubspot_search_budget: None,
            gmail_budget: None,
            calendar_budget: None,
            graph_budget: None,
            gmail_refusal: Refusal::Status429,
            salesforce_budget: None,
            salesforce_hosts: BTreeMap::new(),
            opportunities: 60,
            notion_budget: None,
            rows: 40,
            github_budget: None,
            github_content_budget: None,
            github_refusal: Refusal::Status403,
            github_app: false,
            github_issues: 120,
            jira_budget: None,
            jira_sites: 1,
            jira_issues: 120,
            slack_post_budget: Some(Budget {
                requests: 1,
                window_ms: 900,
            }),
            slack_method_budget: None,
            linear_budget: None,
            contacts: 450,
            messages: 120,
            events: 60,
        }
    }
}

/// At most `requests` in any `window_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// How many.
    pub requests: u32,
    /// In how many milliseconds.
    pub window_ms: u64,
}

/// How an API refuses what is over the budget, of vendors that do either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// 429; at Gmail with the reason `rateLimitExceeded`.
    Status429,
    /// 403; at Gmail with the reason `userRateLimitExceeded`.
    Status403,
}

/// What becomes of a refresh token when it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rotation {
    /// It stays, for ever. At Slack there are no refresh tokens then, and access tokens do not end.
    None,
    /// A new one replaces it; the old one works for `seconds` more.
    Grace {
        /// How long.
        seconds: u64,
    },
    /// A new one replaces it; the old one works until the new one is used.
    UntilUsed,
    /// A new one replaces it at once; `revoke_family` ends the whole grant when an old one comes
    /// again (RFC 9700 section 4.14.2).
    SingleUse {
        /// Whether reuse ends the grant.
        revoke_family: bool,
    },
}
