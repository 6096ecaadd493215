//! `valetkey connector test`: the cases of a connector's `tests` folder, offline.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::compiled;
use crate::author::contract::Contract;
use crate::author::run::{self, CaseReport, Excused, Faults, Options, Report};
use crate::author::suite::Suite;
use crate::author::{Difference, Finding};
use crate::cli::FAILED;
use crate::cli::output::Output;

/// Runs the cases of `DIR/tests` (*.http) in the real sandbox, with the host's own paging, refresh
/// and retries, against a vendor on loopback that answers what is recorded. Nothing leaves this
/// machine.
///
/// A request that is not as recorded, an exchange that nobody asked for and another answer fail
/// the case, with the place. Into each case of a tool that only reads, faults of the vendor are
/// injected besides: 429, 500, silence, a broken body, an expired token.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connector test plugins/hubspot
  valetkey connector test . --filter contact --faults all
  valetkey connector test . --spec vendor-openapi.yaml --json
  valetkey connector test . --specs ~/specifications")]
pub(in crate::cli) struct Test {
    /// Folder with the connector.toml
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Only cases with this text in their name or their tool's
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
    /// Into the cases of which tools faults are injected
    #[arg(long, value_name = "TOOLS", default_value = "reads", default_missing_value = "all", num_args = 0..=1)]
    faults: Wanted,
    /// The vendor's own specification, against which every request is checked: OpenAPI 3 or Swagger
    /// 2.0 (JSON or YAML), Google discovery, a GraphQL schema (.graphql, or the answer to an
    /// introspection query); plain or gzip
    /// [default: `spec` or `vendor_spec` of tests/tests.toml]
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Folder of vendors' specifications, below which `vendor_spec` of tests/tests.toml is
    #[arg(long, value_name = "DIR", env = "VALETKEY_SPECS")]
    specs: Option<PathBuf>,
    /// Take this component instead of building the folder
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
}

/// Into which tools' cases faults are injected.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wanted {
    /// Tools that only read
    Reads,
    /// All tools
    All,
    /// No tool
    None,
}

impl Test {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let suite = Suite::read(&self.dir)?;
        let file = match &self.component {
            Some(file) => file.clone(),
            None => compiled(&self.dir, Path::new(super::OUT), output)?.path,
        };
        let component = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let options = Options {
            filter: self.filter.clone(),
            faults: match self.faults {
                Wanted::Reads => Faults::Reads,
                Wanted::All => Faults::All,
                Wanted::None => Faults::None,
            },
            contract: self.contract(&suite, output)?,
        };
        let began = Instant::now();
        let report = {
            let _shown = output.progress("running the cases");
            tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()?
                .block_on(run::run(component, &suite, &options))?
        };
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tell(&report, took_ms, output);
        Ok(if report.passed() && !report.cases.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(FAILED)
        })
    }

    fn contract(&self, suite: &Suite, output: &Output) -> anyhow::Result<Option<Contract>> {
        if let Some(file) = &self.spec {
            return Ok(Some(Contract::read(file)?));
        }
        // A vendor's document need not be checked in beside the cases.
        let folders: Vec<PathBuf> = self.specs.clone().into_iter().collect();
        let specification = suite.specification(&folders);
        for name in &specification.missing {
            output.say(&format!(
                "not checked against the vendor's specification: {name} is not there; name the folder that has it with --specs"
            ));
        }
        Ok(Contract::read_parts(&specification.found)?)
    }
}

fn tell(report: &Report, took_ms: u64, output: &Output) {
    let failed = report.cases.iter().filter(|case| !case.passed()).count();
    let faults: usize = report.cases.iter().map(|case| case.faults.len()).sum();
    if output.json {
        output.data(&json!({
            "cases": report.cases,
            "tools_without_a_case": report.tools_without_a_case,
            "unused_deviations": report.unused_deviations,
            "passed": report.cases.len() - failed,
            "failed": failed,
            "took_ms": took_ms,
        }));
    } else {
        for case in &report.cases {
            for line in lines(case) {
                output.line(&line);
            }
        }
    }
    let seconds = f64::from(u32::try_from(took_ms).unwrap_or(u32::MAX)) / 1_000.0;
    let summary = format!(
        "{} cases and {faults} injected faults in {seconds:.1} s, {failed} cases failed",
        report.cases.len()
    );
    match (report.cases.is_empty(), failed) {
        (true, _) => output.error("no case has this in its name or its tool's"),
        (false, 0) => output.say(&summary),
        (false, _) => output.error(&summary),
    }
    for why in &report.unused_deviations {
        output.hint(&format!(
            "no case deviates from the specification any more: {why}"
        ));
    }
    if !report.tools_without_a_case.is_empty() {
        output.hint(&format!(
            "no case calls {}",
            report.tools_without_a_case.join(", ")
        ));
    }
}

/// A case's report for people.
fn lines(case: &CaseReport) -> Vec<String> {
    if case.passed() {
        let faults: Vec<&str> = case.faults.iter().map(|fault| fault.fault.as_str()).collect();
        let with = if faults.is_empty() {
            String::new()
        } else {
            format!("  + {}", faults.join(", "))
        };
        let mut lines = vec![format!("ok    {}  {}{with}", case.name, case.tool)];
        tell_deviations(case, &mut lines);
        return lines;
    }
    let mut lines = vec![format!("FAIL  {}  {}", case.name, case.tool)];
    tell_deviations(case, &mut lines);
    for finding in &case.findings {
        tell_finding(case, None, finding, &mut lines);
    }
    for fault in &case.faults {
        if let Some(finding) = &fault.finding {
            tell_finding(case, Some(fault.fault.as_str()), finding, &mut lines);
        }
    }
    if !case.log.is_empty() {
        lines.push("  the connector logged:".to_owned());
        lines.extend(case.log.iter().map(|line| format!("    {line}")));
    }
    lines
}

fn tell_deviations(case: &CaseReport, lines: &mut Vec<String>) {
    for Excused { problem, why } in &case.deviations {
        lines.push(format!("  excused: {problem}"));
        lines.push(format!("    because {why}"));
    }
}

fn tell_finding(case: &CaseReport, fault: Option<&str>, finding: &Finding, lines: &mut Vec<String>) {
    let place = match finding.line {
        Some(line) => format!("{}:{line}", case.file),
        None => case.file.clone(),
    };
    let fault = fault.map_or_else(String::new, |fault| format!(" [{fault}]"));
    lines.push(format!(
        "  {place}{fault}: {}",
        finding.problem.replace('\n', "\n    ")
    ));
    for Difference {
        place,
        expected,
        found,
    } in &finding.differences
    {
        lines.push(format!("    {place}"));
        let side = |text: &Option<String>| match text {
            Some(text) => text.replace('\n', "\n              "),
            None => "(nothing)".to_owned(),
        };
        lines.push(format!("      expected  {}", side(expected)));
        lines.push(format!("      found     {}", side(found)));
    }
}
