//! What several generators measured, as one.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::interaction::Interaction;
use crate::result::{Caches, Client, ErrorClass, Interactions, JournalCounts, Measured, RunResult, Second};
use crate::stats::hist;

/// Samples that are kept of a class of errors.
const SAMPLES: usize = 5;

/// The sum. Seconds are those of the longest.
pub fn merged(parts: &[RunResult]) -> Result<Measured> {
    let all = || parts.iter().map(|part| &part.measured);
    let sum = |count: fn(&Measured) -> u64| all().map(count).sum();
    let longest = |seconds: fn(&Measured) -> f64| all().map(seconds).fold(0.0, f64::max);
    Ok(Measured {
        seconds: longest(|it| it.seconds),
        warm_up_seconds: longest(|it| it.warm_up_seconds),
        settled: all().all(|it| it.settled),
        interactions: interactions(parts)?,
        completed: sum(|it| it.completed),
        offered: sum(|it| it.offered),
        requests: sum(|it| it.requests),
        bytes: sum(|it| it.bytes),
        errors: errors(parts),
        failed: sum(|it| it.failed),
        shed: sum(|it| it.shed),
        caches: all().fold(Caches::default(), |sum, it| caches(sum, it.caches)),
        timeline: timeline(parts),
        // `run` does not look closely.
        tenths: Vec::new(),
        backlog_half: sum(|it| it.backlog_half),
        backlog_end: sum(|it| it.backlog_end),
        logins: sum(|it| it.logins),
        accounts: sum(|it| it.accounts),
        orders: sum(|it| it.orders),
        client: client(parts),
        journal: JournalCounts {
            acknowledged: sum(|it| it.journal.acknowledged),
            refused: sum(|it| it.journal.refused),
            unknown: sum(|it| it.journal.unknown),
        },
        replicas: replicas(parts),
    })
}

fn interactions(parts: &[RunResult]) -> Result<Vec<Interactions>> {
    let mut merged = Vec::new();
    for interaction in Interaction::ALL {
        let all = parts.iter().flat_map(|part| &part.measured.interactions);
        let these: Vec<_> = all.filter(|it| it.interaction == interaction).collect();
        if !these.is_empty() {
            merged.push(together(interaction, &these)?);
        }
    }
    Ok(merged)
}

fn together(interaction: Interaction, these: &[&Interactions]) -> Result<Interactions> {
    let decoded = these
        .iter()
        .map(|it| hist::decode(&it.histogram))
        .collect::<Result<Vec<_>>>()?;
    let histogram = hist::merge(&decoded)?;
    let count = these.iter().map(|it| it.count).sum();
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    let mean_ms = these.iter().map(|it| it.mean_ms * it.count as f64).sum::<f64>() / (count as f64).max(1.0);
    Ok(Interactions {
        interaction,
        count,
        errors: these.iter().map(|it| it.errors).sum(),
        p50: hist::percentile(&histogram, 0.5),
        p90: hist::percentile(&histogram, 0.9),
        p95: hist::percentile(&histogram, 0.95),
        p99: hist::percentile(&histogram, 0.99),
        p999: hist::percentile(&histogram, 0.999),
        mean_ms,
        max_ms: these.iter().map(|it| it.max_ms).fold(0.0, f64::max),
        histogram: hist::encode(&histogram)?,
    })
}

/// The most frequent first.
fn errors(parts: &[RunResult]) -> Vec<ErrorClass> {
    let mut classes: BTreeMap<&str, ErrorClass> = BTreeMap::new();
    for error in parts.iter().flat_map(|part| &part.measured.errors) {
        let class = classes.entry(&error.class).or_default();
        class.class.clone_from(&error.class);
        class.count += error.count;
        let left = SAMPLES.saturating_sub(class.samples.len());
        class.samples.extend(error.samples.iter().take(left).cloned());
    }
    let mut classes: Vec<_> = classes.into_values().collect();
    classes.sort_by_key(|class| std::cmp::Reverse(class.count));
    classes
}

fn caches(a: Caches, b: Caches) -> Caches {
    Caches {
        memory: a.memory + b.memory,
        redis: a.redis + b.redis,
        database: a.database + b.database,
    }
}

fn timeline(parts: &[RunResult]) -> Vec<Second> {
    let mut seconds: BTreeMap<i64, Second> = BTreeMap::new();
    for second in parts.iter().flat_map(|part| &part.measured.timeline) {
        let sum = seconds.entry(second.at).or_default();
        let completed = sum.completed + second.completed;
        // Weighted by what each completed: percentiles of parts do not add up to the whole's.
        let weighted = sum.p50_us * sum.completed + second.p50_us * second.completed;
        *sum = Second {
            at: second.at,
            offered: sum.offered + second.offered,
            completed,
            failed: sum.failed + second.failed,
            shed: sum.shed + second.shed,
            orders: sum.orders + second.orders,
            p50_us: weighted.checked_div(completed).unwrap_or_default(),
            p99_us: sum.p99_us.max(second.p99_us),
            in_flight: sum.in_flight + second.in_flight,
            caches: caches(sum.caches, second.caches),
        };
    }
    seconds.into_values().collect()
}

/// The worst of each; what they hold together.
fn client(parts: &[RunResult]) -> Client {
    let all = || parts.iter().map(|part| part.measured.client);
    Client {
        lag_p99_us: all().map(|it| it.lag_p99_us).max().unwrap_or_default(),
        cpu: all().map(|it| it.cpu).fold(0.0, f64::max),
        sent: all().map(|it| it.sent).fold(1.0, f64::min),
        memory: all().map(|it| it.memory).sum(),
        connections: all().map(|it| it.connections).sum(),
    }
}

fn replicas(parts: &[RunResult]) -> Vec<(String, u64)> {
    let mut sum: BTreeMap<String, u64> = BTreeMap::new();
    for (name, answers) in parts.iter().flat_map(|part| &part.measured.replicas) {
        *sum.entry(name.clone()).or_default() += answers;
    }
    sum.into_iter().collect()
}
