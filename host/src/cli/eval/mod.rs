//! `valetkey eval`: how well tools are chosen by their words, by the host's search or by a model.

mod endpoint;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use valetkey_manifest::Manifest;

use super::output::Output;
use super::{FAILED, Global, block_on, client};
use crate::author::evaluation::baseline::{self, Baseline, Recall};
use crate::author::evaluation::run::{self, Judged, Offer, Outcome, Run};
use crate::author::evaluation::tasks::{self, Tasks};
use crate::author::evaluation::{BYTES_PER_TOKEN, Cost};
use crate::config::env;
use crate::manifest;

use endpoint::Endpoint;

/// Tools that OpenAI takes in one request
/// (<https://platform.openai.com/docs/api-reference/chat/create>); others may take fewer or more.
const OPENAI_TOOLS: usize = 128;

/// Measures how well tools are chosen by what is written about them, over tasks in users' words. With
/// --baseline the host's own search is asked, without network: recall, and what definitions cost to
/// read. With --base-url and --model a model is asked which tool it would call with which arguments;
/// nothing is called. Run it before and after a change of a description, and compare.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey eval --baseline
  valetkey eval --baseline --connector plugins/hubspot --connector target/connectors/acme.wasm --tasks acme.toml
  OPENAI_API_KEY=… valetkey eval --base-url https://api.openai.com/v1 --model gpt-4.1 --offer search
  valetkey eval --base-url http://127.0.0.1:11434/v1 --model qwen3 --offer connector --json")]
pub(super) struct Eval {
    /// Measure the host's own search, without a model
    #[arg(long, conflicts_with_all = ["base_url", "model", "offer", "api_key_env"])]
    baseline: bool,
    /// Chat Completions endpoint, without `/chat/completions`
    #[arg(long, value_name = "URL", required_unless_present = "baseline")]
    base_url: Option<String>,
    /// The model's name at the endpoint
    #[arg(long, value_name = "NAME", required_unless_present = "baseline")]
    model: Option<String>,
    /// Which tools the model is offered
    #[arg(long, value_enum, default_value = "all")]
    offer: Offered,
    /// The environment variable that holds the API key; without it no key is sent
    #[arg(long, value_name = "VARIABLE", default_value = "OPENAI_API_KEY")]
    api_key_env: String,
    /// A connector: its folder, a component, or a folder of such folders; may be repeated
    #[arg(long, value_name = "DIR|FILE", default_value = "plugins")]
    connector: Vec<PathBuf>,
    /// Tasks [default: those of the bundled connectors]
    #[arg(long, value_name = "FILE")]
    tasks: Option<PathBuf>,
}

/// Which tools a model is offered.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Offered {
    /// Those of all connectors
    All,
    /// Those of the task's own connector
    Connector,
    /// The four of search mode, by which it finds the others
    Search,
}

