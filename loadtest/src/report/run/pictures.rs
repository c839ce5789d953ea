//! The pictures of a run.

use crate::report::chart::{Event, Panel, Ranges, Row, Series, Timeline};
use crate::report::number::float;
use crate::result::{RunResult, Second};

/// Second by second: load and throughput, latency, errors, hit rate.
pub(super) fn timeline(result: &RunResult) -> Timeline {
    let seconds = &result.measured.timeline;
    let over = |value: fn(&Second) -> f64| seconds.iter().map(move |one| (at(one), value(one)));
    let panels = vec![
        Panel::new(
            "Interactions/s",
            vec![
                Series::line("offered", over(|one| float(one.offered)))
                    .looking_like(1)
                    .as_backdrop(),
                Series::line("completed", over(|one| float(one.completed))).looking_like(0),
            ],
        )
        .with_height(150.0),
        Panel::new(
            "Latency (ms)",
            vec![
                Series::line("p50", over(|one| millis(one, one.p50_us))),
                Series::line("p99", over(|one| millis(one, one.p99_us))),
            ],
        )
        .with_height(150.0),
        Panel::new(
            "Errors/s",
            vec![
                Series::line("failed", over(|one| float(one.failed))).looking_like(1),
                Series::line("refused with 503 or 429", over(|one| float(one.shed))).looking_like(3),
            ],
        )
        .with_height(80.0)
        .reaching(4.0)
        .of_whole_numbers(),
        Panel::new(
            "Cached reads answered from (%)",
            vec![
                Series::line("memory", over(|one| share(one.caches.memory, one))),
                Series::line("Redis", over(|one| share(one.caches.redis, one))),
                Series::line("database", over(|one| share(one.caches.database, one))),
            ],
        )
        .reaching(100.0),
    ];
    let warm = seconds.iter().any(|one| one.at < 0);
    Timeline {
        title: "The run, second by second".to_owned(),
        x: "Time since measuring began (s)".to_owned(),
        panels,
        events: warm
            .then(|| Event {
                at: 0.0,
                label: "measuring begins".to_owned(),
            })
            .into_iter()
            .collect(),
    }
}

/// Percentiles of each interaction on a logarithmic axis, with its limit.
pub(super) fn latencies(result: &RunResult) -> Ranges {
    let rows = result.measured.interactions.iter().map(|one| Row {
        name: one.interaction.label().to_owned(),
        values: vec![one.p50, one.p90, one.p99],
        limit: Some(float(result.response.of(one.interaction.class()))),
    });
    Ranges {
        title: "Latency by interaction".to_owned(),
        axis: "Milliseconds from the intended start (logarithmic)".to_owned(),
        series: vec!["p50".to_owned(), "p90".to_owned(), "p99".to_owned()],
        limit: "limit of p99".to_owned(),
        rows: rows.collect(),
    }
}

fn at(second: &Second) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
    let at = second.at as f64;
    at
}

/// Nothing completed, no latency: a gap.
fn millis(second: &Second, micros: u64) -> f64 {
    if second.completed == 0 {
        f64::NAN
    } else {
        float(micros) / 1_000.0
    }
}

fn share(part: u64, second: &Second) -> f64 {
    let caches = second.caches;
    // 0 of 0 is no number, and drawn as a gap.
    100.0 * float(part) / float(caches.memory + caches.redis + caches.database)
}
