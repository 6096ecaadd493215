//! What must hold of everybody's runs, whichever the door.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::{Value, json};
use valetkey_vendors::{Entry, Side, Simulator};

use crate::day::{ASSIGNMENTS, CALLS, Door, Finding, Report, THROTTLED, pass};
use crate::stamp::{Stamp, identifier, stamps};
use crate::team::{ABROAD, Team, USERS, everybody, of};

/// The one whose owner takes the agents' access away.
const REVOKED: (&str, &str) = ("rep-011", "service");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_agent_runs_for_a_hundred_users_side_by_side_through_every_door() {
    let team = Team::start().await;
    let revoked = Stamp::new(REVOKED.0, REVOKED.1);
    let reports = pass(&team, &revoked).await;
    let day = Day {
        team,
        revoked,
        reports,
    };
    day.everybody_ran_to_the_end();
    day.every_result_is_of_the_right_account();
    day.vendors_were_asked_for_every_account_and_no_other();
    day.who_is_at_another_instance_reached_it_alone();
    day.tokens_were_renewed_once_for_all_and_nobody_authorized_again();
    day.every_run_is_recorded_under_one_name_with_its_own_accounts();
    day.who_was_revoked_got_a_link_that_mends_it().await;
}

/// What the day came to.
struct Day {
    team: Team,
    revoked: Stamp,
    reports: Vec<(Door, Vec<Report>)>,
}

/// How many sub-agents of one run look after an account.
fn looked_after(stamp: &Stamp) -> usize {
    let its = |connection: &&&str| **connection == stamp.connection;
    ASSIGNMENTS.iter().filter(its).count()
}

impl Day {
    fn findings(&self) -> impl Iterator<Item = (Door, Stamp, &Finding)> {
        let reports = self
            .reports
            .iter()
            .flat_map(|(door, reports)| reports.iter().map(|report| (*door, report)));
        reports.flat_map(|(door, report)| {
            let findings = report.findings.iter();
            findings.map(move |finding| (door, Stamp::new(&report.identifier, &finding.connection), finding))
        })
    }

    /// Everybody but the revoked one, of whom [`Self::who_was_revoked_got_a_link_that_mends_it`] tells.
    fn others(&self) -> impl Iterator<Item = (Door, Stamp, &Finding)> {
        self.findings().filter(|(_, stamp, _)| *stamp != self.revoked)
    }

    fn everybody_ran_to_the_end(&self) {
        let all: Vec<String> = (0..USERS).map(identifier).collect();
        for (door, reports) in &self.reports {
            let who: Vec<&String> = reports.iter().map(|report| &report.identifier).collect();
            assert_eq!(who, all.iter().collect::<Vec<_>>(), "{door:?}");
            for report in reports {
                assert_eq!(report.findings.len(), ASSIGNMENTS.len(), "{door:?} {report:?}");
            }
        }
        for (door, stamp, finding) in self.others() {
            assert_eq!(finding.results.len(), CALLS, "{door:?} {stamp}: {finding:?}");
            assert_eq!(finding.said, "Done.", "{door:?} {stamp}: {finding:?}");
        }
    }

    fn every_result_is_of_the_right_account(&self) {
        for (door, stamp, finding) in self.others() {
            for result in &finding.results {
                assert!(!result.refused, "{door:?} {stamp}: {result:?}");
                assert_eq!(
                    stamps(&result.text),
                    BTreeSet::from([stamp.clone()]),
                    "{door:?} {}: its own account's stamp and no other's: {}",
                    result.tool,
                    result.text
                );
            }
        }
    }

    fn vendors_were_asked_for_every_account_and_no_other(&self) {
        let mut expected: BTreeMap<String, usize> = everybody()
            .map(|stamp| {
                let times = Door::ALL.len() * looked_after(&stamp) * of(&stamp).requests;
                (stamp.to_string(), times)
            })
            .collect();
        expected.remove(&self.revoked.to_string());
        let mut answered: BTreeMap<String, usize> = BTreeMap::new();
        for vendor in [&self.team.home, &self.team.abroad] {
            for entry in of_api(vendor, 200) {
                *answered.entry(entry.user.expect("an account")).or_insert(0) += 1;
            }
        }
        expected.retain(|stamp, times| answered.remove(stamp) != Some(*times));
        assert!(expected.is_empty(), "not as often as this: {expected:?}");
        assert!(answered.is_empty(), "nobody should have been there: {answered:?}");
        // They refused often enough, of which no agent heard.
        assert_eq!(of_api(&self.team.home, 429).len(), THROTTLED as usize);
        assert!(of_api(&self.team.home, 401).len() >= self.team.accounts.len() - 2);
    }

