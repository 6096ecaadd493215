//! The example pipeline through five systems for a hundred representatives, all at once, on a bad day: a grant
//! revoked overnight, an org on another host, a vendor that throttles everybody, tokens that end in the
//! middle, and a channel that takes one message a second. Then the same again, which must write nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use valetkey_tests::sales::{SalesTeam, identifier};
use valetkey_vendors::{Budget, Effect, Entry, Fault, On, Options, Rotation, Side, Simulator, Vendor};

/// How many representatives there are.
const REPRESENTATIVES: usize = 100;
/// Whose Google grant ended overnight.
const REVOKED: &str = "rep-011";
/// Whose Salesforce org is on another host.
const MOVED: &str = "rep-042";
const OTHER_HOST: &str = "eu99-simulated.my.salesforce.com";
/// HubSpot's requests that are told to come back later.
const THROTTLED: u32 = 60;

/// What a representative's run came to, as the example reports it.
#[derive(Debug, Deserialize)]
struct Report {
    identifier: String,
    agent_run_id: String,
    opportunities: usize,
    issues: Vec<String>,
    message: Option<String>,
    problem: Option<String>,
    link: Option<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_representatives_run_the_pipeline_side_by_side_on_a_bad_day() {
    let team = Team::start().await;
    team.vendors.revoke_grants(Vendor::Google, Some(REVOKED));
    team.vendors.expire_access_tokens();
    team.vendors.log().clear();
    team.vendors.fail(Fault {
        on: On {
            side: Some(Side::Api),
            path_prefix: Some("/hubspot".to_owned()),
            ..On::default()
        },
        times: Some(THROTTLED),
        effect: Effect::Status {
            status: 429,
            retry_after: vec!["1".to_owned()],
        },
    });

    let reports = team.run("2026-11-20", true).await;
    team.ninety_nine_ran_to_the_end_and_one_got_a_link(&reports);
    team.every_system_holds_what_was_reported_and_of_nobody_else(&reports);
    team.vendors_refused_and_no_agent_heard_of_it();
    team.who_was_moved_was_asked_for_at_the_other_host_alone();
    team.every_token_was_renewed_as_often_as_it_ended();

    let before = team.written();
    let again = team.run("2026-11-20", false).await;
    team.ninety_nine_ran_to_the_end_and_one_got_a_link(&again);
    assert_eq!(team.written(), before, "the same day again writes nothing");
    for (first, second) in reports.iter().zip(&again) {
        assert_eq!((&first.issues, &first.message), (&second.issues, &second.message));
    }
    team.who_was_revoked_opens_the_link_and_runs_through(&reports)
        .await;
}

struct Team(SalesTeam);

impl Deref for Team {
    type Target = SalesTeam;

    fn deref(&self) -> &SalesTeam {
        &self.0
    }
}

impl Team {
    async fn start() -> Self {
        let vendors = Simulator::start(Options {
            contacts: 8,
            messages: 24,
            opportunities: 8,
            rotation: Rotation::SingleUse { revoke_family: true },
            slack_post_budget: Some(Budget {
                requests: 1,
                window_ms: 1_000,
            }),
            ..Options::default()
        })
        .await
        .expect("a free port");
        vendors.move_salesforce_org(MOVED, OTHER_HOST);
        Self(SalesTeam::start(REPRESENTATIVES, vendors).await)
    }

    /// Lets the pipeline run for everybody; `bad` ends all tokens in the middle of it.
    async fn run(&self, day: &str, bad: bool) -> Vec<Report> {
        let waiting: Vec<&String> = self
            .everybody
            .iter()
            .filter(|who| bad && *who != REVOKED)
            .collect();
        let mut program = self.pipeline(day, &waiting).await;
        if bad {
            program.is_at("half").await;
            // A vendor's 401 asks for a refresh only some time after the last one.
            self.host.clock().advance(Duration::from_secs(60));
            self.vendors.expire_access_tokens();
            program.go_on().await;
        }
        program.reports().await
    }

    fn ninety_nine_ran_to_the_end_and_one_got_a_link(&self, reports: &[Report]) {
        let who: Vec<&String> = reports.iter().map(|report| &report.identifier).collect();
        let all: Vec<String> = (0..REPRESENTATIVES).map(identifier).collect();
        assert_eq!(who, all.iter().collect::<Vec<_>>());
        let executions = self.host.runtime.journal.recent("dev", usize::MAX);
        for report in reports {
            let outcomes: Vec<&str> = executions
                .iter()
                .filter(|execution| execution.agent_run_id.as_deref() == Some(&report.agent_run_id))
                .map(|execution| execution.outcome.as_str())
                .collect();
            if report.identifier == REVOKED {
                assert!(
                    report
                        .problem
                        .as_deref()
                        .is_some_and(|text| text.contains("account_not_active")),
                    "{report:?}"
                );
                let link = report.link.as_deref().unwrap_or_default();
                assert!(
                    link.starts_with(&format!("{}/connect/", self.host.base_url)),
                    "{report:?}"
                );
                assert_eq!(report.message, None, "{report:?}");
            } else {
                assert_eq!((&report.problem, &report.link), (&None, &None), "{report:?}");
                assert!(
                    report.opportunities > 2 && !report.issues.is_empty() && report.message.is_some(),
                    "{report:?}"
                );
                assert!(
                    outcomes.iter().all(|outcome| *outcome == "ok"),
                    "{report:?}: {outcomes:?}"
                );
            }
            for execution in executions
                .iter()
                .filter(|execution| execution.agent_run_id.as_deref() == Some(&report.agent_run_id))
            {
                let account = execution.account.as_ref().expect("an account");
                assert_eq!(self.accounts[account], report.identifier, "{execution:?}");
            }
        }
    }