impl Eval {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let connectors = connectors(&self.connector)?;
        let tasks = self.tasks()?;
        let known = |task: &&tasks::Task| connectors.iter().any(|one| one.connector.id == task.connector);
        if !tasks.tasks.iter().any(|task| known(&task)) {
            bail!("none of the tasks is for one of these connectors; name tasks of their own with --tasks");
        }
        if self.baseline {
            let measured = baseline::measure(&connectors, &tasks.tasks);
            if output.json {
                output.data(&measured);
            } else {
                show_baseline(&measured, output);
            }
            return Ok(ExitCode::SUCCESS);
        }
        self.ask_model(global, &connectors, &tasks, output)
    }

    fn tasks(&self) -> anyhow::Result<Tasks> {
        let Some(path) = &self.tasks else {
            return Ok(Tasks::read(tasks::BUNDLED)?);
        };
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("{shown} cannot be read"))?;
        Tasks::read(&text).with_context(|| shown.to_string())
    }

    fn ask_model(
        &self,
        global: &Global,
        connectors: &[Manifest],
        tasks: &Tasks,
        output: &Output,
    ) -> anyhow::Result<ExitCode> {
        let (Some(base_url), Some(model)) = (&self.base_url, &self.model) else {
            bail!("--base-url and --model say which model is asked; --baseline asks none");
        };
        let settings = global.settings(&[])?.config;
        let authorities = client::authorities(settings.egress.extra_ca_file.as_deref())?;
        let endpoint = Endpoint::new(base_url, env::secret(&self.api_key_env), authorities)?;
        let offer = match self.offer {
            Offered::All => Offer::All,
            Offered::Connector => Offer::Connector,
            Offered::Search => Offer::Search,
        };
        let tools: usize = connectors.iter().map(|one| one.tools.len()).sum();
        if offer == Offer::All && tools > OPENAI_TOOLS {
            output.hint(&format!(
                "{tools} tools go with every request, and OpenAI takes {OPENAI_TOOLS}; --offer search or --offer connector offers fewer"
            ));
        }
        let shown = output.progress("asking");
        let mut begun = 0;
        let ran = block_on(async {
            let ran = run::run(
                model,
                offer,
                connectors,
                tasks,
                async |body: &Value| endpoint.ask(body).await,
                |task| {
                    begun += 1;
                    shown.say(format!("task {begun}: {}", task.id));
                },
            );
            Ok(ran.await)
        })?;
        drop(shown);
        let mut ran = match ran {
            Ok(ran) => ran,
            Err(why) => bail!("{base_url} ended it: {why}"),
        };
        for failure in &mut ran.failures {
            cleaned(failure, &endpoint);
        }
        if output.json {
            output.data(&ran);
        } else {
            show_run(&ran, output);
        }
        // A score is no failure; an endpoint that answered nothing is.
        let all_failed = ran.failures.len() == ran.score.tasks
            && ran
                .failures
                .iter()
                .all(|failure| failure.outcome == Outcome::Failed);
        Ok(if all_failed {
            ExitCode::from(FAILED)
        } else {
            ExitCode::SUCCESS
        })
    }
}

/// A model's words, without what is nobody's business.
fn cleaned(failure: &mut Judged, endpoint: &Endpoint) {
    let texts = [&mut failure.chose, &mut failure.arguments, &mut failure.why];
    for text in texts.into_iter().flatten() {
        *text = endpoint.clean(text);
    }
    for got in failure
        .mismatches
        .iter_mut()
        .filter_map(|mismatch| mismatch.got.as_mut())
    {
        *got = endpoint.clean(got);
    }
}

/// Reads every connector that is named, each id once.
fn connectors(places: &[PathBuf]) -> anyhow::Result<Vec<Manifest>> {
    let mut found: Vec<Manifest> = Vec::new();
    for place in places {
        for read in connectors_at(place)? {
            let id = &read.connector.id;
            if found.iter().any(|known| known.connector.id == *id) {
                bail!("the connector `{id}` is named twice");
            }
            found.push(read);
        }
    }
    Ok(found)
}

fn connectors_at(place: &Path) -> anyhow::Result<Vec<Manifest>> {
    let shown = place.display();
    if place.is_file() {
        let component = std::fs::read(place).with_context(|| format!("{shown} cannot be read"))?;
        let read = manifest::extract(&component).map_err(anyhow::Error::msg);
        return Ok(vec![read.with_context(|| shown.to_string())?]);
    }
    if place.join(manifest::FILE).is_file() {
        return Ok(vec![manifest::read(place).map_err(anyhow::Error::msg)?]);
    }
    let entries = std::fs::read_dir(place).with_context(|| {
        format!("{shown} is no connector's folder, no component and no folder of connectors; name one with --connector")
    })?;
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join(manifest::FILE).is_file())
        .collect();
    folders.sort();
    if folders.is_empty() {
        bail!("{shown} holds no connector; name one with --connector");
    }
    folders
        .iter()
        .map(|folder| manifest::read(folder).map_err(anyhow::Error::msg))
        .collect()
}

