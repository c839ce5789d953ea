use super::super::analysis::{self, Analysis};
use super::super::limit::{Limit, Limiting};
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
    let outcome = |found: &Found, held: &Held| judge(found, held, 0.1, 2).0;
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
    let (outcome, reasons) = judge(&good, &held(&[], not_run, true), 0.1, 2);
    assert_eq!(outcome, Outcome::NotAudited);
    assert!(reasons.iter().any(|it| it.contains("no database")));
    assert_eq!(judge(&good, &held(&[], None, false), 0.1, 2).0, Outcome::Passed);
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
        judge(&found, &held(&[], Some(good_audit()), true), 0.1, 2).0,
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
    let outcome = |host| {
        let mut probe = probe();
        probe.cpu.host = host;
        judge(&found(vec![probe]), &held(&[], Some(good_audit()), true), 0.1, 2).0
    };
    assert_eq!(
        (outcome(0.24), outcome(0.26)),
        (Outcome::Passed, Outcome::Invalid)
    );
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
