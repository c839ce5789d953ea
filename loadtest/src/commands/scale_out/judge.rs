//! Whether a run holds, and what its reader has to know.

use std::collections::BTreeMap;

use super::probe::{number, replicas};
use super::rounds::Found;
use crate::lab::Held;
use crate::report::number::{count, float, percent};
use crate::result::{Audit, ErrorClass, Outcome};
use crate::stats::bootstrap::Estimate;
use crate::stats::sample::median;

/// Efficiency at this count is held against this target: the lower end of its interval.
pub const TARGET_AT: usize = 4;
pub const TARGET: f64 = 0.92;
/// Share of the host beyond which other programs are worth a word; the kernel's own work is below.
const STRANGERS: f64 = 0.15;

/// The outcome, and a line for each reason why it is not passed; at most so many percent of the interactions may fail. How efficient the
/// shop is, or whether it keeps its response limits at 90 % of a capped capacity, is the finding of a run and no failure of it.
pub fn judge(found: &Found, held: &Held, most_errors: f64) -> (Outcome, Vec<String>) {
    let broken = broken(found, held, most_errors);
    if !broken.is_empty() {
        return (Outcome::Failed, broken);
    }
    let empty = found.analysis.counts.iter().filter(|it| it.rounds == 0);
    let said = empty.map(|it| format!("no probe of {} can be used", replicas(it.replicas)));
    let empty: Vec<String> = said.collect();
    if !empty.is_empty() {
        return (Outcome::Invalid, empty);
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
    notes.extend(strangers(found, cores));
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

/// Other programs that kept the machine busy.
fn strangers(found: &Found, cores: usize) -> Option<String> {
    let probes = found
        .probes
        .iter()
        .map(|it| it.cpu.host - it.cpu.all() / number(cores));
    let most = median(&probes.collect::<Vec<_>>())?;
    (most > STRANGERS).then(|| {
        format!(
            "Other programs used {} of this machine meanwhile (median of the probes): the numbers are disturbed.",
            percent(most)
        )
    })
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
mod tests {
    use super::super::analysis::{self, Analysis};
    use super::super::limit::{Limit, Limiting};
    use super::super::probe::Probe;
    use super::*;
    use crate::commands::common::Audited;
    use crate::result::Verification;
    use crate::stats::bootstrap::Interval;

    fn found(probes: Vec<Probe>) -> Found {
        Found {
            counts: vec![1],
            reduced: Vec::new(),
            calibration: Vec::new(),
            analysis: analysis::analyse(&probes, &[1], 1),
            probes,
            checks: Vec::new(),
            limiting: Limiting {
                limit: Limit::NotDetermined,
                why: String::new(),
                shares: Vec::new(),
                probe: None,
            },
        }
    }

    fn probe() -> Probe {
        Probe {
            round: 1,
            replicas: 1,
            throughput: 100.0,
            ..Probe::default()
        }
    }

    fn held(violations: &[&str], audit: Option<Audit>, wanted: bool) -> Held {
        Held {
            verification: Verification {
                violations: violations.iter().map(|it| (*it).to_owned()).collect(),
                ..Verification::default()
            },
            audited: Audited { audit, wanted },
        }
    }

    fn good_audit() -> Audit {
        Audit::Passed(String::new())
    }

    #[test]
    fn what_was_lost_or_failed_fails_a_run() {
        let outcome = |found: &Found, held: &Held| judge(found, held, 0.1).0;
        let good = found(vec![probe()]);
        assert_eq!(
            outcome(&good, &held(&[], Some(good_audit()), true)),
            Outcome::Passed
        );
        assert_eq!(
            outcome(&good, &held(&["an order"], Some(good_audit()), true)),
            Outcome::Failed
        );
        let broken = Some(Audit::Failed("stock".to_owned()));
        assert_eq!(outcome(&good, &held(&[], broken, false)), Outcome::Failed);
        let failed = |failed| {
            found(vec![Probe {
                failed,
                completed: 2_000,
                ..probe()
            }])
        };
        assert_eq!(
            outcome(&failed(2), &held(&[], Some(good_audit()), true)),
            Outcome::Passed
        );
        let failed = failed(3);
        assert_eq!(
            outcome(&failed, &held(&[], Some(good_audit()), true)),
            Outcome::Failed
        );
        let throttled = found(vec![Probe {
            errors: vec![ErrorClass {
                class: "429 too_many_attempts".to_owned(),
                count: 1,
                samples: Vec::new(),
            }],
            ..probe()
        }]);
        assert_eq!(
            outcome(&throttled, &held(&[], Some(good_audit()), true)),
            Outcome::Failed
        );
        // What is refused past saturation is no failure, and is said.
        let shed = found(vec![Probe { shed: 5, ..probe() }]);
        assert_eq!(
            outcome(&shed, &held(&[], Some(good_audit()), true)),
            Outcome::Passed
        );
        assert!(
            notes(&shed, Some(0.1), false, 2)
                .iter()
                .any(|note| note.starts_with("5 interactions"))
        );
    }

    #[test]
    fn without_audit_it_is_not_audited_unless_none_was_wanted() {
        let good = found(vec![probe()]);
        let not_run = Some(Audit::NotRun("no database".to_owned()));
        let (outcome, reasons) = judge(&good, &held(&[], not_run, true), 0.1);
        assert_eq!(outcome, Outcome::NotAudited);
        assert!(reasons.iter().any(|it| it.contains("no database")));
        assert_eq!(judge(&good, &held(&[], None, false), 0.1).0, Outcome::Passed);
    }

    #[test]
    fn a_count_without_any_probe_makes_it_invalid() {
        let stolen = Probe {
            cpu: super::super::probe::Cpu {
                steal: 0.2,
                ..Default::default()
            },
            ..probe()
        };
        let found = found(vec![stolen]);
        assert_eq!(
            judge(&found, &held(&[], Some(good_audit()), true), 0.1).0,
            Outcome::Invalid
        );
        assert!(
            notes(&found, Some(0.1), false, 2)
                .iter()
                .any(|it| it.starts_with("Left out: round 1"))
        );
        assert_ne!(found.analysis, Analysis::default());
    }

    #[test]
    fn a_machine_that_others_keep_busy_is_said() {
        let busy = |host| {
            let mut probe = probe();
            (probe.cpu.api, probe.cpu.host) = (0.2, host);
            notes(&found(vec![probe]), Some(0.1), false, 2)
        };
        assert!(
            busy(0.3)
                .iter()
                .any(|it| it.starts_with("Other programs used 20.0 %"))
        );
        assert!(!busy(0.2).iter().any(|it| it.starts_with("Other programs")));
    }

    #[test]
    fn the_target_is_held_to_the_lower_end() {
        let of = |low| {
            let interval = Some(Interval { low, high: 1.0 });
            target(Some(Estimate {
                value: 0.97,
                interval,
            }))
        };
        assert_eq!(of(0.93).map(|it| it.0), Some(true));
        assert_eq!(of(0.91).map(|it| it.0), Some(false));
        let alone = Estimate {
            value: 0.97,
            interval: None,
        };
        assert_eq!(target(Some(alone)), None);
        assert_eq!(target(None), None);
    }
}
