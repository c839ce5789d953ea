//! Which tier limits: it is at 95 % of its allowance, no other is over 85 %, and more for it is more throughput.

use serde::{Deserialize, Serialize};

use super::probe::{Probe, number};
use crate::report::number::{percent, quantity};

/// Of its allowance: a tier that may be the limit.
const FULL: f64 = 0.95;
/// Of its allowance: another one that may be it too.
const ALSO: f64 = 0.85;
/// How much more the tier gets for the last probe, and how much more throughput has to come of it.
pub const MORE: f64 = 1.2;
const GAIN: f64 = 1.1;

/// What limits at the largest count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    Replicas,
    /// The whole machine.
    Host,
    NotDetermined,
}

/// Which, why, and the probe that showed it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Limiting {
    pub limit: Limit,
    pub why: String,
    pub shares: Vec<Share>,
    /// With a fifth more quota.
    pub probe: Option<Probe>,
}

/// What a tier uses of what it may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    pub tier: Tier,
    /// 0 to 1.
    pub used: f64,
    /// Cores; of the host all of them.
    pub allowed: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    Replicas,
    Nginx,
    Database,
    Redis,
    Generator,
    Host,
}

impl Tier {
    pub fn name(self) -> &'static str {
        match self {
            Self::Replicas => "replicas",
            Self::Nginx => "nginx",
            Self::Database => "database",
            Self::Redis => "Redis",
            Self::Generator => "generator",
            Self::Host => "whole host",
        }
    }
}

/// Shares of the allowances in a probe. Redis and the generator work on one thread each; nginx and the database may use the whole host.
pub fn shares(probe: &Probe, cores: usize) -> Vec<Share> {
    let (cpu, cores) = (probe.cpu, number(cores));
    let replicas = probe
        .quota
        .map(|quota| (Tier::Replicas, cpu.api, quota * number(probe.replicas)));
    let tiers = [
        (Tier::Nginx, cpu.nginx, cores),
        (Tier::Database, cpu.database, cores),
        (Tier::Redis, cpu.redis, 1.0),
        (Tier::Generator, cpu.generator, 1.0),
        (Tier::Host, cpu.host * cores, cores),
    ];
    let share = |(tier, used, allowed): (Tier, f64, f64)| Share {
        tier,
        used: if allowed > 0.0 { used / allowed } else { 0.0 },
        allowed,
    };
    replicas.into_iter().chain(tiers).map(share).collect()
}

/// The one that may be the limit; none where no tier is full, or a second one nearly is.
pub fn suspect(shares: &[Share]) -> Option<Tier> {
    let full = shares.iter().find(|share| share.used >= FULL)?;
    let others = shares.iter().filter(|share| share.tier != full.tier);
    others
        .into_iter()
        .all(|other| other.used <= ALSO)
        .then_some(full.tier)
}

