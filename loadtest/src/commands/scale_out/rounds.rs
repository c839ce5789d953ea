//! What is done to a stack, in its order: calibration, rounds, checks, and the probe with more quota.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::analysis::{self, Analysis};
use super::calibrate::{self, Calibrated, Step};
use super::check::{self, Check};
use super::limit::{self, Limiting, MORE, Tier};
use super::plan::Plan;
use super::probe::{Probe, replicas as said};
use super::rig::Rig;
use crate::commands::common;
use crate::report::number::{count, percent, quantity};
use crate::usage::Usage;

/// All that was measured.
pub struct Found {
    /// As measured: fewer than planned where not all fit.
    pub counts: Vec<usize>,
    /// Why there are fewer.
    pub reduced: Vec<String>,
    pub calibration: Vec<Step>,
    pub probes: Vec<Probe>,
    pub analysis: Analysis,
    pub checks: Vec<Check>,
    pub limiting: Limiting,
}

/// Measures all of the plan.
///
/// # Errors
/// When the stack or the generator fails, or the replicas do not fit on this machine.
pub async fn measure(rig: &mut Rig, mut plan: Plan) -> Result<Found> {
    prepare(rig, plan.largest()).await?;
    rig.scale(plan.largest()).await?;
    let (calibration, reduced) = calibrated(rig, &mut plan).await?;
    let mut probes = Vec::new();
    for round in 1..=plan.rounds {
        for &replicas in &plan.counts {
            rig.scale(replicas).await?;
            let what = format!("round {round} of {}, {}", plan.rounds, said(replicas));
            let probe = Probe {
                round,
                ..rig.probe(replicas, &what).await?
            };
            tell(rig, &what, &probe);
            probes.push(probe);
        }
    }
    let analysis = analysis::analyse(&probes, &plan.counts, plan.seed);
    let checks = checks(rig, &plan, &analysis).await?;
    let limiting = limiting(rig, &plan, &analysis).await?;
    rig.line.done();
    Ok(Found {
        counts: plan.counts,
        reduced,
        calibration,
        probes,
        analysis,
        checks,
        limiting,
    })
}

/// Finds the quota; where not even the least lets all fit, with fewer replicas. Answers the steps, and what was left out.
async fn calibrated(rig: &mut Rig, plan: &mut Plan) -> Result<(Vec<Step>, Vec<String>)> {
    let (mut steps, mut reduced) = (Vec::new(), Vec::new());
    if !plan.calibrates {
        return Ok((steps, reduced));
    }
    loop {
        let largest = plan.largest();
        let Calibrated::TooMany { fit, why } =
            calibrate::calibrate(rig, largest, plan.cores, &mut steps).await?
        else {
            break;
        };
        let counts = plan
            .reduced(fit)
            .map_err(|refused| Usage(format!("--replicas: {why}. {refused}")))?;
        plan.counts = counts;
        rig.line.done();
        let line = format!("{why}: {:?} replicas instead", plan.counts);
        common::say(&line);
        reduced.push(line);
        rig.scale(plan.largest()).await?;
    }
    rig.line.done();
    if let Some(last) = steps.last() {
        common::say(&format!(
            "quota: {} of a core each; {}, the other tiers and the generator then use {} of this machine",
            percent(last.quota),
            said(plan.largest()),
            percent(last.used)
        ));
    }
    Ok((steps, reduced))
}

/// Accounts cost a password hash each: they are made before anything is capped and measured.
async fn prepare(rig: &mut Rig, largest: usize) -> Result<()> {
    // Arrivals find somebody who is idle as long as fewer are under way.
    let accounts = 2 * rig.shoppers(largest);
    let with_sessions = !rig.manner.with_logins;
    let Rig { lab, line, .. } = rig;
    let tell = |done, of| line.show(&format!("accounts: {done} of {of}"));
    lab.generator.prepare(accounts, with_sessions, tell).await?;
    line.done();
    Ok(())
}

fn tell(rig: &mut Rig, what: &str, probe: &Probe) {
    rig.line.done();
    let mut line = format!("{what}: {} interactions/s", quantity(probe.throughput));
    if let Some(used) = probe.quota_used() {
        let _ = write!(line, ", quotas used {}", percent(used));
    }
    let _ = write!(line, ", host busy {}", percent(probe.cpu.host));
    if probe.failed + probe.shed > 0 {
        let _ = write!(
            line,
            ", {} failed, {} refused",
            count(probe.failed),
            count(probe.shed)
        );
    }
    if probe.cpu.steal > analysis::MOST_STEAL {
        let _ = write!(
            line,
            ", {} stolen: the round is dropped",
            percent(probe.cpu.steal)
        );
    }
    if let Some(why) = &probe.invalid {
        let _ = write!(line, "; not used: {why}");
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
        let found = if check.holds() {
            "all limits hold".to_owned()
        } else {
            check.broken()
        };
        common::say(&format!(
            "{} at {} interactions/s: {found}",
            said(replicas),
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
        let what = format!("{} with {} more quota", said(largest), percent(MORE - 1.0));
        more = Some(rig.probe(largest, &what).await?);
        if let Some(caps) = &mut rig.caps {
            caps.set(quota)?;
        }
    }
    Ok(limit::decide(shares, before, more))
}