    fn who_is_at_another_instance_reached_it_alone(&self) {
        let at = |vendor: &Simulator| -> BTreeSet<Option<String>> {
            of_api(vendor, 200).into_iter().map(|entry| entry.user).collect()
        };
        let own = Some(Stamp::new(ABROAD, "field").to_string());
        assert_eq!(at(&self.team.abroad), BTreeSet::from([own.clone()]));
        assert!(!at(&self.team.home).contains(&own));
    }

    /// Doors and sub-agents share what a user has: no link is opened and no code exchanged, and each
    /// account's token is renewed once in the morning and once at noon, for all of them together.
    fn tokens_were_renewed_once_for_all_and_nobody_authorized_again(&self) {
        let mut renewed: BTreeMap<String, usize> = BTreeMap::new();
        let mut refused = 0;
        for vendor in [&self.team.home, &self.team.abroad] {
            assert_eq!(vendor.log().count(Side::Authorize), 0);
            for entry in vendor.log().of(Side::Token) {
                assert_eq!(entry.field("grant_type").as_deref(), Some("refresh_token"));
                if entry.status == Some(200) {
                    let token = entry.field("refresh_token").expect("a refresh token");
                    *renewed.entry(token).or_insert(0) += 1;
                } else {
                    refused += 1;
                }
            }
        }
        assert_eq!(refused, 1, "the revoked one was asked for once");
        assert_eq!(renewed.len(), self.team.accounts.len() - 1);
        renewed.retain(|_, times| *times != 2);
        assert!(renewed.is_empty(), "not twice: {renewed:?}");
    }

    fn every_run_is_recorded_under_one_name_with_its_own_accounts(&self) {
        let mut recorded: BTreeMap<String, Vec<(Stamp, String)>> = BTreeMap::new();
        for execution in self.team.host.runtime.journal.recent("dev", usize::MAX) {
            let (Some(run), Some(account)) = (&execution.agent_run_id, &execution.account) else {
                panic!("a call of no run or no account: {execution:?}");
            };
            let stamp = self.team.accounts[account].clone();
            let calls = recorded.entry(run.clone()).or_default();
            calls.push((stamp, execution.outcome.clone()));
        }
        for (door, report) in self
            .reports
            .iter()
            .flat_map(|(door, reports)| reports.iter().map(move |report| (door, report)))
        {
            let mut expected = Vec::new();
            for connection in ASSIGNMENTS {
                let stamp = Stamp::new(&report.identifier, connection);
                if stamp == self.revoked {
                    expected.push((stamp, "account_not_active".to_owned()));
                } else {
                    expected.extend(vec![(stamp, "ok".to_owned()); CALLS]);
                }
            }
            expected.sort();
            let mut calls = recorded[&report.agent_run_id].clone();
            calls.sort();
            assert_eq!(calls, expected, "{door:?} {}", report.agent_run_id);
        }
    }

    /// By every door.
    async fn who_was_revoked_got_a_link_that_mends_it(&self) {
        let host = &self.team.host;
        let base = format!("{}/connect/", host.base_url);
        let mut told: Vec<(Door, Stamp, String)> = Vec::new();
        for (door, stamp, finding) in self.findings() {
            if let Some((_, rest)) = finding.said.split_once(&base) {
                let ticket = rest.split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)));
                told.push((
                    door,
                    stamp,
                    format!("{base}{}", ticket.into_iter().next().unwrap_or_default()),
                ));
            }
        }
        let who: Vec<(Door, &Stamp)> = told.iter().map(|(door, stamp, _)| (*door, stamp)).collect();
        assert_eq!(
            who,
            Door::ALL.map(|door| (door, &self.revoked)),
            "each door told, and of nobody else"
        );

        // Who asks while a link is unopened is told the same one; of several any mends it.
        let (.., link) = &told[0];

        host.sign_in().await;
        let call = json!({"tool_name": "hubspot_whoami", "identifier": self.revoked.identifier,
                          "connection_name": self.revoked.connection, "params": {}});
        let call = async || {
            let answer = host.api(Method::POST, "/api/v1/execute_tool", call.clone());
            answer.await.json()
        };
        assert_eq!(call().await["error"]["kind"], "account_not_active");
        self.team.authorize(link, &self.revoked).await;
        let mended: Value = call().await;
        assert_eq!(
            stamps(&mended.to_string()),
            BTreeSet::from([self.revoked.clone()]),
            "{mended}"
        );
    }
}

/// The requests to a vendor's API that were answered so.
fn of_api(vendor: &Simulator, status: u16) -> Vec<Entry> {
    let mut entries = vendor.log().of(Side::Api);
    entries.retain(|entry| entry.status == Some(status));
    entries
}
