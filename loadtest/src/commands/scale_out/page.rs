//! report.html of `scale-out`.

use super::analysis::{Count, MOST_STEAL, SATURATED};
use super::judge::{TARGET_AT, target};
use super::limit::Limit;
use super::pictures;
use super::result::ScaleOutResult;
use super::tables;
use crate::report::number::{bytes, count, duration, percent, percent_of, quantity};
use crate::report::page::{Page, Standing};
use crate::report::run::words;
use crate::result::{Audit, Caches, Outcome};
use crate::stats::bootstrap::{Estimate, Interval};

/// The whole page.
pub fn page(result: &ScaleOutResult) -> String {
    let about = format!(
        "{} replicas, {} interleaved rounds, {}",
        counts(result),
        result.setup.rounds,
        words::when(&result.began)
    );
    let mut page = Page::new("Trestle: what more replicas bring", &about);
    let standing = match result.outcome {
        Outcome::Passed => Standing::Good,
        Outcome::Failed => Standing::Bad,
        Outcome::Invalid | Outcome::NotAudited => Standing::Open,
    };
    page.banner(
        standing,
        verdict(result.outcome),
        &[result.reasons.clone(), findings(result)].concat(),
    );
    page.facts(&facts(result));
    capacity(&mut page, result);
    limiting(&mut page, result);
    law(&mut page, result);
    checks(&mut page, result);
    promises(&mut page, result);
    if !result.notes.is_empty() {
        page.section("What was left out").list(&result.notes);
    }
    page.section("How it was measured").list(&method(result));
    if !result.calibration.is_empty() {
        page.table(&tables::calibration(result));
    }
    page.text("Interactions/s of each probe:")
        .table(&tables::rounds(result));
    page.section("What this does not show").list(&shows_not(result));
    page.note(
        "TPC-W inspired: mixes and interactions follow that benchmark's shape; the numbers are not comparable with its results.",
    );
    page.finish()
}

pub fn verdict(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "Passed: nothing was lost or failed",
        Outcome::Failed => "Failed",
        Outcome::Invalid => "Invalid: the numbers say nothing about the shop",
        Outcome::NotAudited => "Not audited: the database was not asked",
    }
}

fn counts(result: &ScaleOutResult) -> String {
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
    found.extend(target(four).map(|(_, said)| said));
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

fn facts(result: &ScaleOutResult) -> Vec<(&'static str, String)> {
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
        (
            "Machine",
            format!(
                "{} cores, {}, {}",
                machine.cores,
                machine.processor,
                bytes(machine.memory_mib << 20)
            ),
        ),
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

fn capacity(page: &mut Page, result: &ScaleOutResult) {
    page.section("Capacity and efficiency").figure(
        &pictures::capacity(result),
        "Each dot is one probe of one round, a closed load that saturates the replicas; probes that were left out are not drawn. Intervals of \
         the medians are in the table.",
    );
    page.table(&tables::capacity(result)).note(&format!(
        "Intervals are 95 %, by bootstrap over the rounds that are used. Efficiency is the median over rounds of X(N) / (N X(1)), both of one \
         round. A count whose replicas use less than {} of their quotas at saturation is limited elsewhere, and left out of efficiency and fit.",
        percent(SATURATED)
    ));
    if let Some(bars) = pictures::efficiency(result) {
        page.figure(
            &bars,
            "Throughput against N times one replica's, and what a second of the replicas' CPU answers against the same with one replica. Where \
             the second falls, the shop itself pays for having more replicas: contention.",
        );
    }
}

fn limiting(page: &mut Page, result: &ScaleOutResult) {
    let limiting = &result.limiting;
    let limit = match limiting.limit {
        Limit::Replicas => "The replicas' CPU",
        Limit::Host => "The host",
        Limit::NotDetermined => "Not determined",
    };
    page.section("What limits").text(&format!(
        "At {} replicas: {limit}, for {}.",
        result.largest(),
        limiting.why
    ));
    page.table(&tables::limiting(result));
    page.figure(
        &pictures::cpu(result),
        "CPU that each tier used while it was saturated. The grey line is all that was busy on this machine, other programs included.",
    );
    page.table(&tables::cpu(result));
}

fn law(page: &mut Page, result: &ScaleOutResult) {
    page.section("Universal Scalability Law");
    let Some(fit) = &result.analysis.usl else {
        let why = result.analysis.no_fit.clone().unwrap_or_default();
        page.text(&format!("Not fitted: {why}."));
        return;
    };
    page.text(
        "X(N) = g N / (1 + a (N - 1) + b N (N - 1)), fitted on all used rounds with a and b not below 0.",
    );
    page.table(&tables::law(fit));
    page.text(&match fit.peak {
        Some(peak) => format!("Throughput is greatest at {} replicas; beyond, more replicas bring less.", quantity(peak)),
        None => "No peak is named: either b may be 0, or the peak lies beyond twice the largest number of replicas that was measured."
            .to_owned(),
    });
}

fn checks(page: &mut Page, result: &ScaleOutResult) {
    page.section("At 90 % of the capacity").table(&tables::checks(result)).note(
        "Single interactions arrive at random (Poisson) at 90 % of the median capacity and do not wait for each other. A replica that may use a \
         tenth of a core takes ten times as long for everything, so waits near saturation are long: a limit that is broken here is a finding, \
         and does not fail the run.",
    );
}

fn promises(page: &mut Page, result: &ScaleOutResult) {
    let found = &result.verification;
    let said = if found.violations.is_empty() {
        "each is as it was acknowledged.".to_owned()
    } else {
        format!("{} violations.", count(found.violations.len() as u64))
    };
    page.section("Was anything lost?").text(&format!(
        "Afterwards {} shoppers were asked for {} orders and {} carts through the API: {said}",
        count(found.owners),
        count(found.orders),
        count(found.carts)
    ));
    page.list(&found.violations);
    page.text(&match &result.audit {
        Some(Audit::Passed(said)) => format!("Audit of the database passed: {said}"),
        Some(Audit::Failed(said)) => format!("Audit of the database FAILED: {said}"),
        Some(Audit::NotRun(why)) => format!("Audit of the database could not run: {why}"),
        None => "The database was not audited.".to_owned(),
    });
}

fn method(result: &ScaleOutResult) -> Vec<String> {
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
            "Each replica may use {} of a core (CFS quota, period of 10 ms), so that with the most replicas all tiers and the generator use at \
             most 75 % of this machine.",
            percent(cores)
        ));
    }
    method
}

fn shows_not(result: &ScaleOutResult) -> Vec<String> {
    let mut not = Vec::new();
    if result.conditions.quota.is_some() {
        not.push(format!(
            "It is one machine of {} cores: capped replicas stand for machines. Networks, other machines' clocks and memory, and their failures \
             are not in it.",
            result.conditions.machine.cores
        ));
        not.push(
            "Replicas on one machine share its caches and memory bandwidth; on machines of their own they would not. Absolute throughputs are \
             those of a part of a core."
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
