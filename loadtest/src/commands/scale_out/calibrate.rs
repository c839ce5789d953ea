//! The quota of a replica: so small that at the largest count all tiers and the generator use at most 75 % of the host.

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::probe::{Probe, number};
use super::rig::Rig;
use crate::report::number::percent;
use crate::usage::Usage;

/// Share of the host that all tiers and the generator may use.
pub const MOST: f64 = 0.75;
/// What is aimed at: what is measured varies by a few percent.
const AIM: f64 = 0.72;
/// With a period of 10 ms the kernel takes no less.
pub const LEAST_QUOTA: f64 = 0.10;
/// More than a core stands for no machine of its own here.
const MOST_QUOTA: f64 = 1.0;
/// The first quota, in shares of the host's part of a replica: the other tiers use about as much as the API.
const FIRST: f64 = 0.5;
const TRIES: usize = 4;

/// One step of the calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub quota: f64,
    pub probe: Probe,
    /// Of the host, 0 to 1: all tiers and the generator.
    pub used: f64,
}

/// What to do after a probe.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Next {
    /// It fits.
    Keep,
    /// Another quota.
    Try(f64),
    /// Not even the least quota fits; so many replicas would.
    TooMany(usize),
}

/// Finds the quota at the largest count, and leaves it set.
///
/// # Errors
/// When so many replicas do not fit on this host.
pub async fn calibrate(rig: &mut Rig, replicas: usize, cores: usize) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    let mut quota = first(replicas, cores);
    for attempt in 1..=TRIES {
        if let Some(caps) = &mut rig.caps {
            caps.set(quota)?;
        }
        let what = format!(
            "calibration {attempt}: {replicas} replicas at {} of a core",
            percent(quota)
        );
        let probe = rig.probe(replicas, &what).await?;
        let used = probe.cpu.all() / number(cores);
        let next = next(&probe, quota, cores, attempt == 1);
        steps.push(Step { quota, probe, used });
        match next {
            Next::Keep => return Ok(steps),
            Next::Try(other) => quota = other,
            Next::TooMany(fit) => bail!(Usage(format!(
                "--replicas: {replicas} replicas at {} of a core, the least with a period of 10 ms, and the other tiers with the generator \
                 use {} of this machine's {cores} cores; more than {} would measure the machine. {}",
                percent(quota),
                percent(used),
                percent(MOST),
                fitting(fit)
            ))),
        }
    }
    bail!(
        "no quota was found with which all tiers use at most {} of this machine: other work on it? (--quota sets one)",
        percent(MOST)
    )
}

fn fitting(fit: usize) -> String {
    match fit {
        0 => "Not even one fits.".to_owned(),
        fit => format!("{fit} would fit"),
    }
}

/// A quota to begin with.
pub fn first(replicas: usize, cores: usize) -> f64 {
    bounded(FIRST * AIM * number(cores) / number(replicas.max(1)))
}

/// Whole percent of a core, rounded down, within the bounds.
fn bounded(quota: f64) -> f64 {
    ((quota * 100.0 + 1e-9).floor() / 100.0).clamp(LEAST_QUOTA, MOST_QUOTA)
}

/// Judges a probe. Of the first one a larger quota may follow; afterwards only smaller ones.
fn next(probe: &Probe, quota: f64, cores: usize, is_first: bool) -> Next {
    let cores = number(cores);
    let replicas = number(probe.replicas);
    let used = probe.cpu.all() / cores;
    if probe.cpu.api <= 0.0 {
        return Next::Keep;
    }
    // The other tiers work in proportion to what the API lets through.
    let factor = probe.cpu.all() / probe.cpu.api;
    let wanted = bounded(AIM * cores / (replicas * factor));
    if used > MOST {
        if quota <= LEAST_QUOTA {
            return Next::TooMany(
                whole(MOST * cores / (LEAST_QUOTA * factor)).min(probe.replicas.saturating_sub(1)),
            );
        }
        return Next::Try(wanted.min(bounded(quota - 0.01)));
    }
    // Worth another probe only when there is much room.
    if is_first && wanted >= quota * 1.05 {
        return Next::Try(wanted);
    }
    Next::Keep
}

fn whole(value: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small number of replicas"
    )]
    let whole = value.max(0.0).floor() as usize;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::scale_out::probe::Cpu;

    /// A probe in which the replicas use their quotas whole, and the others a share of that.
    fn probe(replicas: usize, quota: f64, others: f64) -> Probe {
        let api = quota * number(replicas);
        Probe {
            replicas,
            quota: Some(quota),
            cpu: Cpu {
                api,
                nginx: api * others / 2.0,
                database: api * others / 4.0,
                generator: api * others / 4.0,
                ..Cpu::default()
            },
            ..Probe::default()
        }
    }

    #[test]
    fn the_first_quota_leaves_as_much_to_the_others() {
        assert_eq!(first(6, 2), 0.12);
        assert_eq!(first(8, 2), LEAST_QUOTA);
        assert_eq!(first(1, 64), 1.0);
    }

    #[test]
    fn a_quota_that_fits_is_kept() {
        // 6 x 0.12 x 2 = 1.44 of 2 cores.
        assert_eq!(next(&probe(6, 0.12, 1.0), 0.12, 2, true), Next::Keep);
    }

    #[test]
    fn one_with_much_room_grows_once_and_one_without_shrinks() {
        // Others use half of the API: 1.44 = 6 x q x 1.5.
        assert_eq!(next(&probe(6, 0.12, 0.5), 0.12, 2, true), Next::Try(0.16));
        assert_eq!(next(&probe(6, 0.12, 0.5), 0.12, 2, false), Next::Keep);
        // 6 x 0.15 x 2 = 1.8 is over 1.5; 1.44 = 6 x q x 2.
        assert_eq!(next(&probe(6, 0.15, 1.0), 0.15, 2, false), Next::Try(0.12));
        // A hair too much: one percent less at least.
        let Next::Try(less) = next(&probe(6, 0.14, 0.8), 0.14, 2, false) else {
            unreachable!("a smaller quota")
        };
        assert!(less < 0.14, "{less}");
    }

    #[test]
    fn too_many_replicas_are_refused_with_the_number_that_fits() {
        // 8 x 0.1 x 2.2 = 1.76; 1.5 / 0.22 = 6.8.
        assert_eq!(next(&probe(8, 0.1, 1.2), 0.1, 2, true), Next::TooMany(6));
        // Never as many as were just seen not to fit.
        assert_eq!(next(&probe(8, 0.1, 0.9), 0.1, 2, true), Next::TooMany(7));
    }

    #[test]
    fn the_next_quota_comes_out_below_the_most() {
        for others in [0.3, 0.8, 1.3] {
            let Next::Try(quota) = next(&probe(4, 0.5, others), 0.5, 2, true) else {
                unreachable!("0.5 is too much")
            };
            let used = probe(4, quota, others).cpu.all() / 2.0;
            assert!(used <= MOST && used > MOST - 0.08, "{others}: {used}");
        }
    }
}
