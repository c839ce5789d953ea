//! From probes to capacity, efficiency and the law of scalability: what counts, what is left out, and why.

use serde::{Deserialize, Serialize};

use super::probe::{Cpu, Probe, number, replicas};
use crate::report::number::percent;
use crate::stats::bootstrap::{Estimate, median_of};
use crate::stats::sample::median;
use crate::stats::usl::{UslFit, fit_rounds};

/// More of the host's time than this, given to another guest, drops a round.
pub const MOST_STEAL: f64 = 0.03;
/// Replicas that use less of their quotas at saturation are limited elsewhere.
pub const SATURATED: f64 = 0.95;

/// What the rounds come to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    pub dropped: Vec<Dropped>,
    pub counts: Vec<Count>,
    pub usl: Option<UslFit>,
    /// Why there is no fit.
    pub no_fit: Option<String>,
}

/// What is not used, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dropped {
    pub round: usize,
    /// One probe; none where the whole round is meant.
    pub replicas: Option<usize>,
    pub why: String,
}

/// One number of replicas, over all rounds that are used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Count {
    pub replicas: usize,
    /// Rounds that are used.
    pub rounds: usize,
    /// Good interactions a second: the median.
    pub throughput: Option<Estimate>,
    /// Of the quotas, 0 to 1: the median.
    pub quota_used: Option<f64>,
    /// Its replicas did not use up their quotas: it is left out of efficiency and fit.
    pub limited_elsewhere: bool,
    /// X(N) / (N X(1)), both of one round: the median.
    pub efficiency: Option<Estimate>,
    /// Answers of the replicas for a second of their CPU: the median.
    pub answers_per_cpu_second: Option<f64>,
    /// That, against one replica in the same round: the median.
    pub answers_against_one: Option<Estimate>,
    /// Medians.
    pub cpu: Cpu,
    pub completed: u64,
    pub failed: u64,
    pub shed: u64,
}

impl Analysis {
    pub fn of(&self, replicas: usize) -> Option<&Count> {
        self.counts.iter().find(|count| count.replicas == replicas)
    }

    /// Whether this probe counts.
    pub fn uses(&self, probe: &Probe) -> bool {
        !self.dropped.iter().any(|it| it.drops(probe))
    }
}

impl Dropped {
    fn drops(&self, probe: &Probe) -> bool {
        self.round == probe.round && self.replicas.is_none_or(|replicas| replicas == probe.replicas)
    }

    /// In a line.
    pub fn said(&self) -> String {
        match self.replicas {
            Some(count) => format!("round {}, {}: {}", self.round, replicas(count), self.why),
            None => format!("round {}: {}", self.round, self.why),
        }
    }
}

/// Weighs the probes of all rounds.
pub fn analyse(probes: &[Probe], counts: &[usize], seed: u64) -> Analysis {
    let dropped = dropped(probes);
    let used: Vec<&Probe> = probes
        .iter()
        .filter(|probe| !dropped.iter().any(|it| it.drops(probe)))
        .collect();
    let mut counts: Vec<Count> = counts
        .iter()
        .map(|replicas| count(&used, *replicas, seed))
        .collect();
    let is_out = |counts: &[Count], replicas| {
        let count = counts.iter().find(|count| count.replicas == replicas);
        count.is_none_or(|count| count.limited_elsewhere)
    };
    let no_base = is_out(&counts, 1);
    for count in &mut counts {
        if no_base || count.limited_elsewhere {
            count.efficiency = None;
        }
    }
    let rounds = rounds(&used, |replicas| !is_out(&counts, replicas));
    let (usl, no_fit) = match fit_rounds(&rounds, seed) {
        Ok(fit) => (Some(fit), None),
        Err(why) => (None, Some(why.to_string())),
    };
    Analysis {
        dropped,
        counts,
        usl,
        no_fit,
    }
}

/// Rounds in which the host was taken away, and probes in which the generator was the limit.
fn dropped(probes: &[Probe]) -> Vec<Dropped> {
    let mut dropped: Vec<Dropped> = Vec::new();
    for probe in probes {
        let round = probe.round;
        let is_out = dropped
            .iter()
            .any(|it| it.round == round && it.replicas.is_none());
        if !is_out && probe.cpu.steal > MOST_STEAL {
            dropped.push(Dropped {
                round,
                replicas: None,
                why: format!(
                    "the hypervisor took {} of the host's time in a probe (more than {})",
                    percent(probe.cpu.steal),
                    percent(MOST_STEAL)
                ),
            });
        }
    }
    for probe in probes {
        if let (Some(why), false) = (&probe.invalid, dropped.iter().any(|it| it.drops(probe))) {
            dropped.push(Dropped {
                round: probe.round,
                replicas: Some(probe.replicas),
                why: format!("the generator was the limit: {why}"),
            });
        }
    }
    dropped
}

fn count(used: &[&Probe], replicas: usize, seed: u64) -> Count {
    let probes: Vec<&Probe> = used
        .iter()
        .copied()
        .filter(|it| it.replicas == replicas)
        .collect();
    let all = |of: fn(&Probe) -> f64| -> Vec<f64> { probes.iter().map(|probe| of(probe)).collect() };
    let middle = |of: fn(&Probe) -> f64| median(&all(of)).unwrap_or_default();
    let quotas: Vec<f64> = probes.iter().filter_map(|probe| probe.quota_used()).collect();
    let quota_used = median(&quotas);
    let per_cpu: Vec<f64> = probes
        .iter()
        .filter_map(|probe| probe.answers_per_cpu_second())
        .collect();
    // Both of one round: what slowed the host then, slowed both.
    let against = |of: &dyn Fn(&Probe) -> Option<f64>| -> Vec<f64> {
        let pair = |probe: &&Probe| {
            let one = used
                .iter()
                .find(|one| one.replicas == 1 && one.round == probe.round)?;
            let ratio = of(probe)? / of(one)?;
            ratio.is_finite().then_some(ratio)
        };
        probes.iter().filter_map(pair).collect()
    };
    let efficiencies = against(&|probe| Some(probe.throughput / number(probe.replicas)));
    Count {
        replicas,
        rounds: probes.len(),
        throughput: median_of(&all(|probe| probe.throughput), seed),
        quota_used,
        limited_elsewhere: quota_used.is_some_and(|used| used < SATURATED),
        efficiency: median_of(&efficiencies, seed),
        answers_per_cpu_second: median(&per_cpu),
        answers_against_one: median_of(&against(&Probe::answers_per_cpu_second), seed),
        cpu: Cpu {
            api: middle(|it| it.cpu.api),
            nginx: middle(|it| it.cpu.nginx),
            database: middle(|it| it.cpu.database),
            redis: middle(|it| it.cpu.redis),
            generator: middle(|it| it.cpu.generator),
            host: middle(|it| it.cpu.host),
            steal: middle(|it| it.cpu.steal),
        },
        completed: probes.iter().map(|it| it.completed).sum(),
        failed: probes.iter().map(|it| it.failed).sum(),
        shed: probes.iter().map(|it| it.shed).sum(),
    }
}

/// Count and throughput, round by round.
fn rounds(used: &[&Probe], counts: impl Fn(usize) -> bool) -> Vec<Vec<(f64, f64)>> {
    let last = used.iter().map(|probe| probe.round).max().unwrap_or_default();
    let of = |round: usize| -> Vec<(f64, f64)> {
        let probes = used.iter().filter(|it| it.round == round && counts(it.replicas));
        probes.map(|it| (number(it.replicas), it.throughput)).collect()
    };
    (1..=last).map(of).filter(|round| !round.is_empty()).collect()
}

#[cfg(test)]
mod tests;