fn show_baseline(measured: &Baseline, output: &Output) {
    let row = |name: &str, tools: usize, cost: Cost, recall: &Recall| {
        vec![
            name.to_owned(),
            tools.to_string(),
            cost.estimated_tokens.to_string(),
            recall.tasks.to_string(),
            percent(recall.at_1),
            percent(recall.at_5),
            format!("{:.3}", recall.mean_reciprocal_rank),
        ]
    };
    let mut rows: Vec<Vec<String>> = measured
        .connectors
        .iter()
        .map(|(id, figures)| row(id, figures.tools, figures.definitions, &figures.recall))
        .collect();
    let tools = measured.connectors.values().map(|figures| figures.tools).sum();
    rows.push(row("all", tools, measured.all_tools, &measured.recall));
    let titles = [
        "connector",
        "tools",
        "tokens",
        "tasks",
        "recall@1",
        "recall@5",
        "mrr",
    ];
    output.table(&titles, &rows);
    let search = &measured.search_mode;
    output.line("");
    output.line(&format!(
        "search mode: {} tokens of definitions, then about {} for a search and {} for a tool's description",
        search.definitions.estimated_tokens,
        search.search_answer.estimated_tokens,
        search.tool.estimated_tokens,
    ));
    output.line(&format!(
        "tokens are estimated: bytes of JSON over {BYTES_PER_TOKEN}"
    ));
    if !measured.misses.is_empty() {
        output.line("");
        output.line("not found first:");
    }
    for miss in &measured.misses {
        let rank = miss
            .rank
            .map_or("not found".to_owned(), |rank| format!("at {rank}"));
        output.line(&format!("  {} ({rank}): {}", miss.task, miss.says));
        output.line(&format!(
            "    wants {}; finds {}",
            miss.expected.join(" or "),
            miss.found.join(", ")
        ));
    }
    left_out(&measured.left_out, output);
}

fn show_run(ran: &Run, output: &Output) {
    let row = |name: &str, score: &run::Score| {
        vec![
            name.to_owned(),
            score.tasks.to_string(),
            format!("{} ({})", score.right_tool, percent(score.tool_choice)),
            format!("{} ({})", score.right, percent(score.arguments)),
        ]
    };
    let mut rows: Vec<Vec<String>> = ran.connectors.iter().map(|(id, score)| row(id, score)).collect();
    rows.push(row("all", &ran.score));
    output.table(
        &["connector", "tasks", "right tool", "with right arguments"],
        &rows,
    );
    if ran.usage != run::Usage::default() {
        output.line(&format!(
            "\n{} tokens read and {} written, as the endpoint counts",
            ran.usage.prompt_tokens, ran.usage.completion_tokens
        ));
    }
    if !ran.failures.is_empty() {
        output.line("\nnot right:");
    }
    for failure in &ran.failures {
        let outcome = json!(failure.outcome);
        let outcome = outcome.as_str().unwrap_or_default().replace('_', " ");
        output.line(&format!("  {} ({outcome}): {}", failure.task, failure.says));
        let chose = failure.chose.as_deref().unwrap_or("nothing");
        output.line(&format!(
            "    wants {}; chose {chose}",
            failure.expected.join(" or ")
        ));
        for mismatch in &failure.mismatches {
            let got = mismatch.got.as_deref().unwrap_or("nothing");
            output.line(&format!(
                "    {}: wants {}, got {got}",
                mismatch.argument, mismatch.wanted
            ));
        }
        if let Some(why) = &failure.why {
            output.line(&format!("    {why}"));
        }
    }
    left_out(&ran.left_out, output);
}

fn left_out(tasks: &[String], output: &Output) {
    if !tasks.is_empty() {
        output.say(&format!(
            "{} tasks are for connectors that are not here",
            tasks.len()
        ));
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
