#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use super::*;
use crate::interaction::{Interaction, Mix};
use crate::load::Shape;
use crate::load::WarmUp;
use crate::result::{Conditions, ErrorClass, Interactions, Measured, Outcome, ResponseLimits, Second};
use crate::stats::hist::{decode, empty, encode};

/// A run of 60 s of the same number of home pages each second, with these latencies.
pub(crate) fn run(each_second: u64, latencies_us: impl IntoIterator<Item = u64>) -> RunResult {
    let mut histogram = empty().unwrap();
    for latency in latencies_us {
        histogram.record(latency).unwrap();
    }
    let home = Interactions {
        interaction: Interaction::Home,
        count: histogram.len(),
        errors: 0,
        histogram: encode(&histogram).unwrap(),
        p50: None,
        p90: None,
        p95: None,
        p99: None,
        p999: None,
        mean_ms: histogram.mean() / 1000.0,
        max_ms: 9.0,
    };
    let second = |at| Second {
        at,
        // Uneven, as runs are.
        completed: each_second + u64::from(at % 3 == 0),
        p50_us: 1000,
        p99_us: 5000,
        ..Second::default()
    };
    let measured = Measured {
        seconds: 60.0,
        warm_up_seconds: 5.0,
        settled: true,
        interactions: vec![home],
        completed: each_second * 60 + 20,
        offered: each_second * 60 + 20,
        timeline: (-5..60).map(second).collect(),
        replicas: vec![("api-1".to_owned(), each_second * 60)],
        ..Measured::default()
    };
    RunResult {
        version: 1,
        began: "2026-03-01T09:30:00Z".to_owned(),
        conditions: Conditions {
            products: 1000,
            ..Conditions::default()
        },
        load: Load {
            model: Model::Closed {
                shoppers: 100,
                shape: Shape::default(),
            },
            mix: Mix::Shopping,
            only: None,
            more: None,
            product: None,
            fine: false,
            think_s: 7.0,
            with_sessions: true,
            seconds: 60.0,
            warm_up: WarmUp::Seconds(5.0),
            seed: 1,
        },
        measured,
        mix: Vec::new(),
        response: ResponseLimits::default(),
        limits: Vec::new(),
        validity: Vec::new(),
        verification: Some(Verification::default()),
        audit: None,
        outcome: Outcome::Passed,
        notes: Vec::new(),
    }
}

fn refusal(parts: &[RunResult]) -> String {
    match merge(parts, |_| {}) {
        Err(Failure::Refused(line)) => line,
        other => format!("not refused: {other:?}"),
    }
}

#[test]
fn parts_add_up_to_the_whole() {
    let (mut a, mut b) = (run(10, 1..=2000), run(30, 2001..=4000));
    b.load.seed = 2;
    a.measured.client.cpu = 0.9;
    a.measured.client.sent = 1.0;
    b.measured.client.sent = 0.98;
    a.audit = Some(Audit::Passed("all holds".to_owned()));
    b.audit = Some(Audit::NotRun("--no-audit".to_owned()));
    let merged = merge(&[a, b], |result| result.outcome = Outcome::Failed).unwrap();
    let measured = &merged.measured;
    assert_eq!(measured.completed, 10 * 60 + 20 + 30 * 60 + 20);
    let home = &measured.interactions[0];
    assert_eq!((measured.interactions.len(), home.count), (1, 4000));
    let whole = run(1, 1..=4000);
    assert_eq!(
        decode(&home.histogram).unwrap(),
        decode(&whole.measured.interactions[0].histogram).unwrap()
    );
    assert!((home.p50.unwrap() - 2.0).abs() < 0.01);
    assert!((home.mean_ms - 2.0005).abs() < 0.01);
    assert_eq!(measured.timeline.len(), 65);
    assert!(
        measured
            .timeline
            .iter()
            .all(|it| (40..=42).contains(&it.completed))
    );
    assert_eq!(measured.replicas, [("api-1".to_owned(), 40 * 60)]);
    assert!(matches!(&merged.load.model, Model::Closed { shoppers: 200, .. }));
    assert!((measured.client.cpu - 0.9).abs() < 1e-9 && (measured.client.sent - 0.98).abs() < 1e-9);
    assert!(matches!(merged.audit, Some(Audit::Passed(_))));
    // What follows from the numbers is judged again.
    assert_eq!(merged.outcome, Outcome::Failed);
    assert_eq!(merged.notes.len(), 1);
}

