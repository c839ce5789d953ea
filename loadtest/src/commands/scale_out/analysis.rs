//! From probes to capacity, efficiency and the law of scalability: what counts, what is left out, and why.

use serde::{Deserialize, Serialize};

use super::probe::{Cpu, Probe, number};
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
            Some(replicas) => format!("round {}, {replicas} replicas: {}", self.round, self.why),
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
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    const COUNTS: [usize; 5] = [1, 2, 3, 4, 6];

    fn probe(round: usize, replicas: usize, throughput: f64) -> Probe {
        Probe {
            round,
            replicas,
            quota: Some(0.1),
            seconds: 6.0,
            throughput,
            answers: 1_000 * replicas as u64,
            cpu: Cpu {
                api: 0.1 * number(replicas),
                ..Cpu::default()
            },
            ..Probe::default()
        }
    }

    /// Each round is slower or faster as a whole; two replicas and more lose 5 %.
    fn rounds(speeds: &[f64]) -> Vec<Probe> {
        let mut probes = Vec::new();
        for (round, speed) in (1..).zip(speeds) {
            for replicas in COUNTS {
                let loss = if replicas == 1 { 1.0 } else { 0.95 };
                probes.push(probe(round, replicas, 100.0 * speed * loss * number(replicas)));
            }
        }
        probes
    }

    #[test]
    fn efficiency_is_of_pairs_in_one_round() {
        let found = analyse(&rounds(&[1.0, 0.5, 2.0, 1.3, 0.8]), &COUNTS, 1);
        for replicas in [2, 3, 4, 6] {
            let efficiency = found.of(replicas).unwrap().efficiency.unwrap();
            // The host was four times as fast in one round as in another, and it does not show.
            assert!((efficiency.value - 0.95).abs() < 1e-9, "{efficiency:?}");
            let interval = efficiency.interval.unwrap();
            assert!(interval.high - interval.low < 1e-9);
        }
        let one = found.of(1).unwrap();
        assert_eq!(one.efficiency.unwrap().value, 1.0);
        assert_eq!(one.throughput.unwrap().value, 100.0);
        assert!(found.usl.is_some() && found.no_fit.is_none() && found.dropped.is_empty());
    }

    #[test]
    fn steal_drops_the_whole_round() {
        let mut probes = rounds(&[1.0; 3]);
        let bad = probes
            .iter_mut()
            .find(|it| it.round == 2 && it.replicas == 4)
            .unwrap();
        bad.cpu.steal = 0.04;
        bad.throughput = 1.0;
        probes
            .iter_mut()
            .filter(|it| it.round == 2)
            .for_each(|it| it.throughput /= 9.0);
        let found = analyse(&probes, &COUNTS, 1);
        assert_eq!(found.dropped.len(), 1);
        assert_eq!((found.dropped[0].round, found.dropped[0].replicas), (2, None));
        for count in &found.counts {
            assert_eq!(count.rounds, 2);
        }
        assert!((found.of(4).unwrap().efficiency.unwrap().interval.unwrap().low - 0.95).abs() < 1e-9);
        let used = probes.iter().filter(|probe| found.uses(probe)).count();
        assert_eq!(used, 10);
    }

    #[test]
    fn a_probe_that_measured_the_generator_is_left_out_alone() {
        let mut probes = rounds(&[1.0; 3]);
        let bad = probes
            .iter_mut()
            .find(|it| it.round == 3 && it.replicas == 6)
            .unwrap();
        bad.invalid = Some("generator's CPU 90 %".to_owned());
        bad.throughput = 1.0;
        let found = analyse(&probes, &COUNTS, 1);
        assert_eq!(found.dropped.len(), 1);
        assert!(found.dropped[0].said().contains("round 3, 6 replicas"));
        assert_eq!(found.of(6).unwrap().rounds, 2);
        assert_eq!(found.of(4).unwrap().rounds, 3);
    }

    #[test]
    fn replicas_that_do_not_use_their_quota_are_limited_elsewhere() {
        let mut probes = rounds(&[1.0; 3]);
        for bad in probes.iter_mut().filter(|it| it.replicas == 6) {
            bad.cpu.api = 0.94 * 0.6;
            bad.throughput = 450.0;
        }
        let found = analyse(&probes, &COUNTS, 1);
        let six = found.of(6).unwrap();
        assert!(six.limited_elsewhere && six.efficiency.is_none(), "{six:?}");
        assert_eq!(six.throughput.unwrap().value, 450.0);
        assert!(!found.of(4).unwrap().limited_elsewhere);
        // Four counts are too few for a fit.
        assert!(found.usl.is_none());
        assert!(found.no_fit.unwrap().contains("there are 4"));
    }

    #[test]
    fn one_that_is_limited_elsewhere_leaves_no_efficiency_at_all() {
        let mut probes = rounds(&[1.0; 3]);
        for bad in probes.iter_mut().filter(|it| it.replicas == 1) {
            bad.cpu.api = 0.05;
        }
        let found = analyse(&probes, &COUNTS, 1);
        assert!(found.counts.iter().all(|count| count.efficiency.is_none()));
        assert!(found.of(4).unwrap().throughput.is_some());
    }

    #[test]
    fn contention_shows_in_answers_for_a_second_of_cpu() {
        let mut probes = rounds(&[1.0; 3]);
        for four in probes.iter_mut().filter(|it| it.replicas == 4) {
            four.answers = 3_600;
        }
        let found = analyse(&probes, &COUNTS, 1);
        let ratio = found.of(4).unwrap().answers_against_one.unwrap().value;
        assert!((ratio - 0.9).abs() < 1e-9, "{ratio}");
        let plain = found.of(1).unwrap().answers_per_cpu_second.unwrap();
        assert!((plain - 1_000.0 / 0.6).abs() < 1e-6, "{plain}");
    }

    #[test]
    fn without_a_quota_nobody_can_tell_and_nothing_is_left_out() {
        let mut probes = rounds(&[1.0; 2]);
        probes.iter_mut().for_each(|it| it.quota = None);
        let found = analyse(&probes, &COUNTS, 1);
        assert!(
            found
                .counts
                .iter()
                .all(|it| !it.limited_elsewhere && it.efficiency.is_some())
        );
    }
}
