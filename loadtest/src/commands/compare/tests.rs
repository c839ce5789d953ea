#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use super::*;
use crate::commands::merge::tests::run;

fn row<'c>(comparison: &'c Comparison, what: &str) -> &'c Row {
    comparison.rows.iter().find(|row| row.what == what).unwrap()
}

/// Latencies spread evenly over 1 to 20 ms, times a factor in percent.
fn latencies(percent: u64) -> impl Iterator<Item = u64> {
    (1000..20_000).map(move |us| us * percent / 100)
}

#[test]
fn a_run_is_not_different_from_itself() {
    let a = run(100, latencies(100));
    let comparison = compare(&a, &a, false).unwrap();
    let known: Vec<_> = comparison.rows.iter().map(|row| row.what.as_str()).collect();
    let latencies = ["reads p50", "reads p90", "reads p99"];
    assert_eq!(
        known,
        [&["throughput"][..], &latencies, &["failed", "refused (503, 429)"]].concat()
    );
    for row in &comparison.rows {
        assert_eq!(row.finding, Finding::NoDifferenceShown, "{row:?}");
    }
    let text = comparison.to_string();
    assert!(text.contains("Intervals are those of these two runs"), "{text}");
    assert!(
        text.contains("no difference shown") && text.contains("throughput"),
        "{text}"
    );
}

#[test]
fn a_faster_run_is_found() {
    let (a, b) = (run(100, latencies(100)), run(110, latencies(80)));
    let comparison = compare(&a, &b, false).unwrap();
    let throughput = row(&comparison, "throughput");
    assert_eq!(throughput.finding, Finding::Higher);
    assert!((throughput.change.unwrap().value - 1.1).abs() < 0.01);
    let p50 = row(&comparison, "reads p50");
    assert_eq!(p50.finding, Finding::Lower);
    assert!(p50.change.unwrap().holds(0.8), "{p50:?}");
}

#[test]
fn a_small_difference_of_few_samples_is_not_shown() {
    let few = |percent| latencies(percent).step_by(200);
    let comparison = compare(&run(100, few(100)), &run(100, few(103)), false).unwrap();
    assert_eq!(row(&comparison, "reads p50").finding, Finding::NoDifferenceShown);
    // 95 samples have no 99th percentile to tell.
    assert!(comparison.rows.iter().all(|row| row.what != "reads p99"));
    let other = compare(&run(100, few(100)), &run(100, latencies(100)), false).unwrap();
    assert_eq!(row(&other, "reads p99").finding, Finding::NotKnown);
}

#[test]
fn errors_and_hit_rates_are_shares() {
    let (mut a, mut b) = (run(100, latencies(100)), run(100, latencies(100)));
    a.measured.caches = Caches {
        memory: 900,
        redis: 50,
        database: 50,
    };
    b.measured.caches = Caches {
        memory: 500,
        redis: 50,
        database: 450,
    };
    b.measured.failed = 60;
    let comparison = compare(&a, &b, false).unwrap();
    assert_eq!(row(&comparison, "failed").finding, Finding::Higher);
    assert_eq!(
        row(&comparison, "cached reads from memory").finding,
        Finding::Lower
    );
    let redis = row(&comparison, "cached reads from Redis");
    assert_eq!(redis.finding, Finding::NoDifferenceShown);
    assert!((row(&comparison, "failed").b.unwrap().value - 60.0 / 6020.0).abs() < 1e-9);
}

#[test]
fn what_is_not_comparable_is_refused_by_name_unless_forced() {
    let a = run(100, latencies(100));
    let mut b = a.clone();
    b.conditions.products = 5000;
    b.conditions.quota = Some(0.2);
    b.conditions.machine.cores = 64;
    b.load.think_s = 1.0;
    b.load.mix = crate::interaction::Mix::Browsing;
    let Err(Failure::Refused(line)) = compare(&a, &b, false) else {
        unreachable!("not refused");
    };
    for what in [
        "products 1000 / 5000",
        "mix shopping / browsing",
        "think time 7 s / 1 s",
        "quota none / 0.2 cores",
        "cores 0 / 64",
        "--force",
    ] {
        assert!(line.contains(what), "{what}: {line}");
    }
    assert!(!line.contains('\n'));
    let forced = compare(&a, &b, true).unwrap();
    assert_eq!(forced.differences.len(), 5);
    assert!(
        forced
            .to_string()
            .contains("differs although it should not (A / B): cores 0 / 64")
    );
}

#[test]
fn what_may_differ_is_not_refused() {
    let a = run(100, latencies(100));
    let mut b = a.clone();
    b.conditions.replicas = 4;
    b.conditions.trestle = "0.2.0".to_owned();
    b.conditions.url = "http://127.0.0.1:9".to_owned();
    b.conditions.machine.memory_mib = 20;
    b.load.seed = 9;
    assert!(compare(&a, &b, false).is_ok());
}

#[test]
fn folders_are_read_and_the_comparison_written() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    for (path, result) in [(&a, run(100, latencies(100))), (&b, run(90, latencies(100)))] {
        std::fs::create_dir(path).unwrap();
        std::fs::write(path.join("result.json"), serde_json::to_string(&result).unwrap()).unwrap();
    }
    let output = folder.path().join("compared");
    let args = Args {
        a: a.clone(),
        b,
        force: false,
        output: Some(output.clone()),
    };
    let (comparison, written_to) = command(&args).unwrap();
    assert_eq!(written_to.path(), output);
    let text = std::fs::read_to_string(output.join("compare.json")).unwrap();
    let written: Comparison = serde_json::from_str(&text).unwrap();
    assert_eq!(written.rows.len(), comparison.rows.len());
    assert_eq!(row(&written, "throughput").finding, Finding::Lower);
    assert!(written.a.folder.ends_with("/a") && written.b.folder.ends_with("/b"));
    let page = std::fs::read_to_string(output.join("report.html")).unwrap();
    assert!(page.contains("B is lower") && page.contains("no difference shown"));
    assert_eq!(page.matches("<svg").count(), 2);
    // Two comparisons in one folder would be taken for one.
    assert!(matches!(command(&args), Err(Failure::Other(_))));
    // One of a format to come is not misread.
    let later = std::fs::read_to_string(a.join("result.json"))
        .unwrap()
        .replace("\"version\":1", "\"version\":2");
    std::fs::write(a.join("result.json"), later).unwrap();
    let told = format!("{:#}", read(&a).unwrap_err());
    assert!(told.contains("format 2, known is 1"), "{told}");
    // Other commands write other files.
    let told = format!("{:#}", read(&output).unwrap_err());
    assert!(
        told.contains("is no folder that `run` wrote: result.json"),
        "{told}"
    );
}