#[test]
fn errors_are_counted_by_class_and_violations_kept() {
    let class = |class: &str, count| ErrorClass {
        class: class.to_owned(),
        count,
        samples: vec!["one".to_owned(); 4],
    };
    let (mut a, mut b) = (run(10, [1]), run(10, [1]));
    a.measured.errors = vec![class("503 overloaded", 2)];
    b.measured.errors = vec![class("404 not_found", 9), class("503 overloaded", 8)];
    b.verification = Some(Verification {
        violations: vec!["an order is gone".to_owned()],
        ..Verification::default()
    });
    let merged = merge(&[a.clone(), b.clone()], |_| {}).unwrap();
    let told: Vec<_> = merged
        .measured
        .errors
        .iter()
        .map(|it| (it.class.as_str(), it.count, it.samples.len()))
        .collect();
    assert_eq!(told, [("503 overloaded", 10, 5), ("404 not_found", 9, 4)]);
    assert_eq!(merged.verification.unwrap().violations, ["an order is gone"]);
    assert!(merged.notes[1].contains("shared a seed"), "{:?}", merged.notes);
    // One that was not verified leaves the whole not verified.
    a.verification = None;
    assert!(merge(&[a, b], |_| {}).unwrap().verification.is_none());
}

#[test]
fn other_loads_are_refused() {
    let a = run(10, [1]);
    let mut other = run(10, [1]);
    other.load.mix = Mix::Ordering;
    assert!(
        refusal(&[a.clone(), a.clone(), other.clone()])
            .starts_with("merge: result 3 is not of the same load: load")
    );
    other.load.mix = Mix::Shopping;
    other.conditions.products = 9;
    assert!(refusal(&[a.clone(), other.clone()]).contains("products 1000 / 9"));
    other.conditions.products = 1000;
    other.response.read = 100;
    assert!(refusal(&[a.clone(), other.clone()]).contains("response limits"));
    other.response = a.response;
    other.load.model = Model::Flash {
        product: 1,
        buyers: 100,
    };
    assert!(refusal(&[a.clone(), other]).contains("flash"));
    assert!(refusal(&[]).contains("no result folder"));
}

#[test]
fn runs_at_other_times_are_refused() {
    let a = run(10, [1]);
    let mut later = run(10, [1]);
    later.began = "2026-03-01T09:30:02Z".to_owned();
    let told = refusal(&[a.clone(), later.clone()]);
    assert!(
        told.contains("measuring began 2026-03-01T09:30:05Z / 2026-03-01T09:30:07Z"),
        "{told}"
    );
    // Measuring began together although the runs did not.
    later.measured.warm_up_seconds = 3.0;
    assert!(merge(&[a, later], |_| {}).is_ok());
}

#[test]
fn folders_are_read_and_the_whole_written() {
    let folder = tempfile::tempdir().unwrap();
    let folders: Vec<_> = ["a", "b"].map(|name| folder.path().join(name)).to_vec();
    for (path, each_second) in folders.iter().zip([10, 20]) {
        std::fs::create_dir(path).unwrap();
        let text = serde_json::to_string(&run(each_second, [1000; 30])).unwrap();
        std::fs::write(path.join("result.json"), text).unwrap();
    }
    let args = Args {
        limits: crate::verdict::Limits::default(),
        folders,
        output: folder.path().join("whole"),
    };
    let (merged, written_to) = command(&args, |_| {}).unwrap();
    assert_eq!(merged.measured.interactions[0].count, 60);
    let again = read(written_to.path()).unwrap();
    assert_eq!(again.measured.completed, merged.measured.completed);
    assert!(written_to.path().join("report.html").exists());
    assert!(written_to.path().join("timeline.csv").exists());
}
