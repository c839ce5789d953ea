//! A run of `scale-out` in words, for the page and the screen.

use super::analysis::{Count, MOST_STEAL};
use super::calibrate::period_ms;
use super::judge::{TARGET_AT, target, too_many_strangers};
use super::limit::Limit;
use super::result::ScaleOutResult;
use crate::report::number::{count, duration, percent, percent_of, quantity};
use crate::report::run::words;
use crate::result::{Caches, Outcome};
use crate::stats::bootstrap::{Estimate, Interval};

/// The outcome.
pub fn verdict(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "Passed: nothing was lost or failed",
        Outcome::Failed => "Failed",
        Outcome::Invalid => "Invalid: the numbers say nothing about the shop",
        Outcome::NotAudited => "Not audited: the database was not asked",
    }
}

/// The numbers of replicas.
pub fn counts(result: &ScaleOutResult) -> String {
    let counts: Vec<String> = result.setup.replicas.iter().map(ToString::to_string).collect();
    counts.join(", ")
}

/// The answers, a line each.
pub fn findings(result: &ScaleOutResult) -> Vec<String> {
    let analysis = &result.analysis;
    let mut found = Vec::new();
    let largest = result.largest();
    if let (Some(one), Some(most)) = (throughput(analysis.of(1)), throughput(analysis.of(largest))) {
        found.push(format!(
            "{} interactions/s with one replica, {} with {largest}: {} times as many",
            quantity(one),
            quantity(most),
            quantity(most / one)
        ));
    }
    let four = analysis.of(TARGET_AT).and_then(|it| it.efficiency);
    if let Some(efficiency) = four {
        found.push(format!(
            "{TARGET_AT} replicas are {} efficient",
            estimate(&efficiency, percent)
        ));
    }
    let disturbed = too_many_strangers(&result.probes, result.conditions.machine.cores);
    if result.outcome != Outcome::Invalid && disturbed.is_none() {
        found.extend(target(four).map(|(_, said)| said));
    }
    let limit = match result.limiting.limit {
        Limit::Replicas => format!("at {largest} replicas, the replicas' CPU limits"),
        Limit::Host => format!("at {largest} replicas, the host limits: all its cores are busy"),
        Limit::NotDetermined => format!("at {largest} replicas, which tier limits was not determined"),
    };
    found.push(limit);
    found
}

fn throughput(count: Option<&Count>) -> Option<f64> {
    Some(count?.throughput?.value)
}

/// A value with its interval.
pub fn estimate(estimate: &Estimate, say: impl Fn(f64) -> String) -> String {
    match estimate.interval {
        Some(Interval { low, high }) => format!("{} ({} to {})", say(estimate.value), say(low), say(high)),
        None => format!("{} (one round: no interval)", say(estimate.value)),
    }
}

/// What was measured, how, on what.
pub fn facts(result: &ScaleOutResult) -> Vec<(&'static str, String)> {
    let (conditions, setup) = (&result.conditions, &result.setup);
    let machine = &conditions.machine;
    let sessions = if setup.with_logins {
        "begin and end, with logins: passwords are hashed"
    } else {
        "valid from the beginning, no password is hashed"
    };
    vec![
        ("Shop", conditions.url.clone()),
        ("Version", conditions.trestle.clone()),
        ("Data set", format!("{} products", count(conditions.products))),
        ("Replicas", counts(result)),
        (
            "Quota",
            conditions.quota.map_or_else(
                || "none".to_owned(),
                |cores| format!("{} of a core for each replica", percent(cores)),
            ),
        ),
        ("Mix", setup.mix.name().to_owned()),
        ("Sessions", sessions.to_owned()),
        (
            "Shoppers",
            format!("{} for each replica, no think time", setup.shoppers_per_replica),
        ),
        (
            "Probes",
            format!("{} rounds, {} each", setup.rounds, duration(setup.probe_seconds)),
        ),
        ("Hit rate, N=1", caches(result.caches(1))),
        (
            "Hit rate, most",
            format!(
                "{} (N={})",
                caches(result.caches(result.largest())),
                result.largest()
            ),
        ),
        ("Took", duration(result.took)),
        ("Seed", setup.seed.to_string()),
        ("Machine", words::machine(machine)),
        ("Kernel", machine.kernel.clone()),
    ]
}

fn caches(caches: Caches) -> String {
    let reads = caches.memory + caches.redis + caches.database;
    if reads == 0 {
        return "no cached reads".to_owned();
    }
    let of = |part| percent_of(part, reads);
    format!(
        "memory {}, Redis {}, database {}",
        of(caches.memory),
        of(caches.redis),
        of(caches.database)
    )
}

/// How it was measured, for who wants to repeat it.
pub fn method(result: &ScaleOutResult) -> Vec<String> {
    let mut method = vec![
        format!(
            "Capacity of a count in one round: {} of a closed load of {} shoppers for each replica who never think, after a warm-up.",
            duration(result.setup.probe_seconds),
            result.setup.shoppers_per_replica
        ),
        "Rounds are interleaved, so that what changes on the host meanwhile meets all counts alike.".to_owned(),
        format!(
            "A round is dropped when more than {} of the host's time was given to another guest in one of its probes; a probe, when the \
             generator was the limit.",
            percent(MOST_STEAL)
        ),
        "CPU of the replicas is what their cgroups count; of the other tiers, what their processes or containers used.".to_owned(),
    ];
    if let Some(cores) = result.conditions.quota {
        method.push(format!(
            "Each replica may use {} of a core (CFS quota, period of {} ms), so that with the most replicas all tiers and the generator use at \
             most 75 % of this machine.",
            percent(cores),
            quantity(period_ms(cores))
        ));
    }
    method
}

/// What must not be read into the numbers.
pub fn shows_not(result: &ScaleOutResult) -> Vec<String> {
    let mut not = Vec::new();
    if result.conditions.quota.is_some() {
        not.push(format!(
            "It is one machine of {} cores: capped replicas stand for machines. Networks, other machines' clocks and memory, and their failures \
             are not in it.",
            result.conditions.machine.cores
        ));
        not.push(
            "Replicas on one machine share its caches and memory bandwidth, and two cores are often two threads of one; on machines of their own \
             they would not. Absolute throughputs are those of a part of a core."
                .to_owned(),
        );
    }
    not.push(
        "nginx, Redis and the database were not capped and had no peak of their own here: how far they go is not shown, only that they went this \
         far."
            .to_owned(),
    );
    if !result.setup.with_logins {
        not.push("Logins and registrations are not in it: each costs a password hash, which takes far more CPU than a page.".to_owned());
    }
    not.push("A few seconds for each probe: nothing is said about hours.".to_owned());
    not
}
