//! trestle-loadtest as a person runs it.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use trestle::programs;

/// What a command said, and its exit code.
pub struct Said {
    pub code: Option<i32>,
    pub text: String,
}

pub fn command(arguments: &[&str]) -> Command {
    let program =
        programs::built("trestle-loadtest").expect("build the workspace first: cargo build --workspace");
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true);
    command
}

pub async fn loadtest(arguments: &[&str]) -> Said {
    let output = command(arguments).stdin(Stdio::null()).output().await.unwrap();
    Said {
        code: output.status.code(),
        text: format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}

impl Said {
    #[track_caller]
    pub fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.text);
        self
    }
}

/// `result.json` of a folder.
pub fn result(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("result.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A server with fixed answers, for as long as this lives.
pub struct Stub {
    pub url: String,
    _child: Child,
}

pub async fn stub(arguments: &[&str]) -> Stub {
    let mut child = command(&["stub"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let url = BufReader::new(output).lines().next_line().await.unwrap().unwrap();
    Stub { url, _child: child }
}

/// The stack's command for a stack that a test has started as a library.
pub fn folder(parent: &tempfile::TempDir, name: &str) -> (std::path::PathBuf, String) {
    let path = parent.path().join(name);
    let text = path.display().to_string();
    (path, text)
}
