//! Two results beside each other: what differs, and by how much at least, with 95 % intervals.
//!
//! An interval says how sure a number of these two runs is. Two runs of the same shop differ by more than that (a neighbour on
//! the machine, another start of the database): who wants to know about versions repeats both, in turn.

mod conditions;
mod interval;
mod page;
mod text;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

pub use self::conditions::differences;
pub use self::interval::Bounded;
use crate::interaction::Class;
use crate::report::folder::Folder;
use crate::result::{Caches, Measured, Outcome, RunResult};
use crate::stats::hist;
use crate::usage::Usage;

/// The only format there is.
const VERSION: u32 = 1;

/// Two results of `run` beside each other, with 95 % intervals
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 compared, whatever was found; 1 a result cannot be read; 64 they cannot be compared."
)]
pub struct Args {
    /// The result folder to compare with
    pub a: PathBuf,
    /// The result folder that is compared
    pub b: PathBuf,
    /// Compare although data set, load, machine or quota differ
    #[arg(long)]
    pub force: bool,
    /// The folder for report.html and compare.json [default: trestle-results/compare-TIME]
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Why there is no comparison: exit code 64, or 1.
#[derive(Debug)]
pub enum Failure {
    /// One line that names each difference.
    Refused(String),
    Other(anyhow::Error),
}

impl Failure {
    /// For the command line.
    pub fn told(self) -> anyhow::Error {
        match self {
            Self::Refused(line) => Usage(line).into(),
            Self::Other(error) => error,
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// What `compare.json` holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Comparison {
    pub version: u32,
    pub a: Side,
    pub b: Side,
    /// What differs although it should not; empty unless forced.
    pub differences: Vec<String>,
    pub rows: Vec<Row>,
    pub notes: Vec<String>,
}

/// What is known of a run before its numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Side {
    /// Where it was read from.
    pub folder: String,
    pub began: String,
    pub trestle: String,
    pub replicas: usize,
    pub seconds: f64,
    pub outcome: Outcome,
}

/// One number of both runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// `reads p99`, `throughput`.
    pub what: String,
    pub unit: Unit,
    /// None where the run has too few samples or seconds for it.
    pub a: Option<Bounded>,
    pub b: Option<Bounded>,
    /// B / A, or B - A where the number is a share.
    pub change: Option<Bounded>,
    pub finding: Finding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    PerSecond,
    Milliseconds,
    /// 0 to 1.
    Share,
}

impl Unit {
    /// The change that is none.
    fn same(self) -> f64 {
        match self {
            Self::PerSecond | Self::Milliseconds => 1.0,
            Self::Share => 0.0,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    Higher,
    Lower,
    /// The interval of the change holds none.
    NoDifferenceShown,
    /// Too short a run, or too few samples.
    NotKnown,
}

/// Reads the folders, compares, writes a folder. The text for the screen is the comparison's `to_string()`.
///
/// # Errors
/// [`Failure::Refused`] when they are not comparable and `--force` is not given.
pub fn command(args: &Args) -> Result<(Comparison, Folder), Failure> {
    let mut comparison = compare(&read(&args.a)?, &read(&args.b)?, args.force)?;
    comparison.a.folder = args.a.display().to_string();
    comparison.b.folder = args.b.display().to_string();
    let folder = Folder::create(args.output.clone(), "compare")?;
    folder.write_json("compare.json", &comparison)?;
    folder.write("report.html", page::page(&comparison))?;
    Ok((comparison, folder))
}

/// Compares, and says where the page is.
///
/// # Errors
/// [`Usage`] when they are not comparable and `--force` is not given.
pub fn run(args: &Args) -> Result<ExitCode> {
    let (comparison, folder) = command(args).map_err(Failure::told)?;
    print!("{comparison}");
    println!("compared: {}", folder.path().join("report.html").display());
    Ok(ExitCode::SUCCESS)
}

/// The result in a folder.
///
/// # Errors
/// When there is none, or one of another format.
pub fn read(folder: &Path) -> Result<RunResult> {
    let file = folder.join("result.json");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("{} is no folder that `run` wrote: result.json", folder.display()))?;
    let result: RunResult =
        serde_json::from_str(&text).with_context(|| format!("{} is not a result", file.display()))?;
    let version = result.version;
    anyhow::ensure!(
        version == VERSION,
        "{}: format {version}, known is {VERSION}",
        file.display()
    );
    Ok(result)
}

/// # Errors
/// [`Failure::Refused`] when they are not comparable and `force` is not set.
pub fn compare(a: &RunResult, b: &RunResult, force: bool) -> Result<Comparison, Failure> {
    let differences = differences(a, b);
    if !differences.is_empty() && !force {
        let line = format!(
            "compare: not comparable: {}; --force compares them all the same",
            differences.join("; ")
        );
        return Err(Failure::Refused(line));
    }
    let mut rows = vec![throughput(a, b)];
    for (class, name) in [
        (Class::Read, "reads"),
        (Class::Write, "cart and checkout"),
        (Class::Hash, "login and registration"),
    ] {
        rows.extend(latencies(
            name,
            &samples(&a.measured, class)?,
            &samples(&b.measured, class)?,
        ));
    }
    rows.extend(shares(&a.measured, &b.measured));
    rows.retain(|row| row.a.is_some() || row.b.is_some());
    Ok(Comparison {
        version: VERSION,
        a: side(a),
        b: side(b),
        differences,
        rows,
        notes: notes(a, b),
    })
}

fn side(of: &RunResult) -> Side {
    Side {
        folder: String::new(),
        began: of.began.clone(),
        trestle: of.conditions.trestle.clone(),
        replicas: of.conditions.replicas,
        seconds: of.measured.seconds,
        outcome: of.outcome,
    }
}

fn notes(a: &RunResult, b: &RunResult) -> Vec<String> {
    let mut notes = vec![
        "Intervals are those of these two runs. Runs differ by more: repeat both, in turn, before you believe a small difference."
            .to_owned(),
    ];
    for (name, run) in [("A", a), ("B", b)] {
        match run.outcome {
            Outcome::Invalid => notes.push(format!(
                "{name} is invalid: its generator was the limit, its numbers say nothing about the shop."
            )),
            Outcome::Failed => notes.push(format!("{name} failed: a limit or a promise was broken in it.")),
            Outcome::Passed | Outcome::NotAudited => {}
        }
        if !run.measured.settled {
            notes.push(format!("{name} had not settled when measuring began."));
        }
    }
    notes
}

fn throughput(a: &RunResult, b: &RunResult) -> Row {
    let of = |run: &RunResult| interval::rate(&good_by_second(&run.measured), run.load.seed);
    row("throughput", Unit::PerSecond, of(a), of(b))
}

/// Good interactions of each whole second of the measured time.
fn good_by_second(measured: &Measured) -> Vec<u64> {
    measured
        .timeline
        .iter()
        .filter(|second| second.at >= 0)
        .filter(|second| i32::try_from(second.at).is_ok_and(|at| f64::from(at) + 1.0 <= measured.seconds))
        .map(|second| second.completed.saturating_sub(second.failed + second.shed))
        .collect()
}

fn samples(measured: &Measured, class: Class) -> Result<Histogram<u64>> {
    let of_class = measured
        .interactions
        .iter()
        .filter(|it| it.interaction.class() == class);
    let parts = of_class
        .map(|it| hist::decode(&it.histogram))
        .collect::<Result<Vec<_>>>()?;
    hist::merge(&parts)
}

fn latencies(name: &str, a: &Histogram<u64>, b: &Histogram<u64>) -> Vec<Row> {
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)]
        .into_iter()
        .map(|(label, quantile)| {
            let of = |samples| interval::percentile(samples, quantile);
            row(&format!("{name} {label}"), Unit::Milliseconds, of(a), of(b))
        })
        .collect()
}

