//! The limits that the shop is held against, each a process of its own so that its CPU is counted apart: bare axum, raw
//! statements, bare argon2. `trestle-loadtest bench` starts them; the subcommand is hidden.

pub mod axum;
pub mod checkout;
pub mod hashes;
pub mod reads;

use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{ConnectOptions as _, Executor as _};
use tokio::process::Command;
use tokio::time::timeout;

use super::client::Window;
use super::compare::Sample;
use super::measure::Meter;

/// The subcommand's name; the command line declares it by this.
pub const COMMAND: &str = "bench-limit";
/// Where the limits find the database: not in arguments, which others can see.
pub const DATABASE_URL: &str = "TRESTLE_DATABASE_URL";

/// One of the limits.
#[derive(Debug, Clone, Subcommand)]
pub enum Limit {
    /// axum with one route and nothing around it
    Axum(axum::AxumArgs),
    /// The statements of a product read, without a shop
    Reads(WindowArgs),
    /// The statements of an order, without a shop
    Checkout(WindowArgs),
    /// argon2id with the shop's parameters, without a shop
    Hashes(WindowArgs),
}

/// How much of it, for how long.
#[derive(Debug, Clone, Copy, Args)]
pub struct WindowArgs {
    /// Connections, or threads
    #[arg(long, value_name = "N")]
    parallel: u16,
    #[arg(long, value_name = "MS")]
    warm_up_ms: u64,
    #[arg(long, value_name = "MS")]
    measured_ms: u64,
}

/// Runs a limit in this process and prints what it came to. Runs where `spawn_local` can be called.
///
/// # Errors
/// When it could not run.
pub async fn run(limit: Limit) -> Result<ExitCode> {
    let sample = match limit {
        Limit::Axum(args) => return axum::run(&args).await,
        Limit::Reads(args) => reads::run(args).await?,
        Limit::Checkout(args) => checkout::run(args).await?,
        Limit::Hashes(args) => hashes::run(args).await?,
    };
    println!("{}", serde_json::to_string(&sample)?);
    Ok(ExitCode::SUCCESS)
}

/// Starts a limit as a process of its own and waits for what it came to.
///
/// # Errors
/// When it failed, with what it said.
pub async fn measure(name: &str, parallel: u16, window: Window, database: Option<&str>) -> Result<Sample> {
    let mut command = command(name)?;
    command
        .args(["--parallel", &parallel.to_string()])
        .args(["--warm-up-ms", &window.warm_up.as_millis().to_string()])
        .args(["--measured-ms", &window.measured.as_millis().to_string()]);
    if let Some(database) = database {
        command.env(DATABASE_URL, database);
    }
    let limit = window.warm_up + window.measured + Duration::from_secs(30);
    let output = timeout(limit, command.output())
        .await
        .with_context(|| format!("{name} did not end"))??;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("what {name} said"))
}

/// This program again, as one of the limits.
fn command(name: &str) -> Result<Command> {
    let own = std::env::current_exe().context("this program's own path")?;
    let mut command = Command::new(own);
    command
        .args([COMMAND, name])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

/// A window over tasks of this process that count what they have done.
pub(super) struct Stopwatch {
    window: Window,
}

impl Stopwatch {
    pub(super) fn new(args: WindowArgs) -> Self {
        Self {
            window: Window {
                warm_up: Duration::from_millis(args.warm_up_ms),
                measured: Duration::from_millis(args.measured_ms),
            },
        }
    }

    /// Looks at the count and at this process's CPU time when the warm-up ends and when the window ends.
    pub(super) async fn watch(&self, done: impl Fn() -> u64) -> Result<Sample> {
        let meter = Meter::Process(i32::try_from(std::process::id())?);
        tokio::time::sleep(self.window.warm_up).await;
        let (began, cpu, count) = (Instant::now(), meter.cpu_seconds()?, done());
        tokio::time::sleep(self.window.measured).await;
        Ok(Sample {
            seconds: began.elapsed().as_secs_f64(),
            cpu_seconds: meter.cpu_seconds()? - cpu,
            count: done() - count,
            all: 0,
        })
    }
}

/// A connection with the settings of the shop's sessions.
pub(super) async fn connect() -> Result<MySqlConnection> {
    let url = std::env::var(DATABASE_URL).with_context(|| format!("{DATABASE_URL} is not set"))?;
    let options: MySqlConnectOptions = url
        .parse()
        .map_err(|_| anyhow::anyhow!("{DATABASE_URL} is not a URL that can be read"))?;
    let options = options.statement_cache_capacity(200).disable_statement_logging();
    let mut connection = options.connect().await.context("connecting to the database")?;
    connection
        .execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        .await?;
    Ok(connection)
}

/// Whether a raw statement is one of the shop's: the same words, without the types that its own macros want in names.
#[cfg(test)]
pub(super) fn is_in(source: &str, statement: &str) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let source = source.replace('"', " ").replace("?: ", ": ");
    let mut plain = Vec::new();
    let mut rest = source.split_whitespace();
    while let Some(word) = rest.next() {
        // `AS "id: Uuid"`: the name stays, the type goes.
        if let Some(name) = word.strip_suffix(':') {
            plain.push(name);
            rest.next();
        } else {
            plain.push(word);
        }
    }
    plain.join(" ").replace(" ,", ",").contains(&words(statement))
}
