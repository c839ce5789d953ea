//! The quota of a replica: so small that at the largest count all tiers and the generator use at most 75 % of the host.

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::probe::{Probe, number, replicas as said};
use super::rig::Rig;
use crate::report::number::percent;

/// Share of the host that all tiers and the generator may use.
pub const MOST: f64 = 0.75;
/// What is aimed at: what is measured varies by a few percent.
const AIM: f64 = 0.72;
/// The kernel gives 1 ms at least: with a period of 10 ms a tenth of a core. Below that the period grows, at this to 20 ms; more would show
/// in the latencies.
pub const LEAST_QUOTA: f64 = 0.05;
/// More than a core stands for no machine of its own here.
const MOST_QUOTA: f64 = 1.0;
/// The API's share of what all tiers use, to begin with: the database alone uses as much, for mixes that buy.
const FIRST: f64 = 0.35;
const TRIES: usize = 4;

/// One step of the calibration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Step {
    pub quota: f64,
    pub probe: Probe,
    /// Of the host, 0 to 1: all tiers and the generator, when the replicas use their quotas whole.
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

/// What a calibration came to.
pub enum Calibrated {
    /// All fit; the quota is set.
    Fits,
    /// So many replicas would fit, and why not as many as were asked for.
    TooMany { fit: usize, why: String },
}

/// Finds the quota for so many replicas, and leaves it set. The stack has that many.
///
/// # Errors
/// When the generator ends, or no quota is found.
pub async fn calibrate(
    rig: &mut Rig,
    replicas: usize,
    cores: usize,
    steps: &mut Vec<Step>,
) -> Result<Calibrated> {
    // Once it is known that the least is too much for more replicas, it is tried first.
    let mut quota = if steps.is_empty() {
        first(replicas, cores)
    } else {
        LEAST_QUOTA
    };
    for attempt in 1..=TRIES {
        if let Some(caps) = &mut rig.caps {
            caps.set(quota)?;
        }
        let what = format!("calibration: {} at {} of a core", said(replicas), percent(quota));
        let probe = rig.probe(replicas, &what).await?;
        let next = next(&probe, quota, cores, attempt == 1);
        let used = used(&probe, quota, cores);
        steps.push(Step { quota, probe, used });
        match next {
            Next::Keep => return Ok(Calibrated::Fits),
            Next::Try(other) => quota = other,
            Next::TooMany(fit) => {
                let why = format!(
                    "{} at {} of a core, the least with a period of 20 ms, and the other tiers with the generator use {} of this machine's \
                     {cores} cores; more than {} would measure the machine",
                    said(replicas),
                    percent(quota),
                    percent(used),
                    percent(MOST)
                );
                return Ok(Calibrated::TooMany { fit, why });
            }
        }
    }
    bail!(
        "no quota was found with which all tiers use at most {} of this machine: other work on it? (--quota sets one)",
        percent(MOST)
    )
}

/// Milliseconds in which a replica gets its part of a core once.
pub fn period_ms(quota: f64) -> f64 {
    (1.0 / quota).max(10.0)
}

/// A quota to begin with.
pub fn first(replicas: usize, cores: usize) -> f64 {
    bounded(FIRST * AIM * number(cores) / number(replicas.max(1)))
}

/// Whole percent of a core, rounded down, within the bounds.
fn bounded(quota: f64) -> f64 {
    ((quota * 100.0 + 1e-9).floor() / 100.0).clamp(LEAST_QUOTA, MOST_QUOTA)
}

/// Share of the host that all tiers and the generator use when the replicas use their quotas whole. Where they were kept from that, the next
/// time they may not be.
fn used(probe: &Probe, quota: f64, cores: usize) -> f64 {
    let all = probe.cpu.all();
    let whole = if probe.cpu.api > 0.0 {
        quota * number(probe.replicas) * all / probe.cpu.api
    } else {
        0.0
    };
    all.max(whole) / number(cores)
}

/// Judges a probe. Of the first one a larger quota may follow; afterwards only smaller ones.
fn next(probe: &Probe, quota: f64, cores: usize, is_first: bool) -> Next {
    let is_too_much = used(probe, quota, cores) > MOST;
    let cores = number(cores);
    let replicas = number(probe.replicas);
    if probe.cpu.api <= 0.0 {
        return Next::Keep;
    }
    // The other tiers work in proportion to what the API lets through.
    let factor = probe.cpu.all() / probe.cpu.api;
    let wanted = bounded(AIM * cores / (replicas * factor));
    if is_too_much {
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
    fn the_first_quota_leaves_two_thirds_to_the_others() {
        for (replicas, cores, wanted) in [(4, 2, 0.12), (12, 2, LEAST_QUOTA), (1, 64, 1.0)] {
            assert!((first(replicas, cores) - wanted).abs() < 1e-9, "{replicas}");
        }
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
        // 8 x 0.05 x 4 = 1.6 of 2 cores; 1.5 / 0.2 = 7.5.
        assert_eq!(next(&probe(8, 0.05, 3.0), 0.05, 2, true), Next::TooMany(7));
        // 16 x 0.05 x 2 = 1.6; 1.5 / 0.1 = 15.
        assert_eq!(next(&probe(16, 0.05, 1.0), 0.05, 2, true), Next::TooMany(15));
    }

    #[test]
    fn the_period_is_10_ms_as_long_as_the_kernel_takes_it() {
        for (quota, wanted) in [(0.5, 10.0), (0.1, 10.0), (0.08, 12.5), (0.05, 20.0)] {
            assert!((period_ms(quota) - wanted).abs() < 1e-9, "{quota}");
        }
    }

    #[test]
    fn what_kept_the_replicas_from_their_quotas_may_be_gone_the_next_time() {
        // They used half: 0.42 + 0.42 of 2 cores, but could use twice that, 1.68.
        let held_up = probe(6, 0.07, 1.0);
        assert_eq!(next(&held_up, 0.14, 2, false), Next::Try(0.12));
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
