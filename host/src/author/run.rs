//! Runs the cases of a suite against a component, as they are and with faults injected, all at
//! once, and reports what does not hold.
//!
//! Called by the command line and the tests.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use serde_json::{Map, Value};
use valetkey_manifest::{Manifest, Tool};

use super::case::{Case, Expected, Request};
use super::compare::{self, Difference};
use super::contract::Contract;
use super::faults::{self, Injected, Outcome, Place};
use super::replay::Finding;
use super::stage::{self, Played, Stage};
use super::suite::Suite;
use crate::error::Fault;

/// Calls at once. Most of them wait for a vendor that makes them wait.
const AT_ONCE: usize = 64;
/// How long a call may take whose vendor never answers: so long that the request is out on a busy
/// machine, and longer again when it was not.
const PATIENCE: [Duration; 3] = [
    Duration::from_millis(800),
    Duration::from_secs(4),
    Duration::from_secs(20),
];

/// Into which tools' cases faults are injected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Faults {
    /// Tools that only read.
    #[default]
    Reads,
    /// All.
    All,
    /// None.
    None,
}

/// What of a suite is run, and against what it is held.
#[derive(Default)]
pub struct Options {
    /// Only cases with this text in their name or their tool's.
    pub filter: Option<String>,
    /// Where faults are injected.
    pub faults: Faults,
    /// The vendor's own specification.
    pub contract: Option<Contract>,
}

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Every case that was run.
    pub cases: Vec<CaseReport>,
    /// Tools of the connector that no case of the suite calls.
    pub tools_without_a_case: Vec<String>,
    /// Deviations from the specification that the settings excuse and no case shows, by their reason;
    /// empty where not all was run, or against no specification.
    pub unused_deviations: Vec<String>,
}

/// What came of a case.
#[derive(Debug, Clone, Serialize)]
pub struct CaseReport {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Its tool.
    pub tool: String,
    /// What does not hold; empty when it passed.
    pub findings: Vec<Finding>,
    /// What the vendor's specification says otherwise, and the settings excuse.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<Excused>,
    /// What the guest logged, of a case that failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// What was injected into it, and what did not hold then.
    pub faults: Vec<FaultReport>,
}

/// A request that is right although the vendor's specification says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excused {
    /// What the specification says against it.
    pub problem: String,
    /// Why it is right.
    pub why: String,
}

/// What came of a case into which a fault was injected.
#[derive(Debug, Clone, Serialize)]
pub struct FaultReport {
    /// Which.
    pub fault: Injected,
    /// The promise that was not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
}

impl Report {
    /// Whether everything holds.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.cases.iter().all(CaseReport::passed)
    }
}

impl CaseReport {
    /// Whether everything about the case holds.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.findings.is_empty() && self.faults.iter().all(|fault| fault.finding.is_none())
    }
}

/// Runs the suite.
///
/// # Errors
/// The host cannot be brought up, or does not take the component.
pub async fn run(component: Vec<u8>, suite: &Suite, options: &Options) -> anyhow::Result<Report> {
    let stage = Stage::open().await?;
    let manifest = match stage.install(component).await {
        Ok(manifest) => manifest,
        Err(fault) => {
            stage.close().await;
            return Err(refused(&fault));
        }
    };
    let rehearsal = Rehearsal {
        stage: &stage,
        manifest: &manifest,
        suite,
        options,
    };
    let is_wanted = |case: &&Case| {
        let filter = options.filter.as_deref().unwrap_or_default();
        case.name.contains(filter) || case.tool.contains(filter)
    };
    let chosen = suite.cases.iter().filter(is_wanted);
    let cases: Vec<CaseReport> = stream::iter(chosen.map(|case| rehearsal.case(case)))
        .buffered(AT_ONCE)
        .collect()
        .await;
    let is_whole = options.contract.is_some() && cases.len() == suite.cases.len();
    let report = Report {
        tools_without_a_case: uncovered(&manifest, suite),
        unused_deviations: if is_whole {
            unused(suite, &cases)
        } else {
            Vec::new()
        },
        cases,
    };
    stage.close().await;
    Ok(report)
}

