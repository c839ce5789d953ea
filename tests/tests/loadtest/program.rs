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

/// A JSON file of a result's folder.
pub fn json(folder: &Path, name: &str) -> Value {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// `result.json` of a folder.
pub fn result(folder: &Path) -> Value {
    json(folder, "result.json")
}

/// What a report has to have: it is whole, and shows pictures.
#[track_caller]
pub fn is_a_report(folder: &Path) {
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains("<svg") && page.trim_end().ends_with("</html>"));
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

/// A folder for results that is not there yet, as a path and as an argument.
pub fn folder(parent: &tempfile::TempDir, name: &str) -> (std::path::PathBuf, String) {
    let path = parent.path().join(name);
    let text = path.display().to_string();
    (path, text)
}

/// A stack that its own launcher keeps running, steered by its command as the load tests do it. It ends with this value.
pub struct Launched {
    pub data: tempfile::TempDir,
}

impl Launched {
    pub async fn up(replicas: usize, products: usize) -> Self {
        let data = tempfile::tempdir().unwrap();
        let launched = Self { data };
        let (replicas, products) = (replicas.to_string(), products.to_string());
        let arguments = [
            "up",
            "--detach",
            "--port",
            "0",
            "--replicas",
            &replicas,
            "--products",
            &products,
        ];
        let output = launched.command(&arguments).output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        launched
    }

    fn folder(&self) -> String {
        self.data.path().join("shop").display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = programs::built("trestle").expect("build the workspace first: cargo build --workspace");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .args(["--data", &self.folder()])
            .env("TRESTLE_LINGER_SECONDS", "0")
            .stdin(Stdio::null());
        command
    }

    /// How many replicas serve.
    pub async fn replicas(&self) -> usize {
        let output = self.command(&["status", "--json"]).output().await.unwrap();
        let status: Value = serde_json::from_slice(&output.stdout).unwrap();
        let processes = status["processes"].as_array().unwrap();
        processes
            .iter()
            .filter(|process| {
                process["name"].as_str().unwrap().starts_with("api-") && process["state"] == "ready"
            })
            .count()
    }

    /// The command that steers it, for `--stack`.
    pub fn driver(&self) -> String {
        let program = programs::built("trestle").unwrap();
        format!("{} --data {}", program.display(), self.folder())
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        let program = programs::built("trestle").unwrap();
        let down = std::process::Command::new(program)
            .args(["down", "--data", &self.folder()])
            .output();
        assert!(down.is_ok_and(|output| output.status.success()) || std::thread::panicking());
    }
}
