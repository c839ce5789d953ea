//! `scale-out.json`, and its probes as CSV.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::calibrate::Step;
use super::check::Check;
use super::limit::Limiting;
use super::probe::Probe;
use crate::interaction::Mix;
use crate::report::csv;
use crate::result::{Audit, Caches, Conditions, Outcome, Verification};

/// What a run of `scale-out` came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScaleOutResult {
    /// Of this format: 1.
    pub version: u32,
    /// RFC 3339.
    pub began: String,
    /// Seconds that it took.
    pub took: f64,
    pub conditions: Conditions,
    pub setup: Setup,
    /// Empty where the quota was given, or there was none.
    pub calibration: Vec<Step>,
    /// Of all rounds, in the order of time.
    pub probes: Vec<Probe>,
    pub analysis: Analysis,
    pub checks: Vec<Check>,
    pub limiting: Limiting,
    pub verification: Verification,
    pub audit: Option<Audit>,
    pub outcome: Outcome,
    /// Why it did not hold, a line each.
    pub reasons: Vec<String>,
    pub notes: Vec<String>,
}

/// How it was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    pub replicas: Vec<usize>,
    pub rounds: usize,
    pub probe_seconds: f64,
    pub shoppers_per_replica: usize,
    pub mix: Mix,
    pub with_logins: bool,
    pub seed: u64,
}

impl ScaleOutResult {
    pub fn largest(&self) -> usize {
        self.setup.replicas.iter().copied().max().unwrap_or_default()
    }

    /// Where cached reads were answered from, in the probes of this count.
    pub fn caches(&self, replicas: usize) -> Caches {
        let probes = self
            .probes
            .iter()
            .filter(|it| it.replicas == replicas && self.analysis.uses(it));
        probes.fold(Caches::default(), |sum, it| Caches {
            memory: sum.memory + it.caches.memory,
            redis: sum.redis + it.caches.redis,
            database: sum.database + it.caches.database,
        })
    }
}

/// A row for each probe of the rounds.
///
/// # Errors
/// When CSV cannot be written.
pub fn probes_csv(result: &ScaleOutResult) -> Result<Vec<u8>> {
    let names = [
        "round",
        "replicas",
        "used",
        "shoppers",
        "quota_cores",
        "seconds",
        "throughput",
        "completed",
        "failed",
        "shed",
        "answers",
        "api_cores",
        "nginx_cores",
        "database_cores",
        "redis_cores",
        "generator_cores",
        "host_busy",
        "steal",
        "quota_used",
        "periods_waited",
        "from_memory",
        "from_redis",
        "from_database",
        "lag_p99_us",
    ];
    let maybe = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.4}"));
    let row = |probe: &Probe| {
        let cpu = probe.cpu;
        let mut fields = vec![
            probe.round.to_string(),
            probe.replicas.to_string(),
            result.analysis.uses(probe).to_string(),
            probe.shoppers.to_string(),
            maybe(probe.quota),
            maybe(Some(probe.seconds)),
            maybe(Some(probe.throughput)),
        ];
        fields.extend([probe.completed, probe.failed, probe.shed, probe.answers].map(|it| it.to_string()));
        let shares = [
            cpu.api,
            cpu.nginx,
            cpu.database,
            cpu.redis,
            cpu.generator,
            cpu.host,
            cpu.steal,
        ];
        fields.extend(shares.map(|it| maybe(Some(it))));
        fields.extend([maybe(probe.quota_used()), maybe(probe.waited)]);
        let caches = probe.caches;
        fields.extend(
            [caches.memory, caches.redis, caches.database, probe.lag_p99_us].map(|it| it.to_string()),
        );
        fields
    };
    csv::rows(&names, result.probes.iter().map(row))
}
