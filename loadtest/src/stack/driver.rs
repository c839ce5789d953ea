//! A stack, driven through its command: `trestle`, `trestle --compose`, or another that takes the same words.
//!
//! Invariant: nothing waits for ever; a command that is not done in time is killed, and says so.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use tokio::process::Command;
use tokio::time::timeout;

use crate::result::Audit;

/// `docker stats` alone takes 1.5 s, and on a machine under load much more.
const SOON: Duration = Duration::from_secs(60);
/// Starting containers (150 s) and draining others (90 s), and some.
const SCALE_WITHIN: Duration = Duration::from_secs(300);
/// It waits 90 s for payments to settle, then reads all orders.
const AUDIT_WITHIN: Duration = Duration::from_secs(600);
/// A seed of 100,000 products.
const PASSED_WITHIN: Duration = Duration::from_secs(1800);

/// The command that steers a stack, with what comes before the word for what is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driver {
    pub command: Vec<String>,
}

/// What `status --json` says, as far as it is used here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Status {
    /// The shop's address.
    pub url: String,
    /// Replicas that an auto scaling group wants, where there is one.
    #[serde(default)]
    pub desired: Option<usize>,
    pub processes: Vec<Process>,
}

/// One process or container.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Process {
    /// `nginx`, `api-1`, `redis`, `database`.
    pub name: String,
    /// `ready`, `starting`, `frozen`, `down`, `held`, `draining` or `unhealthy`.
    pub state: String,
    pub address: String,
    /// A replica's operations port (`/metrics`).
    #[serde(default)]
    pub ops_address: Option<String>,
    /// As the host counts, of containers too; none while it does not run, or where it runs on another machine.
    #[serde(default)]
    pub pid: Option<i32>,
    /// CPU as a share of what it may use, 0 to 1, where the stack knows it (a machine of its own).
    #[serde(default)]
    pub cpu: Option<f64>,
}

impl Process {
    /// The number in a replica's name; none for the other tiers.
    pub fn replica(&self) -> Option<usize> {
        self.name.strip_prefix("api-")?.parse().ok()
    }

    pub fn is_ready(&self) -> bool {
        self.state == "ready"
    }
}

impl Status {
    /// The replicas in the order of their numbers, whatever their state.
    pub fn replicas(&self) -> Vec<&Process> {
        let mut replicas: Vec<&Process> = self
            .processes
            .iter()
            .filter(|it| it.replica().is_some())
            .collect();
        replicas.sort_by_key(|it| it.replica());
        replicas
    }

    pub fn find(&self, name: &str) -> Option<&Process> {
        self.processes.iter().find(|it| it.name == name)
    }
}

impl Default for Driver {
    /// `trestle` beside this program (both come out of one build), or the one on the PATH.
    fn default() -> Self {
        let beside = std::env::current_exe()
            .ok()
            .map(|own| own.with_file_name("trestle"))
            .filter(|path| path.is_file());
        let program = beside.unwrap_or_else(|| PathBuf::from("trestle"));
        Self {
            command: vec![program.to_string_lossy().into_owned()],
        }
    }
}

impl std::str::FromStr for Driver {
    type Err = String;

    /// Splits at blanks; what stands between quotes stays together.
    fn from_str(text: &str) -> Result<Self, String> {
        let command = words(text)?;
        if command.is_empty() {
            return Err("name the command that steers the stack, as \"trestle --data DIR\"".to_owned());
        }
        Ok(Self { command })
    }
}

impl Driver {
    /// The command line for these words, for messages.
    pub fn line(&self, arguments: &[&str]) -> String {
        let own = self.command.iter().map(String::as_str);
        own.chain(arguments.iter().copied()).collect::<Vec<_>>().join(" ")
    }

    /// Its processes now.
    pub async fn status(&self) -> Result<Status> {
        let text = self.run(&["status", "--json"], SOON).await?;
        serde_json::from_str(&text)
            .with_context(|| format!("what {:?} printed", self.line(&["status", "--json"])))
    }

    /// Starts or drains replicas; returns when `count` are ready.
    pub async fn scale(&self, count: usize) -> Result<()> {
        let count = count.to_string();
        self.run(&["scale", &count, "--wait"], SCALE_WITHIN)
            .await
            .map(drop)
    }

    /// SIGKILL; what died is started again by whoever keeps the stack running.
    pub async fn kill(&self, name: &str) -> Result<()> {
        self.run(&["kill", name], SOON).await.map(drop)
    }

    /// Freezes a process: it keeps its connections and answers nothing.
    pub async fn pause(&self, name: &str) -> Result<()> {
        self.run(&["pause", name], SOON).await.map(drop)
    }

    pub async fn resume(&self, name: &str) -> Result<()> {
        self.run(&["resume", name], SOON).await.map(drop)
    }

    /// Burns CPU inside a replica's allowance for 1 to 3600 seconds; returns at once.
    pub async fn stress(&self, name: &str, seconds: u64) -> Result<()> {
        let seconds = seconds.to_string();
        self.run(&["stress", name, "--seconds", &seconds], SOON)
            .await
            .map(drop)
    }

    /// Asks the database whether all adds up, when nothing is due at the payment gateway any more.
    pub async fn audit(&self) -> Audit {
        let arguments = ["audit", "--settled"];
        let output = match self.output(&arguments, AUDIT_WITHIN).await {
            Ok(output) => output,
            Err(error) => return Audit::NotRun(format!("{error:#}")),
        };
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let verdict = text.lines().last().unwrap_or_default();
        if !verdict.starts_with("audit: ") {
            // It ended before it came to a verdict: no stack, no database, another version.
            return Audit::NotRun(format!("{}: {}", self.line(&arguments), complaint(&output)));
        }
        if output.status.success() {
            Audit::Passed(text)
        } else {
            Audit::Failed(text)
        }
    }

    /// One of trestle-api's own commands (`seed …`, `admin …`); answers what it printed.
    pub async fn passed(&self, arguments: &[&str]) -> Result<String> {
        self.run(arguments, PASSED_WITHIN).await
    }

    async fn run(&self, arguments: &[&str], limit: Duration) -> Result<String> {
        let output = self.output(arguments, limit).await?;
        ensure!(
            output.status.success(),
            "{}: {}",
            self.line(arguments),
            complaint(&output)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn output(&self, arguments: &[&str], limit: Duration) -> Result<Output> {
        let (program, own) = self
            .command
            .split_first()
            .context("--stack: no command that steers the stack")?;
        let output = Command::new(program)
            .args(own)
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        match timeout(limit, output).await {
            Ok(output) => output.with_context(|| format!("running {} (--stack)", self.line(arguments))),
            Err(_) => bail!("{}: not done after {} s", self.line(arguments), limit.as_secs()),
        }
    }
}

/// The last line that says something, or how it ended.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.map_or_else(|| output.status.to_string(), ToOwned::to_owned)
}

/// A command line in words, as a shell has them: quotes keep together, a backslash outside of single quotes takes the next
/// character as it is.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => {
                let next = letters.next().ok_or("nothing follows the last backslash")?;
                word.get_or_insert_default().push(next);
            }
            (None, letter) if letter.is_whitespace() => words.extend(word.take()),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    if let Some(open) = quote {
        return Err(format!("a quote {open} is not closed"));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests;