    /// What each representative's systems hold of this pipeline: issues, messages, contacts' states.
    fn written(&self) -> BTreeMap<String, (Vec<Value>, Vec<Value>, usize)> {
        let noted = self
            .vendors
            .log()
            .count_where(|entry| entry.method == "PATCH" && entry.status == Some(200));
        (0..REPRESENTATIVES)
            .map(identifier)
            .map(|who| {
                let organization = self.vendors.linear_organization(&who);
                let issues = organization["issues"].as_array().expect("issues").iter();
                let issues = issues.filter(|issue| {
                    issue["title"]
                        .as_str()
                        .is_some_and(|title| title.contains(" may leave: "))
                });
                let workspace = self.vendors.slack_workspace(&who);
                let channels = workspace["channels"].as_array().expect("channels").iter();
                let messages = channels.flat_map(|channel| channel["messages"].as_array().expect("messages"));
                let messages = messages.filter(|message| {
                    let text = message["text"].as_str().unwrap_or_default();
                    text.contains("open opportunities") || text.contains("At risk")
                });
                (
                    who,
                    (issues.cloned().collect(), messages.cloned().collect(), noted),
                )
            })
            .collect()
    }

    fn every_system_holds_what_was_reported_and_of_nobody_else(&self, reports: &[Report]) {
        for (report, (who, (issues, messages, _))) in reports.iter().zip(self.written()) {
            if who == REVOKED {
                assert_eq!((issues.len(), messages.len()), (0, 0), "nothing is half done");
                let wrote = |entry: &Entry| entry.user.as_deref() == Some(REVOKED) && entry.method == "PATCH";
                assert_eq!(self.vendors.log().count_where(wrote), 0);
                continue;
            }
            let named: BTreeSet<&str> = issues
                .iter()
                .filter_map(|issue| issue["identifier"].as_str())
                .collect();
            let reported: BTreeSet<&str> = report.issues.iter().map(String::as_str).collect();
            assert_eq!(named, reported, "{who}");
            assert_eq!(issues.len(), report.issues.len(), "{who}: each once");
            assert_eq!(messages.len(), 2, "{who}: {messages:#?}");
            assert_eq!(messages[0]["ts"].as_str(), report.message.as_deref(), "{who}");
            assert_eq!(messages[1]["thread_ts"], messages[0]["ts"], "{who}");
            for text in issues.iter().chain(&messages) {
                let text = text.to_string();
                let whose: BTreeSet<&str> = text
                    .match_indices("rep-")
                    .map(|(at, _)| &text[at..at + 7])
                    .collect();
                assert_eq!(whose, BTreeSet::from([who.as_str()]), "{text}");
            }
        }
    }

    fn vendors_refused_and_no_agent_heard_of_it(&self) {
        let log = self.vendors.log();
        let refused = |status: u16, prefix: &str| {
            log.count_where(|entry| {
                entry.status == Some(status) && entry.side == Side::Api && entry.path.starts_with(prefix)
            })
        };
        assert_eq!(refused(429, "/hubspot"), THROTTLED as usize);
        assert!(
            refused(401, "/salesforce") + refused(401, "/hubspot") + refused(401, "/gmail")
                >= 3 * (REPRESENTATIVES - 1)
        );
        // Both messages of a representative want to go at once. The pace is kept by waiting; what a busy machine
        // lets through a little early is refused, and sent again.
        assert!(
            refused(429, "/slack") < REPRESENTATIVES,
            "the channel's pace is kept"
        );
    }

    fn who_was_moved_was_asked_for_at_the_other_host_alone(&self) {
        let mut hosts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for entry in self.vendors.log().of(Side::Api) {
            if let (Some(rest), Some(user)) = (entry.path.strip_prefix("/salesforce/"), &entry.user) {
                let host = rest.split('/').next().unwrap_or_default().to_owned();
                hosts.entry(user.clone()).or_default().insert(host);
            }
        }
        assert_eq!(hosts.len(), REPRESENTATIVES);
        for (who, hosts) in hosts {
            assert_eq!(
                hosts,
                BTreeSet::from([self.vendors.salesforce_host(&who)]),
                "{who}"
            );
        }
        assert_eq!(self.vendors.salesforce_host(MOVED), OTHER_HOST);
    }

    /// In the morning and at half time, for all calls of an account together: with single-use refresh tokens, once too
    /// often would end the grant.
    fn every_token_was_renewed_as_often_as_it_ended(&self) {
        let mut used: BTreeMap<String, usize> = BTreeMap::new();
        let mut refused = 0;
        for entry in self.vendors.log().of(Side::Token) {
            let token = entry.field("refresh_token").expect("a refresh, and no code");
            let granted = entry.status == Some(200) && !entry.path.ends_with("oauth.v2.access")
                || entry.path.ends_with("oauth.v2.access");
            if granted {
                *used.entry(token).or_insert(0) += 1;
            } else {
                refused += 1;
            }
        }
        assert_eq!(refused, 1, "the revoked one was asked for once");
        used.retain(|_, times| *times != 1);
        assert!(used.is_empty(), "used twice: {used:?}");
    }

    async fn who_was_revoked_opens_the_link_and_runs_through(&self, reports: &[Report]) {
        let report = reports
            .iter()
            .find(|report| report.identifier == REVOKED)
            .expect("a report");
        self.host
            .authorize_as(report.link.as_deref().expect("a link"), REVOKED)
            .await;
        let reports = self.run("2026-11-20", false).await;
        assert!(
            reports.iter().all(|report| report.message.is_some()),
            "{reports:#?}"
        );
        let (issues, messages, _) = &self.written()[REVOKED];
        assert!(!issues.is_empty() && messages.len() == 2);
    }
}
