//! Simulated vendors over real sockets: an OAuth authorization server each, and HubSpot-, Gmail-,
//! Google-Calendar-, Graph-, Salesforce-, Notion-, GitHub-, Jira-, Slack- and Linear-shaped APIs with state,
//! paging, rate limits and expiring tokens.
//!
//! Used by `valetkey demo` and by the tests, which also own its [faults](Fault), its clock-like
//! settings and its [request log](Log). It listens on loopback alone, knows no real vendor's
//! hosts, and must never be given a real credential: it writes down everything it is sent.
//!
//! Data belong to a *user* (any short word), are made on first sight and are the same in every
//! run; whatever an answer holds names its user, so that a mixed-up account shows.

mod calendar;
mod control;
mod faults;
mod github;
mod gmail;
mod googlecalendar;
mod graph;
mod hubspot;
mod jira;
mod linear;
mod log;
mod notion;
mod oauth;
mod options;
mod salesforce;
mod seed;
mod server;
mod slack;
#[cfg(test)]
mod testing;
mod text;
#[cfg(test)]
mod wire;

use std::sync::Arc;

pub use faults::{Effect, Fault, On};
pub use log::{Entry, Log, Side};
pub use options::{Budget, Options, Refusal, Rotation};

use server::{Server, State};

/// A vendor's name in paths and controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// OAuth under `/hubspot/oauth`, the API under `/hubspot`.
    Hubspot,
    /// OAuth under `/google`, the APIs under `/gmail` and `/calendar`.
    Google,
    /// OAuth under `/salesforce/services/oauth2`, each user's API under `/salesforce/{instance host}`.
    Salesforce,
    /// OAuth under `/notion/v1/oauth`, the API under `/notion/v1`.
    Notion,
    /// OAuth under `/github/login/oauth`, the API under `/github/api`.
    Github,
    /// OAuth under `/atlassian`, the sites under `/atlassian/ex/jira/{cloud id}`.
    Atlassian,
    /// OAuth under `/slack/oauth`, the API under `/slack/api`, files under `/slack/files`.
    Slack,
    /// OAuth under `/linear/oauth`, the API at `/linear/graphql`.
    Linear,
    /// OAuth under `/microsoft/{tenant}/oauth2/v2.0`, the API under `/graph/v1.0`.
    Microsoft,
}

/// Running simulated vendors; they stop when this is dropped.
pub struct Simulator {
    /// `http://127.0.0.1:port`.
    pub base_url: String,
    state: Arc<State>,
    server: Server,
}

