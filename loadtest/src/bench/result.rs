//! What `bench` found: `bench.json`, and the summary for the screen.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::compare::{Comparison, median};
use crate::result::{Audit, Machine};

/// `bench.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BenchResult {
    /// Of this format: 1.
    pub version: u32,
    /// RFC 3339.
    pub began: String,
    pub trestle: String,
    pub machine: Machine,
    pub rounds: usize,
    /// Measured seconds of each side in each round.
    pub seconds: f64,
    pub comparisons: Vec<Comparison>,
    /// Of a read from memory as shipped.
    pub layers: Vec<Layer>,
    /// Of an order; none where no checkout was measured.
    pub statements: Option<Statements>,
    pub start: Start,
    /// Resident bytes by process: after the start, and after all loads.
    pub memory: Vec<Memory>,
    pub files: Vec<File>,
    pub audit: Audit,
    /// The limits were built without optimisation: shares of them say nothing.
    pub unoptimised: bool,
}

/// What a result of such limits is told with.
pub const UNOPTIMISED: &str =
    "not a measurement: this program was built without optimisation, and its limits with it";

/// What a layer around a request costs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Layer {
    pub name: String,
    /// CPU microseconds a request.
    pub cpu_us: f64,
    /// How that was found.
    pub how: String,
}

/// What the database server counted for each order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Statements {
    pub shop_commits: f64,
    pub limit_commits: f64,
    pub shop_statements: f64,
    pub limit_statements: f64,
}

impl Statements {
    /// Medians over rounds.
    pub fn of(rounds: &[Self]) -> Self {
        let over = |number: fn(&Self) -> f64| median(rounds.iter().map(number).collect());
        Self {
            shop_commits: over(|round| round.shop_commits),
            limit_commits: over(|round| round.limit_commits),
            shop_statements: over(|round| round.shop_statements),
            limit_statements: over(|round| round.limit_statements),
        }
    }
}

/// From a replica's start to its readiness, on a running stack.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Start {
    pub median_ms: f64,
    pub each_ms: Vec<f64>,
}

/// Resident bytes of one process, of nginx with its workers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Memory {
    pub name: String,
    pub idle: u64,
    pub loaded: u64,
}

/// A program's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct File {
    pub name: String,
    pub bytes: u64,
}

impl BenchResult {
    /// Targets that were missed.
    pub fn missed(&self) -> Vec<&Comparison> {
        self.comparisons
            .iter()
            .filter(|comparison| comparison.met == Some(false))
            .collect()
    }

    /// For the screen: a table, the layers, the footprint, and plainly what was missed.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(
            text,
            "{:<36} {:>6} {:>13} {:>6} {:>6}   {:>21}   {:>21}",
            "against its limit",
            "ratio",
            "(rounds)",
            "target",
            "",
            "CPU us: shop, limit",
            "a second: shop, limit"
        )?;
        for comparison in &self.comparisons {
            row(text, comparison)?;
        }
        if !self.layers.is_empty() {
            writeln!(text, "\nCPU of a read from memory as shipped, us:")?;
        }
        for layer in &self.layers {
            writeln!(text, "  {:<46} {:>6.2}   {}", layer.name, layer.cpu_us, layer.how)?;
        }
        if let Some(statements) = &self.statements {
            writeln!(
                text,
                "\nan order: {:.1} commits and {:.1} statements, raw {:.1} and {:.1}",
                statements.shop_commits,
                statements.shop_statements,
                statements.limit_commits,
                statements.limit_statements
            )?;
        }
        writeln!(
            text,
            "a replica is ready {:.0} ms after its start (median of {})",
            self.start.median_ms,
            self.start.each_ms.len()
        )?;
        for memory in &self.memory {
            writeln!(
                text,
                "resident: {:<10} {:>6.1} MiB idle, {:>6.1} MiB after load",
                memory.name,
                mib(memory.idle),
                mib(memory.loaded)
            )?;
        }
        for file in &self.files {
            writeln!(
                text,
                "on disk:  {:<16} {:>6.1} MiB, with its line tables",
                file.name,
                mib(file.bytes)
            )?;
        }
        self.write_end(text)
    }

    fn write_end(&self, text: &mut String) -> std::fmt::Result {
        match &self.audit {
            Audit::Passed(_) => writeln!(text, "audit: passed")?,
            Audit::Failed(why) => writeln!(text, "AUDIT FAILED: {why}")?,
            Audit::NotRun(why) => writeln!(text, "NOT AUDITED: {why}")?,
        }
        if self.unoptimised {
            return writeln!(text, "{UNOPTIMISED}");
        }
        let missed = self.missed();
        if missed.is_empty() {
            return writeln!(text, "all targets are met");
        }
        for comparison in missed {
            writeln!(text, "MISSED: {}", comparison.miss())?;
        }
        Ok(())
    }
}

fn row(text: &mut String, comparison: &Comparison) -> std::fmt::Result {
    let subject = &comparison.subject;
    let target = subject
        .target
        .map_or_else(String::new, |target| format!("{target:.2}"));
    let met = match comparison.met {
        None => "",
        Some(true) => "met",
        Some(false) => "MISSED",
    };
    writeln!(
        text,
        "{:<36} {:>6.2} {:>13} {target:>6} {met:>6}   {:>10.1} {:>10.1}   {:>10.0} {:>10.0}   {}",
        subject.title,
        comparison.ratio,
        format!("({:.2}-{:.2})", comparison.lowest, comparison.highest),
        comparison.shop_cpu_us,
        comparison.limit_cpu_us,
        comparison.shop_rate,
        comparison.limit_rate,
        subject.limit
    )
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
pub(super) mod tests {
    use super::super::compare::{Measure, Round, Sample, Subject};
    use super::*;

    pub fn result(shop_seconds: f64) -> BenchResult {
        let sample = |cpu_seconds| Sample {
            count: 1_000,
            seconds: 1.0,
            cpu_seconds,
            all: 1_000,
        };
        let subject = Subject {
            id: "memory_hit".into(),
            title: "Product in memory".into(),
            limit: "bare axum".into(),
            unit: "read".into(),
            measure: Measure::Cpu,
            target: Some(0.85),
            note: String::new(),
        };
        let round = Round {
            shop: sample(shop_seconds),
            limit: sample(0.009),
        };
        BenchResult {
            version: 1,
            began: String::new(),
            trestle: String::new(),
            machine: Machine::default(),
            rounds: 1,
            seconds: 1.0,
            comparisons: vec![Comparison::of(subject, vec![round])],
            layers: Vec::new(),
            statements: None,
            start: Start::default(),
            memory: Vec::new(),
            files: Vec::new(),
            audit: Audit::Passed(String::new()),
            unoptimised: false,
        }
    }

    #[test]
    fn a_missed_target_is_said_plainly() {
        assert!(result(0.010).summary().contains("all targets are met"));
        let missed = result(0.018).summary();
        assert!(
            missed.contains("MISSED: Product in memory reaches 0.50 of bare axum, the target is 0.85"),
            "{missed}"
        );
        assert!(!missed.contains("all targets are met"));
    }

    #[test]
    fn limits_without_optimisation_meet_no_target() {
        let slow = BenchResult {
            unoptimised: true,
            ..result(0.010)
        };
        assert!(slow.summary().contains(UNOPTIMISED));
        assert!(!slow.summary().contains("all targets are met"));
    }

    #[test]
    fn what_is_written_can_be_read_again() {
        let written = serde_json::to_string(&result(0.010)).unwrap();
        let read: BenchResult = serde_json::from_str(&written).unwrap();
        assert_eq!(read.comparisons, result(0.010).comparisons);
    }
}
