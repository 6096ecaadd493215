//! Memory per loaded connector and per 10,000 stored accounts, and the time from start to ready.

use std::time::Instant;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use valetkey::manifest;
use valetkey_tests::http::Client;

use super::execute::{Host, connector, runtime, settle, start_host, start_upstream};
use super::process::free_port;
use super::table;

const VERSIONS: u32 = 40;
const ACCOUNTS: u32 = 10_000;

/// Runs and prints.
pub fn run() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let upstream_port = free_port()?;
    let mut vendor = start_upstream(dir.path(), upstream_port)?;
    vendor.wait_for_port(upstream_port)?;
    let data = dir.path().join("data");
    let runtime = runtime()?;
    let mib = |bytes: f64| format!("{:.1} MiB", bytes / 1024.0 / 1024.0);
    let mut rows = Vec::new();

    let (process, base_url) = start_host(&data, free_port()?, true)?;
    settle();
    let empty = process.resident_bytes()?;
    rows.push(vec!["host, nothing loaded".to_owned(), mib(empty)]);
    let (component, mut manifest) = connector()?;
    let host = runtime.block_on(Host::sign_in(&base_url, &data))?;
    runtime.block_on(host.install(component.clone()))?;
    settle();
    let one = process.resident_bytes()?;
    for number in 1..=VERSIONS {
        manifest.connector.version = format!("9.0.{number}");
        let component = manifest::embed(&component, &manifest).map_err(anyhow::Error::msg)?;
        runtime.block_on(host.install(component))?;
    }
    process.stop()?;
    // After a restart nothing of the compiler's memory is left in the figure.
    let (process, _) = start_host(&data, free_port()?, false)?;
    settle();
    let per_connector = (process.resident_bytes()? - empty) / f64::from(VERSIONS + 1);
    rows.push(vec![
        "host that compiled its first connector".to_owned(),
        mib(one),
    ]);
    rows.push(vec![
        "each loaded connector (hubspot, after a restart)".to_owned(),
        mib(per_connector),
    ]);
    process.stop()?;

    let data = dir.path().join("accounts");
    let (process, base_url) = start_host(&data, free_port()?, true)?;
    let host = runtime.block_on(Host::sign_in(&base_url, &data))?;
    runtime.block_on(host.install(component))?;
    runtime.block_on(host.connect_upstream(upstream_port))?;
    let began = Instant::now();
    runtime.block_on(each_account(|identifier| {
        let host = &host;
        async move { host.connect_account(&identifier).await }
    }))?;
    let connected = began.elapsed();
    process.stop()?;

    let began = Instant::now();
    let (process, base_url) = start_host(&data, free_port()?, false)?;
    // It listens before it is ready, and answers when it is.
    let health = runtime.block_on(Client::default().get(&format!("{base_url}/healthz")));
    let ready = began.elapsed();
    anyhow::ensure!(health.status.is_success(), "healthz: {}", health.status);
    settle();
    let before = process.resident_bytes()?;
    let host = runtime.block_on(Host::sign_in(&base_url, &data))?;
    runtime.block_on(host.call("user-0"))?;
    settle();
    let first = process.resident_bytes()?;
    runtime.block_on(each_account(|identifier| {
        let host = &host;
        async move { host.call(&identifier).await }
    }))?;
    settle();
    let after = process.resident_bytes()?;
    rows.push(vec![
        format!("{ACCOUNTS} accounts connected through the form, in"),
        format!("{connected:.1?}"),
    ]);
    rows.push(vec![
        format!("start to ready with {ACCOUNTS} accounts"),
        format!("{:.0} ms", ready.as_secs_f64() * 1e3),
    ]);
    rows.push(vec![
        format!("host with {ACCOUNTS} accounts stored, just started"),
        mib(before),
    ]);
    rows.push(vec!["after its first call".to_owned(), mib(first)]);
    rows.push(vec![
        format!("{ACCOUNTS} accounts, each used once: more by"),
        mib(after - first),
    ]);
    table::print("Memory and start-up (resident set)", &["", ""], &rows);
    process.stop()?;
    vendor.stop()
}

async fn each_account<F, W>(work: F) -> anyhow::Result<()>
where
    F: Fn(String) -> W,
    W: Future<Output = anyhow::Result<()>>,
{
    stream::iter(0..ACCOUNTS)
        .map(|number| work(format!("user-{number}")))
        .buffer_unordered(32)
        .try_collect()
        .await
}
