//! Whether a run holds, and what its reader has to know.

use std::collections::BTreeMap;

use super::probe::{Probe, number, replicas};
use super::rounds::Found;
use crate::lab::Held;
use crate::report::number::{count, float, percent};
use crate::result::{Audit, ErrorClass, Outcome};
use crate::stats::bootstrap::Estimate;
use crate::stats::sample::median;

/// Efficiency at this count is held against this target: the lower end of its interval.
pub const TARGET_AT: usize = 4;
pub const TARGET: f64 = 0.92;
/// Share of the host beyond which other programs are worth a word; the kernel's own work is below. And beyond which they slow the tiers so
/// much, and not all counts alike, that nothing is measured: under such, one replica was seen to do half of what it does alone.
const STRANGERS: f64 = 0.15;
const TOO_MANY_STRANGERS: f64 = 0.25;

/// The outcome, and a line for each reason why it is not passed; at most so many percent of the interactions may fail. How efficient the
/// shop is, or whether it keeps its response limits at 90 % of a capped capacity, is the finding of a run and no failure of it.
pub fn judge(found: &Found, held: &Held, most_errors: f64, cores: usize) -> (Outcome, Vec<String>) {
    let broken = broken(found, held, most_errors);
    if !broken.is_empty() {
        return (Outcome::Failed, broken);
    }
    let empty = found.analysis.counts.iter().filter(|it| it.rounds == 0);
    let said = empty.map(|it| format!("no probe of {} can be used", replicas(it.replicas)));
    let mut invalid: Vec<String> = said.collect();
    if let Some(used) = too_many_strangers(&found.probes, cores) {
        invalid.push(format!(
            "other programs used {} of this machine: more than {} measures them",
            percent(used),
            percent(TOO_MANY_STRANGERS)
        ));
    }
    if !invalid.is_empty() {
        return (Outcome::Invalid, invalid);
    }
    if held.is_good() {
        return (Outcome::Passed, Vec::new());
    }
    let why = match &held.audited.audit {
        Some(Audit::NotRun(why)) => format!("the audit could not run: {why}"),
        _ => "the database was not audited".to_owned(),
    };
    (Outcome::NotAudited, vec![why])
}

/// What was lost, and what failed beyond the limit.
fn broken(found: &Found, held: &Held, most_errors: f64) -> Vec<String> {
    let mut broken = held.verification.violations.clone();
    if let Some(Audit::Failed(said)) = &held.audited.audit {
        broken.push(format!("audit: {said}"));
    }
    let probes = found.probes.iter().map(|it| (it.failed, it.completed));
    let checks = found.checks.iter().map(|it| (it.failed, it.completed));
    let (failed, all) = probes
        .chain(checks)
        .fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    if 100.0 * float(failed) / float(all.max(1)) > most_errors {
        let (failed, all) = (count(failed), count(all));
        broken.push(format!(
            "{failed} of {all} interactions failed (--errors {most_errors} %)"
        ));
    }
    let throttled: u64 = classes(found)
        .filter(|it| it.class.starts_with("429"))
        .map(|it| it.count)
        .sum();
    if throttled > 0 {
        broken.push(format!(
            "{} answers were 429: the shop's throttle of logins (API.md, Rate limits), or a limit of whatever stands before the shop, refused \
             the generator",
            count(throttled)
        ));
    }
    broken
}

/// What went wrong, in probes and checks.
fn classes(found: &Found) -> impl Iterator<Item = &ErrorClass> {
    let probes = found.probes.iter().flat_map(|it| &it.errors);
    probes.chain(found.checks.iter().flat_map(|it| &it.errors))
}

/// What was left out, and what the numbers do not say.
pub fn notes(found: &Found, quota: Option<f64>, with_logins: bool, cores: usize) -> Vec<String> {
    let analysis = &found.analysis;
    let mut notes: Vec<String> = analysis
        .dropped
        .iter()
        .map(|it| format!("Left out: {}.", it.said()))
        .collect();
    notes.extend(found.reduced.iter().cloned());
    for count in analysis.counts.iter().filter(|it| it.limited_elsewhere) {
        notes.push(format!(
            "Limited elsewhere, and left out of efficiency and fit: {} used {} of the quota at saturation.",
            replicas(count.replicas),
            percent(count.quota_used.unwrap_or_default())
        ));
    }
    if analysis.of(1).is_some_and(|one| one.limited_elsewhere) {
        notes.push(
            "One replica is limited elsewhere, so there is nothing to compare with: no efficiency."
                .to_owned(),
        );
    }
    let shed: u64 = analysis.counts.iter().map(|it| it.shed).sum();
    if shed > 0 {
        notes.push(format!(
            "{} interactions were refused with 503 in the rounds: --shoppers-per-replica is beyond what the shop lets wait in line.",
            count(shed)
        ));
    }
    for check in found.checks.iter().filter(|it| !it.is_valid()) {
        notes.push(format!(
            "The check of {} says nothing: the generator was the limit.",
            replicas(check.replicas)
        ));
    }
    if let Some(used) = strangers(&found.probes, cores).filter(|used| *used > STRANGERS) {
        notes.push(format!(
            "Other programs used {} of this machine meanwhile (median of the probes): the numbers are disturbed.",
            percent(used)
        ));
    }
    notes.extend(errors(found));
    if quota.is_none() {
        notes.push("The replicas were not capped: whether they were saturated cannot be told, so nothing is left out for that.".to_owned());
    }
    if with_logins {
        notes.push(
            "Logins and new accounts are in the mix: the numbers are mostly of password hashes.".to_owned(),
        );
    }
    notes
}

/// Each class of errors once, with the first of its samples.
fn errors(found: &Found) -> Vec<String> {
    let mut sums: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for class in classes(found) {
        let sample = class.samples.first().map_or("", String::as_str);
        sums.entry(&class.class).or_insert((0, sample)).0 += class.count;
    }
    let said = sums
        .iter()
        .map(|(class, (times, sample))| format!("Error: {} x {class}, the first: {sample}", count(*times)));
    said.collect()
}

/// What other programs used of the host, 0 to 1: the median of the probes.
fn strangers(probes: &[Probe], cores: usize) -> Option<f64> {
    let shares: Vec<f64> = probes
        .iter()
        .map(|it| it.cpu.host - it.cpu.all() / number(cores))
        .collect();
    median(&shares)
}

/// The same, where it is so much that nothing was measured: whatever else failed, no target can be met then.
pub fn too_many_strangers(probes: &[Probe], cores: usize) -> Option<f64> {
    strangers(probes, cores).filter(|used| *used > TOO_MANY_STRANGERS)
}

/// The efficiency against its target, in words; none where it was not measured.
pub fn target(efficiency: Option<Estimate>) -> Option<(bool, String)> {
    let efficiency = efficiency?;
    let low = efficiency.interval.map(|it| it.low)?;
    let is_met = low >= TARGET;
    let said = if is_met { "is" } else { "is NOT" };
    let text = format!(
        "{} replicas: lower end of the efficiency's interval {}, the target {} {said} met",
        TARGET_AT,
        percent(low),
        percent(TARGET)
    );
    Some((is_met, text))
}

#[cfg(test)]
mod tests;
