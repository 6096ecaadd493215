//! A running Python program of agents. What troubles it stands in the test's own output.

use std::fmt::Display;
use std::path::PathBuf;
use std::process::Stdio;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::artifacts::{repository, target_dir};

/// The program, while it runs; it is killed when dropped.
pub struct Program {
    name: String,
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts a script of `programs` with the packages of an environment in `target`, `path` for its
    /// imports and what `set` adds, and tells it its orders.
    ///
    /// # Panics
    /// The environment is not there.
    pub async fn start(
        name: impl Display,
        environment: &str,
        script: &str,
        path: &[PathBuf],
        set: impl FnOnce(&mut Command),
        orders: &Value,
    ) -> Self {
        let environment = target_dir().join(environment);
        let mut command = Command::new(environment.join("bin/python"));
        command
            .arg(script)
            .current_dir(repository().join("tests/agents/programs"))
            .env("PYTHONPATH", std::env::join_paths(path).expect("paths"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        set(&mut command);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; tests/run makes it", environment.display()));
        let mut program = Self {
            name: name.to_string(),
            input: child.stdin.take().expect("its input"),
            output: BufReader::new(child.stdout.take().expect("its output")).lines(),
            child,
        };
        program.say(&orders.to_string()).await;
        program
    }

    async fn say(&mut self, line: &str) {
        let written = self.input.write_all(format!("{line}\n").as_bytes()).await;
        written.unwrap_or_else(|error| panic!("{} ended early: {error}", self.name));
    }

    /// Lets it go on from where it waits.
    ///
    /// # Panics
    /// It ended.
    pub async fn go_on(&mut self) {
        self.say("").await;
    }

    /// Waits until it says that it is that far.
    ///
    /// # Panics
    /// It says something else.
    pub async fn is_at(&mut self, hour: &str) {
        let said = self.output.next_line().await.expect("text");
        assert_eq!(said.as_deref(), Some(hour), "{}", self.name);
    }

    /// What it reports, a line each, until it ends well.
    ///
    /// # Panics
    /// It does not end well, or reports something else.
    pub async fn reports<R: DeserializeOwned>(mut self) -> Vec<R> {
        let mut reports = Vec::new();
        while let Some(line) = self.output.next_line().await.expect("text") {
            let report = serde_json::from_str(&line);
            reports.push(report.unwrap_or_else(|error| panic!("{}: {error}: {line}", self.name)));
        }
        let ended = self.child.wait().await.expect("it ends");
        assert!(ended.success(), "{}: {ended}", self.name);
        reports
    }
}
