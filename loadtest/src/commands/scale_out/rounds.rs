//! What is done to a stack, in its order: calibration, rounds, checks, and the probe with more quota.

use anyhow::{Context as _, Result};

use super::analysis::{self, Analysis};
use super::calibrate::{self, Step};
use super::check::{self, Check};
use super::limit::{self, Limiting, MORE, Tier};
use super::probe::Probe;
use super::rig::Rig;
use crate::commands::common;
use crate::report::number::{count, percent, quantity};
use crate::verdict::Limits;

/// Each count once a round, so that what changes on the host meanwhile meets all counts alike.
#[derive(Debug, Clone)]
pub struct Plan {
    pub counts: Vec<usize>,
    pub rounds: usize,
    /// The quota is to be found.
    pub calibrates: bool,
    pub cores: usize,
    pub limits: Limits,
    pub seed: u64,
}

/// All that was measured.
pub struct Found {
    pub calibration: Vec<Step>,
    pub probes: Vec<Probe>,
    pub analysis: Analysis,
    pub checks: Vec<Check>,
    pub limiting: Limiting,
}

impl Plan {
    pub fn largest(&self) -> usize {
        self.counts.iter().copied().max().unwrap_or(1)
    }

    /// Probes and checks, for the clock.
    pub fn steps(&self) -> usize {
        self.counts.len() * (self.rounds + 1) + 1 + if self.calibrates { 2 } else { 0 }
    }
}

/// Measures all of the plan.
///
/// # Errors
/// When the stack or the generator fails.
pub async fn measure(rig: &mut Rig, plan: &Plan) -> Result<Found> {
    rig.scale(plan.largest()).await?;
    prepare(rig, plan.largest()).await?;
    let mut calibration = Vec::new();
    if plan.calibrates {
        calibration = calibrate::calibrate(rig, plan.largest(), plan.cores).await?;
        rig.line.done();
        if let Some(last) = calibration.last() {
            common::say(&format!(
                "quota: {} of a core each; {} replicas, the other tiers and the generator then use {} of this machine",
                percent(last.quota),
                plan.largest(),
                percent(last.used)
            ));
        }
    }
    let mut probes = Vec::new();
    for round in 1..=plan.rounds {
        for &replicas in &plan.counts {
            rig.scale(replicas).await?;
            let what = format!("round {round} of {}, {replicas} replicas", plan.rounds);
            let probe = Probe {
                round,
                ..rig.probe(replicas, &what).await?
            };
            tell(rig, &what, &probe);
            probes.push(probe);
        }
    }
    let analysis = analysis::analyse(&probes, &plan.counts, plan.seed);
    let checks = checks(rig, plan, &analysis).await?;
    let limiting = limiting(rig, plan, &analysis).await?;
    rig.line.done();
    Ok(Found {
        calibration,
        probes,
        analysis,
        checks,
        limiting,
    })
}

/// Accounts cost a password hash each: they are made before anything is measured, by replicas that are not capped.
async fn prepare(rig: &mut Rig, largest: usize) -> Result<()> {
    // Arrivals find somebody who is idle as long as fewer are under way.
    let accounts = 2 * rig.shoppers(largest);
    let with_sessions = !rig.manner.with_logins;
    if let Some(caps) = &rig.caps {
        caps.lift(1.0)?;
    }
    let super::rig::Rig { lab, line, .. } = rig;
    lab.generator
        .prepare(accounts, with_sessions, |done, of| {
            line.show(&format!("accounts: {done} of {of}"))
        })
        .await?;
    if let Some(caps) = &mut rig.caps {
        caps.set(caps.cores())?;
    }
    Ok(())
}

fn tell(rig: &mut Rig, what: &str, probe: &Probe) {
    rig.line.done();
    let mut line = format!("{what}: {} interactions/s", quantity(probe.throughput));
    if let Some(used) = probe.quota_used() {
        line += &format!(", quotas used {}", percent(used));
    }
    line += &format!(", host busy {}", percent(probe.cpu.host));
    if probe.failed + probe.shed > 0 {
        line += &format!(", {} failed, {} refused", count(probe.failed), count(probe.shed));
    }
    if probe.cpu.steal > analysis::MOST_STEAL {
        line += &format!(", {} stolen: the round is dropped", percent(probe.cpu.steal));
    }
    if let Some(why) = &probe.invalid {
        line += &format!("; not used: {why}");
    }
    common::say(&line);
}

/// From the largest count down: that is where the rounds ended.
async fn checks(rig: &mut Rig, plan: &Plan, analysis: &Analysis) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    let mut counts = plan.counts.clone();
    counts.sort_unstable();
    for &replicas in counts.iter().rev() {
        let Some(capacity) = analysis.of(replicas).and_then(|it| it.throughput) else {
            continue;
        };
        rig.scale(replicas).await?;
        let check = check::check(rig, replicas, capacity.value, &plan.limits).await?;
        rig.line.done();
        let said = if check.holds() {
            "all limits hold".to_owned()
        } else {
            check.broken()
        };
        common::say(&format!(
            "{replicas} replicas at {} interactions/s: {said}",
            quantity(check.rate)
        ));
        checks.push(check);
    }
    checks.reverse();
    Ok(checks)
}

/// Gives the replicas a fifth more, if it is they who seem to limit.
async fn limiting(rig: &mut Rig, plan: &Plan, analysis: &Analysis) -> Result<Limiting> {
    let largest = plan.largest();
    let count = analysis.of(largest).context("the largest count")?;
    let quota = rig.caps.as_ref().map(super::caps::Caps::cores);
    let usual = Probe {
        replicas: largest,
        quota,
        cpu: count.cpu,
        ..Probe::default()
    };
    let shares = limit::shares(&usual, plan.cores);
    let before = count.throughput.map_or(0.0, |it| it.value);
    let mut more = None;
    if let (Some(Tier::Replicas), Some(quota)) = (limit::suspect(&shares), quota) {
        rig.scale(largest).await?;
        if let Some(caps) = &mut rig.caps {
            caps.set(quota * MORE)?;
        }
        let what = format!("{largest} replicas with {} more quota", percent(MORE - 1.0));
        more = Some(rig.probe(largest, &what).await?);
        if let Some(caps) = &mut rig.caps {
            caps.set(quota)?;
        }
    }
    Ok(limit::decide(shares, before, more))
}
