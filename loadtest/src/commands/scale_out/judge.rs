//! Whether a run holds, and what its reader has to know.

use super::rounds::Found;
use crate::lab::Held;
use crate::report::number::{count, float, percent};
use crate::result::{Audit, Outcome};
use crate::stats::bootstrap::Estimate;

/// Efficiency at this count is held against this target: the lower end of its interval.
pub const TARGET_AT: usize = 4;
pub const TARGET: f64 = 0.92;

/// The outcome, and a line for each reason why it is not passed; at most so many percent of the interactions may fail. How efficient the shop is, or whether it keeps its response limits at 90 %
/// of a capped capacity, is the finding of a run and no failure of it.
pub fn judge(found: &Found, held: &Held, most_errors: f64) -> (Outcome, Vec<String>) {
    let mut failed = held.verification.violations.clone();
    if let Some(Audit::Failed(said)) = &held.audited.audit {
        failed.push(format!("audit: {said}"));
    }
    let probes = found.probes.iter();
    let checks = found.checks.iter();
    let errors =
        probes.clone().map(|it| it.failed).sum::<u64>() + checks.clone().map(|it| it.failed).sum::<u64>();
    let all = probes.clone().map(|it| it.completed).sum::<u64>()
        + checks.clone().map(|it| it.completed).sum::<u64>();
    if 100.0 * float(errors) / float(all.max(1)) > most_errors {
        failed.push(format!(
            "{} of {} interactions failed (--errors {most_errors} %)",
            count(errors),
            count(all)
        ));
    }
    let throttled =
        probes.map(|it| it.throttled_logins).sum::<u64>() + checks.map(|it| it.throttled_logins).sum::<u64>();
    if throttled > 0 {
        failed.push(format!(
            "{} answers were 429: the shop's throttle of logins (API.md, Rate limits), or a limit of whatever stands before the shop, refused \
             the generator",
            count(throttled)
        ));
    }
    if !failed.is_empty() {
        return (Outcome::Failed, failed);
    }
    let empty = found.analysis.counts.iter().filter(|it| it.rounds == 0);
    let empty: Vec<String> = empty
        .map(|it| format!("no probe of {} replicas can be used", it.replicas))
        .collect();
    if !empty.is_empty() {
        return (Outcome::Invalid, empty);
    }
    match &held.audited.audit {
        _ if held.is_good() => (Outcome::Passed, Vec::new()),
        Some(Audit::NotRun(why)) => (
            Outcome::NotAudited,
            vec![format!("the audit could not run: {why}")],
        ),
        _ => (
            Outcome::NotAudited,
            vec!["the database was not audited".to_owned()],
        ),
    }
}

/// What was left out, and what the numbers do not say.
pub fn notes(found: &Found, quota: Option<f64>, with_logins: bool) -> Vec<String> {
    let analysis = &found.analysis;
    let mut notes: Vec<String> = analysis
        .dropped
        .iter()
        .map(|it| format!("Left out: {}.", it.said()))
        .collect();
    for count in analysis.counts.iter().filter(|it| it.limited_elsewhere) {
        notes.push(format!(
            "{} replicas are limited elsewhere: they used {} of their quotas at saturation. They are left out of efficiency and fit.",
            count.replicas,
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
            "The check of {} replicas says nothing: the generator was the limit.",
            check.replicas
        ));
    }
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

    fn passed() -> Option<Audit> {
        Some(Audit::Passed(String::new()))
    }

    #[test]
    fn what_was_lost_or_failed_fails_a_run() {
        let outcome = |found: &Found, held: &Held| judge(found, held, 0.1).0;
        let good = found(vec![probe()]);
        assert_eq!(outcome(&good, &held(&[], passed(), true)), Outcome::Passed);
        assert_eq!(
            outcome(&good, &held(&["an order"], passed(), true)),
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
        assert_eq!(outcome(&failed(2), &held(&[], passed(), true)), Outcome::Passed);
        let failed = failed(3);
        assert_eq!(outcome(&failed, &held(&[], passed(), true)), Outcome::Failed);
        let throttled = found(vec![Probe {
            throttled_logins: 1,
            ..probe()
        }]);
        assert_eq!(outcome(&throttled, &held(&[], passed(), true)), Outcome::Failed);
        // What is refused past saturation is no failure, and is said.
        let shed = found(vec![Probe { shed: 5, ..probe() }]);
        assert_eq!(outcome(&shed, &held(&[], passed(), true)), Outcome::Passed);
        assert!(
            notes(&shed, Some(0.1), false)
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
        assert_eq!(judge(&found, &held(&[], passed(), true), 0.1).0, Outcome::Invalid);
        assert!(
            notes(&found, Some(0.1), false)
                .iter()
                .any(|it| it.starts_with("Left out: round 1"))
        );
        assert_ne!(found.analysis, Analysis::default());
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
