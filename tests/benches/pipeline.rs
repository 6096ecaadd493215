//! The example pipeline through five systems: what it asks of the host and of the vendors, and how its
//! time grows with the representatives that run side by side. Host, simulated vendors and the agents'
//! program share the machine, so that the time is of all three.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use valetkey_tests::sales::SalesTeam;
use valetkey_vendors::{Budget, Options, Side, Simulator};

use super::table;

/// How many representatives run side by side.
const SIZES: [usize; 3] = [1, 10, 100];
const DAY: &str = "2026-11-20";

/// What one run came to.
struct Run {
    calls: usize,
    /// Requests to the vendors' APIs, by what their paths begin with.
    requests: BTreeMap<String, usize>,
    seconds: f64,
}

pub fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("a runtime")?;
    let one_a_second = Budget {
        requests: 1,
        window_ms: 1_000,
    };
    for (title, pace) in [
        ("Sales pipeline, vendors without a pace", None),
        (
            "Sales pipeline, one Slack message a second and channel",
            Some(one_a_second),
        ),
    ] {
        let mut rows = Vec::new();
        let mut first = None;
        for size in SIZES {
            let run = runtime.block_on(once(size, pace))?;
            let alone = *first.get_or_insert(run.seconds);
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            let count = size as f64;
            let of = |vendor: &str| run.requests.get(vendor).copied().unwrap_or(0).to_string();
            rows.push(vec![
                size.to_string(),
                run.calls.to_string(),
                run.requests.values().sum::<usize>().to_string(),
                of("salesforce"),
                of("gmail"),
                of("hubspot"),
                of("linear"),
                of("slack"),
                format!("{:.1} s", run.seconds),
                format!("{:.1} x", run.seconds / alone),
                format!("{:.0} ms", run.seconds * 1_000.0 / count),
            ]);
        }
        let head = [
            "representatives",
            "tool calls",
            "vendor requests",
            "Salesforce",
            "Gmail",
            "HubSpot",
            "Linear",
            "Slack",
            "wall time",
            "of one alone",
            "each",
        ];
        table::print(title, &head, &rows);
    }
    Ok(())
}

async fn once(representatives: usize, slack_post_budget: Option<Budget>) -> anyhow::Result<Run> {
    let options = Options {
        contacts: 8,
        messages: 24,
        opportunities: 8,
        slack_post_budget,
        ..Options::default()
    };
    let vendors = Simulator::start(options).await.context("a simulator")?;
    let team = SalesTeam::start(representatives, vendors).await;
    team.vendors.log().clear();
    let before = team.host.runtime.journal.recent("dev", usize::MAX).len();
    let reports: Vec<Value> = team.pipeline(DAY, &[]).await.reports().await;
    ensure!(
        reports.iter().all(|report| report["problem"].is_null()),
        "a representative's run failed: {reports:?}"
    );
    let log = team.vendors.log().of(Side::Api);
    // From the first request to the last: without the start of Python and the imports of its framework.
    let (Some(first), Some(last)) = (log.first(), log.last()) else {
        bail!("no vendor was asked for anything");
    };
    #[allow(clippy::cast_precision_loss, reason = "some seconds")]
    let seconds = (last.at_ms - first.at_ms) as f64 / 1_000.0;
    let mut requests = BTreeMap::new();
    for entry in &log {
        let vendor = entry.path.split('/').nth(1).unwrap_or_default().to_owned();
        *requests.entry(vendor).or_insert(0) += 1;
    }
    Ok(Run {
        calls: team.host.runtime.journal.recent("dev", usize::MAX).len() - before,
        requests,
        seconds,
    })
}
