//! A run as CSV.

use anyhow::Result;

use crate::report::csv;
use crate::result::{Interactions, RunResult, Second};

/// Names and contents of a run's CSV files: the time line by seconds and the interactions.
///
/// # Errors
/// When CSV cannot be written.
pub fn run_csv(result: &RunResult) -> Result<[(&'static str, Vec<u8>); 2]> {
    Ok([
        ("timeline.csv", timeline_csv(&result.measured.timeline)?),
        ("interactions.csv", interactions(result)?),
    ])
}

/// The time line by seconds.
///
/// # Errors
/// When CSV cannot be written.
pub fn timeline_csv(seconds: &[Second]) -> Result<Vec<u8>> {
    let names = [
        "second",
        "offered",
        "completed",
        "failed",
        "shed",
        "orders",
        "p50_us",
        "p99_us",
        "in_flight",
        "from_memory",
        "from_redis",
        "from_database",
    ];
    let row = |one: &Second| {
        let counts = [
            one.offered,
            one.completed,
            one.failed,
            one.shed,
            one.orders,
            one.p50_us,
            one.p99_us,
            one.in_flight,
            one.caches.memory,
            one.caches.redis,
            one.caches.database,
        ];
        let counts = counts.map(|count| count.to_string());
        std::iter::once(one.at.to_string())
            .chain(counts)
            .collect::<Vec<_>>()
    };
    csv::rows(&names, seconds.iter().map(row))
}

fn interactions(result: &RunResult) -> Result<Vec<u8>> {
    let names = [
        "interaction",
        "count",
        "errors",
        "wanted_percent",
        "achieved_percent",
        "p50_ms",
        "p90_ms",
        "p95_ms",
        "p99_ms",
        "p999_ms",
        "mean_ms",
        "max_ms",
        "limit_p99_ms",
    ];
    let row = |one: &Interactions| {
        let mix = result
            .mix
            .iter()
            .find(|share| share.interaction == one.interaction);
        let numbers = [
            mix.map(|mix| mix.wanted),
            mix.map(|mix| mix.achieved),
            one.p50,
            one.p90,
            one.p95,
            one.p99,
            one.p999,
            Some(one.mean_ms),
            Some(one.max_ms),
        ];
        // A field that is empty was not measured.
        let numbers = numbers.map(|number| number.map_or_else(String::new, |number| number.to_string()));
        let head = [
            one.interaction.label().to_owned(),
            one.count.to_string(),
            one.errors.to_string(),
        ];
        let limit = result.response.of(one.interaction.class()).to_string();
        head.into_iter().chain(numbers).chain([limit]).collect::<Vec<_>>()
    };
    csv::rows(&names, result.measured.interactions.iter().map(row))
}
