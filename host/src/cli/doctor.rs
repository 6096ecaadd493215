//! `valetkey doctor`: what is wrong on this machine, and how to mend it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, ExitCode};

use clap::Args;
use serde::Serialize;

use super::client::{Client, Remote};
use super::output::Output;
use super::{FAILED, Global, block_on};
use crate::certificate::{self, Files};
use crate::clock::Clock;
use crate::config::Config;
use crate::offline;

/// Looks at the settings, the key file, the certificate, the folders, the disk, the kernel, the clock, the store
/// and every installed connector, and says how to mend what is wrong. It changes nothing and
/// calls no vendor.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey doctor
  valetkey doctor --json | jq '.findings[] | select(.state != \"ok\")'

Exit status: 0 nothing keeps the host from working; 1 something does.")]
pub(super) struct Doctor {
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Warning,
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Ok,
            found: found.into(),
            fix: None,
        }
    }

    fn warning(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            state: State::Warning,
            fix: Some(fix.into()),
            ..Self::ok(check, found)
        }
    }

    fn problem(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            state: State::Problem,
            ..Self::warning(check, found, fix)
        }
    }
}

impl Doctor {
    pub(super) fn run(&self, global: &Global, output: &Output) -> anyhow::Result<ExitCode> {
        let config = global.settings(&[])?.config;
        let mut findings = vec![Finding::ok("settings", "acceptable")];
        findings.extend(data_folder(&config));
        findings.push(key_file(&config));
        findings.push(certificate(&config));
        findings.push(disk(&config));
        findings.push(clock(&config));
        findings.extend(kernel());
        findings.push(toolchain());
        findings.extend(block_on(host(&config, global, &self.remote))?);

        let healthy = findings.iter().all(|finding| finding.state != State::Problem);
        if output.json {
            output.data(&serde_json::json!({"healthy": healthy, "findings": findings}));
        } else {
            for finding in &findings {
                let mark = match finding.state {
                    State::Ok => "ok      ",
                    State::Warning => "warning ",
                    State::Problem => "problem ",
                };
                output.line(&format!("{mark} {:<14} {}", finding.check, finding.found));
                if let Some(fix) = &finding.fix {
                    output.line(&format!("{:24}→ {fix}", ""));
                }
            }
        }
        Ok(if healthy {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(FAILED)
        })
    }
}

fn data_folder(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "data folder";
    let dir = &config.storage.data_dir;
    if !dir.join("store").exists() {
        let found = format!("there is none at {}", dir.display());
        return vec![Finding::problem(
            CHECK,
            found,
            "`valetkey init` makes one; or name yours with --data-dir",
        )];
    }
    let mut findings = Vec::new();
    for part in ["", "store", "components", "code", "journal", "operator.json"] {
        let path = if part.is_empty() {
            dir.clone()
        } else {
            dir.join(part)
        };
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        let mode = metadata.permissions().mode() & 0o777;
        // What lies inside of a folder that others cannot enter is out of their reach.
        let guarded = matches!(part, "" | "code" | "operator.json");
        if guarded && mode & 0o077 != 0 {
            findings.push(Finding::problem(
                CHECK,
                format!("{} has mode {mode:o}; others may look in", path.display()),
                format!("chmod go-rwx {}", path.display()),
            ));
        }
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            findings.push(Finding::problem(
                CHECK,
                format!("{} belongs to another user", path.display()),
                "run the host as the user that owns its data folder",
            ));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, format!("{}, yours alone", dir.display())));
    }
    findings
}

fn key_file(config: &Config) -> Finding {
    const CHECK: &str = "root key";
    let path = config.storage.key_file();
    match offline::check_key(config) {
        Ok(()) => Finding::ok(CHECK, format!("{}, readable by you alone", path.display())),
        Err(error) => Finding::problem(
            CHECK,
            error.to_string(),
            "without the right key no stored credential can be read; restore it from your copy",
        ),
    }
}

fn certificate(config: &Config) -> Finding {
    const CHECK: &str = "certificate";
    const SOON_DAYS: i64 = 14;
    let files = Files::of(config);
    let (fix, missing) = if files.own {
        (
            "restart the host: it makes a new one",
            "the host makes one at its start",
        )
    } else {
        (
            "renew it; the host takes new files with the next connection",
            "give the files that [tls] names",
        )
    };
    if !files.certificate.exists() || !files.key.exists() {
        let found = format!("{} or its key is not there", files.certificate.display());
        return if files.own {
            Finding::ok(CHECK, format!("none yet; {missing}"))
        } else {
            Finding::problem(CHECK, found, missing)
        };
    }
    let mode = fs::metadata(&files.key).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        return Finding::problem(
            CHECK,
            format!(
                "its key {} has mode {mode:o}; others may read it",
                files.key.display()
            ),
            format!("chmod go-rwx {}", files.key.display()),
        );
    }
    let now = Clock::system().now();
    match certificate::dates(&files) {
        Err(error) => Finding::problem(CHECK, format!("{error:#}"), fix),
        Ok((from, _)) if now < from => Finding::problem(
            CHECK,
            format!("{} is not good before {from}", files.certificate.display()),
            "set the clock, or use another certificate",
        ),
        Ok((_, until)) if until <= now => Finding::problem(
            CHECK,
            format!("{} ended at {until}", files.certificate.display()),
            fix,
        ),
        Ok((_, until)) if until.as_second() - now.as_second() < SOON_DAYS * 86_400 => Finding::warning(
            CHECK,
            format!("{} ends at {until}", files.certificate.display()),
            fix,
        ),
        Ok((_, until)) => Finding::ok(
            CHECK,
            format!("{}, good until {until}", files.certificate.display()),
        ),
    }
}