impl Simulator {
    /// Listens on the loopback address.
    ///
    /// # Errors
    /// The port cannot be bound.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let (server, state) = Server::start(options).await?;
        Ok(Self {
            base_url: state.base_url.clone(),
            state,
            server,
        })
    }

    /// Closes the port and every connection.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    /// What was asked, and what was answered.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.state.log
    }

    /// Makes the next matching requests go wrong.
    pub fn fail(&self, fault: Fault) {
        self.state.faults.add(fault);
    }

    /// Forgets the faults that have not happened yet.
    pub fn heal(&self) {
        self.state.faults.clear();
    }

    /// Lifetime of access tokens issued from now on, in seconds.
    pub fn set_access_token_seconds(&self, seconds: u64) {
        self.state.settings().access_token_seconds = seconds;
    }

    /// What becomes of a refresh token when it is used, from now on.
    pub fn set_rotation(&self, rotation: Rotation) {
        self.state.settings().rotation = rotation;
    }

    /// Who consents when the authorization request has no `login_hint`.
    pub fn set_user(&self, user: &str) {
        self.state.settings().user = user.to_owned();
    }

    /// Whether the user says yes; a `false` sends the browser back with `access_denied`.
    pub fn set_consent(&self, consents: bool) {
        self.state.settings().consents = consents;
    }

    /// Allows another redirect URI; the first one makes all unknown ones refused.
    pub fn allow_redirect_uri(&self, uri: &str) {
        self.state.settings().redirect_uris.push(uri.to_owned());
    }

    /// Replaces the budgets of the HubSpot-shaped API: all requests of a portal, and its searches.
    pub fn set_hubspot_budgets(&self, requests: Option<Budget>, searches: Option<Budget>) {
        let mut settings = self.state.settings();
        settings.hubspot_budget = requests;
        settings.hubspot_search_budget = searches;
    }

    /// Replaces the budget of the Gmail-shaped API, per user.
    pub fn set_gmail_budget(&self, requests: Option<Budget>) {
        self.state.settings().gmail_budget = requests;
    }

    /// Replaces the allocation of each org of the Salesforce-shaped API.
    pub fn set_salesforce_budget(&self, requests: Option<Budget>) {
        self.state.settings().salesforce_budget = requests;
    }

    /// Replaces the budget of each workspace of the Notion-shaped API.
    pub fn set_notion_budget(&self, requests: Option<Budget>) {
        self.state.settings().notion_budget = requests;
    }

    /// The host of a user's org, as token answers name it in `instance_url`.
    #[must_use]
    pub fn salesforce_host(&self, user: &str) -> String {
        salesforce::instance_of(&self.state.settings(), user)
    }

    /// Moves a user's org to another host: sessions issued before are good there alone, and the next
    /// token answer names it.
    pub fn move_salesforce_org(&self, user: &str, host: &str) {
        let mut settings = self.state.settings();
        settings.salesforce_hosts.insert(user.to_owned(), host.to_owned());
    }

    /// Replaces the budgets of the GitHub-shaped API, per user: all requests, and those that write.
    pub fn set_github_budgets(&self, requests: Option<Budget>, writes: Option<Budget>) {
        let mut settings = self.state.settings();
        settings.github_budget = requests;
        settings.github_content_budget = writes;
    }

    /// Replaces the budget of the Jira-shaped API, per site.
    pub fn set_jira_budget(&self, requests: Option<Budget>) {
        self.state.settings().jira_budget = requests;
    }

    /// Replaces the budgets of the Slack-shaped API: messages to one channel, and requests to one method.
    pub fn set_slack_budgets(&self, posts: Option<Budget>, method: Option<Budget>) {
        let mut settings = self.state.settings();
        settings.slack_post_budget = posts;
        settings.slack_method_budget = method;
    }

    /// Replaces the budget of the Linear-shaped API, per user.
    pub fn set_linear_budget(&self, requests: Option<Budget>) {
        self.state.settings().linear_budget = requests;
    }

    /// What a user's Slack workspace holds: `channels`, each with its `messages`, oldest first.
    #[must_use]
    pub fn slack_workspace(&self, user: &str) -> serde_json::Value {
        self.state.slack_workspace(user, |workspace| workspace.all())
    }

    /// What a user's Linear organization holds: `issues`, `comments` and the rest, oldest first.
    #[must_use]
    pub fn linear_organization(&self, user: &str) -> serde_json::Value {
        self.state
            .linear_organization(user, |organization| organization.all())
    }

    /// Replaces the budget of the Google-Calendar-shaped API, per user.
    pub fn set_calendar_budget(&self, requests: Option<Budget>) {
        self.state.settings().calendar_budget = requests;
    }

    /// Replaces the budget of the Graph-shaped API, per mailbox.
    pub fn set_graph_budget(&self, requests: Option<Budget>) {
        self.state.settings().graph_budget = requests;
    }

    /// Every access token issued so far is refused from now on, as if its time had come.
    pub fn expire_access_tokens(&self) {
        self.state.grants().expire_access_tokens();
    }

    /// Ends the grants of a user at a vendor (of every user when `None`), as if they had removed
    /// the application in the vendor's settings. Answers how many were live.
    pub fn revoke_grants(&self, vendor: Vendor, user: Option<&str>) -> usize {
        self.state.grants().revoke_user(vendor, user)
    }

    /// The cloud id of a user's Jira site, counted from 0.
    #[must_use]
    pub fn jira_cloud_id(&self, user: &str, site: usize) -> String {
        jira::cloud_id(user, site)
    }

    /// Grants that are live at a vendor.
    #[must_use]
    pub fn live_grants(&self, vendor: Vendor) -> usize {
        self.state.grants().live(vendor)
    }

    /// Refresh tokens of live grants that a vendor would still take.
    #[must_use]
    pub fn live_refresh_tokens(&self, vendor: Vendor) -> Vec<String> {
        self.state.grants().live_refresh_tokens(vendor)
    }
}
