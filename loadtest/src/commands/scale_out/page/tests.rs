#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use super::super::analysis::analyse;
use super::super::limit::{Limit, Limiting};
use super::super::probe::{Cpu, Probe, number};
use super::super::result::{Setup, probes_csv};
use super::super::screen;
use super::*;
use crate::interaction::Mix;
use crate::result::{Conditions, Machine, Verification};

const COUNTS: [usize; 5] = [1, 2, 3, 4, 6];

/// Three rounds in which six replicas do not use up their quotas, and one probe was not of the shop.
fn sample() -> ScaleOutResult {
    let mut probes = Vec::new();
    for round in 1..=3 {
        for replicas in COUNTS {
            let n = number(replicas);
            probes.push(Probe {
                round,
                replicas,
                quota: Some(0.1),
                seconds: 6.0,
                throughput: 400.0 * n * 0.98_f64.powf(n - 1.0) + number(round),
                answers: 2_000 * replicas as u64,
                cpu: Cpu {
                    api: 0.1 * n * if replicas == 6 { 0.9 } else { 1.0 },
                    ..Cpu::default()
                },
                ..Probe::default()
            });
        }
    }
    probes[7].invalid = Some("generator's CPU 90 % (limit <80 %>)".to_owned());
    let analysis = analyse(&probes, &COUNTS, 1);
    ScaleOutResult {
        version: 1,
        began: "2025-03-04T05:06:07Z".to_owned(),
        took: 600.0,
        conditions: Conditions {
            quota: Some(0.1),
            machine: Machine {
                cores: 2,
                ..Machine::default()
            },
            ..Conditions::default()
        },
        setup: Setup {
            replicas: COUNTS.to_vec(),
            rounds: 3,
            probe_seconds: 6.0,
            shoppers_per_replica: 12,
            mix: Mix::Shopping,
            with_logins: false,
            seed: 1,
        },
        calibration: Vec::new(),
        probes,
        analysis,
        checks: Vec::new(),
        limiting: Limiting {
            limit: Limit::NotDetermined,
            why: "nobody was full".to_owned(),
            shares: Vec::new(),
            probe: None,
        },
        verification: Verification {
            violations: vec!["order <script>".to_owned()],
            ..Verification::default()
        },
        audit: None,
        outcome: Outcome::Failed,
        reasons: vec!["order <script>".to_owned()],
        notes: vec!["Left out: round 2.".to_owned()],
    }
}

#[test]
fn the_page_says_what_was_left_out_and_takes_no_text_for_html() {
    let html = page(&sample());
    assert!(html.contains("limited elsewhere"), "the count of six");
    assert!(html.contains("Not fitted:"), "four counts are too few");
    assert!(!html.contains("<script"), "escaped");
    // In the table of rounds, what is not used stands in brackets.
    let unused = quantity(sample().probes[7].throughput);
    assert!(html.contains(&format!("({unused})")), "{unused}");
    assert!(html.matches("<svg").count() >= 3);
}

#[test]
fn the_summary_names_the_target_only_where_it_was_measured() {
    let mut result = sample();
    assert!(screen::summary(&result).contains("the target 92.0 %"));
    // On a machine that others keep busy none is met, whatever the numbers.
    let mut disturbed = sample();
    for probe in &mut disturbed.probes {
        probe.cpu.host = 0.9;
    }
    assert!(!screen::summary(&disturbed).contains("the target"));
    for count in &mut result.analysis.counts {
        count.efficiency = None;
    }
    let without = screen::summary(&result);
    assert!(
        !without.contains("the target") && without.contains("BROKEN: order"),
        "{without}"
    );
}

#[test]
fn each_probe_is_a_row_that_says_whether_it_was_used() {
    let text = String::from_utf8(probes_csv(&sample()).unwrap()).unwrap();
    let rows: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(rows.len(), 15);
    let unused: Vec<&&str> = rows.iter().filter(|row| row.contains(",false,")).collect();
    assert_eq!(unused.len(), 1);
    assert!(unused[0].starts_with("2,3,"), "{unused:?}");
}

#[test]
fn a_result_is_read_again() {
    let text = serde_json::to_string(&sample()).unwrap();
    let again: ScaleOutResult = serde_json::from_str(&text).unwrap();
    assert_eq!(page(&again), page(&sample()));
}