/// Says which tier limits. `before` is the throughput that the replicas had, `probe` is with a fifth more for them.
pub fn decide(shares: Vec<Share>, before: f64, probe: Option<Probe>) -> Limiting {
    let used = |tier| {
        shares
            .iter()
            .find(|share| share.tier == tier)
            .map_or(0.0, |share| share.used)
    };
    let busy = || {
        let tiers = shares
            .iter()
            .map(|share| format!("{} {}", share.tier.name(), percent(share.used)));
        tiers.collect::<Vec<_>>().join(", ")
    };
    let (limit, why) = match (suspect(&shares), &probe) {
        (Some(Tier::Replicas), Some(probe)) => {
            let gain = probe.throughput / before;
            let found = format!(
                "the replicas used {} of their quotas and no other tier was over {}; with {} more quota the throughput was {} interactions/s \
                 instead of {} ({:+.1} %)",
                percent(used(Tier::Replicas)),
                percent(ALSO),
                percent(MORE - 1.0),
                quantity(probe.throughput),
                quantity(before),
                (gain - 1.0) * 100.0
            );
            if gain >= GAIN {
                (Limit::Replicas, found)
            } else {
                (
                    Limit::NotDetermined,
                    format!("{found}: less than {} more", percent(GAIN - 1.0)),
                )
            }
        }
        (Some(Tier::Host), _) => (Limit::Host, format!("all cores were busy: {}", busy())),
        (Some(tier), _) => (
            Limit::NotDetermined,
            format!(
                "the {} is at its allowance, and could not be given more to see what comes of it: {}",
                tier.name(),
                busy()
            ),
        ),
        (None, _) if used(Tier::Host) >= FULL => (Limit::Host, format!("all cores were busy: {}", busy())),
        (None, _) => (
            Limit::NotDetermined,
            format!(
                "a tier limits that is at {} of its allowance while no other is over {}; there was none: {}",
                percent(FULL),
                percent(ALSO),
                busy()
            ),
        ),
    };
    Limiting {
        limit,
        why,
        shares,
        probe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::scale_out::probe::Cpu;

    fn probe(api: f64, nginx: f64, generator: f64, host: f64) -> Probe {
        Probe {
            replicas: 6,
            quota: Some(0.1),
            throughput: 600.0,
            cpu: Cpu {
                api,
                nginx,
                generator,
                host,
                ..Cpu::default()
            },
            ..Probe::default()
        }
    }

    fn faster(throughput: f64) -> Probe {
        Probe {
            throughput,
            ..probe(0.7, 0.2, 0.4, 0.8)
        }
    }

    fn limit(probe: &Probe, before: f64, more: Option<Probe>) -> Limit {
        decide(shares(probe, 2), before, more).limit
    }

    #[test]
    fn replicas_that_are_full_and_faster_with_more_are_the_limit() {
        let full = probe(0.59, 0.2, 0.4, 0.7);
        assert_eq!(suspect(&shares(&full, 2)), Some(Tier::Replicas));
        assert_eq!(limit(&full, 600.0, Some(faster(661.0))), Limit::Replicas);
        assert_eq!(
            limit(&full, 600.0, Some(faster(659.0))),
            Limit::NotDetermined,
            "too little more"
        );
        assert_eq!(limit(&full, 600.0, None), Limit::NotDetermined, "not tried");
    }

    #[test]
    fn nobody_is_the_limit_while_another_is_nearly_full() {
        for crowded in [
            probe(0.59, 1.72, 0.4, 0.7),
            probe(0.59, 0.2, 0.86, 0.7),
            probe(0.59, 0.2, 0.4, 0.86),
        ] {
            assert_eq!(suspect(&shares(&crowded, 2)), None);
            assert_eq!(limit(&crowded, 600.0, Some(faster(700.0))), Limit::NotDetermined);
        }
        let idle = probe(0.3, 0.2, 0.2, 0.4);
        assert_eq!(limit(&idle, 600.0, None), Limit::NotDetermined);
    }

    #[test]
    fn a_full_host_is_said_whoever_else_is_full() {
        assert_eq!(limit(&probe(0.59, 0.4, 0.6, 0.97), 600.0, None), Limit::Host);
        assert_eq!(limit(&probe(0.3, 0.4, 0.6, 0.97), 600.0, None), Limit::Host);
    }

    #[test]
    fn a_tier_that_cannot_be_given_more_is_not_determined() {
        let found = decide(shares(&probe(0.3, 0.1, 0.96, 0.7), 2), 600.0, None);
        assert_eq!(found.limit, Limit::NotDetermined);
        assert!(found.why.contains("generator"), "{}", found.why);
    }

    #[test]
    fn without_quota_the_replicas_have_no_allowance() {
        let mut free = probe(1.0, 0.2, 0.3, 0.8);
        free.quota = None;
        assert!(shares(&free, 2).iter().all(|share| share.tier != Tier::Replicas));
    }
}
