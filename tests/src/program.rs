//! Running the real binary in a folder of its own, without the caller's environment.

use std::path::Path;
use std::process::Stdio;

use crate::artifacts;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A working folder; the data folder is `data` in it.
pub struct Place {
    dir: TempDir,
}

/// What a command answered.
pub struct Ran {
    /// Exit code; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub talk: String,
}

impl Ran {
    /// Standard output as JSON, of a command that must have succeeded.
    ///
    /// # Panics
    /// It failed, or its output is not JSON.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}{}", self.out, self.talk);
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// A running command that prints one line of JSON for each thing that happens; it is killed when
/// dropped.
pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// The next line.
    ///
    /// # Panics
    /// It ended, or the line is not JSON.
    pub async fn line(&mut self) -> Value {
        let line = self.lines.next_line().await.expect("its output");
        let line = line.expect("it goes on running");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Asks it to stop, and waits until it did.
    ///
    /// # Panics
    /// It does not end well.
    pub async fn stop(mut self) {
        terminate(&mut self.child).await;
    }
}

async fn terminate(child: &mut Child) {
    let id = child.id().expect("it runs");
    let stopped = Command::new("kill")
        .arg("-TERM")
        .arg(id.to_string())
        .status()
        .await;
    assert!(stopped.expect("kill runs").success());
    let status = child.wait().await.expect("it ends");
    assert!(status.success(), "{status}");
}

/// A running `valetkey serve`; it is killed when dropped.
pub struct Serving {
    child: Child,
    /// Where it listens.
    pub base_url: String,
}

impl Serving {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Ends it as a crash would, and says how it ended.
    pub async fn crash(mut self) -> std::process::ExitStatus {
        let killed = Command::new("kill")
            .arg("-ABRT")
            .arg(self.id().to_string())
            .status()
            .await;
        assert!(killed.expect("kill runs").success());
        self.child.wait().await.expect("it ends")
    }

    /// Asks it to stop, and waits until it did.
    ///
    /// # Panics
    /// It does not end well.
    pub async fn stop(mut self) {
        terminate(&mut self.child).await;
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Place {
    /// An empty folder.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a folder"),
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Command::new(artifacts::binary()), arguments)
    }

    fn command_of(&self, mut command: Command, arguments: &[&str]) -> Command {
        #[allow(
            clippy::disallowed_methods,
            reason = "the binary runs without the caller's other settings"
        )]
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", path)
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[]).await
    }

    /// The same with variables in its environment.
    ///
    /// # Panics
    /// It does not run, or writes what is not text.
    pub async fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let mut command = self.command(arguments);
        command.envs(environment.iter().copied()).stdin(Stdio::null());
        let output = command.output().await.expect("the binary runs");
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("text"),
            talk: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Starts a command that goes on running.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start(&self, arguments: &[&str]) -> Running {
        let mut child = self
            .command(arguments)
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let out = child.stdout.take().expect("its output");
        Running {
            child,
            lines: BufReader::new(out).lines(),
        }
    }

    /// Starts `valetkey serve` on a free port and waits for the line that says where.
    pub async fn serve(&self) -> Serving {
        self.serve_by(Command::new(artifacts::binary()), &[]).await
    }

    /// The same with variables in its environment.
    ///
    /// # Panics
    /// It does not start.
    pub async fn serve_with(&self, environment: &[(&str, &str)]) -> Serving {
        self.serve_by(Command::new(artifacts::binary()), environment)
            .await
    }

    /// The same from a shell that allows core dumps.
    pub async fn serve_where_cores_are_dumped(&self) -> Serving {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -c \"$(ulimit -H -c)\"; exec \"$@\"", "sh"]);
        shell.arg(artifacts::binary());
        self.serve_by(shell, &[]).await
    }

    async fn serve_by(&self, program: Command, environment: &[(&str, &str)]) -> Serving {
        let arguments = ["--data-dir", "data", "serve", "--listen", "127.0.0.1:0", "--json"];
        let mut child = self
            .command_of(program, &arguments)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let out = child.stdout.take().expect("its output");
        let line = BufReader::new(out).lines().next_line().await.expect("its output");
        let ready: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        Serving {
            child,
            base_url: ready["base_url"].as_str().expect("a URL").to_owned(),
        }
    }
}
