//! A night and a day of the team. In the evening the programs of all doors have everything ready; in the
//! night all tokens grow old and one user takes an access away; in the morning every agent begins; at noon
//! the vendors take no token any more that they gave before.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;
use valetkey_tests::agents::Program;
use valetkey_tests::artifacts::repository;
use valetkey_vendors::{Fault, Side, Vendor};

use crate::stamp::{Stamp, identifier};
use crate::team::{CONNECTIONS, Team, USERS};

/// By which a program of agents uses the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Rest,
    Grpc,
    Mcp,
}

impl Door {
    pub const ALL: [Self; 3] = [Self::Rest, Self::Grpc, Self::Mcp];

    /// As the program's files name it.
    fn word(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Grpc => "grpc",
            Self::Mcp => "mcp",
        }
    }

    /// The Python with the packages of this door, which do not go together in one.
    fn environment(self) -> &'static str {
        match self {
            Self::Rest | Self::Grpc => "python",
            Self::Mcp => "python-mcp-langchain",
        }
    }
}

/// What each sub-agent of a run looks after: two of them work in one account.
pub const ASSIGNMENTS: [&str; 6] = ["sales", "sales", "service", "mail", "office", "field"];
/// Calls of a sub-agent that nobody stops: each tool of its connection, once.
pub const CALLS: usize = 2;
/// Requests that the vendor tells to come back later.
pub const THROTTLED: u32 = 30;

/// What a user's run came to.
#[derive(Debug, Deserialize)]
pub struct Report {
    pub identifier: String,
    pub agent_run_id: String,
    pub findings: Vec<Finding>,
}

/// What one of its sub-agents read and said.
#[derive(Debug, Deserialize)]
pub struct Finding {
    pub connection: String,
    pub results: Vec<ToolResult>,
    pub said: String,
}

#[derive(Debug, Deserialize)]
pub struct ToolResult {
    pub tool: String,
    pub text: String,
    pub refused: bool,
}

/// Lets the night and the day pass; answers what everybody's agents report, door by door.
pub async fn pass(team: &Team, revoked: &Stamp) -> Vec<(Door, Vec<Report>)> {
    let sessions = team.sessions().await;
    let mut programs = Vec::new();
    for door in Door::ALL {
        programs.push(start(team, door, &sessions).await);
    }
    all_at(&mut programs, "evening").await;
    team.home.log().clear();
    team.abroad.log().clear();
    team.host.clock().advance(Duration::from_secs(8 * 3600));
    let ended = team
        .home
        .revoke_grants(Vendor::Hubspot, Some(&revoked.to_string()));
    assert_eq!(ended, 1);
    team.home.fail(Fault::throttle(Side::Api, THROTTLED, "1"));
    go_on(&mut programs).await;

    all_at(&mut programs, "noon").await;
    // A vendor's 401 asks for a refresh only some time after the last one.
    team.host.clock().advance(Duration::from_secs(60));
    team.home.expire_access_tokens();
    team.abroad.expire_access_tokens();
    go_on(&mut programs).await;

    let mut reports = Vec::new();
    for (door, program) in Door::ALL.into_iter().zip(programs) {
        reports.push((door, program.reports().await));
    }
    reports
}

async fn all_at(programs: &mut [Program], hour: &str) {
    for program in programs {
        program.is_at(hour).await;
    }
}

async fn go_on(programs: &mut [Program]) {
    for program in programs {
        program.go_on().await;
    }
}

/// Starts the program of a door and tells it what to do, for whom, and how it comes in.
async fn start(team: &Team, door: Door, sessions: &Value) -> Program {
    let tools: serde_json::Map<String, Value> = CONNECTIONS
        .iter()
        .map(|connection| (connection.name.to_owned(), json!(connection.tools)))
        .collect();
    let mut orders = json!({
        "door": door.word(),
        "identifiers": (0..USERS).map(identifier).collect::<Vec<_>>(),
        "assignments": ASSIGNMENTS,
        "tools": tools,
    });
    if door == Door::Mcp {
        orders["sessions"] = sessions.clone();
    } else {
        orders["base_url"] = json!(team.host.base_url);
        orders["client_id"] = json!(team.host.client_id);
        orders["client_secret"] = json!(team.host.client_secret);
    }
    let path = [repository().join("sdk/client-python/src")];
    let certificate = team.host.runtime.certificate.files().certificate_path();
    let trusting = |command: &mut Command| {
        command.env("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", certificate);
    };
    Program::start(
        door.word(),
        door.environment(),
        "team.py",
        &path,
        trusting,
        &orders,
    )
    .await
}
