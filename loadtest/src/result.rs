//! What a load came to. `result.json` in a result folder is a [`RunResult`]; reports, `compare` and `merge` read it again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::interaction::{Class, Interaction, Mix};
use crate::load::Load;

/// What a generator measured in one load. Times are microseconds unless the name says otherwise.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Measured {
    /// Length of the measured time in seconds, without the warm-up.
    pub seconds: f64,
    pub warm_up_seconds: f64,
    /// False when throughput or hit rate had not settled within the longest warm-up.
    pub settled: bool,
    /// One for each interaction that came, in the order of `Interaction::ALL`.
    pub interactions: Vec<Interactions>,
    /// Completed interactions (steps not counted), with success or without.
    pub completed: u64,
    /// Interactions that were to begin in the measured time.
    pub offered: u64,
    /// HTTP requests that were answered, pages' files included.
    pub requests: u64,
    pub bytes: u64,
    pub errors: Vec<ErrorClass>,
    /// Interactions in which something failed: 5xx other than 503, or no answer after one repeat on a new connection.
    pub failed: u64,
    /// Interactions that were refused with 503, or 429.
    pub shed: u64,
    pub caches: Caches,
    pub timeline: Vec<Second>,
    /// The same by tenths of a second, where the load asked for it; none is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenths: Vec<Tenth>,
    /// Interactions that had begun, or should have, and had not ended: at half time and at the end.
    pub backlog_half: u64,
    pub backlog_end: u64,
    /// How many logins and new accounts there were.
    pub logins: u64,
    pub accounts: u64,
    /// Acknowledged orders.
    pub orders: u64,
    pub client: Client,
    pub journal: JournalCounts,
    /// Answers by replica (Trestle-Replica).
    pub replicas: Vec<(String, u64)>,
}

impl Measured {
    /// Completed interactions that did not fail and were not refused, a second.
    pub fn throughput(&self) -> f64 {
        let good = self.completed.saturating_sub(self.failed + self.shed);
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let good = good as f64;
        good / self.seconds.max(1e-9)
    }
}

/// One interaction's measurements.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Interactions {
    pub interaction: Interaction,
    pub count: u64,
    pub errors: u64,
    /// Latency of the good ones from the intended start, microseconds: an HDR histogram, V2 format in base64.
    pub histogram: String,
    /// Milliseconds; none where fewer than 10 samples lie beyond it.
    pub p50: Option<f64>,
    pub p90: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
    pub p999: Option<f64>,
    pub mean_ms: f64,
    pub max_ms: f64,
}

/// One class of errors.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ErrorClass {
    /// `503 overloaded`, `no answer: connection reset`, `404 not_found`.
    pub class: String,
    pub count: u64,
    /// The first few: when, what was asked, the request's id.
    pub samples: Vec<String>,
}

/// Where cached reads were answered from (Cache-Status).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caches {
    pub memory: u64,
    pub redis: u64,
    pub database: u64,
}

/// One second of the run.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Second {
    /// Seconds since the measured time began; below 0 in the warm-up.
    pub at: i64,
    pub offered: u64,
    pub completed: u64,
    pub failed: u64,
    pub shed: u64,
    pub orders: u64,
    pub p50_us: u64,
    pub p99_us: u64,
    pub in_flight: u64,
    pub caches: Caches,
}

/// A tenth of a second of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenth {
    /// Milliseconds since the measured time began; below 0 in the warm-up.
    pub at_ms: i64,
    /// Interactions that ended well, failed, were refused.
    pub completed: u64,
    pub failed: u64,
    pub shed: u64,
    pub orders: u64,
    /// Requests with an error, by class.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, u64>,
}

/// How the generator itself did.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Client {
    /// How late it began what was due, 99th percentile.
    pub lag_p99_us: u64,
    /// Share of one core, 0 to 1.
    pub cpu: f64,
    /// Begun, of what was to begin, 0 to 1.
    pub sent: f64,
    /// Resident bytes at the end.
    pub memory: u64,
    pub connections: u64,
}

/// What the journal holds of writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalCounts {
    pub acknowledged: u64,
    pub refused: u64,
    pub unknown: u64,
}

/// What was found when the shop was asked, as each shopper, for what it had acknowledged.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Verification {
    pub owners: u64,
    pub orders: u64,
    pub carts: u64,
    /// One line each; empty when all holds.
    pub violations: Vec<String>,
}

/// What `audit` said where the database is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audit {
    Passed(String),
    Failed(String),
    /// Why it could not run.
    NotRun(String),
}

/// One thing that has to hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verdict {
    /// `reads p99`, `generator lag p99`.
    pub what: String,
    pub limit: String,
    pub found: String,
    pub holds: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All limits hold, nothing was lost.
    Passed,
    /// A limit or the shop's promise is broken.
    Failed,
    /// The generator was the limit: the numbers say nothing about the shop.
    Invalid,
    /// All holds, but nobody asked the database.
    NotAudited,
}

/// What was loaded, and where from. Two results are comparable when these are alike.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    pub url: String,
    /// Products, customers by `GET /products` and what was told.
    pub products: u64,
    /// Replicas that answered.
    pub replicas: usize,
    /// What each replica may use, in cores; none where it is not limited or not known.
    pub quota: Option<f64>,
    pub machine: Machine,
    pub trestle: String,
}

/// The machine that the generator runs on (and locally the shop too).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub cores: usize,
    pub processor: String,
    pub memory_mib: u64,
    pub kernel: String,
}

/// `result.json` of `run`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunResult {
    /// Of this format: 1.
    pub version: u32,
    /// RFC 3339.
    pub began: String,
    pub conditions: Conditions,
    pub load: Load,
    pub measured: Measured,
    pub mix: Vec<MixShare>,
    /// What each interaction's p99 was held to.
    #[serde(default)]
    pub response: ResponseLimits,
    /// Response limits and goodput.
    pub limits: Vec<Verdict>,
    /// Whether the generator was up to it.
    pub validity: Vec<Verdict>,
    pub verification: Option<Verification>,
    pub audit: Option<Audit>,
    pub outcome: Outcome,
    pub notes: Vec<String>,
}

/// Limits of the 99th percentile by class, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseLimits {
    pub read: u64,
    pub write: u64,
    pub hash: u64,
}

impl Default for ResponseLimits {
    fn default() -> Self {
        Self {
            read: Class::Read.limit_ms(),
            write: Class::Write.limit_ms(),
            hash: Class::Hash.limit_ms(),
        }
    }
}

impl ResponseLimits {
    pub fn of(self, class: Class) -> u64 {
        match class {
            Class::Read => self.read,
            Class::Write => self.write,
            Class::Hash => self.hash,
        }
    }
}

/// One row of the mix: percent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MixShare {
    pub interaction: Interaction,
    pub wanted: f64,
    pub achieved: f64,
}

/// The mix as it was asked for and as it came.
pub fn mix_shares(mix: Mix, measured: &Measured) -> Vec<MixShare> {
    #[expect(clippy::cast_precision_loss, reason = "shares")]
    let share = |part: u64, of: u64| 100.0 * part as f64 / of.max(1) as f64;
    let count = |wanted: Interaction| {
        measured
            .interactions
            .iter()
            .find(|it| it.interaction == wanted)
            .map_or(0, |it| it.count + it.errors)
    };
    let total: u64 = Interaction::MIXED.into_iter().map(count).sum();
    Interaction::MIXED
        .into_iter()
        .zip(mix.weights())
        .map(|(interaction, weight)| MixShare {
            interaction,
            wanted: f64::from(weight) / 100.0,
            achieved: share(count(interaction), total),
        })
        .collect()
}
