#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use super::*;

const COUNTS: [usize; 5] = [1, 2, 3, 4, 6];

fn near(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
}

fn probe(round: usize, replicas: usize, throughput: f64) -> Probe {
    Probe {
        round,
        replicas,
        quota: Some(0.1),
        seconds: 6.0,
        throughput,
        answers: 1_000 * replicas as u64,
        cpu: Cpu {
            api: 0.1 * number(replicas),
            ..Cpu::default()
        },
        ..Probe::default()
    }
}

/// Each round is slower or faster as a whole; two replicas and more lose 5 %.
fn rounds(speeds: &[f64]) -> Vec<Probe> {
    let mut probes = Vec::new();
    for (round, speed) in (1..).zip(speeds) {
        for replicas in COUNTS {
            let loss = if replicas == 1 { 1.0 } else { 0.95 };
            probes.push(probe(round, replicas, 100.0 * speed * loss * number(replicas)));
        }
    }
    probes
}

#[test]
fn efficiency_is_of_pairs_in_one_round() {
    let found = analyse(&rounds(&[1.0, 0.5, 2.0, 1.3, 0.8]), &COUNTS, 1);
    for replicas in [2, 3, 4, 6] {
        let efficiency = found.of(replicas).unwrap().efficiency.unwrap();
        // The host was four times as fast in one round as in another, and it does not show.
        assert!((efficiency.value - 0.95).abs() < 1e-9, "{efficiency:?}");
        let interval = efficiency.interval.unwrap();
        assert!(interval.high - interval.low < 1e-9);
    }
    let one = found.of(1).unwrap();
    near(one.efficiency.unwrap().value, 1.0);
    near(one.throughput.unwrap().value, 100.0);
    assert!(found.usl.is_some() && found.no_fit.is_none() && found.dropped.is_empty());
}

#[test]
fn steal_drops_the_whole_round() {
    let mut probes = rounds(&[1.0; 3]);
    let bad = probes
        .iter_mut()
        .find(|it| it.round == 2 && it.replicas == 4)
        .unwrap();
    bad.cpu.steal = 0.04;
    bad.throughput = 1.0;
    for it in probes.iter_mut().filter(|it| it.round == 2) {
        it.throughput /= 9.0;
    }
    let found = analyse(&probes, &COUNTS, 1);
    assert_eq!(found.dropped.len(), 1);
    assert_eq!((found.dropped[0].round, found.dropped[0].replicas), (2, None));
    for count in &found.counts {
        assert_eq!(count.rounds, 2);
    }
    assert!((found.of(4).unwrap().efficiency.unwrap().interval.unwrap().low - 0.95).abs() < 1e-9);
    let used = probes.iter().filter(|probe| found.uses(probe)).count();
    assert_eq!(used, 10);
}

#[test]
fn a_probe_that_measured_the_generator_is_left_out_alone() {
    let mut probes = rounds(&[1.0; 3]);
    let bad = probes
        .iter_mut()
        .find(|it| it.round == 3 && it.replicas == 6)
        .unwrap();
    bad.invalid = Some("generator's CPU 90 %".to_owned());
    bad.throughput = 1.0;
    let found = analyse(&probes, &COUNTS, 1);
    assert_eq!(found.dropped.len(), 1);
    assert!(found.dropped[0].said().contains("round 3, 6 replicas"));
    assert_eq!(found.of(6).unwrap().rounds, 2);
    assert_eq!(found.of(4).unwrap().rounds, 3);
}

#[test]
fn replicas_that_do_not_use_their_quota_are_limited_elsewhere() {
    let mut probes = rounds(&[1.0; 3]);
    for bad in probes.iter_mut().filter(|it| it.replicas == 6) {
        bad.cpu.api = 0.94 * 0.6;
        bad.throughput = 450.0;
    }
    let found = analyse(&probes, &COUNTS, 1);
    let six = found.of(6).unwrap();
    assert!(six.limited_elsewhere && six.efficiency.is_none(), "{six:?}");
    near(six.throughput.unwrap().value, 450.0);
    assert!(!found.of(4).unwrap().limited_elsewhere);
    // Four counts are too few for a fit.
    assert!(found.usl.is_none());
    assert!(found.no_fit.unwrap().contains("there are 4"));
}

#[test]
fn one_that_is_limited_elsewhere_leaves_no_efficiency_at_all() {
    let mut probes = rounds(&[1.0; 3]);
    for bad in probes.iter_mut().filter(|it| it.replicas == 1) {
        bad.cpu.api = 0.05;
    }
    let found = analyse(&probes, &COUNTS, 1);
    assert!(found.counts.iter().all(|count| count.efficiency.is_none()));
    assert!(found.of(4).unwrap().throughput.is_some());
}

#[test]
fn contention_shows_in_answers_for_a_second_of_cpu() {
    let mut probes = rounds(&[1.0; 3]);
    for four in probes.iter_mut().filter(|it| it.replicas == 4) {
        four.answers = 3_600;
    }
    let found = analyse(&probes, &COUNTS, 1);
    let ratio = found.of(4).unwrap().answers_against_one.unwrap().value;
    assert!((ratio - 0.9).abs() < 1e-9, "{ratio}");
    let plain = found.of(1).unwrap().answers_per_cpu_second.unwrap();
    assert!((plain - 1_000.0 / 0.6).abs() < 1e-6, "{plain}");
}

#[test]
fn without_a_quota_nobody_can_tell_and_nothing_is_left_out() {
    let mut probes = rounds(&[1.0; 2]);
    for it in &mut probes {
        it.quota = None;
    }
    let found = analyse(&probes, &COUNTS, 1);
    assert!(
        found
            .counts
            .iter()
            .all(|it| !it.limited_elsewhere && it.efficiency.is_some())
    );
}