fn refused(fault: &Fault) -> anyhow::Error {
    let mut text = fault.public().to_owned();
    for problem in fault.fields() {
        text.push_str(&format!("\n  {}: {}", problem.path, problem.problem));
    }
    anyhow::Error::msg(text)
}

fn uncovered(manifest: &Manifest, suite: &Suite) -> Vec<String> {
    let called: BTreeSet<&str> = suite.cases.iter().map(|case| case.tool.as_str()).collect();
    let is_called = |tool: &Tool| {
        called.contains(tool.name.as_str())
            || tool.aliases.iter().any(|alias| called.contains(alias.as_str()))
    };
    let left = manifest.tools.iter().filter(|tool| !is_called(tool));
    left.map(|tool| tool.name.clone()).collect()
}

fn unused(suite: &Suite, cases: &[CaseReport]) -> Vec<String> {
    let used: BTreeSet<&str> = cases
        .iter()
        .flat_map(|case| &case.deviations)
        .map(|excused| excused.why.as_str())
        .collect();
    let reasons = suite
        .settings
        .deviations
        .iter()
        .map(|deviation| deviation.why.as_str());
    reasons
        .filter(|why| !used.contains(why))
        .map(str::to_owned)
        .collect()
}

/// Everything that a case is run with.
struct Rehearsal<'a> {
    stage: &'a Stage,
    manifest: &'a Manifest,
    suite: &'a Suite,
    options: &'a Options,
}

impl Rehearsal<'_> {
    async fn case(&self, case: &Case) -> CaseReport {
        let (played, faults) = futures_util::join!(self.play(case, None, None), self.faults(case));
        let mut report = CaseReport {
            name: case.name.clone(),
            file: case.path.display().to_string(),
            tool: case.tool.clone(),
            findings: Vec::new(),
            deviations: Vec::new(),
            log: Vec::new(),
            faults,
        };
        match played {
            Err(fault) => report.findings.push(Finding::new(fault.public())),
            Ok(played) => {
                report.findings = findings(case, &played);
                if let Some(contract) = &self.options.contract {
                    for request in &played.seen.sent {
                        self.referee(contract, case, request, &mut report);
                    }
                }
                if !report.findings.is_empty() {
                    report.log = played.log;
                }
            }
        }
        report
    }

    /// What the specification says of a request: a finding, unless the settings excuse it.
    fn referee(&self, contract: &Contract, case: &Case, request: &Request, report: &mut CaseReport) {
        for finding in contract.check(request) {
            let mut deviations = self.suite.settings.deviations.iter();
            match deviations.find(|deviation| deviation.excuses(case, request, &finding.problem)) {
                Some(deviation) => report.deviations.push(Excused {
                    problem: finding.problem,
                    why: deviation.why.clone(),
                }),
                None => report.findings.push(finding),
            }
        }
    }

    async fn play(
        &self,
        case: &Case,
        injected: Option<(Injected, usize)>,
        deadline: Option<Duration>,
    ) -> Result<Played, Fault> {
        let settings = &self.suite.settings;
        self.stage
            .play(self.manifest, settings, case, injected, deadline)
            .await
    }

    /// The case with everything injected into it that belongs there.
    async fn faults(&self, case: &Case) -> Vec<FaultReport> {
        let tools = &self.manifest.tools;
        let is_it = |tool: &&Tool| tool.name == case.tool || tool.aliases.contains(&case.tool);
        let Some(tool) = tools.iter().find(is_it) else {
            return Vec::new();
        };
        let wanted = match self.options.faults {
            Faults::Reads => tool.hints.read_only,
            Faults::All => true,
            Faults::None => false,
        };
        let place = Place::of(case, tool).filter(|_| wanted);
        let Some(place) = place else { return Vec::new() };
        let refreshes = stage::refreshes(self.manifest, case)
            .filter(|_| stage::has_credential(self.manifest, &self.suite.settings, case, place.index));
        let injected = faults::of(case, place, refreshes);
        let reports = injected.into_iter().map(|fault| self.fault(case, place, fault));
        futures_util::future::join_all(reports).await
    }

    async fn fault(&self, case: &Case, place: Place, injected: Injected) -> FaultReport {
        let finding = match self.injected(case, place, injected).await {
            Err(fault) => Some(Finding::new(fault.public())),
            Ok(played) => {
                let outcome = Outcome {
                    result: match &played.result {
                        Ok((answer, _)) => Ok(differences(case, answer)),
                        Err(fault) => Err(fault),
                    },
                    hits: played.seen.hits,
                };
                injected.judge(&place, self.manifest, &outcome).err()
            }
        };
        FaultReport {
            fault: injected,
            finding,
        }
    }

    async fn injected(&self, case: &Case, place: Place, injected: Injected) -> Result<Played, Fault> {
        let at = Some((injected, place.index));
        if injected != Injected::Slow {
            return self.play(case, at, None).await;
        }
        let [patience @ .., longest] = PATIENCE;
        for deadline in patience {
            let played = self.play(case, at, Some(deadline)).await?;
            if played.seen.hits > 0 {
                return Ok(played);
            }
        }
        self.play(case, at, Some(longest)).await
    }
}

