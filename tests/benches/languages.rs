//! What the language of a connector costs: the same sample in Rust, JavaScript and Python, its size, what
//! compiling it takes, and calls in a fresh instance each.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use valetkey::manifest;
use valetkey_manifest::tool::Declaration;

use valetkey_tests::artifacts;

use super::process::thread_cpu_us;
use super::sandbox::Bench;
use super::table;

const LANGUAGES: [&str; 3] = ["rust", "javascript", "python"];
const ROUNDS: usize = 5;
/// Calls of one round, which is some seconds of the slowest.
const CALLS: u32 = 300;
/// The same with an answer of many items.
const LONG_CALLS: u32 = 60;

/// Runs and prints.
pub fn run() -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let mut first = [f64::NAN; 4];
    for language in LANGUAGES {
        let component = artifacts::sample(language);
        let bytes = component.len();
        let cache = Arc::new(tempfile::tempdir()?);
        let begin = Instant::now();
        let short = Bench::of(
            component.clone(),
            declaration(&component)?,
            answer(3),
            Arc::clone(&cache),
        )?;
        let compiled = begin.elapsed();
        let long = Bench::of(component.clone(), declaration(&component)?, answer(250), cache)?;
        let figures = [
            // A refusal before any request: the instance, its start, and the way there and back.
            per_call(&short, CALLS, "sample_note_delete", r#"{"note_id":"x"}"#),
            per_call(&short, CALLS, "sample_note_add", r#"{"color":"blue","text":"t"}"#),
            per_call(
                &short,
                CALLS,
                "sample_note_label",
                r#"{"label":" a ","note_id":"n1"}"#,
            ),
            per_call(
                &long,
                LONG_CALLS,
                "sample_note_add",
                r#"{"color":"blue","text":"t"}"#,
            ),
        ];
        if language == LANGUAGES[0] {
            first = figures;
        }
        let mut row = vec![
            language.to_owned(),
            format!("{:.2}", bytes as f64 / 1e6),
            format!("{:.2}", compiled.as_secs_f64()),
        ];
        row.extend(figures.iter().zip(first).map(|(figure, rust)| {
            let mut cell = format!("{:.3}", figure / 1_000.0);
            let _ = write!(cell, " (×{:.0})", figure / rust);
            cell
        }));
        rows.push(row);
    }
    table::print(
        &format!(
            "The sample connector by its language: medians of {ROUNDS} rounds, CPU ms per call in a fresh instance"
        ),
        &[
            "",
            "MB",
            "compiled in s",
            "refused at once",
            "declared, 0.5 kB",
            "code around it",
            "declared, 40 kB",
        ],
        &rows,
    );
    Ok(())
}

/// What the host tells a guest of the tools that the bench calls.
fn declaration(component: &[u8]) -> anyhow::Result<String> {
    let manifest = manifest::extract(component).map_err(anyhow::Error::msg)?;
    let tool = manifest
        .tools
        .into_iter()
        .find(|tool| tool.name == "sample_note_add");
    let tool = tool.ok_or_else(|| anyhow::anyhow!("the sample has no such tool"))?;
    Ok(serde_json::to_string(&Declaration {
        request: tool.request,
        response: tool.response,
        errors: manifest.errors.as_ref().map(Into::into),
        ..Declaration::default()
    })?)
}

fn answer(items: u32) -> String {
    let item = |id: u32| {
        json!({
            "id": id, "text": "A note about something that somebody wanted to remember.", "paper": {"color": "blue"},
            "internal": {"shard": 4, "at": "2026-01-05T10:11:12.345Z"},
        })
    };
    json!({"label": "a", "notes": (0..items).map(item).collect::<Vec<_>>()}).to_string()
}

/// CPU microseconds of one call, the middle of the rounds.
fn per_call(bench: &Bench, calls: u32, tool: &str, input: &str) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let round = || {
        let before = thread_cpu_us();
        runtime.block_on(async {
            for _ in 0..calls {
                let refused = tool == "sample_note_delete";
                assert_eq!(bench.call(tool, input).await.is_err(), refused, "{tool}");
            }
        });
        (thread_cpu_us() - before) / f64::from(calls)
    };
    table::median((0..ROUNDS).map(|_| round()).collect())
}