fn disk(config: &Config) -> Finding {
    const CHECK: &str = "disk space";
    let dir = &config.storage.data_dir;
    let nearest = dir
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(Path::new("."));
    match rustix::fs::statvfs(nearest) {
        Err(error) => Finding::warning(CHECK, format!("unknown ({error})"), "look with `df`"),
        Ok(space) => {
            let free_mib = space.f_bavail.saturating_mul(space.f_frsize) / (1024 * 1024);
            let found = format!("{free_mib} MiB free at {}", nearest.display());
            let fix = "make room: the host refuses changes when the disk is full";
            match free_mib {
                0..=127 => Finding::problem(CHECK, found, fix),
                128..=1023 => Finding::warning(CHECK, found, fix),
                _ => Finding::ok(CHECK, found),
            }
        }
    }
}

/// Expiry times and time stamps come from the wall clock: one that went back shows on files that
/// are younger than now.
fn clock(config: &Config) -> Finding {
    const CHECK: &str = "clock";
    let now = Clock::system().now();
    let journal = fs::metadata(config.storage.data_dir.join("journal"));
    let ahead = journal.map_or(0, |metadata| metadata.mtime() - now.as_second());
    if ahead > 60 {
        return Finding::problem(
            CHECK,
            format!("it says {now}, and the data folder was written to {ahead} s later than that"),
            "set the clock (timedatectl set-ntp true); tokens expire by it",
        );
    }
    Finding::ok(CHECK, now.to_string())
}

fn kernel() -> Vec<Finding> {
    const CHECK: &str = "sandbox speed";
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let swap = fs::read_to_string("/proc/swaps").is_ok_and(|swaps| swaps.lines().count() > 1);
    let mut findings = Vec::new();
    if version < (6, 7) {
        findings.push(Finding::warning(
            CHECK,
            format!("Linux {} cannot say which pages a call touched", release.trim()),
            "Linux 6.7 or newer makes calls cheaper",
        ));
    }
    if swap {
        findings.push(Finding::warning(
            CHECK,
            "there is swap, so pages are wiped the slow way between calls, and secrets may reach the disk",
            "`swapoff -a`, or memory.swap.max=0 for the host's control group",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, format!("Linux {}, no swap", release.trim())));
    }
    findings
}

fn toolchain() -> Finding {
    const CHECK: &str = "wasm target";
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    let Ok(sysroot) = sysroot else {
        return Finding::warning(
            CHECK,
            "no Rust toolchain; it is needed to build connectors, not to run them",
            "https://rustup.rs",
        );
    };
    let sysroot = String::from_utf8_lossy(&sysroot.stdout).trim().to_owned();
    if Path::new(&sysroot).join("lib/rustlib/wasm32-wasip2").is_dir() {
        return Finding::ok(CHECK, "wasm32-wasip2 is installed");
    }
    Finding::warning(
        CHECK,
        "wasm32-wasip2 is not installed; it is needed to build connectors, not to run them",
        "rustup target add wasm32-wasip2",
    )
}

/// What only a whole host shows: a running one is asked, a stopped one is opened.
async fn host(config: &Config, global: &Global, remote: &Remote) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if let Some(url) = &config.server.public_url {
        findings.push(match Client::probe(config, url).await {
            Ok(()) => Finding::ok("public URL", format!("{url} answers")),
            Err(error) => Finding::warning(
                "public URL",
                format!("{url} does not answer from here: {error:#}"),
                "links and redirect URIs begin with it: look at the proxy, DNS and `server.public_url`",
            ),
        });
    }
    if !config.storage.data_dir.join("store").exists() {
        return Ok(findings);
    }
    let installed = if offline::is_in_use(config) {
        findings.push(Finding::ok("host", "it is running"));
        match connectors_of_running(global, remote).await {
            Ok(installed) => installed,
            Err(error) => {
                findings.push(Finding::problem(
                    "host",
                    format!("it runs and does not answer: {error:#}"),
                    "look at its log; restart it",
                ));
                return Ok(findings);
            }
        }
    } else {
        match offline::inspect(config, Clock::system()).await {
            Ok(installed) => {
                findings.push(Finding::ok("host", "it is stopped; store and key open"));
                serde_json::to_value(installed)?
                    .as_array()
                    .cloned()
                    .unwrap_or_default()
            }
            Err(error) => {
                let fix = "it will not start before this is mended";
                findings.push(Finding::problem("host", format!("{error:#}"), fix));
                return Ok(findings);
            }
        }
    };
    findings.extend(connectors(&installed));
    Ok(findings)
}

async fn connectors_of_running(global: &Global, remote: &Remote) -> anyhow::Result<Vec<serde_json::Value>> {
    Client::connect(global, remote)
        .await?
        .list("/api/v1/connectors")
        .await
}

fn connectors(installed: &[serde_json::Value]) -> Vec<Finding> {
    const CHECK: &str = "connectors";
    let mut findings = Vec::new();
    for connector in installed {
        for version in connector["versions"].as_array().into_iter().flatten() {
            if let Some(problem) = version["problem"].as_str() {
                let name = format!("{} {}", connector["connector"], version["version"]).replace('"', "");
                findings.push(Finding::problem(
                    CHECK,
                    format!("{name} is not loaded: {problem}"),
                    "install the same component again, or remove this version",
                ));
            }
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(
            CHECK,
            format!("{} installed, all load", installed.len()),
        ));
    }
    findings
}