/// What does not hold about a case that was run as it is.
fn findings(case: &Case, played: &Played) -> Vec<Finding> {
    let seen = &played.seen;
    let mut findings = seen.findings.clone();
    // What the tool made of a request that is not recorded says nothing.
    if findings.is_empty() {
        findings = result_findings(case, played);
    }
    findings.extend(seen.left.clone());
    findings
}

fn result_findings(case: &Case, played: &Played) -> Vec<Finding> {
    let mut findings = Vec::new();
    match (&case.expected, &played.result) {
        (Expected::Answer(_), Ok((answer, more))) => {
            let differences = differences(case, answer);
            if !differences.is_empty() {
                findings.push(Finding {
                    line: None,
                    problem: "the answer is not the expected one".to_owned(),
                    differences,
                });
            }
            if case.more.is_some_and(|wanted| wanted != *more) {
                let said = if *more {
                    "a cursor to further items came back"
                } else {
                    "no cursor came back"
                };
                findings.push(Finding::new(format!(
                    "{said}, and the case says otherwise (`more`)"
                )));
            }
        }
        (Expected::Answer(_), Err(fault)) => findings.push(Finding::new(format!(
            "the call failed as {}: {}{}",
            fault.kind().as_str(),
            fault.public(),
            details(fault),
        ))),
        (Expected::Fault(_), Ok((answer, _))) => findings.push(Finding::new(format!(
            "the call answered, and a fault is expected: {}",
            shortened(&answer.to_string())
        ))),
        (Expected::Fault(expected), Err(fault)) => {
            let differences = fault_differences(expected, fault);
            if !differences.is_empty() {
                findings.push(Finding {
                    line: None,
                    problem: format!("the fault is not the expected one: {}", fault.public()),
                    differences,
                });
            }
        }
    }
    findings
}

/// What an author may know of a fault beside its public text.
fn details(fault: &Fault) -> String {
    let mut details: String = fault
        .fields()
        .iter()
        .map(|problem| format!("\n  {} {}", problem.path, problem.problem))
        .collect();
    let cause = fault.chain();
    if !cause.is_empty() {
        details.push_str(&format!("\n  {cause}"));
    }
    details
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(300).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn differences(case: &Case, answer: &Value) -> Vec<Difference> {
    let mut differences = Vec::new();
    if let Expected::Answer(expected) = &case.expected {
        compare::values("answer", expected, answer, &mut differences);
    }
    differences
}

/// Only the members that the case names are compared, at every level.
fn fault_differences(expected: &Map<String, Value>, fault: &Fault) -> Vec<Difference> {
    let body = serde_json::to_value(fault.body(None).error).unwrap_or_default();
    let mut differences = Vec::new();
    let named = named(&Value::Object(expected.clone()), &body);
    compare::values(
        "fault",
        &Value::Object(expected.clone()),
        &named,
        &mut differences,
    );
    differences
}

/// The part of a value that another names.
fn named(expected: &Value, found: &Value) -> Value {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => expected
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), named(value, found.get(name)?))))
            .collect::<Map<_, _>>()
            .into(),
        _ => found.clone(),
    }
}