fn shares(a: &Measured, b: &Measured) -> Vec<Row> {
    type Part = fn(&Measured) -> (u64, u64);
    let cached = |caches: &Caches| caches.memory + caches.redis + caches.database;
    let rows: [(&str, Part); 2] = [
        ("failed", |it| (it.failed, it.completed)),
        ("refused (503, 429)", |it| (it.shed, it.completed)),
    ];
    let mut rows: Vec<Row> = rows
        .into_iter()
        .map(|(what, part)| share(what, part(a), part(b)))
        .collect();
    for (what, hits) in [
        ("cached reads from memory", (a.caches.memory, b.caches.memory)),
        ("cached reads from Redis", (a.caches.redis, b.caches.redis)),
    ] {
        rows.push(share(
            what,
            (hits.0, cached(&a.caches)),
            (hits.1, cached(&b.caches)),
        ));
    }
    rows
}

fn share(what: &str, a: (u64, u64), b: (u64, u64)) -> Row {
    row(
        what,
        Unit::Share,
        interval::share(a.0, a.1),
        interval::share(b.0, b.1),
    )
}

fn row(what: &str, unit: Unit, a: Option<Bounded>, b: Option<Bounded>) -> Row {
    let change = a.zip(b).and_then(|(a, b)| match unit {
        Unit::Share => Some(Bounded::difference(a, b)),
        Unit::PerSecond | Unit::Milliseconds => Bounded::ratio(a, b),
    });
    let finding = match change {
        None => Finding::NotKnown,
        Some(change) if change.holds(unit.same()) => Finding::NoDifferenceShown,
        Some(change) if change.low > unit.same() => Finding::Higher,
        Some(_) => Finding::Lower,
    };
    Row {
        what: what.to_owned(),
        unit,
        a,
        b,
        change,
        finding,
    }
}

#[cfg(test)]
mod tests;
