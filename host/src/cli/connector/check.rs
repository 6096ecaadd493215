//! `valetkey connector check`: everything that is wrong with a connector's folder, and what would
//! be better.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use valetkey_manifest::Manifest;

use crate::author::advice;
use crate::cli::FAILED;
use crate::cli::output::Output;
use crate::error::Problem;
use crate::manifest::{self, build, check, profile};

/// Checks a connector's folder and says everything that is wrong with it at once, each with its
/// place in the manifest and what to do. Errors keep a connector from being built and installed;
/// advice is about what models, users and the next author need.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connector check plugins/hubspot
  valetkey connector check . --strict
  valetkey connector check . --json")]
pub(in crate::cli) struct Check {
    /// Folder with the connector.toml
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Fail on advice too
    #[arg(long)]
    strict: bool,
}

impl Check {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let manifest = manifest::read(&self.dir).map_err(anyhow::Error::msg)?;
        let mut problems = check::manifest(&manifest);
        problems.extend(profile::misfits(&manifest));
        problems.extend(uncoded(&self.dir, &manifest));
        let mut advice = advice::of_manifest(&manifest);
        advice.extend(advice::of_folder(Path::new(&self.dir), &manifest));
        let (id, tools) = (&manifest.connector.id, manifest.tools.len());
        if output.json {
            output.data(&json!({
                "connector": id,
                "tools": tools,
                "problems": problems,
                "advice": advice,
            }));
        } else {
            tell("", &problems, output);
            tell("advice: ", &advice, output);
        }
        let advised = match advice.len() {
            0 => String::new(),
            1 => ", with one piece of advice".to_owned(),
            count => format!(", with {count} pieces of advice"),
        };
        if problems.is_empty() && (advice.is_empty() || !self.strict) {
            output.say(&format!("connector `{id}` is acceptable: {tools} tools{advised}"));
            return Ok(ExitCode::SUCCESS);
        }
        let count = match problems.len() {
            1 => "1 problem".to_owned(),
            count => format!("{count} problems"),
        };
        output.error(&format!("connector `{id}` has {count}{advised}"));
        Ok(ExitCode::from(FAILED))
    }
}

/// Tools that are code, where there is none.
fn uncoded(dir: &Path, manifest: &Manifest) -> Vec<Problem> {
    let names = build::tools_without_code(dir, manifest);
    let tools = manifest.tools.iter().enumerate();
    tools
        .filter(|(_, tool)| names.contains(&tool.name))
        .map(|(index, tool)| Problem {
            path: format!("/tools/{index}/request"),
            problem: format!(
                "is missing, and there is no code beside connector.toml that could be `{}`; declare the request, or add code as `valetkey connector new --lang rust` (js, python) makes it",
                tool.name
            ),
        })
        .collect()
}

fn tell(lead: &str, problems: &[Problem], output: &Output) {
    for problem in problems {
        output.line(&format!("{lead}{}: {}", problem.path, problem.problem));
    }
}
